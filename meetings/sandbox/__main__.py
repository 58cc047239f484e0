"""`python -m meetings.sandbox FOLDER`: the process behind `meetings sandbox start`."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from meetings.errors import MeetingsError
from meetings.sandbox.company import sample_company
from meetings.sandbox.faults import Plan
from meetings.sandbox.server import serve


def main() -> int:
    """Serve until told to stop; 1 with one line on stderr when that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m meetings.sandbox")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--now", type=datetime.fromisoformat)
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--company", type=Path)
    parser.add_argument("--misbehave", type=Plan.model_validate_json)
    given = parser.parse_args()
    try:
        serve(
            given.folder,
            host=given.host,
            port=given.port,
            company=None if given.empty else given.company or sample_company(),
            anchor=given.now,
            misbehave=given.misbehave,
            started=lambda sandbox: print(sandbox.url, flush=True),
        )
    except MeetingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
