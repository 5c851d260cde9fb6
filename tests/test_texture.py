"""Patterns of cloth, on pieces that are drawn here."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cospal_cli.features.texture import PATTERNS, UNKNOWN, Textures, patterns
from cospal_cli.language.parser.parse import parse
from cospal_cli.ranking import zero_shot
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.settings import GroundConfig
from tests.test_ground import CLASSES, SIZE, TIMELINE, tubelet


def cloth(kind: str, height: int = 64, width: int = 44, period: float = 9.0) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(float)
    on = {
        "striped": y % period < period / 2,
        "checked": (y % period < period / 2).astype(float) + (x % period < period / 2),
        "dotted": ((y % period) - period / 2) ** 2 + ((x % period) - period / 2) ** 2 < 9,
        "plain": np.zeros((height, width)),
    }[kind].astype(float)
    light = 90 + 100 * on / max(on.max(), 1) + 25 * np.sin(x / width * 3)  # and a broad fold
    noise = np.random.default_rng(1).normal(0, 2, (height, width, 3))
    return np.clip(light[..., None] + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["striped", "checked", "dotted", "plain"])
def test_each_pattern_is_told_from_the_others(kind: str) -> None:
    chances = dict(zip(PATTERNS, patterns(cloth(kind)).tolist(), strict=True))
    assert chances[kind] > 0.6
    assert max(chances[other] for other in {"striped", "checked", "dotted"} - {kind}) < 0.3
    assert (chances["printed"] > 0.5) == (kind != "plain")


def test_stripes_down_are_stripes_too() -> None:
    assert patterns(np.rot90(cloth("striped")).copy())[0] > 0.6


def test_an_edge_is_no_stripe() -> None:
    jacket = cloth("plain")
    jacket[:, 22:] //= 3
    assert patterns(jacket)[0] < 0.2


def test_too_few_pixels_say_nothing() -> None:
    assert patterns(cloth("striped", height=8)).tolist() == UNKNOWN.tolist()
    assert Textures({}, 3).patterns(tubelet(1)).shape == (5, len(PATTERNS))


def picture(upper: str) -> bytes:
    whole = np.full((220, 90, 3), 120, np.uint8)
    whole[30:110] = cloth(upper, 80, 90)
    file = io.BytesIO()
    Image.fromarray(whole).save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.mark.parametrize(
    ("text", "winner"),
    [
        ("the man in the striped shirt", 1),
        ("the man in the plain shirt", 2),
        ("the man in the checked shirt", 3),
        ("the man in a polka-dot shirt", 4),
        ("the man whose shirt is not striped and not checked and not dotted", 2),
    ],
)
def test_a_striped_shirt_among_others(text: str, winner: int) -> None:
    wardrobe = dict(enumerate(("striped", "plain", "checked", "dotted"), 1))
    crops = {number: ((1.0, picture(kind)),) for number, kind in wardrobe.items()}
    textures = Textures(crops, 3)
    field = candidates([tubelet(number, x=100.0 * number) for number in wardrobe], SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES, patterns_of=lambda c: textures.patterns(c.tubelet))
    ranked = zero_shot.rank(field, parse(text), evidence, GroundConfig())
    assert ranked.candidates[int(ranked.scores.argmax())].tubelet.id == winner
    assert (ranked.why["pattern"] <= 0).all()


def test_patterns_are_no_longer_words_without_evidence() -> None:
    assert parse("the man in the striped shirt").unresolved == ("man",)
    assert "striped" in parse("the man with a striped tie").unresolved  # too small to be seen
