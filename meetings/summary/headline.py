"""The line at the top: a language model may propose it, but only what the evidence holds is used.

A candidate must stand on the reader's bullets word for word; the first that does is taken. Otherwise, and without a
model, the headline is made of counts and of the topics' own words, which cannot be wrong.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from meetings.errors import PromptError
from meetings.llm import LanguageModel, without_markers
from meetings.people.terms import STOPWORDS, WEAK, stem, terms, words
from meetings.summary.contract import Bullet
from meetings.summary.ground import check
from meetings.summary.phrases import Phrases, phrases

CANDIDATES = 2
MAX_WORDS = 18
MAX_CHARS = 120
NOTHING = "Nothing was said in this recording."

_SOMEBODY = re.compile(r"\b(?:I|we|you|my|our|your|me|us)\b", re.IGNORECASE)
_BORING = re.compile(
    r"\b(?:meeting|headline|notes?|summary|summarize|team|discuss(?:ed|es|ion)?|here is|sure)\b", re.IGNORECASE
)


def write_headline(
    bullets: Sequence[Bullet],
    *,
    title: str,
    model: LanguageModel | None,
    reader: str = "",
    answers: dict[tuple[str, int], str] | None = None,
    language: str = "en",
) -> tuple[str, str]:
    """The headline, and who wrote it: the model's name or `extract`.

    Args:
        bullets: the reader's bullets that may be told; confidential ones are left out here.
        title: the conversation's title.
        model: who may propose; None for nobody.
        reader: the reader's name, which is no topic.
        answers: what the model answered to a prompt and seed before; readers with the same bullets share the work.
        language: the code of the line's language; another than English gets counts alone.
    """
    told = [b for b in bullets if not b.confidential]
    if language != "en":
        # What makes a topic is known of English alone.
        return counted_headline(told, language=language, title=title), "extract"
    notes = _notes(told)
    if model is not None and notes:
        for candidate in _candidates(notes, model, {} if answers is None else answers):
            if _stands(candidate, told, title):
                return candidate, model.name
    return extractive_headline(told, title=title, reader=reader), "extract"


def _notes(bullets: Sequence[Bullet]) -> tuple[str, ...]:
    """Of the three strongest bullets those that can carry a headline: no questions, nobody's `I` or `we`."""
    fit = [b.text for b in bullets[:3] if not b.text.endswith("?") and not _SOMEBODY.search(b.text)]
    return tuple(fit[:2])


def _candidates(notes: Sequence[str], model: LanguageModel, answers: dict[tuple[str, int], str]) -> Iterator[str]:
    """Proposals one by one: a model is asked again only when its last one did not stand."""
    prompt = "\n".join(f"- {without_markers(' '.join(note.split()))}" for note in notes) + "\n\nHeadline:"
    for seed in range(CANDIDATES):
        if (prompt, seed) not in answers:
            try:
                answers[prompt, seed] = model.complete(
                    prompt, max_tokens=28, temperature=0.0 if seed == 0 else 0.6, seed=seed, stop=["\n"]
                )
            except PromptError:
                # A refusal of these notes: the line is made without the model, and `headline_by` says so.
                answers[prompt, seed] = ""
        answer = answers[prompt, seed].strip()
        line = re.sub(r"^[\s\"'*#“”-]*(?:headline:)?[\s\"'*#“”-]*", "", answer, flags=re.IGNORECASE)
        if line := line.strip("\"'*“” "):
            yield line


def _stands(candidate: str, bullets: Sequence[Bullet], title: str) -> bool:
    """Whether a proposed headline may be used: a short whole line, its content words said in one bullet."""
    if len(candidate) > MAX_CHARS or not 4 <= len(candidate.split()) <= MAX_WORDS or _BORING.search(candidate):
        return False
    if re.search(r"[\n<>\[\]#@|`]|https?:", candidate) or _SOMEBODY.search(candidate):
        return False
    # A line that breaks off was cut by the token limit.
    if re.search(r"\b(?:the|a|an|and|or|of|to|for|in|on|with|by|at|is|are|will)[.…]?$", candidate, re.IGNORECASE):
        return False
    evidence = [b.text for b in bullets]
    said = set(terms(" ".join(evidence))) | set(terms(title))
    content = set(terms(candidate))
    if len(content) < 3 or not content <= said:
        return False
    # Words of four different bullets strung together say something that nobody said: one bullet must carry the line.
    carried = max(len(content & set(terms(b.text))) for b in bullets) / len(content)
    best = max(bullets, key=lambda b: len(content & set(terms(b.text))))
    return carried >= 0.8 and check(candidate, [best.text, title]).ok


