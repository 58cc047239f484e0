"""The files of a meeting's page hold what its reader sees on it, and their names lead nowhere."""

from __future__ import annotations

import io
from dataclasses import replace
from email.message import Message

import docx
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.conversation import Conversation
from meetings.edits import Edit
from meetings.errors import BusyError
from meetings.exports import FORMATS, Meeting
from meetings.report import downloads
from meetings.report.downloads import DOWNLOADS, as_seen, disposition, download, is_offered
from meetings.report.view import WITHHELD, make_page
from meetings.summary import summary_from_json
from tests.exported_meeting import BEN, MEETING, ZOE
from tests.report_site import sample_conversation, sample_summary

CALL = sample_conversation("c" * 26)
MAYA, OSCAR = (summary_from_json(sample_summary(u, CALL)) for u in ("maya.chen", "oscar.lind"))
SAMPLE = Meeting(conversation=CALL, summaries=(MAYA, OSCAR), name="weekly")


def text_of(name: str, meeting: Meeting) -> str:
    """Everything that a file says, of subtitles in one line."""
    data = bytes(download(name, meeting).body)
    if name == "pdf":
        data = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages).encode()
    elif name == "docx":
        data = "\n".join(p.text for p in docx.Document(io.BytesIO(data)).paragraphs).encode()
    return " ".join(data.decode().split())


def test_the_menu_has_every_format() -> None:
    assert {name for name, _ in DOWNLOADS} == set(FORMATS)
    assert len({label for _, label in DOWNLOADS}) == len(FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_what_was_said_in_confidence_is_in_no_file_of_who_was_not_there(name: str) -> None:
    there = text_of(name, as_seen(SAMPLE, None, (), attended=True))
    away = text_of(name, as_seen(SAMPLE, None, (), attended=False))
    spoken = name not in {"rttm", "ics", "csv"}
    assert ("Northgate" in there) == spoken
    assert "Northgate" not in away
    assert (WITHHELD.partition(":")[0] in away) == spoken


def test_a_file_withholds_the_passages_that_the_page_withholds() -> None:
    page = make_page(CALL, {}, (), attended=False)
    seen = as_seen(SAMPLE, None, (), attended=False).conversation
    assert [u.text == WITHHELD for u in seen.utterances] == [line.withheld for line in page.lines]
    assert [u.text for u in seen.utterances if u.text != WITHHELD] == [
        line.text for line in page.lines if not line.withheld
    ]
    assert not any(u.words for u in seen.utterances if u.text == WITHHELD)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nobody_else_s_summary_is_in_a_file(name: str) -> None:
    text = text_of(name, as_seen(SAMPLE, OSCAR, (), attended=True))
    assert MAYA.headline not in text
    alone = text_of(name, as_seen(MEETING, None, (), attended=True))
    for foreign in (BEN.headline, ZOE.headline, "Call them before March", "Ask Brightwater; for"):
        assert foreign not in alone


@pytest.mark.parametrize("name", ["ics", "csv"])
def test_a_list_of_actions_is_the_reader_s_own(name: str) -> None:
    assert "job posting" in text_of(name, as_seen(SAMPLE, MAYA, (), attended=True))
    nobody = text_of(name, as_seen(SAMPLE, None, (), attended=True))
    assert "job posting" not in nobody
    assert "load test" not in nobody


@pytest.mark.parametrize("name", ["md", "html", "pdf", "docx", "vtt", "srt", "json"])
def test_corrected_words_are_in_the_file_and_those_before_are_not(name: str) -> None:
    first = CALL.utterances[0]
    edit = Edit(utterance=first.id, before=first.text, text="Zebra crossing.", by="ana", at="2026-11-25")
    meeting = as_seen(SAMPLE, None, (edit,), attended=True)
    assert "Zebra crossing" in text_of(name, meeting)
    assert meeting.conversation.utterances[0].text == "Zebra crossing."


def test_a_correction_opens_no_confidence_in_a_file() -> None:
    secret = next(u for u in CALL.utterances if "Northgate" in u.text)
    edit = Edit(utterance=secret.id, before=secret.text, text="Nothing special.", by="ana", at="2026-11-25")
    seen = as_seen(SAMPLE, None, (edit,), attended=False).conversation
    assert next(u.text for u in seen.utterances if u.id == secret.id) == WITHHELD


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_file_is_saved_and_not_shown_and_runs_nothing(name: str) -> None:
    answer = download(name, as_seen(SAMPLE, MAYA, (), attended=True))
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "allow-" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["", "exe", "MD", "md ", "../md", "md/..", "md\0", "pdf.html", "\r\nSet-Cookie: x=1"])
def test_what_is_no_format_is_none(name: str) -> None:
    assert not is_offered(name)


@given(st.text(max_size=300), st.sampled_from(sorted(FORMATS)))
def test_no_name_leaves_its_header_or_its_folder(stem: str, suffix: str) -> None:
    header = disposition(stem, suffix)
    header.encode("latin-1")
    assert all(" " <= c <= "~" for c in header)
    message = Message()
    message["Content-Disposition"] = header
    simple = dict(part.partition("=")[::2] for part in header.split("; ")[1:])["filename"].strip('"')
    full = message.get_filename() or ""
    for name in (simple, full):
        assert name.endswith(f".{suffix}")
        assert not name.startswith(".")
        assert not set(name) & set('/\\:*?"<>|;%\r\n\0')
        assert len(name) < 100


def test_a_name_in_another_script_is_told_in_full() -> None:
    header = disposition("Wöchentliches 会議", "pdf")
    assert header == (
        "attachment; filename=\"W_chentliches___.pdf\"; filename*=UTF-8''W%C3%B6chentliches_%E4%BC%9A%E8%AD%B0.pdf"
    )


def test_who_asks_while_too_many_files_are_made_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 0.01)
    for _ in range(downloads.AT_ONCE):
        downloads._turns.acquire()
    try:
        with pytest.raises(BusyError):
            download("md", as_seen(SAMPLE, None, (), attended=True))
    finally:
        for _ in range(downloads.AT_ONCE):
            downloads._turns.release()
    assert download("md", as_seen(SAMPLE, None, (), attended=True)).status_code == 200


def test_an_empty_meeting_is_a_file_too() -> None:
    empty = replace(SAMPLE, conversation=Conversation(id="x"))
    for name in FORMATS:
        assert download(name, as_seen(empty, None, (), attended=False)).status_code == 200
