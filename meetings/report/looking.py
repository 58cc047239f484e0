"""Home and search: the meetings that somebody may read, and what is found in them.

The index says what there is; whether a meeting is shown is decided for each as for its page, so that nothing is listed
or quoted that could not be opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import Response

from meetings.channels import moment_of
from meetings.errors import ConfigError, MattermostError, MeetingsError
from meetings.quiet import zone_of
from meetings.recalled import headline_of
from meetings.report.access import Visitor
from meetings.report.finding import State
from meetings.report.home_view import Asked, channel_name, make_result, make_row, pages_of
from meetings.report.pages import Report
from meetings.search import Card, Filters, Found
from meetings.store import FileStore

EACH = 20  # meetings of a page of the list
MEETINGS = 10  # that a search finds
MORE = 50  # and where somebody asks for more


def show_home(report: Report, visitor: Visitor, page: str) -> Response:
    """The list of meetings, the newest first.

    Raises:
        MattermostError: the server, which has to be asked, does not answer.
    """
    state, cards = _cards(report, visitor)
    pages = pages_of(len(cards), EACH)
    number = min(pages, int(page)) if page.isascii() and page.isdecimal() and 0 < len(page) < 9 else 1
    number = max(1, number)
    zone, store = zone_of(visitor.user.timezone), FileStore.of(report.settings)
    rows = [
        make_row(
            card,
            report.finder.channel(card.channel_id),
            zone,
            seconds=report.finder.seconds(card),
            headline=headline_of(store, card.id, visitor.user.username),
        )
        for card in cards[(number - 1) * EACH : number * EACH]
        if report.gate.may(visitor.user.id, card.id) is not None
    ]
    return _show(report, visitor, "home.html", state, Asked(), rows=rows, page=number, pages=pages)


def show_search(report: Report, visitor: Visitor, asked: Asked, *, more: bool) -> Response:
    """What is found; raises as `show_home` does."""
    state, cards = _cards(report, visitor)
    names = {c: channel_name(report.finder.channel(c)) for c in {card.channel_id for card in cards}}
    channels = sorted(((c, name) for c, name in names.items() if name), key=lambda pair: (pair[1].lower(), pair[0]))
    wrong, limit = "", MORE if more else MEETINGS
    found: tuple[Found, ...] = ()
    try:
        filters = _filters(asked, known=names)
    except ConfigError as error:
        wrong, filters = f"Since: {error}", Filters()
    if asked.q and not wrong and not state.trouble:
        try:
            found = report.finder.found(visitor.user, asked.q, filters, limit=limit)
        except MattermostError:
            raise
        except MeetingsError as error:
            state = _trouble(error)
    more_there = len(found) == limit and not more
    found = tuple(f for f in found if report.gate.may(visitor.user.id, f.card.id) is not None)
    zone = zone_of(visitor.user.timezone)
    return _show(
        report,
        visitor,
        "search.html",
        state,
        asked,
        channels=channels,
        wrong=wrong,
        found=[make_result(f, report.finder.channel(f.card.channel_id), zone) for f in found],
        more=asked.address(more="1") if more_there else "",
        wider=Asked(q=asked.q).address(),
        focus=not asked.q,
    )


def _cards(report: Report, visitor: Visitor) -> tuple[State, Sequence[Card]]:
    state = report.finder.refresh()
    try:
        return state, report.finder.cards(visitor.user)
    except MattermostError:
        raise
    except MeetingsError as error:
        return (state if state.trouble else _trouble(error)), ()


def _trouble(error: MeetingsError) -> State:
    return State(trouble=" ".join(str(error).split()), complete=False)


def _filters(asked: Asked, *, known: Any) -> Filters:
    """What to keep to.

    Raises:
        ConfigError: the time is none.
    """
    since = None
    if asked.since:
        since = datetime.fromtimestamp(moment_of(asked.since, now=datetime.now(UTC)) / 1000, tz=UTC)
    # A channel that is none of theirs is like one in which nothing was said.
    channel = asked.channel if not asked.channel or asked.channel in known else "-"
    return Filters(channel_id=channel, since=since, speaker=asked.speaker)


def _show(report: Report, visitor: Visitor, name: str, state: State, asked: Asked, **values: Any) -> Response:
    form = report.links.form_token(visitor.cookie)
    shown = {"visitor": visitor, "form": form, "asked": asked, "trouble": state.trouble, "complete": state.complete}
    return report.show(name, **shown, **values)
