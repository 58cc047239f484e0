"""Replaying the recorded exchanges against a running server, and comparing what it answers with what was recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

RECORDED = Path(__file__).parents[1] / "data" / "mattermost"
RECORDED_URL = "http://127.0.0.1:8065"
RECORDED_HOOK = "http://127.0.0.1:8765/hook"
ID = re.compile(r"[a-z0-9]{26}")
IDS = re.compile(r"(?<![A-Za-z0-9])[a-z0-9]{26}(?![A-Za-z0-9])")
TIME = re.compile(r"1[7-9]\d{11}")  # milliseconds: of the recording (2026) and of this run, up to 2033
REPEATED = re.compile(r"<(\d+) (.)>")
VERSION_ID = re.compile(r"5\.37\.0\.\.[0-9a-f]{32}\.false")
# What was uploaded: the size and the first bytes of the recorded file.
MEDIA = (b"\x00\x00\x00\x18ftypmp42" + bytes(5012))[:5012]


def recorded(name: str) -> Any:
    """One of the recordings."""
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))


@dataclass
class Translation:
    """Which id, and which time, of this run stands for which of the recording: one for one."""

    url: str
    hook_url: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)

    def of(self, text: str) -> str:
        """A recorded text with this run's ids and times in it."""
        text = IDS.sub(lambda m: self.ids.get(m.group(), m.group()), text)
        text = TIME.sub(lambda m: self.times.get(m.group(), m.group()), text)
        return REPEATED.sub(lambda m: m.group(2) * int(m.group(1)), text)

    def learn(self, was: str, now: str) -> bool:
        """Note that an id stands for another; False when it stands for one already, or is stood for."""
        if was not in self.ids and now not in self.ids.values():
            self.ids[was] = now
        return self.ids.get(was) == now


@dataclass
class Comparison:
    """Compares an answer with the recorded one: same keys, same kinds, same values but for ids and times."""

    translation: Translation
    problems: list[str] = field(default_factory=list)

    def compare(self, was: Any, now: Any, where: str = "") -> None:
        """Note every difference."""
        if type(was) is not type(now):
            self.problems.append(f"{where}: {type(now).__name__} {now!r} instead of {type(was).__name__} {was!r}")
        elif isinstance(was, dict):
            self._compare_objects(was, now, where)
        elif isinstance(was, list):
            self._compare_lists(was, now, where)
        elif isinstance(was, str):
            self._compare_texts(was, now, where)
        elif isinstance(was, int) and not isinstance(was, bool) and (was > 10**12 or _is_time(where)):
            if (was > 0) != (now > 0):
                self.problems.append(f"{where}: time {now} instead of {was}")
            self.translation.times[str(was)] = str(now)
        elif was != now:
            self.problems.append(f"{where}: {now!r} instead of {was!r}")

    def _compare_objects(self, was: dict[str, Any], now: dict[str, Any], where: str) -> None:
        # `order` names the ids that `posts` has as keys: read it first.
        keys = sorted(was, key=lambda k: (k != "order", k))
        expected = {self.translation.of(k) for k in keys}
        if expected != set(now):
            self.problems.append(f"{where}: keys {sorted(now)} instead of {sorted(expected)}")
        for key in keys:
            if self.translation.of(key) in now:
                self.compare(was[key], now[self.translation.of(key)], f"{where}.{key}")

    def _compare_lists(self, was: list[Any], now: list[Any], where: str) -> None:
        if len(was) != len(now):
            self.problems.append(f"{where}: {len(now)} instead of {len(was)} entries")
            return
        if was and isinstance(was[0], dict) and "user_id" in was[0] and "channel_id" in was[0]:
            # Members come by user id, and ids differ from run to run.
            by_user = {m["user_id"]: m for m in now}
            now = [by_user.get(self.translation.of(m["user_id"])) for m in was]
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            self.compare(one, other, f"{where}[{number}]")

    def _compare_texts(self, was: str, now: str, where: str) -> None:
        if where.endswith((".server_version", ".X-Version-Id")):
            same = VERSION_ID.fullmatch(was) is not None and VERSION_ID.fullmatch(now) is not None
        elif where.endswith(".Etag"):
            same = _pattern(was) == _pattern(now)
        elif was.startswith("<") and was.endswith(">") and not REPEATED.fullmatch(was):
            same = ID.fullmatch(now) is not None
        elif ID.fullmatch(was):
            same = ID.fullmatch(now) is not None and self.translation.learn(was, now)
        elif "__" in was:
            same = sorted(self.translation.of(was).split("__")) == sorted(now.split("__"))
        elif was.startswith(("{", '["')):
            self.compare(json.loads(was), json.loads(now), f"{where}()")
            same = True
        else:
            here = was.replace(RECORDED_URL, self.translation.url).replace(RECORDED_HOOK, self.translation.hook_url)
            same = self.translation.of(here) == now
        if not same:
            self.problems.append(f"{where}: {now!r} instead of {self.translation.of(was)!r}")


@dataclass(frozen=True)
class Answer:
    """What this run's server answered to one recorded request."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def body(self) -> Any:
        """The JSON, or None."""
        return json.loads(self.content) if self.content.startswith((b"{", b"[")) else None


@dataclass
class Replay:
    """Sends the recorded requests, one after another, with this run's ids and tokens."""

    translation: Translation
    tokens: dict[str, str] = field(default_factory=dict)

    def send(self, exchange: Mapping[str, Any]) -> Answer:
        """Send one request; tokens in its answer are remembered."""
        headers = dict(exchange["request_headers"])
        if exchange["what"] == "a wrong token":
            headers["Authorization"] = "Bearer wrong"
        elif exchange["who"] != "nobody":
            headers["Authorization"] = f"Bearer {self.tokens[exchange['who']]}"
        url = f"{self.translation.url}/api/v4{self.translation.of(exchange['path'])}"
        body = self.translation.of(json.dumps(exchange["request"])).replace(RECORDED_HOOK, self.translation.hook_url)
        given: dict[str, Any] = {}
        if exchange["path"] == "/files":
            name = exchange["response"]["file_infos"][0]["name"]
            given = {"data": json.loads(body), "files": {"files": (name, MEDIA, "video/mp4")}}
        elif exchange["request"] is not None:
            given = {"data": body.encode(), "headers": {"Content-Type": "application/json"}}
        given["headers"] = {**headers, **given.get("headers", {})}
        response = requests.request(exchange["method"], url, timeout=60, **given)
        self._remember(exchange, response)
        return Answer(status=response.status_code, headers=response.headers, content=response.content)

    def _remember(self, exchange: Mapping[str, Any], response: requests.Response) -> None:
        if "Token" in response.headers:
            name = exchange["request"]["login_id"].split(".")[0]
            self.tokens[name] = response.headers["Token"]
        if exchange["path"].endswith("/tokens"):
            self.tokens["bot"] = response.json()["token"]


def _is_time(where: str) -> bool:
    return where.endswith(("_at", ".last_password_update", ".timestamp"))


def _pattern(etag: str) -> list[str]:
    """The parts of an Etag, ids and times as such."""
    masked = TIME.sub("TIME", IDS.sub("ID", etag))
    return masked.split(".")
