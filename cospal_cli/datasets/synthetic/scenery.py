"""Where it happens: a textured background, and things that stand between the figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.datasets.synthetic.clothes import RGB
from cospal_cli.datasets.synthetic.skeleton import View
from cospal_cli.datasets.synthetic.sketch import Drawing, Sketch

MARGIN = 0.3  # of the frame's sides that the background reaches beyond it, on each side
CLASS_OF = {"tree": "potted plant", "bush": "potted plant", "pole": "traffic light",
            "bench": "bench", "crate": "suitcase"}  # fmt: skip
# What a detector of everyday classes takes each prop for, now and then.
_PLACES = ("street", "park", "hall")


@dataclass(frozen=True)
class Prop:
    """A thing that stands at ``x`` on ``ground`` (pixels of the world), ``height`` pixels high."""

    kind: str
    x: float
    ground: float
    height: float

    def draw(self, view: View, light: NDArray[np.float64], rng: np.random.Generator) -> Drawing:
        """Its shapes at every frame of ``view``."""
        sketch = Sketch(light)
        x, h, size = self.x, self.height, view.zoom
        foot, top = view.place(x, self.ground), view.place(x, self.ground - h)
        if self.kind in ("tree", "pole"):
            wide = (0.1 if self.kind == "tree" else 0.035) * h
            bark: RGB = (88, 70, 56) if self.kind == "tree" else (92, 96, 100)
            sketch.limb(foot, top, (1.2 * wide * size, wide * size), bark, 0)
            shade = (
                view.place(x + wide * 0.25, self.ground),
                view.place(x + wide * 0.25, top_y(self)),
            )
            sketch.limb(*shade, (0.5 * wide * size,) * 2, bark, 0.1, 0.8)
        if self.kind in ("tree", "bush"):
            crown = h if self.kind == "tree" else 0.55 * h
            for _ in range(7):
                dx, dy = rng.uniform(-0.3, 0.3) * h, rng.uniform(-0.12, 0.12) * h
                leaf = view.place(x + dx, self.ground - crown + dy)
                green: RGB = (70, 96, 62)
                sketch.disc(
                    leaf, rng.uniform(0.14, 0.26) * h * size, green, 1, rng.uniform(0.8, 1.1)
                )
        if self.kind == "pole":
            sketch.disc(top, 0.05 * h * size, (150, 150, 146), 1)
        if self.kind in ("bench", "crate"):
            self._planks(sketch, view)
        return sketch.finish()

    def _planks(self, sketch: Sketch, view: View) -> None:
        wide = 1.6 * self.height if self.kind == "bench" else 0.6 * self.height
        wood: RGB = (120, 100, 78)
        count = 3
        for row in range(count):
            low = self.ground - self.height * (row + 0.1) / count
            high = self.ground - self.height * (row + 0.9) / count
            corners = [
                view.place(self.x + dx * wide, y)
                for dx, y in ((-1, low), (1, low), (1, high), (-1, high))
            ]
            sketch.polygon(corners, wood, 0, 0.85 + 0.1 * row)
        for dx in (-0.8, 0.8):
            leg = view.place(self.x + dx * wide, self.ground)
            end = view.place(self.x + dx * wide, self.ground - self.height)
            sketch.limb(leg, end, (0.12 * self.height * view.zoom,) * 2, wood, -1, 0.7)


def top_y(prop: Prop) -> float:
    """The height of the prop's top in the world."""
    return prop.ground - prop.height


