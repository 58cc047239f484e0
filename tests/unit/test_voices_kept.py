"""Voiceprints: nothing without consent, nothing in plain text, gone when forgotten; corrections that stay."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from meetings.cli.who import login_name
from meetings.config import Settings
from meetings.conversation import Utterance
from meetings.corrections import (
    Correction,
    answers_of,
    parse_setting,
    read_corrections,
    spans_of,
    without,
    write_corrections,
)
from meetings.enrolment import checked_username, only_voice
from meetings.errors import ConsentError, CorrectionError, StorageError, VoicesError, VoicesKeyError
from meetings.kept_voices import KeptVoices
from meetings.known_voices import known_voices, names_stamp
from meetings.speech import Candidate, Voice, name_speakers
from meetings.store import FileStore, Sealed
from meetings.voicebook import Consent, Sample, VoiceBook
from tests.databases import database_files, every_document, set_age, set_body
from tests.naming_cases import sound

CONSENT = Consent(by="dana", at="2026-11-03T10:00:00+00:00", how="by mail")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def sample(who: str = "ana", *, source: str = "r1", model: str = "m") -> Sample:
    return Sample(embedding=sound(who, 0.98, salt=source), seconds=20.0, source=source, model=model, at="2026-11-03")


def voice(label: str, who: str, *, seconds: float = 30.0) -> Voice:
    return Voice(speaker=label, embedding=sound(who, 0.97, salt=label), seconds=seconds)


# The book


def test_without_consent_no_voice_enters_the_book(settings: Settings) -> None:
    book = VoiceBook.of(settings)
    with pytest.raises(ConsentError, match="no consent of ana"):
        book.add_sample("ana", sample())
    assert book.entries() == ()


def test_a_print_is_the_mean_of_samples_and_learning_twice_counts_once(settings: Settings) -> None:
    book = VoiceBook.of(settings)
    book.record_consent("ana", CONSENT)
    for source in ("r1", "r2", "r1"):
        book.add_sample("ana", sample(source=source))
    entry = book.entry("ana")
    assert [s.source for s in entry.samples] == ["r2", "r1"]
    known = entry.print_of("m")
    assert known is not None
    assert known.seconds == 40.0
    assert sum(x * x for x in known.embedding) == pytest.approx(1.0)
    assert entry.print_of("another network") is None


def test_a_consent_recorded_anew_keeps_the_samples(settings: Settings) -> None:
    book = VoiceBook.of(settings)
    book.record_consent("ana", CONSENT)
    book.add_sample("ana", sample())
    book.record_consent("ana", Consent(by="eve", at="2026-12-01T10:00:00+00:00", how="on paper"))
    assert book.entry("ana").consent.by == "eve"
    assert len(book.entry("ana").samples) == 1


def test_who_is_forgotten_is_gone_and_the_others_stay(settings: Settings) -> None:
    book = VoiceBook.of(settings)
    for username in ("ana", "ben"):
        book.record_consent(username, CONSENT)
        book.add_sample(username, sample(username))
    assert book.forget("ana")
    assert not book.forget("ana")
    assert [e.username for e in VoiceBook.of(settings).entries()] == ["ben"]


def test_the_database_says_nothing_in_plain_text_and_file_and_key_are_the_owners_alone(settings: Settings) -> None:
    book = VoiceBook.of(settings)
    book.record_consent("ana", CONSENT)
    book.add_sample("ana", sample())
    kept = KeptVoices.of(settings)
    kept.keep("d1", [voice("S1", "ana")])
    kept.note_names("d1", {"S1": "ana"}, {})
    assert len(every_document(settings)) == 3
    for file in database_files(settings.home):
        content = file.read_bytes()
        assert b"ana" not in content
        assert b"seconds" not in content
        assert file.stat().st_mode & 0o077 == 0
    assert (settings.home / "voices" / "key").stat().st_mode & 0o777 == 0o600


def test_another_key_reads_nothing_and_says_so(settings: Settings) -> None:
    VoiceBook.of(settings).record_consent("ana", CONSENT)
    other = Settings(home=settings.home, voices_key=SecretStr("A" * 43 + "="))
    with pytest.raises(VoicesKeyError, match="cannot be read with this key"):
        VoiceBook.of(other).entries()
    (settings.home / "voices" / "key").unlink()
    with pytest.raises(VoicesKeyError, match="is gone"):
        VoiceBook.of(settings).entries()


def test_a_changed_document_is_refused(settings: Settings) -> None:
    VoiceBook.of(settings).record_consent("ana", CONSENT)
    body = every_document(settings)["voices", "book"].body
    set_body(settings, "voices", "book", body[:40] + ("A" if body[40] != "A" else "B") + body[41:])
    with pytest.raises(VoicesKeyError):
        VoiceBook.of(settings).entries()


@pytest.mark.parametrize("key", ["short", "not base64 at all!", "A" * 100, "ä" * 43])
def test_a_key_that_is_none_is_refused_with_how_to_make_one(settings: Settings, key: str) -> None:
    wrong = Settings(home=settings.home, voices_key=SecretStr(key))
    with pytest.raises(VoicesKeyError, match="openssl rand -base64 32"):
        VoiceBook.of(wrong).record_consent("ana", CONSENT)


def test_a_key_of_the_environment_leaves_no_key_file(settings: Settings) -> None:
    own = Settings(home=settings.home, voices_key=SecretStr("+" * 21 + "/" * 22 + "="))
    VoiceBook.of(own).record_consent("ana", CONSENT)
    assert [e.username for e in VoiceBook.of(own).entries()] == ["ana"]
    assert not (settings.home / "voices" / "key").exists()


# Voices of recordings


def test_forgetting_somebody_removes_their_voice_from_every_recording(settings: Settings) -> None:
    kept = KeptVoices.of(settings)
    for key in ("d1", "d2"):
        kept.keep(key, [voice("S1", "ana"), voice("S2", "ben")])
    kept.note_names("d1", {"S1": "ana", "S2": "ben"}, {})
    kept.note_names("d1", {"S2": "ana"}, {})  # it was taken for her once: it may be hers
    assert kept.forget("ana") == 2
    assert kept.voices("d1") == ()
    assert [v.speaker for v in kept.voices("d2")] == ["S1", "S2"]


def test_forgetting_all_leaves_nothing(settings: Settings) -> None:
    kept, book = KeptVoices.of(settings), VoiceBook.of(settings)
    kept.keep("d1", [voice("S1", "ana")])
    book.record_consent("ana", CONSENT)
    assert kept.forget_all() == 1
    book.forget_all()
    assert every_document(settings) == {}
    assert not (settings.home / "voices" / "key").exists()


def test_voices_of_recordings_go_by_themselves_and_naming_them_keeps_them_no_longer(settings: Settings) -> None:
    kept = KeptVoices.of(settings)
    kept.keep("old", [voice("S1", "ana")])
    set_age(settings, time.time() - 91 * 24 * 3600)
    kept.note_names("old", {"S1": "ana"}, {"S1": "ana"})
    kept.keep("new", [voice("S1", "ana")])
    assert kept.voices("old") == ()
    assert kept.voices("new")


def test_voices_outlive_the_run_only_where_the_settings_say_so(settings: Settings) -> None:
    for days, left in ((0, 0), (90, 1)):
        kept = KeptVoices.of(Settings(home=settings.home, keep_voices_days=days))
        kept.keep("d1", [voice("S1", "ana")])
        assert len(kept.voices("d1")) == 1
        kept.release("d1")
        assert len(kept.voices("d1")) == left


def test_a_wrong_key_is_a_note_and_not_the_end_of_a_run(settings: Settings) -> None:
    VoiceBook.of(settings).record_consent("ana", CONSENT)
    other = Settings(home=settings.home, voices_key=SecretStr("A" * 43 + "="))
    store = FileStore.of(settings)
    known = known_voices(other, store, media_id="r", diarization="d", embedding_model="m", usernames={"ana"})
    assert known.prints == ()
    assert "named without voiceprints" in known.notes[0]


def test_names_are_made_again_when_a_print_or_a_correction_changes(settings: Settings) -> None:
    store = FileStore.of(settings)
    stamps = [names_stamp(settings, store, "r")]
    book = VoiceBook.of(settings)
    book.record_consent("ana", CONSENT)
    stamps.append(names_stamp(settings, store, "r"))
    book.add_sample("ana", sample())
    stamps.append(names_stamp(settings, store, "r"))
    write_corrections(store, "r", [Correction(username="ana", name="Ana", spans=((0.0, 1.0),))])
    stamps.append(names_stamp(settings, store, "r"))
    assert len(set(stamps)) == len(stamps)
    assert stamps[0] == ""


def test_who_was_known_by_voice_stays_named_when_the_voice_is_gone_until_they_are_forgotten(settings: Settings) -> None:
    store, kept, book = FileStore.of(settings), KeptVoices.of(settings), VoiceBook.of(settings)
    book.record_consent("ana", CONSENT)
    book.add_sample("ana", sample())
    kept.keep("d", [voice("S1", "ana"), voice("S2", "ben")])
    kept.note_names("d", {"S1": "ana", "S2": "ben"}, {"S1": "ana"})
    KeptVoices.of(Settings(home=settings.home, keep_voices_days=0)).release("d")
    kept.note_names("d", {"S1": "ana"}, {})  # named again without voices

    def before() -> dict[str, str]:
        known = known_voices(
            settings, store, media_id="r", diarization="d", embedding_model="m", usernames={"ana", "ben"}
        )
        return dict(known.heard_before)

    assert before() == {"S1": "ana"}
    utterances = said(("S1", 0, 5), ("S2", 5, 9))
    naming = name_speakers(utterances, [Candidate(username="ana", name="Ana")], heard_before=before())
    assert naming.by_voice() == {"S1": "ana"}
    kept.forget("ana")
    book.forget("ana")
    assert before() == {}


# Enrolment


def test_a_file_must_hold_one_voice_for_ten_seconds() -> None:
    file = Path("ana.wav")
    assert only_voice((voice("S1", "ana"),), file).seconds == 30.0
    assert only_voice((voice("S1", "ana"), voice("S2", "noise", seconds=1.2)), file).speaker == "S1"
    assert only_voice((voice("S1", "ana"), voice("S2", "ana", seconds=5)), file).seconds == 35.0
    for voices, says in (
        ((), "nobody speaks"),
        ((voice("S1", "ana"), voice("S2", "ben", seconds=3)), "2 voices"),
        ((voice("S1", "ana", seconds=8),), "too little"),
    ):
        with pytest.raises(VoicesError, match=says):
            only_voice(voices, file)


@pytest.mark.parametrize("text", ["", "a b", "../x", "-x", "x" * 70])
def test_what_is_no_username_is_refused(text: str) -> None:
    with pytest.raises(VoicesError):
        checked_username(text)


def test_a_user_without_a_name_is_noted_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert login_name().startswith("uid ")


# Corrections


def said(*lines: tuple[str, float, float]) -> list[Utterance]:
    return [Utterance(id=str(i), speaker=s, start=a, end=b, text="x") for i, (s, a, b) in enumerate(lines)]


def test_a_correction_finds_its_voice_under_another_label() -> None:
    before = said(("S1", 0, 5), ("S2", 5, 9), ("S1", 10, 20))
    correction = Correction(username="ana", name="Ana", spans=spans_of(("S1",), before))
    after = said(("X", 0.2, 5.1), ("Y", 5.1, 9), ("Z", 10, 19.5))
    assert {(a.speaker, a.username) for a in answers_of([correction], after)} == {("X", "ana"), ("Z", "ana")}


def test_a_later_correction_of_the_same_voice_replaces_the_earlier() -> None:
    spans = ((0.0, 5.0), (10.0, 20.0))
    first = Correction(username="ana", name="Ana", spans=spans)
    other = Correction(username="ben", name="Ben", spans=((5.0, 9.0),))
    assert without([first, other], spans) == (other,)


def test_corrections_are_kept_with_the_recording_and_can_be_withdrawn(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    correction = Correction(username=None, name="Dr. Weber", spans=((0.0, 1.5),), by="dana", at="now")
    write_corrections(store, "r", [correction])
    assert read_corrections(store, "r") == (correction,)
    write_corrections(store, "r", [])
    assert read_corrections(store, "r") == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Speaker 2=ana.ruiz", ("Speaker 2", "ana.ruiz", "", False)),
        (" Speaker 2 = @Ana.Ruiz ", ("Speaker 2", "ana.ruiz", "", False)),
        ("Speaker 2=Guest: Dr. Weber", ("Speaker 2", None, "Dr. Weber", False)),
        ("Speaker 2=guest:Zoe", ("Speaker 2", None, "Zoe", False)),
        ("Speaker 2=?", ("Speaker 2", None, "", False)),
        ("Speaker 2=auto", ("Speaker 2", None, "", True)),
    ],
)
def test_a_correction_is_written_as_people_write_it(text: str, meant: tuple[str, str | None, str, bool]) -> None:
    setting = parse_setting(text)
    assert (setting.who, setting.username, setting.name, setting.withdrawn) == meant


@given(st.text(max_size=60))
def test_any_text_is_a_correction_of_somebody_or_is_refused(text: str) -> None:
    try:
        setting = parse_setting(text)
    except CorrectionError:
        return
    assert setting.who
    assert setting.username is None or setting.name == ""


# The key


def test_a_full_disk_leaves_no_half_key_behind(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as no_room:
        no_room.setattr("os.fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            Sealed.of(settings, "voices").write("one", "kept")
    assert [p.name for p in (settings.home / "voices").iterdir()] == []
    Sealed.of(settings, "voices").write("one", "kept")
    assert Sealed.of(settings, "voices").read("one") == "kept"


def test_whoever_looks_while_a_key_is_made_sees_none_or_all_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    real = os.fsync

    def looked(handle: int) -> None:
        seen.append((settings.home / "voices" / "key").exists())
        real(handle)

    monkeypatch.setattr("os.fsync", looked)
    Sealed.of(settings, "voices").write("one", "kept")
    assert seen == [False]


def test_nothing_is_sealed_with_a_key_that_was_removed_beside_it(settings: Settings) -> None:
    long_running = Sealed.of(settings, "incidents")
    long_running.write("one", "before")
    VoiceBook.of(settings).forget_all()  # as another process does it
    long_running.write("two", "after")
    assert Sealed.of(settings, "incidents").read("two") == "after"
    with pytest.raises(VoicesKeyError):
        long_running.read("one")
