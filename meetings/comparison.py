"""The same conversations and people through several language models: what each makes of them, and in figures.

A backend that fails is told with what it had done, and the others go on. Nothing here is sent to readers, so a model
may write without having been admitted for it; whether it was stands beside its figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import mean
from time import monotonic
from typing import Any

from meetings.audit import AuditLog
from meetings.comparison_cases import Case
from meetings.contenders import EXTRACT, Contender
from meetings.errors import ModelError
from meetings.evaluation import score_summaries
from meetings.llm import LlamaCpp, Metered, Tally, TextEmbedder
from meetings.people import Profile, build_persona
from meetings.progress import Progress, no_progress
from meetings.summary import Summary, summarize, summary_to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a backend made of one case."""

    case: Case
    summaries: tuple[Summary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one backend.

    `written` cases are whole; `error` says in one line why there are no more, and `interrupted` that somebody stopped
    it. `seconds` is the time of everything, loading and embeddings included; `tally` that of the model alone.
    """

    contender: Contender
    written: tuple[Written, ...]
    admitted: bool
    seconds: float
    tally: Tally
    error: str = ""
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one backend, over all its cases and readers; None where there is nothing to measure.

    Args:
        readers: summaries made.
        bullets: in all of them.
        own: bullets in the model's own words (of `extract`: whole quotations).
        sent_back: what it wrote that did not pass grounding or its form, so that a plain quotation took its place.
        faithful: own / (own + sent_back).
        unanswered: prompts for bullets without a usable answer.
        must: items that people had to get and got, of how many.
        all_items: the same of all items that the truth names.
        unasked: bullets that give no item of the truth.
        leaked: confidences told to people who were not there.
        overlap: how much of their evidence two readers of a call have in common, 0 to 1, on average.
        answer_rate: tokens of answers a second of the model's time.
        cost: money for the tokens, in `currency`.
    """

    readers: int
    bullets: int
    own: int
    sent_back: int
    faithful: float | None
    unanswered: int
    must: tuple[int, int] | None
    all_items: tuple[int, int] | None
    unasked: int | None
    leaked: int | None
    overlap: float | None
    questions: int
    refused: int
    unusable: int
    prompt_tokens: int
    answer_tokens: int
    estimated: bool
    cost: float | None
    currency: str
    seconds: float
    model_seconds: float
    answer_rate: float | None


def compare(
    contenders: Sequence[Contender],
    cases: Sequence[Case],
    *,
    writer: str,
    embedder: TextEmbedder,
    profiles: tuple[Profile, ...],
    admitted: Mapping[str, Collection[str]],
    audit: AuditLog,
    progress: Progress = no_progress,
) -> Iterator[Outcome]:
    """Each backend's outcome, one after the other; after an interrupted one there are no more.

    Args:
        contenders: the backends.
        cases: what they are given.
        writer: `compose` or `rewrite`: what a model is asked to do.
        embedder: sentence embeddings.
        profiles: of roles.
        admitted: by backend, what its model is admitted for.
        audit: is told before words leave this machine.
        progress: told the fraction of all cases done.
    """
    done = 0
    for contender in contenders:
        written: list[Written] = []
        error, interrupted = "", False
        began = monotonic()
        meter = None
        model = None
        try:
            model = contender.open()
            meter = None if model is None else Metered(model)
            for case in cases:
                if contender.where:
                    audit.note("sent to model", recording=case.conversation.id, host=contender.where)
                summaries = summarize(
                    case.conversation,
                    [build_persona(p, profiles=profiles) for p in case.people],
                    writer=EXTRACT if meter is None else writer,
                    admitted=() if meter is None else (writer,),
                    embedder=embedder,
                    language_model=meter,
                    attended=set(case.conversation.participants) or None,
                )
                written.append(Written(case=case, summaries=summaries))
                done += 1
                progress(done / (len(cases) * len(contenders)))
        except ModelError as failure:
            error = str(failure)
        except KeyboardInterrupt:
            error, interrupted = "interrupted", True
        finally:
            if isinstance(model, LlamaCpp):
                model.close()
        yield Outcome(
            contender=contender,
            written=tuple(written),
            admitted=meter is None or writer in admitted.get(contender.name, ()),
            seconds=monotonic() - began,
            tally=meter.tally if meter else Tally(),
            error=error,
            interrupted=interrupted,
        )
        if interrupted:
            return


def measure(outcome: Outcome) -> Figures:
    """The figures of an outcome."""
    summaries = [s for w in outcome.written for s in w.summaries]
    bullets = [b for s in summaries for b in s.bullets]
    sent_back = sum(s.refused for s in summaries)
    in_own_words = sum(b.writer != EXTRACT for b in bullets)
    own = in_own_words if outcome.contender.model else len(bullets) - sent_back
    scores = [
        score_summaries([summary_to_json(s) for s in w.summaries], w.case.truth, w.case.conversation)
        for w in outcome.written
        if w.case.truth is not None
    ]
    people = [p for score in scores for p in score.people]
    must = (sum(len(p.must_found) for p in people), sum(len(p.must_found) + len(p.must_missed) for p in people))
    may = (sum(len(p.may_found) for p in people), sum(len(p.may_found) + len(p.may_missed) for p in people))
    shared = [value for w in outcome.written for value in _shared(w.summaries)]
    tally = outcome.tally
    usage = tally.usage
    return Figures(
        readers=len(summaries),
        bullets=len(bullets),
        own=own,
        sent_back=sent_back,
        faithful=own / (own + sent_back) if own + sent_back else None,
        unanswered=sum(s.unanswered for s in summaries),
        must=must if people else None,
        all_items=(must[0] + may[0], must[1] + may[1]) if people else None,
        unasked=sum(len(p.unasked) for p in people) if people else None,
        leaked=sum(len(p.leaked) for p in people) if people else None,
        overlap=mean(shared) if shared else None,
        questions=tally.questions,
        refused=tally.refused,
        unusable=tally.unusable,
        prompt_tokens=usage.prompt_tokens,
        answer_tokens=usage.answer_tokens,
        estimated=usage.estimated,
        cost=outcome.contender.cost(usage.prompt_tokens, usage.answer_tokens),
        currency=outcome.contender.currency,
        seconds=outcome.seconds,
        model_seconds=tally.seconds,
        answer_rate=usage.answer_tokens / tally.seconds if tally.seconds and usage.answer_tokens else None,
    )


def _shared(summaries: Sequence[Summary]) -> list[float]:
    """For every two readers of one call, what share of all their evidence both have."""
    stands = [{e for b in s.bullets for e in b.evidence} for s in summaries]
    return [len(a & b) / len(a | b) for a, b in combinations(stands, 2) if a | b]


def to_json(outcomes: Sequence[Outcome], *, writer: str) -> dict[str, Any]:
    """Everything as a plain object: docs/models.md."""
    return {
        "writer": writer,
        "backends": [
            {
                "name": o.contender.name,
                "model": o.contender.model or None,
                "privacy": o.contender.privacy,
                "host": o.contender.where or None,
                "admitted": o.admitted,
                "error": o.error or None,
                "figures": asdict(measure(o)),
                "conversations": [
                    {
                        "id": w.case.conversation.id,
                        "title": w.case.conversation.title,
                        "summaries": [summary_to_json(s) for s in w.summaries],
                    }
                    for w in o.written
                ],
            }
            for o in outcomes
        ],
    }
