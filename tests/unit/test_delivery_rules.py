"""Who may get a summary, decided from plain facts."""

import pytest

from meetings.mattermost.client import User
from meetings.mattermost.delivery import decide_recipient

ANA = User(id="a", username="ana")


@pytest.mark.parametrize(
    ("user", "members", "reason"),
    [
        (ANA, {"a", "b"}, None),
        (ANA, None, None),
        (ANA, {"b"}, "not a member of the recording's channel"),
        (User(id="a", username="ana", delete_at=1), {"a"}, "the account is deactivated"),
        (User(id="a", username="ana", is_bot=True), {"a"}, "the account is a bot"),
    ],
)
def test_only_active_members_get_a_summary(user: User, members: set[str] | None, reason: str | None) -> None:
    assert decide_recipient(user, members=members) == reason
