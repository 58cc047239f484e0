"""The real command, as a user runs it: a subprocess in a folder of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "meetings" / "sandbox" / "data" / "sample_call" / "weekly-product-call.mp4"
SAMPLE_PEOPLE = ROOT / "meetings" / "sandbox" / "data" / "people.yml"


def hear_ctrl_c() -> None:
    """A shell that starts a job in the background makes it deaf to Ctrl-C; a user's terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Meetings:
    """Runs `meetings …` with its own home; weights are the checkout's."""

    cwd: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *args: str | Path, env: Mapping[str, str] | None = None, timeout: float = 500) -> Done:
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

    def start(self, *args: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start it and return the process, in a process group of its own."""
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

    def command(self, *args: str | Path) -> list[str]:
        """The command line."""
        return [str(Path(sys.executable).with_name("meetings")), *map(str, args)]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """A user's environment, without settings of the machine the tests run on."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MEETINGS_", "MATTERMOST_"))}
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


@pytest.fixture
def meetings(tmp_path: Path, models_folder: Path) -> Meetings:
    """The command with a fresh home."""
    work = tmp_path / "work"
    work.mkdir()
    env = {
        "MEETINGS_HOME": str(tmp_path / "home"),
        "MEETINGS_MODELS": str(models_folder),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOME": str(tmp_path),
    }
    return Meetings(cwd=work, env=env)


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
def spoken(tmp_path_factory: pytest.TempPathFactory, models_folder: Path, talk: Path) -> Iterator[Path]:
    """A home in which the speech of `talk` is already known, to be copied by tests about what comes after."""
    home = tmp_path_factory.mktemp("spoken")
    run = Meetings(
        cwd=tmp_path_factory.mktemp("spoken-work"),
        env={"MEETINGS_HOME": str(home), "MEETINGS_MODELS": str(models_folder), "HOME": str(home)},
    )
    done = run("process", talk, "--people", SAMPLE_PEOPLE, "--json")
    assert done.code == 0, done.err
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def after_speech(meetings: Meetings, spoken: Path, tmp_path: Path) -> Meetings:
    """The command with a home in which the speech of `talk` is known."""
    shutil.copytree(spoken, tmp_path / "home")
    return meetings
