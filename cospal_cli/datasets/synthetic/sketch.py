"""Flat shapes over time: what one thing of the scene is drawn with, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.datasets.synthetic.clothes import RGB

Points = NDArray[np.float64]  # (F, 2) a point of the canvas at every frame
Series = NDArray[np.float64]  # (F,)


@dataclass(frozen=True)
class Drawing:
    """Shapes in the order in which they are painted. Coordinates are pixels of the canvas."""

    round: tuple[bool, ...]  # (S,) discs; the others are polygons
    colours: tuple[RGB, ...]  # (S,)
    coordinates: list[list[list[float]]]  # S x F x [x, y, x, y, ...]
    order: list[list[int]]  # F x S, the farthest first
    boxes_xyxy: FloatArray  # (F, 4) around all shapes


@dataclass
class Sketch:
    """Collects shapes; ``light`` (3) tints every colour."""

    light: NDArray[np.float64]
    _round: list[bool] = field(default_factory=list)
    _colours: list[RGB] = field(default_factory=list)
    _coordinates: list[NDArray[np.float64]] = field(default_factory=list)
    _ranks: list[Series] = field(default_factory=list)

    def polygon(
        self, corners: Sequence[Points], colour: RGB, rank: Series | float, shade: float = 1
    ) -> None:
        """Add a polygon; greater ``rank`` is painted later."""
        self._add(False, np.concatenate(corners, axis=1), colour, rank, shade)

    def disc(
        self, centre: Points, radius: Series, colour: RGB, rank: Series | float, shade: float = 1
    ) -> None:
        """Add a disc."""
        reach = radius[:, None]
        self._add(True, np.hstack([centre - reach, centre + reach]), colour, rank, shade)

    def limb(
        self,
        start: Points,
        end: Points,
        widths: tuple[Series, Series],
        colour: RGB,
        rank: Series | float,
        shade: float = 1,
    ) -> None:
        """Add a stick that is ``widths`` wide at its ends."""
        along = end - start
        across = along[:, ::-1] * (-0.5, 0.5) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
        a, b = across * widths[0][:, None], across * widths[1][:, None]
        self.polygon([start + a, end + b, end - b, start - a], colour, rank, shade)

    def finish(self) -> Drawing:
        """Everything that was added."""
        frames = len(self._coordinates[0])
        ranks = np.stack([np.broadcast_to(rank, frames) for rank in self._ranks], axis=1)
        low = np.min([c.reshape(frames, -1, 2).min(axis=1) for c in self._coordinates], axis=0)
        high = np.max([c.reshape(frames, -1, 2).max(axis=1) for c in self._coordinates], axis=0)
        return Drawing(
            tuple(self._round),
            tuple(self._colours),
            [c.round(1).tolist() for c in self._coordinates],
            np.argsort(ranks, axis=1, kind="stable").tolist(),
            np.hstack([low, high]).astype(np.float32),
        )

    def _add(
        self,
        disc: bool,
        coordinates: NDArray[np.float64],
        colour: RGB,
        rank: Series | float,
        shade: float,
    ) -> None:
        red, green, blue = np.clip(np.array(colour) * shade * self.light, 0, 255).astype(int)
        self._round.append(disc)
        self._colours.append((int(red), int(green), int(blue)))
        self._coordinates.append(coordinates)
        self._ranks.append(np.asarray(rank, np.float64))
