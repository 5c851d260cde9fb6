"""``cospal data check``: formats found by themselves, faults listed, exit codes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.cli import run
from cospal_cli.commands.data import SUBCOMMANDS, data
from cospal_cli.datasets.check import check
from tests import media
from tests.data_folders import FRAMES, NAMES, hcstvg, relation, v1, v2, vidstg, write


def checked(arguments: list[str], capsysbinary: Any) -> tuple[int, dict[str, Any]]:
    code = run(["data", "check", "--json", *arguments])
    return code, json.loads(capsysbinary.readouterr().out)


@pytest.mark.parametrize("form", ["hcstvg", "hcstvg-v2", "vidstg"])
def test_nothing_wrong(tmp_path: Path, form: str, capsysbinary: Any) -> None:
    if form == "vidstg":
        vidstg(tmp_path)
    elif form == "hcstvg-v2":
        hcstvg(tmp_path, dict.fromkeys(NAMES, v2()), "val_v2.json")
    else:
        hcstvg(tmp_path)
    code, found = checked([str(tmp_path)], capsysbinary)
    assert code == 0
    assert found["format"] == form
    assert (found["problems"], found["counts"], found["skipped"]) == ([], {}, 0)
    (split,) = found["splits"].values()
    assert split["records"] == split["usable"] == split["truths"] == found["usable"]
    assert found["bytes"] > 0


def test_the_table(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = dict.fromkeys(NAMES, v1()) | {f"../{at}.mp4": v1() for at in range(9)}
    hcstvg(tmp_path, rows | {"evil\x1b[2J.mp4": v1()})
    assert run(["data", "check", str(tmp_path)]) == 3
    shown = capfd.readouterr().out
    assert "hcstvg, 3 videos opened" in shown
    assert re.search(r"^train +13 +3 +3 +3$", shown, re.MULTILINE)
    assert "9 x unsafe-path" in shown
    assert "... and 4 more" in shown
    assert "\x1b" not in shown
    assert run(["data", "check", "--all", str(tmp_path)]) == 3
    assert "more; --all" not in capfd.readouterr().out


def test_videos_are_held_against_the_annotations(tmp_path: Path, capsysbinary: Any) -> None:
    names = [f"{at}_xp67EC-Hvwk.mp4" for at in range(8)]
    rows = {name: v1() for name in names}
    rows[names[3]] = v1(img_num=40, st_frame=30, fps=10)
    rows[names[4]] = v1(img_num=40, st_frame=18, fps=10)
    rows[names[5]] = v1(width=128)
    root = hcstvg(tmp_path, rows)
    folder = root / "videos" / "part1"
    for name in names:
        (folder / name).write_bytes((folder / NAMES[0]).read_bytes())
    (folder / names[0]).write_bytes(b"")
    (folder / names[1]).write_bytes(b"gone" * 300)
    (folder / names[2]).write_bytes(bytes(8000))
    code, found = checked([str(root)], capsysbinary)
    assert code == 3
    kinds = {(one["record"][0], one["kind"], one["skipped"]) for one in found["problems"]}
    assert kinds == {
        ("0", "empty-video", True),
        ("1", "empty-video", True),
        ("2", "unreadable-video", True),
        ("3", "short-video", False),
        ("3", "truth-past-end", True),
        ("4", "short-video", False),
        ("4", "late-truth", False),
        ("5", "other-size", True),
    }
    assert found["splits"]["train"] == {"records": 8, "usable": 3, "truths": 7, "videos": 7}


def test_decoding_finds_what_the_header_hides(tmp_path: Path, capsysbinary: Any) -> None:
    root = hcstvg(tmp_path, {"1_cut.mkv": v1(img_num=60, st_frame=40), NAMES[1]: v1()})
    whole = media.make(tmp_path / "whole.mkv", 60, options={"g": "10"})
    media.cut(whole, root / "videos" / "1_cut.mkv", 0.4)
    whole.unlink()
    code, found = checked([str(root)], capsysbinary)
    assert (code, found["decoded"], found["counts"]) == (0, False, {})
    code, found = checked(["--decode", str(root)], capsysbinary)
    assert (code, found["decoded"]) == (3, True)
    assert found["counts"] == {"truth-past-end": 1, "short-video": 1, "damaged-video": 1}
    assert {one["record"] for one in found["problems"]} == {"1_cut.mkv"}


def test_splits_that_share_a_video(tmp_path: Path, capsysbinary: Any) -> None:
    root = hcstvg(tmp_path)
    write(root / "test.json", {NAMES[0]: v1()})
    code, found = checked([str(root)], capsysbinary)
    assert code == 0
    (problem,) = found["problems"]
    assert (problem["kind"], problem["detail"]) == ("shared-video", "in train and test")


def test_one_bad_file_of_two(tmp_path: Path, capsysbinary: Any) -> None:
    root = hcstvg(tmp_path)
    write(root / "test.json", b"\xff\xff")
    code, found = checked([str(root)], capsysbinary)
    assert code == 3
    (problem,) = found["problems"]
    assert (problem["kind"], problem["record"]) == ("bad-file", "test.json")
    assert list(found["splits"]) == ["train"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
def test_nothing_usable_is_unreadable_input(
    tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    hcstvg(tmp_path, content)
    assert run(["data", "check", str(tmp_path)]) == 4
    assert "can be used" in capfd.readouterr().err


def test_folders_without_a_data_set(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "check", str(tmp_path / "none")]) == 4
    assert run(["data", "check", str(tmp_path)]) == 4
    assert "train_annotations.json" in capfd.readouterr().err
    assert run(["data", "check", "--format", "coco", str(tmp_path)]) == 2
    vidstg(tmp_path, [relation()])
    hcstvg(tmp_path)
    assert run(["data", "check", str(tmp_path)]) == 2
    assert run(["data", "check", "--format", "hcstvg", str(tmp_path)]) == 0


def test_processes_find_the_same_as_none(tmp_path: Path) -> None:
    names = [f"{at}_xp67EC-Hvwk.mp4" for at in range(40)]
    root = hcstvg(tmp_path, {name: v1(img_num=FRAMES + 1) for name in names})
    folder = root / "videos" / "part1"
    for name in names:
        (folder / name).write_bytes((folder / NAMES[0]).read_bytes())
    (folder / names[7]).write_bytes(b"gone" * 300)
    calls: list[tuple[Any, ...]] = []
    report = check(root, decode=True, workers=2, progress=lambda *told: calls.append(told))
    assert report == check(root, decode=True)
    assert report.counts() == {"empty-video": 1, "short-video": 39}
    assert calls[-1] == ("check", 40, 40, "1 failed")


def test_subcommands_are_listed_without_being_imported(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "--help"]) == 0
    shown = capfd.readouterr().out
    assert all(line in shown for _, line in SUBCOMMANDS.values())
    assert run(["data", "chekc"]) == 2
    assert data.help
