"""The conversation contract: what is written can be read, and text formats stay valid whatever is said."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.conversation import (
    Conversation,
    Speaker,
    Utterance,
    Word,
    clock,
    from_json,
    read_conversation,
    to_json,
    to_rttm,
    to_vtt,
)
from meetings.errors import ConversationError

times = st.floats(0, 20_000).map(lambda t: round(t, 3))
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    names = draw(st.lists(texts.filter(bool), min_size=1, max_size=4, unique=True))
    speakers = tuple(
        Speaker(id=f"S{i}", name=name, username=draw(st.none() | st.just(f"user{i}")), confidence=0.5, how="talk")
        for i, name in enumerate(names)
    )
    utterances = []
    for i in range(draw(st.integers(0, 6))):
        start, end = sorted((draw(times), draw(times)))
        words = tuple(
            Word(word=w, start=start, end=end, probability=0.25) for w in draw(st.lists(texts.filter(bool), max_size=3))
        )
        speaker = draw(st.sampled_from(speakers)).id
        utterances.append(Utterance(id=f"u{i}", speaker=speaker, start=start, end=end, text=draw(texts), words=words))
    return Conversation(
        id="c", title=draw(texts), language="en", duration=20_000.0, speakers=speakers, utterances=tuple(utterances)
    )


@given(conversations())
def test_what_is_written_is_read_back(conversation: Conversation) -> None:
    assert from_json(json.loads(json.dumps(to_json(conversation)))) == conversation


@given(conversations())
def test_a_vtt_cue_holds_one_line_and_no_markup_of_the_speech(conversation: Conversation) -> None:
    head, *cues = (block.strip("\n") for block in to_vtt(conversation).rstrip("\n").split("\n\n"))
    assert head == "WEBVTT"
    assert len(cues) == len(conversation.utterances)
    for cue in cues:
        timing, *rest = cue.split("\n")
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}", timing)
        (payload,) = rest
        inner = payload.removeprefix("<v ").removesuffix("</v>")
        assert inner.count("<") == 0
        assert inner.count(">") == 1  # the one that closes the voice tag


def test_rttm_has_one_line_a_turn_with_onset_and_duration() -> None:
    text = to_rttm([(0.5, 2.0, "Speaker 1"), (2.0, 2.25, "S2")], recording="weekly call.mp4")
    assert text == (
        "SPEAKER weekly_call.mp4 1 0.500 1.500 <NA> <NA> Speaker_1 <NA> <NA>\n"
        "SPEAKER weekly_call.mp4 1 2.000 0.250 <NA> <NA> S2 <NA> <NA>\n"
    )


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (75.9, "1:15"), (3675, "1:01:15"), (-3, "0:00")])
def test_times_are_shown_as_people_read_them(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ([], "object"),
        ({"title": "x"}, "utterances"),
        ({"utterances": [{"text": "hi"}]}, "speaker"),
        ({"utterances": [{"speaker": "A", "text": "hi", "start": "soon"}]}, "soon"),
        ({"utterances": "hello"}, "format"),
        ({"utterances": [{"id": "1", "speaker": "A", "text": "a"}, {"id": "1", "speaker": "A", "text": "b"}]}, "'1'"),
    ],
)
def test_a_conversation_that_breaks_the_contract_is_refused_by_name(data: object, named: str) -> None:
    with pytest.raises(ConversationError, match=re.escape(named)):
        from_json(data)


def test_a_speaker_without_an_entry_is_named_by_its_id() -> None:
    conversation = from_json({"utterances": [{"speaker": "Ana", "text": "hi"}]})
    assert conversation.speaker_of(conversation.utterances[0]).name == "Ana"


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConversationError, match="no such file"):
        read_conversation(tmp_path / "gone.json")


def test_a_file_that_is_not_json_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("hello")
    with pytest.raises(ConversationError, match="not JSON"):
        read_conversation(tmp_path / "c.json")


def test_a_folder_without_a_transcript_is_told_to_be_no_folder_of_results(tmp_path: Path) -> None:
    with pytest.raises(ConversationError, match="no folder that meetings process wrote"):
        read_conversation(tmp_path / "transcript.json")
