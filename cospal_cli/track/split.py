"""A track whose looks change for good, from one observation to the next, is two things.

Two people meet, are one box for a while, and each goes off with the other's track; a car drives out
and the next comes in where it went. What merely turns, or walks into the shade, changes by degrees
or changes back.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cospal_cli.core.types import FloatArray
from cospal_cli.track.affinity import likenesses
from cospal_cli.track.link import Fragment, World

_LEAST = 5  # observations on either side
_NEAR = 6  # observations next to the change
_CHANGED = 0.6  # likeness across the change, of that within the sides, below which it is one


def split(fragments: list[Fragment], world: World) -> list[Fragment]:
    """The fragments, those in two pieces (or more) that change their looks for good."""
    whole: list[Fragment] = []
    waiting = list(fragments[::-1])
    while waiting:
        fragment = waiting.pop()
        at = _change(world.colours[fragment.rows].astype(np.float32))
        if at is None:
            whole.append(fragment)
        else:
            waiting += [_part(fragment, slice(at, None)), _part(fragment, slice(0, at))]
    return whole


def _change(colours: FloatArray) -> int | None:
    """The observation of (n, R, C) that a new look begins with; None where there is none."""
    count = len(colours)
    if count < 2 * _LEAST:
        return None
    sums = np.concatenate([np.zeros_like(colours[:1]), colours.cumsum(axis=0)])
    cuts = np.arange(_LEAST, count - _LEAST + 1)
    before, after = sums[cuts], sums[-1] - sums[cuts]
    sides = (before / cuts[:, None, None], after / (count - cuts)[:, None, None])
    low, high = np.maximum(cuts - _NEAR, 0), np.minimum(cuts + _NEAR, count)
    near = (
        (sums[cuts] - sums[low]) / (cuts - low)[:, None, None],
        (sums[high] - sums[cuts]) / (high - cuts)[:, None, None],
    )
    across = np.maximum(_pairs(*sides), _pairs(*near))
    best = int(across.argmin())
    at = int(cuts[best])
    usual = min(
        float(_pairs(colours[part], np.broadcast_to(side[best], colours[part].shape)).mean())
        for part, side in zip((slice(0, at), slice(at, None)), sides, strict=True)
    )
    return at if across[best] < _CHANGED * usual else None


def _pairs(a: FloatArray, b: FloatArray) -> FloatArray:
    """Likeness (n,) of each of ``a`` (n, R, C) to its partner in ``b``."""
    return np.array([likenesses(x[None], y[None])[0, 0] for x, y in zip(a, b, strict=True)])


def _part(fragment: Fragment, part: slice) -> Fragment:
    """Some of a fragment's observations; the class scores are shared out by their number."""
    rows = fragment.rows[part]
    share = np.float32(len(rows) / len(fragment.rows))
    return replace(
        fragment,
        rows=rows,
        label_sum=fragment.label_sum * share,
        seen=max(1, round(fragment.seen * float(share))),
    )
