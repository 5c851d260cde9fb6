"""Exported heads run without torch; damaged or mixed files, or data elsewhere, are refused."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from cospal_exporters.verify import random_inputs

from cospal_cli import runtime as runtimes
from cospal_cli.core.errors import DeviceError, UsageError, WeightsError
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.model.checkpoint import CONFIG
from cospal_cli.runtime import open_runtime
from cospal_cli.runtime.onnx import ABOUT, METADATA, OnnxRuntime, graph_path
from tests import contracts
from tests.exported import SIZES, SMALL, checkpoint, copy, exported

V0_1_0 = Path(__file__).parent / "fixtures" / "v0_1_0"


def changed(folder: Path, key: str, **values: object) -> None:
    """Overwrite entries of a graph's metadata."""
    path = graph_path(folder)
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
from cospal_cli.runtime import open_runtime, read_metadata
from cospal_cli.core.phrases import Phrase
folder = Path(sys.argv[1])
assert read_metadata(folder).vocabulary == ("man", "walks", "red")
runtime = open_runtime("auto", folder)
rng = np.random.default_rng(0)
flags = np.array([True, False])
phrase = Phrase(("man", "walks"), rng.normal(size=(2, 4)).astype("f"), flags, flags)
mask = np.ones((3, 4), bool)
drawn = [rng.normal(size=size).astype("f") for size in ((3, 4, 6), (7, 5))]
inputs = assemble(drawn[0], mask, drawn[1], phrase, runtime.metadata.word_ids)
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
    with pytest.raises(UsageError, match=r"holds no heads\.int8\.onnx; exported there: fp32"):
        OnnxRuntime(folder, precision="int8")
    with pytest.raises(UsageError, match="exported there: nothing"):
        OnnxRuntime(exported()[0])


def test_a_provider_that_a_session_does_not_get_is_an_error() -> None:
    folder = exported()[1]
    with pytest.raises(UsageError, match="unknown provider 'tpu'"):
        OnnxRuntime(folder, provider="tpu")
    with pytest.raises(UsageError, match="--provider cuda does not run on --device cpu"):
        OnnxRuntime(folder, "cpu", provider="cuda")
    with pytest.raises(UsageError, match="is for --runtime onnx, found 'torch'"):
        open_runtime("torch", exported()[0], provider="cuda")
    from cospal_cli.devices import CUDA, session_providers

    if CUDA not in session_providers([CUDA]):
        with pytest.raises(
            DeviceError, match=r"requested CUDAExecutionProvider, but it runs on CPU"
        ):
            OnnxRuntime(folder, provider="cuda")
        with pytest.raises(
            DeviceError, match=r"requested CUDAExecutionProvider, but it runs on CPU"
        ):
            OnnxRuntime(folder, "cuda:0")


def test_files_of_two_exports_are_refused_with_both_sides(tmp_path: Path) -> None:
    folder = copy(tmp_path / "metadata")
    changed(folder, METADATA, vocabulary=["a", "b", "c"])
    with pytest.raises(WeightsError, match=r"vocabulary: .*\('a', 'b', 'c'\).*has \('man'"):
        OnnxRuntime(folder)
    folder = copy(tmp_path / "config")
    (folder / CONFIG).unlink()
    assert (
        runtimes.read_metadata(folder) == OnnxRuntime(folder).metadata
    )  # the graph's own is enough
    checkpoint(tmp_path / "else", model=SMALL, features={"text": {"name": "bert"}})
    (folder / CONFIG).write_bytes((tmp_path / "else" / CONFIG).read_bytes())
    with pytest.raises(WeightsError, match=r"features: .* has \{\}, .*bert"):
        OnnxRuntime(folder)
    folder = copy(tmp_path / "plain")
    proto = onnx.load(graph_path(folder))
    del proto.metadata_props[:]
    onnx.save(proto, graph_path(folder))
    with pytest.raises(WeightsError, match=r"heads\.onnx: expected metadata 'cospal', found none"):
        OnnxRuntime(folder)


def test_the_two_graphs_of_0_1_0_still_run_and_are_not_mixed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(V0_1_0 / "exported", tmp_path / "exported"))
    torch, older = open_runtime("torch", V0_1_0 / "checkpoint", "cpu"), open_runtime("auto", folder)
    assert older.metadata == torch.metadata
    for seed, shape in enumerate([(4, 8, 12, 5), (1, 1, 1, 1)]):
        inputs = random_inputs(torch.metadata.sizes, shape, seed)
        one, other = torch.run(inputs), older.run(inputs)
        for name in torch.metadata.outputs:
            np.testing.assert_allclose(getattr(other, name), getattr(one, name), atol=1e-5)
    temporal = graph_path(folder, name="temporal")
    proto = onnx.load(temporal)
    for one in proto.metadata_props:
        if one.key == ABOUT:
            one.value = json.dumps({**json.loads(one.value), "checkpoint_sha256": "other"})
    onnx.save(proto, temporal)
    with pytest.raises(WeightsError, match=r"checkpoint_sha256: .*spatial\.onnx has .*has other"):
        OnnxRuntime(folder)
    temporal.write_bytes(graph_path(folder, name="spatial").read_bytes())
    with pytest.raises(WeightsError, match=r"outputs tubelet_scores; expected .*proposals, "):
        OnnxRuntime(folder)


