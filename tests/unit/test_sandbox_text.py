"""What a server reads out of a message, and how the page shows it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.sandbox import markdown
from meetings.sandbox.calls import plain_text
from meetings.sandbox.files import safe_name
from meetings.sandbox.text import hashtags, mentioned


@pytest.mark.parametrize(
    ("message", "tags"),
    [
        ("Shipping, see #release-9 @ben.okafor", "#release-9"),
        ("#one, #two! (#three)", "#one #two #three"),
        ("##twice #9lives # alone #a", "#twice"),
        ("nothing here", ""),
    ],
)
def test_hashtags_are_found_as_mattermost_finds_them(message: str, tags: str) -> None:
    assert hashtags(message) == tags


@pytest.mark.parametrize(
    ("message", "who"),
    [
        ("ask @ben.okafor.", {"ben.okafor"}),
        ("ask @Ben.Okafor, @ana", {"ben.okafor", "ana"}),
        ("mail ben@ana.example", set()),
        ("`@ana` and ```\n@ana\n```", set()),
        ("@anabel", set()),
        ("@channel hello", {"ana", "ben.okafor"}),
    ],
)
def test_people_are_mentioned_by_name_but_not_in_code(message: str, who: set[str]) -> None:
    assert mentioned(message, ["ana", "ben.okafor"]) == who


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("a <b>bold</b> & more", "&lt;b&gt;bold&lt;/b&gt; &amp; more"),
        ("**bold** and `code`", "<strong>bold</strong> and <code>code</code>"),
        ("[link](https://a.example)", '<a href="https://a.example" rel="noopener noreferrer nofollow">link</a>'),
        ("see https://a.example/x.", '<a href="https://a.example/x" rel="noopener noreferrer nofollow">'),
        ("@ben.okafor :tada: 10:30:45", '<strong class="mention">@ben.okafor</strong> 🎉 10:30:45'),
        ("`https://a.example @ben`", "<code>https://a.example @ben</code>"),
        ("one\ntwo", "one<br />"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>2</td>"),
    ],
)
def test_a_post_is_rendered_as_its_author_meant_it(text: str, html: str) -> None:
    assert html in markdown.render(text)


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "<javascript:alert(1)>",
        "![x](https://a.example/pixel.png)",
        '<img src=x onerror="alert(1)">',
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        '[x](https://a.example "><script>alert(1)</script>")',
        "```html\n<script>alert(1)</script>\n```",
    ],
)
def test_no_post_runs_or_loads_anything(text: str) -> None:
    html = markdown.render(text)
    assert not re.search(r"<(script|img|iframe|style)|href=\"(javascript|data):|<[^>]*\son\w+=", html, re.IGNORECASE)


@given(st.text(max_size=300))
def test_only_known_tags_ever_appear(text: str) -> None:
    known = "p|a|strong|em|s|code|pre|ul|ol|li|blockquote|h[1-6]|hr|br|table|thead|tbody|tr|th|td"
    assert not re.search(rf"<(?!/?({known})\b)", markdown.render(text))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("call.mp4", "call.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\call.mp4", "call.mp4"),
        ("Wöchentlich “A”.mp4", "Wöchentlich “A”.mp4"),
        ("..", "file"),
        ("", "file"),
        ("a\nb\x00.txt", "ab.txt"),
    ],
)
def test_a_files_name_has_no_folder_and_nothing_unprintable(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_the_text_of_a_transcription_says_who_says_what() -> None:
    cues = ("1\n00:00:01.000 --> 00:00:02.000\n<v Maya>(Maya) Good morning", "00:00:02.000 --> 00:00:03.000\nHi\nall")
    vtt = "\n\n".join(("WEBVTT", *cues)) + "\n"
    assert plain_text(vtt) == "Maya: (Maya) Good morning\nHi all\n"
