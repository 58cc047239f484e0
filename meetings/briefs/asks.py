"""What can be asked for by `/incident …`, by `/meetings brief …`, and in a direct message to the bot.

A brief is for members of the channel, who are asked for at that moment. Something goes outside the channel only as a
draft that its own maker has read and approved in the direct channel with the bot.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace

from meetings.briefs.access import NOTHING, channel_named, channel_of, target_named
from meetings.briefs.clean import Checks, Cleaner, inert_lines
from meetings.briefs.drafts import CODE, Draft, Drafts, draft_of, new_code
from meetings.briefs.keeping import Incidents
from meetings.briefs.render import TITLES, Place, render_brief, render_outside
from meetings.briefs.rules import AUDIENCES
from meetings.briefs.watches import Watches
from meetings.config import Settings
from meetings.errors import IncidentError
from meetings.intents import Ask, Outcome
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.store import digest
from meetings.summary import inert

COMMAND = "incident"
MAX_DRAFT = 6_000  # characters of a text for outside
HELP = """- `brief engineering on ~incident-01`: where an incident stands, for `engineering`, `customers` or `pr`
- `watch engineering on ~incident-01`: one such message that I keep up to date; `stop watching ~incident-01` ends it
- `share customers of ~incident-01 to ~support`: a text for another channel, which you read before anybody else does"""
COMMANDS = """**/incident**, in the channel of an incident, understands:
- `brief engineering|customers|pr`: where it stands, for you alone, by direct message
- `watch engineering|customers|pr`: one such message that I keep up to date; `stop` ends it
- `share engineering|customers|pr to ~CHANNEL`: a text for another channel, which you read and approve first"""
_AUDIENCE = r"(?P<audience>engineering|customers?|pr|support|press)"
_PLACE = r"(?P<place>(?:[a-z0-9_-]+/)?~?[a-z0-9][a-z0-9._-]*)"
_TO = r"(?P<target>~?[a-z0-9/~._-]+)"
_FORMS = (
    re.compile(rf"(?P<verb>brief|watch)\s+{_AUDIENCE}(?:\s+(?:on|of|in|from)\s+{_PLACE})?", re.IGNORECASE),
    re.compile(
        rf"(?P<verb>share)\s+{_AUDIENCE}(?:\s+(?:on|of|in|from)\s+{_PLACE})?\s+(?:to|with|in)\s+{_TO}", re.IGNORECASE
    ),
    re.compile(rf"(?P<verb>stop)\s+(?:watching|brief|briefs|brief\s+of|brief\s+on)\s+{_PLACE}", re.IGNORECASE),
)
_STOP = re.compile(
    r"stop(?:\s+(?:watch|watching|brief))?(?:\s+(?P<audience>engineering|customers?|pr))?", re.IGNORECASE
)
_WORD = re.compile(rf"(approve|discard|replace)\s+`?([a-z0-9]{{{CODE}}})`?\s*(?::\s*(.*))?", re.IGNORECASE | re.DOTALL)
_SAME = {"customer": "customers", "support": "customers", "press": "pr"}


class BriefIntent:
    """Understands requests for briefs, and what is said of drafts.

    Args:
        settings: the database, and the rules.
        client: the bot.
        now: tells seconds since the epoch.
    """

    name = "incidents"
    help = HELP

    def __init__(self, settings: Settings, client: MattermostClient, *, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._client = client
        self._now = now

    def understand(self, ask: Ask) -> Outcome | None:
        """What a request comes to; None if it is none for a brief or of a draft."""
        text = " ".join(ask.text.split())
        of_incident = ask.command == COMMAND
        if not of_incident and text.lower().startswith("incident "):
            of_incident, text = bool(ask.command), text[len("incident ") :]
        if (word := _WORD.fullmatch(ask.text.strip())) and not ask.command:
            return self._alone(ask) or self._answered(ask.asker, word[1].lower(), word[2].lower(), word[3] or "")
        for form in _FORMS:
            if match := form.fullmatch(text.rstrip(".! ")):
                return self._alone(ask) or self._asked(ask, match)
        if not of_incident:
            return None
        if match := _STOP.fullmatch(text):
            channel = channel_of(self._client, ask.channel_id, ask.asker)
            return self._stopped(channel, _audience(match["audience"] or ""))
        return Outcome(text=COMMANDS)

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Keep a draft or a watch, or do what was said of one."""
        user = self._client.user(user_id)
        match what:
            case "draft":
                self._drafts.keep(draft_of(json.loads(value)))
            case "approve":
                self._drafts.post(user, value)
            case "discard":
                self._drafts.discard(user_id, value)
            case "watch" | "stop":
                asked = json.loads(value)
                watches = Watches(self._settings, self._client)
                if what == "watch":
                    watches.begin(channel_of(self._client, asked["channel"], user), user, asked["audience"])
                else:
                    watches.end(asked["channel"], user_id, asked["audience"])
            case _:
                raise IncidentError(f"{username}: {what} is nothing that I can do")

    @property
    def _drafts(self) -> Drafts:
        return Drafts(self._settings, self._client, now=self._now)

    def _alone(self, ask: Ask) -> Outcome | None:
        """A refusal where others would read the answer: a group message with the bot in it."""
        if ask.command or self._client.channel(ask.channel_id).type == "D":
            return None
        return Outcome(text="Ask me that in a direct message between you and me alone.")

    def _asked(self, ask: Ask, match: re.Match[str]) -> Outcome:
        verb, named = match["verb"].lower(), match["place"]
        if named:
            channel = channel_named(self._client, named, ask.asker, team_id=ask.team_id)
        elif ask.command:
            channel = channel_of(self._client, ask.channel_id, ask.asker)
        else:
            raise IncidentError(NOTHING)
        if verb == "stop":
            return self._stopped(channel, "")
        audience = _audience(match["audience"])
        if verb == "brief":
            return Outcome(text=self._brief(channel, ask.asker, audience))
        if verb == "watch":
            value = json.dumps({"channel": channel.id, "audience": audience})
            told = f"The brief of ~{inert(channel.name)} for {TITLES[audience]} is here, and I keep it up to date."
            return Outcome(text=told, effects=(("watch", value),))
        return self._shared(channel, ask.asker, audience, match["target"])

    def _brief(self, channel: Channel, user: User, audience: str) -> str:
        found = Incidents(self._settings, self._client).look(channel)
        return render_brief(
            found.state,
            audience,
            place=place_of(self._client, channel),
            people=found.people,
            zone=user.timezone,
        )

    def _stopped(self, channel: Channel, audience: str) -> Outcome:
        value = json.dumps({"channel": channel.id, "audience": audience})
        return Outcome(
            text=f"I no longer keep a brief of ~{inert(channel.name)} up to date.", effects=(("stop", value),)
        )

    # Texts for outside

    def _shared(self, channel: Channel, user: User, audience: str, named: str) -> Outcome:
        target = target_named(self._client, named, user, source=channel)
        text, checks = self._proposed(channel, audience)
        draft = Draft(
            code=new_code(),
            user_id=user.id,
            channel_id=channel.id,
            target_id=target.id,
            audience=audience,
            text=text,
            at=self._now(),
            made=digest(text),
        )
        return Outcome(text=_shown(draft, channel, target, checks), effects=(_kept(draft),))

    def _proposed(self, channel: Channel, audience: str) -> tuple[str, Checks]:
        incidents = Incidents(self._settings, self._client)
        found = incidents.look(channel)
        cleaner = Cleaner(found.people.values())
        text = render_outside(found.state, audience, incidents.rules, cleaner)
        return text[:MAX_DRAFT], cleaner.checks

    def _answered(self, user: User, word: str, code: str, text: str) -> Outcome:
        drafts = self._drafts
        draft = drafts.of(user.id, code)
        if word == "discard":
            return Outcome(text="Discarded; nothing was posted.", effects=(("discard", code),))
        if draft.posted:
            return Outcome(text="That was posted already.")
        source, target = drafts.places(draft, user)
        fresh, _ = self._proposed(source, draft.audience)
        if word == "replace":
            if not text.strip():
                raise IncidentError(f"by what? Write: replace {code}: the text")
            changed, checks = self._replaced(source, draft, text)
            return Outcome(text=_shown(changed, source, target, checks), effects=(_kept(changed),))
        news = digest(fresh)
        if news not in {draft.made, draft.told}:
            told = (
                f"**There is news since that draft was made; it is not posted yet.** `approve {code}` posts the "
                f"text that you read all the same, `discard {code}` drops it. Made now it would read:\n\n"
                f"{_quoted(fresh)}"
            )
            return Outcome(text=told, effects=(_kept(replace(draft, told=news)),))
        return Outcome(text=f"Posted in ~{inert(target.name)}, as you read it.", effects=(("approve", code),))

    def _replaced(self, source: Channel, draft: Draft, text: str) -> tuple[Draft, Checks]:
        """Their own words, which may quote the channel as well: cleaned as mine are."""
        cleaner = Cleaner(Incidents(self._settings, self._client).look(source).people.values())
        lines = [_cleaned(cleaner, line) for line in text.strip().splitlines()]
        shown = inert_lines("\n".join(lines), limit=MAX_DRAFT)
        if not shown:
            raise IncidentError("nothing is left of that text; it held only what must not leave the channel")
        cleaner.look_at(shown)
        return replace(draft, text=shown), cleaner.checks


