"""One conversation, many readers: evidence, choice, bullets, grounding, headline, for each of them.

The work that does not depend on the reader (sentences, what they do, embeddings) is done once, and a language model is
asked for all readers together. Everything is deterministic: the same conversation, people and models give the same
summaries.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from meetings.conversation import Conversation
from meetings.errors import ModelError
from meetings.llm import LanguageModel, TextEmbedder
from meetings.people import Persona
from meetings.progress import Progress, no_progress
from meetings.summary.compose import compose
from meetings.summary.composed import Written, compose_entries, quote_entries, rewrite_entries
from meetings.summary.contract import Bullet, Summary
from meetings.summary.evidence import Evidence, Talk, embed_personas, prepare_talk, weigh
from meetings.summary.headline import NOTHING, write_headline
from meetings.summary.select import Selection, select
from meetings.summary.statements import build_statements, known_names
from meetings.summary.translate import language_of, shown_language, translate_bullets, translator
from meetings.summary.voices import own_voices, usual_business
from meetings.summary.write import choose_writer

_GROUPS = {"for_you": 0, "decision": 1, "action": 2, "risk": 3, "question": 4, "info": 5}


def summarize(
    conversation: Conversation,
    personas: Sequence[Persona],
    *,
    writer: str = "auto",
    admitted: Collection[str] = (),
    embedder: TextEmbedder | None,
    persona_embedder: TextEmbedder | None = None,
    language_model: LanguageModel | None = None,
    explain: bool = False,
    attended: Collection[str] | None = None,
    strict: bool = False,
    heard: Conversation | None = None,
    progress: Progress = no_progress,
) -> tuple[Summary, ...]:
    """A summary for each reader, in their order.

    Args:
        conversation: what was said.
        personas: who reads.
        writer: `auto` or a writer that the model is admitted for.
        admitted: the writers and translations that the language model is admitted for (`admission`).
        embedder: sentence embeddings; may be None for a conversation in which nothing was said.
        persona_embedder: the same embeddings for what readers care about, which may be kept; None: `embedder`.
        language_model: proposes headlines, and writes bullets if it is admitted for that; None for none.
        explain: also tell the relevance of every utterance.
        attended: usernames of those who were there; None if nobody knows, then everyone counts as having been there.
        strict: where nobody knows, nobody counts as having been there: what was said in confidence is told to no one.
        heard: the conversation before people corrected its words: a correction opens no confidence. None: nobody did.
        progress: told the fraction of readers done.

    Raises:
        WriterNotAdmittedError: the writer asked for needs a model that is admitted for it.
        LanguageModelError: the language model failed.
    """
    chosen_writer = choose_writer(writer, model=language_model.name if language_model else None, admitted=admitted)
    if not any(u.text.strip() for u in conversation.utterances):
        progress(1.0)
        return tuple(_nothing(conversation, p, chosen_writer, explain=explain, attended=attended) for p in personas)
    if embedder is None:
        raise ModelError("a conversation needs sentence embeddings; run: meetings models pull minilm-l6-v2")
    names = known_names(conversation, [(p.person.username, p.person.name, p.names) for p in personas])
    talk = prepare_talk(conversation, build_statements(conversation, names, heard=heard), embedder)
    vectors = embed_personas(personas, persona_embedder or embedder)
    usual = usual_business(talk, personas, vectors)
    readings = []
    for persona, interests in zip(personas, vectors, strict=True):
        evidence = weigh(talk, persona, interests, usual)
        was_there = _was_there(evidence, attended)
        as_there = bool(was_there) if strict else was_there is not False
        selection = select(talk, evidence, attended=as_there)
        readings.append(_Reading(evidence=evidence, was_there=was_there, as_there=as_there, selection=selection))
    called = sorted({n.shown for n in names})
    drafts = _write(talk, readings, chosen_writer, language_model, admitted, called, embedder)
    languages = [_language_for(p, conversation, admitted) for p in personas]
    if language_model is not None:
        drafts = translate_bullets(drafts, languages, conversation.language, language_model, called)
    answers: dict[tuple[str, int], str] = {}
    summaries = []
    for number, (reading, draft, language) in enumerate(zip(readings, drafts, languages, strict=True), start=1):
        summaries.append(
            _summary(
                talk,
                reading,
                draft,
                writer=chosen_writer,
                language=shown_language(draft.bullets, conversation.language, language),
                model=language_model,
                explain=explain,
                answers=answers,
            )
        )
        progress(number / len(personas))
    return tuple(summaries)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A reader, what the conversation holds for them, and what was chosen."""

    evidence: Evidence
    was_there: bool | None
    as_there: bool
    selection: Selection


