"""Files of versions before the database: everything is taken in as it was, once, wherever that is broken off."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr

from meetings.audit import TORN, AuditFile, AuditLog
from meetings.config import Settings
from meetings.errors import SchemaError
from meetings.kept_voices import KeptVoices
from meetings.mattermost import KeptContext
from meetings.people import FeedbackBook
from meetings.people.feedback import Wish
from meetings.positions import Positions
from meetings.store import Database, close_databases
from meetings.voicebook import VoiceBook
from tests.databases import every_document, made_ready
from tests.dying import note_many, upgrade_and_die_taking_in
from tests.old_home import AT, URL, audit_log, old_home, wishes
from tests.postgres import new_database

Made = Callable[[str], Settings]
# Steps of taking in at which a process is killed: before the first of eight documents, before the second of three lines
# of the log, when all of it was committed, and at the first and another of the files that are removed then.
KILLED_AT = (0, 9, 11, 12, 18)


def settings_of(home: Path, url: str | None) -> Settings:
    if url is None:
        return Settings(home=home)
    key = (home / "voices" / "key").read_text().strip()
    return Settings(home=home, database_url=SecretStr(url), voices_key=SecretStr(key))


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    """Settings of an old data folder of that name, with a database of its own of the one kind, then of the other."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None

    def make(name: str) -> Settings:
        return settings_of(old_home(tmp_path / name), None if server is None else new_database(server))

    yield make
    close_databases()


def answers(settings: Settings) -> dict[str, object]:
    """What the program knows, by its own means."""
    book, positions, context = FeedbackBook(settings), Positions(settings), KeptContext(settings, URL)
    return {
        "wishes": {who: book.of(who) for who in ("ana", "ben")},
        "stopped": book.has_stopped("ben.weber", "u-ben"),
        "positions": {c: positions.of(c) for c in ("c1", "c2", "c3")},
        "notices": [d.name for d in Database.of(settings).listed("notices")],
        "prints": [(e.username, e.consent.how, len(e.samples)) for e in VoiceBook.of(settings).entries()],
        "voices": KeptVoices.of(settings).voices("d1"),
        "taken for": KeptVoices.of(settings).taken_for("ana"),
        "channel": context.channel("c1"),
        "judged": context.summaries("u-ana"),
        "audit": [(e.n, e.user, e.hash) for e in AuditLog(settings).entries()],
    }


def old_files(home: Path) -> list[Path]:
    """What is left of earlier versions' files; a lock holds nothing."""
    return [p for p in home.rglob("*") if p.is_file() and p.parent.name != "state" and p.name not in {"key", ".lock"}]


def test_everything_is_known_as_before_and_the_files_are_gone(made: Made) -> None:
    settings = made_ready(made("home"))
    known = answers(settings)
    assert known["positions"] == {"c1": 5, "c2": 7, "c3": None}
    assert known["notices"] == ["c1"]
    assert known["stopped"] is True
    assert known["prints"] == [("ana", "by mail", 1)]
    assert known["taken for"] == {"d1": ("S1",)}
    assert FeedbackBook(settings).of("ana").wishes == (Wish(kind="more", text="prices", at=1.0),)
    assert all(known.values())
    assert old_files(settings.home) == []
    assert not (settings.home / "people").exists() or not list((settings.home / "people").rglob("*.json"))


def test_lines_of_the_audit_log_keep_their_hashes_and_go_on_in_one_chain(made: Made) -> None:
    settings = made_ready(made("home"))
    before = [json.loads(line)["hash"] for line in audit_log().splitlines()]
    log = AuditLog(settings)
    log.note("purge")
    assert [e.hash for e in log.entries()][:3] == before
    found = log.check(head=before[-1])
    assert (found.lines, found.broken, found.known_head) == (4, 0, True)


def test_what_is_taken_in_is_as_old_as_it_was(made: Made) -> None:
    settings = made_ready(made("home"))
    assert {d.changed_at for d in every_document(settings).values()} == {AT}


def test_a_redaction_that_was_begun_is_gone_on_with(made: Made) -> None:
    settings = made("home")
    (settings.home / "state" / "redacting-0f1e2d.json").write_text('{"r1": [[0.0, 1.5]]}')
    (settings.home / "people" / "feedback" / "redacting-x.json").write_text(wishes(length="long"))
    made_ready(settings)
    assert [(d.name, d.body) for d in Database.of(settings).documents("redacting")] == [
        ("0f1e2d", '{"r1": [[0.0, 1.5]]}')
    ]
    assert FeedbackBook(settings).of("redacting-x").length == "long"


def test_a_log_that_was_changed_before_is_found_out_after(made: Made) -> None:
    settings = made("home")
    path = settings.home / "audit" / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"ben"', b'"bob"'))
    made_ready(settings)
    assert AuditLog(settings).check().broken == 2


def test_a_line_that_a_power_loss_tore_is_owned_up_to(made: Made) -> None:
    settings = made("home")
    path = settings.home / "audit" / "log.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    made_ready(settings)
    log = AuditLog(settings)
    log.note("purge")
    found = log.check()
    assert (found.broken, len(found.notes)) == (0, 1)
    assert [e.event for e in log.entries()] == ["delivery", "delivery", TORN, "purge"]


# Broken off


@pytest.mark.slow
def test_who_is_killed_on_the_way_is_followed_by_anybody(made: Made) -> None:
    expected = answers(made_ready(made("whole")))
    context, codes = multiprocessing.get_context("spawn"), []
    dying = [(at, made(f"killed{at}")) for at in KILLED_AT]
    for at, settings in dying:
        child = context.Process(target=upgrade_and_die_taking_in, args=(settings, at))
        child.start()
        child.join(120)
        codes.append(child.exitcode)
        made_ready(settings)
        assert answers(settings) == expected, at
        assert old_files(settings.home) == [], at
    assert codes == [-signal.SIGKILL] * len(KILLED_AT)


