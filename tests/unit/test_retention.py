"""Purging: what is too old goes and nothing else, and a recording that goes leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.config_tables import ChannelRules, Retention
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError, MattermostUnreachableError
from meetings.kept_voices import KeptVoices
from meetings.mattermost.entities import Channel, Post
from meetings.people import FeedbackBook
from meetings.retention import _at, _remove, plan_gone, plan_purge, purge
from meetings.speech import Voice
from meetings.store import Database
from tests.databases import audit_lines, set_age
from tests.kept_results import Kept, keep_recording

URL = "https://chat.test"


class Server:
    """A server's answers to the three questions that a purge asks."""

    url = URL

    def __init__(self, answer: Post | Exception | None = None, channel: str = "product") -> None:
        self.answer = answer
        self._channel = channel

    def post(self, post_id: str) -> Post:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or Post(id=post_id, channel_id="c1", user_id="u")

    def address_of(self, channel: Channel) -> str:
        return f"acme/{channel.name}"

    def channel(self, channel_id: str) -> Channel:
        return Channel(id=channel_id, team_id="t1", type="O", name=self._channel)


def settings_with(home: Path, *, channels: dict[str, ChannelRules] | None = None, **days: int | str) -> Settings:
    return Settings(home=home, retention=Retention.model_validate(days), channels=channels or {})


def posted(settings: Settings, *, age_days: float = 0.0) -> Kept:
    return keep_recording(settings, post_id="p" * 26, channel_id="c1", server=URL, age_days=age_days)


def run(settings: Settings, server: Server | None = None) -> dict[str, tuple[int, int]]:
    return purge(plan_purge(settings, client=server), settings, by="dana").totals()  # type: ignore[arg-type]


