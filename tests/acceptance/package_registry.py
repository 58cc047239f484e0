"""A small package index and file hub on a socket, with the faults that networks have."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PIECE = 50_000


def make_wheel(path: Path, members: Mapping[str, bytes]) -> None:
    """A package that carries files and cannot be imported."""
    module, version, tags = path.stem.split("-", 2)
    info = f"{module}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, data in members.items():
            wheel.writestr(f"{module}/{member}", data)
        wheel.writestr(f"{module}/__init__.py", "raise RuntimeError('imported')")
        name = module.replace("_", "-")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tags}\n")
        wheel.writestr(f"{info}/RECORD", "")


@dataclass
class PackageRegistry:
    """What it serves, which faults it has, and what it was asked."""

    folder: Path
    url: str = ""
    form: str = "json"  # of the index: json or html
    announced: str = ""  # a SHA-256 to announce instead of the right one
    cut: int = 0  # so many answers break off in the middle
    fail: bool = False  # no file is given
    refuse: int = 0  # the status of every file
    hold_after: int | None = None  # stop sending a file after so many bytes
    held: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, int]] = field(default_factory=list)  # file and first byte
    paths: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)

    def fetched(self) -> list[str]:
        """The files asked for from their first byte, in order."""
        return [name for name, start in self.asked if start == 0]


@contextmanager
def serve(folder: Path) -> Iterator[PackageRegistry]:
    """Serve the files in `folder` until the block ends."""
    registry = PackageRegistry(folder=folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/simple/"):
                self._index(self.path.split("/")[2])
            else:
                self._file(self.path.rpartition("/")[2])

        def _index(self, project: str) -> None:
            wheels = [p for p in sorted(folder.glob("*.whl")) if p.name.split("-")[0].replace("_", "-") == project]
            if not wheels:
                self.send_error(404)
                return
            digests = {p.name: registry.announced or hashlib.sha256(p.read_bytes()).hexdigest() for p in wheels}
            if registry.form == "json":
                files = [
                    {"filename": n, "url": f"/files/{n}", "hashes": {"sha256": d}, "yanked": False}
                    for n, d in digests.items()
                ]
                page = json.dumps({"meta": {"api-version": "1.0"}, "name": project, "files": files})
                self._answer(page.encode(), "application/vnd.pypi.simple.v1+json")
            else:
                links = "".join(f'<a href="../../files/{n}#sha256={d}">{n}</a><br>' for n, d in digests.items())
                self._answer(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _file(self, name: str) -> None:
            asked = self.headers.get("Range")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            registry.asked.append((name, start))
            registry.paths.append(self.path)
            registry.tokens.add(self.headers.get("Authorization"))
            status = 503 if registry.fail else registry.refuse
            if status or not (folder / name).is_file():
                self.send_error(status or 404)
                return
            body = (folder / name).read_bytes()[start:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if registry.cut > 0:
                registry.cut -= 1
                body = body[: len(body) // 2]
            self.close_connection = True
            with suppress(OSError):  # the one who asked is gone
                self._send(body)

        def _send(self, body: bytes) -> None:
            for sent in range(0, len(body), PIECE):
                while (most := registry.hold_after) is not None and sent >= most:
                    registry.held.set()
                    threading.Event().wait(0.02)
                self.wfile.write(body[sent : sent + PIECE])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield registry
        finally:
            registry.hold_after = None
            server.shutdown()
            thread.join()
