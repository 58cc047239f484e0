"""The audit log: whatever is done to it but cutting whole lines off its end is found, and a power loss is survived."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.audit import FIRST, TORN, AuditLog


def log_of(home: Path, lines: int = 5) -> AuditLog:
    log = AuditLog(home)
    for n in range(lines):
        log.note("delivery", user=f"user{n}", recording="r1", status="sent", reason="" if n else "né à l'été")
    return log


def test_what_was_noted_is_read_back_in_order_and_its_chain_holds(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    assert [(e.n, e.event, e.user) for e in log.entries()] == [(n + 1, "delivery", f"user{n}") for n in range(5)]
    found = log.check()
    assert (found.lines, found.broken, found.notes) == (5, 0, ())
    assert found.head == [e.hash for e in log.entries()][-1]


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    found = AuditLog(tmp_path).check()
    assert (found.lines, found.broken, found.head) == (0, 0, FIRST)


def test_the_log_is_its_owners_alone(tmp_path: Path) -> None:
    log = log_of(tmp_path / "home")
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_fact_is_cut_before_it_could_carry_a_conversation(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.note("delivery", reason="x" * 10_000)
    (entry,) = log.entries()
    assert len(str(entry.facts["reason"])) == 300


@settings(max_examples=150)
@given(data=st.data())
def test_any_edit_removal_swap_or_addition_of_lines_is_found(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = log_of(Path(folder), 6)
        lines = log.path.read_bytes().splitlines(keepends=True)
        before = list(lines)
        what = data.draw(st.sampled_from(["edit", "remove", "swap", "repeat"]))
        at = data.draw(st.integers(0, 5))
        if what == "edit":
            line = bytearray(lines[at])
            where = data.draw(st.integers(0, len(line) - 2))  # the line's end is no part of what it says
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
        assert lines != before
        log.path.write_bytes(b"".join(lines))
        found = log.check()
        assert found.broken == at + 1, (what, found)
        assert found.why


def test_a_change_that_computes_its_own_hash_anew_breaks_the_line_after_it(tmp_path: Path) -> None:
    from meetings.audit import _hash, _plain

    log = log_of(tmp_path)
    lines = log.path.read_bytes().splitlines()
    data = json.loads(lines[1])
    data["user"] = "mallory"
    lines[1] = _plain({**data, "hash": _hash(data)})
    log.path.write_bytes(b"\n".join(lines) + b"\n")
    assert log.check().broken == 3


def test_lines_cut_off_at_the_end_are_found_by_a_head_that_was_noted_elsewhere(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    head = log.check().head
    log.path.write_bytes(b"".join(log.path.read_bytes().splitlines(keepends=True)[:-1]))
    assert log.check().broken == 0  # that much the file alone cannot tell
    assert log.check(head=head).known_head is False


def test_a_head_stays_known_while_the_log_grows(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    head = log.check().head
    log.note("purge")
    assert log.check(head=head).known_head is True


@settings(max_examples=60)
@given(cut=st.integers(1, 400), junk=st.binary(max_size=20))
def test_a_line_torn_by_a_power_loss_is_survived_with_a_note(cut: int, junk: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = log_of(Path(folder))
        whole = log.path.read_bytes()
        last = whole.splitlines(keepends=True)[-1]
        torn = whole[: len(whole) - min(cut, len(last) - 1)] + junk.replace(b"\n", b"")
        log.path.write_bytes(torn)
        assert log.check().broken == 0
        log.note("purge")
        found = log.check()
        assert found.broken == 0
        events = [e.event for e in log.entries()]
        assert events[-1] == "purge"
        assert (TORN in events) == bool(found.notes)
        assert log.path.read_bytes().startswith(torn)  # nothing that was there was taken away


def test_a_note_about_a_torn_line_that_is_torn_itself_is_survived(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.path.write_bytes(log.path.read_bytes()[:-30])
    kept = log.path.stat().st_size
    log.note("purge")
    log.path.write_bytes(log.path.read_bytes()[: kept + 40])
    log.note("purge")
    found = log.check()
    assert (found.broken, len(found.notes)) == (0, 1)


def test_a_torn_line_cannot_be_put_where_none_was(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    lines = log.path.read_bytes().splitlines(keepends=True)
    lines[2] = b"nothing to see here\n"
    log.path.write_bytes(b"".join(lines))
    log.note("purge")
    assert log.check().broken == 3


def _write_many(home: str) -> None:
    log = AuditLog(Path(home))
    for n in range(40):
        log.note("delivery", user="ana", turn=n)


@pytest.mark.slow
def test_writers_at_the_same_time_leave_one_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(tmp_path),)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    found = AuditLog(tmp_path).check()
    assert (found.lines, found.broken) == (120, 0)


def test_settings_are_noted_when_they_are_others_than_before(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.note_settings(audience="members", llm_url="")
    log.note_settings(audience="members", llm_url="")
    log.note_settings(audience="members", llm_url="https://gpu.example.org")
    assert [e.facts.get("llm_url") for e in log.entries()] == [None, "https://gpu.example.org"]
