#!/usr/bin/env python3
"""What people get from real meetings, to be read side by side; and how much of it is what was asked about the meeting.

    python scripts/bench/examples.py QMSUM.jsonl PEOPLE.yml [--meeting ES2006a ...] [--short] [--figures]
    python scripts/bench/examples.py --call OUT_DIR USERNAME ...

QMSUM.jsonl is a file of QMSum (Zhong et al. 2021, arXiv 2104.05938, MIT) with meetings of the AMI corpus (CC BY 4.0);
PEOPLE.yml a people file whose `speaks_as` are its roles. Prints each meeting's summaries as an HTML table in Markdown,
made by the writer that needs no language model. --call prints the messages of some people from the folder of `meetings
process` instead. --figures prints instead, over all meetings named (all, if none):

    for the role   share of bullets that stand on a turn marked for a question that names this role alone; beside it the
                   same for sentences drawn by chance from those that can stand in a summary
    for anybody    the same for the turns of any question
    answered       share of a role's questions of which at least one bullet stands on a marked turn
    told           share of the terms of `Summarize the whole meeting` that the bullets of the four people hold
    alone          share of bullets that begin with, or end on, a word that points at nothing they say
"""

from __future__ import annotations

import argparse
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from relevance import as_conversation, gold_turns, role

from meetings.config import load_settings
from meetings.conversation import Conversation
from meetings.llm import Embedder
from meetings.models import locate
from meetings.people import Person, build_persona, read_people
from meetings.people.terms import terms
from meetings.summary import Bullet, Summary, render_markdown, summarize
from meetings.summary.statements import build_statements, known_names

_POINTING = re.compile(
    r"^(?:but |and |so |because |'cause |if )*(?:it|it's|it'll|that|that's|this|this is|they|they're|them|those|"
    r"these|he|"
    r"he's|she|she's|which|there|then|one)\b(?! (?:is|are|was|'s) (?:a|an|no|the)\b)(?! \[)|"
    r"\b(?:that|this|it|them|those|one|ones|so|there)[.!?]*$",
    re.IGNORECASE,
)


