"""What ``cospal evaluate`` writes: its folder with JSON, picture and predictions, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cospal_cli.commands import console
from cospal_cli.commands.output_paths import output_folder
from cospal_cli.commands.report import page_path
from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import check_outputs, claimed, write_text

if TYPE_CHECKING:
    from cospal_cli.evaluation.summary import EvaluationReport
    from cospal_cli.evaluation.tubes import Prediction

REPORT, PICTURE, PREDICTIONS = "evaluation.json", "distributions.png", "predictions.json"


@dataclass(frozen=True)
class EvaluationFiles:
    """Where the results of an evaluation go: claimed until the command ends."""

    folder: Path | None  # of -o
    page: Path | None  # of --report
    methods: Sequence[str] = ()  # whose predictions are kept

    @classmethod
    def claim(
        cls,
        output: str | None,
        report: Path | None,
        methods: Sequence[str],
        inputs: Mapping[Path, str],
        overwrite: bool,
    ) -> EvaluationFiles:
        """Check the outputs and claim them; ``inputs``: what is read, with its option.

        UsageError for a path that cannot be one, that is read, or that is there already.
        """
        folder = _folder(Path(output), methods, inputs, overwrite) if output else None
        return cls(folder, _page(report, inputs, overwrite), methods)

    def add(self, method: str, predictions: Mapping[str, Prediction | None]) -> None:
        """Write a method's predictions; given ones are there already."""
        from cospal_cli.evaluation.predictions import write_predictions

        if self.folder is not None and method in self.methods:
            write_predictions(self.folder / f"{method}.{PREDICTIONS}", predictions)

    def write(self, text: str, title: str, reports: Mapping[str, EvaluationReport]) -> None:
        """Write JSON and picture; without matplotlib no picture, with a warning."""
        if self.folder is None:
            return
        from cospal_cli.evaluation.plots import distributions

        write_text(self.folder / REPORT, text + "\n")
        try:
            distributions(self.folder / PICTURE, reports, title)
        except UsageError as error:
            console.LOG.warning("no picture: %s (%s)", error.message, error.hint)


def _folder(
    folder: Path, methods: Sequence[str], inputs: Mapping[Path, str], overwrite: bool
) -> Path:
    if folder.suffix and not folder.is_dir():
        raise UsageError(f"-o {str(folder)!r}: expected a folder", "leave out the file name")
    context = click.get_current_context()
    context.with_resource(output_folder(str(folder)))
    targets = [folder / name for name in (REPORT, PICTURE)]
    targets += [folder / f"{name}.{PREDICTIONS}" for name in methods]
    check_outputs(targets, inputs, overwrite)
    context.with_resource(claimed(targets))
    check_outputs(targets, inputs, overwrite)  # as others left them
    return folder


def _page(report: Path | None, inputs: Mapping[Path, str], overwrite: bool) -> Path | None:
    if report is None:
        return None
    target = page_path(report)
    check_outputs([target], inputs, overwrite)
    click.get_current_context().with_resource(claimed([target]))
    return target
