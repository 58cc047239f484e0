"""What must not leave a confidential channel, taken out of a text: who works on it, on which machines, links, mentions.

Pure. What was taken out is told by kind, so that whoever reviews the text sees what to check. Names that nobody here
has (a customer's) cannot be told from other words; capitalised words are listed for the reviewer instead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meetings.briefs.facts import MENTION, Colleague
from meetings.people.terms import STOPWORDS
from meetings.summary import inert

SOMEBODY = "a colleague"
SOMEWHERE = "one of our systems"
_DESKS: Mapping[str, str] = {"executive": "management", "pr": "the press office", "marketing": "the press office"}
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)|<?\b(?:https?|ftp|file|ssh|mattermost)://\S+|\bwww\.\S+", re.IGNORECASE)
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CHANNEL = re.compile(r"(?<![\w~])~[a-z0-9][a-z0-9_-]+", re.IGNORECASE)
_HOST = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"  # an address
    r"|\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}\b"
    r"|\b[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:local|lan|internal|intra|corp|svc|cluster|com|net|org|io|dev|cloud|de)\b"
    # db-01, node7, web-3.eu; not Q3, SEV-2
    r"|\b(?!(?:q|h|sev-?|p|covid-?)\d+\b)[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*[-_]?\d+(?:[-.][a-z0-9]+)*\b(?=[^%]|$)"
    r"|(?<!\w)/(?:[\w.-]+/)+[\w.-]*",  # a path
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d[\d.,:]*(?: ?%| [a-z]+)?", re.IGNORECASE)
_PROPER = re.compile(r"(?<=[a-z,;:] )[A-Z][\w-]+(?: [A-Z][\w-]+)*")
_INTERNAL = re.compile(
    r"^(?:opening|update|status|fyi|heads[- ]?up|note|decided|decision|news)\b[^:.?!]{0,30}:\s+", re.IGNORECASE
)


@dataclass(slots=True)
class Checks:
    """What a text was found to hold: taken out (names, hosts, links, mentions), and to look at (figures, proper)."""

    names: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    links: int = 0
    mentions: int = 0
    figures: list[str] = field(default_factory=list)
    proper: list[str] = field(default_factory=list)


class Cleaner:
    """Takes out of texts what must not leave a channel.

    Args:
        people: everybody who was ever seen in the channel.
    """

    def __init__(self, people: Iterable[Colleague]) -> None:
        self._desks: dict[str, str] = {}
        for colleague in people:
            desk = _DESKS.get(colleague.desk, colleague.desk) or SOMEBODY
            for called in _ways(colleague):
                # Two of a name: whose desk it is cannot be said.
                self._desks[called] = desk if self._desks.get(called, desk) == desk else SOMEBODY
        ways = sorted(self._desks, key=len, reverse=True)
        alternatives = "|".join(re.escape(w) for w in ways)
        self._names = re.compile(rf"(?<![\w@])(?:{alternatives})(?:['’]s)?(?!\w)", re.IGNORECASE) if ways else None
        self.checks = Checks()

    def names(self, text: str) -> str:
        """A text without mentions and colleagues' names: the desk they have stands for them."""
        text = MENTION.sub(self._mention, text)
        return self._names.sub(self._name, text) if self._names else text

    def outside(self, text: str, *, opening: bool = False) -> str:
        """A text without anything that must not leave the channel; `opening`: with what opens an internal note too."""
        text = _LINK.sub(self._link, text)
        text = _MAIL.sub(self._link, text)
        text = _CHANNEL.sub(self._link, text)
        text = self.names(text if opening else _INTERNAL.sub("", text))
        text = _HOST.sub(self._host, text)
        text = " ".join(text.split())
        return text[:1].upper() + text[1:]

    def look_at(self, text: str) -> None:
        """Note what a reviewer should look at."""
        self.checks.figures = list(
            dict.fromkeys([*self.checks.figures, *(f.strip(" .,:") for f in _FIGURE.findall(text))])
        )
        found = (p for p in _PROPER.findall(text) if p.lower() not in STOPWORDS)
        self.checks.proper = list(dict.fromkeys([*self.checks.proper, *found]))

    def _mention(self, match: re.Match[str]) -> str:
        self.checks.mentions += 1
        return self._desks.get(match.group(1).lower(), SOMEBODY)

    def _name(self, match: re.Match[str]) -> str:
        said = re.sub(r"['’]s$", "", match.group())
        # A first name in small letters is more often a word: `will`, `mark`.
        if said.islower() and "." not in said and " " not in said:
            return match.group()
        self.checks.names[said] += 1
        return self._desks.get(said.lower(), SOMEBODY) + ("'s" if said != match.group() else "")

    def _link(self, match: re.Match[str]) -> str:
        self.checks.links += 1
        shown = match.group(1) if match.re is _LINK else None
        return f"{shown} " if shown and "/" not in shown else ""

    def _host(self, match: re.Match[str]) -> str:
        self.checks.hosts[match.group()] += 1
        return SOMEWHERE


def _ways(colleague: Colleague) -> Iterable[str]:
    parts = colleague.name.split()
    ways = {colleague.username, colleague.name, *(p for p in parts if len(p) > 2)}
    return {w.lower() for w in ways if w}


def inert_lines(text: str, *, limit: int) -> str:
    """A text of several lines, each inert; `- ` at the start of a line stays a list."""
    shown = []
    for line in text.splitlines()[:200]:
        bullet = line.lstrip().startswith(("- ", "* "))
        body = line.lstrip()[2:] if bullet else line
        shown.append((f"- {inert(body)}" if bullet else inert(body)) if body.strip() else "")
    return "\n".join(shown).strip()[:limit]
