"""Each platform is asked in its own way, and what it answers is understood; `-s` prints the table of docs/models.md.

The platforms are stood in for by a server on loopback that replays their documented shapes: this shows that we keep to
what is written, not that a platform does.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.doctor import check_model_server
from meetings.errors import (
    ConfigError,
    ContextOverflowError,
    LanguageModelError,
    ModelServerAuthError,
    ModelServerBusyError,
    ModelServerNotAllowedError,
    RefusedAnswerError,
)
from meetings.llm import PLATFORMS, Form, OpenAIServer, open_language_model, server_address
from meetings.llm.limits import wait_asked
from meetings.llm.platforms import address_of, structure_of
from meetings.notices import notice
from meetings.summary.notes import notes_form
from meetings.wide_settings import note_wide_settings
from tests.unit.model_server import ModelServer, Reply, completion, model_server, refused
from tests.unit.platform_replies import NOTES, SHOWN

KEY = "secret-key"
FORM = notes_form(3, 1, 40)
DOCS = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited between attempts."""
    waited: list[float] = []
    monkeypatch.setattr("meetings.llm.exchange.time.sleep", waited.append)
    return waited


def model_at(server: ModelServer, name: str, **options: Any) -> OpenAIServer:
    return OpenAIServer(server.url, model="tall", key=KEY, platform=PLATFORMS[name], **options)


def ask(server: ModelServer, name: str, *, form: Form | None = FORM, stop: tuple[str, ...] = ("\n", "END")) -> str:
    return model_at(server, name).complete("What was said?", max_tokens=90, system="Be short.", stop=stop, form=form)


# Where it is and how the key goes there


@pytest.mark.parametrize(
    ("name", "url", "address"),
    [
        ("openai", None, "https://api.openai.com/v1"),
        ("anthropic", None, "https://api.anthropic.com/v1"),
        ("llama", None, "https://api.llama.com/compat/v1"),
        ("ollama", None, "http://localhost:11434/v1"),
        ("vllm", None, "http://localhost:8000/v1"),
        ("llama.cpp", None, "http://localhost:8080/v1"),
        ("ollama", "http://gpu-box:11434/", "http://gpu-box:11434/v1"),
        ("azure", "https://acme.openai.azure.com", "https://acme.openai.azure.com/openai/v1"),
        ("azure", "https://acme.openai.azure.com/openai/v1/", "https://acme.openai.azure.com/openai/v1"),
        (
            "bedrock",
            "https://bedrock-runtime.eu-central-1.amazonaws.com",
            "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1",
        ),
        ("bedrock", "https://bedrock-mantle.us-east-1.api.aws/v1", "https://bedrock-mantle.us-east-1.api.aws/v1"),
        ("compatible", "https://llm.example.org", "https://llm.example.org"),
    ],
)
def test_an_address_is_completed_as_the_platform_wants_it(name: str, url: str | None, address: str) -> None:
    assert address_of(PLATFORMS[name], url) == address


def settings(**values: object) -> Settings:
    return Settings.model_validate({"language_model": "server:tall", **values})


@pytest.mark.parametrize("name", ["openai", "anthropic", "llama"])
def test_a_platform_of_a_provider_is_asked_only_if_its_host_is_allowed_by_name(name: str) -> None:
    with pytest.raises(ModelServerNotAllowedError) as raised:
        open_language_model(settings(llm_platform=name))
    allowed = open_language_model(settings(llm_platform=name, llm_allowed_hosts=[raised.value.host]))
    assert allowed is not None
    assert allowed.where == raised.value.host


@pytest.mark.parametrize(("name", "example"), [("azure", "RESOURCE"), ("bedrock", "REGION"), ("compatible", "8000/v1")])
def test_a_platform_without_an_address_of_its_own_asks_for_one_by_example(name: str, example: str) -> None:
    with pytest.raises(ConfigError, match=f"needs llm_url.*{example}"):
        open_language_model(settings(llm_platform=name))


def test_a_platform_that_is_not_known_is_refused_by_the_settings() -> None:
    with pytest.raises(ValueError, match="llm_platform"):
        settings(llm_platform="opemai")


def test_the_platforms_of_the_settings_are_those_there_are() -> None:
    assert [settings(llm_platform=name).llm_platform for name in PLATFORMS] == list(PLATFORMS)


