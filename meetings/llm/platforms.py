"""What differs between the platforms that serve language models: address, key, names of fields, form, limits.

Each row says what a platform's own documents say (`source`); which of it was tried for real stands in docs/models.md.
A platform changes faster than this file, so what it refuses by name is learnt from its refusal (`learn`): a row is
where to begin, not what to insist on. Pure: questions in, request bodies out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from meetings.errors import ConfigError
from meetings.llm.model import Form

# How a form is asked for, best first: a JSON schema with all its bounds; its structure alone (OpenAI's strict subset
# and Anthropic's take no lengths or ranges, and who reads the answer looks at them anyway); as Anyscale did, which
# llama-cpp-python knows; in the prompt's own words.
SCHEMA, STRUCTURE, OLD_SCHEMA, WORDS = "schema", "structure", "old schema", "words"

_BOUNDS = frozenset({"minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern"})
_REFUSED = re.compile(
    r"unsupported|not (?:be )?(?:supported|permitted|allowed|available)|does not support|deprecated|unrecognized|"
    r"unknown|unexpected|extra inputs|extraneous",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform.

    Args:
        name: what `llm_platform` says.
        title: how its makers write it.
        url: where it is unless `llm_url` says; empty: somewhere of your own.
        path: what its OpenAI-compatible surface begins with, added to an address that has no path.
        ask: where questions go, below the address.
        key_header: the header that holds the key, and `key_scheme` what stands before it.
        headers: further headers.
        limit: the name of the field that bounds an answer's tokens.
        seed: whether a seed may be given.
        forms: how a form is asked for, best first.
        grammar: the field for a GBNF grammar; empty: it takes none.
        messages: speaks Anthropic's Messages instead of OpenAI's chat completions.
        lists_models: whether it can be asked which models it has.
        source: where this is written.
    """

    name: str
    title: str
    url: str = ""
    path: str = "/v1"
    ask: str = "/chat/completions"
    key_header: str = "Authorization"
    key_scheme: str = "Bearer "
    headers: tuple[tuple[str, str], ...] = ()
    limit: str = "max_tokens"
    seed: bool = True
    forms: tuple[str, ...] = (SCHEMA, OLD_SCHEMA)
    grammar: str = "grammar"
    messages: bool = False
    lists_models: bool = True
    source: str = ""


PLATFORMS: Mapping[str, Platform] = {
    p.name: p
    for p in (
        Platform(name="compatible", title="any OpenAI-compatible server", path=""),
        Platform(
            name="openai",
            title="OpenAI",
            url="https://api.openai.com/v1",
            limit="max_completion_tokens",
            forms=(STRUCTURE, WORDS),
            grammar="",
            source="https://platform.openai.com/docs/api-reference/chat/create",
        ),
        # The surface below /openai/v1 takes no dated api-version; the older one below /openai/deployments is not used.
        Platform(
            name="azure",
            title="Azure OpenAI",
            path="/openai/v1",
            key_header="api-key",
            key_scheme="",
            limit="max_completion_tokens",
            forms=(STRUCTURE, WORDS),
            grammar="",
            source="https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle",
        ),
        # bedrock-runtime answers chat completions and nothing else of OpenAI's; bedrock-mantle lists models too.
        Platform(
            name="bedrock",
            title="AWS Bedrock",
            path="/openai/v1",
            limit="max_completion_tokens",
            seed=False,
            forms=(STRUCTURE, WORDS),
            grammar="",
            lists_models=False,
            source="https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html",
        ),
        Platform(
            name="llama",
            title="Meta Llama API",
            url="https://api.llama.com/compat/v1",
            path="/compat/v1",
            limit="max_completion_tokens",
            seed=False,
            forms=(STRUCTURE, WORDS),
            grammar="",
            source="https://llama.developer.meta.com/docs/features/compatibility",
        ),
        # Its OpenAI-compatible surface ignores response_format and is for trying out, says docs.anthropic.com/en/api/
        # openai-sdk; so its own Messages, which keep to a schema (platform.claude.com/docs/en/build-with-claude/
        # structured-outputs).
        Platform(
            name="anthropic",
            title="Anthropic",
            url="https://api.anthropic.com/v1",
            ask="/messages",
            key_header="x-api-key",
            key_scheme="",
            headers=(("anthropic-version", "2023-06-01"),),
            seed=False,
            forms=(STRUCTURE, WORDS),
            grammar="",
            messages=True,
            source="https://platform.claude.com/docs/en/api/messages",
        ),
        Platform(
            name="vllm",
            title="vLLM",
            url="http://localhost:8000/v1",
            forms=(SCHEMA, STRUCTURE),
            # guided_grammar is gone since 0.12.
            grammar="structured_outputs",
            source="https://docs.vllm.ai/en/latest/features/structured_outputs/",
        ),
        Platform(
            name="ollama",
            title="Ollama",
            url="http://localhost:11434/v1",
            forms=(SCHEMA, STRUCTURE),
            grammar="",
            source="https://docs.ollama.com/api/openai-compatibility",
        ),
        Platform(
            name="llama.cpp",
            title="llama.cpp server",
            url="http://localhost:8080/v1",
            source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        ),
    )
}


