"""What the page of the work shows, and to whom: values in, values out.

An admin sees all of it. Anybody else sees the recordings of channels that they are in, and of these where each stands:
nothing of queues, machines, causes or other people, and nothing that tells of what is in other channels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from meetings.progress import STAGES
from meetings.watching import Failure, QueueState, Seen, Undelivered, UnderWay, Waiting, Worker, span, told_of

_NONE: Mapping[str, str] = {}
MOST = 100  # rows of a section; of more the number is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the server says of a recording's post: the channel that it is in, and what the call is called."""

    channel_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stage that works now: what it does, how far it is (0 to 100, or nobody knows), and the same in words."""

    name: str
    far: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing: its name, where it leads, how it stands in a word and in lines, its bars.

    `again` is the post that can be tried again; empty where there is nothing to try, or nobody to do so.
    """

    key: str
    title: str
    state: str = ""
    link: str = ""
    lines: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    again: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows of one kind; `more` says how many there are that are not shown."""

    key: str
    title: str
    rows: tuple[Row, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The page: when it was so (seconds since the epoch), what is in the way, and what there is; empty sections go."""

    at: float
    trouble: str
    sections: tuple[Section, ...]


def everything(
    seen: Seen,
    known: Mapping[str, Known],
    *,
    server: str,
    titles: Mapping[str, str] = _NONE,
    trouble: str = "",
) -> Board:
    """What an admin sees.

    Args:
        seen: how the work stands.
        known: what is known of recordings' posts; of one that the bot cannot read its id has to do.
        server: the address of Mattermost.
        titles: what calls are called whose messages were not delivered, by their recordings' ids.
        trouble: why this is not how it stands now.
    """
    pages = _Recordings(seen, known, server)
    return _board(
        seen,
        trouble,
        [
            ("work", "Being worked on", [pages.under_way(u, inside=True) for u in seen.under_way]),
            ("failed", "Failed", [pages.failed(f, inside=True) for f in seen.failures]),
            ("waiting", "Waiting", [pages.waiting(w) for w in seen.waiting]),
            ("undelivered", "Not delivered", [_undelivered(u, titles.get(u.recording, "")) for u in seen.undelivered]),
            ("queues", "Queues", [_queue(q, seen.at) for q in seen.queues]),
            ("workers", "Who works", [_worker(w, seen.at) for w in seen.workers]),
        ],
    )


def own(seen: Seen, known: Mapping[str, Known], *, channels: Collection[str], server: str, trouble: str = "") -> Board:
    """What anybody else sees who is signed in: recordings of `channels`, which they are in at this moment."""
    mine = {post: one for post, one in known.items() if one.channel_id in channels}
    pages = _Recordings(seen, mine, server)
    return _board(
        seen,
        trouble,
        [
            ("work", "Being worked on", [pages.under_way(u) for u in seen.under_way if u.recording and u.post in mine]),
            ("failed", "Failed", [pages.failed(f) for f in seen.failures if f.post in mine]),
            ("waiting", "Waiting", [pages.waiting(w) for w in seen.waiting if w.post in mine]),
        ],
    )


def posts_of(seen: Seen) -> tuple[str, ...]:
    """The posts of all recordings, what is worked on first; no post of an answer, which may be a direct message."""
    posts = [
        *(u.post for u in seen.under_way if u.recording),
        *(f.post for f in seen.failures),
        *(w.post for w in seen.waiting),
    ]
    return tuple(dict.fromkeys(posts))


def _board(seen: Seen, trouble: str, sections: Iterable[tuple[str, str, list[Row]]]) -> Board:
    return Board(
        at=seen.at,
        trouble=trouble,
        sections=tuple(
            Section(key=key, title=title, rows=tuple(rows[:MOST]), more=max(0, len(rows) - MOST))
            for key, title, rows in sections
            if rows
        ),
    )


class _Recordings:
    """Rows of recordings. `inside`: with what is for admins alone."""

    def __init__(self, seen: Seen, known: Mapping[str, Known], server: str) -> None:
        self._at, self._known, self._server = seen.at, known, server

    def under_way(self, under: UnderWay, *, inside: bool = False) -> Row:
        span_now = span(self._at - under.since)
        by = f", by {under.worker}" if inside and under.worker else ""
        if not under.recording:
            # Whose it is and what it says is nobody's business.
            what = "An answer" if under.queue == "answers" else "A correction or removal"
            return Row(key=f"work {under.post}", title=what, lines=(f"For {span_now}{by}",))
        done = sum(stage.state == "done" for stage in under.stages)
        if under.now:
            where = f"Stage {done + 1} of {len(under.stages)}, for {span_now}"
        else:
            where = f"{under.stage[:1].upper()}{under.stage[1:]}, for {span_now}"
        bars = tuple(
            Bar(
                name=STAGES[stage.name],
                far=None if stage.far is None else int(stage.far * 100),
                said=told_of(stage) or "working",
            )
            for stage in under.now
        )
        return self._row(under.post, lines=(f"{where}{by}",), bars=bars)

    def waiting(self, waiting: Waiting) -> Row:
        lines = [f"waits for {span(self._at - waiting.since)}"]
        if waiting.due is not None:
            lines.append(f"looked at again in {span(waiting.due - self._at)}")
        return self._row(waiting.post, lines=(", ".join(lines),))

    def failed(self, failure: Failure, *, inside: bool = False) -> Row:
        state = "given up" if failure.due is None else f"tried again in {span(failure.due - self._at)}"
        if not inside:
            return self._row(failure.post, state=state, lines=("It failed; an admin can see why.",))
        lines = (f"{failure.cause}: {failure.reason}", f"What to do: {failure.remedy}")
        return self._row(failure.post, state=state, lines=lines, again=failure.post)

    def _row(
        self, post: str, *, lines: tuple[str, ...], bars: tuple[Bar, ...] = (), state: str = "", again: str = ""
    ) -> Row:
        known = self._known.get(post)
        return Row(
            key=f"recording {post}",
            title=(known.title if known else "") or f"Recording {post}",
            state=state,
            link=f"{self._server}/_redirect/pl/{post}",
            lines=lines,
            bars=bars,
            again=again,
        )


def _undelivered(missed: Undelivered, title: str) -> Row:
    lines = (missed.reason, f"The message about {title or f'recording {missed.recording}'}")
    return Row(key=f"missed {missed.username} {missed.recording}", title=missed.username, lines=lines)


def _queue(queue: QueueState, now: float) -> Row:
    return Row(key=f"queue {queue.name}", title=queue.name, lines=(", ".join(_counts(queue, now)),))


def _counts(queue: QueueState, now: float) -> Iterator[str]:
    for number, what in (
        (queue.running, "under way"),
        (queue.waiting, "waiting"),
        (queue.later, "waiting for their time"),
        (queue.failed, "given up"),
    ):
        if number:
            yield f"{number} {what}"
    if not (queue.running or queue.waiting or queue.later or queue.failed):
        yield "empty"
    if queue.oldest is not None:
        yield f"the oldest waits for {span(now - queue.oldest)}"


def _worker(worker: Worker, now: float) -> Row:
    has = f"{worker.running} under way" if worker.running else f"seen {span(now - worker.seen)} ago"
    return Row(key=f"worker {worker.name}", title=worker.name, lines=(has,))
