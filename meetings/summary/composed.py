"""From a model's claims to a reader's bullets: what stands is kept, the rest becomes a quotation, nothing is lost.

Of a claim only its sentence is taken, and only if it stands on its lines. Who says it, when, to whom it falls, until
when, its kind and the reason come from our own reading of those lines. What falls to the reader and what was clearly
decided is in every summary, whether the model saw it or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meetings.conversation import Conversation
from meetings.llm import LanguageModel, TextEmbedder
from meetings.people.terms import terms
from meetings.summary.compose import Claim, Draft
from meetings.summary.contract import Bullet
from meetings.summary.evidence import Evidence, Talk
from meetings.summary.rewrite import rewrite_each, stands, tidy
from meetings.summary.select import BAR, ROOM, Choice, Selection, by_claim, choice_for, same_matter
from meetings.summary.statements import Statement
from meetings.summary.write import extract, in_own_words

# That an admitted model chose a statement for a reader carries it over the bar, unless something speaks against it.
VOTE = 0.6
# From this strength on a decision is told to everyone.
CLEAR = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A bullet, the choice behind it, and whether grounding sent it back."""

    choice: Choice
    bullet: Bullet
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A reader's entries, best first.

    `refused` notes and bullets did not stand, `left_out` bullets had no room, `unanswered` prompts got no answer that
    could be used.
    """

    entries: tuple[Entry, ...]
    refused: int = 0
    left_out: int = 0
    unanswered: int = 0

    @property
    def bullets(self) -> tuple[Bullet, ...]:
        """The entries' bullets."""
        return tuple(e.bullet for e in self.entries)


def compose_entries(
    draft: Draft,
    selection: Selection,
    talk: Talk,
    evidence: Evidence,
    *,
    attended: bool,
    known_names: Sequence[str] = (),
    embedder: TextEmbedder | None = None,
) -> Written:
    """What one reader gets of a draft.

    Args:
        draft: what the model wrote for them.
        selection: what `select` chose for them.
        talk: the conversation.
        evidence: what it holds for them.
        attended: whether they were there.
        known_names: names of people, which must not come in unsaid.
        embedder: says how close a sentence is in meaning.
    """
    conversation = talk.conversation
    entries: list[Entry] = []
    refused = draft.malformed
    for claim in draft.claims:
        text = tidy(claim.note.text)
        behind = standing_on(text, claim, known_names, embedder)
        if behind:
            entry = _in_words(text, behind, claim, talk, evidence, attended=attended)
        else:
            refused += 1
            found = _strongest(claim.statements, talk, evidence, attended=attended)
            if found is None:
                continue
            bullet, raw = extract(found, conversation)
            entry = Entry(choice=found, bullet=bullet, refused=raw)
        if entry.choice.score >= BAR and not any(same_matter(talk, entry.choice, e.choice) for e in entries):
            entries.append(entry)
    missing = [c for c in selection.choices if not any(same_matter(talk, c, e.choice) for e in entries)]
    # A model of which nothing stands has not chosen either.
    nothing = not any(e.bullet.writer == "compose" for e in entries)
    needed = [c for c in missing if nothing or _must_be_told(c)]
    for choice in needed:
        bullet, raw = extract(choice, conversation)
        entries.append(Entry(choice=choice, bullet=bullet, refused=raw))
    entries.sort(key=lambda e: by_claim(e.choice))
    room = ROOM.get(evidence.persona.person.length or "medium", ROOM["medium"])
    kept = sorted(entries[:room], key=lambda e: (-e.choice.score, e.choice.point.index))
    left_out = selection.left_out + len(missing) - len(needed) + len(entries[room:])
    return Written(
        entries=tuple(kept),
        refused=refused + sum(e.refused for e in kept),
        left_out=left_out,
        unanswered=draft.unanswered,
    )


