"""What an ONNX file says of itself, read without any package for ONNX and without running it.

A protocol buffer is fields of a number and a kind; only what is asked for is walked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import WeightsError

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
# Numbers of fields in ONNX's messages.
_MODEL = {"graph": 7, "opset": 8, "metadata": 14, "function": 25}
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_FUNCTION_NODE, _NODE_ATTRIBUTE = 7, 5
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = (5, 10), (6, 11)
_TENSOR_EXTERNAL, _KEY, _VALUE = 13, 1, 2
_DEEPEST = 32  # graphs within graphs


@dataclass(frozen=True)
class OnnxFile:
    """``opsets``: version by domain ("" is ONNX's own). ``external``: files with its weights."""

    path: Path
    metadata: dict[str, str]
    opsets: dict[str, int]
    external: tuple[str, ...]


def describe(path: Path) -> OnnxFile:
    """The file at ``path``. WeightsError if it is no ONNX file, or if weights of it lie outside
    its folder or are missing."""
    try:
        found = _read(path, memoryview(path.read_bytes()))
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}", "export the heads again") from error
    except (ValueError, IndexError, RecursionError) as error:
        raise WeightsError(f"{path}: not an ONNX file, or cut short: {error}") from error
    for name in found.external:
        _check(path, name)
    return found


def metadata(path: Path, key: str) -> dict[str, Any]:
    """The JSON object that the file has under ``key``; WeightsError if there is none."""
    found = describe(path).metadata
    try:
        value = json.loads(found[key])
        if not isinstance(value, dict):
            raise ValueError
    except (KeyError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path}: expected metadata {key!r}, found {', '.join(sorted(found)) or 'none'}",
            "give the files that 'cospal export --onnx' wrote",
        ) from error
    return value


def _check(path: Path, name: str) -> None:
    """WeightsError unless external data ``name`` is a file in the folder of ``path``."""
    folder = path.parent.resolve()
    place = (folder / name).resolve()
    if not place.is_relative_to(folder):
        raise WeightsError(
            f"{path}: its weights are said to lie in {name!r}, outside of {str(folder)!r}",
            "export the model again, from a source that you trust",
        )
    if not place.is_file():
        raise WeightsError(
            f"{path}: its weights are said to lie in {name!r}, which is not there",
            "copy all files of an export together",
        )


def _read(path: Path, view: memoryview) -> OnnxFile:
    metadata, opsets, external = {}, {}, dict[str, None]()
    for number, value in _fields(view):
        if number == _MODEL["metadata"]:
            entry = dict(_fields(value))
            metadata[_text(entry.get(_KEY))] = _text(entry.get(_VALUE))
        elif number == _MODEL["opset"]:
            entry = dict(_fields(value))
            opsets[_text(entry.get(1))] = int(entry.get(2, 0))
        elif number == _MODEL["graph"]:
            external |= dict.fromkeys(_external(value, _GRAPH_NODE, 0))
        elif number == _MODEL["function"]:
            external |= dict.fromkeys(_external(value, _FUNCTION_NODE, 0))
    if not opsets:
        raise ValueError("it names no opset")
    return OnnxFile(path, metadata, opsets, tuple(external))


def _external(graph: memoryview, nodes: int, depth: int) -> Iterator[str]:
    """The places of external data in a graph or function, those within its nodes included."""
    if depth > _DEEPEST:
        raise ValueError("too many graphs within graphs")
    for number, value in _fields(graph):
        if number == nodes:
            for kind, attribute in _fields(value):
                if kind == _NODE_ATTRIBUTE:
                    yield from _in_attribute(attribute, depth)
        elif nodes == _GRAPH_NODE and number == _GRAPH_INITIALIZER:
            yield from _of_tensor(value)
        elif nodes == _GRAPH_NODE and number == _GRAPH_SPARSE:
            for _, tensor in _fields(value):
                if isinstance(tensor, memoryview):
                    yield from _of_tensor(tensor)


def _in_attribute(attribute: memoryview, depth: int) -> Iterator[str]:
    for number, value in _fields(attribute):
        if number in _ATTRIBUTE_TENSORS and isinstance(value, memoryview):
            yield from _of_tensor(value)
        elif number in _ATTRIBUTE_GRAPHS and isinstance(value, memoryview):
            yield from _external(value, _GRAPH_NODE, depth + 1)


def _of_tensor(tensor: memoryview) -> Iterator[str]:
    for number, value in _fields(tensor):
        if number == _TENSOR_EXTERNAL:
            entry = dict(_fields(value))
            if _text(entry.get(_KEY)) == "location":
                yield _text(entry.get(_VALUE))


def _fields(view: memoryview) -> Iterator[tuple[int, Any]]:
    """(number, value) of a message: integers, or views of bytes. ValueError where it is none."""
    at = 0
    while at < len(view):
        tag, at = _varint(view, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
            yield number, value
            continue
        if kind == _LENGTH:
            size, at = _varint(view, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + size > len(view):
            raise ValueError(f"a field of {size:,} bytes, {len(view) - at:,} are left")
        yield number, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _text(value: Any) -> str:
    return "" if value is None else bytes(value).decode("utf-8")
