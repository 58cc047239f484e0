"""The database: what several change at once is lost to none, and whatever is wrong with it is told in one line."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from meetings.cli.main import cli
from meetings.config import Settings
from meetings.errors import ConfigError, DatabaseError, MeetingsError, SchemaError, StorageError
from meetings.kept_voices import KeptVoices
from meetings.people import FeedbackBook
from meetings.people.feedback import MAX_WISHES
from meetings.positions import FIRST, Positions
from meetings.store import Database
from meetings.store.database import KNOWN, WANTED, close_databases
from meetings.store.schema import MIGRATIONS
from meetings.voicebook import VoiceBook
from tests.databases import every_document, made_ready, set_age
from tests.dying import change_in_threads, change_much
from tests.programs import run_python

WRITERS, TURNS, THREADS = 3, 12, 4


def test_a_document_is_found_as_it_was_written_last(either: Settings) -> None:
    database = Database.of(either)
    for body in ("one", "two – zwei \U0001f600"):
        database.write("kind", "name", body)
    document = database.read("kind", "name")
    assert document is not None
    assert document.body == "two – zwei \U0001f600"


def test_documents_are_in_the_order_of_their_names_whatever_the_server_thinks_of_letters(either: Settings) -> None:
    database = Database.of(either)
    for name in ("b", "ä", "B", "_", "a.b", "a/b"):
        database.write("kind", name, name)
    assert [d.name for d in database.documents("kind")] == sorted(("b", "ä", "B", "_", "a.b", "a/b"))


def test_half_a_surrogate_pair_in_json_is_kept_as_json_spells_it(either: Settings) -> None:
    database = Database.of(either)
    database.write("kind", "name", json.dumps({"text": "\ud800 x"}, ensure_ascii=False))
    document = database.read("kind", "name")
    assert document is not None
    assert json.loads(document.body) == {"text": "\ud800 x"}


def test_a_change_that_fails_changes_nothing(either: Settings) -> None:
    database = Database.of(either)
    database.write("kind", "name", "one")

    def fails(body: str | None) -> str:
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        database.change("kind", "name", fails)
    assert [d.body for d in database.documents("kind")] == ["one"]


def test_what_is_only_made_less_becomes_no_younger(either: Settings) -> None:
    database = Database.of(either)
    database.write("kind", "name", "one two")
    set_age(either, 1000.0)
    database.change("kind", "name", lambda _: "one", aged=True)
    assert database.documents("kind")[0].changed_at == 1000.0
    database.change("kind", "name", lambda _: "one")
    assert database.documents("kind")[0].changed_at > 1000.0


def test_what_was_changed_since_it_was_looked_at_is_not_removed(either: Settings) -> None:
    database = Database.of(either)
    database.write("kind", "name", "one")
    (seen,) = database.listed("kind")
    set_age(either, seen.changed_at + 5)
    assert not database.delete("kind", "name", unless_changed_since=seen.changed_at)
    assert database.listed("kind")
    assert database.delete("kind", "name")


@pytest.mark.slow
def test_of_what_several_processes_change_at_once_nothing_is_lost(either: Settings) -> None:
    assert WRITERS * TURNS < MAX_WISHES  # so that a wish that is missing was lost
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=change_much, args=(either, n, TURNS)) for n in range(1, WRITERS + 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [w.exitcode for w in writers] == [0] * WRITERS
    documents = every_document(either)
    assert documents["test", "count"].body == str(WRITERS * TURNS)
    assert Positions(either).of("c") == WRITERS * 1000 + TURNS - 1
    said = {w.text for w in FeedbackBook(either).of("ana").wishes}
    assert len(said) == WRITERS * TURNS


@pytest.mark.slow
def test_threads_of_several_processes_neither_lose_anything_nor_damage_the_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    database = Database.of(settings)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=change_in_threads, args=(settings, THREADS, TURNS)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [w.exitcode for w in writers] == [0] * WRITERS
    database.verify()
    documents = every_document(settings)
    assert documents.pop(("test", "count")).body == str(WRITERS * THREADS * TURNS)
    assert len(documents) == WRITERS * THREADS * TURNS


def test_a_position_never_moves_back_whoever_moves_it(either: Settings) -> None:
    one, other = Positions(either), Positions(either)
    one.move("c", 7)
    other.move("c", 5)
    assert (one.of("c"), other.of("c"), one.of("d")) == (7, 7, None)


def test_the_channels_of_the_first_look_are_noted_once(either: Settings) -> None:
    one, other = Positions(either), Positions(either)
    assert one.met_first(["c", "d"]) == {"c", "d"}
    one.move("c", 7)
    assert other.met_first(["c", "d", "e"]) == {"c", "d"}


def test_where_an_earlier_version_looked_the_first_look_is_over(either: Settings) -> None:
    positions = Positions(either)
    positions.move("c", 7)
    assert positions.met_first(["c", "d"]) == frozenset()


@pytest.mark.parametrize("damaged", ["", "{", "7", '{"c": 1}', "[" * 100_000])
def test_a_note_of_the_first_look_that_is_damaged_names_no_channel(either: Settings, damaged: str) -> None:
    Database.of(either).write(FIRST, "positions", damaged)
    assert Positions(either).met_first(["c"]) == frozenset()


# Where it is, and whose


def test_a_file_of_the_data_folder_is_the_database_where_none_is_named(tmp_path: Path) -> None:
    database = Database.of(Settings(home=tmp_path / "home"))
    assert database.path == tmp_path / "home" / "state" / "meetings.sqlite"
    assert database.path.stat().st_mode & 0o777 == 0o600
    assert database.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("odd", ["a b", "100%", "what?x=1", "é#"])
def test_a_data_folder_may_be_called_anything(tmp_path: Path, odd: str) -> None:
    settings = Settings(home=tmp_path / odd)
    Database.of(settings).write("kind", "name", "x")
    assert (tmp_path / odd / "state" / "meetings.sqlite").is_file()
    assert ("kind", "name") in every_document(settings)


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    database = Database.of(Settings(home=tmp_path))
    database.write("kind", "name", "before")
    with database.writing("lock") as connection:
        connection.execute(text("UPDATE documents SET body = 'after'"))
        document = database.read("kind", "name")
        assert document is not None
        assert document.body == "before"


def test_what_else_a_process_reads_takes_no_lock_from_who_is_reading_there(tmp_path: Path) -> None:
    database = Database.of(Settings(home=tmp_path))
    database.write("kind", "name", "one")
    other = f"from meetings.store import Database; Database.file({str(database.path)!r}).write('kind', 'name', 'two')"
    with database.reading() as connection:
        connection.execute(text("SELECT body FROM documents")).all()
        database.read("kind", "name")
        run_python(other)
        # The last one to leave clears away the journal: under a reader or writer whom it took for gone, if nothing of
        # the reader's lock is left.
        assert Path(f"{database.path}-wal").exists()
    document = database.read("kind", "name")
    assert document is not None
    assert document.body == "two"


def test_what_is_removed_is_not_left_in_the_file(tmp_path: Path) -> None:
    database = Database.of(Settings(home=tmp_path))
    database.write("kind", "name", "zebra " * 500)
    database.delete("kind", "name")
    assert not [p for p in (tmp_path / "state").iterdir() if b"zebra" in p.read_bytes()]


def test_a_command_that_only_helps_opens_no_database() -> None:
    code = (
        "import sys; from meetings.cli.main import cli\n"
        "try: cli(['db', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(', '.join({'sqlalchemy', 'alembic', 'psycopg', 'pydantic'} & set(sys.modules)) or 0)"
    )
    run_python(code)


def test_what_is_up_to_date_is_opened_without_the_means_to_upgrade(tmp_path: Path) -> None:
    Database.of(Settings(home=tmp_path))
    code = (
        "import sys; from pathlib import Path; from meetings.config import Settings; from meetings.store import *\n"
        "Database.of(Settings(home=Path(sys.argv[1])))\n"
        "sys.exit('alembic' in sys.modules)"
    )
    run_python(code, tmp_path)


# Several machines


def shared(url: str, home: Path, *, key: str | None = "A" * 43 + "=") -> Settings:
    return Settings(home=home, database_url=SecretStr(url), voices_key=SecretStr(key) if key else None)


def test_machines_that_share_a_database_share_what_is_in_it(postgres_url: str, tmp_path: Path) -> None:
    one, other = shared(postgres_url, tmp_path / "one"), shared(postgres_url, tmp_path / "other")
    made_ready(one)
    FeedbackBook(one).set_stopped("ana", True, user_id="u1")
    assert FeedbackBook(other).has_stopped("ana.weber", "u1")
    assert not list((tmp_path / "one").rglob("*.sqlite"))


@pytest.mark.parametrize("opened", [VoiceBook.of, KeptVoices.of], ids=["voiceprints", "voices of recordings"])
def test_without_the_key_that_all_machines_need_no_voice_is_sealed(
    postgres_url: str, tmp_path: Path, opened: object
) -> None:
    settings = made_ready(shared(postgres_url, tmp_path, key=None))
    with pytest.raises(ConfigError, match="MEETINGS_VOICES_KEY"):
        opened(settings)  # type: ignore[operator]
    assert not (tmp_path / "voices").exists()


def test_a_server_that_was_restarted_is_used_again(postgres_url: str, tmp_path: Path) -> None:
    settings = made_ready(shared(postgres_url, tmp_path))
    FeedbackBook(settings).set_stopped("ana", True)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                      "AND datname = current_database()")  # fmt: skip
    assert FeedbackBook(settings).of("ana").stopped


def test_a_server_is_upgraded_by_the_command_alone(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = shared(postgres_url, tmp_path)
    with pytest.raises(SchemaError, match=r"no tables yet.*run: meetings db upgrade"):
        Database.of(settings)
    monkeypatch.setenv("MEETINGS_DATABASE_URL", postgres_url)
    assert cli.main(["db", "check"], standalone_mode=False) == 1
    cli.main(["db", "upgrade"], standalone_mode=False)
    assert cli.main(["db", "check"], standalone_mode=False) == 0
    assert Database.of(settings).version() == WANTED


# What is wrong with it


def in_one_line(caught: pytest.ExceptionInfo[MeetingsError]) -> str:
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("damage", ["no database", "torn"])
def test_a_damaged_file_is_told_in_one_line_with_the_way_out(tmp_path: Path, damage: str) -> None:
    settings = Settings(home=tmp_path)
    database = Database.of(settings)
    for n in range(40):
        database.write("kind", f"name{n}", "x" * 300)
    assert database.path is not None
    if damage == "torn":
        content = bytearray(database.path.read_bytes())
        content[4096:] = os.urandom(len(content) - 4096)
        database.path.write_bytes(bytes(content))
    else:
        database.path.write_bytes(b"this is no database, whatever it is called" * 100)
    with pytest.raises(DatabaseError) as caught:
        FeedbackBook(settings).add("ana", "more", "prices")
    message = in_one_line(caught)
    assert "is damaged" in message
    assert "meetings db restore" in message


@pytest.mark.parametrize("prepare", ["sqlite", "postgresql"])
def test_a_database_of_a_newer_program_is_left_alone(
    prepare: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    if prepare == "postgresql":
        settings = made_ready(shared(request.getfixturevalue("postgres_url"), tmp_path))
    with Database.of(settings).writing("test") as connection:
        connection.execute(text("UPDATE meetings_schema SET version_num = '9999'"))
    close_databases()  # a process that starts now
    with pytest.raises(SchemaError, match="newer meetings") as caught:
        Database.of(settings)
    in_one_line(caught)
    with pytest.raises(SchemaError, match="newer meetings"):
        made_ready(settings)


def test_a_server_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr("postgresql://me:hunter2@127.0.0.1:9/meetings"))
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:9/meetings") as caught:
        Database.of(settings)
    assert "hunter2" not in in_one_line(caught)
    assert "hunter2" not in repr(settings)


def test_damage_that_nothing_has_met_yet_is_found_by_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    database = Database.of(settings)
    for n in range(40):
        database.write("kind", f"name{n}", "x" * 3000)
    assert database.path is not None
    content = bytearray(database.path.read_bytes())
    content[-4096 * 3 :] = bytes(4096 * 3)
    database.path.write_bytes(bytes(content))
    Database.of(settings)
    monkeypatch.setenv("MEETINGS_HOME", str(tmp_path))
    with pytest.raises(DatabaseError, match="is damaged") as caught:
        cli.main(["db", "check"], standalone_mode=False)
    in_one_line(caught)


@pytest.mark.parametrize(
    "url", ["mysql://me:hunter2@db/x", "hunter2", "postgresql://me:hunter2@db:port/x", "sqlite:///x"]
)
def test_what_is_no_url_of_a_server_is_refused_without_being_quoted(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="postgresql://USER:PASSWORD@HOST/NAME") as caught:
        Database.of(Settings(home=tmp_path, database_url=SecretStr(url)))
    assert "hunter2" not in str(caught.value)


def test_where_a_file_is_in_the_way_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(StorageError, match="state"):
        Database.of(Settings(home=tmp_path))


def test_the_schema_that_is_wanted_is_the_newest_step_and_every_step_is_known() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [WANTED]
    assert {step.revision for step in script.walk_revisions()} == set(KNOWN)
