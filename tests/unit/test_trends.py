"""What goes on from one meeting to the next is followed narrowly, and shown to those who may read all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meetings.config import Settings
from meetings.conversation import Conversation, Speaker, Utterance, to_json
from meetings.errors import MattermostForbiddenError
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import User
from meetings.series import read_series
from meetings.store import write_text
from meetings.trends import (
    Meeting,
    Read,
    find_series,
    follow_decisions,
    follow_work,
    render_trends,
    same_series,
    talk_time,
    trends_of,
    trends_to_json,
)
from tests.kept_results import keep_recording
from tests.unit.summary_builders import TermEmbedder

DATA = Path(__file__).parents[1] / "data" / "follow_ups.yml"
PEOPLE = ("Ben", "Ana", "Carla", "Tom")
GUIDE = "I'll write the migration guide for version five before the release."


def meeting(number: int, *texts: str, known: bool = True) -> Conversation:
    """A meeting in which people take turns."""
    how = "given" if known else "unknown"
    speakers = tuple(
        Speaker(id=f"S{n}", name=p, username=p.lower() if known else None, confidence=1.0, how=how)
        for n, p in enumerate(PEOPLE)
    )
    utterances = tuple(
        Utterance(id=f"u{n}", speaker=f"S{n % len(PEOPLE)}", start=10.0 * n, end=10.0 * n + 6.0, text=text)
        for n, text in enumerate(texts)
    )
    return Conversation(
        id=f"m{number}",
        title=f"Weekly {number}",
        language="en",
        duration=10.0 * len(texts),
        started_at=f"2026-11-{2 + 7 * number:02d}T10:00:00+00:00",
        participants=tuple(p.lower() for p in PEOPLE),
        speakers=speakers,
        utterances=utterances,
    )


def states(*meetings: Conversation) -> list[str]:
    return [f.state for f in follow_work(Read(meetings, TermEmbedder()))]


def changes(*meetings: Conversation) -> list[str]:
    return [c.how for c in follow_decisions(Read(meetings, TermEmbedder()))]


def test_a_task_that_is_said_to_be_done_later_is_done() -> None:
    assert states(meeting(0, GUIDE), meeting(1, "The migration guide for version five is written.")) == ["done"]


def test_a_task_that_is_said_not_to_be_done_is_carried() -> None:
    assert states(meeting(0, GUIDE), meeting(1, "The migration guide for version five is not done yet.")) == ["carried"]


def test_a_task_that_nobody_speaks_of_again_is_open() -> None:
    assert states(meeting(0, GUIDE), meeting(1, "Sales of the new sensors went up in October.")) == ["open"]


def test_a_task_of_the_last_meeting_is_new() -> None:
    assert states(meeting(0, "Sales of the new sensors went up in October."), meeting(1, GUIDE)) == ["new"]


def test_a_task_that_is_given_again_is_told_once() -> None:
    again = "I'll write the migration guide for version five this week before the release."
    assert states(meeting(0, GUIDE), meeting(1, again)) == ["carried"]


def test_a_question_whether_it_is_done_does_not_make_it_done() -> None:
    asked = "Is the migration guide for version five written before the release?"
    assert states(meeting(0, GUIDE), meeting(1, asked)) == ["carried"]


def test_what_was_done_before_the_task_was_given_does_not_count() -> None:
    assert states(meeting(0, "The migration guide for version five is written."), meeting(1, GUIDE)) == ["new"]


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [
        ("We decided to ship the parser on Friday.", "We decided not to ship the parser.", "reversed"),
        ("We decided to buy the map tiles.", "We decided to drop the map tiles after all.", "reversed"),
        ("We decided to ship the parser on Friday.", "We decided to ship the parser on Monday.", "changed"),
        ("We decided to ship the parser on Friday.", "We decided to ship the parser on Friday.", None),
        ("We decided to ship the parser on Friday.", "We decided not to hire two testers.", None),
    ],
)
def test_a_later_decision_about_the_same_thing_takes_back_or_moves_an_earlier_one(
    before: str, after: str, how: str | None
) -> None:
    assert changes(meeting(0, before), meeting(1, after)) == ([how] if how else [])


def test_what_was_said_in_confidence_is_followed_nowhere() -> None:
    secret = "This stays in this room. We decided to close the office in Aldery. I'll write the letter to the staff."
    trends = trends_of([Meeting(id="m0", title="Weekly")], [meeting(0, secret)], TermEmbedder())
    assert "Aldery" not in render_trends(trends)
    assert "letter" not in render_trends(trends)


def test_talk_is_shared_out_by_seconds_and_names() -> None:
    shares = talk_time([meeting(0, "a", "b", "c", "d", "e"), meeting(1, "a")])
    assert (shares[0].name, shares[0].seconds) == ("Ben", (12.0, 6.0))
    assert sum(s.share for s in shares) == pytest.approx(1.0)


def test_a_voice_without_a_name_is_not_taken_for_the_same_label_of_another_meeting() -> None:
    (share,) = talk_time([meeting(0, "a", "b", known=False), meeting(1, "a", known=False)])
    assert (share.name, share.username) == ("not named", None)


def test_nobody_who_is_silent_all_the_time_has_a_share() -> None:
    assert talk_time([meeting(0)]) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Weekly 2026-11-02", "Weekly 2026-11-09", True),
        ("Product weekly (Nov 2)", "Product weekly, November 9", True),
        ("Sprint 12 planning", "Sprint 13 planning", True),
        ("Product weekly", "Sales weekly", False),
    ],
)
def test_titles_that_differ_by_dates_and_numbers_are_one_series(one: str, other: str, same: bool) -> None:
    assert same_series(Meeting(id="a", title=one), Meeting(id="b", title=other)) is same


def test_the_same_title_in_another_channel_is_another_series() -> None:
    assert not same_series(Meeting(id="a", title="Weekly", channel="x"), Meeting(id="b", title="Weekly", channel="y"))


def test_a_series_ends_with_the_meeting_that_is_asked_about() -> None:
    given_ = [Meeting(id=f"m{n}", title="Weekly", started_at=f"2026-11-0{n}") for n in (3, 1, 2)]
    assert [m.id for m in find_series(given_[2], given_)] == ["m1", "m2"]


@given(st.lists(st.lists(st.text(max_size=60), max_size=6), min_size=1, max_size=4))
def test_any_words_are_shown_inert_and_as_json(said: list[list[str]]) -> None:
    meetings = [
        meeting(n, *texts, f"@channel I'll write [the guide](http://x.y) {n} by Friday.")
        for n, texts in enumerate(said)
    ]
    trends = trends_of([Meeting(id=m.id, title=m.title) for m in meetings], meetings, TermEmbedder(), talk=True)
    shown = render_trends(trends)
    assert "@channel" not in shown
    assert "](http://x.y)" not in shown
    assert len(trends_to_json(trends)["meetings"]) == len(said)


def test_every_labelled_pair_names_one_of_three_things() -> None:
    entries = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    assert {label for e in entries for _, label in e["later"]} == {"done", "open", "other"}
    assert {e["tuned"] for e in entries} == {True, False}


# Who may read it


class Server:
    """Says who is in which channel."""

    def __init__(self, *members: str) -> None:
        self._members = members

    def user_by_username(self, name: str) -> User:
        return User(id=f"id-{name}", username=name)

    def is_channel_member(self, channel: str, user_id: str) -> bool:
        return f"{channel}/{user_id}" in self._members


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server("c1/id-ana", "c1/id-cleo")
    monkeypatch.setattr(MattermostClient, "required", lambda *_: found)
    return found


def kept(tmp_path: Path, *channels: str) -> Settings:
    settings = Settings(home=tmp_path / "home")
    for number, channel in enumerate(channels):
        keep_recording(
            settings, f"{number}" * 26, channel_id=channel, post_id="p" * 25 + str(number), server="https://x"
        )
    return settings


def ids(found: Sequence[Meeting]) -> list[str]:
    return [m.id[0] for m in found]


def test_a_recording_brings_those_before_it_in_its_channel(tmp_path: Path) -> None:
    settings = kept(tmp_path, "c1", "c1", "c2")
    assert ids(read_series(["1" * 26], settings)[0]) == ["0", "1"]


@pytest.mark.usefixtures("server")
def test_somebody_who_is_not_in_the_channel_is_told_nothing(tmp_path: Path) -> None:
    settings = kept(tmp_path, "c1", "c1")
    with pytest.raises(MattermostForbiddenError):
        read_series(["1" * 26], settings, person="ben")


@pytest.mark.usefixtures("server")
def test_of_several_meetings_all_must_be_readable(tmp_path: Path) -> None:
    settings = kept(tmp_path, "c1", "c2")
    with pytest.raises(MattermostForbiddenError):
        read_series(["0" * 26, "1" * 26], settings, person="ana")


@pytest.mark.usefixtures("server")
def test_a_member_reads_it_but_who_talked_is_for_those_who_were_there(tmp_path: Path) -> None:
    settings = kept(tmp_path, "c1")
    assert ids(read_series(["0" * 26], settings, person="ana", talk=True)[0]) == ["0"]
    with pytest.raises(MattermostForbiddenError, match="who talked"):
        read_series(["0" * 26], settings, person="cleo", talk=True)


def test_transcripts_are_read_in_order_of_time(tmp_path: Path) -> None:
    names = []
    for number in (1, 0):
        path = tmp_path / f"{number}.json"
        write_text(path, json.dumps(to_json(meeting(number, GUIDE))))
        names.append(str(path))
    assert ids(read_series(names, Settings(home=tmp_path / "home"))[0]) == ["m", "m"]
    assert [c.id for c in read_series(names, Settings(home=tmp_path / "home"))[1]] == ["m0", "m1"]
