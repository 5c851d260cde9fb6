"""``cospal convert`` and ``cospal ground --format`` at the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.cli import run
from tests.fake_grounder import Fake
from tests.stored_documents import EVEN, FIRST, JSON, NAMES, document
from tests.test_cli_ground import QUERY

ALL = [word for name in NAMES for word in ("--to", name)]
FILES = {
    ".coco.json", ".csv", ".cvat.xml", ".hcstvg.json", ".label-studio.json", ".label-studio.xml",
    ".mot/gt/gt.txt", ".mot/gt/labels.txt", ".mot/seqinfo.ini", ".mot/tracks.txt", ".srt",
    ".tao.json", ".vidstg/clip.json", ".vidstg/test_annotations.json", ".vtt",
    *(f".{name}" for name in ("otio", "edl") if name in NAMES),
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def store(path: str, *documents: dict[str, Any]) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    return path


def below(folder: str = ".") -> set[str]:
    root = Path(folder)
    return {one.relative_to(root).as_posix() for one in root.rglob("*") if one.is_file()}


def error(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().err


def test_every_format_in_one_run(capfd: pytest.CaptureFixture[str]) -> None:
    source = store("in/clip.tube.json", *JSON["one tube"])
    assert run(["convert", source, *ALL, "-o", "out"]) == 0
    assert below("out") == {f"clip{name}" for name in FILES}
    assert error(capfd).count("wrote out/clip.") == len(NAMES) + 1
    before = {name: (Path("out") / name).read_bytes() for name in below("out")}
    assert run(["convert", source, *ALL, "-o", "out"]) == 2
    assert "already exists" in error(capfd)
    Path("out/clip.mot/img1").mkdir()
    Path("out/clip.mot/img1/000001.jpg").write_bytes(b"mine")
    assert run(["convert", source, *ALL, "-o", "out", "--overwrite", "--quiet"]) == 0
    assert error(capfd) == ""
    after = {name: (Path("out") / name).read_bytes() for name in below("out")}
    assert after == before | {"clip.mot/img1/000001.jpg": b"mine"}


def test_folders_and_lines_are_read_and_split_as_the_form_has_it() -> None:
    store("in/a/clip.tube.json", *JSON["several sentences"][:1])
    store("in/b/clip.2.tube.json", *JSON["several sentences"][1:2])
    store("in/other.tube.json", document(FIRST, EVEN, path="x/clip.mp4"))
    store("results.jsonl", *JSON["several videos"])
    assert run(["convert", "in", "in/other.tube.json", "--to", "cvat", "--to", "csv"]) == 0
    assert {"clip.cvat.xml", "clip_2.cvat.xml", "tubes.csv"} <= below()
    Path("out").mkdir()
    assert run(["convert", "results.jsonl", "--to", "coco", "--to", "vtt", "-o", "out"]) == 0
    names = {"tubes.coco.json", "clip.vtt", "clip_2.vtt", "video.vtt", "other.vtt"}
    assert below("out") == names
    store("batch/results.jsonl", *JSON["several videos"])
    assert run(["convert", "batch", "--to", "hcstvg", "-o", "one.json"]) == 0
    assert len(json.loads(Path("one.json").read_text(encoding="utf-8"))) == 4


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--to", "vtt", "-o", "a.vtt"], {"a.vtt"}),
        (["--to", "label-studio", "-o", "a.json"], {"a.json", "a.xml"}),
        (["--to", "mot", "-o", "new/er"], {f"new/er/clip{one}" for one in FILES if "mot" in one}),
    ],
)
def test_output_is_obeyed_exactly(words: Sequence[str], expected: set[str]) -> None:
    source = store("clip.tube.json", *JSON["one tube"])
    assert run(["convert", source, *words]) == 0
    assert below() == expected | {source}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["clip.tube.json", "--to", "cvatt"], "did you mean 'cvat'"),
        (["clip.tube.json", "--to", "mot", "-o", "a.txt"], "this format writes a folder"),
        (["clip.tube.json", "--to", "vtt", "--to", "srt", "-o", "a.vtt"], "there are 2 to write"),
        (["two.tube.json", "--to", "vtt", "-o", "a.vtt"], "there are 4 to write"),
        (["clip.tube.json", "--to", "csv", "-o", "clip.tube.json", "--overwrite"], "input itself"),
        (["clip.tube.json", "--to", "csv", "-o", "nowhere/a.csv"], "does not exist"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    words: Sequence[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store("clip.tube.json", *JSON["one tube"])
    store("two.tube.json", *JSON["several videos"])
    before = below()
    assert run(["convert", *words]) == 2
    assert message in error(capfd)
    assert below() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[]", "expected an object"),
        ('{"schema": "cospal/tube@2"}', "schema is 'cospal/tube@2'"),
        ('{"schema": "cospal/tube@1", "query": {}, "tubes": {}}', "tubes: expected a list"),
    ],
)
def test_damaged_documents(text: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("bad.tube.json").write_text(text, encoding="utf-8")
    assert run(["convert", "bad.tube.json", "--to", "csv"]) == 4
    assert message in error(capfd)
    store("good.tube.json", *JSON["one tube"])
    assert run(["convert", "bad.tube.json", "good.tube.json", "--to", "csv"]) == 3
    shown = error(capfd)
    assert "left out: 'bad.tube.json'" in shown
    assert "clip.csv" in below()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frame", -1), ("frame", 1.5), ("frame", 6), ("time", None), ("bbox", [1, 2, 3]),
        ("bbox", [5, 2, 3, 4]), ("bbox", [1, 2, None, 4]), ("bbox", "0123"),
    ],
)  # fmt: skip
def test_a_damaged_box_is_named(field: str, value: Any, capfd: pytest.CaptureFixture[str]) -> None:
    made = json.loads(json.dumps(JSON["one tube"][0]))
    made["tubes"][0]["boxes"][3][field] = value
    assert run(["convert", store("bad.tube.json", made), "--to", "cvat"]) == 4
    assert "tubes[0].boxes" in error(capfd)
    assert below() == {"bad.tube.json"}


def test_what_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", "nowhere.tube.json", "--to", "csv"]) == 4
    assert "cannot read tubes from 'nowhere.tube.json': No such file" in error(capfd)
    Path("empty").mkdir()
    assert run(["convert", "empty", "--to", "csv"]) == 4
    assert "no *.tube.json and no results*.jsonl in the folder 'empty'" in error(capfd)


def test_the_last_line_of_a_killed_run_costs_only_itself(
    capfd: pytest.CaptureFixture[str],
) -> None:
    store("results.jsonl", *JSON["several videos"])
    text = Path("results.jsonl").read_text(encoding="utf-8")
    Path("results.jsonl").write_text(text[:-100], encoding="utf-8")
    assert run(["convert", "results.jsonl", "--to", "tao"]) == 3
    assert "'results.jsonl', line 4: not JSON" in error(capfd)
    assert len(json.loads(Path("tubes.tao.json").read_text(encoding="utf-8"))["videos"]) == 3


def test_lines_of_a_batch_lead_to_their_documents(capfd: pytest.CaptureFixture[str]) -> None:
    """Wherever the batch ran: beside the lines, or by its own path."""
    store("moved/a/clip.tube.json", *JSON["one tube"])
    row = {"video": "a/clip.mp4", "id": "1", "query": "x", "status": "complete"}
    lines = [
        {**row, "json": "out/a/clip.tube.json"},
        {**row, "id": "2", "status": "failed", "reason": "it is damaged"},
        {**row, "id": "3", "json": "out/a/gone.tube.json"},
    ]
    store("moved/results.jsonl", *lines)
    assert run(["convert", "moved/results.jsonl", "--to", "csv", "-o", "a.csv"]) == 3
    shown = error(capfd)
    assert "line 2: a/clip.mp4: failed: it is damaged" in shown
    assert "gone.tube.json" in shown
    assert Path("a.csv").read_text(encoding="utf-8").count("\n") == 61
    store("only.jsonl", lines[1])
    assert run(["convert", "only.jsonl", "--to", "csv"]) == 4
    assert "it is damaged" in error(capfd)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    stages = Fake()
    stages.install(monkeypatch)
    Path("clip.mp4").write_bytes(b"video")
    return stages


@pytest.mark.parametrize(
    ("words", "base"),
    [([], "clip"), (["-o", "new"], "new/clip"), (["-o", "a.json"], "a"), (["-o", "a.mp4"], "a")],
)
def test_ground_writes_what_convert_makes_of_its_json(
    fake: Fake, words: list[str], base: str, capfd: pytest.CaptureFixture[str]
) -> None:
    formats = [word.replace("--to", "--format") for word in ALL]
    asked = ["ground", "clip.mp4", "-q", QUERY, *formats, "--no-video", *words]
    assert run(asked) == 0
    assert f"wrote {base}.cvat.xml" in error(capfd)
    made = {name for name in below() if name.startswith(base) and not name.endswith("tube.json")}
    made -= {"a.json", "clip.mp4"}
    assert {name.removeprefix(base) for name in made} == FILES
    source = next(name for name in below() if name in {"a.json", f"{base}.tube.json"})
    assert run(["convert", source, *ALL, "-o", "again"]) == 0
    for name in FILES:
        ours, theirs = Path(f"{base}{name}"), Path(f"again/clip{name}")
        assert ours.read_bytes() == theirs.read_bytes(), name
    assert run(asked) == 2
    assert "already exists" in error(capfd)


def test_several_queries_share_one_file(fake: Fake) -> None:
    fake.tubes["a horse"] = []
    words = ["-q", QUERY, "-q", "a horse", "--format", "csv", "--format", "tao", "--no-video"]
    assert run(["ground", "clip.mp4", *words]) == 0
    assert below() >= {"clip.csv", "clip.tao.json", "clip.1.tube.json", "clip.2.tube.json"}
    queries = json.loads(Path("clip.tao.json").read_text(encoding="utf-8"))["queries"]
    assert [one["text"] for one in queries] == [QUERY, "a horse"]


def test_formats_need_a_place(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "clip.mp4", QUERY, "--json", "--format", "csv"]) == 2
    assert "-o DIR" in error(capfd)
    assert run(["ground", "clip.mp4", QUERY, "--format", "csw"]) == 2
    assert "did you mean 'csv'" in error(capfd)
    assert fake.watched == []
    assert run(["ground", "clip.mp4", QUERY, "--format", "csv", "--dry-run"]) == 0
    assert below() == {"clip.mp4"}
    Path("clip.mot").write_bytes(b"a file")
    assert run(["ground", "clip.mp4", QUERY, "--format", "mot"]) == 2
    assert "'clip.mot' is a file" in error(capfd)


def test_what_a_form_needs_is_said_before_any_work(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    assert run(["ground", "clip.mp4", QUERY, "--format", "otio"]) == 2
    assert "pip install" in error(capfd)
    assert fake.watched == []
