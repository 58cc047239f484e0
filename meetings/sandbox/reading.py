"""Lists of posts: a channel's pages, what came since, before and after a post, threads.

The server's habits are kept, the odd ones too: which posts come along though they are not in `order`, when replies
are counted, and the two cursors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from meetings.sandbox import model
from meetings.sandbox.model import Post
from meetings.sandbox.posting import reply_counts, thread_of
from meetings.sandbox.shapes import VERSION, posts_json
from meetings.sandbox.world import Change

MAX_SINCE = 1_000  # posts that one `since` gives
_NEVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class PostList:
    """An answer: posts in `order`, newest first, and those that come along."""

    order: tuple[str, ...]
    posts: dict[str, dict[str, Any]]
    next_post_id: str = ""
    prev_post_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """The answer's JSON; posts by id."""
        return {
            "order": list(self.order),
            "posts": {i: self.posts[i] for i in sorted(self.posts)},
            "next_post_id": self.next_post_id,
            "prev_post_id": self.prev_post_id,
        }

    def etag(self) -> str:
        """Changes when the newest of the posts does."""
        newest = max(((p["update_at"], i) for i, p in self.posts.items()), default=(0, "0"))
        return f"{VERSION}.{self.order[0] if self.order else ''}.{newest[1]}.{newest[0]}"


def channel_etag(tx: Change, channel_id: str) -> str:
    """Changes when a post of the channel does."""
    table = model.posts
    newest = tx.db.execute(select(func.max(table.c.update_at)).where(table.c.channel_id == channel_id)).scalar_one()
    return f"{VERSION}.{newest or 0}"


def page(tx: Change, channel_id: str, *, page: int, per_page: int) -> PostList:
    """A page of a channel. Whole threads come along for each reply on it; replies are not counted."""
    shown = _select(tx, _of(channel_id), newest_first=True, limit=per_page, offset=page * per_page)
    roots = {p.root_id for p in shown if p.root_id}
    along = _threads(tx, channel_id, roots)
    next_id = _neighbour(tx, channel_id, shown[0].create_at, newer=True) if shown else ""
    prev_id = _neighbour(tx, channel_id, shown[-1].create_at, newer=False) if shown else ""
    return PostList(
        order=tuple(p.id for p in shown),
        posts=posts_json(tx, [*shown, *along]),
        next_post_id=next_id,
        prev_post_id=prev_id,
    )


def since(tx: Change, channel_id: str, time: int) -> PostList:
    """Posts changed after a time: new, edited, deleted, and the copies kept of edited ones. Replies are not counted."""
    table = model.posts
    # The real server cuts before it sorts: its index gives those that changed first, so the newest are missing.
    changed = (
        select(table.c.id)
        .where(table.c.channel_id == channel_id, table.c.update_at > time)
        .order_by(table.c.update_at)
        .limit(MAX_SINCE)
    )
    # A copy has its original's time and comes before it.
    newest_first = (
        select(table).where(table.c.id.in_(changed)).order_by(table.c.create_at.desc(), table.c.original_id == "")
    )
    shown = model.many(tx.db, Post, newest_first)
    roots = {p.root_id for p in shown if p.root_id} - {p.id for p in shown}
    along = model.many(tx.db, Post, select(table).where(table.c.id.in_(roots)))
    return PostList(order=tuple(p.id for p in shown), posts=posts_json(tx, [*shown, *along]))


def before(tx: Change, channel_id: str, post_id: str, *, page: int, per_page: int) -> PostList:
    """Posts older than one, the newest of them first."""
    older = _of(channel_id) & (model.posts.c.create_at < _time_of(tx, post_id, unknown=0))
    shown = _select(tx, older, newest_first=True, limit=per_page, offset=page * per_page)
    next_id = post_id if page == 0 else _after(tx, channel_id, shown)
    prev_id = "" if len(shown) < per_page else _before(tx, channel_id, shown)
    return _around(tx, channel_id, shown, next_id=next_id, prev_id=prev_id)


