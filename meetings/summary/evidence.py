"""How much every utterance of a conversation matters to every reader, and why.

Two scales. *Relevance* ranks the utterances of one conversation for one reader: whose voice it is, what it is about,
smoothed over the discussion it stands in. *Match* says of one sentence, on a scale that holds across conversations,
how much it is the reader's business, so that a reader without any business in a meeting gets little.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetings.conversation import Conversation
from meetings.llm import TextEmbedder
from meetings.people import Persona, load_profiles
from meetings.people.terms import STOPWORDS, WEAK, stem, terms, words
from meetings.summary.statements import Statement
from meetings.summary.text import plain
from meetings.summary.voices import bm25, closeness, likely_voices, own_voices, usual_business

Floats = NDArray[np.float64]
Kernel = Any  # a scipy.sparse matrix, which has no types of its own

# Learnt by logistic regression on the 97 QMSum product meetings for training, then rounded. Recall of the turns that
# matter to a role in the top quarter, five-fold: .72 when the reader speaks (own speech alone, smoothed: .69), .66 when
# they do not. Other widths, one-sided kernels, kernels that follow the topic, trees instead of weights: .69 to .72.
# A turn of twelve words is one step of the discussion; the kernels are as wide as one topic and as its surroundings.
NARROW, WIDE = 8.0, 16.0
STEP, WORDS_PER_STEP = 0.7, 40.0
WEIGHTS_SPEAKING: Mapping[str, float] = {
    "voice": 0.85, "opinion": 0.15, "terms": 0.2, "meaning": 0.05, "substance": 0.15, "running": -0.22, "inside": 0.25,
}  # fmt: skip
WEIGHTS_SILENT: Mapping[str, float] = {
    "voice": 0.7, "opinion": 0.15, "terms": 0.27, "meaning": 0.05, "substance": 0.15, "running": -0.25, "inside": 0.25,
}  # fmt: skip
# The first and last part of a meeting is greetings and arrangements; shorter conversations have less of them, and too
# few turns for smoothed counts to say much.
EDGE = 0.15
LONG = 200
OF_LENGTH = frozenset({"opinion", "substance", "running", "inside"})
# Being named, asked or given a task outweighs any topic.
ADDRESSED = 1.5
# What a reader asked for less of is put back as far as being addressed puts forward.
UNWANTED = 1.5

# Words of running a meeting, by their stems: while people look for their slides or their lunch, nothing is said. Words
# that may well be somebody's subject (document, screen, mail) are left out, though they would help a little.
_RUNNING = frozenset(
    stem(word)
    for word in (
        *("agenda", "minutes", "minute", "meeting", "recap", "handout", "notes", "lunch"),
        *("presentation", "slide", "powerpoint", "projector", "laptop", "whiteboard", "pen", "folder"),
    )
)
# Somebody takes a position.
_OPINION = re.compile(
    r"\b(?:i think|i thought|i'd|i would|in my opinion|i feel|i believe|i don't think|i guess|i suppose|i like|"
    r"i don't like|i agree|i prefer|because|should)\b",
    re.IGNORECASE,
)
_MAX_WORDS = 60
_FEW_WORDS = 20.0  # a stretch of fewer words has no substance, whatever they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation prepared once for all readers. Rows of `vectors` are statements, of `turn_vectors` utterances."""

    conversation: Conversation
    statements: tuple[Statement, ...]
    vectors: NDArray[np.float32]
    turn_vectors: NDArray[np.float32]
    general: NDArray[np.float32]  # mean similarity of each statement to all role profiles: how business-like it is
    turn_general: NDArray[np.float32]
    turn_words: Floats
    speakers: tuple[str, ...]  # of each utterance
    voices: tuple[str, ...]  # the different speakers who are heard
    turn_opinions: Floats  # how often each utterance takes a position
    turn_rarity: Floats  # how much its terms say, by how rare they are in the conversation
    turn_running: Floats  # how many of its terms are of running the meeting
    postings: Mapping[str, tuple[tuple[int, int], ...]]  # term -> (utterance, times it is said there)
    turn_terms: Floats  # number of terms in each utterance
    narrow: Kernel
    wide: Kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a conversation holds for one reader.

    `relevance` has one number in (0, 1) for each utterance; `match` one in [0, 1] for each statement; `about` says for
    each statement which of the reader's ingredients it is closest to (-1: none); `hits` which of their terms it names.
    `unwanted` is, in [0, 1] for each statement, how much it is what the reader wants less of; 0 for what they must get
    all the same.
    """

    persona: Persona
    voices: frozenset[str]
    relevance: Floats
    match: Floats
    about: tuple[int, ...]
    hits: tuple[tuple[str, ...], ...]
    unwanted: Floats


def prepare_talk(conversation: Conversation, statements: Sequence[Statement], embedder: TextEmbedder) -> Talk:
    """Everything about a conversation that does not depend on the reader."""
    count = len(conversation.utterances)
    texts = [s.text if len(s.terms) > 0 else "" for s in statements]
    distinct = list(dict.fromkeys(t for t in texts if t))
    phrases = [phrase for profile in load_profiles() for phrase in profile.interests]
    embedded = embedder.embed([*distinct, *phrases])
    place = {t: i for i, t in enumerate(distinct)}
    vectors = np.zeros((len(texts), embedded.shape[1]), dtype=np.float32)
    for row, text in enumerate(texts):
        if text:
            vectors[row] = embedded[place[text]]
    background = embedded[len(distinct) :]
    turn_vectors = np.zeros((count, embedded.shape[1]), dtype=np.float32)
    postings: dict[str, Counter[int]] = defaultdict(Counter)
    turn_terms = np.zeros(count)
    turn_words, turn_opinions, turn_rarity, turn_running = (np.zeros(count) for _ in range(4))
    for turn, utterance in enumerate(conversation.utterances):
        turn_words[turn] = len(words(utterance.text))
        turn_opinions[turn] = len(_OPINION.findall(plain(utterance.text)))
    for statement, vector in zip(statements, vectors, strict=True):
        # A sentence over several utterances counts where it begins, for all of them.
        for turn in statement.turns:
            turn_vectors[turn] += vector * len(statement.terms)
        for term in statement.terms:
            postings[term][statement.turn] += 1
        turn_terms[statement.turn] += len(statement.terms)
    for term, found in postings.items():
        rarity = log(1 + count / (len(found) + 0.5))
        for turn, times in found.items():
            turn_rarity[turn] += rarity * times
            turn_running[turn] += times * (term in _RUNNING)
    norms = np.linalg.norm(turn_vectors, axis=1, keepdims=True)
    turn_vectors /= np.maximum(norms, 1e-9)
    speakers = tuple(u.speaker for u in conversation.utterances)
    place_of_turn = np.cumsum(STEP + turn_words / WORDS_PER_STEP)
    return Talk(
        conversation=conversation,
        statements=tuple(statements),
        vectors=vectors,
        turn_vectors=turn_vectors,
        general=(vectors @ background.T).mean(axis=1),
        turn_general=(turn_vectors @ background.T).mean(axis=1),
        turn_words=turn_words,
        speakers=speakers,
        voices=tuple(sorted(set(speakers))),
        turn_opinions=turn_opinions,
        turn_rarity=turn_rarity,
        turn_running=turn_running,
        postings={term: tuple(sorted(found.items())) for term, found in postings.items()},
        turn_terms=turn_terms,
        narrow=_kernel(place_of_turn, NARROW) if count else None,
        wide=_kernel(place_of_turn, WIDE) if count else None,
    )


def _kernel(place: Floats, width: float) -> Kernel:
    """Gaussian weights between utterances, those within four widths: a band, however long the conversation."""
    from scipy.sparse import diags

    count = len(place)
    reach = min(count - 1, int(4 * width / STEP))
    bands = [np.exp(-((place[d:] - place[: count - d]) ** 2) / (2 * width * width)) for d in range(reach + 1)]
    offsets = [*range(reach + 1), *range(-reach, 0)]
    kernel: Kernel = diags([*bands, *reversed(bands[1:])], offsets, shape=(count, count), format="csr")
    return kernel


def embed_personas(personas: Sequence[Persona], embedder: TextEmbedder) -> list[NDArray[np.float32]]:
    """Vectors of each persona's ingredients, then of what they want less of; shared texts are embedded once."""
    texts = [[i.text for i in (*p.ingredients, *p.unwanted)] for p in personas]
    distinct = list(dict.fromkeys(t for own in texts for t in own))
    vectors = embedder.embed(distinct)
    place = {t: n for n, t in enumerate(distinct)}
    return [vectors[[place[t] for t in own]] for own in texts]


