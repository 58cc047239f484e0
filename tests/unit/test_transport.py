"""What is tried again and what is not, as a table; what a user reads; no secret anywhere."""

import pytest

from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostUnreachableError,
)
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.transport import MAX_ATTEMPTS, MAX_WAIT, Again, GiveUp, decide, explain


@pytest.mark.parametrize(
    ("status", "attempt", "retry_after", "decision"),
    [
        (0, 1, None, Again(wait=0.5)),
        (0, 3, None, Again(wait=2.0)),
        (429, 1, 7.0, Again(wait=7.0)),
        (429, 1, 0.0, Again(wait=0.1)),
        (429, 1, 3600.0, Again(wait=MAX_WAIT)),
        (429, 2, None, Again(wait=1.0)),
        (500, 1, None, Again(wait=0.5)),
        (502, 1, None, Again(wait=0.5)),
        (503, 2, None, Again(wait=1.0)),
        (504, 4, None, Again(wait=4.0)),
        (503, MAX_ATTEMPTS, None, GiveUp()),
        (429, MAX_ATTEMPTS, 1.0, GiveUp()),
        (400, 1, None, GiveUp()),
        (401, 1, None, GiveUp()),
        (403, 1, None, GiveUp()),
        (404, 1, None, GiveUp()),
        (409, 1, None, GiveUp()),
        (413, 1, None, GiveUp()),
        (501, 1, None, GiveUp()),
    ],
)
def test_each_refusal_has_its_policy(
    status: int, attempt: int, retry_after: float | None, decision: Again | GiveUp
) -> None:
    assert decide(status=status, attempt=attempt, retry_after=retry_after) == decision


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (0, MattermostUnreachableError, "does not answer"),
        (401, MattermostAuthError, "MATTERMOST_TOKEN"),
        (403, MattermostForbiddenError, "add the bot"),
        (404, MattermostNotFoundError, "deleted"),
        (429, MattermostRateLimitError, "slow down"),
        (500, MattermostError, "server's log"),
        (413, MattermostError, "413"),
    ],
)
def test_each_refusal_is_one_line_with_a_remedy(status: int, kind: type[MattermostError], says: str) -> None:
    error = explain(status=status, server="https://chat.test", message="line one\nline two", what="GET /posts/x")
    assert type(error) is kind
    assert says in str(error)
    assert "\n" not in str(error)
    assert error.status == status


def test_no_secret_shows_in_a_repr() -> None:
    assert "s3cr3t" not in repr(MattermostClient("https://chat.test", "s3cr3t"))
