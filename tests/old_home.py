"""A data folder as versions before the database left it: files, written here as they were then."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from meetings.store import digest
from meetings.store.audit_lines import FIRST, chained

URL = "https://chat.test"
AT = float(int(time.time()) - 5 * 86_400)  # when all of it was written
CHANNEL = {"position": 9, "oldest": 0, "whole_at": 1, "posts": [["p1", "u-ana", "", 5, "ana wrote", ["u-ben"]]]}
JUDGED = {"last_post_at": 7, "summaries": [["s1", 7, 1, ["ana liked this"]]]}
CONSENT = {"by": "dana", "at": "2026-11-03T10:00:00+00:00", "how": "by mail"}
SAMPLE = {"embedding": [0.6, 0.8], "seconds": 20.0, "source": "r1", "model": "m", "at": "2026-11-03"}


def wishes(**changed: Any) -> str:
    plain = {"wishes": [], "length": None, "only": [], "locale": None, "stopped": False, "user_id": ""}
    return json.dumps({"version": 1, **plain, **changed})


def audit_log(users: tuple[str, ...] = ("ana", "ben", "chloe")) -> bytes:
    """Lines about each of them."""
    before, lines = FIRST, []
    for number, user in enumerate(users, 1):
        line, before = chained(
            {"at": "2026-11-03T10:00:00+00:00", "event": "delivery", "user": user, "status": "sent"},
            number=number,
            before=before,
        )
        lines.append(line + b"\n")
    return b"".join(lines)


def old_home(home: Path) -> Path:
    """Something of every kind."""
    key = Fernet.generate_key()
    seal = Fernet(key).encrypt
    context = home / "people" / "context" / digest(URL)[:12]
    files: dict[Path, bytes] = {
        home / "voices" / "key": key + b"\n",
        home / "voices" / "book.sealed": seal(json.dumps({"ana": {"consent": CONSENT, "samples": [SAMPLE]}}).encode()),
        home / "results" / "voices" / "d1.sealed": seal(
            json.dumps([{"speaker": "S1", "embedding": [0.6, 0.8], "seconds": 20.0}]).encode()
        ),
        home / "results" / "voices" / "d1.note.sealed": seal(
            json.dumps({"taken": {"S1": ["ana"]}, "by_voice": {}}).encode()
        ),
        home / "people" / "feedback" / "ana.json": wishes(
            wishes=[{"kind": "more", "text": "prices", "at": 1.0}], length="short"
        ).encode(),
        home / "people" / "feedback" / "ben.json": wishes(stopped=True, user_id="u-ben").encode(),
        home / "state" / "positions.json": json.dumps({"c1": 5, "c2": 7}).encode(),
        home / "state" / "notices.json": json.dumps(["c1"]).encode(),
        home / "audit" / "log.jsonl": audit_log(),
        context / "channels" / "c1.json": json.dumps({"version": 1, "kept": CHANNEL}).encode(),
        context / "summaries" / "u-ana.json": json.dumps({"version": 1, "kept": JUDGED}).encode(),
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content)
        os.utime(path, (AT, AT))
    (home / "people" / "feedback" / ".lock").touch()
    (home / "audit" / ".lock").touch()
    return home
