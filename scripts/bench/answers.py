"""How many questions `meetings ask` answers rightly, wrongly and not at all, and what each bar costs.

    python scripts/bench/answers.py --workspace acme/ --workspace other/
    python scripts/bench/answers.py --qmsum DIR --split val

`acme/` is what `meetings sandbox generate acme/` writes. A question about a storyline's component, customer or supplier
("decide", "assign", "risk", "open") is put only where a sentence that answers it names that thing; or it is one that
was asked aloud in a call, and what was replied answers it. `--storylines` asks about the component in any case,
although mostly the sentence that counts as the answer does not name it.

DIR holds QMSum's `product-*.jsonl` (Zhong et al., NAACL 2021). A specific query is put to its meeting alone. Right: a
quoted sentence stands in a turn of the query's reference spans; wrong: none does. So many queries of meetings of other
teams are put to each meeting, too; all these meetings design a remote control, so some have an answer there, and those
of which a word of the subject was never spoken are counted by themselves.

Selective answering is shown as in Kamath, Jia and Liang (ACL 2020): answered rightly and wrongly at each bar. Prints
tables of Markdown.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from search import URL, card_of, conversation_of, put_workspace, qmsum, workspace_facts, workspace_questions

from meetings.config import load_settings
from meetings.conversation import read_conversation
from meetings.llm import Embedder
from meetings.models import locate
from meetings.people.terms import stem, words
from meetings.search import OPERATOR, Index, Reader
from meetings.search.asked import read_question
from meetings.search.passages import make_passages
from meetings.search.questions import BAR, PERHAPS, Answer, Quote, ask

BARS = (0.2, 0.25, 0.3, BAR, 0.4, 0.45, 0.5)
OTHERS = 6  # queries of other meetings that are put to each
FORMS = {
    "decide": "what did we decide about {}?",
    "assign": "who takes care of {}?",
    "risk": "what is the risk with {}?",
    "open": "what is new with {}?",
}
# Of things that nobody ever spoke of, in the words in which people ask.
NEVER = (
    "what did we decide about the swimming pool?",
    "what did we decide about the helicopter lease?",
    "who said that the aquarium leaks?",
    "when did we agree to sell the vineyard?",
    "how much does the satellite cost?",
    "why did we cancel the opera?",
    "what did we decide about the merger with Globex?",
    "who takes care of the beehives?",
    "what is the risk with the nuclear reactor?",
    "when is the marathon?",
    "what did we decide about the payroll migration to Kronos?",
    "how many horses do we have?",
)


class Remembering:
    """Sentence embeddings that are reckoned once: the same sentences are read for many questions."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [t for t in dict.fromkeys(texts) if t not in self._known]
        if new:
            self._known |= zip(new, self._embedder.embed(new), strict=True)
        return np.asarray([self._known[t] for t in texts], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, the group it is counted in, and whether a quotation answers it."""

    text: str
    group: str
    right: Callable[[Quote], bool]


@dataclass(slots=True)
class Counts:
    """What came of the questions of each group."""

    told: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    bars: dict[str, dict[float, Counter[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )

    def add(self, one: Asked, answer: Answer) -> None:
        right = any(map(one.right, answer.quotes))
        worth = max((q.worth for q in answer.quotes), default=0.0) if answer.answers or answer.unsure else 0.0
        row = self.told[one.group]
        row["all"] += 1
        if answer.answers:
            row["right" if right else "wrong"] += 1
            row["first"] += one.right(answer.quotes[0])
        elif answer.unsure:
            row["perhaps right" if right else "perhaps wrong"] += 1
        else:
            row["unknown"] += 1
        for bar in BARS:
            if worth >= bar:
                self.bars[one.group][bar]["right" if right else "wrong"] += 1

    def table(self, title: str) -> None:
        print(f"\n{title}\n\n| questions | | right | of these the first | wrong | unsure: right | wrong | unknown |")
        print("|---|---|---|---|---|---|---|---|")
        names = ("all", "right", "first", "wrong", "perhaps right", "perhaps wrong", "unknown")
        for group, row in self.told.items():
            print(f"| {group} | " + " | ".join(str(row[name]) for name in names) + " |")
        print("\n| right / wrong at a bar of | " + " | ".join(f"{bar:.2f}" for bar in BARS) + " |")
        print("|---|" + "---|" * len(BARS))
        for group, rows in self.bars.items():
            print(f"| {group} | " + " | ".join(f"{rows[b]['right']} / {rows[b]['wrong']}" for b in BARS) + " |")


def of_workspace(folder: Path, *, storylines: bool) -> Iterator[Asked]:
    """Questions about what was said in the calls of a generated company, and about what never was."""
    found: dict[tuple[str, str], set[str]] = {}
    if storylines:
        found = {("storylines", text): refs for text, refs in workspace_questions(folder)}
    else:
        facts = workspace_facts(folder)
        said = {
            f"{path.stem}#{u.id}": u.text
            for path in sorted((folder / "calls").glob("*.json"))
            for u in read_conversation(path).utterances
        }
        with (folder / "truth" / "calls.jsonl").open(encoding="utf-8") as lines:
            items = [json.loads(line) for line in lines]
        for before, item in zip([{}, *items], items, strict=False):
            about = facts.get(item.get("storyline", ""))
            if about is None:
                continue
            act = {"info": "open"}.get(item["act"], item["act"])
            text = said[item["ref"]]
            thing = next((about[k] for k in ("component", "customer", "vendor") if about[k] in text), "")
            if act in FORMS and thing:
                named = f"the {thing} of {about['product']}" if thing == about["component"] else thing
                found.setdefault((act, FORMS[act].format(named)), set()).add(item["ref"])
            elif act == "answer":
                question = re.sub(r"^(?:(?:[A-Z][a-z]+|All right), )+", "", said[before["ref"]])
                if any(about[k] in question for k in ("component", "customer", "vendor", "product")):
                    found.setdefault(("asked aloud", question), set()).add(item["ref"])
    for (group, text), refs in found.items():
        yield Asked(text=text, group=group, right=lambda q, refs=refs: f"{q.card.id}#{q.utterance}" in refs)
    never = list(NEVER)
    for product in sorted({f["product"] for f in workspace_facts(folder).values()}):
        never += [f"what did we decide about the {t} of {product}?" for t in ("greenhouse", "loyalty scheme", "cable")]
    yield from (Asked(text=text, group="never spoken of", right=lambda _q: False) for text in never)


def of_meeting(meeting: dict, meetings: Sequence[dict], dice: random.Random) -> Iterator[Asked]:
    """QMSum's queries of a meeting, and some of meetings of other teams."""
    for asked in meeting["specific_query_list"]:
        gold = {t for a, b in asked["relevant_text_span"] for t in range(int(a), int(b) + 1)}
        yield Asked(text=asked["query"], group="its own", right=lambda q, gold=gold: int(q.utterance[1:]) in gold)
    turns = meeting["meeting_transcripts"]
    spoken = {stem(w) for turn in turns for w in words(turn["content"])}
    team = meeting["meeting"][:-1]  # ES2002a to ES2002d: one team
    elsewhere = [a["query"] for m in meetings if m["meeting"][:-1] != team for a in m["specific_query_list"]]
    for text in dice.sample(elsewhere, min(OTHERS, len(elsewhere))):
        subject = read_question(text, {turn["speaker"] for turn in turns}).subject
        said = all(word in spoken for word in subject)
        group = "another team's, all words spoken" if said else "another team's, a word never spoken"
        yield Asked(text=text, group=group, right=lambda _q: False)


def put_all(
    index: Index, reader: Reader, asked: Iterator[Asked], counts: Counts, embedder: Remembering, show: bool
) -> None:
    for one in asked:
        answer = ask(index, one.text, reader, embedder=embedder)
        counts.add(one, answer)
        if show:
            told = "answers" if answer.answers else "unsure" if answer.unsure else "unknown"
            right = any(map(one.right, answer.quotes))
            print(told, right, "|", one.group, "|", one.text, "|", " / ".join(q.text for q in answer.quotes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, action="append", default=[], help="may be given again")
    parser.add_argument("--storylines", action="store_true", help="ask about each storyline's component")
    parser.add_argument("--qmsum", type=Path)
    parser.add_argument("--split", default="val", help="of QMSum: train or val")
    parser.add_argument("--meetings", type=int, default=1000, help="of QMSum at most")
    parser.add_argument("--show", action="store_true", help="every question with its answer")
    args = parser.parse_args()
    settings = load_settings()
    folder = locate(settings.text_embedding_model, settings.models_folder)
    embedder = Remembering(Embedder(folder, threads=settings.cpu_threads))
    print(f"Answers from {BAR}, unsure from {PERHAPS}.")
    with tempfile.TemporaryDirectory() as home:
        counts = Counts()
        for at, workspace in enumerate(args.workspace):
            with Index(Path(home) / f"w{at}.sqlite") as index:
                put_workspace(index, embedder, workspace)
                put_all(
                    index, OPERATOR, of_workspace(workspace, storylines=args.storylines), counts, embedder, args.show
                )
        if args.workspace:
            counts.table(f"Generated companies: {len(args.workspace)}")
        if args.qmsum:
            counts, dice = Counts(), random.Random(5)
            meetings = list(qmsum(args.qmsum, [args.split]))[: args.meetings]
            for number, meeting in enumerate(meetings):
                print(meeting["meeting"], file=sys.stderr, flush=True)
                conversation = conversation_of(meeting)
                made = make_passages(conversation)
                with Index(Path(home) / f"q{number}.sqlite") as index:
                    card = card_of(conversation, f"q{number}", "c")
                    index.put(card, "-", made, embedder.embed([p.text for p in made]))
                    reader = Reader(username="ana", server=URL, channels=frozenset({"c"}))
                    put_all(index, reader, of_meeting(meeting, meetings, dice), counts, embedder, args.show)
            counts.table(f"QMSum, {args.split}: {len(meetings)} meetings")


if __name__ == "__main__":
    main()
