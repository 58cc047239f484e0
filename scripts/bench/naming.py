#!/usr/bin/env python3
"""Wrong names and coverage: with the transcript of Calls, with voiceprints from another call, with nothing but talk.

    python scripts/bench/naming.py [RECORDING ...] [--json]
    python scripts/bench/naming.py --talk product-train.jsonl --talk product-val.jsonl

Without arguments: the sample call and the constructed calls of tests/data/naming. Each RECORDING is a media file with
its truth beside it (NAME.truth.json: `turns`, and `voices` where the same synthesizer speaks in several recordings).
Speech is done in the data folder (MEETINGS_HOME) and reused; voices are read from there, sealed as they are kept.

--talk reads transcripts of real meetings (QMSum), whose truth names roles and not people: it prints every voice that is
named, with the words in which the name stands, for somebody to read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from meetings.config import Settings, load_settings
from meetings.conversation import Utterance
from meetings.evaluation import NamingScore, Said, score_names, true_speakers
from meetings.kept_voices import KeptVoices
from meetings.pipeline import Silent
from meetings.prepare import prepare_job
from meetings.sandbox.company import sample_company
from meetings.speech import (
    CallsCue,
    Candidate,
    Diarization,
    Transcription,
    Voice,
    Voiceprint,
    align_words,
    name_speakers,
)
from meetings.stages import Stages
from meetings.store import FileStore

SAMPLE = sample_company().parent / "sample_call" / "weekly-product-call.mp4"
ROOT = Path(__file__).parents[2]
SKEW = 3.4  # seconds by which the made-up transcript of Calls is off
# Given names that are heard in AMI meetings, and common ones that are not.
GIVEN = (
    "Ada Adam Alan Alex Alice Amy Andrew Andy Anita Anna Anne Baba Ben Bob Brian Catherine Chris Christine "
    "Corinne Craig Dan Daniel Dave David Ed Emma Florent Francina Gabriel Gary George Harry Helen Iain Ian Jack "
    "James Jane Jean Jeff Jen Jenny Jim Joe John Jonathan Judy Kate Kevin Laura Lisa Liz Louis Mael Manuel Marc "
    "Mark Martin Mary Matt Melissa Mike Nathan Nick Nicole Olivier Paul Pedro Peter Petra Phil Poppy Rama Reissa "
    "Rob Robert Ron Rose Ruth Ryan Sam Sarah Sebastian Simon Sophie Steph Stephen Steve Sue Susan Tim Tom "
)
LEAST_PRINT = 10.0  # seconds of clean speech, as for enrolment


@dataclass(frozen=True, kw_only=True)
class Call:
    """A recording with its truth, its speech, and its voices. People are usernames."""

    name: str
    people: tuple[Candidate, ...]
    truth: tuple[Said, ...]
    utterances: tuple[Utterance, ...]
    voices: tuple[Voice, ...] = field(repr=False)
    # The synthesizer's voice of each person, where recordings have them in common.
    same: dict[str, str]


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--talk", action="append", type=Path, default=[])
    arguments = parser.parse_args()
    if arguments.talk:
        read_talk(arguments.talk)
        return
    settings = load_settings()
    calls = [read_call(path, settings) for path in [SAMPLE, *arguments.recordings]]
    rows: list[tuple[str, str, NamingScore]] = []
    for call in calls:
        rows.append((call.name, "nothing but talk", score(call, call.people)))
        rows.append((call.name, "Calls' transcript", score(call, call.people, cues=calls_cues(call))))
        rows += [
            (call.name, f"voiceprints of {other.name}", from_another_call(call, other))
            for other in calls
            if other is not call
        ]
    rows.append(("constructed calls", "what each has", constructed()))
    if arguments.json:
        print(json.dumps([{"call": c, "with": w, **asdict(s)} for c, w, s in rows], indent=1))
    else:
        print(f"{'call':24}{'with':36}{'voices':>7}{'named':>7}{'wrong':>7}{'coverage':>10}")
        for name, what, s in rows:
            print(f"{name:24}{what:36}{s.voices:>7}{s.right + s.wrong:>7}{s.wrong:>7}{s.coverage:>10.2f}")
            for voice, given, true in s.mistaken:
                print(f"{'':24}wrong: {voice} was named {given} and is {true or 'nobody that can be known'}")
    sys.exit(1 if any(s.wrong for _, _, s in rows) else 0)


def read_call(path: Path, settings: Settings) -> Call:
    """Speech as the pipeline makes it, or made it before; the truth beside the file."""
    job = prepare_job(str(path), settings, deliver=False)
    store = FileStore.of(settings)
    stages, tell = Stages(settings=settings, store=store), Silent().stage_progress
    stages.decode(job, lambda f: tell("audio", f))
    words = stages.transcribe(job, lambda f: tell("transcription", f))
    turns = stages.diarize(job, lambda f: tell("diarization", f))
    truth = json.loads(path.with_suffix("").with_suffix(".truth.json").read_text())
    said = tuple(
        Said(speaker=username(t["speaker"]), start=t["start"], end=t["end"], text=t["text"]) for t in truth["turns"]
    )
    return Call(
        name=path.stem,
        people=people_of(truth, path),
        truth=said,
        utterances=align_words(
            Transcription.from_json(store.read_json("transcription", words.key)).words,
            Diarization.from_json(store.read_json("diarization", turns.key)),
        ),
        voices=KeptVoices.of(settings).voices(turns.key),
        same={username(who): f"voice {number}" for who, number in truth.get("voices", {}).items()},
    )


def people_of(truth: dict[str, Any], path: Path) -> tuple[Candidate, ...]:
    """Everybody who may be named: those of the sample's people file, else those who speak."""
    if path == SAMPLE:
        from meetings.people import read_people

        return tuple(
            Candidate(username=p.username, name=p.name) for p in read_people(sample_company().parent / "people.yml")
        )
    return tuple(Candidate(username=username(who), name=who) for who in sorted({t["speaker"] for t in truth["turns"]}))


