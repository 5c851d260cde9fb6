"""Make the int8 copy of the embedded detector.

    python tools/quantise_nanodet.py -o cospal_cli/weights/nanodet_g_coco_int8.onnx

Needs onnx beside what cospal itself needs. Convolutions alone are quantised, statically, in QDQ
form: weights per channel, signed; activations per tensor, unsigned, from the least to the greatest
value seen, less far below zero where a leaky unit follows. What is looked at lies in the
repository: frames of ``examples/bikes.mp4``, whole and in parts, mirrored, in other light and other
colours. Ranges are widened to six significant bits, so that processors which round differently make
the same file, byte for byte (onnx 1.23, onnxruntime 1.31).
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    create_calibrator,
    quantize_static,
)
from PIL import Image, ImageEnhance, ImageOps

from cospal_cli import weights
from cospal_cli.settings import VideoConfig
from cospal_cli.video.reader import VideoReader
from cospal_cli.weights.nanodet import GRID, INPUT, MEAN, STD, STEP, WEIGHTS, ZERO

CLIP = Path(__file__).parent.parent / "examples" / "bikes.mp4"
SIDE = 416
BITS = 6  # significant bits of a range's ends
BELOW = 0.5  # of the greatest value: how far down a range goes that a leaky unit cuts to a tenth


def pictures(clip: Path, fps: float) -> Iterator[Image.Image]:
    """Frames of ``clip`` and what can be made of them without another source."""
    with VideoReader(clip, VideoConfig(fps=fps, work_side=8192)) as reader:
        frames = [Image.fromarray(image) for batch in reader.batches(8) for image in batch.images]
    for number, frame in enumerate(frames):
        width, height = frame.size
        part = (number % 3 * width // 6, number % 2 * height // 3)
        yield frame
        yield frame.crop((*part, part[0] + 2 * width // 3, part[1] + 2 * height // 3))
        yield ImageOps.mirror(frame.crop((part[0], 0, part[0] + width // 2, height)))
        yield ImageEnhance.Brightness(frame).enhance((0.4, 0.7, 1.5, 1.9)[number % 4])
        yield ImageEnhance.Contrast(frame).enhance((0.5, 1.5, 2.0)[number % 3])
        red, green, blue = frame.split()
        yield Image.merge("RGB", (blue, red, green))
        yield ImageOps.invert(frame)


def network_input(picture: Image.Image) -> NDArray[np.float32]:
    """The picture as the detector sees it (1, 3, h, w)."""
    scale = SIDE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float32)
    padded = np.zeros((-(-height // GRID) * GRID, -(-width // GRID) * GRID, 3), np.float32)
    padded[:height, :width] = small[..., ::-1]
    pixels: NDArray[np.float32] = (padded.transpose(2, 0, 1) - MEAN) / STD
    return pixels[None]


class Inputs(CalibrationDataReader):
    """One picture at a time, as ONNX Runtime asks for them."""

    def __init__(self, rows: Iterator[Image.Image]) -> None:
        self.rows = rows

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next input, None after the last."""
        picture = next(self.rows, None)
        return None if picture is None else {INPUT: network_input(picture)}


def unpacked(path: Path) -> onnx.ModelProto:
    """The float model with its float16 constants as float32, their Cast nodes folded."""
    model = onnx.load(path)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kept = []
    for node in model.graph.node:
        if node.op_type != "Cast" or node.input[0] not in stored:
            kept.append(node)
            continue
        tensor = stored.pop(node.input[0])
        values = numpy_helper.to_array(tensor).astype(np.float32)
        stored[node.output[0]] = numpy_helper.from_array(values, node.output[0])
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(stored.values())
    onnx.checker.check_model(model)
    return model


def widened(value: float) -> float:
    """``value`` moved away from 0 to the next number of ``BITS`` significant bits."""
    mantissa, exponent = np.frexp(value)
    return float(np.ldexp(np.copysign(np.ceil(abs(mantissa) * 2**BITS), value), exponent - BITS))


def leaky(model: Path) -> set[str]:
    """Every value that nothing but a leaky unit reads."""
    readers: dict[str, set[str]] = {}
    for node in onnx.load(model).graph.node:
        for name in node.input:
            readers.setdefault(name, set()).add(node.op_type)
    return {name for name, kinds in readers.items() if kinds == {"LeakyRelu"}}


def ranges(model: Path, clip: Path, fps: float) -> dict[str, list[dict[str, Any]]]:
    """Range of every activation that a convolution reads or makes, as overrides by name."""
    calibrator = create_calibrator(
        model,
        ["Conv"],
        augmented_model_path=f"{model}.augmented",
        calibrate_method=CalibrationMethod.MinMax,
    )
    calibrator.collect_data(Inputs(pictures(clip, fps)))
    found, cut = {}, leaky(model)
    for name, data in calibrator.compute_data().items():
        least, greatest = (widened(float(np.ravel(end)[0])) for end in data.range_value)
        if name in cut:
            least = max(least, -BELOW * greatest)
        low, high = np.float32(min(least, 0.0)), np.float32(max(greatest, 0.0))
        found[name] = [{"quant_type": QuantType.QUInt8, "rmin": low, "rmax": high}]
    return found