def test_what_is_told_of_where_words_go_knows_the_platforms_own_address() -> None:
    assert server_address(settings(llm_platform="openai")) == "https://api.openai.com/v1"


def test_a_channel_and_the_log_are_told_of_a_platforms_own_address(tmp_path: Path) -> None:
    chosen = settings(llm_platform="anthropic", llm_allowed_hosts=["api.anthropic.com"], home=tmp_path)
    assert "anthropic" in notice(chosen, "members")
    note_wide_settings(chosen)
    (line,) = AuditLog(chosen).entries()
    assert line.facts["llm_url"] == "https://api.anthropic.com"


def test_the_doctor_asks_nothing_of_a_platform_that_lists_no_models() -> None:
    host = "bedrock-runtime.us-east-1.amazonaws.invalid"
    finding = check_model_server(settings(llm_platform="bedrock", llm_url=f"https://{host}", llm_allowed_hosts=[host]))
    assert (finding.state, host in finding.detail) == ("warn", True)


# What is sent


def sent(name: str, *, stop: tuple[str, ...] = ("END",)) -> tuple[dict[str, Any], dict[str, str]]:
    with model_server(SHOWN[name].good, Reply(body={"models": []})) as server:
        ask(server, name, stop=stop)
    return server.asked[0], {k.lower(): v for k, v in server.headers[0].items()}


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("azure", "api-key", KEY),
        ("anthropic", "x-api-key", KEY),
        *[(n, "authorization", f"Bearer {KEY}") for n in PLATFORMS if n not in {"azure", "anthropic"}],
    ],
)
def test_the_key_goes_in_the_header_that_the_platform_reads_and_in_no_other(name: str, header: str, value: str) -> None:
    _, headers = sent(name)
    assert {k: v for k, v in headers.items() if KEY in v} == {header: value}


@pytest.mark.parametrize("name", ["openai", "azure", "bedrock", "llama"])
def test_newer_platforms_bound_an_answer_by_its_newer_name(name: str) -> None:
    body, _ = sent(name)
    assert body["max_completion_tokens"] == 90
    assert "max_tokens" not in body


@pytest.mark.parametrize("name", ["anthropic", "bedrock", "llama"])
def test_a_platform_that_knows_no_seed_gets_none(name: str) -> None:
    assert "seed" not in sent(name)[0]


