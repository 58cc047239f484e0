"""Language models behind any OpenAI-compatible server: vLLM, llama.cpp, Ollama, a company's gateway, a cloud.

A server on another machine is asked only if an admin has allowed its host by name. Prompts are chat messages whose
first part is the same for all readers, which is what servers cache.
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from meetings.errors import (
    ConfigError,
    LanguageModelError,
    MalformedAnswerError,
    ModelServerError,
    ModelServerNotAllowedError,
    PromptError,
    RefusedAnswerError,
)
from meetings.llm.exchange import Exchange
from meetings.llm.model import Form

# Bytes of text a token stands for, at the least: English has about four, German three, CJK three a character.
BYTES_PER_TOKEN = 3


class OpenAIServer:
    """One model of one server."""

    def __init__(
        self,
        url: str,
        *,
        model: str,
        allowed_hosts: Collection[str] = (),
        key: str | None = None,
        context: int = 4096,
        timeout: float = 120.0,
        at_once: int = 8,
    ) -> None:
        """Remember whom to ask; nothing is sent.

        Args:
            url: the server's base, as `https://llm.example.org/v1`.
            model: the model's name there.
            allowed_hosts: hosts (with or without port) that what was said may be sent to; this machine always may.
            key: the API key, if the server wants one.
            context: tokens for prompt and answer together; the server is not asked.
            timeout: seconds that one attempt may take.
            at_once: questions that are asked at the same time, at most.

        Raises:
            ConfigError: the address is none.
            ModelServerNotAllowedError: the host is not this machine and not allowed.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ConfigError("llm_url: give an address like https://llm.example.org/v1, without user, password or ?")
        local = is_this_machine(parts.hostname)
        names = {parts.hostname.lower(), parts.netloc.lower()}
        if not local and not names & {h.strip().lower() for h in allowed_hosts}:
            raise ModelServerNotAllowedError(parts.hostname.lower())
        self._where = "" if local else parts.hostname.lower()
        self._model, self._context, self._at_once = model, context, max(1, at_once)
        self._exchange = Exchange(url, model=model, key=key, timeout=timeout, local=local)
        # Newer servers take a JSON schema as OpenAI does; llama-cpp-python and older ones as Anyscale did.
        self._old_schema = False

    @property
    def name(self) -> str:
        """The name that readers see."""
        return self._model

    @property
    def where(self) -> str:
        """The host that prompts are sent to; empty if it is this machine."""
        return self._where

    @property
    def context(self) -> int:
        """Tokens for prompt and answer together, as the admin set it."""
        return self._context

    def count_tokens(self, text: str) -> int:
        """An estimate that is rather too high: the server's tokenizer is not here."""
        return math.ceil(len(text.encode("utf-8", errors="replace")) / BYTES_PER_TOKEN)

    def models(self) -> list[str]:
        """The models that the server says it has.

        Raises:
            LanguageModelError: the server refused, failed or did not answer.
        """
        entries = self._exchange.ask("/models").get("data")
        if not isinstance(entries, list):
            raise MalformedAnswerError(f"{self._model}: the server lists no models; check llm_url")
        return [str(e["id"]) for e in entries if isinstance(e, dict) and "id" in e]

    def complete(
        self,
        prompt: str,
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        system: str = "",
        form: Form | None = None,
    ) -> str:
        """The answer to a prompt. Most servers give the same one for the same seed; none promises it.

        Raises:
            ContextOverflowError: the prompt does not fit.
            RefusedAnswerError: the model or a filter would not answer.
            MalformedAnswerError: the answer is no completion, or not of the form.
            LanguageModelError: the server refused, failed or did not answer.
        """
        messages = [{"role": "system", "content": system}] if system else []
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [*messages, {"role": "user", "content": prompt}],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        if stop:
            body["stop"] = list(stop)
        return self._checked(self._ask(body, form), form)

    def complete_each(
        self,
        prefix: str,
        suffixes: Sequence[str],
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        system: str = "",
        form: Form | None = None,
    ) -> tuple[str | PromptError, ...]:
        """The answers to `prefix + suffix` for every suffix: the first alone, then the others at the same time.

        Raises:
            LanguageModelError: the server refused, failed or did not answer.
        """

        def ask(suffix: str) -> str | PromptError:
            try:
                return self.complete(prefix + suffix, max_tokens=max_tokens, stop=stop, system=system, form=form)
            except PromptError as error:
                return error

        return tuple(self._each(ask, suffixes))

    def _each(self, ask: Any, suffixes: Sequence[str]) -> Iterator[str | PromptError]:
        if not suffixes:
            return
        # The first answer leaves the prefix in the server's cache; asked with the rest, all of them would read it.
        yield ask(suffixes[0])
        with ThreadPoolExecutor(max_workers=self._at_once) as pool:
            yield from pool.map(ask, suffixes[1:])

    def _ask(self, body: dict[str, Any], form: Form | None) -> dict[str, Any]:
        if form is None:
            return self._exchange.ask("/chat/completions", body)
        if form.schema is None:
            try:
                return self._exchange.ask("/chat/completions", {**body, "grammar": form.grammar})
            except ModelServerError as error:
                if error.status in {400, 422, 500} and "grammar" in str(error).lower():
                    raise LanguageModelError(
                        f"{self._model}: the server takes no GBNF grammar; use one that does (llama.cpp)"
                    ) from error
                raise
        if not self._old_schema:
            schema = {"name": "answer", "schema": form.schema, "strict": True}
            try:
                return self._exchange.ask(
                    "/chat/completions",
                    {**body, "response_format": {"type": "json_schema", "json_schema": schema}},
                )
            except ModelServerError as error:
                if error.status not in {400, 422} and "response_format" not in str(error):
                    raise
        old = {"type": "json_object", "schema": form.schema}
        answer = self._exchange.ask("/chat/completions", {**body, "response_format": old})
        self._old_schema = True
        return answer

    def _checked(self, answer: dict[str, Any], form: Form | None) -> str:
        """The text of a completion.

        Raises:
            RefusedAnswerError: there is a refusal instead.
            MalformedAnswerError: there is none, or it is not of the form.
        """
        try:
            choice = answer["choices"][0]
            message, reason = choice["message"], choice.get("finish_reason")
            refusal, text = message.get("refusal"), message.get("content")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise MalformedAnswerError(
                f"{self._model}: the server's answer is no completion; check that llm_url is OpenAI-compatible"
            ) from error
        if refusal or reason == "content_filter":
            said = " ".join(str(refusal or "by its content filter").split())[:120]
            raise RefusedAnswerError(f"{self._model} refused to answer ({said}); try another language_model")
        if not isinstance(text, str):
            raise MalformedAnswerError(f"{self._model}: the completion has no text; try another language_model")
        if form is not None and reason == "length":
            raise MalformedAnswerError(
                f"{self._model}: the answer broke off; ask for less, or allow more tokens", text=text
            )
        if form is not None and form.schema is not None and not _is_json(text):
            raise MalformedAnswerError(f"{self._model}: the answer is not JSON; use a server that keeps to a schema")
        return text.strip()


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine by its very name or address; no name is looked up, for others may answer it."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
