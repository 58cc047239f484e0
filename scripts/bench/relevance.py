#!/usr/bin/env python3
"""What matters to whom: does each person get the right part of a meeting?

    python scripts/bench/relevance.py PEOPLE.yml QMSUM.jsonl [--limit N] [--fit]

QMSUM.jsonl is a file of QMSum (Zhong et al. 2021, arXiv 2104.05938, MIT), PEOPLE.yml a people file whose `speaks_as`
are its roles. Gold are the turns that QMSum marks for the questions that name one role alone; the figure is the share
of gold within the quarter of the turns that are most relevant to that person, averaged over people and meetings. Each
is measured as somebody who speaks and as somebody who never does (voices renamed to letters), beside chance and the
person's own speech, smoothed. --fit learns the weights by logistic regression, five-fold over the meetings.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetings.config import load_settings
from meetings.conversation import Conversation, Speaker, Utterance
from meetings.llm import Embedder, TextEmbedder
from meetings.models import locate
from meetings.people import Person, build_persona, read_people
from meetings.summary.evidence import embed_personas, features, prepare_talk, weigh
from meetings.summary.statements import build_statements, known_names
from meetings.summary.voices import own_voices, usual_business

SHARE = 0.25
FOLDS = 5
WORDS_PER_SECOND = 2.5
# Smoothing of the baseline, in turns, and how much the weights are held back. Both were best on the training meetings.
SMOOTH, HELD_BACK = 8.0, 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One person in one meeting: the gold turns, and what each way of ranking says of every turn."""

    meeting: int
    person: str
    gold: NDArray[np.int64]
    ranks: Mapping[str, NDArray[np.float64]]
    features: Mapping[str, NDArray[np.float64]]

    def recall(self, rank: NDArray[np.float64]) -> float:
        """The share of gold within the top quarter of turns."""
        top = np.argsort(-rank, kind="stable")[: max(1, round(len(rank) * SHARE))]
        return float(np.isin(self.gold, top).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=Path)
    parser.add_argument("meetings", type=Path)
    parser.add_argument("--limit", type=int, help="only the first meetings")
    parser.add_argument("--fit", action="store_true", help="learn the weights, five-fold")
    arguments = parser.parse_args()
    settings = load_settings()
    embedder = Embedder(locate(settings.text_embedding_model, settings.models_folder), threads=settings.cpu_threads)
    people = read_people(arguments.people)
    lines = arguments.meetings.read_text(encoding="utf-8").splitlines()[: arguments.limit]
    for muted in (False, True):
        cases = [
            case
            for number, line in enumerate(lines)
            for case in read_cases(number, json.loads(line), people, embedder, muted=muted)
        ]
        print(f"{'never speaks' if muted else 'speaks'}: {len(cases)} people in {len(lines)} meetings")
        show(cases)
        if arguments.fit:
            fit(cases)


def read_cases(
    number: int, meeting: Mapping[str, Any], people: Sequence[Person], embedder: TextEmbedder, *, muted: bool
) -> list[Case]:
    """Everyone whom a question of this meeting names alone."""
    turns = meeting["meeting_transcripts"]
    gold = gold_turns(meeting, people)
    if not gold:
        return []
    readers = [build_persona(replace(p, speaks_as=None) if muted else p) for p in people]
    conversation = as_conversation(number, turns, people, muted=muted)
    names = known_names(conversation, [(r.person.username, r.person.name, r.names) for r in readers])
    talk = prepare_talk(conversation, build_statements(conversation, names), embedder)
    interests = embed_personas(readers, embedder)
    usual = usual_business(talk, readers, interests)
    chance = random.Random(number)
    cases = []
    for person, reader, vectors in zip(people, readers, interests, strict=True):
        if person.username not in gold:
            continue
        voices = own_voices(reader, conversation.speakers)
        called = role(person)
        own = np.array([np.log1p(len(t["content"].split())) * (called in t["speaker"].lower()) for t in turns])
        cases.append(
            Case(
                meeting=number,
                person=person.username,
                gold=gold[person.username],
                ranks={
                    "chance": np.array([chance.random() for _ in turns]),
                    # For somebody who never speaks this is what a ranking would reach that knew whose field it is.
                    "own speech, smoothed": smoothed(own),
                    "meetings": weigh(talk, reader, vectors, usual).relevance,
                },
                features=features(talk, reader, vectors, voices, usual),
            )
        )
    return cases


