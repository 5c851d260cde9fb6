"""``cospal evaluate``: methods, a checkpoint or a file of predictions against the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cospal_cli.commands import console
from cospal_cli.commands.context import PATH, TEXT_PATH, Context, command, json_option, option
from cospal_cli.commands.evaluate_files import EvaluationFiles
from cospal_cli.commands.evaluate_inputs import SYNTHETIC, EvaluationInputs, EvaluationSources
from cospal_cli.commands.options import count_option, prepared_option, report_option
from cospal_cli.core.backends import METHODS, TRAINED
from cospal_cli.core.errors import SOME_FAILED, UsageError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.settings.merge import as_dict
from cospal_cli.settings.words import FIND, INPUT, MODELS

if TYPE_CHECKING:
    from cospal_cli.core.progress import Progress
    from cospal_cli.evaluation.summary import EvaluationReport

ALL = "all"
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
    prepared: Annotated[Path | None, prepared_option]
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
            help="Predictions to score: a tube file, a folder of them, results.jsonl, or what -o "
            "writes.",
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
        count_option(
            "--resamples",
            "Resamples for the 95 % intervals; 0: no intervals.",
            1000,
            least=0,
            group=FIND,
        ),
    ]
    output: Annotated[
        str | None,
        option(
            "-o",
            "--output",
            type=TEXT_PATH,
            metavar="DIR",
            help="Write JSON, picture and predictions there.",
        ),
    ]
    report: Annotated[Path | None, report_option]
    details: Annotated[
        bool,
        option(
            "--details",
            is_flag=True,
            help="Show what-if rows and groups even of several methods.",
        ),
    ]
    as_json: Annotated[bool, json_option("Print the JSON instead of the table.")]  # fmt: skip


@command(EvaluateOptions, FLAGS)
def evaluate(context: Context[EvaluateOptions]) -> int:
    """Score predictions on a split of a data set.

    Means over all samples with 95 % intervals by resampling videos; missing predictions count 0.
    Methods other than --predictions need the folder that 'cospal data prepare' writes.

    Exits with 0, or with 3 if some of the --predictions had to be left out.
    """
    options, config = context.options, context.config
    sources = _sources(options)
    files = EvaluationFiles.claim(
        options.output, options.report, sources.methods, _read(context), config.output.overwrite
    )
    with context.progress("samples") as progress:
        inputs = EvaluationInputs.read(sources, config.runtime, progress)
        reports = _reports(context, inputs, files, progress)
    verbs = inputs.hidden_verbs()
    document = _document(context, inputs, reports, verbs)
    text = json.dumps(document, indent=2, allow_nan=False)
    title = _title(options, sources.split)
    files.write(text, f"{title}\n{SYNTHETIC}" if inputs.synthetic else title, reports)
    if options.as_json:
        console.emit(text)
    else:
        details = options.details or len(reports) == 1
        console.emit(_table(reports, details, inputs.synthetic))
        _show_verbs(verbs)
    return SOME_FAILED if inputs.left_out else 0


def _sources(options: EvaluateOptions) -> EvaluationSources:
    """What is to be scored; UsageError where the flags do not fit."""
    from cospal_cli.datasets.splits import split_name
    from cospal_cli.evaluation.protocols import PROTOCOLS

    methods = _methods(options.methods, options.checkpoint, options.predictions)
    if options.protocol not in PROTOCOLS:
        raise UsageError(f"unknown protocol {options.protocol!r}", f"known: {', '.join(PROTOCOLS)}")
    return EvaluationSources(
        options.data,
        split_name(options.split),
        methods,
        options.prepared,
        options.checkpoint,
        options.predictions,
    )


def _read(context: Context[EvaluateOptions]) -> dict[Path, str]:
    """The files and folders that are read, with their options."""
    options = context.options
    files = {"--predictions": options.predictions, "--prepared": options.prepared}
    files |= {"--checkpoint": options.checkpoint, "--config": context.config_file}
    return {path: option for option, path in files.items() if path is not None}


def _title(options: EvaluateOptions, split: str) -> str:
    return f"{options.data.name}, {split}, {options.protocol}"


def _reports(
    context: Context[EvaluateOptions],
    inputs: EvaluationInputs,
    files: EvaluationFiles,
    progress: Progress,
) -> dict[str, EvaluationReport]:
    """The scores of every method; its predictions and the page are written on the way."""
    from cospal_cli.evaluation import summary
    from cospal_cli.report.scores import EvaluationPage

    options, truths, groups = context.options, inputs.dataset.truths, inputs.groups()
    heading = f"Evaluation: {_title(options, inputs.sources.split)}"
    page = EvaluationPage(files.page, heading, inputs.dataset, inputs.notes) if files.page else None
    reports = {}
    for name, predictions in inputs.predictions(context.config, progress):
        reports[name] = summary.evaluate(
            predictions, truths, options.protocol, groups=groups, resamples=options.resamples
        )
        files.add(name, predictions)
        if page is not None:
            page.add(name, reports[name], predictions)
    if page is not None:
        page.write(progress)
    return reports


def _document(
    context: Context[EvaluateOptions],
    inputs: EvaluationInputs,
    reports: Mapping[str, EvaluationReport],
    verbs: Mapping[str, float] | None,
) -> JsonDict:
    """The evaluation as JSON; docs/json.md names its fields."""
    return {
        "schema": "cospal/evaluation@1",
        "data": str(inputs.sources.data),
        "format": inputs.dataset.format,
        "synthetic": inputs.synthetic,
        "split": inputs.sources.split,
        "protocol": context.options.protocol,
        "problems": inputs.dataset.remarks(),
        "left_out": inputs.left_out,
        "checkpoint": inputs.about_heads(),
        "config": {"ground": as_dict(context.config.ground)},
        "hidden_verbs": verbs,
        "methods": {name: report.as_dict() for name, report in reports.items()},
    }


def _show_verbs(verbs: Mapping[str, float] | None) -> None:
    if verbs:
        shown = ", ".join(f"{name} {verbs[name]:.2f}" for name in verbs if name != "verbs")
        console.emit(f"NLL of {verbs['verbs']:.0f} hidden verbs, reconstructed from: {shown}")


def _methods(
    names: Sequence[str], checkpoint: Path | None, predictions: Path | None
) -> tuple[str, ...]:
    """The methods to run, in the order of ``METHODS``; UsageError where the flags do not fit."""
    if unknown := [name for name in names if name not in METHODS and name != ALL]:
        raise UsageError(f"unknown method {unknown[0]!r}", f"known: {', '.join(METHODS)}, {ALL}")
    if not names and checkpoint is not None:
        return ("cospal",)
    if not names and predictions is not None:
        return ()
    chosen = set(METHODS if ALL in names or not names else names)
    if checkpoint is None:
        if missing := chosen & TRAINED.keys() & set(names):
            from cospal_cli.ranking import needs_heads

            raise needs_heads(min(missing))
        chosen -= TRAINED.keys()
    elif not chosen & TRAINED.keys():
        raise UsageError(
            f"--checkpoint is not used by {', '.join(sorted(chosen))}",
            f"add --method {min(TRAINED)}",
        )
    return tuple(name for name in METHODS if name in chosen)


def _table(reports: Mapping[str, EvaluationReport], details: bool, synthetic: bool) -> str:
    from cospal_cli.core.table import screen_width, wrapped
    from cospal_cli.evaluation.table import table

    lines = wrapped(SYNTHETIC, screen_width()) if synthetic else []
    lines += table(reports, details=details, width=screen_width())
    return "\n".join(map(console.printable, lines))
