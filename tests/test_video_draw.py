"""Drawing: text that fits, fonts that have the glyphs, patches that stay inside the frame."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from cospal_cli.core.types import Tube
from cospal_cli.video import draw, text


def planes(width: int, height: int, gray: int = 90) -> list[np.ndarray]:
    """Y, U, V of a gray frame with even sides."""
    width, height = width + width % 2, height + height % 2
    chroma = np.full((height // 2, width // 2), 128, np.uint8)
    return [np.full((height, width), gray, np.uint8), chroma, chroma.copy()]


def tube(box: tuple[float, ...], score: float = 0.8) -> Tube:
    return Tube(
        id=1,
        frame_indices=np.arange(1),
        pts=np.arange(1),
        times_s=np.zeros(1),
        boxes_xyxy=np.array([box], np.float32),
        box_scores=np.ones(1, np.float32),
        interpolated=np.zeros(1, np.bool_),
        span_s=(0.0, 1.0),
        score=score,
        label="person",
    )


@pytest.mark.parametrize(
    "rgb", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (255, 193, 7)]
)
@pytest.mark.parametrize(("matrix", "tag"), [("601", 5), ("709", 1)])
def test_colours_match_the_decoder(rgb: tuple[int, int, int], matrix: str, tag: int) -> None:
    y, u, v = draw.ycbcr(rgb, matrix)
    frame = av.VideoFrame(16, 16, "yuv420p")
    for plane, value in zip(frame.planes, (y, u, v), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.colorspace, frame.color_range = tag, 1
    shown = frame.to_ndarray(format="rgb24", dst_color_range="JPEG")[8, 8].astype(int)
    assert np.abs(shown - rgb).max() <= 3


def test_sprite_blends_by_its_alpha() -> None:
    picture = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 4, 8))
    picture.paste((255, 255, 255, 128), (4, 0, 6, 8))
    frame = planes(16, 16)
    draw.Sprite(picture, "601").blend(frame, 4, 4)
    row = frame[0][6].tolist()
    assert row[:4] == [90] * 4
    assert row[4:8] == [235] * 4
    assert all(abs(value - 162) <= 1 for value in row[8:10])
    assert row[10:] == [90] * 6


@pytest.mark.parametrize(
    "size", [(16, 16), (63, 47), (160, 120), (320, 240), (720, 1280), (1920, 1080)]
)
@pytest.mark.parametrize(
    "box",
    [(-50, -50, 5000, 5000), (0, 0, 0, 0), (3, 3, 4, 4), (-20, -20, -10, -10), (5.5, 1, 14, 15)],
)
def test_any_box_on_any_frame(size: tuple[int, int], box: tuple[float, ...]) -> None:
    frame = planes(*size)
    annotator = draw.Annotator(size, [tube(box)], "a man who walks", (0.0, 1.0))
    for time_s in (-1.0, 0.5, 99.0):
        annotator.draw(frame, 0, time_s)
    assert (frame[0] != 90).any()
    assert frame[0][: size[1] // 4, size[0] // 3 : size[0] // 2].std() < 120


def test_caption_is_at_the_bottom_and_differs_by_text() -> None:
    drawn = []
    for caption in ("the man in red", "the woman in blue"):
        frame = planes(640, 360)
        draw.Annotator((640, 360), [], caption, (0.0, 1.0)).draw(frame, 0, 0.5)
        assert (frame[0][:300] == 90).all()
        assert (frame[0][300:] > 220).sum() > 100  # letters
        drawn.append(frame[0])
    assert (drawn[0] != drawn[1]).any()


def test_long_text_is_wrapped_then_cut() -> None:
    font = text.font_for("a", 20)
    rows = text.fit("the man in the red coat walks to the left " * 9, font, 300, 2)
    assert len(rows) == 2
    assert rows[0].startswith("the man")
    assert rows[1].endswith("…")
    assert all(font.getlength(row) <= 300 for row in rows)
    (word,) = text.fit("x" * 500, font, 200, 1)
    assert word.endswith("…")
    assert font.getlength(word) <= 200
    assert text.fit("short", font, 300, 2) == ["short"]
    assert text.fit("", font, 300, 2) == []
    assert "".join(text.fit("x" * 30, font, 100, 99)) == "x" * 30


def test_one_line_takes_out_what_cannot_be_drawn() -> None:
    assert text.one_line("a\x00b\n\tc  \u2028d \udcff") == "a b c d"
    assert len(text.one_line("y" * 10_000)) <= 600


def test_missing_glyphs_are_looked_for_elsewhere() -> None:
    own = text.font_for("plain words", 20)
    assert text._missing(own, "plain words") == 0
    lacking = text._missing(own, "Женщина")
    assert lacking > 0  # if this fails, Pillow's own font has learnt Cyrillic
    found = text.font_for("Женщина", 20)
    elsewhere = [text._system_font(name, 20) for name in text._FALLBACKS]
    fewest = min([text._missing(f, "Женщина") for f in elsewhere if f] + [lacking])
    assert text._missing(found, "Женщина") == fewest


@pytest.mark.parametrize("caption", ["👩‍🚒 🏃", "امرأة تمشي", "<script>", "-" * 9999, "\x00", "字"])
def test_any_caption(caption: str) -> None:
    frame = planes(320, 240)
    draw.Annotator((320, 240), [tube((10, 10, 90, 90))], caption, (0.0, 1.0)).draw(frame, 0, 0.0)
    assert (frame[0][200:] != 90).any()


@pytest.mark.parametrize("aspect", [2.0, 0.5])
def test_text_and_lines_look_the_same_on_pixels_that_are_not_square(aspect: float) -> None:
    """A frame of half (twice) the width whose pixels are twice (half) as wide."""
    box = np.array([100, 60, 260, 200])
    narrow = tube(tuple(box * [1 / aspect, 1, 1 / aspect, 1]))
    size = (round(640 / aspect), 360)
    plain = draw.Annotator((640, 360), [tube(tuple(box))], "a man who walks", (0.0, 1.0))
    other = draw.Annotator(size, [narrow], "a man who walks", (0.0, 1.0), aspect=aspect)
    (want,), (label,) = plain._labels, other._labels
    assert want is not None
    assert label is not None
    assert label.height == want.height
    assert label.width * aspect == pytest.approx(want.width, abs=2 * max(1, aspect))
    assert other.font_size == plain.font_size
    drawn = []
    for annotator in (plain, other):
        frame = planes(*annotator.size)
        annotator.draw(frame, 0, 0.5)
        drawn.append((np.abs(frame[0].astype(int) - 90) > 20).any(axis=1))
    assert (drawn[0] == drawn[1]).mean() > 0.98  # the same rows are touched
