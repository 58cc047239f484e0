"""Which language is spoken: one main language by vote, another where a window clearly speaks it.

Whisper writes a foreign sentence as a translation when it is told the wrong language, so the language is settled window
by window. A switch needs more than a lead: short or noisy speech is easily taken for something exotic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from meetings.speech.chunks import Region, Window

# Windows that vote for the main language: they are heard before the first batch.
MAIN_SAMPLES = 5
# A window speaks another language than the main one when it is this sure, and the main one this improbable.
SWITCH, KEEP = 0.6, 0.2
# Under this the main language may share the window with another.
UNMIXED = 0.9


def vote(windows: Sequence[tuple[Mapping[str, float], float]]) -> tuple[str, float]:
    """The main language and its probability, from each window's probabilities and its seconds of speech."""
    total: defaultdict[str, float] = defaultdict(float)
    for probabilities, seconds in windows:
        for language, probability in probabilities.items():
            total[language] += probability * seconds
    weight = sum(seconds for _, seconds in windows)
    best = max(total, key=lambda language: (total[language], language))
    return best, total[best] / weight if weight else 0.0


def choose_language(probabilities: Mapping[str, float], main: str) -> str:
    """The language of one window."""
    best = max(probabilities, key=lambda language: probabilities[language])
    if probabilities[best] >= SWITCH and probabilities.get(main, 0.0) <= KEEP:
        return best
    return main


def is_doubtful(probabilities: Mapping[str, float], main: str) -> bool:
    """Whether a window may hold more than the main language."""
    return probabilities.get(main, 0.0) < UNMIXED


def same_language(parts: Sequence[Window], languages: Sequence[str]) -> list[tuple[tuple[Region, ...], str]]:
    """Neighbouring parts of one language together, as the pieces of one window."""
    runs: list[tuple[tuple[Region, ...], str]] = []
    for part, language in zip(parts, languages, strict=True):
        if runs and runs[-1][1] == language:
            pieces = runs[-1][0]
            if pieces[-1].end == part.start:
                joined = Region(start=pieces[-1].start, end=part.pieces[0].end)
                runs[-1] = ((*pieces[:-1], joined, *part.pieces[1:]), language)
            else:
                runs[-1] = ((*pieces, *part.pieces), language)
        else:
            runs.append((part.pieces, language))
    return runs
