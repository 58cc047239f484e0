"""A recorded call arriving in a channel exactly as the Mattermost Calls plugin posts it, over the server's REST.

The order is the plugin's (mattermost-plugin-calls, bot_api.go and state.go): the call's post by who started it, the
announced recording job, the end with its participants, the recording's post by the bot `calls`, its file in the call's
props; then, if there is one, the transcription. The plugin works inside the server; here the call's post is edited by
who started it, so that the bot needs no more than to be in the channel, on a real server too.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meetings.errors import RecordingError, RecordingNotFoundError, SandboxError
from meetings.sandbox.credentials import Credentials
from meetings.sandbox.ids import derived_id, new_id
from meetings.sandbox.rest import Rest

PAGE = 200
RECORDING = "custom_calls_recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that has left its posts. `fresh` is False when an earlier post of the same recording was found."""

    call_post_id: str
    recording_post_id: str
    channel_id: str
    file_id: str
    transcription_post_id: str | None
    permalink: str
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A call about to be posted. Times in milliseconds since the epoch."""

    channel_id: str
    title: str
    starter: Mapping[str, Any]
    participant_ids: tuple[str, ...]
    start_at: int
    end_at: int
    transcription: Path | None


def post_call(
    credentials: Credentials,
    recording: Path,
    *,
    channel: str,
    title: str,
    started_by: str,
    participants: Sequence[str] | None = None,
    duration: float | None = None,
    transcription: Path | None = None,
    once: bool = False,
) -> Call:
    """Let a recording arrive.

    Args:
        credentials: where the server is, and its accounts' tokens.
        recording: the media file.
        channel: the name of the channel the call was in.
        title: what the call was called; may be empty.
        started_by: the username of who started it.
        participants: usernames; who started it is one of them in any case. None: everybody in the channel but bots.
        duration: length of the call in seconds; it ended just now. None: as long as ffmpeg says the recording is; a
            file without a length makes a call without one.
        transcription: a WebVTT file, as the Calls transcriber writes it.
        once: give back the post that an earlier run left for the same recording in this channel.

    Raises:
        SandboxError: an account or its token is missing.
        MattermostError: the server refused.
        RecordingNotFoundError: there is no such file.
    """
    for path in (recording, transcription):
        if path is not None and not path.is_file():
            raise RecordingNotFoundError(path)
    if credentials.team is None or credentials.calls_token is None:
        raise SandboxError("the sandbox is empty: it has no bot `calls` and nobody who could start a call")
    if started_by not in credentials.users:
        raise SandboxError(f"the sandbox has no user {started_by!r}; known: {', '.join(sorted(credentials.users))}")
    with (
        Rest(credentials.url, credentials.calls_token) as bot,
        Rest(credentials.url, credentials.users[started_by]) as starter,
    ):
        place = bot.get(f"/teams/name/{credentials.team}/channels/name/{channel}", missing=f"channel {channel!r}")
        digest = _digest(recording)
        found = _earlier(bot, place["id"], digest) if once else None
        if found is None:
            people = _people(bot, place, started_by, participants)
            now = time.time_ns() // 1_000_000
            planned = _Planned(
                channel_id=place["id"],
                title=title,
                starter=people[0],
                participant_ids=tuple(p["id"] for p in people),
                start_at=now - round((recording_length(recording) if duration is None else duration) * 1000),
                end_at=now,
                transcription=transcription,
            )
            found = _Calls(bot, starter, planned).run(recording, digest)
    return replace(found, permalink=f"{credentials.url}/{credentials.team}/pl/{found.recording_post_id}")


class _Calls:
    """The plugin's part, for one call."""

    def __init__(self, bot: Rest, starter: Rest, planned: _Planned) -> None:
        self._bot = bot
        self._starter = starter
        self._planned = planned
        self._call: dict[str, Any] = {}

    def run(self, recording: Path, digest: str) -> Call:
        """From the start to the recording, and the transcription if there is one."""
        self._start()
        job_id = _job_id(digest, self._call["id"])
        tr_id = new_id() if self._planned.transcription else ""
        self._announce(job_id, tr_id)
        self._end()
        post = self._post_recording(recording, job_id, tr_id)
        transcription = self._post_transcription(job_id, tr_id, post) if tr_id else None
        return Call(
            call_post_id=self._call["id"],
            recording_post_id=post["id"],
            channel_id=self._planned.channel_id,
            file_id=post["file_ids"][0],
            transcription_post_id=transcription,
            permalink="",
            fresh=True,
        )

    def _start(self) -> None:
        text = f"{_display_name(self._planned.starter)} started a call"
        self._call = self._starter.post(
            "/posts",
            {
                "channel_id": self._planned.channel_id,
                "message": text,
                "type": "custom_calls",
                "props": {
                    "attachments": [_attachment(text)],
                    "start_at": self._planned.start_at,
                    "title": self._planned.title,
                },
            },
        )

    def _announce(self, job_id: str, tr_id: str) -> None:
        """The recording job is named in the call's props before there is a file."""
        props: dict[str, Any] = {"recordings": {job_id: {"tr_id": tr_id}}}
        if tr_id:
            props["transcriptions"] = {tr_id: {"rec_id": job_id}}
        self._update(props)

    def _end(self) -> None:
        self._update(
            {
                "attachments": [_attachment("Call ended")],
                "end_at": self._planned.end_at,
                "participants": list(self._planned.participant_ids),
            },
            message="Call ended",
        )

    def _post_recording(self, recording: Path, job_id: str, tr_id: str) -> Mapping[str, Any]:
        with recording.open("rb") as file:
            file_id = self._bot.upload(self._planned.channel_id, _file_name(self._planned, recording), file)
        waiting = ". Transcription is processing and will be posted when ready" if tr_id else ""
        post: Mapping[str, Any] = self._reply(
            f"Here's the call recording{waiting}",
            RECORDING,
            file_id,
            {"recording_id": job_id, "call_post_id": self._call["id"]},
        )
        self._update(
            {
                "recording_files": [file_id],
                "recordings": {job_id: {"file_id": file_id, "post_id": post["id"], "tr_id": tr_id}},
            }
        )
        return post

    def _post_transcription(self, job_id: str, tr_id: str, recording: Mapping[str, Any]) -> str:
        """The captions belong to the call, the text file to the post; the recording learns of the captions last."""
        assert self._planned.transcription is not None
        vtt = _read(self._planned.transcription)
        stem = _file_name(self._planned, self._planned.transcription).rsplit(".", 1)[0]
        captions_id = self._bot.upload(self._planned.channel_id, f"{stem}.vtt", vtt.encode("utf-8"))
        text_id = self._bot.upload(self._planned.channel_id, f"{stem}.txt", plain_text(vtt).encode("utf-8"))
        captions = [{"title": "en", "language": "en", "file_id": captions_id}]
        post = self._reply(
            "Here's the call transcription",
            "custom_calls_transcription",
            text_id,
            {"call_post_id": self._call["id"], "transcription_id": tr_id, "captions": captions},
        )
        self._bot.put(f"/posts/{recording['id']}/patch", {"props": {**recording["props"], "captions": captions}})
        transcription = {"file_id": captions_id, "post_id": post["id"], "rec_id": job_id}
        self._update({"transcriptions": {tr_id: transcription}})
        return str(post["id"])

    def _reply(self, message: str, kind: str, file_id: str, props: Mapping[str, Any]) -> Any:
        if self._planned.title:
            start = datetime.fromtimestamp(self._planned.start_at / 1000, tz=UTC)
            message += f" of {self._planned.title} at {start.strftime('%I:%M%p').lstrip('0')} UTC"
        return self._bot.post(
            "/posts",
            {
                "channel_id": self._planned.channel_id,
                "root_id": self._call["id"],
                "message": message,
                "type": kind,
                "file_ids": [file_id],
                "props": dict(props),
            },
        )

    def _update(self, props: Mapping[str, Any], *, message: str | None = None) -> None:
        self._call = self._starter.put(
            f"/posts/{self._call['id']}",
            {
                "id": self._call["id"],
                "message": self._call["message"] if message is None else message,
                "props": {**self._call["props"], **props},
            },
        )


