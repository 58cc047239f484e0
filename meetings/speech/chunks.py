"""Stretches of speech packed into the windows that Whisper reads.

Whisper's encoder costs the same for any window, however little is said in it, so windows are packed as full as they go:
the silence between stretches is left out, and a window ends where a turn or a pause ends, never inside a word. Every
instant of speech is in exactly one window, and a window knows where in the recording each of its instants lies.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

WINDOW = 30.0  # seconds; what Whisper was trained on
# Air around a stretch: the first and the last sound of a word are softer than what a segmentation hears.
AIR = 0.15
# A pause shorter than this stays in: taking it out would glue two words together.
SHORTEST_CUT = 0.3
# What it costs to end a window at a place, in windows: nothing between stretches; a turn's end may be a breath inside
# a sentence, and a quiet instant may be a soft sound inside a word.
TURN_COST, QUIET_COST = 0.1, 0.3
# Where a stretch longer than a window must be cut without a hint, a quiet instant is looked for in its last part.
SEARCH = 8.0
SHORTEST_PART = 1.0
NEAR = 0.25  # seconds around a turn's end

# The quietest instant between two times, both in seconds.
Quietest = Callable[[float, float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A stretch of the recording, in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What Whisper reads at once: pieces of the recording, in order, one after the other without what lay between."""

    pieces: tuple[Region, ...]

    @property
    def start(self) -> float:
        """Where it begins in the recording."""
        return self.pieces[0].start

    @property
    def end(self) -> float:
        """Where it ends in the recording."""
        return self.pieces[-1].end

    @property
    def duration(self) -> float:
        """How much sound it holds, in seconds."""
        return sum(p.duration for p in self.pieces)

    def place(self, start: float, end: float) -> Region:
        """Where in the recording a word lies that was heard from `start` to `end` of the window.

        A word lies in one piece: what an alignment lets run over a seam is cut off there, on the side with less of it.
        """
        offsets = self._offsets()
        middle = (start + end) / 2
        i = min(max(bisect_right(offsets, middle) - 1, 0), len(self.pieces) - 1)
        piece = self.pieces[i]
        begin = min(max(piece.start + start - offsets[i], piece.start), piece.end)
        return Region(start=begin, end=min(max(piece.start + end - offsets[i], begin), piece.end))

    def seams(self) -> tuple[float, ...]:
        """The times in the window at which one piece ends and the next begins."""
        return tuple(self._offsets()[1:])

    def _offsets(self) -> list[float]:
        offsets, at = [], 0.0
        for piece in self.pieces:
            offsets.append(at)
            at += piece.duration
        return offsets


@dataclass(frozen=True, slots=True)
class _Atom:
    """A part of a stretch that no cut goes through, and what it costs to end a window before it."""

    start: float
    end: float
    cost: float


def pack_windows(
    regions: Iterable[Region],
    *,
    duration: float,
    turn_ends: Sequence[float] = (),
    quietest: Quietest | None = None,
    window: float = WINDOW,
    air: float = AIR,
) -> tuple[Window, ...]:
    """Put all speech into as few windows as its pauses allow.

    Args:
        regions: stretches with speech, in any order.
        duration: the recording's length in seconds.
        turn_ends: times at which a turn or a phrase ends: where a stretch may be cut.
        quietest: finds the quietest instant between two times, for stretches without a hint; None: their middle.
        window: seconds a window holds at most.
        air: seconds of sound that a stretch is given on each side.
    """
    stretches = tidy(regions, duration=duration, air=air)
    atoms = [a for r in stretches for a in _atoms(r, sorted(turn_ends), quietest, window)]
    return tuple(Window(pieces=_pieces(atoms[i:j])) for i, j in pairwise(_cheapest_cuts(atoms, window)))


