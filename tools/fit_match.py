"""Fit ``cospal_cli/ranking/match.json``: how likely a tubelet is what the sentence means.

    python tools/fit_match.py CLIPS/groundtruth.json examples/bikes.truth.json
        [--paraphrases CLIPS/paraphrases.json] [--present FILE.json] [--cache DIR] [--write]

Every clip is observed once. Right answers: a sentence's best tubelet on its own clip, where it is
the annotated one. Wrong answers: its best tubelet on every other clip (and on its own, where it is
not the annotated one). ``least`` loses at most 5 % of the right answers, of all sentences and of
those of the first file. The logistic is fitted on all; every figure printed is from one that saw
nothing of the clip that the sentence is about, and none of its sentences.
``--present``: {"sentence's id": ["clip", ...]} of other clips that the sentence is true of as well;
without it they count as wrong. ``--write`` stores the numbers.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cospal_cli.core.files import write_text  # noqa: E402
from cospal_cli.core.observation import Observation  # noqa: E402
from cospal_cli.evaluation.clips import ClipQuery, hit, read_clips  # noqa: E402
from cospal_cli.features.appearance import AppearanceClassifier  # noqa: E402
from cospal_cli.grounder import Grounder  # noqa: E402
from cospal_cli.ranking import match, zero_shot  # noqa: E402
from cospal_cli.ranking.evidence import Evidence  # noqa: E402
from cospal_cli.ranking.shared import Shared  # noqa: E402
from cospal_cli.settings import Config, resolve  # noqa: E402

TARGET = ROOT / "cospal_cli" / "ranking" / match.NUMBERS
PENALTY = 0.003  # on the squared weights of features of unit variance
PRIOR = 0.2  # the share of right answers that ``match`` expects
LOST = 0.05  # share of right answers that may be below ``least``
STEPS = 3000
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """One sentence asked of one clip. ``features`` None: no tubelet of its class."""

    query: ClipQuery
    clip: str
    features: Array | None
    right: bool
    weight: float

    @property
    def own(self) -> bool:
        """Whether the sentence is about this clip."""
        return self.query.video.stem == self.clip


def observed(grounder: Grounder, video: Path, cache: Path | None) -> Observation:
    """The observation of ``video``, kept in ``cache``."""
    kept = cache / f"{video.stem}.pickle" if cache else None
    if kept is not None and kept.exists():
        loaded: Observation = pickle.loads(kept.read_bytes())
        return loaded
    seen = grounder.observe(video)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(seen))
    return seen


def asked(
    queries: Sequence[ClipQuery], seen: Observation, config: Config, grounder: Grounder
) -> list[Asked]:
    """Every sentence asked of one clip. Sentences about one subject share their weight."""
    shared = Shared(seen, config, AppearanceClassifier(config.appearance).classify)
    evidence = Evidence(
        seen.timeline,
        seen.classes,
        shared.appearance_of,
        shared.patterns_of,
        everything=shared.candidates,
    )
    clip = Path(seen.info.path).stem
    subjects = Counter(map(_subject, queries))
    rows = []
    for query in queries:
        parsed = grounder.parse(query.text)
        ranked = zero_shot.rank(shared.candidates, parsed, evidence, config.ground)
        features, right = None, False
        best = [ranked.candidates[int(ranked.scores.argmax())]] if len(ranked.scores) else []
        if best and not match.misfits(best, parsed, seen.classes)[0]:
            features = match.features(best, parsed, evidence)[0]
            tubelet = best[0].tubelet
            right = query.video.stem == clip and hit(query, tubelet.times_s, tubelet.boxes_xyxy)
        rows.append(Asked(query, clip, features, right, subjects[_subject(query)] ** -0.5))
    return rows


def _subject(query: ClipQuery) -> tuple[str, float, bytes]:
    return query.video.stem, query.span_s[0], query.boxes_xyxy.tobytes()


def fit(rows: Sequence[Asked]) -> match.Calibration:
    """Weights of logistic regression, those of evidence with their sign, and the bias at ``PRIOR``.

    Accelerated projected gradient on features of mean 0 and variance 1.
    """
    rows = [row for row in rows if row.features is not None]
    x = np.array([row.features for row in rows])
    y = np.array([row.right for row in rows], np.float64)
    shares = np.array([row.weight for row in rows])
    shares /= shares.sum()
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    low, high = _bounds()
    step = 1 / (0.25 * np.linalg.norm(z * np.sqrt(shares)[:, None], 2) ** 2 + PENALTY)
    penalty = np.append(np.full(x.shape[1], PENALTY), 0)
    now = ahead = np.zeros(z.shape[1])
    pace = 1.0
    for _ in range(STEPS):
        error = shares * (_sigmoid(z @ ahead) - y)
        after = np.clip(ahead - step * (z.T @ error + penalty * ahead), low, high)
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = after + (pace - 1) / faster * (after - now)
        now, pace = after, faster
    weights = now[:-1] / scale
    base = float(shares @ y)
    bias = now[-1] - float(mean @ weights) + _logit(PRIOR) - _logit(base)
    return match.Calibration(float(bias), weights, 0.0)


def _bounds() -> tuple[Array, Array]:
    names = [*match.FEATURES, "bias"]
    low = np.array([0.0 if name in match.RISING else -np.inf for name in names])
    high = np.array([0.0 if name in match.FALLING else np.inf for name in names])
    return low, high


def left_out(rows: Sequence[Asked]) -> list[tuple[Asked, float]]:
    """Each with its match by a fit that did not see the clip that the sentence is about."""
    judged = []
    for held in sorted({row.query.video.stem for row in rows}):
        about = [row for row in rows if row.query.video.stem == held]
        fitted = fit([r for r in rows if held not in (r.query.video.stem, r.clip)])
        judged += [(row, _chance(fitted, row)) for row in about]
    return judged


def _chance(fitted: match.Calibration, row: Asked) -> float:
    return 0.0 if row.features is None else float(fitted(row.features[None])[0])


def least(judged: Sequence[tuple[Asked, float]]) -> float:
    """The match below which at most ``LOST`` of the right answers are, by weight."""
    right = sorted((chance, row.weight) for row, chance in judged if row.right)
    below = np.cumsum([weight for _, weight in right])
    return right[int(np.searchsorted(below, LOST * below[-1], side="right"))][0]


def report(name: str, judged: Sequence[tuple[Asked, float]], lowest: float) -> None:
    """Print how well present and absent are told apart."""
    if all(row.own for row, _ in judged):
        return
    own = {row.query.id: (row, chance) for row, chance in judged if row.own}
    present = np.array([chance for _, chance in own.values()])
    absent = np.array([chance for row, chance in judged if not row.own])
    others = {key: [c for r, c in judged if r.query.id == key and not r.own] for key in own}
    first = [chance > max(others[key], default=0) for key, (_, chance) in own.items()]
    fits = absent[:, None] < present
    auc = float((fits + 0.5 * (absent[:, None] == present)).mean())
    right = np.array([row.right for row, _ in judged], np.float64)
    chances = np.array([chance for _, chance in judged])
    prior = np.where(right > 0, PRIOR / right.sum(), (1 - PRIOR) / (1 - right).sum())
    at = least(judged)
    kept = np.array([chance >= lowest for row, chance in own.values() if row.right])
    print(
        f"{name}: {len(own)} sentences, {len(absent)} absent; AUC {auc:.3f}, right clip first "
        f"{np.mean(first):.3f}, refused {np.mean(absent < at):.3f} at {at:.3f}, "
        f"{np.mean(absent < lowest):.3f} at {lowest:.3f} where {1 - kept.mean():.3f} of the right "
        f"are lost, ECE {_ece(chances, right, np.ones(len(right))):.3f} "
        f"(right answers 1 of {1 / PRIOR:g}: {_ece(chances, right, prior):.3f}), "
        f"median of the right {np.median(chances[right > 0]):.2f}, of the absent "
        f"{np.median(absent):.3f}"
    )


def _ece(chances: Array, right: Array, weights: Array) -> float:
    """Expected calibration error over ten even bins."""
    bins = np.minimum((chances * 10).astype(int), 9)
    gaps = [abs((weights * (chances - right))[bins == n].sum()) for n in range(10)]
    return float(np.sum(gaps) / weights.sum())


def _sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def main() -> None:
    """Parse, observe, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path, nargs="+")
    parser.add_argument("--paraphrases", type=Path)
    parser.add_argument("--present", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    sets = {str(path): read_clips(path) for path in given.truth}
    if given.paraphrases:
        words = json.loads(given.paraphrases.read_text("utf-8"))
        sets[str(given.paraphrases)] = [
            replace(one, id=f"{one.id} again", text=words[one.id])
            for one in sets[str(given.truth[0])]
            if one.id in words
        ]
    present = json.loads(given.present.read_text("utf-8")) if given.present else {}
    config = resolve().config
    grounder = Grounder.open(config)
    queries = [one for several in sets.values() for one in several]
    rows: list[Asked] = []
    for video in sorted({one.video for one in queries}):
        seen = observed(grounder, video, given.cache)
        rows += asked(queries, seen, config, grounder)
    rows = [r for r in rows if r.clip not in present.get(r.query.id.removesuffix(" again"), ())]
    judged = left_out(rows)
    main = {one.id for one in sets[str(given.truth[0])]}
    lowest = min(least(judged), least([one for one in judged if one[0].query.id in main]))
    fitted = replace(fit(rows), least=round(lowest - 5e-4, 3))  # rounded down
    for name, several in sets.items():
        ids = {one.id for one in several}
        clips = {one.video.stem for one in several}
        report(
            name, [(r, c) for r, c in judged if r.query.id in ids and r.clip in clips], fitted.least
        )
    report("all", judged, fitted.least)
    weights = dict(zip(match.FEATURES, np.round(fitted.weights, 4).tolist(), strict=True))
    numbers = {"bias": round(fitted.bias, 4), "weights": weights, "least": fitted.least}
    print(json.dumps(numbers))
    if given.write:
        write_text(TARGET, json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
