"""What can be checked of the images where no engine runs: they copy what exists, pin what they build on, drop root."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_every_copied_path_exists_and_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", DOCKERFILE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source in allowed, source


def test_base_images_are_pinned_to_the_patch() -> None:
    images = re.findall(r"(?m)^FROM (\S+)", DOCKERFILE)
    assert images
    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in images)


def test_the_image_runs_as_its_own_user() -> None:
    last = DOCKERFILE.rsplit("FROM ", 1)[1]
    assert re.search(r"(?m)^USER meetings$", last)


def test_compose_asks_for_its_secrets_and_exposes_nothing_beyond_this_machine() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert set(compose["services"]) == {"postgres", "mattermost", "meetings"}
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${")
    ports = [p for s in compose["services"].values() for p in s.get("ports", ())]
    assert all(p.startswith("127.0.0.1:") for p in ports)
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in compose["volumes"]
