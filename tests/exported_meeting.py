"""One short meeting with everything that a file of it can hold, for tests of exports."""

from __future__ import annotations

from meetings.conversation import Conversation, Speaker, Utterance, Word
from meetings.exports import Meeting
from meetings.summary import Bullet, Summary

URL = "https://chat.example.org/acme/pl/xfgr8udsptr4irwfn4rphptgnr"


def _words(start: float, text: str, unsure: str = "") -> tuple[Word, ...]:
    words = text.split()
    return tuple(
        Word(
            word=w,
            start=round(start + 0.4 * n, 2),
            end=round(start + 0.4 * n + 0.35, 2),
            probability=0.31 if w.strip(".,") in unsure.split() else 0.96,
        )
        for n, w in enumerate(words)
    )


def _said(number: int, speaker: str, start: float, text: str, unsure: str = "") -> Utterance:
    words = _words(start, text, unsure)
    return Utterance(id=f"u{number:04d}", speaker=speaker, start=start, end=words[-1].end, text=text, words=words)


CONVERSATION = Conversation(
    id="4be1c0de",
    title="Weekly product call <v2> & more",
    language="en",
    duration=3725.0,
    started_at="2026-11-26T10:00:00+00:00",
    participants=("maya.chen", "ben.okafor", "zoe"),
    speakers=(
        Speaker(id="S1", name="Maya Chen", username="maya.chen", confidence=0.97, how="talk"),
        Speaker(id="S2", name="Ben Okafor", username="ben.okafor", confidence=0.95, how="voice"),
        Speaker(id="S3", name="Zoë Łukasz", username="zoe", confidence=1.0, how="given"),
        Speaker(id="S4", name="Speaker 4"),
    ),
    utterances=(
        _said(1, "S1", 1.8, "Good morning everyone. The parser release moves to the tenth of December."),
        _said(2, "S1", 9.5, "That gives us one more week for the big files, which need six gigabytes at the moment."),
        _said(
            3,
            "S2",
            20.0,
            "I'll write the migration guide by Friday, and Zoë asks Brightwater for a quote.",
            "Brightwater",
        ),
        _said(4, "S3", 31.25, "Ναι, βεβαίως. Да, сделаем к пятнице. Żółć, ñandú, größer — fine."),
        _said(
            5,
            "S4",
            45.0,
            "=SUM(A1) --> <b>bold</b> and {\\an8} @channel [link](http://x.example) | pipes & more",
            "pipes",
        ),
        _said(6, "S3", 3661.0, "This stays in this call: they may leave us in March."),
        _said(7, "S2", 3670.0, "שלום לכולם, נתראה ביום שישי. Thanks 🎉 日本"),
    ),
)

_GUIDE = Bullet(
    kind="action",
    text="I'll write the migration guide by Friday.",
    evidence=("u0003",),
    start=20.0,
    speaker="Ben Okafor",
    owner="Ben Okafor",
    due="2026-11-27",
    why="you said you would",
    score=1.7,
    mine=True,
)
_QUOTE = Bullet(
    kind="action",
    text="=Ask Brightwater; for a quote, in writing.",
    evidence=("u0003",),
    start=23.6,
    speaker="Ben Okafor",
    owner="Zoë Łukasz",
    due="before the board meets",
    writer="rewrite",
    score=1.2,
)
_MOVED = Bullet(
    kind="decision",
    text="The parser release moves to the tenth of December.",
    evidence=("u0001",),
    start=3.0,
    speaker="Maya Chen",
    due="2026-12-10",
    why="a decision, which everyone gets",
    score=1.5,
)
_SECRET = Bullet(
    kind="action",
    text="Call them before March.",
    evidence=("u0006",),
    start=3661.0,
    speaker="Zoë Łukasz",
    owner="Ben Okafor",
    score=1.1,
    confidential=True,
    mine=True,
)
_RISK = Bullet(
    kind="risk",
    text="They may leave us in March.",
    evidence=("u0006",),
    start=3663.4,
    speaker="Zoë Łukasz",
    score=1.0,
    confidential=True,
)
_MEMORY = Bullet(
    kind="info",
    text="The big files need six gigabytes at the moment.",
    evidence=("u0002",),
    start=11.5,
    speaker="Maya Chen",
    why="close to what you wrote lately",
    score=0.9,
)

BEN = Summary(
    username="ben.okafor",
    name="Ben Okafor",
    position="Backend Engineer",
    headline="Parser, migration guide: two tasks for you, one decision",
    bullets=(_GUIDE, _MOVED, _QUOTE, _SECRET, _RISK, _MEMORY),
    writer="rewrite",
    conversation="4be1c0de",
    model="smollm2-135m",
    attended=True,
    left_out=2,
)
ZOE = Summary(
    username="zoe",
    name="Zoë Łukasz",
    position="Vertrieb",
    headline="Eine Aufgabe für Sie",
    bullets=(_MOVED,),
    writer="extract",
    conversation="4be1c0de",
    attended=None,
    language="de",
)
MEETING = Meeting(
    conversation=CONVERSATION,
    summaries=(BEN, ZOE),
    url=URL,
    heard_by="whisper-base",
    rttm="SPEAKER weekly 1 1.800 7.300 <NA> <NA> S1 <NA> <NA>\n",
    name="weekly",
)
