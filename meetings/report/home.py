"""Being signed in: the ways in and out, and where home and search are (`meetings.report.looking`).

A home link is opened by a page with a button: a program that follows links to preview them uses none up, and who was
sent somebody else's link sees whose it is before they press.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from meetings.page_links import Holder, is_meeting
from meetings.report.access import Visitor
from meetings.report.forms import read_form
from meetings.report.home_view import asked_of
from meetings.report.http import HOME_COOKIE, guarded, is_ours, set_cookie, to
from meetings.report.looking import show_home, show_search
from meetings.report.pages import Report
from meetings.report.signing_in import COOKIE as SIGNING_IN
from meetings.report.signing_in import PATIENCE, address_of, place_of


def add_home(router: APIRouter, report: Report) -> None:
    """Add the routes."""

    @router.get("")
    def root() -> Response:
        """Without a slash at its end, its links would lead elsewhere."""
        return to(address_of(report.links, "home"))

    @router.get("/")
    def home(request: Request) -> Response:
        """One's meetings; the way in for who is not signed in."""

        def shown() -> Response:
            visitor = visitor_of(report, request)
            page = request.query_params.get("page", "")
            return report.door("home") if visitor is None else show_home(report, visitor, page)

        return guarded(report, shown)

    @router.get("/search")
    def search(request: Request) -> Response:
        """What was found in all that one may read."""

        def shown() -> Response:
            visitor = visitor_of(report, request)
            asked = asked_of(dict(request.query_params))
            more = request.query_params.get("more") == "1"
            return report.door(place_of(asked)) if visitor is None else show_search(report, visitor, asked, more=more)

        return guarded(report, shown)

    @router.get("/sign-in")
    def sign_in(request: Request) -> Response:
        """To Mattermost, to sign in there."""
        return guarded(report, lambda: _sign_in(report, request.query_params.get("to", "")))

    @router.get("/signed-in")
    def signed_in(request: Request) -> Response:
        """Back from Mattermost."""
        return guarded(report, lambda: _signed_in(report, request))

    @router.get("/enter")
    def door(request: Request) -> Response:
        """What a home link opens: whose it is, and the button that uses it."""
        token = request.query_params.get("k", "")

        def shown() -> Response:
            holder = report.gate.sign_ins.invited(token)
            user = None if holder is None else report.gate.account(holder.user_id)
            return report.nothing() if user is None else report.key(user, token)

        return guarded(report, shown)

    @router.post("/enter")
    async def enter(request: Request) -> Response:
        """The button."""
        form = await read_form(request)
        return await run_in_threadpool(guarded, report, lambda: _enter(report, request, form))

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """End the session, for whoever has its cookie."""
        form = await read_form(request)
        return await run_in_threadpool(guarded, report, lambda: _sign_out(report, request, form))


def visitor_of(report: Report, request: Request) -> Visitor | None:
    """Whoever is signed in; None: nobody.

    Raises:
        MattermostError: the server, which has to be asked, does not answer.
    """
    return report.gate.visitor(request.cookies.get(HOME_COOKIE, ""))


def may_change(report: Report, visitor: Visitor, request: Request, form: Mapping[str, str] | None) -> bool:
    """Whether a form comes from a page of ours that this visitor was shown."""
    if form is None or not is_ours(report.links, request):
        return False
    return report.links.form_fits(visitor.cookie, form.get("form", ""))


def _sign_in(report: Report, place: str) -> Response:
    way = report.signing_in.begin(place) if report.signing_in else None
    if way is None:
        return report.nothing()
    address, nonce = way
    answer = to(address)
    set_cookie(answer, report.links, SIGNING_IN, nonce, seconds=PATIENCE, path="/m/signed-in")
    return answer


def _signed_in(report: Report, request: Request) -> Response:
    state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    signing_in = report.signing_in
    place = signing_in.meant(state, request.cookies.get(SIGNING_IN, "")) if signing_in else None
    if signing_in is None or place is None:
        return report.nothing()
    known = signing_in.user(code)
    user = None if known is None else report.gate.account(known.id)
    if user is None:
        return report.nothing()
    holder = report.gate.sign_ins.begin(user.id, user.username)
    reader = report.gate.admit(holder, place) if is_meeting(place) else None
    report.noted("signed in", user, how="sign-in")
    seen = reader is not None or not is_meeting(place)
    answer = to(address_of(report.links, place)) if seen else report.nothing()
    _begin(report, answer, holder)
    answer.delete_cookie(SIGNING_IN, path=f"{report.links.path}/m/signed-in")
    return answer


def _enter(report: Report, request: Request, form: Mapping[str, str] | None) -> Response:
    if form is None or not is_ours(report.links, request):
        return report.refused()
    token = form.get("k", "")
    sign_ins = report.gate.sign_ins
    invited = sign_ins.invited(token)
    # Asked before it is used: a server that is away costs nobody their link.
    user = None if invited is None else report.gate.account(invited.user_id)
    if user is None or sign_ins.use(token) is None:
        return report.nothing()
    holder = sign_ins.begin(user.id, user.username)
    report.noted("signed in", user, how="link")
    answer = to(address_of(report.links, "home"))
    _begin(report, answer, holder)
    return answer


def _begin(report: Report, answer: Response, holder: Holder) -> None:
    value, seconds = report.gate.sign_ins.cookie(holder), report.seconds_left(holder)
    set_cookie(answer, report.links, HOME_COOKIE, value, seconds=seconds, path="/m")


def _sign_out(report: Report, request: Request, form: Mapping[str, str] | None) -> Response:
    """Whoever is signed in may sign out, also an account that may have no pages any more."""
    cookie = request.cookies.get(HOME_COOKIE, "")
    holder = report.gate.sign_ins.holder(cookie)
    if holder is None:
        return report.door("home")
    if form is None or not is_ours(report.links, request) or not report.links.form_fits(cookie, form.get("form", "")):
        return report.refused()
    report.gate.sign_ins.end(holder)
    answer = to(address_of(report.links, "home"))
    answer.delete_cookie(HOME_COOKIE, path=f"{report.links.path}/m")
    return answer
