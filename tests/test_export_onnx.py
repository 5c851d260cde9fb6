"""Exported heads: the graphs' contract, their metadata, and that they answer as the checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from cospal_exporters import onnx as export_onnx
from cospal_exporters import precision, verify

from cospal_cli.cli import run
from cospal_cli.core.contract import AXES, HEAD_INPUTS, OUTPUTS_OF
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.grounding import GroundingScores
from cospal_cli.core.head_inputs import collate
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.model.checkpoint import CONFIG, load
from cospal_cli.model.contrast import ContrastHeads
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.runtime import open_runtime
from cospal_cli.runtime.onnx import ABOUT, METADATA, graph_path
from tests.exported import SIZES, SMALL, checkpoint, exported

SHAPES = [*verify.SHAPES[:-1], (2, 3, 4, 7)]


@pytest.mark.parametrize(
    "changes",
    [
        {"temporal_input": "subject", "spatial_layers": 0, "temporal_layers": 1, "proposals": 1},
        {"temporal_input": "both", "word_score": "max", "temporal_layers": 1, "heads": 4},
    ],
    ids=str,
)
def test_the_graph_gives_the_numbers_of_the_model_one_by_one_and_in_batches(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    torch.manual_seed(1)
    model = CoSPaL(SIZES, replace(SMALL, **changes)).eval()
    onnx.save(
        export_onnx.traced(model, SIZES, OUTPUTS_OF["reconstruct"], 18), tmp_path / "heads.onnx"
    )
    session = open_session(tmp_path / "heads.onnx", outputs=OUTPUTS_OF["reconstruct"])
    wanted = [node.name for node in session.get_inputs()]
    assert ("clips" in wanted) == (changes.get("temporal_input") != "subject")
    singles = [[verify.random_inputs(SIZES, shape, 7)] for shape in SHAPES]
    for pairs in [*singles, [one for (one,) in singles[1:6]]]:
        batch = collate(pairs)
        with torch.inference_mode():
            expected = model(**{name: torch.from_numpy(rows) for name, rows in batch.items()})
        found = session.run(list(OUTPUTS_OF["reconstruct"]), {name: batch[name] for name in wanted})
        for name, rows in zip(OUTPUTS_OF["reconstruct"], found, strict=True):
            known = getattr(expected, name).numpy()
            np.testing.assert_allclose(rows, known, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("side", ["subject", "both"])
def test_the_graph_of_the_contrast_does_too(side: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    sizes = replace(SIZES, appearance=3, motion=2, phrases=3)
    model = ContrastHeads(sizes, replace(SMALL, temporal_input=side)).eval()
    model.temporal.bank.normal_()
    names = OUTPUTS_OF["contrast"]
    onnx.save(export_onnx.traced(model, sizes, names, 18), tmp_path / "heads.onnx")
    session = open_session(tmp_path / "heads.onnx", outputs=names)
    wanted = [node.name for node in session.get_inputs()]
    assert ("clips" in wanted) == (side == "both")
    singles = [[verify.random_inputs(sizes, shape, 7)] for shape in SHAPES]
    for pairs in [*singles, [one for (one,) in singles[1:6]]]:
        batch = collate(pairs)
        with torch.inference_mode():
            expected = model(**{name: torch.from_numpy(rows) for name, rows in batch.items()})
        found = session.run(list(names), {name: batch[name] for name in wanted})
        for name, rows in zip(names, found, strict=True):
            known = getattr(expected, name).numpy()
            np.testing.assert_allclose(rows, known, atol=1e-5, err_msg=name)


def test_files_name_the_contract_and_its_axes() -> None:
    _, folder = exported()
    proto = onnx.load(graph_path(folder))
    onnx.checker.check_model(proto, full_check=True)
    assert {one.domain: one.version for one in proto.opset_import}[""] == 18
    axes = {
        one.name: [side.dim_param or side.dim_value for side in one.type.tensor_type.shape.dim]
        for one in [*proto.graph.input, *proto.graph.output]
    }
    assert not any(one.external_data for one in proto.graph.initializer)
    assert axes == {
        "tubelets": ["B", "K", "T", 6],
        "tubelet_mask": ["B", "K", "T"],
        "clips": ["B", "C", 5],
        "clip_mask": ["B", "C"],
        "words": ["B", "N", 4],
        "word_mask": ["B", "N"],
        "referral_mask": ["B", "N"],
        "word_ids": ["B", "N"],
        "tubelet_scores": ["B", "K"],
        "proposals": ["B", 3, 2],
        "proposal_scores": ["B", 3],
    }


def test_files_say_where_they_come_from() -> None:
    source, folder = exported()
    proto = onnx.load(graph_path(folder, "fp16"))
    told = {one.key: one.value for one in proto.metadata_props}
    assert told[METADATA] == (source / CONFIG).read_text().rstrip()
    about = json.loads(told[ABOUT])
    assert (about["part"], about["precision"], about["opset"]) == ("heads", "fp16", 18)
    assert len(about["checkpoint_sha256"]) == len(about["vocabulary_sha256"]) == 64
    assert about["licence"]
    assert about["cospal"]
    assert set(about["tokenizer"]) == {"model", "sha256"}
    assert "/" not in json.dumps(about)  # no place of the machine that made it
    assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)


def test_the_report_carries_the_numbers() -> None:
    _, folder = exported()
    report = json.loads((folder / "export.json").read_text())
    full = report["precisions"]["fp32"]
    assert full["passed"]
    assert full["max_abs"] <= 1e-4
    assert full["task"]["same"] == 1.0
    assert len(full["shapes"]) >= 6
    assert {1} == {min(one[axis] for one in full["shapes"]) for axis in "KTCN"}
    assert report["precisions"]["fp16"]["max_abs"] > full["max_abs"]
    names = {"heads.onnx", "heads.fp16.onnx"}
    assert set(report["files"]) == names
    assert {path.name for path in folder.iterdir()} == names | {CONFIG, "export.json"}


def test_fp16_keeps_softmax_norms_and_the_ends_in_fp32() -> None:
    _, folder = exported()
    whole, half = (
        onnx.shape_inference.infer_shapes(onnx.load(graph_path(folder, one)))
        for one in ("fp32", "fp16")
    )
    kinds = {one.name: one.type.tensor_type.elem_type for one in half.graph.value_info}
    ends = [*half.graph.input, *half.graph.output]
    kinds |= {one.name: one.type.tensor_type.elem_type for one in ends}
    for node in half.graph.node:
        if node.op_type in ("Softmax", "LogSoftmax", "LayerNormalization"):
            assert kinds[node.output[0]] == onnx.TensorProto.FLOAT, node.name
        if node.op_type in ("MatMul", "Gemm", "Conv"):
            assert kinds[node.output[0]] == onnx.TensorProto.FLOAT16, node.name
    for one, other in zip([*whole.graph.input, *whole.graph.output], ends, strict=True):
        assert one.type == other.type
    sizes = [graph_path(folder, one).stat().st_size for one in ("fp32", "fp16")]
    assert sizes[1] < 0.75 * sizes[0]


def test_int8_weights_answer_nearly_alike(tmp_path: Path) -> None:
    source, folder = exported()
    (tmp_path / CONFIG).write_bytes((source / CONFIG).read_bytes())
    precision.lowered(onnx.load(graph_path(folder)), tmp_path, "int8")
    proto = onnx.load(graph_path(tmp_path, "int8"))
    kinds = {node.op_type for node in proto.graph.node}
    assert "MatMulInteger" in kinds
    assert "Gemm" not in kinds
    left = {tuple(one.dims) for one in proto.graph.initializer if one.data_type == 1}
    assert not [dims for dims in left if len(dims) == 2 and min(dims) > 4]  # all matrices are int8
    found = verify.compared(open_runtime("torch", source, "cpu"), open_runtime("onnx", tmp_path))
    assert 1e-4 < found["max_abs"] < 0.3


def test_what_answers_otherwise_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source, folder = exported()

    def wrong(model: Any, metadata: Any, work: Path, about: Any, opset: int) -> onnx.ModelProto:
        proto = onnx.load(graph_path(folder))
        for one in proto.graph.initializer:
            values = onnx.numpy_helper.to_array(one)
            if values.dtype == np.float32 and values.ndim == 2:
                one.CopyFrom(onnx.numpy_helper.from_array(values * 1.05, one.name))
        onnx.save(proto, graph_path(work))
        return proto

    monkeypatch.setattr(export_onnx, "write_graph", wrong)
    out = tmp_path / "out"
    code = run(["export", "--onnx", "--checkpoint", str(source), "-o", str(out), "--force"])
    assert code == 5
    assert (
        "fp32 does not predict what the checkpoint does: outputs differ" in capfd.readouterr().err
    )
    assert list(out.iterdir()) == []


def test_a_lower_precision_needs_the_same_answers_or_force(monkeypatch: pytest.MonkeyPatch) -> None:
    source, folder = exported()
    monkeypatch.setitem(verify.TOLERANCES, "fp16", 1e-9)
    with pytest.raises(WeightsError, match="fp16 does not predict"):
        verify.verify(source, folder, "fp16")
    forced = verify.verify(source, folder, "fp16", force=True)
    assert not forced["passed"]
    assert "more than 1e-09" in forced["faults"][0]


def test_answers_are_compared_as_the_task_sees_them() -> None:
    ends = np.array([[0.1, 0.5], [0.1004, 0.5], [0.6, 0.9]], np.float32)

    def scores(tubelets: list[float], proposals: list[float]) -> GroundingScores:
        return GroundingScores(np.float32(tubelets), ends, np.float32(proposals))

    class Fixed:
        def __init__(self, answer: GroundingScores) -> None:
            self.answer = answer

        def run(self, inputs: Any) -> GroundingScores:
            return self.answer

    def same(one: GroundingScores, other: GroundingScores) -> tuple[float, float]:
        found = verify.agreement(Fixed(one), Fixed(other), iter([None]), 1e-3)  # type: ignore
        return found["same_tubelet"], found["same_segment"]

    base = scores([0.6, 0.4], [0.5, 0.3, 0.2])
    assert same(base, base) == (1, 1)
    assert same(base, scores([0.4, 0.6], [0.5, 0.3, 0.2])) == (0, 1)
    assert same(base, scores([0.6, 0.4], [0.3, 0.2, 0.5])) == (1, 0)
    tied = scores([0.5, 0.5], [0.4, 0.4, 0.2])
    assert same(tied, scores([0.4, 0.6], [0.3, 0.5, 0.2])) == (1, 1)


def test_the_example_is_one_declaration_and_has_no_axis_of_length_one() -> None:
    batch = export_onnx.example(SIZES)
    assert set(batch) == set(HEAD_INPUTS)
    for name, field in HEAD_INPUTS.items():
        width = [] if field.width is None else [getattr(SIZES, str(field.width))]
        assert list(batch[name].shape) == [AXES[one].example for one in "B" + field.axes] + width
    assert min(axis.example for axis in AXES.values()) > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to export"),
        (["--onnx"], "no heads to export"),
        (["--onnx", "--checkpoint", "nowhere"], "is not a checkpoint of the heads"),
        (["--onnx", "--checkpoint", "x", "--opset", "12"], "must be from 18 to 23"),
        (["--onnx", "--checkpoint", "x", "--precision", "fp8"], "unknown precision 'fp8'"),
        (["--onnx", "--what", "detector", "--checkpoint", "x"], "--what detector goes with"),
        (["--onnx", "--checkpoint", "x", "--model", "y"], "--model goes with --what detector"),
    ],
)
def test_wrong_use_is_explained(
    arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", *arguments]) == 2
    assert words in capfd.readouterr().err


def test_two_exports_to_one_folder_do_not_mix(tmp_path: Path) -> None:
    from cospal_cli.core.files import alone

    source = checkpoint(tmp_path / "best")
    (tmp_path / "out").mkdir()
    with alone(tmp_path / "out"), pytest.raises(UsageError, match="another process is writing"):
        export_onnx.export(export_onnx.ExportPlan(source, tmp_path / "out"))


def test_the_checkpoint_that_was_exported_is_the_one_that_is_asked() -> None:
    source, folder = exported()
    metadata = load(source)[1]
    assert open_runtime("auto", folder).metadata == metadata
