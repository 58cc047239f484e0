"""What `meetings serve` answers below `/m`: pages of meetings, their recordings, and corrections.

Whoever may not see something gets the same answer as for what is not there. A link's token is taken once: the browser
gets a cookie for it and an address without it. A change needs the cookie, our own form and our own origin.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from meetings.config import Settings
from meetings.errors import CorrectionError, MattermostError, MattermostNotFoundError, MeetingsError
from meetings.mattermost import MattermostClient
from meetings.page_links import PageLinks
from meetings.report.access import Reader
from meetings.report.changes import SAVED, Changes, Remakes
from meetings.report.downloads import is_offered
from meetings.report.forms import came_from, read_form
from meetings.report.media import kind_of
from meetings.report.pages import CSP, Report, static_file
from meetings.report.playing import answer_media
from meetings.report.signing_in import COOKIE as SIGNING_IN
from meetings.report.signing_in import PATIENCE

COOKIE = "meetings_page"
SMALLEST_ZIPPED = 1024  # bytes

log = logging.getLogger("meetings.report")


def report_router(report: Report, changes: Changes) -> APIRouter:
    """The routes.

    Args:
        report: makes pages, and knows who may see them.
        changes: does what readers change.
    """
    router = APIRouter(prefix="/m")

    @router.api_route("/static/{name}", methods=["GET", "HEAD"])
    def static(name: str) -> Response:
        """The style sheet, the script, the icon: known by name, found in no folder."""
        return static_file(name) or _nothing(report)

    @router.get("/sign-in")
    def sign_in(request: Request) -> Response:
        """To Mattermost, to sign in there."""
        return _guarded(report, lambda: _sign_in(report, request.query_params.get("to", "")))

    @router.get("/signed-in")
    def signed_in(request: Request) -> Response:
        """Back from Mattermost."""
        return _guarded(report, lambda: _signed_in(report, request))

    @router.api_route("/{meeting}", methods=["GET", "HEAD"])
    def page(request: Request, meeting: str) -> Response:
        """A meeting's page, or by a link's token the way to it."""
        if (token := request.query_params.get("k")) is not None:
            return _guarded(report, lambda: _enter(report, meeting, token))
        return _guarded(report, lambda: _page(report, request, meeting))

    @router.api_route("/{meeting}/media", methods=["GET", "HEAD"])
    def media(request: Request, meeting: str) -> Response:
        """The recording, or a part of it."""
        return _guarded(report, lambda: _media(report, request, meeting))

    @router.get("/{meeting}/download/{name}")
    def download(request: Request, meeting: str, name: str) -> Response:
        """The meeting as a file, as far as its page shows it to this reader."""
        return _guarded(report, lambda: _download(report, request, meeting, name))

    @router.get("/{meeting}/people")
    def people(request: Request, meeting: str) -> Response:
        """Whose a voice can be, for those who may say it."""

        def listed() -> Response:
            reader = _reader(report, request, meeting)
            found = None if reader is None else changes.possible(reader)
            return _nothing(report) if found is None else report.json(found)

        return _guarded(report, listed)

    @router.post("/{meeting}/{what}")
    async def change(request: Request, meeting: str, what: str) -> Response:
        """An utterance's words, a speaker's name, or summaries made again."""
        form = await read_form(request)
        return await run_in_threadpool(_guarded, report, lambda: _change(report, changes, request, meeting, what, form))

    return router


def make_pages(settings: Settings, client: MattermostClient, queue: Remakes) -> APIRouter | None:
    """The routes of these settings; None where there are no pages.

    Raises:
        ConfigError: several machines share the database, and the key that all of them need is not set.
    """
    links = PageLinks.of(settings)
    if links is None:
        return None
    report = Report(settings, client, links)
    return report_router(report, Changes(settings, client, report.gate, queue))


def _guarded(report: Report, answer: Any) -> Response:
    """An answer; a server that is away shows nothing, and neither does trouble of our own."""
    try:
        made: Response = answer()
    except MattermostError as error:
        log.warning("a page could not be shown: %s", error)
        return report.trouble()
    except MeetingsError as error:
        log.warning("a page could not be shown: %s", " ".join(str(error).split()))
        return report.trouble()
    return made


def _nothing(report: Report) -> Response:
    return report.nothing()


def _reader(report: Report, request: Request, meeting: str) -> Reader | None:
    return report.gate.reader("cookie", meeting, request.cookies.get(COOKIE, ""))


def _enter(report: Report, meeting: str, token: str) -> Response:
    """A cookie for a token, and an address that can be seen by anybody."""
    reader = report.gate.reader("link", meeting, token)
    if reader is None:
        return report.nothing()
    report.opened(reader, how="link")
    return _with_cookie(report, reader)


def _sign_in(report: Report, meeting: str) -> Response:
    way = report.signing_in.begin(meeting) if report.signing_in else None
    if way is None:
        return report.nothing()
    address, nonce = way
    answer = Response(status_code=303, headers={"Location": address, "Content-Security-Policy": CSP})
    answer.set_cookie(
        SIGNING_IN,
        nonce,
        max_age=PATIENCE,
        path=f"{report.links.path}/m/signed-in",
        secure=report.links.url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return answer


def _signed_in(report: Report, request: Request) -> Response:
    state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    signing_in = report.signing_in
    meeting = signing_in.meant(state, request.cookies.get(SIGNING_IN, "")) if signing_in else None
    if signing_in is None or meeting is None:
        return report.nothing()
    user = signing_in.user(code)
    if user is None or report.gate.may(user.id, meeting) is None:
        return report.nothing()
    reader = report.gate.admit(report.links.holding(user.id, user.username, meeting), meeting)
    if reader is None:
        return report.nothing()
    report.opened(reader, how="sign-in")
    answer = _with_cookie(report, reader)
    answer.delete_cookie(SIGNING_IN, path=f"{report.links.path}/m/signed-in")
    return answer


def _with_cookie(report: Report, reader: Reader) -> Response:
    path = f"{report.links.path}/m/{reader.meeting}"
    answer = Response(status_code=303, headers={"Location": path, "Content-Security-Policy": CSP})
    answer.set_cookie(
        COOKIE,
        report.links.cookie(reader.holder, reader.meeting),
        max_age=report.seconds_left(reader),
        path=path,
        secure=report.links.url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return answer


def _page(report: Report, request: Request, meeting: str, *, failed: str = "") -> Response:
    reader = _reader(report, request, meeting)
    call = report.gate.call(reader) if reader else None
    if reader is None or call is None:
        return report.nothing(meeting)
    cookie = request.cookies.get(COOKIE, "")
    media = report.media(reader)
    saved = SAVED.get(request.query_params.get("saved", ""), "")
    html = report.page(reader, call, cookie=cookie, kind=kind_of(media.name) if media else "", told=failed or saved)
    answer = _zipped(request, html)
    answer.status_code = 422 if failed else 200
    return answer


def _zipped(request: Request, html: str) -> Response:
    body = html.encode()
    headers = {"Content-Security-Policy": CSP, "Vary": "Accept-Encoding", "Referrer-Policy": "same-origin"}
    accepted = [part.strip() for part in request.headers.get("accept-encoding", "").lower().split(",")]
    if "gzip" in accepted and len(body) > SMALLEST_ZIPPED:
        body = gzip.compress(body, compresslevel=5)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


def _download(report: Report, request: Request, meeting: str, name: str) -> Response:
    reader = _reader(report, request, meeting)
    call = report.gate.call(reader) if reader and is_offered(name) else None
    return report.nothing() if reader is None or call is None else report.file(name, reader, call)


# The recording


def _media(report: Report, request: Request, meeting: str) -> Response:
    reader = _reader(report, request, meeting)
    media = report.media(reader) if reader else None
    if reader is None or media is None or media.size <= 0:
        return report.nothing()
    return answer_media(request, media, reader.meeting, still=lambda: _reader(report, request, meeting) is not None)


# Changes


def _change(
    report: Report, changes: Changes, request: Request, meeting: str, what: str, form: Mapping[str, str] | None
) -> Response:
    reader = _reader(report, request, meeting)
    if reader is None or what not in SAVED:
        return report.nothing()
    cookie = request.cookies.get(COOKIE, "")
    if form is None or not _ours(report, request) or not report.links.form_fits(cookie, form.get("form", "")):
        return report.refused()
    try:
        changes.do(what, reader, form)
    except MattermostNotFoundError:
        return _page(report, request, meeting, failed="There is no such account.")
    except CorrectionError as error:
        return _page(report, request, meeting, failed=str(error))
    at = form.get("at", "")
    moment = f"#t={at}" if at.isascii() and at.isdecimal() and len(at) < 9 else ""
    path = f"{report.links.path}/m/{reader.meeting}?saved={what}{moment}"
    return Response(status_code=303, headers={"Location": path, "Content-Security-Policy": CSP})


def _ours(report: Report, request: Request) -> bool:
    """Whether a request comes from a page of ours, as far as the browser tells."""
    return came_from(report.links.origin, request)
