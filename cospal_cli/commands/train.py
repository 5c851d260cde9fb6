"""``cospal train``: sentences and videos in, trained heads out."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import click

from cospal_cli.commands import console
from cospal_cli.commands.context import PATH, Context, command, json_option, option
from cospal_cli.commands.options import processes_option
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.settings import Settings, flatten, override, recipes
from cospal_cli.settings.stored import modern
from cospal_cli.settings.words import INPUT, MODELS, TRAINING

if TYPE_CHECKING:
    from cospal_cli.core.progress import Progress
    from cospal_cli.evaluation.tubes import Truth
    from cospal_cli.prepared.folder import Prepared
    from cospal_cli.settings import Config
    from cospal_cli.training.loop import Outcome

AUTO, NONE = "auto", "none"  # recipes: by the data set; the defaults alone
SYNTHETIC = "SYNTHETIC data"
FEATURES = ("video", "detector", "tracker", "language", "text", "clips", "features")
FLAGS = (
    "curriculum.epochs",
    "train.batch",
    "train.lr",
    "train.seed",
    "train.device",
    "train.precision",
    "train.threads",
)


@dataclass(frozen=True)
class TrainOptions:
    """See ``train``."""

    data: Annotated[
        Path,
        option(
            "--data",
            group=INPUT,
            required=True,
            type=PATH,
            help="Folder of the data set, or its prepared features.",
        ),
    ]
    prepared: Annotated[
        Path | None,
        option(
            "--prepared",
            group=INPUT,
            type=PATH,
            help="Folder of its prepared features; computed if missing.  [default: DATA/prepared]",
        ),
    ]
    out: Annotated[
        Path | None,
        option("--out", type=PATH, help="Folder to write the training to.  [default: runs/DATA]"),
    ]
    recipe: Annotated[
        str | None,
        option(
            "--recipe",
            group=TRAINING,
            help=f"Settings to start from: {', '.join(recipes.names())} or none.  [default: the "
            "data set's; none with --config]",
        ),
    ]
    resume: Annotated[
        bool,
        option(
            "--resume",
            group=TRAINING,
            is_flag=True,
            help="Continue the training in --out, if there is one.",
        ),
    ]
    init_from: Annotated[
        Path | None,
        option(
            "--init-from",
            group=MODELS,
            type=PATH,
            help="Checkpoint to take the initial weights from.",
        ),
    ]
    jobs: Annotated[int | None, processes_option("--jobs", "Processes that prepare features.")]
    as_json: Annotated[bool, json_option("Print one JSON document about the run.")]  # fmt: skip


@command(TrainOptions, FLAGS)
def train(context: Context[TrainOptions]) -> None:
    """Train the heads on videos and their sentences, without any boxes or times.

    A tenth of train, for validation, chooses the best checkpoint. Several processes:
    'accelerate launch -m cospal_cli train ...', on a data set that is prepared already.
    """
    from cospal_cli.core.registry import require

    options = context.options
    first = int(os.environ.get("RANK", "0")) == 0
    for package in ("torch", "accelerate"):
        require(package, "train")
    root, features = _folders(options.data, options.prepared)
    recipe = _recipe(root, features, options.recipe, context.config_file)
    settings = context.merged(recipe)
    from cospal_cli.training.loop import TrainingJob
    from cospal_cli.training.loop import train as run

    with _Stops() as stops:
        with context.progress("videos") as progress:
            prepared = _open(root, features, settings.config, options.jobs, progress, stops)
        if prepared is None:
            raise click.exceptions.Exit(stops.code)
        config = _fitted(settings, prepared)
        name = root.resolve().name or "data"
        job = TrainingJob(
            prepared,
            options.out or Path("runs") / name,
            config,
            {
                "name": name,
                "synthetic": prepared.synthetic,
                "samples": len(prepared.samples("fit")),
            },
            _truths(root, config),
            options.resume,
            options.init_from,
        )
        with context.progress("updates") as progress:
            outcome = run(job, progress, stops.stopped)
    if outcome.stopped and first:
        console.say(
            f"stopped after update {outcome.update} of {outcome.updates}, saved in "
            f"{job.out / 'last'}; --resume continues"
        )
    if outcome.stopped:
        raise click.exceptions.Exit(stops.code)
    if first:
        report = _as_dict(outcome, job.out, prepared.synthetic)
        console.emit(json.dumps(report, indent=2) if options.as_json else _lines(report))


class _Stops(console.Interrupts):
    """Ctrl-C and SIGTERM end the training after the update at hand; a second Ctrl-C at once."""

    code = 128 + signal.SIGINT

    def __enter__(self) -> _Stops:
        super().__enter__()
        self._before = signal.signal(signal.SIGTERM, self._terminated)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGTERM, self._before)
        super().__exit__(*error)

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        self.code = 128 + signal.SIGTERM
        self._count = max(self._count, 1)


def _folders(data: Path, prepared: Path | None) -> tuple[Path, Path]:
    """The data set's folder and that of its features; ``data`` may be either."""
    from cospal_cli.prepared.folder import FOLDER, NAME, read_about

    if prepared is not None or not (data / NAME).is_file():
        return data, prepared or data / FOLDER
    about = read_about(data) or {}
    return Path(about.get("root", data)), data


