"""One conversation, many readers: evidence, choice, bullets, grounding, headline, for each of them.

The work that does not depend on the reader (sentences, what they do, embeddings) is done once. Everything is
deterministic: the same conversation, people and models give the same summaries.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from meetings.conversation import Conversation
from meetings.errors import ModelError
from meetings.llm import LanguageModel
from meetings.people import Persona
from meetings.progress import Progress, no_progress
from meetings.summary.contract import Bullet, Summary
from meetings.summary.evidence import Evidence, Talk, TextEmbedder, embed_personas, prepare_talk, weigh
from meetings.summary.headline import NOTHING, write_headline
from meetings.summary.select import select
from meetings.summary.statements import build_statements, known_names
from meetings.summary.voices import own_voices, usual_business
from meetings.summary.write import choose_writer, extract, in_own_words

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
    progress: Progress = no_progress,
) -> tuple[Summary, ...]:
    """A summary for each reader, in their order.

    Args:
        conversation: what was said.
        personas: who reads.
        writer: `auto` or a writer that the model is admitted for.
        admitted: the writers that the language model is admitted for (`admission`).
        embedder: sentence embeddings; may be None for a conversation in which nothing was said.
        persona_embedder: the same embeddings for what readers care about, which may be kept; None: `embedder`.
        language_model: proposes headlines, and writes bullets if it is admitted for that; None for none.
        explain: also tell the relevance of every utterance.
        attended: usernames of those who were there; None if nobody knows, then everyone counts as having been there.
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
    talk = prepare_talk(conversation, build_statements(conversation, names), embedder)
    vectors = embed_personas(personas, persona_embedder or embedder)
    usual = usual_business(talk, personas, vectors)
    answers: dict[tuple[str, int], str] = {}
    summaries = []
    for number, (persona, interests) in enumerate(zip(personas, vectors, strict=True), start=1):
        evidence = weigh(talk, persona, interests, usual)
        summaries.append(
            _summary(
                talk,
                evidence,
                writer=chosen_writer,
                model=language_model,
                explain=explain,
                attended=attended,
                answers=answers,
                embedder=embedder,
            )
        )
        progress(number / len(personas))
    return tuple(summaries)


def _summary(
    talk: Talk,
    evidence: Evidence,
    *,
    writer: str,
    model: LanguageModel | None,
    explain: bool,
    attended: Collection[str] | None,
    answers: dict[tuple[str, int], str],
    embedder: TextEmbedder,
) -> Summary:
    conversation, person = talk.conversation, evidence.persona.person
    was_there = _was_there(evidence, attended)
    selection = select(talk, evidence, attended=was_there is not False)
    quoted = [extract(choice, conversation) for choice in selection.choices]
    if writer == "rewrite" and model is not None:
        written = [
            in_own_words(bullet, choice, model, answers=answers, embedder=embedder, refused=refused)
            for choice, (bullet, refused) in zip(selection.choices, quoted, strict=True)
        ]
    else:
        written = quoted
    by_weight = [bullet for bullet, _ in written]
    headline, headline_by = write_headline(
        by_weight, title=conversation.title, model=model, reader=person.name, answers=answers
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
        attended=was_there,
        length=person.length,
        left_out=selection.left_out,
        refused=sum(refused for _, refused in written),
        sent_to=(model.where or None) if model is not None else None,
        relevance=_relevance(talk, evidence) if explain else None,
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
