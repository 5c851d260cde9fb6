"""XML text that every parser takes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """``text`` without what XML 1.0 forbids, even escaped: control characters, lone surrogates."""
    return _FORBIDDEN.sub("\ufffd", text)


def add(
    parent: ElementTree.Element, tag: str, text: object = "", **attributes: object
) -> ElementTree.Element:
    """A new element at the end of ``parent``."""
    values = {name: clean(str(value)) for name, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, values)
    element.text = clean(str(text)) or None
    return element


def dumps(root: ElementTree.Element) -> str:
    """The document of ``root``, indented, without a declaration of its encoding: programs that
    parse text rather than bytes refuse it, and without one it is UTF-8."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