def after(tx: Change, channel_id: str, post_id: str, *, page: int, per_page: int) -> PostList:
    """Posts newer than one: those nearest to it, the newest of them first."""
    newer = _of(channel_id) & (model.posts.c.create_at > _time_of(tx, post_id, unknown=_NEVER))
    shown = _select(tx, newer, newest_first=False, limit=per_page, offset=page * per_page)[::-1]
    prev_id = post_id if page == 0 else _before(tx, channel_id, shown)
    next_id = "" if len(shown) < per_page else _after(tx, channel_id, shown)
    return _around(tx, channel_id, shown, next_id=next_id, prev_id=prev_id)


def thread(tx: Change, post: Post) -> PostList:
    """A thread: the post asked for, then the whole thread with its root last.

    So a root that is asked for is named twice in `order` (seen on 5.37).
    """
    root_id = post.root_id or post.id
    found = _select(tx, thread_of(root_id) & (model.posts.c.delete_at == 0), newest_first=False)
    rows = [p for p in found if p.id != root_id] + [p for p in found if p.id == root_id]
    return PostList(
        order=(post.id, *(p.id for p in rows)),
        posts=posts_json(tx, rows, reply_counts=reply_counts(tx, [root_id])),
    )


def counted(tx: Change, posts: Sequence[Post]) -> dict[str, dict[str, Any]]:
    """Posts by id with their threads' replies counted."""
    return posts_json(tx, posts, reply_counts=reply_counts(tx, [p.root_id or p.id for p in posts]))


def _around(tx: Change, channel_id: str, shown: Sequence[Post], *, next_id: str, prev_id: str) -> PostList:
    """Whole threads come along for roots and replies alike, and replies are counted."""
    along = _threads(tx, channel_id, {p.root_id or p.id for p in shown})
    posts = counted(tx, list({p.id: p for p in [*shown, *along]}.values()))
    return PostList(order=tuple(p.id for p in shown), posts=posts, next_post_id=next_id, prev_post_id=prev_id)


def _of(channel_id: str) -> ColumnElement[bool]:
    return (model.posts.c.channel_id == channel_id) & (model.posts.c.delete_at == 0)


def _select(
    tx: Change,
    where: ColumnElement[bool],
    *,
    newest_first: bool,
    limit: int | None = None,
    offset: int = 0,
) -> list[Post]:
    time = model.posts.c.create_at
    query = select(model.posts).where(where).order_by(time.desc() if newest_first else time)
    return model.many(tx.db, Post, query.limit(limit).offset(offset))


def _threads(tx: Change, channel_id: str, roots: Iterable[str]) -> list[Post]:
    wanted = list(roots)
    if not wanted:
        return []
    table = model.posts
    return _select(tx, _of(channel_id) & or_(table.c.id.in_(wanted), table.c.root_id.in_(wanted)), newest_first=False)


def _time_of(tx: Change, post_id: str, *, unknown: int) -> int:
    """When a post was written; nothing is older or newer than an unknown one."""
    table = model.posts
    found: int | None = tx.db.execute(select(table.c.create_at).where(table.c.id == post_id)).scalar_one_or_none()
    return unknown if found is None else found


def _before(tx: Change, channel_id: str, shown: Sequence[Post]) -> str:
    return _neighbour(tx, channel_id, shown[-1].create_at, newer=False) if shown else ""


def _after(tx: Change, channel_id: str, shown: Sequence[Post]) -> str:
    return _neighbour(tx, channel_id, shown[0].create_at, newer=True) if shown else ""


def _neighbour(tx: Change, channel_id: str, time: int, *, newer: bool) -> str:
    """The post next to a time, empty when there is none."""
    column = model.posts.c.create_at
    beside = _of(channel_id) & (column > time if newer else column < time)
    found = _select(tx, beside, newest_first=not newer, limit=1)
    return found[0].id if found else ""
