"""What the stages of a recording are called, and how one tells how far it is without knowing who looks.

A `Progress` is called with the fraction done in [0, 1]. The command line draws a bar from it; tests record it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Progress = Callable[[float], None]

# The stages in order, and what people are told of them.
STAGES: Mapping[str, str] = {
    "fetch": "Fetching the recording",
    "audio": "Reading the sound",
    "segmentation": "Listening for voices",
    "transcription": "Writing down what was said",
    "diarization": "Finding who spoke when",
    "conversation": "Naming the speakers",
    "people": "Reading who is who",
    "summaries": "Writing summaries",
    "delivery": "Delivering",
}


def no_progress(_fraction: float) -> None:
    """Nobody looks."""
