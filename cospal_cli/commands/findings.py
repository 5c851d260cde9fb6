"""What the facts of ``cospal doctor`` mean: which jobs can be done on this machine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from cospal_cli.core.install import install_line
from cospal_cli.core.json_types import Json

Report = Json
CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
NEEDED = ("torch", "transformers", "accelerate")  # of training


@dataclass(frozen=True)
class Finding:
    """One job, and whether it can be done."""

    what: str
    works: bool
    detail: str
    todo: str = ""  # a line to run
    needed: bool = False  # without it cospal is of no use


def findings(report: Report) -> list[Finding]:
    """What works and what does not, the most important first."""
    return [
        *_weights(report),
        _runtime(report),
        _codecs(report),
        _gpu(report),
        _training(report),
        _backbones(report),
    ]


def verdict(results: list[Finding]) -> str:
    """One sentence on the whole."""
    if broken := [one.what for one in results if one.needed and not one.works]:
        return f"not ready: {', '.join(broken)}; see 'what to do'"
    can = [one.what for one in results if one.works and not one.needed]
    return f"ready to ground videos{'; also: ' + ', '.join(can) if can else ''}"


def _weights(report: Report) -> list[Finding]:
    """The embedded models: one line where all are intact, else one for each that is not."""
    states = report["weights"]
    broken = [
        Finding(f"embedded model {name}", False, one["error"], one["hint"], needed=True)
        for name, one in states.items()
        if not one["ok"]
    ]
    if broken:
        return broken
    return [Finding("embedded models", True, f"{', '.join(states)}: intact", needed=True)]


def _runtime(report: Report) -> Finding:
    works = report["providers"].get("CPUExecutionProvider", False)
    names = ", ".join(report["onnxruntime"]) or "ONNX Runtime from elsewhere"
    detail = names if works else f"{names}: its sessions do not run on the CPU"
    todo = "" if works else "pip install --force-reinstall onnxruntime"
    return Finding("ONNX Runtime on the CPU", works, detail, todo, needed=True)


def _codecs(report: Report) -> Finding:
    missing = [name for name, works in report["codecs"].items() if not works]
    detail = f"no {', '.join(missing)}" if missing else ", ".join(report["codecs"])
    todo = "pip install --force-reinstall av" if missing else ""
    return Finding("annotated videos", not missing, detail, todo)


def _gpu(report: Report) -> Finding:
    """ONNX Runtime on a GPU; on a machine without one there is nothing to mend."""
    got = [name for name in (CUDA, TENSORRT) if report["providers"].get(name)]
    if got:
        return Finding("ONNX Runtime on the GPU", True, ", ".join(got))
    if not shutil.which("nvidia-smi"):
        return Finding("ONNX Runtime on the GPU", False, "no NVIDIA driver found")
    detail = "an NVIDIA driver is installed, but sessions do not run on CUDA"
    return Finding("ONNX Runtime on the GPU", False, detail, install_line("gpu"))


def _training(report: Report) -> Finding:
    packages = report["packages"]
    missing = [name for name in NEEDED if name in packages and not packages[name]]
    if missing or not packages:
        detail = f"not installed: {', '.join(missing) or 'cospal itself'}"
        return Finding("training and export", False, detail, install_line("train"))
    detail = ", ".join(f"{name} {packages[name]}" for name in NEEDED if name in packages)
    return Finding("training and export", True, detail)


def _backbones(report: Report) -> Finding:
    here = [name for name, place in report["models"].items() if place]
    if here:
        return Finding("backbones of the paper", True, ", ".join(here))
    first = next(iter(report["models"]), "NAME")
    detail = "none fetched; 'cospal models list' shows them"
    return Finding("backbones of the paper", False, detail, f"cospal models fetch {first}")
