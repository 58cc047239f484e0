"""Words and turns become utterances: who said which words.

Each word goes to the speaker whose turn covers most of it, else to the nearest turn. Then the sentence decides: a word
or two at the edge of a turn that belong to the sentence before or after follow it, because turn borders are a few
tenths of a second off where sentences are not. All functions are pure; times are seconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from meetings.conversation import Utterance, Word

if TYPE_CHECKING:
    from meetings.speech.diarization import Diarization, Turn

PAUSE = 1.2  # a longer silence ends an utterance
LONG = 25.0  # an utterance longer than this is cut at the next sentence end
STRAY_WORDS = 2  # at most this many words at the edge of a turn follow their sentence
STRAY_SECONDS = 0.8
SENTENCE_END = (".", "?", "!", "…", "。", "？", "！")


def align_words(words: Sequence[Word], diarization: Diarization) -> tuple[Utterance, ...]:
    """Utterances in order of time, each of one speaker.

    Args:
        words: recognised words in order.
        diarization: the turns; without any, everything is one speaker's.
    """
    if not words:
        return ()
    turns = diarization.exclusive or diarization.turns
    labels = _speakers_of(words, turns) if turns else ["SPEAKER_00"] * len(words)
    labels = _follow_sentences(words, labels)
    groups: list[list[int]] = []
    for index, word in enumerate(words):
        if groups and not _breaks(words, labels, groups[-1], index, word):
            groups[-1].append(index)
        else:
            groups.append([index])
    return tuple(
        Utterance(
            id=f"u{number:04d}",
            speaker=labels[group[0]],
            start=words[group[0]].start,
            end=max(words[i].end for i in group),
            text=" ".join(words[i].word for i in group),
            words=tuple(words[i] for i in group),
        )
        for number, group in enumerate(groups, start=1)
    )


def _speakers_of(words: Sequence[Word], turns: Sequence[Turn]) -> list[str]:
    """Each word's speaker: of the turn that covers most of it, else of the nearest turn.

    Only turns around a word are looked at: three hours hold thirty thousand words and thousands of turns.
    """
    ordered = sorted(turns, key=lambda t: t.start)
    starts = [t.start for t in ordered]
    # The turn that lasts longest of the first ones, for each number of first ones.
    lasting = list(accumulate(ordered, _later_end))
    ends = [t.end for t in lasting]
    labels = []
    for word in words:
        over = bisect_left(ends, word.start)  # all turns before this one have ended when the word begins
        near = [*lasting[max(0, over - 1) : over], *ordered[over : bisect_right(starts, word.end) + 1]]
        labels.append(max(near, key=lambda turn: _closeness(word, turn)).speaker)
    return labels


def _later_end(one: Turn, other: Turn) -> Turn:
    return other if other.end > one.end else one


def _closeness(word: Word, turn: Turn) -> tuple[float, float]:
    """Seconds in common, then nearness of the turn to the word's middle."""
    shared = min(word.end, turn.end) - max(word.start, turn.start)
    middle = (word.start + word.end) / 2
    return max(shared, 0.0), -max(turn.start - middle, middle - turn.end, 0.0)


def _follow_sentences(words: Sequence[Word], labels: Sequence[str]) -> list[str]:
    """Stray words at a change of speaker follow the sentence they stand in."""
    result = list(labels)
    start = 0
    for index, word in enumerate(words):
        last = index == len(words) - 1
        if not (last or word.word.endswith(SENTENCE_END) or words[index + 1].start - word.end > PAUSE):
            continue
        sentence = range(start, index + 1)
        start = index + 1
        counts = Counter(result[i] for i in sentence)
        if len(counts) == 1:
            continue
        main, _ = counts.most_common(1)[0]
        for run in _runs(result, sentence):
            seconds = words[run[-1]].end - words[run[0]].start
            few = len(run) <= STRAY_WORDS and seconds <= STRAY_SECONDS
            if result[run[0]] != main and few and counts[main] > len(run):
                for i in run:
                    result[i] = main
    return result


def _runs(labels: Sequence[str], indices: range) -> list[list[int]]:
    """Neighbouring indices with the same label."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and labels[runs[-1][-1]] == labels[index]:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _breaks(words: Sequence[Word], labels: Sequence[str], group: Sequence[int], index: int, word: Word) -> bool:
    """Whether a new utterance begins with this word."""
    before = words[group[-1]]
    if labels[index] != labels[group[0]] or word.start - before.end > PAUSE:
        return True
    return before.word.endswith(SENTENCE_END) and word.end - words[group[0]].start > LONG
