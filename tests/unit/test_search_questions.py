"""Questions: answered in words that were said, by those who may hear them, or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from meetings.answering import make_intents
from meetings.cli.main import cli
from meetings.config import Settings
from meetings.intents import Ask
from meetings.mattermost.entities import User
from meetings.page_links import PageLinks
from meetings.replies import Help, read_reply
from meetings.search import OPERATOR, Index, Reader
from meetings.search.answers import answer_to_markdown
from meetings.search.asked import read_question
from meetings.search.intent import SearchIntent, read_request
from meetings.search.questions import Answer, ask
from meetings.search.wording import admitted_model, put_into_words
from tests.kept_results import keep_recording
from tests.unit.search_builders import URL, Words, put
from tests.unit.summary_builders import Talkative

ANA = Reader(username="ana", server=URL, channels=frozenset({"c1"}))
DECIDED = "We decided to ship the parser on Friday."


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "index.sqlite", fingerprint="words") as opened:
        yield opened


def answered(index: Index, question: str, reader: Reader = OPERATOR) -> Answer:
    return ask(index, question, reader, embedder=Words())


def texts(answer: Answer) -> list[str]:
    return [q.text for q in answer.quotes]


@pytest.mark.parametrize(
    ("question", "kind", "subject"),
    [
        ("What did we decide about the parser?", "decision", ("parser",)),
        ("when does the beta start?", "when", ("beta", "start")),
        ("How much does the license cost?", "number", ("licens", "cost")),
        ("why did we drop the old pump?", "why", ("drop", "old", "pump")),
        ("who takes care of invoices?", "action", ("invoic",)),
        ("who said that the pump leaks?", "who", ("pump", "leak")),
        ("tell me something", "what", ()),
        ("When discussing the case, what did they paint?", "what", ("cas", "paint")),
        ("why did we decide against the pump?", "why", ("against", "pump")),
        ("who decides on the price?", "who", ("pric",)),
        ("what is the risk with the pump?", "risk", ("pump",)),
    ],
)
def test_a_question_says_what_it_asks_for_and_about_what(question: str, kind: str, subject: tuple[str, ...]) -> None:
    read = read_question(question)
    assert (read.kind, read.subject) == (kind, subject)


@given(st.text(max_size=600))
def test_whatever_is_asked_is_a_question(text: str) -> None:
    assert read_question(text).kind


def test_a_decision_answers_what_was_decided_and_talk_about_it_does_not(index: Index) -> None:
    put(index, "m1", "The parser is slow on large files.", "Everybody likes the parser demo.", channel_id="c1")
    put(index, "m2", "Lunch was good today.", DECIDED, channel_id="c1")
    answer = answered(index, "What did we decide about the parser?")
    assert answer.answers
    assert texts(answer) == [DECIDED]
    assert (answer.quotes[0].card.id, answer.quotes[0].utterance, answer.quotes[0].speaker) == ("m2", "u1", "Ben")


def test_where_nothing_was_decided_that_is_said_and_not_made_up(index: Index) -> None:
    put(index, "m1", "The parser is slow on large files.")
    answer = answered(index, "What did we decide about the parser?")
    assert not answer.answers
    assert not answer.unsure
    assert "no decision" in answer_to_markdown(answer)
    assert texts(answer) == ["The parser is slow on large files."]


def test_of_what_nobody_spoke_nothing_is_known(index: Index) -> None:
    put(index, "m1", DECIDED, "The weather is fine today.")
    answer = answered(index, "What did we decide about the swimming pool?")
    assert answer.quotes == ()
    assert "nothing" in answer_to_markdown(answer)


def test_a_question_is_no_answer(index: Index) -> None:
    put(index, "m1", "When does the beta of the parser start?")
    assert answered(index, "when does the beta of the parser start?").quotes == ()


def test_a_time_answers_when(index: Index) -> None:
    put(index, "m1", "The beta starts small.", "The beta starts on the tenth of May.")
    assert texts(answered(index, "when does the beta start?")) == ["The beta starts on the tenth of May."]


def test_a_request_answers_who_does_it_though_it_is_a_question(index: Index) -> None:
    put(index, "m1", "Ben, can you send the invoices by Friday?", "The invoices are long.")
    answer = answered(index, "who takes care of the invoices?")
    assert texts(answer)[0] == "Ben, can you send the invoices by Friday?"


def test_what_was_replied_to_the_same_question_answers_it(index: Index) -> None:
    put(index, "m1", "Who holds the signing key?", "Sofia and Tom, on tokens.", pause=1.0)
    answer = answered(index, "who holds the signing key?")
    assert answer.answers
    assert (answer.quotes[0].text, answer.quotes[0].replies_to) == (
        "Sofia and Tom, on tokens.",
        "Who holds the signing key?",
    )
    assert "asked “Who holds the signing key?”: “Sofia and Tom, on tokens" in answer_to_markdown(answer)


def test_a_reply_to_another_question_about_the_same_thing_is_no_decision(index: Index) -> None:
    put(index, "m1", "Who agrees what we decide about the parser?", "Sofia and Tom, on tokens.", pause=1.0)
    put(index, "m2", DECIDED)
    assert texts(answered(index, "What did we decide about the parser?")) == [DECIDED]


AGAIN = "We decided to ship the parser on Monday."


@pytest.mark.parametrize("days", [("2026-11-01", "2026-11-20"), ("2026-11-20", "2026-11-01")])
def test_of_what_was_decided_twice_the_newest_is_told_and_the_other_as_earlier(
    index: Index, days: tuple[str, str]
) -> None:
    for day, said in zip(days, (DECIDED, AGAIN), strict=True):
        put(index, f"m{day}", said, started_at=f"{day}T09:00:00+00:00")
    answer = answered(index, "What did we decide about the parser?")
    newest, older = (AGAIN, DECIDED) if days[0] < days[1] else (DECIDED, AGAIN)
    assert [(q.text, q.earlier) for q in answer.quotes] == [(newest, False), (older, True)]
    assert f"- Earlier: “{older.removesuffix('.')}" in answer_to_markdown(answer)


def test_what_may_answer_is_told_as_unsure(index: Index) -> None:
    put(index, "m1", "Rubber is nice.", "So we go with rubber for the parser case.", pause=1.0)
    answer = answered(index, "What did we decide about the parser case?")
    assert (answer.answers, answer.unsure) == (False, True)
    assert answer_to_markdown(answer).startswith("I am not sure that this answers it.")


def test_of_whom_something_is_asked_their_words_come_first(index: Index) -> None:
    put(index, "m1", "I like the new price of the parser.", "I hate the new price of the parser.")
    assert answered(index, "what did Ben say about the price of the parser?").quotes[0].speaker == "Ben"
    assert answered(index, "what did Ana say about the price of the parser?").quotes[0].speaker == "Ana"


def test_where_nothing_answers_it_is_told_what_was_looked_at_and_which_words_nobody_said(index: Index) -> None:
    put(index, "m1", "The weather is fine today.", channel_id="c1", started_at="2026-11-01T09:00:00+00:00")
    put(index, "m2", "Lunch was good today.", channel_id="c1", started_at="2026-11-20T09:00:00+00:00")
    text = answer_to_markdown(answered(index, "What did we decide about the weather in Kronos?", ANA))
    assert "2 calls from 2026-11-01 to 2026-11-20" in text
    assert "Nobody said kronos" in text
    assert "**search weather**" in text


def test_what_was_looked_at_counts_nothing_that_the_asker_may_not_read(index: Index) -> None:
    put(index, "m1", "The weather is fine today.", channel_id="c1")
    put(index, "m2", "Kronos is a secret.", channel_id="c2", started_at="2020-01-01T09:00:00+00:00")
    text = answer_to_markdown(answered(index, "why did Kronos fail?", ANA))
    assert "one call." in text
    assert "Nobody said kronos" in text
    assert "2020" not in text


def test_nobody_is_answered_from_a_channel_that_they_are_not_in(index: Index) -> None:
    put(index, "m1", DECIDED, channel_id="c2")
    assert answered(index, "What did we decide about the parser?", ANA).quotes == ()


def test_a_quotation_is_inert(index: Index) -> None:
    put(index, "m1", "We decided to ship the parser, @channel [here](http://evil.example).")
    text = answer_to_markdown(answered(index, "What did we decide about the parser?"))
    assert "ship the parser" in text
    assert "@channel" not in text
    assert "](http" not in text


# In a model's words

OTHERWISE = "The parser ships on Monday."


def worded(index: Index, sentence: str) -> Answer:
    model = Talkative(json.dumps({"lines": [1], "text": sentence}))
    return put_into_words(answered(index, "What did we decide about the parser?"), model, Words())


def test_a_model_tells_the_answer_above_the_quotations(index: Index) -> None:
    put(index, "m1", DECIDED)
    text = answer_to_markdown(worded(index, "It was decided to ship the parser on Friday."))
    assert text.startswith("It was decided to ship the parser on Friday.\n\nFrom what was said:")
    assert DECIDED.removesuffix(".") in text


@pytest.mark.parametrize(
    "false", [OTHERWISE, "The team decided not to ship the parser on Friday.", "See evil.example/x"]
)
def test_what_a_model_adds_is_not_told(index: Index, false: str) -> None:
    put(index, "m1", DECIDED)
    answer = worded(index, false)
    assert answer.sentence == ""
    assert texts(answer) == [DECIDED]


def test_no_model_is_asked_where_nothing_answers(index: Index) -> None:
    put(index, "m1", "The parser is slow on large files.")
    model = Talkative("{}")
    put_into_words(answered(index, "What did we decide about the parser?"), model, Words())
    assert model.prompts == []


def test_a_model_that_was_not_admitted_writes_nothing(tmp_path: Path) -> None:
    assert admitted_model(Settings(home=tmp_path)) is None
    assert admitted_model(Settings(home=tmp_path, language_model="server:x", llm_url="http://localhost:1/v1")) is None


# What people write to the bot


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("search pricing", ("search", "pricing")),
        ('@meetings find "battery life"', ("search", '"battery life"')),
        ("Search for: pricing", ("search", "pricing")),
        ("ask: what did we decide about the parser?", ("ask", "what did we decide about the parser?")),
        ("who said that the pump leaks?", ("ask", "who said that the pump leaks?")),
        ("When did we agree on the price?", ("ask", "When did we agree on the price?")),
        ("search ~product", None),
        ("what is new in ~product", None),
        ("searching is fun", None),
        ("more about prices", None),
    ],
)
def test_a_search_and_a_question_are_told_from_other_texts(text: str, expected: tuple[str, str] | None) -> None:
    assert read_request(text, command=False) == expected


def test_what_was_decided_is_asked_of_the_summary_in_a_message_and_of_all_calls_by_a_command() -> None:
    text = "what did we decide about the parser?"
    assert read_request(text, command=False) is None
    assert read_request(text, command=True) == ("ask", text)


@given(st.text(max_size=80))
def test_what_is_understood_of_an_answer_to_a_summary_is_not_taken(text: str) -> None:
    begins = text.strip().lower().startswith(("search", "find", "ask", "suche", "finde", "frage", "@", "h", "please"))
    if read_reply(text) != Help(understood=False) and not begins:
        assert read_request(text, command=False) is None


class Channels:
    """A server on which Ana is in c1 alone."""

    url = URL

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        return (channel_id, user_id) == ("c1", "id-ana")


def told(tmp_path: Path, text: str, username: str = "ana") -> str | None:
    settings = Settings(home=tmp_path)
    asker = User(id=f"id-{username}", username=username)
    client: Any = Channels()
    outcome = SearchIntent(settings, client, Words).understand(Ask(asker=asker, text=text, channel_id="dm"))
    return None if outcome is None else outcome.text


def test_the_bot_finds_what_the_asker_may_read(tmp_path: Path) -> None:
    keep_recording(Settings(home=tmp_path), post_id="p" * 26, channel_id="c1", server=URL)
    text = told(tmp_path, "search zebra") or ""
    assert "**zebra** stripes" in text
    assert f"{URL}/_redirect/pl/" in text


@pytest.mark.parametrize("text", ["search zebra", "ask what did we say about zebra stripes?"])
def test_where_there_are_pages_a_moment_leads_to_the_askers_own(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Channels, "is_channel_member", lambda _self, channel, _user: channel == "c1")
    settings = Settings(home=tmp_path, page_url="https://meetings.test")
    keep_recording(settings, post_id="p" * 26, channel_id="c1", server=URL)
    asker = User(id="u" * 26, username="ana")
    client: Any = Channels()
    outcome = SearchIntent(settings, client, Words).understand(Ask(asker=asker, text=text, channel_id="dm"))
    assert outcome is not None
    found = re.findall(r"\[(\d+:\d\d)\]\(https://meetings\.test/m/(r{26})\?k=([^#)]+)#t=(\d+)\)", outcome.text)
    assert found
    for at, meeting, token, second in found:
        minutes, seconds = map(int, at.split(":"))
        assert int(second) == 60 * minutes + seconds
        holder = PageLinks(settings).holder("link", meeting, token)
        assert holder is not None
        assert holder.user_id == asker.id


def test_the_bot_finds_nothing_for_somebody_who_is_not_in_the_channel(tmp_path: Path) -> None:
    keep_recording(Settings(home=tmp_path), post_id="p" * 26, channel_id="c1", server=URL)
    text = told(tmp_path, "search zebra stripes", username="carl") or ""
    assert "nothing" in text
    assert "discussed" not in text


def test_the_bot_finds_no_recording_of_a_file(tmp_path: Path) -> None:
    keep_recording(Settings(home=tmp_path))
    assert "nothing" in (told(tmp_path, "search zebra") or "")


def test_the_bot_can_be_asked(tmp_path: Path) -> None:
    client: Any = Channels()
    assert "search" in [i.name for i in make_intents(Settings(home=tmp_path), client)]


# The command


def test_the_command_answers_with_who_where_and_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path / "home")
    keep_recording(settings, said=(("S1", "ana", "The weather is fine."), ("S2", "ben", DECIDED)))
    monkeypatch.setenv("MEETINGS_HOME", str(settings.home))
    monkeypatch.setattr("meetings.cli.search.embedder_of", lambda _settings: Words)
    question = "what did we decide about the parser?"
    done = CliRunner().invoke(cli, ["ask", question])
    assert done.stdout == f"“{DECIDED}”\n  Ben, Weekly, 0:03\n", done.output
    (quote,) = json.loads(CliRunner().invoke(cli, ["ask", question, "--json"]).stdout)["quotes"]
    assert (quote["utterance"], quote["speaker"]) == ("u2", "Ben")
    nothing = CliRunner().invoke(cli, ["ask", "what did we decide about the swimming pool?"])
    assert nothing.stdout == (
        "Nothing was found that answers that.\nI looked at one call. Nobody said swimming, pool.\n"
    )
