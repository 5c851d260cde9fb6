"""What each piece of the time rules gives: without it, and at a random time in its place.

    python -m benchmarks.when --clips FOLDER/groundtruth.json [--set tracker.name=bytetrack]
    python -m benchmarks.when --prepared synthetic/ --split test [--every 2]
    python -m benchmarks.when --acted 20

Of real clips, of a prepared set with HC-STVG's files, or of the made-up scenes of ``tests.acted``
(so many of each kind). The candidate is the one that zero-shot chooses, or the scene's subject;
only its time differs. "random": what the piece says, but at a random time, the mean of 20 draws and
in how many it did better. Of clips, the last line chooses a number anew for each, on the others
alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli import datasets
from cospal_cli.core.query import Query
from cospal_cli.evaluation.clips import read_clips
from cospal_cli.grounder import Grounder
from cospal_cli.language.parser.parse import parse
from cospal_cli.prepared.folder import Prepared
from cospal_cli.ranking import moments, signatures
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.span import extent, span
from cospal_cli.settings import resolve
from tests import acted

DRAWS = 20
FAMILIES = {
    "posture": ("lower", "bend", "rise", "fall"),
    "jump": ("jump",),
    "arms and turns": ("gesture", "turn"),
    "hands": ("obtain", "lay", "pick", "put", "launch", "catch", "release"),
    "touch": ("touch",),
    "shove, follow": ("shove", "follow"),
    "mount": ("mount", "dismount"),
}
NUMBERS = {"_NEARING": (0.35, 0.7, 1.0, 1.5)}
Change = dict[str, Any]  # name in the module of moments -> what stands there instead


@dataclass(frozen=True)
class Case:
    """One query with the candidate chosen for it."""

    group: str  # the clip, or the kind of scene
    query: Query
    chosen: Candidate
    everything: Sequence[Candidate]
    classes: Sequence[str]
    span_s: tuple[float, float]


def of_clips(truth: Path, grounder: Grounder) -> Iterator[Case]:
    """Every query of the truth file that has an answer."""
    for video, queries in groupby(read_clips(truth), key=lambda q: q.video):
        seen = grounder.observe(video)
        field = candidates(seen.tubelets, seen.size, seen.timeline)
        for query in queries:
            result = grounder.answer(seen, query.text)
            for tube in result.tubes[:1]:
                chosen = next(c for c in field if c.tubelet.id == tube.id)
                yield Case(video.stem, result.query, chosen, field, seen.classes, query.span_s)


def of_prepared(data: Path, split: str, every: int, grounder: Grounder) -> Iterator[Case]:
    """Every so many samples of a split; the times are those of the frames."""
    truths = datasets.read(data, split, truth=True).truths
    folder = Prepared.open(data / "prepared")
    for sample in folder.samples(split)[::every]:
        seen, query = folder.observation(sample), folder.query(sample)
        field = candidates(seen.tubelets, seen.size, seen.timeline)
        times = np.append(seen.timeline.times_s, seen.timeline.end_s)
        start, end = (float(times[at]) for at in truths[sample.id].span)
        for tube in grounder.answer(seen, query).tubes[:1]:
            chosen = next(c for c in field if c.tubelet.id == tube.id)
            yield Case(sample.source, query, chosen, field, seen.classes, (start, end))


def of_scenes(count: int) -> Iterator[Case]:
    """So many scenes of each kind."""
    for kind in acted.KINDS:
        for seed in range(count):
            one = acted.scene(kind, np.random.default_rng(seed))
            field = candidates(one.tubelets, acted.SIZE, acted.TIMELINE)
            yield Case(kind, parse(one.sentence), field[0], field, acted.CLASSES, one.span_s)


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


def judged(found: Sequence[Case], whole: bool = False) -> NDArray[np.float64]:
    """tIoU (Q,) by the rules as they are now, or of the whole tubelets."""
    rows = []
    for case in found:
        told = extent(case.chosen.tubelet)
        if not whole:
            told = span(case.chosen, case.query, case.everything, case.classes)
        shared = min(told.end, case.span_s[1]) - max(told.start, case.span_s[0])
        union = max(told.end, case.span_s[1]) - min(told.start, case.span_s[0])
        rows.append(max(shared, 0.0) / union)
    return np.array(rows)


def without(family: str) -> Change:
    """No curve for the signatures of one family."""
    real = signatures.curve
    named = FAMILIES[family]
    return {"curve": lambda one, *more: None if one in named else real(one, *more)}


def shifted(family: str, rng: np.random.Generator) -> Change:
    """The curves of one family, turned round to begin anywhere."""
    real = signatures.curve

    def anywhere(one: str, *more: Any) -> Any:
        found = real(one, *more)
        turned = found is not None and one in FAMILIES[family]
        return np.roll(found, rng.integers(len(found))) if turned else found

    return {"curve": anywhere}


def nearing_shifted(rng: np.random.Generator) -> Change:
    """Nearing's curve, likewise."""
    real = moments._nearing

    def anywhere(*asked: Any) -> Any:
        found = real(*asked)
        return None if found is None else np.roll(found, rng.integers(len(found)))

    return {"_nearing": anywhere}


