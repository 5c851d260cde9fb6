"""What a type checker and a Python prompt see of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cospal_cli
from cospal_cli.core import types
from cospal_cli.core.errors import UsageError
from cospal_cli.core.frames import FrameBatch, Timeline, VideoInfo
from cospal_cli.core.tube import Tube
from cospal_cli.core.tubelets import Detections, Tubelet
from cospal_cli.evaluation.tubes import Track

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MORE = """
from cospal_cli import Grounder, Result, Tube
from cospal_cli.settings import Config

def answer(video: str) -> list[Tube]:
    result: Result = ground(video, "the man in the suit", top_k=2, video__fps=5)
    first: Tube | None = result[0] if result else None
    print(first, result.unresolved, result.warnings)
    return list(result)

def several(videos: list[str]) -> None:
    grounder = Grounder.open(Config())
    for video in videos:
        for one in grounder.ground(video, ["the man", "the woman"]):
            one.save_json(f"{video}.json")
"""


def test_the_packages_ship_the_mark_of_typed_ones() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["*"]
    for folder in ("cospal_cli", "exporters"):
        assert (ROOT / folder / "py.typed").read_bytes() == b""


def test_the_readmes_python_passes_mypy_strict(tmp_path: Path) -> None:
    """Against a copy of the package as it is installed, where only the mark makes types count."""
    pytest.importorskip("mypy")
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    (tmp_path / "sample.py").write_text(code[1] + MORE, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\n[mypy-numpy.*,torch.*,av.*,click.*,rich.*]\nfollow_imports = skip\n",
        encoding="utf-8",
    )  # their types would take most of the time
    hidden = shutil.ignore_patterns("__pycache__", "*.onnx", "*.npz")
    shutil.copytree(ROOT / "cospal_cli", tmp_path / "installed" / "cospal_cli", ignore=hidden)
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "sample.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr


# --- repr ---

MANY = 5000
INDICES, TIMES = np.arange(MANY), np.arange(MANY) / 25
BOXES, SCORES = np.ones((MANY, 4), np.float32), np.ones(MANY, np.float32)
OBSERVED = np.ones(MANY, bool)


def tube(**changed: Any) -> Tube:
    usual: dict[str, Any] = {
        "id": 3, "frame_indices": INDICES + 30, "pts": INDICES, "times_s": TIMES + 1.2,
        "boxes_xyxy": BOXES, "box_scores": SCORES, "interpolated": OBSERVED,
        "span_s": (1.2, 201.2), "score": 0.4812, "label": "person", "why": {"class": -0.1},
    }  # fmt: skip
    return Tube(**(usual | changed))


def test_a_tube_is_one_short_line() -> None:
    assert repr(tube()) == "Tube('person', 1.20 to 201.20 s, frames 30 to 5029, score 0.48)"
    assert len(repr(tube(label="a\nb" * 500)).splitlines()) == 1
    assert len(repr(tube(label="a\nb" * 500))) < 160


LARGE: list[Any] = [
    Tubelet(7, INDICES, TIMES, BOXES, SCORES, OBSERVED, np.ones(80, np.float32)),
    Timeline(INDICES, INDICES, TIMES, 200.0, warnings=("cut short " * 30,) * 9),
    FrameBatch(np.zeros((9, 48, 64, 3), np.uint8), INDICES[:9], TIMES[:9], (64, 48)),
    Detections(4, BOXES, SCORES, INDICES, np.ones((MANY, 80), np.float32)),
    Track(INDICES, BOXES),
]


@pytest.mark.parametrize("record", LARGE, ids=lambda one: type(one).__name__)
def test_other_records_show_shapes_in_place_of_numbers(record: Any) -> None:
    text = repr(record)
    assert text.startswith(f"{type(record).__name__}(")
    assert len(text) <= 240
    assert len(text.splitlines()) == 1
    assert re.search(r"=(float32|float64|int64|uint8)\[\d+", text)


def test_a_record_without_arrays_keeps_every_value() -> None:
    info = VideoInfo("v.mp4", 64, 48, 90, Fraction(1, 1000), Fraction(25))
    assert "rotation=90" in repr(info)
    assert repr(types.Action("walks", "move")).startswith("Action(word='walks', kind='move'")


def test_every_type_that_holds_arrays_has_a_short_repr() -> None:
    records = [kind for kind in vars(types).values() if is_dataclass(kind)]
    assert len(records) == 19
    for kind in records:
        arrays = [one for one in kind.__annotations__.values() if "Array" in str(one)]
        own = "brief" in kind.__repr__.__qualname__ or kind is Tube
        assert own or not arrays, kind.__name__


# --- arguments ---


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fps", "video__fps"),
        ("video_fps", "video__fps"),
        ("device", "detector__device"),
        ("min_score", "ground__min_score"),
        ("detector__treshold", "detector__threshold"),
    ],
)
def test_an_unknown_argument_hints_at_the_setting(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"unknown argument '{name}'") as caught:
        cospal_cli.ground("clip.mp4", "the man", **{name: 3})
    assert hint in caught.value.hint


def test_the_right_argument_is_taken() -> None:
    with pytest.raises(UsageError, match=r"video\.fps"):
        cospal_cli.ground("clip.mp4", "the man", video__fps=-3)
