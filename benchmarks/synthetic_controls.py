"""What heads of a synthetic study really learnt: blind controls, wrong verbs, curves, videos.

    python benchmarks/synthetic_controls.py synthetic/ study/3-0/last --out figures/
    ... --curve 100=few/3-0-in-order/evaluation.json 900=study/3-0-in-order/evaluation.json

Prints m_tIoU of the predicted tubes beside what needs no sight (the middle, the whole video, the
whole tubelet, the hull of all the subject's actions), and beside the same heads asked for the verbs
of another sentence: those that learnt when must fall to the blind ones with them. Draws the curves
of a few test samples over time with the true span (``curves.png``), and, of studies with fewer
videos (``train.samples``), how figures grow with them (``learning.png``). SYNTHETIC data.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cospal_cli import datasets
from cospal_cli.core.contract import ABSENT
from cospal_cli.core.phrases import Phrases
from cospal_cli.evaluation.summary import PREDICTED, evaluate
from cospal_cli.evaluation.tubes import Truth
from cospal_cli.predict import predictions
from cospal_cli.prepared.folder import Prepared, Sample
from cospal_cli.ranking.heads import Heads
from cospal_cli.ranking.prediction import inputs_of
from cospal_cli.ranking.segment import segment
from cospal_cli.runtime import Runtime, open_runtime

SHOWN = 8  # samples of the picture


class WrongVerbs(Prepared):
    """The set with each sentence's sub-phrases replaced by those of another with other verbs."""

    def phrases(self, sample: Sample) -> Phrases:
        """See ``Prepared``."""
        own = super().phrases(sample)
        every = self.samples(sample.split)
        verbs = {act.words[0] for act in own.acts}
        start = next(at for at, one in enumerate(every) if one.id == sample.id)
        for step in range(1, len(every)):
            other = super().phrases(every[(start + step) % len(every)])
            if other.acts and not verbs & {act.words[0] for act in other.acts}:
                return replace(own, acts=other.acts)
        return own


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--prepared", type=Path, help="default: DATA/prepared")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--curve", nargs="*", default=[], metavar="VIDEOS=EVALUATION.json")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    folder = asked.prepared or asked.data / "prepared"
    truths = datasets.read(asked.data, "test", truth=True).truths
    runtime = open_runtime("torch", asked.checkpoint, "cpu", "auto", "auto")
    right, wrong = Prepared.open(folder), WrongVerbs.open(folder)
    samples = [one for one in right.samples("test") if one.id in truths]
    for name, features in (("predicted", right), ("wrong verbs", wrong)):
        found = dict(predictions(features, samples, "cospal", features.config, runtime))
        means = evaluate(found, truths, resamples=0).rows[PREDICTED]
        shown = (f"{one} {means[one].mean:.3f}" for one in ("m_tIoU", "m_vIoU", "top-1 tubelet"))
        print(f"{name}: {', '.join(shown)}", flush=True)
    controls = json.loads((asked.data / "controls.json").read_text(encoding="utf-8"))
    print(", ".join(f"{name} {value:.3f}" for name, value in controls.items()))
    draw_curves(asked.out / "curves.png", right, samples, truths, runtime)
    if asked.curve:
        draw_learning(asked.out / "learning.png", asked.curve)


def draw_curves(
    path: Path,
    prepared: Prepared,
    samples: list[Sample],
    truths: dict[str, Truth],
    runtime: Runtime,
) -> None:
    """The likeliest tubelet's curves of ``SHOWN`` samples with most sub-phrases among the first."""
    chosen = sorted(samples[:60], key=lambda one: -len(prepared.phrases(one).acts))[:SHOWN]
    figure = Figure((11, 1.9 * SHOWN), layout="constrained")
    for axes, sample in zip(figure.subplots(SHOWN, 1), chosen, strict=True):
        _curves(axes, prepared, sample, truths[sample.id], runtime)
    figure.suptitle("Log odds of each sub-phrase; green: true span, dashed: predicted. SYNTHETIC")
    figure.savefig(path, dpi=100)


def _curves(axes: Axes, prepared: Prepared, sample: Sample, truth: Truth, runtime: Runtime) -> None:
    observation = prepared.observation(sample)
    ids = tuple(one.id for one in observation.tubelets)
    features, phrases = replace(prepared.features(sample), ids=ids), prepared.phrases(sample)
    config = prepared.config.ground
    _, acts = inputs_of(features, phrases, runtime.metadata, config)
    found = Heads(runtime).predict(features, prepared.query(sample), prepared.config, phrases)
    assert found is not None
    assert found.scores.curves is not None
    rows = found.scores.curves[int(found.scores.tubelet_scores.argmax())].T[: len(acts)]
    line = observation.timeline
    edges = np.linspace(float(line.times_s[0]), line.end_s, rows.shape[1] + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    for text, row in zip(acts, rows, strict=True):
        axes.plot(middles, np.where(row == ABSENT, np.nan, row), label=text)
    start, end = (float(line.times_s[min(at, len(line.times_s) - 1)]) for at in truth.span)
    axes.axvspan(start, end, color="tab:green", alpha=0.2)
    when, _ = segment(found, "best", line)
    for at in when:
        axes.axvline(at, color="black", linestyle="--", linewidth=1)
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.set_title(sample.text, fontsize=8, loc="left")
    axes.legend(fontsize=7, loc="upper right")


def draw_learning(path: Path, curve: list[str]) -> None:
    """Figures over the number of training videos: ``VIDEOS=FILE`` as ``cospal evaluate`` writes."""
    points = []
    for one in curve:
        videos, file = one.split("=", 1)
        methods = json.loads(Path(file).read_text(encoding="utf-8"))["methods"]
        (report,) = methods.values()
        points.append((int(videos), report["rows"][PREDICTED]))
    points.sort(key=lambda point: point[0])
    figure = Figure((6, 4), layout="constrained")
    axes = figure.subplots()
    for name in ("top-1 tubelet", "m_tIoU", "m_vIoU"):
        means = [row[name]["mean"] for _, row in points]
        axes.plot([videos for videos, _ in points], means, marker="o", label=name)
        print(name, ", ".join(f"{v}: {m:.3f}" for (v, _), m in zip(points, means, strict=True)))
    axes.set_xscale("log")
    axes.set_xlabel("training videos (as many updates each). SYNTHETIC")
    axes.set_ylim(0, 1)
    axes.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
