"""Names are given where they are known, and never guessed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.conversation import Speaker, Utterance
from meetings.speech import Answer, CallsCue, Candidate, name_speakers, read_calls_vtt

ANA = Candidate(username="ana.ruiz", name="Ana Ruiz")
BEN = Candidate(username="ben.okafor", name="Ben Okafor")
CHLOE = Candidate(username="chloe.oneil", name="Chloe O'Neil", nickname="Clo")
ALL = (ANA, BEN, CHLOE)


def named(
    utterances: Sequence[Utterance], candidates: Sequence[Candidate], *, calls_cues: Sequence[CallsCue] = ()
) -> tuple[Speaker, ...]:
    return name_speakers(utterances, candidates, calls_cues=calls_cues).speakers


def talk(*lines: tuple[str, str]) -> list[Utterance]:
    return [
        Utterance(id=f"u{i}", speaker=who, start=5.0 * i, end=5.0 * i + 4.5, text=text)
        for i, (who, text) in enumerate(lines)
    ]


def names(found: tuple[Speaker, ...]) -> dict[str, str]:
    return {s.id: s.name for s in found}


def test_an_introduction_names_a_voice() -> None:
    found = named(talk(("A", "Hello, this is Ana."), ("B", "Hi, Ben here.")), ALL)
    assert names(found) == {"A": "Ana Ruiz", "B": "Ben Okafor"}
    assert {s.how for s in found} == {"talk"}
    assert all(s.confidence >= 0.9 for s in found)


def test_one_hand_over_is_not_enough() -> None:
    found = named(talk(("A", "Ben, over to you."), ("B", "So, the parser works.")), ALL)
    assert names(found) == {"A": "Speaker 1", "B": "Speaker 2"}
    assert {s.username for s in found} == {None}


def test_several_hand_overs_name_the_one_who_answers() -> None:
    lines = [("A", "Ben, over to you."), ("B", "It works."), ("A", "Thanks, Ben. And the tests?"), ("B", "Green.")]
    found = named(talk(*lines, ("A", "Ben, can you write that down?"), ("B", "Sure.")), ALL)
    assert names(found)["B"] == "Ben Okafor"
    assert names(found)["A"] == "Speaker 1"


def test_a_name_between_commas_is_an_address() -> None:
    lines = [("A", "Over to you, Ben, for the parser."), ("B", "It works."), ("A", "Thanks, Ben."), ("B", "Sure.")]
    found = named(talk(*lines, ("A", "Ben, can you test it?"), ("B", "Yes.")), ALL)
    assert names(found)["B"] == "Ben Okafor"


def test_nobody_is_named_by_being_talked_about() -> None:
    found = named(talk(("A", "I agree with Ben."), ("B", "Ben said so yesterday."), ("A", "Ben is right.")), ALL)
    assert {s.username for s in found} == {None}


@pytest.mark.parametrize(
    "said",
    [
        "Is Ben here today?",
        "Who is this? Is this Ben?",
        "This is Ben?",
        "This is Ben, our new engineer.",
        "This is Ben, who joined last week.",
        "This is Ben's idea.",
        "I am glad to have Ben here with us.",
        "I'm not Ben here.",
        "The one to do this is Ben, by Friday.",
        "He said, hi, this is Ben, and hung up.",
        "I'm Benedict.",
    ],
)
def test_speaking_of_somebody_is_no_introduction(said: str) -> None:
    assert {s.username for s in named(talk(("A", said), ("B", "Hello.")), (ANA, BEN))} == {None}


@pytest.mark.parametrize(
    "said",
    [
        "We need Ana, Ben, and Chloe.",
        "Ben, who wrote the parser, says so.",
        "It was my colleague, Ben, some time ago.",
        "Thanks to Ben, it runs.",
        "Thanks, Ana and Ben.",
        "Ben, are you there? Ben?",
    ],
)
def test_what_is_no_hand_over_names_nobody_however_often_it_is_said(said: str) -> None:
    answer = "No, he is ill."
    lines = [(who, text) for _ in range(8) for who, text in (("A", said), ("B", answer))]
    assert {s.username for s in named(talk(*lines), ALL)} == {None}


def test_a_name_that_is_also_a_word_needs_its_capital() -> None:
    will = Candidate(username="will.may", name="Will May")
    lines = [("A", "So, will, you know, do it."), ("B", "Yes."), ("A", "Do it you will."), ("B", "Yes.")] * 4
    assert {s.username for s in named(talk(*lines), (will, BEN))} == {None}
    assert names(named(talk(("A", "Hi, Will here.")), (will, BEN))) == {"A": "Will May"}


def test_a_name_is_known_without_its_accent() -> None:
    juergen = Candidate(username="jj", name="Jürgen Jäger")
    assert names(named(talk(("A", "Hello, this is Jurgen.")), (juergen, BEN))) == {"A": "Jürgen Jäger"}


def test_an_introduction_counts_in_a_channel_of_thirty() -> None:
    others = [Candidate(username=f"u{i}", name=f"Person{i} Name") for i in range(29)]
    assert names(named(talk(("A", "Hello, this is Ana.")), (ANA, *others))) == {"A": "Ana Ruiz"}


def test_a_name_given_late_in_the_call_is_no_introduction() -> None:
    lines = [("A", "Yes."), ("B", "No.")] * 4
    assert {s.username for s in named(talk(*lines, ("A", "This is Ben.")), ALL)} == {None}


def test_two_voices_that_claim_one_name_both_stay_unnamed() -> None:
    found = named(talk(("A", "This is Ana."), ("B", "This is Ana.")), ALL)
    assert {s.username for s in found} == {None}


def test_a_voice_with_two_introductions_stays_unnamed() -> None:
    found = named(talk(("A", "This is Ana. Morning, Ben here."), ("B", "Fine.")), ALL)
    assert names(found)["A"] == "Speaker 1"


def test_a_first_name_that_two_people_share_names_nobody() -> None:
    other = Candidate(username="ana.lopez", name="Ana Lopez")
    assert {s.username for s in named(talk(("A", "This is Ana.")), (ANA, other))} == {None}


def test_a_guest_is_not_named_after_a_member() -> None:
    found = named(talk(("A", "Hi, this is Zoe from the agency."), ("B", "This is Ben.")), ALL)
    assert names(found) == {"A": "Speaker 1", "B": "Ben Okafor"}


def test_without_candidates_nobody_is_named() -> None:
    assert names(named(talk(("A", "This is Ana.")), ())) == {"A": "Speaker 1"}


def test_the_calls_transcript_names_voices_by_common_time() -> None:
    utterances = talk(("A", "Welcome."), ("B", "Thanks."), ("A", "Next."), ("B", "Well."), ("A", "So."), ("B", "Yes."))
    cues = [
        CallsCue(
            name="Ana Ruiz" if u.speaker == "A" else "Chloe ONeil", start=u.start + 0.3, end=u.end + 0.3, text=u.text
        )
        for u in utterances
    ]
    found = named(utterances, ALL, calls_cues=cues)
    assert names(found) == {"A": "Ana Ruiz", "B": "Chloe O'Neil"}
    assert {s.how for s in found} == {"transcript"}


def test_several_people_behind_one_account_do_not_all_get_its_name() -> None:
    utterances = talk(*[("AB"[i % 2], "Hello.") for i in range(8)])
    cues = [CallsCue(name="Ana Ruiz", start=u.start, end=u.end, text="") for u in utterances]
    assert {s.username for s in named(utterances, ALL, calls_cues=cues)} == {None}


def test_a_guest_whom_no_track_holds_is_not_named_after_whoever_was_heard_beside_them() -> None:
    lengths = [4.5, 2.0, 3.0, 4.0, 1.5, 4.5, 2.5, 3.5, 4.5, 3.0, 2.0, 4.0]
    utterances = [
        Utterance(id=str(i), speaker="AG"[i % 2], start=5.0 * i, end=5.0 * i + seconds, text="Hello.")
        for i, seconds in enumerate(lengths)
    ]
    cues = [CallsCue(name="Ana Ruiz", start=u.start, end=u.end, text="") for u in utterances if u.speaker == "A"]
    cues += [CallsCue(name="Ben Okafor", start=u.start, end=u.start + 1, text="") for u in utterances[1::2]]
    assert names(named(utterances, ALL, calls_cues=cues)) == {"A": "Ana Ruiz", "G": "Speaker 2"}


def test_a_fragment_of_a_voice_does_not_take_the_name_from_the_voice() -> None:
    utterances = talk(*[("A", "Hello.")] * 20, ("F", "Um."))
    cues = [CallsCue(name="Ana Ruiz", start=u.start, end=u.end, text="") for u in utterances]
    assert names(named(utterances, ALL, calls_cues=cues)) == {"A": "Ana Ruiz", "F": "Speaker 2"}


def test_calls_cues_are_read_with_their_doubled_names() -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ana Ruiz>(Ana Ruiz) Hello there.\n\n"
        "garbage\n\n01:00:00.000 --> 01:00:01.000\n<v Chloe ONeil>(Chloe ONeil) Bye.\n"
    )
    assert read_calls_vtt(text) == (
        CallsCue(name="Ana Ruiz", start=1.0, end=2.5, text="Hello there."),
        CallsCue(name="Chloe ONeil", start=3600.0, end=3601.0, text="Bye."),
    )


@given(st.text(max_size=300))
def test_any_text_is_read_as_cues_without_failing(text: str) -> None:
    assert all(c.end > c.start for c in read_calls_vtt(text))


@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.text(max_size=40)), max_size=12))
def test_each_person_is_given_to_at_most_one_voice(lines: list[tuple[str, str]]) -> None:
    found = named(talk(*lines), ALL)
    given_names = [s.username for s in found if s.username]
    assert len(given_names) == len(set(given_names))
    assert [s.id for s in found] == list(dict.fromkeys(who for who, _ in lines))


def test_naming_one_voice_renumbers_no_other() -> None:
    utterances = talk(("A", "Yes."), ("B", "No."), ("C", "Well."))
    found = name_speakers(utterances, ALL, answers=[Answer(speaker="A", username="ana.ruiz")]).speakers
    assert names(found) == {"A": "Ana Ruiz", "B": "Speaker 2", "C": "Speaker 3"}


def test_a_human_is_believed_against_every_signal_and_is_surer() -> None:
    lines = talk(("A", "Hello, this is Ana."), ("B", "Hi, Ben here."))
    found = name_speakers(lines, ALL, answers=[Answer(speaker="A", name="Dr. Weber")]).speakers
    assert [(s.name, s.username, s.how, s.confidence == 1.0) for s in found] == [
        ("Dr. Weber", None, "given", True),
        ("Ben Okafor", "ben.okafor", "talk", False),
    ]


def test_joined_labels_are_one_speaker_and_utterances_keep_their_ids() -> None:
    utterances = talk(("A", "Yes."), ("B", "No."), ("C", "Well."))
    answers = [Answer(speaker=label, username="ana.ruiz") for label in "AC"]
    naming = name_speakers(utterances, ALL, answers=answers)
    assert [(s.id, s.joined) for s in naming.speakers] == [("A", ("C",)), ("B", ())]
    assert [(u.id, u.speaker) for u in naming.relabel(utterances)] == [("u0", "A"), ("u1", "B"), ("u2", "A")]
    assert naming.usernames() == {"A": "ana.ruiz", "C": "ana.ruiz"}


def test_however_often_another_ben_is_spoken_of_a_certain_ben_stays_ben() -> None:
    utterances = talk(*[("AB"[i % 2], f"So Ben from the bank wrote about item number {i}.") for i in range(12)])
    cues = [
        CallsCue(name="Ben Okafor" if u.speaker == "A" else "Ana Ruiz", start=u.start, end=u.end, text=u.text)
        for u in utterances
    ]
    cues = [CallsCue(name=c.name, start=c.start, end=c.end, text=f"{c.text} unique{i}") for i, c in enumerate(cues)]
    shown = [
        Utterance(id=u.id, speaker=u.speaker, start=u.start, end=u.end, text=f"{u.text} unique{i}")
        for i, u in enumerate(utterances)
    ]
    assert names(named(shown, ALL, calls_cues=cues))["A"] == "Ben Okafor"
