"""What kind of trouble an error is, and what an admin does about it. Pure: names of errors in, words out."""

from __future__ import annotations

from dataclasses import dataclass

from meetings import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A kind of trouble, as a word that metrics count it under, and what is to be done."""

    cause: str
    todo: str


# The nearest class in an error's family tree decides.
_REMEDIES: dict[type[errors.MeetingsError], Remedy] = {
    errors.MattermostNotFoundError: Remedy(cause="gone", todo="nothing: it was deleted in Mattermost"),
    errors.MattermostForbiddenError: Remedy(
        cause="forbidden", todo="invite the bot to the channel (/invite @meetings), then: meetings retry POST"
    ),
    errors.MattermostAuthError: Remedy(cause="token", todo="set a valid mattermost_token and start again"),
    errors.MattermostTLSError: Remedy(cause="certificate", todo="mend the server's certificate (meetings doctor)"),
    errors.MattermostRateLimitError: Remedy(cause="rate limit", todo="nothing: it is tried again"),
    errors.MattermostUnreachableError: Remedy(
        cause="unreachable", todo="see whether the server answers (meetings doctor); it is tried again"
    ),
    errors.MattermostError: Remedy(cause="mattermost", todo="see what the server says, then: meetings retry POST"),
    errors.MediaLimitError: Remedy(
        cause="too large", todo="raise max_hours if it is meant to be, then: meetings retry POST"
    ),
    errors.RecordingError: Remedy(
        cause="recording", todo="nothing, if it is none; else see its file: meetings process POST"
    ),
    errors.FfmpegMissingError: Remedy(cause="ffmpeg", todo="install ffmpeg; it is tried again"),
    errors.ModelMissingError: Remedy(cause="model missing", todo="meetings models pull; it is tried again"),
    errors.ModelServerError: Remedy(
        cause="model server", todo="see that llm_url answers (meetings doctor); it is tried again"
    ),
    errors.ModelError: Remedy(cause="model", todo="meetings models verify; it is tried again"),
    errors.StorageError: Remedy(cause="storage", todo="free space, or see the folder's rights; it is tried again"),
    errors.DatabaseError: Remedy(
        cause="database", todo="see that database_url answers (meetings doctor); it is tried again"
    ),
    errors.ConfigError: Remedy(cause="settings", todo="mend the settings (meetings doctor) and start again"),
    errors.BusyError: Remedy(cause="busy", todo="nothing: it is tried again"),
}
_DIED = Remedy(cause="died", todo="see why the process died over it (memory?), then: meetings retry POST")
_UNEXPLAINED = Remedy(cause="unexplained", todo="see the log, then: meetings retry POST")
DIED = "Died"  # in place of an error's name: the process itself ended, again and again


def remedy_of(kind: str) -> Remedy:
    """What to do about an error of a class of that name; anything unknown is unexplained."""
    if kind == DIED:
        return _DIED
    found = getattr(errors, kind, None)
    family = found.__mro__ if isinstance(found, type) and issubclass(found, errors.MeetingsError) else ()
    return next((_REMEDIES[one] for one in family if one in _REMEDIES), _UNEXPLAINED)


CAUSES = {r.cause: r.todo for r in (*_REMEDIES.values(), _DIED, _UNEXPLAINED)}
