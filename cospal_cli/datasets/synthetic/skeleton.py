"""Bodies that move: from curves of motion to joints, and from joints to points of the picture.

A body has its own axes in heights: x to its left hand's side as the camera sees it from the front,
y up from the ground, z forward. ``yaw`` turns it about y, ``roll`` tips it over in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.datasets.synthetic.actions import ActionCurves, Curve
from cospal_cli.datasets.synthetic.clothes import Outfit
from cospal_cli.datasets.synthetic.sketch import Points, Series

Body = NDArray[np.float64]  # (F, 3)

_THIGH, _SHIN, _ANKLE = 0.245, 0.235, 0.035
TRUNK = 0.29
_UPPER_ARM, _FOREARM = 0.155, 0.15
_DOWNWARD = 0.12  # of depth becomes height in the picture: the camera looks a little down
SIDES = (-1, 1)


@dataclass(frozen=True)
class View:
    """How the world is seen: a point of it is drawn at ``(point - centre) * zoom + middle``."""

    centre: Points  # (F, 2) in pixels of the world
    zoom: Series  # (F,) canvas pixels per pixel of the world
    middle: tuple[float, float]  # of the canvas

    def place(self, x: Series | float, y: Series | float) -> Points:
        """Points of the world on the canvas (F, 2)."""
        world = np.stack(np.broadcast_arrays(x, y, self.zoom)[:2], axis=1)
        return (world - self.centre) * self.zoom[:, None] + self.middle


@dataclass(frozen=True)
class Skeleton:
    """Joints of a body, each (F, 3)."""

    hip: Body
    chest: Body  # between the shoulders
    head: Body
    hips: dict[int, Body]
    knees: dict[int, Body]
    ankles: dict[int, Body]
    toes: dict[int, Body]
    shoulders: dict[int, Body]
    elbows: dict[int, Body]
    hands: dict[int, Body]


@dataclass(frozen=True)
class Frame:
    """Where a body stands: turns its points into points of the canvas."""

    motion: ActionCurves
    x: Curve  # of its feet, pixels of the world
    ground: float
    height: float  # pixels
    view: View

    @property
    def scale(self) -> Series:
        """Canvas pixels per height."""
        return self.view.zoom * self.height

    def project(self, point: Body) -> Points:
        """Body points (F, 3) on the canvas (F, 2)."""
        x, y, z = point.T
        cos, sin = np.cos(self.motion.yaw), np.sin(self.motion.yaw)
        across, up = x * cos + z * sin, y - _DOWNWARD * (z * cos - x * sin)
        c, s = np.cos(self.motion.roll), np.sin(self.motion.roll)
        across, up = across * c + up * s, up * c - across * s
        return self.view.place(self.x + self.height * across, self.ground - self.height * up)


def skeleton(outfit: Outfit, motion: ActionCurves) -> Skeleton:
    """The joints of ``outfit``'s body at every frame."""
    legs = {side: _leg(side, motion) for side in SIDES}
    lowest = np.minimum(*(legs[side][1][:, 1] for side in SIDES))
    forward = np.mean([legs[side][1][:, 2] for side in SIDES], axis=0)
    hip = _body(0, _ANKLE - lowest + motion.jump, -forward)
    lean = motion.bend + 0.45 * motion.crouch + 0.07 * motion.gait
    spine = _body(0, np.cos(lean), np.sin(lean))
    big = 1.0 if outfit.kind != "child" else 0.88  # children have shorter trunks, larger heads
    chest = hip + TRUNK * big * spine
    head = chest + (0.125 if big == 1 else 0.15) * _body(0, np.cos(0.8 * lean), np.sin(0.8 * lean))
    shoulders = {side: off(chest, 0.1 * side, -0.015, 0) for side in SIDES}
    arms = {side: _arm(side, motion) for side in SIDES}
    return Skeleton(
        hip=hip,
        chest=chest,
        head=head,
        hips={side: off(hip, 0.055 * side, 0, 0) for side in SIDES},
        knees={side: hip + legs[side][0] for side in SIDES},
        ankles={side: hip + legs[side][1] for side in SIDES},
        toes={side: hip + legs[side][2] for side in SIDES},
        shoulders=shoulders,
        elbows={side: shoulders[side] + arms[side][0] for side in SIDES},
        hands={side: shoulders[side] + arms[side][1] for side in SIDES},
    )


def _leg(side: int, motion: ActionCurves) -> tuple[Body, Body, Body]:
    """Knee, ankle and toes, seen from the middle of the hips."""
    thigh = 0.48 * motion.gait * side * np.sin(motion.phase) + 1.2 * motion.crouch
    flex = 0.75 * motion.gait * np.maximum(side * np.cos(motion.phase), 0) + 2.15 * motion.crouch
    flex = flex + 1.1 * np.minimum(4 * motion.jump, 1) * (0.6 if side > 0 else 1)
    shin = thigh - flex
    out = 0.055 * side + 0.07 * side * motion.crouch
    knee = _body(out, -_THIGH * np.cos(thigh), _THIGH * np.sin(thigh))
    ankle = knee + _body(0, -_SHIN * np.cos(shin), _SHIN * np.sin(shin))
    return knee, ankle, ankle + _body(0.015 * side, -0.02, 0.075)


def _arm(side: int, motion: ActionCurves) -> tuple[Body, Body]:
    """Elbow and hand, seen from the shoulder. The arm of side 1 waves."""
    raised = motion.wave if side > 0 else 0 * motion.wave
    swing = -0.5 * motion.gait * side * np.sin(motion.phase) * (1 - raised)
    out = 0.13 + 1.2 * motion.spread * (1 - raised)
    upper = out + raised * (1.95 - out)
    fore = (out + 0.05) + raised * (2.85 + 0.55 * motion.beat - out)
    elbow = _UPPER_ARM * _direction(side * upper, swing)
    bent = 0.2 + 0.35 * motion.gait
    return elbow, elbow + _FOREARM * _direction(side * fore, swing + bent * (1 - raised))


def _direction(out: Curve, swing: Curve) -> Body:
    """Unit vectors: 0 hangs down, ``out`` lifts to the side, ``swing`` forward."""
    return _body(np.sin(out), -np.cos(out) * np.cos(swing), np.cos(out) * np.sin(swing))


def off(point: Body, x: float, y: float, z: float) -> Body:
    """``point`` moved along the body's axes."""
    return point + np.array([x, y, z])


def _body(x: Curve | float, y: Curve | float, z: Curve | float) -> Body:
    return np.stack(np.broadcast_arrays(*np.atleast_1d(x, y, z)), axis=-1)
