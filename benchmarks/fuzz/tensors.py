"""Mutations of files of tensors: safetensors by its header, ONNX by its fields."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from benchmarks.fuzz import raw, text

DOMAINS = ("", "ai.onnx", "com.microsoft", "ai.onnx.ml", "nobody.knows")
OUTSIDE = ("../../etc/passwd", "/etc/passwd", "../seeds", "missing.bin", "", "\0", "a" * 5000)


def safetensors(data: bytes, rng: Random) -> bytes:
    """A changed header, changed numbers, or changed bytes anywhere."""
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    match rng.choice(("header", "header", "numbers", "not finite", "length", "bytes")):
        case "header":
            new = text.dumped(text.changed(header, rng), rng)
        case "numbers":
            new, body = data[8 : 8 + size], raw.mutated(body, rng)
        case "not finite":
            at = rng.randrange(max(1, len(body) // 4)) * 4
            odd = rng.choice(
                (b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff", b"\xff\xff\x7f\x7f")
            )
            new, body = data[8 : 8 + size], body[:at] + odd + body[at + 4 :]
        case "length":
            wrong = rng.choice(raw.INTEGERS) % (1 << 64)
            return wrong.to_bytes(8, "little") + data[8:]
        case _:
            return raw.mutated(data, rng)
    return len(new).to_bytes(8, "little") + new + body


def graph(data: bytes, rng: Random) -> bytes:
    """An ONNX model with one to three of its fields changed; else bytes."""
    if rng.random() < 0.45:
        return _wire(data, rng) if rng.random() < 0.2 else raw.mutated(data, rng)
    import onnx

    model = onnx.load_model_from_string(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        try:
            _change(model, rng)
        except (ValueError, TypeError, IndexError):  # nothing there to change, or out of range
            continue
    done: bytes = model.SerializeToString()
    return done


def _wire(data: bytes, rng: Random) -> bytes:
    """Fields that no program writes: of unknown types, or longer than the file."""
    odd = (
        bytes([7 << 3, 5]), b"\x0f", b"\xff" * 11, bytes([14 << 3 | 2]) + b"\xff\xff\xff\xff\x07",
        bytes([14 << 3 | 2, 6, 10 | 0, 0x80, 0x80, 0x80, 0x80, 8]), bytes([7 << 3 | 3]) * 1000,
    )  # fmt: skip
    at = rng.choice((0, len(data), rng.randint(0, len(data))))
    return data[:at] + rng.choice(odd) + data[at:]


def _change(model: Any, rng: Random) -> None:
    inner = model.graph
    match rng.choice("opset op wire io dims data outside metadata attribute drop".split()):
        case "opset":
            model.opset_import[0].version = rng.choice((0, 1, 7, 99, 2**31, -1, 2**62))
            model.ir_version = rng.choice((model.ir_version, 0, 99, -1))
        case "op":
            node = rng.choice(inner.node)
            node.op_type = rng.choice([other.op_type for other in inner.node] + ["Nonsense", ""])
            node.domain = rng.choice(DOMAINS)
        case "wire":
            node, other = rng.choice(inner.node), rng.choice(inner.node)
            node.input[rng.randrange(len(node.input))] = rng.choice((*other.output, "", "missing"))
        case "io":
            value = rng.choice([*inner.input, *inner.output])
            value.name = rng.choice((text.mutated(value.name, rng), "x"))
            value.type.tensor_type.elem_type = rng.choice((1, 7, 8, 10, 99))
        case "dims":
            tensor = rng.choice(inner.initializer)
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice((0, -1, 2**31, 2**62, 3))
        case "data":
            tensor = rng.choice(inner.initializer)
            tensor.raw_data = raw.mutated(tensor.raw_data, rng)
        case "outside":
            tensor = rng.choice(inner.initializer)
            tensor.data_location = 1
            tensor.ClearField("raw_data")
            tensor.external_data.add(key="location", value=rng.choice(OUTSIDE))
            tensor.external_data.add(key="length", value=rng.choice(("4", "-1", "1" * 30, "x")))
        case "metadata":
            entry = rng.choice(model.metadata_props)
            metadata = text.changed(json.loads(entry.value), rng)
            entry.value = text.dumped(metadata, rng).decode("utf-8", "replace")
        case "attribute":
            node = rng.choice([node for node in inner.node if node.attribute])
            attribute = rng.choice(node.attribute)
            attribute.i = rng.choice((0, -1, 2**31, 2**62, -(2**62)))
            attribute.ints[:] = [rng.choice((0, -1, 2**31))] * rng.randint(0, 9)
        case "drop":
            kind = rng.choice((inner.node, inner.initializer, inner.input, inner.output))
            del kind[rng.randrange(len(kind))]
