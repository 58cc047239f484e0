"""What a text claims, clause by clause: its content, whether it denies, how firmly it commits.

Clauses are compared with the clauses that were said. English only; a few rules and the word list `lexicon.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml

from meetings.people.terms import STOPWORDS, stem, words
from meetings.summary.figures import NUMBER_WORDS, dates, said_numbers

_LEXICON = yaml.safe_load((resources.files("meetings.summary") / "lexicon.yml").read_text(encoding="utf-8"))
TELLING = frozenset(stem(w) for w in str(_LEXICON["telling"]).split())
SAYING = frozenset(str(_LEXICON["saying"]).split())
DENYING = frozenset(str(_LEXICON["denying"]).split())
PERHAPS_DENYING = frozenset(str(_LEXICON["perhaps denying"]).split())
OPPOSITE = tuple((stem(a), stem(b)) for a, b in _LEXICON["opposite"])

_CAMPS: dict[str, set[tuple[int, int]]] = {}
for _number, _camps in enumerate(_LEXICON["camps"]):
    for _side, _words in enumerate(_camps):
        for _word in str(_words).split():
            _CAMPS.setdefault(stem(_word), set()).add((_number, _side))

_NOT = re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|unless|cannot|no one|\w+n't)\b")
# They deny nothing: `why don't we`, `no problem`, `not only`.
_NO_DENIAL = re.compile(
    r"\b(?:why (?:don't|not)|no problem|not only|no doubt|not just|isn't it|aren't they|doesn't it|right\?|no,|"
    r"if not|or not|(?:leads?|numbers?) no|don't worry|no worries)"
)
_OUT = re.compile(
    r"\b(?:is|are|be|was|'s|ruled?|rules) out\b(?! of)|\b(?:leave|leaves|left|leaving)(?: \w+){0,3} out\b"
)

# How firmly a clause commits: 0 possible, wished or asked; 1 able or intended; 2 firm.
_POSSIBLE = re.compile(
    r"\b(?:might|maybe|perhaps|could|possibly|probably|potentially|likely|not sure|unsure|let me (?:check|see|think)|"
    r"(?:i'd|we'd|would|they'd) (?:really )?(?:like|love|prefer|want)|i want|we want|i wish|hope|hopes|hoping|"
    r"propos\w+|suggest\w*|consider\w*|what if|we'll see|wonder\w*|depends on|depending|possible|option|whether|"
    r"asks?|asked|requests?|requested|wants?|wanted|offers?|offered|would like|potential|unless|provided|"
    r"considers?|in case|should we|shall we|idea|aims?|target|goal|i'd say|recommend\w*|tentative\w*|as long as)\b|"
    r"(?<!\d )(?<!in )(?<!by )(?<!of )(?<!until )(?<!before )(?<!since )(?<!from )\bmay\b(?! \d)"
)
_CONDITION = re.compile(r"\b(?:if|unless|provided|as long as|depending|depends|in case)\b")
_ABLE = re.compile(r"\b(?:can|should|plans? to|planned|planning|intends?|try|tries|trying|able|ought|supposed)\b")
_COMMITS = re.compile(
    r"\b(?:will|won't|must|has to|have to|is to|are to|was|were|has|have|had|decided|agreed|settled|required|moves|"
    r"goes|go|gets|get|starts|ships|launches|takes over|costs?|stays|posts|sends|finishes|closes|opens|means|makes|"
    r"uses?|put|\w+ed)\b"
)
_DUTY = re.compile(
    r"\b(?:must|has to|have to|had to|need|needs|needed|required|requires?|mandatory|got to|gotta|blocker|deadline|"
    r"can't|cannot|not allowed|obliged|please)\b"
)
_DECIDED = re.compile(r"\b(?:decided|agreed|approved|settled|confirmed|decision)\b")
_SETTLES = re.compile(
    r"\b(?:let's|we go (?:for|with)|go with|stick with|yes|yeah|okay|ok|right|exactly|sure|fine|deal|is out|we'll|"
    r"we will|decide|agree)\b"
)
_CLAUSE = re.compile(
    r"(?<=[.!?;:])\s+|,\s+|\s+(?=(?:but|because|although|though|while|whereas|since|if|unless|unlike|so (?!that|far)|"
    r"as (?!well|soon|long|far|much|many|a|an|of|if|in|for|on|at|planned|usual)\w)\b)"
)


def key_of(word: str) -> str:
    # `replied` and `reply` meet.
    root = stem(word)
    return root[:-1] + "y" if len(root) > 3 and root.endswith("i") else root


def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for number, group in enumerate(_LEXICON["same"]):
        for word in str(group).split():
            found.setdefault(key_of(word), set()).add(f"={number}")
    return {word: frozenset(groups) for word, groups in found.items()}


_SAME = _groups()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause: who says it (empty if nobody knows), in which line and sentence it stands, and what it holds.

    `keys` are stems, `#25` for numbers and `@friday` for dates; `firm` is 0 (possible, wished, asked), 1 (able,
    intended) or 2; `denies` whether it says no (see `denies`).
    """

    text: str
    speaker: str
    line: int
    sentence: int
    asked: bool
    keys: frozenset[str]
    firm: int
    denies: tuple[bool, bool]
    conditional: bool


