"""How good a transcript is: WER, cpWER, words under the wrong speaker, DER.

Words are compared in lower case without punctuation. Definitions are the field's; each function names its source.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NOT_A_WORD = re.compile(r"[^a-z0-9' ]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One stretch of speech: who, when (seconds), what."""

    speaker: str
    start: float
    end: float
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechScore:
    """Rates in [0, 1] (error rates can exceed 1); `speakers` are those found, `true_speakers` those there are."""

    wer: float
    cpwer: float
    wrong_speaker: float
    der: float
    speakers: int
    true_speakers: int


def score_speech(
    reference: Sequence[Said],
    hypothesis: Sequence[Said],
    *,
    reference_turns: Sequence[Said] | None = None,
    hypothesis_turns: Sequence[Said] | None = None,
) -> SpeechScore:
    """All measures at once; turns default to the utterances."""
    truth_turns = reference if reference_turns is None else reference_turns
    found_turns = hypothesis if hypothesis_turns is None else hypothesis_turns
    return SpeechScore(
        wer=word_error_rate(reference, hypothesis),
        cpwer=cp_word_error_rate(reference, hypothesis),
        wrong_speaker=words_under_the_wrong_speaker(reference, hypothesis),
        der=diarization_error_rate(truth_turns, found_turns),
        speakers=len({t.speaker for t in found_turns}),
        true_speakers=len({t.speaker for t in truth_turns}),
    )


def normalise(text: str) -> str:
    """Lower case, words apart by one space, no punctuation but the apostrophe; "mm-hmm" is one word."""
    return " ".join(_NOT_A_WORD.sub(" ", text.lower().replace("mm-hmm", "mmhmm")).split())


def word_error_rate(reference: Iterable[Said], hypothesis: Iterable[Said]) -> float:
    """Substitutions, deletions and insertions over reference words, speakers ignored (jiwer)."""
    import jiwer

    truth, found = _joined(reference), _joined(hypothesis)
    if not truth:
        return float(len(found.split()))
    return float(jiwer.wer(truth, found)) if found else 1.0


def cp_word_error_rate(reference: Iterable[Said], hypothesis: Iterable[Said]) -> float:
    """WER of each speaker's words under the best assignment of speakers (cpWER; Watanabe et al. 2020, CHiME-6)."""
    from meeteval.wer import cp_word_error_rate as cpwer

    # The words are in order already; saying so keeps meeteval from warning that it sees no times.
    rate = cpwer(_by_speaker(reference), _by_speaker(hypothesis), reference_sort=False, hypothesis_sort=False)
    return float(rate.error_rate)


def words_under_the_wrong_speaker(reference: Iterable[Said], hypothesis: Iterable[Said]) -> float:
    """Share of matched words whose speaker is wrong, under the best one-to-one map of labels.

    Words are matched by the alignment of the word error rate (as WDER in Shafey et al. 2019, arXiv 1907.05337).
    """
    import jiwer
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    truth, found = _in_order(reference), _in_order(hypothesis)
    true_words = [(t.speaker, w) for t in truth for w in normalise(t.text).split()]
    found_words = [(t.speaker, w) for t in found for w in normalise(t.text).split()]
    if not true_words or not found_words:
        return 0.0
    alignment = jiwer.process_words(" ".join(w for _, w in true_words), " ".join(w for _, w in found_words)).alignments[
        0
    ]
    pairs: Counter[tuple[str, str]] = Counter()
    for chunk in alignment:
        if chunk.type in {"equal", "substitute"}:
            matched = zip(
                true_words[chunk.ref_start_idx : chunk.ref_end_idx],
                found_words[chunk.hyp_start_idx : chunk.hyp_end_idx],
                strict=True,
            )
            pairs.update((a, b) for (a, _), (b, _) in matched)
    rows, columns = sorted({a for a, _ in pairs}), sorted({b for _, b in pairs})
    counts = np.array([[pairs[a, b] for b in columns] for a in rows])
    if not counts.size:
        return 0.0
    row, column = linear_sum_assignment(-counts)
    return float(1 - counts[row, column].sum() / counts.sum())


def diarization_error_rate(reference: Iterable[Said], hypothesis: Iterable[Said]) -> float:
    """Missed, false and confused speech over reference speech; collar 0, overlap counted (pyannote.metrics)."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(turns: Iterable[Said]) -> Annotation:
        result = Annotation()
        for number, turn in enumerate(turns):
            if turn.end > turn.start:
                result[Segment(turn.start, turn.end), number] = turn.speaker
        return result

    truth, found = annotation(reference), annotation(hypothesis)
    extent = truth.get_timeline().union(found.get_timeline()).extent()
    return float(DiarizationErrorRate(collar=0.0, skip_overlap=False)(truth, found, uem=Timeline([extent])))


def read_rttm(text: str) -> tuple[Said, ...]:
    """The SPEAKER lines of an RTTM file."""
    turns = []
    for line in text.splitlines():
        fields = line.split()
        if fields and fields[0] == "SPEAKER":
            start = float(fields[3])
            turns.append(Said(speaker=fields[7], start=start, end=start + float(fields[4])))
    return tuple(turns)


def _in_order(turns: Iterable[Said]) -> list[Said]:
    return sorted(turns, key=lambda t: t.start)


def _joined(turns: Iterable[Said]) -> str:
    return normalise(" ".join(t.text for t in _in_order(turns)))


def _by_speaker(turns: Iterable[Said]) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for turn in _in_order(turns):
        texts.setdefault(turn.speaker, []).append(turn.text)
    return {speaker: normalise(" ".join(said)) for speaker, said in texts.items()}
