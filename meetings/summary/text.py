"""From speech to something one can read: sentences out of utterances, and sentences without what speech adds to them.

Cleaning only ever leaves words out: fillers, repetitions, broken-off words, openings that carry nothing. What is left
stands in the order in which it was said; `meetings.summary.ground` checks that, and that nothing left out mattered.
"""

from __future__ import annotations

import re

MAX_CHARS = 200

# Notes of a transcriber or a recogniser: {vocalsound}, [Music], (inaudible), ♪.
_MARKS = re.compile(r"\{[^{}]*\}|\[[^\[\]]{0,40}\]|\((?:inaudible|laughs?|laughter|music|applause)\)|♪", re.IGNORECASE)
_FILLERS = re.compile(
    r"(?<![\w'’-])(?:u+h+m*|u+m+|e+rm?|h+m+|m+h*m+|mm-hmm|uh-huh|a+h+|oh|eh|huh)(?![\w'’-])[,.…]?", re.IGNORECASE
)
_FILLERS_CUT = re.compile(r"(?<![\w'’-])'[Kk]ay(?![\w'’-])[,.…]?")
# What is left of words that were not finished. Single letters too: acronyms are written in capitals, `plan b` is meant.
_FRAGMENT = re.compile(
    r"(?<![\w'’.&/-])(?:[Tt]h|[Ww]h|[Jj]u|[Ss]h|[Tt]ha|[Tt]hi|[Ww]ou|[Ss]hou|[Cc]ou|[Bb]eca|[Bb]ecau|"
    r"[b-hj-np-z])(?![\w'’.&/-])"
)
_LETTER_MEANT = re.compile(
    r"\b(?:plan|option|version|type|class|vitamin|letter|button|key|step|part|point|grade|team|variant|group|by|"
    r"times|"
    r"column|row|section|appendix|series|drive|the|a|an|is|or|and) $",
    re.IGNORECASE,
)
# `We should we need to`: begun with one verb, said with another. After `if I can` nothing was begun anew.
_RESTART = re.compile(
    r"(?<![\w'’])(?P<who>i|we|you|they|he|she|it)(?:'(?:s|re|m|ll|d|ve))?(?: (?:am|are|is|was|were|would|could|"
    r"should|can|"
    r"will|might|have|had|do|did|just|also))? (?=(?P=who)\b(?: |'))",
    re.IGNORECASE,
)
_CLAUSE_BEFORE = re.compile(
    r"\b(?:if|when|what|whatever|that|as|because|how|where|who|which|while|before|after|than|unless|everything|"
    r"all|do|"
    r"does|did|can|could|will|would|should|are|is|was|were|have|had|though) $",
    re.IGNORECASE,
)
# Said without commas, where they carry nothing: not in `do you know`, `what I mean`, `the kind of button`.
_BARE_ASIDES = re.compile(
    r"(?<!do )(?<!did )(?<!don't )(?<!if )(?<!as )(?<!that )(?<!let )(?<!would )(?<!should )"
    r"(?<!may )(?<!might )(?<!what )(?<!how )(?<!once )"
    r"\byou know\b(?! (?:what|how|who|where|why|when|which|that|if|whether|about|the|this|it|a|an|my|your|our)\b)"
    r"(?=\s+\w)|"
    r"(?<!what )(?<!that )(?<!not )(?<!which )\bi mean\b(?! (?:that|by|to)\b)(?=\s+\w)|"
    r"(?:(?<=\bjust )|(?<=\bis )|(?<=\bare )|(?<=\bwas )|(?<=\bbe )|(?<=\bto )|(?<=\bwe )|(?<=\bi )|(?<=\byou )|"
    r"(?<='s )|(?<='re )|"
    r"(?<=\bthen )|(?<=\band ))(?:sort of|kind of|kinda)(?: like)?\b(?=\s+\w)",
    re.IGNORECASE,
)
# Said after the point: the speaker gives the word away.
_TRAILING = re.compile(
    r"[\s,;]+(?:and so|but yeah|and yeah|so yeah|and then|and stuff|do you know what i mean|if you know what i mean|"
    r"you know what i mean|you know|i mean|yeah|(?<!think )(?<!hope )(?<!guess )(?<!do )(?<!say )(?<!said )"
    r"(?<!suppose )(?<!not )(?<!or )(?<!even )(?<!did )(?<!is )(?<!are )(?<!was )(?<!and )so|and|but|or|because|"
    r"'cause)\s*(?P<stop>[.…]?)$",
    re.IGNORECASE,
)
# Phrases that speech drops in between commas; without the commas they may mean something.
_ASIDES = re.compile(
    r"(?:,|^)\s*(?:you know|i mean|like|sort of|kind of|let's say|how do you say|right|okay|you see|well)\s*,\s*",
    re.IGNORECASE,
)
# Openings of a sentence that carry nothing.
_OPENING = re.compile(
    r"^(?:(?:and|so|well|okay|ok|alright|all right|right|yeah|yep|now|anyway|then|also|basically|actually|"
    r"i mean|you know|"
    r"like|great|cool|perfect|sure|thanks|thank you)\b(?:\s*[,.;:…-]+\s*|\s+(?=\S)))+",
    re.IGNORECASE,
)
# `Yes, I will ...` answers a request; the promise stands alone.
_ASSENT = re.compile(
    r"^(?:yes|sure|of course|no problem|absolutely)\b[,.!]?\s+(?=i(?:'ll| will| can)\b)", re.IGNORECASE
)
_SAFE_OPENING = re.compile(
    r"^(?:and|so|well|okay|ok|alright|now|anyway|basically|i mean|you know|yeah|yep)\s", re.IGNORECASE
)
# A broken-off word: "th- the", "sec– security".
_BROKEN = re.compile(r"(?<![\w'’-])[^\W\d_]{1,12}[-–—]+(?=[\s,.]|$)(?![-–—]*\s*[-–—])")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_NUMBER_WORD = re.compile(
    r"^(?:\d.*|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred|thousand|"
    r"million|billion|point|oh|double)$"
)
# A word begun and begun again: "w we", "th the"; two letters at most, so that no whole word is lost.
_BEGUN = re.compile(
    r"(?<![\w'’])(?!(?:a|i|an|as|at|be|by|do|go|he|if|in|is|it|me|my|no|of|on|or|so|to|up|us|we)\b)"
    r"([^\W\d_]{1,2})\s+(?=\1[^\W\d_]+)",
    re.IGNORECASE,
)
# Sentences whose only content is the running of the meeting.
_HAND_OVER = re.compile(
    r"^(?:(?:and |so |okay |ok |now |well |right |alright )*)"
    r"(?:(?:\w+ )?over to you(?: for \w+(?: \w+){0,3})?|(?:\w+ )?back to you|(?:\w+ )?go ahead|"
    r"(?:\w+ )?your turn|you(?:'re| are) (?:up|next|muted|on mute)|"
    r"(?:many )?thank(?:s| you)(?: (?:so|very) much| a lot| everyone| everybody| all| for \w+(?: \w+){0,4})?|"
    r"(?:any|no) (?:other |more |further )?questions|next (?:slide|one|item|point|topic)(?: please)?|"
    r"can (?:you|everyone|everybody) (?:hear|see)(?: me| my screen| this| it)*(?: now| okay)?|"
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|bye|goodbye|see you|talk (?:soon|later)|"
    r"welcome)(?: \w+){0,3}|"
    r"let(?:'s| us) (?:start|begin|get started|move on|continue|go on|wrap up)(?: \w+){0,3}|moving on|"
    r"that(?:'s| is) (?:it|all)(?: from (?:me|my side)| for (?:me|today|now))?|"
    r"i(?:'ll| will| would like to|'d like to) (?:hand|pass|give) (?:it |you )?(?:over |on )?to \w+(?: \w+)?|"
    r"(?:yes|yeah|no|okay|ok|sure|right|great|good|fine|perfect|exactly|agreed|absolutely|of course|will do|"
    r"sounds good|"
    r"makes sense|i see|i know|i think so|got it|cool|nice|true|indeed|alright|yep|nope|hm)"
    r"(?:[ ,]+(?:yes|yeah|no|okay|ok|sure|right|great|good|fine|thanks|thank you|cool|exactly|of course|then|"
    r"so)){0,4}"
    r")(?:[ ,]+[^\W\d_]+)?$",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|approx|inc|ltd|no|fig)\.$", re.IGNORECASE)


