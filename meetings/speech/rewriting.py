"""Writing windows down, and a second time where the first looks wrong.

A decoder goes astray in few windows: it stops after the first sentence, or repeats itself. Those are written again with
another width of search, then in halves, and the best is taken; the others pay nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meetings.speech.chunks import Quietest, Window, halve
from meetings.speech.invention import MAX_COMPRESSION, compression, has_loop
from meetings.speech.recogniser import Heard, Recogniser, Written

BEAM = 5
# Speech has three tokens a second and more; less over seconds of speech is a decoder that stopped too early.
FEWEST_TOKENS_A_SECOND = 2.0
LONG_ENOUGH = 4.0  # seconds; in less, a single word is likely
WEAK = -0.7  # mean log probability


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenWindow:
    """A window, what was heard and written of it, and in which language."""

    window: Window
    heard: Heard
    language: str
    written: Written


def write_well(
    recogniser: Recogniser,
    windows: Sequence[Window],
    heard: Sequence[Heard],
    languages: Sequence[str],
    *,
    hear: Callable[[Sequence[Window]], list[Heard]],
    quietest: Quietest,
    beam: int = BEAM,
) -> list[WrittenWindow]:
    """Write windows down; one that comes out badly may come back as two."""
    first = recogniser.write(heard, languages, beam=beam)
    result: list[WrittenWindow] = []
    for window, sound, language, written in zip(windows, heard, languages, first, strict=True):
        found = WrittenWindow(window=window, heard=sound, language=language, written=written)
        if badness(recogniser, found) == 0:
            result.append(found)
            continue
        (again,) = recogniser.write([sound], [language], beam=1 if beam > 1 else BEAM)
        choices = [[found], [WrittenWindow(window=window, heard=sound, language=language, written=again)]]
        halves = halve(window, quietest) if badness(recogniser, choices[1][0]) else None
        if halves:
            sounds = hear(halves)
            texts = recogniser.write(sounds, [language] * len(halves), beam=BEAM)
            choices.append(
                [
                    WrittenWindow(window=w, heard=h, language=language, written=t)
                    for w, h, t in zip(halves, sounds, texts, strict=True)
                ]
            )
        result += min(choices, key=lambda c: (sum(badness(recogniser, w) for w in c) / len(c), -_mean(c)))
    return result


def badness(recogniser: Recogniser, found: WrittenWindow) -> int:
    """How many signs speak against what was written: a loop, too little of it, a model that does not believe it."""
    tokens = found.written.tokens
    seconds = found.window.duration
    return (
        (2 if has_loop(tokens) or compression(recogniser.text(tokens)) > MAX_COMPRESSION else 0)
        + (1 if seconds > LONG_ENOUGH and len(tokens) < FEWEST_TOKENS_A_SECOND * seconds else 0)
        + (1 if found.written.log_probability < WEAK else 0)
    )


def _mean(choice: Sequence[WrittenWindow]) -> float:
    return sum(w.written.log_probability for w in choice) / len(choice)
