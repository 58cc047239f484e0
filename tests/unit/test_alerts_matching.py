"""What fits an interest reaches its bar, what only shares a word does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.alerts.find import Finder, Note, parts_of
from meetings.interests import BAR, Interest, Wants
from meetings.llm import Embedder
from meetings.models import locate

pytestmark = pytest.mark.models

PARSER = "the parser release"


@pytest.fixture(scope="module")
def embedder(models_folder: Path) -> Embedder:
    return Embedder(locate("minilm-l6-v2", models_folder), threads=1)


def note(text: str, **more: object) -> Note:
    given = {"post": "p", "thread": "p", "channel_id": "c", "channel": "product", "author": "ben", "text": text}
    return Note(**{**given, "parts": parts_of(text, {}), **more})  # type: ignore[arg-type]


def found(embedder: Embedder, interest: str, text: str, **more: object) -> list[str]:
    wants = Wants(username="ana", user_id="ana-id", interests=(Interest(text=interest),))
    hits = Finder(embedder).find([note(text, **more)], [wants], {"ana-id": "ana"})
    return [h.text for h in hits]


@pytest.mark.parametrize(
    ("interest", "text"),
    [
        (PARSER, "The 2.3 release of the parser slips to Friday."),
        (PARSER, "Bad news: we cannot release the parser before Friday."),
        (PARSER, "Parser 2.3 is released, go and get it."),
        ("water leaks", "A pipe burst over night, and there is a leak in the cellar of the school, all under water."),
        ("the Sable budget", "The budget of Sable is 300,000 euros over plan."),
        ("hiring for the data team", "We found someone for the open role in the data team, she starts in May."),
        ("GDPR requests", "A tenant sent a GDPR request, we have thirty days to answer it."),
    ],
)
def test_what_is_about_it_is_told(embedder: Embedder, interest: str, text: str) -> None:
    assert found(embedder, interest, text)


@pytest.mark.parametrize(
    ("interest", "text"),
    [
        (PARSER, "We should parse the release notes of the competitor."),
        (PARSER, "The release party is on Friday, bring cake."),
        (PARSER, "Parsing my mail takes the whole morning these days."),
        ("water leaks", "Who leaked the slides to the press?"),
        ("water leaks", "There is fresh water in the kitchen for everybody."),
        ("the Sable budget", "Sable is the nicest name of all our products."),
        ("hiring for the data team", "The data team goes to lunch at noon today."),
        ("GDPR requests", "Please send your requests for holidays until Monday."),
    ],
)
def test_what_only_shares_a_word_is_not(embedder: Embedder, interest: str, text: str) -> None:
    assert not found(embedder, interest, text)


def test_a_thread_says_what_a_sentence_leaves_out(embedder: Embedder) -> None:
    text = "We decided to move the release to Friday."
    assert not found(embedder, PARSER, text, channel="town square")
    assert found(embedder, PARSER, text, before="How far is the parser? It still fails on nested lists.")


def test_ones_own_words_are_no_news(embedder: Embedder) -> None:
    assert not found(embedder, PARSER, "The 2.3 release of the parser slips to Friday.", author="ana-id")


def test_a_thread_that_one_takes_part_in_is_no_news(embedder: Embedder) -> None:
    text = "The 2.3 release of the parser slips to Friday."
    assert not found(embedder, PARSER, text, people=frozenset({"ana-id"}))


def test_who_is_named_hears_it_from_mattermost(embedder: Embedder) -> None:
    assert not found(embedder, PARSER, "The 2.3 release of the parser slips to Friday, @ana.")


def test_of_a_post_one_sentence_stands_for_the_rest(embedder: Embedder) -> None:
    text = "The parser release slips. The 2.3 release of the parser comes on Friday. The parser release is tested."
    assert len(found(embedder, PARSER, text)) == 1


def test_an_interest_in_one_channel_hears_of_no_other(embedder: Embedder) -> None:
    wants = Wants(username="ana", user_id="ana-id", interests=(Interest(text=PARSER, channel_id="other"),))
    text = "The 2.3 release of the parser slips to Friday."
    assert not Finder(embedder).find([note(text)], [wants], {})


def test_many_people_are_served_by_one_comparison(embedder: Embedder) -> None:
    class Counting:
        def __init__(self) -> None:
            self.texts = 0

        def embed(self, texts: list[str]) -> object:
            self.texts += len(texts)
            return embedder.embed(texts)

    counting = Counting()
    finder = Finder(counting)  # type: ignore[arg-type]
    people = [
        Wants(username=f"u{n}", user_id=f"u{n}", interests=(Interest(text=PARSER), Interest(text="water leaks")))
        for n in range(500)
    ]
    finder.find([note("Nothing of the kind is written here today.")], people, {})
    before = counting.texts
    hits = finder.find([note("The 2.3 release of the parser slips to Friday.")], people, {})
    assert len(hits) == 500
    assert counting.texts - before <= 4


def test_thumbs_down_raise_the_bar_and_thumbs_up_lower_it() -> None:
    interest = Interest(text=PARSER, step=2)
    wants = Wants(username="ana", user_id="a", interests=(interest,))
    assert wants.bar(interest) > BAR > Wants(username="ana", user_id="a").bar(Interest(text=PARSER, step=-2))
