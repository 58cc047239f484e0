"""What briefs keep of a person is shown to them, goes when they are forgotten, and ages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from meetings.forgetting import forget
from meetings.kept_briefs import KINDS, briefs_of, forget_briefs
from meetings.personal_data import personal_data
from meetings.retention import plan_purge
from meetings.store import Database, Listed
from tests.unit.incident_server import PEOPLE
from tests.unit.test_briefs_asks import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path)
    made.slash("ana", "watch engineering")
    made.draft("ana")
    made.draft("ben")
    return made


def kept(room: Room) -> dict[str, int]:
    return {kind: len(Database.of(room.settings).listed(kind)) for kind in KINDS}


def test_what_is_kept_of_somebody_is_shown_to_them(room: Room) -> None:
    found = briefs_of(room.settings, "ana")
    assert found["kept_up_to_date"] == [{"channel_id": "inc", "audience": "engineering"}]
    assert [d["user_id"] for d in found["drafts"]] == ["ana"]
    assert [p["sentences"][0] for p in found["posts"]] == [
        "The root cause is the connection pool of db-01.",
        "Local alarms still work.",
    ]


def test_an_export_has_them(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.server, "user_by_username", lambda _name: PEOPLE["ana"], raising=False)
    data = personal_data("ana.ruiz", room.settings, client=room.client)
    assert len(data["incidents.json"]["posts"]) == 2


def test_who_is_forgotten_leaves_others_their_drafts(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.server, "user_by_username", lambda _name: PEOPLE["ana"], raising=False)
    forget("ana.ruiz", room.settings, client=room.client, redact=False, dry_run=False, by="admin")
    assert kept(room) == {"incidents": 0, "incident-drafts": 1, "incident-watches": 0}


def test_a_dry_run_only_counts(room: Room) -> None:
    before = kept(room)
    told = forget_briefs(room.settings, "ana", dry_run=True)
    assert told == {"briefs kept up to date": 1, "drafts": 1, "states of incidents": 1}
    assert kept(room) == before


def test_who_was_never_there_costs_nobody_anything(room: Room) -> None:
    assert set(forget_briefs(room.settings, "zoe", dry_run=False).values()) == {0}


def test_without_an_account_everything_goes(room: Room) -> None:
    forget_briefs(room.settings, None, dry_run=False)
    assert set(kept(room).values()) == {0}


def test_what_is_older_than_context_is_kept_goes(room: Room) -> None:
    settings = room.settings.model_copy(
        update={"retention": room.settings.retention.model_copy(update={"context": 30})}
    )
    plan = plan_purge(settings, client=None, now=time.time() + 31 * 86_400)
    assert {one.path.kind for one in plan.doomed if isinstance(one.path, Listed)} >= set(KINDS)