def plain(text: str) -> str:
    """One line without transcriber's marks and with punctuation joined to its word."""
    text = _MARKS.sub(" ", text).replace("’", "'")
    text = " ".join(text.split())
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    # Treebank style, as in the AMI transcripts: `do n't`, `it 's`.
    text = re.sub(r"(\w) (n't|'(?:s|re|ve|ll|d|m))\b", r"\1\2", text)
    # Spelled letter by letter, as in the AMI transcripts: `L_C_D_`.
    text = re.sub(r"\b(?:[A-Z]_)+(?![A-Z])", lambda m: m.group().replace("_", ""), text)
    return re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)


def sentences(text: str) -> list[str]:
    """The sentences of a text; a long run without full stops is cut before its conjunctions."""
    parts: list[str] = []
    for piece in re.split(r"(?<=[.!?…])\s+", plain(text)):
        if parts and (_ABBREVIATION.search(parts[-1]) or re.search(r"\b[A-Z]\.$", parts[-1])):
            parts[-1] += " " + piece
        elif piece.strip():
            parts.append(piece)
    return [chunk for part in parts for chunk in _chunks(part)]


def _chunks(sentence: str, limit: int = 34) -> list[str]:
    """A sentence of more than `limit` words in pieces, cut before `and then`, `so`, `but` and the like."""
    if len(sentence.split()) <= limit:
        return [sentence]
    pieces = re.split(
        r"(?<=\w{3})[,;]?\s+(?=(?:(?:and|so|but|because)(?: then| so| if| also| maybe)? (?:i|we|you|they|he|she|"
        r"it|there|the|"
        r"that|this|our)(?:'\w+)?|and then|and so)\s)|(?<=\w{3}),?\s+(?=(?:so|but|because)\s)",
        sentence,
        flags=re.IGNORECASE,
    )
    chunks = [pieces[0]]
    for piece in pieces[1:]:
        if len(chunks[-1].split()) + len(piece.split()) <= limit // 2 or len(chunks[-1].split()) < 6:
            chunks[-1] += " " + piece
        else:
            chunks.append(piece)
    return chunks


