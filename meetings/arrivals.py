"""When a recording that was posted is to be worked on: at once, later, or not at all. Pure decisions, as values."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from meetings.errors import (
    BusyError,
    ConfigError,
    DatabaseError,
    FfmpegMissingError,
    MattermostAuthError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostUnreachableError,
    MeetingsError,
    ModelError,
    StorageError,
)
from meetings.mattermost import Recording
from meetings.mattermost.calls import RECORDING, TRANSCRIPTION
from meetings.mattermost.client import Post

_SHORT = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES}
)
LOOK_AGAIN = 20.0  # seconds between two looks at a recording whose transcription or call's end is waited for
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 15 * 60.0  # seconds before work that failed is tried again
# Trouble that passes is waited out for about ten days at the longest pause; what cannot be explained, three times.
PATIENT, UNEXPLAINED = 1_000, 3
_PASSING = (
    MattermostUnreachableError,
    MattermostRateLimitError,
    MattermostAuthError,
    StorageError,
    DatabaseError,
    BusyError,
    # An admin mends these, and what came meanwhile is taken up.
    ConfigError,
    ModelError,
    FfmpegMissingError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Begin."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Look again in so many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Never."""

    reason: str


def recording_of(post: Post) -> str | None:
    """The post of the recording that a post is, or says something new about; None for any other post."""
    if post.type == RECORDING and post.file_ids and not post.delete_at:
        return post.id
    return None


def call_of(post: Post) -> str | None:
    """The call whose recordings a transcription's post says something new about."""
    call = post.props.get("call_post_id")
    return call if post.type == TRANSCRIPTION and isinstance(call, str) and not post.delete_at else None


def decide(recording: Recording, *, now: int, patience: float) -> Work | Wait:
    """Whether to begin with a recording.

    Args:
        recording: as the server shows it now.
        now: milliseconds since the epoch, by the clock of this machine.
        patience: seconds after its post that a recording waits for an announced transcription and for its call's end.
    """
    missing = []
    if recording.transcript_announced and recording.transcript_file_id is None:
        missing.append("its transcription")
    if not recording.call_over:
        missing.append("the end of its call")
    if not missing:
        return Work()
    what = " and ".join(missing)
    # A clock that runs behind the server's must not make the wait longer than it is meant to be.
    left = min(patience, patience - (now - recording.posted_at) / 1000)
    if left <= 0:
        return Work(note=f"{what} did not come within {patience / 60:g} minutes")
    return Wait(seconds=min(LOOK_AGAIN, left), reason=what)


def _is_short(error: Exception) -> bool:
    """Whether a machine is short of something that comes back, or an admin has to see to a disk."""
    return isinstance(error, OSError) and error.errno in _SHORT


def decide_again(error: Exception, *, attempt: int) -> Wait | Drop:
    """What to do after work on a recording failed for the `attempt`th time.

    | trouble | policy |
    |---|---|
    | the server does not answer, is overloaded, or refuses the token | again |
    | the disk is full or read-only, too many files are open | again |
    | another process is at it, the model server or the database is down | again |
    | the post or file is gone, or the bot may not read it | never |
    | a setting is wrong, a model or ffmpeg is missing: an admin will mend it | again |
    | the file is no recording | never |
    | anything else | three times in all |

    *Again* is after 15 s, then twice as long each time, 15 minutes at most, about ten days long.
    """
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MattermostNotFoundError):
        return Drop(reason=f"it is gone: {reason}")
    if isinstance(error, MattermostForbiddenError):
        return Drop(reason=reason)
    if isinstance(error, _PASSING) or _is_short(error) or (isinstance(error, MattermostError) and error.temporary):
        tries = PATIENT
    else:
        tries = 1 if isinstance(error, MeetingsError) else UNEXPLAINED
    if attempt >= tries:
        return Drop(reason=reason)
    return Wait(seconds=min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 10)), reason=reason)
