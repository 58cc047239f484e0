"""What a page shows: the reader's own, no confidence to who was not there, and every word as it was said."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.conversation import Conversation, Speaker, Utterance, Word
from meetings.edits import Edit, apply_edits
from meetings.report.home_view import day_of
from meetings.report.media import MAX_PART, Part, RangeRefusedError, kind_of, parts_of, type_of, wanted_part
from meetings.report.view import LANES, make_page
from meetings.report.view import parts_of as words_of
from meetings.search.passages import make_passages
from meetings.summary.confidence import announces_confidence
from tests.report_site import sample_conversation, sample_summary
from tests.unit.search_builders import conversation_of

CALL = sample_conversation("c" * 26)
SECRET = "Anna Keller is being let go in March."


def test_a_reader_sees_their_own_points_in_the_groups_of_their_message() -> None:
    page = make_page(CALL, sample_summary("maya.chen", CALL), (), attended=True)
    assert [g.heading for g in page.groups] == ["For you", "Decisions", "Actions", "Worth knowing"]
    assert page.groups[0].points[0].facts == "you and Tom Becker, due Mon 30 Nov"
    assert page.groups[0].points[0].text.startswith("“")


@pytest.mark.parametrize(
    ("zone", "day"), [("Pacific/Auckland", "Friday, 27"), ("America/Lima", "Thursday, 26"), ("UTC", "Thursday, 26")]
)
def test_the_day_is_that_of_the_reader_s_clock_as_at_home(zone: str, day: str) -> None:
    late = replace(CALL, started_at="2026-11-26T19:30:00+00:00")
    page = make_page(late, {}, (), attended=True, zone=ZoneInfo(zone))
    assert page.day == f"{day} November 2026"
    assert page.day.partition(", ")[2] in day_of(late.started_at or "", ZoneInfo(zone))


def test_without_a_summary_there_is_the_transcript_alone() -> None:
    page = make_page(CALL, {}, (), attended=True)
    assert page.groups == ()
    assert len(page.lines) == len(CALL.utterances)


def test_what_was_said_in_confidence_is_withheld_from_who_was_not_there() -> None:
    away = make_page(CALL, {}, (), attended=False)
    there = make_page(CALL, {}, (), attended=True)
    assert "Northgate" in " ".join(line.text for line in there.lines)
    assert "Northgate" not in " ".join(line.text for line in away.lines)
    assert 0 < sum(line.withheld for line in away.lines) < 20
    assert not any(line.withheld for line in there.lines)


@pytest.mark.parametrize(
    "said",
    [
        ("this stays between us", f"{SECRET} okay, back to the agenda.", "the parser ships on Friday."),
        (f"okay, moving on. {SECRET}", "that stays in this call.", "sure."),
        ("one more thing, this stays", f"between us, {SECRET}", "the parser ships."),
        ("this stays between us.", SECRET, "back to the agenda.", "and design?", f"well, {SECRET}"),
    ],
    ids=["it ends in the same breath", "it begins in the same breath", "its announcement is cut", "it is told again"],
)
def test_the_page_withholds_what_no_search_may_find(said: Sequence[str]) -> None:
    conversation = conversation_of(*said, speakers=("ana", "ana", "ben"))
    secret = {i for p in make_passages(conversation) if p.confidential for i in p.utterances}
    away = make_page(conversation, {}, (), attended=False)
    assert secret <= {line.id for line in away.lines if line.withheld}
    assert "Anna Keller" not in " ".join(line.text for line in away.lines)


def test_an_edit_opens_no_confidence() -> None:
    secret = next(u for u in CALL.utterances if "Northgate" in u.text)
    edit = Edit(utterance=secret.id, before=secret.text, text="Nothing special.", by="ana", at="2026-11-25")
    page = make_page(CALL, {}, (edit,), attended=False)
    line = next(line for line in page.lines if line.id == secret.id)
    assert (line.withheld, line.text, line.edits) == (True, "", ())


def test_an_edit_opens_no_confidence_when_the_transcript_was_made_again_with_it() -> None:
    said = next(u for u in CALL.utterances if announces_confidence(u.text))
    edits = (Edit(utterance=said.id, before=said.text, text="Nothing special.", by="ana", at="2026-11-25"),)
    page = make_page(apply_edits(CALL, edits), {}, edits, attended=False)
    assert "Northgate" not in " ".join(line.text for line in page.lines)


def test_an_edit_is_shown_with_its_history() -> None:
    first = CALL.utterances[0]
    edit = Edit(utterance=first.id, before=first.text, text="Morning.", by="ana", at="2026-11-25")
    page = make_page(CALL, {}, (edit,), attended=True)
    assert (page.lines[0].text, page.lines[0].edits, page.edited) == ("Morning.", (edit,), 1)


def test_a_speaker_is_told_where_they_begin() -> None:
    page = make_page(CALL, {}, (), attended=True)
    for before, line in zip(page.lines, page.lines[1:], strict=False):
        assert line.told == (before.speaker != line.speaker)


def test_shares_of_talk_add_up() -> None:
    page = make_page(CALL, {}, (), attended=True)
    assert 98 <= sum(lane.share for lane in page.lanes) <= 102


def test_many_speakers_share_the_last_colour() -> None:
    utterances = tuple(
        Utterance(id=f"u{n}", speaker=f"S{n}", start=n * 10.0, end=n * 10.0 + 9 - n / 10, text="Yes.")
        for n in range(20)
    )
    page = make_page(Conversation(id="x", utterances=utterances, duration=200), {}, (), attended=True)
    assert {lane.number for lane in page.lanes} == set(range(LANES))
    assert len(page.pictured) == LANES
    assert page.pictured[-1][0] == "Others"


def test_the_picture_of_a_long_call_is_small() -> None:
    utterances = tuple(
        Utterance(id=f"u{n}", speaker=f"S{n % 4}", start=n * 2.0, end=n * 2.0 + 1.9, text="Yes.") for n in range(5_400)
    )
    page = make_page(Conversation(id="x", utterances=utterances, duration=10_800), {}, (), attended=True)
    assert sum(len(lane.path) for lane in page.lanes) < 60_000


WORDS = st.lists(
    st.tuples(st.text(alphabet="abc.é'", min_size=1, max_size=6), st.floats(0, 1)), min_size=1, max_size=12
)


@given(words=WORDS)
def test_marking_words_changes_no_character(words: list[tuple[str, float]]) -> None:
    heard = tuple(Word(word=f" {w}", start=0, end=1, probability=p) for w, p in words)
    text = " ".join(w for w, _ in words)
    parts = words_of(Utterance(id="u", speaker="s", start=0, end=1, text=text, words=heard))
    assert "".join(t for t, _ in parts) == text


@given(text=st.text(max_size=60), words=WORDS)
def test_words_that_are_not_in_the_text_change_nothing_of_it(text: str, words: list[tuple[str, float]]) -> None:
    heard = tuple(Word(word=w, start=0, end=1, probability=p) for w, p in words)
    parts = words_of(Utterance(id="u", speaker="s", start=0, end=1, text=text, words=heard))
    assert "".join(t for t, _ in parts) == text


def test_unsure_words_are_those_under_one_half() -> None:
    heard = (Word(word="ship", start=0, end=1, probability=0.9), Word(word="Fryday", start=1, end=2, probability=0.3))
    parts = words_of(Utterance(id="u", speaker="s", start=0, end=1, text="ship Fryday", words=heard))
    assert parts == (("ship ", False), ("Fryday", True))


def test_names_are_shown_with_how_sure_they_are_only_where_a_machine_gave_them() -> None:
    given_ = Speaker(id="S1", name="Ana", username="ana", confidence=1.0, how="given")
    heard = Speaker(id="S2", name="Ben", username="ben", confidence=0.91, how="voice")
    utterances = tuple(Utterance(id=s, speaker=s, start=0, end=1, text="x") for s in ("S1", "S2", "S3"))
    page = make_page(Conversation(id="x", speakers=(given_, heard), utterances=utterances), {}, (), attended=True)
    assert [(lane.named, lane.sure) for lane in page.lanes] == [(True, None), (True, 91), (False, None)]


def test_a_name_that_a_machine_gave_is_never_said_to_be_certain() -> None:
    heard = Speaker(id="S1", name="Ben", username="ben", confidence=0.9999, how="voice")
    said = (Utterance(id="u1", speaker="S1", start=0, end=1, text="x"),)
    (lane,) = make_page(Conversation(id="x", speakers=(heard,), utterances=said), {}, (), attended=True).lanes
    assert lane.sure == 99


# Ranges


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", Part(0, 999)),
        ("bytes=0-0", Part(0, 0)),
        ("bytes=990-2000", Part(990, 999)),
        ("bytes=-10", Part(990, 999)),
        ("bytes=-5000", Part(0, 999)),
        ("Bytes=5-6", Part(5, 6)),
        ("bytes=6-5", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("items=0-5", None),
        ("bytes=0-5 x", None),
        ("bytes=+1-5", None),
        ("bytes=١-٢", None),
    ],
)
def test_a_range_is_read_as_the_rfc_says(header: str | None, part: Part | None) -> None:
    assert wanted_part(header, 1000) == part


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=0-1,3-4", "bytes=0-,"])
def test_a_range_that_holds_nothing_or_is_several_is_refused(header: str) -> None:
    with pytest.raises(RangeRefusedError):
        wanted_part(header, 1000)


@given(header=st.text(max_size=40), size=st.integers(1, 10**13))
def test_no_header_asks_for_what_is_not_there(header: str, size: int) -> None:
    for tried in (header, f"bytes={header}"):
        try:
            part = wanted_part(tried, size)
        except RangeRefusedError:
            continue
        assert part is None or (0 <= part.start <= part.end < size and part.length <= MAX_PART)


@given(size=st.integers(0, 5 * MAX_PART))
def test_the_parts_of_a_whole_are_the_whole(size: int) -> None:
    parts = list(parts_of(size))
    assert sum(p.length for p in parts) == size
    assert all(a.end + 1 == b.start for a, b in itertools.pairwise(parts))


def test_no_file_is_sent_as_something_that_runs() -> None:
    for name in ("x.html", "x.svg", "x.js", "x", "x.mp4.htm", ".."):
        assert type_of(name) == "application/octet-stream"
    assert (type_of("a.MP4"), kind_of("a.m4a"), kind_of("a.mp4")) == ("video/mp4", "audio", "video")


def test_the_template_writes_no_text_unescaped() -> None:
    from importlib import resources

    folder = resources.files("meetings.report").joinpath("templates")
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape|<script(?![^>]* src=)|\son\w+=|\sstyle=|https?://", text)
