#!/usr/bin/env python3
"""Many readers, one prompt: what 1, 2, 4, 8, ... personas over one shared prefix cost, by three ways of asking.

    python scripts/bench/personas.py [MODEL.gguf] [--personas 1,2,4,8] [--lengths 2000] [--tokens 24] [--plot SVG]

`separate` reads every prompt from its start, `reuse` reads the prefix once and answers in turns, `parallel` reads it
once and answers together. Reading goes to the first token of every answer, the whole to its last; answers never end
early, so that all ways do the same work. A length beyond what the model was trained for is measured all the same: what
it costs does not depend on what is said. Where others use the machine too, --cpu --threads 1 counts seconds of work.
Separate prompts share nothing, so --apart-up-to 1 measures one and reckons the others from it (marked ~). With
--prefix-once long prefixes become affordable: each is read once, its seconds count for every number of personas, and of
each number the rest is measured, answered together; separate prompts are reckoned from one.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import llama_cpp

from meetings.config import load_settings
from meetings.llm.sequences import Entry, Sequences, Stream
from meetings.models import locate

LINES = (
    "Maya Chen: The parser release moves to the tenth of December, because table reading is not good enough yet.",
    "Ben Okafor: I will run the load test again on Friday and write down what the database does under it.",
    "Laura Stein: The blog post about prices waits for the release; who checks the numbers in it?",
    "Tom Becker: We look for two people in support, and the job posting goes out on Monday.",
    "Julia Rossi: The new design needs three more days, the old one stays in the webinar.",
)
ROLES = ("Director of Product", "Backend Engineer", "Head of Content", "Head of People", "Designer", "Sales Lead")
WAYS = ("separate", "reuse", "parallel")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of one way for so many personas over a prefix of so many tokens."""

    way: str
    personas: int
    length: int
    reading: float
    whole: float
    reckoned: bool = False


class Timed(Sequences):
    """Sequences that know how long they read prompts."""

    def __init__(self, model: Any, *, clock: Callable[[], float], **options: Any) -> None:
        super().__init__(model, **options)
        self._clock, self._reading = clock, 0.0

    def _decode(self, entries: Sequence[Entry], streams: dict[int, Stream] | None = None) -> dict[int, int]:
        began = self._clock()
        chosen = super()._decode(entries, streams)
        # While answers are made every stream has one entry; more are a prompt.
        if streams is None or len(entries) > len(streams):
            self._reading += self._clock() - began
        return chosen

    def time(self, run: Callable[[Sequences], None]) -> tuple[float, float]:
        """Seconds of a run: for reading prompts, and in all."""
        self._reading, began = 0.0, self._clock()
        run(self)
        return self._reading, self._clock() - began


