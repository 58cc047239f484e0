"""Damage that is the same each time: bytes and texts changed at random from a seed."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

HOSTILE_TEXT = (
    *("", "\x00", "\ufeff", "\u202e", "\ud7ff", "😀", "a" * 3000, "-1", "1e999", "9" * 5000, "NaN", "null", "[]", "{}"),
    *(
        "../../etc/passwd",
        "<script>",
        "@channel",
        "${jndi:x}",
        "!!python/object:os.system",
        "&a [*a]",
        "-->",
        "\r\n\r\n",
    ),
    *("'", '"', "\\", "]]>", "%s%n", "{0}", "- - - -", "[" * 2000, '{"a":' * 2000, "::", "<v x>(x)", "\u2028"),
)
HOSTILE_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, "\ud800", 10**400, -(10**400), 1e308, float("nan"), float("inf"), 0.1),
    *("", "x", "\x00", "../..", "9" * 5000, [], {}, [[]], [None], {"": ""}, {"id": None}, ["x"] * 50, "a" * 3000),
)


def damaged_bytes(data: bytes, chance: random.Random, *, fields: int = 4) -> bytes:
    """Media with one to four faults: flipped bits, a cut, a swap, a repeat, a hole, a false length."""
    raw = bytearray(data)
    for _ in range(chance.randint(1, fields)):
        size = len(raw)
        if size < 16:
            break
        at = chance.randrange(size)
        # Half of the faults are where the containers' own words are.
        near = chance.randrange(min(size, 512)) if chance.random() < 0.5 else at
        match chance.randrange(7):
            case 0:
                for _ in range(chance.randint(1, 8)):
                    raw[(near + chance.randrange(64)) % size] ^= 1 << chance.randrange(8)
            case 1:
                del raw[at:]
            case 2:
                length = chance.randint(4, max(4, size // 4))
                a, b = chance.randrange(size), chance.randrange(size)
                one, other = bytes(raw[a : a + length]), bytes(raw[b : b + length])
                raw[a : a + len(one)], raw[b : b + len(other)] = other[: len(one)], one[: len(other)]
            case 3:
                raw[at:at] = raw[near : near + chance.randint(1, 2048)]
            case 4:
                del raw[near : near + chance.randint(1, 64)]
            case 5:
                width = chance.choice([1, 2, 4, 8])
                extreme = chance.choice([0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
                order = chance.choice(["little", "big"])
                raw[near : near + width] = (extreme % 256**width).to_bytes(width, order)  # type: ignore[arg-type]
            case 6:
                raw[near : near + chance.randint(1, 32)] = chance.randbytes(chance.randint(1, 32))
    return bytes(raw)


def damaged_text(text: str, chance: random.Random) -> str:
    """Text with one to four faults: parts cut out, doubled, swapped, or replaced by something hostile."""
    for _ in range(chance.randint(1, 4)):
        a, b = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        b = min(b, a + chance.choice([1, 2, 8, 40, 400]))
        match chance.randrange(6):
            case 0:
                text = text[:a] + text[b:]
            case 1:
                text = text[:a] + chance.choice(HOSTILE_TEXT) + text[b:]
            case 2:
                text = text[:b] + text[a:]
            case 3:
                text = text[:a]
            case 4:
                words = re.split(r"(\W+)", text)
                words[chance.randrange(len(words))] = chance.choice(HOSTILE_TEXT)
                text = "".join(words)
            case 5:
                text = (
                    text[:a]
                    + chr(chance.choice([0, 9, 10, 13, 34, 39, 45, 58, 60, 92, 123, 0xFEFF, 0x10FFFF]))
                    + text[a:]
                )
    return text


def damaged_value(value: Any, chance: random.Random) -> Any:
    """A JSON value in which one to three parts are something else, gone, doubled or under another name."""
    value = json.loads(json.dumps(value))
    for _ in range(chance.randint(1, 3)):
        value = _one_fault(value, chance)
    return value


def _one_fault(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                del value[key]
            case 1:
                value[chance.choice(HOSTILE_TEXT)] = value.pop(key)
            case 2:
                value[key] = copy.deepcopy(chance.choice(HOSTILE_VALUES))
            case _:
                value[key] = _one_fault(value[key], chance)
        return value
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        match chance.randrange(6):
            case 0:
                del value[at]
            case 1:
                value.append(value[at])
            case _:
                value[at] = _one_fault(value[at], chance)
        return value
    return copy.deepcopy(chance.choice(HOSTILE_VALUES))