def halve(window: Window, quietest: Quietest) -> tuple[Window, Window] | None:
    """A window in two, at a seam near its middle, else where it is quiet there; None if it is too short for that."""
    lo, hi = 0.3 * window.duration, 0.7 * window.duration
    if lo < SHORTEST_PART:
        return None
    middle = window.duration / 2
    at = min((s for s in window.seams() if lo <= s <= hi), key=lambda s: abs(s - middle), default=None)
    if at is None:
        piece = window.place(middle, middle)
        inside = next(p for p in window.pieces if p.start <= piece.start <= p.end)
        reach = 0.2 * window.duration
        cut = quietest(max(inside.start, piece.start - reach), min(inside.end, piece.start + reach))
        left = tuple(p for p in window.pieces if p.end <= inside.start)
        right = tuple(p for p in window.pieces if p.start >= inside.end)
        return (
            Window(pieces=(*left, Region(start=inside.start, end=cut))),
            Window(pieces=(Region(start=cut, end=inside.end), *right)),
        )
    count = window.seams().index(at) + 1
    return Window(pieces=window.pieces[:count]), Window(pieces=window.pieces[count:])


def parts(window: Window, seconds: float, quietest: Quietest) -> list[Window]:
    """A window taken apart into pieces of at most some seconds, cut where it is quiet."""
    return [
        part
        for piece in window.pieces
        for part in pack_windows([piece], duration=piece.end, quietest=quietest, window=seconds, air=0.0)
    ]


def tidy(regions: Iterable[Region], *, duration: float, air: float = AIR) -> tuple[Region, ...]:
    """Stretches in order with some air around them, inside the recording, those joined that nearly touch."""
    found: list[Region] = []
    for region in sorted(regions, key=lambda r: r.start):
        start, end = max(0.0, region.start - air), min(duration, region.end + air)
        if region.end <= region.start or end <= start:
            continue
        if found and start - found[-1].end < SHORTEST_CUT:
            found[-1] = Region(start=found[-1].start, end=max(found[-1].end, end))
        else:
            found.append(Region(start=start, end=end))
    return tuple(found)


def _atoms(region: Region, turn_ends: Sequence[float], quietest: Quietest | None, window: float) -> Iterator[_Atom]:
    """Cut a stretch where it may be cut, and where it must."""
    cuts = [(region.start, 0.0)]
    for end in turn_ends[bisect_right(turn_ends, region.start) : bisect_right(turn_ends, region.end)]:
        # A turn's end is known to a tenth of a second or two; the quiet instant beside it is the place to cut.
        at = end if quietest is None else quietest(end - NEAR, end + NEAR)
        if at - cuts[-1][0] >= SHORTEST_PART and region.end - at >= SHORTEST_PART:
            cuts.append((at, TURN_COST))
    for (start, cost), (end, _) in pairwise([*cuts, (region.end, 0.0)]):
        at, price = start, cost
        while end - at > window:
            # The rest is left no shorter than the search, so that the last part is not a sliver.
            hi = min(at + window, end - SHORTEST_PART)
            lo = max(hi - SEARCH, at + SHORTEST_PART)
            cut = (lo + hi) / 2 if quietest is None else min(max(quietest(lo, hi), lo), hi)
            yield _Atom(at, cut, price)
            at, price = cut, QUIET_COST
        yield _Atom(at, end, price)


def _cheapest_cuts(atoms: Sequence[_Atom], window: float) -> list[int]:
    """The indices at which windows begin, and the end: the fewest windows, cut at the best places."""
    if not atoms:
        return []
    best: list[tuple[float, int]] = [(0.0, 0)]
    for j in range(1, len(atoms) + 1):
        held = 0.0
        choice: tuple[float, int] | None = None
        for i in range(j - 1, -1, -1):
            held += atoms[i].end - atoms[i].start
            if held > window + 1e-6 and i < j - 1:
                break
            cost = best[i][0] + 1.0 + (atoms[i].cost if i else 0.0)
            # Among equals the fullest window first: results come early and the last window may be short.
            if choice is None or cost < choice[0] - 1e-9:
                choice = (cost, i)
        assert choice is not None
        best.append(choice)
    cuts = [len(atoms)]
    while cuts[-1] > 0:
        cuts.append(best[cuts[-1]][1])
    return cuts[::-1]


def _pieces(atoms: Sequence[_Atom]) -> tuple[Region, ...]:
    """Neighbouring atoms of one stretch are one piece."""
    pieces: list[Region] = []
    for atom in atoms:
        if pieces and pieces[-1].end == atom.start:
            pieces[-1] = Region(start=pieces[-1].start, end=atom.end)
        else:
            pieces.append(Region(start=atom.start, end=atom.end))
    return tuple(pieces)
