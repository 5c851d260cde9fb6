"""Mutations of text and of plain values: what people and programs write by mistake, and worse."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any

from benchmarks.fuzz import raw

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
ODD = (
    "", " ", "\0", "\n", "\t", "\r\n", "\x1b[31m", "\x9b2J", "\x7f", "\u202e", "\u2066",
    "\u200d", "\ufeff", "\ud800", "😀", "👩‍👩‍👧", "Ω", "男人", "رجل", "é", "e\u0301", "ß", "İ",
    "½", "٣", "'", '"', "“", "’s", "``", "-", "--", "…", "/", "\\", "%", "%s", "{}", "{0}",
    "<script>", "&amp;", "$HOME", "../../etc/passwd", "0", "-1", "1e999", "NaN", "null",
    "true", "[", "]", "{", "}", ":", ",", "#", "!!python/object", "&a", "*a", "<<", "|",
    ">", "?", "not", "no", "without", "two", "every", "who",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 0.5, -0.5, 1.5, 1e308, -1e308, 1e-320, 2**31, 2**53 + 1, 2**63,
    2**64, -(2**63), 10**40, float("nan"), float("inf"), float("-inf"), "", "x", "0", "1.5", "-1",
    "nan", "../../etc/passwd", "/etc/passwd", "\0", "\ud800", "a" * 300, "\n", "😀", "\x1b[31m", [],
    [[]], {}, [0], [None], ["x"], {"x": 1}, {"": None}, [1, 2, 3, 4], [[1, 2, 3, 4]], [0.0] * 5,
)  # fmt: skip


def mutated(text: str, rng: Random, others: Sequence[str] = ()) -> str:
    """``text`` with one to four tokens, or the whole, changed."""
    tokens = TOKEN.findall(text) or [""]
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        at = rng.randrange(len(tokens))
        match rng.choice(("drop", "repeat", "swap", "odd", "odd", "odd", "case", "many", "graft")):
            case "drop":
                tokens[at] = ""
            case "repeat":
                tokens[at:at] = [tokens[at]] * rng.choice((1, 1, 3))
            case "swap":
                other = rng.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "odd":
                tokens[at] = rng.choice((tokens[at], "")) + rng.choice(ODD)
            case "case":
                tokens[at] = rng.choice((tokens[at].upper(), tokens[at].title(), tokens[at][::-1]))
            case "many":
                if rng.random() < 0.1:
                    tokens[at] = (tokens[at] + " ") * rng.choice((50, 2_000))
            case "graft" if others:
                tokens[at] = rng.choice(TOKEN.findall(rng.choice(others)) or [""])
    return "".join(tokens)


def encoded(text: str, rng: Random) -> bytes:
    """``text`` as bytes: UTF-8 as a rule; else with a mark, of another encoding, or damaged."""
    plain = text.encode("utf-8", rng.choice(("surrogatepass", "replace")))
    match rng.choices(("plain", "mark", "wide", "latin", "damaged"), (85, 3, 2, 2, 8))[0]:
        case "mark":
            return b"\xef\xbb\xbf" + plain
        case "wide":
            return text.encode("utf-16", "surrogatepass")
        case "latin":
            return text.encode("latin-1", "replace")
        case "damaged":
            return raw.mutated(plain, rng)
    return plain


def changed(value: Any, rng: Random) -> Any:
    """A copy of a plain value (as of JSON) with one to three of its parts changed."""
    root = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        parts = _parts(root)
        if parts:
            _change(*rng.choice(parts), rng)
    return root[0] if root else None


def dumped(value: Any, rng: Random) -> bytes:
    """``value`` as JSON, now and then with damage that only text can have."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    match rng.choices(("plain", "token", "twice", "deep"), (82, 12, 3, 3))[0]:
        case "token":
            text = mutated(text, rng)
        case "twice":
            text = re.sub(r'("\w+": )', r"\1 0, \1", text, count=1)
        case "deep":
            depth = rng.choice((50, 990, 50_000))
            text = text.replace("0", "[" * depth + "]" * rng.choice((0, depth)), 1)
    return encoded(text, rng)


def _parts(holder: Any) -> list[tuple[Any, Any]]:
    """(list or dict, index or key) of every value below ``holder``, at most some hundreds."""
    found: list[tuple[Any, Any]] = []
    left = [holder]
    while left and len(found) < 400:
        now = left.pop(0)
        for key in now if isinstance(now, dict) else range(len(now)):
            found.append((now, key))
            if isinstance(now[key], dict | list):
                left.append(now[key])
    return found


def _change(holder: Any, key: Any, rng: Random) -> None:
    try:
        value = holder[key]
    except (KeyError, IndexError):  # gone by the change before
        return
    match rng.choice(("other", "other", "other", "near", "remove", "rename", "repeat", "wrap")):
        case "other":
            holder[key] = copy.deepcopy(rng.choice(VALUES))
        case "near" if isinstance(value, int | float):
            holder[key] = rng.choice((-value, value + 1, value - 1, value * 1000, value + 0.5))
        case "near" if isinstance(value, str):
            holder[key] = mutated(value, rng)
        case "remove":
            del holder[key]
        case "rename" if isinstance(holder, dict):
            holder[rng.choice((str(key) + "s", str(key).upper(), "", "x", "..", "0"))] = value
            holder.pop(key, None)
        case "repeat" if isinstance(holder, list):
            holder[key:key] = [value] * rng.choice((1, 2, 50))
        case _:
            holder[key] = rng.choice(([value], {"x": value}, str(value)))
