"""Shared by all tests: where the weights are, and an ffmpeg."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pydantic import SecretStr

from meetings.config import Settings
from meetings.store import close_databases
from meetings.telemetry import no_telemetry
from tests.databases import made_ready
from tests.postgres import new_database, running_postgres

ROOT = Path(__file__).parents[1]
# A real server for `pytest -m live`, read before any test's own environment takes its place.
LIVE_URL = os.environ.get("MEETINGS_LIVE_URL", "")
LIVE_ADMIN_TOKEN = os.environ.get("MEETINGS_LIVE_ADMIN_TOKEN", "")

# No test may call out: engines would send telemetry, Hugging Face libraries would look for updates.
no_telemetry()
os.environ["HF_HUB_OFFLINE"] = "1"


# How long an example takes says something about the machine, nothing about the code.
settings.register_profile("no-clock", deadline=None)
settings.load_profile("no-clock")


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The starter models, pulled by scripts/test."""
    folder = Path(os.environ.get("MEETINGS_MODELS", ROOT / "models"))
    if not (folder / "whisper-base").is_dir():
        pytest.fail(
            f"the starter models are not in {folder}; run: MEETINGS_MODELS={folder} meetings models pull starter"
        )
    return folder


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test session share: each thing in it is made once, behind a lock."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of this test session's own; its URL."""
    with running_postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database; its URL."""
    yield new_database(postgres_server)
    close_databases()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a data folder whose database is of the one kind, then of the other."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        return Settings(home=home)
    url, key = SecretStr(request.getfixturevalue("postgres_url")), SecretStr("A" * 43 + "=")
    return made_ready(Settings(home=home, database_url=url, voices_key=key))


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """An ffmpeg to make media with."""
    from meetings.speech import ffmpeg_binary

    return str(ffmpeg_binary())


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches a real home or a real server."""
    for variable in [v for v in os.environ if v.startswith(("MEETINGS_", "MATTERMOST_")) and v != "MEETINGS_MODELS"]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("MEETINGS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests against a real server run only when they are asked for and told where it is."""
    asked = "live" in (config.option.markexpr or "")
    if asked and LIVE_URL and LIVE_ADMIN_TOKEN:
        return
    live = [item for item in items if item.get_closest_marker("live")]
    if live:
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if item not in live]


def pytest_unconfigure() -> None:
    """llama_cpp opens two files on import and never closes them, which would be the last words of a run."""
    utils = sys.modules.get("llama_cpp._utils")
    if utils is not None:
        utils.outnull_file.close()
        utils.errnull_file.close()