def _people(
    bot: Rest, place: Mapping[str, Any], started_by: str, participants: Sequence[str] | None
) -> list[Mapping[str, Any]]:
    """The accounts of a call's participants, who started it first; all must be in its channel."""
    ids = [m["user_id"] for m in bot.get(f"/channels/{place['id']}/members?per_page={PAGE}")]
    members = {u["username"]: u for u in bot.post("/users/ids", ids)}
    humans = sorted(name for name, user in members.items() if not user.get("is_bot"))
    names = list(dict.fromkeys([started_by, *(humans if participants is None else participants)]))
    for name in names:
        if name not in members:
            raise SandboxError(f"{name} is not a member of {place['name']}; its members: {', '.join(humans)}")
    return [members[name] for name in names]


def recording_length(path: Path) -> float:
    """Seconds that ffmpeg says a file lasts; 0 when it says none."""
    from meetings.speech.media import probe

    try:
        return probe(path).announced
    except RecordingError:
        return 0.0


def plain_text(vtt: str) -> str:
    """The words of a WebVTT file, one cue a line, with who says them."""
    lines = []
    for block in re.split(r"\n\s*\n", vtt.replace("\r\n", "\n")):
        _, arrow, cue = block.partition("-->")
        if arrow:
            words = " ".join(cue.split("\n")[1:])
            lines.append(re.sub(r"<v ([^>]*)>", r"\1: ", re.sub(r"</?(?!v )[^>]*>", "", words)).strip())
    return "\n".join(line for line in lines if line) + "\n"


def _earlier(bot: Rest, channel_id: str, digest: str) -> Call | None:
    """The posts that an earlier run left for the same recording, looked for in the channel's newest posts."""
    posts = bot.get(f"/channels/{channel_id}/posts?per_page={PAGE}")["posts"].values()
    for post in sorted(posts, key=lambda p: -int(p["create_at"])):
        call_post_id = str(post["props"].get("call_post_id", ""))
        if post["type"] == RECORDING and post["props"].get("recording_id") == _job_id(digest, call_post_id):
            return Call(
                call_post_id=call_post_id,
                recording_post_id=post["id"],
                channel_id=channel_id,
                file_id=post["file_ids"][0],
                transcription_post_id=None,
                permalink="",
                fresh=False,
            )
    return None


def _job_id(digest: str, call_post_id: str) -> str:
    """A recording job's id: its own for each call, and found again for the same recording."""
    return derived_id("recording", digest, call_post_id)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(f"{path}: cannot be read as text") from error


def _file_name(planned: _Planned, path: Path) -> str:
    """What the recorder calls its file: the call's title and its start."""
    title = re.sub(r"[^\w-]+", "_", planned.title).strip("_") or "Call"
    start = datetime.fromtimestamp(planned.start_at / 1000, tz=UTC)
    return f"{title}_{start:%Y-%m-%d_%H-%M-%S}{path.suffix.lower() or '.mp4'}"


def _display_name(user: Mapping[str, Any]) -> str:
    return f"{user['first_name']} {user['last_name']}".strip() or str(user["username"])


def _attachment(text: str) -> dict[str, str]:
    return {"fallback": text, "title": text, "text": text}
