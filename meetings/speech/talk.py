"""What people say of who they are: introductions, hand-overs, thanks, and whom they speak of.

Each adds to the log-odds of a pair of voice and person. The patterns are narrow on purpose, for a wrong name is worse
than none; they know English and the commonest German forms. All functions are pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meetings.conversation import Utterance
from meetings.speech.candidates import Candidate, spoken_names

# Log-odds of one observation. Three hand-overs, or one introduction, pass the bar among up to thirty candidates.
INTRODUCED = 7.0
ADDRESSED_NEXT = 2.0
THANKED_BEFORE = 1.5
SPEAKS_OF_THEM = -2.5  # nobody addresses or thanks themselves
MOST, LEAST = 9.0, -4.0  # however often: people quote others speaking to them, and there are other Bens
FIRST_WORDS = 3  # utterances of a voice in which people say who they are
PROMPTLY = 6.0  # seconds within which somebody who was addressed answers

_GREETING = (
    r"(?:(?:hi|hello|hey|yes|yeah|okay|ok|so|um|uh|well|morning|good (?:morning|afternoon|evening)|everyone|everybody|"
    r"all|folks|team|there|guys|hallo|guten (?:morgen|tag|abend)|moin|ja|zusammen)\b[,!. ]*)*"
    r"(?:(?:hi|hello|hey|hallo) \w+,? )?"
)
# Words after "this is Ben" that make him somebody else: "this is Ben, who joined last week", "this is Ben Miller".
_SOMEONE_ELSE = (
    r"(?!\w|'|\u2019| (?-i:[A-Z][a-z])|,? (?:who|whose|our|my|the new|and (?:he|she)|he|she|again said|talking|"
    r"speaking of|der|die|unser|unsere)\b)"
)
_IS_ME = (
    r"(?:this is|i am|i'm|my name is|my name's|(?<=[hH]i, )it's|(?<=[hH]ello, )it's|hier (?:ist|spricht)|"
    r"ich bin(?: der| die)?|mein name ist)"
)
_TO_YOU = re.compile(
    r"\?$|\b(?:you|your|yours|over to|go ahead|go on|please|let's hear|take it|du|dir|dich|deine?|ihr|euch|bitte)\b",
    re.I,
)
_NOT_THEM = re.compile(
    r"\b(?:he|she|him|her|isn't here|is not here|not here|has left|is out|is off|absent|(?:er|sie) ist|ist krank|"
    r"nicht da)\b",
    re.I,
)
_SENTENCE = re.compile(r"[^.?!]+[.?!]*")


def talk_evidence(utterances: Sequence[Utterance], candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], float]:
    """Log-odds of (voice, username) from introductions, hand-overs and thanks.

    "Is Ben here?", "thanks to Ben", "we need Ana, Ben, and Carl" and "this is Ben, our new engineer" speak of Ben and
    must not make him of anybody.
    """
    names = spoken_names(candidates)
    evidence: defaultdict[tuple[str, str], float] = defaultdict(float)
    if not names:
        return evidence
    patterns = _Patterns.of(names)
    heard: defaultdict[str, int] = defaultdict(int)
    for index, utterance in enumerate(utterances):
        heard[utterance.speaker] += 1
        said = patterns.read(utterance.text, names)
        if heard[utterance.speaker] <= FIRST_WORDS:
            for username in said.introduced:
                evidence[utterance.speaker, username] += INTRODUCED
        before, after = _neighbour(utterances, index, -1), _neighbour(utterances, index, +1)
        if before and said.thanked:
            evidence[before.speaker, said.thanked] += THANKED_BEFORE
        answers = after is not None and after.start - utterance.end <= PROMPTLY and not _denies(after.text)
        if after and answers and said.addressed:
            evidence[after.speaker, said.addressed] += ADDRESSED_NEXT
        for username in said.mentioned - said.introduced:
            evidence[utterance.speaker, username] += SPEAKS_OF_THEM
    return {pair: min(MOST, max(LEAST, odds)) for pair, odds in evidence.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Usernames of those named in one utterance, by what is done with their names."""

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
        alternatives = "|".join(re.escape(n) for n in sorted(names, key=lambda n: (-len(n), n)))
        name = f"(?-i:({alternatives}))"
        return _Patterns(
            introduced=(
                re.compile(rf"^{_GREETING}{_IS_ME} {name}{_SOMEONE_ELSE}", re.I),
                re.compile(rf"^{_GREETING}{name} (?:here|hier)(?=[.,!]|$| from\b| with\b| speaking\b| von\b)", re.I),
                re.compile(rf"^{_GREETING}{name} speaking(?=[.,!]|$)", re.I),
            ),
            thanked=re.compile(
                rf"\b(?:thanks|thank you|danke|vielen dank|danke dir)(?: (?:so much|very much|a lot|again|you|schön))?"
                rf",? {name}(?=[.,!?]|$)",
                re.I,
            ),
            # "Ben, can you", but not "Ben, who", and not the first of a list.
            opening=re.compile(
                rf"^(?:(?:okay|ok|so|and|right|yes|well|now|but|great|perfect|und|gut|also),? )?{name},"
                rf"(?! (?:who|whose|our|my|he|she|and|or|der|die|und|oder|(?-i:[A-Z][a-z])))",
                re.I,
            ),
            closing=re.compile(rf", {name}(?:[.?!]*$|,)", re.I),
            mentioned=re.compile(rf"\b{name}\b(?! (?-i:[A-Z][a-z]))", re.I),
        )

    def read(self, text: str, names: Mapping[str, str]) -> _Said:
        """What one utterance does with the names."""
        introduced: set[str] = set()
        thanked: str | None = None
        addressed: str | None = None
        for match in _SENTENCE.finditer(text):
            sentence = match[0].strip()
            present = {names[m[1]] for m in self.mentioned.finditer(sentence)}
            if not present:
                continue
            if not sentence.endswith("?"):
                introduced |= {names[m[1]] for p in self.introduced if (m := p.search(sentence))}
            if found := self.thanked.search(sentence):
                # "Thanks, Ana and Ben": which of them spoke last nobody knows.
                thanked = names[found[1]] if len(present) == 1 else thanked
            elif found := self.opening.search(sentence) or self._at_the_end(sentence, present):
                addressed = names[found[1]]
        mentioned = frozenset(names[m[1]] for m in self.mentioned.finditer(text))
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
