"""The program as the crash matrix runs it: until its queue is empty, or until it is killed at one exact point.

Everything that the program leaves outside its own memory passes a few doors: a file takes its name or goes, a row of
the steps' database is written and committed, a request is sent and answered, a stage begins or is done. `Watch` stands
at each of them, from outside, and notes who passes or kills the process there. Nothing in it knows how the work is cut
into workflows.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests.adapters
import sqlalchemy
from dbos import DBOSClient
from sqlalchemy import event

from meetings import llm
from meetings.config import load_settings
from meetings.llm.embedder import DIMENSIONS, Embedder
from meetings.llm.kept_vectors import KeptVectors
from meetings.sandbox import serve
from meetings.service import open_inbox
from meetings.stage import StageResult
from meetings.steps import UNFINISHED, steps_url
from meetings.worker import QUEUES, Worker

PEOPLE = ("ana", "ben", "chloe")
COMPANY = {
    "team": {"name": "acme", "display_name": "Acme"},
    "users": [
        {"username": name, "first_name": name.title(), "last_name": "Test", "position": position}
        for name, position in zip(PEOPLE, ("Engineer", "Writer", "Security Lead"), strict=True)
    ],
    "bots": [{"username": "meetings", "display_name": "Meetings"}, {"username": "calls", "display_name": "Calls"}],
    "channels": [
        {"name": "product", "display_name": "Product", "type": "O", "members": [*PEOPLE, "meetings", "calls"]},
    ],
    "posts": [],
}
PATIENCE = 120.0  # seconds that a life with one recording may take at the very most
WRITE = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM) (?:(?:main|dbos)\.)?(operation_outputs|workflow_status)\b")
STEP = re.compile(r"(?:\w+\.)+\w+")
ENQUEUES = ("work_on", "take_recording")
STATES = ("PENDING", "SUCCESS", "ERROR")
ID = re.compile(r"[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class Passing:
    """What passed which door, for the how manyth time of its kind; `step` where a step's record is written."""

    door: str
    what: str
    turn: int
    step: str = ""


