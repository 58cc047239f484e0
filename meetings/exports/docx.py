"""A meeting as a Word document, by python-docx; the same meeting gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from meetings.conversation import clock
from meetings.exports.meeting import Meeting
from meetings.exports.paper import Line, Paper, Passage, lay_out
from meetings.exports.text import right_to_left
from meetings.summary.message import day_of

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

SOFT = (0x5B, 0x65, 0x75)
INK = (0x1D, 0x24, 0x30)
# In every office program, with Latin, Cyrillic and Greek; where it is missing another of the kind stands in.
FONT = "Calibri"
MARGIN, GUTTER = 2.2, 1.7  # centimetres
# Entries of a ZIP carry a time; 1980 is the first it knows.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
UNKNOWN = datetime(2000, 1, 1, tzinfo=UTC)


def to_docx(meeting: Meeting, username: str | None = None) -> bytes:
    """The document, with the summary of one reader or with none."""
    from docx import Document

    paper = lay_out(meeting, username)
    linked = paper.linked
    document = Document()
    _styles(document)
    _properties(document, paper, meeting)
    document.add_heading(paper.title, level=0)
    if paper.facts or paper.link:
        facts = _paragraph(document)
        _soft(facts, "".join(f"{fact} · " for fact in paper.facts) if paper.link else " · ".join(paper.facts))
        if paper.link:
            _link(facts, paper.words.text("recording"), to=paper.link)
    if paper.participants:
        _soft(_paragraph(document), f"{paper.word('participants')}: {', '.join(paper.participants)}")
    if paper.reader:
        _summary(document, paper)
    document.add_heading(paper.word("transcript"), level=1)
    if not paper.passages:
        document.add_paragraph(paper.word("silent"))
    for number, passage in enumerate(paper.passages):
        paragraph = _passage(document, passage)
        if number in linked:
            _bookmark(paragraph, number)
    _soft(_paragraph(document, "Notes"), paper.notes)
    return _saved(document)


def _styles(document: Document) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_LINE_SPACING, WD_UNDERLINE
    from docx.shared import Cm, Pt, RGBColor

    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(MARGIN)
    section.top_margin = section.bottom_margin = Cm(2)
    sizes = {"Normal": 10.5, "Title": 22, "Heading 1": 15, "Heading 2": 12, "List Bullet": 10.5}
    for name, size in sizes.items():
        style: Any = document.styles[name]
        style.font.size = Pt(size)
        style.font.color.rgb = RGBColor(*INK)
        _set_font(style.element)
    title: Any = document.styles["Title"].element
    for border in title.xpath("./w:pPr/w:pBdr"):
        border.getparent().remove(border)
    normal: Any = document.styles["Normal"]
    normal.paragraph_format.space_after = Pt(4)
    normal.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    for name, before, after in (("Title", 0, 2), ("Heading 1", 16, 4), ("Heading 2", 9, 2), ("List Bullet", 0, 3)):
        layout: Any = document.styles[name].paragraph_format
        layout.space_before, layout.space_after = Pt(before), Pt(after)
    for name in ("Speaker", "Said", "Notes"):
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = normal
    speaker: Any = document.styles["Speaker"]
    speaker.font.bold = True
    speaker.paragraph_format.keep_with_next = True
    speaker.paragraph_format.space_before, speaker.paragraph_format.space_after = Pt(9), Pt(0)
    speaker.paragraph_format.left_indent = Cm(GUTTER)
    said: Any = document.styles["Said"].paragraph_format
    said.left_indent, said.first_line_indent = Cm(GUTTER), Cm(-GUTTER)
    said.tab_stops.add_tab_stop(Cm(GUTTER))
    said.space_after = Pt(2)
    document.styles["Notes"].paragraph_format.space_before = Pt(18)
    # Of characters: what stands back, and words that were not heard clearly.
    for name in ("Soft", "Remark", "Moment", "Unsure"):
        soft: Any = document.styles.add_style(name, WD_STYLE_TYPE.CHARACTER)
        soft.font.color.rgb = RGBColor(*SOFT)
        soft.font.size = Pt(9.5) if name != "Unsure" else None
        soft.font.italic = name == "Remark" or None
    document.styles["Moment"].font.underline = True
    document.styles["Unsure"].font.underline = WD_UNDERLINE.DOTTED


def _set_font(element: Any) -> None:
    """One font for every script; the template's theme names others for headings."""
    from docx.oxml.ns import qn

    fonts = element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in list(fonts.attrib):
        del fonts.attrib[attribute]
    for kind in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{kind}"), FONT)