def test_taking_in_twice_takes_in_once(made: Made) -> None:
    settings = made("home")
    copy = shutil.copytree(settings.home, settings.home.with_name("copy"))
    expected = answers(made_ready(settings))
    shutil.copytree(copy, settings.home, dirs_exist_ok=True)  # as if nothing had been removed
    made_ready(settings)
    assert answers(settings) == expected
    assert old_files(settings.home) == []


# What is newer


def test_what_the_database_knows_newer_stays_and_what_a_file_knows_newer_comes(made: Made) -> None:
    settings = made_ready(made("home"))
    book = FeedbackBook(settings)
    book.set_length("ana", "long")
    folder = settings.home / "people" / "feedback"
    folder.mkdir(parents=True)
    (folder / "ana.json").write_text(wishes(length="medium"))
    os.utime(folder / "ana.json", (AT, AT))
    (folder / "ben.json").write_text(wishes(stopped=False))
    (settings.home / "state" / "positions.json").write_text('{"c1": 3, "c2": 9}')
    made_ready(settings)
    assert FeedbackBook(settings).of("ana").length == "long"
    assert not FeedbackBook(settings).of("ben").stopped
    assert [Positions(settings).of(c) for c in ("c1", "c2")] == [5, 9]


def test_a_log_of_another_chain_is_put_aside_and_the_log_says_so(made: Made) -> None:
    settings = made_ready(made("home"))
    (settings.home / "audit").mkdir(exist_ok=True)
    (settings.home / "audit" / "log.jsonl").write_bytes(audit_log(("dora", "emil")))
    made_ready(settings)
    made_ready(settings)
    log = AuditLog(settings)
    assert [(e.event, e.facts.get("lines")) for e in log.entries()][3:] == [("log put aside", 2)]
    assert log.check().broken == 0
    (aside,) = (settings.home / "audit").glob("*.jsonl")
    assert [e.facts.get("file") for e in log.entries()][3:] == [aside.name]
    assert (AuditFile(aside).check().lines, AuditFile(aside).check().broken) == (2, 0)


def test_a_log_that_grew_after_it_was_taken_in_is_not_lost(made: Made) -> None:
    settings = made_ready(made("home"))
    (settings.home / "audit").mkdir(exist_ok=True)
    (settings.home / "audit" / "log.jsonl").write_bytes(audit_log(("ana", "ben", "chloe", "dora")))
    made_ready(settings)
    (aside,) = (settings.home / "audit").glob("*.jsonl")
    assert [e.user for e in AuditFile(aside).entries()][-1] == "dora"


# Several machines


def test_what_another_machine_still_has_in_files_is_not_overlooked(postgres_url: str, tmp_path: Path) -> None:
    one = made_ready(settings_of(old_home(tmp_path / "one"), postgres_url))
    home = tmp_path / "other"
    (home / "people" / "feedback").mkdir(parents=True)
    (home / "people" / "feedback" / "chloe.json").write_text(wishes(stopped=True, user_id="u-chloe"))
    other = one.model_copy(update={"home": home})
    close_databases()  # a process on the other machine
    with pytest.raises(SchemaError, match="run: meetings db upgrade"):
        FeedbackBook(other)
    made_ready(other)
    assert FeedbackBook(one).has_stopped("chloe", "u-chloe")


@pytest.mark.slow
def test_what_is_taken_in_while_other_machines_write_breaks_no_chain(postgres_url: str, tmp_path: Path) -> None:
    one = made_ready(settings_of(old_home(tmp_path / "one"), postgres_url))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=note_many, args=(one, 60)) for _ in range(2)]
    for writer in writers:
        writer.start()
    others = 0
    while any(writer.is_alive() for writer in writers):
        others += 1
        home = tmp_path / f"other{others}"
        (home / "audit").mkdir(parents=True)
        (home / "audit" / "log.jsonl").write_bytes(audit_log((f"user{others}",)))
        made_ready(one.model_copy(update={"home": home}))
    assert [writer.exitcode for writer in writers] == [0, 0]
    found = AuditLog(one).check()
    assert (found.lines, found.broken) == (3 + 120 + others, 0)


# Whatever lies there


@examples(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), which=st.sampled_from(["feedback", "positions", "notices", "log", "book"]))
def test_whatever_a_file_holds_the_rest_is_taken_in(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, which: str
) -> None:
    home = old_home(tmp_path_factory.mktemp("home"))
    damaged = {
        "feedback": "people/feedback/ana.json",
        "positions": "state/positions.json",
        "notices": "state/notices.json",
        "log": "audit/log.jsonl",
        "book": "voices/book.sealed",
    }
    (home / damaged[which]).write_bytes(content)
    settings = made_ready(Settings(home=home))
    assert FeedbackBook(settings).has_stopped("ben.weber", "u-ben")
    assert KeptContext(settings, URL).channel("c1") is not None
    assert old_files(home) == []
    AuditLog(settings).note("purge")
    assert [e.event for e in AuditLog(settings).entries()][-1] == "purge"


def test_what_a_server_cannot_keep_in_a_text_is_taken_in_too(made: Made) -> None:
    settings = made("home")
    (settings.home / "people" / "feedback" / "ana.json").write_bytes(b"{\x00\xff")
    (settings.home / "audit" / "log.jsonl").write_bytes(audit_log() + b"\x00\xff torn")
    made_ready(settings)
    assert FeedbackBook(settings).has_stopped("ana", "u-ana")  # what cannot be read says yes
    assert AuditLog(settings).check().broken == 0
