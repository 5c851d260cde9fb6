"""Drawing: text that fits, fonts that have the glyphs, patches that stay inside the frame."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest
from PIL import Image

from cospal_cli.core.tube import Tube
from cospal_cli.video import canvas, draw, text
from cospal_cli.video.canvas import Look
from cospal_cli.video.curves import PhraseCurve
from cospal_cli.video.labels import places
from cospal_cli.video.moment import clock
from cospal_cli.video.palette import INK, PALETTE, colour_of


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
    y, u, v = canvas.ycbcr(rgb, matrix)
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
    canvas.Sprite(picture, "601").blend(frame, 4, 4)
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
    annotator = draw.Annotator(Look(size), [tube(box)], "a man who walks", (0.0, 1.0))
    for time_s in (-1.0, 0.5, 99.0):
        annotator.draw(frame, 0, time_s)
    assert (frame[0] != 90).any()
    assert frame[0][: size[1] // 4, size[0] // 3 : size[0] // 2].std() < 120


def test_caption_is_at_the_bottom_and_differs_by_text() -> None:
    drawn = []
    away = replace(tube((0, 0, 9, 9)), frame_indices=np.array([7]))
    for caption in ("the man in red", "the woman in blue"):
        frame = planes(640, 360)
        draw.Annotator(Look((640, 360)), [away], caption, (0.0, 1.0)).draw(frame, 0, 0.5)
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
    draw.Annotator(Look((320, 240)), [tube((10, 10, 90, 90))], caption, (0.0, 1.0)).draw(
        frame, 0, 0.0
    )
    assert (frame[0][200:] != 90).any()


@pytest.mark.parametrize("aspect", [2.0, 0.5])
def test_text_and_lines_look_the_same_on_pixels_that_are_not_square(aspect: float) -> None:
    """A frame of half (twice) the width whose pixels are twice (half) as wide."""
    box = np.array([100, 60, 260, 200])
    narrow = tube(tuple(box * [1 / aspect, 1, 1 / aspect, 1]))
    size = (round(640 / aspect), 360)
    plain = draw.Annotator(Look((640, 360)), [tube(tuple(box))], "a man who walks", (0.0, 1.0))
    other = draw.Annotator(Look(size, aspect=aspect), [narrow], "a man who walks", (0.0, 1.0))
    (want,), (label,) = plain._labels, other._labels
    assert want is not None
    assert label is not None
    assert label.height == want.height
    assert label.width * aspect == pytest.approx(want.width, abs=2 * max(1, aspect))
    assert other.look.font_size == plain.look.font_size
    drawn = []
    for annotator in (plain, other):
        frame = planes(*annotator.look.size)
        annotator.draw(frame, 0, 0.5)
        drawn.append((np.abs(frame[0].astype(int) - 90) > 20).any(axis=1))
    assert (drawn[0] == drawn[1]).mean() > 0.98  # the same rows are touched


SIZES = [(176, 144), (320, 240), (480, 854), (640, 272), (1280, 720), (1920, 1080), (3840, 2160)]


@pytest.mark.parametrize("room", [(176, 90), (640, 300), (3840, 1700)])
def test_labels_never_cover_one_another(room: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    left_out = 0
    for _ in range(400):
        count = int(rng.integers(1, 9))
        ends = rng.uniform(-0.2, 1.2, (count, 2, 2)) * room
        if rng.random() < 0.4:  # all in one place
            ends = ends[:1] + rng.uniform(-4, 4, (count, 1, 1))
        boxes = np.concatenate([ends.min(axis=1), ends.max(axis=1)], axis=1).astype(np.float32)
        sizes = [
            (int(w * room[0]), int(h * room[1]))
            for w, h in rng.uniform((0.08, 0.06), (0.35, 0.15), (count, 2))
        ]
        found = places(list(boxes), sizes, room)
        assert found[0] is not None
        there = [place for place in found if place is not None]
        left_out += count - len(there)
        for number, one in enumerate(there):
            assert 0 <= one.left < one.right <= room[0]
            assert 0 <= one.top < one.bottom <= room[1]
            assert not any(one.meets(other) for other in there[:number])
        for place, size in zip(found, sizes, strict=True):
            assert place is None or (place.right - place.left, place.bottom - place.top) == size
    assert left_out < 20


def test_a_label_is_at_its_box_where_nothing_is_in_the_way() -> None:
    boxes = [np.array(box, np.float32) for box in ((100, 100, 160, 200), (400, 100, 460, 200))]
    first, second = places(boxes, [(50, 20), (50, 20)], (640, 300))
    assert first is not None
    assert second is not None
    assert (first.left, first.bottom) == (98, 98)
    assert (second.left, second.bottom) == (398, 98)
    (inside,) = places([np.array((100, 5, 160, 200), np.float32)], [(50, 20)], (640, 300))
    assert inside is not None
    assert (inside.left, inside.top) == (100, 5)
    assert places([boxes[0]], [(700, 20)], (640, 300)) == [None]


@pytest.mark.parametrize("size", SIZES)
def test_the_panel_leaves_most_of_the_picture_and_the_labels_stay_off_it(
    size: tuple[int, int],
) -> None:
    curves = [PhraseCurve(f"sub-phrase {n}", [0.5, 1.5, 2.5], [1.0, None, -2.0]) for n in range(5)]
    tubes = [tube((0, 0, size[0], size[1])) for _ in range(6)]
    annotator = draw.Annotator(Look(size), tubes, "a man who walks " * 30, (0.0, 3.0), curves)
    assert annotator.panel.height <= 0.37 * size[1]
    assert annotator.panel.height % 2 == size[1] % 2
    frame = planes(*size)
    annotator.draw(frame, 0, 1.0)
    assert frame[0].shape == (size[1], size[0])
    sizes = [(tag.width, tag.height) for tag in annotator._labels if tag]
    assert all(height >= 10 for _, height in sizes)
    boxes = [tube.boxes_xyxy[0] for tube in tubes]
    room = (size[0], annotator.panel.top)
    assert sum(place is not None for place in places(boxes, sizes, room)) >= 4


def test_times_stand_beside_the_time_line_and_go_on() -> None:
    """The time now to its left changes, the video's end to its right does not."""
    drawn = []
    annotator = draw.Annotator(Look((640, 360)), [tube((9, 9, 90, 90))], "", (0.0, 12.5))
    for time_s in (2.0, 2.04, 7.3):
        frame = planes(640, 360)
        annotator.draw(frame, 5, time_s)
        drawn.append(frame[0][annotator.panel.top :])
    left, right = annotator.panel._left, annotator.panel._right
    assert (drawn[0][:, : left - 2] == drawn[1][:, : left - 2]).all()
    assert (drawn[0][:, : left - 2] != drawn[2][:, : left - 2]).any()
    assert (drawn[0][:, right + 2 :] == drawn[2][:, right + 2 :]).all()
    assert (drawn[0][:, right + 2 :] > 200).sum() > 20  # letters


