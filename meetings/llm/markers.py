"""What people said, made fit for a prompt: no marker by which a model tells who speaks.

llama.cpp and servers read `<|im_start|>` in a message as the real thing, whoever wrote it.
"""

from __future__ import annotations

import re

_MARKERS = re.compile(
    r"<[|｜][^|｜<>\n]{0,60}[|｜]>|<<?/?(?:s|sys|bos|eos|pad|unk|inst|start_of_turn|end_of_turn|think|tool_call|"
    r"tool_response|system|user|assistant|human|im_start|im_end|eot_id|endoftext)>>?|\[/?(?:INST|SYS|AVAILABLE_TOOLS|"
    r"TOOL_CALLS|TOOL_RESULTS)\]|<[|｜]|[|｜]>",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"^\s*+(?:#{1,3}\s*+)?(?:system|assistant|user|human|instruction|response)\s*:", re.IGNORECASE | re.MULTILINE
)


def without_markers(text: str) -> str:
    """A text without chat markers and without `system:` at the head of a line, until none is left."""
    while (less := _ROLE.sub(" ", _MARKERS.sub(" ", text))) != text:
        text = less
    return text
