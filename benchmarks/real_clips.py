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

from cospal_cli.core.boxes import area
from cospal_cli.core.observation import Observation
from cospal_cli.core.tube import Tube
from cospal_cli.evaluation.clips import ClipQuery, hit, read_clips, score, summary
from cospal_cli.grounder import Grounder
from cospal_cli.ranking.cut import cut
from cospal_cli.settings import resolve


def largest(seen: Observation, label: str) -> Tube | None:
    """The largest tubelet of a class, over the whole video."""
    named = [t for t in seen.tubelets if seen.classes[t.label_scores.argmax()] == label]
    if not named:
        return None
    best = max(named, key=lambda t: np.median(area(t.boxes_xyxy)))
    return cut(best, seen.span_s, seen.timeline, score=1.0)


def oracle(seen: Observation, query: ClipQuery) -> Tube | None:
    """The best tubelet at the true span: the ceiling that detector and tracker leave."""
    tubes = [cut(t, query.span_s, seen.timeline, score=1.0) for t in seen.tubelets]
    return max(tubes, key=lambda t: score(query, t, seen.timeline.times_s)["v_iou"], default=None)


def answers(grounder: Grounder, seen: Observation, query: ClipQuery) -> dict[str, Tube | None]:
    """Every method's tube for one query."""
    ground = replace(grounder.config.ground, min_match=0.0)  # an answer is scored, likely or not
    methods = [replace(ground, method=name) for name in (ground.method, "w-gdino")]
    grounders = [Grounder(replace(grounder.config, ground=one)) for one in methods]
    tubes, w_gdino = (one.answer(seen, query.text).tubes for one in grounders)
    return {
        "largest person": largest(seen, "person"),
        "largest of class": largest(seen, query.target_class),
        "w-gdino": w_gdino[0] if w_gdino else None,
        "zero-shot": tubes[0] if tubes else None,
        "oracle": oracle(seen, query),
    }


def evaluate(
    grounder: Grounder, seen: Observation, query: ClipQuery
) -> dict[str, dict[str, float]]:
    """Each method's metrics for one query; ``top1`` looks at the whole tubelet."""
    tubelets = {t.id: t for t in seen.tubelets}
    rows = {}
    for method, tube in answers(grounder, seen, query).items():
        row = score(query, tube, seen.timeline.times_s)
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
    grounder = Grounder.open(resolve(sets=arguments.sets).config)
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for video, queries in groupby(read_clips(arguments.truth), key=lambda q: q.video):
        seen = grounder.observe(video)
        for query in queries:
            rows[query.id] = evaluate(grounder, seen, query)
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
