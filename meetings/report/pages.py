"""Makes the HTML that readers get: the page of a meeting, and what those see who may not.

Everything that people said, wrote or are called goes through the template's escaping; there is no script and no style
in the page, and the policy of every answer forbids both.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from importlib import resources
from typing import Any

from fastapi import Response
from jinja2 import Environment, PackageLoader

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.edits import read_edits
from meetings.exports import meeting_of_run
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import User
from meetings.page_links import Holder, PageLinks, is_meeting
from meetings.page_sign_ins import SESSION
from meetings.quiet import zone_of
from meetings.recalled import RecalledCall
from meetings.report.access import REMEMBERED, Gate, Reader
from meetings.report.downloads import DOWNLOADS, as_seen, download
from meetings.report.finding import Finder
from meetings.report.media import Media, Shelf
from meetings.report.signing_in import SigningIn
from meetings.report.view import WITHHELD, make_page
from meetings.summary import summary_from_json

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def _static() -> dict[str, tuple[str, bytes]]:
    folder = resources.files("meetings.report").joinpath("static")
    return {f.name: (_KINDS[f.name.rsplit(".", 1)[-1]], f.read_bytes()) for f in folder.iterdir()}


# Media type and content, by name; read once.
STATIC = _static()
# In their addresses, so that a browser keeps them until they change.
VERSION = hashlib.sha256(b"".join(data for _, (_, data) in sorted(STATIC.items()))).hexdigest()[:12]


def page_templates() -> Environment:
    """The templates: whatever goes into one is escaped.

    All of them are read now, and never again: what a newer version brings while this process runs is not for it, and
    that there is trouble can be said while no file can be opened.
    """
    loader = PackageLoader("meetings.report")
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, auto_reload=False)
    for name in templates.list_templates():
        templates.get_template(name)
    return templates


def static_file(name: str) -> Response | None:
    """The style sheet, the script or the icon; None for anything else."""
    if name not in STATIC:
        return None
    kind, data = STATIC[name]
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": CSP}
    return Response(data, media_type=kind, headers=headers)


class Report:
    """Pages, and who may see them.

    Args:
        settings: where meetings are kept and pages are reached.
        client: the bot.
        links: what tokens are checked by.
    """

    def __init__(self, settings: Settings, client: MattermostClient, links: PageLinks) -> None:
        self.settings = settings
        self.links = links
        self.gate = Gate(settings, client, links)
        self.signing_in = SigningIn.of(settings, links)
        self.finder = Finder(settings, client, now=self.gate.now)
        self._shelf = Shelf(client)
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()  # sessions and meetings that were noted
        self._templates = page_templates()

    def media(self, reader: Reader) -> Media | None:
        """The recording; None if it is there no longer."""
        return self._shelf.find(reader.job)

    def noted(self, event: str, user: User, **facts: str) -> None:
        """Note what somebody did about being signed in."""
        AuditLog(self.settings).note(event, user=user.username, by=user.username, **facts)

    def opened(self, reader: Reader, *, how: str) -> None:
        """Note who came, by a link or by signing in."""
        AuditLog(self.settings).note(
            "page opened",
            user=reader.user.username,
            by=reader.user.username,
            recording=reader.meeting,
            channel=reader.job.source.channel_id or "",
            how=how,
        )

    def opened_signed_in(self, reader: Reader) -> None:
        """Note who came signed in, once for each meeting while they are."""
        what = reader.holder.generation, reader.meeting
        with self._lock:
            known = what in self._seen
            self._seen[what] = None
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        if not known:
            self.opened(reader, how="signed in")

    def seconds_left(self, holder: Holder) -> int:
        """How long a link or a session holds from now on."""
        return max(0, int(holder.expires - time.time()))

    def page(
        self, reader: Reader, call: RecalledCall, *, kind: str, told: str, trends: bool = False, refused: bool = False
    ) -> str:
        """The page of a meeting.

        Args:
            reader: who looks.
            call: what they look at.
            kind: `video` or `audio`; empty if the recording is there no longer.
            told: what came of a change.
            trends: what goes on in its series can be shown.
            refused: it says why nothing was changed, at another address than the page's own.
        """
        attended = call.attended(reader.user.username)
        edits = read_edits(self.settings, reader.meeting)
        zone = zone_of(reader.user.timezone)  # as at home, which leads here
        page = make_page(call.conversation, call.summary, edits, attended=attended, zone=zone)
        return self._templates.get_template("page.html").render(
            page=page,
            reader=reader.user.name,
            meeting=reader.meeting,
            recording=reader.job.source.url,
            kind=kind,
            may_change=attended,
            may_remake=attended,
            downloads=DOWNLOADS,
            form=self.links.form_token(reader.cookie),
            told=told,
            version=VERSION,
            withheld=WITHHELD,
            home=True,
            trends=trends,
            signed_in=reader.signed_in,
            base=f"{self.links.path}/m/" if refused else "",
        )

    def file(self, name: str, reader: Reader, call: RecalledCall) -> Response:
        """What the page shows to a reader, as a file; raises as `download` does."""
        AuditLog(self.settings).note(
            "save", user=reader.user.username, by=reader.user.username, recording=reader.meeting, format=name
        )
        own = summary_from_json(call.summary) if call.summary else None
        edits = read_edits(self.settings, reader.meeting)
        meeting = meeting_of_run(call.run, self.settings)
        return download(name, as_seen(meeting, own, edits, attended=call.attended(reader.user.username)))

    def nothing(self, meeting: str = "") -> Response:
        """The one answer to whoever may not see something, and for what is not there.

        Args:
            meeting: the id that was asked for, there or not: who is not signed in may do so.
        """
        return self._plain("Nothing to see here", 404, sign_in=meeting if is_meeting(meeting) else "")

    def door(self, place: str) -> Response:
        """How to sign in, for who is not; `place` is where they wanted to go (`meetings.report.signing_in`)."""
        return self.show("door.html", sign_in=place if self.signing_in is not None else "")

    def key(self, user: User, token: str) -> Response:
        """A home link was opened: to be used by a press of a button, as programs follow links, too."""
        return self.show("enter.html", user=user, token=token, hours=SESSION // 3600)

    def show(self, name: str, **values: Any) -> Response:
        """A page of a template of ours."""
        html = self._templates.get_template(name).render(version=VERSION, **values)
        headers = {"Content-Security-Policy": CSP, "Referrer-Policy": "same-origin"}
        return Response(html, media_type="text/html; charset=utf-8", headers=headers)

    def refused(self) -> Response:
        """A change that did not come from our own page."""
        return self._plain("That did not come from this page", 403)

    def trouble(self) -> Response:
        """Who may see what cannot be asked now."""
        answer = self._plain("One moment", 503)
        answer.headers["Retry-After"] = "10"
        return answer

    def json(self, data: Any) -> Response:
        """Data for the page's script."""
        return Response(json.dumps(data), media_type="application/json", headers={"Content-Security-Policy": CSP})

    def _plain(self, title: str, status: int, *, sign_in: str = "") -> Response:
        html = self._templates.get_template("plain.html").render(
            title=title, status=status, sign_in=sign_in if self.signing_in is not None else ""
        )
        headers = {"Content-Security-Policy": CSP}
        return Response(html, status_code=status, media_type="text/html; charset=utf-8", headers=headers)
