"""Files of the output formats: which there will be, whether they may be, and writing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands import console
from cospal_cli.core import files
from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json

if TYPE_CHECKING:
    from cospal_cli.outputs import OutputFormat
    from cospal_cli.outputs.stored import TubeDocument
    from cospal_cli.settings import OutputConfig


@dataclass(frozen=True)
class FormatFiles:
    """What one format writes for some documents. ``places``: the path of each of its endings."""

    format: OutputFormat
    places: Mapping[str, Path]

    @property
    def paths(self) -> list[Path]:
        """Files, and the folder of a format that writes one."""
        return list(self.places.values())

    def write(self, documents: Sequence[TubeDocument], quiet: bool = False) -> None:
        """Write ``documents`` and say so. Each file is whole or not there at all; DeviceError where
        the disk refuses."""
        texts = self.format.files(documents)
        for ending, path in self.places.items():
            if not ending.endswith("/"):
                files.write_text(path, texts[ending])
                continue
            inside = {name.removeprefix(ending): text for name, text in texts.items()}
            with errors_as(DeviceError, f"cannot write {str(path)!r}", "choose another folder"):
                for name in inside:
                    files.make_folder((path / name).parent)
            with files.workplace(path) as work:
                for name, text in inside.items():
                    (work / name).parent.mkdir(exist_ok=True)
                    (work / name).write_bytes(text.encode("utf-8", "replace"))
                files.publish(work, list(inside), path)
        for path in () if quiet else self.paths:
            console.say(f"wrote {console.printable(str(path))}")


def open_formats(names: Iterable[str], config: OutputConfig) -> list[OutputFormat]:
    """The formats called ``names``, each once. UsageError for an unknown one."""
    from cospal_cli.outputs import open_output

    return [open_output(name, config) for name in dict.fromkeys(names)]


def beside(format: OutputFormat, base: Path) -> FormatFiles:
    """The files of ``format`` whose names are that of ``base`` and its endings."""
    names = {ending: base.name + ending.rstrip("/") for ending in format.endings}
    return FormatFiles(format, {ending: base.parent / name for ending, name in names.items()})


def exactly(format: OutputFormat, path: Path) -> FormatFiles:
    """``path`` as the first file of ``format``; others take its name with their own suffix.

    UsageError for a format that writes a folder.
    """
    if any(ending.endswith("/") for ending in format.endings):
        raise UsageError(
            f"-o {str(path)!r} is one file, but this format writes a folder", "name a folder"
        )
    places = {ending: path.with_suffix(Path(ending).suffix) for ending in format.endings}
    return FormatFiles(format, places | {format.endings[0]: path})


def write_all(
    written: Iterable[FormatFiles], documents: Sequence[Json], quiet: bool = False
) -> None:
    """Write all formats of ``documents`` and say so; nothing where there is no document."""
    every = list(written) if documents else []
    if not every:
        return
    from cospal_cli.outputs.stored import TubeDocument

    parsed = [TubeDocument.parse(document) for document in documents]
    for one in every:
        one.write(parsed, quiet)


def check(
    written: Iterable[FormatFiles],
    inputs: Mapping[Path, str],
    overwrite: bool,
    others: Iterable[Path] = (),
) -> None:
    """UsageError unless all can be written, and ``others``; see ``files.check_outputs``."""
    plain = list(others)
    for ending, path in (place for one in written for place in one.places.items()):
        if ending.endswith("/") and path.is_dir():
            if not overwrite:
                raise UsageError(
                    f"the output {str(path)!r} already exists",
                    "replace it with --overwrite, or choose another path with -o",
                )
        elif ending.endswith("/") and path.exists():
            raise UsageError(f"the output {str(path)!r} is a file", "choose another path with -o")
        else:
            plain.append(path)
    files.check_outputs(plain, inputs, overwrite)
