"""The real server of llama-cpp-python on loopback, with the starter model behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from meetings.config import Settings
from meetings.doctor import check_model_server
from meetings.errors import ContextOverflowError, ModelServerAuthError
from meetings.llm import PLATFORMS, Form, LlamaCpp, OpenAIServer
from meetings.summary.notes import TOKENS_PER_NOTE, notes_form, read_notes, sentence_form
from tests.ports import held_port

pytestmark = [pytest.mark.models, pytest.mark.slow]

KEY = "loopback-key"


@pytest.fixture(scope="module")
def gguf(models_folder: Path) -> Path:
    return next(iter((models_folder / "smollm2-135m").glob("*.gguf")))


@pytest.fixture(scope="module")
def url(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server, up and answering."""
    with held_port() as port:
        yield from answering(gguf, port, tmp_path_factory)


def answering(gguf: Path, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("server") / "log"
    options = ["--host", "127.0.0.1", "--port", str(port), "--model", str(gguf), "--model_alias", "small"]
    options += ["--n_ctx", "1024", "--n_threads", "1", "--n_threads_batch", "1", "--api_key", KEY]
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", *options],
            stdout=output,
            stderr=output,
            env=environment,
            cwd=log.parent,
        )
        try:
            address = f"http://127.0.0.1:{port}/v1"
            _wait(server, address, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=120)


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()[-2000:]
        try:
            requests.get(f"{address}/models", timeout=1)
        except requests.RequestException:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server does not answer: {log.read_text()[-2000:]}")


@pytest.fixture
def model(url: str) -> OpenAIServer:
    return OpenAIServer(url, model="small", key=KEY, context=1024, at_once=2)


def test_the_server_answers_as_the_model_does_in_process(model: OpenAIServer, gguf: Path) -> None:
    here = LlamaCpp(gguf, threads=1, context=1024)
    prompts = ["The capital of France is", "Say hello.", "Name three colours."]
    alike = 0.0
    for prompt in prompts:
        a, b = (set(m.complete(prompt, max_tokens=8).lower().split()) for m in (model, here))
        alike += len(a & b) / len(a | b)
    # Near-ties may flip where sums are rounded otherwise: most words, not every letter.
    assert alike / len(prompts) > 0.6


def test_readers_over_one_prefix_get_their_answers(model: OpenAIServer) -> None:
    form = Form(grammar='root ::= "red" | "blue"')
    answers = model.complete_each("Repeat the colour. ", ["Red.", "Blue.", "Red."], max_tokens=4, form=form)
    assert set(answers) <= {"red", "blue"}
    assert len(answers) == 3


def test_an_answer_follows_its_schema(model: OpenAIServer) -> None:
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    answer = json.loads(model.complete("In how many days?", max_tokens=40, form=Form(schema=schema)))
    assert isinstance(answer["days"], int)


def test_the_platform_by_its_name_answers_and_tells_its_tokens(url: str, gguf: Path) -> None:
    model = OpenAIServer(url, model="small", key=KEY, context=1024, platform=PLATFORMS["llama.cpp"])
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    assert set(json.loads(model.complete("In how many days?", max_tokens=40, form=Form(schema=schema)))) == {"days"}
    here = LlamaCpp(gguf, threads=1)
    # Beside the prompt's own tokens there are those of the chat format.
    assert here.count_tokens("In how many days?") < model.used.prompt_tokens < 60
    assert (model.used.answers, model.used.estimated) == (1, False)


def test_notes_and_sentences_have_their_form_by_schema_alone(model: OpenAIServer) -> None:
    page = "What was said:\n1 Ben: I will finish the load test by Friday.\n2 Maya: The release moves to the tenth."
    asks = ["\n\nThe reader: Ben.\nNotes:", "\n\nThe reader: Maya.\nNotes:"]
    for answer in model.complete_each(page, asks, max_tokens=2 * TOKENS_PER_NOTE + 40, form=notes_form(2, 1, 2)):
        assert isinstance(answer, str)
        assert set(json.loads(answer)) == {"notes"}
        notes, wrong = read_notes(answer, numbers=range(0, 10**9), most=2)
        assert wrong == 0
        assert all(len(n.text) <= 200 for n in notes)
    (sentence,) = model.complete_each(page, ["\n\nOne sentence:"], max_tokens=120, form=sentence_form(2))
    assert set(json.loads(str(sentence))) == {"lines", "text"}


def test_a_prompt_that_does_not_fit_is_told_with_both_counts(model: OpenAIServer) -> None:
    with pytest.raises(ContextOverflowError) as raised:
        model.complete("word " * 1500, max_tokens=8)
    assert raised.value.context == 1024
    assert raised.value.needed > 1500


def test_an_estimate_of_tokens_is_rather_too_high(model: OpenAIServer, gguf: Path) -> None:
    text = "Maya: We keep the old price until the end of March, and then we see. " * 5
    count = LlamaCpp(gguf, threads=1).count_tokens(text)
    assert count <= model.count_tokens(text) < 2.5 * count


def test_a_wrong_key_is_refused(url: str) -> None:
    with pytest.raises(ModelServerAuthError):
        OpenAIServer(url, model="small", key="wrong").complete("x", max_tokens=2)


def test_the_doctor_finds_the_model(url: str) -> None:
    settings = {"language_model": "server:small", "llm_url": url, "llm_api_key": KEY}
    assert check_model_server(Settings.model_validate(settings)).state == "ok"
    other = check_model_server(Settings.model_validate({**settings, "language_model": "server:large"}))
    assert (other.state, "small" in other.remedy) == ("warn", True)
