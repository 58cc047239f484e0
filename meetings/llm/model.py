"""The protocol that every language model follows: one prompt in, one text out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class LanguageModel(Protocol):
    """A model that answers. Answers are data: callers check them before use."""

    @property
    def name(self) -> str:
        """The name that readers see."""

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has."""

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
        """The answer to a prompt; the same seed and prompt give the same answer.

        Raises:
            LanguageModelError: the prompt does not fit, or the model failed.
        """
