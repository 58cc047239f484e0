"""Language models that are compared: a name of the command line, opened, with where words go and what tokens cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from meetings.config import Settings
from meetings.config_tables import Backend
from meetings.errors import ConfigError
from meetings.llm import LanguageModel, language_model_fingerprint, open_language_model

EXTRACT = "extract"
HERE = "this machine"
NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One backend.

    Args:
        name: as on the command line.
        model: the model's own name; empty for `extract`.
        settings: what it runs with.
        privacy: where the words go.
        where: the host they are sent to; empty: none.
        input_price: of a million tokens of prompts, in `currency`; None if nobody said.
        output_price: of a million tokens of answers.
        currency: of both.
    """

    name: str
    model: str
    settings: Settings
    privacy: str
    where: str = ""
    input_price: float | None = None
    output_price: float | None = None
    currency: str = ""

    def open(self) -> LanguageModel | None:
        """The model, not yet loaded or asked; None for `extract`.

        Raises:
            ModelError: it is not there.
        """
        return open_language_model(self.settings) if self.model else None

    @property
    def fingerprint(self) -> str:
        """What `meetings models admit` knows it by."""
        return language_model_fingerprint(self.settings)

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float | None:
        """What tokens cost, in `currency`; None if a price is missing."""
        if self.input_price is None or self.output_price is None:
            return None
        return (prompt_tokens * self.input_price + answer_tokens * self.output_price) / 1e6


def find_contenders(names: str, settings: Settings, environ: Mapping[str, str]) -> tuple[Contender, ...]:
    """The backends of a list with commas, each looked at before any work: nothing is loaded or sent.

    Raises:
        ConfigError: a name, a key or a place of words is wrong.
        ModelError: a model is not there, or its host is not allowed.
    """
    wanted = dict.fromkeys(name for part in names.split(",") if (name := part.strip()))
    if not wanted:
        raise ConfigError("--backends names none; for example: --backends extract,smollm2-135m")
    return tuple(_find(name, settings, environ) for name in wanted)


def _find(name: str, settings: Settings, environ: Mapping[str, str]) -> Contender:
    if name == EXTRACT:
        if EXTRACT in settings.backends:
            raise ConfigError(f"[backends.{EXTRACT}]: {EXTRACT} means quotations without a model; name it otherwise")
        plain = settings.model_copy(update={"language_model": "none"})
        return Contender(name=name, model="", settings=plain, privacy=HERE)
    backend = settings.backends.get(name)
    if backend is None:
        chosen = settings.model_copy(update={"language_model": name})
        backend = Backend(model=name)
    else:
        chosen = _settings_of(name, backend, settings, environ)
    model = open_language_model(chosen)
    if model is None:
        raise ConfigError(f"--backends: {name} is no model; name extract, a model, or one of [backends]")
    if model.where and backend.privacy == HERE:
        raise ConfigError(f"[backends.{name}] privacy says {HERE!r}, but words go to {model.where}")
    return Contender(
        name=name,
        model=model.name,
        settings=chosen,
        privacy=backend.privacy or (NOT_STATED if model.where else HERE),
        where=model.where,
        input_price=backend.input_price,
        output_price=backend.output_price,
        currency=backend.currency,
    )


def _settings_of(name: str, backend: Backend, settings: Settings, environ: Mapping[str, str]) -> Settings:
    """The settings with a backend in the place of the one that is set; its key alone is ever sent to it."""
    key = environ.get(backend.key_env, "").strip() if backend.key_env else ""
    if backend.key_env and not key:
        raise ConfigError(f"[backends.{name}] needs its key in the environment variable {backend.key_env}")
    if key and (not key.isascii() or len(key.split()) != 1):
        raise ConfigError(f"[backends.{name}] {backend.key_env} has to hold one key and nothing else")
    return settings.model_copy(
        update={
            "language_model": f"server:{backend.model}" if backend.served else backend.model,
            "llm_platform": backend.platform or "compatible",
            "llm_url": backend.url,
            "llm_api_key": SecretStr(key) if key else None,
            "llm_api_key_file": None,
            "llm_context": backend.context or settings.llm_context,
            "llm_thinking": backend.thinking,
        }
    )
