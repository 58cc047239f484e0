"""The database comes to this version's schema from every earlier one, with what is in it, and never halfway."""

from __future__ import annotations

import json
import multiprocessing
import signal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import inspect, text

from meetings.config import Settings
from meetings.store import Database, close_databases
from meetings.store.backup import TABLES
from meetings.store.database import KNOWN, WANTED
from meetings.store.schema import MIGRATIONS, migrate
from tests.databases import made_ready
from tests.dying import upgrade_and_die_in_a_step
from tests.old_home import old_home
from tests.unit.test_first_layout import answers

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "tests" / "data" / "schemas"  # rows of each schema as its version wrote them, by its name
KEY = SecretStr("A" * 43 + "=")  # by which voices in them are sealed


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a database in which there is no table."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    return Settings(home=tmp_path / "home", voices_key=KEY, database_url=url)


@pytest.mark.parametrize("revision", KNOWN)
def test_what_an_earlier_version_wrote_is_known_to_this_one(empty: Settings, revision: str, tmp_path: Path) -> None:
    database = Database.named(empty)
    rows = json.loads((SCHEMAS / f"{revision}.json").read_text(encoding="utf-8"))
    with database.reading() as connection:
        migrate(connection, to=revision)
    with database.writing("test") as connection:
        for table, found in rows.items():
            names = list(found[0])
            put = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})"  # noqa: S608
            connection.execute(text(put), found)
    made_ready(empty)
    assert Database.of(empty).version() == WANTED
    assert answers(empty) == answers(made_ready(Settings(home=old_home(tmp_path / "files"))))


def test_a_backup_takes_every_table_and_column_of_the_schema(empty: Settings) -> None:
    made_ready(empty)
    with Database.of(empty).reading() as connection:
        seen = inspect(connection)
        found = {
            table: {column["name"] for column in seen.get_columns(table)}
            for table in seen.get_table_names()
            if table != "meetings_schema"
        }
    assert found == {table: set(columns) for table, columns in TABLES.items()}


def test_a_step_that_is_killed_halfway_leaves_nothing_and_is_done_again(empty: Settings) -> None:
    child = multiprocessing.get_context("spawn").Process(target=upgrade_and_die_in_a_step, args=(empty,))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    with Database.named(empty).reading() as connection:
        assert not {"documents", "audit"} & set(inspect(connection).get_table_names())
    assert Database.of(made_ready(empty)).version() == WANTED


def test_of_several_that_upgrade_at_once_one_does_and_the_others_wait(empty: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=made_ready, args=(empty,)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0, 0]
    close_databases()
    assert Database.of(empty).version() == WANTED


def test_every_folder_with_code_is_a_package_so_that_it_is_installed() -> None:
    folders = {path.parent for path in (ROOT / "meetings").rglob("*.py")}
    assert MIGRATIONS / "versions" in folders
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
