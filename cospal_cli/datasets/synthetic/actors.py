"""Figures: shapes painted on a skeleton."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.datasets.synthetic.clothes import RGB, Outfit
from cospal_cli.datasets.synthetic.skeleton import SIDES, TRUNK, Body, Frame, off, skeleton
from cospal_cli.datasets.synthetic.sketch import Drawing, Points, Series, Sketch


class Figure:
    """Paints one outfit on its skeleton; ranks grow towards the camera."""

    def __init__(self, outfit: Outfit, frame: Frame, light: NDArray[np.float64]) -> None:
        self.outfit, self.frame = outfit, frame
        self.bones = skeleton(outfit, frame.motion)
        self.sketch = Sketch(light)
        self.size = frame.scale
        self.sin, self.cos = np.sin(frame.motion.yaw), np.cos(frame.motion.yaw)

    def draw(self) -> Drawing:
        """All shapes, without those in the hands."""
        for side in SIDES:
            self._leg(side)
            self._arm(side)
        self._trunk()
        self._head()
        if self.outfit.bag:
            self._bag(self.outfit.bag.rgb, self.outfit.bag.cut)
        return self.sketch.finish()

    def hand(self) -> Points:
        """Where what is picked up is held."""
        return self.frame.project((self.bones.hands[-1] + self.bones.hands[1]) / 2)

    def _widths(self, start: float, end: float) -> tuple[Series, Series]:
        return start * self.size, end * self.size

    def _near(self, side: int) -> tuple[Series, float]:
        """Rank of a limb against the trunk's 0; and the shade of its side."""
        return -side * self.sin, 1.0 if side > 0 else 0.86

    def _limb(
        self, a: Body, b: Body, wide: tuple[float, float], rgb: RGB, rank: Series, shade: float
    ) -> None:
        start, end = self.frame.project(a), self.frame.project(b)
        self.sketch.limb(start, end, self._widths(*wide), rgb, rank, shade)
        self.sketch.disc(end, wide[1] / 2 * self.size, rgb, rank, shade)

    def _leg(self, side: int) -> None:
        bones, lower = self.bones, self.outfit.lower
        nearer, shade = self._near(side)
        rank = -2 + 0.5 * nearer
        shin = lower.rgb if lower.cut == "trousers" else self.outfit.skin
        thigh = lower.rgb if lower.cut != "skirt" else self.outfit.skin
        self._limb(bones.ankles[side], bones.toes[side], (0.045, 0.04), (44, 38, 36), rank, shade)
        self._limb(bones.knees[side], bones.ankles[side], (0.085, 0.06), shin, rank, shade)
        self._limb(bones.hips[side], bones.knees[side], (0.115, 0.09), thigh, rank + 0.1, shade)

    def _arm(self, side: int) -> None:
        bones, upper = self.bones, self.outfit.upper
        nearer, shade = self._near(side)
        rank = np.where(nearer < -0.3, -3.0, 2.5)
        fore = self.outfit.skin if upper.cut == "short" else upper.rgb
        shade *= 0.94  # sets the arm off from the trunk
        self._limb(bones.elbows[side], bones.hands[side], (0.06, 0.045), fore, rank, shade)
        self._limb(
            bones.shoulders[side], bones.elbows[side], (0.078, 0.064), upper.rgb, rank, shade
        )
        hand = self.frame.project(bones.hands[side])
        self.sketch.disc(hand, 0.028 * self.size, self.outfit.skin, rank, shade)

    def _trunk(self) -> None:
        bones, outfit = self.bones, self.outfit
        hip, chest = self.frame.project(bones.hip), self.frame.project(bones.chest)
        shoulders = np.hypot(0.235 * self.cos, 0.15 * self.sin) * self.size
        waist = np.hypot(0.185 * self.cos, 0.145 * self.sin) * self.size
        up = (chest - hip) / TRUNK
        top = chest + 0.03 * up
        knees = self.frame.project((bones.knees[-1] + bones.knees[1]) / 2)
        if outfit.lower.cut == "skirt":
            hem = knees + 0.04 * (hip - knees)
            self.sketch.limb(hip, hem, (waist, 1.3 * waist), outfit.lower.rgb, -0.5)
        if outfit.upper.cut == "coat":
            tail = hip + 0.6 * (knees - hip)
            self.sketch.limb(hip, tail, (waist, 1.12 * waist), outfit.upper.rgb, -0.2, 0.95)
        head = self.frame.project(bones.head)
        self.sketch.limb(chest, head, self._widths(0.07, 0.06), outfit.skin, -0.1, 0.9)
        self.sketch.disc(hip, waist / 2.2, outfit.lower.rgb, -0.4)
        self.sketch.limb(top, hip - 0.02 * up, (0.8 * shoulders, waist), outfit.upper.rgb, 0)
        self.sketch.limb(
            chest + 0.01 * up, hip, (shoulders, waist), outfit.upper.rgb, -0.05
        )  # sloping shoulders
        side = 0.27 * np.stack([-up[:, 1], up[:, 0]], axis=1) / self.size[:, None]
        shaded = chest - side * shoulders[:, None], hip - side * waist[:, None]
        self.sketch.limb(*shaded, (0.3 * shoulders, 0.3 * waist), outfit.upper.rgb, 0.1, 0.86)

    def _head(self) -> None:
        outfit = self.outfit
        radius = (0.066 if outfit.kind != "child" else 0.084) * self.size
        head, chest = self.frame.project(self.bones.head), self.frame.project(self.bones.chest)
        up = (head - chest) / np.maximum(np.hypot(*(head - chest).T), 1e-6)[:, None]
        right = np.stack([-up[:, 1], up[:, 0]], axis=1)
        r = radius[:, None]
        if outfit.kind == "woman":
            self.sketch.limb(
                head, head - 1.9 * r * up - 0.35 * (r * self.sin[:, None]) * right,
                (2.0 * radius, 1.7 * radius), outfit.hair, np.where(self.cos > -0.2, -1.0, 2.0),
            )  # fmt: skip
        prefetch = self.sin[:, None] * right * r
        self.sketch.disc(head + 0.15 * r * up - 0.12 * prefetch, 1.08 * radius, outfit.hair, 1.0)
        face = np.where(self.cos > -0.35, 1.1, 0.5)
        self.sketch.disc(head - 0.12 * r * up + 0.22 * prefetch, 0.9 * radius, outfit.skin, face)
        if outfit.hat:
            brow, crown = head + 0.35 * r * up, head + 1.45 * r * up
            rgb = outfit.hat.rgb
            wide = (2.3 * radius, (1.7 if outfit.hat.cut == "hat" else 1.4) * radius)
            self.sketch.limb(brow, crown, wide, rgb, 1.3)
            reach = (right * 1.9, -right * 1.9) if outfit.hat.cut == "hat" else (
                right * 0.4 + 1.8 * prefetch / r, -right * 0.4
            )  # fmt: skip
            self.sketch.limb(
                brow + reach[0] * r, brow + reach[1] * r, (0.42 * radius,) * 2, rgb, 1.4, 0.85
            )

    def _bag(self, rgb: RGB, cut: str) -> None:
        bones = self.bones
        if cut == "backpack":
            back = self.frame.project(off(bones.chest, 0, -0.02, -0.115))
            low = self.frame.project(off(bones.hip, 0, 0.07, -0.125))
            wide = np.hypot(0.21 * self.cos, 0.13 * self.sin) * self.size
            self.sketch.limb(back, low, (0.85 * wide, wide), rgb, np.where(self.cos < 0, 2.0, -1.5))
            for side in SIDES:  # straps
                over = self.frame.project(off(bones.chest, 0.07 * side, 0.02, 0.06))
                under = self.frame.project(off(bones.hip, 0.08 * side, 0.1, 0.06))
                front = np.where(self.cos > 0.1, 0.3, -1.4)
                self.sketch.limb(over, under, self._widths(0.025, 0.025), rgb, front)
            return
        rank = np.where(self.sin < 0.3, 3.0, -3.2)
        low = self.frame.project(off(bones.hip, 0.15, -0.1, 0))
        top = self.frame.project(off(bones.hip, 0.15, 0.03, 0))
        wide = np.hypot(0.1 * self.cos, 0.17 * self.sin) * self.size
        self.sketch.limb(top, low, (0.85 * wide, wide), rgb, rank)
        strap = self.frame.project(off(bones.chest, -0.06, 0.02, 0.03))
        self.sketch.limb(strap, top, self._widths(0.02, 0.02), rgb, np.where(self.cos > 0, 0.3, -1))