def test_anthropic_is_asked_by_its_own_messages() -> None:
    body, headers = sent("anthropic", stop=("\n", "END"))
    assert headers["anthropic-version"] == "2023-06-01"
    assert [m["role"] for m in body["messages"]] == ["user"]
    assert (body["system"], body["stop_sequences"]) == ("Be short.", ["END"])
    assert body["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize("name", ["openai", "azure", "bedrock", "llama", "anthropic"])
def test_a_strict_platform_gets_a_schema_without_bounds(name: str) -> None:
    body, _ = sent(name)
    assert '"properties"' in str(body).replace("'", '"')
    assert not re.search(r"maxLength|maxItems|minItems|minimum|maximum", str(body))


def test_a_server_of_your_own_gets_a_schema_with_its_bounds() -> None:
    body, _ = sent("vllm")
    assert body["response_format"]["json_schema"]["schema"] == FORM.schema


def test_vllm_gets_a_grammar_in_the_field_it_has_since_0_12() -> None:
    with model_server(completion("red")) as server:
        ask(server, "vllm", form=Form(grammar='root ::= "red"'))
    assert server.asked[0]["structured_outputs"] == {"grammar": 'root ::= "red"'}


@pytest.mark.parametrize("name", ["openai", "azure", "bedrock", "llama", "anthropic", "ollama"])
def test_a_platform_without_grammars_is_not_asked_for_one(name: str) -> None:
    with model_server(completion("red")) as server, pytest.raises(LanguageModelError, match="takes no GBNF grammar"):
        ask(server, name, form=Form(grammar='root ::= "red"'))
    assert server.asked == []


def test_a_property_that_is_called_like_a_bound_stays() -> None:
    schema = {"type": "object", "properties": {"maximum": {"type": "integer", "maximum": 4}}}
    assert structure_of(schema) == {"type": "object", "properties": {"maximum": {"type": "integer"}}}


def test_a_model_that_thinks_first_gets_its_tokens_beside_those_of_the_answer() -> None:
    with model_server(completion("Good.")) as server:
        model = model_at(server, "openai", thinking=1000, context=8000)
        model.complete("x", max_tokens=9)
    assert (server.asked[0]["max_completion_tokens"], model.context) == (1009, 7000)


# What is learnt from a refusal


def test_an_older_name_that_is_refused_is_given_up_for_good() -> None:
    told = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with model_server(refused(400, told), completion("Good.")) as server:
        model = model_at(server, "compatible")
        assert [model.complete("x", max_tokens=9) for _ in range(2)] == ["Good.", "Good."]
    limits = [{k for k in s if k.startswith("max_")} for s in server.asked]
    assert limits == [{"max_tokens"}, {"max_completion_tokens"}, {"max_completion_tokens"}]


def test_a_newer_name_that_is_refused_is_given_up_too() -> None:
    told = "max_completion_tokens: Extra inputs are not permitted"
    with model_server(refused(422, told), completion("Good.")) as server:
        assert model_at(server, "openai").complete("x", max_tokens=9) == "Good."
    assert server.asked[1]["max_tokens"] == 9


def test_a_form_that_no_schema_is_taken_for_is_asked_for_in_words_and_still_looked_at() -> None:
    refusal = refused(400, "response_format of type json_schema is not supported with this model")
    with model_server(refusal, completion(f"```json\n{NOTES}\n```"), completion("Sure! There are none.")) as server:
        model = model_at(server, "bedrock")
        assert model.complete("x", max_tokens=9, form=FORM) == NOTES
        with pytest.raises(LanguageModelError, match="not JSON"):
            model.complete("x", max_tokens=9, form=FORM)
    assert ["response_format" in s for s in server.asked] == [True, False, False]


def test_a_question_that_is_wrong_for_another_reason_is_asked_once() -> None:
    asleep = refused(400, "The model is asleep and temperature is rising")
    with model_server(asleep) as server, pytest.raises(LanguageModelError, match="asleep"):
        ask(server, "openai", form=None)
    assert len(server.asked) == 1


def test_one_odd_refusal_costs_later_questions_nothing() -> None:
    wrong = refused(400, "something else is wrong")
    with model_server(wrong, wrong, completion(NOTES)) as server:
        model = model_at(server, "openai")
        with pytest.raises(LanguageModelError):
            model.complete("x", max_tokens=9, form=FORM)
        assert model.complete("x", max_tokens=9, form=FORM) == NOTES
    assert ["response_format" in s for s in server.asked] == [True, False, True]


def test_an_answer_is_cut_where_a_stop_was_not_taken() -> None:
    with model_server(Reply(body={"content": [{"type": "text", "text": " One line\nand more"}]})) as server:
        assert ask(server, "anthropic", form=None) == "One line"


# Ollama's own context


def ollama(length: object, *, name: str = "tall") -> tuple[Reply, ...]:
    return completion("Good."), Reply(body={"models": [{"name": name, "context_length": length}]}), completion("Good.")


@pytest.mark.parametrize("name", ["tall", "tall:latest"])
def test_an_ollama_that_would_drop_half_of_a_call_is_not_used(name: str) -> None:
    short = ollama(2048, name=name)
    with model_server(*short) as server, pytest.raises(LanguageModelError, match="OLLAMA_CONTEXT_LENGTH=4096"):
        model_at(server, "ollama", context=4096).complete("x", max_tokens=9)


@pytest.mark.parametrize("replies", [ollama(8192), ollama(1024, name="other"), ollama("?")])
def test_an_ollama_that_reads_enough_is_looked_at_once(replies: tuple[Reply, ...]) -> None:
    with model_server(*replies) as server:
        model = model_at(server, "ollama", context=4096)
        assert [model.complete("x", max_tokens=9) for _ in range(2)] == ["Good.", "Good."]
    assert len(server.asked) == 3


# When to come back

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:30 GMT"}, "", 30.0),
        ({"retry-after-ms": "1500"}, "", 1.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m30.5s"}, "", 90.5),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "6m0s"}, "", None),
        (
            {
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-26T12:00:12Z",
            },
            "",
            12.0,
        ),
        ({}, "Please retry after 86400 seconds.", 86_400.0),
        ({}, "Please try again in 20ms. Visit https://example.org", 0.02),
        ({}, "Slow down", None),
        ({"Retry-After": "soon"}, "", None),
        ({"Retry-After": "nan"}, "", None),
    ],
)
def test_each_platforms_way_to_say_when_is_understood(
    headers: dict[str, str], message: str, seconds: float | None
) -> None:
    assert wait_asked(headers, message, now=NOW) == (None if seconds is None else pytest.approx(seconds))


