"""Alerts as they are asked for: in a direct message or by a slash command, and by a thumb on one."""

from __future__ import annotations

from meetings.alerts.send import ALERT_PROP
from meetings.alerts.wording import Amount, Drop, Pause, Show, Tell, read_alerts
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError, PeopleError
from meetings.intents import Ask, Outcome
from meetings.interests import MAX_TEXT, STEP, AlertBook, Interest, Wants
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel, Post, User
from meetings.mattermost.opinions import DISLIKES, LIKES
from meetings.people.terms import stem, terms, words
from meetings.summary import inert

LEAN = 3  # steps that somebody's bar moves at most by **more alerts** and **fewer alerts**

HELP = """- **tell me when anyone talks about the parser release**, **watch for water leaks in ~support**: an alert
- **my alerts**, **stop telling me about water leaks**, **fewer alerts**, **more alerts**, **no alerts**"""


class AlertsIntent:
    """What can be asked for about alerts.

    Args:
        settings: the database, and how many alerts a day there are.
        client: the bot.
    """

    name = "alerts"
    help = HELP

    def __init__(self, settings: Settings, client: MattermostClient) -> None:
        self._settings = settings
        self._client = client
        self._book = AlertBook(settings)

    def understand(self, ask: Ask) -> Outcome | None:
        """What a text asks for; None if it is not about alerts."""
        said = read_alerts(ask.text)
        if said is None:
            return None
        wants = self._book.of(ask.asker.id, ask.asker.username)
        match said:
            case Tell():
                return self._add(said, ask, wants)
            case Drop(subject=subject):
                return _dropped(subject, wants)
            case Pause(again=again):
                text = "You get alerts again." if again else "No alerts. **alerts again** brings them back."
                return Outcome(text=text, effects=(("paused", "no" if again else "yes"),))
            case Amount(step=step):
                lean = max(-LEAN, min(LEAN, wants.lean + step))
                if lean == wants.lean:
                    return Outcome(text=f"I am as {'free' if step > 0 else 'careful'} with alerts as I can be.")
                how = "less clearly" if step > 0 else "more clearly"
                text = f"Understood: what I tell you of may fit {how} from now on than it had to."
                if step < 0:
                    text = f"Understood: what I tell you of has to fit {how} from now on."
                return Outcome(text=text, effects=(("lean", str(lean)),))
            case Show():
                return Outcome(text=listed(wants, self._settings.alerts.per_day))

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Do one effect; done again, it leaves things as they are."""
        match what:
            case "add":
                channel_id, _, rest = value.partition(" ")
                channel, _, text = rest.partition(" ")
                interest = Interest(text=text, channel_id=channel_id.strip("-"), channel=channel.strip("-"))
                self._book.add(user_id, username, interest)
            case "remove":
                self._book.remove(user_id, username, (value,))
            case "paused":
                self._book.set(user_id, username, paused=value == "yes")
            case "lean":
                self._book.set(user_id, username, lean=int(value))
            case "thumb":
                post, _, thumb = value.partition(":")
                self._book.thumb(user_id, username, post, int(thumb))

    def understand_reaction(self, asker: User, post: Post, emoji_name: str) -> Outcome | None:
        """What a thumb on an alert asks for; None if the post is no alert of this person."""
        if ALERT_PROP not in post.props or post.user_id != self._client.me().id:
            return None
        wants = self._book.of(asker.id, asker.username)
        told = next((t for t in wants.told if t.post == post.id), None)
        thumb = 1 if emoji_name in LIKES else -1 if emoji_name in DISLIKES else 0
        if told is None or not thumb:
            return None
        what = " and ".join(f"**{inert(i.text)}**" for i in wants.interests if i.id in told.interests) or "this"
        text = (
            f"Thank you: more like this. For {what} I tell you from now on of what fits a little less clearly."
            if thumb > 0
            else f"Understood: less like this. What I tell you of {what} has to fit more clearly from now on."
        )
        return Outcome(text=f"{text} Take the emoji off to take that back.", effects=(("thumb", f"{post.id}:{thumb}"),))

    def _add(self, said: Tell, ask: Ask, wants: Wants) -> Outcome:
        channel = self._channel(said.channel, ask) if said.channel else None
        if not terms(said.subject):
            raise PeopleError(f"{said.subject!r} names no subject; say it in a few words, as: the parser release")
        text = said.subject[:MAX_TEXT]
        where = f" in ~\u200b{inert(channel.name)}" if channel else ""
        interest = Interest(text=text, channel_id=channel.id if channel else "")
        if any(i.id == interest.id for i in wants.interests) and not wants.paused:
            return Outcome(text=f"You hear of **{inert(text)}**{where} already. **my alerts** lists everything.")
        limit = self._settings.alerts.per_day
        lines = [
            f"I tell you when **{inert(text)}** comes up{where}: in channels that you and I are in, and in calls that "
            f"you were not in. At most {limit} messages a day; what is over comes the next morning, together."
        ]
        if not limit:
            lines = [f"Noted: **{inert(text)}**{where}. But alerts are switched off on this server."]
        if len(set(terms(text))) == 1 and len(words(text)) <= 2:
            lines.append("One word fits much; with a second one, as **parser release**, I can be more precise.")
        lines.append("👍 and 👎 on an alert tell me how clearly it has to fit; **my alerts** lists what you hear of.")
        effect = f"{channel.id if channel else '-'} {channel.name if channel else '-'} {text}"
        return Outcome(text="\n".join(lines), effects=(("add", effect),))

    def _channel(self, name: str, ask: Ask) -> Channel:
        """The channel that is meant, of those that the bot and the asker are in.

        Raises:
            PeopleError: there is none, or several teams have one.
        """
        mine = [c for c in self._client.my_channels_everywhere() if c.name == name and c.type in {"O", "P"}]
        if ask.team_id and any(c.team_id == ask.team_id for c in mine):
            mine = [c for c in mine if c.team_id == ask.team_id]
        try:
            theirs = [c for c in mine if self._client.is_channel_member(c.id, ask.asker.id)]
        except (MattermostNotFoundError, MattermostForbiddenError):
            theirs = []
        if not theirs:
            raise PeopleError(f"I know no ~{name} that you and I are both in")
        if len(theirs) > 1:
            raise PeopleError(f"several teams have a ~{name}; ask by the slash command in the one that you mean")
        return theirs[0]


def listed(wants: Wants, per_day: int) -> str:
    """What somebody hears of."""
    if not wants.interests:
        return "You have no alerts. Say for example: **tell me when anyone talks about the parser release**"
    lines = ["What I tell you of:"]
    for number, interest in enumerate(wants.interests, start=1):
        where = f" in ~\u200b{inert(interest.channel)}" if interest.channel else ""
        lines.append(f"{number}. **{inert(interest.text)}**{where}{_how(wants, interest)}")
    lines += ["", "**stop telling me about** one, by its number or words, takes it off."]
    if wants.paused:
        lines.append("No alerts at the moment: you said so. **alerts again**")
    elif not per_day:
        lines.append("Alerts are switched off on this server.")
    return "\n".join(lines)


def _how(wants: Wants, interest: Interest) -> str:
    learned = " · learned" if interest.learned else ""
    bar = wants.bar(interest)
    if bar == float("inf"):
        return f"{learned} · silent, after your thumbs down"
    steps = wants.thumbs(interest) - wants.lean
    if not steps:
        return learned
    how = "more" if steps > 0 else "less"
    return f"{learned} · has to fit {how} clearly ({bar:.2f} instead of {bar - STEP * steps:.2f})"


def chosen(subject: str, wants: Wants) -> Interest | None:
    """Which interest is meant by a number of the list or by words: the same ones, else the one that shares most."""
    said = subject.strip().removeprefix("#").rstrip(".")
    if said.isdecimal() and len(said) < 4:
        place = int(said) - 1
        return wants.interests[place] if 0 <= place < len(wants.interests) else None
    exact = [i for i in wants.interests if i.text.lower() == subject.lower()]
    if exact:
        return exact[-1]
    meant = set(terms(subject)) or {stem(w) for w in words(subject)}

    def shared(interest: Interest) -> float:
        theirs = set(terms(interest.text))
        return len(meant & theirs) / len(meant | theirs) if meant | theirs else 0.0

    best = sorted(wants.interests, key=shared)[-2:]
    if not best or shared(best[-1]) == 0 or (len(best) > 1 and shared(best[0]) == shared(best[-1])):
        return None
    return best[-1]


def _dropped(subject: str, wants: Wants) -> Outcome:
    interest = chosen(subject, wants)
    if interest is None:
        return Outcome(text=f"I do not know which alert you mean by {inert(subject, limit=80)}. {listed(wants, 1)}")
    text = f"I no longer tell you of **{inert(interest.text)}**."
    return Outcome(text=text, effects=(("remove", interest.id),))
