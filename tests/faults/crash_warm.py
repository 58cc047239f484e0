"""What a process that is to fork many lives of the program has read before: imports and tables, no thread, no lock."""

import gc

import onnxruntime  # noqa: F401
import psycopg  # noqa: F401
import tokenizers  # noqa: F401

import tests.faults.crash_program  # noqa: F401
from meetings.conversation import Conversation, Speaker, Utterance
from meetings.people import build_persona, load_profiles
from meetings.summary import summarize
from meetings.summary.admission import admission_calls, admission_cases, admission_sentences
from tests.unit.summary_builders import EVERYONE, TermEmbedder

_SAID = ("We decided to ship the parser on Friday.", "Ben, please write the release notes by Thursday.", "All right.")
_TALK = Conversation(
    id="warm",
    title="Warm",
    language="en",
    duration=9.0,
    started_at=None,
    participants=(),
    speakers=(Speaker(id="s1", name="Speaker 1"),),
    utterances=tuple(
        Utterance(id=f"u{n}", speaker="s1", start=3.0 * n, end=3.0 * n + 2, text=text) for n, text in enumerate(_SAID)
    ),
)
summarize(
    _TALK,
    [build_persona(person, None, profiles=load_profiles()) for person in EVERYONE],
    embedder=TermEmbedder(),
)
admission_calls()
admission_cases()
admission_sentences()
# What is there by now is there for good: a fork that looks for garbage need not look at it, nor copy its pages.
gc.collect()
gc.freeze()
