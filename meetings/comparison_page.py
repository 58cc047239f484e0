"""A comparison as figures in rows, and as one HTML page with the texts side by side.

The page is a file that needs nothing else: no script, no font, no picture. Whatever people and models said is text on
it and nothing more (Jinja escapes all of it, and the page's own policy forbids scripts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from meetings.comparison import Figures, Outcome, measure
from meetings.comparison_cases import Case
from meetings.evaluation import score_summaries
from meetings.summary import Summary, summary_to_json

NOTHING = "–"
MEANINGS = {
    "faithful": "of what the model wrote in its own words, the share that passed grounding; the rest was replaced by "
    "quotations (extract: quotations that needed no repair)",
    "had to get": "items that people had to get, and got, by the truth",
    "all items": "the same of everything that would have been worth telling",
    "unasked": "bullets that give none of these items, of all bullets",
    "told too far": "confidences told to people who were not there",
    "overlap": "how much of their evidence two readers have in common: low means that each got their own",
    "refused": "questions that the model, or a filter before it, would not answer",
    "unusable": "answers that broke off, were not of the form, or had a prompt that did not fit",
    "money": "tokens at the prices in meetings.toml",
    "seconds": "everything, loading included, and in brackets the model alone",
    "admitted": "whether the model passed the test that it must pass before its words reach anybody",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What one backend wrote for one reader: None if nothing; items they had to get and did not."""

    backend: str
    summary: Summary | None
    missed: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader of a case, and what each backend wrote for them."""

    name: str
    position: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A case on the page."""

    title: str
    readers: tuple[Reader, ...]


def figure_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, list[str]]]:
    """Rows of a label and a cell for each backend; rows in which nobody has anything are left out."""
    measured = [measure(o) for o in outcomes]
    rows = [
        ("model", [o.contender.model or "none" for o in outcomes]),
        ("privacy", [_privacy(o) for o in outcomes]),
        ("admitted", [_admitted(o) for o in outcomes]),
        ("summaries", [str(f.readers) for f in measured]),
        ("faithful", [_faithful(f) for f in measured]),
        ("had to get", [_of(f.must) for f in measured]),
        ("all items", [_of(f.all_items) for f in measured]),
        ("unasked", [NOTHING if f.unasked is None else f"{f.unasked} of {f.bullets}" for f in measured]),
        ("told too far", [NOTHING if f.leaked is None else str(f.leaked) for f in measured]),
        ("overlap", [NOTHING if f.overlap is None else f"{f.overlap:.2f}" for f in measured]),
        ("questions", [_count(f.questions, of=f.questions) for f in measured]),
        ("refused", [_count(f.refused, of=f.questions) for f in measured]),
        ("unusable", [_count(f.unusable, of=f.questions) for f in measured]),
        ("tokens in", [_tokens(f.prompt_tokens, f) for f in measured]),
        ("tokens out", [_tokens(f.answer_tokens, f) for f in measured]),
        ("money", [NOTHING if f.cost is None else f"{f.cost:.4f} {f.currency}" for f in measured]),
        ("seconds", [_seconds(f) for f in measured]),
        ("tokens/s", [NOTHING if f.answer_rate is None else f"{f.answer_rate:.1f}" for f in measured]),
    ]
    return [(label, cells) for label, cells in rows if any(c != NOTHING for c in cells)]


def render_page(outcomes: Sequence[Outcome], cases: Sequence[Case], *, writer: str) -> str:
    """The page."""
    from jinja2 import Environment, StrictUndefined

    # Built at once, so that a figure that is missing is found here and not by a reader.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    template = environment.from_string((resources.files("meetings") / "comparison.html.j2").read_text(encoding="utf-8"))
    readers = len({p.username for case in cases for p in case.people})
    figures = figure_rows(outcomes)
    return template.render(
        title="Which model serves best",
        about=f"{_plural(len(cases), 'conversation')}, {_plural(readers, 'reader')}, writer {writer}. "
        "Tags: a bullet in a model's own words passed grounding; all others are quotations.",
        names=[o.contender.name for o in outcomes],
        figures=figures,
        meanings={label: MEANINGS[label] for label, _ in figures if label in MEANINGS},
        errors=[(o.contender.name, o.error) for o in outcomes if o.error],
        cases=[_shown(case, outcomes) for case in cases],
        clock=_clock,
    )


def _shown(case: Case, outcomes: Sequence[Outcome]) -> Shown:
    readers = []
    for person in case.people:
        cards = tuple(_card(o, case, person.username) for o in outcomes)
        if any(c.summary is not None for c in cards):
            readers.append(Reader(name=person.name, position=person.position, cards=cards))
    return Shown(title=case.conversation.title or case.conversation.id, readers=tuple(readers))


def _card(outcome: Outcome, case: Case, username: str) -> Card:
    found = [s for w in outcome.written if w.case is case for s in w.summaries if s.username == username]
    if not found:
        return Card(backend=outcome.contender.name, summary=None)
    if case.truth is None:
        return Card(backend=outcome.contender.name, summary=found[0])
    people = score_summaries([summary_to_json(found[0])], case.truth, case.conversation).people
    missed = people[0].must_missed if people else ()
    whole = bool(people and people[0].must_found and not missed)
    return Card(backend=outcome.contender.name, summary=found[0], missed=missed, whole=whole)


def _privacy(outcome: Outcome) -> str:
    where = outcome.contender.where
    return f"{outcome.contender.privacy} ({where})" if where else outcome.contender.privacy


def _admitted(outcome: Outcome) -> str:
    if not outcome.contender.model:
        return NOTHING
    return "yes" if outcome.admitted else "no"


def _faithful(figures: Figures) -> str:
    if figures.faithful is None:
        return NOTHING
    return f"{100 * figures.faithful:.0f} % of {figures.own + figures.sent_back}"


def _of(found: tuple[int, int] | None) -> str:
    return NOTHING if found is None else f"{found[0]} of {found[1]}"


def _count(number: int, *, of: int) -> str:
    return str(number) if of else NOTHING


def _tokens(number: int, figures: Figures) -> str:
    if not figures.questions:
        return NOTHING
    return f"{'about ' if figures.estimated else ''}{number:,}"


def _seconds(figures: Figures) -> str:
    alone = f" ({figures.model_seconds:.1f})" if figures.questions else ""
    return f"{figures.seconds:.1f}{alone}"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
