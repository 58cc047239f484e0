"""Who may get a summary, decided from plain facts."""

from typing import Any

import pytest

from meetings.mattermost.client import MAX_MESSAGE, User
from meetings.mattermost.delivery import INTRODUCTION, _introduced, decide_recipient

ANA = User(id="a", username="ana")


@pytest.mark.parametrize(
    ("user", "facts", "reason"),
    [
        (ANA, {}, None),
        (ANA, {"member": False}, "not a member of the recording's channel"),
        (ANA, {"recording_gone": True}, "the recording was deleted"),
        (ANA, {"opted_out": True}, "wants no messages"),
        (User(id="a", username="ana", delete_at=1), {}, "the account is deactivated"),
        (User(id="a", username="ana", is_bot=True), {}, "the account is a bot"),
        (User(id="a", username="ana", is_guest=True), {}, "the account is a guest"),
    ],
)
def test_only_active_members_who_want_it_get_a_summary(user: User, facts: dict[str, Any], reason: str | None) -> None:
    assert decide_recipient(user, **facts) == reason


@pytest.mark.parametrize("length", [0, 100, MAX_MESSAGE])
def test_the_introduction_always_has_room(length: int) -> None:
    text = _introduced("x" * length)
    assert text.endswith(INTRODUCTION)
    assert len(text) <= MAX_MESSAGE
