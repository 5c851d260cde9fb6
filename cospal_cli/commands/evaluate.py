"""``cospal evaluate``: methods, a checkpoint or a file of predictions against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cospal_cli.commands import console
from cospal_cli.commands.options import (
    Flag,
    config_options,
    flag_options,
    logging_options,
    merged_settings,
    start_logging,
)
from cospal_cli.commands.places import made_folder
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.ranking import METHODS, TRAINED

if TYPE_CHECKING:
    from cospal_cli.config import Config
    from cospal_cli.core.progress import Progress
    from cospal_cli.datasets.prepared import Prepared, Sample
    from cospal_cli.datasets.records import Dataset
    from cospal_cli.evaluation.predictions import Answers
    from cospal_cli.evaluation.summary import Report
    from cospal_cli.evaluation.tubes import Prediction
    from cospal_cli.runtime import Runtime

ALL = "all"
SOME_FAILED = 3  # exit code
SYNTHETIC = "SYNTHETIC data: figures made by the program itself, not real video"
REPORT, PICTURE, PREDICTIONS = "evaluation.json", "distributions.png", "predictions.json"
FLAGS = [
    Flag("--reads", "ground.reads", str, "What the heads read: refined or sentence."),
    Flag("--segment", "ground.segment", str, "Their segment: best, vote, hull; or blind."),
    Flag("--temporal-first", "ground.temporal_first", None, "Leave out who is not there.", True),
    Flag("--seed", "ground.seed", int, "Of the random baselines."),
    Flag("--overwrite", "output.overwrite", None, "Replace existing outputs.", True),
]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Folder of the data set."
)
@click.option(
    "--prepared", type=click.Path(path_type=Path), help="Its features.  [default: DATA/prepared]"
)
@click.option("--split", default="test", show_default=True, help="train, val, test, fit or held.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Folder of trained heads.")
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    help="Answers: a tube file, a folder of them, or what -o writes.",
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="NAME",
    help=f"{', '.join(METHODS)} or all; repeatable.  [default: the checkpoint's, else all]",
)
@click.option(
    "--protocol", default="plain", show_default=True, help="plain, tubedetr, stcat or hcvg."
)
@click.option(
    "--resamples",
    default=1000,
    show_default=True,
    type=click.IntRange(0),
    help="Draws behind the 95 % intervals; 0: none.",
)
@flag_options(FLAGS)
@click.option(
    "--runtime", default="auto", show_default=True, help="Of the heads: torch, onnx or tensorrt."
)
@click.option("--device", default="auto", show_default=True, help="Of the heads.")
@click.option("--precision", default="auto", show_default=True, help="fp32, fp16, bf16 or int8.")
@click.option("-o", "--output", metavar="DIR", help="Write JSON, PNG and predictions there.")
@click.option(
    "--details", is_flag=True, help="What-if rows and groups of every method, not of one alone."
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON instead of the table.")
@config_options
@logging_options
def evaluate(
    data: Path,
    prepared: Path | None,
    split: str,
    checkpoint: Path | None,
    predictions: Path | None,
    methods: tuple[str, ...],
    protocol: str,
    resamples: int,
    runtime: str,
    device: str,
    precision: str,
    output: str | None,
    details: bool,
    as_json: bool,
    config_file: Path | None,
    sets: tuple[str, ...],
    verbose: int,
    quiet: bool,
    log_file: Path | None,
    **given: Any,
) -> int:
    """Score answers on a split of a data set.

    Means over all samples with 95 % intervals by resampling videos; what is missing counts 0.
    Methods other than --predictions need the folder that 'cospal data prepare' makes.

    Exits with 0, or with 3 if some of the --predictions had to be left out.
    """
    start_logging(verbose, quiet, log_file)
    config = merged_settings(config_file, sets, FLAGS, given).config
    names = _methods(methods, checkpoint, predictions)
    from cospal_cli import datasets
    from cospal_cli.devices import processors
    from cospal_cli.evaluation import summary
    from cospal_cli.evaluation.predictions import write_predictions
    from cospal_cli.evaluation.protocols import PROTOCOLS

    if protocol not in PROTOCOLS:
        raise UsageError(f"unknown protocol {protocol!r}", f"known: {', '.join(PROTOCOLS)}")
    folder = Path(output) if output else None
    if folder:
        given_files = {"--predictions": predictions, "--prepared": prepared}
        given_files |= {"--checkpoint": checkpoint, "--config": config_file}
        inputs = {path: option for option, path in given_files.items() if path is not None}
        _make(folder, names, inputs, config.output.overwrite)
    reports = {}
    with console.progress(quiet, "samples") as progress:
        dataset = datasets.read(data, split, truth=True, workers=processors(), progress=progress)
        _warn(dataset.remarks())
        if not dataset.truths:
            raise InputError(
                f"no record of the split {split!r} has a truth", "name another --split"
            )
        features = _open(prepared, data, needed=bool(names))
        samples = _samples(features, split, dataset) if features else []
        heads = _runtime(checkpoint, features, names, (runtime, device, precision))
        counts = {one.id: one.actions for one in samples}
        groups = {"actions": summary.by_count(counts, summary.ACTION_EDGES)} if counts else {}
        given_answers = _read_predictions(predictions, dataset)
        rows = chain(
            [(predictions.name, given_answers.found)] if predictions and given_answers else [],
            _answers(features, samples, names, config, heads, progress),
        )
        for name, found in rows:  # one at a time: all boxes of all tubelets take memory
            reports[name] = summary.evaluate(
                found, dataset.truths, protocol, groups=groups, resamples=resamples
            )
            if folder and name in names:
                write_predictions(folder / f"{name}.{PREDICTIONS}", found)
    synthetic = (data / "synthetic.json").is_file()
    document = {
        "schema": "cospal/evaluation@1",
        "data": str(data),
        "format": dataset.format,
        "synthetic": synthetic,
        "split": split,
        "protocol": protocol,
        "problems": dataset.remarks(),
        "left_out": given_answers.bad if given_answers else [],
        "checkpoint": _told(checkpoint, heads),
        "config": {"ground": asdict(config.ground)},
        "methods": {name: report.as_dict() for name, report in reports.items()},
    }
    text = json.dumps(document, indent=2, allow_nan=False)
    if folder:
        title = f"{data.name}, {split}, {protocol}" + (f"\n{SYNTHETIC}" if synthetic else "")
        _write(folder, text, title, reports)
    console.emit(text if as_json else _table(reports, details or len(reports) == 1, synthetic))
    return SOME_FAILED if given_answers and given_answers.bad else 0


def _methods(
    asked: Sequence[str], checkpoint: Path | None, predictions: Path | None
) -> tuple[str, ...]:
    """The methods to run, in the order of ``METHODS``; UsageError where the flags do not fit."""
    if unknown := [name for name in asked if name not in METHODS and name != ALL]:
        raise UsageError(f"unknown method {unknown[0]!r}", f"known: {', '.join(METHODS)}, {ALL}")
    if not asked and checkpoint is not None:
        return tuple(name for name in METHODS if name in TRAINED)
    if not asked and predictions is not None:
        return ()
    chosen = set(METHODS if ALL in asked or not asked else asked)
    if checkpoint is None:
        if missing := chosen & TRAINED & set(asked):
            raise UsageError(
                f"method {min(missing)!r} needs trained heads", "give --checkpoint DIR"
            )
        chosen -= TRAINED
    elif not chosen & TRAINED:
        raise UsageError(
            f"--checkpoint is not used by {', '.join(sorted(chosen))}",
            f"add --method {min(TRAINED)}",
        )
    return tuple(name for name in METHODS if name in chosen)


def _open(prepared: Path | None, data: Path, needed: bool) -> Prepared | None:
    """The prepared features; None where they are not there and only groups would use them."""
    from cospal_cli.datasets.prepared import FOLDER, Prepared

    folder = prepared or data / FOLDER
    if not needed and prepared is None and not folder.is_dir():
        return None
    return Prepared.open(folder)


def _runtime(
    checkpoint: Path | None,
    features: Prepared | None,
    names: Sequence[str],
    place: tuple[str, str, str],
) -> Runtime | None:
    """The heads, once it is sure that they were trained on such features; ``place``: what runs
    them, where, in which precision."""
    if checkpoint is None or features is None or not TRAINED.intersection(names):
        return None
    from cospal_cli.features.identity import differences
    from cospal_cli.runtime import open_runtime, read_card

    if found := differences(read_card(checkpoint).features, features.identity):
        raise UsageError(
            f"{str(checkpoint)!r} was trained on other features: {'; '.join(found)}",
            "prepare the data with the settings of the training",
        )
    name, device, precision = place
    return open_runtime(name, checkpoint, device, precision)


def _samples(features: Prepared, split: str, dataset: Dataset) -> list[Sample]:
    """The prepared records that have a truth; InputError where none is of this data set."""
    samples = [one for one in features.samples(split) if one.id in dataset.truths]
    if not samples:
        raise InputError(
            f"{str(features.folder)!r} holds no record of this data set's split {split!r}",
            "name its features with --prepared",
        )
    return samples


def _read_predictions(path: Path | None, dataset: Dataset) -> Answers | None:
    """What --predictions names; whatever does not fit is said."""
    if path is None:
        return None
    from cospal_cli.evaluation.predictions import read_predictions

    answers = read_predictions(path, [one for one in dataset.records if one.id in dataset.truths])
    _warn(answers.bad)
    _warn(answers.strangers)
    return answers


def _answers(
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


def _told(checkpoint: Path | None, runtime: Runtime | None) -> dict[str, Any] | None:
    if checkpoint is None or runtime is None:
        return None
    from cospal_cli.outputs.tube_json import plain

    return {"path": str(checkpoint), "trained": plain(runtime.card.trained)}


def _make(folder: Path, names: Sequence[str], inputs: Mapping[Path, str], overwrite: bool) -> None:
    """The output folder, and its files claimed until the command ends."""
    from cospal_cli.core.files import check_outputs, claimed

    if folder.suffix and not folder.is_dir():
        raise UsageError(f"-o {str(folder)!r}: expected a folder", "leave out the file's name")
    context = click.get_current_context()
    context.with_resource(made_folder(str(folder)))
    targets = [folder / name for name in (REPORT, PICTURE)]
    targets += [folder / f"{name}.{PREDICTIONS}" for name in names]
    check_outputs(targets, inputs, overwrite)
    context.with_resource(claimed(targets))
    check_outputs(targets, inputs, overwrite)  # as others left them


def _write(folder: Path, text: str, title: str, reports: Mapping[str, Report]) -> None:
    """Picture and JSON; without matplotlib no picture, and that is said."""
    from cospal_cli.core.files import write_text
    from cospal_cli.evaluation.plots import distributions

    write_text(folder / REPORT, text + "\n")
    try:
        distributions(folder / PICTURE, reports, title)
    except UsageError as error:
        console.LOG.warning("no picture: %s (%s)", error.message, error.hint)


def _table(reports: Mapping[str, Report], details: bool, synthetic: bool) -> str:
    from cospal_cli.core.table import screen_width, wrapped
    from cospal_cli.evaluation.table import table

    lines = wrapped(SYNTHETIC, screen_width()) if synthetic else []
    lines += table(reports, details=details, width=screen_width())
    return "\n".join(map(console.printable, lines))


def _warn(messages: Sequence[str]) -> None:
    for message in messages:
        console.LOG.warning(message)
