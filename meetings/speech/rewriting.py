"""Writing windows down, and a second time where the first looks wrong.

A decoder goes astray in some windows: it stops after the first sentence, skips a stretch in the middle, or repeats
itself. Those are written again with another width of search, then in halves, and the best is taken; the others pay
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from meetings.speech.chunks import Quietest, Window, halve
from meetings.speech.invention import MAX_COMPRESSION, compression, has_loop
from meetings.speech.recogniser import Heard, Placed, Recogniser, Written

BEAM = 5
WEAK = -0.7  # mean log probability
# Speech without a word for longer than this was skipped, seconds; a word fills so much and so much a letter.
HOLE, FILLED, FILLED_LETTER = 2.0, 0.4, 0.08

Hear = Callable[[Sequence[Window]], list[Heard]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenWindow:
    """A window, what was heard and written of it, in which language, and when its words were said."""

    window: Window
    heard: Heard
    language: str
    written: Written
    placed: tuple[Placed, ...]


def write_well(
    recogniser: Recogniser,
    windows: Sequence[Window],
    heard: Sequence[Heard],
    languages: Sequence[str],
    *,
    hear: Hear,
    quietest: Quietest,
    beam: int = BEAM,
) -> list[WrittenWindow]:
    """Write windows down; one that comes out badly may come back as two.

    Args:
        recogniser: the model.
        windows: what to write down.
        heard: what the encoder made of each.
        languages: the language of each.
        hear: the encoder, for halves of windows.
        quietest: finds the quietest instant between two times, where a window may be halved.
        beam: hypotheses of the first search.
    """
    result: list[WrittenWindow] = []
    for found in _write(recogniser, windows, heard, languages, beam):
        faults = badness(recogniser, found)
        if not faults:
            result.append(found)
            continue
        again = _write(recogniser, [found.window], [found.heard], [found.language], 1 if beam > 1 else BEAM)
        choices = [[found], again]
        halves = halve(found.window, quietest)
        if badness(recogniser, again[0]) and halves:
            choices.append(_write(recogniser, halves, hear(halves), [found.language] * 2, BEAM))
        result += _best(recogniser, choices)
    return result


def badness(recogniser: Recogniser, found: WrittenWindow) -> float:
    """How much speaks against what was written: a loop, speech without words, a model that does not believe it."""
    tokens = found.written.tokens
    loop = has_loop(tokens) or compression(recogniser.text(tokens)) > MAX_COMPRESSION
    weak = found.written.log_probability < WEAK
    return 2.0 * loop + 1.0 * weak + skipped(found.placed, found.window.duration) / HOLE


def skipped(placed: Sequence[Placed], duration: float) -> float:
    """Seconds in long stretches of a window to which no word belongs; an alignment stretches words over them."""
    spans = [(w.start, min(w.end, w.start + FILLED + FILLED_LETTER * len(w.text))) for w in placed]
    gaps = (b[0] - a[1] for a, b in pairwise([(0.0, 0.0), *spans, (duration, duration)]))
    return sum(gap for gap in gaps if gap > HOLE)


def _write(
    recogniser: Recogniser, windows: Sequence[Window], heard: Sequence[Heard], languages: Sequence[str], beam: int
) -> list[WrittenWindow]:
    written = recogniser.write(heard, languages, beam=beam)
    placed = recogniser.place(heard, [w.tokens for w in written], languages)
    return [
        WrittenWindow(window=window, heard=sound, language=language, written=text, placed=words)
        for window, sound, language, text, words in zip(windows, heard, languages, written, placed, strict=True)
    ]


def _best(recogniser: Recogniser, choices: Sequence[Sequence[WrittenWindow]]) -> Sequence[WrittenWindow]:
    """The choice with the least against it, then the most probable."""

    def rank(choice: Sequence[WrittenWindow]) -> tuple[float, float]:
        probable = sum(w.written.log_probability for w in choice) / len(choice)
        return round(sum(badness(recogniser, w) for w in choice), 1), -probable

    return min(choices, key=rank)
