"""Decisions that only the exchange shows: somebody concludes, somebody else agrees; or the meeting's end sums up.

`meetings.summary.kinds` reads one sentence. `So we go for rubber, then.` is a suggestion until somebody answers `Yeah,
okay`, and `it's going to be yellow` is small talk until it stands in a recapitulation. Assent is cheap in speech
(`yeah` mostly means `I am listening`), so what is taken for settled needs the words of a conclusion too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from meetings.people.terms import terms
from meetings.summary.text import plain

# What was concluded and agreed is less sure than `we decided`.
AGREED_STRENGTH = 0.85
RECAP_STRENGTH = 0.8
# The part of a meeting in which it is summed up, and for how many turns a recapitulation goes on.
END = 0.75
RECAP_TURNS = 8


class Sentence(Protocol):
    """What is known of a sentence: its utterances, its words, what it does."""

    @property
    def turns(self) -> tuple[int, ...]: ...

    @property
    def text(self) -> str: ...

    @property
    def raw(self) -> str: ...


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_DOING = (
    r"(?:go(?:ing)? (?:for|with)|stick(?:ing)? (?:to|with)|us(?:e|ing)|tak(?:e|ing)|keep(?:ing)?|skip(?:ping)?|"
    r"drop(?:ping)?|"
    r"hav(?:e|ing)(?! to)|mak(?:e|ing)|includ(?:e|ing)|leav(?:e|ing) out|focus(?:ing)? on|aim(?:ing)? (?:for|"
    r"at)|target(?:ing)?|"
    r"sell(?:ing)?|put(?:ting)?|choos(?:e|ing)|add(?:ing)?(?! up)|do(?:ing)? without)"
)
# `So we'll use rubber`, `let's go for yellow then`: a conclusion says that it is one.
_CONCLUDES = _any(
    rf"^(?:(?:okay|ok|right|alright|well|yeah|good|fine|and|but|no)[, ]+)*(?:so|then)[, ]+(?:then[, ]+|"
    rf"basically[, ]+|I guess |I think )*"
    rf"(?:we|we'll|we will|we're|we are|let's)(?: gonna| going to| not| just| all| also| definitely| then|"
    rf" should)* {_DOING}\b",
    rf"\b(?:we|we'll|we will|we're|let's)(?: gonna| going to| not| just| all| also|"
    rf" definitely)* {_DOING}\b[^?]* then[.!]?$",
    r"^(?:(?:okay|ok|right|alright|well|yeah|good|fine|and)[, ]+)*so[, ]+(?:it's|it is|it'll be|it will be|"
    r"that's) (?:gonna|going to|"
    r"definitely|just)(?: be)?\b",
    r"^(?:(?:okay|ok|right|alright|well|yeah|good|fine|and)[, ]+)*so[, ]+no \w+",
)
# Without such a word it must stand at the opening, and what is done must be a choice.
_PLAINLY = _any(
    r"^(?:(?:so|okay|ok|right|alright|well|yeah|and|but|i think|i guess|(?:it )?(?:sounds|looks|seems) like|"
    r"that means|"
    r"basically|then|definitely)[, ]+)*(?:we're gonna|we're going to|we are going to|we'll|we will|"
    r"let's)(?: just| not| definitely| all| also| "
    r"still| probably)* (?:go for|go with|stick to|stick with|use|have(?! to)|keep|leave out|include|sell|"
    r"focus on|target|aim for|aim at|drop|put)\b"
)
_ASSENT = _any(
    r"^\W*(?:yeah|yes|yep|okay|ok|sure|alright|all right|fine|good|great|exactly|i agree|agreed|that's (?:good|"
    r"fine|okay|right|"
    r"great|cool|true)|sounds (?:good|fine|great)|definitely|perfect|absolutely|i think so|"
    r"that would be (?:good|fine|great)|"
    r"mm-hmm|cool|right|let's do)\b"
)
_OBJECTS = _any(r"\b(?:but|no|not|nope|however|why|or|hm+|if|unless|well|wait|\w+n't)\b|\?")
_UNSURE = _any(
    r"\b(?:maybe|perhaps|possibly|might|could|if|i don't know|dunno|not sure|probably|or something|would|"
    r"whether|suppose|what about|"
    r"how about|or not|i wonder|for example)\b"
)
# Of the meeting, or of nothing: no decision about the matter.
_NOT_IT = _any(
    r"\b(?:meeting|agenda|slides?|presentations?|present|minutes?|white ?board|draw(?:ing)?|break|lunch|pens?|"
    r"look at|see|talk|"
    r"acronyms?|look|rough|(?:what|why|how|which|where) we|we have(?! to)|then we|have to|discuss\w*|start|"
    r"move on|questionnaire|evaluat\w*|vote|points?|scores?|average|seven|sum up|notes?|look back|"
    r"questions?|animal|how|inside|lists?|idea|balance|favou?rite|tally|guess|decide|write|individual|work on|"
    r"be working|problem|time|laptop|document|folder|email|mail|everybody|everyone)\b",
    r"\b(?:do|have|use|take|make|put|need|keep) (?:it|that|this|them|those|one|some|something)\b(?! (?:as|in|on|"
    r"with|for|from|of)\b)",
)
_RECAP = _any(
    r"\b(?:to (?:recap|sum (?:it |this |that )?up|summari[sz]e|wrap up)|let me (?:recap|sum)|in summary|"
    r"just to (?:recap|repeat|"
    r"confirm|go over|make sure|clarify|check)|what (?:have we|we(?:'ve| have)?) (?:decided|agreed|got|"
    r"concluded)|so (?:far )?we(?:'ve| have) "
    r"(?:decided|agreed|got|settled)|decisions?(?: we| that|:)|go over what|recapitulat\w*|conclusions?)\b"
)
_RECAPPED = _any(
    rf"\b(?:we|we'll|we will|we're|we are|it|it's|it'll|it will|they|there)(?:'ve|'s| have| has| is)?(?: gonna|"
    rf" going to| not| just| "
    rf"all| also| definitely| will)* (?:be|decided|agreed|{_DOING})\b"
)
_FEW_TERMS = 2


def settled(sentences: Sequence[Sentence], speakers: Sequence[str], texts: Sequence[str]) -> dict[int, float]:
    """Places of the sentences that the talk around them makes decisions, and how sure that is.

    Args:
        sentences: all sentences in order.
        speakers: who speaks, of each utterance.
        texts: what is said, of each utterance.
    """
    found: dict[int, float] = {}
    recap = -1
    count = len(texts)
    for place, sentence in enumerate(sentences):
        turn, text, raw = sentence.turns[0], sentence.text, plain(sentence.raw)
        late = count >= 40 and turn >= END * count
        if late and _RECAP.search(raw):
            recap = turn
        if len(set(terms(text))) < _FEW_TERMS or _UNSURE.search(raw) or _NOT_IT.search(text) or len(text.split()) > 35:
            continue
        asked = raw.rstrip().endswith("?")
        if not asked and (_CONCLUDES.search(raw) or _PLAINLY.search(text)) and _agreed(sentence, speakers, texts):
            found[place] = AGREED_STRENGTH
        elif (
            recap >= 0
            and turn - recap <= RECAP_TURNS
            and speakers[turn] == speakers[recap]
            and not asked
            and _RECAPPED.search(text)
        ):
            found[place] = RECAP_STRENGTH
    return found


def _agreed(sentence: Sentence, speakers: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether one of the next two turns of others agrees, and none of them objects first."""
    speaker, last = speakers[sentence.turns[-1]], sentence.turns[-1]
    others = [t for t in range(last + 1, min(last + 5, len(texts))) if speakers[t] != speaker][:2]
    for turn in others:
        answer = plain(texts[turn])
        opening = " ".join(answer.split()[:10])
        if _OBJECTS.search(opening):
            return False
        if _ASSENT.search(answer):
            return True
    return False
