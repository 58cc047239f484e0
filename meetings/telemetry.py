"""Engines that would tell their makers of their use are told not to, before they are imported.

onnxruntime asks for its maker's address as soon as it is imported, and keeps a number of this machine and what it is
going to send in the user's cache (1.32, seen with strace); it does none of that where it takes itself to be in a CI
system, so there nobody notices. pyannote.audio 4 counts what is opened with it.
"""

from __future__ import annotations

import os


def no_telemetry() -> None:
    """Switch it off, in this process and in those that it starts."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
