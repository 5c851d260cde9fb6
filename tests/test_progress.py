"""What a long job shows: a bar on a terminal, plain lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import io
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.cli import run
from cospal_cli.commands import console
from cospal_cli.commands import progress as shown
from cospal_cli.commands.progress import _State
from cospal_cli.core.progress import NOTICE
from cospal_cli.datasets.synthetic.write import write_set
from tests.tiny_set import RECIPE, VIDEOS


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line every 20 ms in place of every half minute."""
    monkeypatch.setattr(shown, "TICK_S", 0.02)
    monkeypatch.setattr(shown, "NOTICE_TICKS", 1)


def test_a_line_every_half_minute_by_default() -> None:
    assert shown.TICK_S * shown.NOTICE_TICKS == 30


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("verbosity", [0, 1])
def test_plain_lines_appear_without_v_even_between_two_steps(
    verbosity: int, capfd: pytest.CaptureFixture[str]
) -> None:
    console.set_up_logging(verbosity, None)
    with console.progress(False, "videos") as progress:
        progress("prepare", 0, 40)
        progress("prepare", 10, 40, "2 failed")
        time.sleep(0.2)  # one slow video: nobody calls
    lines = [line for line in capfd.readouterr().err.splitlines() if "10 of 40" in line]
    assert len(lines) > 2
    told = re.fullmatch(
        r"preparing: 10 of 40 videos, (.+) videos/s, (.+) s left, 2 failed", lines[-1]
    )
    assert told
    assert float(told[1]) > 0


@pytest.mark.usefixtures("often")
def test_short_jobs_and_quiet_ones_say_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    console.set_up_logging(-1, None)
    with console.progress(True) as progress:
        progress("prepare", 1, 40)
        time.sleep(0.05)
    monkeypatch.setattr(shown, "TICK_S", 30)
    console.set_up_logging(0, None)
    with console.progress(False) as progress:
        progress("prepare", 1, 40)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("state", "seconds", "line"),
    [
        (
            ("train", 100, 130, 340, "loss 1.5"), 10,
            "training: 130 of 340 updates, 3.0 updates/s, 70 s left, loss 1.5",
        ),
        (
            ("prepare", 0, 20, 1000, ""), 600,
            "preparing: 20 of 1000 videos, 2.0 videos/min, 8 h 10 min left",
        ),
        (("check", 0, 5, 7, ""), 36000, "checking: 5 of 7 videos, 0.5 videos/h, 4 h 0 min left"),
        (("watch", 0, 3000, None, ""), 100, "watching: 3000 frames, 30.0 frames/s"),
        (("watch", 0, 0, 90, ""), 5, "watching: 0 of 90 frames"),
        (("random", 0, 10, 60, ""), 20, "random: 10 of 60 frames, 30.0 frames/min, 2 min left"),
    ],
)  # fmt: skip
def test_what_a_line_says(
    monkeypatch: pytest.MonkeyPatch, state: Any, seconds: float, line: str
) -> None:
    stage, first, done, total, note = state
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + seconds)
    assert _State(stage, 1000.0, first, done, total, note).line("frames") == line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_with_its_note(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with console.progress(False, "updates") as progress:
        for update in range(1, 5):
            progress("train", update, 8, f"loss {1 / update:.4f}")
            time.sleep(0.15)
    text = screen.getvalue()
    assert "training" in text
    assert "4/8" in text
    assert "loss 0.2500" in text
    assert "updates" in text


@pytest.mark.usefixtures("often")
def test_prepare_and_train_say_how_far_they_are(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "set"
    assert write_set(RECIPE, root, VIDEOS) is not None
    settings = ["--set=clips.fps=2", "--set=features.frames=8"]
    assert run(["data", "prepare", str(root), "--jobs", "0", *settings]) == 0
    assert re.search(r"^preparing: \d of 4 videos", capfd.readouterr().err, re.MULTILINE)
    sizes = ["--set=model.dim=16", "--set=model.ffn=16", "--set=model.heads=2"]
    train = ["train", "--data", str(root), "--recipe", "none", "--batch", "2", *sizes]
    assert run([*train, "--out", str(tmp_path / "run"), "--epochs", "2,2,2"]) == 0
    err = capfd.readouterr().err
    epochs = re.findall(
        r"^epoch (\d) of \d \(stage \d\), update \d+ of \d+, loss \d+\.\d{4}", err, re.MULTILINE
    )
    assert epochs == [str(number + 1) for number in range(len(epochs))]
    assert len(epochs) >= 2
    assert "validation" in err


@pytest.mark.parametrize(("verbosity", "seen"), [(-1, ""), (0, "epoch 1\n"), (1, "epoch 1\n")])
def test_notices_are_lines_without_a_level(
    verbosity: int, seen: str, capfd: pytest.CaptureFixture[str]
) -> None:
    console.set_up_logging(verbosity, None)
    logging.getLogger("cospal").log(NOTICE, "epoch 1")
    assert capfd.readouterr().err == seen