def lightened(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same numbers with less work: values are joined as bytes, each output's rows are cut where
    they lie, and the input is bytes in squares of four pixels.

    Joining and quantising may change places, and so may cutting, transposing and what is done to
    each value alone.
    """
    nodes = list(model.graph.node)
    maker = {name: node for node in nodes for name in node.output}
    reader: dict[str, onnx.NodeProto] = {}
    for node in nodes:
        reader |= dict.fromkeys(node.input, node)
    gone: list[onnx.NodeProto] = []
    kept: list[onnx.NodeProto] = []
    for node in nodes:
        if node.op_type == "Concat":
            kept += _as_bytes(node, maker, reader[node.output[0]])
        elif node.op_type == "Split":
            rows, replaced = _in_rows(node, model.graph, reader)
            kept += rows
            gone += replaced
        else:
            kept.append(node)
    del model.graph.node[:]
    model.graph.node.extend(node for node in kept if node not in gone)
    _take_bytes(model.graph)
    onnx.checker.check_model(model)
    return model


def _as_bytes(
    join: onnx.NodeProto, maker: dict[str, onnx.NodeProto], after: onnx.NodeProto
) -> list[onnx.NodeProto]:
    """A Concat whose inputs are all rounded as ``after``, the one reader of it, rounds them."""
    assert after.op_type == "QuantizeLinear"
    nodes = []
    for place, name in enumerate(join.input):
        if maker[name].op_type != "DequantizeLinear":
            join.input[place] = f"{name}_rounded"
            for kind, source, target in (
                ("QuantizeLinear", name, f"{name}_bytes"),
                ("DequantizeLinear", f"{name}_bytes", f"{name}_rounded"),
            ):
                nodes.append(onnx.helper.make_node(kind, [source, *after.input[1:]], [target]))
    return [*nodes, join]


def _in_rows(
    split: onnx.NodeProto, graph: onnx.GraphProto, reader: dict[str, onnx.NodeProto]
) -> tuple[list[onnx.NodeProto], list[onnx.NodeProto]]:
    """A Split of channels (N, C, h, w) whose parts become rows (N, h x w, c): as a Split of rows,
    and the nodes that this replaces."""
    name, sizes = split.input
    (stored,) = (tensor for tensor in graph.initializer if tensor.name == sizes)
    width = int(numpy_helper.to_array(stored).sum())
    shape = np.array([0, -1, width], np.int64)
    graph.initializer.append(numpy_helper.from_array(shape, f"{name}_shape"))
    make = onnx.helper.make_node
    parts, after, gone = [], [], []
    for part in split.output:
        node, kinds = reader[part], []
        while node.op_type != "Transpose":
            gone.append(node)
            kinds.append(node.op_type)
            node = reader[node.output[0]]
        gone.append(node)
        (last,) = node.output
        parts.append(last if kinds == ["Reshape"] else f"{part}_rows")
        if kinds != ["Reshape"]:
            assert kinds == ["Sigmoid", "Reshape"]
            after.append(make("Sigmoid", [parts[-1]], [last]))
    cut = [
        make("Transpose", [name], [f"{name}_last"], perm=[0, 2, 3, 1]),
        make("Reshape", [f"{name}_last", f"{name}_shape"], [f"{name}_rows"]),
        make("Split", [f"{name}_rows", sizes], parts, axis=2),
    ]
    return [*cut, *after], gone


def _take_bytes(graph: onnx.GraphProto) -> None:
    """Let the first convolution, 3 x 3 with a stride of 2, read the bytes that it is given, as one
    of 2 x 2 over squares of two by two pixels; see ``INPUT`` for their order.
    """
    stored = {tensor.name: tensor for tensor in graph.initializer}
    first = next(node for node in graph.node if INPUT in node.input)
    step, zero = (numpy_helper.to_array(stored[name]) for name in first.input[1:])
    if (step, zero) != (STEP, ZERO):
        raise SystemExit(f"weights/nanodet.py: STEP and ZERO must be {step} and {zero}")
    maker = {name: node for node in graph.node for name in node.output}
    conv = next(node for node in graph.node if node.op_type == "Conv")
    kernel = stored[maker[conv.input[1]].input[0]]
    old = numpy_helper.to_array(kernel)
    new = np.zeros((len(old), 2, 2, 3, 2, 2), np.int8)  # row and column of a square, colour, kernel
    for y, x in np.ndindex(3, 3):
        (ky, row), (kx, column) = divmod(y + 1, 2), divmod(x + 1, 2)
        new[:, row, column, :, ky, kx] = old[:, ::-1, y, x]
    kernel.CopyFrom(numpy_helper.from_array(new.reshape(-1, 12, 2, 2), kernel.name))
    changed = {"pads": [1, 1, 0, 0], "strides": [1, 1], "kernel_shape": [2, 2]}
    for attribute in conv.attribute:
        attribute.ints[:] = changed.get(attribute.name, attribute.ints)
    turned = onnx.helper.make_node("Transpose", [INPUT], first.output[:1], perm=[0, 3, 1, 2])
    graph.node.insert(list(graph.node).index(first), turned)
    graph.node.remove(first)
    shape = ["batch", "rows", "columns", 12]
    described = onnx.helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, shape)
    graph.input[0].CopyFrom(described)


def quantise(source: Path, target: Path, clip: Path = CLIP, fps: float = 2.0) -> None:
    """Write the int8 copy of the model at ``source`` to ``target``."""
    logging.getLogger().setLevel(logging.ERROR)  # it advises what ``unpacked`` does
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "float.onnx"
        onnx.save(unpacked(source), plain)
        found = ranges(plain, clip, fps)
        quantize_static(
            plain,
            target,
            Inputs(iter([Image.new("RGB", (SIDE, SIDE))])),  # the ranges are known already
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"TensorQuantOverrides": found},
        )
    onnx.save(lightened(onnx.load(target)), target)


def main() -> None:
    """Parse, make, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--fps", type=float, default=2.0, help="frames a second that are looked at")
    arguments = parser.parse_args()
    quantise(weights.path(WEIGHTS), arguments.output, fps=arguments.fps)
    print(f"{arguments.output}: {os.path.getsize(arguments.output)} bytes")


if __name__ == "__main__":
    main()
