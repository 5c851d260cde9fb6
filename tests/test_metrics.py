"""Metrics against a plain restatement, and hand-made truth made dense."""

import json
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.evaluation.clips import hit, read_clips, score
from cospal_cli.evaluation.metrics import s_iou, t_iou, v_iou


def plain(p: dict[int, list[float]], g: dict[int, list[float]]) -> tuple[float, float, float]:
    """tIoU, vIoU, sIoU of two tubes as dicts frame -> box, written out."""

    def box_iou(a: list[float], b: list[float]) -> float:
        w = min(a[2], b[2]) - max(a[0], b[0])
        h = min(a[3], b[3]) - max(a[1], b[1])
        inter = w * h if w > 0 and h > 0 else 0.0
        return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)

    common, union = set(p) & set(g), set(p) | set(g)
    total = sum(box_iou(p[f], g[f]) for f in common)
    return len(common) / len(union), total / len(union), total / len(g)


def test_equal_to_a_plain_restatement() -> None:
    rng = np.random.default_rng(5)
    for _ in range(1000):
        tubes = []
        for _ in range(2):
            frames = np.arange(rng.integers(0, 30), rng.integers(31, 60))
            corner = rng.uniform(0, 50, (len(frames), 2))
            tubes.append((frames, np.hstack([corner, corner + rng.uniform(1, 60, corner.shape)])))
        (pf, pb), (gf, gb) = tubes
        found = t_iou(pf, gf), v_iou(pf, pb, gf, gb), s_iou(pf, pb, gf, gb)
        wanted = plain(
            dict(zip(pf.tolist(), pb.tolist(), strict=True)),
            dict(zip(gf.tolist(), gb.tolist(), strict=True)),
        )
        assert found == pytest.approx(wanted, abs=1e-9)


def test_perfect_and_disjoint() -> None:
    frames = np.arange(7)
    boxes = np.tile([0, 0, 2, 2.0], (7, 1))
    assert v_iou(frames, boxes, frames, boxes) == 1
    assert v_iou(frames, boxes, frames + 7, boxes) == 0
    assert t_iou(frames[:0], frames[:0]) == 0


def test_sparse_truth(tmp_path: Path) -> None:
    record = {
        "id": "a", "video": "v", "query": "the dog", "target_class": "dog", "start": 1, "end": 2,
        "boxes": [{"t": 1, "box": [0, 0, 10, 10]}, {"t": 2, "box": [10, 0, 20, 10]}],
    }  # fmt: skip
    file = tmp_path / "truth.json"
    file.write_text(json.dumps({"queries": [record]}))
    (query,) = read_clips(file)
    times = np.arange(30) / 10
    right = np.array([0, 2.9])
    boxes = np.array([[-10, 0, 0, 10], [19, 0, 29, 10]], np.float32)  # the truth, extrapolated
    assert hit(query, right, boxes)
    assert not hit(query, right, boxes + 8)
    assert score(query, None, times) == {"t_iou": 0, "v_iou": 0, "s_iou": 0}


def test_malformed_truth_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "truth.json"
    file.write_text('{"queries": [{"id": 3}]}')
    with pytest.raises(InputError, match=r"truth\.json"):
        read_clips(file)