def extractive_headline(bullets: Sequence[Bullet], *, title: str, reader: str = "") -> str:
    """A headline of topics and counts: `Load test, table reading, price: two decisions, one task for you`."""
    if not bullets:
        return (
            f"{title}: nothing in it seems to concern you." if title else "Nothing in this call seems to concern you."
        )
    counts = _counts(bullets, phrases("en"))
    topics = topic_words(
        bullets,
        names={w for n in {reader, *(n for b in bullets for n in (b.speaker, b.owner or ""))} for w in words(n)},
    )
    line = f"{', '.join(topics)}: {counts}" if topics else counts
    return line[:1].upper() + line[1:]


def counted_headline(bullets: Sequence[Bullet], *, language: str, title: str = "") -> str:
    """A headline of counts under the call's title, in another language."""
    words = phrases(language)
    if not bullets:
        return f"{title}: {words.text('nothing')}" if title else words.text("nothing")
    line = _counts(bullets, words)
    return f"{title}: {line}" if title else line[:1].upper() + line[1:]


def _counts(bullets: Sequence[Bullet], words: Phrases) -> str:
    asked = sum(b.kind == "for_you" and b.text.endswith("?") for b in bullets)
    found = {
        "task": sum(b.mine and b.kind == "action" for b in bullets),
        "question": asked,
        "mention": sum(b.kind == "for_you" for b in bullets) - asked,
        "decision": sum(b.kind == "decision" for b in bullets),
    }
    parts = [words.count(what, number) for what, number in found.items() if number]
    return ", ".join(parts) or words.count("point", len(bullets))


def topic_words(bullets: Sequence[Bullet], *, names: Collection[str] = (), limit: int = 3) -> list[str]:
    """The nouns-in-practice of the bullets: pairs of neighbouring content words, else single ones."""
    score: dict[str, float] = defaultdict(float)
    shown: dict[str, str] = {}
    for weight, bullet in ((1 / (1 + n), b) for n, b in enumerate(bullets)):
        spoken = words(bullet.text)
        good = [
            w not in STOPWORDS and len(w) > 2 and stem(w) not in WEAK and w not in names and w.isalpha() for w in spoken
        ]
        for i, word in enumerate(spoken):
            if not good[i]:
                continue
            key = stem(word)
            score[key] += weight * 0.6
            shown.setdefault(key, _as_written(bullet.text, word))
            if i + 1 < len(spoken) and good[i + 1] and _adjacent(bullet.text, word, spoken[i + 1]):
                pair = f"{key} {stem(spoken[i + 1])}"
                score[pair] += weight
                shown.setdefault(pair, _as_written(bullet.text, f"{word} {spoken[i + 1]}"))
    chosen: list[str] = []
    used: set[str] = set()
    for key, _ in sorted(score.items(), key=lambda item: (-item[1], item[0])):
        if len(chosen) < limit and not used & set(key.split()):
            chosen.append(shown[key])
            used |= set(key.split())
    return chosen


def _as_written(text: str, topic: str) -> str:
    """A topic as its bullet writes it, so that names keep their capitals; the first word of a bullet has no say."""
    found = re.search(rf"(?<=\w )\b{re.escape(topic)}\b", text, re.IGNORECASE)
    return found.group() if found else topic


def _adjacent(text: str, first: str, second: str) -> bool:
    return bool(re.search(rf"{re.escape(first)}[ -]{re.escape(second)}", text.lower().replace("’", "'")))
