"""Takes out of alerts what was deleted or changed since: what stands in a message stands on the server."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from meetings.alerts.message import Quoter, line
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.interests import Told
from meetings.mattermost import MattermostClient

GONE = "> _deleted or changed since_"

log = logging.getLogger("meetings.alerts")


def take_back(client: MattermostClient, quoter: Quoter, sent: Iterable[Told], posts: Collection[str]) -> int:
    """Rewrite the messages that quote changed posts, without what stands there no longer; how many were rewritten.

    Args:
        client: the bot.
        quoter: reads what stands there now.
        sent: the messages.
        posts: ids of posts that were changed or deleted.

    Raises:
        MattermostError: the server does not answer; done again, it comes to the same.
    """
    rewritten = 0
    for told in sent:
        about = {m.post for m in told.moments} & set(posts)
        if not about or not told.post:
            continue
        stands = {line(q) for m in told.moments if m.post in about and (q := quoter.quote(m)) is not None}
        try:
            before = client.post(told.post).message
            after = "\n".join(
                GONE if text not in stands and any(text.endswith(f"/pl/{post})") for post in about) else text
                for text in before.split("\n")
            )
            if after != before:
                client.edit_post(told.post, after)
                rewritten += 1
        except (MattermostNotFoundError, MattermostForbiddenError):
            log.info("an alert is not there any more")
    return rewritten
