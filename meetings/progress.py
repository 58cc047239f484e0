"""How a stage tells how far it is, without knowing who looks.

A `Progress` is called with the fraction done in [0, 1]. The command line draws a bar from it; tests record it.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]


def no_progress(_fraction: float) -> None:
    """Nobody looks."""
