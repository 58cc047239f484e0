"""Relevance: what ranks high for whom, with and without a voice of their own."""

from __future__ import annotations

import numpy as np
import pytest

from meetings.conversation import Conversation
from meetings.people import Person, Persona, build_persona
from meetings.summary.evidence import NARROW, Evidence, _kernel, embed_personas, prepare_talk, weigh
from meetings.summary.statements import build_statements, known_names
from meetings.summary.voices import own_voices, usual_business
from tests.unit.summary_builders import BEN, LAURA, TOM, WEEKLY, TermEmbedder, talk

FILLER = (("maya", "Let me see what else there is to look at on the screen."), ("laura", "Yes, that looks fine to me."))
PARSER = (("ben", "The parser reads tables and the parser import needs more memory."),) * 4
NEWSLETTER = (("laura", "The newsletter and the blog articles need better headlines and a story."),) * 4


def weighed(conversation: Conversation, person: Person) -> Evidence:
    persona = build_persona(person)
    embedder = TermEmbedder()
    names = known_names(conversation, [(person.username, person.name, persona.names)])
    prepared = prepare_talk(conversation, build_statements(conversation, names), embedder)
    (vectors,) = embed_personas([persona], embedder)
    return weigh(prepared, persona, vectors)


def test_a_reader_who_speaks_finds_their_discussion_on_top() -> None:
    conversation = talk(*FILLER * 10, *PARSER, *FILLER * 10, *NEWSLETTER, *FILLER * 10)
    relevance = weighed(conversation, BEN).relevance
    assert set(np.argsort(-relevance)[:4]) <= set(range(18, 26))


def test_a_reader_who_is_silent_finds_their_field_on_top() -> None:
    conversation = talk(*(("1" if w == "laura" else w, t) for w, t in (*FILLER * 10, *NEWSLETTER, *FILLER * 10)))
    relevance = weighed(conversation, LAURA).relevance
    assert 20 <= int(np.argmax(relevance)) < 24


def test_running_the_meeting_ranks_below_taking_a_position() -> None:
    slides = (("ben", "The agenda and the slide of the presentation are in the folder on my laptop."),) * 4
    position = (("ben", "I think we should drop tables because the parser fails on half of them."),) * 4
    relevance = weighed(talk(*FILLER * 40, *slides, *FILLER * 40, *position, *FILLER * 40), BEN).relevance
    assert relevance[164:168].min() > relevance[80:84].max()


def test_who_else_reads_changes_nothing_for_a_reader_who_speaks() -> None:
    conversation = talk(*FILLER * 10, *PARSER, *NEWSLETTER)
    alone, together = (
        relevance_among([build_persona(p) for p in people], conversation) for people in ((BEN,), (BEN, LAURA, TOM))
    )
    assert alone == together


def relevance_among(personas: list[Persona], conversation: Conversation) -> list[float]:
    """The relevance of every utterance for the first of the readers."""
    prepared = prepare_talk(conversation, build_statements(conversation, []), TermEmbedder())
    vectors = embed_personas(personas, TermEmbedder())
    return weigh(prepared, personas[0], vectors[0], usual_business(prepared, personas, vectors)).relevance.tolist()


def test_being_given_a_task_outranks_the_neighbours() -> None:
    conversation = talk(*FILLER * 10, ("maya", "Tom, can you send the contract by Friday?"), *FILLER * 10)
    relevance = weighed(conversation, Person(username="tom", name="Tom Becker", position="Head of People")).relevance
    assert int(np.argmax(relevance)) == 20


def test_match_says_how_much_a_sentence_is_the_readers_business() -> None:
    conversation = talk(PARSER[0], NEWSLETTER[0])
    ben, laura = weighed(conversation, BEN), weighed(conversation, LAURA)
    assert ben.match[0] > ben.match[1]
    assert laura.match[1] > laura.match[0]


def test_a_reader_without_interests_matches_nothing() -> None:
    evidence = weighed(WEEKLY, Person(username="x", name="X"))
    assert not evidence.match.any()
    assert set(evidence.about) == {-1}


@pytest.mark.parametrize(
    ("person", "voices"),
    [
        (Person(username="ben", name="Somebody Else"), {"ben"}),
        (Person(username="other", name="Speaker 7"), {"7"}),
        (Person(username="other", name="O. Ther", speaks_as="speaker 7"), {"7"}),
        # A voice that is known to be somebody else's is not taken by name.
        (Person(username="other", name="Ben Okafor"), set()),
        (Person(username="nobody", name="No Body"), set()),
    ],
)
def test_a_readers_own_voice_is_known_by_username_then_by_name(person: Person, voices: set[str]) -> None:
    persona: Persona = build_persona(person)
    assert own_voices(persona, talk(("ben", "x"), ("7", "y")).speakers) == voices


def test_smoothing_reaches_the_neighbours_and_no_further() -> None:
    kernel = _kernel(np.arange(400, dtype=float), NARROW)
    row = kernel[200].toarray()[0]
    assert row[200] == 1.0
    assert row[199] == row[201] > row[208] > 0
    assert row[300] == 0.0