def _write(
    talk: Talk,
    readings: Sequence[_Reading],
    writer: str,
    model: LanguageModel | None,
    admitted: Collection[str],
    known_names: Sequence[str],
    embedder: TextEmbedder,
) -> list[Written]:
    """Every reader's bullets, best first, in the conversation's language."""
    if writer == "compose" and model is not None:
        composed = [
            compose_entries(
                draft,
                reading.selection,
                talk,
                reading.evidence,
                attended=reading.as_there,
                known_names=known_names,
                embedder=embedder,
            )
            for draft, reading in zip(compose(talk, [r.evidence for r in readings], model), readings, strict=True)
        ]
    else:
        composed = [quote_entries(reading.selection, talk.conversation) for reading in readings]
    if model is not None and (writer == "rewrite" or (writer == "compose" and "rewrite" in admitted)):
        return rewrite_entries(composed, model, known_names=known_names, embedder=embedder)
    return composed


def _language_for(persona: Persona, conversation: Conversation, admitted: Collection[str]) -> str:
    """The reader's language, if it is the conversation's or the model may translate into it; else empty."""
    wanted = language_of(persona.person.locale)
    spoken = language_of(conversation.language) or "en"
    return wanted if wanted == spoken or translator(wanted) in admitted else ""


def _summary(
    talk: Talk,
    reading: _Reading,
    written: Written,
    *,
    writer: str,
    language: str,
    model: LanguageModel | None,
    explain: bool,
    answers: dict[tuple[str, int], str],
) -> Summary:
    conversation, person = talk.conversation, reading.evidence.persona.person
    by_weight = written.bullets
    headline, headline_by = write_headline(
        by_weight,
        title=conversation.title,
        model=model if language == "en" else None,
        reader=person.name,
        answers=answers,
        language=language,
    )
    return Summary(
        username=person.username,
        name=person.name,
        position=person.position,
        headline=headline,
        bullets=tuple(sorted(by_weight, key=_place)),
        writer=writer,
        conversation=conversation.id,
        model=model.name if model is not None and (headline_by == model.name or _wrote(by_weight)) else None,
        headline_by=headline_by,
        attended=reading.was_there,
        length=person.length,
        left_out=written.left_out,
        refused=written.refused,
        unanswered=written.unanswered,
        language=language,
        sent_to=(model.where or None) if model is not None else None,
        relevance=_relevance(talk, reading.evidence) if explain else None,
    )


def _wrote(bullets: Sequence[Bullet]) -> bool:
    return any(b.writer != "extract" for b in bullets)


def _was_there(evidence: Evidence, attended: Collection[str] | None) -> bool | None:
    """Whether the reader was in the call; None if nobody knows. Whose voice is heard was there."""
    if evidence.voices:
        return True
    if attended is None:
        return None
    return evidence.persona.person.username in attended


def _place(bullet: Bullet) -> tuple[int, int, float]:
    """Reading order: what falls to the reader, then decisions, actions, the rest; each in the call's order."""
    return (0 if bullet.mine else 1, _GROUPS[bullet.kind] if bullet.kind in {"decision", "action"} else 5, bullet.start)


def _relevance(talk: Talk, evidence: Evidence) -> dict[str, float]:
    return {u.id: float(value) for u, value in zip(talk.conversation.utterances, evidence.relevance, strict=True)}


def _nothing(
    conversation: Conversation, persona: Persona, writer: str, *, explain: bool, attended: Collection[str] | None
) -> Summary:
    """The honest summary of silence."""
    person = persona.person
    there = None if attended is None else person.username in attended
    return Summary(
        username=person.username,
        name=person.name,
        position=person.position,
        headline=NOTHING,
        bullets=(),
        writer=writer,
        conversation=conversation.id,
        attended=True if own_voices(persona, conversation.speakers) else there,
        length=person.length,
        relevance={u.id: 0.0 for u in conversation.utterances} if explain else None,
    )
