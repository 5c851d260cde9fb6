"""docs/data.md keeps its word: its data set trains, its answers score, it lists every fault."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from cospal_cli.cli import run
from cospal_cli.datasets.records import KINDS
from tests import media
from tests.data_folders import BIKES, cyclists

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
TRAIN, TEST, ANSWERS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
LINES = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
SMALL = {"train": "--epochs 1,0,1 --threads 1 --set model.dim=16 --set model.ffn=16".split()}


def test_a_folder_of_videos_and_sentences_is_enough_to_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "videos").mkdir(parents=True)
    (tmp_path / "mine" / "train.json").write_text(TRAIN, encoding="utf-8")
    for name in json.loads(TRAIN):
        media.make(Path("mine/videos") / name, 12, size=BIKES, picture=cyclists)
    names = []
    for line in LINES:
        words = shlex.split(line)[1:]
        assert run([*words, *SMALL.get(words[0], [])]) == 0, capfd.readouterr().err
        names.append(" ".join(words[:2]) if words[0] == "data" else words[0])
    assert names == ["data check", "data prepare", "train", "ground"]
    assert json.loads(Path("answer.json").read_text())["heads"]["tubelets"]
    for place in re.findall(r"^ +(\w+\.mp4|\w+\.json)", PAGE, re.MULTILINE):
        assert list(Path("mine").rglob(place))


def test_its_answers_are_perfect(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    media.make(tmp_path / "bear.mp4", 20)
    (tmp_path / "test.json").write_text(TEST, encoding="utf-8")
    answers = tmp_path / "answers"
    answers.write_text(ANSWERS, encoding="utf-8")
    assert run(["data", "check", str(tmp_path)]) == 0
    assert "no problems found" in capfd.readouterr().out
    arguments = ["--data", str(tmp_path), "--predictions", str(answers), "--json"]
    assert run(["evaluate", *arguments]) == 0
    rows = json.loads(capfd.readouterr().out)["methods"]["answers"]["rows"]["predicted"]
    assert rows["m_vIoU"]["mean"] == pytest.approx(1)


def test_every_kind_of_fault_is_listed() -> None:
    told = dict(
        re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", PAGE.split("## What can be wrong")[1], re.M)
    )
    assert told == KINDS
