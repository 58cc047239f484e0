"""Answers what a player asks: all of a recording, or a part of it (RFC 9110, section 14)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from meetings.errors import MattermostError
from meetings.report.media import Media, RangeRefusedError, parts_of, type_of, wanted_part
from meetings.report.pages import CSP

log = logging.getLogger("meetings.report")


def answer_media(request: Request, media: Media, name: str, *, still: Callable[[], bool]) -> Response:
    """A recording, or a part of it, to who may have it.

    Args:
        request: which part, and whether only its size is asked for.
        media: the recording.
        name: what tells it from others.
        still: whether they may have it still, asked before every part of a whole one.
    """
    etag = f'"{name}-{media.size}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Content-Security-Policy": CSP}
    wanted = request.headers.get("range")
    if (known := request.headers.get("if-range")) is not None and known != etag:
        wanted = None  # theirs is of another file
    try:
        part = wanted_part(wanted, media.size)
    except RangeRefusedError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{media.size}"})
    kind = type_of(media.name)
    length = part.length if part else media.size
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.end}/{media.size}"
    if request.method == "HEAD":
        return Response(
            status_code=206 if part else 200,
            headers={**headers, "Content-Length": str(length), "Content-Type": kind},
        )
    if part is not None:
        return Response(media.read(part.start, part.end), status_code=206, media_type=kind, headers=headers)
    headers["Content-Length"] = str(length)
    return StreamingResponse(_whole(media, still), media_type=kind, headers=headers)


def _whole(media: Media, still: Callable[[], bool]) -> Iterator[bytes]:
    """All of a recording; it ends where its reader may read it no longer."""
    for part in parts_of(media.size):
        try:
            if not still():
                return
            yield media.read(part.start, part.end)
        except MattermostError as error:
            log.warning("a recording breaks off: %s", error)
            return
