"""Whatever was said or written, each file is read back whole by the reader of its own format."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import icalendar
import pypdf
import pytest
from docx import Document
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from meetings.conversation import Conversation, Speaker, Utterance, Word
from meetings.errors import SaveError
from meetings.exports import Meeting, save_as
from meetings.exports.text import plain
from meetings.summary import Bullet, Summary

SPIKES = (
    "-->", "<v Eve>", "</v>", "<script>alert(1)</script>", "<b>", "&lt;", "{\\an8}", "=1+1", "@channel", "BEGIN:VEVENT",
    "\r\nEND:VTODO\r\n", "\n\n00:00:01.000 --> 00:00:02.000\nx", "NOTE", "WEBVTT", ";", "\\n", "\\", "\"", "'", "\x00",
    "\x0b", "\x1b[31m", "\ud800", "\ufffe", "\ufdd0", "\u202e", "\u2066", "\u2028", "\u200d", "👩‍👩‍👧", "שלום", "مرحبا",
    "日本語", "ก็", "e\u0301", "](http://x.example)", "![](http://x.example/a.png)", "`", "{{ 7*7 }}", "{% raw %}",
    "]]>",
)  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(SPIKES), st.text(st.characters(), max_size=12)), max_size=6).map(" ".join)
ADDRESS = TEXT.map(lambda text: f"https://chat.example.org/{text}")
MOMENT = st.floats(0, 20_000)


@st.composite
def meetings(draw: st.DrawFn) -> Meeting:
    names = draw(st.lists(TEXT, min_size=1, max_size=3))
    speakers = tuple(Speaker(id=f"S{n}", name=name, how="given") for n, name in enumerate(names))
    utterances = []
    for number in range(draw(st.integers(0, 4))):
        text, start = draw(TEXT), draw(MOMENT)
        words = tuple(
            Word(word=w, start=draw(MOMENT), end=draw(MOMENT), probability=draw(st.floats(0, 1)))
            for w in text.split()[:3]
        )
        utterances.append(
            Utterance(
                id=f"u{number}",
                speaker=draw(st.sampled_from(speakers)).id,
                start=start,
                end=start + draw(st.floats(0, 60)),
                text=text,
                words=words if draw(st.booleans()) else (),
            )
        )
    bullet = Bullet(
        kind="action",
        text=draw(TEXT),
        evidence=("u0",),
        start=draw(MOMENT),
        speaker=draw(TEXT),
        owner=draw(st.none() | TEXT),
        due=draw(st.sampled_from([None, "2026-11-27"]) | TEXT),
        writer=draw(st.sampled_from(["extract", "compose"])),
        mine=True,
    )
    summary = Summary(
        username="ana",
        name=draw(TEXT),
        position=draw(TEXT),
        headline=draw(TEXT),
        bullets=(bullet, replace(bullet, kind="risk", confidential=True)),
        writer="extract",
        conversation="c",
    )
    conversation = Conversation(
        id="c",
        title=draw(TEXT),
        duration=60.0,
        started_at=draw(st.sampled_from([None, "2026-11-26", "2026-11-26T10:00:00+02:00", "soon"])),
        speakers=speakers,
        utterances=tuple(utterances),
    )
    return Meeting(conversation=conversation, summaries=(summary,), heard_by=draw(TEXT), url=draw(st.none() | ADDRESS))


def few(examples: int) -> settings:
    return settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Tags(html.parser.HTMLParser):
    """What a browser would see: the names of the tags, addresses, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {v or "" for k, v in attrs if k in {"href", "src"}}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


OUR_TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "h1", "h2", "h3",
    "p", "ul", "li", "bdi", "b", "i", "span", "div", "a", "time",
}  # fmt: skip


@few(60)
@given(meetings())
def test_html_has_the_programs_own_tags_and_what_was_said_as_text(meeting: Meeting) -> None:
    seen = Tags()
    seen.feed(save_as("html", meeting, "ana").decode())
    assert seen.tags <= OUR_TAGS
    assert all(re.fullmatch(r"#p\d+|https?://.*", a, re.DOTALL) for a in seen.addresses)
    text = " ".join("".join(seen.text).split())
    assert all(plain(u.text) in text for u in meeting.conversation.utterances)


@few(60)
@given(meetings())
def test_markdown_holds_no_html_picture_or_link_of_theirs(meeting: Meeting) -> None:
    tokens = MarkdownIt("commonmark").parse(save_as("md", replace(meeting, url=None), "ana").decode())
    kinds = {t.type for token in tokens for t in (token, *(token.children or ()))}
    assert kinds.isdisjoint({"html_block", "html_inline", "image", "link_open", "code_inline", "fence", "code_block"})


