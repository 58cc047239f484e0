"""Markdown of posts as safe HTML.

HTML in a post stays text, links go only to web and mail addresses, and images are shown as links: the page loads
nothing from anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from rich.emoji import Emoji

_SPECIAL = re.compile(
    r"(?P<url>https?://[^\s<>\"]*[^\s<>\".,;:!?'()\]])"
    r"|(?P<user>(?<![\w@])@[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)"
    r"|:(?P<emoji>[a-z0-9_+-]+):",
    re.IGNORECASE,
)
# Mattermost's names that rich does not know.
ALIASES = {"thinking": "thinking_face"}


def render(text: str) -> str:
    """A post's message as HTML."""
    return str(_markdown().render(text))


def emoji(name: str) -> str:
    """The character for an emoji's name, else the name between colons."""
    return Emoji.replace(f":{ALIASES.get(name, name)}:")


def _markdown() -> MarkdownIt:
    # breaks: a line end in a post is a line end.
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    markdown.disable(["image", "html_inline", "html_block"])
    markdown.core.ruler.push("special", _mark_special)
    markdown.core.ruler.push("leave", _leave_page)
    return markdown


def _mark_special(state: StateCore) -> None:
    """Bare addresses become links, names and emoji are marked, as Mattermost does."""
    for block in state.tokens:
        if block.children:
            block.children = list(_split(block.children))


def _split(tokens: list[Token]) -> Iterator[Token]:
    inside_link = 0
    for token in tokens:
        inside_link += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "text":
            yield token
            continue
        rest = 0
        for match in _SPECIAL.finditer(token.content):
            if match.lastgroup == "url" and inside_link:
                continue
            yield _text(token.content[rest : match.start()])
            yield from _special(match)
            rest = match.end()
        yield _text(token.content[rest:])


def _special(match: re.Match[str]) -> Iterator[Token]:
    if match.lastgroup == "url":
        yield Token("link_open", "a", 1, attrs={"href": match.group()})
        yield _text(match.group())
        yield Token("link_close", "a", -1)
    elif match.lastgroup == "user":
        yield Token("mention_open", "strong", 1, attrs={"class": "mention"})
        yield _text(match.group())
        yield Token("mention_close", "strong", -1)
    else:
        yield _text(emoji(match.group("emoji")))


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _leave_page(state: StateCore) -> None:
    """Links tell the other side nothing of where they came from."""
    for block in state.tokens:
        for token in block.children or ():
            if token.type == "link_open":
                token.attrSet("rel", "noopener noreferrer nofollow")
