"""Twenty thousand damaged files, frames and bodies: each is read, or refused in our own words, and at once.

The damage is the same in every run. What fails shows the number of its case.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from meetings.config import Settings, load_settings
from meetings.conversation import Conversation, Speaker, Utterance, Word, read_conversation, to_json, to_vtt
from meetings.corrections import parse_setting
from meetings.errors import MattermostNotFoundError, MeetingsError
from meetings.mattermost.events import read_frame
from meetings.mattermost.kept import KeptChannel, KeptContext, KeptPost
from meetings.people import FeedbackBook, read_people
from meetings.people.profiles import read_profiles
from meetings.positions import Positions
from meetings.replies import read_reply
from meetings.serving import MAX_BODY, Doors, make_app
from meetings.speech import read_calls_vtt
from meetings.store import Database, Document
from meetings.summary.notes import read_notes
from tests.databases import every_document
from tests.mutations import damaged_text, damaged_value

AT_ONCE = 5.0  # seconds of work for one case
Reader = Callable[[Any], object]

WORD = Word(word="ship", start=1.0, end=1.4, probability=0.9)
WEEKLY = Conversation(
    id="weekly",
    title="Weekly",
    language="en",
    duration=20.0,
    started_at="2026-11-19T10:00:00+00:00",
    participants=("maya", "ben"),
    speakers=(Speaker(id="S1", name="Maya Chen", username="maya", confidence=0.9, how="voice"),),
    utterances=(
        Utterance(id="u1", speaker="S1", start=0.5, end=4.0, text="We ship on Friday.", words=(WORD, WORD)),
        Utterance(id="u2", speaker="S2", start=4.0, end=9.0, text="Who tells Ana?"),
    ),
)
PEOPLE = """\
- username: maya
  name: Maya Chen
  position: Head of Product
  about: >
    Decides what is built.
  interests: [price, "launch: date", 'friday']
  locale: en-GB
- {username: ben, name: "Ben O'Kafor", position: Developer, length: short, tone: dry}
"""
PROFILES = """\
- profile: Finance
  match: [cfo, controller, "head of finance"]
  interests: [what it costs]
  terms: [budget]
  wants: {decision: 0.9, number: 1}
"""
CALLS_VTT = """\
WEBVTT

00:00:00.500 --> 00:00:04.000
<v Maya Chen>(Maya Chen) We ship on Friday &amp; tell them.

00:00:04.000 --> 00:01:09.250
<v.loud Ben OKafor>(Ben OKafor) Who tells <i>Ana</i>?

