"""What holds for every call: no name twice, no order that matters, no transcript that breaks the reader."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meetings.conversation import Utterance
from meetings.speech import Candidate, Voice, Voiceprint, name_speakers, read_calls_vtt, similarity
from meetings.speech.clocks import Clock, estimate_clock
from meetings.speech.naming import assignment_probabilities
from tests.naming_cases import Case, all_cases, calls_vtt, random_turns, sound

PEOPLE = tuple(Candidate(username=n.lower(), name=f"{n} Name") for n in ("Ana", "Ben", "Chloe", "Deniz"))
LINES = ["Hello, this is Ana.", "Ben here.", "Thanks, Chloe.", "Deniz, over to you?", "Yes.", "Ana said so."]

stamps = st.from_regex(r"\A[0-9:.]{0,12} ?-->? ?[0-9:.]{0,12}\Z")
vtt_lines = st.one_of(
    st.just("WEBVTT"), st.just(""), stamps, st.just("00:01.000 --> 00:00.500"), st.just("<v Ana>(Ana) hi"),
    st.text(max_size=30), st.just("999999999999:00:01.000 --> 00:02.000"), st.just("00:01.000 --> 00:02.000"),
)  # fmt: skip


@given(st.lists(vtt_lines, max_size=25).map("\n".join))
def test_no_transcript_breaks_the_reader_and_no_cue_ends_before_it_starts(text: str) -> None:
    assert all(math.isfinite(c.end) and c.end > c.start >= 0 for c in read_calls_vtt(text))


@given(st.lists(st.lists(st.floats(-40, 40), min_size=3, max_size=3), min_size=1, max_size=6))
@example(odds=[[0.0, 28.0, 27.0], [16.0, 29.0, 28.0]])
def test_probabilities_are_those_of_one_assignment(odds: list[list[float]]) -> None:
    found = assignment_probabilities(odds)
    assert all(0.0 <= p <= 1.0 for row in found for p in row)
    assert all(sum(row) <= 1.0 + 1e-3 for row in found)
    assert all(sum(column) <= 1.0 + 1e-3 for column in zip(*found, strict=True))


def test_probabilities_of_a_small_case_are_the_share_of_all_assignments() -> None:
    odds = [[3.0, 1.0], [2.5, -1.0]]
    weights = [[math.exp(o - 2.0) for o in row] for row in odds]
    (a, b), (c, d) = weights
    total = 1 + a + b + c + d + a * d + b * c
    found = assignment_probabilities(odds)
    assert found[0][0] == pytest.approx((a + a * d) / total, abs=0.05)
    assert found[1][0] == pytest.approx((c + b * c) / total, abs=0.05)


@given(st.permutations(range(4)), st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(LINES)), max_size=10))
def test_the_order_of_candidates_changes_no_name(order: list[int], lines: list[tuple[str, str]]) -> None:
    utterances = [
        Utterance(id=str(i), speaker=who, start=5.0 * i, end=5.0 * i + 4, text=text)
        for i, (who, text) in enumerate(lines)
    ]
    voices = [Voice(speaker="A", embedding=sound("ana", 0.9), seconds=20)]
    prints = [Voiceprint(username="ana", embedding=sound("ana", 1.0), seconds=60)]
    straight = name_speakers(utterances, PEOPLE, voices=voices, prints=prints)
    turned = name_speakers(utterances, [PEOPLE[i] for i in order], voices=voices, prints=prints)
    assert straight.usernames() == turned.usernames()


@pytest.mark.parametrize("case", all_cases(), ids=lambda c: c.name)
def test_no_account_is_given_to_two_voices_that_sound_apart(case: Case) -> None:
    naming = case.run()
    told = {a.speaker for a in case.answers}
    sounds = {v.speaker: v.embedding for v in case.voices}
    by_name: dict[str, list[str]] = {}
    for label, username in naming.usernames().items():
        by_name.setdefault(username, []).append(label)
    for labels in by_name.values():
        assert len({naming.joined[label] for label in labels}) == 1
        if not told & set(labels):
            pairs = [(a, b) for a in labels for b in labels if a < b]
            assert all(similarity(sounds[a], sounds[b]) >= 0.6 for a, b in pairs)


@given(st.permutations([c for c in all_cases() if c.must_be_named][:12]), st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_people_in_the_constructed_calls_changes_no_name(cases: list[Case], chance: random.Random) -> None:
    case = cases[0]
    turned = list(case.candidates)
    chance.shuffle(turned)
    again = name_speakers(
        case.utterances,
        turned,
        calls_cues=read_calls_vtt(case.vtt),
        voices=case.voices,
        prints=case.prints,
        answers=case.answers,
    )
    assert again.usernames() == case.run().usernames()


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 1.5, -3.0, 6.0, -9.0, 12.0]),
    st.sampled_from([2, 3, 5]),
    st.booleans(),
)
@settings(max_examples=25)
def test_no_skew_leads_to_a_wrong_name(seed: int, skew: float, count: int, words: bool) -> None:
    turns = random_turns(voices="ABCDE"[:count], count=40, seed=seed, words=words)
    people = [Candidate(username=v, name=f"Person {v}") for v in "ABCDE"]
    vtt = calls_vtt(turns, {v: f"Person {v}" for v in "ABCDE"}, skew=skew, jitter=0.5, lost=0.1)
    given_names = name_speakers(turns, people, calls_cues=read_calls_vtt(vtt)).usernames()
    assert all(label == username for label, username in given_names.items())


@pytest.mark.parametrize("skew", [-11.0, -2.4, 0.0, 3.8, 14.0])
def test_the_shift_of_the_clocks_is_found_within_half_a_second(skew: float) -> None:
    turns = random_turns(voices="ABC", count=60, seed=7)
    theirs = [(u.speaker, u.start - skew, u.end - skew) for u in turns if u.start > skew]
    clock = estimate_clock([(u.speaker, u.start, u.end) for u in turns], theirs)
    assert clock is not None
    assert clock.shift == pytest.approx(skew, abs=0.5)


def test_drifting_clocks_agree_at_both_ends() -> None:
    turns = random_turns(voices="ABC", count=300, seed=8)
    truth = Clock(shift=2.0, drift=0.001)
    theirs = [(u.speaker, (u.start - 2.0) / 1.001, (u.end - 2.0) / 1.001) for u in turns if u.start > 2.0]
    clock = estimate_clock([(u.speaker, u.start, u.end) for u in turns], theirs)
    assert clock is not None
    for time in (0.0, theirs[-1][1]):
        assert clock.ours(time) == pytest.approx(truth.ours(time), abs=0.6)
