"""The stages from words and voices to messages, on top of those that listen (`meetings.hearing`).

A stage takes the job and the keys of earlier results, finds its result or makes and stores it, and returns a
`StageResult`. Engines are imported inside the stage that needs them, so that a run which reuses speech never loads
torch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from meetings.audience import possible_speakers, readers
from meetings.audit import AuditLog
from meetings.conversation import Conversation, from_json, to_json
from meetings.corrections import answers_of
from meetings.edits import apply_edits, as_heard, edits_stamp, read_edits
from meetings.errors import MattermostError
from meetings.hearing import Hearing
from meetings.job import Job
from meetings.kept_voices import KeptVoices
from meetings.known_voices import known_voices
from meetings.mattermost import KeptContext, Outcome, Reading, deliver, person_of, read_contexts
from meetings.page_links import PageLinks
from meetings.people import (
    ChannelContext,
    FeedbackBook,
    FeedbackContext,
    Person,
    PersonContext,
    PostContext,
    build_persona,
    read_profiles,
)
from meetings.progress import Progress
from meetings.stage import StageResult, stored_person
from meetings.store import digest

# Props hold 8,000 characters on a stock server; of a message of 14 lines this is the most that is judged.
MAX_POINTS, MAX_POINT = 12, 200
EVERYONE = Person(username="everyone", name="Everyone", position="")


class Stages(Hearing):
    """The stages over one settings object and one store."""

    def join(self, job: Job, progress: Progress) -> StageResult:
        """Utterances with named speakers: a `Conversation`."""
        del progress
        client = self._client(job) if job.source.in_mattermost else None
        candidates = possible_speakers(job, client, self._people_file(job))
        transcript = ""
        if client is not None and job.source.transcript_file_id:
            transcript = client.read_file(job.source.transcript_file_id).decode("utf-8", errors="replace")
        transcription, diarization = self._transcription_key(job), self._diarization_key(job)
        known = known_voices(
            self._settings,
            self._store,
            media_id=job.source.media_id,
            diarization=diarization,
            embedding_model=job.fingerprints["speaker_embedding"],
            usernames={c.username for c in candidates},
        )
        source = job.source
        edits = read_edits(self._settings, source.media_id)
        key = job.key(
            "conversation",
            transcription,
            diarization,
            [asdict(c) for c in candidates],
            transcript,
            [source.title, source.started_at],
            known.fingerprint(),
            *([edits_stamp(edits)] if edits else []),
        )

        def make() -> object:
            from meetings import speech

            words = speech.Transcription.from_json(self._store.read_json("transcription", transcription))
            voices = speech.Diarization.from_json(self._store.read_json("diarization", diarization))
            utterances = speech.align_words(words.words, voices)
            naming = speech.name_speakers(
                utterances,
                [
                    speech.Candidate(username=p.username, name=p.name, nickname=p.nickname, joined_at=p.joined_at)
                    for p in candidates
                ],
                calls_cues=speech.read_calls_vtt(transcript) if transcript else (),
                voices=known.voices,
                prints=known.prints,
                heard_before=known.heard_before,
                answers=answers_of(known.corrections, utterances),
            )
            if naming.usernames() and not known.notes:  # with the wrong key there is nothing to note it in
                KeptVoices.of(self._settings).note_names(diarization, naming.usernames(), naming.by_voice())
            heard = Conversation(
                id=source.media_id,
                title=source.title,
                language=words.language,
                duration=words.duration,
                started_at=source.started_at,
                participants=tuple(c.username for c in candidates if c.attended),
                speakers=naming.speakers,
                utterances=naming.relabel(utterances),
            )
            return to_json(apply_edits(heard, edits))

        return replace(self._stored("conversation", key, make), info={"notes": list(known.notes)})

    # People and summaries

    def read_people(self, job: Job, conversation_key: str, progress: Progress) -> StageResult:
        """The readers with their context, as a stored list."""
        del progress, conversation_key
        began = time.time()
        notes: list[str] = []
        given = {p.username: p for p in self._people_file(job)}
        wishes = FeedbackBook(self._settings)
        known: list[tuple[Person, PersonContext | None]]
        reading = Reading()
        if job.source.in_mattermost:
            client = self._client(job)
            refused: dict[str, str] = {}
            users = readers(
                job,
                client,
                given.keys(),
                notes,
                stopped=lambda user: wishes.has_stopped(user.username, user.id),
                refused=refused,
            )
            if job.deliver:
                self._note_refused(job, refused)
            # A run that does everything again (--fresh) takes nothing that was kept.
            kept = None if job.nonce else KeptContext(self._settings, client.url)
            contexts = read_contexts(client, users, now=start_ms(job), kept=kept, reading=reading)
            known = [(given.get(u.username) or person_of(u), contexts[u.username]) for u in users]
        else:
            known = [(p, None) for p in given.values() or (EVERYONE,)]
        entries = []
        for person, context in known:
            told, full = wishes.apply(person, context, now=start_ms(job) / 1000)
            entries.append({"person": asdict(told), "context": None if full is None else asdict(full)})
        key = self._store.put_json("people", entries)
        return StageResult(
            stage="people",
            key=key,
            seconds=time.time() - began,
            reused=False,
            began=began,
            info={"notes": [*notes, *reading.notes]},
        )

    def summarise(self, job: Job, conversation_key: str, people_key: str, progress: Progress) -> StageResult:
        """Everybody's summary, as the list that `summaries/*.json` is cut from."""
        models = {k: job.fingerprints[k] for k in ("text_embedding", "language_model") if k in job.fingerprints}
        admitted = self._admitted(job)
        profiles = read_profiles(self._settings.profiles)
        own = [[p.name, p.match, p.interests, p.terms, dict(p.wants)] for p in profiles if p.origin]
        key = job.key(
            "summaries", conversation_key, people_key, job.writer, models, list(admitted), *([own] if own else [])
        )

        def make() -> object:
            from meetings import llm
            from meetings.summary import summarize, summary_to_json

            conversation = self.conversation(conversation_key)
            entries = self._store.read_json("people", people_key)
            personas = tuple(
                build_persona(stored_person(e["person"]), _context(e["context"]), profiles=profiles) for e in entries
            )
            threads = self._settings.cpu_threads
            speaks = bool(conversation.utterances)
            embedder = llm.Embedder(self._model(job, "text_embedding"), threads=threads) if speaks else None
            kept = None
            if embedder is not None:
                vectors = self._settings.home / "people" / "vectors.sqlite"
                kept = llm.KeptVectors(embedder, vectors, fingerprint=models["text_embedding"])
            model = llm.open_language_model(self._settings, job.models["language_model"]) if speaks else None
            if model is not None and model.where:
                # Noted before it happens: what was said is about to leave this machine.
                AuditLog(self._settings).note("sent to model", recording=job.source.media_id, host=model.where)
            attended = set(conversation.participants) or None
            return [
                summary_to_json(s)
                for s in summarize(
                    conversation,
                    personas,
                    writer=job.writer,
                    admitted=admitted,
                    embedder=embedder,
                    persona_embedder=kept,
                    language_model=model,
                    attended=attended,
                    strict=job.source.in_mattermost,
                    heard=as_heard(conversation, read_edits(self._settings, job.source.media_id)),
                    progress=progress,
                )
            ]

        result = self._stored("summaries", key, make, model=job.models["language_model"])
        deliver_to = [s["person"]["username"] for s in self._store.read_json("summaries", key)] if job.deliver else []
        return replace(result, info={"deliver_to": deliver_to})

    def _admitted(self, job: Job) -> tuple[str, ...]:
        from meetings.summary import admitted_writers

        return admitted_writers(self._store, job.fingerprints.get("language_model"))

    # Delivery

    def _note_refused(self, job: Job, refused: Mapping[str, str]) -> None:
        log = AuditLog(self._settings)
        where = {"recording": job.source.media_id, "channel": job.source.channel_id or ""}
        for username, reason in refused.items():
            log.note("delivery", user=username, status="skipped", reason=reason, because=_because(job), **where)

    def deliver(self, job: Job, conversation_key: str, summaries_key: str, username: str, down: str) -> StageResult:
        """One person's direct message; `down` is why the server cannot be reached, known from the person before."""
        from meetings.summary import render_markdown, summary_from_json

        began = time.time()
        if down:
            outcome = Outcome(username=username, status="failed", reason=down, server_gone=True)
        else:
            summary = next(
                s for s in self._store.read_json("summaries", summaries_key) if s["person"]["username"] == username
            )
            message = render_markdown(
                summary_from_json(summary),
                self.conversation(conversation_key),
                recording_url=job.source.url,
                heard_by=job.models["recogniser"],
                page_url=self._page(job, username),
            )
            noted = digest("delivered", job.server, job.source.media_id, username)
            known = self._store.read_json("delivered", noted) if self._store.has("delivered", noted) else {}
            outcome = deliver(
                self._client(job),
                username,
                message,
                recording=job.source.media_id,
                channel_id=job.source.channel_id,
                post_id=job.source.post_id,
                noted=known.get("post_id", ""),
                noted_key=known.get("key", ""),
                points=_points(summary),
                opted_out=lambda user: FeedbackBook(self._settings).has_stopped(user.username, user.id),
            )
            # A message that an earlier process sent, and died before it was noted, is found unchanged.
            if outcome.status in {"sent", "edited", "unchanged"} and (outcome.post_id, outcome.key) != (
                known.get("post_id"),
                known.get("key"),
            ):
                note = {"username": username, "post_id": outcome.post_id, "key": outcome.key}
                self._store.write_json("delivered", noted, note)
        AuditLog(self._settings).note(
            "delivery",
            user=username,
            status=outcome.status,
            reason=outcome.reason,
            because=_because(job),
            recording=job.source.media_id,
            channel=job.source.channel_id or "",
            post=outcome.post_id,
        )
        return StageResult(
            stage=f"delivery to {username}",
            key=outcome.post_id,
            seconds=time.time() - began,
            reused=outcome.status == "unchanged",
            began=began,
            info={**asdict(outcome), "down": outcome.reason if outcome.server_gone else ""},
        )

    def _page(self, job: Job, username: str) -> str | None:
        """Somebody's own link to the meeting's page; None where there are no pages, or no such account."""
        links = PageLinks.of(self._settings)
        if links is None:
            return None
        try:
            user = self._client(job).user_by_username(username)
        except MattermostError:
            return None  # delivery finds the same, and tells it
        return links.link(user.id, user.username, job.source.media_id)

    def tidy(self, job: Job) -> None:
        """Remove sound, its segmentation, the downloaded file, and voices that are to be kept for no days."""
        from meetings.speech import sides_path

        KeptVoices.of(self._settings).release(self._diarization_key(job))
        self._audio(job).unlink(missing_ok=True)
        sides_path(self._audio(job)).unlink(missing_ok=True)
        self._segmentation(job).unlink(missing_ok=True)
        if job.source.in_mattermost:
            self._media(job).unlink(missing_ok=True)

    # Shared

    def conversation(self, key: str) -> Conversation:
        """A stored conversation."""
        return from_json(self._store.read_json("conversation", key))


