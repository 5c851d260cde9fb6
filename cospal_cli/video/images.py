"""Pictures as a video: a folder of them, or a pattern such as ``img_%05d.png``, in a stated order.

They are read one after another as one stream, so that everything behind sees an ordinary video.
Pictures do not say how quickly they follow each other: ``video.image_fps`` does. All must be of
one kind and size.
"""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cospal_cli.core.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer

USUAL_FPS = 25.0
KINDS = {
    ".png": "png_pipe",
    ".jpg": "jpeg_pipe",
    ".jpeg": "jpeg_pipe",
    ".bmp": "bmp_pipe",
    ".webp": "webp_pipe",
    ".ppm": "ppm_pipe",
}  # and the demuxer that splits a stream of them
_PATTERN = re.compile(r"%(0?\d*)d")
_SHOWN = 5  # ranges of missing numbers that are reported


@dataclass(frozen=True)
class Images:
    """Pictures in order. ``place``: what the user named."""

    place: Path
    files: tuple[Path, ...]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.stat().st_size for file in self.files)

    def note(self, fps: float) -> str:
        """How many there are, in which order, at which rate, and which numbers are missing."""
        first, last = self.files[0].name, self.files[-1].name
        summary = (
            f"{len(self.files)} pictures in the order of the numbers in their names, "
            f"{first!r} to {last!r}, as {fps:g} frames a second"
        )
        gaps = _gaps(self.files)
        more = f" and {len(gaps) - _SHOWN} more gaps" if len(gaps) > _SHOWN else ""
        return f"{summary}; missing: {', '.join(gaps[:_SHOWN])}{more}" if gaps else summary

    def check(self, max_pixels: int) -> None:
        """InputError unless all are pictures of one kind and size, of at most ``max_pixels``."""
        kinds = Counter(KINDS[file.suffix.lower()] for file in self.files)
        if len(kinds) > 1:
            counts = Counter(file.suffix.lower() for file in self.files)
            raise InputError(
                f"the pictures of {str(self.place)!r} are of several kinds: "
                + ", ".join(f"{count} {suffix}" for suffix, count in counts.items()),
                "name those of one kind, such as 'FOLDER/%d.png'",
            )
        first: tuple[int, int] | None = None
        for file in self.files:
            size = _size(file)
            first = first or size
            if size != first:
                raise InputError(
                    f"the pictures of {str(self.place)!r} are of several sizes: "
                    f"{self.files[0].name!r} {first[0]}x{first[1]}, "
                    f"{file.name!r} {size[0]}x{size[1]}",
                    "resize them to one size first",
                )
            if size[0] * size[1] > max_pixels:
                raise InputError(
                    f"the pictures of {str(self.place)!r} are {size[0]}x{size[1]}, more "
                    f"than {max_pixels} pixels",
                    "raise --max-pixels, or resize them first",
                )

    def open(self, options: dict[str, str], fps: float) -> InputContainer:
        """The container of all of them, ``fps`` a second; raises what PyAV raises.

        ``options`` are those of the decoder.
        """
        import av

        container: InputContainer = av.open(
            _Joined(self.files),
            "r",
            format=KINDS[self.files[0].suffix.lower()],
            container_options={"framerate": f"{fps:g}"},
            options=options,
        )
        return container


def find(place: Path) -> Images | None:
    """The pictures that ``place`` names, in order: all of a folder that holds no videos, or
    those that fit a pattern; None where it names none."""
    if _PATTERN.search(place.name) and not place.exists():
        parts = _PATTERN.split(place.name)  # text, width, text, ...
        wanted = "".join(re.escape(p) if n % 2 == 0 else r"(\d+)" for n, p in enumerate(parts))
        files = [file for file in _pictures(place.parent) if re.fullmatch(wanted, file.name)]
    else:
        files = list(_pictures(place))
    return Images(place, tuple(sorted(files, key=_natural))) if files else None


def _pictures(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        if file.suffix.lower() in KINDS and not file.name.startswith(".") and file.is_file():
            yield file


def _natural(file: Path) -> tuple[list[tuple[int, str]], str]:
    """Names with their numbers as numbers: img2 before img10."""
    parts = re.split(r"(\d+)", file.name)
    return [(int(p), "") if n % 2 else (-1, p.lower()) for n, p in enumerate(parts)], file.name


def _gaps(files: Sequence[Path]) -> list[str]:
    """The ranges of numbers, the last in each name, that are between others but not there."""
    digits = [re.findall(r"\d+", file.stem) for file in files]
    if not all(digits):
        return []
    numbers = sorted({int(each[-1]) for each in digits})
    return [
        str(a + 1) if b == a + 2 else f"{a + 1} to {b - 1}"
        for a, b in pairwise(numbers)
        if b > a + 1
    ]


def _size(file: Path) -> tuple[int, int]:
    """Width and height that the header claims; InputError if there is none."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                return picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"not a picture: {str(file)!r}", "remove it, or copy it again") from error


class _Joined(io.RawIOBase):
    """Files as one, read from the first byte to the last."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._left = iter(files)
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; b"" at the end."""
        while True:
            if self._file is None:
                path = next(self._left, None)
                if path is None:
                    return b""
                self._file = open(path, "rb")  # noqa: SIM115
            if data := self._file.read(size):
                return data
            self._file.close()
            self._file = None

    def close(self) -> None:
        """Close the file at hand."""
        if self._file is not None:
            self._file.close()
        super().close()
