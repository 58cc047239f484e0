"""`meetings process` on real sound with real models, as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from meetings.conversation import read_conversation
from tests.acceptance.conftest import SAMPLE, SAMPLE_PEOPLE, Meetings

pytestmark = [pytest.mark.models, pytest.mark.slow]

FILES = {"transcript.json", "transcript.vtt", "transcript.md", "speakers.rttm", "run.json", "summaries"}


def test_a_recording_becomes_a_transcript_and_a_summary_for_each_person(meetings: Meetings, talk: Path) -> None:
    done = meetings.cold()("process", talk, "--people", SAMPLE_PEOPLE, "--out", "weekly", "--json")
    assert done.code == 0, done.err
    out = meetings.cwd / "weekly"
    assert {p.name for p in out.iterdir()} == FILES
    conversation = read_conversation(out / "transcript.json")
    assert len(conversation.utterances) > 3
    assert all(u.words for u in conversation.utterances)
    assert conversation.language == "en"
    report = done.json()
    assert {s["stage"] for s in report["stages"]} >= {"audio", "transcription", "diarization", "summaries"}
    assert not any(s["reused"] for s in report["stages"] if s["stage"] in {"transcription", "diarization"})
    summaries = sorted((out / "summaries").glob("*.json"))
    assert len(summaries) >= 10
    known = {u.id for u in conversation.utterances}
    for file in summaries:
        summary = json.loads(file.read_text())
        for bullet in summary["bullets"]:
            assert bullet["evidence"], bullet
            assert set(bullet["evidence"]) <= known
        assert (file.with_suffix(".md")).read_text().strip()


def test_engines_side_by_side_hear_what_they_hear_in_turn(meetings: Meetings, talk: Path) -> None:
    def heard(threads: int) -> list[tuple[str, str]]:
        env = {"MEETINGS_THREADS": str(threads)}
        args = ("process", talk, "--people", SAMPLE_PEOPLE, "--fresh", "--out", f"with-{threads}")
        done = meetings(*args, env=env)
        assert done.code == 0, done.err
        found = read_conversation(meetings.cwd / f"with-{threads}" / "transcript.json")
        return [(u.speaker, u.text) for u in found.utterances]

    assert heard(4) == heard(2)


def test_the_same_command_again_reuses_everything(after_speech: Meetings, talk: Path) -> None:
    done = after_speech("process", talk, "--people", SAMPLE_PEOPLE, "--out", "again", "--json")
    assert done.code == 0, done.err
    assert all(s["reused"] for s in done.json()["stages"])


def test_other_people_and_another_writer_reuse_the_speech(after_speech: Meetings, talk: Path) -> None:
    (after_speech.cwd / "one.yml").write_text("- username: zoe\n  name: Zoe Zed\n  position: Head of Sales\n")
    done = after_speech("process", talk, "--people", "one.yml", "--writer", "extract", "--out", "o", "--json")
    assert done.code == 0, done.err
    reused = {s["stage"]: s["reused"] for s in done.json()["stages"]}
    assert reused["transcription"]
    assert reused["diarization"]
    assert not reused["summaries"]
    assert [p.name for p in (after_speech.cwd / "o" / "summaries").glob("*.json")] == ["zoe.json"]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("call.mp4", ["-c:a", "aac"]),
        ("call.webm", ["-c:a", "libopus"]),
        ("call.mkv", ["-c:a", "flac"]),
        ("call.m4a", ["-c:a", "aac"]),
        ("call.mp3", ["-c:a", "libmp3lame"]),
        ("call.opus", ["-c:a", "libopus"]),
        ("call.flac", ["-c:a", "flac"]),
        ('it\'s a "call" für Jürgen; $(rm x) -y.wav', ["-c:a", "pcm_s16le"]),
    ],
)
def test_any_container_and_any_file_name_is_read(
    make_media: Callable[..., Path], talk: Path, tmp_path: Path, name: str, args: list[str]
) -> None:
    from meetings.speech import decode_audio

    media = make_media(name, "-t", "5", "-i", str(talk), *args)
    info = decode_audio(media, tmp_path / "audio.wav")
    assert info.duration == pytest.approx(5.0, abs=0.2)


def test_ten_minutes_of_silence_say_so_and_invent_nothing(meetings: Meetings, make_media: Callable[..., Path]) -> None:
    silence = make_media("silence.flac", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "600")
    done = meetings("process", silence, "--out", "out")
    assert done.code == 0, done.err
    assert "Nothing was said" in done.out
    assert read_conversation(meetings.cwd / "out" / "transcript.json").utterances == ()
    summary = json.loads((meetings.cwd / "out" / "summaries" / "everyone.json").read_text())
    assert summary["bullets"] == []


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("noise.flac", "anoisesrc=r=16000:a=0.2:d=60:c=pink:seed=3"),
        ("tone.flac", "sine=f=440:r=16000:d=60"),
        ("chord.flac", "aevalsrc=0.2*sin(262*2*PI*t)+0.2*sin(330*2*PI*t)*sin(2*PI*t)+0.1*sin(784*2*PI*t):s=16000:d=60"),
    ],
)
def test_noise_and_music_alone_give_no_text(
    meetings: Meetings, make_media: Callable[..., Path], name: str, sound: str
) -> None:
    done = meetings("process", make_media(name, "-f", "lavfi", "-i", sound), "--out", "out", "--json")
    assert done.code == 0, done.err
    assert read_conversation(meetings.cwd / "out" / "transcript.json").utterances == ()


def test_one_speaker_is_one_speaker(meetings: Meetings, make_media: Callable[..., Path]) -> None:
    truth = json.loads(SAMPLE.with_suffix(".truth.json").read_text())
    turn = max(truth["turns"], key=lambda t: t["end"] - t["start"])
    alone = make_media("alone.wav", "-ss", str(turn["start"]), "-to", str(turn["end"]), "-i", str(SAMPLE), "-ac", "1")
    done = meetings("process", alone, "--out", "out", "--json")
    assert done.code == 0, done.err
    conversation = read_conversation(meetings.cwd / "out" / "transcript.json")
    assert {u.speaker for u in conversation.utterances} == {conversation.speakers[0].id}
    assert conversation.speakers[0].name == "Speaker 1"