class Bench:
    """One model, and prompts for it."""

    def __init__(self, path: Path, *, threads: int, clock: Callable[[], float]) -> None:
        logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"{path} is no GGUF model")
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.threads, self.clock = threads, clock
        size = llama_cpp.llama_vocab_n_tokens(self.vocab)
        ends = [t for t in range(size) if llama_cpp.llama_vocab_is_eog(self.vocab, t)]
        self._never = (llama_cpp.llama_logit_bias * len(ends))(
            *[llama_cpp.llama_logit_bias(token, float("-inf")) for token in ends]
        )
        self._size = size

    def tokens(self, text: str) -> list[int]:
        """A text's tokens."""
        data = text.encode()
        buffer = (llama_cpp.llama_token * (len(data) + 8))()
        return list(buffer[: llama_cpp.llama_tokenize(self.vocab, data, len(data), buffer, len(buffer), False, False)])

    def prompts(self, personas: int, length: int) -> list[list[int]]:
        """Prompts that share their first `length` tokens."""
        line = self.tokens("\n".join(LINES) + "\n")
        prefix = (line * (length // len(line) + 1))[:length]
        return [
            prefix + self.tokens(f"\n\nReader {n}: {ROLES[n % len(ROLES)]}, who cares about prices, hiring and dates. "
                                 "The one thing of this call that they must know, in one line:")
            for n in range(personas)
        ]  # fmt: skip

    def sampler(self) -> Any:
        """The likeliest token that is no end."""
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        bias = llama_cpp.llama_sampler_init_logit_bias(self._size, len(self._never), self._never)
        llama_cpp.llama_sampler_chain_add(chain, bias)
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_greedy())
        return chain

    def costs(self, personas: int, length: int, *, tokens: int, repeats: int, ways: Sequence[str]) -> list[Cost]:
        """The median cost of each way."""
        prompts = self.prompts(personas, length)
        tail = max(len(p) for p in prompts) - length + tokens

        def separate(context: Sequences) -> None:
            for prompt in prompts:
                context.forget()
                context.generate([prompt], shared=length, max_tokens=tokens, sampler=self.sampler)

        def shared(context: Sequences) -> None:
            context.forget()
            context.generate(prompts, shared=length, max_tokens=tokens, sampler=self.sampler)

        costs = []
        for way in ways:
            at_once = personas if way == "parallel" else 1
            cells = length + at_once * tail + 64
            context = Timed(
                self.model, cells=cells, sequences=at_once, threads=self.threads, flash=False, clock=self.clock
            )
            times = [context.time(separate if way == "separate" else shared) for _ in range(repeats)]
            reading, whole = (statistics.median(column) for column in zip(*times, strict=True))
            costs.append(Cost(way=way, personas=personas, length=length, reading=reading, whole=whole))
            # A long run tells what it knows.
            print(
                f"{personas} personas, {length} tokens, {way}: {reading:.2f} + {whole - reading:.2f} s", file=sys.stderr
            )
            context.close()
        return costs


def costs_of_one_reading(bench: Bench, length: int, counts: Sequence[int], *, tokens: int) -> list[Cost]:
    """The costs of `parallel`, and of `separate` as reckoned from one persona, over a prefix that is read once."""
    most = max(counts)
    prompts = bench.prompts(most, length)
    tail = max(len(p) for p in prompts) - length + tokens
    context = Timed(
        bench.model,
        cells=length + most * tail + 64,
        sequences=most,
        threads=bench.threads,
        flash=False,
        clock=bench.clock,
    )

    def ask(count: int, new: int) -> Callable[[Sequences], None]:
        return lambda c: void(c.generate(prompts[:count], shared=length, max_tokens=new, sampler=bench.sampler))

    prefix, _ = context.time(ask(1, 1))
    prefix -= context.time(ask(1, 1))[0]
    print(f"{length} tokens: read in {prefix:.2f} s", file=sys.stderr)
    costs = []
    for count in sorted({1, *counts}):
        reading, whole = context.time(ask(count, tokens))
        print(f"{count} personas, {length} tokens: {reading:.2f} + {whole - reading:.2f} s more", file=sys.stderr)
        costs.append(
            Cost(way="parallel", personas=count, length=length, reading=prefix + reading, whole=prefix + whole)
        )
    context.close()
    one = replace(costs[0], way="separate")
    apart = [replace(reckon(one, c.personas), reckoned=c.personas > 1) for c in costs]
    return [cost for pair in zip(apart, costs, strict=True) for cost in pair]


def void(_: object) -> None:
    """Nothing of it is wanted."""


def reckon(one: Cost, personas: int) -> Cost:
    """What so many separate prompts cost, from what one costs."""
    return Cost(
        way=one.way,
        personas=personas,
        length=one.length,
        reading=one.reading * personas,
        whole=one.whole * personas,
        reckoned=True,
    )


def table(costs: Sequence[Cost]) -> str:
    """Costs as Markdown, each beside one persona's and beside that of separate prompts."""
    lines = [
        "| tokens | personas | way | reading, s | of one | whole, s | times faster than separate |",
        "|---|---|---|---|---|---|---|",
    ]
    for cost in costs:
        one = next((c.reading for c in costs if (c.way, c.personas, c.length) == (cost.way, 1, cost.length)), None)
        apart = next(
            (c.whole for c in costs if (c.way, c.personas, c.length) == ("separate", cost.personas, cost.length)), None
        )
        of_one = f"{cost.reading / one:.2f}" if one else ""
        faster = f"{apart / cost.whole:.1f}" if apart else ""
        about = "~" if cost.reckoned else ""
        lines.append(
            f"| {cost.length} | {cost.personas} | {cost.way} | {about}{cost.reading:.2f} | {of_one} "
            f"| {about}{cost.whole:.2f} | {faster} |"
        )
    return "\n".join(lines)


def plot(costs: Sequence[Cost], file: Path) -> None:
    """Whole cost against personas, a line for each way and length."""
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(7, 4.5), layout="constrained")).subplots()
    for length in sorted({c.length for c in costs}):
        for way in WAYS:
            points = [(c.personas, c.whole) for c in costs if (c.way, c.length) == (way, length)]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", label=f"{way}, {length} tokens")
    axes.set(xlabel="personas", ylabel="seconds, reading and answers", xscale="log", yscale="log")
    personas = sorted({c.personas for c in costs})
    axes.set_xticks(personas, [str(p) for p in personas])
    axes.legend()
    figure.savefig(file, dpi=120)


def main() -> None:
    """Measure, print, perhaps draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, help="a GGUF file; default smollm2-135m of the models folder")
    parser.add_argument("--personas", default="1,2,4,8")
    parser.add_argument("--lengths", default="2000", help="tokens of the prefix, as 2000,8000,20000")
    parser.add_argument("--tokens", type=int, default=24, help="tokens of every answer")
    parser.add_argument("--repeats", type=int, default=1, help="the median of so many runs counts")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--prefix-once", action="store_true", help="read each prefix once for all numbers of personas")
    parser.add_argument(
        "--apart-up-to", type=int, default=sys.maxsize, metavar="N", help="separate prompts that are measured, at most"
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cpu", action="store_true", help="processor time instead of the clock's")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path, help="also draw it here (needs matplotlib)")
    options = parser.parse_args()
    path = options.model or locate("smollm2-135m", load_settings().models_folder)
    path = next(iter(sorted(path.glob("*.gguf")))) if path.is_dir() else path
    bench = Bench(path, threads=options.threads, clock=time.process_time if options.cpu else time.perf_counter)
    bench.costs(1, 64, tokens=2, repeats=1, ways=["separate"])  # the weights are read from disk now
    ways = options.ways.split(",")
    costs: list[Cost] = []
    counts = [int(n) for n in options.personas.split(",")]
    for length in map(int, options.lengths.split(",")):
        if options.prefix_once:
            costs += costs_of_one_reading(bench, length, counts, tokens=options.tokens)
            continue
        for personas in counts:
            measured = [w for w in ways if w != "separate" or personas <= options.apart_up_to]
            one = next((c for c in costs if (c.way, c.personas, c.length) == ("separate", 1, length)), None)
            if one is not None and "separate" not in measured and "separate" in ways:
                costs.append(reckon(one, personas))
            costs += bench.costs(personas, length, tokens=options.tokens, repeats=options.repeats, ways=measured)
    print(json.dumps([asdict(c) for c in costs]) if options.json else table(costs))
    if options.plot:
        plot(costs, options.plot)


if __name__ == "__main__":
    main()