@few(25)
@given(meetings())
def test_a_word_document_is_read_back_with_everything_said(meeting: Meeting) -> None:
    text = "\n".join(p.text for p in Document(io.BytesIO(save_as("docx", meeting, "ana"))).paragraphs)
    assert all(plain(u.text) in text for u in meeting.conversation.utterances)


@few(15)
@given(meetings())
def test_a_pdf_is_read_back(meeting: Meeting) -> None:
    reader = pypdf.PdfReader(io.BytesIO(save_as("pdf", meeting, "ana")), strict=True)
    text = "".join(page.extract_text() for page in reader.pages)
    assert "Transcript" in text


@few(60)
@given(meetings())
def test_a_calendar_is_read_back_with_one_task_and_nothing_else(meeting: Meeting) -> None:
    calendar = icalendar.Calendar.from_ical(save_as("ics", meeting, "ana"))
    assert [c.name for c in calendar.walk()] == ["VCALENDAR", "VTODO"]
    assert str(calendar.walk("VTODO")[0]["summary"]) == plain(meeting.summaries[0].bullets[0].text)


@few(60)
@given(meetings())
def test_a_table_is_read_back_with_one_row_of_seven_cells_none_of_them_a_formula(meeting: Meeting) -> None:
    found = list(csv.reader(io.StringIO(save_as("csv", meeting, "ana").decode("utf-8-sig"), newline="")))
    assert [len(row) for row in found] == [7, 7]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in found[1])


ARROW = Utterance(id="u", speaker="-->", start=0, end=1, text="--> -->")
CUE = re.compile(r"\d\d+:\d\d:\d\d[.,]\d{3} --> \d\d+:\d\d:\d\d[.,]\d{3}")


@few(60)
@given(meetings())
@example(Meeting(conversation=Conversation(id="c", utterances=(ARROW,))))
def test_subtitles_have_as_many_times_as_cues(meeting: Meeting) -> None:
    for name in ("vtt", "srt"):
        blocks = [b for b in save_as(name, meeting).decode().split("\n\n") if CUE.search(b)]
        for block in blocks:
            timed, *shown = [line for line in block.strip("\n").split("\n") if not line.isdigit() or name == "vtt"]
            assert CUE.fullmatch(timed)
            assert shown
            assert not any("-->" in line for line in shown)


@few(60)
@given(meetings())
def test_json_is_read_back(meeting: Meeting) -> None:
    data = json.loads(save_as("json", meeting, "ana"))
    assert len(data["utterances"]) == len(meeting.conversation.utterances)


# Scripts that our own font lacks


def made_font(path: Path, characters: str) -> Path:
    """A font that has a box for each of some characters."""
    names = [".notdef", *(f"u{ord(c):04X}" for c in characters)]
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    pen.lineTo((900, 0))
    pen.lineTo((900, 800))
    pen.closePath()
    shape = pen.glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(c): name for c, name in zip(characters, names[1:], strict=True)})
    font.setupGlyf(dict.fromkeys(names, shape))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    font.setupHorizontalHeader(ascent=880, descent=-120)
    font.setupNameTable({"familyName": "Made", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path


def in_japanese(font: Path | None) -> Meeting:
    said = Utterance(id="u1", speaker="S1", start=1.0, end=5.0, text="We plan 会議 on Monday, 日本")
    return Meeting(conversation=Conversation(id="c", title="会議", duration=6.0, utterances=(said,)), pdf_font=font)


def pdf_words(meeting: Meeting) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(save_as("pdf", meeting))).pages)


def test_a_script_that_our_font_lacks_is_shown_by_the_font_of_the_settings(tmp_path: Path) -> None:
    words = pdf_words(in_japanese(made_font(tmp_path / "own.ttf", "会議日本")))
    assert "We plan 会議 on Monday, 日本" in words
    assert "\u25a1" not in words
    assert "1 / 1" in words


def test_what_neither_font_has_is_a_box(tmp_path: Path) -> None:
    words = pdf_words(in_japanese(made_font(tmp_path / "own.ttf", "会議")))
    assert "会議 on Monday, \u25a1\u25a1" in words
    assert "a character that this font does not have" in words


@pytest.mark.parametrize("content", [None, b"", b"no font at all", b"\x00\x01\x00\x00" + bytes(40)])
def test_a_font_that_is_none_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    font = tmp_path / "own.ttf"
    if content is not None:
        font.write_bytes(content)
    with pytest.raises(SaveError, match="pdf_font"):
        save_as("pdf", in_japanese(font))
