#!/usr/bin/env python3
"""What listening costs: from a recording's post to the first and last message, a long gap, and many events.

    python scripts/bench/listener.py [--events 100000] [--recordings 500] [--no-call]

The sample call arrives in the sandbox while the real `meetings listen` runs, and the direct messages are awaited. Then
so many recordings are posted while nobody listens, and found in one look. Last, so many events of a busy server come
over a real socket, recorded ones in turn, while the memory of the process is read.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from websockets.asyncio.server import ServerConnection, serve

from meetings.config import Settings
from meetings.listening import Listener, listen_forever
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import Reaction
from meetings.mattermost.delivery import KEY_PROP
from meetings.positions import Positions
from meetings.sandbox import Sandbox, post_call, run_in_thread

ROOT = Path(__file__).parents[2]
DATA = ROOT / "meetings" / "sandbox" / "data"
FRAMES = ROOT / "tests" / "data" / "mattermost" / "websocket.json"


class Counted:
    """A queue that counts."""

    def __init__(self) -> None:
        self.recordings = 0

    def put(self, post_id: str, *, cause: str = "") -> bool:
        """One more."""
        del post_id, cause
        self.recordings += 1
        return True

    def put_answer(self, post_id: str, user_id: str) -> bool:
        """Not counted."""
        del post_id, user_id
        return True

    def put_reaction(self, reaction: Reaction) -> bool:
        """Not counted."""
        del reaction
        return True


def call(folder: Path) -> None:
    """The sample call, from its post to everybody's message."""
    with run_in_thread(folder / "sandbox", company=DATA / "company.yml") as sandbox:
        env = {
            **os.environ,
            "MATTERMOST_URL": sandbox.url,
            "MATTERMOST_TOKEN": sandbox.bot_token or "",
            "MEETINGS_HOME": str(folder / "home"),
        }
        command = [str(Path(sys.executable).with_name("meetings")), "listen"]
        listener = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert listener.stderr is not None
        while "looked through" not in listener.stderr.readline():
            pass
        sample = DATA / "sample_call" / "weekly-product-call.mp4"
        people = ["maya.chen", "ben.okafor", "laura.stein", "oscar.lind", "nadia.haddad"]
        posted = time.time()
        post_call(
            sandbox.tokens, sample, channel="product", title="Weekly", started_by="maya.chen", participants=people
        )
        for line in listener.stderr:
            if "given up" in line:
                raise SystemExit(line)
            if ": done" in line:
                break
        times = sorted(message_times(sandbox))
        os.killpg(listener.pid, signal.SIGINT)
        listener.communicate()
    print(f"sample call (7 minutes): {len(times)} messages, the first {times[0] - posted:.0f} s and the last "
          f"{times[-1] - posted:.0f} s after the recording's post")  # fmt: skip


def message_times(sandbox: Sandbox) -> list[float]:
    """When each summary was written, in seconds since the epoch."""
    client = MattermostClient(sandbox.url, sandbox.bot_token or "")
    return [
        p.create_at / 1000
        for channel in client.my_direct_channels()
        for p in client.latest_posts(channel.id, 50)
        if KEY_PROP in p.props
    ]


def gap(folder: Path, recordings: int) -> None:
    """Recordings that were posted while nobody listened."""
    with run_in_thread(folder / "sandbox", company=DATA / "company.yml") as sandbox:
        client = MattermostClient(sandbox.url, sandbox.bot_token or "")
        queue = Counted()
        listener = Listener(client, queue, Positions(Settings(home=folder)))
        listener.sweep()
        channel = client.channel_by_name(sandbox.tokens.team or "", "product").id
        with requests.Session() as calls:
            calls.headers["Authorization"] = f"Bearer {sandbox.tokens.calls_token}"
            for _ in range(recordings):
                place = {"channel_id": channel, "filename": "call.mp4"}
                file = calls.post(f"{sandbox.url}/api/v4/files", params=place, data=b"x", timeout=30).json()
                post = {
                    "channel_id": channel,
                    "message": "",
                    "type": "custom_calls_recording",
                    "file_ids": [file["file_infos"][0]["id"]],
                }
                calls.post(f"{sandbox.url}/api/v4/posts", json=post, timeout=30).raise_for_status()
        began, asked = time.perf_counter(), client.requests
        listener.sweep()
        print(f"{queue.recordings} of {recordings} recordings found in one look: "
              f"{time.perf_counter() - began:.1f} s, {client.requests - asked} requests")  # fmt: skip


def events(folder: Path, count: int) -> None:
    """A busy server's events, and the memory of the process that hears them."""
    recorded = [f for f in json.loads(FRAMES.read_text())["bot"] if f.get("event") not in {None, "hello"}]

    async def busy(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(json.dumps({"event": "hello", "data": {}, "broadcast": {}, "seq": 0}))
        await connection.send(json.dumps({"status": "OK", "seq_reply": 1}))
        for seq, frame in zip(range(1, count + 1), itertools.cycle(recorded), strict=False):
            await connection.send(json.dumps({**frame, "seq": seq}))
        done.set()
        await connection.wait_closed()

    async def run() -> None:
        async with serve(busy, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            before = memory()
            began = time.perf_counter()
            listening = asyncio.create_task(listen_forever(listener, url=f"http://127.0.0.1:{port}", token="x" * 26))
            await done.wait()
            await asyncio.sleep(1)
            print(f"{count} events in {time.perf_counter() - began:.0f} s: memory {before:.0f} MB before, "
                  f"{memory():.0f} MB after, {peak():.0f} MB at most")  # fmt: skip
            listening.cancel()

    done = asyncio.Event()
    with run_in_thread(folder / "sandbox", company=DATA / "company.yml") as sandbox:
        client = MattermostClient(sandbox.url, sandbox.bot_token or "")
        listener = Listener(client, Counted(), Positions(Settings(home=folder)))
        asyncio.run(run())


def memory() -> float:
    """Resident memory of this process now, in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak() -> float:
    """The most it ever was, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--recordings", type=int, default=500)
    parser.add_argument("--no-call", action="store_true", help="leave the sample call out: it needs the models")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        events(Path(folder) / "events", options.events)
    with tempfile.TemporaryDirectory() as folder:
        gap(Path(folder) / "gap", options.recordings)
    if not options.no_call:
        with tempfile.TemporaryDirectory() as folder:
            call(Path(folder) / "call")


if __name__ == "__main__":
    main()
