"""``cospal evaluate``: methods, a checkpoint or a file of predictions against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from cospal_cli.commands import console
from cospal_cli.commands.context import PATH, Context, command, json_option, option
from cospal_cli.commands.output_paths import output_folder
from cospal_cli.core.backends import METHODS, TRAINED
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.settings.merge import as_dict
from cospal_cli.settings.words import FIND, INPUT, MODELS

if TYPE_CHECKING:
    from cospal_cli.core.progress import Progress
    from cospal_cli.datasets.records import Dataset
    from cospal_cli.evaluation.predictions import GivenPredictions
    from cospal_cli.evaluation.summary import EvaluationReport
    from cospal_cli.evaluation.tubes import Prediction
    from cospal_cli.prepared.folder import Prepared, Sample
    from cospal_cli.runtime import Runtime
    from cospal_cli.settings import Config
    from cospal_cli.settings.heads import RuntimeConfig

ALL = "all"
SOME_FAILED = 3  # exit code
SYNTHETIC = "SYNTHETIC data: figures made by the program itself, not real video"
REPORT, PICTURE, PREDICTIONS = "evaluation.json", "distributions.png", "predictions.json"
FLAGS = (
    "ground.query_form",
    "ground.segment",
    "ground.temporal_first",
    "ground.seed",
    "output.overwrite",
    "runtime.name",
    "runtime.device",
    "runtime.precision",
)


@dataclass(frozen=True)
class EvaluateOptions:
    """See ``evaluate``."""

    data: Annotated[
        Path,
        option("--data", group=INPUT, required=True, type=PATH, help="Folder of the data set."),
    ]
    prepared: Annotated[
        Path | None,
        option(
            "--prepared",
            group=INPUT,
            type=PATH,
            help="Folder of its prepared features.  [default: DATA/prepared]",
        ),
    ]
    split: Annotated[
        str,
        option(
            "--split",
            group=INPUT,
            default="test",
            show_default=True,
            help="Which records: train, val, test; fit or validation, the parts of train.",
        ),
    ]
    checkpoint: Annotated[
        Path | None,
        option("--checkpoint", group=MODELS, type=PATH, help="Folder of trained heads."),
    ]
    predictions: Annotated[
        Path | None,
        option(
            "--predictions",
            group=INPUT,
            type=PATH,
            help="Predictions to score: a tube file, a folder of them, or what -o writes.",
        ),
    ]
    methods: Annotated[
        tuple[str, ...],
        option(
            "--method",
            group=FIND,
            multiple=True,
            metavar="NAME",
            help=f"{', '.join(METHODS)} or all; repeatable.  [default: the checkpoint's, else all]",
        ),
    ]
    protocol: Annotated[
        str,
        option(
            "--protocol",
            group=FIND,
            default="plain",
            show_default=True,
            help="How overlap is counted: plain, tubedetr, stcat or hcvg.",
        ),
    ]
    resamples: Annotated[
        int,
        option(
            "--resamples",
            group=FIND,
            default=1000,
            show_default=True,
            type=click.IntRange(0),
            help="Draws behind the 95 % intervals; 0: none.",
        ),
    ]
    output: Annotated[
        str | None,
        option("-o", "--output", metavar="DIR", help="Write JSON, picture and predictions there."),
    ]
    details: Annotated[
        bool,
        option(
            "--details",
            is_flag=True,
            help="Show what-if rows and groups of every method, not of one alone.",
        ),
    ]
    as_json: Annotated[bool, json_option("Print the JSON instead of the table.")]  # fmt: skip


@command(EvaluateOptions, FLAGS)
def evaluate(context: Context[EvaluateOptions]) -> int:
    """Score predictions on a split of a data set.

    Means over all samples with 95 % intervals by resampling videos; what is missing counts 0.
    Methods other than --predictions need the folder that 'cospal data prepare' makes.

    Exits with 0, or with 3 if some of the --predictions had to be left out.
    """
    options, config = context.options, context.config
    data, checkpoint = options.data, options.checkpoint
    names = _methods(options.methods, checkpoint, options.predictions)
    from cospal_cli import datasets
    from cospal_cli.datasets.splits import split_name
    from cospal_cli.devices import processors
    from cospal_cli.evaluation import summary
    from cospal_cli.evaluation.predictions import write_predictions
    from cospal_cli.evaluation.protocols import PROTOCOLS

    if options.protocol not in PROTOCOLS:
        raise UsageError(f"unknown protocol {options.protocol!r}", f"known: {', '.join(PROTOCOLS)}")
    split = split_name(options.split)
    folder = Path(options.output) if options.output else None
    if folder:
        given_files = {"--predictions": options.predictions, "--prepared": options.prepared}
        given_files |= {"--checkpoint": checkpoint, "--config": context.config_file}
        inputs = {path: option for option, path in given_files.items() if path is not None}
        _prepare(folder, names, inputs, config.output.overwrite)
    reports = {}
    with context.progress("samples") as progress:
        dataset = datasets.read(data, split, truth=True, workers=processors(), progress=progress)
        _warn(dataset.remarks())
        if not dataset.truths:
            raise InputError(
                f"no record of the split {split!r} has a truth", "name another --split"
            )
        features = _open(options.prepared, data, needed=bool(names))
        samples = _samples(features, split, dataset) if features else []
        heads = _runtime(checkpoint, features, names, config.runtime)
        counts = {one.id: one.actions for one in samples}
        groups = {"actions": summary.by_count(counts, summary.ACTION_EDGES)} if counts else {}
        given = _read_predictions(options.predictions, dataset)
        rows = chain(
            [(options.predictions.name, given.by_id)] if options.predictions and given else [],
            _predictions(features, samples, names, config, heads, progress),
        )
        for name, predictions in rows:  # one at a time: all boxes of all tubelets take memory
            reports[name] = summary.evaluate(
                predictions,
                dataset.truths,
                options.protocol,
                groups=groups,
                resamples=options.resamples,
            )
            if folder and name in names:
                write_predictions(folder / f"{name}.{PREDICTIONS}", predictions)
    synthetic = (data / "synthetic.json").is_file()
    document = {
        "schema": "cospal/evaluation@1",
        "data": str(data),
        "format": dataset.format,
        "synthetic": synthetic,
        "split": split,
        "protocol": options.protocol,
        "problems": dataset.remarks(),
        "left_out": given.bad if given else [],
        "checkpoint": _description(checkpoint, heads),
        "config": {"ground": as_dict(config.ground)},
        "methods": {name: report.as_dict() for name, report in reports.items()},
    }
    text = json.dumps(document, indent=2, allow_nan=False)
    if folder:
        title = f"{data.name}, {split}, {options.protocol}" + (
            f"\n{SYNTHETIC}" if synthetic else ""
        )
        _write(folder, text, title, reports)
    details = options.details or len(reports) == 1
    console.emit(text if options.as_json else _table(reports, details, synthetic))
    return SOME_FAILED if given and given.bad else 0


def _methods(
    names: Sequence[str], checkpoint: Path | None, predictions: Path | None
) -> tuple[str, ...]:
    """The methods to run, in the order of ``METHODS``; UsageError where the flags do not fit."""
    if unknown := [name for name in names if name not in METHODS and name != ALL]:
        raise UsageError(f"unknown method {unknown[0]!r}", f"known: {', '.join(METHODS)}, {ALL}")
    if not names and checkpoint is not None:
        return tuple(name for name in METHODS if name in TRAINED)
    if not names and predictions is not None:
        return ()
    chosen = set(METHODS if ALL in names or not names else names)
    if checkpoint is None:
        if missing := chosen & TRAINED.keys() & set(names):
            raise UsageError(
                f"method {min(missing)!r} needs trained heads", "give --checkpoint DIR"
            )
        chosen -= TRAINED.keys()
    elif not chosen & TRAINED.keys():
        raise UsageError(
            f"--checkpoint is not used by {', '.join(sorted(chosen))}",
            f"add --method {min(TRAINED)}",
        )
    return tuple(name for name in METHODS if name in chosen)


def _open(prepared: Path | None, data: Path, needed: bool) -> Prepared | None:
    """The prepared features; None where they are not there and only groups would use them."""
    from cospal_cli.prepared.folder import FOLDER, Prepared

    folder = prepared or data / FOLDER
    if not needed and prepared is None and not folder.is_dir():
        return None
    return Prepared.open(folder)


def _runtime(
    checkpoint: Path | None,
    features: Prepared | None,
    names: Sequence[str],
    run: RuntimeConfig,
) -> Runtime | None:
    """The heads, once it is sure that they were trained on such features."""
    if checkpoint is None or features is None or not TRAINED.keys() & set(names):
        return None
    from cospal_cli.features.spec import FeatureSpec
    from cospal_cli.runtime import open_runtime, read_metadata

    trained = FeatureSpec(read_metadata(checkpoint).features)
    if differences := trained.differences(features.spec):
        raise UsageError(
            f"{str(checkpoint)!r} was trained on other features: {'; '.join(differences)}",
            "prepare the data with the settings of the training",
        )
    return open_runtime(run.name, checkpoint, run.device or "auto", run.precision, run.provider)


def _samples(features: Prepared, split: str, dataset: Dataset) -> list[Sample]:
    """The prepared records that have a truth; InputError where none is of this data set."""
    samples = [one for one in features.samples(split) if one.id in dataset.truths]
    if not samples:
        raise InputError(
            f"{str(features.folder)!r} holds no record of this data set's split {split!r}",
            "name its features with --prepared",
        )
    return samples


def _read_predictions(path: Path | None, dataset: Dataset) -> GivenPredictions | None:
    """What --predictions names; whatever does not fit is said."""
    if path is None:
        return None
    from cospal_cli.evaluation.predictions import read_predictions

    given = read_predictions(path, [one for one in dataset.records if one.id in dataset.truths])
    _warn(given.bad)
    _warn(given.strangers)
    return given


def _predictions(
    features: Prepared | None,
    samples: Sequence[Sample],
    names: Sequence[str],
    config: Config,
    runtime: Runtime | None,
    progress: Progress,
) -> Iterator[tuple[str, dict[str, Prediction | None]]]:
    """The name of each method with its answers by record id."""
    from cospal_cli.predict import predictions as predict

    if features is None:
        return
    for name in names:
        yield name, dict(predict(features, samples, name, config, runtime, progress))


def _description(checkpoint: Path | None, runtime: Runtime | None) -> dict[str, Any] | None:
    if checkpoint is None or runtime is None:
        return None
    from cospal_cli.outputs.tube_json import plain

    return {"path": str(checkpoint), "trained": plain(runtime.metadata.trained)}


def _prepare(
    folder: Path, names: Sequence[str], inputs: Mapping[Path, str], overwrite: bool
) -> None:
    """The output folder, and its files claimed until the command ends."""
    from cospal_cli.core.files import check_outputs, claimed

    if folder.suffix and not folder.is_dir():
        raise UsageError(f"-o {str(folder)!r}: expected a folder", "leave out the file's name")
    context = click.get_current_context()
    context.with_resource(output_folder(str(folder)))
    targets = [folder / name for name in (REPORT, PICTURE)]
    targets += [folder / f"{name}.{PREDICTIONS}" for name in names]
    check_outputs(targets, inputs, overwrite)
    context.with_resource(claimed(targets))
    check_outputs(targets, inputs, overwrite)  # as others left them


def _write(folder: Path, text: str, title: str, reports: Mapping[str, EvaluationReport]) -> None:
    """Picture and JSON; without matplotlib no picture, and that is said."""
    from cospal_cli.core.files import write_text
    from cospal_cli.evaluation.plots import distributions

    write_text(folder / REPORT, text + "\n")
    try:
        distributions(folder / PICTURE, reports, title)
    except UsageError as error:
        console.LOG.warning("no picture: %s (%s)", error.message, error.hint)


def _table(reports: Mapping[str, EvaluationReport], details: bool, synthetic: bool) -> str:
    from cospal_cli.core.table import screen_width, wrapped
    from cospal_cli.evaluation.table import table

    lines = wrapped(SYNTHETIC, screen_width()) if synthetic else []
    lines += table(reports, details=details, width=screen_width())
    return "\n".join(map(console.printable, lines))


def _warn(messages: Sequence[str]) -> None:
    for message in messages:
        console.LOG.warning(message)
