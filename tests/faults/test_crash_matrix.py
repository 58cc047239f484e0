"""Killed at any point of a recording's way, the program finishes it as if nothing had been: the crash matrix."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg
import pytest

from meetings.config import load_settings
from meetings.mattermost import MattermostClient
from meetings.mattermost.delivery import KEY_PROP
from meetings.sandbox import post_call, run_in_thread
from meetings.store import close_databases
from tests.databases import made_ready
from tests.faults.crash_program import COMPANY, PEOPLE, Passing, live, serve_copy
from tests.faults.known_speech import KnownSpeech

pytestmark = [pytest.mark.models, pytest.mark.slow]

# Points of each database. There are about 190 and 220: CRASH_POINTS=1000 tries them all.
POINTS = {"SQLite": int(os.environ.get("CRASH_POINTS", "40")), "PostgreSQL": int(os.environ.get("CRASH_POINTS", "30"))}
AT_ONCE = 2
# A process that has imported everything and started nothing: each life of the program is forked from it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.crash_warm"])
# At a boundary first, then inside: which doors of a step are tried first where not all of them can be.
DOORS = (
    "after its commit",
    "stage begins",
    "after its answer",
    "before its commit",
    "before a request",
    "before a file",
    "after a file",
    "inside a stage",
    "stage done",
    "before a row",
)


@dataclass(frozen=True)
class Company:
    """A folder with a sandbox in which a call was recorded, and a home that knows what was said in it: to be copied."""

    folder: Path
    post_id: str
    models: Path
    database: str | None

    def environ(self, folder: Path, url: str, token: str, database: str | None) -> dict[str, str]:
        """The settings of a life in a copy."""
        return {
            "MATTERMOST_URL": url,
            "MATTERMOST_TOKEN": token,
            "MEETINGS_HOME": str(folder / "home"),
            "MEETINGS_MODELS": str(self.models),
            "MEETINGS_LANGUAGE_MODEL": "none",
            "MEETINGS_THREADS": "1",
            "MEETINGS_VOICES_KEY": "A" * 43 + "=",
            **({"MEETINGS_DATABASE_URL": database} if database else {}),
        }


def lives(environ: dict[str, str], post_id: str | None, notes: Path | None = None, at: Passing | None = None) -> int:
    """One life of the program; how it ended."""
    process = FORKS.Process(target=live, args=(environ, post_id, str(notes) if notes else None, at))
    process.start()
    process.join(200)
    if process.exitcode is None:
        process.kill()
        process.join()
    code = process.exitcode or 0
    process.close()
    return code


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """A process that forks has no threads: those of the numeric library would not be there in the fork."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def company(
    request: pytest.FixtureRequest, tmp_path: Path, short: Path, heard: KnownSpeech, models_folder: Path
) -> Company:
    """The company with its recorded call; the databases have their tables and are empty."""
    folder = tmp_path / "company"
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with run_in_thread(folder / "sandbox", company=COMPANY, now=datetime(2026, 11, 19, 10, tzinfo=UTC)) as sandbox:
        call = post_call(
            sandbox.tokens,
            short,
            channel="product",
            title="Weekly",
            started_by="ana",
            participants=["ana", "ben"],
            duration=15.0,
        )
        made = Company(folder=folder, post_id=call.recording_post_id, models=models_folder, database=database)
        environ = made.environ(folder, sandbox.url, sandbox.bot_token or "", database)
        settings = made_ready(load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path))
        heard.give(settings, made.post_id)
        close_databases()  # it is copied, and for that nobody may be in it
        assert lives(environ, None) == 0
    return made


@dataclass(frozen=True)
class Ended:
    """What there was in the end: how each life ended, results by stage, and everybody's messages."""

    codes: tuple[int, ...]
    results: list[tuple[str, str]]
    messages: dict[str, list[tuple[str, str]]]


def play(
    company: Company, folder: Path, at: Passing | None, notes: Path | None = None, *, learn: bool = False
) -> Ended:
    """A life of the program in a copy of the company; if it is killed, another one.

    Args:
        company: what is copied.
        folder: where to.
        at: where the program is killed; None: nowhere.
        notes: the file for what passes.
        learn: sentences that were read are known in every later copy.
    """
    shutil.copytree(company.folder, folder)
    database = copy_of(company.database) if company.database else None
    try:
        with running(folder / "sandbox") as (url, token):
            environ = company.environ(folder, url, token, database)
            codes = [lives(environ, company.post_id, notes, at)]
            if at is not None:
                codes.append(lives(environ, company.post_id))
            if learn:
                (company.folder / "home" / "people").mkdir()
                for known in (folder / "home" / "people").glob("*.sqlite*"):
                    shutil.copy(known, company.folder / "home" / "people")
            client = MattermostClient(url, token)
            return Ended(
                codes=tuple(codes),
                results=sorted(results(folder / "home" / "results", url)),
                messages={person: messages(client, person) for person in PEOPLE},
            )
    finally:
        if database is not None:
            forget(database)
        shutil.rmtree(folder)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[str, str]]:
    """A sandbox in a process of its own: its address, and the bot's token."""
    ours, theirs = FORKS.Pipe()
    process = FORKS.Process(target=serve_copy, args=(str(folder), theirs))
    process.start()
    try:
        assert ours.poll(60), "the sandbox did not start"
        yield ours.recv()
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()
        theirs.close()


