"""Text made safe to show in a terminal or on a page."""

from __future__ import annotations

import re

# Controls (C0 but tab and line end, DEL, C1), line separators, marks of direction, lone surrogates.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """``text`` on one line, safe for a terminal: control, bidi and lone surrogate characters are
    shown as backslash escapes."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def plain_json(text: str) -> str:
    """JSON ``text`` through ``visible``. What that changes stands in JSON's strings alone, so that
    programs read the same document."""
    return visible(text)


def visible(text: str) -> str:
    """``text`` with every character that a terminal or a page may obey as its ``\\uXXXX``."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
