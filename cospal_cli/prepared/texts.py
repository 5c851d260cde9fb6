"""The word vectors of many texts in one safetensors file, read text by text.

Vectors lie end to end in float16; texts and the characters of each word say which belong to which.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from io import BytesIO
from math import prod
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np

from cospal_cli.core.errors import DeviceError, InputError
from cospal_cli.core.files import replacing
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.phrases import WordVectors
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.reading import parse_json
from cospal_cli.language.encoders.text import TextEncoder
from cospal_cli.prepared.arrays import ArrayFile, described, digest

FORMAT = "cospal/texts@1"
_BYTES = {"I64": 8, "I32": 4, "F16": 2, "U8": 1}  # of a number, by safetensors' name of its type
_HALF_MOST = float(np.finfo(np.float16).max)
CHUNK = 256  # texts encoded between two reports of progress


def write(
    path: Path,
    texts: Sequence[str],
    encoder: TextEncoder,
    key: Json,
    progress: Progress = silent,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Encode ``texts`` and write the file whole; ``key`` names its sources.

    Vectors go to the disk as they come: those of a large data set are gigabytes. False, and no
    file, when stopped.
    """
    spans, counts = [np.zeros((0, 2), np.int32)], []
    try:
        with TemporaryFile(dir=path.parent) as vectors:
            for start in range(0, len(texts), CHUNK):
                progress("encode", start, len(texts))
                if stopped():
                    return False
                for words in encoder.words_of(texts[start : start + CHUNK]):
                    half = words.vectors.clip(-_HALF_MOST, _HALF_MOST).astype(np.float16)
                    vectors.write(half.tobytes())
                    spans.append(np.array(words.spans, np.int32).reshape(-1, 2))
                    counts.append(len(words))
            vectors.seek(0)
            ends = np.cumsum(counts, dtype=np.int64).tobytes()
            listed = json.dumps(list(texts)).encode()
            parts: list[tuple[str, str, list[int], BinaryIO]] = [
                ("ends", "I64", [len(counts)], BytesIO(ends)),
                ("spans", "I32", [sum(counts), 2], BytesIO(np.concatenate(spans).tobytes())),
                ("vectors", "F16", [sum(counts), encoder.dim], vectors),
                ("texts", "U8", [len(listed)], BytesIO(listed)),
            ]
            digests = {name: digest(data, shape) for name, _, shape, data in parts}
            about = described({"format": FORMAT, "key": key}, digests)
            with replacing(path) as part, part.open("wb") as file:
                file.write(_header(about, parts))
                for _, _, _, data in parts:
                    data.seek(0)
                    shutil.copyfileobj(data, file)
    except OSError as error:
        raise DeviceError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    return True


def _header(about: dict[str, str], parts: Sequence[tuple[str, str, list[int], BinaryIO]]) -> bytes:
    """The header of a safetensors file; ``parts`` (name, type, shape, data) follow it."""
    header: JsonDict = {"__metadata__": about}
    at = 0
    for name, kind, shape, _ in parts:
        length = prod(shape) * _BYTES[kind]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


class TextsFile(ArrayFile):
    """The words of every text of a file; from several threads at once, too.

    InputError, naming the file, where it is damaged or of another format.
    """

    holds = "texts"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        about = self.description(FORMAT)
        with self.border():
            self.key: Json = about["key"]
            with self.opened() as file:
                texts = parse_json(self.array(file, "texts").tobytes())
                ends = self.array(file, "ends").tolist()
                self._spans = self.array(file, "spans")
            self._vectors = _mapped(path, "vectors")
            self._check("vectors", self._vectors)
            self.dim = self._vectors.shape[1]
            rows = zip([0, *ends], ends, strict=False)
            self._rows = dict(zip(texts, rows, strict=True))
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("its texts are not text")
            counts = np.diff([0, *ends])
            if not counts.sum() == len(self._spans) == len(self._vectors) or (counts < 0).any():
                raise ValueError("its words do not belong to its texts")

    def __contains__(self, text: str) -> bool:
        return text in self._rows

    def words(self, text: str) -> WordVectors:
        """The words of ``text`` with their vectors, in float32."""
        if text not in self._rows:
            raise self.refusal(f"no vectors for the text {text!r:.100}")
        start, end = self._rows[text]
        vectors = self._vectors[start:end].astype(np.float32)
        if not np.isfinite(vectors).all():
            raise self.refusal("its vectors are not finite")
        return WordVectors(tuple(map(tuple, self._spans[start:end].tolist())), vectors)


def _mapped(path: Path, name: str) -> np.ndarray:
    """A float16 tensor of a checked file, read page by page as it is sliced."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
    if entry["dtype"] != "F16":
        raise ValueError(f"{name} is {entry['dtype']}, expected F16")
    offset, shape = 8 + length + entry["data_offsets"][0], tuple(entry["shape"])
    if not all(shape):  # an empty part cannot be mapped
        return np.zeros(shape, np.float16)
    return np.memmap(path, np.float16, "r", offset, shape)


def whole(path: Path, key: Json) -> bool:
    """Whether ``path`` is an undamaged file of just the sources that ``key`` names."""
    try:
        return TextsFile(path).key == json.loads(json.dumps(key))
    except InputError:
        return False
