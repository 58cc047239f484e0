"""The language engines on the real starter models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from meetings.errors import (
    ContextOverflowError,
    LanguageModelError,
    MalformedAnswerError,
    ModelError,
    ModelMissingError,
    PromptError,
)
from meetings.llm import Embedder, Form, LlamaCpp
from meetings.people import build_persona
from meetings.summary import summarize
from meetings.summary.ground import Line, check
from meetings.summary.notes import TOKENS_PER_NOTE, notes_form, read_note, read_notes, sentence_form
from tests.acceptance.conftest import Meetings
from tests.unit.summary_builders import BEN, WEEKLY

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def embedder(models_folder: Path) -> Embedder:
    return Embedder(models_folder / "minilm-l6-v2", threads=1)


@pytest.fixture(scope="module")
def model(models_folder: Path) -> LlamaCpp:
    return LlamaCpp(models_folder / "smollm2-135m", threads=1)


def test_texts_alike_in_meaning_are_close(embedder: Embedder) -> None:
    release, ship, coffee = embedder.embed(["The release is late.", "We ship later than planned.", "I like coffee."])
    assert release @ ship > release @ coffee + 0.1


def test_vectors_have_unit_length_and_keep_the_order(embedder: Embedder) -> None:
    texts = ["a much longer sentence about the parser and its tables " * n for n in range(1, 41)] + ["", "short"]
    vectors = embedder.embed(texts)
    assert vectors.shape == (42, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = embedder.embed([texts[3]])[0]
    # int8 activations are scaled by batch: close, not equal.
    assert alone @ vectors[3] > 0.97


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_folder_without_a_model_says_what_to_pull(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="meetings models pull minilm-l6-v2"):
        Embedder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="meetings models verify"):
        Embedder(tmp_path)


def test_the_same_seed_gives_the_same_answer(model: LlamaCpp) -> None:
    answers = {model.complete("The capital of France is", max_tokens=12, temperature=0.7, seed=4) for _ in range(3)}
    assert len(answers) == 1
    assert answers != {""}


def test_a_model_answers_silently(model: LlamaCpp, capfd: pytest.CaptureFixture[str]) -> None:
    model.complete("Say yes.", max_tokens=4)
    assert capfd.readouterr() == ("", "")


def test_a_prompt_longer_than_the_context_is_refused_with_both_counts(model: LlamaCpp) -> None:
    with pytest.raises(ContextOverflowError, match="does not fit its context of 2048") as raised:
        model.complete("word " * 3000, max_tokens=8)
    assert raised.value.context == 2048
    assert 3008 < raised.value.needed < 3200


def test_a_model_runs_on_this_machine_with_no_more_context_than_it_was_trained_for(models_folder: Path) -> None:
    model = LlamaCpp(models_folder / "smollm2-135m", threads=1, context=1_000_000)
    assert (model.where, model.context) == ("", 8192)


NOTES = "\n".join(
    f"{name} said: {text}"
    for name, text in [
        ("Maya", "the parser release moves to the tenth of December."),
        ("Ben", "I will run the load test on Friday."),
        ("Laura", "the blog post about prices waits for the release."),
        ("Tom", "we hire two people for support."),
    ]
    * 3
)
QUESTIONS = [f"\n\nIn one sentence, what does {name} say?" for name in ("Maya", "Ben", "Laura", "Tom")]


def _alike(a: str, b: str) -> float:
    """Shared words over all words: near-ties may flip, so that meaning is compared and not letters."""
    left, right = set(a.lower().split()), set(b.lower().split())
    return len(left & right) / max(1, len(left | right))


@pytest.fixture(scope="module")
def alone(model: LlamaCpp) -> list[str]:
    """Every question asked by itself."""
    return [model.complete(NOTES + q, max_tokens=12) for q in QUESTIONS]


def test_prompts_over_one_prefix_are_answered_as_they_are_alone(models_folder: Path, alone: list[str]) -> None:
    in_turns = LlamaCpp(models_folder / "smollm2-135m", threads=1, sequences=1)
    answers = in_turns.complete_each(NOTES, QUESTIONS, max_tokens=12)
    assert len(set(alone)) > 1
    assert np.mean([_alike(a, str(b)) for a, b in zip(alone, answers, strict=True)]) > 0.8


def test_prompts_answered_at_once_get_their_own_answers(model: LlamaCpp, alone: list[str]) -> None:
    answers = [str(a) for a in model.complete_each(NOTES, QUESTIONS, max_tokens=12)]
    own = np.mean([_alike(a, b) for a, b in zip(alone, answers, strict=True)])
    others = np.mean([_alike(a, b) for a, b in zip(alone, answers[1:] + answers[:1], strict=True)])
    assert own > max(0.7, others + 0.15)


def test_the_same_prompts_get_the_same_answers_whatever_was_asked_before(model: LlamaCpp) -> None:
    first = model.complete_each(NOTES, QUESTIONS, max_tokens=12)
    again = model.complete_each(NOTES, QUESTIONS, max_tokens=12)
    model.complete("Something else entirely.", max_tokens=4)
    assert first == again == model.complete_each(NOTES, QUESTIONS, max_tokens=12)


def test_more_prompts_than_fit_at_once_are_answered_in_turns_and_in_order(models_folder: Path) -> None:
    small = LlamaCpp(models_folder / "smollm2-135m", threads=1, context=256, sequences=3)
    form = Form(grammar='root ::= "blue" | "red" | "green"')
    answers = small.complete_each(
        "Repeat the colour. ", [f"Colour: {c}" for c in ("red", "blue", "green") * 3], max_tokens=4, form=form
    )
    assert len(answers) == 9
    assert set(answers) <= {"blue", "red", "green"}


def test_a_prompt_that_does_not_fit_leaves_the_others_their_answers(model: LlamaCpp) -> None:
    good, bad = model.complete_each("Say yes. ", ["Please.", "word " * 3000], max_tokens=4)
    assert isinstance(good, str)
    assert isinstance(bad, ContextOverflowError)
    assert isinstance(bad, PromptError)


def test_an_answer_follows_its_grammar(model: LlamaCpp) -> None:
    form = Form(grammar='root ::= "- " [a-z ]{5,20} "."')
    assert re.fullmatch(r"- [a-z ]{5,20}\.", model.complete("What is new?", max_tokens=30, form=form))


def test_an_answer_follows_its_schema(model: LlamaCpp) -> None:
    schema = {
        "type": "object",
        "properties": {"owner": {"enum": ["Maya", "Ben"]}, "days": {"type": "integer"}},
        "required": ["owner", "days"],
    }
    answer = json.loads(model.complete("Who does it, in how many days?", max_tokens=60, form=Form(schema=schema)))
    assert answer["owner"] in {"Maya", "Ben"}
    assert isinstance(answer["days"], int)


def test_an_answer_that_breaks_off_before_its_form_is_whole_is_malformed(model: LlamaCpp) -> None:
    with pytest.raises(MalformedAnswerError, match="broke off after 3 tokens"):
        model.complete("What is new?", max_tokens=3, form=Form(grammar='root ::= [a-z]{40,50} "."'))


def test_a_grammar_that_is_none_is_told(model: LlamaCpp, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LanguageModelError, match="not GBNF"):
        model.complete("x", max_tokens=3, form=Form(grammar="root ::= ("))
    assert capfd.readouterr() == ("", "")


def test_a_stop_text_ends_an_answer_and_is_not_part_of_it(model: LlamaCpp) -> None:
    whole = model.complete("Count to five.", max_tokens=20)
    word = whole.split()[2]
    assert model.complete("Count to five.", max_tokens=20, stop=[word]) == whole.split(word)[0].strip()


def test_what_was_said_cannot_end_its_own_message(model: LlamaCpp) -> None:
    """Chat markup in a transcript is text: it has many tokens, where the model's own marks are one each."""
    assert model.count_tokens("<|im_end|>") > 3
    with pytest.raises(ContextOverflowError):
        model.complete("<|im_end|>" * 500, max_tokens=1)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUFnot really")
    with pytest.raises(LanguageModelError, match="cannot be loaded as a GGUF model"):
        LlamaCpp(tmp_path / "bad.gguf").complete("x", max_tokens=1)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        LlamaCpp(tmp_path / "none.gguf")


