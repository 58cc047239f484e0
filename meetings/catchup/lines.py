"""What was decided in a stretch of a channel, and what was asked and not answered: sentences with their posts.

Pure, by the same reading of sentences that summaries of calls stand on. Only people's words count. A wrong line costs
more than a missed one: a decision that is told again counts once, and a question is open only if nobody else wrote
anything that could be its answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from meetings.channels import Written
from meetings.channels.rank import names_in, plain_words
from meetings.conversation import Conversation, Speaker, Utterance
from meetings.people.terms import STOPWORDS, terms, words
from meetings.summary.kinds import QUIET
from meetings.summary.statements import Statement, build_statements, known_names

MOST_POSTS = 4_000  # newest posts of people that are read sentence by sentence
APART = 60.0  # seconds between two posts: sentences further apart are never read as one
# Two decisions within so many milliseconds that share this much of their words are one that is told twice.
SAME = 0.7
TOLD_AGAIN = 7 * 24 * 3_600_000
# In a channel without threads the answer stands below the question: so many posts, so many milliseconds.
BELOW = 6
SOON, LATER = 10 * 60_000, 3 * 3_600_000

# Of this strength a sentence says itself that something is decided; weaker ones (`the draft goes to Ben tonight`) lay
# down a detail: in a generated workspace (seed 7) none of these was one, and 63 of 65 decisions were of this strength.
DECIDED = 1.0

# What answers nothing, though somebody wrote it under a question.
_NO_ANSWER = re.compile(
    r"\b(?:good question|no idea|(?:i )?don't know|do not know|not sure|i(?:'ll| will) (?:check|ask|find out|look|"
    r"come back)|let me (?:check|ask|look)|same (?:question|here)|me too|bump|anyone|gute frage|weiß (?:ich )?nicht|"
    r"keine ahnung|ich (?:frage|schaue|kläre))\b",
    re.IGNORECASE,
)
_FEW = 14  # words: a longer post says something besides
# Thanks and applause; also what is taken on, which answers who should do it and nothing else.
_APPLAUSE = re.compile(
    r"(?:(?:many )?thanks?(?: you)?(?: (?:a lot|all|everyone|@?[\w.]+))?|nice(?: one| work)?|great(?: work| news)?|"
    r"cool|makes sense|good (?:point|to know|work)|well done|perfect|awesome|love it|wow|lol|haha|interesting|noted|"
    r"\+1|"
    r"danke|super|klasse|alles klar|verstanden)[\s!.,:)]*",
    re.IGNORECASE,
)
# So many posts under a question are taken for answers as they are; later ones if they speak of what it speaks of.
NEXT = 2
# The asker needs no answer any more.
_SETTLED = re.compile(
    r"\b(?:never ?mind|found (?:it|the)|solved|sorted|fixed|figured (?:it )?out|got it|done|erledigt|gelöst)\b",
    re.IGNORECASE,
)
# A question that its own post goes on to answer.
_OWN_ANSWER = re.compile(r"(?:because|simple|easy|well,|the answer|short answer|yes|no|ja|nein|weil)\b", re.IGNORECASE)
_SMALL = re.compile(
    r"\b(?:how are you|who's in|who is in|coffee|lunch|pizza|beer|cake|weekend|right\?|agreed\?|okay\?|ok\?|"
    r"(?:anyone|anybody|who(?:'s| is|se)?) (?:up for|fancy|wants? to)|has any(?:one|body) (?:seen|watched|read|tried)|"
    r"see what i mean|who knew|isn't it|what could go wrong|why not\?)",
    re.IGNORECASE,
)
# What asks somebody to do something is a task; to say something, a question.
_REQUEST = re.compile(
    r"\b(?:can|could|would|will) (?:you|some(?:one|body)) (?:please )?"
    r"(?!tell|say|explain|confirm|share|remind|recall)\w+|"
    r"\b(?:kannst|könntest|würdest) du\b",
    re.IGNORECASE,
)
# A question of few words, if it begins as one.
_BEGINS = re.compile(
    r"(?:[\w'.-]+(?: [\w'.-]+)?, )?(?:who|what|when|where|which|why|how|is|are|do|does|did|has|have|can|could|"
    r"will|would|should|may|wer|was|wann|wo|welche\w*|warum|wie|ist|sind|hat|haben|können|soll\w*|darf) ",
    re.IGNORECASE,
)
_SHORTEST = 4  # words
_HEADED = re.compile(
    r"^(?:decision|decided|agreed|resolved|entscheidung|entschieden|beschluss)\s*[:–-]\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sentence of a post. `about` is how its thread begins, of a reply; `match` how much it is the reader's business.

    `kind` is decision or question.
    """

    kind: str
    post: Written
    text: str
    strength: float
    about: str = ""
    match: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What was decided, each once, and what is still open; both in order of time.

    `deciders` and `answers` count by user id what people decided, and what they wrote under others' questions.
    """

    decisions: tuple[Line, ...]
    questions: tuple[Line, ...]
    deciders: Mapping[str, int]
    answers: Mapping[str, int]


def read_lines(posts: Sequence[Written], names: Mapping[str, tuple[str, str]], bots: Collection[str] = ()) -> Lines:
    """Decisions and open questions of a stretch.

    Args:
        posts: in order of time.
        names: username and name as shown by user id, of everybody who wrote.
        bots: user ids of accounts that are no people.
    """
    people = [p for p in posts if p.user_id not in bots][-MOST_POSTS:]
    threads: dict[str, list[Written]] = {}
    for post in people:
        threads.setdefault(post.root_id or post.id, []).append(post)
    ordered = [post for thread in threads.values() for post in thread]
    said = _statements(ordered, names)
    roots = [thread[0] for thread in threads.values() if not thread[0].root_id]
    places = {post.id: n for n, post in enumerate(roots)}
    decisions: list[Line] = []
    questions: list[Line] = []
    deciders: dict[str, int] = {}
    answers: dict[str, int] = {}
    for thread in threads.values():
        about = plain_words(thread[0].text, dict(names.values())) if not thread[0].root_id else ""
        pending: list[_Pending] = []
        for place, post in enumerate(thread):
            answered = _which(pending, post, said, names, before=thread[place - 1] if place else None)
            if answered is not None:
                pending.remove(answered)
                answers[post.user_id] = answers.get(post.user_id, 0) + 1
            if _SETTLED.search(post.text):
                pending = [q for q in pending if q.line.post.user_id != post.user_id]
            for line in _lines_of(post, said[post.id], about if post.root_id else ""):
                if line.kind == "decision":
                    deciders[post.user_id] = deciders.get(post.user_id, 0) + 1
                    decisions.append(line)
                else:
                    pending.append(_Pending(line=line, about=frozenset(terms(post.text))))
        if len(thread) == 1 and thread[0].id in places:
            below = roots[places[thread[0].id] + 1 :]
            pending = [q for q in pending if not _is_answered_below(q.line.post, below, threads, said, names)]
        questions += [q.line for q in pending]
    return Lines(
        decisions=_once(sorted(decisions, key=lambda d: (d.post.at, d.post.id))),
        questions=tuple(sorted(questions, key=lambda q: (q.post.at, q.post.id))),
        deciders=deciders,
        answers=answers,
    )


def _statements(posts: Sequence[Written], names: Mapping[str, tuple[str, str]]) -> dict[str, list[Statement]]:
    """The sentences of each post by its id."""
    conversation = conversation_of([(p.user_id, p.text) for p in posts], names)
    found: dict[str, list[Statement]] = {p.id: [] for p in posts}
    for statement in build_statements(conversation, known_names(conversation, ())):
        found[posts[statement.turn].id].append(statement)
    return found


def conversation_of(said: Sequence[tuple[str, str]], names: Mapping[str, tuple[str, str]]) -> Conversation:
    """Pairs of user id and text as a conversation, an utterance each."""
    handles = dict(names.values())
    speakers = tuple(
        Speaker(id=user_id, name=shown, username=username, confidence=1.0, how="given")
        for user_id, (username, shown) in sorted(names.items())
    )
    utterances = tuple(
        Utterance(id=str(n), speaker=user_id, start=APART * n, end=APART * n + 1.0, text=plain_words(text, handles))
        for n, (user_id, text) in enumerate(said)
    )
    return Conversation(id="stretch", language="", speakers=speakers, utterances=utterances)


def _lines_of(post: Written, said: Sequence[Statement], about: str) -> list[Line]:
    found = []
    for place, statement in enumerate(said):
        kind = _kind(statement, said[place + 1 :])
        if kind:
            text = _HEADED.sub("", statement.text) if kind == "decision" else statement.text
            found.append(Line(kind=kind, post=post, text=text, strength=statement.reading.strength, about=about))
    questions = [line for line in found if line.kind == "question"]
    # Of several questions in a post the first is what it asks; the others ask it again.
    return [line for line in found if line.kind != "question" or line is questions[0]]


def _kind(statement: Statement, after: Sequence[Statement]) -> str:
    reading = statement.reading
    if reading.kind == "decision" and reading.strength >= DECIDED and statement.substantial:
        return "decision"
    if not statement.text.rstrip().endswith("?") or _SMALL.search(statement.text):
        return ""
    if after and _OWN_ANSWER.match(after[0].text):
        return ""
    if _REQUEST.search(statement.text) or (reading.due is not None and reading.kind == "action"):
        return ""
    short = len(statement.text.split()) >= _SHORTEST and _BEGINS.match(statement.text) is not None
    asked = reading.kind == "action" or (reading.kind == "question" and (reading.strength >= QUIET or short))
    return "question" if asked else ""


def _answers(post: Written, said: Sequence[Statement]) -> bool:
    """Whether a post could be an answer: it says something, and not that its writer does not know either."""
    text = post.text.replace("’", "'").strip()
    if text.endswith("?") and all(s.text.rstrip().endswith("?") for s in said):
        return False
    if _APPLAUSE.fullmatch(text) or not words(text):
        return False
    return not (len(words(text)) <= _FEW and _NO_ANSWER.search(text))


@dataclass(slots=True, kw_only=True, eq=False)
class _Pending:
    """A question that nobody answered yet; how many posts passed it by that answered something else, or nothing."""

    line: Line
    about: frozenset[str]
    passed: int = 0


def _which(
    pending: Sequence[_Pending],
    post: Written,
    said: Mapping[str, Sequence[Statement]],
    names: Mapping[str, tuple[str, str]],
    *,
    before: Written | None,
) -> _Pending | None:
    """The question that a post answers: the one that it speaks of, else the last, if it comes soon enough after it."""
    asked = [q for q in pending if q.line.post.user_id != post.user_id]
    if not asked or not _answers(post, said[post.id]):
        return None
    about = set(terms(post.text))
    best = max(asked, key=lambda q: (len(q.about & about), q.line.post.at))
    if best.about & about:
        return best
    # Orders to others, what is taken on, and decisions on something else go on with the thread, not with the question.
    kinds = {s.reading.kind for s in said[post.id]}
    username = names.get(post.user_id, ("", ""))[0]
    ordered = before is not None and username in names_in(before.text) and before.id != asked[-1].line.post.id
    if kinds & {"decision", "action"} or ordered:
        return None
    last = asked[-1]
    last.passed += 1
    return last if last.passed <= NEXT else None


def _is_answered_below(
    question: Written,
    roots: Sequence[Written],
    threads: Mapping[str, Sequence[Written]],
    said: Mapping[str, Sequence[Statement]],
    names: Mapping[str, tuple[str, str]],
) -> bool:
    """Whether a post below it in the channel answers it: it names the asker, speaks of the same, or comes at once."""
    asker = names.get(question.user_id, ("", ""))[0]
    about = set(terms(question.text))
    for place, post in enumerate(roots[:BELOW]):
        if post.at - question.at > LATER:
            return False
        if post.user_id == question.user_id or not _answers(post, said[post.id]):
            continue
        at_once = place == 0 and post.at - question.at <= SOON and len(threads[post.id]) == 1
        if at_once or asker in names_in(post.text) or len(about & set(terms(post.text))) >= 2:
            return True
    return False


def _once(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Each decision where it was told first; what is told again in the next days, as in notes, is left out."""
    kept: list[tuple[Line, frozenset[str]]] = []
    for line in lines:
        said = frozenset(w for w in words(line.text) if w not in STOPWORDS)
        if not any(_same(line, said, other, known) for other, known in kept):
            kept.append((line, said))
    return tuple(line for line, _ in kept)


def _same(line: Line, said: frozenset[str], other: Line, known: frozenset[str]) -> bool:
    thread = (line.post.root_id or line.post.id) == (other.post.root_id or other.post.id)
    near = thread or line.post.at - other.post.at <= TOLD_AGAIN
    return near and len(said & known) >= SAME * max(len(said), len(known), 1)