def _recipe(
    root: Path, features: Path, chosen: str | None, config_file: Path | None
) -> Path | None:
    """The settings file to start from."""
    from cospal_cli import datasets
    from cospal_cli.datasets.synthetic.recipe import is_synthetic
    from cospal_cli.datasets.tree import Tree
    from cospal_cli.prepared.folder import read_about
    from cospal_cli.settings import recipes

    if config_file is not None:
        if chosen not in (None, NONE):
            raise UsageError("--recipe and --config exclude each other", "give one of the two")
        return config_file
    if chosen == NONE:
        return None
    if chosen not in (None, AUTO):
        return recipes.find(chosen)
    about = read_about(features) or {}
    if about.get("synthetic") or is_synthetic(root):
        return recipes.find("synthetic")
    name = about.get("data_format") or datasets.annotation_files(Tree(root))[0]
    return recipes.find(name) if name in recipes.names() else None


def _open(
    root: Path, features: Path, config: Config, jobs: int | None, progress: Progress, stops: _Stops
) -> Prepared | None:
    """The features, computed first where they are missing or incomplete; None when stopped."""
    from cospal_cli.library.engines import feature_workers
    from cospal_cli.prepared.folder import Prepared, read_about
    from cospal_cli.preparing.prepare import prepare

    about = read_about(features)
    if about is None or not about.get("complete"):
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise UsageError(
                f"{str(root)!r} is not prepared",
                "run 'cospal data prepare' before training with several processes",
            )
        console.LOG.warning("preparing %s first, into %s", root, features)
        count = feature_workers(config, jobs)
        report = prepare(root, features, config, count, progress, stops.stopped)
        if report is None:
            return None
        if report.skipped:
            console.LOG.warning("%d records have no features", report.skipped)
    return Prepared.open(features)


def _fitted(settings: Settings, prepared: Prepared) -> Config:
    """The settings with those of the features in place.

    UsageError where the user set others than those; what a recipe sets gives way.
    """
    given, used = flatten(settings.config), flatten(prepared.config)
    own = {key: value for key, value in used.items() if key.partition(".")[0] in FEATURES}
    fixed = {*modern(prepared.about["made_with"]), "text.name", "text.model"}
    fixed |= {key for key in own if key.startswith("features.")}
    other = [
        f"{key}: prepared with {own.get(key)}, set to {given[key]} by {settings.origins[key]}"
        for key in given
        if key in fixed
        and given[key] != own.get(key)
        and key in settings.said
        and not settings.origins[key].startswith(str(recipes.FOLDER))
    ]
    if other:
        raise UsageError(
            f"{str(prepared.folder)!r} holds other features: {'; '.join(other)}",
            "leave these settings out, or prepare into another folder with --prepared",
        )
    return override(settings.config, own)


def _truths(root: Path, config: Config) -> Mapping[str, Truth]:
    """Boxes and times of the validation samples, to choose by; {} where there are none."""
    from cospal_cli import datasets
    from cospal_cli.datasets.splits import VALIDATION
    from cospal_cli.devices import processors

    if config.train.select == "loss":
        return {}
    try:
        truths = datasets.read(root, VALIDATION, truth=True, workers=processors()).truths
    except (InputError, UsageError) as error:
        console.LOG.warning("the best checkpoint is chosen by its loss: %s", error.message)
        return {}
    if not truths:
        console.LOG.warning(
            "there are no truths for validation: the best checkpoint is chosen by its loss"
        )
    return truths


def _as_dict(outcome: Outcome, out: Path, synthetic: bool) -> JsonDict:
    plain = {
        key: value for key, value in vars(outcome).items() if key not in ("validation", "picture")
    }
    return {
        "out": str(out),
        "synthetic": synthetic,
        **plain,
        "validation": dict(outcome.validation),
        "picture": str(outcome.picture) if outcome.picture else None,
    }


def _lines(report: JsonDict) -> str:
    """The run as lines of text."""
    out, best = report["out"], report["best"]
    value = f"{abs(best):.4f}" if report["selected_by"] == "loss" else f"{best:.4f}"
    lines = [f"{out}: {report['update']} updates" + f" ({SYNTHETIC})" * report["synthetic"]]
    if report["selected_by"] != "update":
        lines.append(
            f"best after update {report['best_update']}: {report['selected_by']} {value} "
            "in validation"
        )
    if report["samples_per_s"]:
        lines.append(
            f"{report['samples_per_s']:.1f} samples/s, {report['wait_share']:.1%} of the time "
            "waiting for data"
        )
    lines.append(f"heads: {out}/best, {out}/last")
    if report["picture"]:
        lines.append(f"picture: {report['picture']}")
    return "\n".join(lines)
