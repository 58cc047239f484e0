"""What was said about a subject: the passages that a question is about, as quotations, in the order they were said.

The subject is weighed as a reader's only interest, so that a question and a summary go by the same measure. What was
said in confidence is told only to those who were there.
"""

from __future__ import annotations

from meetings.conversation import Conversation
from meetings.llm import TextEmbedder
from meetings.people import Person, build_persona
from meetings.summary.contract import Bullet
from meetings.summary.evidence import embed_personas, prepare_talk, weigh
from meetings.summary.select import choice_for
from meetings.summary.statements import build_statements, known_names
from meetings.summary.write import extract

LIMIT = 6
# Below this a passage is about something else; a passage that names every word of the subject has .5 by that alone.
ABOUT = 0.35
# Below this a passage only names its subject, as an agenda does.
TELLS = 0.4
# Two passages closer than this (cosine) say the same.
SAME = 0.85


def passages_about(
    conversation: Conversation, subject: str, *, embedder: TextEmbedder, attended: bool, limit: int = LIMIT
) -> tuple[Bullet, ...]:
    """The passages about a subject, at most `limit`, each once; none if nothing was said about it.

    Args:
        conversation: what was said.
        subject: a few words.
        embedder: sentence embeddings.
        attended: whether who asks was there.
        limit: passages at most.
    """
    if not any(u.text.strip() for u in conversation.utterances):
        return ()
    talk = prepare_talk(conversation, build_statements(conversation, known_names(conversation, [])), embedder)
    asker = build_persona(Person(username="-", name="-", interests=(subject,)))
    evidence = weigh(talk, asker, embed_personas([asker], embedder)[0])
    chosen: list[int] = []
    for index in sorted(range(len(talk.statements)), key=lambda i: (-evidence.match[i], i)):
        statement = talk.statements[index]
        if len(chosen) == limit or evidence.match[index] < ABOUT:
            break
        if not statement.substantial or (statement.confidential and not attended):
            continue
        if all(float(talk.vectors[index] @ talk.vectors[other]) < SAME for other in chosen):
            chosen.append(index)
    choices = [choice_for(talk, evidence, talk.statements[i], attended=attended) for i in sorted(chosen)]
    return tuple(extract(choice, conversation)[0] for choice in choices if choice.score >= TELLS)
