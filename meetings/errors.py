"""Every error this program raises on purpose, on one page.

The message of each is one line for a user: what went wrong and what to do about it. The command line catches
`MeetingsError` and prints that line; nothing else does. Errors carry what they concern as attributes, so that
code can decide without reading prose.
"""

from __future__ import annotations

import errno
from pathlib import Path


class MeetingsError(Exception):
    """The root: `str(error)` is the line a user reads; `exit_code` is what the command exits with."""

    exit_code = 1

    def __reduce__(self) -> tuple[object, ...]:
        # The step engine stores errors; rebuilding from the message avoids each subclass's own arguments.
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(kind: type[MeetingsError], args: tuple[object, ...], state: dict[str, object]) -> MeetingsError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


# Configuration and the machine


class ConfigError(MeetingsError):
    """A settings file or environment variable is wrong."""


_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "use another disk, or raise ulimit -f",
}


def refusal(error: OSError) -> str:
    """Why the disk refused, and what to do."""
    remedy = _REMEDIES.get(error.errno or 0, "check the folder and its permissions")
    return f"{error.strerror or error}; {remedy}"


class StorageError(MeetingsError):
    """A folder cannot be written or the disk is full."""

    def __init__(self, path: Path, reason: str | OSError) -> None:
        self.path = path
        super().__init__(f"cannot write {path}: {refusal(reason) if isinstance(reason, OSError) else reason}")


class DatabaseError(MeetingsError):
    """The database is damaged, does not answer, or refuses."""


class SchemaError(DatabaseError):
    """The database is of a newer program, or has yet to be brought to this one's schema."""


class AuditError(MeetingsError):
    """The audit log cannot be read."""


class BusyError(MeetingsError):
    """Another process is working on the same recording."""


# Recordings


class RecordingError(MeetingsError):
    """The recording cannot be used; `path` says which."""

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = path
        super().__init__(f"{path}: {reason}")


class RecordingNotFoundError(RecordingError):
    """There is no such file."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, "no such file; give a path, a Mattermost permalink, a post id or a file id")


class NotMediaError(RecordingError):
    """ffmpeg does not recognise the file as audio or video."""


class NoAudioError(RecordingError):
    """The file is media but has no audio track, or the track holds no samples."""


class TruncatedMediaError(RecordingError):
    """The file breaks off before the container can be read."""


class MediaLimitError(RecordingError):
    """The file wants more than a recording may have: hours, tracks, time or memory."""


class FfmpegMissingError(MeetingsError):
    """Neither a system ffmpeg nor the bundled one can be started."""

    def __init__(self) -> None:
        super().__init__("ffmpeg cannot be started; install it (apt-get install ffmpeg) or pip install imageio-ffmpeg")


# Voices


class VoicesError(MeetingsError):
    """A voice cannot be enrolled, learnt or named as asked."""


class ConsentError(VoicesError):
    """Somebody's consent to keep their voiceprint is not recorded."""

    def __init__(self, username: str) -> None:
        self.username = username
        super().__init__(
            f"no consent of {username} is recorded; ask them, then say how they gave it: --consent 'signed on paper'"
        )


class VoicesKeyError(VoicesError):
    """The key of the stored voices is missing or wrong."""


class CorrectionError(MeetingsError):
    """A correction names a speaker or an account that is not there."""


# Transcripts and people


class ConversationError(MeetingsError):
    """A conversation file does not follow the contract."""


class IncidentError(MeetingsError):
    """A brief of an incident cannot be made or shared; says why, and nothing of a channel one is not in."""


class PeopleError(MeetingsError):
    """The people file is wrong: unknown key, duplicate, nobody in it."""


class SaveError(MeetingsError):
    """A meeting cannot be saved as asked: no summary of that person, a damaged file, a format that needs a file."""


# Models


class ModelError(MeetingsError):
    """A model file cannot be used."""


class UnknownModelError(ModelError):
    """The catalogue has no such model."""


class ModelMissingError(ModelError):
    """A model is in the catalogue but not on disk."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        super().__init__(f"model {name} is not in {path}; run: meetings models pull {name}")


class ModelHashError(ModelError):
    """A model file's SHA-256 is not the catalogue's: it was refused and deleted."""


class ModelDownloadError(ModelError):
    """A model could not be fetched."""


class LanguageModelError(ModelError):
    """A language model failed to load or to answer."""


class PromptError(LanguageModelError):
    """One prompt got no usable answer; other prompts may."""


class ContextOverflowError(PromptError):
    """Prompt and answer have more tokens than the model's context: `needed` and `context`, 0 where nobody says."""

    def __init__(self, model: str, *, needed: int, context: int) -> None:
        self.model, self.needed, self.context = model, needed, context
        what = f"a prompt of {needed} tokens" if needed else "the prompt"
        limit = f"its context of {context}" if context else "its context"
        super().__init__(
            f"{model}: {what} does not fit {limit}; raise llm_context, or use a model with a longer context"
        )