@pytest.mark.parametrize(
    ("time_s", "digits", "text"),
    [
        (0, 1, "0:00.0"), (3.25, 1, "0:03.2"), (59.97, 1, "1:00.0"), (61.5, 0, "1:02"),
        (3723.4, 1, "1:02:03.4"), (3599.99, 0, "1:00:00"), (-1, 1, "0:00.0"), (7.125, 2, "0:07.12"),
    ],
)  # fmt: skip
def test_clock(time_s: float, digits: int, text: str) -> None:
    assert clock(time_s, digits) == text


def test_each_further_tube_has_a_lane_of_its_own_colour() -> None:
    spans = [(0.0, 6.0), (3.0, 9.0), (1.0, 4.0)]
    tubes = [replace(tube((9, 9, 60, 60)), span_s=span) for span in spans]
    panel = draw.Annotator(Look((1280, 720)), tubes, "", (0.0, 10.0)).panel
    frame = planes(1280, 720)
    draw.Annotator(Look((1280, 720)), tubes, "", (0.0, 10.0)).draw(frame, 9, 9.9)
    y = panel._track + 1
    for number, span in enumerate(spans):
        luma = int(canvas.ycbcr(colour_of(number), "601")[0])
        row = (
            y if number == 0 else panel._track + panel._band + 1 + (number - 1) * (panel._lane + 1)
        )
        x = panel._along(span[0] + 0.05)
        assert abs(int(frame[0][row, x + 2]) - luma) <= 2
        assert abs(int(frame[0][row, panel._along(span[1]) + 6]) - luma) > 10


