"""The audit log: nothing in it is changed by the program, and what others do to it is found but one thing.

That is cutting whole lines off its end. Where a file of an earlier version is read, a power loss is survived.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text

from meetings.audit import AuditFile, AuditLog
from meetings.cli.main import cli
from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.store import Database
from meetings.store.audit_lines import FIRST, TORN, chained, hash_of, read_line, spelt
from tests.databases import audit_lines, database_files, made_ready, rewrite_audit
from tests.dying import note_many


def log_of(settings: Settings, lines: int = 5) -> AuditLog:
    log = AuditLog(settings)
    for n in range(lines):
        log.note("delivery", user=f"user{n}", recording="r1", status="sent", reason="" if n else "né à l'été")
    return log


def file_of(path: Path, lines: int = 5) -> AuditFile:
    """A log as earlier versions wrote it."""
    before, text = FIRST, b""
    for n in range(lines):
        line, before = chained({"at": "2026-11-03T10:00:00+00:00", "event": "delivery", "user": f"user{n}"},
                               number=n + 1, before=before)  # fmt: skip
        text += line + b"\n"
    path.write_bytes(text)
    return AuditFile(path)


def test_what_was_noted_is_read_back_in_order_and_its_chain_holds(either: Settings) -> None:
    log = log_of(either)
    assert [(e.n, e.event, e.user) for e in log.entries()] == [(n + 1, "delivery", f"user{n}") for n in range(5)]
    found = log.check()
    assert (found.lines, found.broken, found.notes) == (5, 0, ())
    assert found.head == [e.hash for e in log.entries()][-1]


def test_what_concerns_somebody_is_what_they_did_or_was_done_to_them(either: Settings) -> None:
    log = log_of(either)
    log.note("forget", user="user2", by="dana")
    assert [e.event for e in log.entries(user="user2")] == ["delivery", "forget"]
    assert [e.event for e in log.entries(user="dana")] == ["forget"]


def test_lines_are_asked_for_by_what_happened_and_since_when(either: Settings) -> None:
    log = log_of(either, lines=2)
    log.note("forget", user="user0", by="dana")
    log.note("delivery", user="user9", status="failed", reason='"status":"sent"')
    newest = list(log.entries())[-1].at
    assert [e.event for e in log.entries(event="forget")] == ["forget"]
    assert [e.n for e in log.entries(user="user0", event="delivery")] == [1]
    assert [e.n for e in log.entries(since=newest)][-1] == 4
    assert [e.user for e in log.entries(status="failed")] == ["user9"]
    assert [e.user for e in log.entries(status="sent")] == ["user0", "user1"]
    assert list(log.entries(since="2999")) == []


def test_an_empty_log_is_whole(either: Settings) -> None:
    found = AuditLog(either).check()
    assert (found.lines, found.broken, found.head) == (0, 0, FIRST)


def test_the_log_is_its_owners_alone(tmp_path: Path) -> None:
    log_of(Settings(home=tmp_path / "home"))
    assert {f.stat().st_mode & 0o777 for f in database_files(tmp_path / "home")} == {0o600}
    assert (tmp_path / "home" / "state").stat().st_mode & 0o777 == 0o700


def test_a_fact_is_cut_before_it_could_carry_a_conversation(tmp_path: Path) -> None:
    log = AuditLog(Settings(home=tmp_path))
    log.note("delivery", reason="x" * 10_000)
    (entry,) = log.entries()
    assert len(str(entry.facts["reason"])) == 300


@pytest.mark.parametrize("statement", ["UPDATE audit SET line = 'x'", "DELETE FROM audit"])
def test_the_database_changes_and_removes_no_line(either: Settings, statement: str) -> None:
    log_of(either, 2)
    before = audit_lines(either)
    with pytest.raises(DatabaseError, match="append-only"), Database.of(either).writing("test") as connection:
        connection.execute(text(statement))
    assert audit_lines(either) == before


def test_a_server_empties_the_log_neither(postgres_url: str, tmp_path: Path) -> None:
    settings = made_ready(Settings(home=tmp_path, database_url=SecretStr(postgres_url)))
    log_of(settings, 1)
    with pytest.raises(DatabaseError, match="append-only"), Database.of(settings).writing("test") as connection:
        connection.execute(text("TRUNCATE audit"))


def test_a_role_that_does_not_own_the_log_adds_to_it_and_cannot_take_its_guard_away(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = made_ready(Settings(home=tmp_path, database_url=SecretStr(postgres_url)))
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    grants = re.findall(r"^    (GRANT .* TO worker);$", page, re.MULTILINE)
    assert len(grants) == 3
    with Database.of(settings).writing("test") as connection:
        connection.execute(text("DROP ROLE IF EXISTS worker"))
        connection.execute(text("CREATE ROLE worker LOGIN"))
        for grant in grants:
            connection.execute(text(grant))
    url = re.sub("//[^@]*@", "//worker@", postgres_url)
    working = settings.model_copy(update={"database_url": SecretStr(url)})
    assert log_of(working, 2).check().lines == 2
    Database.of(working).write("kind", "name", "x")
    with pytest.raises(DatabaseError, match="must be owner"), Database.of(working).writing("test") as connection:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
    with Database.of(settings).writing("test") as connection:
        connection.execute(text("DROP OWNED BY worker"))
        connection.execute(text("DROP ROLE worker"))


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log of six lines, that each example begins with."""
    settings = Settings(home=tmp_path_factory.mktemp("six"))
    log_of(settings, 6)
    return settings


@pytest.fixture(scope="module")
def six_lines(six: Settings) -> Sequence[bytes]:
    return tuple(audit_lines(six))


