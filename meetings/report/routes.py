"""What `meetings serve` answers below `/m`: pages of meetings, their recordings, and corrections.

Whoever may not see something gets the same answer as for what is not there. A link's token is taken once: the browser
gets a cookie for it and an address without it. A change needs the cookie, our own form and our own origin.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from meetings.config import Settings
from meetings.errors import CorrectionError, MattermostNotFoundError
from meetings.mattermost import MattermostClient
from meetings.page_links import PageLinks
from meetings.report.access import Reader
from meetings.report.changes import SAVED, Changes, Remakes
from meetings.report.downloads import is_offered
from meetings.report.forms import read_form
from meetings.report.home import add_home
from meetings.report.http import PAGE_COOKIE, guarded, is_ours, reader_at, set_cookie, to, zipped
from meetings.report.media import kind_of
from meetings.report.pages import Report, static_file
from meetings.report.playing import answer_media
from meetings.report.series import add_series, is_in_series
from meetings.report.work import WorkPage, add_work


def report_router(report: Report, changes: Changes, work: WorkPage) -> APIRouter:
    """The routes.

    Args:
        report: makes pages, and knows who may see them.
        changes: does what readers change.
        work: tells how the work stands.
    """
    router = APIRouter(prefix="/m")

    @router.api_route("/static/{name}", methods=["GET", "HEAD"])
    def static(name: str) -> Response:
        """The style sheet, the script, the icon: known by name, found in no folder."""
        return static_file(name) or _nothing(report)

    add_home(router, report)
    add_work(router, report, work)

    @router.api_route("/{meeting}", methods=["GET", "HEAD"])
    def page(request: Request, meeting: str) -> Response:
        """A meeting's page, or by a link's token the way to it."""
        if (token := request.query_params.get("k")) is not None:
            return guarded(report, lambda: _enter(report, meeting, token))
        return guarded(report, lambda: _page(report, request, meeting))

    @router.api_route("/{meeting}/media", methods=["GET", "HEAD"])
    def media(request: Request, meeting: str) -> Response:
        """The recording, or a part of it."""
        return guarded(report, lambda: _media(report, request, meeting))

    @router.get("/{meeting}/download/{name}")
    def download(request: Request, meeting: str, name: str) -> Response:
        """The meeting as a file, as far as its page shows it to this reader."""
        return guarded(report, lambda: _download(report, request, meeting, name))

    @router.get("/{meeting}/people")
    def people(request: Request, meeting: str) -> Response:
        """Whose a voice can be, for those who may say it."""

        def listed() -> Response:
            reader = reader_at(report, request, meeting)
            found = None if reader is None else changes.possible(reader)
            return _nothing(report) if found is None else report.json(found)

        return guarded(report, listed)

    add_series(router, report)

    @router.post("/{meeting}/{what}")
    async def change(request: Request, meeting: str, what: str) -> Response:
        """An utterance's words, a speaker's name, or summaries made again."""
        form = await read_form(request)
        return await run_in_threadpool(guarded, report, lambda: _change(report, changes, request, meeting, what, form))

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
    report.finder.refresh(patience=0.0)  # so that the first who comes does not wait
    changes = Changes(settings, client, report.gate, queue)
    return report_router(report, changes, WorkPage(settings, client))


def _nothing(report: Report) -> Response:
    return report.nothing()


def _enter(report: Report, meeting: str, token: str) -> Response:
    """A cookie for a token, and an address that can be seen by anybody."""
    reader = report.gate.reader("link", meeting, token)
    if reader is None:
        return report.nothing()
    report.opened(reader, how="link")
    return _with_cookie(report, reader)


def _with_cookie(report: Report, reader: Reader) -> Response:
    path = f"/m/{reader.meeting}"
    answer = to(f"{report.links.path}{path}")
    value = report.links.cookie(reader.holder, reader.meeting)
    seconds = report.seconds_left(reader.holder)
    set_cookie(answer, report.links, PAGE_COOKIE, value, seconds=seconds, path=path)
    return answer


def _page(report: Report, request: Request, meeting: str, *, failed: str = "") -> Response:
    reader = reader_at(report, request, meeting)
    call = report.gate.call(reader) if reader else None
    if reader is None or call is None:
        return report.nothing(meeting)
    if reader.signed_in:
        report.opened_signed_in(reader)
    media = report.media(reader)
    saved = SAVED.get(request.query_params.get("saved", ""), "")
    kind = kind_of(media.name) if media else ""
    trends = is_in_series(report, reader, call)
    html = report.page(reader, call, kind=kind, told=failed or saved, trends=trends, refused=bool(failed))
    answer = zipped(request, html)
    answer.status_code = 422 if failed else 200
    return answer


def _download(report: Report, request: Request, meeting: str, name: str) -> Response:
    reader = reader_at(report, request, meeting)
    call = report.gate.call(reader) if reader and is_offered(name) else None
    return report.nothing() if reader is None or call is None else report.file(name, reader, call)


# The recording


def _media(report: Report, request: Request, meeting: str) -> Response:
    reader = reader_at(report, request, meeting)
    media = report.media(reader) if reader else None
    if reader is None or media is None or media.size <= 0:
        return report.nothing()
    return answer_media(request, media, reader.meeting, still=lambda: reader_at(report, request, meeting) is not None)


# Changes


def _change(
    report: Report, changes: Changes, request: Request, meeting: str, what: str, form: Mapping[str, str] | None
) -> Response:
    reader = reader_at(report, request, meeting)
    if reader is None or what not in SAVED:
        return report.nothing()
    if form is None or not is_ours(report.links, request):
        return report.refused()
    if not report.links.form_fits(reader.cookie, form.get("form", "")):
        return report.refused()
    try:
        changes.do(what, reader, form)
    except MattermostNotFoundError:
        return _page(report, request, meeting, failed="There is no such account.")
    except CorrectionError as error:
        return _page(report, request, meeting, failed=str(error))
    if what == "edit":
        report.finder.changed()
    at = form.get("at", "")
    moment = f"#t={at}" if at.isascii() and at.isdecimal() and len(at) < 9 else ""
    return to(f"{report.links.path}/m/{reader.meeting}?saved={what}{moment}")
