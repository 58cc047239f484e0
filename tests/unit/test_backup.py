"""Backup and restore: everything lost, everything there again, from either kind of database into either."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import text

from meetings.audit import AuditLog
from meetings.cli.main import cli
from meetings.config import Settings
from meetings.errors import DatabaseError, SchemaError
from meetings.people import FeedbackBook
from meetings.store import Database, back_up, close_databases, restore
from tests.databases import audit_lines, every_document, made_ready, rewrite_audit
from tests.old_home import old_home
from tests.postgres import find_programs, new_database
from tests.unit.test_first_layout import answers

KEY = SecretStr("A" * 43 + "=")
KINDS = ("sqlite", "postgresql")
Fresh = Callable[[str], Settings]


@pytest.fixture
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fresh]:
    """Settings of an empty data folder with an empty database of a kind."""
    count = iter(range(10))

    def make(kind: str) -> Settings:
        home = tmp_path / f"home{next(count)}"
        if kind == "sqlite":
            return Settings(home=home, voices_key=KEY)
        url = SecretStr(new_database(request.getfixturevalue("postgres_server")))
        return Settings(home=home, voices_key=KEY, database_url=url)

    yield make
    close_databases()


def filled(settings: Settings) -> Settings:
    """Something of every kind in it."""
    key = old_home(settings.home) / "voices" / "key"
    settings = settings.model_copy(update={"voices_key": SecretStr(key.read_text().strip())})
    return made_ready(settings)


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_who_lost_everything_has_the_same_answers_again(fresh: Fresh, source: str, target: str, tmp_path: Path) -> None:
    lost = filled(fresh(source))
    before, documents, lines = answers(lost), every_document(lost), audit_lines(lost)
    back_up(Database.of(lost), tmp_path / "backup.db")
    shutil.rmtree(lost.home)
    again = fresh(target).model_copy(update={"voices_key": lost.voices_key})
    copied = restore(Database.named(again), tmp_path / "backup.db")
    assert answers(again) == before
    assert (every_document(again), audit_lines(again)) == (documents, lines)
    assert (copied.documents, copied.lines) == (len(documents), len(lines))


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_is_one_file_of_its_owner_alone(fresh: Fresh, kind: str, tmp_path: Path) -> None:
    back_up(Database.of(filled(fresh(kind))), tmp_path / "out" / "backup.db")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["backup.db"]
    assert (tmp_path / "out" / "backup.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_is_of_one_moment_while_others_go_on_writing(fresh: Fresh, kind: str, tmp_path: Path) -> None:
    settings = filled(fresh(kind))
    database = Database.of(settings)
    with database.writing("half done") as connection:
        connection.execute(text("UPDATE documents SET body = 'half done'"))
        back_up(database, tmp_path / "backup.db")
    database.write("kind", "name", "after")
    again = fresh("sqlite")
    restore(Database.named(again), tmp_path / "backup.db")
    assert not [d for d in every_document(again).values() if d.body in {"half done", "after"}]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overwritten(fresh: Fresh, kind: str, tmp_path: Path) -> None:
    settings = filled(fresh(kind))
    back_up(Database.of(settings), tmp_path / "backup.db")
    FeedbackBook(settings).set_length("ana", "long")
    with pytest.raises(DatabaseError, match="something in it already"):
        restore(Database.named(settings), tmp_path / "backup.db")
    assert FeedbackBook(settings).of("ana").length == "long"


def test_the_backup_stays_as_it_was_when_it_is_restored(fresh: Fresh, tmp_path: Path) -> None:
    back_up(Database.of(filled(fresh("sqlite"))), tmp_path / "backup.db")
    before = (tmp_path / "backup.db").read_bytes()
    restore(Database.named(fresh("sqlite")), tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"this is no database" * 300, None, "torn", "another"])
def test_what_is_no_whole_backup_is_refused_and_nothing_is_restored(
    fresh: Fresh, tmp_path: Path, content: bytes | str | None
) -> None:
    file, settings = tmp_path / "backup.db", fresh("sqlite")
    if content == "torn":
        back_up(Database.of(filled(fresh("sqlite"))), file)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif content == "another":
        with sqlite3.connect(file) as made:
            made.execute("CREATE TABLE documents (x)")
        made.close()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"backup\.db") as caught:
        restore(Database.named(settings), file)
    assert "\n" not in str(caught.value)
    assert every_document(settings) == {}


def test_a_backup_of_a_newer_program_is_refused(fresh: Fresh, tmp_path: Path) -> None:
    back_up(Database.of(filled(fresh("sqlite"))), tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "backup.db") as made:
        made.execute("UPDATE meetings_schema SET version_num = '9999'")
    made.close()
    with pytest.raises(SchemaError, match="newer meetings"):
        restore(Database.named(fresh("sqlite")), tmp_path / "backup.db")


def test_a_servers_own_dump_brings_everything_back_too(postgres_server: str, tmp_path: Path) -> None:
    programs = find_programs()
    assert programs is not None
    key = old_home(tmp_path / "one") / "voices" / "key"
    one = Settings(
        home=tmp_path / "one",
        database_url=SecretStr(new_database(postgres_server)),
        voices_key=SecretStr(key.read_text().strip()),
    )
    before = answers(made_ready(one))
    assert one.database_url is not None
    url, again = one.database_url.get_secret_value(), new_database(postgres_server)
    close_databases()
    dump = str(tmp_path / "dump")
    subprocess.run([programs / "pg_dump", "--format=custom", "--file", dump, url], check=True)
    subprocess.run([programs / "pg_restore", "--no-owner", "--dbname", again, dump], check=True)
    assert answers(one.model_copy(update={"database_url": SecretStr(again)})) == before
    close_databases()


# The commands


@pytest.mark.parametrize("kind", KINDS)
def test_the_commands_bring_back_what_was_lost(
    fresh: Fresh, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(settings: Settings, *args: str, code: int = 0) -> str:
        close_databases()
        monkeypatch.setenv("MEETINGS_HOME", str(settings.home))
        monkeypatch.setenv("MEETINGS_VOICES_KEY", settings.voices_key.get_secret_value() if settings.voices_key else "")
        if settings.database_url is not None:
            monkeypatch.setenv("MEETINGS_DATABASE_URL", settings.database_url.get_secret_value())
        done = CliRunner().invoke(cli, args, standalone_mode=False)
        assert done.exception is None, done.exception
        assert (done.return_value or 0) == code, done.output
        return done.output

    lost, file = filled(fresh(kind)), tmp_path / "backup.db"
    assert json.loads(run(lost, "db", "check", "--json"))["schema"] == "0001"
    head = run(lost, "audit", "head").strip()
    assert "10 documents, 4 lines" in run(lost, "db", "backup", str(file))
    again = fresh(kind)
    run(again, "db", "check", code=1)
    assert "10 documents, 4 lines" in run(again, "db", "restore", str(file))
    assert "as this program wants it" in run(again, "db", "check")
    assert "prices" in run(again, "people", "feedback", "ana", "--list")
    assert "one chain" in run(again, "audit", "check", "--head", head)
    assert [e.event for e in AuditLog(again).entries()][-2:] == ["backup", "restore"]


def test_a_log_that_somebody_changed_in_the_backup_is_found_when_it_is_restored(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = filled(fresh("sqlite"))
    rewrite_audit(settings, [line.replace(b"ben", b"bob") for line in audit_lines(settings)])
    back_up(Database.of(settings), tmp_path / "backup.db")
    monkeypatch.setenv("MEETINGS_HOME", str(fresh("sqlite").home))
    done = CliRunner().invoke(cli, ["db", "restore", str(tmp_path / "backup.db")], standalone_mode=False)
    assert done.return_value == 1
    assert "line 2" in done.output
