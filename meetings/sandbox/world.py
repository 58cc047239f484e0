"""One sandbox server's state: database, files, clock, open sockets; and the change, its unit of work.

Everything happens on one thread. A change is one database transaction; its events are sent when it is kept and
dropped when it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError

from meetings.errors import SandboxError
from meetings.sandbox import model
from meetings.sandbox.events import Event, Hub
from meetings.sandbox.faults import Faults
from meetings.sandbox.ids import Clock, new_id, system_time

DATABASE = "sandbox.db"
FILES = "files"
# The server's default is 100 MB; recordings of long calls are larger.
MAX_FILE_SIZE = 2 * 1024**3


class Change:
    """One unit of work on the world: reads, writes, and the events they cause."""

    def __init__(self, world: World, db: Connection) -> None:
        self.world = world
        self.db = db
        self.events: list[Event] = []
        self.afterwards: list[Callable[[], None]] = []

    def now(self) -> int:
        """A time later than any before."""
        return self.world.clock.now()

    def new_id(self) -> str:
        """An id for something new."""
        return self.world.new_id()

    def emit(
        self,
        name: str,
        data: Mapping[str, Any],
        *,
        channel_id: str = "",
        user_id: str = "",
        listeners: Collection[str] | None = None,
    ) -> None:
        """Tell an event: to one user, to a channel's members, to `listeners`, or to everybody."""
        if listeners is None and user_id:
            listeners = [user_id]
        if listeners is None and channel_id:
            query = select(model.members.c.user_id).where(model.members.c.channel_id == channel_id)
            listeners = self.db.execute(query).scalars().all()
        self.events.append(
            Event(
                name=name,
                data=data,
                listeners=None if listeners is None else frozenset(listeners),
                user_id=user_id,
                channel_id=channel_id,
            )
        )

    def fact(self, name: str) -> str | None:
        """Something the sandbox remembers about itself."""
        found: str | None = self.db.execute(
            select(model.facts.c.value).where(model.facts.c.name == name)
        ).scalar_one_or_none()
        return found

    def remember(self, name: str, value: str) -> None:
        """Remember it."""
        statement = upsert(model.facts).values(name=name, value=value)
        self.db.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


@dataclass(slots=True)
class Later:
    """Whom later answers to a slash command are for; `until` by the monotonic clock, `used` so often."""

    user_id: str
    channel_id: str
    root_id: str
    until: float
    used: int = 0


@dataclass(slots=True)
class World:
    """The state of one server. `url` is where it answers, without a slash at the end."""

    folder: Path
    engine: Engine
    clock: Clock
    hub: Hub = field(default_factory=Hub)
    faults: Faults = field(default_factory=Faults)
    new_id: Callable[[], str] = new_id
    url: str = ""
    max_file_size: int = MAX_FILE_SIZE
    # pending_post_id -> (post id, seconds): see posts.create
    pending: dict[str, tuple[str, float]] = field(default_factory=dict)
    # The id in a response_url -> whom it is for: see commands.message
    later: dict[str, Later] = field(default_factory=dict)
    # Sends what an outgoing webhook says; set by the running app, absent while seeding.
    call_out: Callable[[str, Mapping[str, str], bytes], None] | None = None

    @classmethod
    def open(
        cls, folder: Path, *, source: Callable[[], int] = system_time, max_file_size: int = MAX_FILE_SIZE
    ) -> World:
        """Open the sandbox in a folder, making what is missing.

        Args:
            folder: where everything is kept; made with mode 0700.
            source: where the time comes from.
            max_file_size: larger uploads are refused, in bytes.

        Raises:
            SandboxError: the folder holds data of another version, or is none.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            (folder / FILES).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise SandboxError(f"{folder}: the sandbox cannot use this folder ({error.strerror})") from error
        engine = create_engine(URL.create("sqlite", database=str(folder / DATABASE)))
        event.listen(engine, "connect", _prepare)
        try:
            model.metadata.create_all(engine)
        except DatabaseError as error:
            engine.dispose()
            raise SandboxError(
                f"{folder / DATABASE} cannot be used ({error.orig}); if it is damaged run: meetings sandbox reset"
            ) from error
        world = cls(folder=folder, engine=engine, clock=Clock(source=source), max_file_size=max_file_size)
        with world.change() as tx:
            version = tx.fact("schema")
            if version is None:
                tx.remember("schema", model.SCHEMA_VERSION)
            elif version != model.SCHEMA_VERSION:
                world.close()
                raise SandboxError(f"{folder} holds a sandbox of another version; run: meetings sandbox reset")
            newest = tx.db.execute(select(func.max(model.channels.c.last_post_at))).scalar_one() or 0
            newest = max(newest, tx.db.execute(select(func.max(model.posts.c.update_at))).scalar_one() or 0)
        world.clock = Clock(last=newest, source=source)
        return world

    @property
    def files(self) -> Path:
        """Where the bytes of uploaded files lie, each under its id."""
        return self.folder / FILES

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One unit of work: kept when the block ends, undone when it raises."""
        with self.engine.begin() as db:
            change = Change(self, db)
            yield change
        for told in change.events:
            self.hub.publish(told)
        for action in change.afterwards:
            action()

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # One writer, readers beside it, no sync per commit: a sandbox may lose its last second to a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
