"""What every stage of a recording stands on: settings, a store, and the rule that a result which is there is taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.errors import ConfigError
from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.models import locate
from meetings.people import Person
from meetings.store import FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What became of one stage: its result's key, when it began (seconds since the epoch) and how long it took
    (seconds), whether it was found done."""

    stage: str
    key: str
    seconds: float
    reused: bool
    model: str = ""
    device: str = ""
    began: float = 0.0
    info: Mapping[str, Any] = field(default_factory=dict)


class Stage:
    """The ground under the stages."""

    def __init__(self, *, settings: Settings, store: FileStore) -> None:
        self._settings = settings
        self._store = store

    @property
    def threads(self) -> int:
        """CPU threads that an engine may use."""
        return self._settings.cpu_threads

    def read_job(self, job_key: str) -> Job:
        """The job behind a key."""
        return Job.from_json(self._store.read_json("jobs", job_key))

    def _stored(
        self, stage: str, key: str, make: Callable[[], object], *, model: str = "", device: str = ""
    ) -> StageResult:
        began = time.time()
        reused = self._store.has(stage, key)
        if not reused:
            self._store.write_json(stage, key, make())
        return StageResult(
            stage=stage,
            key=key,
            seconds=time.time() - began,
            reused=reused,
            model=model,
            device=device,
            began=began,
        )

    def _model(self, job: Job, role: str) -> Path:
        return locate(job.models[role], self._settings.models_folder)

    def _client(self, job: Job) -> MattermostClient:
        token = self._settings.mattermost_token
        if job.server is None or token is None:
            raise ConfigError("no Mattermost is configured; set MATTERMOST_URL and MATTERMOST_TOKEN")
        return MattermostClient(job.server, token.get_secret_value())

    def _people_file(self, job: Job) -> tuple[Person, ...]:
        """The people the user listed, if any."""
        if job.people_key is None:
            return ()
        return tuple(stored_person(p) for p in self._store.read_json("people", job.people_key))


def stored_person(data: Mapping[str, Any]) -> Person:
    """A person as the store keeps them."""
    return Person(**{**data, "interests": tuple(data["interests"]), "only": tuple(data.get("only", ()))})
