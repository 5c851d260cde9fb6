"""Blind controls of a set: how well segments do that see no motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.json_types import JsonDict

MIDDLE = (0.15, 0.85)  # shares of the video, as ``ranking.segment`` has them


def blind_controls(facts: Sequence[Mapping[str, Any]]) -> JsonDict:
    """m_tIoU over all videos of the middle, the whole video, the target's whole life, a random
    segment, and the hull of all actions of the target (which a model must find out: an oracle)."""
    if not facts:
        return {}
    spans = np.array([_span(one) for one in facts], float)
    lengths = np.array([one["record"]["img_num"] for one in facts], float)
    whole = np.stack([0 * lengths, lengths], axis=1)
    drawn = np.sort(np.random.default_rng(0).random((len(facts), 2)), axis=1)
    segments = {
        "middle": np.outer(lengths, MIDDLE),
        "whole video": whole,
        "whole tubelet": np.array([_life(one) for one in facts], float),
        "random segment": drawn * lengths[:, None],
        "hull of all actions": np.array([_hull(one) for one in facts], float),
    }
    return {name: round(float(_tiou(rows, spans).mean()), 3) for name, rows in segments.items()}


def _span(facts: Mapping[str, Any]) -> tuple[int, int]:
    start = facts["record"]["st_frame"] - 1
    return start, start + len(facts["record"]["bbox"])


def _life(facts: Mapping[str, Any]) -> tuple[int, int]:
    """From when to when the target is there: who enters was not, who leaves is no more."""
    start, end = 0, facts["record"]["img_num"]
    for kind, first, last in facts["actors"][0]["acts"]:
        start = first if kind == "enter" else start
        end = last if kind == "leave" else end
    return start, end


def _hull(facts: Mapping[str, Any]) -> tuple[int, int]:
    acts = facts["actors"][0]["acts"]
    return min(start for _, start, _ in acts), max(end for _, _, end in acts)


def _tiou(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    common = np.minimum(one[:, 1], two[:, 1]) - np.maximum(one[:, 0], two[:, 0])
    common = np.maximum(common, 0)
    return common / ((one[:, 1] - one[:, 0]) + (two[:, 1] - two[:, 0]) - common)