@lru_cache(maxsize=4096)
def keys_of(text: str) -> frozenset[str]:
    """What a text holds that can be looked for elsewhere."""
    found = {
        key_of(w)
        for part in words(text.replace("-", " "))
        for w in [part.removesuffix("'s")]
        if w not in STOPWORDS and len(w) > 1 and not w[0].isdigit() and w not in NUMBER_WORDS and not w.endswith("n't")
    }
    when = dates(text)
    found -= {stem(w) for d in when for w in d.split()}
    found -= {"percent", "euro", "dollar"}
    found |= {f"#{n}" for n in said_numbers(text) if n not in {"0"}} - {"#1"}
    return frozenset(found | {f"@{d}" for d in when})


def alike(one: str, other: str) -> bool:
    """Whether two keys say the same, as far as the word list knows."""
    if one == other:
        return True
    if one[0] in "#@" or other[0] in "#@":
        return False
    if min(len(one), len(other)) >= 5 and (one.startswith(other) or other.startswith(one)):
        return True
    return bool(_SAME.get(one, frozenset()) & _SAME.get(other, frozenset()))


def held(key: str, keys: frozenset[str]) -> bool:
    """Whether one of the keys says the same."""
    return key in keys or any(alike(key, k) for k in keys)


def clauses(text: str, *, speaker: str = "", line: int = 0) -> list[Clause]:
    """The clauses of one line; what has no content of its own joins its neighbour."""
    found: list[Clause] = []
    for number, sentence in enumerate(re.split(r"(?<=[.!?;])\s+", text.replace("’", "'"))):
        pieces: list[str] = []
        for piece in (p for p in _CLAUSE.split(sentence) if p and p.strip()):
            if pieces and (not keys_of(piece) or not keys_of(pieces[-1])):
                pieces[-1] += f", {piece}"
            else:
                pieces.append(piece)
        found += [
            Clause(
                text=piece,
                speaker=speaker,
                line=line,
                sentence=number,
                asked=sentence.rstrip().endswith("?"),
                keys=keys_of(piece),
                firm=0 if sentence.rstrip().endswith("?") else firmness(piece),
                denies=denies(piece),
                conditional=bool(_CONDITION.search(sentence.lower())),
            )
            for piece in pieces
        ]
    return found


def denies(text: str) -> tuple[bool, bool]:
    """Whether a clause says no, an odd number of times: by words that only deny, and with verbs like `remove` too.

    `Don't remove it` and `keep it` are alike by the second count, `it drops the row` and `it loses it` by the first.
    """
    low = _NO_DENIAL.sub(" ", text.lower().replace("cannot", "can not"))
    low = re.sub(r"\bno longer\b", "not", low)
    count = len(_NOT.findall(low)) + sum(w in DENYING for w in words(low))
    more = count + len(_OUT.findall(low)) + sum(w in PERHAPS_DENYING for w in words(low))
    return count % 2 == 1, more % 2 == 1


