"""What a stretch of a channel consists of: threads, and links that were pushed in, each once.

Pure: posts in, items out. A thread stays together in order of time. A link that a bot posts, or a person who adds
little of their own, is an item by itself; the same page, or the same title, posted again is the same item.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from meetings.channels.links import Link, find_links
from meetings.people.terms import words

# A person's post with a link is about the link while it has no more words of its own than this.
FEW_WORDS = 8
MOST_LINKS = 20  # of one post that are items of their own: a digest bot posts many, a paste of logs more


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A post. `at` is milliseconds since the epoch; `reactors` are user ids."""

    id: str
    user_id: str
    root_id: str
    at: int
    text: str
    reactors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that may be worth knowing: a thread's posts in order, the first one its root where that was read.

    `link` is set for a link that was pushed in; its posts are then the one that brought it, and its replies. `again`
    are the ids of posts that brought the same once more. `people` are those who replied or reacted anywhere in it.
    """

    id: str
    posts: tuple[Written, ...]
    link: Link | None = None
    again: tuple[str, ...] = ()
    people: frozenset[str] = frozenset()

    @property
    def at(self) -> int:
        """When it began."""
        return self.posts[0].at


def gather(posts: Iterable[Written], *, bots: Collection[str] = ()) -> tuple[Item, ...]:
    """The items of a stretch, in order of time.

    Args:
        posts: in any order.
        bots: user ids of accounts that are no people.
    """
    threads: dict[str, list[Written]] = {}
    for post in sorted(posts, key=lambda p: (p.at, p.id)):
        threads.setdefault(post.root_id or post.id, []).append(post)
    items: list[Item] = []
    known: dict[str, int] = {}
    for posts_of_thread in threads.values():
        for item in _items(posts_of_thread, bots):
            place = next((known[k] for k in item.link.keys if k in known), None) if item.link else None
            if place is None:
                place = len(items)
                items.append(item)
            else:
                items[place] = _joined(items[place], item)
            for key in item.link.keys if item.link else ():
                known.setdefault(key, place)
    return tuple(sorted(items, key=lambda i: (i.at, i.id)))


def _items(thread: Sequence[Written], bots: Collection[str]) -> list[Item]:
    first = thread[0]
    involved = frozenset().union(*(p.reactors for p in thread), {p.user_id for p in thread[1:]}) - {first.user_id}
    people = frozenset(involved - set(bots))
    links, rest = find_links(first.text)
    pushed = first.user_id in bots or (len(links) == 1 and len(words(rest)) <= FEW_WORDS)
    if not links or not pushed or first.root_id:
        return [Item(id=first.id, posts=tuple(thread), people=people)]
    # What was said under a post with many links is said of none of them for sure.
    alone = len(links) == 1
    return [
        Item(
            id=first.id if alone else f"{first.id}/{number}",
            posts=tuple(thread) if alone else (first,),
            link=link if link.title else replace(link, title=rest.rstrip(" :-") if alone else ""),
            people=people,
        )
        for number, link in enumerate(links[:MOST_LINKS])
    ]


def _joined(item: Item, again: Item) -> Item:
    """An item with what was said when it was brought again."""
    first = again.posts[0]
    return replace(
        item,
        posts=(*item.posts, *again.posts[1:]),
        again=(*item.again, first.id),
        people=item.people | again.people,
        link=item.link if item.link and item.link.title else again.link,
    )
