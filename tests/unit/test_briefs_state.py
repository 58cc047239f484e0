"""What follows from the posts of an incident: what is later replaces what was earlier, what is deleted is gone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.briefs import Colleague, State, add_notes, desk_of, read_post, read_rules, state_of
from meetings.briefs.keeping import notes_of
from meetings.errors import ConfigError
from meetings.mattermost.entities import Post
from tests.unit.incident_server import PEOPLE, START

RULES = read_rules()
TEAM = {i: Colleague(username=u.username, name=u.name, desk=desk_of(u.position)) for i, u in PEOPLE.items()}


def post(number: int, text: str, by: str = "ana", **more: object) -> Post:
    at = START + number * 60_000
    made = Post(id=f"p{number}", channel_id="c", user_id=by, message=text, create_at=at, update_at=at)
    return replace(made, **more)  # type: ignore[arg-type]


def after(*posts: Post) -> State:
    return state_of(add_notes({}, notes_of(posts, TEAM, RULES)).values())


def texts(found: object) -> list[str]:
    return [f.line.text for f in found]  # type: ignore[attr-defined]


def test_a_later_share_of_the_same_people_replaces_the_earlier() -> None:
    state = after(post(1, "40 % of users cannot log in."), post(2, "Only 12 % of users cannot log in by now."))
    assert texts(state.impact) == ["Only 12 % of users cannot log in by now."]


def test_a_figure_of_something_else_replaces_nothing() -> None:
    state = after(post(1, "40 % of users cannot log in."), post(2, "3 shops are offline."))
    assert len(state.impact) == 2


def test_a_cause_that_is_found_ends_the_guesses_and_that_it_is_unknown() -> None:
    state = after(
        post(1, "The cause is still unknown."),
        post(2, "I suspect the load balancer."),
        post(3, "The cause is a bad config of the proxy."),
    )
    assert (texts(state.unknown), texts(state.hypotheses)) == ([], [])
    assert texts(state.cause) == ["The cause is a bad config of the proxy."]


def test_what_is_unknown_of_something_else_stays_when_the_cause_is_found() -> None:
    state = after(post(1, "It is unclear how many invoices are doubled."), post(2, "The cause is a bad config."))
    assert texts(state.unknown) == ["It is unclear how many invoices are doubled."]


def test_a_task_is_asked_for_then_accepted_then_done() -> None:
    asked = post(1, "@ben.okafor, please send the report to the customer by Friday.", by="eve")
    accepted = post(2, "I'll do it.", by="ben")
    done = post(3, "The report is sent.", by="ben")
    assert [after(*p).actions[0].status for p in ((asked,), (asked, accepted), (asked, accepted, done))] == [
        "asked",
        "accepted",
        "done",
    ]


def test_somebody_elses_word_does_not_finish_a_task() -> None:
    state = after(
        post(1, "@ben.okafor, please send the report to the customer.", by="eve"),
        post(2, "The report is sent.", by="ana"),
    )
    assert state.actions[0].status == "asked"


def test_everything_back_ends_the_impact() -> None:
    state = after(post(1, "89 buildings are without data."), post(2, "All zones are back."))
    assert (state.status, state.impact) == ("resolved", ())


def test_a_new_outage_after_the_end_is_an_incident_again() -> None:
    state = after(post(1, "All zones are back."), post(2, "The gateway is down again."))
    assert state.status == "ongoing"


def test_a_question_answered_in_its_thread_is_open_no_more() -> None:
    state = after(
        post(1, "How many orders were doubled?", by="eve"),
        post(500, "About thirty of them, all refunded.", root_id="p1"),
    )
    assert state.unknown == ()
    assert texts(a for _, a in state.answered) == ["About thirty of them, all refunded."]


def test_nobody_answers_their_own_question() -> None:
    state = after(post(1, "How many orders were doubled?"), post(2, "I mean orders that were doubled today."))
    assert texts(state.unknown) == ["How many orders were doubled?"]


def test_the_next_update_is_the_one_announced_last() -> None:
    state = after(post(1, "Next update at 14:30."), post(2, "Next update at 15:00."))
    assert state.update is not None
    assert state.update.line.due == "15:00"


def test_the_severity_is_the_one_said_last() -> None:
    assert after(post(1, "This is SEV-2 for now."), post(2, "We make it SEV-1.")).severity == "1"


def test_a_deleted_post_leaves_nothing() -> None:
    first = post(1, "The cause is a password in the log.")
    notes = add_notes({}, notes_of([first], TEAM, RULES))
    gone = replace(first, message="", delete_at=START + 90_000, update_at=START + 90_000)
    assert state_of(add_notes(notes, notes_of([gone], TEAM, RULES)).values()) == State()


def test_an_edited_post_says_what_it_says_now() -> None:
    first = post(1, "40 % of users cannot log in.")
    notes = add_notes({}, notes_of([first], TEAM, RULES))
    edited = replace(first, message="4 % of users cannot log in.", update_at=START + 90_000)
    state = state_of(add_notes(notes, notes_of([edited], TEAM, RULES)).values())
    assert texts(state.timeline) == ["4 % of users cannot log in."]


def test_a_version_that_comes_late_does_not_undo_a_newer() -> None:
    old = post(1, "40 % of users cannot log in.")
    new = replace(old, message="4 % of users cannot log in.", update_at=START + 90_000)
    notes = add_notes({}, notes_of([new, old], TEAM, RULES))
    assert texts(state_of(notes.values()).timeline) == ["4 % of users cannot log in."]


def test_chatter_tells_nothing() -> None:
    assert [read_post(post(1, text), TEAM, RULES) for text in ("ok", "thanks!", "hi all", "")] == [None] * 4


def test_what_the_server_wrote_tells_nothing() -> None:
    assert read_post(post(1, "ana.ruiz is down", type="system_join_channel"), TEAM, RULES) is None


SAID = st.sampled_from(
    [
        "40 % of users cannot log in.",
        "12 % of users cannot log in.",
        "The cause is unknown.",
        "I suspect the database.",
        "The cause is a bad config.",
        "All zones are back.",
        "Next update at 14:30.",
        "Is anybody in danger?",
        "No, local alarms work.",
        "@ana.ruiz, please restart the gateway.",
        "I'll do it.",
        "The gateway restart is done.",
        "ok",
    ]
)


@given(
    said=st.lists(st.tuples(SAID, st.sampled_from(sorted(PEOPLE)), st.integers(0, 40)), max_size=14),
    cuts=st.sets(st.integers(0, 14)),
)
@settings(max_examples=150, deadline=None)
def test_any_split_of_the_posts_into_batches_gives_the_same_state(
    said: list[tuple[str, str, int]], cuts: set[int]
) -> None:
    posts = [post(minute, text, by=who, id=f"x{at}") for at, (text, who, minute) in enumerate(said)]
    notes = add_notes({}, ())
    edges = sorted({0, len(posts), *(c for c in cuts if c < len(posts))})
    for begin, end in itertools.pairwise(edges):
        notes = add_notes(notes, notes_of(posts[begin:end], TEAM, RULES))
    assert state_of(notes.values()) == after(*posts)


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_the_reading(text: str) -> None:
    found = after(post(1, text))
    assert all(len(f.line.text) <= 300 for f in found.timeline)


def test_an_admins_file_adds_to_the_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text("marks: {impact: ['\\bkaputt\\b']}\naudiences: {pr: {desks: [sales]}}\n")
    note = read_post(post(1, "Der Zähler ist kaputt seit heute."), TEAM, read_rules(file))
    assert note is not None
    assert note.lines[0].kind == "impact"


@pytest.mark.parametrize("text", ["marks: {invented: [x]}", "marks: {impact: ['(']}", "nobody: 1", "a: [", "- 1"])
def test_a_wrong_rules_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="incident_rules"):
        read_rules(file)


def test_the_rules_of_the_docs_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text(encoding="utf-8")
    file = tmp_path / "rules.yml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0])
    note = read_post(post(1, "A brownout in the north hits tenants."), TEAM, read_rules(file))
    assert note is not None
    assert (note.lines[0].kind, "customers" in note.views) == ("impact", True)
