"""Backends side by side: figures, failures in the middle, an interruption, and a page on which text is only text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from meetings.audit import AuditLog
from meetings.comparison import Outcome, Written, compare, measure, to_json
from meetings.comparison_cases import Case, read_cases
from meetings.comparison_page import figure_rows, render_page
from meetings.config import Settings
from meetings.contenders import Contender, find_contenders
from meetings.conversation import to_json as conversation_to_json
from meetings.errors import ConversationError, MalformedAnswerError, PeopleError
from meetings.llm import Metered, OpenAIServer, Tally, Usage
from meetings.people import load_profiles
from meetings.summary import Bullet, Summary
from tests.unit.model_server import Reply, completion, model_server, refused
from tests.unit.summary_builders import BEN, MAYA, WEEKLY, Talkative, TermEmbedder

CASE = Case(conversation=WEEKLY, people=(MAYA, BEN))
OTHER = Case(conversation=replace(WEEKLY, id="other", title="Another call"), people=(MAYA, BEN))
NOTES = completion('{"notes": []}')


def settings(home: Path, **backends: dict[str, object]) -> Settings:
    return Settings.model_validate({"home": home, "backends": backends, "llm_allowed_hosts": ["gpu.invalid"]})


def outcomes(
    names: str, chosen: Settings, *, cases: Sequence[Case] = (CASE,), embedder: TermEmbedder | None = None
) -> list[Outcome]:
    return list(
        compare(
            find_contenders(names, chosen, {}),
            cases,
            writer="compose",
            embedder=embedder or TermEmbedder(),
            profiles=load_profiles(),
            admitted={"gpu": ("compose",)},
            audit=AuditLog(chosen),
        )
    )


# What is run


def test_every_backend_gets_the_same_conversations_and_readers(tmp_path: Path) -> None:
    with model_server(NOTES) as server:
        made = outcomes(
            "extract,gpu", settings(tmp_path, gpu={"model": "tall", "url": server.url}), cases=[CASE, OTHER]
        )
    shown = [[(w.case.conversation.id, [s.username for s in w.summaries]) for w in o.written] for o in made]
    assert shown[0] == shown[1] == [(WEEKLY.id, ["maya", "ben"]), ("other", ["maya", "ben"])]


def test_a_model_writes_without_being_admitted_and_that_is_told(tmp_path: Path) -> None:
    with model_server(NOTES) as server:
        backend = {"model": "tall", "url": server.url}
        made = outcomes("gpu,new", settings(tmp_path, gpu=backend, new=backend))
    assert [o.admitted for o in made] == [True, False]
    assert {s.writer for o in made for w in o.written for s in w.summaries} == {"compose"}


def test_a_backend_that_fails_in_the_middle_is_told_with_what_it_did_and_the_others_go_on(tmp_path: Path) -> None:
    with model_server(NOTES) as server:
        outcomes("gpu", settings(tmp_path, gpu={"model": "tall", "url": server.url}))
        enough = len(server.asked)
    with model_server(*[NOTES] * (enough + 1), refused(404, "The model `tall` is gone")) as server:
        chosen = settings(tmp_path, gpu={"model": "tall", "url": server.url})
        gpu, plain = outcomes("gpu,extract", chosen, cases=[CASE, OTHER, OTHER])
    assert "is gone" in gpu.error
    assert [w.case.conversation.id for w in gpu.written] == [WEEKLY.id]
    assert (plain.error, len(plain.written)) == ("", 3)


class Interrupted(TermEmbedder):
    """Somebody presses Ctrl-C in the second call."""

    calls = 0

    def embed(self, texts: Sequence[str]) -> Any:
        """One row a text, for the first call alone."""
        self.calls += 1
        if self.calls > 3:
            raise KeyboardInterrupt
        return super().embed(texts)


def test_an_interruption_keeps_what_is_done_and_begins_nothing_more(tmp_path: Path) -> None:
    with model_server(NOTES) as server:
        chosen = settings(tmp_path, gpu={"model": "tall", "url": server.url})
        (only,) = outcomes("extract,gpu", chosen, cases=[CASE, OTHER, OTHER], embedder=Interrupted())
        assert server.asked == []
    assert only.interrupted
    assert [w.case.conversation.id for w in only.written] == [WEEKLY.id]


def test_words_that_leave_this_machine_are_noted_before_they_go(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("meetings.llm.exchange.time.sleep", lambda _: None)
    chosen = settings(tmp_path, gpu={"model": "tall", "url": "http://gpu.invalid/v1"})
    (gone,) = outcomes("gpu", chosen)
    assert "gpu.invalid" in gone.error
    (line,) = AuditLog(chosen).entries()
    assert (line.event, dict(line.facts)) == ("sent to model", {"recording": WEEKLY.id, "host": "gpu.invalid"})


# Figures


def bullet(text: str, *evidence: str, writer: str = "extract") -> Bullet:
    return Bullet(kind="info", text=text, evidence=evidence, start=65.0, speaker="Maya Chen", writer=writer)


def summary(username: str, *bullets: Bullet, refused: int = 0, headline: str = "A headline") -> Summary:
    return Summary(
        username=username,
        name=username.title(),
        position="",
        headline=headline,
        bullets=bullets,
        writer="compose",
        conversation=WEEKLY.id,
        refused=refused,
    )


def contender(**values: Any) -> Contender:
    usual = {"name": "gpu", "model": "tall", "settings": Settings(), "privacy": "own network", "currency": "EUR"}
    return Contender(**{**usual, **values})


def outcome(*summaries: Summary, case: Case = CASE, **values: Any) -> Outcome:
    usual = {"contender": contender(), "admitted": False, "seconds": 10.0, "tally": Tally()}
    return Outcome(written=(Written(case=case, summaries=summaries),), **{**usual, **values})


def test_of_what_a_model_wrote_the_share_that_stood_is_told() -> None:
    own = bullet("A note.", "1", writer="compose")
    figures = measure(outcome(summary("maya", own, bullet("“A quotation.”", "2"), refused=2), summary("ben", own)))
    assert (figures.own, figures.sent_back, figures.faithful) == (2, 2, 0.5)


def test_a_model_that_wrote_nothing_has_no_share() -> None:
    assert measure(outcome(summary("maya", bullet("x", "1")))).faithful is None


def test_readers_who_got_the_same_overlap_and_readers_who_got_their_own_do_not() -> None:
    same = measure(outcome(summary("maya", bullet("x", "1", "2")), summary("ben", bullet("y", "2", "1"))))
    half = measure(outcome(summary("maya", bullet("x", "1", "2", "3")), summary("ben", bullet("y", "3", "4"))))
    assert (same.overlap, half.overlap) == (1.0, 0.25)


def test_money_and_speed_come_of_the_tokens() -> None:
    tally = Tally(questions=3, seconds=4.0, usage=Usage(answers=3, prompt_tokens=1_000_000, answer_tokens=200))
    priced = contender(input_price=2.5, output_price=10.0)
    figures = measure(outcome(summary("maya"), contender=priced, tally=tally))
    assert (figures.cost, figures.currency, figures.answer_rate) == (pytest.approx(2.502), "EUR", 50.0)


def test_what_the_truth_asks_for_is_counted_where_there_is_truth() -> None:
    (sample,) = read_cases("sample", None)
    assert sample.truth is not None
    turn = sample.truth["turns"][21]
    assert "load test" in turn["text"]
    told = bullet(turn["text"], "u21")
    ben = replace(summary("ben.okafor", told), conversation=sample.conversation.id)
    figures = measure(outcome(ben, case=sample))
    assert figures.must == (1, 5)
    assert figures.unasked == 0
    assert measure(outcome(ben)).must is None


def test_a_meter_counts_questions_tokens_and_what_went_wrong() -> None:
    class Failing(Talkative):
        def complete(self, prompt: str, **options: Any) -> str:
            if "bad" in prompt:
                raise MalformedAnswerError("no answer")
            return super().complete(prompt, **options)

    meter = Metered(Failing("one two three"))
    meter.complete("How are you", max_tokens=5, system="Be ")
    with pytest.raises(MalformedAnswerError):
        meter.complete("bad", max_tokens=5)
    tally = meter.tally
    assert (tally.questions, tally.unusable, tally.refused) == (2, 1, 0)
    assert tally.usage == Usage(answers=1, prompt_tokens=4, answer_tokens=3)


def test_a_meter_counts_a_shared_beginning_for_each_and_a_refusal_for_one() -> None:
    meter = Metered(Talkative("yes"))
    meter.complete_each("one two ", ["three", "four five"], max_tokens=5)
    assert meter.tally.usage.prompt_tokens == 3 + 4
    with model_server(completion("Good."), completion(None, refusal="No."), completion("Good.")) as server:
        meter = Metered(OpenAIServer(server.url, model="tall", at_once=1))
        meter.complete_each("x ", ["a", "b", "c"], max_tokens=5)
    assert (meter.tally.questions, meter.tally.refused, meter.tally.unusable) == (3, 1, 0)


def test_a_meter_takes_a_servers_own_count() -> None:
    counted = Reply(body={**completion("Good.").body, "usage": {"prompt_tokens": 70, "completion_tokens": 30}})
    with model_server(counted) as server:
        meter = Metered(OpenAIServer(server.url, model="tall"))
        meter.complete("x", max_tokens=5)
    assert meter.tally.usage == Usage(answers=1, prompt_tokens=70, answer_tokens=30)


# Cases


def folder(tmp_path: Path, *names: str) -> Path:
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(conversation_to_json(replace(WEEKLY, id=name))), encoding="utf-8")
    (tmp_path / "people.yml").write_text("- {username: maya, name: Maya Chen}\n", encoding="utf-8")
    return tmp_path


def test_a_folder_of_calls_and_of_runs_is_read_whole_and_summaries_are_none(tmp_path: Path) -> None:
    where = folder(tmp_path, "b.json", "a.json", "run/transcript.json", "run/summaries/maya.json", "summaries/x.json")
    cases = read_cases(str(where), None)
    assert [c.conversation.id for c in cases] == ["a.json", "b.json", "run/transcript.json"]
    assert [p.username for c in cases for p in c.people] == ["maya"] * 3


def test_the_truth_beside_a_call_is_its_own(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.json", "b.json")
    (where / "a.truth.json").write_text('{"turns": [], "speakers": [], "expected": {}}')
    assert [c.truth is not None for c in read_cases(str(where), None)] == [True, False]


@pytest.mark.parametrize(
    ("truth", "told"), [("{", "cannot be read"), ("[]", "lacks turns"), ('{"turns": []}', "lacks speakers, expected")]
)
def test_a_truth_that_is_none_is_told(tmp_path: Path, truth: str, told: str) -> None:
    where = folder(tmp_path, "a.json")
    (where / "a.truth.json").write_text(truth)
    with pytest.raises(ConversationError, match=told):
        read_cases(str(where), None)


def test_a_folder_without_calls_or_readers_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConversationError, match="holds no transcript"):
        read_cases(str(folder(tmp_path)), None)
    (tmp_path / "people.yml").unlink()
    with pytest.raises(PeopleError, match="--people"):
        read_cases(str(tmp_path), None)
    with pytest.raises(ConversationError, match="a folder"):
        read_cases(str(tmp_path / "none"), None)


# The page


class Tags(HTMLParser):
    """The tags of a page, its attributes and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def page(text: str) -> Tags:
    case = Case(conversation=replace(WEEKLY, title=text), people=(replace(MAYA, name=text, position=text),))
    note = replace(bullet(text, "1", writer="compose"), owner=text, due=text, speaker=text)
    made = outcome(
        summary("maya", note, headline=text), case=case, contender=contender(name=text, privacy=text), error=text
    )
    return Tags(render_page([made], [case], writer="compose"))


