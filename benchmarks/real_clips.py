"""Zero-shot accuracy on real clips with hand-made truth, beside two baselines and the oracle.

    python benchmarks/real_clips.py FOLDER/groundtruth.json [--set tracker.name=botsort]

Baselines: the largest person and the largest tubelet of the query's true class, each held over the
whole video; and W-GDINO, with the class's score where the detector does not read sentences. Oracle:
the tubelet with the best vIoU, cut to the true span.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from cospal_cli.config import Config
from cospal_cli.core.types import Tube
from cospal_cli.detect import open_detector
from cospal_cli.evaluation.clips import ClipQuery, hit, read_clips, score, summary
from cospal_cli.language.parser.parse import parse
from cospal_cli.pipeline import Scene, ground_query, watch
from cospal_cli.ranking.cut import cut
from cospal_cli.settings import resolve


def largest(scene: Scene, label: str) -> Tube | None:
    """The largest tubelet of a class, over the whole video."""
    named = [c for c in scene.candidates if scene.classes[c.tubelet.label_scores.argmax()] == label]
    if not named:
        return None
    best = max(named, key=lambda c: c.size)
    whole = (float(scene.timeline.times_s[0]), scene.timeline.end_s)
    return cut(best.tubelet, whole, scene.timeline, score=1.0)


def oracle(scene: Scene, query: ClipQuery) -> Tube | None:
    """The best tubelet at the true span: the ceiling that detector and tracker leave."""
    tubes = [cut(t, query.span_s, scene.timeline, score=1.0) for t in scene.tubelets]
    return max(tubes, key=lambda t: score(query, t, scene.timeline.times_s)["v_iou"], default=None)


def answers(scene: Scene, query: ClipQuery, config: Config) -> dict[str, Tube | None]:
    """Every method's tube for one query."""
    parsed = parse(query.text, config.language)
    tubes = ground_query(scene, parsed, config)
    baseline = replace(config, ground=replace(config.ground, method="w-gdino"))
    w_gdino = ground_query(scene, parsed, baseline)
    return {
        "largest person": largest(scene, "person"),
        "largest of class": largest(scene, query.target_class),
        "w-gdino": w_gdino[0] if w_gdino else None,
        "zero-shot": tubes[0] if tubes else None,
        "oracle": oracle(scene, query),
    }


def evaluate(scene: Scene, query: ClipQuery, config: Config) -> dict[str, dict[str, float]]:
    """Each method's metrics for one query; ``top1`` looks at the whole tubelet."""
    tubelets = {t.id: t for t in scene.tubelets}
    rows = {}
    for method, tube in answers(scene, query, config).items():
        row = score(query, tube, scene.timeline.times_s)
        tubelet = tubelets[tube.id] if tube else None
        found = tubelet is not None and hit(query, tubelet.times_s, tubelet.boxes_xyxy)
        rows[method] = {"top1": float(found)} | row
    return rows


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    config = resolve(sets=arguments.sets).config
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for video, queries in groupby(read_clips(arguments.truth), key=lambda q: q.video):
        scene = watch(video, config, open_detector(config.detector))
        for query in queries:
            rows[query.id] = evaluate(scene, query, config)
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for name, by_method in rows.items():
        print(name, {k: round(v, 3) for k, v in by_method["zero-shot"].items()})
    for method in next(iter(rows.values())):
        means = summary([row[method] for row in rows.values()])
        print(f"{method:18s}", {k: round(float(np.float64(v)), 3) for k, v in means.items()})


if __name__ == "__main__":
    main()