def weigh(talk: Talk, persona: Persona, interests: NDArray[np.float32], usual: Floats | None = None) -> Evidence:
    """What the conversation holds for one reader.

    Args:
        talk: the prepared conversation.
        persona: the reader.
        interests: vectors of the persona (`embed_personas`).
        usual: `usual_business` of all readers; None: there are no others.
    """
    interests, lowering = interests[: len(persona.ingredients)], interests[len(persona.ingredients) :]
    voices = own_voices(persona, talk.conversation.speakers)
    match, about, hits = _match(talk, persona, interests)
    unwanted = _unwanted(talk, persona, lowering, voices)
    return Evidence(
        persona=persona,
        voices=voices,
        relevance=_relevance(talk, persona, interests, voices, usual, unwanted),
        match=match,
        about=about,
        hits=hits,
        unwanted=unwanted,
    )


def _relevance(
    talk: Talk,
    persona: Persona,
    interests: NDArray[np.float32],
    voices: frozenset[str],
    usual: Floats | None,
    unwanted: Floats,
) -> Floats:
    score = np.zeros(len(talk.speakers))
    weights = WEIGHTS_SPEAKING if voices & set(talk.speakers) else WEIGHTS_SILENT
    for name, values in features(talk, persona, interests, voices, usual).items():
        weight = weights[name] * (min(1.0, len(score) / LONG) if name in OF_LENGTH else 1.0)
        score += weight * _standard(values)
    for statement in talk.statements:
        if _falls_to(statement, persona):
            score[list(statement.turns)] += ADDRESSED
    score -= UNWANTED * _unwanted_turns(talk, persona, voices, unwanted)
    squashed: Floats = 1 / (1 + np.exp(-score))
    return squashed


