"""Does learning from sentences alone work? Trains every variant on a synthetic set and compares.

    cospal data synthetic synthetic/ --videos 1260
    python benchmarks/synthetic_study.py synthetic/ --out study/ --seeds 0,1,2 --jobs 2

Each training is a ``cospal train``, each row a ``cospal evaluate``, in processes of their own; runs
that are finished are kept, so a study that was stopped goes on. The table (``study.md``,
``study.json``) holds means and standard deviations over the seeds. SYNTHETIC data: the figures say
whether the method learns at all, not how good it is on real video.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, stdev
from typing import Any

METRICS = ("m_tIoU", "m_vIoU", "vIoU@0.3", "vIoU@0.5", "top-1 tubelet")
SENTENCE = ["--query-form", "sentence"]
RULES = {  # how the tube follows from heads that reconstruct; the first is their own way
    "lowest NLL": ["--segment", "best"],
    "IoU vote": ["--segment", "vote"],
    "blind": ["--segment", "blind"],
}
IN_ORDER = {  # likewise, from the contrast's curves
    "in order": ["--segment", "best"],
    "blind": ["--segment", "blind"],
    "with the rules": ["--method", "combined"],
    "time first (STPro)": ["--temporal-first"],
}
NO_STAGES = ["curriculum.name=none", "curriculum.equal_updates=true"]
MENDED = (  # 3,100 updates at 900 videos
    "temporal.objective=reconstruct model.temporal_input=motion model.ffn=128 "
    "model.temporal_layers=2 model.width_divisor=6 curriculum.epochs=108"
).split()
RECONSTRUCT = (  # as 0.1 did: it needs features with clips
    "temporal.objective=reconstruct temporal.hidden=words model.ffn=128 model.temporal_layers=2 "
    "model.width_divisor=6 "
    "model.temporal_input=subject model.dropout=0.1 curriculum.name=sps curriculum.limits=4,7 "
    "curriculum.epochs=4,4,8 train.lr=0.0015 train.spatial_lr=0.001 train.schedule=inverse-sqrt "
    "train.warmup=400 train.weight_decay=0 train.max_grad_norm=10"
).split()
SPS = ["curriculum.name=sps", "curriculum.limits=4,7", "curriculum.epochs=9,9,18"]
ACTIONS = ["curriculum.name=actions", "curriculum.limits=1,2", "curriculum.epochs=9,9,18"]
# name -> settings of the training, flags of the evaluation. The contrast's variants make as many
# passes over the samples. Of the reconstruction's, the full model's plan of updates is the budget
# of all: without CRG an epoch is a sentence a sample, with it 3.5 on average.
VARIANTS: dict[str, tuple[list[str], list[str]]] = {
    "contrast, referral only": (["temporal.start=1"], []),
    "contrast, all verbs one query": (["temporal.queries=sentence"], []),
    "contrast, word queries (TPG)": (["temporal.queries=words"], []),
    "contrast + CRG": ([], []),
    "contrast + CRG + SPS": (SPS, []),
    "contrast + CRG + sub-actions (STPro)": (ACTIONS, []),
    "reconstruct, sub-phrases by motion": (MENDED, []),
    "reconstruct, TPG": (
        [*RECONSTRUCT, "train.crg=false", "curriculum.epochs=14,14,28", *NO_STAGES], SENTENCE,
    ),
    "reconstruct, TPG+CRG": ([*RECONSTRUCT, *NO_STAGES], []),
    "reconstruct, TPG+CRG+SPS": (RECONSTRUCT, []),
}  # fmt: skip
BASELINES = ("random", "random-segment", "largest", "w-gdino", "zero-shot")
WHAT_IF = ("whole tubelet", "oracle time", "oracle tubelet", "oracle tubelet and time")

Row = dict[str, float]


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--prepared", type=Path, help="default: DATA/prepared")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, a thread each")
    parser.add_argument("--variants", default="", help="some of them, by their place: 0,2")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    asked.prepared = asked.prepared or asked.data / "prepared"
    asked.out.mkdir(parents=True, exist_ok=True)
    places = [int(one) for one in asked.variants.split(",") if one] or range(len(VARIANTS))
    names = [list(VARIANTS)[place] for place in places]
    seeds = [int(one) for one in asked.seeds.split(",")]
    runs = [(name, seed) for seed in seeds for name in names]
    with ThreadPoolExecutor(asked.jobs) as pool:
        reports = dict(zip(runs, pool.map(lambda run: train(asked, *run), runs), strict=True))
    rows: dict[str, list[Row]] = {}
    for method in BASELINES:
        for seed in seeds if method.startswith("random") else seeds[:1]:
            told = judge(asked, f"{method}-{seed}", ["--method", method, "--seed", str(seed)])
            rows.setdefault(method, []).append(row(told, method))
    for name in names:
        for seed in seeds:
            for rule, told in reports[name, seed].items():
                (method,) = told["methods"]
                rows.setdefault(f"{name}, {rule}", []).append(row(told, method))
            told = reports[name, seed][next(iter(rules_of(name)))]
            for what in WHAT_IF:
                rows.setdefault(f"{name}: {what}", []).append(row(told, "cospal", what))
    text = "\n".join(table(rows))
    (asked.out / "study.md").write_text(text + "\n", encoding="utf-8")
    (asked.out / "study.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(text)


def train(asked: argparse.Namespace, name: str, seed: int) -> dict[str, dict[str, Any]]:
    """One training; its last checkpoint, which saw no truth at all, evaluated by each rule."""
    settings, flags = VARIANTS[name]
    folder = asked.out / f"{list(VARIANTS).index(name)}-{seed}"
    sets = [part for one in [*settings, *asked.sets] for part in ("--set", one)]
    if not (folder / "trained").is_file():
        run(["train", "--data", asked.data, "--prepared", asked.prepared, "--out", folder,
             "--resume", "--threads", "1", "--seed", str(seed), "--quiet", *sets])  # fmt: skip
        (folder / "trained").touch()
    flags = ["--checkpoint", str(folder / "last"), *flags]
    return {
        rule: judge(asked, f"{folder.name}-{rule.split()[0]}-{rule.split()[-1]}", [*flags, *more])
        for rule, more in rules_of(name).items()
    }


def rules_of(variant: str) -> dict[str, list[str]]:
    """The rules that a variant is judged by, with their flags; the first is its own."""
    return IN_ORDER if variant.startswith("contrast") else RULES


def judge(asked: argparse.Namespace, name: str, flags: Sequence[Any]) -> dict[str, Any]:
    """What ``cospal evaluate`` says of the test split."""
    kept = asked.out / name / "evaluation.json"
    if not kept.is_file():
        kept.parent.mkdir(exist_ok=True)
        found = run(["evaluate", "--data", asked.data, "--prepared", asked.prepared, "--json",
                     "--resamples", "0", "--details", "--quiet", *flags])  # fmt: skip
        kept.write_text(found, encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))


def run(arguments: Sequence[Any]) -> str:
    """What a cospal command prints; the study ends where it fails."""
    command = [sys.executable, "-m", "cospal_cli", *map(str, arguments)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


def row(report: dict[str, Any], method: str, what: str = "predicted") -> Row:
    """One line of the table."""
    means = report["methods"][method]["rows"][what]
    return {name: means[name]["mean"] for name in METRICS if name in means}


def table(rows: dict[str, list[Row]]) -> Iterator[str]:
    """Markdown: percentages, mean ± standard deviation over the seeds."""
    yield "| SYNTHETIC test set | " + " | ".join(METRICS) + " |"
    yield "|---" * (len(METRICS) + 1) + "|"
    for name, found in rows.items():
        yield (
            f"| {name} | " + " | ".join(cell([one.get(m) for one in found]) for m in METRICS) + " |"
        )


def cell(values: Sequence[float | None]) -> str:
    """``54.3 ± 1.2``; one value stands alone."""
    known = [100 * value for value in values if value is not None]
    if not known:
        return ""
    return f"{mean(known):.1f}" + (f" ± {stdev(known):.1f}" if len(known) > 1 else "")


if __name__ == "__main__":
    main()
