"""What a command does unseen: whom it connects to, what it starts, and everything that any logger would say.

`Witness` puts a `sitecustomize` before a child process. Connections to anything but this machine are refused and noted;
commands are noted; every record of every logger, from DEBUG on, is written down, whatever was configured. What a native
library asks of the network does not pass through Python: a small library in front of it sees that
(`native_witness.c`).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SITECUSTOMIZE = """
import logging
import os
import sys

FOLDER = os.environ["WITNESS_FOLDER"]


def note(name, text):
    fd = os.open(os.path.join(FOLDER, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(fd, text.encode("utf-8", "backslashreplace") + b"\\n")
    finally:
        os.close(fd)


def local(host):
    host = host.decode() if isinstance(host, bytes) else host
    return host in (None, "", "localhost", "::1", "0.0.0.0", "::") or str(host).startswith("127.")


def watch(event, args):
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if isinstance(address, tuple) and not local(address[0]):
            note("connections", f"{event} {address[0]}:{address[1]}")
            raise OSError("the test allows no connection to other machines")
    elif event == "socket.getaddrinfo" and not local(args[0]):
        note("connections", f"{event} {args[0]}")
        raise OSError("the test allows no look-up of other machines")
    elif event == "subprocess.Popen":
        note("commands", repr(args[:2]))


sys.addaudithook(watch)

told = logging.Logger.callHandlers
form = logging.Formatter("%(name)s %(levelname)s %(message)s")


def tell(self, record):
    try:
        note("log", form.format(record))
    except Exception as error:
        note("log", f"{record.name}: {record.msg!r} {record.args!r} {error!r}")
    told(self, record)


def everything(self, level):
    return not self.disabled


logging.Logger.callHandlers = tell
logging.Logger.isEnabledFor = everything
logging.Logger.getEffectiveLevel = lambda self: logging.DEBUG
"""


@dataclass(frozen=True)
class Witness:
    """A folder with what was seen."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Witness:
        """One who takes notes in a new folder."""
        (folder / "site").mkdir(parents=True)
        (folder / "site" / "sitecustomize.py").write_text(SITECUSTOMIZE)
        source = Path(__file__).with_name("native_witness.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "native.so", source, "-ldl"], check=True)
        return cls(folder)

    def env(self) -> Mapping[str, str]:
        """The variables that put it into a child process."""
        path = os.pathsep.join(filter(None, [str(self.folder / "site"), os.environ.get("PYTHONPATH")]))
        return {"WITNESS_FOLDER": str(self.folder), "PYTHONPATH": path, "LD_PRELOAD": str(self.folder / "native.so")}

    def seen(self, what: str) -> str:
        """`connections`, `commands` or `log`; empty if there were none."""
        path = self.folder / what
        return path.read_text(encoding="utf-8") if path.exists() else ""
