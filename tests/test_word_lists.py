"""The word lists as files: every line is of the form, and no word stands where it is not read."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import cospal_cli
from cospal_cli import weights
from cospal_cli.core.colours import BASIC, NAMES
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.vocabulary import COCO
from cospal_cli.core.word_lists import END, WordList, load, weighted
from cospal_cli.language.lexicon import dress, person, verbs, words
from cospal_cli.weights import imagenet

PACKAGE = Path(cospal_cli.__file__).parent
LEXICON = PACKAGE / "language" / "lexicon"
FILES = (*sorted(LEXICON.glob("*.txt")), PACKAGE / "core" / "colours.txt")
ENTRY = r"[a-z0-9&'./-][a-z0-9&'.,/-]*(?:_[a-z0-9&'.,/-]+)*"
LINE = re.compile(rf"\[[a-z_]+\]|# .+|(?:\w+(?: \S+)*:)?(?: ?{ENTRY})*")
WEIGHED = {"basic", "shades", "tones"}  # names and weights follow the colon, not words
# Lists in which a word has one key; in the others no key has a word twice.
ONE_KEY = {
    "closed": ["tags"],
    "colours": ["aliases"],
    "dress": ["worn", "adjectives", "positions"],
    "appearance": ["dressed creatures objects"],
    "negative": ["contracted", "bare"],
    "person": ["riders"],
    "things": ["animals vehicles things", "confused"],
    "verbs": ["directions", "doubled", "other", "signatures"],
    "words": ["plurals"],
}


def twice(listed: WordList) -> list[str]:
    return [word for word, count in Counter(listed.words).items() if count > 1]


def test_every_module_of_lists_has_its_file() -> None:
    assert len(FILES) == 10
    assert all(path.with_suffix(".py").is_file() for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_line_is_of_the_form(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("# ") for line in lines[:2]), "two lines say what it is"
    assert lines[1].startswith("# A row: ")
    for number, line in enumerate(lines, 1):
        assert LINE.fullmatch(line), f"{path.name}:{number}: {line}"
        assert len(line) <= 128, f"{path.name}:{number} is long"
    names = [line for line in lines if line.startswith("[")]
    assert names.pop() == END
    assert len(set(names)) == len(names) == len(load(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_word_stands_twice(path: Path) -> None:
    lists = load(path)
    for names in ONE_KEY.get(path.stem, []):
        together = WordList(tuple(row for name in names.split() for row in lists[name]))
        assert not twice(together), names
    for name in set(lists) - WEIGHED - {"irregular", "phrasal"}:
        for key, listed in lists[name].by_key.items():
            assert not twice(WordList(((key, listed),))), (name, key)


def test_keys_are_names_that_something_reads() -> None:
    lists = {path.stem: load(path) for path in FILES}
    for name in ("animals", "vehicles", "things", "confused"):
        for key, nouns in lists["things"][name]:
            assert set(weighted(key.split())) <= set(COCO), key
            assert name != "confused" or {noun.replace("_", " ") for noun in nouns} <= set(COCO)
    for listed in lists["appearance"].values():
        for key, _ in listed:
            found = weighted(key.split())
            assert all(0 <= int(index) < 1000 and 0 < found[index] <= 1 for index in found), key
    for name in WEIGHED:
        for key, parts in lists["colours"][name]:
            assert set(weighted(parts)) <= set(NAMES), key
    known = {*BASIC, *lists["colours"]["shades"].by_key}
    assert set(lists["colours"]["aliases"].by_key) <= known
    assert set(verbs.VERBS) == {"move", "jump", "still", "limb", "talk"}
    assert all(len(listed) in (2, 3) for _, listed in lists["verbs"]["irregular"])


def test_several_words_of_one_entry_are_joined_by_spaces() -> None:
    assert person.IMPLIED["motorcycle rider"] == "motorcycle"
    assert {"top hat", "bow tie"} <= dress.ACCESSORY
    assert "crew cut" in dress.HAIR
    assert not [noun for noun in words.nouns() if "_" in noun]
    assert not [verb for verb in verbs.kinds() if " " in verb], "a verb is one word"


def test_a_row_without_a_key_and_a_weight_after_its_name(tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_text(
        "# What\n# Form\n\n[plain]\na b_c\n\n[keyed]\nx y .5: d\nz: e\nx y .5: f d\n[end]\n"
    )
    lists = load(file)
    assert lists["plain"].words == ("a", "b c")
    assert lists["keyed"].by_key == {"x y .5": ("d", "f", "d"), "z": ("e",)}
    assert lists["keyed"].key_of == {"d": "x y .5", "e": "z", "f": "x y .5"}
    assert weighted("x y_y .5".split()) == {"x": 1, "y y": 0.5}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "No such file"),
        (b"[plain]\n\xff\n", "invalid start byte"),
        (b"[end]\n", "the list [plain] is missing"),
        (b"a b\n[end]\n", "the list [plain] is missing"),
        (b"", "cut short"),
        (b"[pl", "cut short"),
        (b"[plain]\na: b\n", "cut short"),
        (b"[plain]\na: b\n[end", "cut short"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes | None, why: str) -> None:
    file = tmp_path / "some.txt"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(WeightsError, match=re.escape(why)) as caught:
        load(file)["plain"]
    assert str(file) in str(caught.value)
    assert "pip install --force-reinstall" in str(caught.value.hint)


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_a_file_that_was_cut_anywhere_is_named(name: str, tmp_path: Path) -> None:
    """In the middle of a list, of a row, or of its last line; at the start of a line too."""
    whole = next(path for path in FILES if path.stem == name).read_bytes()
    rows = [at for at, byte in enumerate(whole[:-1]) if byte == ord("\n")]
    for number, cut in enumerate((rows[len(rows) // 2] + 1, len(whole) // 2, len(whole) - 3, 0)):
        file = tmp_path / f"{number}" / f"{name}.txt"
        file.parent.mkdir()
        file.write_bytes(whole[:cut])
        with pytest.raises(WeightsError, match=f"{name}.txt: cut short"):
            load(file)


def test_the_vectors_are_those_of_the_lists() -> None:
    """If it fails: ``python tools/build_word_vectors.py``."""
    nouns = words.nouns() - person.GENERIC - person.PARTITIVE
    with np.load(weights.path("word_vectors"), allow_pickle=False) as file:
        assert set(file["nouns"].tolist()) == {noun for noun in nouns if len(noun) > 1}
        assert set(file["verbs"].tolist()) == set(verbs.kinds())
        first = [name.split(",")[0].lower() for name in imagenet.names()]
        assert file["imagenet"].tolist() == first
