#!/usr/bin/env python3
"""Try a real platform: whether it answers, keeps a form, counts tokens, and refuses as this program understands it.

    python scripts/bench/platforms.py llama.cpp MODEL [--url http://localhost:8080/v1] [--key-env NAME] [--thinking 999]

Nothing is sent but made-up sentences, to the address that is named here. The prompt that is too long is sent only with
--context TOKENS, what the model reads: providers charge for it if it fits after all.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from urllib.parse import urlsplit

from meetings.errors import ContextOverflowError, MeetingsError, ModelServerAuthError
from meetings.llm import PLATFORMS, Form, OpenAIServer
from meetings.llm.platforms import address_of

DAYS = Form(
    schema={
        "type": "object",
        "properties": {"days": {"type": "integer", "minimum": 0, "maximum": 99}},
        "required": ["days"],
        "additionalProperties": False,
    }
)
SAID = "The office closes for three days.\nFor how many days does it close? Answer in JSON: days."


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", choices=PLATFORMS)
    parser.add_argument("model")
    parser.add_argument("--url", help="default: the platform's own")
    parser.add_argument("--key-env", help="environment variable with the key")
    parser.add_argument("--thinking", type=int, default=0, help="tokens that a model thinks before it answers")
    parser.add_argument("--context", type=int, help="tokens that the model reads")
    arguments = parser.parse_args()
    platform = PLATFORMS[arguments.platform]
    address = address_of(platform, arguments.url)
    if address is None:
        parser.error(f"{platform.title} has no address of its own; give --url")
    key = os.environ.get(arguments.key_env) if arguments.key_env else None

    def server(key: str | None = key) -> OpenAIServer:
        return OpenAIServer(
            address,
            model=arguments.model,
            allowed_hosts=[urlsplit(address).hostname or ""],
            key=key,
            context=arguments.context or 4096,
            platform=platform,
            thinking=arguments.thinking,
        )

    asked = server()
    print(f"{platform.title} at {address}, model {arguments.model}")
    if platform.lists_models:
        show("lists models", lambda: f"{len(asked.models())}")
    show("answers", lambda: repr(asked.complete("Say hello.", max_tokens=12)[:40]))
    show("stops where told", lambda: repr(asked.complete("Count: one\ntwo", max_tokens=24, stop=["\n"])[:40]))
    show("keeps a form", lambda: asked.complete(SAID, max_tokens=40, form=DAYS))
    show("counts tokens", lambda: "estimated" if asked.used.estimated else f"{asked.used}")
    if platform.grammar:
        show("takes a grammar", lambda: coloured(asked))
    if key:
        show("refuses a wrong key", lambda: refusal(server("no-key-of-yours"), "x", ModelServerAuthError))
    if arguments.context:
        long = "word " * (2 * arguments.context)
        show("refuses what is too long", lambda: refusal(asked, long, ContextOverflowError))


def coloured(server: OpenAIServer) -> str:
    """What comes where only two words may."""
    answer = server.complete("A colour:", max_tokens=4, form=Form(grammar='root ::= "red" | "blue"'))
    return answer if answer in {"red", "blue"} else f"NO: it says {answer!r}"


def refusal(server: OpenAIServer, prompt: str, kind: type[MeetingsError]) -> str:
    """What a server says to a prompt that it has to refuse."""
    try:
        server.complete(prompt, max_tokens=2)
    except kind as error:
        return f"{type(error).__name__}: {error}"
    return "NO: it answered"


def show(what: str, check: Callable[[], str]) -> None:
    """One line of the table."""
    try:
        found = check()
    except MeetingsError as error:
        found = f"NO: {type(error).__name__}: {error}"
    print(f"{what:26}{found}")


if __name__ == "__main__":
    main()
