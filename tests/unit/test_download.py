"""A file comes whole or not at all, and what came once does not come again, over a real socket."""

from __future__ import annotations

import hashlib
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from meetings.errors import (
    BusyError,
    MattermostAnswerError,
    MattermostError,
    MattermostFileChangedError,
    MattermostNotFoundError,
    StorageError,
)
from meetings.mattermost import MattermostClient, download, transport
from meetings.mattermost.client import FileInfo
from tests.odd_server import Behaviour, OddServer, answer, hang_up, odd_server, raw, stall

CONTENT = bytes(range(256)) * 2000
SHA = hashlib.sha256(CONTENT).hexdigest()
INFO = FileInfo(id="f" * 26, post_id="p" * 26, name="call.mp4", size=len(CONTENT))
HALF = 300_000
TAG = '"tag-1"'


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    # However slow this machine is, a server that answers is heard.
    monkeypatch.setattr(transport, "READ_TIMEOUT", 60.0)


def whole(content: bytes = CONTENT, cut: int | None = None, tag: str = TAG) -> Behaviour:
    """The file from its start, cut after some bytes."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {len(content)}\r\nEtag: {tag}\r\n\r\n"
    return raw(head.encode() + content[:cut])


def rest(start: int, content: bytes = CONTENT, cut: int | None = None, tag: str = TAG) -> Behaviour:
    """The file from an offset."""
    head = (
        f"HTTP/1.1 206 Partial\r\nContent-Type: video/mp4\r\nContent-Length: {len(content) - start}\r\n"
        f"Content-Range: bytes {start}-{len(content) - 1}/{len(content)}\r\nEtag: {tag}\r\n\r\n"
    )
    return raw(head.encode() + content[start:cut])


def fetch(server: OddServer, target: Path, info: FileInfo = INFO, sha256: str | None = None) -> str:
    return MattermostClient(server.url, "token").download(info, target, sha256=sha256)


def only(folder: Path, *names: str) -> bool:
    return sorted(p.name for p in folder.iterdir()) == sorted(names)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The target of a download that was left half done by a process that is gone."""
    target = tmp_path / "down" / "call.mp4"
    with odd_server(whole(cut=HALF), answer({}, 404)) as server, pytest.raises(MattermostNotFoundError):
        fetch(server, target)
    assert only(target.parent, "call.mp4.part", "call.mp4.part.json")
    assert (target.parent / "call.mp4.part").stat().st_size == HALF
    return target


def test_the_hash_of_a_whole_file_comes_back_and_nothing_else_stays(tmp_path: Path) -> None:
    with odd_server(whole()) as server:
        assert fetch(server, tmp_path / "d" / "call.mp4", sha256=SHA) == SHA
    assert (tmp_path / "d" / "call.mp4").read_bytes() == CONTENT
    assert only(tmp_path / "d", "call.mp4")
    assert server.headers(0)["accept-encoding"] == "identity"


def test_a_connection_that_breaks_goes_on_where_it_broke_and_names_the_file_it_means(tmp_path: Path) -> None:
    with odd_server(whole(cut=HALF), hang_up, rest(HALF, cut=HALF + 100_000), rest(HALF + 100_000)) as server:
        assert fetch(server, tmp_path / "call.mp4") == SHA
    asked = [(server.headers(n).get("range"), server.headers(n).get("if-range")) for n in range(4)]
    assert asked == [(None, None), ("bytes=300000-", TAG), ("bytes=300000-", TAG), ("bytes=400000-", TAG)]
    assert (tmp_path / "call.mp4").read_bytes() == CONTENT


def test_another_process_goes_on_from_what_is_surely_there(broken: Path) -> None:
    with odd_server(rest(HALF)) as server:
        assert fetch(server, broken) == SHA
    assert (server.headers(0)["range"], server.headers(0)["if-range"]) == ("bytes=300000-", TAG)
    assert broken.read_bytes() == CONTENT


def test_bytes_behind_what_the_note_vouches_for_are_not_trusted(broken: Path) -> None:
    with (broken.parent / "call.mp4.part").open("ab") as part:
        part.write(b"torn by a crash")
    with odd_server(rest(HALF)) as server:
        assert fetch(server, broken) == SHA
    assert server.headers(0)["range"] == "bytes=300000-"


def _flip(folder: Path) -> None:
    part = folder / "call.mp4.part"
    data = bytearray(part.read_bytes())
    data[1000] ^= 1
    part.write_bytes(data)


def _of_another(folder: Path) -> None:
    note = folder / "call.mp4.part.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "file_id": "g" * 26}))


