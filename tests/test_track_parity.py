"""Association is no worse than the ByteTrack of the package ``trackers`` on the same detections."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("trackers", exc_type=ImportError)  # its OpenCV wants system libraries

from benchmarks.track_vs_bytetrack import all_scenes, ours, theirs
from cospal_cli.evaluation.mot import evaluate


@pytest.mark.parametrize("seed", [1])
def test_mota_and_idf1_are_not_below_the_reference(seed):
    online, linked, reference = [], [], []
    for _, made in all_scenes(seed):
        answers = (*ours(made)[:2], theirs(made))
        for kept, answer in zip((online, linked, reference), answers, strict=True):
            scores = evaluate(made.truth, answer)
            kept.append((scores.mota, scores.idf1))
    gain = np.array(linked) - np.array(reference)
    assert (np.mean(online, axis=0) >= np.mean(reference, axis=0)).all()
    assert (gain.mean(axis=0) > 0).all()
    assert (gain > -0.02).all()  # in every single scene
