"""What a digest is made of: for one person, nothing but what they may read at this moment.

Calls come from the summaries that were made for them, if they are still in the call's channel and its recording is
still there; channels are read anew, as they would be if they asked. The work on one person is bounded, and what was
read and embedded for one serves the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from meetings.channels import Pick, answer
from meetings.channels.summary import BAR
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.job import Job
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.people import Persona
from meetings.personas import persona_of
from meetings.quiet import zone_of
from meetings.recordings import STAGE, past_runs
from meetings.store import FileStore
from meetings.store.files import reached

DAYS = {"daily": 1, "weekly": 7}
LONGEST = timedelta(days=8)  # a daily digest reaches back to the last one, and no further than this
LATE = timedelta(hours=24)  # a call's summary may be ready that long after the call
DUE_FROM = 30  # days of calls that are looked through for what is due
DUE_WITHIN = {"daily": 3, "weekly": 10}  # days ahead
OVERDUE = 3  # days after which something due is no longer told
MOST_CALLS = 12
MOST_POINTS = 3  # of a call that was missed
MOST_CHANNELS = 30  # the most recently active
MOST_POSTS = 2_000  # of a channel that are read
MOST_OF_CHANNEL = 3
MOST_ITEMS = {"daily": 10, "weekly": 16}
MOST_DUE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNews:
    """A call: when it began (milliseconds), its title and headline, where it is told, and the best points for them."""

    media_id: str
    title: str
    at: int
    headline: str
    url: str
    points: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """Something that falls to them, by a day; from the call at `url`."""

    text: str
    due: date
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelNews:
    """The best of a channel (`TEAM/CHANNEL`); `names`: username and name as shown by user id."""

    channel: str
    display_name: str
    picks: tuple[Pick, ...]
    names: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one person should know of a stretch of time (milliseconds since the epoch).

    `others` are calls that they were in, or of which nobody knows whether they were.
    """

    username: str
    often: str
    since: int
    until: int
    zone: tzinfo
    missed: tuple[CallNews, ...]
    others: tuple[CallNews, ...]
    due: tuple[DueItem, ...]
    channels: tuple[ChannelNews, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell; such a call is no news by itself."""
        return not (self.missed or self.due or self.channels)


def period(often: str, until: datetime, *, last: int = 0) -> tuple[int, int]:
    """From when to when a digest tells, in milliseconds: a day or a week; a daily one from where the last one ended."""
    since = until - timedelta(days=DAYS[often])
    if often == "daily" and last:
        since = max(datetime.fromtimestamp(last / 1000, tz=until.tzinfo), until - LONGEST)
    return int(since.timestamp() * 1000), int(until.timestamp() * 1000)


# What was asked, when the call began (milliseconds), whether it was to be delivered, and each person's summary.
_Run = tuple[Job, int, bool, Mapping[str, Mapping[str, Any]]]


class Digester:
    """Makes digests; what it reads of kept calls it reads once, so it is made anew for each round.

    Args:
        settings: where results, contexts and wishes are kept.
        client: the bot.
        embedder: gives sentence embeddings.
    """

    def __init__(self, settings: Settings, client: MattermostClient, embedder: Callable[[], TextEmbedder]) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder
        self._store = FileStore.of(settings)
        self._known: dict[str, tuple[_Run, ...]] = {}

    def make(self, user: User, often: str, *, since: int, until: int, told: frozenset[str] | None = None) -> Digest:
        """A person's digest.

        Args:
            user: who.
            often: `daily` or `weekly`; how much there is room for.
            since: milliseconds since the epoch.
            until: milliseconds since the epoch.
            told: recordings that earlier digests told of: then late ones that none told of come, too.

        Raises:
            MattermostError: the server does not answer.
        """
        zone = zone_of(user.timezone)
        missed: list[CallNews] = []
        others: list[CallNews] = []
        due: list[DueItem] = []
        today = datetime.fromtimestamp(until / 1000, tz=zone).date()
        begin = since if told is None else since - int(LATE.total_seconds() * 1000)
        for media_id, job, at, summary in self._calls(user, until):
            news = CallNews(
                media_id=media_id,
                title=job.source.title,
                at=at,
                headline=str(summary.get("headline") or ""),
                url=job.source.url or "",
            )
            due += _due(summary, news, today, DUE_WITHIN[often])
            if not begin < at <= until or (told is not None and media_id in told):
                continue
            if summary.get("attended") is False:
                missed.append(replace(news, points=_points(summary)))
            else:
                others.append(news)
        newest_first = sorted(missed, key=lambda c: -c.at)[:MOST_CALLS]
        return Digest(
            username=user.username,
            often=often,
            since=since,
            until=until,
            zone=zone,
            missed=tuple(newest_first),
            others=tuple(sorted(others, key=lambda c: -c.at)[:MOST_CALLS]),
            due=tuple(sorted(due, key=lambda d: (d.due, d.text))[:MOST_DUE]),
            channels=self._channels(user, often, since, until),
        )

    # Calls

    def _calls(self, user: User, until: int) -> Iterator[tuple[str, Job, int, Mapping[str, Any]]]:
        """Calls of the last weeks that a summary for them was made of, and that they may still read."""
        oldest = until / 1000 - DUE_FROM * 86_400
        for media_id in self._store.keys(STAGE):
            for job, at, delivers, summaries in self._runs(media_id, oldest):
                if user.username in summaries:
                    if at / 1000 >= oldest and self._may_read(job, user, delivers):
                        yield media_id, job, at, summaries[user.username]
                    break

    def _runs(self, media_id: str, oldest: float) -> tuple[_Run, ...]:
        """The runs of a recording, the newest first: what was asked, when it began, who got what."""
        if media_id not in self._known:
            path = self._store.path(STAGE, media_id)
            try:
                with reached(path):
                    noted = path.stat().st_mtime
            except FileNotFoundError:
                return ()  # it was purged in this moment
            self._known[media_id] = tuple(self._read_runs(media_id, noted)) if noted >= oldest else ()
        return self._known[media_id]

    def _read_runs(self, media_id: str, noted: float) -> Iterator[_Run]:
        for run in reversed(past_runs(self._store, media_id)):
            if (
                not run.summaries
                or not self._store.has("summaries", run.summaries)
                or not self._store.has("jobs", run.job)
            ):
                continue
            job = Job.from_json(self._store.read_json("jobs", run.job))
            if job.server is not None and job.server != self._client.url:
                continue
            began = datetime.fromisoformat(job.source.started_at).timestamp() if job.source.started_at else noted
            made = {str(s["person"]["username"]): s for s in self._store.read_json("summaries", run.summaries)}
            yield job, int(began * 1000), run.delivers, made

    def _may_read(self, job: Job, user: User, delivers: bool) -> bool:
        """Now: they are in the call's channel, and its recording is there. One of no channel: it was sent to them."""
        source = job.source
        if source.channel_id is None:
            return delivers
        if not self._client.is_channel_member(source.channel_id, user.id):
            return False
        try:
            return source.post_id is None or not self._client.post(source.post_id).delete_at
        except (MattermostNotFoundError, MattermostForbiddenError):
            return False

    # Channels

    def _channels(self, user: User, often: str, since: int, until: int) -> tuple[ChannelNews, ...]:
        persona: list[Persona] = []

        def once() -> Persona:
            if not persona:
                persona.append(persona_of(self._client, user, self._settings))
            return persona[0]

        found: list[ChannelNews] = []
        for channel in self._active(user, since):
            try:
                told = answer(
                    self._client,
                    channel,
                    user,
                    once,
                    since=since,
                    until=until,
                    embedder=self._embedder(),
                    limit=MOST_POSTS,
                )
            except (MattermostForbiddenError, MattermostNotFoundError):
                continue  # they, or the bot, left it in this moment
            # A quiet channel is told whole to who asks for it; here there is room for what is theirs alone.
            picks = tuple(p for p in told.summary.picks if p.score >= BAR)[:MOST_OF_CHANNEL]
            if picks:
                found.append(
                    ChannelNews(
                        channel=told.summary.channel,
                        display_name=channel.display_name or channel.name,
                        picks=picks,
                        names=told.names,
                    )
                )
        return _best(found, MOST_ITEMS[often])

    def _active(self, user: User, since: int) -> list[Channel]:
        """Channels with news that both are in, the most recently active first."""
        channels = [c for c in self._client.my_channels_everywhere() if c.type in {"O", "P"} and not c.delete_at]
        found: list[Channel] = []
        for channel in sorted(channels, key=lambda c: -c.last_post_at):
            if channel.last_post_at <= since or len(found) >= MOST_CHANNELS:
                break
            if self._client.is_channel_member(channel.id, user.id):
                found.append(channel)
        return found


def _best(found: list[ChannelNews], room: int) -> tuple[ChannelNews, ...]:
    """The best items of all channels, each under its channel; the channel with the best one first."""
    scores = sorted((p.score for c in found for p in c.picks), reverse=True)
    bar = scores[room - 1] if len(scores) >= room else 0.0
    kept = [replace(c, picks=tuple(p for p in c.picks if p.score >= bar)) for c in found]
    return tuple(sorted((c for c in kept if c.picks), key=lambda c: (-c.picks[0].score, c.channel)))


def _points(summary: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Kind and text of the best bullets; nothing that was said in confidence."""
    bullets = [b for b in summary.get("bullets", ()) if not b.get("confidential")]
    best = sorted(bullets, key=lambda b: -float(b.get("score") or 0.0))[:MOST_POINTS]
    return tuple((str(b["kind"]), str(b["text"])) for b in best)


def _due(summary: Mapping[str, Any], news: CallNews, today: date, within: int) -> Iterator[DueItem]:
    for bullet in summary.get("bullets", ()):
        if bullet.get("kind") != "action" or not bullet.get("mine") or bullet.get("confidential"):
            continue
        try:
            day = date.fromisoformat(str(bullet.get("due") or ""))
        except ValueError:
            continue  # no day, or one in words: nobody knows which
        if -OVERDUE <= (day - today).days <= within:
            yield DueItem(text=str(bullet["text"]), due=day, title=news.title, url=news.url)


def digest_to_json(digest: Digest, *, url: str) -> dict[str, Any]:
    """The plain object that `meetings digest --json` prints; `url` is the server's address."""

    def call(news: CallNews) -> dict[str, Any]:
        return {**asdict(news), "at": _moment(news.at), "points": [{"kind": k, "text": t} for k, t in news.points]}

    return {
        "person": digest.username,
        "often": digest.often,
        "since": _moment(digest.since),
        "until": _moment(digest.until),
        "missed": [call(c) for c in digest.missed],
        "others": [call(c) for c in digest.others],
        "due": [{**asdict(d), "due": d.due.isoformat()} for d in digest.due],
        "channels": [
            {
                "channel": c.channel,
                "items": [
                    {
                        "kind": p.kind,
                        "text": p.text,
                        "by": c.names.get(p.post.user_id, ("", ""))[0],
                        "at": _moment(p.post.at),
                        "permalink": f"{url}/{c.channel.partition('/')[0]}/pl/{p.post.id}",
                        "why": p.why,
                        "score": round(p.score, 4),
                    }
                    for p in c.picks
                ],
            }
            for c in digest.channels
        ],
    }


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).isoformat(timespec="seconds")
