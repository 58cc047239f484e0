"""A server's answer as text and tokens, whichever protocol it speaks; what is no answer is an error that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meetings.errors import MalformedAnswerError, RefusedAnswerError
from meetings.llm.model import Form

# Models that think aloud put it before the answer, in tags.
_THOUGHT = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>\s*", re.DOTALL)
# A form that was asked for in words comes as a block of code.
_FENCED = re.compile(r"\A```(?:json)?\n(.*)\n```\Z", re.DOTALL)
_BROKE_OFF = frozenset({"length", "max_tokens", "model_context_window_exceeded"})
# Azure, OpenAI and Llama; Anthropic; Bedrock's guardrails.
_FILTERED = frozenset({"content_filter", "refusal", "guardrail_intervened"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What came: text, why it ended, a refusal in words; tokens of the prompt and of the answer, None if untold."""

    text: str | None
    reason: str = ""
    refusal: str = ""
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


def read_completion(answer: Mapping[str, Any], *, model: str, messages: bool = False) -> Completion:
    """An answer in OpenAI's form, or of Anthropic's Messages.

    Raises:
        MalformedAnswerError: it is neither.
    """
    usage = answer.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    try:
        if messages:
            blocks = answer["content"]
            texts = [b["text"] for b in blocks if b["type"] == "text"]
            read = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
            return Completion(
                text="".join(texts) if texts or answer.get("stop_reason") in _FILTERED else None,
                reason=str(answer.get("stop_reason") or ""),
                prompt_tokens=sum(_count(usage, name) or 0 for name in read) or None,
                answer_tokens=_count(usage, "output_tokens"),
            )
        choice = answer["choices"][0]
        message = choice["message"]
        text = message.get("content")
        return Completion(
            text=text if isinstance(text, str) else None,
            reason=str(choice.get("finish_reason") or ""),
            refusal=str(message.get("refusal") or ""),
            prompt_tokens=_count(usage, "prompt_tokens"),
            answer_tokens=_count(usage, "completion_tokens"),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise MalformedAnswerError(
            f"{model}: the server's answer is no completion; check llm_platform, and that llm_url is OpenAI-compatible"
        ) from error


def usable_text(completion: Completion, *, model: str, form: Form | None, stop: Sequence[str] = ()) -> str:
    """The text of a completion, without thoughts and cut at the first stop.

    Raises:
        RefusedAnswerError: there is a refusal instead.
        MalformedAnswerError: there is no text, or it is not of the form.
    """
    if completion.refusal or completion.reason in _FILTERED:
        said = " ".join((completion.refusal or "by its content filter").split())[:120]
        raise RefusedAnswerError(f"{model} refused to answer ({said}); try another language_model")
    if completion.text is None:
        raise MalformedAnswerError(f"{model}: the completion has no text; try another language_model")
    text = _THOUGHT.sub("", completion.text).strip()
    if form is not None and completion.reason in _BROKE_OFF:
        raise MalformedAnswerError(
            f"{model}: the answer broke off; ask for less, or give a model that thinks first llm_thinking tokens",
            text=text,
        )
    if form is not None and form.schema is not None and (fenced := _FENCED.match(text)):
        text = fenced[1]
    if form is not None and form.schema is not None and not _is_json(text):
        raise MalformedAnswerError(f"{model}: the answer is not JSON; use a server that keeps to a schema")
    # Where a platform would not take a stop.
    return min((text.split(s, 1)[0] for s in stop), key=len, default=text).strip()


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if type(value) is int and value >= 0 else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