@pytest.mark.parametrize(
    "spoil",
    [
        _flip,
        _of_another,
        lambda folder: (folder / "call.mp4.part").write_bytes(CONTENT[: HALF - 1]),
        lambda folder: (folder / "call.mp4.part").unlink(),
        lambda folder: (folder / "call.mp4.part.json").unlink(),
        lambda folder: (folder / "call.mp4.part.json").write_text("{"),
        lambda folder: (folder / "call.mp4.part.json").write_text('{"bytes": "many"}'),
        lambda folder: (folder / "call.mp4.part.json").write_text("[]"),
    ],
    ids=["a bit flipped", "another file's", "too short", "no part", "no note", "half a note", "wrong note", "a list"],
)
def test_a_part_that_does_not_fit_its_note_is_loaded_anew(broken: Path, spoil: Callable[[Path], object]) -> None:
    spoil(broken.parent)
    with odd_server(whole()) as server:
        assert fetch(server, broken) == SHA
    assert "range" not in server.headers(0)
    assert only(broken.parent, "call.mp4")


def test_a_file_replaced_by_one_of_the_same_size_comes_whole_from_the_new_one(broken: Path) -> None:
    new = CONTENT[::-1]
    with odd_server(whole(new, tag='"tag-2"')) as server:
        assert fetch(server, broken) == hashlib.sha256(new).hexdigest()
    assert broken.read_bytes() == new


def test_a_replaced_file_is_refused_by_the_hash_it_was_known_by(tmp_path: Path) -> None:
    with odd_server(whole(CONTENT[::-1])) as server, pytest.raises(MattermostFileChangedError, match="SHA-256"):
        fetch(server, tmp_path / "call.mp4", sha256=SHA)
    assert only(tmp_path)


@pytest.mark.parametrize("behaviour", [whole(CONTENT + b"more"), whole(CONTENT[:-1])], ids=["longer", "shorter"])
def test_a_file_of_another_size_than_announced_is_refused(tmp_path: Path, behaviour: Behaviour) -> None:
    with odd_server(behaviour) as server, pytest.raises(MattermostFileChangedError, match="announced"):
        fetch(server, tmp_path / "call.mp4")
    assert len(server.requests) == 1
    assert only(tmp_path)


def test_a_replaced_file_of_another_size_is_noticed_when_going_on(broken: Path) -> None:
    with odd_server(rest(HALF, CONTENT + b"more")) as server, pytest.raises(MattermostFileChangedError, match="replac"):
        fetch(server, broken)
    assert only(broken.parent)


def test_more_than_announced_without_a_length_is_refused(tmp_path: Path) -> None:
    endless = raw(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n" + CONTENT + b"more")
    with odd_server(endless) as server, pytest.raises(MattermostFileChangedError):
        fetch(server, tmp_path / "call.mp4")


def test_a_file_deleted_meanwhile_is_said_to_be_deleted(tmp_path: Path) -> None:
    gone = answer({"id": "app.file_info.get.app_error", "message": "Unable to get the file info."}, 404)
    with odd_server(whole(cut=HALF), gone) as server, pytest.raises(MattermostNotFoundError, match="deleted"):
        fetch(server, tmp_path / "call.mp4")
    assert not (tmp_path / "call.mp4").exists()


def test_a_server_that_has_less_than_is_here_is_asked_from_the_start(broken: Path) -> None:
    with odd_server(answer(b"", 416), whole()) as server:
        assert fetch(server, broken) == SHA
    assert "range" not in server.headers(1)


def test_a_range_that_was_not_asked_for_is_not_put_together(broken: Path) -> None:
    with odd_server(rest(HALF + 7), whole()) as server:
        assert fetch(server, broken) == SHA
    assert broken.read_bytes() == CONTENT


def test_a_web_page_instead_of_a_file_is_not_kept(tmp_path: Path) -> None:
    page = answer(b"<html>Sign in</html>", Content_Type="text/html")
    with odd_server(page) as server, pytest.raises(MattermostAnswerError, match="web page"):
        fetch(server, tmp_path / "call.mp4")
    assert not (tmp_path / "call.mp4").exists()


def test_a_connection_that_always_breaks_ends_with_what_it_has(tmp_path: Path) -> None:
    with odd_server(whole(cut=0)) as server, pytest.raises(MattermostAnswerError, match="again and again"):
        fetch(server, tmp_path / "call.mp4")
    assert len(server.requests) == download.MAX_BREAKS


def test_a_connection_that_falls_silent_counts_as_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\nEtag: {TAG}\r\n\r\n".encode()

    def half_at_first(connection: socket.socket) -> None:
        asked = server.headers(-1).get("range")
        (stall(head + CONTENT[:HALF]) if asked is None else rest(HALF))(connection)

    monkeypatch.setattr(transport, "READ_TIMEOUT", 0.3)
    # Only the first silence is cut short: a slow machine is none.
    monkeypatch.setattr(time, "sleep", lambda _: setattr(transport, "READ_TIMEOUT", 60.0))
    with odd_server(half_at_first) as server:
        assert fetch(server, tmp_path / "call.mp4") == SHA
    assert server.headers(-1)["range"] == f"bytes={HALF}-"


def test_a_trickle_counts_as_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "STALL_TIME", 0.2)
    left = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\nEtag: {TAG}\r\n\r\n".encode())
        try:
            for number in range(1_000):
                connection.sendall(CONTENT[number : number + 1])
                left.wait(0.02)
        except OSError:
            left.set()
            raise

    with odd_server(trickle, lambda connection: rest(int(server.headers(-1)["range"][6:-1]))(connection)) as server:
        assert fetch(server, tmp_path / "call.mp4") == SHA
    assert left.is_set()