def is_complete(text: str) -> bool:
    """Whether a text ends like a sentence, so that the next utterance does not go on with it."""
    return bool(re.search(r"[.!?…][\"')]*$", text.strip()))


def is_hand_over(sentence: str) -> bool:
    """Whether a sentence only runs the meeting: greetings, thanks, `over to you`, bare assent."""
    bare = re.sub(r"[^\w' ]+", " ", clean(sentence, opening=False))
    bare = " ".join(bare.split())
    return not bare or bool(_HAND_OVER.match(bare)) or len(_WORD.findall(bare)) < 2


def clean(sentence: str, *, opening: bool = True) -> str:
    """A sentence without fillers, repetitions, broken-off words and empty openings; a capital first, a stop last.

    Args:
        sentence: what was said.
        opening: also leave out openings like `so`, `well`, `okay`.
    """
    text = plain(sentence)
    text = _BROKEN.sub(" ", text)
    text = _FILLERS.sub(" ", text)
    text = _FILLERS_CUT.sub(" ", text)
    text = _BEGUN.sub("", text)
    text = _FRAGMENT.sub(lambda m: m.group() if _letter_meant(m) else " ", text)
    for _ in range(4):
        before = text
        text = _ASIDES.sub(" ", text)
        text = _BARE_ASIDES.sub(" ", text)
        text = _without_repetitions(_tidy(text))
        text = _RESTART.sub(lambda m: m.group() if _CLAUSE_BEFORE.search(m.string[: m.start()]) else "", text)
        text = _TRAILING.sub(r"\g<stop>", text)
        if opening:
            text = _without_opening(text)
        if text == before:
            break
    return finish(text)


def _letter_meant(found: re.Match[str]) -> bool:
    return len(found.group()) == 1 and bool(_LETTER_MEANT.search(found.string[: found.start()]))


def finish(text: str) -> str:
    """A capital first and a stop last; empty if there is no word in it."""
    text = _tidy(text)
    if not _WORD.search(text):
        return ""
    text = text[0].upper() + text[1:]
    return text if re.search(r"[.!?…]$", text) else text.rstrip(",;:-–— ") + "."


