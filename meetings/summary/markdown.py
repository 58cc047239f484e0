"""Text that people said or wrote, made inert for Mattermost: it pings nobody, links nowhere and formats nothing.

Characters that mean something to Mattermost's Markdown are escaped where every parser knows the escape, written as
entities where its parser (a fork of marked) finds them through a backslash, and broken with a zero-width space where it
knows neither (mentions, hashtags, channel links, emoji, addresses).
"""

from __future__ import annotations

import re
import unicodedata

ZERO_WIDTH = "\u200b"

# Controls, line breaks, and characters that are not seen or turn the direction of text.
_UNSEEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# CommonMark and Mattermost's marked both know these escapes.
_ESCAPED = re.compile(r"([\\`*_{}|~])")
# Brackets and `<` are found by marked's patterns for links even behind a backslash. `$` has no escape there; it closes
# a formula when no word follows it.
_ENTITIES = (("[", "&#91;"), ("]", "&#93;"), ("<", f"&lt;{ZERO_WIDTH}"))
_DOLLAR = re.compile(r"\$(?![A-Za-z0-9])")
_LEADING = re.compile(r"^([#>+\-=]|\d{1,9}(?=[.)]))")


def inert(text: str, *, limit: int = 2_000) -> str:
    """A text as one line that shows as it stands.

    Args:
        text: anything.
        limit: characters of the text kept; more becomes an ellipsis.
    """
    seen = "".join(" " if _breaks(c) else c for c in text if not _unseen(c))
    line = " ".join(seen.split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    line = re.sub(r"&(?=[#\w])", f"&{ZERO_WIDTH}", line)
    line = _ESCAPED.sub(r"\\\1", line)
    # @all, #tag, ~channel, :emoji:, http://, tel:1, www., evil.example/. At the end too: our own text follows.
    line = re.sub(r"([@＠﹫#＃]|\\~)", rf"\1{ZERO_WIDTH}", line)
    line = re.sub(r":(?![\s\d])|:(?=\d[\w+-]*:)", f":{ZERO_WIDTH}", line)
    line = re.sub(r"([A-Za-z][A-Za-z\d.+-]*):(?=\d)", rf"\1:{ZERO_WIDTH}", line)
    line = re.sub(r"(?<=www)(?=\d{0,3}\.)", ZERO_WIDTH, line, flags=re.IGNORECASE)
    line = re.sub(r"\.(?=[^\W\d_])", f".{ZERO_WIDTH}", line)
    for character, entity in _ENTITIES:
        line = line.replace(character, entity)
    line = _DOLLAR.sub("&#36;", line)
    return _LEADING.sub(_leading, line)


def _leading(match: re.Match[str]) -> str:
    # A number may start a list; a zero-width space before its full stop keeps it a number.
    found = match.group(1)
    return f"{found}{ZERO_WIDTH}" if found.isdigit() else f"\\{found}" if found != "=" else f"{ZERO_WIDTH}="


def _breaks(character: str) -> bool:
    # Marked turns the symbol for newline into a newline.
    return character in "\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029\u2424"


def _unseen(character: str) -> bool:
    return not _breaks(character) and unicodedata.category(character) in _UNSEEN_CATEGORIES


def link(shown: str, url: str | None) -> str:
    """A link that this program makes itself; plain text if the address is not an ordinary one."""
    if url is None or not re.fullmatch(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'*+,;=%-]+", url):
        return shown
    return f"[{shown}]({url})"