@examples(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_edit_removal_swap_or_addition_of_lines_is_found(
    data: st.DataObject, six: Settings, six_lines: Sequence[bytes]
) -> None:
    lines = list(six_lines)
    what = data.draw(st.sampled_from(["edit", "remove", "swap", "repeat"]))
    at = data.draw(st.integers(0, 5))
    if what == "edit":
        line = bytearray(lines[at])
        where = data.draw(st.integers(0, len(line) - 1))
        line[where] = data.draw(st.integers(0, 255).filter(lambda b: b != line[where]))
        lines[at] = bytes(line)
    elif what == "remove":
        at = data.draw(st.integers(0, 4))  # the last line alone cannot be missed here: see `head`
        del lines[at]
    elif what == "swap":
        other = data.draw(st.integers(0, 5).filter(lambda i: i != at))
        lines[at], lines[other] = lines[other], lines[at]
        at = min(at, other)
    else:
        lines.insert(at, lines[at])
        at += 1
    rewrite_audit(six, lines)
    found = AuditLog(six).check()
    assert found.broken == at + 1, (what, found)
    assert found.why


def test_a_column_that_says_other_than_its_line_is_found(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    log_of(settings)
    with Database.of(settings).writing("test") as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET username = 'mallory' WHERE place = 3"))
    found = AuditLog(settings).check()
    assert found.broken == 3
    assert "beside it" in found.why


def test_a_change_that_computes_its_own_hash_anew_breaks_the_line_after_it(either: Settings) -> None:
    log = log_of(either)
    lines = audit_lines(either)
    data = json.loads(lines[1])
    data["user"] = "mallory"
    lines[1] = spelt({**data, "hash": hash_of(data)})
    rewrite_audit(either, lines)
    assert log.check().broken == 3


def test_lines_cut_off_at_the_end_are_found_by_a_head_that_was_noted_elsewhere(either: Settings) -> None:
    log = log_of(either)
    head = log.check().head
    rewrite_audit(either, audit_lines(either)[:-1])
    assert log.check().broken == 0  # that much the log alone cannot tell
    assert log.check(head=head).known_head is False


def test_a_head_stays_known_while_the_log_grows(tmp_path: Path) -> None:
    log = log_of(Settings(home=tmp_path))
    head = log.check().head
    log.note("purge")
    assert log.check(head=head).known_head is True


def test_a_line_that_is_none_is_found_and_what_follows_it_is_chained_to_the_last_that_is_one(either: Settings) -> None:
    log = log_of(either)
    rewrite_audit(either, [*audit_lines(either), b"nothing to see here\x00\xff"])
    log.note("purge")
    assert log.check().broken == 6
    assert [e.n for e in log.entries()][-1] == 6


# Files of earlier versions


@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 400), junk=st.binary(max_size=20))
def test_a_line_of_a_file_that_a_power_loss_tore_is_survived_with_a_note(tmp_path: Path, cut: int, junk: bytes) -> None:
    log = file_of(tmp_path / "log.jsonl")
    whole = log.path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    left = whole[: len(whole) - min(cut, len(last) - 1)] + junk.replace(b"\n", b"")
    log.path.write_bytes(left)
    found = log.check()
    assert (found.broken, bool(found.notes)) == (0, read_line(left.split(b"\n")[-1] or last[:-1]) is None)


def test_a_torn_line_of_a_file_is_owned_up_to_by_the_next(tmp_path: Path) -> None:
    log = file_of(tmp_path / "log.jsonl")
    lines = log.path.read_bytes().splitlines()
    before = json.loads(lines[3])["hash"]
    torn = lines[4][:40]
    sha = hashlib.sha256(torn).hexdigest()
    owned, _ = chained({"at": "x", "event": TORN, "bytes": 40, "sha256": sha}, number=5, before=before)
    log.path.write_bytes(b"\n".join([*lines[:4], torn, owned]) + b"\n")
    found = log.check()
    assert (found.broken, len(found.notes)) == (0, 1)
    log.path.write_bytes(b"\n".join([*lines[:4], torn[1:], owned]) + b"\n")
    assert log.check().broken == 5


def test_a_torn_line_cannot_be_put_where_none_was(tmp_path: Path) -> None:
    log = file_of(tmp_path / "log.jsonl")
    lines = log.path.read_bytes().splitlines(keepends=True)
    lines[2] = b"nothing to see here\n"
    log.path.write_bytes(b"".join(lines))
    assert log.check().broken == 3


def test_a_file_is_shown_and_checked_by_the_commands(tmp_path: Path) -> None:
    log = file_of(tmp_path / "log.jsonl")

    def run(*args: str) -> tuple[str, int]:
        done = CliRunner().invoke(cli, [*args, "--file", str(log.path)], standalone_mode=False)
        assert done.exception is None, done.exception
        return done.output, done.return_value or 0

    assert "user3" in run("audit", "show", "--user", "user3")[0]
    assert run("audit", "check") == ("5 lines, one chain\n", 0)
    log.path.write_bytes(log.path.read_bytes().replace(b"user3", b"user8"))
    told, code = run("audit", "check")
    assert (code, "log.jsonl, line 4" in told) == (1, True)


# Several at once


@pytest.mark.slow
def test_writers_at_the_same_time_leave_one_chain(either: Settings) -> None:
    AuditLog(either)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=note_many, args=(either, 25)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    found = AuditLog(either).check()
    assert (found.lines, found.broken) == (75, 0)


def test_settings_are_noted_when_they_are_others_than_before(either: Settings) -> None:
    log = AuditLog(either)
    log.note_settings(audience="members", llm_url="")
    log.note_settings(audience="members", llm_url="")
    log.note_settings(audience="members", llm_url="https://gpu.example.org")
    assert [e.facts.get("llm_url") for e in log.entries()] == [None, "https://gpu.example.org"]