PLAIN = page("A plain text")


_MARKUP = st.sampled_from([*"<>&\"'/=!-", "<b", "</li>", "<!--", "&#60;"])


@given(st.lists(st.one_of(_MARKUP, st.characters(exclude_categories=["Cs"])), max_size=30).map("".join))
@hypothesis_settings(max_examples=40)
def test_whatever_is_said_the_page_has_the_same_tags(text: str) -> None:
    assert page(f"x{text}").tags == PLAIN.tags


def test_a_page_shows_markup_as_text_and_has_no_script() -> None:
    hostile = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'><a href="javascript:x">'
    shown = page(hostile)
    assert hostile in shown.text
    assert not {"script", "img", "a", "link", "iframe"} & set(shown.tags)
    assert not {a for a in shown.attributes if a.startswith("on") or a in {"src", "href"}}


def test_a_page_names_what_a_reader_missed(tmp_path: Path) -> None:
    (sample,) = read_cases("sample", None)
    empty = replace(summary("ben.okafor"), conversation=sample.conversation.id)
    text = Tags(render_page([outcome(empty, case=sample)], [sample], writer="compose")).text
    assert "missed: his load test by Friday" in text


def test_a_backend_that_wrote_nothing_stands_beside_the_others() -> None:
    failed = replace(outcome(), written=(), error="gone")
    text = Tags(render_page([outcome(summary("maya")), failed], [CASE], writer="compose")).text
    assert "Nothing was written." in text
    assert "gone" in text


def test_a_row_in_which_nobody_has_anything_is_left_out() -> None:
    labels = [label for label, _ in figure_rows([outcome(summary("maya"))])]
    assert "money" not in labels
    assert "had to get" not in labels


def test_every_figure_is_in_the_json_and_all_of_it_is_plain() -> None:
    data = json.loads(json.dumps(to_json([outcome(summary("maya", bullet("x", "1")))], writer="compose")))
    (backend,) = data["backends"]
    assert backend["figures"]["readers"] == 1
    assert backend["conversations"][0]["summaries"][0]["bullets"][0]["text"] == "x"
