"""What people corrected in a transcript lies over it, is kept with who and what was before, and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meetings.config import Settings
from meetings.config_tables import Retention
from meetings.conversation import Conversation, Utterance, Word, to_json
from meetings.edits import (
    MAX_TEXT,
    Edit,
    add_edit,
    apply_edits,
    as_heard,
    change_edits,
    edits_stamp,
    edits_states,
    read_edits,
)
from meetings.errors import CorrectionError
from meetings.known_voices import names_stamp
from meetings.progress import no_progress
from meetings.retention import plan_purge, purge
from meetings.stages import Stages
from tests.kept_results import keep_recording

CALL = "c" * 26


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def conversation(text: str = "ship on Fryday") -> Conversation:
    words = tuple(Word(word=w, start=float(n), end=n + 0.5) for n, w in enumerate(text.split()))
    return Conversation(
        id=CALL,
        utterances=(
            Utterance(id="u1", speaker="S1", start=0, end=3, text=text, words=words),
            Utterance(id="u2", speaker="S1", start=4, end=5, text="Good."),
        ),
    )


def edit(before: str, text: str, *, which: str = "u1") -> Edit:
    return Edit(utterance=which, before=before, text=text, by="ana", at="2026-11-25T10:00:00+00:00")


def test_an_edit_changes_its_utterance_and_no_other() -> None:
    shown = apply_edits(conversation(), [edit("ship on Fryday", "Ship on Friday.")])
    assert [u.text for u in shown.utterances] == ["Ship on Friday.", "Good."]


def test_words_that_were_not_said_so_have_no_times() -> None:
    assert apply_edits(conversation(), [edit("ship on Fryday", "Ship on Friday.")]).utterances[0].words == ()


def test_the_last_of_several_edits_counts() -> None:
    edits = [edit("ship on Fryday", "ship Friday"), edit("ship Friday", "Ship on Friday!")]
    assert apply_edits(conversation(), edits).utterances[0].text == "Ship on Friday!"


def test_an_edit_taken_back_leaves_what_was_heard_with_its_times() -> None:
    edits = [edit("ship on Fryday", "x"), edit("x", "ship on Fryday")]
    assert apply_edits(conversation(), edits) == conversation()


def test_laying_edits_over_what_has_them_changes_nothing() -> None:
    edits = [edit("ship on Fryday", "Ship on Friday.")]
    once = apply_edits(conversation(), edits)
    assert apply_edits(once, edits) == once


def test_an_edit_of_words_that_another_model_heard_otherwise_is_left_out() -> None:
    heard = conversation("chips on Friday")
    assert apply_edits(heard, [edit("ship on Fryday", "Ship on Friday.")]) == heard


def test_words_that_another_model_heard_can_be_corrected_beside_older_corrections() -> None:
    heard = conversation("chips on Friday")
    old, new = edit("ship on Fryday", "Ship on Friday."), edit("chips on Friday", "Ships on Friday.")
    assert apply_edits(heard, [old, new]).utterances[0].text == "Ships on Friday."
    assert apply_edits(conversation(), [old, new]).utterances[0].text == "Ship on Friday."
    later = edit("Ship on Friday.", "Ship it on Friday.")
    assert apply_edits(conversation(), [old, new, later]).utterances[0].text == "Ship it on Friday."
    assert apply_edits(heard, [old, new, later]).utterances[0].text == "Ships on Friday."


def test_what_was_heard_is_known_also_where_the_transcript_was_made_with_corrected_words() -> None:
    edits = [edit("ship on Fryday", "ship Friday"), edit("ship Friday", "Ship on Friday!")]
    again = as_heard(apply_edits(conversation(), edits), edits)
    assert [u.text for u in again.utterances] == [u.text for u in conversation().utterances]
    assert as_heard(conversation(), edits) == conversation()


def test_the_state_of_a_recording_s_changes_is_another_after_each_and_others_keep_theirs(settings: Settings) -> None:
    add_edit(settings, "d" * 26, utterance="u1", before="a", text="b", by="ana")
    other = edits_states(settings)
    add_edit(settings, CALL, utterance="u1", before="a", text="b", by="ana")
    once = edits_states(settings)
    add_edit(settings, CALL, utterance="u1", before="b", text="a", by="ana")
    twice = edits_states(settings)
    change_edits(settings, CALL, lambda e: e if e.text == "b" else None)
    back = edits_states(settings)
    assert len({states[CALL] for states in (once, twice, back)}) == 3
    assert {states["d" * 26] for states in (other, once, twice, back)} == {other["d" * 26]}


def test_who_when_and_what_was_before_is_kept(settings: Settings) -> None:
    assert add_edit(settings, CALL, utterance="u1", before="ship on Fryday", text=" Ship  on Friday. ", by="ana")
    (kept,) = read_edits(settings, CALL)
    assert (kept.by, kept.before, kept.text) == ("ana", "ship on Fryday", "Ship on Friday.")
    assert kept.at.startswith("20")


def test_of_two_who_change_a_passage_at_the_same_time_the_second_is_told(settings: Settings) -> None:
    heard = conversation().utterances[0]

    def change(text: str) -> bool:
        return add_edit(settings, CALL, utterance="u1", before="ship on Fryday", text=text, by="ana", heard=heard)

    assert change("Ship on Friday.")
    with pytest.raises(CorrectionError, match="meanwhile"):
        change("Ship it on Friday.")
    assert [e.text for e in read_edits(settings, CALL)] == ["Ship on Friday."]


def test_an_edit_that_changes_nothing_is_none(settings: Settings) -> None:
    assert not add_edit(settings, CALL, utterance="u1", before="Good.", text="Good.  ", by="ana")
    assert read_edits(settings, CALL) == ()


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (MAX_TEXT + 1)])
def test_nothing_and_far_too_much_is_no_text(settings: Settings, text: str) -> None:
    with pytest.raises(CorrectionError):
        add_edit(settings, CALL, utterance="u1", before="a", text=text, by="ana")


def test_the_last_edit_taken_out_leaves_no_document(settings: Settings) -> None:
    add_edit(settings, CALL, utterance="u1", before="a", text="b", by="ana")
    assert change_edits(settings, CALL, lambda _: None, dry_run=True) == 1
    assert len(read_edits(settings, CALL)) == 1
    assert change_edits(settings, CALL, lambda _: None) == 1
    assert read_edits(settings, CALL) == ()


def test_without_edits_results_keep_their_names() -> None:
    assert edits_stamp(()) == ""
    assert edits_stamp([edit("a", "b")]) != edits_stamp([edit("a", "c")])


def test_what_was_corrected_is_in_the_next_summaries_and_what_was_heard_stays(settings: Settings) -> None:
    kept = keep_recording(settings, CALL)
    stages = Stages(settings=settings, store=kept.store)
    heard = kept.store.read_json("transcription", kept.transcription)
    before = stages.join(kept.job, no_progress)
    plain = stages.conversation(before.key)
    first = plain.utterances[0]
    unnamed = names_stamp(settings, kept.store, CALL)
    add_edit(settings, CALL, utterance=first.id, before=first.text, text="The budget is fourteen thousand.", by="ana")
    assert names_stamp(settings, kept.store, CALL) != unnamed
    after = stages.join(kept.job, no_progress)
    assert after.key != before.key
    assert stages.conversation(after.key).utterances[0].text == "The budget is fourteen thousand."
    assert stages.conversation(after.key).utterances[1:] == plain.utterances[1:]
    assert stages.conversation(before.key) == plain
    assert kept.store.read_json("transcription", kept.transcription) == heard


@pytest.mark.models
def test_who_edits_an_announcement_of_confidence_away_opens_it_in_no_summary_made_again(
    tmp_path: Path, models_folder: Path
) -> None:
    settings = Settings(home=tmp_path / "home", models=models_folder, language_model="none")
    said = (
        (
            "S1",
            "ana",
            "One more thing, and this stays in this call, please. Northgate Insurance may leave us in March.",
        ),
        ("S2", "ben", "Okay, back to the agenda. We decided that the parser release moves to the tenth of December."),
    )
    kept = keep_recording(settings, CALL, said=said, readers=("ana", "cleo"), post_id="p" * 26, timed=False)
    models = {"text_embedding": "minilm-l6-v2", "language_model": "none"}
    stages, job = Stages(settings=settings, store=kept.store), replace(kept.job, models={**kept.job.models, **models})
    people = kept.store.put_json(
        "people",
        [
            {"person": {"username": u, "name": u.title(), "interests": ["Northgate"]}, "context": None}
            for u in ("ana", "cleo")
        ],
    )
    first = stages.conversation(kept.conversation).utterances[0]
    add_edit(settings, CALL, utterance=first.id, before=first.text, text="Northgate may leave us in March.", by="ana")
    corrected = apply_edits(stages.conversation(kept.conversation), read_edits(settings, CALL))
    kept.store.write_json("conversation", "made-again", to_json(corrected))
    done = stages.summarise(job, "made-again", people, no_progress)
    ana, cleo = kept.store.read_json("summaries", done.key)
    assert any("Northgate" in b["text"] for b in ana["bullets"])
    assert not any("Northgate" in b["text"] for b in cleo["bullets"])
    assert any("tenth of December" in b["text"] for b in cleo["bullets"])


def test_what_was_corrected_goes_with_its_recording(settings: Settings) -> None:
    kept = keep_recording(settings, CALL, age_days=400)
    add_edit(settings, CALL, utterance="u1", before="a", text="b", by="ana")
    short = settings.model_copy(update={"retention": Retention(transcript=365)})
    purge(plan_purge(short, client=None), short, by="dana")
    assert kept.store.keys("conversation") == []
    assert read_edits(settings, CALL) == ()