def elsewhere(tensor: onnx.TensorProto, place: str) -> None:
    """Let the values of ``tensor`` lie in the file ``place``."""
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "0"), ("length", "64")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("../secret", 'escapes model directory. External data path: "../secret"'),
        ("a/../../secret", 'escapes model directory. External data path: "a/../../secret"'),
        ("link", 'escapes model directory. External data path: "link"'),
        ("{}/secret", "Absolute path not allowed"),
        ("lost", "External data path does not exist"),
    ],
)
def test_weights_outside_of_the_folder_or_missing_are_refused(
    tmp_path: Path, place: str, says: str
) -> None:
    """ONNX Runtime itself confines them, from 1.24 on."""
    folder = copy(tmp_path / "exported")
    (tmp_path / "secret").write_bytes(b"\0" * 4096)
    (folder / "a").mkdir()
    (folder / "link").symlink_to("../secret")
    proto = onnx.load(graph_path(folder))
    weight = max(proto.graph.initializer, key=lambda one: len(one.raw_data))
    elsewhere(weight, place.format(tmp_path))
    graph_path(folder).write_bytes(proto.SerializeToString())
    with pytest.raises(WeightsError, match=re.escape(says)) as caught:
        OnnxRuntime(folder)
    assert "heads.onnx: not a model that ONNX Runtime" in caught.value.message
    assert "\n" not in caught.value.message


def test_external_data_within_nodes_is_refused(tmp_path: Path) -> None:
    """In a constant of the branch of an If, say."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_bytes(b"\0" * 64)
    inner = onnx.TensorProto(name="w", data_type=1, dims=[16])
    elsewhere(inner, "../secret")
    made = onnx.helper.make_tensor_value_info("c", 1, [16])
    constant = onnx.helper.make_node("Constant", [], ["c"], value=inner)
    branch = onnx.helper.make_graph([constant], "b", [], [made])
    node = onnx.helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    ends = [
        onnx.helper.make_tensor_value_info("x", 9, []),
        onnx.helper.make_tensor_value_info("y", 1, [16]),
    ]
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:])
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    path = tmp_path / "in" / "a.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match=r"\.\./secret"):
        open_session(path)


HUGE = b"\xff\xff\xff\xff\x07"  # a length of 2 GB


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"no model",
        b"\xff" * 64,
        bytes([7 << 3, 5]),  # the graph as a number
        bytes([14 << 3, 1]),  # metadata as a number
        bytes([14 << 3 | 2, 10, 1 << 3 | 2]) + HUGE,  # its key
        bytes([14 << 3 | 2]) + HUGE,
        bytes([7 << 3 | 2]) + HUGE,
        bytes([7 << 3 | 3]) * 5000,  # groups in groups
        None,  # cut in the middle
    ],
    ids=repr,
)
def test_damaged_files_are_refused_in_a_line(tmp_path: Path, damaged: bytes | None) -> None:
    folder = copy(tmp_path / "exported")
    path = graph_path(folder)
    path.write_bytes(path.read_bytes()[:20_000] if damaged is None else damaged)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match=r"heads\.onnx: not a model that ONNX Runtime") as caught:
        OnnxRuntime(folder)
    assert "\n" not in caught.value.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


@pytest.mark.parametrize("text", [b"tubelets", b"fp32", b"cospal.card"])
def test_names_and_metadata_that_are_no_text_are_refused(tmp_path: Path, text: bytes) -> None:
    folder = copy(tmp_path / "exported")
    path = graph_path(folder)
    data = path.read_bytes()
    assert text in data
    path.write_bytes(data.replace(text, b"\x9c" * len(text)))  # not UTF-8, of the same length
    with pytest.raises(WeightsError, match=r"heads\.onnx: "):
        OnnxRuntime(folder)


@pytest.mark.parametrize("value", ["5", "[]", "{", "[" * 50_000])
def test_metadata_that_is_no_object_is_refused(tmp_path: Path, value: str) -> None:
    folder = copy(tmp_path / "exported")
    proto = onnx.load(graph_path(folder))
    onnx.helper.set_model_props(proto, {ABOUT: "{}", METADATA: value})
    onnx.save(proto, graph_path(folder))
    with pytest.raises(WeightsError, match=r"expected metadata 'cospal\.card', found cospal"):
        OnnxRuntime(folder)


def test_a_newer_opset_is_refused_with_both_sides(tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    proto = onnx.load(graph_path(folder))
    proto.opset_import[0].version = 99
    onnx.save(proto, graph_path(folder))
    with pytest.raises(WeightsError, match=r"heads\.onnx: .* opset is 99, this .* up to \d+"):
        OnnxRuntime(folder)


def renamed(folder: Path, old: str, new: str) -> None:
    """Give an input or output of the graph another name."""
    proto = onnx.load(graph_path(folder))
    for node in proto.graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                names[at] = new if name == old else name
    for value in [*proto.graph.input, *proto.graph.output]:
        value.name = new if value.name == old else value.name
    onnx.save(proto, graph_path(folder))


def test_other_inputs_and_outputs_are_refused_with_both_sides(tmp_path: Path) -> None:
    folder = copy(tmp_path / "outputs")
    renamed(folder, "proposal_scores", "scores")
    with pytest.raises(WeightsError, match=r"outputs .*, scores; expected .*tubelet_scores, "):
        OnnxRuntime(folder)
    folder = copy(tmp_path / "inputs")
    renamed(folder, "clips", "frames")
    with pytest.raises(WeightsError, match=r"inputs .*frames.*expected.*tubelets, .*clips"):
        OnnxRuntime(folder)


def test_not_a_number_is_no_answer() -> None:
    inputs = random_inputs(SIZES, (2, 3, 4, 5), 0)
    inputs.clips[0] = np.nan
    with pytest.raises(WeightsError, match="not finite"):
        OnnxRuntime(exported()[1]).run(inputs)


def test_it_keeps_the_contract_of_runtimes() -> None:
    runtime = open_runtime("onnx", exported()[1])
    contracts.check_runtime(runtime, lambda count: random_inputs(SIZES, (count, 8, 12, 5), count))