def features(
    talk: Talk,
    persona: Persona,
    interests: NDArray[np.float32],
    voices: frozenset[str],
    usual: Floats | None = None,
) -> dict[str, Floats]:
    """What relevance is made of, one number for each utterance and feature, smoothed over the discussion."""
    if not talk.speakers:
        return {}
    if voices & set(talk.speakers):
        voice = np.array([float(s in voices) for s in talk.speakers])
    else:
        voice = likely_voices(
            talk, persona, interests, usual_business(talk, [persona], [interests]) if usual is None else usual
        )
    talked = np.log1p(talk.turn_words)
    return {
        "voice": talk.narrow @ (np.minimum(talk.turn_words, _MAX_WORDS) * voice),
        "opinion": talk.narrow @ (talk.turn_opinions * voice),
        "terms": talk.wide @ bm25(talk, persona.terms),
        "meaning": talk.wide @ (closeness(talk.turn_vectors, talk.turn_general, interests) * talked),
        "substance": (talk.narrow @ talk.turn_rarity) / (talk.narrow @ talk.turn_words + _FEW_WORDS),
        "running": talk.wide @ talk.turn_running,
        "inside": _inside(len(talk.speakers)),
    }


def _inside(count: int) -> Floats:
    """How far each utterance is from the nearer end, up to `EDGE` of the conversation."""
    place = np.arange(count) / max(1, count - 1)
    inside: Floats = np.minimum(np.minimum(place, 1 - place), EDGE)
    return inside


def _falls_to(statement: Statement, persona: Persona) -> bool:
    username = persona.person.username
    return any(n is not None and n.key == username for n in (*statement.owners, statement.addressee))


