"""Whose voice stands for a reader who is not heard."""

from __future__ import annotations

import numpy as np
import pytest

from meetings.conversation import Conversation
from meetings.people import ChannelContext, Person, PersonContext, build_persona
from meetings.summary.evidence import Talk, embed_personas, prepare_talk
from meetings.summary.statements import build_statements
from meetings.summary.voices import likely_voices, usual_business
from tests.unit.summary_builders import TermEmbedder, talk

ENGINEER = Person(username="e", name="E", position="Backend Engineer")
EDITOR = Person(username="c", name="C", position="Head of Content")

CODE = (("1", "The server has a bug, so we deploy the fix of the database before the release."),) * 3
STORY = (("2", "The newsletter needs a headline, and the article and the video tell the story."),) * 3
CHAT = (("3", "Well, it is cold and it rains here, and there it is warm and it is sunny."),) * 3


def prepared(conversation: Conversation) -> Talk:
    return prepare_talk(conversation, build_statements(conversation), TermEmbedder())


def chances(conversation: Conversation, person: Person, *others: Person) -> dict[str, float]:
    found = prepared(conversation)
    readers = [build_persona(p) for p in (person, *others)]
    interests = embed_personas(readers, TermEmbedder())
    usual = usual_business(found, readers, interests)
    return dict(zip(found.speakers, likely_voices(found, readers[0], interests[0], usual), strict=True))


@pytest.mark.parametrize(("person", "voice"), [(ENGINEER, "1"), (EDITOR, "2")])
def test_a_silent_reader_is_stood_for_by_who_talks_of_their_field(person: Person, voice: str) -> None:
    found = chances(talk(*CODE, *STORY, *CHAT), person)
    assert max(found, key=lambda v: found[v]) == voice


def test_what_is_another_readers_field_counts_less() -> None:
    both = (("1", "The release of the new version and its launch date are near."),) * 3
    rest = (("2", "The customer asks for the roadmap, the scope and the feedback of the beta."),) * 3
    product = Person(username="p", name="P", position="Product Manager")
    assert chances(talk(*both, *rest), ENGINEER, product)["1"] > chances(talk(*both, *rest), ENGINEER)["1"]


def test_who_introduces_themselves_with_the_readers_position_stands_for_them() -> None:
    greeting = ("3", "Hello, I'm Robin and I'm the Head of Content.")
    with_greeting, without = chances(talk(greeting, *CODE, *CHAT), EDITOR), chances(talk(*CODE, *CHAT), EDITOR)
    assert with_greeting["3"] > without["3"]
    assert with_greeting["3"] > with_greeting["1"]


def test_chances_of_the_voices_sum_to_one() -> None:
    assert sum(chances(talk(*CODE, *STORY, *CHAT), ENGINEER, EDITOR).values()) == pytest.approx(1.0)


def test_a_reader_is_not_weighed_by_what_others_post() -> None:
    found = prepared(talk(*CODE, *STORY))
    channels = PersonContext(channels=(ChannelContext(name="server-bugs", purpose="server, database, bug, deploy"),))
    posting, silent = build_persona(EDITOR, channels), build_persona(EDITOR)
    seen, unseen = (usual_business(found, [p], embed_personas([p], TermEmbedder())) for p in (posting, silent))
    assert len(posting.ingredients) > len(silent.ingredients)
    assert np.allclose(seen, unseen)
