"""What each piece of the time rules gives on real clips: without it, and random in its place.

    python benchmarks/when.py FOLDER/groundtruth.json [--set detector.nanodet.weights=float]

The candidate is the one that zero-shot chooses, only its time differs. "random": what the piece
says, but at a random time, the mean of 20 draws and in how many it did better. The last lines
choose a number anew for every clip, on the other clips alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.frames import Timeline
from cospal_cli.core.query import Query
from cospal_cli.evaluation.clips import ClipQuery, read_clips, score
from cospal_cli.grounder import Grounder
from cospal_cli.ranking import moments
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.span import span
from cospal_cli.settings import resolve

DRAWS = 20
OFF: dict[str, dict[str, Any]] = {
    "nearing": {"_nearing": lambda tubelet, things: None},
    "the border": {"_last_seen": lambda candidate: np.inf},
    "staying": {"_STAYS_S": 0.0},
}
NUMBERS = {"_STAYS_S": (0.0, 0.25, 0.5, 0.75, 1.0), "_NEARING": (0.35, 0.7, 1.0, 1.5)}


@dataclass(frozen=True)
class Case:
    """One query with the candidate chosen for it."""

    truth: ClipQuery
    query: Query
    chosen: Candidate
    everything: Sequence[Candidate]
    classes: Sequence[str]
    timeline: Timeline


def cases(truth: Path, grounder: Grounder) -> Iterator[Case]:
    """Every query of the truth file that has an answer."""
    for video, queries in groupby(read_clips(truth), key=lambda q: q.video):
        seen = grounder.observe(video)
        field = candidates(seen.tubelets, seen.size, seen.timeline)
        for query in queries:
            result = grounder.answer(seen, query.text)
            for tube in result.tubes[:1]:
                chosen = next(c for c in field if c.tubelet.id == tube.id)
                yield Case(query, result.query, chosen, field, seen.classes, seen.timeline)


@contextmanager
def changed(**parts: Any) -> Iterator[None]:
    """The module of moments with some of its parts replaced."""
    before = {name: getattr(moments, name) for name in parts}
    for name, part in parts.items():
        setattr(moments, name, part)
    try:
        yield
    finally:
        for name, part in before.items():
            setattr(moments, name, part)


def judged(found: Sequence[Case]) -> NDArray[np.float64]:
    """(Q, 2) tIoU and vIoU by the rules as they are now."""
    rows = []
    for case in found:
        when = span(case.chosen, case.query, case.everything, case.classes)
        tube = cut(case.chosen.tubelet, when, case.timeline, score=1.0)
        told = score(case.truth, tube, case.timeline.times_s)
        rows.append((told["t_iou"], told["v_iou"]))
    return np.array(rows)


def random_parts(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """What ``name`` says, at a random time."""
    nearing, last_seen = moments._nearing, moments._last_seen

    def shifted(tubelet: Any, things: Any) -> Any:
        curve = nearing(tubelet, things)
        return None if curve is None else np.roll(curve, rng.integers(len(curve)))

    def anywhere(candidate: Candidate) -> float:
        found, times = last_seen(candidate), candidate.tubelet.times_s
        return found if found == times[-1] else float(rng.uniform(times[0], times[-1]))

    every: dict[str, Callable[[], dict[str, Any]]] = {
        "nearing": lambda: {"_nearing": shifted},
        "the border": lambda: {"_last_seen": anywhere},
        "staying": lambda: {"_STAYS_S": float(rng.uniform(-1, 1))},
    }
    return every[name]()


def chosen_elsewhere(found: Sequence[Case], name: str, values: Sequence[float]) -> float:
    """m_tIoU where each clip gets the value that is best on all the others."""
    table = []
    for value in values:
        with changed(**{name: value}):
            table.append(judged(found)[:, 0])
    scores = np.array(table)
    clips = np.array([case.truth.video.stem for case in found])
    total = 0.0
    for clip in np.unique(clips):
        best = int(scores[:, clips != clip].mean(axis=1).argmax())
        total += scores[best, clips == clip].sum()
    return total / len(found)


def main() -> None:
    """Parse, observe, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    found = list(cases(arguments.truth, Grounder.open(resolve(sets=arguments.sets).config)))
    now = judged(found)

    def tell(name: str, told: NDArray[np.float64]) -> None:
        print(f"{name:24s} m_tIoU {told[:, 0].mean():.3f} m_vIoU {told[:, 1].mean():.3f}")

    tell("now", now)
    with changed(**{key: part for parts in OFF.values() for key, part in parts.items()}):
        tell("without all three", judged(found))
    for name, parts in OFF.items():
        with changed(**parts):
            tell(f"without {name}", judged(found))
        draws = []
        for seed in range(DRAWS):
            with changed(**random_parts(name, np.random.default_rng(seed))):
                draws.append(float(judged(found)[:, 0].mean()))
        better = sum(one > now[:, 0].mean() + 1e-9 for one in draws)
        print(f"  random: m_tIoU {np.mean(draws):.3f}, better in {better} of {DRAWS}")
    for name, values in NUMBERS.items():
        print(f"{name} by the other clips: {chosen_elsewhere(found, name, values):.3f}")


if __name__ == "__main__":
    main()
