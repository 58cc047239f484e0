"""Words to speakers: every word once, in order, and sentences stay whole."""

from hypothesis import given
from hypothesis import strategies as st

from meetings.conversation import Word
from meetings.speech import Diarization, Turn, align_words


def word(text: str, start: float, end: float) -> Word:
    return Word(word=text, start=start, end=end, probability=0.9)


def turns(*spans: tuple[float, float, str]) -> Diarization:
    found = tuple(Turn(start=a, end=b, speaker=s) for a, b, s in spans)
    return Diarization(turns=found, exclusive=found)


@st.composite
def speech(draw: st.DrawFn) -> tuple[list[Word], Diarization]:
    clock, words = 0.0, []
    for text in draw(st.lists(st.sampled_from(["yes", "no.", "well", "ship", "it?", "Friday."]), max_size=25)):
        clock += draw(st.floats(0, 2))
        length = draw(st.floats(0, 0.8))
        words.append(word(text, clock, clock + length))
        clock += length
    spans, clock = [], 0.0
    for speaker in draw(st.lists(st.sampled_from("ABC"), max_size=10)):
        clock += draw(st.floats(0, 2))
        length = draw(st.floats(0.1, 6))
        spans.append((clock, clock + length, speaker))
        clock += length
    return words, turns(*spans)


@given(speech())
def test_every_word_is_said_once_in_order_by_a_known_speaker(given_speech: tuple[list[Word], Diarization]) -> None:
    words, diarization = given_speech
    utterances = align_words(words, diarization)
    assert [w for u in utterances for w in u.words] == words
    assert len({u.id for u in utterances}) == len(utterances)
    known = {t.speaker for t in diarization.turns} or {"SPEAKER_00"}
    for u in utterances:
        assert u.speaker in known
        assert u.start <= u.end
        assert u.text == " ".join(w.word for w in u.words)
    assert [u.start for u in utterances] == sorted(u.start for u in utterances)


@given(speech(), st.floats(0, 20), st.floats(0.1, 9))
def test_a_single_word_goes_to_a_speaker_who_covers_nearly_as_much_of_it_as_any(
    given_speech: tuple[list[Word], Diarization], start: float, length: float
) -> None:
    _, diarization = given_speech
    overlapping = Turn(start=start, end=start + length, speaker="D")
    found = Diarization(turns=(), exclusive=(*diarization.turns, overlapping))

    def covered(speaker: str, w: Word) -> float:
        own = [min(w.end, t.end) - max(w.start, t.start) for t in found.exclusive if t.speaker == speaker]
        return sum(max(0.0, seconds) for seconds in own)

    for at in (0.0, start - 0.2, start + length, 30.0):
        one = word("yes", max(0.0, at), max(0.0, at) + 0.4)
        (utterance,) = align_words([one], found)
        best = max(covered(t.speaker, one) for t in found.exclusive)
        # A quarter of the word less is made up for by having begun to speak last.
        assert covered(utterance.speaker, one) >= best - 0.25 * 0.4 - 1e-9


def test_a_short_answer_inside_a_longer_turn_is_its_speakers() -> None:
    words = [word("They", 0, 0.3), word("leave.", 0.3, 0.8), word("Oh", 1.0, 1.2), word("dear.", 1.2, 1.5)]
    more = [word("They", 1.6, 1.8), word("are", 1.8, 2.0), word("unhappy.", 2.0, 2.6)]
    longer, answer = Turn(start=0, end=2.7, speaker="A"), Turn(start=0.95, end=1.55, speaker="B")
    found = align_words([*words, *more], Diarization(turns=(longer, answer), exclusive=(longer,)))
    assert [(u.speaker, u.text) for u in found] == [("A", "They leave."), ("B", "Oh dear."), ("A", "They are unhappy.")]


def test_talk_at_the_same_time_does_not_split_a_sentence() -> None:
    words = [word("What", 0, 0.2), word("do", 0.2, 0.3), word("you", 0.3, 0.4), word("mean?", 0.4, 0.9)]
    long, short = Turn(start=-5, end=0.25, speaker="A"), Turn(start=0.0, end=1.0, speaker="B")
    found = align_words(words, Diarization(turns=(long, short), exclusive=(long, Turn(start=0.25, end=1, speaker="B"))))
    assert [u.speaker for u in found] == ["B"]


def test_a_word_outside_all_turns_goes_to_the_nearest() -> None:
    found = turns((0, 9, "A"), (1, 2, "B"), (14, 15, "C"))
    assert [u.speaker for u in align_words([word("Well.", 10, 10.5)], found)] == ["A"]
    assert [u.speaker for u in align_words([word("Well.", 12.8, 13.2)], found)] == ["C"]


def test_a_change_of_speaker_starts_an_utterance() -> None:
    words = [word("Shall", 0.0, 0.3), word("we?", 0.3, 0.6), word("Yes.", 1.0, 1.3)]
    found = align_words(words, turns((0, 0.7, "A"), (0.9, 1.4, "B")))
    assert [(u.speaker, u.text) for u in found] == [("A", "Shall we?"), ("B", "Yes.")]


def test_a_turn_border_inside_a_sentence_does_not_steal_its_last_word() -> None:
    words = [word("We", 0, 0.2), word("ship", 0.2, 0.5), word("on", 0.5, 0.7), word("Friday.", 0.7, 1.1)]
    found = align_words([*words, word("Good.", 1.4, 1.7)], turns((0, 0.7, "A"), (0.7, 1.8, "B")))
    assert [(u.speaker, u.text) for u in found] == [("A", "We ship on Friday."), ("B", "Good.")]


def test_a_backchannel_keeps_its_own_speaker() -> None:
    words = [word("We", 0, 0.3), word("ship.", 0.3, 0.6), word("Mhm.", 0.7, 0.9), word("Tomorrow.", 1.0, 1.5)]
    found = align_words(words, turns((0, 0.6, "A"), (0.65, 0.95, "B"), (1.0, 1.6, "A")))
    assert [u.speaker for u in found] == ["A", "B", "A"]


def test_a_long_pause_ends_an_utterance() -> None:
    words = [word("First.", 0, 0.5), word("Second.", 4.0, 4.5)]
    assert [u.text for u in align_words(words, turns((0, 5, "A")))] == ["First.", "Second."]


def test_a_monologue_is_cut_at_a_sentence_end() -> None:
    words = [word("word." if i % 5 == 4 else "word", i, i + 1) for i in range(60)]
    found = align_words(words, turns((0, 60, "A")))
    assert len(found) > 1
    assert all(u.text.endswith(".") for u in found)
    assert all(u.end - u.start <= 31 for u in found)


def test_without_turns_everything_is_one_voice() -> None:
    assert {u.speaker for u in align_words([word("Hi.", 0, 1)], turns())} == {"SPEAKER_00"}


def test_the_likeliest_path_changes_voice_only_when_it_pays() -> None:
    import numpy as np

    from meetings.speech.resegmentation import most_likely_path

    scores = np.zeros((12, 2), dtype=np.float32)
    scores[:, 0] = 1.0
    scores[4, :] = (0.0, 1.5)  # one doubtful quarter of a second
    assert most_likely_path(scores, 2.0).tolist() == [0] * 12
    scores[4:8, :] = (0.0, 1.5)
    assert most_likely_path(scores, 2.0).tolist() == [0] * 4 + [1] * 4 + [0] * 4
