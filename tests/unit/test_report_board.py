"""What the page of the work says, and to whom: plain values in, plain values out."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.headway import TOGETHER, Told, stages_of
from meetings.report.board import MOST, Board, Known, Row, everything, own, posts_of
from meetings.watching import Failure, QueueState, Seen, Undelivered, UnderWay, Waiting, Worker

OURS, THEIRS, LOST, LATER = "o" * 26, "t" * 26, "l" * 26, "d" * 26
SERVER = "https://chat.example.org"
KNOWN = {
    OURS: Known(channel_id="product", title="Weekly product call"),
    THEIRS: Known(channel_id="board", title="Takeover of Northgate"),
    LOST: Known(channel_id="product", title="Retrospective"),
    LATER: Known(channel_id="product", title="Stand-up"),
}
STAGES_NOW = stages_of(TOGETHER, {"transcription": Told(far=0.62, at=999.0, since=836.0)}, now=1000.0)
SEEN = Seen(
    at=1000.0,
    queues=(QueueState(name="recordings", waiting=1, running=2, failed=1, oldest=960.0),),
    under_way=(
        UnderWay(post=OURS, queue="recordings", stage=TOGETHER, since=820.0, worker="host-7", stages=STAGES_NOW),
        UnderWay(post=THEIRS, queue="recordings", stage=TOGETHER, since=820.0, worker="host-8", stages=STAGES_NOW),
        UnderWay(post="dm-post", queue="answers", stage="looking at it", since=999.0, worker="host-7", recording=False),
    ),
    waiting=(Waiting(post=LATER, since=960.0, due=1030.0),),
    failures=(
        Failure(post=LOST, state="given up", at=0.0, cause="forbidden", reason="secret-reason", remedy="invite it"),
    ),
    undelivered=(Undelivered(username="dan", recording="r1", reason="switched off", at=""),),
    workers=(Worker(name="host-7", running=1, seen=1000.0),),
)


def rows(board: Board, section: str) -> tuple[Row, ...]:
    return next((s.rows for s in board.sections if s.key == section), ())


def mine(*channels: str) -> Board:
    return own(SEEN, KNOWN, channels=channels, server=SERVER)


def admin() -> Board:
    return everything(SEEN, KNOWN, server=SERVER)


def test_a_member_sees_the_recordings_of_their_channels_and_where_each_stands() -> None:
    board = mine("product")
    (working,) = rows(board, "work")
    assert (working.title, working.lines) == ("Weekly product call", ("Stage 4 of 9, for 3 min",))
    assert [(b.name, b.far, b.said) for b in working.bars] == [
        ("Writing down what was said", 62, "62%, about 2 min left")
    ]
    assert [(r.title, r.lines) for r in rows(board, "waiting")] == [
        ("Stand-up", ("waits for 40 s, looked at again in 30 s",))
    ]


def test_a_member_is_told_that_something_failed_and_not_why() -> None:
    (failed,) = rows(mine("product"), "failed")
    assert (failed.state, failed.lines, failed.again) == ("given up", ("It failed; an admin can see why.",), "")


def test_who_is_in_no_channel_sees_nothing() -> None:
    assert mine().sections == ()


@pytest.mark.parametrize(
    "hidden", ["Northgate", THEIRS, "host-", "dan", "secret-reason", "invite", "queue", "dm-post", "switched"]
)
def test_a_member_sees_no_other_channel_no_machine_no_cause_and_no_name(hidden: str) -> None:
    assert hidden not in json.dumps(asdict(mine("product")))


def test_a_page_of_a_member_is_the_same_whatever_is_in_other_channels() -> None:
    without = Seen(at=SEEN.at, under_way=SEEN.under_way[:1], waiting=SEEN.waiting, failures=SEEN.failures)
    alone = {post: one for post, one in KNOWN.items() if post != THEIRS}
    assert mine("product") == own(without, alone, channels=["product"], server=SERVER)


def test_a_recording_that_the_bot_cannot_read_is_shown_to_no_member() -> None:
    assert own(SEEN, {}, channels=["product", "board"], server=SERVER).sections == ()


def test_an_admin_sees_every_part_of_it() -> None:
    assert [s.key for s in admin().sections] == ["work", "failed", "waiting", "undelivered", "queues", "workers"]
    assert [r.title for r in rows(admin(), "work")] == ["Weekly product call", "Takeover of Northgate", "An answer"]
    assert "by host-7" in rows(admin(), "work")[0].lines[0]


def test_an_admin_sees_why_something_failed_and_what_to_do_and_can_try_again() -> None:
    (failed,) = rows(admin(), "failed")
    assert failed.lines == ("forbidden: secret-reason", "What to do: invite it")
    assert failed.again == LOST


def test_an_admin_sees_who_got_no_message_about_which_call() -> None:
    (named,) = rows(everything(SEEN, KNOWN, server=SERVER, titles={"r1": "Retrospective"}), "undelivered")
    assert (named.title, named.lines) == ("dan", ("switched off", "The message about Retrospective"))
    assert rows(admin(), "undelivered")[0].lines[1] == "The message about recording r1"


def test_an_answer_to_somebody_leads_nowhere_and_is_asked_about_nowhere() -> None:
    answer = rows(admin(), "work")[2]
    assert answer.link == ""
    assert "dm-post" not in posts_of(SEEN)


def test_of_a_recording_that_the_bot_cannot_read_an_admin_sees_its_id() -> None:
    (failed,) = rows(everything(SEEN, {}, server=SERVER), "failed")
    assert failed.title == f"Recording {LOST}"


def test_a_recording_leads_to_its_post_in_mattermost() -> None:
    assert rows(mine("product"), "work")[0].link == f"{SERVER}/_redirect/pl/{OURS}"


def test_a_stage_that_tells_nothing_has_no_bar_and_no_number() -> None:
    quiet = UnderWay(
        post=OURS, queue="q", stage="people", since=990.0, worker="w", stages=stages_of("people", {}, now=1000.0)
    )
    board = own(Seen(at=1000.0, under_way=(quiet,)), KNOWN, channels=["product"], server=SERVER)
    (working,) = rows(board, "work")
    assert [(b.name, b.far, b.said) for b in working.bars] == [("Reading who is who", None, "working")]


def test_what_is_looked_at_before_its_first_stage_says_so() -> None:
    first = UnderWay(
        post=OURS, queue="q", stage="looking at it", since=998.0, worker="w", stages=stages_of("", {}, now=1000.0)
    )
    board = own(Seen(at=1000.0, under_way=(first,)), KNOWN, channels=["product"], server=SERVER)
    assert rows(board, "work")[0].lines == ("Looking at it, for 2 s",)


def test_a_long_list_ends_and_says_how_many_more_there_are() -> None:
    waiting = tuple(Waiting(post=f"{n:026d}", since=0.0) for n in range(MOST + 7))
    board = everything(Seen(at=1.0, waiting=waiting), {}, server=SERVER)
    assert [(len(s.rows), s.more) for s in board.sections] == [(MOST, 7)]


@given(st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1e6))
def test_no_bar_is_full_before_its_stage_is_done(far: float, ago: float) -> None:
    stages = stages_of("audio", {"audio": Told(far=min(far, 0.999), at=1e9, since=1e9 - ago)}, now=1e9)
    under = UnderWay(post=OURS, queue="q", stage="audio", since=0.0, worker="w", stages=stages)
    (row,) = rows(own(Seen(at=1e9, under_way=(under,)), KNOWN, channels=["product"], server=SERVER), "work")
    assert row.bars[0].far is not None
    assert row.bars[0].far < 100
