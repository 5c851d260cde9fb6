"""The other commands, and what all commands share: help, exit codes, a hostile environment."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from cospal_cli import devices, weights
from cospal_cli.cli import COMMANDS, run
from cospal_cli.commands.console import printable
from cospal_cli.commands.findings import findings, verdict
from cospal_cli.core.backends import DETECTORS
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.settings import Config, keys

COSPAL = [sys.executable, "-m", "cospal_cli"]


def process(
    arguments: list[str], env: Mapping[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    environ = dict(os.environ) if env is None else dict(env)
    return subprocess.run(
        [*COSPAL, *arguments], capture_output=True, text=True, env=environ, **more
    )


def test_help_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capfd.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in out
        assert line in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: cospal {name}" in capfd.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["config"], ["grond"], ["config", "shw"], ["--nope"]])
def test_wrong_commands_end_with_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "Usage:" in err or "hint: see 'cospal" in err


def test_config_show_tells_values_and_sources(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("detector:\n  threshold: 0.2\n")
    monkeypatch.setenv("COSPAL_VIDEO_FPS", "4")
    arguments = ["config", "show", "--config", str(file), "--set", "ground.top_k=3"]
    assert run(arguments) == 0
    text = capfd.readouterr().out
    shown = [" ".join(line.split()) for line in text.splitlines()]
    assert f"threshold: 0.2 # {file}:2" in shown
    assert "fps: 4.0 # COSPAL_VIDEO_FPS" in shown
    assert "top_k: 3 # --set" in shown
    assert "start: null # default" in shown
    assert len([line for line in shown if "#" in line]) == len(keys())
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["config"]["detector"]["threshold"] == 0.2
    assert found["origins"]["video.fps"] == "COSPAL_VIDEO_FPS"


def test_what_config_show_prints_can_be_given_back(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    odd = "größe \\ \u202e \U0001f6b4 \x7f: # 'x'"
    given = ["--set", "curriculum.epochs=1,2,3", "--set", f"detector.model={odd}"]
    given += ["--set", "video.start=120", "--set", "train.lr=1e-05", "--set", "text.model=no"]
    assert run(["config", "show", *given, "--json"]) == 0
    before = json.loads(capfd.readouterr().out)["config"]
    assert run(["config", "show", *given]) == 0
    file = tmp_path / "back.yaml"
    file.write_text(capfd.readouterr().out, encoding="utf-8")
    assert run(["config", "show", "--config", str(file), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["config"] == before
    assert before["detector"]["model"] == odd
    assert {origin.split(":")[0] for origin in found["origins"].values()} == {str(file)}


def test_config_show_explains(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", "--explain", "video.fps", "--set", "video.fps=5"]) == 0
    out = capfd.readouterr().out
    assert out.startswith("video.fps = 5  (--set)\n    Frames analysed per second of video.\n")
    assert "from 0.01 to 1000; default 10" in out
    assert "COSPAL_VIDEO_FPS, flag --fps" in out
    assert run(["config", "show", "--explain", "detector"]) == 0
    out = capfd.readouterr().out
    assert "detector.nanodet.tiles = 1" in out
    assert "one of auto, grounding-dino" in out
    assert run(["config", "show", "--explain"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 4 * len(keys())
    assert run(["config", "show", "--explain", "loss.harder"]) == 0
    assert capfd.readouterr().out.startswith("loss.negative_growth = 0.5")
    assert run(["config", "show", "--explain", "fps"]) == 2
    assert "did you mean 'video.fps' or 'clips.fps'?" in capfd.readouterr().err


@pytest.mark.parametrize("columns", ["30", "60", "80", "120"])
def test_help_lists_flags_in_groups_with_defaults_and_choices(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["ground", "--help"]) == 0
    out = " ".join(capfd.readouterr().out.split())
    places = [out.index(f" {group}: ") for group in ("Input", "What to find", "Output", "Models")]
    assert places == sorted(places)
    assert "--fps NUMBER Frames analysed per second of video. [default: 10; from" in out
    assert f"one of auto, {', '.join(DETECTORS)}]" in out
    assert "--reads" not in out


def test_an_old_flag_works_and_says_its_new_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "--data", str(tmp_path), "--reads", "neither"]) == 2
    err = capfd.readouterr().err
    assert "warning: --reads is now called --query-form; the old name works until version" in err
    assert "error: --reads: ground.query_form: unknown value 'neither'" in err


@pytest.mark.parametrize("name", ["ground", "train", "evaluate", "export", "doctor"])
def test_every_option_says_in_a_phrase_what_it_does(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(importlib.import_module(module), attribute)
    for one in command.params:
        if isinstance(one, click.Option):
            assert len((one.help or "").split("[")[0].split()) >= 3, one.name


def test_config_show_refuses_the_unknown(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", "--set", "detector.treshold=1"]) == 2
    assert "did you mean 'detector.threshold'?" in capfd.readouterr().err


def test_doctor_tells_what_works(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["providers"]["CPUExecutionProvider"] is True
    assert found["codecs"] == {"libx264": True, "aac": True}
    assert found["onnxruntime"][0].startswith("onnxruntime")
    assert set(found["weights"]) == set(weights.manifest())
    assert all(state["ok"] for state in found["weights"].values())
    assert run(["doctor"]) == 0
    out = capfd.readouterr().out
    works = out.split("\nworks\n")[1].split("\n\n")[0]
    assert " ".join(works.split()).startswith("embedded models nanodet_g_coco, ")
    assert "ONNX Runtime on the CPU" in works
    assert "annotated videos" in works
    assert out.splitlines()[-1].startswith("verdict: ready to ground videos")
    assert max(map(len, out.splitlines())) <= 100


def test_doctor_ends_with_5_when_weights_are_not_whole(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(name: str) -> Path:
        raise WeightsError(f"{name}: sha256 differs", "pip install --force-reinstall cospal")

    monkeypatch.setattr(weights, "path", damaged)
    assert run(["doctor"]) == 5
    out = capfd.readouterr().out
    lacks = out.split("\ndoes not work\n")[1].split("\n\n")[0]
    assert "embedded model nanodet_g_coco" in lacks
    assert "nanodet_g_coco: sha256 differs" in lacks
    todo = out.split("\nwhat to do\n")[1].split("\n\n")[0]
    assert "pip install --force-reinstall cospal" in todo
    assert "verdict: not ready: embedded model nanodet_g_coco" in out


def test_doctor_says_what_to_do_for_each_job_that_lacks_something() -> None:
    facts: dict[str, Any] = {
        "weights": {"nanodet_g_coco": {"ok": True, "path": "x"}},
        "providers": {"CPUExecutionProvider": True, "CUDAExecutionProvider": True},
        "onnxruntime": ["onnxruntime-gpu 1.31.1"],
        "codecs": {"libx264": True, "aac": True},
        "packages": {"torch": "2.13", "transformers": "5.23", "accelerate": "1.15"},
        "models": {"net": "/models/net"},
    }
    found = findings(facts)
    assert all(one.works and not one.todo for one in found)
    assert verdict(found).startswith("ready to ground videos; also: annotated videos, ")
    lacking = {
        "packages": (facts["packages"] | {"torch": None}, "training and export", "[train]"),
        "models": ({"net": None}, "backbones of the paper", "cospal models fetch net"),
        "codecs": ({"libx264": False, "aac": True}, "annotated videos", "reinstall av"),
    }
    for fact, (value, what, todo) in lacking.items():
        (one,) = (one for one in findings(facts | {fact: value}) if not one.works)
        assert one.what == what
        assert todo in one.todo
    runtime = findings(facts | {"providers": {"CPUExecutionProvider": False}})
    assert verdict(runtime).startswith("not ready: ONNX Runtime on the CPU")


def test_devices_are_judged_by_a_real_session(capfd: pytest.CaptureFixture[str]) -> None:
    devices.check("auto")
    devices.check(Config().detector.device)
    assert devices.session_providers(["CPUExecutionProvider"]) == ["CPUExecutionProvider"]
    # This provider is often compiled in and never works without its libraries.
    got = devices.session_providers(["TensorrtExecutionProvider", "CPUExecutionProvider"])
    assert got[-1] == "CPUExecutionProvider"
    assert capfd.readouterr().out == ""
    for name in ("gpu", "cuda:", "cuda:x", "cudax", ""):
        with pytest.raises(UsageError, match="unknown device"):
            devices.check(name)


def test_printable_keeps_letters_and_escapes_the_rest() -> None:
    assert printable("größe 日本 ✓") == "größe 日本 ✓"
    assert printable("a\nb\x1b[31m\u202e\udce9") == r"a\nb\x1b[31m\u202e\udce9"


HOSTILE = [
    {"TERM": "dumb"},
    {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
    {"NO_COLOR": "1", "XDG_CACHE_HOME": "/proc/nowhere"},
]


@pytest.mark.parametrize("extra", HOSTILE, ids=lambda extra: " ".join(extra))
def test_an_environment_with_nothing_in_it(extra: dict[str, str], tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], **extra}  # no HOME
    assert process(["--help"], env).returncode == 0
    done = process(["config", "show", "--set", "detector.file.path=größe"], env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "  fps: 10.0 " in done.stdout
    bad = process(["config", "show", "--set", "größe\n=1"], env, cwd=tmp_path)
    assert bad.returncode == 2
    assert len(bad.stderr.splitlines()) == 2


def test_a_reader_that_leaves_hears_nothing() -> None:
    child = subprocess.Popen(
        [*COSPAL, "config", "show"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    err = child.stderr.read()
    assert (child.wait(), err) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_stdout_ends_with_6() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COSPAL, "config", "show"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 6
    assert done.stderr.startswith("error: cannot write to stdout: ")
    assert "Traceback" not in done.stderr


def test_closed_streams_are_no_bug() -> None:
    code = "import os, sys; os.close(2); from cospal_cli.cli import run; sys.exit(run(['grond']))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 2


def test_a_terminated_process_says_143() -> None:
    code = (
        "import sys, time\n"
        "from cospal_cli import cli\n"
        "def wait(args, state):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(30)\n"
        "cli._run = wait\n"
        "sys.exit(cli.run([]))\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stderr
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    assert (child.wait(), child.stderr.read()) == (143, "error: terminated\n")
