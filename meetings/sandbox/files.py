"""Uploaded files: their bytes on disk under their id, what is known of them in the database."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from sqlalchemy import select

from meetings.sandbox import channels, model, posts, refusals
from meetings.sandbox.ids import is_id, new_id
from meetings.sandbox.model import File, User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.world import Change, World

# The library's own table, not the machine's: the same everywhere.
_TYPES = mimetypes.MimeTypes()
for _kind, _extension in (
    ("video/mp4", ".mp4"),
    ("video/webm", ".webm"),
    ("video/x-matroska", ".mkv"),
    ("audio/mp4", ".m4a"),
    ("audio/wav", ".wav"),
    ("audio/ogg", ".ogg"),
    ("audio/ogg", ".opus"),
    ("audio/flac", ".flac"),
    ("text/vtt", ".vtt"),
):
    _TYPES.add_type(_kind, _extension)

# Shown in the browser as text, never run (api4.UnsafeContentTypes, MediaContentTypes).
UNSAFE = ("application/javascript", "application/ecmascript", "text/javascript", "text/html", "image/svg+xml")
MEDIA = (
    "image/jpeg",
    "image/png",
    "image/bmp",
    "image/gif",
    "image/tiff",
    "video/avi",
    "video/mpeg",
    "video/mp4",
    "audio/mpeg",
    "audio/wav",
)
MAX_NAME = 255  # characters


def safe_name(name: str) -> str:
    """A file's name without folders; empty names get one."""
    base = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(c for c in base if c.isprintable())[-MAX_NAME:]
    return kept if kept.strip(". ") else "file"


def too_large(name: str, size: int, limit: int) -> RefusedError:
    """The refusal of an upload."""
    return RefusedError(
        413,
        "api.file.upload_file.too_large_detailed.app_error",
        f"Unable to upload file {name}. {size} bytes exceeds the maximum allowed {limit} bytes.",
    )


async def receive(world: World, chunks: AsyncIterator[bytes], *, name: str) -> tuple[str, int]:
    """Write an upload to disk as it comes.

    Returns:
        The new file's id and its size in bytes.

    Raises:
        RefusedError: it is larger than the server takes.
    """
    file_id = new_id()
    partial = world.files / f"{file_id}.part"
    size = 0
    try:
        with partial.open("wb") as target:
            async for chunk in chunks:
                size += len(chunk)
                if size > world.max_file_size:
                    raise too_large(name, size, world.max_file_size)
                target.write(chunk)
        partial.replace(world.files / file_id)
    finally:
        partial.unlink(missing_ok=True)
    return file_id, size


def note(tx: Change, user: User, *, file_id: str, channel_id: str, name: str, size: int) -> File:
    """Note an upload whose bytes are on disk."""
    kind, _ = _TYPES.guess_type(name)
    now = tx.now()
    file = File(
        id=file_id,
        user_id=user.id,
        channel_id=channel_id,
        create_at=now,
        update_at=now,
        name=name,
        extension=PurePosixPath(name).suffix.lstrip(".").lower(),
        size=size,
        mime_type=kind or "",
    )
    model.add(tx.db, model.files, file)
    return file


def check_upload(tx: Change, user: User, channel_id: str) -> None:
    """Refuse an upload to a channel that is none, or not the uploader's."""
    if not is_id(channel_id):
        raise refusals.bad_body("channel_id")
    channel = channels.by_id(tx, channel_id)
    if channel is None or not channels.may_read(tx, user, channel):
        raise refusals.forbidden()


def by_id(tx: Change, file_id: str) -> File | None:
    """The file with this id, unless its post was deleted."""
    table = model.files
    return model.one(tx.db, File, select(table).where(table.c.id == file_id, table.c.delete_at == 0))


def readable(tx: Change, user: User, file_id: str) -> File:
    """A file that somebody may read, or the refusal: its uploader, and the members of its post's channel."""
    file = by_id(tx, file_id)
    if file is None:
        raise refusals.no_file()
    if file.user_id == user.id or user.is_admin:
        return file
    post = posts.by_id(tx, file.post_id) if file.post_id else None
    channel = channels.by_id(tx, post.channel_id) if post else None
    if channel is None or not channels.may_read(tx, user, channel):
        raise refusals.forbidden()
    return file


def of_post(tx: Change, post_id: str) -> list[File]:
    """The files on a post."""
    table = model.files
    query = select(table).where(table.c.post_id == post_id, table.c.delete_at == 0).order_by(table.c.create_at)
    return model.many(tx.db, File, query)


def path_of(world: World, file: File) -> Path:
    """Where a file's bytes lie."""
    return world.files / file.id
