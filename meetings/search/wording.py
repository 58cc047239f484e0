"""An answer in one sentence, by a language model that passed the test of `rewrite`, on this machine.

The sentence goes through the same check as a bullet that a model wrote: what it tells has to be in the quotations it
stands on. These stand below it in any case; a sentence that does not pass is left out.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from meetings.config import Settings
from meetings.errors import LanguageModelError, ModelError
from meetings.llm import LanguageModel, TextEmbedder, is_served, language_model_fingerprint, open_language_model
from meetings.search.questions import Answer
from meetings.store import FileStore
from meetings.summary import admitted_writers
from meetings.summary.rewrite import Said, rewrite_each

_log = logging.getLogger(__name__)


def admitted_model(settings: Settings) -> LanguageModel | None:
    """The language model, if it may write; None for one on a server, where an answer's words would leave the machine.

    Raises:
        StorageError: results cannot be read.
    """
    if is_served(settings.language_model):
        return None
    try:
        admitted = admitted_writers(FileStore.of(settings), language_model_fingerprint(settings))
        return open_language_model(settings) if "rewrite" in admitted else None
    except ModelError as error:
        _log.info("answers are quotations alone: %s", error)
        return None


def put_into_words(answer: Answer, model: LanguageModel | None, embedder: TextEmbedder) -> Answer:
    """The answer with a sentence that tells it, where there is a model and what it writes was said."""
    if model is None or not answer.answers:
        return answer
    first = answer.quotes[0]
    # Of one meeting alone: what was said on two days is not one thing. The point stands last.
    behind = [q for q in answer.quotes[:0:-1] if q.card.id == first.card.id]
    said = Said(
        sentences=tuple((q.speaker, q.text) for q in (*behind, first)),
        known_names=tuple(name for _, name, _ in first.card.speakers),
    )
    try:
        (written,) = rewrite_each([said], model, embedder=embedder)
    except LanguageModelError:
        return answer  # the quotations are the answer
    return replace(answer, sentence=written or "")
