"""Exported heads run without torch; damaged or mixed files, or data elsewhere, are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from cospal_exporters.verify import random_inputs

from cospal_cli import runtime as runtimes
from cospal_cli.core.errors import DeviceError, UsageError, WeightsError
from cospal_cli.model.checkpoint import CONFIG
from cospal_cli.runtime import open_runtime
from cospal_cli.runtime.onnx import ABOUT, CARD, OnnxRuntime, graph_path
from cospal_cli.runtime.onnx_file import describe
from tests.exported import SIZES, SMALL, checkpoint, copy, exported


def changed(folder: Path, key: str, **values: object) -> None:
    """Overwrite entries of the temporal graph's metadata."""
    path = graph_path(folder, "temporal")
    proto = onnx.load(path)
    for one in proto.metadata_props:
        if one.key == key:
            one.value = json.dumps({**json.loads(one.value), **values})
    onnx.save(proto, path)


def test_answers_are_those_of_torch() -> None:
    source, folder = exported()
    torch, onnx_ = open_runtime("torch", source, "cpu"), open_runtime("onnx", folder)
    for seed, shape in enumerate([(4, 8, 12, 5), (1, 1, 1, 1)]):
        inputs = random_inputs(SIZES, shape, seed)
        one, other = torch.run(inputs), onnx_.run(inputs)
        np.testing.assert_allclose(other.tubelet_scores, one.tubelet_scores, atol=1e-5)
        np.testing.assert_allclose(other.proposals, one.proposals, atol=1e-5)
        np.testing.assert_allclose(other.proposal_scores, one.proposal_scores, atol=1e-5)
        assert other.proposals.dtype == np.float32


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from cospal_cli.core.head_inputs import assemble
from cospal_cli.runtime import open_runtime, read_card
from cospal_cli.core.types import Phrase
folder = Path(sys.argv[1])
assert read_card(folder).vocabulary == ("man", "walks", "red")
runtime = open_runtime("auto", folder)
rng = np.random.default_rng(0)
flags = np.array([True, False])
phrase = Phrase(("man", "walks"), rng.normal(size=(2, 4)).astype("f"), flags, flags)
mask = np.ones((3, 4), bool)
drawn = [rng.normal(size=size).astype("f") for size in ((3, 4, 6), (7, 5))]
inputs = assemble(drawn[0], mask, drawn[1], phrase, runtime.card.word_ids)
assert abs(runtime.run(inputs).tubelet_scores.sum() - 1) < 1e-5
heavy = {"torch", "transformers", "onnx", "onnxscript", "cospal_exporters"} & set(sys.modules)
assert not heavy, heavy
"""


def test_no_torch_is_imported() -> None:
    folder = exported()[1]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_auto_takes_what_the_folder_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, folder = exported()
    assert runtimes.resolve("auto", source) == "torch"
    assert runtimes.resolve("auto", folder) == "onnx"
    assert runtimes.resolve("torch", folder) == "torch"
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="is a checkpoint, which needs torch") as caught:
        runtimes.resolve("auto", source)
    assert "cospal export --onnx" in caught.value.hint


def test_the_most_exact_precision_is_taken() -> None:
    folder = exported()[1]
    assert OnnxRuntime(folder).precision == "fp32"
    assert OnnxRuntime(folder, precision="fp16").precision == "fp16"
    with pytest.raises(UsageError, match=r"holds no spatial\.int8\.onnx .* exported there: fp32"):
        OnnxRuntime(folder, precision="int8")
    with pytest.raises(UsageError, match="exported there: nothing"):
        OnnxRuntime(exported()[0])


def test_a_provider_that_a_session_does_not_get_is_an_error() -> None:
    folder = exported()[1]
    with pytest.raises(UsageError, match="unknown provider 'tpu'"):
        OnnxRuntime(folder, provider="tpu")
    with pytest.raises(UsageError, match="--provider cuda does not run on --device cpu"):
        OnnxRuntime(folder, "cpu", provider="cuda")
    with pytest.raises(UsageError, match="is of runtime 'onnx', found 'torch'"):
        open_runtime("torch", exported()[0], provider="cuda")
    from cospal_cli.devices import CUDA, session_providers

    if CUDA not in session_providers([CUDA]):
        with pytest.raises(DeviceError, match=r"asked for CUDAExecutionProvider, runs on CPU"):
            OnnxRuntime(folder, provider="cuda")
        with pytest.raises(DeviceError, match=r"asked for CUDAExecutionProvider, runs on CPU"):
            OnnxRuntime(folder, "cuda:0")


def test_files_of_two_exports_are_refused_with_both_sides(tmp_path: Path) -> None:
    folder = copy(tmp_path / "mixed")
    changed(folder, ABOUT, checkpoint_sha256="other")
    with pytest.raises(WeightsError, match=r"checkpoint_sha256: .*spatial\.onnx has .*has other"):
        OnnxRuntime(folder)
    folder = copy(tmp_path / "cards")
    changed(folder, CARD, vocabulary=["a", "b", "c"])
    with pytest.raises(WeightsError, match=r"vocabulary: .*'man'.* has \('a', 'b', 'c'\)"):
        OnnxRuntime(folder)
    folder = copy(tmp_path / "config")
    (folder / CONFIG).unlink()
    OnnxRuntime(folder)  # the graphs' own card is enough
    checkpoint(tmp_path / "else", model=SMALL, features={"text": {"name": "bert"}})
    (folder / CONFIG).write_bytes((tmp_path / "else" / CONFIG).read_bytes())
    with pytest.raises(WeightsError, match=r"features: .* has \{\}, .*bert"):
        OnnxRuntime(folder)
    folder = copy(tmp_path / "swapped")
    graph_path(folder, "temporal").write_bytes(graph_path(folder, "spatial").read_bytes())
    with pytest.raises(WeightsError, match="expected the temporal graph, found spatial"):
        OnnxRuntime(folder)


def test_weights_outside_of_the_folder_are_refused(tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    path = graph_path(folder, "temporal")
    (tmp_path / "secret").write_bytes(b"\0" * 4096)
    whole = onnx.load(path)
    for place, words in (("../secret", "outside of"), ("lost", "which is not there")):
        proto = onnx.ModelProto()
        proto.CopyFrom(whole)
        tensor = max(proto.graph.initializer, key=lambda one: len(one.raw_data))
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", place), ("offset", "0"), ("length", "64")):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        path.write_bytes(proto.SerializeToString())
        with pytest.raises(WeightsError, match=words) as caught:
            OnnxRuntime(folder)
        assert place in caught.value.message


def test_external_data_within_nodes_is_found(tmp_path: Path) -> None:
    """In a constant of the branch of an If, say."""
    inner = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=1)
    entry = inner.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    constant = onnx.helper.make_node("Constant", [], ["c"], value=inner)
    branch = onnx.helper.make_graph([constant], "b", [], [])
    node = onnx.helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    graph = onnx.helper.make_graph([node], "g", [], [])
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    with pytest.raises(WeightsError, match="'/etc/passwd', outside of"):
        describe(path)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    path = graph_path(folder, "spatial")
    whole = path.read_bytes()
    for damaged in (b"", b"no model", whole[: len(whole) // 2], b"\xff" * 64):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"spatial\.onnx: not an ONNX file, or cut short"):
            OnnxRuntime(folder)


def test_a_newer_opset_is_refused_with_both_sides(tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    path = graph_path(folder, "temporal")
    proto = onnx.load(path)
    proto.opset_import[0].version = 99
    onnx.save(proto, path)
    with pytest.raises(WeightsError, match=r"temporal\.onnx: .*ONNX Runtime .*99.*till opset \d+"):
        OnnxRuntime(folder)


def test_other_inputs_are_refused(tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    path = graph_path(folder, "temporal")
    proto = onnx.load(path)
    for node in proto.graph.node:
        for at, name in enumerate(node.output):
            node.output[at] = "scores" if name == "proposal_scores" else name
    proto.graph.output[1].name = "scores"
    onnx.save(proto, path)
    with pytest.raises(WeightsError, match="expected the outputs proposals, proposal_scores"):
        OnnxRuntime(folder)


def test_not_a_number_is_no_answer() -> None:
    inputs = random_inputs(SIZES, (2, 3, 4, 5), 0)
    inputs.clips[0] = np.nan
    with pytest.raises(WeightsError, match="not finite"):
        OnnxRuntime(exported()[1]).run(inputs)