def gone_anywhere(rng: np.random.Generator) -> Change:
    """A random time for the one at which the subject goes over the border."""
    real = moments._gone

    def anywhere(candidate: Candidate) -> float | None:
        times = candidate.tubelet.times_s
        return None if real(candidate) is None else float(rng.uniform(times[0], times[-1]))

    return {"_gone": anywhere}


def pieces() -> dict[str, tuple[Change, Callable[[np.random.Generator], Change]]]:
    """Every piece: what leaves it out, and what puts it at a random time."""
    every: dict[str, tuple[Change, Callable[[np.random.Generator], Change]]] = {
        "nearing": ({"_nearing": lambda *_: None}, nearing_shifted),
        "the border": ({"_gone": lambda _: None}, gone_anywhere),
    }
    for family in FAMILIES:
        every[family] = without(family), lambda rng, name=family: shifted(name, rng)  # type: ignore[misc]
    return every


def chosen_elsewhere(found: Sequence[Case], name: str, values: Sequence[float]) -> float:
    """m_tIoU where each clip gets the value that is best on all the others."""
    table = []
    for value in values:
        with changed(**{name: value}):
            table.append(judged(found))
    scores, clips = np.array(table), np.array([case.group for case in found])
    total = 0.0
    for clip in np.unique(clips):
        best = int(scores[:, clips != clip].mean(axis=1).argmax())
        total += scores[best, clips == clip].sum()
    return total / len(found)


def report(found: Sequence[Case]) -> None:
    """Print the table."""
    now = judged(found).mean()
    whole = judged(found, whole=True).mean()
    print(f"{len(found)} queries: m_tIoU {now:.3f}, whole tubelets {whole:.3f}")
    for name, (off, at_random) in pieces().items():
        with changed(**off):
            left = judged(found).mean()
        if left == now:
            continue  # no query has it
        draws = []
        for seed in range(DRAWS):
            with changed(**at_random(np.random.default_rng(seed))):
                draws.append(judged(found).mean())
        better = sum(one > now + 1e-9 for one in draws)
        print(f"  without {name}: {left:.3f}; random {np.mean(draws):.3f}, better in {better}")


def main() -> None:
    """Parse, observe, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, metavar="TRUTH")
    parser.add_argument("--prepared", type=Path, metavar="DATA")
    parser.add_argument("--split", default="test")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--acted", type=int, default=0, metavar="N")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    config = resolve(sets=asked.sets).config
    if asked.clips:
        found = list(of_clips(asked.clips, Grounder.open(config)))
        report(found)
        for name, values in NUMBERS.items():
            print(f"{name} by the other clips: {chosen_elsewhere(found, name, values):.3f}")
    if asked.prepared:
        plain = replace(config.ground, method="zero-shot", top_k=1, min_match=0.0)
        grounder = Grounder(replace(config, ground=plain))
        report(list(of_prepared(asked.prepared, asked.split, asked.every, grounder)))
    if asked.acted:
        found = list(of_scenes(asked.acted))
        report(found)
        for kind, cases in groupby(found, key=lambda case: case.group):
            print(f"  {kind}: {judged(list(cases)).mean():.2f}")


if __name__ == "__main__":
    main()
