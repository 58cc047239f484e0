"""The image is the project's: its torch, nothing large unless asked for; compose.yaml names only what exists."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def services() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert isinstance(found, dict)
    return found


def test_no_model_and_no_gpu_unless_asked_for() -> None:
    assert {rest for word, rest in instructions() if word == "ARG"} == {"DEVICE=cpu", "MODELS="}


def test_torch_in_the_image_is_the_torch_of_the_project_on_either_device() -> None:
    wanted = re.findall(r'^  "((?:torch|torchaudio)==[^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert len(wanted) == 2
    installs = next(rest for word, rest in instructions() if word == "RUN" and "torch==" in rest)
    assert all(installs.count(f'"{requirement}"') == 2 for requirement in wanted), installs


def test_every_service_comes_from_here_or_from_a_version() -> None:
    assert {name for name, s in services().items() if "build" in s} == {"meetings", "listener", "worker"}
    assert all(re.search(r":\d+\.\d+", s["image"]) for s in services().values() if "image" in s)


def test_services_wait_for_services_that_exist() -> None:
    assert {d for s in services().values() for d in s.get("depends_on", [])} <= set(services())
