"""The planted bullets of tests/data/grounding, as values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from meetings.llm import TextEmbedder
from meetings.summary.ground import Line, Verdict, check, objections_to

FOLDER = Path(__file__).parent / "data" / "grounding"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A bullet with its evidence; `fault` is empty for a faithful one, `half` is `tune`, `confirm` or `round N`."""

    half: str
    scene: str
    said: tuple[Line, ...]
    text: str
    fault: str
    owner: str | None
    speaker: str | None

    def judge(self, embedder: TextEmbedder | None) -> Verdict:
        """What grounding says of it, with everybody of all scenes known by first name."""
        return check(
            self.text, self.said, known_names=_known(), speaker=self.speaker, owner=self.owner, embedder=embedder
        )

    def measure(self, embedder: TextEmbedder | None) -> tuple[tuple[str, ...], dict[str, float]]:
        """What the rules object to, and the figures that are weighed with it."""
        return objections_to(
            self.text,
            self.said,
            known_names=_known(),
            speaker=self.speaker,
            owner=self.owner,
            embedder=embedder,
        )


@lru_cache(maxsize=1)
def _known() -> tuple[str, ...]:
    return tuple(sorted({line.speaker.split()[0] for c in all_cases() for line in c.said} - _ROLES))


_ROLES = {"Project", "Industrial", "User", "Marketing"}


@lru_cache(maxsize=1)
def all_cases() -> tuple[Case, ...]:
    """Every bullet, in the order of the files."""
    return tuple(
        Case(
            half=scene["half"],
            scene=scene["scene"],
            said=tuple(Line(speaker=s.split(": ", 1)[0], text=s.split(": ", 1)[1]) for s in scene["said"]),
            text=bullet["text"],
            fault=bullet.get("fault", ""),
            owner=bullet.get("owner"),
            speaker=bullet.get("speaker"),
        )
        for file in sorted(FOLDER.glob("*.yml"))
        for scene in yaml.safe_load(file.read_text(encoding="utf-8"))
        for bullet in scene["bullets"]
    )
