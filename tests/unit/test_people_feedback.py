"""Feedback: it is kept, decays, lowers and lifts, and never keeps from anybody what is theirs to know."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.config import Settings
from meetings.errors import PeopleError
from meetings.mattermost.client import Reaction
from meetings.mattermost.opinions import points, verdict
from meetings.people import FeedbackBook, FeedbackContext, PersonContext, build_persona, explain_weight
from meetings.people.feedback import MAX_WISHES
from meetings.people.persona import HALF_LIVES, WEIGHTS
from meetings.store import Database
from meetings.summary import Bullet, Summary, render_markdown, summarize
from meetings.summary.evidence import embed_personas, prepare_talk, weigh
from meetings.summary.statements import build_statements, known_names
from tests.databases import database_files, set_body
from tests.unit.summary_builders import LAURA, MAYA, TOM, WEEKLY, TermEmbedder, talk


def told(*said: tuple[str, str], age: float = 0.0) -> PersonContext:
    return PersonContext(feedback=tuple(FeedbackContext(kind=kind, text=text, age_days=age) for kind, text in said))


# What is kept


def test_what_is_said_is_found_again(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    book.add("ana", "more", "release  dates", at=1.0)
    book.add("ana", "less", "hiring", at=2.0)
    book.set_length("ana", "short")
    found = FeedbackBook(Settings(home=tmp_path)).of("ana")
    assert [(w.kind, w.text) for w in found.wishes] == [("more", "release dates"), ("less", "hiring")]
    assert found.length == "short"


def test_the_last_word_on_a_subject_counts(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    book.add("ana", "less", "Hiring")
    assert [w.kind for w in book.add("ana", "more", "hiring").wishes] == ["more"]


def test_nobody_can_ask_without_end(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    for number in range(MAX_WISHES + 5):
        book.add("ana", "more", f"subject number{number}x")
    assert len(book.of("ana").wishes) == MAX_WISHES


def test_wishes_are_their_owners_alone(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path / "home"))
    book.add("ana", "more", "release dates")
    home = tmp_path / "home"
    assert {stat.S_IMODE(f.stat().st_mode) for f in database_files(home)} == {0o600}
    assert {stat.S_IMODE(f.stat().st_mode) for f in (home, home / "state")} == {0o700}


def test_the_forgotten_leave_nothing(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    book.add("ana", "more", "release dates")
    assert book.forget("ana")
    assert not book.forget("ana")
    assert book.of("ana").wishes == ()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2}', '{"version": 1, "wishes": [1], "length": null}',
                                     '{"version": 1, "wishes": [], "length": "endless"}'])  # fmt: skip
def test_what_is_damaged_is_named_with_a_remedy(tmp_path: Path, content: str) -> None:
    settings = Settings(home=tmp_path)
    book = FeedbackBook(settings)
    Database.of(settings).write("feedback", "ana", content)
    with pytest.raises(PeopleError, match=r"meetings people feedback ana --forget"):
        book.of("ana")


@pytest.mark.parametrize("name", ["../ana", "", "a/b", "a b"])
def test_what_can_be_no_username_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PeopleError, match="no username"):
        FeedbackBook(Settings(home=tmp_path)).set_stopped(name, True)


@pytest.mark.parametrize("name", ["alice:partner", ".lock", "_ana", "Ana"])
def test_an_odd_username_is_somebodys_own(tmp_path: Path, name: str) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    book.set_stopped(name, True)
    assert book.of(name).stopped
    assert not book.of("ana").stopped


def test_a_stop_holds_for_the_account_whatever_it_is_called(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    book.set_stopped("ana.ruiz", True, user_id="u1")
    assert book.has_stopped("ana.weber", "u1")
    # Somebody else has the old name now.
    assert not book.has_stopped("ana.ruiz", "u2")


def test_wishes_that_cannot_be_read_count_as_a_stop(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    book.set_stopped("ana", True)
    set_body(Settings(home=tmp_path), "feedback", "ana", "{")
    assert book.has_stopped("ana", "u1")


# Ingredients


def test_what_is_asked_for_weighs_and_what_is_not_wanted_lowers() -> None:
    persona = build_persona(MAYA, told(("more", "release dates"), ("less", "hiring")))
    assert [i.weight for i in persona.ingredients if i.source == "feedback"] == [WEIGHTS["feedback"][0]]
    assert [(i.text, i.weight) for i in persona.unwanted] == [("hiring", -WEIGHTS["unwanted"][0])]


def test_a_wish_weighs_half_after_its_half_life() -> None:
    persona = build_persona(MAYA, told(("less", "hiring"), age=HALF_LIVES["unwanted"]))
    assert persona.unwanted[0].weight == pytest.approx(-WEIGHTS["unwanted"][0] / 2)


def test_thumbs_weigh_less_than_words_and_stay_under_their_cap() -> None:
    lines = tuple(("disliked", f"the office move number{n} x{n}") for n in range(30))
    persona = build_persona(MAYA, told(*lines))
    assert -sum(i.weight for i in persona.unwanted) == pytest.approx(WEIGHTS["disliked"][1])
    assert WEIGHTS["disliked"][1] < WEIGHTS["unwanted"][0]


def test_every_kind_of_feedback_is_explained() -> None:
    context = told(("more", "release dates"), ("less", "hiring"), ("liked", "the index"), ("disliked", "the office"))
    persona = build_persona(MAYA, context)
    told_of = {i.source: explain_weight(i) for i in (*persona.ingredients, *persona.unwanted)}
    assert "asked for more of weighs 1.2" in told_of["feedback"]
    assert "lowers what is about it by 1.2" in told_of["unwanted"]
    assert "liked weighs 0.25" in told_of["liked"]
    assert "disliked lowers what is about it by 0.25" in told_of["disliked"]


def test_what_people_say_of_themselves_is_told_apart_from_what_they_ask_for() -> None:
    persona = build_persona(MAYA, told(("more", "hiring")))
    assert dict(persona.own_terms) == dict(build_persona(MAYA).terms)


# Thumbs


def test_only_ones_own_thumb_is_a_verdict() -> None:
    def thumb(user: str, emoji: str) -> Reaction:
        return Reaction(user_id=user, post_id="p", emoji_name=emoji)

    assert verdict([thumb("me", "+1"), thumb("other", "-1")], "me") == 1
    assert verdict([thumb("me", "thumbsdown")], "me") == -1
    assert verdict([thumb("me", "heart"), thumb("me", "-1")], "me") == 0
    assert verdict([thumb("me", "eyes")], "me") == 0


def test_the_lines_of_a_message_are_read_as_they_were_written() -> None:
    text = "[Prices] *rise* by 5% #soon — or so Dana, 40, said <b>"

    def bullet(kind: str, said: str, **more: object) -> Bullet:
        return Bullet(kind=kind, text=said, evidence=("u0",), start=75.0, speaker="Ben — the O'Neil, Jr", owner=None,
                      due=None, why="close to your interest", writer="extract", score=1.0, **more)  # type: ignore[arg-type]  # fmt: skip

    summary = Summary(
        username="maya", name="Maya", position="", headline="Weekly", writer="extract", conversation="c",
        bullets=(bullet("info", text), bullet("decision", "We ship"), bullet("risk", "It may slip"),
                 bullet("info", "Bonuses", confidential=True), bullet("action", "Call them", mine=True)),
    )  # fmt: skip
    message = render_markdown(summary, WEEKLY, recording_url="https://chat.example.org/x")
    assert points(message) == (text, "It may slip")


# What it does to a summary


def match_of(context: PersonContext, about: str) -> float:
    persona = build_persona(TOM, context)
    conversation = talk(("ben", "Interviews for hiring take place in March."), ("ben", "The parser release is ready."))
    names = known_names(conversation, [(TOM.username, TOM.name, persona.names)])
    prepared = prepare_talk(conversation, build_statements(conversation, names), TermEmbedder())
    (vectors,) = embed_personas([persona], TermEmbedder())
    evidence = weigh(prepared, persona, vectors)
    row = next(n for n, s in enumerate(prepared.statements) if about in s.text)
    return float(evidence.relevance[prepared.statements[row].turn]) + float(
        evidence.match[row] - evidence.unwanted[row]
    )


def test_what_is_not_wanted_sinks_and_the_rest_does_not() -> None:
    less = told(("less", "hiring"))
    assert match_of(less, "hiring") < match_of(PersonContext(), "hiring") - 0.5
    assert match_of(less, "parser") == pytest.approx(match_of(PersonContext(), "parser"))


def test_what_is_asked_for_rises() -> None:
    assert match_of(told(("more", "parser release")), "parser") > match_of(PersonContext(), "parser")


def test_a_subject_of_one_word_fades_with_time() -> None:
    fresh, old = (match_of(told(("less", "hiring"), age=age), "hiring") for age in (0.0, 180.0))
    assert fresh < old


SUBJECTS = sorted({w for u in WEEKLY.utterances for w in u.text.lower().strip(".?!").split() if len(w) > 4})


@given(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=8), st.sampled_from([MAYA, LAURA, TOM]))
def test_whatever_is_not_wanted_decisions_and_own_tasks_stay(subjects: list[str], reader: object) -> None:
    person = reader
    assert person in (MAYA, LAURA, TOM)

    def due(context: PersonContext) -> set[str]:
        (made,) = summarize(WEEKLY, [build_persona(person, context)], embedder=TermEmbedder())  # type: ignore[arg-type]
        return {b.text for b in made.bullets if b.mine or b.kind in {"decision", "for_you"}}

    assert due(PersonContext()) <= due(told(*(("less", s) for s in subjects)))


def test_the_length_asked_for_is_the_length_given(tmp_path: Path) -> None:
    book = FeedbackBook(Settings(home=tmp_path))
    book.set_length("maya", "short")
    person, context = book.apply(MAYA, None, now=0.0)
    assert (person.length, context) == ("short", None)
