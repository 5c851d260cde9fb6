"""Drawing tubes on frames, straight on the Y, U and V planes that the encoder takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.tube import Tube
from cospal_cli.video import text as lettering
from cospal_cli.video.canvas import Canvas, Look, Plane, Sprite
from cospal_cli.video.curves import PhraseCurve
from cospal_cli.video.labels import places
from cospal_cli.video.palette import INK, PAPER, Colour, colour_of
from cospal_cli.video.panel import Panel

NO_MATCH = "no match"


class Annotator:
    """Draws the tubes' boxes and labels, the sentence and a time line on frame after frame."""

    def __init__(
        self,
        look: Look,
        tubes: Sequence[Tube],
        caption: str,
        shown_s: tuple[float, float],
        curves: Sequence[PhraseCurve] = (),
    ) -> None:
        """``tubes``: best first. ``shown_s``: the times that the time line covers. ``curves``:
        shown below it, where there is room."""
        self.look, self.tubes = look, tubes
        shown_s = (shown_s[0], max(shown_s[1], shown_s[0] + 1e-3))
        self.panel = Panel(look, tubes, lettering.one_line(caption), shown_s, curves)
        self._labels = [self._label(number) for number in range(len(tubes))]
        self._nothing = None if tubes or not look.lettered else self._tag(NO_MATCH, PAPER, 0.8)

    def draw(self, planes: Sequence[Plane], index: int, time_s: float) -> None:
        """Draw on the planes of the frame with this source ordinal and time, in place."""
        canvas = Canvas(planes, self.look.size)
        there = []  # (rank, box)
        for number, tube in enumerate(self.tubes):
            row = index - int(tube.frame_indices[0])
            if 0 <= row < len(tube.frame_indices):
                there.append((number, tube.boxes_xyxy[row]))
        for number, box in reversed(there):  # the answer last, on top
            self._draw_box(canvas, number, box)
        self.panel.draw(canvas, time_s)
        self._draw_labels(planes, there)
        if self._nothing is not None:
            gap = round(0.03 * self.look.unit)
            self._nothing.blend(planes, self.look.across(gap), gap)

    def _draw_box(self, canvas: Canvas, number: int, box: FloatArray) -> None:
        look = self.look
        stroke = look.stroke if number == 0 else max(1, look.stroke // 2)
        edge = max(1, stroke // 3)
        side = look.across(edge)
        around = box + np.array([-side, -edge, side, edge], np.float32)
        canvas.outline(around, (side, edge), look.colour(INK), 0.55)
        canvas.outline(box, (look.across(stroke), stroke), look.colour(colour_of(number)))

    def _draw_labels(
        self, planes: Sequence[Plane], there: Sequence[tuple[int, FloatArray]]
    ) -> None:
        """The tags of the tubes that are ``there``, above the panel and clear of each other."""
        tags = [(box, tag) for number, box in there if (tag := self._labels[number]) is not None]
        room = (self.look.size[0], self.panel.top)
        sizes = [(tag.width, tag.height) for _, tag in tags]
        for (_, tag), place in zip(
            tags, places([box for box, _ in tags], sizes, room), strict=True
        ):
            if place is not None:
                tag.blend(planes, place.left, place.top)

    def _label(self, number: int) -> Sprite | None:
        """The tag of a tube: its rank among several, its class and match, on its colour."""
        if not self.look.lettered:
            return None
        tube = self.tubes[number]
        rank = f"{number + 1}  " if len(self.tubes) > 1 else ""
        words = f"{rank}{tube.label or 'match'} {tube.match:.2f}"
        return self._tag(words, colour_of(number), 0.8 if number == 0 else 0.65)

    def _tag(self, words: str, colour: Colour, scale: float) -> Sprite:
        """``words`` in one line on a ground of ``colour``."""
        look = self.look
        size = max(10, round(look.font_size * scale))
        shown = lettering.one_line(words)
        font = lettering.font_for(shown, size)
        rows = lettering.fit(shown, font, 0.45 * look.size[0] * look.aspect, 1)
        picture = lettering.render(rows, font, INK)
        side, top = round(0.45 * size), round(0.18 * size)
        tag = Image.new(
            "RGBA", (picture.width + 2 * side, picture.height + 2 * top), (*colour, 255)
        )
        tag.alpha_composite(picture, (side, top))
        return look.sprite(tag)