def gold_turns(meeting: Mapping[str, Any], people: Sequence[Person]) -> dict[str, NDArray[np.int64]]:
    """By username, the turns of the questions that name this person's role and no other."""
    found: dict[str, set[int]] = defaultdict(set)
    count = len(meeting["meeting_transcripts"])
    for question in meeting["specific_query_list"]:
        named = [p.username for p in people if role(p) in question["query"].lower()]
        if len(named) == 1:
            for first, last in question["relevant_text_span"]:
                found[named[0]].update(range(int(first), min(int(last) + 1, count)))
    return {username: np.array(sorted(turns)) for username, turns in found.items() if turns}


def role(person: Person) -> str:
    """How questions and speakers call the person."""
    return (person.speaks_as or person.name).lower()


def as_conversation(
    number: int, turns: Sequence[Mapping[str, str]], people: Sequence[Person], *, muted: bool
) -> Conversation:
    """The meeting; muted: voices are letters and nobody is known to have been there."""
    letters: dict[str, str] = {}
    clock, utterances = 0.0, []
    for turn, said in enumerate(turns):
        who = said["speaker"].strip()
        if muted:
            who = "Speaker " + letters.setdefault(who, chr(ord("A") + len(letters)))
        length = max(1.0, len(said["content"].split()) / WORDS_PER_SECOND)
        text = " ".join(re.sub(r"\{[^}]*\}", " ", said["content"]).split())
        utterances.append(Utterance(id=str(turn), speaker=who, start=clock, end=clock + length, text=text))
        clock += length
    return Conversation(
        id=f"m{number}",
        title="Design meeting",
        language="en",
        duration=clock,
        started_at="2026-11-02T10:00:00Z",
        participants=() if muted else tuple(p.username for p in people),
        speakers=tuple(
            Speaker(id=s, name=s, confidence=1.0, how="given") for s in dict.fromkeys(u.speaker for u in utterances)
        ),
        utterances=tuple(utterances),
    )


def smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian over turns, as far as four widths."""
    reach = int(4 * SMOOTH)
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * SMOOTH**2))
    result: NDArray[np.float64] = np.convolve(values, kernel)[reach:-reach]
    return result


def show(cases: Sequence[Case]) -> None:
    """One line a ranking: all, then each person."""
    people = list(dict.fromkeys(c.person for c in sorted(cases, key=lambda c: c.person)))
    print(f"{'':24}{'all':>7}{'error':>7}" + "".join(f"{p[:20]:>22}" for p in people))
    for ranking in cases[0].ranks:
        got = [c.recall(c.ranks[ranking]) for c in cases]
        each = [np.mean([g for g, c in zip(got, cases, strict=True) if c.person == p]) for p in people]
        print(
            f"{ranking:24}{np.mean(got):7.3f}{np.std(got) / len(got) ** 0.5:7.3f}" + "".join(f"{e:22.3f}" for e in each)
        )


def fit(cases: Sequence[Case]) -> None:
    """Recall of learnt weights on meetings that they were not learnt from, and the weights learnt from all."""
    names = list(cases[0].features)
    rows = [np.stack([standard(c.features[n]) for n in names], axis=1) for c in cases]
    parts = np.array([c.meeting % FOLDS for c in cases])
    got = np.zeros(len(cases))
    for part in range(FOLDS):
        weights = learn(
            [r for r, p in zip(rows, parts, strict=True) if p != part], [c for c in cases if c.meeting % FOLDS != part]
        )
        for index in np.flatnonzero(parts == part):
            got[index] = cases[index].recall(rows[index] @ weights)
    print(f"{'learnt, five-fold':24}{got.mean():7.3f}{got.std() / len(got) ** 0.5:7.3f}")
    print("weights:", {n: round(float(w), 2) for n, w in zip(names, learn(rows, cases), strict=True)})


def learn(rows: Sequence[NDArray[np.float64]], cases: Sequence[Case]) -> NDArray[np.float64]:
    """Weights of a logistic regression in which every person of every meeting counts the same."""
    from sklearn.linear_model import LogisticRegression

    wanted, importance = [], []
    for row, case in zip(rows, cases, strict=True):
        gold = np.isin(np.arange(len(row)), case.gold)
        wanted.append(gold)
        importance.append(np.where(gold, 1 / gold.sum(), 1 / max(1, (~gold).sum())))
    sample_weight = np.concatenate(importance)
    model = LogisticRegression(C=HELD_BACK, max_iter=200)
    model.fit(np.concatenate(rows), np.concatenate(wanted), sample_weight=sample_weight / sample_weight.mean())
    weights: NDArray[np.float64] = model.coef_[0]
    return weights


def standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0, spread 1."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


if __name__ == "__main__":
    main()
