"""A language model with a meter: questions, tokens, seconds, and what went wrong with single prompts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from meetings.errors import PromptError, RefusedAnswerError
from meetings.llm.model import Form, LanguageModel, Usage
from meetings.llm.server import OpenAIServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a meter shows: `questions` asked, of them `refused` and `unusable` (malformed, too long), and `seconds`.

    Tokens are what a server counted, else what the model's own tokenizer counts; a prefix that many prompts share
    counts for each of them, as providers charge it.
    """

    questions: int = 0
    refused: int = 0
    unusable: int = 0
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)


class Metered:
    """A model that answers as the one inside does."""

    def __init__(self, model: LanguageModel) -> None:
        """Put a meter on a model."""
        self._model = model
        self._tally = Tally()

    @property
    def name(self) -> str:
        """The name of the model inside."""
        return self._model.name

    @property
    def where(self) -> str:
        """Where the model inside is."""
        return self._model.where

    @property
    def context(self) -> int:
        """Tokens of the model inside."""
        return self._model.context

    @property
    def tally(self) -> Tally:
        """What happened so far."""
        return self._tally

    def count_tokens(self, text: str) -> int:
        """As the model inside counts."""
        return self._model.count_tokens(text)

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
        """The answer of the model inside.

        Raises:
            PromptError: this prompt got no usable answer.
            LanguageModelError: the model failed.
        """
        began = time.monotonic()
        answer: str | PromptError | None = None
        try:
            answer = self._model.complete(
                prompt,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                stop=stop,
                system=system,
                form=form,
            )
        except PromptError as error:
            answer = error
            raise
        finally:
            self._note([system + prompt], [answer], time.monotonic() - began)
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
        """The answers of the model inside.

        Raises:
            LanguageModelError: the model failed.
        """
        began = time.monotonic()
        answers: tuple[str | PromptError, ...] | None = None
        try:
            answers = self._model.complete_each(
                prefix, suffixes, max_tokens=max_tokens, stop=stop, system=system, form=form
            )
        finally:
            given = [None] * len(suffixes) if answers is None else answers
            self._note([system + prefix + s for s in suffixes], given, time.monotonic() - began)
        return answers

    def _note(self, prompts: Sequence[str], answers: Sequence[str | PromptError | None], seconds: float) -> None:
        was = self._tally
        if isinstance(self._model, OpenAIServer):
            usage = self._model.used
        else:
            told = [(p, a) for p, a in zip(prompts, answers, strict=True) if isinstance(a, str)]
            usage = was.usage + Usage(
                answers=len(told),
                prompt_tokens=sum(self.count_tokens(p) for p, _ in told),
                answer_tokens=sum(self.count_tokens(a) for _, a in told),
            )
        refused = sum(isinstance(a, RefusedAnswerError) for a in answers)
        wrong = sum(isinstance(a, PromptError) for a in answers)
        self._tally = Tally(
            questions=was.questions + len(prompts),
            refused=was.refused + refused,
            unusable=was.unusable + wrong - refused,
            seconds=was.seconds + seconds,
            usage=usage,
        )
