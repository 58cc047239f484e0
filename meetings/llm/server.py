"""Language models behind a server: vLLM, llama.cpp, Ollama, a company's gateway, a cloud; `platforms` says how.

A server on another machine is asked only if an admin has allowed its host by name. Prompts are chat messages whose
first part is the same for all readers, which is what servers cache.
"""

from __future__ import annotations

import ipaddress
import math
import threading
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
)
from meetings.llm.completion import Completion, read_completion, usable_text
from meetings.llm.exchange import Exchange
from meetings.llm.model import Form, Usage
from meetings.llm.platforms import PLATFORMS, Platform, Question, body_of, learn, usual_manner

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
        platform: Platform = PLATFORMS["compatible"],
        thinking: int = 0,
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
            platform: how it is asked.
            thinking: tokens that an answer may have beside its text, for a model that thinks before it answers.

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
        self._exchange = Exchange(url, model=model, key=key, timeout=timeout, local=local, platform=platform)
        self._platform, self._manner, self._thinking = platform, usual_manner(platform), thinking
        self._used, self._lock, self._looked = Usage(), threading.Lock(), False

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
        """Tokens for prompt and answer together, as the admin set it, less what thinking may take."""
        return max(0, self._context - self._thinking)

    @property
    def used(self) -> Usage:
        """What was asked and answered so far, by the server's own count where it tells."""
        with self._lock:
            return self._used

    @property
    def lists_models(self) -> bool:
        """Whether the platform can be asked which models it has."""
        return self._platform.lists_models

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
        question = Question(
            model=self._model,
            prompt=prompt,
            max_tokens=max_tokens + self._thinking,
            temperature=temperature,
            seed=seed,
            stop=tuple(stop),
            system=system,
            form=form,
        )
        completion = read_completion(self._ask(question), model=self._model, messages=self._platform.messages)
        self._count(question, completion)
        self._look_at_context()
        return usable_text(completion, model=self._model, form=form, stop=question.stop)

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

    def _ask(self, question: Question) -> dict[str, Any]:
        """The answer in JSON; what the server refuses by name is asked for otherwise, now and from then on."""
        bare = question.form is not None and question.form.schema is None
        if bare and not self._platform.grammar:
            raise LanguageModelError(f"{self._model}: {self._platform.title} takes no GBNF grammar; use llama.cpp")
        manner = self._manner
        while True:
            body = body_of(question, self._platform, manner)
            try:
                answer = self._exchange.ask(self._platform.ask, body)
            except ModelServerError as error:
                said = str(error)
                if bare and error.status in {400, 422, 500} and "grammar" in said.lower():
                    raise LanguageModelError(
                        f"{self._model}: the server takes no GBNF grammar; use one that does (llama.cpp)"
                    ) from error
                other = learn(said, error.status, question=question, body=body, platform=self._platform, manner=manner)
                if other is None:
                    raise
                manner = other
            else:
                # Only what then worked is kept: one odd refusal must not cost every later question its form.
                self._manner = manner
                return answer

    def _count(self, question: Question, completion: Completion) -> None:
        told = completion.prompt_tokens, completion.answer_tokens
        asked = self.count_tokens(question.system + question.prompt) if told[0] is None else told[0]
        answered = self.count_tokens(completion.text or "") if told[1] is None else told[1]
        new = Usage(answers=1, prompt_tokens=asked, answer_tokens=answered, estimated=None in told)
        with self._lock:
            self._used += new

    def _look_at_context(self) -> None:
        """Ollama cuts a prompt that is longer than its own context without a word: once, see how long that is.

        The cut: github.com/ollama/ollama/issues/4967. It tells the length of loaded models only
        (docs.ollama.com/api/ps), so the first answer comes before.

        Raises:
            LanguageModelError: it reads less than `llm_context` says.
        """
        if self._platform.name != "ollama" or self._looked:
            return
        try:
            loaded = self._exchange.ask("../api/ps").get("models")
        except LanguageModelError:
            loaded = None  # a gateway before it need not let this through
        self._looked = True
        for entry in loaded if isinstance(loaded, list) else []:
            known = entry if isinstance(entry, dict) else {}
            length = known.get("context_length")
            same = str(known.get("name")).removesuffix(":latest") == self._model.removesuffix(":latest")
            if same and isinstance(length, int) and 0 < length < self._context:
                self._looked = False  # the next question is refused as well
                raise LanguageModelError(
                    f"{self._model}: Ollama reads {length} tokens and drops the rest without a word; start it with "
                    f"OLLAMA_CONTEXT_LENGTH={self._context}, or set llm_context = {length}"
                )


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine by its very name or address; no name is looked up, for others may answer it."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