def _because(job: Job) -> str:
    """Why somebody is among those who get a summary."""
    if job.people_key is not None:
        return "in the people file"
    return f"audience {job.audience}" + (", listed for the channel" if job.listed else "")


def start_ms(job: Job) -> int:
    """When the call began, in milliseconds since the epoch; now, if nobody knows."""
    began = datetime.fromisoformat(job.source.started_at) if job.source.started_at else datetime.now(tz=UTC)
    return int(began.timestamp() * 1000)


def _context(data: Mapping[str, Any] | None) -> PersonContext | None:
    if data is None:
        return None
    return PersonContext(
        channels=tuple(ChannelContext(**c) for c in data["channels"]),
        posts=tuple(PostContext(**p) for p in data["posts"]),
        feedback=tuple(FeedbackContext(**f) for f in data.get("feedback", ())),
    )


def _points(summary: Mapping[str, Any]) -> list[str]:
    """The lines of a summary that were chosen for their subject: what a thumb on it judges.

    What everybody gets, what falls to the reader and what was said in confidence is no matter of taste.
    """
    chosen = (
        b["text"]
        for b in summary["bullets"]
        if b["kind"] not in {"decision", "for_you"} and not b.get("mine") and not b.get("confidential")
    )
    return [text[:MAX_POINT] for text in chosen][:MAX_POINTS]