def username(name: str) -> str:
    """`Project Manager` as `project.manager`."""
    return ".".join(name.lower().split())


def score(
    call: Call,
    people: Sequence[Candidate],
    *,
    cues: Sequence[CallsCue] = (),
    prints: Sequence[Voiceprint] = (),
    truth: Sequence[Said] | None = None,
) -> NamingScore:
    """Name the voices with these signals and compare."""
    naming = name_speakers(call.utterances, people, calls_cues=cues, voices=call.voices, prints=prints)
    heard = [Said(speaker=u.speaker, start=u.start, end=u.end) for u in call.utterances]
    return score_names(truth or call.truth, heard, naming.usernames())


def calls_cues(call: Call) -> tuple[CallsCue, ...]:
    """What Calls would have written of each account's own track, on a clock of its own."""
    names = {p.username: p.name for p in call.people}
    return tuple(
        CallsCue(name=names[t.speaker], start=t.start - SKEW, end=t.end - SKEW, text=t.text)
        for t in call.truth
        if t.start > SKEW
    )


def from_another_call(call: Call, other: Call) -> NamingScore:
    """Prints learnt in another call; people are the same where their synthesizer's voice is, else strangers."""
    heard = [Said(speaker=u.speaker, start=u.start, end=u.end) for u in other.utterances]
    truth = true_speakers(other.truth, heard)
    prints = [
        Voiceprint(username=known(other, truth[v.speaker]), embedding=v.embedding, seconds=v.seconds)
        for v in other.voices
        if v.speaker in truth and v.seconds >= LEAST_PRINT
    ]
    people = [Candidate(username=p.username, name=p.username) for p in prints]
    return score(
        call,
        people,
        prints=prints,
        truth=[Said(speaker=known(call, t.speaker), start=t.start, end=t.end) for t in call.truth],
    )


def known(call: Call, who: str) -> str:
    """A person under the name of their synthesizer's voice, where calls share those."""
    return call.same.get(who, f"{who} of {call.name}")


def constructed() -> NamingScore:
    """All constructed calls as one; coverage is the share of voices that can be known."""
    sys.path.insert(0, str(ROOT))
    from tests.naming_cases import all_cases

    right = wrong = voices = 0
    mistaken = []
    for case in all_cases():
        given = case.run().usernames()
        voices += len(case.must_be_named)
        right += sum(1 for v in case.must_be_named if given.get(v) == case.may_be[v])
        for voice, who in case.may_be.items():
            if given.get(voice) not in {None, who}:
                mistaken.append((f"{case.name}: {voice}", given[voice], who or ""))
                wrong += 1
    return NamingScore(
        voices=voices, right=right, wrong=wrong, coverage=right / max(1, voices), mistaken=tuple(mistaken)
    )


def read_talk(files: Sequence[Path]) -> None:
    """Name the voices of QMSum transcripts from what they say, and print where the names come from."""
    people = [Candidate(username=name.lower(), name=name) for name in GIVEN.split()]
    meetings = named = 0
    for line in (line for file in files for line in file.read_text(encoding="utf-8").splitlines()):
        time, utterances = 0.0, []
        for turn in json.loads(line)["meeting_transcripts"]:
            text = re.sub(r" (?=[.,?!'])", "", re.sub(r"\{[^}]*\}", "", turn["content"]))
            seconds = len(text.split()) / 2.5
            utterances.append(
                Utterance(id=str(len(utterances)), speaker=turn["speaker"], start=time, end=time + seconds, text=text)
            )
            time += seconds + 0.3
        meetings += 1
        for speaker in name_speakers(utterances, people).speakers:
            if speaker.username:
                named += 1
                print(f"meeting {meetings}, {speaker.id}: {speaker.name} {speaker.confidence:.2f}")
                for u in utterances:
                    if (at := u.text.find(speaker.name)) >= 0:
                        print(f"    {u.speaker}: ...{u.text[max(0, at - 50) : at + 60]}")
    print(f"{named} voices named in {meetings} meetings")


if __name__ == "__main__":
    main()
