"""TensorRT engines: what they are built with, when they are kept, and when built anew.

The library is a fake at its border: there is no GPU where tests run.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cospal_exporters import tensorrt as export_tensorrt
from cospal_exporters import verify
from cospal_exporters.verify import random_inputs

from cospal_cli.cli import run
from cospal_cli.core.errors import DeviceError, UsageError, WeightsError
from cospal_cli.core.install import install_line
from cospal_cli.runtime import engines, open_runtime
from cospal_cli.runtime import tensorrt as runtime_tensorrt
from tests.exported import SIZES, copy, exported
from tests.fake_tensorrt import FakeTensorRT, FakeTorch, engines_in


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a fake TensorRT, and a torch with or without a GPU, in place."""

    def put(trt: FakeTensorRT | None, gpu: str | None = "NVIDIA Test", driver: str = "570") -> Any:
        def require(package: str, extra: str, line: str = "") -> Any:
            if package == "tensorrt" and trt is not None:
                return trt
            return FakeTorch(gpu) if package == "torch" else importlib.import_module(package)

        if trt is not None:
            monkeypatch.setattr(engines, "require", require)
            monkeypatch.setattr(runtime_tensorrt, "require", require)
        monkeypatch.setattr(engines, "_driver", lambda: driver)
        return trt

    return put


def same(runtime: Any, shape: tuple[int, int, int, int] = (3, 4, 5, 6)) -> None:
    """The runtime answers as torch does."""
    inputs = random_inputs(SIZES, shape, 3)
    expected, found = open_runtime("torch", exported()[0], "cpu").run(inputs), runtime.run(inputs)
    for name in ("tubelet_scores", "proposals", "proposal_scores"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-5)


@pytest.mark.parametrize("version", ["10.9.0", "11.0.1"])
def test_engines_are_built_and_answer(version: str, use: Any, tmp_path: Path) -> None:
    trt = use(FakeTensorRT(version))
    folder = copy(tmp_path / "exported")
    runtime = open_runtime("tensorrt", folder)
    same(runtime)
    same(runtime, (1, 1, 1, 1))
    flags = {entry[1] for entry in trt.log if entry[0] == "network"}
    assert flags == ({2} if version.startswith("10") else {0})  # strongly typed either way
    assert ("clear", "tf32") in trt.log
    assert trt.log.count("build") == len(engines_in(folder)) == 1


def test_an_engine_that_fits_is_kept_and_another_rebuilt(use: Any, tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    trt = use(FakeTensorRT())
    open_runtime("tensorrt", folder)
    first = engines_in(folder)
    again = open_runtime("tensorrt", folder)
    assert trt.log.count("build") == 1
    assert again.cached  # type: ignore[attr-defined]
    for change in (
        {"gpu": "NVIDIA Other"},
        {"driver": "580"},
        {"trt": FakeTensorRT("10.10.0")},
    ):
        other = use(**{"trt": FakeTensorRT(), **change})
        runtime = open_runtime("tensorrt", folder)
        assert other.log.count("build") == 1, change
        assert not runtime.cached  # type: ignore[attr-defined]
        assert len(engines_in(folder)) == 1  # the stale ones are gone
        assert engines_in(folder) != first
        same(runtime)


def test_a_damaged_engine_is_rebuilt(use: Any, tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    trt = use(FakeTensorRT())
    open_runtime("tensorrt", folder)
    (folder / "tensorrt" / engines_in(folder)[0]).write_bytes(b"damaged")
    same(open_runtime("tensorrt", folder))
    assert trt.log.count("build") == 2


def test_precisions_have_engines_of_their_own(use: Any, tmp_path: Path) -> None:
    folder = copy(tmp_path / "exported")
    use(FakeTensorRT())
    open_runtime("tensorrt", folder, precision="fp32")
    open_runtime("tensorrt", folder, precision="fp16")
    assert len(engines_in(folder)) == 2


def test_more_than_the_profile_holds_is_refused(use: Any, tmp_path: Path) -> None:
    use(FakeTensorRT())
    runtime = open_runtime("tensorrt", copy(tmp_path / "exported"))
    with pytest.raises(UsageError, match=r"words: \(1, 65, 4\) is more than the engine takes"):
        runtime.run(random_inputs(SIZES, (2, 3, 4, 65), 0))


def test_what_is_missing_is_named(
    use: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copy(tmp_path / "exported")
    if importlib.util.find_spec("tensorrt") is None:
        assert run(["export", "--tensorrt", "--checkpoint", str(folder)]) == 2
        told = capfd.readouterr().err
        assert "needs the package 'tensorrt'" in told
        assert install_line("tensorrt") in told
    with pytest.raises(UsageError, match="does not run on --device cpu"):
        open_runtime("tensorrt", folder, "cpu")
    use(FakeTensorRT(), gpu=None)
    with pytest.raises(
        DeviceError, match=r"TensorRT 10\.9\.0 is installed, but torch .* finds no GPU"
    ):
        open_runtime("tensorrt", folder)
    use(FakeTensorRT(refuse=True))
    with pytest.raises(WeightsError, match="cannot read it: no kernel for Whatever"):
        open_runtime("tensorrt", folder)
    assert engines_in(folder) == []


def test_export_builds_compares_and_tells_the_line_of_trtexec(
    use: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy(tmp_path / "exported")
    use(FakeTensorRT())
    report = export_tensorrt.build(folder, "fp32", exported()[0])
    assert report["parity"]["passed"]
    assert report["machine"] == {
        "tensorrt": "10.9.0",
        "gpu": "NVIDIA Test sm90",
        "driver": "570",
    }
    line = report["trtexec"][0]
    assert line.startswith("trtexec --onnx=heads.onnx --stronglyTyped --minShapes=")
    assert "clips:8x512x5" in line.partition("--maxShapes=")[2]
    kept = json.loads((folder / "tensorrt" / "fp32.tensorrt.json").read_text())
    assert kept["parity"]["max_abs"] == report["parity"]["max_abs"]
    monkeypatch.setitem(verify.TOLERANCES, "fp32", 1e-12)
    with pytest.raises(WeightsError, match="does not predict"):
        export_tensorrt.build(folder, "fp32", exported()[0])
    assert engines_in(folder) == []
