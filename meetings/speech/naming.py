"""Voices get names, where that can be known; else they stay "Speaker 2".

Every signal adds to a log-odds for a pair of voice and person: the transcript that Calls made from each person's own
track, people introducing themselves, being addressed before they speak and thanked after, and the fact that nobody
addresses themselves. The pairs are put together as one assignment, and a name is given only if it dominates both among
the people for this voice and among the voices for this person. A wrong name is worse than none. All functions are pure.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetings.conversation import Speaker, Utterance

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BAR = 0.9  # probability below which a voice stays unnamed
NOBODY = 2.0  # log-odds that a voice is someone else, before any evidence

# Log-odds of one observation. Three hand-overs, or one introduction, pass the bar among up to thirty candidates.
INTRODUCED = 7.0
ADDRESSED_NEXT = 2.0
THANKED_BEFORE = 1.5
SPEAKS_OF_THEM = -2.5  # nobody addresses or thanks themselves
TRANSCRIPT = 9.0  # times the share of the voice's time that lies under the account's cues


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody whose voice it can be: a participant or a member of the channel."""

    username: str
    name: str
    nickname: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsCue:
    """A cue of the transcript that Calls made: whose track, when (seconds), what."""

    name: str
    start: float
    end: float
    text: str


_TIMING = re.compile(r"(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})\s+-->\s+(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>\s*(?:\(([^)]*)\))?\s*(.*)", re.DOTALL)


def read_calls_vtt(text: str) -> tuple[CallsCue, ...]:
    """The cues `<v NAME>(NAME) text` of a Calls transcript; anything else in the file is passed over."""
    cues = []
    for block in re.split(r"\r?\n\s*\r?\n", text):
        timing = _TIMING.search(block)
        if timing is None:
            continue
        voice = _VOICE.search(block[timing.end() :])
        if voice is None:
            continue
        start, end = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
        said = re.sub(r"<[^>]*>", "", voice[3]).strip()
        if end > start:
            cues.append(CallsCue(name=voice[1].strip(), start=start, end=end, text=" ".join(said.split())))
    return tuple(cues)


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, millis = (int(p or 0) for p in parts)
    return hours * 3600 + minutes * 60 + seconds + millis / 1000


def name_speakers(
    utterances: Sequence[Utterance], candidates: Sequence[Candidate], *, calls_cues: Sequence[CallsCue] = ()
) -> tuple[Speaker, ...]:
    """A `Speaker` for each voice, in order of first appearance, named where it can be known.

    Args:
        utterances: in order; `speaker` is the voice's label.
        candidates: those who may be named; nobody else is.
        calls_cues: the transcript of Calls, if there is one.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    labels = list(dict.fromkeys(u.speaker for u in utterances))
    named: dict[str, tuple[Candidate, float, str]] = {}
    if labels and candidates:
        talk = talk_evidence(utterances, candidates)
        cues = transcript_evidence(utterances, candidates, calls_cues)
        odds = np.array([[talk[a, c.username] + cues[a, c.username] for c in candidates] for a in labels])
        among_people = _softmax(odds)
        among_voices = _softmax(odds.T).T
        certain = np.minimum(among_people, among_voices)
        for row, column in zip(*linear_sum_assignment(-certain), strict=True):
            if certain[row, column] >= BAR:
                candidate = candidates[column]
                how = "transcript" if cues[labels[row], candidate.username] > 1.0 else "talk"
                named[labels[row]] = (candidate, float(certain[row, column]), how)
    return tuple(_speaker(label, number, named) for number, label in enumerate(labels, start=1))


def _speaker(label: str, number: int, named: Mapping[str, tuple[Candidate, float, str]]) -> Speaker:
    if label not in named:
        return Speaker(id=label, name=f"Speaker {number}")
    candidate, confidence, how = named[label]
    return Speaker(id=label, name=candidate.name, username=candidate.username, confidence=confidence, how=how)


def _softmax(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Row by row, with one more way out: nobody of these."""
    import numpy as np

    shifted = np.exp(odds - odds.max(axis=1, keepdims=True))
    nobody = np.exp(NOBODY - odds.max(axis=1, keepdims=True))
    result: npt.NDArray[np.float64] = shifted / (shifted.sum(axis=1, keepdims=True) + nobody)
    return result


# What is said

