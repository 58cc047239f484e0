"""Language models in this process, by llama.cpp: a GGUF file, no server, no network, nothing printed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from meetings.errors import LanguageModelError, ModelMissingError


class LlamaCpp:
    """A GGUF model. Loaded when it is first asked, so that a meeting with nothing to say never loads it."""

    def __init__(
        self, path: Path, *, threads: int = 0, context: int = 2048, gpu_layers: int = 0, name: str = ""
    ) -> None:
        """Remember what to load.

        Args:
            path: the GGUF file, or a folder with one in it.
            threads: CPU threads; 0 lets llama.cpp choose.
            context: tokens for prompt and answer together; at most what the model was trained for is used.
            gpu_layers: layers on the GPU; -1 for all.
            name: the name shown; default the file's.

        Raises:
            ModelMissingError: there is no such file.
        """
        found = sorted(path.glob("*.gguf")) if path.is_dir() else [path] if path.is_file() else []
        if not found:
            raise ModelMissingError(name or path.name, path)
        self._path = found[0]
        self._threads = threads
        self._context = context
        self._gpu_layers = gpu_layers
        self._name = name or self._path.stem
        self._llama: Any = None

    @property
    def name(self) -> str:
        """The name that readers see."""
        return self._name

    @property
    def context(self) -> int:
        """Tokens for prompt and answer together."""
        return self._context

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self._loaded().tokenize(text.encode(), add_bos=False, special=False))

    def complete(
        self,
        prompt: str,
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        system: str = "",
    ) -> str:
        """The answer to a prompt, in the model's own chat format; its length bounds its time.

        Raises:
            LanguageModelError: the prompt does not fit, the file is no model, or the model failed.
        """
        llama = self._loaded()
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        # About 32 tokens of chat markup come on top.
        needed = self.count_tokens(system) + self.count_tokens(prompt) + max_tokens + 32
        if needed > self._context:
            raise LanguageModelError(
                f"{self._name}: a prompt of {needed} tokens does not fit its context of {self._context}"
            )
        try:
            with _silence():
                # What an earlier prompt left in the cache must not decide near-ties of this one.
                llama.reset()
                answer = llama.create_chat_completion(
                    messages,
                    max_tokens=max_tokens,
                    temperature=temperature,
                    top_k=40,
                    top_p=0.9,
                    seed=seed,
                    stop=list(stop),
                )
        except (RuntimeError, ValueError, OSError) as error:
            raise LanguageModelError(f"{self._name} failed to answer ({error}); try another language_model") from error
        return str(answer["choices"][0]["message"]["content"] or "").strip()

    def _loaded(self) -> Any:
        if self._llama is None:
            from llama_cpp import Llama

            options: dict[str, Any] = {"n_threads": self._threads, "n_threads_batch": self._threads}
            try:
                with _silence():
                    self._llama = Llama(
                        model_path=str(self._path),
                        n_ctx=self._context,
                        n_gpu_layers=self._gpu_layers,
                        seed=0,
                        verbose=False,
                        **(options if self._threads else {}),
                    )
            except (RuntimeError, ValueError, OSError, AssertionError) as error:
                raise LanguageModelError(
                    f"{self._path} cannot be loaded as a GGUF model ({error}); run: meetings models verify"
                ) from error
        return self._llama


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Send what native code writes to the terminal nowhere: llama.cpp logs past every setting while it loads."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        for descriptor in (*saved, nowhere):
            os.close(descriptor)
