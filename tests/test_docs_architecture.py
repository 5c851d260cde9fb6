"""``docs/architecture.md`` against the code: every layer, every room, every file, every place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documents import ROOT, code, file_of, names_of, page, places
from tests.test_layers import LAYERS, PACKAGE

PAGE = "docs/architecture.md"
TEXT = page(PAGE)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md"))
_ROOM = re.compile(r"^- \*\*`([^`]+)`\*\*", re.MULTILINE)


def layers() -> list[list[str]]:
    """The rooms under each heading, in the page's order."""
    parts = re.split(r"^### Layer (\d+).*$", TEXT, flags=re.MULTILINE)[1:]
    assert parts[::2] == [str(number) for number in range(len(parts) // 2)]
    return [_ROOM.findall(part) for part in parts[1::2]]


def rooms() -> dict[str, str]:
    """What the page says of each room, by its path within the package."""
    body = TEXT.partition("### Layer 0")[2].partition("Beside them")[0]
    found = _ROOM.split(re.sub(r"^### .*$", "", body, flags=re.MULTILINE))[1:]
    assert len(set(found[::2])) == len(found[::2]), "a room is named twice"
    return dict(zip(found[::2], found[1::2], strict=True))


def test_the_layers_are_those_of_the_layer_test() -> None:
    tops = [[one.strip("/").removesuffix(".py") for one in layer] for layer in layers()]
    found = [sorted(one for one in layer if "/" not in one) for layer in tops]
    assert found == [sorted(parts.split()) for parts in LAYERS]
    for layer in tops:
        for one in layer:
            assert one.split("/")[0] in layer, f"{one} is in another layer than its room"


def test_every_room_is_named_and_exists() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}
    there = {f"{folder.relative_to(PACKAGE).as_posix()}/" for folder in folders} | {"exporters/"}
    there |= {path.name for path in PACKAGE.glob("*.py")}
    assert set(rooms()) == there


@pytest.mark.parametrize("room", [room for room in rooms() if room.endswith("/")])
def test_every_file_is_named_in_its_room(room: str) -> None:
    folder = ROOT / room if room == "exporters/" else PACKAGE / room
    stems = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    named = {word for word in code(rooms()[room]) if re.fullmatch("[a-z_0-9]+", word)}
    assert stems <= named, f"say what is in {sorted(stems - named)}"
    there = {path.name.partition(".")[0] for path in folder.iterdir()} | {"cospal_exporters"}
    assert named <= there, f"not in {room}: {sorted(named - there)}"


@pytest.mark.parametrize("name", PAGES)
def test_every_place_that_a_page_names_is_there(name: str) -> None:
    for path, attribute in places(page(name)):
        if path.endswith((".py", ".md")):
            file = file_of(path)
            assert not attribute or attribute in names_of(file), f"{path} has no {attribute}"


def test_every_folder_that_the_page_names_is_there() -> None:
    for written in code(TEXT):
        if written.endswith("/"):
            assert (PACKAGE / written).is_dir() or (ROOT / written).is_dir(), written


def test_a_fresh_reader_is_told_where_to_begin() -> None:
    first = [path for path, _ in places(TEXT)][:5]
    records = ["core/frames.py", "core/tubelets.py", "core/observation.py"]
    assert first == [*records, "grounder.py", "result.py"]
    assert all(isinstance(file_of(path), Path) for path in first)
