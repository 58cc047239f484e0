"""Many short calls whose speech is known already, in a sandbox: what is left is the work of the engine around them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from meetings.config import Settings, load_settings
from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.mattermost.calls import RECORDING
from meetings.mattermost.delivery import KEY_PROP
from meetings.prepare import prepare_job
from meetings.sandbox import Sandbox, run_in_thread
from meetings.sandbox.rest import Rest
from meetings.stages import Stages
from meetings.store import FileStore
from tests.acceptance.conftest import hear_ctrl_c
from tests.faults.known_speech import KnownSpeech
from tests.warm import Warm, WarmRun

PEOPLE = ("ana", "ben")
VOICES_KEY = "A" * 43 + "="
COMPANY = {
    "team": {"name": "acme", "display_name": "Acme"},
    "users": [
        {"username": name, "first_name": name.title(), "last_name": "Test", "position": position}
        for name, position in zip(PEOPLE, ("Engineer", "Writer"), strict=True)
    ],
    "bots": [{"username": "meetings", "display_name": "Meetings"}, {"username": "calls", "display_name": "Calls"}],
    "channels": [
        {"name": "product", "display_name": "Product", "type": "O", "members": [*PEOPLE, "meetings", "calls"]},
    ],
    "posts": [],
}
SILENCE = KnownSpeech(
    transcription={"words": [], "language": "en", "language_probability": 1.0, "duration": 1.0},
    diarization={"turns": [], "exclusive": []},
)


def speech(*sentences: str) -> KnownSpeech:
    """Two people who say sentences in turn, a word every half second."""
    words: list[dict[str, Any]] = []
    turns = []
    for number, sentence in enumerate(sentences):
        begin = len(words) / 2
        for word in sentence.split():
            at = len(words) / 2
            words.append({"word": f" {word}", "start": at, "end": at + 0.4, "probability": 0.9})
        turns.append({"start": begin, "end": len(words) / 2, "speaker": f"SPEAKER_0{number % 2}"})
    return KnownSpeech(
        transcription={"words": words, "language": "en", "language_probability": 1.0, "duration": len(words) / 2},
        diarization={"turns": turns, "exclusive": turns},
    )


def upgrade(env: Mapping[str, str]) -> None:
    """Give the database its tables."""
    command = [str(Path(sys.executable).with_name("meetings")), "db", "upgrade"]
    subprocess.run(command, env=dict(env), check=True, capture_output=True)


@dataclass
class ManyCalls:
    """A sandbox with calls in it, and processes that share the work on them."""

    folder: Path
    sandbox: Sandbox
    env: Mapping[str, str]
    posts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    warm: Warm | None = None
    running: list[subprocess.Popen[bytes] | WarmRun] = field(default_factory=list)
    _job: Job | None = None

    @cached_property
    def settings(self) -> Settings:
        return load_settings(environ=self.env, folder=self.folder, user_folder=self.folder)

    @cached_property
    def client(self) -> MattermostClient:
        return MattermostClient(self.sandbox.url, self.sandbox.bot_token)

    def post(self, count: int, heard: KnownSpeech = SILENCE, *, channel: str = "product") -> None:
        """Let recordings be posted whose speech is known, of calls that left no other trace."""
        assert self.sandbox.tokens.calls_token is not None
        with Rest(self.sandbox.url, self.sandbox.tokens.calls_token) as bot:
            place = bot.get(f"/teams/name/acme/channels/name/{channel}", missing=channel)["id"]
            for _ in range(count):
                file_id = bot.upload(place, f"Call {len(self.posts)}.wav", b"RIFF")
                post = {"channel_id": place, "message": "", "type": RECORDING, "file_ids": [file_id], "props": {}}
                self.posts.append(bot.post("/posts", post)["id"])
                self.files.append(file_id)
                self._give(heard, self.posts[-1], file_id)

    def _give(self, heard: KnownSpeech, post_id: str, file_id: str) -> None:
        """As `KnownSpeech.give`, without asking the server for each of them anew."""
        store = FileStore.of(self.settings)
        if self._job is None:
            self._job = prepare_job(post_id, self.settings, deliver=True)
        job = replace(self._job, source=replace(self._job.source, media_id=file_id, post_id=post_id))
        stages = Stages(settings=self.settings, store=store)
        store.write_json("vocabulary", job.key("vocabulary", []), [])
        store.write_json("transcription", stages._transcription_key(job), heard.transcription)
        store.write_json("diarization", stages._diarization_key(job), heard.diarization)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes] | WarmRun:
        """Start `meetings …` with a home of its own, as on another machine; its log is in a file of the folder."""
        number = len(self.running)
        command = [str(Path(sys.executable).with_name("meetings")), *arguments]
        environ = {**self.env, "MEETINGS_HOME": str(self.folder / f"home-{number}"), **(env or {})}
        process: subprocess.Popen[bytes] | WarmRun
        with (self.folder / f"process-{number}.log").open("wb") as log:
            if self.warm is not None:
                process = self.warm.start(command, env=environ, cwd=self.folder, log=log)
            else:
                process = subprocess.Popen(
                    command,
                    env=environ,
                    cwd=self.folder,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=hear_ctrl_c,
                )
        self.running.append(process)
        return process

    def logs(self) -> str:
        """What all processes said."""
        return "\n".join(f"{p.name}:\n{p.read_text()}" for p in sorted(self.folder.glob("process-*.log")))

    def done(self) -> int:
        """Recordings that were done, by what the processes say: cheaper than asking the server."""
        return self.logs().count(": done, ")

    def wait_until_done(self, count: int, *, patience: float) -> float:
        """Wait until so many recordings are done; the seconds it took."""
        began = time.monotonic()
        while (done := self.done()) < count:
            assert time.monotonic() - began < patience, f"{done} of {count}\n{self.logs()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def wait_for(self, log: str, words: str, *, patience: float = 180) -> None:
        """Wait until a process says something."""
        until = time.monotonic() + patience
        while words not in (self.folder / log).read_text(encoding="utf-8"):
            assert time.monotonic() < until, f"{words!r} was not said\n{self.logs()}"
            time.sleep(0.1)

    def told(self, people: Sequence[str] = PEOPLE) -> Counter[tuple[str, str]]:
        """How often each recording was told to each person."""
        found: Counter[tuple[str, str]] = Counter()
        client = self.client
        for person in people:
            direct = client.direct_channel(client.user_by_username(person).id)
            for post in client.latest_posts(direct, 10_000):
                if KEY_PROP in post.props:
                    found[person, str(post.props[KEY_PROP]).split(":")[0]] += 1
        return found


@contextmanager
def many_calls(
    folder: Path, env: Mapping[str, str], *, company: Mapping[str, Any] = COMPANY, warm: Warm | None = None
) -> Iterator[ManyCalls]:
    """A sandbox; whatever was started in it is killed at the end.

    Args:
        folder: an empty folder.
        env: variables of all processes besides the sandbox's.
        company: who there is.
        warm: what processes are forked from; without it each starts from nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with run_in_thread(folder / "sandbox", company=dict(company), now=datetime.now(tz=UTC)) as sandbox:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MEETINGS_", "MATTERMOST_"))}
        all_env = {
            **clean,
            "MATTERMOST_URL": sandbox.url,
            "MATTERMOST_TOKEN": sandbox.bot_token or "",
            "MEETINGS_HOME": str(folder / "home"),
            "MEETINGS_LANGUAGE_MODEL": "none",
            "MEETINGS_THREADS": "1",
            "MEETINGS_VOICES_KEY": VOICES_KEY,
            **env,
        }
        calls = ManyCalls(folder=folder, sandbox=sandbox, env=all_env, warm=warm)
        if "MEETINGS_DATABASE_URL" in all_env:
            upgrade(all_env)
        try:
            yield calls
        finally:
            for process in calls.running:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
