"""``docs/method.md``: every symbol is an identifier, every setting exists and takes its value."""

from __future__ import annotations

import re

import pytest

from cospal_cli.settings import override, recipes
from cospal_cli.settings.names import keys
from tests.documents import code, file_of, identifiers, names_of, page, places
from tests.test_layers import FILES

TEXT = page("docs/method.md")
SYMBOLS = TEXT.partition("## Symbols")[2].partition("\n## ")[0]
_SETTING = re.compile(r"([a-z_]+(?:\.[a-z_]+)+)(?:=([\w-]+))?")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def is_setting(written: str) -> bool:
    found = _SETTING.fullmatch(written)
    return bool(found) and found[1] in keys()


@pytest.mark.parametrize("written", sorted(set(code(TEXT))))
def test_what_stands_in_backticks_is_there(written: str) -> None:
    if written.startswith("cospal ") or any(path in written for path, _ in places(f"`{written}`")):
        return  # commands are read by a person; places are looked up for every page
    if is_setting(written):
        key, _, value = written.partition("=")
        assert not value or override(None, {key: {"true": True, "false": False}.get(value, value)})
        return
    if written in recipes.names():
        return
    assert _NAME.fullmatch(written), f"{written!r} is not an identifier"
    if "." in written:
        assert any(written in names_of(path) for path in FILES), f"nobody defines {written}"
    assert written.rpartition(".")[2] in identifiers()


def test_every_symbol_of_the_paper_has_its_name_here() -> None:
    rows = [line.split("|")[1:-1] for line in SYMBOLS.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for symbol, here, meaning in rows:
        assert code(here), symbol
        assert meaning.strip()


def test_every_row_of_the_paper_has_its_place() -> None:
    table = TEXT.partition("## From the paper to the code")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for subject, where, _ in rows:
        named = list(places(where))
        assert named or all(map(is_setting, code(where))), subject
        assert all(file_of(path).is_file() for path, _ in named)
