"""`meetings db`: the database of what people asked for, who got what, and how far was read."""

from __future__ import annotations

from pathlib import Path

import click


@click.group(
    epilog="""\b
Examples:
  meetings db check
  meetings db backup /backups/meetings.db"""
)
def db() -> None:
    """Check, upgrade, back up and restore the database.

    In it: what people asked for, the audit log, voiceprints (encrypted), what was read of channels, how far channels
    were looked through. It is HOME/state/meetings.sqlite, or PostgreSQL where database_url is set. What else to back
    up, and how to move to another machine: docs/operations.md
    """


@db.command(epilog="Example: meetings db check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(as_json: bool) -> int:
    """Say which schema the database has, and which this program wants. Exit code 1 if they differ.

    A SQLite file is also gone through for damage. Changes nothing. Older: `meetings db upgrade`. Newer: update this
    program.
    """
    import json

    from meetings.config import load_settings
    from meetings.store import Database, files_are_left
    from meetings.store.database import WANTED

    settings = load_settings()
    database = Database.named(settings)
    version, left = database.version(), files_are_left(settings.home)
    if as_json:
        told = {"database": database.where, "schema": version, "wanted": WANTED, "files_left": left}
        click.echo(json.dumps(told, ensure_ascii=False))
    database.refuse_newer(version)
    database.verify()
    if version == WANTED and not left:
        if not as_json:
            click.echo(f"{database.where}: schema {version}, as this program wants it")
        return 0
    what = f"schema {version}" if version else "no tables yet"
    what = f"files of an earlier version are left in {settings.home}" if version == WANTED else what
    click.echo(f"error: {database.where}: {what}, this program wants {WANTED}; run: meetings db upgrade", err=True)
    return 1


@db.command(epilog="Example: meetings db upgrade")
def upgrade() -> None:
    """Bring the database to the schema that this program wants, and take in files of earlier versions.

    A SQLite file is brought up to date by any command. PostgreSQL only by this one: stop the other processes, back up,
    upgrade, and do so again on every machine whose data folder has files of an earlier version. Broken off, the same
    command does the rest.
    """
    from meetings.config import load_settings
    from meetings.store import Database, upgrade_database
    from meetings.store.database import WANTED

    database = Database.named(load_settings())
    upgrade_database(database)
    click.echo(f"{database.where}: schema {WANTED}")


@db.command(epilog="Example: meetings db backup /backups/meetings.db")
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the database into FILE, as it is at this moment.

    Others may go on working meanwhile. FILE is a SQLite database, whatever the database is, and readable by you alone;
    it holds personal data, and voiceprints that nobody can read without the key, which is not in it.
    """
    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.store import Database, back_up

    settings = load_settings()
    AuditLog(settings).note("backup", by=login_name())
    copied = back_up(Database.of(settings), file)
    click.echo(f"{file}: {copied.documents} documents, {copied.lines} lines of the audit log")


@db.command(epilog="Example: meetings db restore /backups/meetings.db")
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> int:
    """Fill an empty database from FILE, which `meetings db backup` wrote.

    Nothing is overwritten: a database with something in it is refused. FILE may come from another kind of database:
    this is also the way from SQLite to PostgreSQL. The chain of the audit log is checked.
    """
    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.store import Database
    from meetings.store import restore as fill

    settings = load_settings()
    copied = fill(Database.named(settings), file)
    log = AuditLog(settings)
    found = log.check()
    log.note("restore", by=login_name())
    click.echo(f"{log.where}: {copied.documents} documents, {copied.lines} lines of the audit log")
    if found.broken:
        click.echo(f"error: the audit log in it is broken at line {found.broken}: {found.why}", err=True)
        return 1
    return 0