def results(folder: Path, url: str) -> Iterator[tuple[str, str]]:
    """Every stage's results, without what differs from one server and one post to the next."""
    for path in folder.rglob("*.json"):
        if not path.name.startswith("."):
            text = re.sub(r"\b[0-9a-f]{32}\b", "KEY", path.read_text().replace(url, "SERVER"))
            stage = path.parent.name
            yield stage, re.sub(r"\b[0-9a-z]{26}\b", "ID", text) if stage == "delivered" else text


def messages(client: MattermostClient, username: str) -> list[tuple[str, str]]:
    """What the bot told somebody of recordings, in order: each message's recording and text."""
    direct = client.direct_channel(client.user_by_username(username).id)
    return [
        (str(p.props[KEY_PROP]).split(":")[0], p.message.replace(client.url, "SERVER"))
        for p in client.latest_posts(direct, 100)
        if KEY_PROP in p.props
    ]


def copy_of(url: str) -> str:
    """A new database with what is in another."""
    server, _, name = url.rpartition("/")
    copy = f"copy_{os.urandom(8).hex()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"'.encode())
    return f"{server}/{copy}"


def forget(url: str) -> None:
    """Remove a database."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def steps_of(passed: Sequence[Passing]) -> list[tuple[str, Passing]]:
    """Each passing with the step that it belongs to: that whose record comes next."""
    found: list[tuple[str, Passing]] = []
    step = "the end"
    for passing in reversed(passed):
        if passing.what.startswith("workflow becomes"):
            found.append(("its place in the queue", passing))
            continue
        if passing.step:
            step = passing.step + (f" {passing.turn}" if passing.turn > 1 else "")
        found.append((step, passing))
    return found[::-1]


def choose(passed: Sequence[Passing], wanted: int) -> list[tuple[str, Passing]]:
    """So many points, spread over all steps: of each the most telling ones first, and every door."""
    by_step: dict[str, list[tuple[str, Passing]]] = {}
    for step, passing in steps_of(passed):
        by_step.setdefault(step, []).append((step, passing))
    turns = [by_doors(points) for points in by_step.values()]
    chosen = [point for each in zip_longest(*turns) for point in each if point is not None][:wanted]
    order = {passing: number for number, passing in enumerate(passed)}
    return sorted(chosen, key=lambda point: order[point[1]])


def by_doors(points: Sequence[tuple[str, Passing]]) -> list[tuple[str, Passing]]:
    """The first that passed each door, door by door, then the second, and so on; what sends a message comes first."""
    doors: list[list[tuple[str, Passing]]] = [[] for _ in DOORS]
    for point in sorted(points, key=lambda point: not point[1].what.startswith("POST /posts")):
        doors[DOORS.index(point[1].door)].append(point)
    return [point for each in zip_longest(*doors) for point in each if point is not None]


@pytest.mark.timeout(1800)
def test_killed_anywhere_the_run_ends_like_one_that_nobody_disturbed(company: Company, tmp_path: Path) -> None:
    play(company, tmp_path / "first", None, learn=True)
    undisturbed = play(company, tmp_path / "undisturbed", None, tmp_path / "notes")
    assert undisturbed.codes == (0,)
    assert {person: len(told) for person, told in undisturbed.messages.items()} == dict.fromkeys(PEOPLE, 1)
    passed = [Passing(**json.loads(line)) for line in (tmp_path / "notes").read_text().splitlines()]
    database = "PostgreSQL" if company.database else "SQLite"
    points = choose(passed, POINTS[database])
    assert {step for step, _ in points} == {step for step, _ in steps_of(passed)}

    def tried(number: int) -> str:
        ended = play(company, tmp_path / f"point-{number}", points[number][1])
        if ended.codes != (-signal.SIGKILL, 0):
            return f"ended with {ended.codes}"
        if ended.messages != undisturbed.messages:
            return f"messages differ: {ended.messages}"
        return "same" if ended.results == undisturbed.results else f"results differ: {differing(ended, undisturbed)}"

    with ThreadPoolExecutor(AT_ONCE) as both:
        outcomes = list(both.map(tried, range(len(points))))
    print(f"\n{len(points)} of {len(passed)} points\n\n| step | killed | database | outcome |\n|---|---|---|---|")
    for (step, passing), outcome in zip(points, outcomes, strict=True):
        print(f"| {step} | {passing.door}: {passing.what} ({passing.turn}) | {database} | {outcome} |")
    assert [(*point, outcome) for point, outcome in zip(points, outcomes, strict=True) if outcome != "same"] == []


def differing(one: Ended, other: Ended) -> Any:
    """Where two ends are not the same."""
    return sorted(set(one.results) ^ set(other.results))
