"""What a page's own forms bring: short, of one kind, and from our own origin."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import Request

MAX_FORM = 32 * 1024  # bytes


async def read_short(request: Request, most: int) -> tuple[str, bytes] | None:
    """The media type and the body of a request; None if that has more bytes than `most`."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            return None
    return request.headers.get("content-type", "").split(";")[0].strip().lower(), data


async def read_form(request: Request) -> Mapping[str, str] | None:
    """The fields of a short form; None for anything else."""
    kind, data = await read_short(request, MAX_FORM) or ("", b"")
    if kind != "application/x-www-form-urlencoded":
        return None
    try:
        fields = parse_qs(data.decode("utf-8"), max_num_fields=20, keep_blank_values=True)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}


def came_from(origin: str, request: Request) -> bool:
    """Whether a request comes from a page of an origin of ours, as far as the browser tells."""
    site, told = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    return site in {None, "same-origin"} and told in {None, origin}
