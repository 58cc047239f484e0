"""Somebody's words replaced by a mark, in what was heard and in transcripts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from meetings.conversation import Conversation, Utterance

MARK = "[removed]"
NOBODY = "Removed speaker"

Spans = tuple[tuple[float, float], ...]  # begins and ends, seconds from the recording's start


def spans_of(conversation: Conversation, username: str) -> list[tuple[float, float]]:
    """When somebody speaks, by this transcript; in a redacted one nobody is called so any more."""
    labels = {s.id for s in conversation.speakers if s.username == username}
    theirs = [u for u in conversation.utterances if u.speaker in labels]
    return [(part.start, part.end) for u in theirs for part in (u.words or (u,))]


def touched(utterance: Utterance, spans: Spans) -> bool:
    """Whether any of an utterance lies in the spans."""
    return any(_within(part.start, part.end, spans) for part in (utterance.words or (utterance,)))


def _within(start: float, end: float, spans: Iterable[tuple[float, float]]) -> bool:
    """Whether a word's middle lies in one of the spans; their ends are rounded to milliseconds."""
    middle = (start + end) / 2
    return any(s - 0.001 <= middle <= e + 0.001 for s, e in spans)


def redacted_words(data: Mapping[str, Any], spans: Spans) -> Mapping[str, Any]:
    """What the recogniser heard, with the mark for each word in the spans; times stay."""
    words = []
    for word in data["words"]:
        if _within(word["start"], word["end"], spans):
            word = {**word, "word": MARK}
        words.append(word)
    return {**data, "words": words}


def redacted(conversation: Conversation, username: str, spans: Spans) -> Conversation:
    """A transcript without somebody's words and name; other people's words that name them stay as they were said."""
    return replace(
        conversation,
        participants=tuple(p for p in conversation.participants if p != username),
        speakers=tuple(
            replace(s, name=NOBODY, username=None, confidence=0.0, how="unknown") if s.username == username else s
            for s in conversation.speakers
        ),
        utterances=tuple(_redacted_utterance(u, spans) for u in conversation.utterances),
    )


def _redacted_utterance(utterance: Utterance, spans: Spans) -> Utterance:
    if not utterance.words:
        whole = _within(utterance.start, utterance.end, spans)
        return replace(utterance, text=MARK) if whole else utterance
    if not any(_within(w.start, w.end, spans) for w in utterance.words):
        return utterance
    words = tuple(replace(w, word=MARK) if _within(w.start, w.end, spans) else w for w in utterance.words)
    # In the text, words joined as the recogniser's are (`align_words`), a mark stands once for words in a row.
    said = [w.word.strip() for w in words]
    kept = [word for at, word in enumerate(said) if word != MARK or at == 0 or said[at - 1] != MARK]
    return replace(utterance, text=" ".join(kept), words=words)
