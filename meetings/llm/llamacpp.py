"""Language models in this process, by llama.cpp: a GGUF file, no server, no network, nothing printed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetings.errors import (
    ContextOverflowError,
    LanguageModelError,
    MalformedAnswerError,
    ModelMissingError,
    PromptError,
)
from meetings.llm.model import Form

if TYPE_CHECKING:
    from meetings.llm.sequences import Ended, Sequences

SEQUENCES = 8
# llama.cpp caps it at what the model has.
ALL_LAYERS = 0x7FFFFFFF
# Stand for the texts while a chat template is filled in: private use characters, which no template looks at.
_SYSTEM, _USER = "\ue000system\ue000", "\ue000user\ue000"


class LlamaCpp:
    """A GGUF model. Loaded when it is first asked, so that a meeting with nothing to say never loads it."""

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 0,
        context: int = 2048,
        gpu_layers: int = 0,
        sequences: int = SEQUENCES,
        name: str = "",
    ) -> None:
        """Remember what to load.

        Args:
            path: the GGUF file, or a folder with one in it.
            threads: CPU threads; 0 takes the cores this process may run on.
            context: tokens for prompt and answer together, of all that are answered at once; at most what the model was
                trained for is used, and 0 stands for that.
            gpu_layers: layers on the GPU; -1 for all.
            sequences: prompts that `complete_each` answers at once, at most.
            name: the name shown; default the file's.

        Raises:
            ModelMissingError: there is no such file.
        """
        found = sorted(path.glob("*.gguf")) if path.is_dir() else [path] if path.is_file() else []
        if not found:
            raise ModelMissingError(name or path.name, path)
        self._path = found[0]
        self._threads = threads or _cores()
        self._wanted_context = context
        self._gpu_layers = gpu_layers
        self._sequences = sequences
        self._name = name or self._path.stem
        self._loaded: _Loaded | None = None

    @property
    def name(self) -> str:
        """The name that readers see."""
        return self._name

    @property
    def where(self) -> str:
        """Nowhere else: the model runs on this machine."""
        return ""

    @property
    def context(self) -> int:
        """Tokens for prompt and answer together. Loads the model, which knows its own limit."""
        return self._load().context

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self._load().tokenize(text))

    def close(self) -> None:
        """Give the memory back; the next question loads the model again."""
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None

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
        """The answer to a prompt, in the model's own chat format; its length bounds its time.

        Raises:
            ContextOverflowError: the prompt does not fit.
            MalformedAnswerError: an answer that has to have a form broke off.
            LanguageModelError: the file is no model, the grammar is none, or the model failed.
        """
        (answer,) = self._answer("", [prompt], max_tokens, temperature, seed, stop, system, form)
        if isinstance(answer, PromptError):
            raise answer
        return answer

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
        """The greedy answers to `prefix + suffix` for every suffix; the prefix is read once, also from call to call.

        Raises:
            LanguageModelError: the file is no model, the grammar is none, or the model failed.
        """
        return self._answer(prefix, suffixes, max_tokens, 0.0, 0, stop, system, form)

    def _answer(
        self,
        prefix: str,
        suffixes: Sequence[str],
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str],
        system: str,
        form: Form | None,
    ) -> tuple[str | PromptError, ...]:
        loaded = self._load()
        head, prompts = loaded.prompts(prefix, suffixes, system)
        answers: list[str | PromptError] = [
            ContextOverflowError(self._name, needed=len(p) + max_tokens, context=loaded.context) for p in prompts
        ]
        fit = [i for i, p in enumerate(prompts) if len(p) + max_tokens <= loaded.context]
        if not fit:
            return tuple(answers)
        # The head decides, not what the suffixes happen to share: an answer must not hang on who else is asked.
        shared = min(_common(head, prompts[i]) for i in fit)
        grammar = _gbnf(form, self._name)
        try:
            with _silence():
                if not loaded.takes_grammar(grammar):
                    raise LanguageModelError(f"{self._name}: the grammar asked for is not GBNF")
                ended = loaded.sequences.generate(
                    [prompts[i] for i in fit],
                    shared=shared,
                    max_tokens=max_tokens,
                    sampler=lambda: loaded.sampler(temperature, seed, grammar),
                    stop=stop,
                )
        except _failures() as error:
            raise LanguageModelError(f"{self._name} failed to answer ({error}); try another language_model") from error
        for i, end in zip(fit, ended, strict=True):
            answers[i] = self._checked(end, form, max_tokens)
        return tuple(answers)

    def _checked(self, end: Ended, form: Form | None, max_tokens: int) -> str | PromptError:
        if form is not None and not end.finished:
            return MalformedAnswerError(
                f"{self._name}: the answer broke off after {max_tokens} tokens; ask for less, or allow more",
                text=end.text,
            )
        return end.text.strip()

    def _load(self) -> _Loaded:
        if self._loaded is None:
            try:
                with _silence():
                    self._loaded = _Loaded(
                        self._path,
                        context=self._wanted_context,
                        gpu_layers=self._gpu_layers,
                        sequences=self._sequences,
                        threads=self._threads,
                    )
            except _failures() as error:
                raise LanguageModelError(
                    f"{self._path} cannot be loaded as a GGUF model ({error}); run: meetings models verify"
                ) from error
        return self._loaded


class _Loaded:
    """The model's weights, words and chat format, and a context over them."""

    def __init__(self, path: Path, *, context: int, gpu_layers: int, sequences: int, threads: int) -> None:
        import llama_cpp

        self._api: Any = llama_cpp
        self._model: Any = None
        self._open: Sequences | None = None
        # llama.cpp also logs when it is freed, long after `_silence`: its Python callback heeds this logger's level.
        logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = ALL_LAYERS if gpu_layers < 0 else gpu_layers
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise ValueError("llama.cpp does not take it")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        trained = int(llama_cpp.llama_model_n_ctx_train(self._model))
        self.context = min(context or trained, trained)
        on_gpu = params.n_gpu_layers > 0 and bool(llama_cpp.llama_supports_gpu_offload())
        self._options: dict[str, Any] = {
            "cells": self.context,
            "sequences": sequences,
            "threads": threads,
            "flash": on_gpu,
        }
        self._template = self._chat_template()

    @property
    def sequences(self) -> Sequences:
        """The context; made when it is first needed, so that counting tokens costs no memory for one."""
        if self._open is None:
            from meetings.llm.sequences import Sequences

            self._open = Sequences(self._model, **self._options)
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        if self._model:
            self._api.llama_model_free(self._model)
        self._open = self._model = None

    def __del__(self) -> None:
        self.close()

    def tokenize(self, text: str, *, markup: bool = False, begin: bool = False) -> list[int]:
        """Tokens of a text. Only `markup` may hold special tokens: what was said cannot end its own message."""
        data = text.encode("utf-8", errors="replace")
        size = len(data) + 16
        tokens = (self._api.llama_token * size)()
        count = self._api.llama_tokenize(self._vocab, data, len(data), tokens, size, begin, markup)
        if count < 0:
            raise LanguageModelError(f"a text of {len(data)} bytes cannot be made into tokens; try another model")
        return list(tokens[:count])

    def prompts(self, prefix: str, suffixes: Sequence[str], system: str) -> tuple[list[int], list[list[int]]]:
        """The tokens that all prompts may share, and every prompt's, in the model's chat format."""
        pieces = self._pieces(system)
        user = pieces.index(_USER)
        before: list[int] = []
        for piece in pieces[:user]:
            before += self.tokenize(system) if piece == _SYSTEM else self._markup(piece, first=not before)
        after = [token for piece in pieces[user + 1 :] for token in self._markup(piece, first=False)]
        lead = "" if _SYSTEM in pieces or not system else system + "\n\n"
        head = before + self.tokenize(lead + prefix)
        return head, [before + self.tokenize(lead + prefix + suffix) + after for suffix in suffixes]

    def sampler(self, temperature: float, seed: int, grammar: str) -> Any:
        """What picks the next token: the likeliest, or by chance at a temperature; of what the grammar allows."""
        api = self._api
        chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
        steps = [api.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")] if grammar else []
        if temperature <= 0:
            steps.append(api.llama_sampler_init_greedy())
        else:
            steps += [
                api.llama_sampler_init_top_k(40),
                api.llama_sampler_init_top_p(0.9, 1),
                api.llama_sampler_init_min_p(0.05, 1),
                api.llama_sampler_init_temp(temperature),
                api.llama_sampler_init_dist(seed),
            ]
        for step in steps:
            api.llama_sampler_chain_add(chain, step)
        return chain

    def takes_grammar(self, grammar: str) -> bool:
        """Whether a grammar can be read; an empty one is none and always can."""
        if not grammar:
            return True
        sampler = self._api.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        if sampler:
            self._api.llama_sampler_free(sampler)
        return bool(sampler)

    def _markup(self, piece: str, *, first: bool) -> list[int]:
        # A template writes the token that begins a text itself; without one, the vocabulary says.
        return self.tokenize(piece, markup=True, begin=first and not self._template)

    def _chat_template(self) -> str:
        template = self._api.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", errors="replace") if template else ""

    def _pieces(self, system: str) -> list[str]:
        """The chat format around a question: markup, with `_SYSTEM` and `_USER` where the texts go."""
        import jinja2
        from llama_cpp import llama_chat_format

        format_chat: Any = llama_chat_format.Jinja2ChatFormatter(
            template=self._template or llama_chat_format.CHATML_CHAT_TEMPLATE,
            eos_token=self._token_text(self._api.llama_vocab_eos(self._vocab)),
            bos_token=self._token_text(self._api.llama_vocab_bos(self._vocab)),
        )
        question = {"role": "user", "content": _USER}
        try:
            told = [{"role": "system", "content": _SYSTEM}, question] if system else [question]
            text = format_chat(messages=told).prompt
        except (jinja2.TemplateError, ValueError):
            # Some templates know no system message: what it says then opens the question.
            text = format_chat(messages=[question]).prompt
        pieces = [p for p in re.split(f"({_SYSTEM}|{_USER})", text) if p]
        if pieces.count(_USER) != 1:
            raise LanguageModelError("the model's chat template loses the question; try another language_model")
        return pieces

    def _token_text(self, token: int) -> str:
        text = self._api.llama_vocab_get_text(self._vocab, token) if token >= 0 else None
        return text.decode("utf-8", errors="replace") if text else ""


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many first tokens are the same; one at least is left of `b`, which must have something to go on from."""
    limit = min(len(a), len(b) - 1)
    return next((i for i in range(limit) if a[i] != b[i]), limit)


def _gbnf(form: Form | None, name: str) -> str:
    if form is None or form.grammar or form.schema is None:
        return form.grammar if form else ""
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        return str(json_schema_to_gbnf(json.dumps(form.schema)))
    except (KeyError, ValueError, TypeError, AssertionError) as error:
        raise LanguageModelError(f"{name}: the JSON schema asked for is not understood ({error})") from error


def _failures() -> tuple[type[Exception], ...]:
    from meetings.llm.sequences import DecodeError

    return DecodeError, RuntimeError, ValueError, OSError


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_terminal: list[int] = []  # stdout and stderr, while a model is loaded
_loading = 0
_turn = threading.Lock()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Send what native code writes to the terminal nowhere: llama.cpp logs past every setting while it loads."""
    global _loading
    with _turn:
        if not _loading:
            sys.stdout.flush()
            sys.stderr.flush()
            _terminal[:] = os.dup(1), os.dup(2)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        _loading += 1
    try:
        yield
    finally:
        with _turn:
            _loading -= 1
            if not _loading:
                speak_again()
                for descriptor in _terminal:
                    os.close(descriptor)
                _terminal.clear()


def speak_again() -> None:
    """Let what is written to the terminal get there, also while a thread loads a model: the process ends."""
    for descriptor, number in zip(_terminal, (1, 2), strict=False):
        os.dup2(descriptor, number)
