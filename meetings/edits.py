"""What people corrected in the words of a transcript: kept beside it, never in place of what was heard.

One document a recording, all changes in order: which utterance, what stood there, what stands there now, who changed it
and when. They are laid over a conversation by `apply_edits`; an edit of words that are no longer those which were heard
(the speech was done again by another model) is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from meetings.config import Settings
from meetings.conversation import Conversation, Utterance
from meetings.errors import CorrectionError
from meetings.store import Database, digest

KIND = "utterance edits"  # documents: one a recording, by its id
MAX_TEXT = 4_000  # characters of an utterance
MAX_EDITS = 5_000  # of one recording
CHANGED = "Somebody changed that passage meanwhile; look at it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change: `before` stood there, `text` stands there now; `at` is ISO 8601 in UTC."""

    utterance: str
    before: str
    text: str
    by: str
    at: str


def read_edits(settings: Settings, media_id: str) -> tuple[Edit, ...]:
    """All changes of a recording, in order."""
    document = Database.of(settings).read(KIND, media_id)
    return parse_edits(document.body if document else None)


def parse_edits(body: str | None) -> tuple[Edit, ...]:
    """The changes that a document holds; none of nothing."""
    return tuple(Edit(**e) for e in json.loads(body)) if body else ()


def written(edits: Sequence[Edit]) -> str | None:
    """The document that holds these; None for none."""
    return json.dumps([asdict(e) for e in edits], ensure_ascii=False) if edits else None


def add_edit(
    settings: Settings,
    media_id: str,
    *,
    utterance: str,
    before: str,
    text: str,
    by: str,
    heard: Utterance | None = None,
) -> bool:
    """Note a change; False if nothing would change.

    Args:
        settings: where they are kept.
        media_id: the recording.
        utterance: its id.
        before: what stands there.
        text: what is to stand there.
        by: who it is.
        heard: the utterance as it is stored, by which it is seen whether `before` stands there still when the change
            is written; None: it is not looked at.

    Raises:
        CorrectionError: the text is empty or too long, there are too many changes, or somebody was faster.
    """
    said = " ".join(text.split())
    if not said or len(said) > MAX_TEXT:
        raise CorrectionError(f"an utterance has 1 to {MAX_TEXT} characters")
    if said == before:
        return False

    def added(body: str | None) -> str | None:
        edits = parse_edits(body)
        mine = tuple(e for e in edits if e.utterance == utterance)
        if heard is not None and _applied(heard, mine).text != before:
            raise CorrectionError(CHANGED)
        if len(edits) >= MAX_EDITS:
            raise CorrectionError(f"this transcript was changed {MAX_EDITS} times; that is as often as it can be")
        at = datetime.now(tz=UTC).isoformat(timespec="seconds")
        return written((*edits, Edit(utterance=utterance, before=before, text=said, by=by, at=at)))

    Database.of(settings).change(KIND, media_id, added)
    return True


def change_edits(
    settings: Settings, media_id: str, change: Callable[[Edit], Edit | None], *, dry_run: bool = False
) -> int:
    """Change, or take out (None), what is kept of changes; how many it concerned. They become no younger by it."""
    concerned = 0

    def changed(body: str | None) -> str | None:
        nonlocal concerned
        before = parse_edits(body)
        after = [(e, change(e)) for e in before]
        concerned = sum(new != old for old, new in after)
        return body if dry_run or not concerned else written([new for _, new in after if new is not None])

    Database.of(settings).change(KIND, media_id, changed, aged=True)
    return concerned


def edits_by_utterance(edits: Sequence[Edit]) -> dict[str, tuple[Edit, ...]]:
    """The changes of each utterance, in order."""
    found: dict[str, tuple[Edit, ...]] = {}
    for edit in edits:
        found[edit.utterance] = (*found.get(edit.utterance, ()), edit)
    return found


def edits_that_fit(utterance: Utterance, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The changes of an utterance which its words went through, each from where the one before it ended.

    Where the speech was done again and other words were heard, changes of those stand beside the old ones.
    """
    ways: list[tuple[set[str], list[Edit]]] = []
    for edit in edits:
        found = next((way for way in reversed(ways) if edit.before in way[0]), None)
        if found is None:
            found = ({edit.before}, [])
            ways.append(found)
        found[0].add(edit.text)
        found[1].append(edit)
    return next((tuple(mine) for known, mine in reversed(ways) if utterance.text in known), ())


def apply_edits(conversation: Conversation, edits: Sequence[Edit]) -> Conversation:
    """The conversation as people corrected it; done again, it changes nothing."""
    if not edits:
        return conversation
    theirs = edits_by_utterance(edits)
    return replace(conversation, utterances=tuple(_applied(u, theirs.get(u.id, ())) for u in conversation.utterances))


def as_heard(conversation: Conversation, edits: Sequence[Edit]) -> Conversation:
    """The conversation with the words that were heard, also where it was made again with corrected ones."""
    if not edits:
        return conversation
    theirs = edits_by_utterance(edits)
    return replace(conversation, utterances=tuple(_heard(u, theirs.get(u.id, ())) for u in conversation.utterances))


def _heard(utterance: Utterance, edits: Sequence[Edit]) -> Utterance:
    fitting = edits_that_fit(utterance, edits)
    if not fitting or fitting[0].before == utterance.text:
        return utterance
    return replace(utterance, text=fitting[0].before, words=())


def _applied(utterance: Utterance, edits: Sequence[Edit]) -> Utterance:
    fitting = edits_that_fit(utterance, edits)
    if not fitting or fitting[-1].text == utterance.text:
        return utterance
    # The times of words are those of what was heard.
    return replace(utterance, text=fitting[-1].text, words=())


def edits_stamp(edits: Sequence[Edit]) -> str:
    """Changes when the words may; empty without any."""
    return digest("edits", [[e.utterance, e.before, e.text] for e in edits]) if edits else ""


def edits_states(settings: Settings) -> dict[str, str]:
    """For each recording that has changes, what is another when they are: one listing, none of them is read."""
    return {one.name: f"{one.changed_at!r}-{one.size}" for one in Database.of(settings).listed(KIND)}
