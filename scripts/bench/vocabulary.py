#!/usr/bin/env python3
"""What a vocabulary does: names and terms written right, and written though nobody said them.

    python scripts/bench/vocabulary.py RECORDING... [--terms FILE] [--json]

RECORDING.truth.json lies beside each recording. The terms are those of FILE, one a line, or the names and posts of the
sample company. Compared on one segmentation: no vocabulary; the peer's way, faster-whisper's `hotwords`, all terms in
the prompt; ours at several bonuses (nats that a term may be less probable than what was written; the shipped one is
marked). Counted: words of the terms in the truth, how many of them were written, and how many more than were said.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meetings.config import load_settings
from meetings.evaluation import Said, word_error_rate
from meetings.evaluation.speech import normalise
from meetings.people.terms import STOPWORDS
from meetings.sandbox.company import read_company, sample_company
from meetings.speech import decode_audio, phrase_ends, segment, speech_regions, transcribe, vocabulary
from meetings.speech.recogniser import Recogniser
from meetings.speech.terms import collect_terms

MOST_PROMPT = 223  # tokens before a window, as in Whisper
SHIPPED = vocabulary.BONUS


@contextmanager
def hotwords(terms: Sequence[str]) -> Iterator[None]:
    """Terms in the prompt of every window, where faster-whisper puts them."""
    shipped = Recogniser._prompt

    def prompt(self: Recogniser, language: str) -> list[int]:
        tokenizer = self._tokenizer(language)
        listed = list(tokenizer.encode(" " + ", ".join(terms)))[:MOST_PROMPT]
        return [tokenizer.sot_prev, *listed, *tokenizer.sot_sequence, tokenizer.no_timestamps]

    Recogniser._prompt = prompt  # type: ignore[method-assign]
    try:
        yield
    finally:
        Recogniser._prompt = shipped  # type: ignore[method-assign]


@contextmanager
def bonus(nats: float) -> Iterator[None]:
    """Another bonus than the shipped one."""
    shipped = vocabulary.BONUS
    vocabulary.BONUS = nats
    try:
        yield
    finally:
        vocabulary.BONUS = shipped


def company_terms() -> tuple[str, ...]:
    """What the sample call's channel would give: names of the company's people, words of its posts."""
    company = read_company(sample_company())
    return collect_terms(
        people=[f"{u.first_name} {u.last_name}" for u in company.users],
        channels=[c.display_name for c in company.channels],
        posts=[p.message for p in company.posts],
    )


def count_terms(said: str, written: str, terms: Sequence[str]) -> dict[str, Any]:
    """Words of terms: said, written of those, and written beyond."""
    words = {w for t in terms for w in normalise(t).split() if len(w) > 2 and w not in STOPWORDS}
    truth, found = (Counter(w for w in normalise(text).split() if w in words) for text in (said, written))
    beyond = found - truth
    return {
        "said": truth.total(),
        "right": (truth & found).total(),
        "beyond": beyond.total(),
        "missed": dict(truth - found),
        "invented": dict(beyond),
    }


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description="What a vocabulary does to names and terms.")
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--terms", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    settings = load_settings()
    listed = arguments.terms.read_text(encoding="utf-8").splitlines() if arguments.terms else company_terms()
    terms = tuple(t.strip() for t in listed if t.strip())
    rows = []
    for recording in arguments.recordings:
        turns = json.loads(recording.with_suffix(".truth.json").read_text(encoding="utf-8"))["turns"]
        truth = [Said(speaker="", start=t["start"], end=t["end"], text=t["text"]) for t in turns]
        said = " ".join(t.text for t in sorted(truth, key=lambda t: t.start))
        with tempfile.TemporaryDirectory() as folder:
            audio = Path(folder) / "audio.wav"
            decode_audio(recording, audio, name=recording.name)
            models = settings.models_folder
            activity = segment(audio, segmentation=models / settings.segmentation_model, threads=settings.cpu_threads)

            def write(terms: Sequence[str] = (), audio: Path = audio, activity: Any = activity) -> str:
                found = transcribe(
                    audio,
                    model=settings.models_folder / settings.whisper_model,
                    threads=settings.cpu_threads,
                    language="en",
                    regions=speech_regions(activity),
                    turn_ends=phrase_ends(activity),
                    vocabulary=terms,
                )
                return " ".join(w.word for w in found.words)

            texts = {"none": write()}
            with hotwords(terms):
                texts["hotwords"] = write()
            for nats in (0.0, 1.5, 3.0, 5.0):
                with bonus(nats):
                    shipped = " (shipped)" if nats == SHIPPED else ""
                    texts[f"ours, bonus {nats:g}{shipped}"] = write(terms)
        for name, text in texts.items():
            wer = word_error_rate(truth, [Said(speaker="", start=0, end=1, text=text)])
            rows.append(
                {"recording": recording.stem, "way": name, "wer": round(wer, 4), **count_terms(said, text, terms)}
            )
    if arguments.json:
        print(json.dumps({"terms": terms, "rows": rows}, indent=1))
        return
    print(f"{len(terms)} terms")
    print(f"{'recording':22}{'way':24}{'said':>6}{'right':>7}{'beyond':>8}{'WER':>8}")
    for row in rows:
        print(
            f"{row['recording']:22}{row['way']:24}{row['said']:6}{row['right']:7}{row['beyond']:8}{row['wer']:8.3f}"
            f"  missed {row['missed']} invented {row['invented']}"
        )


if __name__ == "__main__":
    main()
