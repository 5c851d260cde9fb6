"""The strip at the bottom of a frame: the sentence, and a time line with everybody's spans."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from cospal_cli.core.tube import Tube
from cospal_cli.video import text as lettering
from cospal_cli.video.canvas import Canvas, Look, Sprite
from cospal_cli.video.curves import PhraseCurve
from cospal_cli.video.moment import clock
from cospal_cli.video.palette import INK, PAPER, colour_of

_LANES = 4  # of the tubes behind the answer; more share them
_SHARE = 0.36  # of the frame's height; above, there are no curves, then a shorter sentence
_HOUR_S = 3600


class Panel:
    """Drawn once; then laid on every frame, with a cursor and the time.

    From top to bottom: the sentence; the time, a band with the answer's span, the video's end;
    a thin lane for each further tube; a row for each sub-phrase's curve.
    """

    def __init__(
        self,
        look: Look,
        tubes: Sequence[Tube],
        caption: str,
        shown_s: tuple[float, float],
        curves: Sequence[PhraseCurve] = (),
    ) -> None:
        """``shown_s``: the times that the time line covers."""
        self._look, self._tubes, self._shown_s = look, tubes, shown_s
        self._digits = 0 if shown_s[1] >= _HOUR_S else 1
        self._font = lettering.font_for("0123456789:.- ", look.small)
        self._clocks: dict[str, Sprite] = {}
        unit = look.unit
        self._band = round(1.35 * look.small) if look.lettered else max(2, round(unit / 120))
        self._lane = max(2, round(unit / 180))
        self._row = round(1.5 * look.small)
        self._margin = max(2, round(0.022 * unit))
        self._left, self._right = self._reach()
        self._curves = curves if look.lettered and unit >= 240 else ()
        words = self._worded(caption)
        if self._height(words) > _SHARE * look.size[1]:
            self._curves = ()
        self.height = min(look.size[1], self._height(words))
        self.height -= (look.size[1] - self.height) % 2  # it begins on an even row
        self.top = look.size[1] - self.height
        self._track = self.top + self._height(words) - self._below() - self._band
        self._strip = Sprite(self._painted(words), look.matrix)

    def draw(self, canvas: Canvas, time_s: float) -> None:
        """Lay it on a frame that is shown at ``time_s``."""
        look, band = self._look, self._band
        self._strip.blend(canvas.planes, 0, self.top)
        reach = max(1, band // 4) if look.lettered else max(2, band * 3 // 4)
        half = look.across(max(1, round(look.unit / 400)) if look.lettered else max(1, band // 3))
        at = self._along(time_s)
        bottom = self._track + band + (self._lanes() + self._rows() if look.lettered else 0)
        corners = (
            max(self._left, at - half), self._track - reach,
            min(self._right, at + half), bottom + reach,
        )  # fmt: skip
        canvas.fill(corners, look.colour(PAPER))
        if look.lettered:
            now = self._clock(clock(time_s, self._digits))
            x = self._left - look.across(0.5 * look.small) - now.width
            now.blend(canvas.planes, max(0, x), self._track + (band - now.height) // 2)

    def _reach(self) -> tuple[int, int]:
        """Left and right of the time line: between the times, where they are written."""
        width, side = self._look.size[0], round(0.025 * self._look.size[0])
        if not self._look.lettered:
            return side, max(side + 1, width - side)
        longest = clock(self._shown_s[1], self._digits)
        space = self._clock(longest).width + self._look.across(0.5 * self._look.small)
        return side + space, max(side + space + 1, width - side - space)

    def _worded(self, caption: str) -> Image.Image | None:
        look = self._look
        if not caption or not look.lettered:
            return None
        font = lettering.font_for(caption, look.font_size)
        room = 0.95 * look.size[0] * look.aspect
        for lines in (2, 1):
            rows = lettering.fit(caption, font, room, lines)
            words = look.squeezed(lettering.render(rows, font, PAPER))
            if self._height(words) <= _SHARE * look.size[1]:
                break
        return words

    def _height(self, words: Image.Image | None) -> int:
        """Of the strip with these ``words``."""
        pad = round(0.4 * self._look.font_size) if words else self._band
        return 2 * pad + (words.height if words else 0) + self._band + self._below()

    def _below(self) -> int:
        """Pixels below the band."""
        return self._lanes() + self._rows() + self._margin

    def _lanes(self) -> int:
        return min(_LANES, max(0, len(self._tubes) - 1)) * (self._lane + 1)

    def _rows(self) -> int:
        return len(self._curves) * self._row

    def _painted(self, words: Image.Image | None) -> Image.Image:
        width = self._look.size[0]
        shade = Image.linear_gradient("L").resize((width, self.height))
        alpha = shade.point([round(40 + 140 * min(1.0, level / 40)) for level in range(256)])
        strip = Image.new("RGBA", (width, self.height), (*INK, 255))
        strip.putalpha(alpha)
        if words:
            strip.alpha_composite(words, (round(0.025 * width), round(0.4 * self._look.font_size)))
        line = Image.new("RGBA", strip.size)
        self._paint_spans(ImageDraw.Draw(line))
        for number, curve in enumerate(self._curves):
            top = self._track - self.top + self._band + self._lanes() + number * self._row
            self._paint_curve(line, curve, top)
        strip.alpha_composite(line)
        if self._look.lettered:
            self._write_times(strip)
        return strip

    def _paint_spans(self, pen: ImageDraw.ImageDraw) -> None:
        """The band and the lanes, each tube's span in its colour."""
        top = self._track - self.top
        pen.rectangle((self._left, top, self._right - 1, top + self._band - 1), (*PAPER, 90))
        for number, tube in reversed(list(enumerate(self._tubes))):
            start, end = (self._along(time_s) for time_s in tube.span_s)
            y, tall = top, self._band
            if number:
                lane = (number - 1) % _LANES
                y, tall = top + self._band + 1 + lane * (self._lane + 1), self._lane
            corners = (start, y, max(start, end - 1), y + tall - 1)
            pen.rectangle(corners, (*colour_of(number), 255))

    def _write_times(self, strip: Image.Image) -> None:
        """The video's end beside the band, the answer's span in it."""
        look, top = self._look, self._track - self.top
        end = self._words(clock(self._shown_s[1], self._digits))
        x = self._right + look.across(0.5 * look.small)
        strip.alpha_composite(end, (min(x, strip.width - end.width), _middle(top, self._band, end)))
        if not self._tubes:
            return
        start_s, end_s = self._tubes[0].span_s
        text = f"{clock(start_s, self._digits)} - {clock(end_s, self._digits)}"
        left, right = self._along(start_s), self._along(end_s)
        space = look.across(0.3 * look.small)
        inside, outside = self._words(text, INK), self._words(text)
        for words, x, fits in (
            (inside, (left + right - inside.width) // 2, inside.width + 2 * space <= right - left),
            (outside, right + space, right + space + outside.width <= self._right),
            (outside, left - space - outside.width, left - space - outside.width >= self._left),
        ):
            if fits:
                strip.alpha_composite(words, (x, _middle(top, self._band, words)))
                return

    def _paint_curve(self, line: Image.Image, curve: PhraseCurve, top: int) -> None:
        """A row: how likely the sub-phrase is from time to time, its words on it."""
        if not curve.times_s:
            return
        look, tall = self._look, self._row - 2
        pen = ImageDraw.Draw(line)
        pen.rectangle((self._left, top + 2, self._right - 1, top + 1 + tall), (*PAPER, 40))
        half_s = 0.5 * (curve.times_s[1] - curve.times_s[0]) if len(curve.times_s) > 1 else 1.0
        for time_s, odds in zip(curve.times_s, curve.log_odds, strict=True):
            if odds is None:
                continue
            level = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
            left, right = self._along(time_s - half_s), self._along(time_s + half_s)
            high = round(level * tall)
            if right > left and high:
                foot = top + 1 + tall
                pen.rectangle((left, foot - high + 1, right - 1, foot), (*colour_of(0), 150))
        shown = lettering.one_line(curve.text)
        font = lettering.font_for(shown, look.small)
        room = (self._right - self._left) * look.aspect * 0.9
        for colour, moves in ((INK, ((-1, 0), (1, 0), (0, -1), (0, 1))), (PAPER, ((0, 0),))):
            words = look.squeezed(
                lettering.render(lettering.fit(shown, font, room, 1), font, colour)
            )
            y = _middle(top + 2, tall, words)
            for dx, dy in moves:
                place = (self._left + look.across(0.3 * look.small) + dx, max(0, y + dy))
                line.alpha_composite(words, place)

    def _words(self, text: str, colour: tuple[int, int, int] = PAPER) -> Image.Image:
        return self._look.squeezed(lettering.render([text], self._font, colour))

    def _clock(self, text: str) -> Sprite:
        """A time as a sprite, kept for the frames to come."""
        if text not in self._clocks:
            if len(self._clocks) > 32:
                self._clocks.clear()
            self._clocks[text] = Sprite(self._words(text), self._look.matrix)
        return self._clocks[text]

    def _along(self, time_s: float) -> int:
        """x of a time on the time line."""
        share = (time_s - self._shown_s[0]) / (self._shown_s[1] - self._shown_s[0])
        return round(self._left + min(1.0, max(0.0, share)) * (self._right - self._left))


def _middle(top: int, height: int, words: Image.Image) -> int:
    """y at which ``words`` stand in the middle of a row."""
    return max(0, top + (height - words.height) // 2)
