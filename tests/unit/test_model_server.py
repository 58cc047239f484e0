"""A language model's server: where words may go, what is tried again, and what a user reads when it fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from meetings.config import Settings, load_settings
from meetings.errors import (
    ConfigError,
    ContextOverflowError,
    LanguageModelError,
    MalformedAnswerError,
    ModelServerAuthError,
    ModelServerBusyError,
    ModelServerError,
    ModelServerNotAllowedError,
    ModelServerUnreachableError,
    RefusedAnswerError,
)
from meetings.llm import Form, OpenAIServer, language_model_fingerprint, open_language_model
from meetings.llm.exchange import MAX_ATTEMPTS, MAX_SLOW_ATTEMPTS, Again, Failure, GiveUp, decide
from tests.unit.model_server import Reply, completion, model_server, refused

KEY = "sk-very-secret"
SECRET = "the salary list is in the safe"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited between attempts."""
    waited: list[float] = []
    monkeypatch.setattr("meetings.llm.exchange.time.sleep", waited.append)
    return waited


def ask(url: str, *, timeout: float = 60.0, form: Form | None = None) -> str:
    return OpenAIServer(url, model="tall", key=KEY, timeout=timeout).complete(SECRET, max_tokens=9, form=form)


def failure(*replies: Reply, timeout: float = 60.0, form: Form | None = None) -> LanguageModelError:
    """The error that replies lead to, after checking what holds for all of them."""
    with model_server(*replies) as server, pytest.raises(LanguageModelError) as raised:
        ask(server.url, timeout=timeout, form=form)
    text = str(raised.value)
    assert "\n" not in text
    assert len(text) < 420
    assert KEY not in text
    assert SECRET not in text
    return raised.value


# Where words may go


def test_a_server_elsewhere_is_not_asked_until_its_host_is_allowed_by_name() -> None:
    with pytest.raises(ModelServerNotAllowedError, match=r'llm_allowed_hosts = \["llm.example.org"\]') as raised:
        OpenAIServer("https://llm.example.org/v1", model="tall")
    assert raised.value.host == "llm.example.org"
    allowed = OpenAIServer("https://LLM.example.org/v1", model="tall", allowed_hosts=["llm.example.org"])
    assert allowed.where == "llm.example.org"


@pytest.mark.parametrize("host", ["evil.example.org", "example.org", "llm.example.org.evil.net", "xllm.example.org"])
def test_a_name_that_is_alike_is_not_allowed(host: str) -> None:
    with pytest.raises(ModelServerNotAllowedError):
        OpenAIServer(f"https://{host}/v1", model="tall", allowed_hosts=["llm.example.org"])


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("10.0.0.5", False),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("127.0.0.1.nip.io", False),
        ("gpu-box", False),
    ],
)
def test_only_loopback_is_this_machine(host: str, here: bool) -> None:
    if here:
        assert OpenAIServer(f"http://{host}:8000/v1", model="tall").where == ""
    else:
        with pytest.raises(ModelServerNotAllowedError):
            OpenAIServer(f"http://{host}:8000/v1", model="tall")