def _properties(document: Document, paper: Paper, meeting: Meeting) -> None:
    """The file's own data: nobody's name, and a time that is that of the meeting."""
    day = day_of(meeting.conversation.started_at)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else UNKNOWN
    known = document.core_properties
    known.title, known.author, known.last_modified_by, known.comments = paper.title, "meetings", "meetings", ""
    known.language = paper.language
    known.created = known.modified = known.last_printed = at
    known.revision = 1


def _summary(document: Document, paper: Paper) -> None:
    document.add_heading(paper.words.filled("paper", "reader", paper.reader), level=1)
    if paper.opening:
        _soft(_paragraph(document), paper.opening)
    if paper.headline:
        _directed(_paragraph(document), paper.headline).add_run(paper.headline).bold = True
    for group in paper.groups:
        document.add_heading(group.heading, level=2)
        for line in group.lines:
            _bullet(_paragraph(document, "ListBullet"), line)
    if paper.left_out:
        _soft(_paragraph(document), paper.left_out)


def _bullet(paragraph: Paragraph, line: Line) -> None:
    _directed(paragraph, line.text)
    paragraph.add_run(f"{'🔒 ' if line.confidential else ''}{line.label}{line.text}")
    _soft(paragraph, f" — {line.speaker}, ")
    _link(paragraph, clock(line.start), passage=line.passage)
    if line.facts:
        paragraph.add_run(" · ")
        paragraph.add_run(", ".join(line.facts)).bold = True
    if line.remark:
        _soft(paragraph, f" · {line.remark}", "Remark")


def _passage(document: Document, passage: Passage) -> Paragraph:
    if passage.speaker:
        _directed(_paragraph(document, "Speaker"), passage.speaker).add_run(passage.speaker)
    paragraph = _directed(_paragraph(document, "Said"), "".join(p.text for p in passage.pieces))
    _soft(paragraph, f"{clock(passage.start)}\t")
    for piece in passage.pieces:
        if piece.sure is None:
            paragraph.add_run(piece.text)
        else:
            _soft(paragraph, piece.text, "Unsure")
    return paragraph


def _link(paragraph: Paragraph, shown: str, *, to: str = "", passage: int | None = None) -> None:
    """Text that leads to an address or to a passage; plain where there is neither. python-docx makes no links."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    run = _soft(paragraph, shown)
    if not to and passage is None:
        return
    link: Any = OxmlElement("w:hyperlink")
    if to:
        link.set(qn("r:id"), paragraph.part.relate_to(to, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    else:
        link.set(qn("w:anchor"), f"p{passage}")
    run._r.style = "Moment"
    run._element.addprevious(link)
    link.append(run._element)


def _bookmark(paragraph: Paragraph, passage: int) -> None:
    """The place that links to a passage lead to."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    begins, ends = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for mark in (begins, ends):
        mark.set(qn("w:id"), str(passage))
        paragraph._p.append(mark)
    begins.set(qn("w:name"), f"p{passage}")


def _paragraph(document: Document, style: str = "Normal") -> Paragraph:
    """A new paragraph; python-docx looks through all styles for a name, a transcript has thousands of them."""
    paragraph = document.add_paragraph()
    paragraph._p.style = style
    return paragraph


def _soft(paragraph: Paragraph, text: str, style: str = "Soft") -> Any:
    run = paragraph.add_run(text)
    run._r.style = style
    return run


def _directed(paragraph: Paragraph, text: str) -> Paragraph:
    """A paragraph that begins on the right where its text does."""
    if right_to_left(text):
        from docx.oxml import OxmlElement

        paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
    return paragraph


def _saved(document: Document) -> bytes:
    """The file with the times of its parts set to one that never changes."""
    raw, out = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in made.namelist():
            fixed.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), made.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
