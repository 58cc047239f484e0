"""What the Mattermost Calls plugin leaves behind, read into one value.

A call is a `custom_calls` post (who started it, when, participants, its recordings); each recording is a
`custom_calls_recording` post in its thread with the file; a transcription, if the server makes them, is a
`custom_calls_transcription` post whose WebVTT is named in `props.captions`. Seen with Calls on Mattermost 5.37 and in
the plugin's sources (mattermost/mattermost-plugin-calls).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from meetings.errors import MattermostError, MattermostNotFoundError
from meetings.mattermost.client import ID_PATTERN, FileInfo, MattermostClient, Post
from meetings.mattermost.entities import whole

CALL = "custom_calls"
RECORDING = "custom_calls_recording"
TRANSCRIPTION = "custom_calls_transcription"

_PERMALINK = re.compile(r"https?://[^\s/]+(?:/[^\s/]+)*/pl/([a-z0-9]{26})/?")
MEDIA = frozenset(["mp4", "webm", "mkv", "mov", "m4a", "mp3", "wav", "opus", "ogg", "oga", "flac", "aac", "avi"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording in Mattermost. `started_at` is ISO 8601 in UTC; `participant_ids` are user ids."""

    file: FileInfo
    post_id: str
    channel_id: str
    call_post_id: str | None
    title: str
    started_at: str | None
    participant_ids: tuple[str, ...]
    transcript_file_id: str | None
    # Who wrote the recording's post: the plugin's bot, or whoever else posted a file.
    author_id: str = ""
    # When the recording's post was written, in milliseconds since the epoch.
    posted_at: int = 0
    # The call's post has an end; a recording can be stopped while people talk on.
    call_over: bool = True
    # The call's post says that a transcription will come.
    transcript_announced: bool = False


def reference_id(reference: str) -> str | None:
    """The post or file id in a permalink or bare id, else None (then it is a path)."""
    if match := _PERMALINK.fullmatch(reference.strip()):
        return match.group(1)
    return reference if ID_PATTERN.fullmatch(reference) else None


def find_recording(client: MattermostClient, reference: str) -> Recording:
    """Find the recording that a permalink, post id or file id means.

    A call post means its newest recording; a post with a media file that Calls did not make is taken as it is.

    Raises:
        MattermostError: no such post or file, no right to read it, or nothing to hear in it.
    """
    wanted = reference_id(reference)
    if wanted is None:
        raise MattermostError(f"{reference}: neither a permalink nor an id of a post or file")
    try:
        post = client.post(wanted)
    except MattermostNotFoundError:
        info = client.file_info(wanted)
        if not info.post_id:
            raise MattermostError(f"file {wanted} is on no post; only posted recordings can be used") from None
        return _from_post(client, client.post(info.post_id), info)
    if post.type == CALL:
        return _newest_recording(client, post)
    return _from_post(client, post, None)


def _newest_recording(client: MattermostClient, call: Post) -> Recording:
    recordings = [
        p
        for p in client.thread(call.id)
        if p.type == RECORDING and p.file_ids and p.props.get("call_post_id", call.id) == call.id
    ]
    if not recordings:
        raise MattermostError(f"call {call.id} has no recording yet; try again when the call has ended")
    return _from_post(client, recordings[-1], None)


def _from_post(client: MattermostClient, post: Post, info: FileInfo | None) -> Recording:
    if info is None:
        if not post.file_ids:
            raise MattermostError(f"post {post.id} has no file; give the post of a recording")
        infos = [client.file_info(f) for f in post.file_ids]
        media = [i for i in infos if i.name.rsplit(".", 1)[-1].lower() in MEDIA]
        if not media:
            raise MattermostError(f"post {post.id} has no audio or video file ({infos[0].name})")
        info = media[0]
    call = _call_of(client, post)
    props: Mapping[str, Any] = call.props if call else {}
    # Whoever writes a post writes its props.
    started = whole(props.get("start_at")) or post.create_at
    attended = props.get("participants")
    title = str(props.get("title") or "") or info.name.rsplit(".", 1)[0]
    return Recording(
        file=info,
        post_id=post.id,
        channel_id=post.channel_id,
        call_post_id=call.id if call else None,
        title=title,
        started_at=datetime.fromtimestamp(started / 1000, tz=UTC).isoformat() if started else None,
        participant_ids=tuple(str(p) for p in (attended if isinstance(attended, list) else ())),
        transcript_file_id=_transcript_of(client, call, post, info.id) if call else None,
        author_id=post.user_id,
        posted_at=post.create_at,
        call_over=call is None or bool(props.get("end_at")),
        transcript_announced=call is not None and _announced(call, info.id) is not None,
    )


def _call_of(client: MattermostClient, post: Post) -> Post | None:
    call_id = post.props.get("call_post_id")
    if not isinstance(call_id, str) or not ID_PATTERN.fullmatch(call_id):
        return None
    try:
        call = client.post(call_id)
    except MattermostNotFoundError:
        return None
    # A post may name any other in its props: only a call of the same channel counts.
    return call if call.type == CALL and call.channel_id == post.channel_id else None


def _transcript_of(client: MattermostClient, call: Post, recording: Post, file_id: str) -> str | None:
    """The WebVTT that belongs to this recording: announced in the call's props, or on the recording by an edit."""
    if found := caption_of(recording):
        return found
    announced = _announced(call, file_id)
    transcriptions = [p for p in client.thread(call.id) if p.type == TRANSCRIPTION]
    if announced is not None:
        transcriptions = [p for p in transcriptions if p.props.get("transcription_id") == announced]
    elif len(transcriptions) != 1:
        return None
    return next((c for p in transcriptions if (c := caption_of(p))), None)


def _announced(call: Post, file_id: str) -> str | None:
    """The id of the transcription that the call's post announces for a recording."""
    jobs = call.props.get("recordings")
    return next(
        (
            str(job["tr_id"])
            for job in (jobs.values() if isinstance(jobs, Mapping) else ())
            if isinstance(job, Mapping) and job.get("file_id") == file_id and job.get("tr_id")
        ),
        None,
    )


def caption_of(post: Post) -> str | None:
    """The file of the WebVTT that a post names, if it names one."""
    captions = post.props.get("captions")
    if isinstance(captions, list):
        for caption in captions:
            if isinstance(caption, Mapping) and ID_PATTERN.fullmatch(str(caption.get("file_id", ""))):
                return str(caption["file_id"])
    return None
