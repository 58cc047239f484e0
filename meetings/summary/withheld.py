"""Which utterances are kept from who was not there, where a transcript is shown as a whole."""

from __future__ import annotations

from meetings.conversation import Conversation
from meetings.store import digest
from meetings.summary.confidence import Part, confidential_parts
from meetings.summary.statements import secret_turns

REMEMBERED = 1_000  # transcripts: of each a name made of its words, and numbers

_before: dict[str, frozenset[int]] = {}


def in_confidence(*versions: Conversation) -> frozenset[int]:
    """Numbers of utterances that are for those alone who were there, by any version of what was said.

    A correction opens no confidence. It is drawn wide: an utterance is hidden as a whole, by itself as well as by its
    sentences. Sentences alone tell that an utterance leads back to the agenda only at its end, that an announcement was
    cut in two, and what is told again elsewhere; what search and summaries keep from somebody, no page shows them.
    """
    return frozenset().union(*map(_withheld, versions))


def _withheld(conversation: Conversation) -> frozenset[int]:
    """Those of one version. Remembered: a page is looked at again and again, and reading a long call takes seconds."""
    said = [[u.speaker, u.start, u.end, u.text, [[w.start, w.end] for w in u.words]] for u in conversation.utterances]
    key = digest("in confidence", ascii(said))  # halves of characters have no bytes
    found = _before.get(key)
    if found is None:
        found = _whole(conversation) | secret_turns(conversation)
        if len(_before) >= REMEMBERED:
            _before.clear()
        _before[key] = found
    return found


def _whole(conversation: Conversation) -> frozenset[int]:
    return confidential_parts(
        [Part(turn=n, start=u.start, end=u.end, text=u.text) for n, u in enumerate(conversation.utterances)]
    )
