"""The page of one meeting on this machine alone, for who runs `meetings report`: a door of its own, not Mattermost's.

It is served on loopback, to the browser that brought the one-time token of the address which the command printed: the
token becomes a cookie, which no script reads and which other sites' requests do not carry. Other programs of this
machine reach the port, too, so nothing but the style sheet is given without that cookie. Pages of other sites may send
a browser here under a name of their own (DNS rebinding): only requests for 127.0.0.1 or localhost are answered.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from meetings.errors import MeetingsError
from meetings.report.downloads import DOWNLOADS, as_seen, download, is_offered
from meetings.report.forms import came_from, read_form
from meetings.report.local_meeting import LocalMeeting
from meetings.report.media import kind_of
from meetings.report.pages import CSP, VERSION, page_templates, static_file
from meetings.report.playing import answer_media
from meetings.report.view import WITHHELD, make_page
from meetings.summary import Summary, summary_to_json

COOKIE = "meetings_local"
HOME = "127.0.0.1"
SAVED = {"edit": "Saved.", "speaker": "Saved.", "remake": ""}
MAKING = "Summaries are being made again; the page is loaded again when they are there."


class Remaking:
    """Making names and summaries again: asked for by the page, done by the thread that waits for it."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._working = False
        self._told = ""

    @property
    def busy(self) -> bool:
        """Whether they are being made, or will be."""
        return self._working or self._asked.is_set()

    def ask(self) -> None:
        """Have them made; what is being made then is made once more."""
        self._asked.set()

    def told(self) -> str:
        """What came of it, said once."""
        told, self._told = self._told, ""
        return told

    def wait(self) -> None:
        """Wait until they are asked for."""
        self._asked.wait()

    def work(self, make: Callable[[], None]) -> None:
        """Make them."""
        self._working = True
        self._asked.clear()
        try:
            make()
            self._told = "Summaries were made again."
        except MeetingsError as error:
            self._told = f"Summaries could not be made again: {error}"
        finally:
            self._working = False


class LocalPage:
    """What the door leads to, and who may come in.

    Args:
        meeting: what is shown.
        port: where it is answered.
        first: the username of whose summary is shown first; empty: the first there is.
        remaking: where it is asked for that summaries are made again.
    """

    def __init__(self, meeting: LocalMeeting, *, port: int, first: str, remaking: Remaking) -> None:
        self.meeting, self.remaking = meeting, remaking
        # A name that nobody knows: the cookie is for this path, so that other ports of this machine do not get it.
        self.name = secrets.token_hex(8)
        self._first = first
        self._token: str | None = secrets.token_urlsafe(32)
        self._taking = threading.Lock()
        self._cookie, self._form = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._hosts = {f"{name}{end}" for name in (HOME, "localhost") for end in ([""] if port == 80 else [f":{port}"])}
        self._templates = page_templates()
        self.address = f"http://{HOME}:{port}/m/{self.name}?k={self._token}"

    def is_addressed(self, request: Request) -> bool:
        """Whether a request means this machine by its own name."""
        return request.headers.get("host", "").lower() in self._hosts

    def knows(self, request: Request) -> bool:
        """Whether it is the browser that came by the address."""
        return _same(request.cookies.get(COOKIE, ""), self._cookie)

    def enter(self, request: Request, token: str) -> Response:
        """A cookie for the token, which holds once. The way on is a page of ours: a redirect would not bring the
        cookie along where another site's page had the link."""
        with self._taking:
            if self._token is not None and _same(token, self._token):
                self._token = None
            elif not self.knows(request):
                return self.closed()
        html = self._templates.get_template("local_enter.html").render(name=self.name)
        answer = _html(html)
        answer.set_cookie(COOKIE, self._cookie, path=f"/m/{self.name}", httponly=True, samesite="strict")
        return answer

    def page(self, request: Request, *, failed: str = "") -> Response:
        """The meeting, with the summary that is asked for."""
        meeting, found = self.meeting.read(), self.meeting.find()
        summary = self._summary(meeting.summaries, request.query_params.get("for", ""))
        if summary is not None:
            self.meeting.note_look(summary.username)
        busy = self.remaking.busy
        told = failed or (MAKING if busy else self.remaking.told())
        page = make_page(
            meeting.conversation,
            summary_to_json(summary) if summary else {},
            self.meeting.edits(),
            attended=True,
        )
        html = self._templates.get_template("page.html").render(
            page=page,
            local=True,
            people=[(s.username, s.name or s.username) for s in meeting.summaries],
            whose=summary.username if summary else "",
            reader=(summary.name or summary.username) if summary else "",
            query=f"?for={quote(summary.username, safe='')}" if summary else "",
            meeting=self.name,
            recording=meeting.link,
            kind=kind_of(found.media.name) if found.media else "",
            gone=found.gone,
            may_change=self.meeting.may_edit(),
            may_remake=self.meeting.may_remake(),
            busy=busy,
            downloads=DOWNLOADS,
            form=self._form,
            told=told or SAVED.get(request.query_params.get("saved", ""), ""),
            version=VERSION,
            withheld=WITHHELD,
            base="/m/" if failed else "",  # what was refused is told at another address than the page's
        )
        return _html(html, status=422 if failed else 200)

    def media(self, request: Request) -> Response:
        """The recording, or a part of it."""
        media = self.meeting.find().media
        if media is None or media.size <= 0:
            return Response(status_code=404)
        return answer_media(request, media, self.name, still=lambda: True)

    def file(self, request: Request, name: str) -> Response:
        """The meeting as a file, with the summary that is looked at."""
        if not is_offered(name):
            return self.closed()
        meeting = self.meeting.read()
        summary = self._summary(meeting.summaries, request.query_params.get("for", ""))
        if summary is not None:
            self.meeting.note_save(summary.username, name)
        return download(name, as_seen(meeting, summary, self.meeting.edits(), attended=True))

    def change(self, request: Request, what: str, form: Mapping[str, str] | None) -> Response:
        """Do what a form of the page asks for."""
        origin = f"http://{request.headers.get('host', '').lower()}"
        if form is None or what not in SAVED or not came_from(origin, request):
            return self.closed()
        if not _same(form.get("form", ""), self._form):
            return self.closed()
        try:
            self.meeting.change(what, form)
        except MeetingsError as error:
            return self.page(request, failed=str(error))
        if what != "edit":
            self.remaking.ask()
        at = form.get("at", "")
        moment = f"#t={at}" if at.isascii() and at.isdecimal() and len(at) < 9 else ""
        person = quote(request.query_params.get("for", ""), safe="")
        path = f"/m/{self.name}?saved={what}{f'&for={person}' if person else ''}{moment}"
        return Response(status_code=303, headers={"Location": path, "Content-Security-Policy": CSP})

    def closed(self) -> Response:
        """What everybody gets who did not come by the address."""
        return _html(self._templates.get_template("closed.html").render(trouble=""), status=403)

    def trouble(self, error: MeetingsError) -> Response:
        """The meeting cannot be read any more."""
        return _html(self._templates.get_template("closed.html").render(trouble=str(error)), status=500)

    def _summary(self, summaries: tuple[Summary, ...], wanted: str) -> Summary | None:
        for username in (wanted, self._first):
            for summary in summaries:
                if summary.username == username:
                    return summary
        return summaries[0] if summaries else None