def _standard(values: Floats) -> Floats:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def _match(
    talk: Talk, persona: Persona, interests: NDArray[np.float32]
) -> tuple[Floats, tuple[int, ...], tuple[tuple[str, ...], ...]]:
    """How much each statement is the reader's business in itself, by its words and by its meaning, in [0, 1]."""
    count = len(talk.statements)
    lexical = np.zeros(count)
    hits: list[tuple[str, ...]] = []
    for row, statement in enumerate(talk.statements):
        named = {t for t in statement.terms if t in persona.terms}
        lexical[row] = sum(persona.terms[t] for t in named)
        hits.append(tuple(sorted(named, key=lambda t: (-persona.terms[t], t))))
    lexical = 1 - np.exp(-lexical / 1.2)
    about = [-1] * count
    semantic = np.zeros(count)
    if len(interests) and count:
        strength = np.array([min(1.0, 0.6 + 0.4 * i.weight) for i in persona.ingredients])
        above = (talk.vectors @ interests.T - 0.5 * talk.general[:, None]) * strength[None, :]
        best = above.argmax(axis=1)
        value = above[np.arange(count), best]
        semantic = np.clip((value - 0.12) / 0.33, 0.0, 1.0)
        about = [int(b) if v > 0.2 else -1 for b, v in zip(best, value, strict=True)]
    match: Floats = 0.5 * lexical + 0.5 * semantic
    return match, tuple(about), tuple(hits)


def _unwanted(talk: Talk, persona: Persona, lowering: NDArray[np.float32], voices: frozenset[str]) -> Floats:
    """How much each statement is about what the reader wants less of, by its words or by its meaning, in [0, 1].

    Never of a decision, nor of what falls to the reader or names them: these they get, whatever their taste.
    """
    found = np.zeros(len(talk.statements))
    if not persona.unwanted or not len(found):
        return found
    similar = np.clip((talk.vectors @ lowering.T - 0.5 * talk.general[:, None] - 0.2) / 0.3, 0.0, 1.0)
    subjects = [frozenset(t for t in terms(i.text) if t not in WEAK) for i in persona.unwanted]
    for row, statement in enumerate(talk.statements):
        if _is_due(statement, persona, voices):
            continue
        said = set(statement.terms)
        for column, (ingredient, subject) in enumerate(zip(persona.unwanted, subjects, strict=True)):
            share = len(subject & said) / max(1, len(subject))
            # A subject is a word or three, each of which names it; of a whole line half must be there.
            named = share**0.5 if len(subject) <= 3 else share if share >= 0.5 else 0.0
            against = min(1.0, -ingredient.weight) * max(named, float(similar[row, column]))
            found[row] = max(found[row], against)
    return found


def _is_due(statement: Statement, persona: Persona, voices: frozenset[str]) -> bool:
    own_promise = statement.speaker.id in voices and "me" in statement.reading.owners
    named = any(n.key == persona.person.username for n in statement.mentioned)
    return statement.reading.kind == "decision" or own_promise or named or _falls_to(statement, persona)


def _unwanted_turns(talk: Talk, persona: Persona, voices: frozenset[str], unwanted: Floats) -> Floats:
    """How unwanted each utterance is: as its most unwanted statement, unless it holds one that is due to the reader."""
    found = np.zeros(len(talk.speakers))
    if not unwanted.any():
        return found
    due: set[int] = set()
    for statement, value in zip(talk.statements, unwanted, strict=True):
        for turn in statement.turns:
            found[turn] = max(found[turn], value)
        due |= set(statement.turns) if _is_due(statement, persona, voices) else set()
    found[sorted(due)] = 0.0
    return found


def said_words(text: str) -> set[str]:
    """The words of a text that carry something, as said."""
    return {w for w in words(text) if w not in STOPWORDS}


def information(statement: Statement) -> float:
    """How much a sentence says, by its number of different terms; 1 at twelve."""
    return min(1.0, log1p(len(set(statement.terms))) / log1p(12))
