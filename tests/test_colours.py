"""Colour names of pixels and of words."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageColor

from cospal_cli.core import colours, word_lists
from cospal_cli.core.colours import BASIC, NAMES, is_colour, name_map, parse_colour

PIXELS = {
    "black": (12, 12, 14), "darkgray": (75, 76, 78), "gray": (125, 125, 128),
    "lightgray": (180, 181, 180), "white": (245, 246, 244), "red": (200, 20, 30),
    "darkred": (100, 10, 15), "orange": (240, 140, 20), "brown": (100, 60, 30),
    "beige": (215, 190, 150), "yellow": (240, 220, 40), "olive": (110, 105, 30),
    "green": (40, 160, 60), "darkgreen": (15, 70, 30), "cyan": (30, 180, 190),
    "lightblue": (130, 180, 235), "blue": (30, 70, 190), "navy": (15, 20, 80),
    "purple": (120, 40, 140), "pink": (245, 150, 185),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_pixel_has_its_name(name: str) -> None:
    image = np.full((2, 3, 3), PIXELS[name], np.uint8)
    assert {NAMES[i] for i in name_map(image).ravel()} == {name}


def test_every_basic_word_prefers_its_own_name() -> None:
    for word, weights in BASIC.items():
        assert max(weights, key=weights.__getitem__) == word
        assert set(weights) <= set(NAMES)


@pytest.mark.parametrize(
    ("phrase", "best"),
    [
        ("grey", "gray"), ("crimson", "red"), ("azure", "lightblue"), ("charcoal", "darkgray"),
        ("navy blue", "navy"), ("dark blue", "navy"), ("light blue", "lightblue"),
        ("light gray", "lightgray"), ("bright red", "red"), ("reddish", "red"),
        ("dark green", "darkgreen"), ("royal blue", "blue"), ("mediumseagreen", "green"),
        ("off-white", "beige"), ("burgundy", "darkred"), ("khaki", "olive"), ("dark", "black"),
        ("sky blue", "lightblue"), ("hot pink", "pink"), ("forest green", "green"),
    ],
)  # fmt: skip
def test_phrase(phrase: str, best: str) -> None:
    weights = parse_colour(phrase.split())
    assert weights is not None
    assert weights[best] == max(weights.values()) == 1


def test_two_colours_keep_both() -> None:
    weights = parse_colour(["black", "and", "white"])
    assert weights is not None
    assert weights["black"] == weights["white"] == 1


@pytest.mark.parametrize("word", ["table", "", "striped", "the"])
def test_no_colour(word: str) -> None:
    assert parse_colour([word]) is None
    assert not is_colour(word)


def test_things_are_colours_only_in_phrases() -> None:
    assert not is_colour("wine")
    assert parse_colour(["wine", "red"]) is not None


def test_every_css_name_is_known() -> None:
    from PIL import ImageColor

    unknown = [name for name in ImageColor.colormap if parse_colour([name]) is None]
    assert unknown == []


def test_the_names_of_css_are_those_of_their_pixels() -> None:
    known = {
        word: name
        for name, words in word_lists.load(Path(colours.__file__).with_suffix(".txt"))["css"]
        for word in words
    }
    assert known.keys() == ImageColor.colormap.keys()
    for word, name in known.items():
        pixel = np.array([[ImageColor.getrgb(word)[:3]]], np.uint8)
        assert NAMES[int(name_map(pixel)[0, 0])] == name, word
