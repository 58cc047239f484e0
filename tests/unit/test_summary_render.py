"""The message: what it looks like, and that nothing from speech pings, links or formats."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from meetings.conversation import Conversation, Speaker, Utterance, Word
from meetings.summary import MAX_MESSAGE, Bullet, Summary, render_markdown, summary_from_json, summary_to_json
from meetings.summary.markdown import ZERO_WIDTH, inert, link

URL = "https://chat.example.org/_redirect/pl/abc"
ATTACKS = (
    "@channel @all @here look",
    "@ben.okafor",
    "# heading",
    "- list",
    "1. list",
    "> quote",
    "``` code ```",
    "`code`",
    "**bold** __bold__ *it* _it_ ~~gone~~",
    "[click](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "<https://evil.example>",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "https://evil.example/login",
    "www.evil.example",
    "evil.example/login",
    "mail me at ceo@evil.example",
    "mailto:ceo@evil.example",
    "#hashtag #all",
    "~town-square",
    ":smile: :+1:",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "line one\n\n# line two\n@all",
    "\u202eevil\u202c",
    "&lt;b&gt; &#64;all",
    "===",
    "---",
    "***",
    "\\@all \\[x](y)",
    "a\u200b@\u200ball",
    "\x00\x07\x1b[31m",
)
MENTION = re.compile(r"@[a-z0-9.\-_]", re.IGNORECASE)


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def summary(**changes: object) -> Summary:
    base = Summary(
        username="ben",
        name="Ben Okafor",
        position="Backend Engineer",
        headline="Load test, price: one task for you, one decision",
        bullets=(
            Bullet(
                kind="action",
                text="I will finish the load test by Friday.",
                evidence=("u21",),
                start=81.5,
                speaker="Ben Okafor",
                owner="Ben Okafor",
                due="2026-11-20",
                why="you said you would",
                score=2.0,
                mine=True,
            ),
            Bullet(
                kind="decision",
                text="The team plan goes to fifteen dollars.",
                evidence=("u59",),
                start=254.0,
                speaker="Maya Chen",
                why="a decision, which everyone gets",
                score=1.0,
            ),
            Bullet(
                kind="action",
                text="I'll send the report by Wednesday, and Tom reads it.",
                evidence=("u34",),
                start=141.0,
                speaker="Nadia Haddad",
                owner="Nadia Haddad, Tom Becker",
                due="2026-11-25",
                score=0.9,
            ),
            Bullet(
                kind="risk",
                text="Northgate may leave us in March.",
                evidence=("u62",),
                start=267.0,
                speaker="Oscar Lind",
                why="close to your interest: customers",
                score=0.8,
                confidential=True,
            ),
            Bullet(
                kind="question",
                text="Do we have to tell customers?",
                evidence=("u35",),
                start=145.0,
                speaker="Maya Chen",
                why="close to your interest: customers",
                score=0.7,
            ),
        ),
        writer="extract",
        conversation="c1",
        attended=True,
        left_out=2,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def call(**changes: object) -> Conversation:
    base = Conversation(
        id="c1",
        title="Weekly product call",
        duration=361.0,
        started_at="2026-11-19T10:00:00+01:00",
        speakers=(
            Speaker(id="a", name="Ben Okafor", username="ben", confidence=0.9, how="talk"),
            Speaker(id="b", name="Speaker 2"),
        ),
        utterances=(
            Utterance(id="u21", speaker="a", start=81.5, end=84.0, text="I will finish it."),
            Utterance(id="u59", speaker="b", start=254.0, end=260.0, text="We decided."),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


GOLDEN = """\
#### [Weekly product call](https://chat.example.org/_redirect/pl/abc) · Thu 19 Nov 2026 · 6 min

_You were there, Ben. What to take with you:_

**Load test, price: one task for you, one decision**

