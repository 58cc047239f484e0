"""The protocol that every language model follows: prompts in, texts out.

A prompt is a shared prefix and a suffix of its own, so that many readers cost little more than one. Where a model runs
is part of the protocol: readers are told where their words went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from meetings.errors import PromptError


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What an answer must look like: a GBNF grammar (its root rule is `root`), a JSON schema, or one form in both ways.

    Of both, llama.cpp in this process takes the grammar, which can say more; servers take the schema, which all know.
    """

    grammar: str = ""
    schema: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.grammar and self.schema is None:
            raise ValueError("a form is a grammar or a schema")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Questions that were answered, and tokens of their prompts and answers; `estimated` if some were not told."""

    answers: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            answers=self.answers + other.answers,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            answer_tokens=self.answer_tokens + other.answer_tokens,
            estimated=self.estimated or other.estimated,
        )


class LanguageModel(Protocol):
    """A model that answers. Answers are data: callers check them before use."""

    @property
    def name(self) -> str:
        """The name that readers see."""

    @property
    def where(self) -> str:
        """The host that prompts are sent to; empty if the model runs on this machine."""

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has; of a model elsewhere an estimate that is rather too high."""

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
        """The answer to a prompt; the same seed and prompt give the same answer.

        Raises:
            PromptError: this prompt got no usable answer: it does not fit, was refused, or its form is wrong.
            LanguageModelError: the model failed.
        """

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
        """The greedy answers to `prefix + suffix` for every suffix, in their order; the prefix is read once.

        What went wrong with one prompt stands in its answer's place, so that the others keep theirs. Next to a tie an
        answer may differ from the one that the prompt gets alone: sums are rounded otherwise when done together.

        Raises:
            LanguageModelError: the model failed.
        """
