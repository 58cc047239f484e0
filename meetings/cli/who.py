"""Who sits at the keyboard, as it is noted beside a consent or a correction."""

from __future__ import annotations

import getpass
import os


def login_name() -> str:
    """The login name; in a container without one, the number of the user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
