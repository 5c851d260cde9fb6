"""Graphs of lower precision, from those in fp32. Needs onnx; int8 also ONNX Runtime's tools.

fp16: the products of matrices with their weights, which is nearly all of the work; softmax, norms,
masks, sums and the graph's own inputs and outputs stay in fp32.
int8: the weights of matrices, a scale per column; activations are quantised while running, so no
calibration is needed. For processors.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cospal_cli.core.registry import require
from cospal_cli.runtime.onnx import ABOUT, graph_path

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

HALVED = ("MatMul", "Gemm", "Conv")
LARGEST = 65504.0  # of fp16
_PLAIN = {"alpha": 1.0, "beta": 1.0, "transA": 0}  # attributes of a Gemm that is a linear map


def lowered(proto: ModelProto, folder: Path, precision: str) -> None:
    """Write an ONNX model in fp32 in ``precision`` into ``folder``."""
    require("onnx", "train")
    import onnx

    target = graph_path(folder, precision)
    result = halved(proto) if precision == "fp16" else quantised(proto, target)
    relabel(result, precision)
    onnx.checker.check_model(result, full_check=True)
    onnx.save(result, target)


def relabel(proto: ModelProto, precision: str) -> None:
    """Say in the metadata which precision it has."""
    for entry in proto.metadata_props:
        if entry.key == ABOUT:
            entry.value = json.dumps({**json.loads(entry.value), "precision": precision})


def halved(proto: ModelProto) -> ModelProto:
    """A copy of an ONNX model whose ``HALVED`` nodes work in fp16."""
    import onnx
    from onnx import helper, numpy_helper

    result = onnx.ModelProto()
    result.CopyFrom(proto)
    graph = result.graph
    constants = {one.name: one for one in graph.initializer}
    nodes, casts = [], dict[str, str]()
    weights: dict[str, TensorProto] = {}
    for node in graph.node:
        if node.op_type not in HALVED:
            nodes.append(node)
            continue
        for at, name in enumerate(node.input):
            half = f"{name}.fp16"
            if not name:
                continue
            if name in constants:
                if half not in weights:
                    values = numpy_helper.to_array(constants[name])
                    small = np.clip(values, -LARGEST, LARGEST).astype(np.float16)
                    weights[half] = numpy_helper.from_array(small, half)
            elif name not in casts:
                casts[name] = half
                nodes.append(helper.make_node("Cast", [name], [half], to=onnx.TensorProto.FLOAT16))
            node.input[at] = half
        output = node.output[0]
        node.output[0] = f"{output}.half"
        nodes += [
            node,
            helper.make_node("Cast", [node.output[0]], [output], to=onnx.TensorProto.FLOAT),
        ]
    used = {name for node in nodes for name in node.input}
    kept = [one for one in graph.initializer if one.name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *weights.values()])
    return result


def quantised(proto: ModelProto, target: Path) -> ModelProto:
    """A copy with weights in int8; ``target`` is written to."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain = _without_gemm(proto)
    flat = {one.name for one in plain.graph.initializer if len(one.dims) == 2}
    others = [node.name for node in plain.graph.node if not flat.intersection(node.input)]
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it asks for a preparation that is not needed
    try:
        quantize_dynamic(
            plain,
            target,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=others,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,  # older processors add up pairs of products in 16 bits
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        root.setLevel(level)
    return onnx.load(target)


def _without_gemm(proto: ModelProto) -> ModelProto:
    """A copy with a product and a sum in each Gemm's place; ONNX Runtime's own change to that does
    not see that two may share their weights."""
    import onnx
    from onnx import helper, numpy_helper

    result = onnx.ModelProto()
    result.CopyFrom(proto)
    graph = result.graph
    constants = {one.name: one for one in graph.initializer}
    nodes = []
    turned: dict[str, TensorProto] = {}
    for node in graph.node:
        flags = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        if node.op_type != "Gemm" or flags.pop("transB", 0) != 1 or node.input[1] not in constants:
            nodes.append(node)
            continue
        if any(flags.get(name, plain) != plain for name, plain in _PLAIN.items()):
            raise ValueError(f"{node.name}: a product of another kind: {flags}")
        x, weight, *bias = node.input
        name, (output,) = f"{weight}.turned", node.output
        if name not in turned:
            values = numpy_helper.to_array(constants[weight]).T
            turned[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        product = f"{output}.product" if bias else output
        nodes.append(helper.make_node("MatMul", [x, name], [product], f"{node.name}.product"))
        if bias:
            nodes.append(helper.make_node("Add", [product, *bias], [output], f"{node.name}.sum"))
    used = {name for node in nodes for name in node.input}
    kept = [one for one in graph.initializer if one.name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *turned.values()])
    return result
