"""Who may be a voice in a recording, and who gets a summary of it.

Both are read from what the server knows now: the call's participants and the members of its channel. A local recording
has the people of its people file, else a single reader "everyone".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import User
from meetings.mattermost.delivery import decide_recipient
from meetings.people import Person
from meetings.speech.terms import collect_terms

# Posts of the recording's channel that are read for names and terms.
RECENT_POSTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody who may be heard in the recording; `attended` when the call lists them.

    `joined_at` is when they came, in seconds from the recording's start, where somebody knows: Calls' own posts name
    participants without times.
    """

    username: str
    name: str
    nickname: str = ""
    attended: bool = False
    joined_at: float | None = None


def possible_speakers(job: Job, client: MattermostClient | None, people: Sequence[Person]) -> tuple[Known, ...]:
    """Those whose voice it can be: the call's participants, else the channel's members, else the people file."""
    if client is None or not job.source.in_mattermost or job.source.channel_id is None:
        return tuple(Known(username=p.username, name=p.name or p.username) for p in people)
    attended = set(job.source.participant_ids)
    ids = attended or set(client.channel_member_ids(job.source.channel_id))
    return tuple(
        Known(username=u.username, name=u.name, nickname=u.nickname, attended=u.id in attended)
        for u in sorted(client.users(ids), key=lambda u: u.username)
        if not u.is_bot
    )


def spoken_terms(job: Job, client: MattermostClient | None, people: Sequence[Person]) -> tuple[str, ...]:
    """Names and terms that may be said: the user's list, the people's names, and what the channel writes about."""
    if client is None or not job.source.in_mattermost or job.source.channel_id is None:
        return collect_terms(given=job.vocabulary, people=[p.name for p in people])
    channel = client.channel(job.source.channel_id)
    members = set(client.channel_member_ids(channel.id))
    users = sorted(client.users(members | set(job.source.participant_ids)), key=lambda u: u.username)
    posts = client.latest_posts(channel.id, RECENT_POSTS)
    return collect_terms(
        given=job.vocabulary,
        people=[name for u in users if not u.is_bot for name in (u.name, u.nickname) if name],
        channels=(channel.display_name, channel.purpose, channel.header),
        posts=[p.message for p in posts if p.message and not p.delete_at and not p.type],
    )


def readers(
    job: Job,
    client: MattermostClient,
    listed: Collection[str],
    notes: list[str],
    *,
    stopped: Callable[[User], bool] = lambda _user: False,
    refused: dict[str, str] | None = None,
) -> tuple[User, ...]:
    """Those who get a summary of a recording in Mattermost, checked against the channel's members now.

    Args:
        job: `audience` is `members`, `participants`, `missed` or `nobody`; with more members than `max_people` it is
            participants. `listed` in it narrows the audience to these usernames.
        client: the bot.
        listed: usernames of the people file; not empty: only these, whatever the audience is.
        notes: what was decided is added here, for the report.
        stopped: whether somebody wants no messages.
        refused: who was chosen and may not get one is added here, with the reason.
    """
    assert job.source.channel_id is not None
    members = set(client.channel_member_ids(job.source.channel_id))
    attended = set(job.source.participant_ids)
    users = {u.id: u for u in client.users(members | attended)}
    if listed:
        absent = sorted(set(listed) - {u.username for u in users.values()})
        notes += [f"{username} gets no summary: not a member of the recording's channel" for username in absent]
        chosen = {u.id for u in users.values() if u.username in listed}
    else:
        chosen = choose(job.audience, members=members, attended=attended, max_people=job.max_people, notes=notes)
        if job.listed:
            chosen &= {u.id for u in users.values() if u.username in job.listed}
    result = []
    for user in sorted((users[i] for i in chosen if i in users), key=lambda u: u.username):
        reason = decide_recipient(user, member=user.id in members, opted_out=stopped(user))
        if reason is None:
            result.append(user)
        elif not user.is_bot:
            notes.append(f"{user.username} gets no summary: {reason}")
            if refused is not None:
                refused[user.username] = reason
    return tuple(result)


def choose(
    audience: str, *, members: Collection[str], attended: Collection[str], max_people: int, notes: list[str]
) -> set[str]:
    """User ids of an audience; whether each may read is decided afterwards."""
    here, there = set(members), set(attended)
    if audience == "nobody":
        notes.append("nobody gets a summary: the audience of this channel is nobody")
        return set()
    if audience != "participants" and len(here) > max_people:
        notes.append(
            f"the channel has {len(here)} members, more than max_people ({max_people}): only participants get a summary"
        )
        return set() if audience == "missed" else there
    if audience == "missed" and not there:
        notes.append("nobody gets a summary: who was in the call is not known, so neither is who missed it")
    return {"participants": there, "missed": here - there if there else set()}.get(audience, here)
