"""Small conversations and an embedder without a model, for tests of the summary."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from meetings.conversation import Conversation, Speaker, Utterance
from meetings.errors import PromptError
from meetings.llm import Form
from meetings.people import Person
from meetings.people.terms import terms

MAYA = Person(username="maya", name="Maya Chen", position="Director of Product Engineering")
BEN = Person(username="ben", name="Ben Okafor", position="Backend Engineer", about="Builds the document parser.")
LAURA = Person(username="laura", name="Laura Stein", position="Head of Content")
TOM = Person(username="tom", name="Tom Becker", position="Head of People", interests=("hiring", "onboarding"))
EVERYONE = (MAYA, BEN, LAURA, TOM)


class TermEmbedder:
    """Texts that share terms are alike: each term has its own direction out of 256."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row a text."""
        rows = np.zeros((len(texts), 256), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in terms(text):
                row[zlib.crc32(term.encode()) % 256] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


class Talkative:
    """A language model that answers with what it is given."""

    name = "talkative"
    where = ""
    context = 2048

    def __init__(self, *answers: str) -> None:
        self.answers = answers
        self.prompts: list[str] = []

    def count_tokens(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def complete(
        self,
        prompt: str,
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        system: str = "",
        form: Form | None = None,
    ) -> str:
        """The next answer, again and again."""
        self.prompts.append(prompt)
        return self.answers[(len(self.prompts) - 1) % len(self.answers)]

    def complete_each(
        self,
        prefix: str,
        suffixes: Sequence[str],
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        system: str = "",
        form: Form | None = None,
    ) -> tuple[str | PromptError, ...]:
        """The next answers."""
        return tuple(self.complete(prefix + suffix, max_tokens=max_tokens) for suffix in suffixes)


def talk(
    *lines: tuple[str, str], seconds: float = 5.0, started_at: str | None = "2026-11-19T10:00:00Z"
) -> Conversation:
    """A conversation of (username, text), `seconds` each; usernames of no reader are unnamed voices."""
    names = {p.username: p.name for p in EVERYONE}
    speakers = [
        Speaker(id=who, name=names[who], username=who, confidence=1.0, how="talk")
        if who in names
        else Speaker(id=who, name=f"Speaker {who}")
        for who in dict.fromkeys(who for who, _ in lines)
    ]
    utterances = tuple(
        Utterance(id=f"u{n}", speaker=who, start=n * seconds, end=(n + 1) * seconds, text=text)
        for n, (who, text) in enumerate(lines)
    )
    return Conversation(
        id="call",
        title="Weekly call",
        duration=len(lines) * seconds,
        started_at=started_at,
        participants=tuple(s.username for s in speakers if s.username),
        speakers=tuple(speakers),
        utterances=utterances,
    )


WEEKLY = talk(
    ("maya", "Good morning everyone. Let's start."),
    (
        "ben",
        "So, um, the new parser reads tables in scanned documents now, and the error rate went down by forty percent.",
    ),
    ("maya", "Great. Can we ship it on the third of December?"),
    ("ben", "Well, the load test is not done, and the import service falls over at four gigabytes."),
    ("maya", "Okay, then we decided. The parser release moves to the tenth of December."),
    ("maya", "Ben, can you finish the load test by Friday?"),
    ("ben", "Yes, I will finish the load test by Friday."),
    ("laura", "I'll draft the blog post about table reading by the end of next week, and Ben checks the facts."),
    ("maya", "One more thing, and this stays in this call, please. Northgate Insurance may leave us in March."),
    ("laura", "Oh no. What do they say about the export bug?"),
    ("maya", "Okay, back to the agenda. The budget for a second backend engineer is approved."),
    ("maya", "I will open the job posting together with Tom by Monday."),
    ("laura", "New people should get their security training in the first week of onboarding."),
    ("maya", "Thanks everybody, bye."),
)