def background(
    size: tuple[int, int], horizon: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The world behind everything, RGB; ``MARGIN`` larger than the frame on every side.

    ``horizon`` is the height of the ground's far edge, in pixels of the frame.
    """
    width, height = (round(side * (1 + 2 * MARGIN)) for side in size)
    line = round(horizon + MARGIN * size[1])
    place = str(rng.choice(_PLACES))
    sky, ground = _TONES[place]
    image = np.empty((height, width, 3))
    image[:line] = _gradient(line, rng.uniform(0.9, 1.1) * np.array(sky), 1.12, 0.95)
    image[line:] = _gradient(height - line, rng.uniform(0.85, 1.15) * np.array(ground), 0.8, 1.1)
    image[:line] += 5 * _noise((line, width), (40, 12), rng)[..., None]
    image[line:] += 11 * _noise((height - line, width), (40, 9, 3), rng)[..., None]
    if place == "hall":
        _panels(image, line, rng)
    else:
        _houses(image, line, place == "street", rng)
    if place != "park":
        _flagstones(image, line, rng)
    return np.clip(image, 0, 255).astype(np.uint8)


_TONES = {
    "street": ((168, 182, 196), (128, 124, 120)),
    "park": ((176, 192, 204), (112, 122, 86)),
    "hall": ((176, 168, 154), (136, 118, 100)),
}


def _gradient(
    rows: int, tone: NDArray[np.float64], top: float, bottom: float
) -> NDArray[np.float64]:
    return np.linspace(top, bottom, max(rows, 1))[:rows, None, None] * tone


def _noise(
    shape: tuple[int, int], cells: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Sum of random grids of ``cells`` pixels, stretched smoothly to ``shape``; about -1..1."""
    from PIL import Image

    total = np.zeros(shape)
    for cell in cells:
        grid = rng.normal(0, 1, (max(shape[0] // cell, 2), max(shape[1] // cell, 2)))
        fine = Image.fromarray(grid.astype(np.float32)).resize(
            shape[::-1], Image.Resampling.BICUBIC
        )
        total += np.asarray(fine) / len(cells)
    return total


def _houses(image: NDArray[np.float64], line: int, windows: bool, rng: np.random.Generator) -> None:
    """House fronts with windows, or hedges without."""
    width, x = image.shape[1], -int(rng.uniform(0, 40))
    while x < width:
        wide = int(rng.uniform(0.1, 0.28) * width)
        top = int(line * (rng.uniform(0.12, 0.6) if windows else rng.uniform(0.6, 0.85)))
        tone = rng.uniform(95, 175) * (1 + rng.uniform(-0.07, 0.07, 3))
        tone = tone if windows else np.array([96, 108, 82]) * rng.uniform(0.8, 1.1)
        front = image[top:line, max(x, 0) : max(x + wide, 0)]
        front[:] = tone + 8 * _noise(front.shape[:2], (9, 3), rng)[..., None] if front.size else 0
        if windows and front.size:
            step, tall = int(rng.uniform(14, 22)), int(rng.uniform(18, 26))
            pane = tone * rng.uniform(0.45, 0.7) + (0, 4, 10)
            for row in range(top + 6, line - 12, tall):
                for column in range(max(x, 0) + 5, min(x + wide, width) - 9, step):
                    image[row : row + tall // 2, column : column + step // 2] = pane
        x += wide + int(rng.uniform(0, 0.08) * width)


def _panels(image: NDArray[np.float64], line: int, rng: np.random.Generator) -> None:
    """A wall with panels, pictures and a skirting."""
    width = image.shape[1]
    for column in range(int(rng.uniform(0, 50)), width, int(rng.uniform(40, 70))):
        image[:line, column : column + 2] *= 0.82
    for _ in range(int(rng.integers(2, 6))):
        x, y = int(rng.uniform(0, width - 50)), int(rng.uniform(0.15, 0.6) * line)
        wide, tall = int(rng.uniform(24, 48)), int(rng.uniform(18, 34))
        image[y : y + tall, x : x + wide] = rng.uniform(70, 200) * (1 + rng.uniform(-0.1, 0.1, 3))
        inner = image[y + 3 : y + tall - 3, x + 3 : x + wide - 3]
        inner += 30 * _noise(inner.shape[:2], (8, 4), rng)[..., None]
    image[max(line - 5, 0) : line] *= 0.7


def _flagstones(image: NDArray[np.float64], line: int, rng: np.random.Generator) -> None:
    """Joints between slabs: rows nearer together at the back, columns towards a vanishing point."""
    height, width = image.shape[:2]
    depth = np.linspace(0, 1, int(rng.integers(6, 11))) ** 1.8
    for row in (line + depth * (height - line - 2)).astype(int):
        image[row : row + 1] *= 0.84
    rows = np.arange(line, height)
    share = (rows - line) / max(height - line, 1)
    for foot in np.linspace(-1.0, 2.0, int(rng.integers(14, 26))):
        columns = (width * (0.5 + (foot - 0.5) * (0.35 + 0.65 * share))).astype(int)
        inside = (columns >= 0) & (columns < width)
        image[rows[inside], columns[inside]] *= 0.84
