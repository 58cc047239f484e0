"""A meeting as PDF, by fpdf2 with DejaVu Sans embedded; the same meeting gives the same bytes.

The font has Latin, Cyrillic, Greek, Arabic, Hebrew and more. What it lacks is taken from a font of the settings; what
that lacks, too, is shown as a box, and the last line says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from meetings.conversation import clock
from meetings.errors import SaveError
from meetings.exports.meeting import Meeting
from meetings.exports.paper import Line, Paper, Passage, lay_out
from meetings.exports.text import has_right_to_left, right_to_left
from meetings.summary.message import day_of

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN, GUTTER, BULLET = 20.0, 16.0, 5.0  # millimetres
LEADING = 1.45  # of the size of the letters
POINT = 25.4 / 72  # millimetres
INK, SOFT, RULE = (29, 36, 48), (91, 101, 117), (223, 227, 234)
BOX, BULLET_MARK = "\u25a1", "•"
FACES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf", "I": "DejaVuSans-Oblique.ttf"}
UNKNOWN = datetime(2000, 1, 1, tzinfo=UTC)


def to_pdf(meeting: Meeting, username: str | None = None) -> bytes:
    """The document, with the summary of one reader or with none.

    Raises:
        SaveError: the font of the settings cannot be used.
    """
    paper = lay_out(meeting, username)
    page = _Page(paper, meeting)
    page.title()
    if paper.reader:
        page.summary()
    page.transcript()
    page.notes()
    return page.finished()


@lru_cache(maxsize=len(FACES) + 1)
def _characters(font: Path) -> frozenset[int]:
    """What a font file has a picture of; of a collection the first counts."""
    from fontTools.ttLib import TTFont

    # Opened here, as TTFont leaves open what is no font.
    with font.open("rb") as file, TTFont(file, lazy=True, fontNumber=0) as face:
        return frozenset(face.getBestCmap() or ())


def _characters_of_own(font: Path | None) -> frozenset[int]:
    """What the font of the settings has a picture of; raises as `to_pdf` does."""
    from fontTools.ttLib import TTLibError

    try:
        found = frozenset() if font is None else _characters(font)
        if font is not None and not found:
            raise ValueError("it has no characters")
        return found
    except OSError as error:
        raise SaveError(f"the font {font} cannot be read ({error.strerror or error}): set pdf_font anew") from error
    except (TTLibError, ValueError, KeyError) as error:
        raise SaveError(f"{font} is no font ({error}): set pdf_font to a ttf, otf or ttc file") from error


def _face(style: str) -> frozenset[int]:
    """What a face of our own font has a picture of."""
    return _characters(_font(FACES[style]))


def _font(name: str) -> Path:
    """A face of DejaVu Sans (its licence lies beside it) from matplotlib, which pyannote.audio brings anyway."""
    return Path(str(resources.files("matplotlib"))) / "mpl-data" / "fonts" / "ttf" / name


@dataclass(frozen=True, slots=True)
class _Run:
    """Text in one style (of `FACES`, or `U`) and colour; `link` is an address, or a number of fpdf2 for a place."""

    text: str
    style: str = ""
    colour: tuple[int, int, int] = INK
    link: str | int = ""


class _Page:
    """The document as it is written, from the top."""

    def __init__(self, paper: Paper, meeting: Meeting) -> None:
        self.paper = paper
        self.lacking = False
        self.places: dict[int, int] = {}
        self.own = _characters_of_own(meeting.pdf_font)
        self.pdf = _new(self._shown(paper.title), paper, meeting)

    def title(self) -> None:
        """Title, day, length, and who was there."""
        self._block([_Run(self.paper.title, "B")], size=18)
        facts = [_Run(" · ".join(self.paper.facts), "", SOFT)]
        if self.paper.link:
            facts += [_Run(" · " if self.paper.facts else "", "", SOFT)]
            facts += [_Run(self.paper.words.text("recording"), "U", SOFT, self.paper.link)]
        self._block(facts, size=9.5)
        if self.paper.participants:
            people = f"{self.paper.word('participants')}: {', '.join(self.paper.participants)}"
            self._block([_Run(people, "", SOFT)], size=9.5)

    def summary(self) -> None:
        """What the reader should know."""
        paper = self.paper
        self._heading(paper.words.filled("paper", "reader", paper.reader))
        if paper.opening:
            self._block([_Run(paper.opening, "", SOFT)], size=9.5)
        if paper.headline:
            self._block([_Run(paper.headline, "B")], size=10.5)
        for group in paper.groups:
            self._heading(group.heading, size=11, above=3.0)
            for line in group.lines:
                self._block(list(self._bullet(line)), size=10, indent=BULLET, mark=BULLET_MARK)
                self.pdf.ln(1.0)
        if paper.left_out:
            self._block([_Run(paper.left_out, "", SOFT)], size=9.5)

    def _bullet(self, line: Line) -> Iterator[_Run]:
        yield _Run(f"{line.label}{line.text}")
        yield _Run(f" — {line.speaker}, ", "", SOFT)
        yield _Run(clock(line.start), "U", SOFT, self._place(line.passage))
        if line.facts:
            yield _Run(" · ", "", SOFT)
            yield _Run(", ".join(line.facts), "B")
        if line.remark:
            yield _Run(f" · {line.remark}", "I", SOFT)

    def _place(self, passage: int | None) -> str | int:
        """A link to a passage, which is further down."""
        if passage is None:
            return ""
        if passage not in self.places:
            self.places[passage] = self.pdf.add_link()
        return self.places[passage]

    def transcript(self) -> None:
        """Who said what, with times beside it."""
        self._heading(self.paper.word("transcript"))
        if not self.paper.passages:
            self._block([_Run(self.paper.word("silent"))], size=10)
        for number, passage in enumerate(self.paper.passages):
            self._passage(number, passage)

    def _passage(self, number: int, passage: Passage) -> None:
        if passage.speaker:
            # A name does not stay behind at the foot of a page.
            if self.pdf.will_page_break(6 * 10 * POINT):
                self.pdf.add_page()
            self.pdf.ln(2.5)
            self._block([_Run(passage.speaker, "B")], size=10, indent=GUTTER)
        parts = [_Run(p.text) if p.sure is None else _Run(p.text, "U", SOFT) for p in passage.pieces]
        if number in self.places:
            self.pdf.set_link(self.places[number], y=self.pdf.get_y(), page=self.pdf.page_no())
        self._block(parts, size=10, indent=GUTTER, mark=clock(passage.start))
        self.pdf.ln(0.6)

    def notes(self) -> None:
        """How it was made."""
        self.pdf.ln(8)
        text = self.paper.notes
        if self.lacking:
            text += f" {BOX}: {self.paper.word('boxes')}."
        self._block([_Run(text, "I", SOFT)], size=8.5)

    def finished(self) -> bytes:
        """The file."""
        return bytes(self.pdf.output())

    def _heading(self, text: str, *, size: float = 13, above: float = 7.0) -> None:
        if self.pdf.will_page_break(above + 5 * size * POINT):
            self.pdf.add_page()
        else:
            self.pdf.ln(above)
        self._block([_Run(text, "B")], size=size)
        self.pdf.ln(0.8)

    def _block(self, runs: Sequence[_Run], *, size: float, indent: float = 0.0, mark: str = "") -> None:
        """A paragraph; `mark` stands in the indent of its first line."""
        pdf = self.pdf
        height = size * POINT * LEADING
        if mark:
            if pdf.will_page_break(height):
                pdf.add_page()
            pdf.set_x(MARGIN)
            shown = self._dress(_Run(mark, "", SOFT), size if mark == BULLET_MARK else size - 1.5)
            pdf.cell(indent - 1.5, height, shown, align="L")
        pdf.set_left_margin(MARGIN + indent)
        pdf.set_x(MARGIN + indent)
        text = "".join(run.text for run in runs)
        # Letters that run from the right and join are HarfBuzz's work; all others need none.
        pdf.set_text_shaping(has_right_to_left(text), direction="rtl" if right_to_left(text) else "ltr")
        if right_to_left(text):
            # The parts of a line that runs from the right cannot be written one after the other.
            shown = self._dress(_Run(text, runs[0].style, runs[0].colour), size)
            pdf.multi_cell(0, height, shown, align="R", new_x="LMARGIN", new_y="NEXT")
        else:
            for run in runs:
                pdf.write(height, self._dress(run, size), run.link)
            pdf.ln(height)
        pdf.set_text_shaping(False)
        pdf.set_left_margin(MARGIN)

    def _dress(self, run: _Run, size: float) -> str:
        """Set font and colour for a run, upright where the face of its style lacks a script; what to write of it."""
        face = run.style if run.style in FACES else ""
        if face and any(ord(c) in _face("") and ord(c) not in _face(face) for c in run.text):
            face = ""
        self.pdf.set_font("DejaVu", face if face else run.style if run.style == "U" else "", size)
        self.pdf.set_text_color(*run.colour)
        return self._shown(run.text, face)

    def _shown(self, text: str, face: str = "") -> str:
        """The text with boxes for what the fonts have no picture of."""
        known = _face(face) | self.own
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
            self.set_text_shaping(has_right_to_left(title), direction="rtl" if right_to_left(title) else "ltr")
            self.cell(0, 5, title if len(title) <= 80 else f"{title[:79]}…", align="L")
            self.set_text_shaping(False)
            self.set_x(MARGIN)
            # After letters of another font fpdf2 2.8 writes on in that one, unless the font is another than before.
            self.set_font("DejaVu", "B", 8)
            self.set_font("DejaVu", "", 8)
            self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")

    pdf = Document(format="A4")
    for style, name in FACES.items():
        pdf.add_font("DejaVu", style, str(_font(name)))
    if meeting.pdf_font is not None:
        pdf.add_font("Own", "", meeting.pdf_font)
        pdf.set_fallback_fonts(["Own"], exact_match=False)
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
