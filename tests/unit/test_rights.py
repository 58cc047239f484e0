"""Somebody asks what is held about them, or to be forgotten: all of theirs, nothing of others', and it stays so."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock

from meetings import forgetting
from meetings.audit import AuditLog
from meetings.catchup import CatchupBook
from meetings.cli.main import cli
from meetings.config import Settings
from meetings.conversation import from_json, to_json
from meetings.corrections import Correction, read_corrections, write_corrections
from meetings.digests import DigestBook
from meetings.edits import add_edit, read_edits
from meetings.ended_runs import ended_runs
from meetings.errors import BusyError, MattermostNotFoundError, MeetingsError
from meetings.forgetting import Forgotten, forget
from meetings.interests import AlertBook, Interest
from meetings.kept_briefs import WATCHES
from meetings.kept_voices import KeptVoices
from meetings.mattermost import KeptContext
from meetings.mattermost.entities import User
from meetings.mattermost.kept import Judged, KeptChannel, KeptPost, KeptSummaries
from meetings.page_links import KIND as LINKS
from meetings.page_links import links_of
from meetings.page_sign_ins import signed_in
from meetings.people import FeedbackBook
from meetings.personal_data import personal_data, write_archive
from meetings.progress import no_progress
from meetings.redaction import MARK
from meetings.stages import Stages
from meetings.store import Database, FileStore
from meetings.voicebook import Consent, Sample, VoiceBook
from tests.databases import audit_lines, rewrite_audit
from tests.kept_results import SAID, Kept, keep_recording
from tests.naming_cases import sound

URL = "https://chat.test"
BENS = "zebra stripes were discussed privately"
CONSENT = Consent(by="dana", at="2026-11-03T10:00:00+00:00", how="by mail")


class Accounts:
    """A server that knows whose account is whose."""

    url = URL

    def user_by_username(self, username: str) -> User:
        if username not in {"ana", "ben"}:
            raise MattermostNotFoundError("no such account", status=404)
        return User(id=f"{username}-id", username=username)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def fill(settings: Settings) -> Kept:
    """A home in which something is held about Ana and Ben, of every kind."""
    kept = keep_recording(settings)
    book = FeedbackBook(settings)
    for who in ("ana", "ben"):
        book.add(who, "more", f"{who} likes prices")
        AlertBook(settings).add(f"{who}-id", who, Interest(text=f"{who} likes leaks"))
        voices = VoiceBook.of(settings)
        voices.record_consent(who, CONSENT)
        voices.add_sample(
            who, Sample(embedding=sound(who, 0.98), seconds=20.0, source="r1", model="m", at="2026-11-03")
        )
        CatchupBook(settings).note_told(f"{who}-id", {"c1": 5}, now=5)
        DigestBook(settings).want(f"{who}-id", who, "daily", now=datetime(2026, 11, 23, 12, tzinfo=UTC))
        Database.of(settings).write(WATCHES, f"c1/{who}-id/pr", "{}")
    context = KeptContext(settings, URL)
    posts = tuple(
        KeptPost(id=f"{who}-post", user_id=f"{who}-id", root_id="", create_at=5, message=f"{who} wrote", reacted=other)
        for who, other in (("ana", ("ben-id",)), ("ben", ("ana-id",)))
    )
    context.keep_channel("c1", KeptChannel(position=9, oldest=0, whole_at=1, posts=posts))
    for who in ("ana", "ben"):
        judged = (Judged(id=f"{who}-s", create_at=7, verdict=1, points=(f"{who} liked this",)),)
        context.keep_summaries(f"{who}-id", KeptSummaries(last_post_at=7, summaries=judged))
    own = {"text": "ana wrote that", "age_days": 1.0, "kind": "own", "channel": "x"}
    others = {"text": "ben wrote that", "age_days": 1.0, "kind": "reacted", "channel": "x"}
    kept.store.put_json(
        "people",
        [
            {
                "person": {"username": "ana", "name": "Ana", "interests": []},
                "context": {"channels": [], "posts": [own, others]},
            },
            {"person": {"username": "ben", "name": "Ben", "interests": []}, "context": None},
        ],
    )
    (settings.home / "people").mkdir()
    (settings.home / "people" / "vectors.sqlite").write_bytes(b"vectors")
    spans = ((3.0, 6.0),)
    for who, which in (("ana", "u3"), ("ben", "u1")):
        add_edit(settings, kept.job.source.media_id, utterance=which, before="we said", text=f"{who} says so", by=who)
        links = {
            "username": who,
            "generation": "g" * 11,
            "meetings": {kept.job.source.media_id: 4_000_000_000},
            "sessions": {"s" * 22: 4_000_000_000},
        }
        Database.of(settings).write(LINKS, f"{who}-id", json.dumps(links))
    write_corrections(
        kept.store, kept.job.source.media_id, [Correction(username="ben", name="Ben", spans=spans, by="ana")]
    )
    return kept


def forget_ben(settings: Settings, *, redact: bool = False, dry_run: bool = False) -> Forgotten:
    return forget("ben", settings, client=Accounts(), redact=redact, dry_run=dry_run, by="dana")  # type: ignore[arg-type]


def test_who_is_forgotten_has_nothing_left_but_their_words(settings: Settings) -> None:
    kept = fill(settings)
    forget_ben(settings)
    text = kept.everything_said().lower()
    assert "ben wrote" not in text
    assert "ben liked" not in text
    assert "ben likes" not in text
    assert "ana likes leaks" in text
    assert [e.username for e in VoiceBook.of(settings).entries()] == ["ana"]
    assert KeptVoices.of(settings).taken_for("ben") == {}
    assert {v.speaker for v in KeptVoices.of(settings).voices(kept.diarization)} == {"S1"}
    assert [s["person"]["username"] for s in kept.store.read_json("summaries", kept.summaries)] == ["ana"]
    assert BENS in text
    assert b"ben wrote" not in kept.remains()


def test_who_is_not_forgotten_keeps_everything(settings: Settings) -> None:
    kept = fill(settings)
    forget_ben(settings)
    assert FeedbackBook(settings).of("ana").wishes
    context = KeptContext(settings, URL)
    channel = context.channel("c1")
    assert channel is not None
    assert [(p.id, p.reacted) for p in channel.posts] == [("ana-post", ())]
    assert context.summaries("ana-id") is not None
    delivered = [json.loads(p.read_text())["username"] for p in (kept.store.root / "delivered").glob("*.json")]
    assert delivered == ["ana"]


def test_forgetting_twice_finds_nothing_the_second_time(settings: Settings) -> None:
    fill(settings)
    assert forget_ben(settings, redact=True).counts
    assert forget_ben(settings, redact=True).counts == {}


@pytest.mark.parametrize("redact", [False, True])
def test_a_dry_run_counts_what_would_go_and_touches_nothing(settings: Settings, redact: bool) -> None:
    kept = fill(settings)
    before = kept.contents()
    counted = forget_ben(settings, redact=redact, dry_run=True).counts
    assert kept.contents() == before
    assert counted == forget_ben(settings, redact=redact).counts


def test_redacted_words_are_nowhere_in_the_data_folder(settings: Settings) -> None:
    kept = fill(settings)
    assert "zebra" in kept.everything_said()
    forget_ben(settings, redact=True)
    text = kept.everything_said()
    for word in BENS.split():
        assert word not in text
    assert "forty thousand" in text


def test_redacted_words_leave_their_times(settings: Settings) -> None:
    kept = fill(settings)
    before = from_json(kept.store.read_json("conversation", kept.conversation))
    heard = kept.store.read_json("transcription", kept.transcription)["words"]
    forget_ben(settings, redact=True)
    after = from_json(kept.store.read_json("conversation", kept.conversation))
    assert [(u.id, u.start, u.end) for u in after.utterances] == [(u.id, u.start, u.end) for u in before.utterances]
    assert [u.text for u in after.utterances] == [SAID[0][2], MARK, SAID[2][2]]
    assert after.participants == ("ana",)
    assert {s.username for s in after.speakers} == {"ana", None}
    left = kept.store.read_json("transcription", kept.transcription)["words"]
    assert [(w["start"], w["end"]) for w in left] == [(w["start"], w["end"]) for w in heard]


def test_in_an_utterance_that_two_share_only_the_words_of_one_are_redacted(settings: Settings) -> None:
    # One transcript hears two turns where another, that knew no names, hears one.
    kept = fill(settings)
    merged = [("S9", None, " ".join(text for _, _, text in SAID))]
    other = keep_recording(settings, said=merged, naming="before")
    path = kept.store.path("conversation", other.conversation)
    one = from_json(kept.store.read_json("conversation", other.conversation))
    known = from_json(kept.store.read_json("conversation", kept.conversation))
    words = tuple(w for u in known.utterances for w in u.words)
    path.write_text(json.dumps(to_json(replace(one, utterances=(replace(one.utterances[0], words=words),)))))
    forget_ben(settings, redact=True)
    (left,) = from_json(kept.store.read_json("conversation", other.conversation)).utterances
    assert left.text == f"{SAID[0][2]} {MARK} {SAID[2][2]}"
    assert [(w.start, w.end) for w in left.words] == [(w.start, w.end) for w in words]


def test_a_transcript_without_times_of_words_is_redacted_by_its_utterances(settings: Settings) -> None:
    kept = keep_recording(settings, timed=False)
    forget_ben(settings, redact=True)
    texts = [u.text for u in from_json(kept.store.read_json("conversation", kept.conversation)).utterances]
    assert texts == [SAID[0][2], MARK, SAID[2][2]]


def test_words_that_belong_to_no_recording_go_with_a_redaction(settings: Settings) -> None:
    kept = fill(settings)
    stray = kept.store.path("transcription", "0" * 32)
    stray.write_text(json.dumps({"words": [{"word": BENS, "start": 0, "end": 1}]}))
    forget_ben(settings, redact=True)
    assert not stray.exists()


@pytest.mark.slow
def test_answers_that_may_quote_somebody_are_forgotten(settings: Settings) -> None:
    state = settings.home / "state"
    state.mkdir(parents=True)
    database = state / "service.sqlite"
    code = (
        "import sys; from dbos import DBOS, SetWorkflowID\n"
        "answer = DBOS.workflow(name='answer_post')(lambda: 'Ben said: zebra')\n"
        "take = DBOS.workflow(name='take_recording')(lambda: 'done')\n"
        "DBOS(config={'name': 'meetings', 'system_database_url': sys.argv[1], 'log_level': 'CRITICAL'})\n"
        "DBOS.launch()\n"
        "with SetWorkflowID('answer:1'): answer()\n"
        "with SetWorkflowID('recording:1'): take()\n"
        "DBOS.destroy(workflow_completion_timeout_sec=0)\n"
    )
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{database}"], check=True, capture_output=True)
    assert forget_ben(settings).counts == {"kept answers": 1}
    assert ended_runs(database) == ["recording:1"]


def test_what_was_made_from_redacted_words_is_gone_so_that_it_is_made_anew(settings: Settings) -> None:
    kept = fill(settings)
    forget_ben(settings, redact=True)
    assert not kept.store.has("summaries", kept.summaries)
    assert read_corrections(kept.store, kept.job.source.media_id) == ()
    assert not list((kept.store.root / "audio").glob("*"))
    assert not list((kept.store.root / "media").glob("*"))


def test_a_transcript_that_is_made_again_after_a_redaction_has_none_of_the_old_words(settings: Settings) -> None:
    kept = fill(settings)
    forget_ben(settings, redact=True)
    kept.store.path("conversation", kept.conversation).unlink()
    again = Stages(settings=settings, store=kept.store).join(kept.job, no_progress)
    made = from_json(kept.store.read_json("conversation", again.key))
    assert "forty thousand" in " ".join(u.text for u in made.utterances)
    assert not [word for word in BENS.split() if word in " ".join(u.text for u in made.utterances)]
    assert "ben" not in {s.username for s in made.speakers}


def test_another_transcript_of_the_call_that_did_not_know_them_is_redacted_too(settings: Settings) -> None:
    kept = fill(settings)
    unknown = [(label, None if who == "ben" else who, text) for label, who, text in SAID]
    other = keep_recording(settings, said=unknown, naming="before")
    forget_ben(settings, redact=True)
    texts = [u.text for u in from_json(kept.store.read_json("conversation", other.conversation)).utterances]
    assert texts == [SAID[0][2], MARK, SAID[2][2]]


def test_forgetting_that_dies_at_any_file_or_document_is_finished_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    really_write, really_unlink = forgetting.write_text, Path.unlink
    really_change, really_delete = Database.change, Database.delete

    def dying(after: int) -> None:
        left = [after]

        def step() -> None:
            if not left[0]:
                raise KilledError
            left[0] -= 1

        def write(path: Path, text: str) -> None:
            step()
            really_write(path, text)

        def unlink(path: Path, missing_ok: bool = False) -> None:
            if path.suffix in {".json", ".wav", ".npz", ".bin", ".sqlite"}:
                step()
            really_unlink(path, missing_ok=missing_ok)

        def change(self: Database, *args: Any, **options: Any) -> str | None:
            step()
            return really_change(self, *args, **options)

        def delete(self: Database, *args: Any, **options: Any) -> bool:
            step()
            return really_delete(self, *args, **options)

        monkeypatch.setattr(Database, "change", change)
        monkeypatch.setattr(Database, "delete", delete)
        monkeypatch.setattr(forgetting, "write_text", write)
        monkeypatch.setattr(Path, "unlink", unlink)

    survived = 0
    for after in range(100):
        settings = Settings(home=tmp_path / f"home{after}")
        kept = fill(settings)
        unknown = [(label, None if who == "ben" else who, text) for label, who, text in SAID]
        keep_recording(settings, said=unknown, naming="before")
        dying(after)
        try:
            forget_ben(settings, redact=True)
            survived += 1
        except KilledError:
            monkeypatch.undo()
            forget_ben(settings, redact=True)
        monkeypatch.undo()
        text = kept.everything_said()
        assert not [word for word in BENS.split() if word in text], after
        assert "ben wrote" not in text
        if survived:
            assert after > 15
            return
    pytest.fail("it was killed every time")


def test_without_the_accounts_id_what_is_kept_of_channels_goes_as_a_whole(settings: Settings) -> None:
    kept = fill(settings)
    done = forget("ben", settings, client=None, redact=False, dry_run=False, by="dana")
    assert "ben wrote" not in kept.everything_said()
    assert any("as a whole" in note for note in done.notes)


def test_who_wanted_no_messages_still_gets_none_after_being_forgotten(settings: Settings) -> None:
    fill(settings)
    FeedbackBook(settings).set_stopped("ben", True)
    forget_ben(settings)
    after = FeedbackBook(settings).of("ben")
    assert after.stopped
    assert not after.wishes


def test_a_people_files_list_never_becomes_an_open_one(settings: Settings) -> None:
    store = FileStore.of(settings)
    person = {"username": "ben", "name": "Ben", "position": "CFO", "about": "secret", "interests": ["x"]}
    key = store.put_json("people", [person])
    forget_ben(settings)
    (left,) = store.read_json("people", key)
    assert left["username"] == "ben"
    assert "secret" not in json.dumps(left)


def test_a_recording_that_is_being_worked_on_is_not_redacted_behind_its_back(settings: Settings) -> None:
    kept = fill(settings)
    locks = settings.home / "state" / "locks"
    locks.mkdir(parents=True)
    with FileLock(locks / f"{kept.job.source.media_id}.lock"), pytest.raises(BusyError):
        forget_ben(settings, redact=True)


def test_voices_under_another_key_do_not_keep_the_rest_from_going(settings: Settings) -> None:
    kept = fill(settings)
    (settings.home / "voices" / "key").unlink()
    done = forget_ben(settings)
    assert not done.complete
    assert "ben wrote" not in kept.everything_said()


def test_forgetting_is_in_the_audit_log_without_a_word_of_theirs(settings: Settings) -> None:
    fill(settings)
    forget_ben(settings, redact=True)
    log = AuditLog(settings)
    assert [(e.event, e.user, e.by, e.facts["status"]) for e in log.entries()] == [
        ("forget", "ben", "dana", "begun"),
        ("forget", "ben", "dana", "done"),
    ]
    assert b"zebra" not in b"".join(audit_lines(settings))


# Export


def exported(settings: Settings) -> dict[str, object]:
    return personal_data("ben", settings, client=Accounts())  # type: ignore[arg-type]


def test_an_export_holds_something_of_every_kind(settings: Settings) -> None:
    fill(settings)
    AuditLog(settings).note("delivery", user="ben", status="sent")
    empty = [name for name, value in exported(settings).items() if not value]
    assert empty == []


def test_an_export_holds_what_was_said_by_its_person_and_by_nobody_else(settings: Settings) -> None:
    fill(settings)
    AuditLog(settings).note("delivery", user="ana", status="sent")
    data = exported(settings)
    text = json.dumps(data)
    assert BENS in text
    assert "forty thousand" not in text
    assert "ana wrote" not in text
    assert "ana likes" not in text
    assert data["audit.jsonl"] == []


def test_an_export_is_a_file_that_its_owner_alone_can_read_and_tells_what_is_in_it(
    settings: Settings, tmp_path: Path
) -> None:
    fill(settings)
    out = tmp_path / "ben.zip"
    write_archive(personal_data("ben", settings, client=None), out)
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as archive:
        readme = archive.read("README.txt").decode()
        assert all(name in readme for name in archive.namelist() if name != "README.txt")
        assert json.loads(archive.read("voice.json"))["voiceprint"]["consent"]["how"] == "by mail"


def test_nothing_is_exported_of_somebody_who_was_forgotten(settings: Settings) -> None:
    fill(settings)
    forget_ben(settings, redact=True)
    left = {name for name, value in exported(settings).items() if value and name not in {"about.json", "audit.jsonl"}}
    # The empty wishes of anybody, and a voice that is nobody's.
    assert left == {"feedback.json", "voice.json"}
    assert exported(settings)["voice.json"] == {"voiceprint": None, "in_recordings": []}


# The commands


def test_the_commands_do_what_they_say(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETINGS_HOME", str(settings.home))
    monkeypatch.chdir(tmp_path)
    fill(settings)

    def run(*args: str) -> str:
        done = CliRunner().invoke(cli, args, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "2 utterances" in run("export", "@Ana", "--out", "ana.zip")
    assert "nothing was removed" in run("forget", "ben", "--redact", "--dry-run")
    assert "ben is forgotten" in run("forget", "ben", "--redact", "--yes")
    assert "nothing is held about ben" in run("forget", "ben", "--redact", "--yes")
    assert "forget" in run("audit", "show", "--user", "ben")
    assert "one chain" in run("audit", "check")
    head = run("audit", "head").strip()
    assert "one chain" in run("audit", "check", "--head", head)
    assert "nothing to remove" in run("purge", "--dry-run")


def test_forgetting_asks_first(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETINGS_HOME", str(settings.home))
    kept = fill(settings)
    before = kept.files()
    assert CliRunner().invoke(cli, ["forget", "ben"], input="n\n").exit_code == 1
    assert kept.files() == before


def test_a_broken_chain_is_named_with_its_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETINGS_HOME", str(settings.home))
    log = AuditLog(settings)
    for who in ("ana", "ben", "chloe"):
        log.note("delivery", user=who, status="sent")
    rewrite_audit(settings, [line.replace(b"ben", b"bob") for line in audit_lines(settings)])
    done = CliRunner().invoke(cli, ["audit", "check"], standalone_mode=False)
    assert done.return_value == 1
    assert "line 2" in done.output


def test_a_name_that_is_none_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETINGS_HOME", str(settings.home))
    done = CliRunner().invoke(cli, ["forget", "../etc", "--yes"])
    assert isinstance(done.exception, MeetingsError)


def test_who_is_forgotten_has_no_link_to_a_page_any_more_and_others_do(settings: Settings) -> None:
    fill(settings)
    forget_ben(settings)
    assert links_of(settings, "ben-id") == {}
    assert signed_in(settings, "ben-id") == {}
    assert len(links_of(settings, "ana-id")) == 1


def test_who_is_forgotten_is_named_no_more_as_who_corrected_words(settings: Settings) -> None:
    kept = fill(settings)
    forget_ben(settings)
    assert {e.by for e in read_edits(settings, kept.job.source.media_id)} == {"ana", ""}


def test_words_that_are_redacted_are_gone_from_what_was_corrected_too(settings: Settings) -> None:
    kept = fill(settings)
    add_edit(settings, kept.job.source.media_id, utterance="u2", before=BENS, text="Zebras, in private", by="ana")
    forget_ben(settings, redact=True)
    assert "u2" not in {e.utterance for e in read_edits(settings, kept.job.source.media_id)}
    assert "zebras" not in kept.everything_said().lower()


def test_links_of_an_account_that_was_called_otherwise_go_too(settings: Settings) -> None:
    fill(settings)
    database = Database.of(settings)
    database.change(LINKS, "ben-id", lambda body: (body or "").replace('"ben"', '"benjamin"'))
    forget_ben(settings)
    assert links_of(settings, "ben-id") == {}