def find_platform(name: str) -> Platform:
    """The platform of a name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PLATFORMS:
        raise ConfigError(f"llm_platform = {name!r} is none of: {', '.join(PLATFORMS)}")
    return PLATFORMS[name]


def address_of(platform: Platform, url: str | None) -> str | None:
    """The base of a platform's surface: the address given, completed, or the platform's own; None if there is none."""
    if url is None:
        return platform.url or None
    given = url.rstrip("/")
    return given + platform.path if not urlsplit(given).path else given


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to a model, whoever serves it."""

    model: str
    prompt: str
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    system: str = ""
    form: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one model is asked: the platform's way, less what it has refused.

    `form` is the place in the platform's `forms`; `refused` are fields that are left out.
    """

    limit: str
    form: int = 0
    refused: frozenset[str] = frozenset()


def usual_manner(platform: Platform) -> Manner:
    """How a platform is asked before it has refused anything."""
    return Manner(limit=platform.limit, refused=frozenset() if platform.seed else frozenset({"seed"}))


def body_of(question: Question, platform: Platform, manner: Manner) -> dict[str, Any]:
    """The JSON that asks a question."""
    user = {"role": "user", "content": question.prompt}
    body: dict[str, Any] = {
        "model": question.model,
        "messages": [user],
        manner.limit: question.max_tokens,
        "temperature": question.temperature,
        "seed": question.seed,
    }
    if platform.messages:
        if question.system:
            body["system"] = question.system
        # A stop of blanks alone is refused: the answer is cut here instead.
        if stop := [s for s in question.stop if s.strip()]:
            body["stop_sequences"] = stop
    else:
        if question.system:
            body["messages"] = [{"role": "system", "content": question.system}, user]
        if question.stop:
            body["stop"] = list(question.stop)
    body = {k: v for k, v in body.items() if k not in manner.refused}
    return body | _form(question.form, platform, manner)


def _form(form: Form | None, platform: Platform, manner: Manner) -> dict[str, Any]:
    if form is None:
        return {}
    if form.schema is None:
        nested = platform.grammar == "structured_outputs"
        return {platform.grammar: {"grammar": form.grammar} if nested else form.grammar}
    way = platform.forms[manner.form]
    if way == WORDS:
        return {}
    if way == OLD_SCHEMA:
        return {"response_format": {"type": "json_object", "schema": form.schema}}
    schema = structure_of(form.schema) if way == STRUCTURE else form.schema
    if platform.messages:
        return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    named = {"name": "answer", "schema": schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def structure_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without bounds of length, range and number."""
    return {
        key: _structure(value) if key != "properties" else {name: _structure(v) for name, v in value.items()}
        for key, value in schema.items()
        if key not in _BOUNDS
    }


def _structure(value: Any) -> Any:
    return structure_of(value) if isinstance(value, Mapping) else value


def learn(
    said: str, status: int, *, question: Question, body: Mapping[str, Any], platform: Platform, manner: Manner
) -> Manner | None:
    """How to ask again after a refusal; None if asking otherwise would not help.

    Args:
        said: the refusal.
        status: its HTTP status.
        question: what was asked.
        body: how.
        platform: whom.
        manner: the manner it was asked in.
    """
    # llama-cpp-python says 500 where a field is wrong.
    if status not in {400, 422} and not (status == 500 and "response_format" in said):
        return None
    if manner.limit == "max_tokens" and "max_completion_tokens" in said:
        return replace(manner, limit="max_completion_tokens")
    if _names(said, manner.limit) and manner.limit == "max_completion_tokens":
        return replace(manner, limit="max_tokens")
    for name in ("temperature", "seed", "stop", "stop_sequences"):
        if name in body and _names(said, name):
            return replace(manner, refused=manner.refused | {name})
    if question.form is None or question.form.schema is None or manner.form + 1 >= len(platform.forms):
        return None
    return replace(manner, form=manner.form + 1)


def _names(said: str, field: str) -> bool:
    """Whether a refusal speaks of a field as one that may not be there."""
    return bool(re.search(rf"(?<![\w-]){re.escape(field)}(?![\w-])", said) and _REFUSED.search(said))
