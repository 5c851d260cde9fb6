"""Frames of a scene: painted at twice the size, then reduced, which smooths every edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cospal_cli.datasets.synthetic.scene import FINE, HORIZON, Scene
from cospal_cli.datasets.synthetic.scenery import MARGIN, background
from cospal_cli.datasets.synthetic.sketch import Drawing

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw


def frames(scene: Scene) -> Iterator[NDArray[np.uint8]]:
    """RGB frames (H, W, 3) in their order."""
    from PIL import Image, ImageDraw

    width, height = scene.recipe.size
    rng = np.random.default_rng([scene.recipe.seed, scene.number, 0, 1])
    behind = background(scene.recipe.size, (HORIZON - 0.03) * height, rng) * scene.light
    world = Image.fromarray(np.clip(behind, 0, 255).astype(np.uint8))
    world = world.resize((FINE * world.width, FINE * world.height), Image.Resampling.BILINEAR)
    things = _things(scene)
    canvas_size = (FINE * width, FINE * height)
    for number in range(scene.frames):
        # Nearest pixels are enough: reducing averages four of them.
        canvas = world.resize(canvas_size, Image.Resampling.NEAREST, _window(scene, number))
        draw = ImageDraw.Draw(canvas, "RGBA")
        for actor in scene.actors:
            _shadow(draw, actor.boxes_xyxy[number] * FINE, actor.ground[number])
        draw = ImageDraw.Draw(canvas)
        for thing in things:
            paint(draw, thing, number)
        yield np.asarray(canvas.reduce(FINE))


def paint(draw: ImageDraw, thing: Drawing, number: int) -> None:
    """Paint ``thing`` as it is at frame ``number``."""
    for shape in thing.order[number]:
        where = thing.coordinates[shape][number]
        if thing.round[shape]:
            draw.ellipse(where, thing.colours[shape])
        else:
            draw.polygon(where, thing.colours[shape])


def _things(scene: Scene) -> list[Drawing]:
    """Everything that stands somewhere, the farthest first."""
    placed = [(depth, drawing) for depth, _, drawing in scene.props]
    for actor in scene.actors:
        placed.append((actor.depth, actor.drawing))
        if actor.item is not None:
            placed.append((actor.depth + 1e-6, actor.item))
    return [drawing for _, drawing in sorted(placed, key=lambda pair: pair[0])]


def _window(scene: Scene, number: int) -> tuple[float, float, float, float]:
    """The part of the background that frame ``number`` shows, in its own pixels."""
    width, height = scene.recipe.size
    zoom = scene.view.zoom[number] / FINE
    x, y = (scene.view.centre[number] + MARGIN * np.array([width, height])) * FINE
    half_x, half_y = FINE * width / 2 / zoom, FINE * height / 2 / zoom
    return float(x - half_x), float(y - half_y), float(x + half_x), float(y + half_y)


def _shadow(draw: ImageDraw, box: NDArray[np.float32], ground: float) -> None:
    """A dark patch on the ground, under who is in ``box``."""
    x1, _, x2, _ = (float(value) for value in box)
    thick = 0.09 * min(x2 - x1, 90.0)
    draw.ellipse((x1, ground - thick, x2, ground + thick), (0, 0, 0, 70))