1000:00:10.000 --> 1000:00:11.000
<v x>(x) late
"""
TOML = """\
threads = 3
language = "de"
vocabulary = ["Paperlane", "two-factor"]
mattermost_url = "https://chat.example.org"
max_hours = 2.5
[channels."acme/product"]
audience = "participants"
people = ["maya"]
"""
POST = {
    "id": "p" * 26,
    "user_id": "u" * 26,
    "channel_id": "c" * 26,
    "root_id": "",
    "type": "custom_calls_recording",
    "message": "x",
    "create_at": 1,
    "update_at": 1,
    "delete_at": 0,
    "file_ids": ["f" * 26],
    "props": {"call_post_id": "q" * 26, "captions": [{"file_id": "g" * 26, "title": "en"}]},
}
REACTION = {"user_id": "u" * 26, "post_id": "p" * 26, "emoji_name": "+1", "create_at": 5}
FRAMES = (
    {"event": "posted", "seq": 3, "data": {"post": json.dumps(POST), "channel_type": "D"}, "broadcast": {}},
    {"event": "post_edited", "seq": 4, "data": {"post": json.dumps(POST)}, "broadcast": {"channel_id": "c" * 26}},
    {"event": "reaction_added", "seq": 5, "data": {"reaction": json.dumps(REACTION)}, "broadcast": {}},
    {"event": "user_added", "seq": 6, "data": {"user_id": "u" * 26}, "broadcast": {"channel_id": "c" * 26}},
    {"event": "hello", "seq": 0, "data": {"server_version": "10.5.1"}, "broadcast": None},
    {"status": "OK", "seq_reply": 1},
)
REPLIES = (
    "more about the price, please",
    "less: hiring",
    "stop",
    "only decisions and risks",
    "shorter",
    "why?",
    "deutsch",
)
SETTINGS = ("Speaker 2=ana.ruiz", "Speaker 2=Guest: Dr. Weber", "Speaker 2=?", "S1=auto")
NOTES = {"notes": [{"lines": [1, 2], "text": "We ship on Friday.", "kind": "decision"}, {"lines": [3], "text": "Ana"}]}
KEPT = KeptChannel(
    position=5,
    oldest=1,
    whole_at=4,
    posts=(KeptPost(id="p", user_id="u", root_id="", create_at=3, message="hello", reacted=("v",)),),
)
WEBHOOK = {"token": "hook", "post_id": "p" * 26, "text": "summarize https://chat.example.org/a/pl/" + "p" * 26}


def survive(reader: Reader, cases: int, make: Callable[[random.Random], Any], *, seed: str) -> None:
    """Give a reader damaged input: a value or one of our errors comes, soon."""
    for case in range(cases):
        given = make(random.Random(f"{seed}:{case}"))
        began = time.process_time()
        try:
            with suppress(MeetingsError):
                reader(given)
        except Exception as error:
            raise AssertionError(f"case {case} of {seed}: {type(error).__name__} from {str(given)[:300]!r}") from error
        assert time.process_time() - began < AT_ONCE, f"case {case} of {seed} took too long"


def text_or_value(data: Any) -> Callable[[random.Random], str]:
    """JSON in which values are damaged, the text, or both."""

    def make(chance: random.Random) -> str:
        kind = chance.randrange(3)
        value = damaged_value(data, chance) if kind else data
        text = json.dumps(value, ensure_ascii=chance.random() < 0.5 or "\\ud800" in json.dumps(value))
        return text if kind == 1 else damaged_text(text, chance)

    return make


def in_file(path: Path, read: Callable[[Path], object]) -> Reader:
    """A reader of a file for text."""

    def reader(text: str) -> object:
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        return read(path)

    return reader


def test_transcripts(tmp_path: Path) -> None:
    def read(path: Path) -> None:
        found = read_conversation(path)
        times = [t for u in found.utterances for t in (u.start, u.end, *(x for w in u.words for x in (w.start, w.end)))]
        assert all(map(math.isfinite, [*times, found.duration])), "a time that is none"
        # What was read can be written in every form.
        for text in (json.dumps(to_json(found), ensure_ascii=False, allow_nan=False), to_vtt(found)):
            text.encode()

    survive(in_file(tmp_path / "t.json", read), 6000, text_or_value(to_json(WEEKLY)), seed="transcript")


def test_people_files(tmp_path: Path) -> None:
    read = in_file(tmp_path / "people.yml", read_people)
    survive(read, 2000, lambda chance: damaged_text(PEOPLE, chance), seed="people")


def test_role_profiles(tmp_path: Path) -> None:
    read = in_file(tmp_path / "profiles.yml", read_profiles)
    survive(read, 800, lambda chance: damaged_text(PROFILES, chance), seed="profiles")


def test_transcripts_of_calls() -> None:
    survive(read_calls_vtt, 3000, lambda chance: damaged_text(CALLS_VTT, chance), seed="vtt")


def test_frames_of_the_socket() -> None:
    def make(chance: random.Random) -> str:
        frame = json.loads(json.dumps(chance.choice(FRAMES)))
        # Half the time the fault lies in the JSON within the JSON.
        for key in ("post", "reaction"):
            inner = (frame.get("data") or {}).get(key)
            if inner and chance.random() < 0.5:
                frame["data"][key] = text_or_value(json.loads(inner))(chance)
                return json.dumps(frame)
        return text_or_value(frame)(chance)

    survive(read_frame, 3500, make, seed="frame")


def test_settings_files(tmp_path: Path) -> None:
    def read(text: str) -> object:
        (tmp_path / "meetings.toml").write_bytes(text.encode())
        return load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")

    survive(read, 1500, lambda chance: damaged_text(TOML, chance), seed="settings")


def test_variables_of_the_environment(tmp_path: Path) -> None:
    def read(environ: Mapping[str, str]) -> object:
        return load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path / "none")

    given = {
        "MEETINGS_MAX_HOURS": "3",
        "MEETINGS_VOCABULARY": "a, b",
        "MATTERMOST_URL": "https://x",
        "MEETINGS_HOME": "/x",
    }

    def make(chance: random.Random) -> Mapping[str, str]:
        key = chance.choice(list(given))
        return {**given, key: damaged_text(given[key], chance)}

    survive(read, 500, make, seed="environment")


def test_kept_wishes_and_posts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    book, positions = FeedbackBook(settings), Positions(settings)
    kept = KeptContext(settings, "https://chat.example.org")
    book.add("maya", "more", "price")
    kept.keep_channel("c", KEPT)
    positions.move("c", 5)

    stored = {kind: json.loads(document.body) for (kind, _), document in every_document(settings).items()}

    def in_document(read: Callable[[], object]) -> Reader:
        def reader(text: str) -> object:
            monkeypatch.setattr(
                Database, "read", lambda _, kind, name: Document(kind=kind, name=name, body=text, changed_at=0.0)
            )
            return read()

        return reader

    survive(in_document(lambda: book.of("maya")), 500, text_or_value(stored["feedback"]), seed="wishes")
    survive(in_document(lambda: kept.channel("c")), 500, text_or_value(stored["context channel"]), seed="kept")
    survive(in_document(lambda: positions.of("c")), 200, text_or_value(stored["positions"]), seed="positions")


def test_replies_and_corrections() -> None:
    survive(read_reply, 500, lambda chance: damaged_text(chance.choice(REPLIES), chance), seed="reply")
    survive(parse_setting, 300, lambda chance: damaged_text(chance.choice(SETTINGS), chance), seed="correction")


def test_answers_of_a_model() -> None:
    def read(text: str) -> object:
        return read_notes(text, numbers=range(1, 9), most=20)

    survive(read, 500, text_or_value(NOTES), seed="notes")


class Nothing:
    """A server that has none of what is asked for."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*args: object, **options: object) -> None:
            raise MattermostNotFoundError("no such thing", status=404)

        return refuse