_GREETING = (
    r"(?:(?:hi|hello|hey|yes|yeah|okay|ok|so|um|uh|well|morning|good (?:morning|afternoon|evening)|everyone|everybody|"
    r"all|folks|team|there|guys)\b[,!. ]*)*(?:(?:hi|hello|hey) \w+,? )?"
)
# Words after "this is Ben" that make him somebody else: "this is Ben, who joined last week".
_SOMEONE_ELSE = (
    r"(?!\w|'|\u2019|,? (?:who|whose|our|my|the new|and (?:he|she)|he|she|again said|talking|speaking of)\b)"
)
_TO_YOU = re.compile(r"\?$|\b(?:you|your|yours|over to|go ahead|go on|please|let's hear|take it)\b", re.I)
_NOT_THEM = re.compile(r"\b(?:he|she|him|her|isn't here|is not here|not here|has left|is out|is off|absent)\b", re.I)
_SENTENCE = re.compile(r"[^.?!]+[.?!]*")
FIRST_WORDS = 3  # utterances of a voice in which people say who they are
PROMPTLY = 6.0  # seconds within which somebody who was addressed answers


def talk_evidence(utterances: Sequence[Utterance], candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], float]:
    """Log-odds of (voice, username) from introductions, hand-overs and thanks.

    The patterns are narrow on purpose: "is Ben here?", "thanks to Ben", "we need Ana, Ben, and Carl" and "this is Ben,
    our new engineer" speak of Ben and must not make him of anybody.
    """
    names = _first_names(candidates)
    evidence: defaultdict[tuple[str, str], float] = defaultdict(float)
    if not names:
        return evidence
    patterns = _Patterns.of(names)
    heard: defaultdict[str, int] = defaultdict(int)
    for index, utterance in enumerate(utterances):
        heard[utterance.speaker] += 1
        said = patterns.read(utterance.text)
        if heard[utterance.speaker] <= FIRST_WORDS:
            for name in said.introduced:
                evidence[utterance.speaker, names[name]] += INTRODUCED
        before, after = _neighbour(utterances, index, -1), _neighbour(utterances, index, +1)
        if before and said.thanked:
            evidence[before.speaker, names[said.thanked]] += THANKED_BEFORE
        answers = after is not None and after.start - utterance.end <= PROMPTLY and not _denies(after.text)
        if after and answers and said.addressed:
            evidence[after.speaker, names[said.addressed]] += ADDRESSED_NEXT
        for name in said.mentioned - said.introduced:
            evidence[utterance.speaker, names[name]] += SPEAKS_OF_THEM
    return evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Names in one utterance, in lower case, by what is done with them."""

    introduced: frozenset[str]
    mentioned: frozenset[str]
    thanked: str | None
    addressed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patterns:
    introduced: tuple[re.Pattern[str], ...]
    thanked: re.Pattern[str]
    opening: re.Pattern[str]
    closing: re.Pattern[str]
    mentioned: re.Pattern[str]

    @staticmethod
    def of(names: Mapping[str, str]) -> _Patterns:
        """Patterns for these names. Names match with a capital only: "will" and "mark" are words too."""
        alternatives = "|".join(re.escape(n[0].upper() + n[1:]) for n in sorted(names, key=len, reverse=True))
        name = f"(?-i:({alternatives}))"
        return _Patterns(
            introduced=(
                re.compile(rf"^{_GREETING}(?:this is|i am|i'm|my name is|my name's) {name}{_SOMEONE_ELSE}", re.I),
                re.compile(rf"^{_GREETING}{name} here(?=[.,!]|$| from\b| with\b| speaking\b)", re.I),
            ),
            thanked=re.compile(
                rf"\b(?:thanks|thank you)(?: (?:so much|very much|a lot|again|you))?,? {name}(?=[.,!?]|$)", re.I
            ),
            # "Ben, can you", but not "Ben, who", and not the first of a list.
            opening=re.compile(
                rf"^(?:(?:okay|ok|so|and|right|yes|well|now|but|great|perfect),? )?{name},"
                rf"(?! (?:who|whose|our|my|he|she|and|or|(?-i:[A-Z][a-z])))",
                re.I,
            ),
            closing=re.compile(rf", {name}(?:[.?!]*$|,)", re.I),
            mentioned=re.compile(rf"\b{name}\b", re.I),
        )

    def read(self, text: str) -> _Said:
        """What one utterance does with the names."""
        introduced: set[str] = set()
        thanked: str | None = None
        addressed: str | None = None
        for match in _SENTENCE.finditer(text):
            sentence = match[0].strip()
            present = {m[1].lower() for m in self.mentioned.finditer(sentence)}
            if not present:
                continue
            if not sentence.endswith("?"):
                introduced |= {m[1].lower() for p in self.introduced if (m := p.search(sentence))}
            if found := self.thanked.search(sentence):
                # "Thanks, Ana and Ben": which of them spoke last nobody knows.
                thanked = found[1].lower() if len(present) == 1 else thanked
            elif found := self.opening.search(sentence) or self._at_the_end(sentence, present):
                addressed = found[1].lower()
        mentioned = frozenset(m[1].lower() for m in self.mentioned.finditer(text))
        # Who says "this is Ana" does not address Ana.
        return _Said(
            introduced=frozenset(introduced),
            mentioned=mentioned,
            thanked=None if thanked in introduced else thanked,
            addressed=None if addressed in introduced else addressed,
        )

    def _at_the_end(self, sentence: str, present: set[str]) -> re.Match[str] | None:
        """A vocative after a comma; without a "you" or a question it is more likely an apposition."""
        return self.closing.search(sentence) if len(present) == 1 and _TO_YOU.search(sentence) else None


def _denies(answer: str) -> bool:
    """Whether an answer speaks of somebody absent: "No, he is ill"."""
    return _NOT_THEM.search(answer[:40]) is not None


def _neighbour(utterances: Sequence[Utterance], index: int, step: int) -> Utterance | None:
    """What another voice says next (or said before), within two utterances."""
    mine = utterances[index].speaker
    for distance in (1, 2):
        position = index + step * distance
        if 0 <= position < len(utterances) and utterances[position].speaker != mine:
            return utterances[position]
    return None


def _first_names(candidates: Sequence[Candidate]) -> dict[str, str]:
    """First names and nicknames that mean exactly one candidate, in lower case, with and without accents."""
    meant: dict[str, set[str]] = {}
    for candidate in candidates:
        for name in {candidate.name.split()[0] if candidate.name.split() else "", candidate.nickname}:
            plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
            for spelling in {name, plain}:
                if len(spelling) > 1:
                    meant.setdefault(spelling.lower(), set()).add(candidate.username)
    return {name: next(iter(who)) for name, who in meant.items() if len(who) == 1}


# What Calls wrote down


def transcript_evidence(
    utterances: Sequence[Utterance], candidates: Sequence[Candidate], cues: Sequence[CallsCue]
) -> Mapping[tuple[str, str], float]:
    """Log-odds of (voice, username) from the time that voice and account have in common.

    Two shares count: how much of the voice's time lies under the account's cues (a guest on the phone, whom nobody's
    track holds, has little), and how much of the account's time is this voice (people who share a room split it).
    """
    by_name: dict[str, set[str]] = {}
    for candidate in candidates:
        for name in {candidate.name, candidate.username, candidate.nickname}:
            if name:
                by_name.setdefault(_bare(name), set()).add(candidate.username)
    spoken: defaultdict[str, float] = defaultdict(float)
    for utterance in utterances:
        spoken[utterance.speaker] += utterance.end - utterance.start
    shared: defaultdict[tuple[str, str], float] = defaultdict(float)
    accounts: defaultdict[str, float] = defaultdict(float)
    for cue in cues:
        who = by_name.get(_bare(cue.name), set())
        if len(who) != 1:
            continue
        username = next(iter(who))
        for utterance in utterances:
            seconds = min(cue.end, utterance.end) - max(cue.start, utterance.start)
            if seconds > 0:
                shared[utterance.speaker, username] += seconds
                accounts[username] += seconds
    evidence: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (label, username), seconds in shared.items():
        # Little common time says little: full weight from ten seconds on.
        weight = TRANSCRIPT * min(1.0, math.sqrt(seconds / 10.0))
        share = min(1.0, seconds / max(spoken[label], 1e-9))
        evidence[label, username] = weight * share + math.log(seconds / accounts[username])
    return evidence


def _bare(name: str) -> str:
    """A name without what Calls takes out of it: letters and digits alone, lower case."""
    return "".join(c for c in name.casefold() if c.isalnum())
