"""The numbers of a training as they come: JSON Lines, and TensorBoard where it is installed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import DeviceError, InputError
from cospal_cli.core.files import write_text
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.reading import parse_table, read_lines
from cospal_cli.settings.stored import FORMER

LOG = logging.getLogger("cospal")
FILE, BOARD = "metrics.jsonl", "tensorboard"
TRAIN, VALIDATION = "train", "validation"  # kinds of lines

Line = JsonDict  # {"kind", "update", "epoch", ...}: see ``Metrics.add``


def read(folder: Path) -> list[Line]:
    """The lines of a training, in order, without one that a killed process left incomplete."""
    path = folder / FILE
    lines = []
    for _, raw in read_lines(path, InputError) if path.exists() else ():
        with suppress(ValueError):
            line = parse_table(raw)
            line["kind"] = FORMER.get(str(line.get("kind")), line.get("kind"))
            if isinstance(line.get("update"), int):
                lines.append(line)
    return lines


class Metrics:
    """Open for one training; ``quiet`` ones (of all processes but one) write nothing."""

    def __init__(self, folder: Path, update: int, quiet: bool = False) -> None:
        """Lines past ``update`` are of a run that was broken off: they will come again."""
        self._path = None if quiet else folder / FILE
        self._board: Any = None
        if self._path is None:
            return
        kept = [line for line in read(folder) if line["update"] <= update]
        write_text(self._path, "".join(_text(line) for line in kept))
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / BOARD), purge_step=update or None)
        else:
            LOG.info("tensorboard is not installed: metrics go to %s alone", FILE)

    def __enter__(self) -> Metrics:
        return self

    def __exit__(self, *_: object) -> None:
        if self._board is not None:
            self._board.close()

    def add(self, kind: str, update: int, epoch: int, values: Mapping[str, float]) -> None:
        """A line: ``kind`` train (means since the last one) or validation, after so many updates.

        DeviceError where the disk is full.
        """
        if self._path is None:
            return
        line = {"kind": kind, "update": update, "epoch": epoch}
        line |= {name: round(value, 6) for name, value in values.items()}
        about, hint = f"cannot write {str(self._path)!r}", "free some space; --resume continues"
        with errors_as(DeviceError, about, hint), open(self._path, "a", encoding="utf-8") as file:
            file.write(_text(line))
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, update)


def _text(line: Line) -> str:
    return json.dumps(line) + "\n"