_VALUES = st.text(alphabet=string.printable, max_size=30)


@given(
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset-tokens"]), _VALUES), _VALUES
)
def test_whatever_a_server_says_the_wait_is_a_time_or_none(headers: dict[str, str], message: str) -> None:
    wait = wait_asked({**headers, "x-ratelimit-remaining-tokens": "0"}, message)
    assert wait is None or 0 <= wait < float("inf")


# The table


def _answers(name: str) -> bool:
    with model_server(SHOWN[name].good, Reply(body={"models": []})) as server:
        return ask(server, name) == NOTES


def _usage(name: str) -> bool:
    with model_server(SHOWN[name].good, Reply(body={"models": []})) as server:
        model = model_at(server, name)
        model.complete("x", max_tokens=9, form=FORM)
    used = model.used
    return (used.answers, used.prompt_tokens, used.answer_tokens, used.estimated) == (1, 21, 7, False)


def _fails(name: str, reply: Reply) -> LanguageModelError:
    with model_server(reply) as server, pytest.raises(LanguageModelError) as raised:
        ask(server, name)
    assert KEY not in str(raised.value)
    return raised.value


def _wrong_key(name: str) -> bool:
    return isinstance(_fails(name, SHOWN[name].wrong_key), ModelServerAuthError)


def _too_long(name: str) -> bool:
    error = _fails(name, SHOWN[name].too_long)
    return isinstance(error, ContextOverflowError) and (error.needed, error.context) == SHOWN[name].counts


def _refusal(name: str) -> bool:
    return isinstance(_fails(name, SHOWN[name].refusal), RefusedAnswerError)


def _learns(name: str) -> bool:
    shown = SHOWN[name]
    with model_server(shown.refused_field, shown.good, Reply(body={"models": []})) as server:
        answer = ask(server, name, stop=("END",))
    return answer == NOTES and [shown.field in s for s in server.asked[:2]] == [True, False]


CHECKS: dict[str, Callable[[str], bool]] = {
    "answer in its form": _answers,
    "tokens counted": _usage,
    "wrong key": _wrong_key,
    "too long": _too_long,
    "refusal": _refusal,
    "field given up": _learns,
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platform_is_understood(name: str, check: str) -> None:
    assert CHECKS[check](name)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platform_that_is_busy_is_left_alone_as_long_as_it_asks(name: str, waits: list[float]) -> None:
    shown = SHOWN[name]
    with model_server(shown.busy, shown.good, Reply(body={"models": []})) as server:
        assert ask(server, name) == NOTES
    low = 0.5 if shown.wait is None else shown.wait
    assert low <= waits[0] <= 1.25 * low


def test_a_platform_that_stays_busy_is_told_as_busy(waits: list[float]) -> None:
    assert isinstance(_fails("azure", SHOWN["azure"].busy), ModelServerBusyError)


def table() -> str:
    """The table of docs/models.md: how each platform is asked."""
    rows = ["| `llm_platform` | address | key | asked by | answer's bound | form |", "|---|---|---|---|---|---|"]
    for p in PLATFORMS.values():
        address = p.url or {"azure": "yours + `/openai/v1`", "bedrock": "yours + `/openai/v1`"}.get(p.name, "yours")
        forms = ", else ".join("in words" if f == "words" else f for f in p.forms)
        key = f"`{p.key_header}{': Bearer' if p.key_scheme else ''}`"
        rows.append(f"| `{p.name}` | {address} | {key} | `{p.ask}` | `{p.limit}` | {forms} |")
    return "\n".join(rows)


def test_the_table_of_conformance_has_no_gap() -> None:
    found = {name: {check: test(name) for check, test in CHECKS.items()} for name in PLATFORMS}
    print(f"\n{'':12}" + "  ".join(CHECKS))
    for name, row in found.items():
        print(f"{name:12}" + "  ".join(f"{'yes' if ok else 'NO':{len(check)}}" for check, ok in row.items()))
    assert all(ok for row in found.values() for ok in row.values())


def test_the_table_of_the_docs_is_the_programs_own() -> None:
    print(table())
    assert table() in DOCS.read_text(encoding="utf-8")
