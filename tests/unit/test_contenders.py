"""Backends by name: what each runs with, where its words go, what it costs, and that no key goes astray."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meetings.config import Settings, load_settings
from meetings.contenders import Contender, find_contenders
from meetings.errors import ConfigError, MeetingsError, ModelError, ModelServerNotAllowedError
from tests.unit.model_server import completion, model_server

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
CLOUD = {"model": "tall", "platform": "openai", "key_env": "CLOUD_KEY", "input_price": 2.0, "output_price": 8.0}
KEY = {"CLOUD_KEY": "sk-of-the-cloud"}


def settings(**values: object) -> Settings:
    return Settings.model_validate({"llm_allowed_hosts": ["api.openai.com"], "backends": {"cloud": CLOUD}, **values})


def found(names: str, chosen: Settings | None = None, environ: dict[str, str] | None = None) -> tuple[Contender, ...]:
    return find_contenders(names, chosen or settings(), KEY if environ is None else environ)


def refusal(names: str, chosen: Settings | None = None, environ: dict[str, str] | None = None) -> MeetingsError:
    with pytest.raises(MeetingsError) as raised:
        found(names, chosen, environ)
    assert "sk-of" not in str(raised.value)
    return raised.value


def test_extract_needs_no_model_and_stays_here() -> None:
    (plain,) = found("extract")
    assert (plain.model, plain.privacy, plain.where, plain.open()) == ("", "this machine", "", None)


def test_a_backend_runs_with_its_own_settings_and_the_rest_of_the_admins() -> None:
    backend = {**CLOUD, "context": 32_000, "thinking": 500}
    (cloud,) = found("cloud", settings(backends={"cloud": backend}, llm_timeout=7.0, llm_context=2048))
    assert (cloud.model, cloud.where, cloud.settings.llm_timeout) == ("tall", "api.openai.com", 7.0)
    opened = cloud.open()
    assert opened is not None
    assert opened.context == 31_500


def test_names_that_stand_twice_run_once_and_in_their_order() -> None:
    assert [c.name for c in found("cloud, extract,cloud")] == ["cloud", "extract"]


def test_tokens_cost_what_the_prices_say() -> None:
    (cloud,) = found("cloud")
    assert cloud.cost(500_000, 250_000) == pytest.approx(3.0)


def test_without_a_price_nothing_is_said_of_money() -> None:
    (cloud,) = found("cloud", settings(backends={"cloud": {**CLOUD, "output_price": None}}))
    assert cloud.cost(500_000, 250_000) is None


def test_a_host_that_is_not_allowed_is_refused_before_any_work() -> None:
    assert isinstance(refusal("extract,cloud", settings(llm_allowed_hosts=[])), ModelServerNotAllowedError)


def test_a_key_that_is_not_there_is_told_by_its_variable() -> None:
    assert "CLOUD_KEY" in str(refusal("cloud", environ={}))


@pytest.mark.parametrize("key", ["sk-of two", "sk-of\ntwo", "sk-öf"])
def test_a_variable_with_anything_but_one_key_is_refused(key: str) -> None:
    assert "one key and nothing else" in str(refusal("cloud", environ={"CLOUD_KEY": key}))


def test_a_key_in_the_settings_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "meetings.toml").write_text('[backends.cloud]\nmodel = "tall"\nkey = "sk-of-the-cloud"\n')
    with pytest.raises(ConfigError, match=r"backends\.cloud\.key") as raised:
        load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")
    assert "sk-of" not in str(raised.value)


def test_the_key_of_another_server_is_not_sent_to_a_backend() -> None:
    with model_server(completion("Good.")) as server:
        chosen = settings(llm_api_key="sk-of-the-admin", backends={"own": {"model": "tall", "url": server.url}})
        (own,) = found("own", chosen)
        model = own.open()
        assert model is not None
        model.complete("x", max_tokens=3)
    assert "Authorization" not in server.headers[0]


def test_words_that_go_elsewhere_are_not_called_this_machines() -> None:
    backend = {**CLOUD, "privacy": "this machine"}
    assert "but words go to api.openai.com" in str(refusal("cloud", settings(backends={"cloud": backend})))


@pytest.mark.parametrize(
    ("backend", "privacy"),
    [
        (CLOUD, "not stated"),
        ({**CLOUD, "privacy": "provider, Frankfurt"}, "provider, Frankfurt"),
        ({"model": "tall", "url": "http://localhost:8000/v1"}, "this machine"),
    ],
)
def test_where_words_go_is_what_the_admin_says_and_never_better_than_known(
    backend: dict[str, object], privacy: str
) -> None:
    assert found("x", settings(backends={"x": backend}))[0].privacy == privacy


@pytest.mark.parametrize("name", ["none", " , ", "gtp"])
def test_a_name_that_is_no_backend_is_told(name: str) -> None:
    assert isinstance(refusal(name), ConfigError | ModelError)


def test_extract_is_no_name_for_a_backend_of_ones_own() -> None:
    assert "name it otherwise" in str(refusal("extract", settings(backends={"extract": CLOUD})))


def test_the_backends_of_the_docs_are_read(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    (tmp_path / "meetings.toml").write_text(block.group(1))
    chosen = load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")
    azure, gpu = find_contenders("azure,gpu", chosen, {"AZURE_OPENAI_API_KEY": "sk"})
    assert (azure.where, azure.privacy) == ("acme.openai.azure.com", "provider, EU data zone")
    assert (gpu.where, gpu.settings.llm_thinking) == ("", 1000)
