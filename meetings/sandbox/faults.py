"""What a sandbox can do wrong on request: the rules, and which of them strikes when.

A rule names a fault and, if it should not strike everything, a scope (method, path, user, event) and how often. The
same seed and the same requests give the same faults. Rules come as text (`rate-limit:every=3;drop-after:path=/posts`)
or as a YAML or JSON file with `seed` and `rules`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meetings.errors import SandboxError

# Of requests, in the order in which they strike: the first that ends a request is the last.
REQUEST_FAULTS = (
    "latency",
    "drop-before",
    "rate-limit",
    "error",
    "web-page",
    "quota",
    "drop-after",
    "half-answer",
    "short-answer",
)
# Of these, what strikes the opening of a WebSocket too.
OPENING_FAULTS = ("latency", "drop-before")
# Of events on the WebSocket.
EVENT_FAULTS = ("lose", "cut-frame", "duplicate", "reorder", "delay")

Fault = Literal[
    "latency",
    "drop-before",
    "rate-limit",
    "error",
    "web-page",
    "quota",
    "drop-after",
    "half-answer",
    "short-answer",
    "lose",
    "cut-frame",
    "duplicate",
    "reorder",
    "delay",
]


class Rule(BaseModel):
    """One fault, whom it strikes, and how often.

    Attributes:
        fault: what goes wrong.
        method: only requests of this method.
        path: only paths below /api/v4 that match this pattern, `*` for anything (`/files/*`).
        user: only this account's requests, or events on the way to it.
        event: only events of this name.
        after: how many are let by first.
        every: strikes each n-th of the others.
        times: strikes at most so often.
        chance: strikes with this probability, drawn from the seed.
        seconds: how long (latency, delay; the longest that reorder holds an event back).
        jitter: up to so many seconds more, drawn from the seed (latency, delay).
        retry_after: seconds that a 429 asks to wait.
        status: of `error`.
        bytes: of the body that come (half-answer, short-answer: half of it without), or that fit (quota).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Fault
    method: str | None = None
    path: str | None = None
    user: str | None = None
    event: str | None = None
    after: int = Field(default=0, ge=0)
    every: int = Field(default=1, ge=1)
    times: int | None = Field(default=None, ge=1)
    chance: float = Field(default=1.0, ge=0.0, le=1.0)
    seconds: float = Field(default=1.0, ge=0.0, le=3600.0)
    jitter: float = Field(default=0.0, ge=0.0, le=3600.0)
    retry_after: float = Field(default=1.0, ge=0.0)
    status: int = Field(default=500, ge=400, le=599)
    bytes: int | None = Field(default=None, ge=0)

    def concerns(self, *, method: str = "", path: str = "", user: str = "", event: str = "") -> bool:
        """Whether a request or event is in its scope."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatchcase(path, self.path))
            and (self.user is None or self.user == user)
            and (self.event is None or self.event == event)
        )


class Plan(BaseModel):
    """All rules, and the seed that chance and jitter are drawn from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    rules: tuple[Rule, ...] = ()


@dataclass(slots=True)
class _Kept:
    """A rule at work: how many it saw and struck, and its own dice."""

    rule: Rule
    dice: random.Random
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Whether it strikes this one, which is in its scope."""
        self.seen += 1
        number = self.seen - self.rule.after
        if number <= 0 or number % self.rule.every or self.dice.random() >= self.rule.chance:
            return False
        if self.rule.times is not None and self.struck >= self.rule.times:
            return False
        self.struck += 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A rule that strikes now; `seconds` with its jitter."""

    rule: Rule
    seconds: float


@dataclass(slots=True)
class Faults:
    """The plan in force."""

    plan: Plan = field(default_factory=Plan)
    _kept: list[_Kept] = field(default_factory=list)

    def follow(self, plan: Plan) -> None:
        """Follow another plan from now on; counts begin anew."""
        self.plan = plan
        # Each rule has dice of its own: what one sees does not change another's luck.
        self._kept = [_Kept(rule, random.Random(f"{plan.seed}:{n}")) for n, rule in enumerate(plan.rules)]

    def of_request(self, method: str, path: str, user: str) -> list[Strike]:
        """What strikes a request, in the order of `REQUEST_FAULTS`."""
        return self._strike(REQUEST_FAULTS, method=method, path=path, user=user)

    def of_opening(self, path: str, user: str) -> list[Strike]:
        """What strikes the opening of a WebSocket."""
        return self._strike(OPENING_FAULTS, method="GET", path=path, user=user)

    def of_event(self, event: str, user: str) -> list[Strike]:
        """What strikes an event on its way to a user, in the order of `EVENT_FAULTS`."""
        return self._strike(EVENT_FAULTS, event=event, user=user)

    def counts(self) -> list[dict[str, Any]]:
        """Each rule as it was given, with how many it saw and struck."""
        return [{**k.rule.model_dump(exclude_defaults=True), "seen": k.seen, "struck": k.struck} for k in self._kept]

    def needs_user(self) -> bool:
        """Whether any rule asks who is calling."""
        return any(k.rule.user is not None for k in self._kept)

    def _strike(self, faults: tuple[str, ...], **what: str) -> list[Strike]:
        found = [
            Strike(rule=k.rule, seconds=k.rule.seconds + k.dice.random() * k.rule.jitter)
            for k in self._kept
            if k.rule.fault in faults and k.rule.concerns(**what) and k.strikes()
        ]
        return sorted(found, key=lambda s: faults.index(s.rule.fault))


def read_plan(text: str) -> Plan:
    """A plan from a file's name or from a line like `rate-limit:every=3,retry_after=2;drop-after:path=/posts`.

    Raises:
        SandboxError: what is wrong with it.
    """
    path = Path(text)
    if ":" not in text.split(";")[0] and (path.suffix in {".yml", ".yaml", ".json"} or path.is_file()):
        import yaml

        try:
            return check_plan(yaml.safe_load(path.read_text(encoding="utf-8")), origin=text)
        except OSError as error:
            raise SandboxError(f"{text}: cannot be read ({error.strerror})") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SandboxError(f"{text}: not YAML ({' '.join(str(error).split())})") from error
    seed: Any = 0
    rules: list[dict[str, Any]] = []
    for part in filter(None, (p.strip() for p in text.split(";"))):
        if part.startswith("seed="):
            seed = part.removeprefix("seed=")
        else:
            fault, _, options = part.partition(":")
            rules.append({"fault": fault.strip(), **_options(options, part)})
    return check_plan({"seed": seed, "rules": rules}, origin="misbehave")


def check_plan(content: Any, *, origin: str) -> Plan:
    """Check what a plan says.

    Raises:
        SandboxError: what is wrong, and where.
    """
    try:
        return Plan.model_validate({} if content is None else content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise SandboxError(f"{origin}: unknown key {where!r}") from None
        if first["loc"][-1:] == ("fault",):
            known = ", ".join((*REQUEST_FAULTS, *EVENT_FAULTS))
            raise SandboxError(f"{origin}: {where}: no such fault {first['input']!r}; known: {known}") from None
        raise SandboxError(f"{origin}: {where + ': ' if where else ''}{first['msg']}") from None


def _options(text: str, part: str) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for option in filter(None, (o.strip() for o in text.split(","))):
        name, equals, value = option.partition("=")
        if not equals or name == "fault":
            raise SandboxError(f"misbehave: {part!r}: {option!r} is not an option like every=3")
        options[name] = value
    return options
