"""From what a user asked for to a `Job`: find the recording, read the people file, settle models and device.

Everything that can be refused is refused here, before minutes of work.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path

from meetings.config import Settings
from meetings.config_tables import ChannelRules
from meetings.errors import ConfigError, RecordingError, RecordingNotFoundError, StorageError
from meetings.job import Job, Source, local_source
from meetings.known_voices import names_stamp
from meetings.llm import language_model_fingerprint, open_language_model
from meetings.mattermost import MattermostClient, find_recording, reference_id
from meetings.models import fingerprint, locate
from meetings.people import FeedbackBook, read_people
from meetings.store import FileStore, file_digest

ROLES = {
    "recogniser": "whisper_model",
    "segmentation": "segmentation_model",
    "speaker_embedding": "embedding_model",
    "text_embedding": "text_embedding_model",
    "language_model": "language_model",
}


def prepare_job(
    recording: str,
    settings: Settings,
    *,
    people: Path | None = None,
    deliver: bool = False,
    writer: str | None = None,
    language: str | None = None,
    title: str | None = None,
    started_at: str | None = None,
    fresh: bool = False,
    vocabulary: Path | None = None,
) -> Job:
    """Settle everything that decides the result.

    Args:
        recording: a local path, a Mattermost permalink, a post id or a file id.
        settings: the admin's settings.
        people: a people file; without one, the members of the recording's channel, or "everyone".
        deliver: send direct messages.
        writer: how bullets are written; default the setting.
        language: spoken language; default the setting, else detected.
        title: title of a local recording; default its name.
        started_at: when a local recording began (ISO 8601), for due dates.
        vocabulary: a file with a name or term that is said on each line; added to the setting.
        fresh: do every stage again, even if its result is there.

    Raises:
        MeetingsError: whatever is missing or wrong, in one line.
    """
    client = MattermostClient.of(settings)
    server = client.url if client else None
    source = _source(recording, client, title=title, started_at=started_at)
    if deliver and client is None:
        raise ConfigError("--deliver needs a Mattermost; set MATTERMOST_URL and MATTERMOST_TOKEN")
    if deliver and not source.in_mattermost and people is None:
        raise ConfigError("--deliver of a local recording needs --people: nobody else says who may read it")
    if deliver and client is not None:
        client.me()  # a wrong token or a server that is down is found now, not after the work
    models = {role: str(getattr(settings, setting)) for role, setting in ROLES.items()}
    for role, name in models.items():
        if role != "language_model":
            locate(name, settings.models_folder)
    open_language_model(settings)  # loads and sends nothing; a server that is not allowed is refused here
    rules = _rules(settings, client, source)
    people_key = None
    if people is not None:
        people_key = _store_people(people, settings)
    return Job(
        source=source,
        people_key=people_key,
        deliver=deliver,
        writer=writer or settings.writer,
        language=language or settings.language,
        device=choose_device(settings),
        models=models,
        fingerprints={
            role: language_model_fingerprint(settings)
            if role == "language_model"
            else fingerprint(name, settings.models_folder)
            for role, name in models.items()
        },
        server=server if source.in_mattermost or deliver else None,
        audience=rules.audience or settings.audience,
        listed=rules.people,
        max_people=settings.max_people,
        vocabulary=(*settings.vocabulary, *_terms(vocabulary)),
        nonce=uuid.uuid4().hex if fresh else "",
        wishes=FeedbackBook(settings).stamp(),
        names=names_stamp(settings, FileStore.of(settings), source.media_id),
    )


def _source(recording: str, client: MattermostClient | None, *, title: str | None, started_at: str | None) -> Source:
    path = Path(recording)
    try:
        is_file = path.is_file()
        is_folder = path.is_dir()
    except OSError as error:
        raise RecordingError(recording[:200], error.strerror or str(error)) from error
    if is_folder:
        raise RecordingError(recording, "is a folder; give one recording")
    if not is_file:
        if path.exists():
            raise RecordingError(recording, "is a pipe, a device or a socket; give a recording's file")
        if reference_id(recording) is None:
            raise RecordingNotFoundError(recording)
        if client is None:
            raise ConfigError(
                "the recording is in Mattermost but none is configured; set MATTERMOST_URL and MATTERMOST_TOKEN"
            )
        return _mattermost_source(client, recording, title=title)
    try:
        media_id = file_digest(path)
    except OSError as error:
        raise RecordingError(path, f"cannot be read ({error.strerror})") from error
    return local_source(path, media_id=media_id, title=title, started_at=_iso(started_at))


def _mattermost_source(client: MattermostClient, reference: str, *, title: str | None) -> Source:
    found = find_recording(client, reference)
    return Source(
        media_id=found.file.id,
        name=found.file.name.rsplit(".", 1)[0],
        title=title or found.title,
        started_at=found.started_at,
        post_id=found.post_id,
        channel_id=found.channel_id,
        participant_ids=found.participant_ids,
        transcript_file_id=found.transcript_file_id,
        # _redirect leads to the post in whichever team the reader is (webapp route /_redirect/pl/ID).
        url=f"{client.url}/_redirect/pl/{found.post_id}",
        size=found.file.size,
    )


def _rules(settings: Settings, client: MattermostClient | None, source: Source) -> ChannelRules:
    """The rules of the recording's channel; a channel's name is asked for only if there are rules at all."""
    if not settings.channels or client is None or source.channel_id is None:
        return ChannelRules()
    return settings.channels.get(client.address_of(client.channel(source.channel_id)), ChannelRules())


def _store_people(people: Path, settings: Settings) -> str:
    from dataclasses import asdict

    store = FileStore.of(settings)
    try:
        return store.put_json("people", [asdict(p) for p in read_people(people)])
    except OSError as error:
        raise StorageError(settings.home, error) from error


def _terms(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"--vocabulary {file}: cannot be read ({reason}); give a text file, one term a line"
        ) from error
    terms = (" ".join(line.split()) for line in text.splitlines())
    return tuple(term for term in terms if term and not term.startswith("#"))


def _iso(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone().isoformat()
    except ValueError:
        raise ConfigError(f"--started-at {value!r} is no time like 2026-11-19T10:00") from None


def choose_device(settings: Settings) -> str:
    """`cpu` or `cuda`, as set or as found."""
    if settings.device != "auto":
        return settings.device
    # CTranslate2 answers in milliseconds where importing torch takes seconds.
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"
