"""The sample call as a file that was processed on this machine, and the page that `meetings report` serves of it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import requests

from meetings.config import Settings
from meetings.conversation import to_json
from meetings.job import Job, local_source
from meetings.people import Person
from meetings.recordings import remember_run
from meetings.report import LocalMeeting, LocalPage, Remaking, make_local_app, served_until_closed
from meetings.stages import Stages
from meetings.store import FileStore, digest, file_digest
from tests.report_site import IN_CALL, SAMPLE, STAFF, sample_conversation, sample_summary

ROLES = ("recogniser", "segmentation", "speaker_embedding", "text_embedding", "language_model")


@dataclass
class LocalSite:
    """A page on this machine."""

    page: LocalPage
    remaking: Remaking
    settings: Settings
    recording: Path
    meeting: LocalMeeting

    @property
    def url(self) -> str:
        """The page's address without its token."""
        return self.page.address.partition("?")[0]

    @property
    def origin(self) -> str:
        return self.url.partition("/m/")[0]

    def visit(self) -> requests.Session:
        """A browser that opened the address."""
        session = requests.Session()
        assert session.get(self.page.address, timeout=60).status_code == 200
        return session


def keep_local_sample(settings: Settings, recording: Path) -> Job:
    """Leave behind what a run over the sample call, as a file of this machine, leaves behind."""
    store, media_id = FileStore.of(settings), file_digest(recording)
    people = [Person(username=u, name=" ".join(STAFF[u][:2]), position=STAFF[u][2]) for u in IN_CALL]
    job = Job(
        source=local_source(recording, media_id=media_id, title="Weekly product call", started_at=None),
        people_key=store.put_json("people", [asdict(p) for p in people]),
        deliver=False,
        writer="extract",
        language=None,
        device="cpu",
        models=dict.fromkeys(ROLES, "m"),
        fingerprints=dict.fromkeys(ROLES, "f"),
    )
    conversation = sample_conversation(media_id)
    keys = digest("conversation", media_id), digest("summaries", media_id)
    store.write_json("conversation", keys[0], to_json(conversation))
    store.write_json("summaries", keys[1], [sample_summary(u, conversation) for u in IN_CALL])
    stages = Stages(settings=settings, store=store)
    diarization = stages._diarization_key(job)
    turns = [{"start": u.start, "end": u.end, "speaker": u.speaker} for u in conversation.utterances]
    store.write_json("diarization", diarization, {"turns": turns, "exclusive": turns})
    store.write_json("transcription", stages._transcription_key(job), {})
    remember_run(store, job, conversation=keys[0], diarization=diarization, summaries=keys[1])
    return job


@contextmanager
def served_locally(
    folder: Path, *, named: str = "", first: str = "", make: Callable[[], None] = lambda: None
) -> Iterator[LocalSite]:
    """The page, for the time of a `with` block.

    Args:
        folder: where data and recording are put.
        named: what the command is given; empty: the recording's file.
        first: whose summary is shown first.
        make: what is done to make summaries again.
    """
    settings = Settings(home=folder / "home")
    recording = Path(shutil.copy(SAMPLE, folder / "weekly-product-call.mp4"))
    keep_local_sample(settings, recording)
    meeting, remaking = LocalMeeting(named or str(recording), settings, by="kim"), Remaking()
    with socket.create_server(("127.0.0.1", 0)) as bound:
        page = LocalPage(meeting, port=bound.getsockname()[1], first=first, remaking=remaking)

        def work() -> None:
            while True:
                remaking.wait()
                remaking.work(make)

        threading.Thread(target=work, daemon=True).start()
        with served_until_closed(make_local_app(page), bound):
            yield LocalSite(page=page, remaking=remaking, settings=settings, recording=recording, meeting=meeting)
