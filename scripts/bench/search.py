"""How well, how fast and how small: search over meetings (`answers.py` asks questions of them).

    python scripts/bench/search.py quality --workspace acme/ --qmsum DIR
    python scripts/bench/search.py speed --qmsum DIR --hours 1000
    python scripts/bench/search.py vectors

`acme/` is what `meetings sandbox generate acme/` writes; DIR holds QMSum's `product-*.jsonl` (Zhong et al. 2021). All
is made in a temporary folder. Prints a table of Markdown for each.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from meetings.config import load_settings
from meetings.conversation import Conversation, from_json, read_conversation
from meetings.llm import Embedder
from meetings.models import locate
from meetings.people.terms import words
from meetings.search import Card, Index, Reader, search
from meetings.search.passages import KINDS, LONGEST, WORDS, Part, Passage, make_passages
from meetings.search.query import Query, parse_query
from meetings.search.ranking import NEAR, Mask, Ranked, best, by_meaning, by_words, fuse

URL = "https://bench.test"
SECONDS_A_WORD = 0.4  # 150 words a minute
AT = 5
DEPTH = 50


def card_of(conversation: Conversation, known: str, channel: str) -> Card:
    return Card(
        id=known,
        title=conversation.title,
        started_at=conversation.started_at or "",
        server=URL,
        channel_id=channel,
        attended=conversation.participants,
        speakers=tuple((s.id, s.name, s.username or "") for s in conversation.speakers),
    )


def qmsum(folder: Path, names: Sequence[str]) -> Iterator[dict]:
    for name in names:
        with (folder / f"product-{name}.jsonl").open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines)


def conversation_of(meeting: dict) -> Conversation:
    at, utterances = 0.0, []
    for number, turn in enumerate(meeting["meeting_transcripts"]):
        end = at + SECONDS_A_WORD * max(1, len(words(turn["content"])))
        utterances.append(
            {"id": f"u{number}", "speaker": turn["speaker"], "start": at, "end": end, "text": turn["content"]}
        )
        at = end
    return from_json({"id": meeting.get("meeting", ""), "utterances": utterances})


# Quality


def ways(index: Index, embedder: Embedder, query: Query, mask: Mask) -> dict[str, Ranked]:
    """The same query by words alone, by meaning alone, and both together: by their scores, and by their places."""
    shelf = index.shelf()
    lexical, _ = by_words(index, shelf, query, mask)
    semantic = by_meaning(shelf, embedder.embed([query.text])[0], mask)
    words_alone, meaning_alone = best(lexical, mask), best(np.where(semantic >= NEAR, semantic, 0), mask)
    return {
        "words": words_alone,
        "meaning": meaning_alone,
        "both": fuse(lexical, semantic, mask),
        "both, by reciprocal ranks": by_places([words_alone, meaning_alone]),
    }


def by_places(lists: Sequence[Ranked]) -> Ranked:
    """Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009), for comparison."""
    found: dict[int, float] = {}
    for ranked in lists:
        for place, row in enumerate(ranked.rows.tolist(), start=1):
            found[row] = found.get(row, 0.0) + 1.0 / (60 + place)
    order = sorted(found, key=lambda row: (-found[row], row))
    return Ranked(rows=np.asarray(order, np.int64), scores=np.asarray([found[r] for r in order], np.float32))


class Scores:
    """Recall at 5 (a right passage among the first five) and mean reciprocal rank, by way."""

    def __init__(self) -> None:
        self._places: dict[str, list[int | None]] = {}

    def add(self, way: str, right: Sequence[bool]) -> None:
        self._places.setdefault(way, []).append(next((i for i, r in enumerate(right[:DEPTH]) if r), None))

    def table(self, title: str) -> None:
        count = len(next(iter(self._places.values()), []))
        print(f"\n{title}, {count} questions\n\n| way | recall@{AT} | MRR |\n|---|---|---|")
        for way, places in self._places.items():
            recall = np.mean([p is not None and p < AT for p in places])
            mrr = np.mean([0.0 if p is None else 1 / (p + 1) for p in places])
            print(f"| {way} | {recall:.3f} | {mrr:.3f} |")


def quality(args: argparse.Namespace, embedder: Embedder, home: Path) -> None:
    if args.workspace:
        with Index(home / "workspace.sqlite") as index:
            passages = put_workspace(index, embedder, args.workspace)
            scores, shelf = Scores(), index.shelf()
            for text, wanted in workspace_questions(args.workspace):
                for way, ranked in ways(
                    index, embedder, parse_query(text), np.ones(len(shelf.lengths), np.bool_)
                ).items():
                    scores.add(way, [bool(wanted & passages[row]) for row in ranked.rows.tolist()])
            scores.table("Generated workspace, over all its calls")
    if args.qmsum:
        scores = Scores()
        with Index(home / "qmsum.sqlite") as index:
            meetings = list(qmsum(args.qmsum, args.split.split(",")))
            spans = []
            for number, meeting in enumerate(meetings):
                conversation = conversation_of(meeting)
                made = make_passages(conversation)
                index.put(card_of(conversation, f"q{number}", ""), "-", made, embedder.embed([p.text for p in made]))
                spans.append([{int(u[1:]) for u in p.utterances} for p in made])
            shelf = index.shelf()
            for number, meeting in enumerate(meetings):
                mask = np.zeros(len(shelf.lengths), np.bool_)
                first = int(shelf.first[number])
                mask[first : int(shelf.first[number + 1])] = True
                for asked in meeting["specific_query_list"]:
                    gold = {t for a, b in asked["relevant_text_span"] for t in range(int(a), int(b) + 1)}
                    for way, ranked in ways(index, embedder, parse_query(asked["query"]), mask).items():
                        scores.add(way, [bool(gold & spans[number][r - first]) for r in ranked.rows.tolist()])
        scores.table("QMSum's specific queries, within their meeting")


def put_workspace(index: Index, embedder: Embedder, folder: Path) -> list[set[str]]:
    """The workspace's calls; the refs of the utterances of each passage, in the order of the index."""
    refs = []
    for path in sorted((folder / "calls").glob("*.json")):
        conversation = read_conversation(path)
        made = make_passages(conversation)
        index.put(
            card_of(conversation, path.stem, path.stem.partition("-")[2]),
            "-",
            made,
            embedder.embed([p.text for p in made]),
        )
        refs += [{f"{path.stem}#{u}" for u in p.utterances} for p in made]
    return refs