def make_local_app(page: LocalPage) -> FastAPI:
    """The application that answers one browser."""
    app = FastAPI(title="meetings", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request) if page.is_addressed(request) else Response(status_code=421)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", CSP)
        return response

    def known(request: Request, name: str, answer: Callable[[], Response]) -> Response:
        if name != page.name or not page.knows(request):
            return page.closed()
        try:
            return answer()
        except MeetingsError as error:
            return page.trouble(error)

    @app.api_route("/m/static/{name}", methods=["GET", "HEAD"])
    def static(name: str) -> Response:
        return static_file(name) or Response(status_code=404)

    @app.get("/m/{name}")
    def shown(request: Request, name: str) -> Response:
        token = request.query_params.get("k")
        if token is not None:
            return page.enter(request, token) if name == page.name else page.closed()
        return known(request, name, lambda: page.page(request))

    @app.api_route("/m/{name}/media", methods=["GET", "HEAD"])
    def media(request: Request, name: str) -> Response:
        return known(request, name, lambda: page.media(request))

    @app.get("/m/{name}/download/{kind}")
    def file(request: Request, name: str, kind: str) -> Response:
        return known(request, name, lambda: page.file(request, kind))

    @app.get("/m/{name}/people")
    def people(request: Request, name: str) -> Response:
        return known(request, name, lambda: _json(page.meeting.possible()))

    @app.get("/m/{name}/busy")
    def busy(request: Request, name: str) -> Response:
        return known(request, name, lambda: _json(page.remaking.busy))

    @app.post("/m/{name}/{what}")
    async def change(request: Request, name: str, what: str) -> Response:
        form = await read_form(request)
        return await run_in_threadpool(known, request, name, lambda: page.change(request, what, form))

    return app


@contextmanager
def served_until_closed(app: FastAPI, bound: socket.socket) -> Iterator[None]:
    """Answer at a socket in a thread of its own, for the time of a `with` block: Ctrl-C is the caller's."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def _same(given: str, known: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), known.encode())


def _html(html: str, *, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": CSP}
    return Response(html, status_code=status, media_type="text/html; charset=utf-8", headers=headers)


def _json(data: object) -> Response:
    return Response(json.dumps(data), media_type="application/json", headers={"Content-Security-Policy": CSP})