##### For you
- “I will finish the load test by Friday.” — Ben Okafor, [1:21](https://chat.example.org/_redirect/pl/abc) · **you, due Fri 20 Nov**

##### Decisions
- “The team plan goes to fifteen dollars.” — Maya Chen, [4:14](https://chat.example.org/_redirect/pl/abc)

##### Actions
- “I'll send the report by Wednesday, and Tom reads it.” — Nadia Haddad, [2:21](https://chat.example.org/_redirect/pl/abc) · **Tom Becker, due Wed 25 Nov**

##### Worth knowing
- 🔒 Risk: “Northgate may leave us in March.” — Oscar Lind, [4:27](https://chat.example.org/_redirect/pl/abc) · _said in confidence: stays with those who were there_
- Open: “Do we have to tell customers?” — Maya Chen, [2:25](https://chat.example.org/_redirect/pl/abc) · _close to your interest: customers_

2 more points were left out to keep this short; [the recording](https://chat.example.org/_redirect/pl/abc) and its transcript hold all.

_Lines are quotations without filler words · 1 voice of 2 could not be named · made on your own server · answer here to change it: less about a subject, shorter, only decisions, why this, stop; 👀 brings what was left out._"""  # noqa: E501 (a golden file)


def test_a_message_looks_like_this() -> None:
    assert render_markdown(summary(), call(), recording_url=URL) == GOLDEN


def test_a_reader_is_told_when_words_went_to_another_machine() -> None:
    footer = render_markdown(summary(sent_to="llm.example.org"), call()).splitlines()[-1]
    # The host is inert like everything else: no client makes a link of it.
    assert "llm.example.org" not in footer
    footer = footer.replace("\u200b", "")
    assert footer.endswith("the language model runs at llm.example.org: lines of this call were sent there._")
    assert "your own server" not in footer


def test_who_missed_the_call_is_greeted_otherwise() -> None:
    assert "You missed this one, Ben." in render_markdown(summary(attended=False), call())
    neutral = render_markdown(summary(attended=None), call())
    assert "You" not in neutral.split("**")[0]


def test_without_a_recording_there_is_no_link() -> None:
    assert "](" not in render_markdown(summary(), call())


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.example/a b", "https://x.example/)(", "file:///etc"])
def test_only_ordinary_addresses_become_links(url: str) -> None:
    assert link("1:21", url) == "1:21"


def assert_inert(message: str) -> None:
    """No token but those this program writes: its own headings, lists, emphasis, links to the recording."""
    assert not MENTION.search(message)
    for token in parser().parse(message):
        assert token.type not in {"fence", "code_block", "html_block", "blockquote_open", "table_open", "hr"}
        assert token.type != "ordered_list_open"
        if token.type == "heading_open":
            assert token.tag in {"h4", "h5"}
        for child in token.children or ():
            assert child.type not in {"code_inline", "image", "html_inline", "s_open", "hardbreak"}
            if child.type == "link_open":
                assert child.attrs["href"] == URL


TEXTS = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(max_size=120),
    st.lists(
        st.sampled_from([*ATTACKS, "word", "@", "#", "*", "_", "`", "[", "](", ")", "\n", "!", "<", ">", "~"]),
        max_size=6,
    ).map("".join),
)


@settings(deadline=None)
@given(TEXTS)
@example("@\u200dall")
@example("＠all @\u2060all")
def test_text_from_people_pings_links_and_formats_nothing(text: str) -> None:
    poisoned = summary(
        name=text or "x",
        headline=text,
        bullets=tuple(
            replace(b, text=text, speaker=text, owner=text or None, why=text, due=text or None)
            for b in summary().bullets
        ),
    )
    message = render_markdown(poisoned, call(title=text), recording_url=URL)
    assert_inert(message)
    assert not re.search(r"(?:https?|ftp)://(?!chat\.example\.org/)|mailto:\w", message)
    assert not re.search(r"\bwww\.\w", message)
    assert not re.search(r"(?:^|\s)#\w|(?:^|\s)~\w|:[a-z+]\w*:", message)
    assert len(message) <= MAX_MESSAGE


@given(
    st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\u2424"), max_size=200)
)
def test_inert_text_reads_as_it_was_said(text: str) -> None:
    tokens = parser().parse("x " + inert(text))
    shown = "".join(c.content for t in tokens for c in t.children or ()).removeprefix("x").replace(ZERO_WIDTH, "")
    assert " ".join(shown.split()) == " ".join(text.split())


@settings(deadline=None, max_examples=12)
@given(st.integers(min_value=0, max_value=90), st.integers(min_value=1, max_value=2_500))
def test_a_message_always_fits(count: int, size: int) -> None:
    bullet = Bullet(kind="info", text="*" * size, evidence=("u21",), start=0.0, speaker="@" * size, why="_" * size)
    bullets = tuple(replace(bullet, score=float(n)) for n in range(count))
    assert len(render_markdown(summary(bullets=bullets, name="#" * size), call(title="[" * size))) <= MAX_MESSAGE


def test_a_summary_survives_json() -> None:
    original = summary(relevance={"u21": 0.5, "u59": 0.25})
    assert summary_from_json(summary_to_json(original)) == original


def test_json_has_the_keys_of_the_contract() -> None:
    data = summary_to_json(summary())
    assert {"person", "headline", "bullets", "model", "writer", "conversation"} <= set(data)
    assert "relevance" not in data
    contract = {"kind", "text", "evidence", "start", "speaker", "owner", "due", "why", "writer", "score"}
    assert contract <= set(data["bullets"][0])


def test_quotation_marks_stand_around_what_was_said_and_nothing_else() -> None:
    base = summary(model="writer-8b", writer="rewrite")
    quoted = base.bullets[0]
    told = replace(quoted, text="Ben Okafor will finish the load test by Friday.", writer="rewrite")
    message = render_markdown(replace(base, bullets=(quoted, told)), call())
    assert "- Ben Okafor will finish the load test by Friday. — " in message
    assert f"“{quoted.text}”" in message
    assert "Lines without quotation marks were put into words by writer-8b" in message
    assert "headline by writer-8b" not in message


def test_the_footer_says_how_sure_the_recogniser_was_of_its_words() -> None:
    words = (Word(word="a", start=0, end=1, probability=0.9), Word(word="b", start=1, end=2, probability=0.8))
    spoken = call(utterances=(Utterance(id="u21", speaker="a", start=81.5, end=84.0, text="a b", words=words),))
    footer = render_markdown(summary(), spoken, heard_by="whisper-base").splitlines()[-1]
    assert "words heard by whisper-base with 85 % certainty" in footer.replace("\u200b", "").replace("\\", "")
    assert "certainty" not in render_markdown(summary(), call(), heard_by="whisper-base")


def test_a_message_that_nobody_can_answer_does_not_ask_to() -> None:
    assert "answer here" not in render_markdown(summary(), call())


PAGE = f"https://meetings.example.org/m/{'c' * 26}?k=token"


def point(**changes: object) -> Bullet:
    base = Bullet(
        kind="decision", text="We ship on Friday.", evidence=("u1",), start=0.0, speaker="Ana", writer="compose"
    )
    return replace(base, **changes)


def test_times_lead_to_their_moments_on_the_reader_s_page() -> None:
    points = (point(start=754.9), point(start=3.2))
    message = render_markdown(summary(bullets=points), call(), recording_url=URL, page_url=PAGE)
    assert f"[12:34]({PAGE}#t=754)" in message
    assert f"[0:03]({PAGE}#t=3)" in message
    assert f"]({URL})" in message.splitlines()[0]  # the title leads to the recording as before


def test_without_pages_a_message_is_what_it_was() -> None:
    made = summary(bullets=(point(start=754.9),))
    message = render_markdown(made, call(), recording_url=URL)
    assert f"[12:34]({URL})" in message
    assert render_markdown(made, call(), recording_url=URL, page_url=None) == message


def test_a_message_full_of_links_keeps_its_limit() -> None:
    points = tuple(point(start=float(n), text="word " * 60, score=n / 200) for n in range(200))
    message = render_markdown(summary(bullets=points), call(), recording_url=URL, page_url=PAGE + "x" * 100)
    assert len(message) <= MAX_MESSAGE
    assert message.count("?k=") > 20