def test_without_a_policy_only_sound_and_voices_get_old(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home")
    kept = keep_recording(settings, age_days=1_000)
    assert set(run(settings)) == {"audio", "voices"}
    assert kept.store.has("conversation", kept.conversation)
    assert kept.store.has("summaries", kept.summaries)


def test_a_dry_run_removes_and_notes_nothing(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30)
    kept = keep_recording(settings, age_days=31)
    before = kept.files()
    assert plan_purge(settings, client=None).totals()
    assert kept.files() == before


@pytest.mark.parametrize("kind", ["audio", "transcript", "summaries", "voices", "context", "feedback"])
def test_a_kind_is_kept_to_its_last_day_and_no_longer(tmp_path: Path, kind: str) -> None:
    days = {"audio": 5000, "voices": 5000, kind: 40}
    settings = settings_with(tmp_path / "home", **days)
    FeedbackBook(settings).add("ana", "more", "prices")
    keep_recording(settings, age_days=39)
    assert run(settings) == {}
    keep_recording(settings, age_days=41)
    assert kind in run(settings)


def test_of_a_recording_whose_transcript_goes_no_words_and_no_voices_are_left(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30, summaries=30)
    kept = keep_recording(settings, age_days=31)
    assert kept.of_recording()
    run(settings)
    assert kept.of_recording() == set()


def test_summaries_may_outlive_their_transcript(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30)
    kept = keep_recording(settings, age_days=31)
    run(settings)
    assert not kept.store.has("conversation", kept.conversation)
    assert kept.store.has("summaries", kept.summaries)


def test_a_correction_makes_a_transcript_no_younger(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30)
    kept = keep_recording(settings, age_days=31)
    os.utime(kept.store.path("conversation", kept.conversation))
    run(settings)
    assert not kept.store.has("conversation", kept.conversation)


def test_what_one_recording_loses_another_keeps(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30, summaries=30)
    keep_recording(settings, "a" * 26, age_days=31)
    young = keep_recording(settings, "b" * 26, age_days=0)
    before = {p for p in young.of_recording() if time.time() - _at(p) < 86_400}
    run(settings)
    assert young.of_recording() == before


def test_a_killed_purge_is_finished_by_the_next(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30, summaries=30)
    keep_recording(settings, age_days=31)
    count = len(plan_purge(settings, client=None).doomed)
    for dies_after in range(count):
        kept = keep_recording(settings, age_days=31)
        plan = plan_purge(settings, client=None)
        for one in plan.doomed[:dies_after]:
            _remove(one.path, Database.of(settings))
        run(settings)
        assert kept.of_recording() == set(), dies_after


def test_a_recording_that_is_gone_from_the_server_goes_whatever_the_days_say(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", audio="forever", voices="forever")
    kept = posted(settings)
    run(settings, Server(MattermostNotFoundError("gone", status=404)))
    assert kept.of_recording() == set()
    assert [e.facts["reason"] for e in AuditLog(settings).entries()] == ["deleted in Mattermost"]


def test_a_recording_whose_post_was_marked_deleted_goes(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home")
    kept = posted(settings)
    run(settings, Server(Post(id="p" * 26, channel_id="c1", user_id="u", delete_at=5)))
    assert kept.of_recording() == set()


@pytest.mark.parametrize(
    "error",
    [
        MattermostForbiddenError("no", status=403),
        MattermostUnreachableError("away"),
    ],
)
def test_a_recording_that_cannot_be_asked_for_stays(tmp_path: Path, error: Exception) -> None:
    settings = settings_with(tmp_path / "home")
    kept = posted(settings)
    before = kept.files()
    plan = plan_purge(settings, client=Server(error))  # type: ignore[arg-type]
    purge(plan, settings, by="dana")
    assert kept.files() == before
    assert "could be asked" in plan.notes[0]


def test_a_recording_of_another_server_is_not_taken_for_deleted(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home")
    kept = keep_recording(settings, post_id="p" * 26, channel_id="c1", server="https://old.test")
    before = kept.of_recording()
    run(settings, Server(MattermostNotFoundError("gone", status=404)))
    assert kept.of_recording() == before


def test_only_the_recordings_of_the_channel_are_asked_for_when_a_post_is_deleted(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home")
    posted(settings)
    server = Server(MattermostNotFoundError("gone", status=404))
    assert not plan_gone(settings, server, "c2").doomed  # type: ignore[arg-type]
    assert plan_gone(settings, server, "c1").doomed  # type: ignore[arg-type]


def test_a_channels_own_days_count_for_its_recordings(tmp_path: Path) -> None:
    rules = {"acme/board": ChannelRules.model_validate({"retention": {"transcript": 7}})}
    settings = settings_with(tmp_path / "home", channels=rules, transcript=365)
    kept = posted(settings, age_days=8)
    run(settings, Server(channel="product"))
    assert kept.store.has("conversation", kept.conversation)
    run(settings, Server(channel="board"))
    assert not kept.store.has("conversation", kept.conversation)


def test_when_nobody_can_say_which_channel_it_was_the_longest_time_counts(tmp_path: Path) -> None:
    rules = {"acme/legal": ChannelRules.model_validate({"retention": {"transcript": "forever"}})}
    settings = settings_with(tmp_path / "home", channels=rules, transcript=7)
    kept = posted(settings, age_days=8)
    run(settings)
    assert kept.store.has("conversation", kept.conversation)


def test_a_recording_that_is_being_worked_on_is_left_for_the_next_time(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30)
    kept = keep_recording(settings, age_days=31)
    locks = settings.home / "state" / "locks"
    locks.mkdir(parents=True)
    with FileLock(locks / f"{kept.job.source.media_id}.lock"):
        done = purge(plan_purge(settings, client=None), settings, by="dana")
    assert kept.store.has("conversation", kept.conversation)
    assert any("being worked on" in note for note in done.notes)


def test_what_no_job_leads_to_goes_after_a_month(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home")
    kept = keep_recording(settings)
    stray = kept.store.path("transcription", "0" * 32)
    stray.write_text("{}")
    assert run(settings) == {}
    old = time.time() - 31 * 86_400
    os.utime(stray, (old, old))
    assert run(settings) == {"orphans": (1, 2)}
    assert kept.store.has("transcription", kept.transcription)


def test_voices_that_no_job_leads_to_go_after_a_month(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", voices=5000)
    kept = keep_recording(settings)
    KeptVoices.of(settings).keep("of no recording", [Voice(speaker="S1", embedding=(1.0,), seconds=9.0)])
    assert run(settings) == {}
    set_age(settings, time.time() - 31 * 86_400, name="of no recording")
    assert set(run(settings)) == {"orphans"}
    assert KeptVoices.of(settings).voices("of no recording") == ()
    assert KeptVoices.of(settings).voices(kept.diarization)


def test_voices_that_were_kept_anew_after_the_plan_stay(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", voices=30)
    kept = keep_recording(settings, age_days=31)
    plan = plan_purge(settings, client=None)
    set_age(settings, time.time())
    purge(plan, settings, by="dana")
    assert KeptVoices.of(settings).voices(kept.diarization)


def test_a_backup_that_was_broken_off_goes(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home")
    half = settings.home / ".meetings-x" / "made.sqlite"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"x")
    os.utime(half, (time.time() - 2 * 86_400,) * 2)
    assert run(settings) == {"leftovers": (1, 1)}
    assert not half.parent.exists()


def test_downloads_that_stopped_and_files_half_written_go(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home")
    kept = keep_recording(settings)
    media = kept.store.root / "media"
    part = media / f"{'z' * 26}.bin.part"
    half = kept.store.root / "conversation" / ".x.json.abc"
    for file in (part, half):
        file.write_text("x")
        os.utime(file, (time.time() - 11 * 86_400,) * 2)
    run(settings)
    assert not part.exists()
    assert not half.exists()


def test_who_wants_no_messages_goes_on_getting_none_when_feedback_gets_old(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", feedback=10)
    book = FeedbackBook(settings)
    book.set_stopped("ana", True)
    book.add("ben", "more", "prices")
    set_age(settings, time.time() - 11 * 86_400)
    assert run(settings) == {"feedback": (1, pytest.approx(150, abs=120))}
    assert book.of("ana").stopped
    assert not book.of("ben").wishes


def test_what_was_removed_is_in_the_audit_log_without_what_was_said(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30)
    keep_recording(settings, age_days=31)
    run(settings)
    log = AuditLog(settings)
    assert {e.event for e in log.entries()} == {"purge"}
    assert b"zebra" not in b"".join(audit_lines(settings)).lower()


def test_a_recording_of_the_users_own_is_never_removed(tmp_path: Path) -> None:
    mine = tmp_path / "call.mp4"
    mine.write_bytes(b"film")
    settings = settings_with(tmp_path / "home", audio=1, transcript=1)
    keep_recording(settings, path=str(mine), age_days=100)
    plan = plan_purge(settings, client=None)
    assert plan.doomed
    assert all(settings.home in one.path.parents for one in plan.doomed if isinstance(one.path, Path))


def test_runs_that_ended_long_ago_go_with_the_transcripts(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "home", transcript=30)
    state = settings.home / "state"
    state.mkdir(parents=True)
    code = (
        "import sys; from dbos import DBOS, SetWorkflowID\n"
        "work = DBOS.workflow(name='work')(lambda: 'done')\n"
        "DBOS(config={'name': 'meetings', 'system_database_url': sys.argv[1], 'log_level': 'CRITICAL'})\n"
        "DBOS.launch()\n"
        "with SetWorkflowID('run-1'): work()\n"
        "DBOS.destroy(workflow_completion_timeout_sec=0)\n"
    )
    database = state / "steps.sqlite"
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{database}"], check=True, capture_output=True)
    assert plan_purge(settings, client=None).rows == {}
    later = time.time() + 31 * 86_400
    plan = plan_purge(settings, client=None, now=later)
    assert plan.rows == {database: ["run-1"]}
    purge(plan, settings, by="dana")
    assert plan_purge(settings, client=None, now=later).rows == {}
