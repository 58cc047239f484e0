"""The actions of a meeting, for calendars and tables: one person's own, or everybody's that are not confidential."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from meetings.exports.meeting import Meeting
from meetings.exports.text import plain
from meetings.store import digest
from meetings.summary import Bullet, Summary
from meetings.summary.message import day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that somebody is to do. `day` is its due date where one can be told, else `due` has the words.

    `uid` stays the same for the same moment of the same recording, whoever writes the summary and however often.
    `start` is in seconds from the recording's start; `quoted` tells that `what` is what was said, word by word.
    """

    uid: str
    what: str
    owner: str
    due: str
    day: date | None
    speaker: str
    start: float
    quoted: bool
    confidential: bool


def actions(meeting: Meeting, username: str | None = None) -> tuple[Action, ...]:
    """Actions in the order in which they were said.

    Args:
        meeting: whose summaries hold them.
        username: only what falls to this person, from their own summary; None: from all summaries, each once, without
            what was said in confidence, since the file may go to anybody.

    Raises:
        SaveError: there is no summary of theirs.
    """
    chosen = _own(meeting.summary_of(username)) if username else _everybodys(meeting)
    seen: dict[str, int] = {}
    found = []
    for bullet in sorted(chosen, key=lambda b: b.start):
        moment = digest(meeting.conversation.id, round(bullet.start, 1))
        seen[moment] = seen.get(moment, 0) + 1
        # Two actions of one moment are told apart by their order.
        number = f"-{seen[moment]}" if seen[moment] > 1 else ""
        found.append(_action(bullet, uid=f"{moment}{number}@meetings"))
    return tuple(found)


def _own(summary: Summary) -> Iterator[Bullet]:
    return (b for b in summary.bullets if b.kind == "action" and b.mine)


def _everybodys(meeting: Meeting) -> list[Bullet]:
    """An action that stands in several summaries is taken once, in the call's own language where one has it so."""
    found: dict[tuple[float, str], Bullet] = {}
    for summary in meeting.summaries:
        for bullet in summary.bullets:
            if bullet.kind != "action" or bullet.confidential:
                continue
            key = (round(bullet.start, 1), bullet.owner or "")
            if key not in found or (found[key].translated and not bullet.translated):
                found[key] = bullet
    return list(found.values())


def _action(bullet: Bullet, *, uid: str) -> Action:
    return Action(
        uid=uid,
        what=plain(bullet.text, 2_000),
        owner=plain(bullet.owner or "", 200),
        due=plain(bullet.due or "", 100),
        day=day_of(bullet.due),
        speaker=plain(bullet.speaker, 100),
        start=bullet.start,
        quoted=bullet.writer == "extract",
        confidential=bullet.confidential,
    )
