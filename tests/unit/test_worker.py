"""What a worker takes first, how much of it at once, and whom it takes for dead."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from dbos import DBOS, DBOSClient

import meetings.arrivals
import meetings.service
import meetings.worker
from meetings.config import load_settings
from meetings.errors import DatabaseError, MattermostUnreachableError
from meetings.job import Job, Source
from meetings.mattermost import Recording
from meetings.mattermost.entities import FileInfo, Reaction
from meetings.pipeline import Silent
from meetings.queueing import APPLICATION, CORRECTION, DELIVERY, FRESH, LATE, SPEECH, SUMMARY, SharedInbox, errand
from meetings.retention import plan_purge, purge
from meetings.stage import StageResult
from meetings.worker import Worker, alive_lock, take_over
from tests.many_calls import upgrade
from tests.postgres import new_database, running_postgres


@pytest.fixture
def client(postgres_url: str) -> Iterator[DBOSClient]:
    """Who looks into the queues from outside."""
    upgrade({**os.environ, "MEETINGS_DATABASE_URL": postgres_url})
    DBOS.migrate(postgres_url)
    found = DBOSClient(system_database_url=postgres_url, application_name=APPLICATION)
    yield found
    found.destroy()


@contextmanager
def working(url: str, home: Path, *, concurrency: int = 1, queues: Sequence[str] = (SPEECH,)) -> Iterator[Worker]:
    """A worker in this process."""
    settings = load_settings(environ={"MEETINGS_HOME": str(home), "MEETINGS_DATABASE_URL": url})
    worker = Worker(settings, Silent(), queues=queues, concurrency=concurrency)
    with worker:
        yield worker
    # Not even for a moment does it look at the database of the worker that comes after it in this process.
    for thread in threading.enumerate():
        if thread.name == "watch":
            thread.join()
    worker._alive.release()


def put(client: DBOSClient, name: str, *, share: str, priority: int) -> None:
    """Queue work whose job is not there: it is given up at once, and nobody is asked about it."""
    work = {"job": "none", "recording": name, "look": None, "priority": priority, "share": share, "steps": []}
    client.enqueue(errand(SPEECH, "work_on", name, share=share, priority=priority), SPEECH, name, work)


def in_order(client: DBOSClient, count: int) -> list[str]:
    """The names of what was worked on, in order, once it is so many."""
    end = time.monotonic() + 120
    while True:
        done = client.list_workflows(status="SUCCESS", name="work_on")
        if len(done) >= count:
            return [one.workflow_id for one in sorted(done, key=lambda one: one.dequeued_at or 0)]
        assert time.monotonic() < end, [one.workflow_id for one in done]
        time.sleep(0.1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at queues that follow one another at once."""
    monkeypatch.setattr(meetings.worker, "LOOK", 0.02)


@pytest.mark.usefixtures("quick")
def test_within_a_team_a_call_that_just_ended_goes_first_and_corrections_last(
    client: DBOSClient, postgres_url: str, tmp_path: Path
) -> None:
    for name, priority in (("correction", CORRECTION), ("late", LATE), ("fresh", FRESH)):
        put(client, name, share="team", priority=priority)
    with working(postgres_url, tmp_path):
        assert in_order(client, 3) == ["fresh", "late", "correction"]


@pytest.mark.usefixtures("quick")
def test_a_team_with_little_does_not_wait_for_one_with_much(
    client: DBOSClient, postgres_url: str, tmp_path: Path
) -> None:
    for number in range(40):
        put(client, f"much{number}", share="much", priority=FRESH)
    for number in range(3):
        put(client, f"little{number}", share="little", priority=FRESH)
    with working(postgres_url, tmp_path):
        order = in_order(client, 43)
    # By lot, one of two each time: that fewer than 3 of 30 fall to one of them happens once in 2 million times.
    assert {f"little{n}" for n in range(3)} <= set(order[:30])


def test_each_worker_has_limits_of_its_own(client: DBOSClient, postgres_url: str, tmp_path: Path) -> None:
    with working(postgres_url, tmp_path, concurrency=3):
        here = DBOS.retrieve_queue(SPEECH)
        everywhere = client.retrieve_queue(SPEECH)
        assert here is not None
        assert here._worker_concurrency == 3
        assert everywhere is not None
        assert everywhere._worker_concurrency == 1


def test_a_database_that_is_away_is_told_in_a_line_without_its_password() -> None:
    with running_postgres() as server:
        inbox = SharedInbox(new_database(server).replace("meetings@", "meetings:secret@"))
    try:
        for ask in (lambda: inbox.put("p"), inbox.waiting):
            with pytest.raises(DatabaseError, match="database_url") as raised:
                ask()
            assert "secret" not in str(raised.value)
    finally:
        inbox._client.destroy()


def test_the_same_news_is_queued_once(postgres_url: str) -> None:
    with SharedInbox(postgres_url) as inbox:
        assert [inbox.put("p", cause="c") for _ in range(2)] == [True, False]
        assert inbox.put("p", cause="d")
        assert [inbox.put_answer("p", "u") for _ in range(2)] == [True, False]
        assert [inbox.put_reaction(Reaction(user_id="u", post_id="p", emoji_name="+1")) for _ in range(2)] == [
            True,
            False,
        ]
        assert inbox.waiting() == 2


