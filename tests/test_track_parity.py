"""Association is no worse than the ByteTrack of the package ``trackers`` on the same detections."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

pytest.importorskip("trackers", exc_type=ImportError)  # its OpenCV wants system libraries

from benchmarks.track_vs_bytetrack import all_scenes, ours, theirs
from cospal_cli.evaluation.mot import evaluate
from cospal_cli.track import BACKENDS


def test_mota_and_idf1_are_not_below_the_reference():
    scores: dict[str, list[list[tuple[float, float]]]] = defaultdict(list)
    for _, made in all_scenes(1):
        reference = theirs(made)
        for name in BACKENDS:
            found = [evaluate(made.truth, frames) for frames in (*ours(made, name)[:2], reference)]
            scores[name].append([(s.mota, s.idf1) for s in found])
    for name, rows in scores.items():
        online, linked, reference_scores = np.array(rows).transpose(1, 0, 2)
        assert (online.mean(axis=0) >= reference_scores.mean(axis=0)).all(), name
        gain = linked - reference_scores
        assert (gain.mean(axis=0) > 0).all(), name
        assert (gain > -0.02).all(), name  # in every single scene