def firmness(text: str) -> int:
    """How firmly a clause commits: 0 possible, wished or asked, 1 able or intended, 2 firm."""
    low = re.sub(r"\b(?:can't|cannot|can not|couldn't) ", " ", text.lower())
    if _POSSIBLE.search(low):
        return 0
    return 1 if _ABLE.search(low) else 2


def overstated(text: str, said: str) -> list[str]:
    """Duties and decisions that a text tells and nothing said amounts to."""
    low, heard = text.lower(), said.lower()
    found = []
    if re.search(r"\b(?:must|has to|have to|required|mandatory)\b", low) and not _DUTY.search(heard):
        found.append("must")
    if _DECIDED.search(low) and not (_DECIDED.search(heard) or _SETTLES.search(heard)):
        found.append("decided")
    return found


def opposites(text: str, said: str) -> list[tuple[str, str]]:
    """Words of a text whose opposite was said and which themselves were not."""
    here, there = {stem(w) for w in words(text)}, {stem(w) for w in words(said)}
    return [
        (a, b)
        for one, two in OPPOSITE
        for a, b in ((one, two), (two, one))
        if a in here and b in there and a not in there and b not in here
    ]


def other_camp(word: str, said: Sequence[str]) -> bool:
    """Whether the camp opposed to a word's own was heard, and its own was not (see `lexicon.yml`)."""
    heard = {camp for w in said for camp in _CAMPS.get(stem(w), ())}
    return any((n, 1 - side) in heard and (n, side) not in heard for n, side in _CAMPS.get(stem(word), ()))


def commits(text: str) -> bool:
    """Whether a clause tells a plan, a duty, a decision or a thing done, so that it matters how firmly it was said."""
    return bool(_COMMITS.search(text.lower()))


def before_denial(text: str) -> str:
    """What stands before the first word that denies: what is denied something of."""
    match = re.search(r"\b(?:not|never|cannot|\w+n't)\b", text.lower())
    return text[: match.start()] if match else ""


def cover(
    claim: frozenset[str], said: Sequence[Clause], verbs: frozenset[str] = frozenset()
) -> list[tuple[Clause, frozenset[str]]]:
    """The clauses that a claim stands on with what each adds, the one it shares most with first.

    Args:
        claim: the keys to be found.
        said: where.
        verbs: what the claim says is done; clauses in which that is done count more.
    """
    doing = {c: 0.5 for c in said if any(held(v, spoken(c.text)) for v in verbs)}
    left = set(claim)
    chosen: list[tuple[Clause, frozenset[str]]] = []
    rest = list(said)
    while left and rest:
        best = max(
            rest,
            key=lambda c: (sum(held(k, c.keys) for k in left) + doing.get(c, 0.0), not c.asked, -len(c.keys), c.line),
        )
        gained = frozenset(k for k in left if held(k, best.keys))
        if not gained:
            break
        chosen.append((best, gained))
        rest.remove(best)
        left -= gained
    return chosen


_AUXILIARY = re.compile(
    r"\b(?:will|would|'ll|won't|wouldn't|must|can|can't|cannot|could|shall|should|might|may|is|are|was|were|be|been|has|"
    r"have|had|isn't|aren't|wasn't|(?:going|has|have|had|needs?) to|don't|doesn't|didn't|do|does|did)\s+"
    r"(?:(?:also|already|now|probably|only|not|be|been|have|then|\w+ly)\s+)*"
    r"(?!(?:the|a|an|no|it|that|this|in|on|at|for|of|my|our|your)\b)([a-z]+)"
)


def acts(text: str) -> frozenset[str]:
    """Stems of the verbs that a clause has behind its auxiliaries: what will, can or has been done."""
    return frozenset(stem(m.group(1)) for m in _AUXILIARY.finditer(text.lower()))


def spoken(text: str) -> frozenset[str]:
    """Stems of all words of a text, function words too."""
    return frozenset(stem(w) for w in words(text))
