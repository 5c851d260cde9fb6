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
    """The document of ``root``, indented."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'
