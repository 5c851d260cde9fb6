"""Pages of reports for tests: documents to make them of, and what a page must be."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from cospal_cli.outputs.tube_json import dumps
from cospal_cli.report.collect import AnswersPage
from cospal_cli.report.page import policy

VOID = {"meta", "link", "img", "input", "br", "hr"}
LOADING = {"src", "srcset", "data", "poster", "action", "background", "xlink:href"}
HOSTILE = (
    "</script><img src=x onerror=\"document.title='caught'\"> 'the' \"man\" & <b>"
    "\u202e\x00{{ 7*7 }}"
)


def document(video: Path | str, text: str = "the man in red", **changes: Any) -> dict[str, Any]:
    """A document about a clip of ``media.make``: 20 frames of 64 x 48 at 10 a second."""
    path = Path(video)
    made: dict[str, Any] = {
        "schema": "cospal/tube@1",
        "generator": {
            "name": "cospal",
            "version": "1",
            "model": {"id": "fake", "sha256": ""},
            "config": {"video": {"fps": 5, "stream": None}, "ground": {"top_k": 3}},
        },
        "video": {
            "path": str(video),
            "bytes": path.stat().st_size if path.is_file() else None,
            "width": 64,
            "height": 48,
            "avg_fps": "10/1",
            "duration": 2.0,
            "warnings": [],
        },
        "query": {
            "id": "1",
            "text": text,
            "subject": "man",
            "referral": text,
            "attributes": [{"word": "red", "kind": "colour"}],
            "actions": [],
            "positions": ["left"],
            "excluded": [],
            "unresolved": [],
            "warnings": [],
        },
        "tubes": [tube(5, 15, 0.6), tube(2, 8, 0.3)],
        "status": "complete",
    }
    return made | changes


def tube(start: int, end: int, score: float, **changes: Any) -> dict[str, Any]:
    """A tube from frame ``start`` to ``end``."""
    boxes = [
        {"frame": at, "pts": at, "time": at / 10, "bbox": [8.0, 6.0, 40.0, 42.0], "score": 0.9}
        for at in range(start, end)
    ]
    made = {"id": start, "label": "man", "score": score, "confidence": 0.5, "boxes": boxes}
    made |= {"why": {"class": 0.25, "colour": -1.5 * score, "action": 0.0}}
    made |= {"start_time": start / 10, "end_time": end / 10}
    return made | {"start_frame": start, "end_frame": end} | changes


def stored(folder: Path, name: str, one: dict[str, Any]) -> Path:
    """The document as a file."""
    path = folder / f"{name}.tube.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(one), encoding="utf-8")
    return path


def page_of(path: Path, *documents: dict[str, Any], title: str = "") -> Page:
    """The page of the documents, written to ``path`` and read."""
    page = AnswersPage(path, title)
    for one in documents:
        page.add(one)
    page.write()
    return Page(path)


class Page(HTMLParser):
    """A page, read. AssertionError unless it is well-formed and closed to the world."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""  # what is shown
        self.rows: Any = None  # the script's data
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self._open == []
        self._check()

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of a kind."""
        return [values for name, values in self.elements if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert len(values) == len(attrs), (tag, attrs)
        self.elements.append((tag, values))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "script" and self.elements[-1][1].get("type") == "application/json":
            self.rows = json.loads(data)
        elif inside == "style":
            self.style = data
        elif inside == "script":
            self.script = data
        else:
            self.text += data

    def _check(self) -> None:
        """Ids once, nothing loaded from elsewhere, no code but the page's own."""
        ids = [values["id"] for _, values in self.elements if "id" in values]
        assert len(ids) == len(set(ids))
        for tag, values in self.elements:
            for name, value in values.items():
                assert not name.startswith("on"), (tag, name)
                assert name != "style", "an attribute that the policy forbids"
                if name in LOADING:
                    assert value.startswith("data:"), (tag, name, value[:60])
            if tag == "link":
                assert values["href"] == "data:,"
            if tag == "img":
                assert values["alt"]
            if tag == "a":
                assert re.match(r"(#|\./|file:)", values["href"]), values["href"]
                assert values["href"][0] != "#" or values["href"][1:] in ids
        assert [values for values in self.all("script") if "src" in values] == []
        assert len(self.all("script")) == 2
        allowed = next(one for one in self.all("meta") if one.get("http-equiv"))
        assert allowed["http-equiv"] == "Content-Security-Policy"
        assert allowed["content"] == policy(self.style, self.script)
        assert "unsafe" not in allowed["content"]
        assert "@import" not in self.style
        assert "url(" not in self.style
