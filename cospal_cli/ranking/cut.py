"""A tubelet and a span become a tube: one box for every source frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cospal_cli.core.frames import Timeline
from cospal_cli.core.tube import Tube
from cospal_cli.core.tubelets import Tubelet


def cut(
    tubelet: Tubelet,
    span_s: tuple[float, float],
    timeline: Timeline,
    *,
    score: float,
    match: float = 0.0,
    label: str = "",
    detected: str = "",
    why: Mapping[str, float] | None = None,
) -> Tube:
    """The tube of ``tubelet`` over the source frames whose times lie in ``span_s``.

    Boxes are linear in time between the tubelet's own; before its first and after its last they
    stay. The returned span is that of the frames, from the first one's time to the end of the
    last one's display. A span between two frames takes the nearest frame.
    """
    times = timeline.times_s
    low, high = np.searchsorted(times, np.array(span_s) - 1e-9)
    if low >= high:
        low = int(np.abs(times - span_s[0]).argmin())
        high = low + 1
    rows = slice(int(low), int(high))
    at = times[rows]
    end = float(times[high]) if high < len(times) else timeline.end_s
    boxes = np.column_stack([np.interp(at, tubelet.times_s, side) for side in tubelet.boxes_xyxy.T])
    return Tube(
        tubelet.id,
        timeline.indices[rows],
        timeline.pts[rows],
        at,
        boxes.astype(np.float32),
        np.interp(at, tubelet.times_s, tubelet.scores).astype(np.float32),
        ~np.isin(timeline.indices[rows], tubelet.frame_indices[tubelet.observed]),
        (float(at[0]), max(end, float(at[0]) + 1e-6)),
        score,
        match,
        label,
        dict(why or {}),
        detected,
    )