def test_curves_stand_below_the_time_line_where_there_is_room() -> None:
    times = [0.5, 1.5, 2.5, 3.5]
    curves = [PhraseCurve("a man walks", times, [9.0, -9.0, None, 9.0])]
    for size, there in (((176, 144), False), ((640, 360), True), ((3840, 2160), True)):
        with_them = draw.Annotator(Look(size), [tube((0, 0, 9, 9))], "", (0.0, 4.0), curves).panel
        without = draw.Annotator(Look(size), [tube((0, 0, 9, 9))], "", (0.0, 4.0)).panel
        assert (with_them.height > without.height) == there
    frame = planes(640, 360)
    draw.Annotator(Look((640, 360)), [], "", (0.0, 4.0), curves).draw(frame, 9, 2.0)
    panel = draw.Annotator(Look((640, 360)), [], "", (0.0, 4.0), curves).panel
    row = panel._track + panel._band + 3  # above the words' middle
    luma = [int(frame[0][row, panel._along(at)]) for at in (0.9, 1.5, 2.5, 3.5)]
    assert luma[3] > luma[1] + 30
    assert abs(luma[1] - luma[2]) < 6


@pytest.mark.parametrize("size", [(176, 144), (640, 360), (1920, 1080)])
def test_no_match_is_said(size: tuple[int, int]) -> None:
    with_none, with_one = planes(*size), planes(*size)
    draw.Annotator(Look(size), [], "a man", (0.0, 1.0)).draw(with_none, 3, 0.5)
    away = replace(tube((0, 0, 9, 9)), frame_indices=np.array([7]))
    draw.Annotator(Look(size), [away], "a man", (0.0, 1.0)).draw(with_one, 3, 0.5)
    corner = (slice(0, size[1] // 5), slice(0, size[0] // 2))
    assert (with_one[0][corner] == 90).all()
    assert (with_none[0][corner] > 220).sum() > 100


def test_rank_is_written_where_there_are_several() -> None:
    alone = draw.Annotator(Look((640, 360)), [tube((0, 0, 9, 9))], "", (0.0, 1.0))._labels[0]
    first, second = draw.Annotator(
        Look((640, 360)), [tube((0, 0, 9, 9))] * 2, "", (0.0, 1.0)
    )._labels
    assert alone is not None
    assert first is not None
    assert second is not None
    assert first.width > alone.width  # "1  person 0.80"


# From linear RGB to what eyes without one kind of cone see (Machado and others, 2009).
CONES = {
    "all": "1 0 0 0 1 0 0 0 1",
    "no long": ".152286 1.052583 -.204868 .114503 .786281 .099216 -.003882 -.048116 1.051998",
    "no middle": ".367322 .860646 -.227968 .280085 .672501 .047413 -.01182 .04294 .968881",
    "no short": "1.255528 -.076749 -.178779 -.078411 .930809 .147602 .004733 .691367 .3039",
}


def linear(colours: object) -> np.ndarray:
    values = np.asarray(colours, np.float64) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB under D65."""
    primaries = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = (np.clip(light, 0, 1) @ np.array(primaries).T / [0.9505, 1, 1.089]).T
    x, y, z = (np.where(v > 0.008856, np.cbrt(v), 7.787 * v + 16 / 116) for v in (x, y, z))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


@pytest.mark.parametrize("cones", CONES)
def test_colours_are_told_apart_by_every_eye(cones: str) -> None:
    seen = lab(linear(PALETTE) @ np.array(CONES[cones].split(), float).reshape(3, 3).T)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + 99 * np.eye(len(seen))
    assert apart.min() >= 25


def test_dark_letters_can_be_read_on_every_colour() -> None:
    shares = np.array([0.2126, 0.7152, 0.0722])
    light, dark = linear(PALETTE) @ shares, linear(INK) @ shares
    assert ((light + 0.05) / (dark + 0.05)).min() >= 4.5  # WCAG AA


def test_colours_come_again_but_not_the_answers() -> None:
    assert [colour_of(rank) for rank in range(5)] == list(PALETTE)
    assert colour_of(5) == PALETTE[1]
    assert PALETTE[0] not in [colour_of(rank) for rank in range(1, 40)]
