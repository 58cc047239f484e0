"""The real command, as a user runs it: a process of its own, in a folder of its own, with a home of its own.

Runs that would spend more on imports than on their work are forked from a process that has done them (`tests.warm`);
`Meetings.cold` starts each from nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.warm import Warm, WarmRun, warm_runs

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "meetings" / "sandbox" / "data" / "sample_call" / "weekly-product-call.mp4"
SAMPLE_PEOPLE = ROOT / "meetings" / "sandbox" / "data" / "people.yml"
Running = subprocess.Popen[str] | WarmRun
# Those that do no more than talk to a database or a server, and those whose imports are tested, start from nothing.
WARM = (
    *("alerts", "batch", "brief", "catchup", "channel", "digest", "listen", "people", "process", "retry", "serve"),
    *("speakers", "summarize", "voices", "worker"),
)


def hear_ctrl_c() -> None:
    """A shell that starts a job in the background makes it deaf to Ctrl-C; a user's terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# By these libraries know that they are being tested, and some then do less than on a user's machine.
CI_MARKS = frozenset(
    {"CI", "BUILD_ID", "BUILD_NUMBER", "APPVEYOR", "BUILDKITE", "CIRCLECI", "CODEBUILD_BUILD_ID", "GITHUB_ACTIONS",
     "GITLAB_CI", "JENKINS_URL", "TEAMCITY_VERSION", "TF_BUILD", "TRAVIS"}
)  # fmt: skip


@dataclass
class Meetings:
    """Runs `meetings …` with its own home; weights are the checkout's."""

    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    warm: Warm | None = None

    def __call__(self, *args: str | Path, env: Mapping[str, str] | None = None, timeout: float = 500) -> Done:
        if self._is_warm(args):
            run = self.start(*args, env=env)
            try:
                out, err = run.communicate(timeout)
            finally:
                run.kill()
            return Done(code=run.wait(), out=out, err=err)
        result = subprocess.run(
            self.command(*args),
            cwd=self.cwd,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(code=result.returncode, out=result.stdout, err=result.stderr)

    def start(self, *args: str | Path, env: Mapping[str, str] | None = None) -> Running:
        """Start it and return the process, in a process group of its own."""
        if self.warm is not None and self._is_warm(args):
            return self.warm.start(self.command(*args), cwd=self.cwd, env=self.environment(env))
        return subprocess.Popen(
            self.command(*args),
            cwd=self.cwd,
            env=self.environment(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=hear_ctrl_c,
        )

    def cold(self) -> Meetings:
        """The same, with each run started from nothing."""
        return replace(self, warm=None)

    def _is_warm(self, args: Sequence[str | Path]) -> bool:
        return self.warm is not None and bool(args) and args[0] in WARM

    def command(self, *args: str | Path) -> list[str]:
        """The command line."""
        return [str(Path(sys.executable).with_name("meetings")), *map(str, args)]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """A user's environment, without settings of the machine the tests run on."""
        ours = ("MEETINGS_", "MATTERMOST_")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k not in CI_MARKS}
        return {**clean, **self.env, **(more or {})}


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    def error_line(self) -> str:
        """The one line of its error; anything more is a failure."""
        assert "Traceback" not in self.err, self.err
        lines = [line for line in self.err.splitlines() if line.startswith("error:")]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture(scope="session")
def warm(session_folder: Path) -> Iterator[Warm | None]:
    """What heavy runs are forked from; elsewhere than on Linux each starts from nothing."""
    if sys.platform != "linux":
        yield None
        return
    with warm_runs(session_folder) as running:
        yield running


@pytest.fixture
def meetings(tmp_path: Path, models_folder: Path, warm: Warm | None) -> Meetings:
    """The command with a fresh home."""
    work = tmp_path / "work"
    work.mkdir()
    env = {
        "MEETINGS_HOME": str(tmp_path / "home"),
        "MEETINGS_MODELS": str(models_folder),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOME": str(tmp_path),
    }
    return Meetings(cwd=work, env=env, warm=warm)


@pytest.fixture(scope="session")
def make_media(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Callable[..., Path]:
    """Make a media file with ffmpeg: `make_media("name.wav", "-f", "lavfi", "-i", …)`."""
    folder = tmp_path_factory.mktemp("media")

    def make(name: str, *args: str) -> Path:
        path = folder / name
        if not path.exists():
            command = [ffmpeg, "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *args, f"file:{path}"]
            subprocess.run(command, check=True)
        return path

    return make


@pytest.fixture(scope="session")
def talk(make_media: Callable[..., Path]) -> Path:
    """The first forty seconds of the sample call."""
    return make_media("talk.wav", "-t", "40", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")


@pytest.fixture(scope="session")
def spoken(session_folder: Path, models_folder: Path, talk: Path, warm: Warm | None) -> Path:
    """A home in which the speech of `talk` is already known, to be copied by tests about what comes after."""
    home = session_folder / "spoken"
    with FileLock(session_folder / "spoken.lock"):
        if not home.exists():
            made, work = session_folder / "spoken.part", session_folder / "spoken-work"
            work.mkdir()
            env = {"MEETINGS_HOME": str(made), "MEETINGS_MODELS": str(models_folder), "HOME": str(work)}
            done = Meetings(cwd=work, env=env, warm=warm)("process", talk, "--people", SAMPLE_PEOPLE, "--json")
            assert done.code == 0, done.err
            made.rename(home)
    return home


@pytest.fixture
def after_speech(meetings: Meetings, spoken: Path, tmp_path: Path) -> Meetings:
    """The command with a home in which the speech of `talk` is known."""
    shutil.copytree(spoken, tmp_path / "home")
    return meetings