class Idle:
    """A queue with nothing in it."""

    def put(self, post_id: str, *, cause: str = "") -> bool:
        return True

    def waiting(self) -> int:
        return 0


def test_bodies_of_webhooks_and_commands() -> None:
    doors = Doors(
        client=Nothing(),  # type: ignore[arg-type]
        queue=Idle(),
        webhook_token=SecretStr("hook"),
        command_token=SecretStr("hook"),
    )
    app = make_app(doors)
    statuses: set[int] = set()

    async def ask(path: str, kind: bytes, body: bytes, address: str) -> None:
        sent: list[dict[str, Any]] = []
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"},
            **{"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": (address, 5)},
            **{"server": ("127.0.0.1", 80), "headers": [(b"content-type", kind)]},
        }
        await app(scope, receive, send)  # type: ignore[arg-type]
        statuses.add(sent[0]["status"])
        assert b"Traceback" not in b"".join(m.get("body", b"") for m in sent)

    def make(chance: random.Random) -> tuple[str, bytes, bytes, str]:
        path = chance.choice(["/hooks/mattermost", "/commands/meetings"])
        # Each from an address of its own: nobody is told to slow down.
        address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
        if chance.random() < 0.5:
            return path, b"application/json", text_or_value(WEBHOOK)(chance).encode("utf-8", "replace"), address
        body = damaged_text(urlencode(WEBHOOK), chance).encode("utf-8", "replace")
        return (
            path,
            b"application/x-www-form-urlencoded",
            body * chance.choice([1, 1, 1, MAX_BODY // len(body or b"x")]),
            address,
        )

    with asyncio.Runner() as runner:
        survive(lambda given: runner.run(ask(*given)), 1500, make, seed="body")
    assert statuses <= {200, 400, 403}
    assert 403 in statuses


def test_the_damage_is_neither_none_nor_all() -> None:
    """Fuzzing that always, or never, gets past the first check tests nothing."""
    texts = [text_or_value(to_json(WEEKLY))(random.Random(f"transcript:{n}")) for n in range(500)]
    valid = 0
    for text in texts:
        with suppress(ValueError, RecursionError):
            json.loads(text)
            valid += 1
    assert 100 < valid < 400