def main() -> None:
    """Print the tables, or the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qmsum", type=Path, nargs="?")
    parser.add_argument("people", type=Path, nargs="?")
    parser.add_argument("--call", nargs="+", metavar="", help="a folder of `meetings process`, then usernames")
    parser.add_argument("--meeting", nargs="+", default=[], help="names of meetings; all, if none is given")
    parser.add_argument("--short", action="store_true", help="only the bullets, as plain lines")
    parser.add_argument("--figures", action="store_true", help="how much stands on what was asked about")
    arguments = parser.parse_args()
    if arguments.call:
        folder, *readers = arguments.call
        written = [(Path(folder) / "summaries" / f"{r}.md").read_text(encoding="utf-8") for r in readers]
        # Elsewhere there is nothing behind the links to the recording.
        print(table(readers, [re.sub(r"\[([^\]]*)\]\(https?://[^)\s]*\)", r"\1", text) for text in written]))
        return
    if arguments.people is None:
        parser.error("QMSUM.jsonl and PEOPLE.yml, or --call")
    settings = load_settings()
    embedder = Embedder(locate(settings.text_embedding_model, settings.models_folder), threads=settings.cpu_threads)
    people = read_people(arguments.people)
    found = [json.loads(line) for line in arguments.qmsum.read_text(encoding="utf-8").splitlines()]
    wanted = [(n, m) for n, m in enumerate(found) if not arguments.meeting or m["meeting"] in arguments.meeting]
    if unknown := set(arguments.meeting) - {m["meeting"] for _, m in wanted}:
        parser.error(f"not in {arguments.qmsum}: {', '.join(sorted(unknown))}")
    rows: list[dict[str, float]] = []
    for number, meeting in wanted:
        conversation = named(number, meeting, people)
        summaries = summarize(conversation, [build_persona(p) for p in people], writer="extract", embedder=embedder)
        if arguments.figures:
            rows += figures(meeting, conversation, people, summaries)
        elif arguments.short:
            show_lines(meeting, summaries)
        else:
            print(f"## {meeting['meeting']}\n\n{side_by_side(summaries, conversation)}\n")
    if rows:
        show_figures(rows)


def named(number: int, meeting: Mapping[str, Any], people: Sequence[Person]) -> Conversation:
    """The meeting as a conversation, with its own name."""
    conversation = as_conversation(number, meeting["meeting_transcripts"], people, muted=False)
    return replace(conversation, id=meeting["meeting"], title=f"Design meeting {meeting['meeting']}")


def side_by_side(summaries: Sequence[Summary], conversation: Conversation) -> str:
    """One column a person, each the message as it is sent."""
    return table([s.name for s in summaries], [render_markdown(s, conversation) for s in summaries])


def table(names: Sequence[str], messages: Sequence[str]) -> str:
    """Messages side by side."""
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    cells = "".join(f'<td valign="top">\n\n{body(message)}\n\n</td>' for message in messages)
    return f"<table><tr>{heads}</tr><tr>{cells}</tr></table>"


def body(message: str) -> str:
    """A message without its title, with headings that are small enough for a column."""
    lines = message.split("\n")[2:]
    return "\n".join(f"**{line.lstrip('# ')}**" if line.startswith("#") else line for line in lines)


def show_lines(meeting: Mapping[str, Any], summaries: Sequence[Summary]) -> None:
    """For reading while the choice is worked on."""
    print(f"==== {meeting['meeting']}: {meeting['general_query_list'][0]['answer']}\n")
    for summary in summaries:
        print(f"-- {summary.name} | {summary.headline} | {summary.left_out} left out")
        for b in summary.bullets:
            mine = "*" if b.mine else " "
            print(f"  {mine}{b.kind:9}{b.score:5.2f} [{b.evidence[0]}] {b.speaker[:10]}: {b.text}  ({b.owner or ''})")
        print()


def figures(
    meeting: Mapping[str, Any], conversation: Conversation, people: Sequence[Person], summaries: Sequence[Summary]
) -> list[dict[str, float]]:
    """One row a person."""
    count = len(conversation.utterances)
    gold = {u: set(turns.tolist()) for u, turns in gold_turns(meeting, people).items()}
    asked = {username: list[set[int]]() for username in gold}
    anybody: set[int] = set()
    for question in meeting["specific_query_list"]:
        spans = {t for a, b in question["relevant_text_span"] for t in range(int(a), min(int(b) + 1, count))}
        anybody |= spans
        about = [p.username for p in people if role(p) in question["query"].lower()]
        if len(about) == 1 and about[0] in asked:
            asked[about[0]].append(spans)
    personas = [build_persona(p) for p in people]
    names = known_names(conversation, [(p.person.username, p.person.name, p.names) for p in personas])
    sayable = [set(s.turns) for s in build_statements(conversation, names) if s.substantial]
    told = set(terms(" ".join(b.text for s in summaries for b in s.bullets)))
    whole = set(terms(meeting["general_query_list"][0]["answer"]))
    rows = []
    for summary in summaries:
        stands = [{int(e) for e in b.evidence} for b in summary.bullets]
        row = {
            "bullets": float(len(stands)),
            "decisions": float(sum(b.kind == "decision" for b in summary.bullets)),
            "characters": float(np.mean([len(b.text) for b in summary.bullets] or [0])),
            "for anybody": share(stands, anybody),
            "by chance, anybody": share(sayable, anybody),
            "told": len(told & whole) / max(1, len(whole)),
            "alone": float(np.mean([points(b) for b in summary.bullets] or [0])),
        }
        if summary.username in gold:
            mine = gold[summary.username]
            row |= {"for the role": share(stands, mine), "by chance, the role": share(sayable, mine)}
            hit = [any(s & spans for s in stands) for spans in asked[summary.username]]
            row["answered"] = float(np.mean(hit))
        rows.append(row)
    return rows


def points(bullet: Bullet) -> bool:
    """Whether a bullet begins with or ends on a word that points outside."""
    return bool(_POINTING.search(bullet.text))


def share(stands: Sequence[set[int]], gold: set[int]) -> float:
    """The share of evidence sets that touch the gold turns."""
    return sum(bool(s & gold) for s in stands) / max(1, len(stands))


def show_figures(rows: Sequence[Mapping[str, float]]) -> None:
    """Means over people and meetings."""
    print(f"{len(rows)} summaries")
    for name in dict.fromkeys(n for row in rows for n in row):
        values = [row[name] for row in rows if name in row]
        print(f"{name:22}{np.mean(values):9.3f}   ({len(values)})")


if __name__ == "__main__":
    main()
