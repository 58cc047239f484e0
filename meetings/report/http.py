"""What the routes of pages share: answers in trouble, where forms come from, cookies."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable

from fastapi import Request, Response

from meetings.errors import MattermostError, MeetingsError
from meetings.page_links import PageLinks
from meetings.report.access import Reader
from meetings.report.forms import came_from
from meetings.report.pages import CSP, Report

PAGE_COOKIE = "meetings_page"  # of one meeting, by a link to it
HOME_COOKIE = "meetings_home"  # of a session
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
    except OSError as error:  # no file can be opened, or what was to be read went that moment
        log.warning("a page could not be shown: %s", error.strerror or type(error).__name__)
    return report.trouble()


def reader_at(report: Report, request: Request, meeting: str) -> Reader | None:
    """Whoever comes to a meeting, by being signed in or by their link to it."""
    home, page = request.cookies.get(HOME_COOKIE, ""), request.cookies.get(PAGE_COOKIE, "")
    return report.gate.at(meeting, home=home, page=page)


def is_ours(links: PageLinks, request: Request) -> bool:
    """Whether a request comes from a page of ours, as far as the browser tells."""
    return came_from(links.origin, request)


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
