"""Why somebody is told something, in words that quote nobody's posts."""

from __future__ import annotations


def close_to(source: str, text: str) -> str:
    """Why something is a person's, told of the ingredient of their persona that it is close to."""
    short = text if len(text) <= 60 else text[:57].rsplit(" ", 1)[0] + "…"
    # Posts are quoted to nobody: a thread, a reaction or a mention is somebody else's words.
    return {
        "position": f"close to your position, {short}",
        "profile": f"close to what your role cares about: {short}",
        "channel": f"close to your channel {short}",
        "own post": "close to what you wrote lately",
        "thread": "close to a thread you are in",
        "reaction": "close to a post you reacted to",
        "mention": "close to a post that names you",
        "feedback": f"you asked for more of this: {short}",
        "liked": "close to what you liked earlier",
    }.get(source, f"close to your interest: {short}")
