"""A meeting as Markdown. Speech is inert in it (`meetings.summary.markdown`): pasted anywhere, it pings nobody."""

from __future__ import annotations

from meetings.conversation import clock
from meetings.exports.meeting import Meeting
from meetings.exports.paper import Line, Paper, Piece, lay_out
from meetings.summary.markdown import inert, link


def to_markdown(meeting: Meeting, username: str | None = None) -> str:
    """The document, with the summary of one reader or with none."""
    paper = lay_out(meeting, username)
    parts = [f"# {link(_safe(paper.title), paper.link)}"]
    if paper.facts:
        parts.append(" · ".join(paper.facts))
    if paper.participants:
        parts.append(f"{paper.word('participants')}: {', '.join(map(_safe, paper.participants))}")
    if paper.reader:
        parts += _summary(paper)
        parts.append(f"## {paper.word('transcript')}")
    if not paper.passages:
        parts.append(paper.word("silent"))
    for passage in paper.passages:
        name = f"**{_safe(passage.speaker)}** " if passage.speaker else ""
        parts.append(f"{name}({clock(passage.start)}) {''.join(map(_piece, passage.pieces))}".rstrip())
    parts += ["---", f"_{_safe(paper.notes)}_"]
    return "\n\n".join(parts) + "\n"


def _summary(paper: Paper) -> list[str]:
    parts = [f"## {paper.words.filled('paper', 'reader', _safe(paper.reader))}"]
    if paper.opening:
        parts.append(f"_{_safe(paper.opening)}_")
    if paper.headline:
        parts.append(f"**{_safe(paper.headline)}**")
    for group in paper.groups:
        parts += [f"### {group.heading}", "\n".join(_line(line, paper.link) for line in group.lines)]
    if paper.left_out:
        parts.append(paper.left_out)
    return parts


def _line(line: Line, url: str | None) -> str:
    lock = "🔒 " if line.confidential else ""
    text = f"- {lock}{line.label}{_safe(line.text)} — {_safe(line.speaker)}, {link(clock(line.start), url)}"
    if line.facts:
        text += f" · **{_safe(', '.join(line.facts))}**"
    return f"{text} · _{_safe(line.remark)}_" if line.remark else text


def _piece(piece: Piece) -> str:
    """Spaces stay outside of the marks, or they would mark nothing."""
    if piece.sure is not None:
        return f"*{_safe(piece.text)}*"
    before = " " if piece.text[:1].isspace() else ""
    after = " " if piece.text[-1:].isspace() and piece.text.strip() else ""
    return f"{before}{_safe(piece.text)}{after}"


def _safe(text: str) -> str:
    return inert(text, limit=max(1, len(text)))
