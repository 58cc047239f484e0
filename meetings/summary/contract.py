"""`Summary` and `Bullet`: what one reader should know of one conversation, and its JSON form (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("decision", "action", "risk", "question", "for_you", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullet:
    """One thing to know, standing on utterances that anyone may open.

    `start` is in seconds from the recording's start; `owner` is a name as shown, `due` a day (ISO 8601) or the words it
    was said in; `why` says in one clause why this reader gets it; `score` orders bullets of one summary.
    `mine` is true when it falls to the reader; `translated` when its text is not in the conversation's language.
    """

    kind: str
    text: str
    evidence: tuple[str, ...]
    start: float
    speaker: str
    owner: str | None = None
    due: str | None = None
    why: str = ""
    writer: str = "extract"
    score: float = 0.0
    confidential: bool = False
    mine: bool = False
    translated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one reader should know. `attended` is None when nobody knows who was there.

    `model` is the language model that helped, None if none did; `headline_by` is `extract` or that model's name;
    `sent_to` is the host that the language model was asked at, None if it runs on this machine or there is none;
    `left_out` counts what would have been said with more room; `refused` bullets that grounding sent back to the raw
    words; `unanswered` prompts for bullets that the language model gave no usable answer to. `language` is that of the
    message's own words (headings, reasons), an ISO 639-1 code.
    """

    username: str
    name: str
    position: str
    headline: str
    bullets: tuple[Bullet, ...]
    writer: str
    conversation: str
    model: str | None = None
    headline_by: str = "extract"
    attended: bool | None = None
    length: str | None = None
    left_out: int = 0
    refused: int = 0
    unanswered: int = 0
    language: str = "en"
    sent_to: str | None = None
    relevance: Mapping[str, float] | None = field(default=None, hash=False)


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """The plain object that `summaries/USERNAME.json` holds."""
    data: dict[str, Any] = {
        "person": {"username": summary.username, "name": summary.name, "position": summary.position},
        "headline": summary.headline,
        "bullets": [
            {
                "kind": b.kind,
                "text": b.text,
                "evidence": list(b.evidence),
                "start": round(b.start, 3),
                "speaker": b.speaker,
                "owner": b.owner,
                "due": b.due,
                "why": b.why,
                "writer": b.writer,
                "score": round(b.score, 4),
                "confidential": b.confidential,
                "mine": b.mine,
                "translated": b.translated,
            }
            for b in summary.bullets
        ],
        "model": summary.model,
        "writer": summary.writer,
        "conversation": summary.conversation,
        "headline_by": summary.headline_by,
        "attended": summary.attended,
        "length": summary.length,
        "left_out": summary.left_out,
        "refused": summary.refused,
        "unanswered": summary.unanswered,
        "language": summary.language,
        "sent_to": summary.sent_to,
    }
    if summary.relevance is not None:
        data["relevance"] = {key: round(value, 6) for key, value in summary.relevance.items()}
    return data


def summary_from_json(data: Mapping[str, Any]) -> Summary:
    """The inverse of `summary_to_json`; fields that older files lack get their defaults."""
    person = data["person"]
    return Summary(
        username=person["username"],
        name=person["name"],
        position=person["position"],
        headline=data["headline"],
        bullets=tuple(Bullet(**{**b, "evidence": tuple(b["evidence"])}) for b in data["bullets"]),
        writer=data["writer"],
        conversation=data["conversation"],
        model=data["model"],
        headline_by=data.get("headline_by", "extract"),
        attended=data.get("attended"),
        length=data.get("length"),
        left_out=data.get("left_out", 0),
        refused=data.get("refused", 0),
        unanswered=data.get("unanswered", 0),
        language=data.get("language", "en"),
        sent_to=data.get("sent_to"),
        relevance=data.get("relevance"),
    )
