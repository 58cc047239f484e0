"""How well a sentence reads when it stands alone: whether it is whole, whether it says something, whether it is about
the matter or about the meeting.

Speech is full of sentences that were clear to those who sat there and mean nothing to a reader: begun and not ended,
pointing at a slide, answering a question that is not quoted. What is wrong with a sentence is told as named faults,
each with what it costs in the choice of what a reader gets (`meetings.summary.select`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from meetings.people.terms import terms, words


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


# The sentence was not brought to its end.
_UNFINISHED = _any(
    r"\b(?:the|a|an|and|or|but|of|because|'cause|if|our|your|my|their|its|is|are|was|were|i'm|we're|they're|"
    r"it's|that's|"
    r"there's|very|i|we|they|than|as|just|gonna|wanna|could|would|should|which|who|when|whether|also|these|don't|"
    r"doesn't|means|like|say|says|about|with|into|so)\W*$"
)
_LOOSE_END = _any(r"\b(?:to|for|in|on|at|from|by|then|maybe|actually|probably|whatever|something|or something)\W*$")
# Words that cannot follow each other: a sentence that was begun anew in its middle.
_PRONOUN = r"(?:i|we|he|she|they)"
_BROKEN = _any(
    rf"\b(?:it|that|you|{_PRONOUN[3:-1]}) {_PRONOUN}\b(?<!that i)(?<!that we)(?<!that he)(?<!that she)(?<!that they)",
    r"\b(?:i|we|he|she|they) (?:you|it|the|a|an|my|our|of|in|with)\b",
    r"\b(?:the|a|an|my|our|your) (?:of|to|and|in|is|are|was|were|with|at|for|from|that|we|i|you|it|they|he|she|"
    r"a|an|the|"
    r"but|so|if|this|not|can|will|have|has|would|be)\b",
    r"\b(?:of|in|with|for|from|at|into) (?:a |the )?(?:is|are|was|were|would|will|could|i|we|they|of|in|and|but|"
    r"to|can|"
    r"has|have)\b(?<!in and)",
    r"\b(?:is|are|was|were|be) (?:is|are|was|were|have|has|i|we|they|of|will|would|can|could|do|does)\b",
    r"\b(?:can|could|will|would|should|must) (?:a|an|the|of|is|are|i|we|they|to|and|in|can|could|will|would)\b",
    r"\bto (?:of|is|are|i|we|they|to|and|in|can|could|will|would)\b",
    r"\b(?:and|but|or|because) (?:and|but|or|is|are|of)\b",
    r"'(?:re|ll|ve|m) (?:i|we|they|he|she|is|are|was|the|a (?:the|we|i))\b(?<!'re the)(?<!'m the)(?<!'re a)",
    r"\bit's i\b|\bthat's i\b|\b(\w+) \1 \1\b",
    r"(?<![\w'’.])[b-hj-z](?![\w'’.])",
)
# It goes on from what is not quoted.
_GOES_ON = _any(
    r"^(?:because|'cause|cause|as opposed|rather than|which|whether|than|or|like|except|plus|not|instead|for example|"
    r"and|as well|either|also|especially|even)\b",
)
_POINTS = _any(
    r"^(?:but |so |if |maybe |i think |i guess |i mean |no,? |yeah,? )*(?:it|it's|it'll|it'd|that|that's|this|"
    r"they|they're|"
    r"they'll|them|those|these|he|he's|she|she's|then|there|here)\b(?! \[)"
)
# `That button`, `this year`: the pointing word has its noun beside it.
_HAS_NOUN = _any(
    r"^(?:but |so |if |maybe |i think |i guess )*(?:this|that|these|those) (?!(?:is|are|was|were|would|will|can|"
    r"could|should|"
    r"has|have|had|one|ones|we|i|you|they|it|he|she|way|kind|sort|type|stuff|thing|things|might|may|does|do|did|"
    r"one's|"
    r"just|also|really|actually|not|makes|means|looks|works|comes|goes)\b)\w{3,}",
    r"^(?:but |so )*there(?:'s|'re| is| are| was| were| will| should)\b",
)
_POINTS_BACK = _any(
    r"\b(?:that|this|it|them|those|these|one|ones|here|there|so)\W*$",
    # `a customer who talks about it with us`
    r"\b(?:talk|speak|tell|told|say|know|think|write|hear)\w*(?: \w+)? (?:about|of) (?:it|that|this|them)\b",
)
_POINTING = _any(
    r"\b(?:it|it's|that's|this|they|they're|them|those|these|thing|things|stuff|something|somewhere|ones|here)\b"
)
# Gestures: what only those who saw it understood.
_SHOWN = _any(
    r"\b(?:like (?:this|that|so)|(?:this|that|these|those) ones?|over here|over there|right here|as you (?:can )?see|"
    r"you can see|on (?:this|my|your) (?:slide|board|page)|(?:in|on) (?:this|the) (?:drawing|diagram|picture|"
    r"slide|graph|sheet)|here (?:is|are|you|we)|look at (?:this|that|these)|this (?:side|part|bit|line|here))\b"
)
# About the meeting, its tools and the people in it.
_MEETING = _any(
    r"\b(?:my (?:role|name|job|task|presentation|slides?|method)|i(?:'m| am) (?:the|your|"
    r"a) (?:\w+ )?(?:project manager|designer|"
    r"expert|marketing|industrial|user interface|pm)|(?:this|the|our|last|next|previous|first|second|third|"
    r"final|kick-?off|"
    r"today's) meeting|end of the meeting|agenda|power ?point|white ?board|smart ?board|microphones?|mics?|"
    r"drawing skills|"
    r"favou?rite animal|draw(?:ing)? (?:an?|your|my|the)|questionnaire|lunch|project folder|shared folder|my laptop|"
    r"next (?:slide|point|item|topic)|(?:this|the|each|next) slides?|presentations?|the minutes|take minutes|"
    r"minutes (?:left|to)|individual (?:work|actions?)|wrap (?:it |this )?up|run(?:ning)? out of time|"
    r"behind schedule|"
    r"keep an eye on the time|your hard work|introduce (?:myself|ourselves)|get to know|move on|let's (?:see|"
    r"talk|go on|"
    r"start|look|evaluate|move|discuss|have a look)|what do you think|go (?:through|over) (?:the|this|my|it)|"
    r"team ?work|"
    r"(?:we'll|i'll|to|we can|gonna) (?:come|get|go) back to|pop (?:onto|on to)|the discussion|"
    r"discuss(?:ing)? (?:it|this|that|the)|"
    r"project (?:evaluation|process|management)|team project|specific instructions|personal coach|eraser|"
    r"rub it off|drawn|"
    r"i will (?:speak|talk|present|draw)|i(?:'m| am|'ll be| will be) (?:supposed to|responsible)|responsible for|"
    r"as project manager|i hope to be|functional role|the other groups|later phase|sad case|"
    r"evaluat(?:e|ing|ion) (?:the|it|that|this|criteria)|ask you guys|listen(?:ing)? to|five minutes|ten minutes)\b"
)
# A pointer on a path to somewhere else, or a reaction.
_ECHO = _any(
    r"^(?:yeah|yes|no|exactly|i agree|true|that's true|of course|okay|right|sure|fine|good|i see|i know|definitely|"
    r"absolutely|i suppose|oh|wow|sorry|pardon|alright|well)\b"
)
_CHATTER = _any(
    r"\b(?:haha|funny|joke|joking|kidding|laugh\w*|silly|ridiculous|good luck|bless you|sorry|excuse me|oh god|"
    r"my god|"
    r"bloody|damn|crap|the hell|guys?|pretty good at|i love it|cheers|congratulations|thank you|thanks)\b"
)
# Hedging in place of saying.
_UNSURE = _any(
    r"\b(?:i don't know|i dunno|dunno|i have no idea|i'm not sure|i can't remember|or something|or whatever|"
    r"what's it called)\b"
)
_VERB = _any(
    r"\b(?:is|are|was|were|am|be|has|have|had|do|does|did|can|could|will|would|should|must|may|might|shall|need|"
    r"needs|want|wants|think|"
    r"gonna|let's|got|get|gets|go|goes|make|makes|made|use|uses|take|takes|took|put|like|likes|come|comes|came|see|"
    r"give|gives|find|found|say|says|said|went|cost|costs|cut|moves?|keeps?|kept|works?|runs?|\w{2,}(?:ed|n't)|"
    r"\w+'(?:s|re|m|ll|ve|d))\b"
)

_EXPLAINED = re.compile(r"\b\w+(?:'\w+)? (?=\[)")

COSTS: Mapping[str, float] = {
    "unfinished": 0.6,
    "loose end": 0.2,
    "broken": 0.35,
    "goes on": 0.2,
    "points": 0.3,
    "points back": 0.2,
    "pointing": 0.15,
    "shown": 0.4,
    "meeting": 0.7,
    "echo": 0.15,
    "chatter": 0.35,
    "unsure": 0.2,
    "no verb": 0.3,
    "thin": 0.25,
}


def faults(text: str) -> dict[str, float]:
    """What keeps a cleaned sentence from standing alone, and how often (how strongly) it does; empty if nothing."""
    count = len(words(text))
    # What a bracket explains does not point outside.
    pointing = len(_POINTING.findall(_EXPLAINED.sub(" ", text))) / max(1, count)
    broken = len(_BROKEN.findall(text)) if not text.rstrip().endswith("?") else 0
    found = {
        "unfinished": float(bool(_UNFINISHED.search(text))),
        "loose end": float(bool(_LOOSE_END.search(text))),
        "broken": min(2.0, broken),
        "goes on": float(bool(_GOES_ON.search(text))),
        "points": float(bool(_POINTS.search(text)) and not _HAS_NOUN.search(text)),
        "points back": float(bool(_POINTS_BACK.search(text))),
        "pointing": min(3.0, 15 * max(0.0, pointing - 0.08)),
        "shown": float(bool(_SHOWN.search(text))),
        "meeting": float(bool(_MEETING.search(text))),
        "echo": float(bool(_ECHO.search(text))),
        "chatter": float(bool(_CHATTER.search(text))),
        "unsure": float(bool(_UNSURE.search(text))),
        "no verb": float(not _VERB.search(text)),
        "thin": float(count < 6) + float(len(set(terms(text))) < 3),
    }
    return {name: value for name, value in found.items() if value}


def cost(text: str) -> float:
    """What the faults of a sentence cost together."""
    return sum(COSTS[name] * value for name, value in faults(text).items())