def test_what_a_dead_worker_was_at_goes_back_into_its_queue_and_a_living_ones_does_not(
    client: DBOSClient, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test looks, not the worker itself, which would find the dead one first now and then.
    monkeypatch.setattr(meetings.worker, "HEARTBEAT", 3600.0)
    for name in ("of-the-dead", "of-the-living"):
        put(client, name, share="team", priority=FRESH)
    with working(postgres_url, tmp_path / "a"), alive_lock(postgres_url, "living"):
        in_order(client, 2)
        _claim(postgres_url, {"of-the-dead": "dead", "of-the-living": "living"})
        assert take_over(postgres_url, "me") == ["dead"]
        in_order(client, 1)
        (left,) = client.list_workflows(status="PENDING")
        assert left.workflow_id == "of-the-living"


@pytest.mark.usefixtures("quick")
def test_a_part_that_fails_is_tried_again_and_the_recording_is_done_in_the_end(
    client: DBOSClient, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Stubs:
        """Stages that give something at once; the language model is away the first time."""

        threads = 1

        def __init__(self, **_: object) -> None: ...

        def read_job(self, _key: str) -> Job:
            return JOB

        def tidy(self, _job: Job) -> None: ...

        def summarise(self, *_: object) -> StageResult:
            told.append("summarise")
            if len(told) == 1:
                raise MattermostUnreachableError("away")
            return StageResult(stage="summaries", key="k", seconds=0, reused=False, info={"deliver_to": ["ana"]})

        def deliver(self, *_: object) -> StageResult:
            told.append("deliver")
            info = {"username": "ana", "status": "sent", "reason": "", "server_gone": False, "down": ""}
            return StageResult(stage="delivery to ana", key="k", seconds=0, reused=False, info=info)

        def __getattr__(self, stage: str) -> Callable[..., StageResult]:
            names = {"join": "conversation", "diarize": "diarization", "read_people": "people"}
            return lambda *_: StageResult(stage=names.get(stage, stage), key="k", seconds=0, reused=False)

    server = SimpleNamespace(
        user=lambda _id: SimpleNamespace(is_bot=True), channel=lambda _id: SimpleNamespace(team_id="acme")
    )
    monkeypatch.setattr(meetings.service, "Stages", Stubs)
    monkeypatch.setattr(meetings.service, "MattermostClient", SimpleNamespace(required=lambda _settings: server))
    monkeypatch.setattr(meetings.service, "find_recording", lambda _client, _post: RECORDING)
    monkeypatch.setattr(meetings.service, "prepare_job", lambda *_, **_options: JOB)
    monkeypatch.setattr(meetings.arrivals, "FIRST_PAUSE", 0.1)
    with SharedInbox(postgres_url) as inbox:
        inbox.put("post")
        with working(postgres_url, tmp_path, queues=[SPEECH, SUMMARY, DELIVERY]):
            until = time.monotonic() + 120
            while inbox.waiting() and time.monotonic() < until:
                time.sleep(0.1)
    assert told == ["summarise", "summarise", "deliver"]
    queues = [one.queue_name for one in client.list_workflows(name="work_on", status="SUCCESS")]
    assert queues == [SPEECH, SUMMARY, SPEECH, SUMMARY, DELIVERY]


JOB = Job(
    source=Source(media_id="f" * 26, name="call", title="Call", post_id="post", channel_id="channel"),
    people_key=None,
    deliver=True,
    writer="extract",
    language=None,
    device="cpu",
    models={},
    fingerprints={},
)
RECORDING = Recording(
    file=FileInfo(id="f" * 26, post_id="post", name="call.mp4", size=1),
    post_id="post",
    channel_id="channel",
    call_post_id=None,
    title="Call",
    started_at=None,
    participant_ids=(),
    transcript_file_id=None,
)


def test_what_ended_long_ago_goes_from_the_shared_database_too(
    client: DBOSClient, postgres_url: str, tmp_path: Path
) -> None:
    put(client, "old", share="team", priority=FRESH)
    with working(postgres_url, tmp_path):
        in_order(client, 1)
    environ = {"MEETINGS_HOME": str(tmp_path), "MEETINGS_DATABASE_URL": postgres_url}
    settings = load_settings(environ={**environ, "MEETINGS_RETENTION": "transcript=1"})
    plan = plan_purge(settings, client=None, now=time.time() + 2 * 86_400)
    assert plan.rows == {postgres_url: ["old"]}
    purge(plan, settings, by="test")
    assert client.list_workflows() == []


def _claim(url: str, owners: dict[str, str]) -> None:
    """As if workers were at it."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for name, owner in owners.items():
            connection.execute(
                "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = %s WHERE workflow_uuid = %s",
                [owner, name],
            )


def test_a_worker_without_a_database_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("meetings")), "worker"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "database_url" in done.stderr
    assert "meetings listen" in done.stderr


def test_an_inbox_whose_server_is_away_is_told_in_one_line() -> None:
    with pytest.raises(DatabaseError, match="the database does not answer"):
        SharedInbox("postgresql://u:p@127.0.0.1:9/x")


def test_a_queue_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("meetings")), "worker", "--queues", "speech,speach"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "'speach' is no queue" in done.stderr