@pytest.mark.parametrize("url", ["llm.example.org/v1", "ftp://localhost/v1", "https://", "http://ana:pw@localhost/v1"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match="llm_url"):
        OpenAIServer(url, model="tall")


def test_a_server_cannot_send_words_elsewhere() -> None:
    with model_server(completion("caught")) as other:
        error = failure(Reply(status=307, headers={"Location": f"{other.url}/chat/completions"}))
        assert other.asked == []
    assert "not followed" in str(error)


def test_no_proxy_stands_between_this_machine_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server(completion("caught")) as proxy, model_server(completion("Good.")) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert ask(server.url) == "Good."
        assert proxy.asked == []


def test_a_netrc_sends_no_password_in_the_place_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login ana password of-another-site\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with model_server(completion("Good.")) as server:
        # An address that counts as another machine's and is not.
        url = server.url.replace("127.0.0.1", "0.0.0.0")
        OpenAIServer(url, model="tall", key=KEY, allowed_hosts=["0.0.0.0"]).complete("x", max_tokens=3)
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


# Settings


def settings(**values: object) -> Settings:
    return Settings.model_validate({"language_model": "server:tall", "llm_url": "http://localhost:8000/v1", **values})


def test_settings_name_a_server_and_a_model() -> None:
    model = open_language_model(settings(llm_context=8192))
    assert model is not None
    assert (model.name, model.where, model.context) == ("tall", "", 8192)


def test_a_server_without_an_address_is_told() -> None:
    with pytest.raises(ConfigError, match="needs llm_url"):
        open_language_model(settings(llm_url=None))


def test_a_key_comes_from_the_environment_or_a_file_of_its_own_and_never_from_settings(tmp_path: Path) -> None:
    (tmp_path / "meetings.toml").write_text(f'llm_api_key = "{KEY}"\n')
    with pytest.raises(ConfigError, match="MEETINGS_LLM_API_KEY or llm_api_key_file") as raised:
        load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")
    assert KEY not in str(raised.value)
    loaded = load_settings(environ={"MEETINGS_LLM_API_KEY": KEY}, folder=tmp_path / "x", user_folder=tmp_path / "x")
    assert KEY not in repr(loaded)


def test_the_key_of_a_file_is_sent_and_shown_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    with model_server(completion("Good.")) as server:
        chosen = settings(llm_url=server.url, llm_api_key_file=file)
        model = open_language_model(chosen)
        assert model is not None
        model.complete("x", max_tokens=3)
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in language_model_fingerprint(chosen)


@pytest.mark.parametrize("content", ["", "two words", "one\ntwo\n"])
def test_a_file_with_anything_but_one_key_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(ConfigError, match="one key and nothing else"):
        open_language_model(settings(llm_api_key_file=file))


# What is sent and taken


def test_a_question_is_greedy_and_has_its_limits() -> None:
    with model_server(completion("  Good.\n")) as server:
        model = OpenAIServer(server.url, model="tall")
        assert model.complete("How?", max_tokens=7, stop=["\n\n"], system="Be short.") == "Good."
    (sent,) = server.asked
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert (sent["temperature"], sent["max_tokens"], sent["stop"]) == (0.0, 7, ["\n\n"])
    assert "Authorization" not in server.headers[0]


def test_readers_get_their_own_answers_in_order_and_one_refusal_spoils_no_other() -> None:
    replies = [completion("zero"), completion(None, refusal="I cannot."), *[completion("rest")] * 2]
    with model_server(*replies) as server:
        answers = OpenAIServer(server.url, model="tall", at_once=1).complete_each(
            "Shared. ", list("abcd"), max_tokens=3
        )
    assert [str(s["messages"][0]["content"]) for s in server.asked] == [f"Shared. {c}" for c in "abcd"]
    assert (answers[0], answers[2:]) == ("zero", ("rest", "rest"))
    assert isinstance(answers[1], RefusedAnswerError)


def test_no_readers_are_no_questions() -> None:
    with model_server(completion("x")) as server:
        assert OpenAIServer(server.url, model="tall").complete_each("Shared. ", [], max_tokens=3) == ()
    assert server.asked == []


SCHEMA = Form(schema={"type": "object"})


@pytest.mark.parametrize(
    "refusal",
    [
        refused(422, "response_format: json_schema is not permitted"),
        refused(500, "1 validation error: {'loc': ('body', 'response_format', 'type')}"),
    ],
)
def test_a_schema_is_asked_for_as_openai_does_and_else_as_llama_cpp_does(refusal: Reply) -> None:
    with model_server(completion("{}"), refusal, completion("{}")) as server:
        model = OpenAIServer(server.url, model="tall")
        for _ in range(3):
            assert model.complete("x", max_tokens=9, form=SCHEMA) == "{}"
    kinds = [s["response_format"]["type"] for s in server.asked]
    assert kinds == ["json_schema", "json_schema", "json_object", "json_object"]


def test_a_server_that_takes_no_grammar_is_told() -> None:
    error = failure(refused(400, "Unrecognized request argument: grammar"), form=Form(grammar='root ::= "x"'))
    assert "takes no GBNF grammar" in str(error)


# What is tried again


@pytest.mark.parametrize(
    ("what", "attempt", "decision"),
    [
        (Failure(status=0), 1, Again(wait=0.5)),
        (Failure(status=0), MAX_ATTEMPTS, GiveUp()),
        (Failure(status=0, slow=True), 1, Again(wait=0.5)),
        (Failure(status=0, slow=True), MAX_SLOW_ATTEMPTS, GiveUp()),
        (Failure(status=429, retry_after=7.0), 1, Again(wait=7.0)),
        (Failure(status=503, retry_after=0.0), 1, Again(wait=0.1)),
        (Failure(status=429, retry_after=3600.0), 1, GiveUp()),
        (Failure(status=429, hopeless=True), 1, GiveUp()),
        (Failure(status=500), 3, Again(wait=2.0)),
        (Failure(status=529), 1, Again(wait=0.5)),
        (Failure(status=400), 1, GiveUp()),
        (Failure(status=401), 1, GiveUp()),
        (Failure(status=404), 1, GiveUp()),
        (Failure(status=307), 1, GiveUp()),
    ],
)
def test_each_failure_has_its_policy(what: Failure, attempt: int, decision: Again | GiveUp) -> None:
    assert decide(what, attempt=attempt) == decision


@pytest.mark.parametrize(
    "hiccup",
    [
        refused(500, "oops"),
        refused(503, "loading model"),
        Reply(status=502, body=b"<html>bad gateway</html>"),
        Reply(body=b'{"choices": [', headers={}),
        Reply(body=completion("Good.").body, cut=True),
    ],
)
def test_what_may_pass_is_tried_again(hiccup: Reply, waits: list[float]) -> None:
    with model_server(hiccup, hiccup, completion("Good.")) as server:
        assert ask(server.url) == "Good."
    assert len(waits) == 2
    assert waits[1] > waits[0]


def test_a_server_that_names_a_time_is_left_alone_that_long(waits: list[float]) -> None:
    with model_server(refused(429, "slow down", Retry_After="7"), completion("Good.")) as server:
        assert ask(server.url) == "Good."
    assert 7.0 <= waits[0] <= 8.75


def test_a_date_to_come_back_at_is_understood(waits: list[float]) -> None:
    then = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=30), usegmt=True)
    with model_server(refused(429, "slow down", Retry_After=then), completion("Good.")) as server:
        assert ask(server.url) == "Good."
    assert 20.0 <= waits[0] <= 40.0


