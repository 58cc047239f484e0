"""What the routes of pages share: answers in trouble, forms and where they come from, cookies."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from fastapi import Request, Response

from meetings.errors import MattermostError, MeetingsError
from meetings.page_links import PageLinks
from meetings.report.access import Reader
from meetings.report.pages import CSP, Report

PAGE_COOKIE = "meetings_page"  # of one meeting, by a link to it
HOME_COOKIE = "meetings_home"  # of a session
MAX_FORM = 32 * 1024  # bytes
SMALLEST_ZIPPED = 1024  # bytes

log = logging.getLogger("meetings.report")


def guarded(report: Report, answer: Callable[[], Response]) -> Response:
    """An answer; a server that is away shows nothing, and neither does trouble of our own."""
    try:
        return answer()
    except MattermostError as error:
        log.warning("a page could not be shown: %s", error)
    except MeetingsError as error:
        log.warning("a page could not be shown: %s", " ".join(str(error).split()))
    return report.trouble()


def reader_at(report: Report, request: Request, meeting: str) -> Reader | None:
    """Whoever comes to a meeting, by being signed in or by their link to it."""
    home, page = request.cookies.get(HOME_COOKIE, ""), request.cookies.get(PAGE_COOKIE, "")
    return report.gate.at(meeting, home=home, page=page)


async def read_form(request: Request) -> Mapping[str, str] | None:
    """The fields of a short form; None for anything else."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_FORM:
            return None
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    try:
        fields = parse_qs(data.decode("utf-8"), max_num_fields=20, keep_blank_values=True)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}


def is_ours(links: PageLinks, request: Request) -> bool:
    """Whether a request comes from a page of ours, as far as the browser tells."""
    return came_from(links.origin, request)


def came_from(origin: str, request: Request) -> bool:
    """Whether a request comes from a page of an origin, as far as the browser tells."""
    site, told = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    return site in {None, "same-origin"} and told in {None, origin}


def to(address: str) -> Response:
    """The way to another page."""
    return Response(status_code=303, headers={"Location": address, "Content-Security-Policy": CSP})


def set_cookie(answer: Response, links: PageLinks, name: str, value: str, *, seconds: int, path: str) -> None:
    """A cookie that scripts cannot read, which goes to these pages alone."""
    secure = links.url.startswith("https://")
    answer.set_cookie(
        name, value, max_age=seconds, path=f"{links.path}{path}", secure=secure, httponly=True, samesite="lax"
    )


def zipped(request: Request, html: str) -> Response:
    """A page, packed if the browser takes that."""
    body = html.encode()
    headers = {"Content-Security-Policy": CSP, "Vary": "Accept-Encoding", "Referrer-Policy": "same-origin"}
    accepted = [part.strip() for part in request.headers.get("accept-encoding", "").lower().split(",")]
    if "gzip" in accepted and len(body) > SMALLEST_ZIPPED:
        body = gzip.compress(body, compresslevel=5)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)
