"""Where results go: decided, and checked, before any work starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import make_folder
from cospal_cli.core.foreign import errors_as
from cospal_cli.settings import Config, OutputConfig, flatten
from cospal_cli.video.ranges import parse_mark

SUFFIXES = (".json", ".mp4")
PICTURES = {"clip": ".mp4", "crop": ".mp4", "sheet": ".png", "thumbnail": ".png"}
MAX_NAME_BYTES = 255


@dataclass(frozen=True)
class OutputPaths:
    """The files of one query's result; None: not written."""

    json: Path | None
    video: Path | None
    pictures: tuple[tuple[str, Path], ...] = ()  # (a name of ``PICTURES``, path)

    @property
    def files(self) -> list[Path]:
        """Those that will be written."""
        found = [path for path in (self.json, self.video) if path is not None]
        return [*found, *(path for _, path in self.pictures)]


def output_paths(
    source: Path, output: str | None, queries: int, video: bool, stdout: bool
) -> list[OutputPaths]:
    """The output paths of each query.

    ``output``: a .json file (JSON only), an .mp4 file (its JSON beside it), a folder (an existing
    one, or a name without suffix or with a slash at its end), or None: the working folder, and
    nothing at all if the JSON goes to ``stdout``. In folders the names are STEM.tube.json and
    STEM.tube.mp4, with several queries STEM.1.tube.json and so on. UsageError if ``output`` is
    one file for several queries, a file of another kind, or a path that the system refuses.
    """
    if output is None and stdout:
        return [OutputPaths(None, None)] * queries
    if output == "-":
        raise UsageError(
            "-o - does not mean stdout", "--json prints the results; ./- names a folder"
        )
    target = Path(output or ".")
    with errors_as(UsageError, f"-o {output!r}", "choose another path"):
        folder = is_folder(output or ".")
    if folder:
        endings = [""] if queries == 1 else [f".{n + 1}" for n in range(queries)]
        return [paths_in(target, source.stem, ending, video) for ending in endings]
    if target.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"-o {str(target)!r}: unknown kind of output {target.suffix!r}",
            f"name a file that ends in {' or '.join(SUFFIXES)}, or a folder",
        )
    if queries > 1:
        raise UsageError(
            f"-o {str(target)!r} is one file, but there are {queries} queries", "name a folder"
        )
    if target.suffix.lower() == ".json":
        return [OutputPaths(target, None)]
    return [OutputPaths(target.with_suffix(".json"), target if video else None)]


def paths_in(folder: Path, stem: str, ending: str, video: bool) -> OutputPaths:
    """The paths of a result in a folder; ``ending``: what distinguishes it from others of the same
    video, such as ".2"."""
    name = fitting(stem, f"{ending}.tube")
    return OutputPaths(folder / f"{name}.json", folder / f"{name}.mp4" if video else None)


def with_pictures(paths: Sequence[OutputPaths], config: OutputConfig) -> list[OutputPaths]:
    """``paths`` with those of the clips and stills that ``config`` asks for, beside the JSON.

    UsageError where they contradict, or there is no place for them.
    """
    names = [name for name in PICTURES if getattr(config, name)]
    if config.clip and config.clip_copy:
        raise UsageError(
            "--clip encodes the moment anew and --clip-copy does not", "give one of them"
        )
    names = ["clip", *names] if config.clip_copy else names
    cut = bool({"clip", "crop"} & {*names})
    check_pad(config.pad, "give --clip, --clip-copy or --crop" if not cut else "")
    if names and any(one.json is None for one in paths):
        flag = "--clip-copy" if config.clip_copy else f"--{names[0]}"
        raise UsageError(
            f"{flag} writes a file, but --json without -o writes none", "say where it goes: -o DIR"
        )
    return [replace(one, pictures=tuple(_beside(one.json, names))) for one in paths]


def check_pad(pad: str, missing: str) -> None:
    """UsageError for a ``pad`` that is not a length, or that nothing needs; ``missing``: what to
    give then, "" where something is cut out."""
    if parse_mark(pad, "pad").frames != 0 and missing:
        raise UsageError("--pad is about what is cut out", missing)


def _beside(document: Path | None, names: Sequence[str]) -> Iterator[tuple[str, Path]]:
    if document is None:
        return
    stem = document.stem.removesuffix(".tube")
    for name in names:
        yield name, document.with_name(fitting(stem, f".{name}") + PICTURES[name])


def is_folder(output: str) -> bool:
    """Whether ``-o`` means a folder: it is one, ends with a slash, or has no suffix."""
    path = Path(output)
    return (
        path.is_dir() or output.endswith(("/", os.sep)) or (not path.suffix and not path.exists())
    )


def base_of(source: Path, output: str | None) -> Path:
    """The path that other outputs about ``source`` begin with, beside those of ``output_paths``."""
    if output is None or is_folder(output):
        return Path(output or ".") / short_stem(source.stem)
    return Path(output).with_suffix("").with_name(Path(output).stem.removesuffix(".tube"))


@contextmanager
def output_folder(output: str | None, flag: str = "-o") -> Iterator[None]:
    """Create the folder that ``flag`` names, if it is one; it is removed again if it stays empty.

    UsageError where it cannot be made.
    """
    missing: list[Path] = []
    if output is not None and is_folder(output):
        path = Path(output)
        missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
        with errors_as(UsageError, f"{flag} {output!r}", "choose another folder"):
            make_folder(path)
    try:
        yield
    finally:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()


def inputs_of(
    video: Path,
    named: Mapping[str, Path | None],
    config: Config,
    flags: Mapping[str, str],
) -> dict[Path, str]:
    """Every file and folder that a run reads, with its name for the user.

    ``named``: those of options, by option; ``flags``: the option of a setting's dotted key. Any
    setting may name a file: detections, weights, words.
    """
    from cospal_cli.backbones.models import whereabouts

    inputs = {video: "the video"}
    inputs |= {path: option for option, path in named.items() if path is not None}
    for key, value in flatten(config).items():
        if isinstance(value, str) and value:
            path = whereabouts(value) if key.endswith(".model") else Path(value)
            if path is not None and os.path.exists(path):
                inputs.setdefault(path, flags.get(key, key))
    return inputs


def short_stem(stem: str) -> str:
    """``stem``, cut until file systems take it with the longest ending there is."""
    longest = ".label-studio"  # with a suffix
    return fitting(stem, longest).removesuffix(longest)


def fitting(stem: str, ending: str) -> str:
    """``stem`` + ``ending``, the stem cut until file systems take the name with its suffix."""
    room = MAX_NAME_BYTES - len(ending) - len(SUFFIXES[0])
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return stem + ending
