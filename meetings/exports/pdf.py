"""A meeting as PDF, by fpdf2 with DejaVu Sans embedded; the same meeting gives the same bytes.

The font has Latin, Cyrillic, Greek, Arabic, Hebrew and more. A character that it lacks is shown as a box, and the last
line says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from meetings.conversation import clock
from meetings.exports.meeting import Meeting
from meetings.exports.paper import Line, Paper, Passage, lay_out
from meetings.exports.text import right_to_left
from meetings.summary.message import day_of

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN, GUTTER, BULLET = 20.0, 14.0, 5.0  # millimetres
LEADING = 1.45  # of the size of the letters
POINT = 25.4 / 72  # millimetres
INK, SOFT, RULE = (29, 36, 48), (91, 101, 117), (223, 227, 234)
BOX = "\u25a1"
FACES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf", "I": "DejaVuSans-Oblique.ttf"}
UNKNOWN = datetime(2000, 1, 1, tzinfo=UTC)


def to_pdf(meeting: Meeting, username: str | None = None) -> bytes:
    """The document, with the summary of one reader or with none."""
    paper = lay_out(meeting, username)
    page = _Page(paper, meeting)
    page.title()
    if paper.reader:
        page.summary()
    page.transcript()
    page.notes()
    return page.finished()


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """What every face of the font has a picture of."""
    from fontTools.ttLib import TTFont

    found = [set(TTFont(str(_font(name)), lazy=True).getBestCmap()) for name in FACES.values()]
    return frozenset(set.intersection(*found))


def _font(name: str) -> Path:
    """A face of DejaVu Sans (its licence lies beside it) from matplotlib, which pyannote.audio brings anyway."""
    return Path(str(resources.files("matplotlib"))) / "mpl-data" / "fonts" / "ttf" / name


class _Page:
    """The document as it is written, from the top."""

    def __init__(self, paper: Paper, meeting: Meeting) -> None:
        self.paper = paper
        self.lacking = False
        self.pdf = _new(self._shown(paper.title), paper, meeting)

    def title(self) -> None:
        """Title, day, length, and who was there."""
        self._block([(self.paper.title, "B", INK)], size=18)
        if self.paper.facts:
            self._block([(" · ".join(self.paper.facts), "", SOFT)], size=9.5)
        if self.paper.participants:
            people = f"{self.paper.word('participants')}: {', '.join(self.paper.participants)}"
            self._block([(people, "", SOFT)], size=9.5)

    def summary(self) -> None:
        """What the reader should know."""
        paper = self.paper
        self._heading(paper.words.filled("paper", "reader", paper.reader))
        if paper.opening:
            self._block([(paper.opening, "", SOFT)], size=9.5)
        if paper.headline:
            self._block([(paper.headline, "B", INK)], size=10.5)
        for group in paper.groups:
            self._heading(group.heading, size=11, above=3.0)
            for line in group.lines:
                self._block(list(self._bullet(line)), size=10, indent=BULLET, mark="•")
                self.pdf.ln(1.0)
        if paper.left_out:
            self._block([(paper.left_out, "", SOFT)], size=9.5)

    def _bullet(self, line: Line) -> Iterator[tuple[str, str, tuple[int, int, int]]]:
        yield f"{line.label}{line.text}", "", INK
        yield f" — {line.speaker}, ", "", SOFT
        yield clock(line.start), "U", SOFT
        if line.facts:
            yield " · ", "", SOFT
            yield ", ".join(line.facts), "B", INK
        if line.remark:
            yield f" · {line.remark}", "I", SOFT

    def transcript(self) -> None:
        """Who said what, with times beside it."""
        self._heading(self.paper.word("transcript"))
        if not self.paper.passages:
            self._block([(self.paper.word("silent"), "", INK)], size=10)
        for passage in self.paper.passages:
            self._passage(passage)

    def _passage(self, passage: Passage) -> None:
        if passage.speaker:
            # A name does not stay behind at the foot of a page.
            if self.pdf.will_page_break(6 * 10 * POINT):
                self.pdf.add_page()
            self.pdf.ln(2.5)
            self._block([(passage.speaker, "B", INK)], size=10, indent=GUTTER)
        parts = [(p.text, "" if p.sure is None else "U", INK if p.sure is None else SOFT) for p in passage.pieces]
        self._block(parts, size=10, indent=GUTTER, mark=clock(passage.start))
        self.pdf.ln(0.6)

    def notes(self) -> None:
        """How it was made."""
        self.pdf.ln(8)
        text = self.paper.notes
        if self.lacking:
            text += f" {BOX}: {self.paper.word('boxes')}."
        self._block([(text, "I", SOFT)], size=8.5)

    def finished(self) -> bytes:
        """The file."""
        return bytes(self.pdf.output())

    def _heading(self, text: str, *, size: float = 13, above: float = 7.0) -> None:
        if self.pdf.will_page_break(above + 5 * size * POINT):
            self.pdf.add_page()
        else:
            self.pdf.ln(above)
        self._block([(text, "B", INK)], size=size)
        self.pdf.ln(0.8)

    def _block(
        self,
        parts: list[tuple[str, str, tuple[int, int, int]]],
        *,
        size: float,
        indent: float = 0.0,
        mark: str = "",
    ) -> None:
        """A paragraph of parts in their styles; `mark` stands in the indent of its first line."""
        pdf = self.pdf
        height = size * POINT * LEADING
        if mark:
            if pdf.will_page_break(height):
                pdf.add_page()
            pdf.set_x(MARGIN)
            pdf.set_font("DejaVu", "", size if mark == "•" else size - 1.5)
            pdf.set_text_color(*SOFT)
            pdf.cell(indent - 1.5, height, mark, align="L")
        pdf.set_left_margin(MARGIN + indent)
        pdf.set_x(MARGIN + indent)
        if right_to_left("".join(text for text, _, _ in parts)):
            # Parts of a line that runs from the right cannot be written one after the other.
            pdf.set_font("DejaVu", "", size)
            pdf.set_text_color(*INK)
            pdf.multi_cell(
                0, height, self._shown("".join(t for t, _, _ in parts)), align="R", new_x="LMARGIN", new_y="NEXT"
            )
        else:
            for text, style, colour in parts:
                pdf.set_font("DejaVu", style, size)
                pdf.set_text_color(*colour)
                link = self.paper.url if style == "U" and mark == "•" else None
                pdf.write(height, self._shown(text), link or "")
            pdf.ln(height)
        pdf.set_left_margin(MARGIN)

    def _shown(self, text: str) -> str:
        """The text with boxes for what the font has no picture of."""
        known = _characters()
        shown = "".join(c if ord(c) in known else "" if _joins(c) else BOX for c in text)
        self.lacking = self.lacking or BOX in shown
        return shown


def _joins(character: str) -> bool:
    """Whether a character only shapes its neighbours: joiners, and selectors of a variant."""
    return character in "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" or 0xFE00 <= ord(character) <= 0xFE0F


def _new(title: str, paper: Paper, meeting: Meeting) -> FPDF:
    from fpdf import FPDF

    class Document(FPDF):
        def footer(self) -> None:
            """Title and page, small."""
            self.set_y(-14)
            self.set_font("DejaVu", "", 8)
            self.set_text_color(*SOFT)
            short = title if len(title) <= 80 else f"{title[:79]}…"
            self.cell(0, 5, short, align="L")
            self.set_x(MARGIN)
            self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")

    pdf = Document(format="A4")
    for style, name in FACES.items():
        pdf.add_font("DejaVu", style, str(_font(name)))
    day = day_of(meeting.conversation.started_at)
    pdf.set_creation_date(datetime(day.year, day.month, day.day, tzinfo=UTC) if day else UNKNOWN)
    pdf.set_title(title)
    pdf.set_author("meetings")
    pdf.set_creator("meetings")
    pdf.set_lang(paper.language)
    pdf.set_margins(MARGIN, MARGIN)
    pdf.set_auto_page_break(True, margin=20)
    pdf.add_page()
    return pdf