def test_an_empty_file_and_one_of_unknown_size_are_taken_as_they_come(tmp_path: Path) -> None:
    unknown = FileInfo(id="f" * 26, post_id="", name="x", size=0)
    with odd_server(whole(b"")) as server:
        assert fetch(server, tmp_path / "empty", unknown) == hashlib.sha256(b"").hexdigest()
    with odd_server(whole(cut=HALF), rest(HALF)) as server:
        assert fetch(server, tmp_path / "unknown", unknown) == SHA
    assert (tmp_path / "empty").read_bytes() == b""


def test_two_processes_do_not_write_into_one_part(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(connection: socket.socket) -> None:
        reached.set()
        go_on.wait(60)
        whole()(connection)

    with odd_server(slow, whole()) as server:
        found: list[str] = []
        first = threading.Thread(target=lambda: found.append(fetch(server, tmp_path / "call.mp4")))
        first.start()
        assert reached.wait(60)
        with pytest.raises(BusyError):
            fetch(server, tmp_path / "call.mp4")
        go_on.set()
        first.join(60)
    assert found == [SHA]


FULL_DISK = """
import resource, sys
from pathlib import Path
from meetings.errors import StorageError
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import FileInfo
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
info = FileInfo(id="f" * 26, post_id="", name="call.mp4", size=int(sys.argv[4]))
try:
    MattermostClient(sys.argv[1], "token").download(info, Path(sys.argv[2]))
except StorageError as error:
    print(error)
"""


def test_a_full_disk_is_said_and_what_came_is_kept(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    target = tmp_path / "call.mp4"
    with odd_server(whole()) as server:
        command = [sys.executable, "-c", FULL_DISK, server.url, str(target), "200000", str(len(CONTENT))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    refused = f"cannot write {target}: File too large; use another disk, or raise ulimit -f\n"
    assert done.stdout == refused, done.stderr
    kept = (tmp_path / "call.mp4.part").stat().st_size
    assert 0 < kept <= 200_000
    with odd_server(rest(kept)) as server:
        assert fetch(server, target) == SHA
    assert server.headers(0)["range"] == f"bytes={kept}-"


def test_a_disk_that_is_too_small_is_said_before_it_is_full(tmp_path: Path) -> None:
    huge = FileInfo(id="f" * 26, post_id="", name="call.mp4", size=2**60)
    with odd_server(whole()) as server, pytest.raises(StorageError, match="are free"):
        fetch(server, tmp_path / "call.mp4", huge)
    assert server.requests == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with odd_server(whole()) as server, pytest.raises(StorageError):
        fetch(server, tmp_path / "file" / "call.mp4")


KILLED = """
import sys
from pathlib import Path
from meetings.mattermost import MattermostClient, download
from meetings.mattermost.client import FileInfo
download.NOTE_EVERY = 100_000
info = FileInfo(id="f" * 26, post_id="", name="call.mp4", size=int(sys.argv[3]))
MattermostClient(sys.argv[1], "token").download(info, Path(sys.argv[2]))
"""


def test_a_process_that_is_killed_loses_at_most_what_came_since_the_last_note(tmp_path: Path) -> None:
    target = tmp_path / "call.mp4"
    note = tmp_path / "call.mp4.part.json"
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\nEtag: {TAG}\r\n\r\n".encode()
    with odd_server(lambda connection: connection.sendall(head + CONTENT[:HALF])) as server:
        command = [sys.executable, "-c", KILLED, server.url, str(target), str(len(CONTENT))]
        process = subprocess.Popen(command)
        deadline = time.monotonic() + 120
        while not (note.exists() and (tmp_path / "call.mp4.part").stat().st_size == HALF):
            assert time.monotonic() < deadline
        process.kill()
        process.wait()
    vouched = json.loads(note.read_text())["bytes"]
    # A note is written once that many are new, at the end of a read.
    assert 100_000 <= vouched <= HALF
    with odd_server(rest(vouched)) as server:
        assert fetch(server, target) == SHA
    assert server.headers(0)["range"] == f"bytes={vouched}-"


def test_an_error_of_a_download_is_the_servers_own(tmp_path: Path) -> None:
    with odd_server(answer({"message": "No"}, 403)) as server, pytest.raises(MattermostError) as caught:
        fetch(server, tmp_path / "call.mp4")
    assert caught.value.status == 403