class Watch:
    """Notes what passes, or kills the process where it is told to. It is the service's observer, too."""

    def __init__(self, *, home: Path, notes: Path | None, deadly: Passing | None) -> None:
        self._home = home.resolve()
        self._notes = notes.open("a", encoding="utf-8") if notes else None
        self._deadly = deadly
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def passes(self, door: str, what: str, step: str = "") -> None:
        """One more; the last one, if it is deadly."""
        with self._lock:
            self._seen[door, what] += 1
            passing = Passing(door, what, self._seen[door, what], step)
            if passing == self._deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            if self._notes is not None:
                self._notes.write(json.dumps(asdict(passing)) + "\n")
                self._notes.flush()

    def stand_at_the_doors(self) -> None:
        """From now on everything is seen."""
        for name in ("replace", "rename", "unlink", "remove"):
            setattr(os, name, self._file(name, getattr(os, name)))
        send = requests.adapters.HTTPAdapter.send

        def sent(adapter: Any, request: Any, *given: Any, **named: Any) -> Any:
            what = f"{request.method} {ID.sub('*', request.path_url.partition('?')[0].removeprefix('/api/v4'))}"
            self.passes("before a request", what)
            answer = send(adapter, request, *given, **named)
            self.passes("after its answer", what)
            return answer

        requests.adapters.HTTPAdapter.send = sent  # type: ignore[method-assign]
        event.listen(sqlalchemy.Engine, "before_cursor_execute", self._before_statement)
        event.listen(sqlalchemy.Engine, "after_cursor_execute", self._after_statement)
        event.listen(sqlalchemy.pool.Pool, "checkin", self._given_back)

    def _file(self, name: str, real: Callable[..., None]) -> Callable[..., None]:
        removes = name in {"unlink", "remove"}

        def done(path: Any, *given: Any, **named: Any) -> None:
            # The name that a file takes, or the one that it loses.
            where = Path(os.fsdecode(path if removes else given[0]))
            if not where.is_relative_to(self._home) or where.name.startswith("."):
                return real(path, *given, **named)
            what = "/".join(where.relative_to(self._home).parent.parts[:2])
            what = f"{what} file is removed" if removes else f"{what} file takes its name"
            self.passes("before a file", what)
            real(path, *given, **named)
            self.passes("after a file", what)
            return None

        return done

    def _before_statement(self, conn: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if (written := _written(statement, parameters)) is not None:
            conn.info.setdefault("written", []).append(written)
            self.passes("before a row", *written)

    def _after_statement(self, _conn: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if (written := _written(statement, parameters)) is not None:
            self.passes("before its commit", *written)

    def _given_back(self, _connection: Any, record: Any) -> None:
        for written in record.info.pop("written", []):
            self.passes("after its commit", *written)

    def stage_started(self, stage: str) -> None:
        """A stage begins."""
        self.passes("stage begins", stage)

    def stage_progress(self, stage: str, fraction: float) -> None:
        """Somewhere inside a stage."""
        del fraction
        self.passes("inside a stage", stage)

    def stage_finished(self, result: StageResult) -> None:
        """A stage is done, and nobody has written that down yet."""
        self.passes("stage done", result.stage.partition(" ")[0])


class KnownSentences:
    """The embedder, read when a sentence comes that no life before had: like the speech, sentences are known here."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __call__(self, folder: Path, *, threads: int) -> KeptVectors:
        """In the place of `meetings.llm.Embedder`."""

        class Late:
            def embed(self, texts: Sequence[str]) -> Any:
                return Embedder(folder, threads=threads).embed(texts) if texts else np.zeros((0, DIMENSIONS))

        return KeptVectors(Late(), self._home / "people" / "sentences.sqlite", fingerprint=folder.name)


def _written(statement: str, parameters: Any) -> tuple[str, str] | None:
    """What a statement writes about the steps, and the step whose record it is; None for what says nothing of them.

    The engine's threads look for work by updates that seldom find any: those count no more than a look does.
    """
    found = WRITE.search(statement)
    if found is None:
        return None
    named = parameters if isinstance(parameters, Mapping) else {}
    given = [v for v in (named.values() or parameters) if isinstance(v, str)]
    if found.group(2) == "operation_outputs":
        name = named.get("function_name") or next((v for v in given if STEP.fullmatch(v)), "")
        step = "the next part is queued" if name in ENQUEUES else name.rpartition(".")[2]
        return f"record of {step}", step
    state = next((v for v in given if v in STATES), "")
    return (f"workflow becomes {state}", "") if state else None


def serve_copy(folder: str, told: Any) -> None:
    """A sandbox in a folder, until it is killed; its address and the bot's token are told through a pipe."""
    warnings.simplefilter("ignore")
    serve(
        Path(folder),
        host="127.0.0.1",
        port=0,
        company=COMPANY,
        anchor=None,
        started=lambda sandbox: told.send((sandbox.url, sandbox.bot_token)),
    )


def live(
    environ: Mapping[str, str], post_id: str | None, notes: str | None = None, deadly: Passing | None = None
) -> None:
    """A life of the program: it takes up what it finds and ends when nothing is left to do, or is killed.

    Args:
        environ: the settings.
        post_id: a recording that it hears of; None: of none.
        notes: the file into which everything that passes is noted.
        deadly: where the process is killed.
    """
    warnings.simplefilter("ignore")
    nowhere = Path("/nowhere")
    settings = load_settings(environ=environ, folder=nowhere, user_folder=nowhere)
    watch = Watch(home=settings.home, notes=Path(notes) if notes else None, deadly=deadly)
    watch.stand_at_the_doors()
    llm.Embedder = llm.choose.Embedder = KnownSentences(settings.home)  # type: ignore[assignment,misc]
    with contextlib.ExitStack() as running:
        inbox = running.enter_context(open_inbox(settings, watch))
        if settings.database_url is not None:
            running.enter_context(Worker(settings, watch, queues=QUEUES))
        if post_id is not None:
            inbox.put(post_id)
        client = DBOSClient(system_database_url=steps_url(settings))
        end = time.monotonic() + PATIENCE
        while client.list_workflows(status=list(UNFINISHED), load_input=False, load_output=False):
            if time.monotonic() > end:
                sys.exit("there is still something to do")
            time.sleep(0.05)
    # Engines leave threads behind that nobody waits for.
    os._exit(0)
