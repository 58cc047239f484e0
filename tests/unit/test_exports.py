"""What each kind of file of a meeting holds; the files in tests/data/exports are what a reader should get.

After a change that is meant: python -m tests.unit.test_exports
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import icalendar
import pypdf
import pytest
from docx import Document

from meetings.cli.save import NAMES
from meetings.conversation import Conversation, Utterance, Word, from_json
from meetings.errors import SaveError
from meetings.exports import FORMATS, Meeting, save_as
from meetings.exports.paper import lay_out, pieces
from meetings.exports.subtitles import cues
from meetings.summary import summary_from_json
from tests.exported_meeting import BEN, CONVERSATION, MEETING, ZOE

GOLDEN = Path(__file__).parents[1] / "data" / "exports"
EMPTY = Meeting(conversation=Conversation(id="none"), summaries=(replace(BEN, bullets=(), headline="", left_out=0),))


def pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def docx_text(data: bytes) -> str:
    return "\n".join(p.text for p in Document(io.BytesIO(data)).paragraphs)


def shown(name: str, username: str | None) -> str:
    """What a reader sees of a file; of text formats the file itself."""
    data = save_as(name, MEETING, username)
    if name == "pdf":
        return "\n".join(" ".join(line.split()) for line in pdf_text(data).splitlines()) + "\n"
    return docx_text(data) + "\n" if name == "docx" else data.decode().replace("\r\n", "\n")


CASES = {
    "ben.md": ("md", "ben.okafor"),
    "zoe.md": ("md", "zoe"),
    "transcript.md": ("md", None),
    "ben.html": ("html", "ben.okafor"),
    "ben.pdf.txt": ("pdf", "ben.okafor"),
    "ben.docx.txt": ("docx", "ben.okafor"),
    "subtitles.vtt": ("vtt", None),
    "subtitles.srt": ("srt", None),
    "everybody.ics": ("ics", None),
    "ben.ics": ("ics", "ben.okafor"),
    "everybody.csv": ("csv", None),
    "ben.csv": ("csv", "ben.okafor"),
}


@pytest.mark.parametrize("golden", CASES)
def test_the_file_is_the_one_that_was_looked_at(golden: str) -> None:
    assert shown(*CASES[golden]) == (GOLDEN / golden).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_meeting_gives_the_same_bytes(name: str) -> None:
    assert save_as(name, MEETING, "ben.okafor") == save_as(name, MEETING, "ben.okafor")


def test_a_word_document_carries_no_time_of_writing() -> None:
    with zipfile.ZipFile(io.BytesIO(save_as("docx", MEETING))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    known = Document(io.BytesIO(save_as("docx", MEETING))).core_properties
    assert known.created is not None
    assert known.created.isoformat().startswith("2026-11-26")


def test_the_command_offers_every_format() -> None:
    assert tuple(FORMATS) == NAMES


@pytest.mark.parametrize("name", FORMATS)
def test_a_meeting_in_which_nothing_was_said_is_a_file_too(name: str) -> None:
    assert save_as(name, EMPTY, "ben.okafor") or name in {"srt", "rttm"}


@pytest.mark.parametrize("name", ["md", "html", "pdf", "docx", "json", "ics", "csv"])
def test_somebody_without_a_summary_gets_nobody_elses(name: str) -> None:
    with pytest.raises(SaveError, match=r"no summary of this meeting for 'eve'.*ben\.okafor, zoe"):
        save_as(name, MEETING, "eve")


@pytest.mark.parametrize("name", ["md", "html", "pdf", "docx", "json"])
def test_a_transcript_for_everybody_holds_nobodys_summary(name: str) -> None:
    text = shown(name, None)
    assert "Good morning everyone." in text
    assert BEN.headline not in text
    assert "Lines without quotation marks" not in text


# JSON


def test_the_json_is_read_as_the_conversation_and_the_summary_that_it_was_made_from() -> None:
    data = json.loads(save_as("json", MEETING, "ben.okafor"))
    assert from_json(data) == CONVERSATION
    assert summary_from_json(data["summary"]) == BEN
    assert data["made_by"] == {"recogniser": "whisper-base", "recording": MEETING.url}


# Words that were not heard clearly


def test_a_word_that_was_not_heard_clearly_is_marked_and_nothing_else() -> None:
    found = pieces(CONVERSATION.utterances[2])
    assert [p.text for p in found if p.sure is not None] == ["Brightwater"]
    assert "".join(p.text for p in found) == CONVERSATION.utterances[2].text


def test_a_text_that_a_human_wrote_anew_stays_as_they_wrote_it() -> None:
    heard = (Word(word="Bright", start=0, end=1, probability=0.1), Word(word="water", start=1, end=2, probability=0.9))
    edited = Utterance(id="u", speaker="S", start=0, end=2, text="Brightwood, I think.", words=heard)
    assert "".join(p.text for p in pieces(edited)) == "Brightwood, I think."


def test_a_word_is_not_looked_for_far_behind_the_one_before() -> None:
    text = "x " * 40 + "late"
    late = (Word(word="late", start=0, end=1, probability=0.1),)
    assert [p.sure for p in pieces(Utterance(id="u", speaker="S", start=0, end=2, text=text, words=late))] == [None]


def test_participants_are_those_of_the_call_and_whoever_is_heard_by_name() -> None:
    guest = replace(CONVERSATION.speakers[3], name="Guest: Dr. Weber", how="given")
    found = replace(CONVERSATION, participants=("maya.chen", "lea"), speakers=(*CONVERSATION.speakers[:3], guest))
    paper = lay_out(replace(MEETING, conversation=found))
    assert paper.participants == ("Maya Chen", "lea", "Ben Okafor", "Zoë Łukasz", "Guest: Dr. Weber")


# Actions


def tasks(meeting: Meeting, username: str | None = None) -> list[icalendar.Component]:
    return icalendar.Calendar.from_ical(save_as("ics", meeting, username)).walk("VTODO")


def rows(meeting: Meeting, username: str | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(save_as("csv", meeting, username).decode("utf-8-sig"))))


def test_a_task_is_due_all_day_on_the_day_that_was_said() -> None:
    first = tasks(MEETING)[0]
    assert first["due"].to_ical() == b"20261127"
    assert first["due"].params["VALUE"] == "DATE"


def test_a_task_keeps_its_name_when_the_summary_is_written_anew() -> None:
    again = replace(BEN.bullets[0], text="Write the guide.", writer="compose", score=9.0)
    other = replace(MEETING, summaries=(replace(BEN, bullets=(again, *BEN.bullets[1:])), ZOE))
    assert [t["uid"] for t in tasks(other)] == [t["uid"] for t in tasks(MEETING)]
    assert tasks(other)[0]["summary"] != tasks(MEETING)[0]["summary"]


def test_a_task_of_ones_own_has_the_name_that_it_has_for_everybody() -> None:
    assert tasks(MEETING, "ben.okafor")[0]["uid"] == tasks(MEETING)[0]["uid"]


def test_a_task_of_another_meeting_has_another_name() -> None:
    other = replace(MEETING, conversation=replace(CONVERSATION, id="5ca1ab1e"))
    assert {t["uid"] for t in tasks(other)}.isdisjoint(t["uid"] for t in tasks(MEETING))


def test_one_persons_actions_are_theirs_alone() -> None:
    assert [r["owner"] for r in rows(MEETING, "ben.okafor")] == ["Ben Okafor", "Ben Okafor"]
    assert rows(MEETING, "zoe") == []


@pytest.mark.parametrize("name", ["ics", "csv"])
def test_what_was_said_in_confidence_is_in_nobodys_list_but_the_readers_own(name: str) -> None:
    assert b"before March" not in save_as(name, MEETING)
    assert b"before March" in save_as(name, MEETING, "ben.okafor")


def test_a_task_said_in_confidence_is_marked_so() -> None:
    assert [t.get("class") for t in tasks(MEETING, "ben.okafor")] == [None, "CONFIDENTIAL"]


def test_an_action_in_two_summaries_is_listed_once_as_it_was_said() -> None:
    german = replace(BEN.bullets[0], text="Ich schreibe die Anleitung.", translated=True, mine=False)
    both = replace(MEETING, summaries=(replace(ZOE, bullets=(german,)), BEN))
    assert [r["what"] for r in rows(both)] == [r["what"] for r in rows(MEETING)]


@pytest.mark.parametrize("first", list("=+-@＝＋－＠"))
def test_no_cell_is_a_formula(first: str) -> None:
    evil = replace(BEN.bullets[0], text=f"\t {first}HYPERLINK(1)", owner=f"{first}x", due=f"{first}1")
    found = replace(MEETING, summaries=(replace(BEN, bullets=(evil,)),), url=None)
    found = replace(found, conversation=replace(CONVERSATION, title=f"{first}2"))
    row = rows(found)[0]
    assert {row[k][:2] for k in ("owner", "what", "due", "meeting")} == {f"'{first}"}


# Subtitles


def test_no_subtitle_is_longer_than_two_lines_or_seven_seconds() -> None:
    words = tuple(Word(word=f"word{n}", start=n * 0.5, end=n * 0.5 + 0.4) for n in range(200))
    long = Utterance(id="u", speaker="S1", start=0, end=100, text=" ".join(w.word for w in words), words=words)
    found = cues(replace(CONVERSATION, utterances=(long,)))
    assert max(c.end - c.start for c in found) <= 7
    assert max(len(" ".join(p.text for p in c.parts)) for c in found) <= 84
    assert min(len(c.parts) for c in found) > 5  # no word stands alone
    assert " ".join(p.text for c in found for p in c.parts) == long.text


def test_subtitles_of_a_text_without_times_of_words_share_its_time() -> None:
    long = Utterance(id="u", speaker="S1", start=10, end=40, text="one two three four five. " * 12)
    found = cues(replace(CONVERSATION, utterances=(long,)))
    assert found[0].start == 10
    assert found[-1].end == pytest.approx(40, abs=0.2)
    assert all(a.end <= b.start + 0.2 for a, b in itertools.pairwise(found))


def main() -> None:
    """Write the files anew."""
    GOLDEN.mkdir(exist_ok=True)
    for golden, (name, username) in CASES.items():
        (GOLDEN / golden).write_text(shown(name, username), encoding="utf-8")


if __name__ == "__main__":
    main()
