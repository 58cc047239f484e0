"""A briefing: what somebody should know who comes into a channel, or back to it.

What the channel is for, what was decided lately, what is still open, whom to ask, and what concerns the reader: each
line stands on a post. Pure: stretches and a reader in, values out. Whoever calls it has seen to it that the reader may
read every stretch (`meetings.channels.require_member`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import TypeVar

from meetings.catchup.lines import Line, Lines, conversation_of, read_lines
from meetings.channels import Pick, Reader, Stretch, gather, rank
from meetings.channels.summary import BAR
from meetings.llm import TextEmbedder
from meetings.people.terms import STOPWORDS, WEAK, stem, words
from meetings.summary.evidence import embed_personas, prepare_talk, weigh
from meetings.summary.statements import build_statements, known_names

# Lines of each kind, of one channel that somebody came into, and of all channels that they came back to.
DECISIONS, QUESTIONS, PEOPLE, CONCERNS = 6, 4, 3, 5
ALL_DECISIONS, ALL_QUESTIONS, ALL_CONCERNS = 10, 6, 10
# Who was away knows their channels: a line must be closer to their business than for somebody who is new. In a
# generated workspace (seed 7, 9 days) two in five concerns above the usual bar mattered, of those above this two in
# three; of decisions one in three of all, and one in two above theirs.
AWAY_CONCERN, AWAY_DECISION, AWAY_QUESTION = 0.85, 0.3, 0.2
# A question that nobody answered for so long (milliseconds) is no longer open but forgotten.
FORGOTTEN = 21 * 24 * 3_600_000
# Two things to tell that are this close in meaning are one.
CLOSE = 0.8
# What having decided, answered or written counts for knowing about something.
DECIDING, ANSWERING, WRITING = 3.0, 2.0, 1.0
ABOUT_WORDS = 3


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel as a briefing names it: `address` is `TEAM/CHANNEL`; `joined`: the reader is new in it."""

    address: str
    title: str
    purpose: str = ""
    header: str = ""
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expert:
    """Somebody to ask: what they did in what concerns the reader, and the words that they use more than others."""

    user_id: str
    decided: int
    answered: int
    wrote: int
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelBrief:
    """What one channel comes to. `posts` and `people` count its stretch, which begins `since` (milliseconds)."""

    place: Place
    since: int
    posts: int
    people: int
    decisions: tuple[Line, ...] = ()
    questions: tuple[Line, ...] = ()
    experts: tuple[Expert, ...] = ()
    concerns: tuple[Pick, ...] = ()
    cut: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell but that it is there."""
        return not (self.decisions or self.questions or self.concerns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """What one person is told, the channels with most for them first."""

    username: str
    channels: tuple[ChannelBrief, ...]


def brief_channel(
    place: Place,
    stretch: Stretch,
    reader: Reader,
    *,
    names: Mapping[str, tuple[str, str]],
    bots: frozenset[str],
    askable: frozenset[str],
    embedder: TextEmbedder,
) -> ChannelBrief:
    """Everything there is to tell of a channel, best first; `within_budget` chooses.

    Args:
        place: the channel.
        stretch: what was written in it.
        reader: for whom.
        names: username and name as shown by user id, of everybody who wrote.
        bots: user ids of accounts that are no people.
        askable: user ids of those who are in the channel now.
        embedder: sentence embeddings.
    """
    lines = read_lines(stretch.posts, names, bots)
    ranked = rank(gather(stretch.posts, bots=bots), reader, names, embedder)
    theirs = [q for q in lines.questions if q.post.user_id != reader.user_id]
    end = max((p.at for p in stretch.posts), default=0)
    decisions, questions = _weighed((lines.decisions, theirs), reader, names, embedder)
    bar = BAR
    if not place.joined:
        bar = AWAY_CONCERN
        decisions = [d for d in decisions if d.match >= AWAY_DECISION]
        questions = [q for q in questions if q.match >= AWAY_QUESTION]
    told = {d.post.id for d in decisions}
    return ChannelBrief(
        place=place,
        since=stretch.since,
        posts=len(stretch.posts),
        people=len({p.user_id for p in stretch.posts} - bots),
        decisions=tuple(decisions),
        questions=tuple(q for q in questions if q.post.at > end - FORGOTTEN),
        experts=_experts(ranked, lines, stretch, reader, names, bots, askable) if place.joined else (),
        concerns=tuple(_apart(p for p in ranked if p.score >= bar and p.post.id not in told)),
        cut=stretch.cut,
    )


def within_budget(username: str, briefs: Iterable[ChannelBrief]) -> Briefing:
    """What is told of all that there is: of a single channel more than of each of many.

    Of many channels the best lines are taken wherever they are; each channel keeps its own order.
    """
    found = sorted(briefs, key=lambda b: (-_weight(b), b.place.address))
    if len(found) <= 1:
        most = (DECISIONS, QUESTIONS, CONCERNS)
    else:
        new = sum(b.place.joined for b in found)
        most = (ALL_DECISIONS + 2 * new, ALL_QUESTIONS + new, ALL_CONCERNS + new)
    decisions = _best([[(d.match, d) for d in b.decisions] for b in found], most[0])
    questions = _best([[(q.match, q) for q in b.questions] for b in found], most[1])
    concerns = _best([[(p.score, p) for p in b.concerns] for b in found], most[2])
    asked_for = {line.post.id for some in questions for line in some}
    chosen = tuple(
        replace(
            b,
            decisions=tuple(sorted(decisions[n], key=lambda d: -d.post.at)),
            questions=tuple(sorted(questions[n], key=lambda q: -q.post.at)),
            concerns=tuple(p for p in concerns[n] if p.post.id not in asked_for),
        )
        for n, b in enumerate(found)
    )
    return Briefing(username=username, channels=chosen)


def _best(offered: Sequence[Sequence[tuple[float, T]]], most: int) -> list[list[T]]:
    """The best of several lists, each with its weight: first one of each list, as far as it goes, then by weight."""
    places = [
        (min(place, 1), -weight, place, number)
        for number, some in enumerate(offered)
        for place, (weight, _) in enumerate(some)
    ]
    chosen: list[list[T]] = [[] for _ in offered]
    for _, _, place, number in sorted(places)[:most]:
        chosen[number].append(offered[number][place][1])
    return chosen


def _weight(brief: ChannelBrief) -> float:
    best = max((p.score for p in brief.concerns), default=0.0)
    return 10.0 * brief.place.joined + best + 0.1 * len(brief.decisions) + 0.05 * len(brief.questions)


def _weighed(
    kinds: Sequence[Sequence[Line]], reader: Reader, names: Mapping[str, tuple[str, str]], embedder: TextEmbedder
) -> list[list[Line]]:
    """Lines with how much they are the reader's business, most first; the newest first of those that are alike."""
    every = [line for lines in kinds for line in lines]
    if not every:
        return [[] for _ in kinds]
    # Where a thread began says what it is about, when its last sentence does not.
    conversation = conversation_of([(x.post.user_id, f"{x.text} {x.about}".strip()) for x in every], names)
    talk = prepare_talk(conversation, build_statements(conversation, known_names(conversation, ())), embedder)
    (vectors,) = embed_personas([reader.persona], embedder)
    evidence = weigh(talk, reader.persona, vectors)
    best: dict[int, float] = defaultdict(float)
    for statement in talk.statements:
        best[statement.turn] = max(best[statement.turn], float(evidence.match[statement.index]))
    weighed = iter([replace(line, match=best[n]) for n, line in enumerate(every)])
    return [sorted((next(weighed) for _ in lines), key=lambda x: (-round(x.match, 1), -x.post.at)) for lines in kinds]


