"""Who spoke, as a user sees and corrects it: voiceprints with consent, corrections, and messages that are edited."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from meetings.config import Settings
from meetings.conversation import read_conversation
from meetings.mattermost import MattermostClient
from meetings.sandbox import Sandbox, post_call, run_in_thread
from tests.acceptance.conftest import SAMPLE, SAMPLE_PEOPLE, Meetings
from tests.databases import every_listed

pytestmark = [pytest.mark.models, pytest.mark.slow]

TRUTH = json.loads(SAMPLE.with_suffix(".truth.json").read_text(encoding="utf-8"))
COMPANY = SAMPLE.parents[1] / "company.yml"


def alone(username: str, *, after: float, seconds: float) -> list[tuple[float, float]]:
    """Turns of one person in which nobody else is heard, until they make so many seconds."""
    found: list[tuple[float, float]] = []
    for turn in TRUTH["turns"]:
        others = (t for t in TRUTH["turns"] if t is not turn)
        free = all(min(turn["end"], t["end"]) <= max(turn["start"], t["start"]) for t in others)
        if turn["speaker"] == username and turn["start"] >= after and free:
            found.append((turn["start"], turn["end"]))
        if sum(e - s for s, e in found) >= seconds:
            break
    return found


@pytest.fixture(scope="session")
def ben(make_media: Callable[..., Path]) -> Path:
    """Fifteen seconds and more of Ben alone."""
    parts = "+".join(f"between(t,{s},{e})" for s, e in alone("ben.okafor", after=100.0, seconds=16.0))
    return make_media("ben.m4a", "-i", str(SAMPLE), "-vn", "-af", f"aselect='{parts}',asetpts=N/SR/TB", "-c:a", "aac")


@pytest.fixture(scope="session")
def later(make_media: Callable[..., Path]) -> Path:
    """A minute of the sample call in which Ben speaks and nobody says who they are."""
    return make_media("later.wav", "-ss", "40", "-t", "50", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")


def speakers(meetings: Meetings, recording: str | Path, *args: str, env: dict[str, str] | None = None) -> Any:
    done = meetings("speakers", recording, *args, "--json", env=env)
    assert done.code == 0, done.err
    return done.json()


def names(shown: Any) -> dict[str, tuple[str, str | None, str]]:
    return {s["id"]: (s["name"], s["username"], s["how"]) for s in shown["speakers"]}


def test_a_voice_kept_with_consent_names_its_owner_in_another_call_until_it_is_forgotten(
    meetings: Meetings, ben: Path, later: Path, tmp_path: Path
) -> None:
    refused = meetings("voices", "enroll", "ben.okafor", ben)
    assert refused.code == 1
    assert "no consent of ben.okafor is recorded" in refused.error_line()

    done = meetings("voices", "enroll", "ben.okafor", ben, "--consent", "by mail, 3 Nov", "--by", "dana")
    assert done.code == 0, done.err
    (entry,) = meetings("voices", "list", "--json").json()
    assert (entry["username"], entry["recordings"]) == ("ben.okafor", 1)
    assert (entry["consent"]["how"], entry["consent"]["by"]) == ("by mail, 3 Nov", "dana")
    key = tmp_path / "home" / "voices" / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    kept = [p for p in (tmp_path / "home").rglob("*") if p.is_file() and p.suffix != ".sqlite"]
    assert not [p for p in kept if b"embedding" in p.read_bytes()]

    processed = meetings("process", later, "--people", SAMPLE_PEOPLE, "--out", "out", "--writer", "extract")
    assert processed.code == 0, processed.err
    found = {u: how for _, u, how in names(speakers(meetings, later)).values() if u}
    assert "voice" in found["ben.okafor"]
    assert set(found) == {"ben.okafor"}

    forgotten = meetings("voices", "forget", "ben.okafor")
    assert "their voice in 1 recordings" in forgotten.out
    assert meetings("voices", "list", "--json").json() == []
    again = meetings("process", later, "--people", SAMPLE_PEOPLE, "--out", "out", "--writer", "extract", "--json")
    assert again.code == 0, again.err
    reused = {s["stage"]: s["reused"] for s in again.json()["stages"]}
    assert reused["transcription"]
    assert reused["diarization"]
    assert {u for _, u, _ in names(speakers(meetings, later)).values()} == {None}


def test_a_file_with_two_voices_is_refused_for_enrolment(meetings: Meetings, later: Path) -> None:
    done = meetings("voices", "enroll", "ben.okafor", later, "--consent", "by mail")
    assert done.code == 1
    assert "voices are heard in it" in done.error_line()
    assert meetings("voices", "list", "--json").json() == []


def test_a_voice_confirmed_by_a_human_is_learnt_and_named_in_the_next_call(
    meetings: Meetings, later: Path, make_media: Callable[..., Path]
) -> None:
    next_call = make_media("next.wav", "-ss", "320", "-t", "60", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")
    for recording in (later, next_call):
        done = meetings("process", recording, "--people", SAMPLE_PEOPLE, "--out", recording.stem, "--writer", "extract")
        assert done.code == 0, done.err
    before = names(speakers(meetings, next_call))
    longest = max(speakers(meetings, later)["speakers"], key=lambda s: s["seconds"])
    assert meetings("speakers", later, "--set", f"{longest['name']}=ben.okafor").code == 0
    unknown = meetings("voices", "learn", later)
    assert "ben.okafor: skipped: no consent is recorded" in unknown.out
    assert meetings("voices", "consent", "ben.okafor", "--consent", "in the meeting").code == 0
    learnt = meetings("voices", "learn", later)
    assert "ben.okafor: learnt" in learnt.out
    assert meetings("voices", "learn", later).out == learnt.out
    (entry,) = meetings("voices", "list", "--json").json()
    assert entry["recordings"] == 1

    assert meetings("process", next_call, "--people", SAMPLE_PEOPLE, "--out", "next", "--writer", "extract").code == 0
    after = names(speakers(meetings, next_call))
    changed = {i for i in after if after[i] != before[i]}
    assert all(after[i][1] == "ben.okafor" and "voice" in after[i][2] for i in changed)
    assert meetings("voices", "forget", "--all").code == 0
    left = every_listed(Settings(home=Path(meetings.env["MEETINGS_HOME"])))
    assert not [one for one in left if one.kind in {"voices", "recording voices"}]
    assert not (Path(meetings.env["MEETINGS_HOME"]) / "voices" / "key").exists()


def test_a_correction_remakes_what_was_written_and_stays(after_speech: Meetings, talk: Path) -> None:
    done = after_speech("process", talk, "--people", SAMPLE_PEOPLE, "--out", "out")
    assert done.code == 0, done.err
    first = speakers(after_speech, talk)["speakers"]
    one, other = first[0], first[1]
    corrected = speakers(
        after_speech, talk, "--set", f"{one['name']}=grace.adams", "--set", f"{other['id']}=Guest: Dr. Weber"
    )
    assert str(after_speech.cwd / "out") in corrected["rewritten"]
    said = names(corrected)
    assert said[one["id"]] == ("Grace Adams", "grace.adams", "given")
    assert said[other["id"]] == ("Dr. Weber", None, "given")
    written = read_conversation(after_speech.cwd / "out" / "transcript.json")
    assert {s.id: (s.name, s.username, s.how) for s in written.speakers} == said
    assert "Dr. Weber" in (after_speech.cwd / "out" / "transcript.vtt").read_text()
    report = json.loads((after_speech.cwd / "out" / "run.json").read_text())
    assert all(s["reused"] for s in report["stages"] if s["stage"] in {"transcription", "diarization"})

    for more in ([], ["--writer", "extract"]):
        again = after_speech("process", talk, "--people", SAMPLE_PEOPLE, "--out", "again", *more)
        assert again.code == 0, again.err
        kept = read_conversation(after_speech.cwd / "again" / "transcript.json")
        assert {s.id: (s.name, s.username, s.how) for s in kept.speakers} == said

    back = names(speakers(after_speech, after_speech.cwd / "out", "--set", "Grace Adams=auto", "--set", "Dr. Weber=?"))
    assert back[one["id"]] == (one["name"], one["username"], one["how"])
    assert back[other["id"]] == ("Speaker 2", None, "given")


def test_a_run_with_another_key_goes_on_without_voiceprints_and_says_so(after_speech: Meetings, talk: Path) -> None:
    assert after_speech("voices", "consent", "ben.okafor", "--consent", "by mail").code == 0
    other = {"MEETINGS_VOICES_KEY": "A" * 43 + "="}
    done = after_speech("process", talk, "--people", SAMPLE_PEOPLE, "--out", "out", "--json", env=other)
    assert done.code == 0, done.err
    assert any("named without voiceprints" in note for note in done.json()["notes"])
    refused = after_speech("voices", "list", env=other)
    assert refused.code == 1
    assert "MEETINGS_VOICES_KEY" in refused.error_line()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("Speaker 99=ana", "no speaker is called 'Speaker 99'"),
        ("nonsense", "is no correction"),
        ("SPEAKER_00=maya.chn", "did you mean maya.chen?"),
        ("SPEAKER_00=Dr. Weber", "'Guest: Dr. Weber'"),
    ],
)
def test_a_correction_that_cannot_be_meant_is_refused_and_changes_nothing(
    after_speech: Meetings, talk: Path, setting: str, says: str
) -> None:
    before = speakers(after_speech, talk)
    done = after_speech("speakers", talk, "--set", setting)
    assert done.code == 1
    assert says in done.error_line()
    assert speakers(after_speech, talk) == before


def test_a_recording_that_was_not_processed_says_what_to_run(meetings: Meetings, later: Path) -> None:
    done = meetings("speakers", later)
    assert done.code == 1
    assert "meetings process" in done.error_line()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=datetime(2026, 11, 19, 10, tzinfo=UTC)) as running:
        yield running


def test_names_come_from_the_calls_transcript_and_a_correction_edits_the_messages(
    sandbox: Sandbox, meetings: Meetings, later: Path
) -> None:
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    users = {u: client.user_by_username(u) for u in TRUTH["speakers"]}
    (meetings.cwd / "calls.vtt").write_text(calls_transcript(40.0, 90.0, 2.8, {u: users[u].name for u in users}))
    call = post_call(
        sandbox.tokens,
        later,
        channel="product",
        title="Weekly",
        started_by="maya.chen",
        participants=TRUTH["speakers"],
        duration=50.0,
        transcription=meetings.cwd / "calls.vtt",
    )
    env = {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token}

    def messages(username: str) -> list[str]:
        me = client.me().id
        posts = client.latest_posts(client.direct_channel(users[username].id), 50)
        return [p.message for p in posts if p.user_id == me]

    done = meetings("process", call.permalink, "--deliver", "--out", "out", "--json", env=env)
    assert done.code == 0, done.err
    found = names(speakers(meetings, call.permalink, env=env))
    named = {u for _, u, how in found.values() if u and "transcript" in how}
    assert {"ben.okafor", "maya.chen"} <= named
    assert named <= set(TRUTH["speakers"])
    before = {u: messages(u) for u in users}
    assert all(len(m) == 1 for m in before.values())

    corrected = speakers(meetings, call.recording_post_id, "--set", "Ben Okafor=leo.martin", env=env)
    statuses = {d["username"]: d["status"] for d in corrected["deliveries"]}
    assert set(statuses.values()) <= {"edited", "unchanged"}
    assert "edited" in statuses.values()
    after = {u: messages(u) for u in users}
    assert all(len(m) == 1 for m in after.values())
    assert after != before
    assert not any("Ben Okafor, 0:" in m[0] for m in after.values())


def calls_transcript(start: float, end: float, skew: float, display: dict[str, str]) -> str:
    """What Calls writes of a part of the sample call, on a clock that is some seconds behind."""
    cues = ["WEBVTT"]
    for turn in TRUTH["turns"]:
        begins, ends = turn["start"] - start - skew, turn["end"] - start - skew
        if begins > 0 and turn["end"] < end:
            name = display[turn["speaker"]]
            stamps = " --> ".join(f"00:{int(t // 60):02d}:{t % 60:06.3f}" for t in (begins, ends))
            cues.append(f"\n{stamps}\n<v {name}>({name}) {turn['text']}")
    return "\n".join(cues) + "\n"
