"""Videos, clips and stills of stored tubes: what ``cospal ground`` draws, made later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands import console
from cospal_cli.commands.output_paths import is_folder, short_stem
from cospal_cli.core.errors import CospalError, UsageError
from cospal_cli.core.progress import Progress

if TYPE_CHECKING:
    from cospal_cli.core.json_types import JsonDict
    from cospal_cli.settings import OutputConfig
    from cospal_cli.video.moment import Moment

# name of --to -> what the file's name ends with
DRAWN = {
    "video": ".tube.mp4",
    "clip": ".clip.mp4",
    "clip-copy": ".clip.mp4",
    "crop": ".crop.mp4",
    "sheet": ".sheet.png",
    "thumbnail": ".thumbnail.png",
}


@dataclass(frozen=True)
class DrawnFile:
    """One picture of one document."""

    kind: str  # of ``DRAWN``
    path: Path
    document: JsonDict
    source: Path  # the video

    def write(self, output: OutputConfig, progress: Progress, stopped: Callable[[], bool]) -> None:
        """Write it, whole or not at all; warns of what is left out. See ``video`` for errors."""
        from cospal_cli.result import drawn_of, moments
        from cospal_cli.video.clip import write_clip, write_crop
        from cospal_cli.video.copy_clip import write_copy
        from cospal_cli.video.sheet import write_sheet, write_thumbnail
        from cospal_cli.video.writer import write_annotated

        text = self.document["query"]["text"]
        found = moments(self.document, self.source)
        if self.kind == "video":
            overlay, config = drawn_of(self.document)
            done = write_annotated(
                self.source, self.path, overlay, config, output, progress, stopped
            )
        elif self.kind == "sheet":
            return write_sheet(found[0], self.path, text)
        elif self.kind == "thumbnail":
            return write_thumbnail(found[0], self.path)
        elif self.kind == "clip-copy":
            done = write_copy(found[0], self.path, output.pad)
            if early := begins_early(self.path, found[0], done.span_s[0]):
                console.LOG.warning(early)
        else:
            write = write_crop if self.kind == "crop" else write_clip
            done = write(found[0], self.path, output.pad, output, progress, stopped)
        for message in done.warnings:
            console.LOG.warning(message)
        return None


def begins_early(path: Path, moment: Moment, start_s: float) -> str:
    """A sentence where a copied clip begins at ``start_s`` of its video, before the moment."""
    early_s = moment.tube.span_s[0] - start_s
    if early_s <= 0:
        return ""
    return (
        f"{path.name!r} begins with the key frame at {start_s:.2f} s, "
        f"{early_s:.2f} s before the moment"
    )


def planned(kinds: Sequence[str], files: Sequence[Path], output: str | None) -> list[DrawnFile]:
    """What is to be drawn of the documents in ``files``; nothing of those without a tube, but the
    video. UsageError where two would share a name."""
    from cospal_cli.outputs.stored import distinct

    given = list(_documents(files))
    names = distinct([name for name, _, _ in given])
    drawn = [
        DrawnFile(kind, _place(name, kind, output), document, _source(document, folder))
        for kind in dict.fromkeys(kinds)
        for name, (_, document, folder) in zip(names, given, strict=True)
        if document["tubes"] or kind == "video"
    ]
    if {"clip", "clip-copy"} <= {*kinds}:
        raise UsageError("--to clip and --to clip-copy share a name", "give one of them")
    return drawn


def draw(drawn: Sequence[DrawnFile], output: OutputConfig, quiet: bool) -> int:
    """Write all; how many failed. Raises the error where that is the only one there is."""
    failed = 0
    with console.Interrupts() as interrupts, console.progress(quiet) as progress:
        for one in drawn:
            if interrupts.stopped():
                raise KeyboardInterrupt
            try:
                one.write(output, progress, interrupts.stopped)
            except CospalError as error:
                if len(drawn) == 1:
                    raise
                failed += 1
                console.LOG.error(f"{console.printable(str(one.path))}: {error.message}")
            else:
                if not quiet:
                    console.say(f"wrote {console.printable(str(one.path))}")
    return failed


def _documents(files: Sequence[Path]) -> Iterator[tuple[str, JsonDict, Path]]:
    """(name, document, folder) of each that is whole; others were told of before."""
    from cospal_cli.evaluation.checked import Malformed, documents
    from cospal_cli.outputs.stored import TubeDocument

    for path in files:
        try:
            values = documents(path)
        except (Malformed, CospalError):
            continue
        for value in values:
            try:
                known = TubeDocument.parse(value)
            except Malformed:
                continue
            assert isinstance(value, dict)
            own = path.name.removesuffix(".json").removesuffix(".tube")
            name = own if len(values) == 1 else short_stem(known.video.stem)
            yield name, value, path.parent


def _place(name: str, kind: str, output: str | None) -> Path:
    if output is None or is_folder(output):
        return Path(output or ".") / f"{short_stem(name)}{DRAWN[kind]}"
    suffix = Path(DRAWN[kind]).suffix
    if Path(output).suffix.lower() != suffix:
        raise UsageError(f"-o {output!r} is not a name for a {kind}", f"let it end in {suffix}")
    return Path(output)


def _source(document: JsonDict, folder: Path) -> Path:
    """The document's video: as it is named, or as seen from the document, or beside it."""
    named = Path(document["video"]["path"])
    places = [named, folder / named, folder / named.name]
    for place in places:
        with suppress(OSError, ValueError):  # a name that no system takes
            if place.exists():
                return place
    return named


def without(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """``names`` that are drawn, and the others."""
    return [one for one in names if one in DRAWN], [one for one in names if one not in DRAWN]
