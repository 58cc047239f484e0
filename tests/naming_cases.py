"""The constructed calls of tests/data/naming/cases.yml as the values that naming takes."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from meetings.conversation import Utterance
from meetings.speech import Answer, Candidate, Naming, Voice, Voiceprint, name_speakers, read_calls_vtt

CASES = Path(__file__).parent / "data" / "naming" / "cases.yml"
PEOPLE = {"ana": "Ana Ruiz", "ben": "Ben Okafor", "chloe": "Chloe O'Neil", "deniz": "Deniz Yılmaz"}
KEYS = {
    *("case", "people", "say", "turns", "opening", "calls", "skew", "drift", "jitter", "lost", "other_call", "merged"),
    *("sounds", "apart", "prints", "answers", "expect", "joined"),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call: what goes in, and for each voice who may come out (None: nobody) and whether they must."""

    name: str
    utterances: tuple[Utterance, ...]
    candidates: tuple[Candidate, ...]
    vtt: str
    voices: tuple[Voice, ...]
    prints: tuple[Voiceprint, ...]
    answers: tuple[Answer, ...]
    may_be: Mapping[str, str | None]
    must_be_named: frozenset[str]
    joined: tuple[frozenset[str], ...]

    def run(self) -> Naming:
        """Name its voices."""
        return name_speakers(
            self.utterances,
            self.candidates,
            calls_cues=read_calls_vtt(self.vtt),
            voices=self.voices,
            prints=self.prints,
            answers=self.answers,
        )


@functools.cache
def all_cases() -> tuple[Case, ...]:
    """Every case of the file."""
    return tuple(_case(data) for data in yaml.safe_load(CASES.read_text(encoding="utf-8")))


def _case(data: Mapping[str, Any]) -> Case:
    assert set(data) <= KEYS, set(data) - KEYS
    said = [line.split(" ", 1) for line in [*data.get("opening", ()), *data.get("say", ())]]
    utterances = [
        Utterance(id=f"s{i}", speaker=voice, start=5.0 * i, end=5.0 * i + 4.5, text=text)
        for i, (voice, text) in enumerate(said)
    ]
    if "turns" in data:
        utterances += random_turns(**data["turns"], begin=5.0 * len(said))
    cues = utterances
    if "other_call" in data:
        cues = random_turns(**{**data["turns"], "seed": data["other_call"]})
    vtt = calls_vtt(
        cues, data.get("calls", {}), **{k: data[k] for k in ("skew", "drift", "jitter", "lost") if k in data}
    )
    merged = data.get("merged", {})
    heard = tuple(
        Utterance(id=u.id, speaker=merged.get(u.speaker, u.speaker), start=u.start, end=u.end, text=u.text)
        for u in utterances
    )
    expect = data["expect"]
    return Case(
        name=data["case"],
        utterances=heard,
        candidates=tuple(_candidate(u, about) for u, about in data.get("people", PEOPLE).items()),
        vtt=vtt,
        voices=tuple(
            Voice(speaker=label, embedding=sound(who, near, salt=label), seconds=seconds)
            for label, (who, near, seconds) in data.get("sounds", {}).items()
        ),
        prints=tuple(
            Voiceprint(username=u, embedding=sound(who, 1.0), seconds=60.0) for u, who in data.get("prints", {}).items()
        ),
        answers=tuple(_answer(label, text) for label, text in data.get("answers", {}).items()),
        may_be={v: None if e == "?" else e.removeprefix("maybe ") for v, e in expect.items()},
        must_be_named=frozenset(v for v, e in expect.items() if e != "?" and not e.startswith("maybe ")),
        joined=tuple(frozenset(group) for group in data.get("joined", ())),
    )


def _candidate(username: str, about: Any) -> Candidate:
    if isinstance(about, str):
        return Candidate(username=username, name=about)
    return Candidate(
        username=username, name=about["name"], nickname=about.get("nickname", ""), joined_at=about.get("joined")
    )


def _answer(label: str, text: str) -> Answer:
    if text == "?":
        return Answer(speaker=label)
    if text.startswith("Guest: "):
        return Answer(speaker=label, name=text.removeprefix("Guest: "))
    return Answer(speaker=label, username=text)


def random_turns(*, voices: str, count: int, seed: int, words: bool = True, begin: float = 0.0) -> list[Utterance]:
    """Turns of one to nine seconds, with short pauses and now and then an overlap; invented words."""
    chance = random.Random(seed)
    time = begin + chance.uniform(0.5, 4.0)
    turns: list[Utterance] = []
    for number in range(count):
        others = [v for v in voices if not turns or v != turns[-1].speaker] or list(voices)
        length = chance.uniform(1.0, 9.0)
        text = " ".join(_word(chance) for _ in range(int(length * 2.5))) if words else "."
        turns.append(
            Utterance(id=f"t{number}", speaker=chance.choice(others), start=time, end=time + length, text=text)
        )
        time += length + chance.choice([-0.8, 0.2, 0.4, 0.6, 1.5, 4.0])
    return turns


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("bdfgklmnprst") + chance.choice("aeiou") for _ in range(chance.randint(1, 3)))


def calls_vtt(
    utterances: list[Utterance],
    tracks: Mapping[str, str],
    *,
    skew: float = 0.0,
    drift: float = 0.0,
    jitter: float = 0.15,
    lost: float = 0.0,
) -> str:
    """What the Calls transcriber writes: one cue an utterance of each track, on a clock of its own."""
    chance = random.Random(len(utterances))
    lines = ["WEBVTT"]
    for u in utterances:
        if u.speaker not in tracks or chance.random() < lost:
            continue
        # ours = cue + skew + drift × cue, so the cue is earlier where we are later.
        start = (u.start + chance.uniform(-jitter, jitter) - skew) / (1 + drift)
        end = (u.end + chance.uniform(-jitter, jitter) - skew) / (1 + drift)
        if start >= 0 and end > start + 0.05:
            name = tracks[u.speaker]
            lines.append(f"\n{_stamp(start)} --> {_stamp(end)}\n<v {name}>({name}) {u.text}")
    return "\n".join(lines) + "\n"


def _stamp(seconds: float) -> str:
    millis = round(seconds * 1000)
    return f"{millis // 3_600_000:02d}:{millis // 60_000 % 60:02d}:{millis // 1000 % 60:02d}.{millis % 1000:03d}"


def sound(who: str, near: float, *, salt: str = "") -> tuple[float, ...]:
    """An embedding with the cosine similarity `near` to that of somebody."""
    one = _unit(who)
    other = _unit(f"{who} as heard in {salt}")
    other -= (other @ one) * one
    other /= np.linalg.norm(other)
    return tuple(float(x) for x in near * one + (1 - near**2) ** 0.5 * other)


def _unit(name: str) -> Any:
    vector = np.random.default_rng([ord(c) for c in name]).normal(size=192)
    return vector / np.linalg.norm(vector)
