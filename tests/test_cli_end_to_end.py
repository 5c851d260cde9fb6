"""``cospal ground`` as a process on real pixels: nothing replaced, nothing downloaded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray

from cospal_cli import Grounder, ground
from cospal_cli.outputs import tube_json
from tests import media

COSPAL = [sys.executable, "-m", "cospal_cli"]
EXAMPLE = Path(__file__).parent.parent / "examples" / "bikes.mp4"
SIZE = (160, 120)
FRAMES = 40
FPS = 20


def box_at(number: int) -> tuple[int, int, int, int]:
    """A box of 30 x 60 that moves right by two pixels a frame."""
    return 10 + 2 * number, 40, 40 + 2 * number, 100


def with_two_people(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A gray scene with a red box that moves and a blue box that stays."""
    image = np.full((size[1], size[0], 3), 128, np.uint8)
    image[5:35, 100:120] = (30, 30, 200)
    left, top, right, bottom = box_at(number)
    image[top:bottom, left:right] = (210, 30, 30)
    return image


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "people.mp4"
    media.make(path, FRAMES, size=SIZE, fps=FPS, picture=with_two_people)
    lines = [
        {
            "frame": number,
            "boxes": [box_at(number), (100, 5, 120, 35)],
            "scores": [0.9, 0.8],
            "labels": ["person", "person"],
        }
        for number in range(FRAMES)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.with_suffix(".jsonl").write_text(text, encoding="utf-8")
    return path


def run(arguments: list[str], folder: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COSPAL, *arguments], cwd=folder, capture_output=True, text=True, **more)


def test_boxes_from_a_file_become_a_tube_and_a_video(clip: Path, tmp_path: Path) -> None:
    boxes = str(clip.with_suffix(".jsonl"))
    arguments = ["ground", str(clip), "the man in the red shirt", "--detections", boxes, "-v"]
    env = {"PATH": os.environ["PATH"], "TERM": "dumb"}  # and no HOME
    done = run(arguments, tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    document = json.loads((tmp_path / "people.tube.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, tube_json.schema())
    (tube,) = tube_json.load_tubes(document)
    assert len(tube.frame_indices) >= FRAMES - 4
    expected = np.array([box_at(int(number)) for number in tube.frame_indices])
    assert np.abs(tube.boxes_xyxy - expected).max() <= 4
    assert document["status"] == "complete"
    with av.open(str(tmp_path / "people.tube.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == FRAMES


def test_the_same_from_python(clip: Path) -> None:
    boxes = clip.with_suffix(".jsonl")
    settings = {"detector__name": "file", "detector__file__path": boxes}
    grounder = Grounder.open(**settings)
    red, blue = grounder.ground(clip, ["the man in the red shirt", "the man in blue"])
    assert red[0].boxes_xyxy[0, 1] > 30 > blue[0].boxes_xyxy[0, 1]
    (tube,) = ground(str(clip), "the man in the red shirt", **settings)
    assert tube.id == red[0].id
    assert len(ground(clip, "the man", top_k=2, **settings)) == 2


def test_the_embedded_models_need_neither_torch_nor_network(tmp_path: Path) -> None:
    code = (
        "import sys, socket\n"
        "def refuse(*_, **__): raise AssertionError('network')\n"
        "socket.socket.connect = refuse\n"
        "from cospal_cli.cli import run\n"
        f"code = run(['ground', {str(EXAMPLE)!r}, 'the man in the suit', '--end', '3s'])\n"
        "heavy = {'torch', 'transformers', 'pydantic', 'scipy'} & set(sys.modules)\n"
        "sys.exit(code or ' '.join(heavy) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "bikes.tube.json").read_text(encoding="utf-8"))
    assert document["tubes"][0]["label"] == "man"
    assert document["tubes"][0]["detected"] == "person"
    assert 1.0 <= document["tubes"][0]["start_time"] <= 1.4  # he comes into view with the cut


@pytest.mark.parametrize(
    ("name", "content"), [("absent.mp4", None), ("empty.mp4", b""), ("text.mp4", b"hello" * 99)]
)
def test_unreadable_videos_end_with_4(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run(["ground", name, "a dog"], tmp_path)
    assert done.returncode == 4
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert name in error
    assert hint.startswith("hint: ")
    assert list(tmp_path.glob("*tube*")) == []


def test_a_video_cut_in_the_middle_gives_a_partial_answer(clip: Path, tmp_path: Path) -> None:
    media.make(tmp_path / "whole.mkv", FRAMES, size=SIZE, fps=FPS, picture=with_two_people)
    media.cut(tmp_path / "whole.mkv", tmp_path / "cut.mkv", 0.6)
    boxes = str(clip.with_suffix(".jsonl"))
    arguments = ["ground", "cut.mkv", "the man in the red shirt", "--detections", boxes]
    done = run([*arguments, "--no-video"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "warning: " in done.stderr
    document = json.loads((tmp_path / "cut.tube.json").read_text(encoding="utf-8"))
    assert document["status"] == "partial"
    assert document["tubes"]
    assert run([*arguments, "--strict", "-o", "strict.json"], tmp_path).returncode == 4
    assert not (tmp_path / "strict.json").exists()


def start_long_run(folder: Path) -> subprocess.Popen[str]:
    """A run that has begun to watch a video of 3000 frames."""
    media.make(folder / "long.mp4", 3000, fps=25)
    words = ["ground", "long.mp4", "a dog", "--fps", "25", "--log-file", "log"]
    child = subprocess.Popen([*COSPAL, *words], cwd=folder, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    log = folder / "log"
    while not (log.exists() and "watching" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return child


def test_a_closed_pipe_is_no_bug(clip: Path, tmp_path: Path) -> None:
    boxes = str(clip.with_suffix(".jsonl"))
    child = subprocess.Popen(
        [*COSPAL, "ground", str(clip), "the man", "--json", "--detections", boxes],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    assert "Traceback" not in child.stderr.read()
    assert child.wait() == 141


def test_ctrl_c_leaves_a_playable_video_and_a_document(tmp_path: Path) -> None:
    child = start_long_run(tmp_path)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    document = json.loads((tmp_path / "long.tube.json").read_text(encoding="utf-8"))
    assert document["status"] == "interrupted"
    seen = document["video"]["frames_decoded"]
    assert 0 < seen < 3000
    with av.open(str(tmp_path / "long.tube.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == seen
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "log",
        "long.mp4",
        "long.tube.json",
        "long.tube.mp4",
    ]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ctrl_c_or_a_termination_leaves_nothing(tmp_path: Path, kind: int) -> None:
    child = start_long_run(tmp_path)
    child.send_signal(signal.SIGINT)
    time.sleep(0.01)
    child.send_signal(kind)
    began = time.monotonic()
    _, err = child.communicate(timeout=60)
    assert child.returncode == 128 + kind, err
    assert time.monotonic() - began < 2
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "long.mp4"]
