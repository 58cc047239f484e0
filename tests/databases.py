"""What tests do to the database behind the program's back: look, make older, damage, tamper with the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from meetings.config import Settings
from meetings.store import Database, Document, Listed
from meetings.store.audit_lines import read_lines, write_raw
from meetings.store.schema import upgrade


def every_document(settings: Settings) -> dict[tuple[str, str], Document]:
    """All there is, by kind and name."""
    with Database.of(settings).reading() as connection:
        rows = connection.execute(text("SELECT kind, name, body, changed_at FROM documents")).all()
    return {(r[0], r[1]): Document(kind=r[0], name=r[1], body=r[2], changed_at=r[3]) for r in rows}


def every_listed(settings: Settings) -> set[Listed]:
    """All there is, without what is in it."""
    return {
        listed for kind in {k for k, _ in every_document(settings)} for listed in Database.of(settings).listed(kind)
    }


def set_age(settings: Settings, then: float, *, kind: str = "", name: str = "") -> None:
    """Make documents as old as if they had been changed `then` (seconds since the epoch)."""
    with Database.of(settings).writing("test") as connection:
        connection.execute(
            text(
                "UPDATE documents SET changed_at = :then "
                "WHERE (:kind = '' OR kind = :kind) AND (:name = '' OR name = :name)"
            ),
            {"then": then, "kind": kind, "name": name},
        )


def set_body(settings: Settings, kind: str, name: str, body: str) -> None:
    """Put a text where the program put another."""
    with Database.of(settings).writing("test") as connection:
        done = connection.execute(
            text("UPDATE documents SET body = :body WHERE kind = :kind AND name = :name"),
            {"kind": kind, "name": name, "body": body},
        )
        assert done.rowcount == 1


def audit_lines(settings: Settings) -> list[bytes]:
    """The lines of the audit log, as they lie in the database."""
    with Database.of(settings).reading() as connection:
        return list(read_lines(connection))


def rewrite_audit(settings: Settings, lines: Sequence[bytes]) -> None:
    """Put other lines in the log's place, as somebody could who may change the database itself."""
    database = Database.of(settings)
    with database.writing("test") as connection:
        if database.path is not None:
            triggers = ["audit_no_update", "audit_no_delete"]
            made = [
                str(connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": t}).scalar_one())
                for t in triggers
            ]
            for trigger in triggers:
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        connection.execute(text("DELETE FROM audit"))
        for place, line in enumerate(lines, 1):
            write_raw(connection, place, line)
        if database.path is not None:
            for sql in made:
                connection.execute(text(sql))
        else:
            connection.execute(text("ALTER TABLE audit ENABLE TRIGGER ALL"))


def made_ready(settings: Settings) -> Settings:
    """The same, with its database brought up to date, as an admin does once where it is a server."""
    upgrade(Database.named(settings))
    return settings


def database_files(home: Path) -> set[Path]:
    """The database's own files, which change when anything in it does."""
    return set((home / "state").glob("meetings.sqlite*")) | set((home / "state").glob(".meetings.sqlite*"))