def place_of(client: MattermostClient, channel: Channel) -> Place:
    """Where a brief comes from, for its members."""
    team = client.address_of(channel).partition("/")[0]
    return Place(channel=channel.display_name or channel.name, permalinks=f"{client.url}/{team}/pl/" if team else "")


def _audience(word: str) -> str:
    found = _SAME.get(word.lower(), word.lower())
    return found if found in AUDIENCES else ""


def _cleaned(cleaner: Cleaner, line: str) -> str:
    bullet = line.lstrip().startswith(("- ", "* "))
    return ("- " if bullet else "") + cleaner.outside(line.lstrip()[2:] if bullet else line, opening=True)


def _kept(draft: Draft) -> tuple[str, str]:
    return "draft", json.dumps(asdict(draft))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.splitlines())


def _shown(draft: Draft, source: Channel, target: Channel, checks: Checks) -> str:
    """A draft as it is given to its maker to read."""
    private = ""
    if source.type == "P" and target.type == "O":
        private = " **Everybody of the team can read that channel.**"
    return "\n".join(
        [
            f"A text for ~{inert(target.name)}, made of ~{inert(source.name)} for {TITLES[draft.audience]}. "
            f"Nobody else has it yet.{private}",
            "",
            _quoted(draft.text),
            "",
            "**What to check**",
            *_checked(checks),
            "",
            f"Answer me here: `approve {draft.code}` posts exactly this, `discard {draft.code}` drops it, "
            f"`replace {draft.code}: your text` puts your words in its place, for you to read again. For 24 hours.",
        ]
    )


def _checked(checks: Checks) -> list[str]:
    def listed(found: Iterable[object]) -> str:
        return ", ".join(f"“{inert(str(one), limit=60)}”" for one in list(found)[:12])

    lines = [
        f"- colleagues' names replaced: {listed(checks.names) or 'none were in it'}",
        f"- machines replaced: {listed(checks.hosts) or 'none were in it'}",
        f"- removed: {checks.links} links, {checks.mentions} mentions",
    ]
    if checks.figures:
        lines.append(f"- figures, are they still right? {listed(checks.figures)}")
    if checks.proper:
        lines.append(f"- names that I do not know, may they be told? {listed(checks.proper)}")
    return lines