def _tidy(text: str) -> str:
    text = " ".join(text.split())
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    text = re.sub(r"[,;:]\s*([.!?…])", r"\1", text)
    text = re.sub(r"([.!?…])\s*[,;:]", r"\1", text)
    return text.strip(" ,;:-–—")


def _without_opening(text: str) -> str:
    text = _ASSENT.sub("", text)
    match = _OPENING.match(text)
    if not match or match.end() >= len(text):
        return text
    rest = text[match.end() :]
    # `so` before an adjective, `right` as a side, `now` as a time: without a comma only the safe ones go.
    if not re.search(r"[,.;:…-]\s*$", match.group()):
        safe = _SAFE_OPENING.match(text)
        if not safe or re.match(r"^so (?:that|far|many|much|long|called)\b", text, re.IGNORECASE):
            return text
        rest = text[safe.end() :]
    return rest if len(_WORD.findall(rest)) >= 3 else text


def _without_repetitions(text: str, longest: int = 5) -> str:
    """Leave out words said twice in a row: `I I think`, `we need, we need to`. Numbers stay: they may be meant."""
    words = list(_WORD.finditer(text))
    keys = [w.group().lower() for w in words]
    if len(set(keys)) == len(keys):
        return text
    drop: set[int] = set()
    i = 0
    while i < len(keys):
        for size in range(min(longest, (len(keys) - i) // 2), 0, -1):
            first, second = keys[i : i + size], keys[i + size : i + 2 * size]
            between = text[words[i + size - 1].end() : words[i + size].start()]
            meant = (
                any(_NUMBER_WORD.match(k) for k in first)
                or (first[0] in {"very", "really", "much", "more", "bye", "had", "that", "no"} and size == 1)
                or any(c in between for c in ".!?")
            )
            if first == second and not meant:
                drop.update(range(i, i + size))
                i += size - 1
                break
        i += 1
    if not drop:
        return text
    kept: list[str] = []
    position = 0
    for index, word in enumerate(words):
        if index in drop:
            kept.append(text[position : word.start()])
            position = words[index + 1].start() if index + 1 < len(words) else word.end()
    kept.append(text[position:])
    return "".join(kept)


_UNFINISHED = re.compile(
    r"\b(?:the|a|an|and|or|but|of|to|because|if|our|your|my|their|is|are|was|were|i'm|we're|it's|that's|very|i|"
    r"we|than|as|"
    r"just|gonna|wanna|would|could|should|will|with|for|in|at|from|which|who|when)[\s,.;:…]*$",
    re.IGNORECASE,
)


def shorten(text: str, *, keep: str = "", limit: int = MAX_CHARS) -> str:
    """At most `limit` characters, cut at clauses; what was left out at either end shows as `…`.

    Args:
        text: a cleaned sentence.
        keep: a part that must stay in, a due date for instance.
        limit: characters.
    """
    if len(text) <= limit:
        return text
    clauses = [c for c in re.split(r"(?<=[,;:])\s+|\s+(?=(?:and|but|so|because|which|then)\s)", text) if c]
    best = (-1, 0, 0)
    for first in range(len(clauses)):
        for last in range(first + 1, len(clauses) + 1):
            piece = " ".join(clauses[first:last])
            if len(piece) > limit - 4:
                break
            value = len(piece) + (10_000 if keep and keep.lower() in piece.lower() else 0) - 3 * first
            # Better a whole clause than a long one.
            value -= 80 * (first > 0) + 60 * bool(_UNFINISHED.search(piece))
            best = max(best, (value, first, last), key=lambda b: b[0])
    if best[0] < 0:
        return _cut_words(text, limit)
    _, first, last = best
    piece = " ".join(clauses[first:last]).strip(" ,;:")
    head = "… " if first else ""
    tail = " …" if last < len(clauses) else ""
    return head + (finish(piece) if not tail else piece[0].upper() + piece[1:] if not head else piece) + tail


def _cut_words(text: str, limit: int) -> str:
    cut = text[: limit - 2]
    return (cut[: cut.rfind(" ")] if " " in cut else cut).rstrip(" ,;:") + " …"