def _apart(picks: Iterable[Pick]) -> list[Pick]:
    """Picks of which no two say nearly the same."""
    kept: list[Pick] = []
    for pick in picks:
        if all(float(pick.vector @ other.vector) < CLOSE for other in kept):
            kept.append(pick)
        if len(kept) == 2 * CONCERNS:
            break
    return kept


def _experts(
    ranked: Sequence[Pick],
    lines: Lines,
    stretch: Stretch,
    reader: Reader,
    names: Mapping[str, tuple[str, str]],
    bots: frozenset[str],
    askable: frozenset[str],
) -> tuple[Expert, ...]:
    """Those who know about what concerns the reader: who decided, answered and wrote most in it."""
    worth: dict[str, float] = {}
    for pick in ranked:
        for post in pick.item.posts:
            worth[post.id] = max(worth.get(post.id, 0.0), pick.score)
    best = max(worth.values(), default=0.0)
    score: dict[str, float] = defaultdict(float)
    wrote: Counter[str] = Counter()
    said: dict[str, Counter[str]] = defaultdict(Counter)
    shown: dict[str, str] = {}
    in_theirs = {d.post.id for d in lines.decisions}
    called = {stem(part) for _, name in names.values() for part in words(name)}
    for post in stretch.posts:
        if post.user_id in bots:
            continue
        spoken = {stem(w): w for w in words(post.text) if len(w) > 3 and w not in STOPWORDS and not w.isdigit()}
        shown |= {s: w for s, w in spoken.items() if s not in shown}
        said[post.user_id].update(s for s in spoken if s not in WEAK and s not in called)
        # Everything in a channel counts a little, for somebody of whom nothing is known yet.
        weight = 0.1 + (worth.get(post.id, 0.0) / best if best else 0.0)
        score[post.user_id] += weight * (DECIDING if post.id in in_theirs else WRITING)
        wrote[post.user_id] += 1
    for user_id, times in lines.answers.items():
        score[user_id] += (ANSWERING - WRITING) * times
    spread = Counter(s for terms in said.values() for s in terms)
    known = [u for u in sorted(score, key=lambda u: (-score[u], u)) if u in askable and u != reader.user_id]
    return tuple(
        Expert(
            user_id=user_id,
            decided=lines.deciders.get(user_id, 0),
            answered=lines.answers.get(user_id, 0),
            wrote=wrote[user_id],
            about=tuple(shown[s] for s in _own(said[user_id], spread, len(said))),
        )
        for user_id in known[:PEOPLE]
    )


def _own(terms: Counter[str], spread: Counter[str], people: int) -> list[str]:
    """The words that somebody uses again and again and others less."""
    often = [t for t, times in terms.items() if times > 1]
    return sorted(often, key=lambda t: (-terms[t] * log(1 + people / spread[t]), t))[:ABOUT_WORDS]