# What a user reads


def test_a_server_that_stays_busy_is_told_with_its_time(waits: list[float]) -> None:
    error = failure(refused(429, "slow down", Retry_After="3"))
    assert isinstance(error, ModelServerBusyError)
    assert (error.retry_after, len(waits)) == (3.0, MAX_ATTEMPTS - 1)


def test_a_quota_that_is_used_up_is_not_tried_again(waits: list[float]) -> None:
    assert "quota" in str(failure(refused(429, "You exceeded your quota", code="insufficient_quota")))
    assert waits == []


def test_a_server_that_stays_broken_is_told(waits: list[float]) -> None:
    error = failure(refused(500, f"boom\nwith {KEY}"))
    assert isinstance(error, ModelServerError)
    assert error.status == 500


@pytest.mark.parametrize("reply", [Reply(hang=30.0), Reply(body=b" " * 2000, drip=True)])
def test_a_server_that_hangs_or_drips_runs_out_of_time(reply: Reply, waits: list[float]) -> None:
    error = failure(reply, timeout=0.3)
    assert isinstance(error, ModelServerUnreachableError)
    assert "llm_timeout" in str(error)
    assert len(waits) == MAX_SLOW_ATTEMPTS - 1


def test_a_server_that_is_not_there_is_told(waits: list[float]) -> None:
    with model_server(completion("x")) as server:
        url = server.url
    with pytest.raises(ModelServerUnreachableError, match="check llm_url"):
        ask(url)
    assert len(waits) == MAX_ATTEMPTS - 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_told_without_it(status: int) -> None:
    error = failure(refused(status, f"Incorrect API key provided: {KEY}"))
    assert isinstance(error, ModelServerAuthError)
    assert "MEETINGS_LLM_API_KEY" in str(error)


def test_an_unknown_model_is_told() -> None:
    assert "language_model" in str(failure(refused(404, "The model `tall` does not exist")))


@pytest.mark.parametrize(
    ("reply", "needed", "context"),
    [
        (
            refused(
                400,
                "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
                "(4900 in the messages, 100 in the completion). Please reduce the length.",
                code="context_length_exceeded",
            ),
            5000,
            4096,
        ),
        (
            Reply(
                status=400,
                body={
                    "error": {
                        "code": 400,
                        "message": "the request exceeds the available context size",
                        "type": "exceed_context_size_error",
                        "n_prompt_tokens": 5000,
                        "n_ctx": 4096,
                    }
                },
            ),
            5000,
            4096,
        ),
        (Reply(status=413, body={"message": "Prompt is too long"}), 0, 0),
    ],
)
def test_a_prompt_that_does_not_fit_is_told_apart_with_the_counts_that_are_known(
    reply: Reply, needed: int, context: int, waits: list[float]
) -> None:
    error = failure(reply)
    assert isinstance(error, ContextOverflowError)
    assert (error.needed, error.context, waits) == (needed, context, [])


@pytest.mark.parametrize(
    "reply",
    [
        completion(None, refusal="I cannot help with that."),
        completion("", reason="content_filter"),
        refused(400, "The response was filtered due to the content management policy", code="content_filter"),
    ],
)
def test_a_refusal_is_told_apart(reply: Reply, waits: list[float]) -> None:
    assert isinstance(failure(reply), RefusedAnswerError)
    assert waits == []


@pytest.mark.parametrize(
    ("reply", "form"),
    [
        (Reply(body=b"<html>Welcome to nginx</html>"), None),
        (Reply(body=b"[1, 2]"), None),
        (Reply(body=b"\xff\xfe\x00"), None),
        (Reply(body={"choices": []}), None),
        (Reply(body={"choices": [{"text": "a legacy completion"}]}), None),
        (Reply(body={"choices": ["x"]}), None),
        (completion(None), None),
        (completion('{"a": ', reason="length"), SCHEMA),
        (completion("Sure! Here is your JSON:"), SCHEMA),
    ],
)
def test_what_is_no_answer_is_told_apart(reply: Reply, form: Form | None, waits: list[float]) -> None:
    assert isinstance(failure(reply, form=form), MalformedAnswerError)


def test_an_endless_answer_is_given_up() -> None:
    assert isinstance(failure(Reply(body=b" " * 5_000_000)), MalformedAnswerError)