class RefusedAnswerError(PromptError):
    """The model, or a filter before it, would not answer."""


class MalformedAnswerError(PromptError):
    """The answer is not of the form that was asked for, or broke off; `text` is what came, which no message shows."""

    def __init__(self, message: str, *, text: str = "") -> None:
        self.text = text
        super().__init__(message)


class ModelServerError(LanguageModelError):
    """A language model's server refused or failed; `status` is the HTTP status, 0 when it did not answer."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


class ModelServerUnreachableError(ModelServerError):
    """The server did not answer, or not in time."""


class ModelServerAuthError(ModelServerError):
    """The API key is missing, wrong, or may not use the model."""


class ModelServerBusyError(ModelServerError):
    """The server asks to slow down, or a quota is used up; `retry_after` is in seconds, None where nobody says."""

    def __init__(self, message: str, *, retry_after: float | None) -> None:
        self.retry_after = retry_after
        super().__init__(message, status=429)


class ModelServerNotAllowedError(LanguageModelError):
    """What was said would go to another machine, and no admin has allowed that `host` by name."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(
            f"what was said would be sent to {host}, which is not allowed; an admin may allow it: "
            f'llm_allowed_hosts = ["{host}"] in meetings.toml'
        )


# Writers that a language model can be tested and admitted for (`meetings models admit`).
TESTED_WRITERS = ("rewrite", "compose")


class WriterNotAdmittedError(ModelError):
    """A writer was asked for that the language model is not admitted for; `writer` and `model` say which."""

    def __init__(self, writer: str, model: str | None) -> None:
        self.writer, self.model = writer, model
        if model:
            who = f"model {model} is not admitted for it (meetings models admit {model} --writer {writer})"
        else:
            who = "there is no language model"
        super().__init__(f"writer {writer} cannot be used: {who}; use --writer auto or extract")


# Mattermost


class MattermostError(MeetingsError):
    """The Mattermost server refused or failed.

    `status` is the HTTP status, 0 when there was no answer; `error_id` is Mattermost's own name for its refusal, empty
    where it gave none. `perhaps_done` is set when the server may have done what it was asked although no answer came:
    look before asking again.
    """

    def __init__(self, message: str, *, status: int = 0, error_id: str = "", perhaps_done: bool = False) -> None:
        self.status = status
        self.error_id = error_id
        self.perhaps_done = perhaps_done
        super().__init__(message)

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later without anybody changing a setting."""
        return self.status in {408, 429} or (self.status >= 500 and self.status != 501)

    @property
    def everywhere(self) -> bool:
        """Whether any other request would meet it now: the server's or the token's trouble, not one person's."""
        return self.temporary


class MattermostUnreachableError(MattermostError):
    """The server did not answer."""

    @property
    def temporary(self) -> bool:
        """A server that does not answer may come back."""
        return True

    @property
    def everywhere(self) -> bool:
        """Whoever asks gets no answer."""
        return True


class MattermostTLSError(MattermostUnreachableError):
    """The server's certificate is not accepted, or no encrypted connection comes about."""

    @property
    def temporary(self) -> bool:
        """Somebody must repair the certificate or name its authority."""
        return False


class MattermostAnswerError(MattermostUnreachableError):
    """Something answered, but not with what Mattermost answers: a web page, half an answer, a redirect."""

    @property
    def temporary(self) -> bool:
        """Half an answer may be whole next time; a redirect stays one."""
        return not 300 <= self.status < 400


class MattermostAuthError(MattermostError):
    """The token is missing, wrong or revoked."""

    @property
    def everywhere(self) -> bool:
        """The token is on every request."""
        return True


class MattermostForbiddenError(MattermostError):
    """The bot lacks a permission or a membership."""


class MattermostNotFoundError(MattermostError):
    """There is no such post, file, user or channel, or it was deleted."""


class MattermostConflictError(MattermostError):
    """Something else changed it meanwhile, or it is there already."""


class MattermostTooLargeError(MattermostError):
    """The server takes no request of this size."""


class MattermostRateLimitError(MattermostError):
    """The server asks to slow down; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float, error_id: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(message, status=429, error_id=error_id)


class MattermostFileChangedError(MattermostError):
    """A file is not the one whose download was begun."""


class SandboxError(MeetingsError):
    """The sandbox cannot start, is not running, or its data is wrong."""