# What somebody would ask of what was done in a storyline; the subject is a fact of it that was said.
ASKED = {
    "decide": "what did we decide about the {component} of {product}?",
    "assign": "who takes care of the {component} of {product}?",
    "risk": "what is the risk with the {component} of {product}?",
    "open": "what is the problem with the {component} of {product}?",
}


def workspace_facts(folder: Path) -> dict[str, dict[str, str]]:
    """What each storyline is about."""
    with (folder / "truth" / "storylines.jsonl").open(encoding="utf-8") as lines:
        return {story["id"]: story["facts"] for story in map(json.loads, lines)}


def workspace_questions(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Questions and the refs of the utterances that answer them: of a storyline, what was done of a kind."""
    facts = workspace_facts(folder)
    said: dict[tuple[str, str], set[str]] = {}
    with (folder / "truth" / "calls.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if item["act"] in ASKED and item.get("storyline") in facts:
                said.setdefault((item["storyline"], item["act"]), set()).add(item["ref"])
    asked: dict[str, set[str]] = {}
    for (story, act), refs in sorted(said.items()):
        # Two storylines about the same thing: the same question, and what was said in either answers it.
        asked.setdefault(ASKED[act].format(**facts[story]), set()).update(refs)
    yield from asked.items()


# Speed and size


def speed(args: argparse.Namespace, embedder: Embedder, home: Path) -> None:
    real = [conversation_of(m) for m in qmsum(args.qmsum, ["train", "val"])]
    path = args.index or home / "speed.sqlite"
    hours = indexing_time(real[: args.measured], embedder, home)
    vocabulary = [w for c in real[:30] for u in c.utterances for w in words(u.text)]
    turns = [u for c in real for u in c.utterances if words(u.text)]
    dice = random.Random(1)
    directions = np.random.default_rng(1).standard_normal((4000, 384)).astype(np.float32)
    began = time.perf_counter()
    with Index(path) as index:
        for number in range(args.hours):
            conversation = invented(turns, vocabulary, dice)
            made = grouped(conversation)
            index.put(
                card_of(conversation, f"m{number}", f"c{number % args.channels}"),
                "-",
                made,
                invented_vectors(len(made), directions, number),
            )
            if number % 100 == 99:
                print(f"{number + 1} h, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        index.compact()
        count = len(index.shelf().lengths)
        said = int(index.shelf().lengths.sum())
    size = sum(p.stat().st_size for p in path.parent.glob(path.name + "*")) / 1e6
    print(f"\n{args.hours} hours, {count} passages, {said / 1e6:.1f} M words, index {size:.0f} MB")
    print(f"Indexing a real hour: {hours}")
    for who in ("1 channel", "half", "all"):
        subprocess.run(
            [sys.executable, __file__, "queries", "--index", str(path), "--who", who, "--channels", str(args.channels)],
            check=True,
        )


def indexing_time(real: Sequence[Conversation], embedder: Embedder, home: Path) -> str:
    spent = {"passages": 0.0, "vectors": 0.0, "file": 0.0}
    count = 0
    with Index(home / "measured.sqlite") as index:
        for number, conversation in enumerate(real):
            times = [time.perf_counter()]
            made = make_passages(conversation)
            times.append(time.perf_counter())
            vectors = embedder.embed([p.text for p in made])
            times.append(time.perf_counter())
            index.put(card_of(conversation, f"r{number}", ""), "-", made, vectors)
            times.append(time.perf_counter())
            for name, a, b in zip(spent, times[:-1], times[1:], strict=True):
                spent[name] += b - a
            count += sum(len(words(p.text)) for p in made)
    hours = count * SECONDS_A_WORD / 3600
    return ", ".join(f"{name} {s / hours:.2f} s" for name, s in spent.items()) + f" (over {hours:.1f} h)"


def invented(turns: Sequence, vocabulary: Sequence[str], dice: random.Random) -> Conversation:
    """An hour of talk: real turns in another order, one word in six another one, so that no text stands twice."""
    at, utterances = 0.0, []
    while at < 3600:
        turn = dice.choice(turns)
        said = [dice.choice(vocabulary) if dice.random() < 1 / 6 else w for w in turn.text.split()]
        end = at + SECONDS_A_WORD * len(words(" ".join(said)))
        utterances.append(
            {
                "id": f"u{len(utterances)}",
                "speaker": turn.speaker,
                "start": at,
                "end": end,
                "text": " ".join(said),
            }
        )
        at = end + 0.01
    return from_json({"title": "Weekly", "started_at": "2026-11-20T09:00:00+00:00", "utterances": utterances})


def grouped(conversation: Conversation) -> list[Passage]:
    """Passages as `make_passages` cuts them, without reading what sentences do (which takes no part in a query)."""
    made: list[list[Part]] = [[]]
    count = 0
    for u in conversation.utterances:
        said = u.text.split()
        for piece in (said[i : i + LONGEST] for i in range(0, len(said), LONGEST)):
            if count >= WORDS:
                made.append([])
                count = 0
            made[-1].append(Part(id=u.id, speaker=u.speaker, start=u.start, end=u.end, text=" ".join(piece)))
            count += len(words(" ".join(piece)))
    return [Passage(parts=tuple(p), kinds=frozenset(KINDS[:1] if n % 30 == 0 else ())) for n, p in enumerate(made) if p]


def invented_vectors(count: int, directions: np.ndarray, seed: int) -> np.ndarray:
    """Unit vectors around some thousand directions: how long a query takes does not hang on what they mean."""
    rng = np.random.default_rng(seed)
    near = directions[rng.integers(0, len(directions), count)]
    made = 1.5 * near + rng.standard_normal((count, directions.shape[1])).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


QUERIES = (
    "what did we decide about the price", "battery life", '"remote control"', "speech recognition cost", "warrant*",
    "target group young people", "who draws the prototype", "rubber case colour", "market research",
    "when is the next meeting",
)  # fmt: skip


def queries(args: argparse.Namespace, embedder: Embedder, _home: Path) -> None:
    """100 queries in a process of its own: the first opens the file and loads what stays in memory."""
    some = {"1 channel": 1, "half": args.channels // 2, "all": args.channels}[args.who]
    reader = Reader(username="ana", server=URL, channels=frozenset(f"c{n}" for n in range(some)))
    embedder.embed(["warm"])
    times, worked = [], 0.0
    dice = random.Random(2)
    with Index(args.index) as index:
        for number in range(101):
            text = QUERIES[number % len(QUERIES)] if number < 50 else " ".join(
                dice.sample([w for q in QUERIES for w in words(q)], 3)
            )  # fmt: skip
            began, used = time.perf_counter(), time.process_time()
            search(index, text, reader, embedder=embedder)
            times.append((time.perf_counter() - began) * 1000)
            worked += (time.process_time() - used) * 1000 * (number > 0)
    warm = np.sort(times[1:])
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024  # of this process alone, unlike `ru_maxrss`
    print(
        f"{args.who:10}: first {times[0]:.0f} ms; then p50 {warm[49]:.0f} ms, p95 {warm[94]:.0f} ms, "
        f"longest {warm[-1]:.0f} ms; of the processors {worked / 100:.0f} ms each; peak memory {peak:.0f} MB"
    )


# Vectors


def vectors(_args: argparse.Namespace, _embedder: Embedder, _home: Path) -> None:
    """150,000 vectors: comparing with all of them, as search does, and by libraries, where they are installed."""
    rng = np.random.default_rng(1)
    directions = rng.standard_normal((2000, 384)).astype(np.float32)
    every = invented_vectors(150_000, directions, 1)
    scale = np.abs(every).max() / 127
    small = np.round(every / scale).astype(np.int8)
    asked = invented_vectors(20, every[:20] * 20, 2)

    def blocks(query: np.ndarray) -> np.ndarray:
        return np.concatenate([small[a : a + 1024].astype(np.float32) @ query for a in range(0, len(small), 1024)])

    found: dict[str, Callable] = {
        "numpy, float32": lambda q: first(every @ q),
        "numpy, a byte a dimension, blocks of 1,024": lambda q: first(blocks(q)),
    }

    def first(scores: np.ndarray) -> np.ndarray:
        return np.argpartition(-scores, 50)[:50]

    try:
        from usearch.index import Index as Graph
        from usearch.index import MetricKind
        from usearch.index import search as scan

        graph = Graph(ndim=384, metric="cos", dtype="i8", expansion_search=200)
        graph.add(np.arange(len(every)), every, threads=2)
        small_query = lambda q: np.round(q / scale).clip(-127, 127).astype(np.int8)  # noqa: E731
        found["usearch, all"] = lambda q: scan(small, small_query(q), 50, MetricKind.Cos, exact=True, threads=2).keys
        found["usearch, HNSW"] = lambda q: graph.search(q, 50).keys
    except ImportError:
        print("usearch is not installed", file=sys.stderr)
    print("\n| way | p50 ms | of the first 50 |\n|---|---|---|")
    for name, way in found.items():
        times, right = [], []
        for query in asked:
            began = time.perf_counter()
            rows = way(query)
            times.append((time.perf_counter() - began) * 1000)
            right.append(len({int(r) for r in rows} & {int(r) for r in first(every @ query)}) / 50)
        print(f"| {name} | {np.median(times):.0f} | {np.mean(right):.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "speed", "vectors", "queries"])
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--qmsum", type=Path)
    parser.add_argument("--split", default="val", help="of QMSum, with commas between: train, val")
    parser.add_argument("--hours", type=int, default=1000)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--measured", type=int, default=6, help="real meetings that indexing is timed on")
    parser.add_argument("--index", type=Path, help="where the index of `speed` is kept, for `queries`")
    parser.add_argument("--who", default="all")
    args = parser.parse_args()
    settings = load_settings()
    embedder = Embedder(locate(settings.text_embedding_model, settings.models_folder), threads=settings.cpu_threads)
    works: dict[str, Callable] = {
        "quality": quality,
        "vectors": vectors,
        "speed": speed,
        "queries": queries,
    }
    with tempfile.TemporaryDirectory() as folder:
        works[args.what](args, embedder, Path(folder))


if __name__ == "__main__":
    main()