def quote_entries(selection: Selection, conversation: Conversation) -> Written:
    """A reader's choices, each as a quotation."""
    quoted = [(choice, *extract(choice, conversation)) for choice in selection.choices]
    entries = tuple(Entry(choice=choice, bullet=bullet, refused=refused) for choice, bullet, refused in quoted)
    return Written(entries=entries, refused=sum(e.refused for e in entries), left_out=selection.left_out)


def rewrite_entries(
    written: Sequence[Written],
    model: LanguageModel,
    *,
    known_names: Sequence[str] = (),
    embedder: TextEmbedder | None = None,
) -> list[Written]:
    """Quotations in a model's words where they stand, asked for all readers together.

    What was said in confidence stays a quotation: it is weighed word by word.

    Raises:
        LanguageModelError: the model failed.
    """
    asked = [
        (reader, place)
        for reader, one in enumerate(written)
        for place, entry in enumerate(one.entries)
        if entry.bullet.writer == "extract" and not entry.bullet.confidential
    ]
    parts = [in_own_words(written[r].entries[p].choice, known_names) for r, p in asked]
    texts = rewrite_each(parts, model, embedder=embedder)
    entries = [list(one.entries) for one in written]
    again = [0] * len(written)
    for (reader, place), text in zip(asked, texts, strict=True):
        entry = entries[reader][place]
        if text is None:
            again[reader] += not entry.refused
            entries[reader][place] = replace(entry, refused=True)
        else:
            entries[reader][place] = replace(entry, bullet=replace(entry.bullet, text=text, writer="rewrite"))
    return [
        replace(one, entries=tuple(new), refused=one.refused + more)
        for one, new, more in zip(written, entries, again, strict=True)
    ]


def standing_on(
    text: str, claim: Claim, known_names: Sequence[str] = (), embedder: TextEmbedder | None = None
) -> tuple[Statement, ...]:
    """The statements that a sentence stands on: one alone if one is enough, else all; none if it does not stand.

    One is looked for first, so that a line named in passing lends the bullet neither its speaker nor its date.
    """
    alone = [s for s in claim.statements if stands(text, [(s.speaker.name, s.text)], known_names, embedder)]
    if alone:
        return (max(alone, key=lambda s: (s.reading.kind == claim.note.kind, s.reading.strength, -s.index)),)
    said = [(s.speaker.name, s.text) for s in claim.statements]
    return claim.statements if len(said) > 1 and stands(text, said, known_names, embedder) else ()


def _in_words(
    text: str, behind: Sequence[Statement], claim: Claim, talk: Talk, evidence: Evidence, *, attended: bool
) -> Entry:
    told = set(terms(text))
    point = max(
        behind,
        key=lambda s: (len(told & set(s.terms)), s.reading.kind == claim.note.kind, s.reading.strength, -s.index),
    )
    choice = choice_for(talk, evidence, point, attended=attended)
    others = tuple(s for s in behind if s.index != point.index)
    choice = replace(choice, statements=(*others, point), score=choice.score + VOTE)
    bullet, _ = extract(choice, talk.conversation)
    evidence_ids = dict.fromkeys(
        talk.conversation.utterances[t].id for t in sorted({t for s in behind for t in s.turns})
    )
    bullet = replace(bullet, text=text, writer="compose", evidence=tuple(evidence_ids), start=point.start)
    return Entry(choice=choice, bullet=bullet)


def _strongest(statements: Sequence[Statement], talk: Talk, evidence: Evidence, *, attended: bool) -> Choice | None:
    """The choice for the statement behind a refused note that counts most for the reader; None if none says much."""
    found = [choice_for(talk, evidence, s, attended=attended) for s in statements if s.substantial]
    return max(found, key=lambda c: c.score, default=None)


def _must_be_told(choice: Choice) -> bool:
    decided = choice.kind == "decision" and choice.point.reading.strength >= CLEAR
    return choice.mine or decided or any(s.confidential for s in choice.statements)