READERS = ("Ben Okafor, Backend Engineer", "Laura Stein, Head of Content")


def test_notes_of_the_starter_model_always_have_their_form(model: LlamaCpp) -> None:
    page = "What was said:\n" + "\n".join(
        f"{n} {u.speaker}: {u.text}" for n, u in enumerate(WEEKLY.utterances, start=1)
    )
    asks = [f"\n\nThe reader: {r}.\nNotes for this reader:" for r in READERS]
    last = len(WEEKLY.utterances)
    answers = model.complete_each(page, asks, max_tokens=4 * TOKENS_PER_NOTE, form=notes_form(2, 1, last))
    for answer in answers:
        assert isinstance(answer, str)
        notes, wrong = read_notes(answer, numbers=range(1, 100), most=2)
        assert (len(notes), wrong) == (len(json.loads(answer)["notes"]), 0)
        assert all(len(n.text) <= 200 for n in notes)


def test_a_sentence_of_the_starter_model_has_its_form(model: LlamaCpp) -> None:
    said = "1 Ben Okafor: I will finish the load test by Friday.\n\nOne sentence for the minutes:"
    (answer,) = model.complete_each("What was said:\n", [said], max_tokens=TOKENS_PER_NOTE, form=sentence_form(1))
    assert read_note(answer, numbers=[1]) is not None


@pytest.mark.slow
def test_what_the_starter_model_composes_stands_or_is_a_quotation(model: LlamaCpp, embedder: Embedder) -> None:
    (summary,) = summarize(
        WEEKLY,
        [build_persona(BEN)],
        writer="compose",
        admitted=["compose"],
        embedder=embedder,
        language_model=model,
    )
    said = {u.id: Line(speaker=WEEKLY.speaker_of(u).name, text=u.text) for u in WEEKLY.utterances}
    assert summary.bullets
    assert summary.unanswered == 0
    for bullet in summary.bullets:
        evidence = [said[e] for e in bullet.evidence]
        assert bullet.writer == "extract" or check(bullet.text, evidence, embedder=embedder).ok


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--writer", "compose"), ("--language", "de")])
def test_the_starter_model_is_refused_as_a_writer(meetings: Meetings, options: tuple[str, ...]) -> None:
    done = meetings("models", "admit", "smollm2-135m", *options, "--json", env={"MEETINGS_THREADS": "1"})
    assert done.code == 1
    verdict = done.json()
    assert not verdict["admitted"]
    assert verdict["cases"] >= 12
    assert verdict["right"] < verdict["cases"] / 2
    assert 0 < verdict["asked"] <= verdict["cases"]
