"""What is tried again and what is not, as a table that the docs and the code share; what a user reads."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.errors import (
    MattermostAnswerError,
    MattermostAuthError,
    MattermostConflictError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostTLSError,
    MattermostTooLargeError,
    MattermostUnreachableError,
)
from meetings.mattermost.policy import (
    MAX_ATTEMPTS,
    MAX_ELAPSED,
    MAX_WAIT,
    PENDING_WINDOW,
    POLICIES,
    Again,
    GiveUp,
    Policy,
    Trouble,
    decide,
    explain,
    repeat_window,
    site_of,
    wait_of,
)

DOCS = Path(__file__).parents[2] / "docs" / "mattermost.md"
NOW = 1_795_000_000.0
INF = math.inf


@pytest.mark.parametrize(
    ("trouble", "attempt", "window", "retry_after", "decision"),
    [
        (Trouble.REFUSED, 1, 0.0, None, Again(wait=0.5)),
        (Trouble.REFUSED, 3, 0.0, None, Again(wait=2.0)),
        (Trouble.UNKNOWN_HOST, 1, 0.0, None, Again(wait=0.5)),
        (Trouble.UNCONNECTED, 1, 0.0, None, Again(wait=0.5)),
        (Trouble.SILENT, 1, INF, None, Again(wait=0.5)),
        (Trouble.SILENT, 1, 0.0, None, GiveUp()),
        (Trouble.BROKEN, 1, INF, None, Again(wait=0.5)),
        (Trouble.BROKEN, 1, 0.0, None, GiveUp()),
        (Trouble.CUT, 1, INF, None, Again(wait=0.5)),
        (Trouble.CUT, 1, 0.0, None, GiveUp()),
        (Trouble.TLS, 1, INF, None, GiveUp()),
        (Trouble.WEB_PAGE, 1, INF, None, GiveUp()),
        (Trouble.OVERSIZED, 1, INF, None, GiveUp()),
        (Trouble.REDIRECT, 1, INF, None, GiveUp()),
        (Trouble.UNSENDABLE, 1, INF, None, GiveUp()),
        (429, 1, 0.0, 7.0, Again(wait=7.0)),
        (429, 1, 0.0, 0.0, Again(wait=0.1)),
        (429, 1, 0.0, MAX_WAIT, Again(wait=MAX_WAIT)),
        (429, 1, INF, 3600.0, GiveUp()),
        (429, 2, 0.0, None, Again(wait=1.0)),
        (408, 1, INF, None, Again(wait=0.5)),
        (408, 1, 0.0, None, GiveUp()),
        (500, 1, INF, None, Again(wait=0.5)),
        (500, 1, 0.0, None, GiveUp()),
        (502, 1, INF, None, Again(wait=0.5)),
        (502, 1, 0.0, None, GiveUp()),
        (503, 2, INF, None, Again(wait=1.0)),
        (503, 2, 0.0, None, GiveUp()),
        (504, 4, INF, None, Again(wait=4.0)),
        (504, 4, 0.0, None, GiveUp()),
        (503, MAX_ATTEMPTS, INF, None, GiveUp()),
        (429, MAX_ATTEMPTS, INF, 1.0, GiveUp()),
        *[(status, 1, INF, None, GiveUp()) for status in (400, 401, 403, 404, 405, 409, 413, 415, 501, 505)],
    ],
)
def test_each_failure_has_its_policy(
    trouble: Trouble | int, attempt: int, window: float, retry_after: float | None, decision: Again | GiveUp
) -> None:
    assert decide(trouble=trouble, attempt=attempt, window=window, retry_after=retry_after) == decision


def test_every_trouble_is_in_the_table() -> None:
    assert set(Trouble) <= set(POLICIES)


def rows(text: str) -> dict[str, str]:
    """The table of policies in a text."""
    table = re.search(r"\| what happened \| sent again[^\n]*\n(.*?)(?:\n\s*\n|\Z)", text, re.DOTALL)
    assert table is not None
    cells = [[c.strip() for c in line.strip().strip("|").split("|")] for line in table.group(1).splitlines()]
    return {row[0]: row[1] for row in cells if not row[0].startswith("--")}


@pytest.mark.parametrize("text", [decide.__doc__ or "", DOCS.read_text(encoding="utf-8")], ids=["docstring", "docs"])
def test_the_written_table_is_the_codes(text: str) -> None:
    code = {str(trouble): str(policy) for trouble, policy in POLICIES.items()}
    assert rows(text) == {**code, "any other status": Policy.NEVER}


def test_a_post_with_a_pending_id_is_repeated_only_while_the_server_surely_remembers_it() -> None:
    window = repeat_window("POST", "/posts", {"message": "x", "pending_post_id": "bot:1"})
    assert window == PENDING_WINDOW
    early = decide(trouble=Trouble.BROKEN, attempt=1, elapsed=PENDING_WINDOW - 1, window=window)
    late = decide(trouble=Trouble.BROKEN, attempt=1, elapsed=PENDING_WINDOW - 0.4, window=window)
    assert (early, late) == (Again(wait=0.5), GiveUp())


@pytest.mark.parametrize(
    ("method", "path", "body", "window"),
    [
        ("GET", "/posts/x", None, INF),
        ("PUT", "/posts/x/patch", {"message": "x"}, INF),
        ("DELETE", "/posts/x", None, INF),
        ("POST", "/users/ids", ["x"], INF),
        ("POST", "/posts/ids/reactions", ["x"], INF),
        ("POST", "/channels/direct", ["x", "y"], INF),
        ("POST", "/reactions", {}, INF),
        ("POST", "/posts", {"message": "x"}, 0.0),
        ("POST", "/posts", {"message": "x", "pending_post_id": ""}, 0.0),
        ("POST", "/files", None, 0.0),
        ("POST", "/anything/new", {}, 0.0),
    ],
)
def test_only_what_does_no_harm_twice_is_repeatable(method: str, path: str, body: object, window: float) -> None:
    assert repeat_window(method, path, body) == window


def test_nothing_is_sent_again_after_a_while() -> None:
    assert decide(trouble=Trouble.SILENT, attempt=2, elapsed=MAX_ELAPSED + 1) == GiveUp()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "-1"}, 0.0),
        ({"Retry-After": "Wed, 18 Nov 2026 11:07:10 GMT"}, 30.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"X-RateLimit-Reset": "3"}, 3.0),
        ({"X-RateLimit-Reset": str(int(NOW) + 12)}, 12.0),
        ({"Retry-After": "2", "X-RateLimit-Reset": "9"}, 2.0),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "9"}, 9.0),
    ],
)
def test_the_wait_is_read_from_seconds_dates_and_times(headers: dict[str, str], wait: float | None) -> None:
    assert wait_of(headers, now=NOW) == wait


@given(value=st.text(max_size=40))
def test_no_header_breaks_the_reader(value: str) -> None:
    wait = wait_of({"Retry-After": value}, now=NOW)
    assert wait is None or wait >= 0.0


@pytest.mark.parametrize(
    ("trouble", "kind", "says", "temporary"),
    [
        (Trouble.REFUSED, MattermostUnreachableError, "does not answer", True),
        (Trouble.UNKNOWN_HOST, MattermostUnreachableError, "name server", True),
        (Trouble.SILENT, MattermostUnreachableError, "no answer in time", True),
        (Trouble.TLS, MattermostTLSError, "REQUESTS_CA_BUNDLE", False),
        (Trouble.WEB_PAGE, MattermostAnswerError, "web page", True),
        (Trouble.CUT, MattermostAnswerError, "half an answer", True),
        (Trouble.OVERSIZED, MattermostAnswerError, "too large", True),
        (Trouble.UNSENDABLE, MattermostUnreachableError, "cannot be sent", True),
        (400, MattermostError, "400", False),
        (401, MattermostAuthError, "MATTERMOST_TOKEN", False),
        (403, MattermostForbiddenError, "add the bot", False),
        (404, MattermostNotFoundError, "deleted", False),
        (409, MattermostConflictError, "409", False),
        (413, MattermostTooLargeError, "413", False),
        (429, MattermostRateLimitError, "slow down", True),
        (500, MattermostError, "server's log", True),
        (501, MattermostError, "501", False),
        (503, MattermostError, "server's log", True),
    ],
)
def test_each_failure_is_one_line_with_a_remedy_and_says_whether_later_may_help(
    trouble: Trouble | int, kind: type[MattermostError], says: str, temporary: bool
) -> None:
    error = explain(trouble=trouble, server="https://chat.test", said="line one\nline \x1b[31mtwo", what="GET /posts/x")
    assert type(error) is kind
    assert says in str(error)
    assert str(error).isprintable()
    assert error.status == (trouble if isinstance(trouble, int) else 0)
    assert error.temporary is temporary


def test_a_redirect_is_not_cured_by_waiting() -> None:
    error = explain(
        trouble=Trouble.REDIRECT, server="http://chat.test", what="GET /x", said="https://chat.test", status=301
    )
    assert "set mattermost_url" in str(error)
    assert not error.temporary


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://chat.test/login?token=s3cr3t", "https://chat.test"),
        ("https://user:s3cr3t@chat.test:8443/x", "https://chat.test:8443"),
        ("/relative", ""),
        ("https://[bad", ""),
        ("https://chat.test:port", ""),
    ],
)
def test_an_address_in_an_error_has_no_path_and_no_password(url: str, site: str) -> None:
    assert site_of(url) == site


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("GET /teams/name/acme/channels/name/newz", "no channel acme/newz"),
        ("GET /users/username/nobody", "the username nobody"),
    ],
)
def test_what_somebody_misspelt_is_called_by_its_name(what: str, told: str) -> None:
    error = explain(trouble=404, server="https://chat.example.org", what=what)
    assert told in str(error)
    assert "GET" not in str(error)
