#!/usr/bin/env python3
"""How long each format of `meetings save` takes for a long meeting, how large it is, and the memory it needs.

    python scripts/bench/exports.py [HOURS]

The meeting is made up: four people who speak without pause, 2.4 words a second, one word in ten hardly heard. Seconds
are of one processor, whatever else the machine does. Every format is written in a process of its own; its memory is
the peak of that process, Python and this program included.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import time

from meetings.conversation import Conversation, Speaker, Utterance, Word
from meetings.exports import FORMATS, Meeting, save_as

WORDS = """
the parser moves to december because memory is short and größer asked for пятницу quote release written
"""


def long_meeting(hours: float) -> Meeting:
    """A meeting of so many hours, always the same."""
    chance, known = random.Random(7), WORDS.split()
    utterances, at = [], 0.0
    while at < hours * 3600:
        words = []
        for _ in range(chance.randint(3, 40)):
            sure = 0.3 if chance.random() < 0.1 else 0.95
            words.append(Word(word=chance.choice(known), start=at, end=at + 0.35, probability=sure))
            at += 0.4
        text = " ".join(w.word for w in words) + "."
        begin, label = words[0].start, f"S{chance.randint(1, 4)}"
        utterance = Utterance(
            id=f"u{len(utterances)}", speaker=label, start=begin, end=at, text=text, words=tuple(words)
        )
        utterances.append(utterance)
        at += 0.2
    speakers = tuple(Speaker(id=f"S{n}", name=f"Person {n}", how="given") for n in range(1, 5))
    conversation = Conversation(
        id="long", title="A long meeting", duration=at, speakers=speakers, utterances=tuple(utterances)
    )
    return Meeting(conversation=conversation, heard_by="whisper-base")


def main() -> None:
    """Print the table; with a format's name, its one row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("hours", type=float, nargs="?", default=3.0)
    parser.add_argument("--only", choices=list(FORMATS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only is None:
        print(f"{'format':8}{'seconds':>9}{'KB':>8}{'MB memory':>11}", flush=True)
        for name in FORMATS:
            subprocess.run([sys.executable, __file__, str(arguments.hours), "--only", name], check=True)
        return
    meeting = long_meeting(arguments.hours)
    began = time.process_time()
    data = save_as(arguments.only, meeting)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{arguments.only:8}{seconds:9.1f}{len(data) / 1024:8.0f}{peak:11.0f}", flush=True)


if __name__ == "__main__":
    main()
