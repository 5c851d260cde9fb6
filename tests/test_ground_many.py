"""``cospal ground`` on many videos: what is done, written, printed, skipped and done again.

The Grounder is replaced by one that knows the answer, in this process.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cospal_cli.cli import run
from cospal_cli.core.errors import InputError
from cospal_cli.grounder import Grounder
from tests.fake_grounder import FRAMES, Fake

QUERY = "the man in the red shirt"
ASK = [QUERY, "--no-video", "--workers", "1"]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fake:
    """Three videos, of which ``bad.mp4`` cannot be read."""
    stages = Fake()
    stages.install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name in ("clips/a.mp4", "clips/bad.mp4", "clips/c.mp4"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"video")
    watch = Grounder._observe

    def observe(grounder: Grounder, video: Path, *more: Any) -> Any:
        if video.name == "bad.mp4" and video.read_bytes() == b"video":
            raise InputError("not a video: 'bad.mp4'", "copy it again")
        stages.names.append(str(video))  # type: ignore[attr-defined]
        assert grounder.detector is not None
        own = {"id": grounder.detector.model_id, "sha256": grounder.detector.model_sha256}
        return replace(watch(grounder, video, *more), model=own)

    stages.names = []  # type: ignore[attr-defined]
    monkeypatch.setattr(Grounder, "_observe", observe)
    return stages


def watched(fake: Fake) -> list[str]:
    names: list[str] = fake.names  # type: ignore[attr-defined]
    fake.names = []  # type: ignore[attr-defined]
    return names


def rows(path: str = "out/results.jsonl") -> dict[tuple[str, str], dict[str, Any]]:
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    found = {(line["video"], line["id"]): line for line in lines}
    assert len(found) == len(lines), "a line twice"
    return found


def states() -> dict[str, str]:
    return {video: row["status"] for (video, _), row in rows().items()}


def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("out/summary.json").read_text())
    return found


def results(folder: str = "out") -> set[str]:
    found = Path(folder).rglob("*.tube.json")
    return {path.relative_to(folder).as_posix() for path in found}


def test_one_bad_video_stops_no_other_and_the_rerun_does_only_that(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    """Row 40 of the fault matrix."""
    assert run(["ground", "clips", *ASK, "-o", "out"]) == 3
    assert states() == {"a.mp4": "complete", "bad.mp4": "failed", "c.mp4": "complete"}
    assert results() == {"a.tube.json", "c.tube.json"}
    found = summary()
    assert found["counts"] == {"complete": 2, "failed": 1}
    (failure,) = found["failures"]
    assert (failure["video"], failure["reason"]) == ("bad.mp4", "not a video: 'bad.mp4'")
    assert {"seconds", "versions", "interrupted"} <= found.keys()
    err = capfd.readouterr().err
    assert "error: bad.mp4: not a video: 'bad.mp4'" in err
    assert "a.mp4: person, 0.00 to 0.40 s, score 0.80" in err
    assert watched(fake) == ["clips/a.mp4", "clips/c.mp4"]
    Path("clips/bad.mp4").write_bytes(b"mended")
    assert run(["ground", "clips", *ASK, "-o", "out", "--retry-failed"]) == 0
    assert watched(fake) == ["clips/bad.mp4"]
    assert set(states().values()) == {"complete"}
    assert run(["ground", "clips", *ASK, "-o", "out", "--retry-failed"]) == 0
    assert watched(fake) == []
    assert set(states().values()) == {"complete"}


def test_skip_existing_does_what_is_missing(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    ask = ["ground", "clips/a.mp4", "clips/c.mp4", *ASK, "-o", "out"]
    assert run(ask) == 0
    before = Path("out/a.tube.json").read_bytes()
    assert run(ask) == 2
    assert "2 of 2 outputs already exist, the first is 'out/a.tube.json'" in capfd.readouterr().err
    Path("out/c.tube.json").unlink()
    watched(fake)
    assert run([*ask, "--skip-existing"]) == 0
    assert watched(fake) == ["clips/c.mp4"]
    assert "a.mp4: done before, person" in capfd.readouterr().err
    assert summary()["counts"] == {"skipped": 1, "complete": 1}
    assert Path("out/a.tube.json").read_bytes() == before
    assert run([*ask, "--overwrite"]) == 0
    assert watched(fake) == ["clips/a.mp4", "clips/c.mp4"]


@pytest.mark.parametrize("change", ["--top-k 2", "--fps 5", "video", "query"])
def test_what_is_of_other_settings_or_another_video_is_named_not_replaced(
    fake: Fake, change: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ask = ["ground", "clips/a.mp4", "clips/c.mp4", *ASK, "-o", "out"]
    assert run(ask) == 0
    before, count = Path("out/a.tube.json").read_bytes(), 2
    if change == "video":
        Path("clips/a.mp4").write_bytes(b"another")
        count = 1
    elif change == "query":
        ask[3] = "a dog"
    else:
        ask += change.split()
    watched(fake)
    assert run([*ask, "--skip-existing"]) == 3
    assert watched(fake) == []
    assert list(states().values()).count("differs") == count
    assert "of other settings or another video" in capfd.readouterr().err
    assert Path("out/a.tube.json").read_bytes() == before
    assert run([*ask, "--skip-existing", "--overwrite"]) == 0
    assert len(watched(fake)) == count


@pytest.mark.parametrize("change", ["--threads 1", "--engine serial", "-v"])
def test_what_has_no_part_in_a_result_changes_no_fingerprint(fake: Fake, change: str) -> None:
    ask = ["ground", "clips/a.mp4", "clips/c.mp4", *ASK, "-o", "out"]
    assert run(ask) == 0
    watched(fake)
    assert run([*ask, "--skip-existing", *change.split()]) == 0
    assert watched(fake) == []


@pytest.mark.parametrize("state", ["interrupted", "half", "video gone", "no JSON", "old"])
def test_what_is_not_whole_is_done_again(fake: Fake, state: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("cospal_cli.commands.ground_job._drawn", lambda path, doc: path.exists())
    ask = ["ground", "clips/a.mp4", "clips/c.mp4", QUERY, "--workers", "1", "-o", "out"]
    assert run(ask) == 0
    path = Path("out/a.tube.json")
    document = json.loads(path.read_text())
    if state == "interrupted":
        path.write_text(json.dumps(document | {"status": "interrupted"}))
    elif state == "video gone":
        Path("out/a.tube.mp4").unlink()
    elif state == "no JSON":
        path.unlink()
    elif state == "old":
        del document["generator"]["fingerprint"]
        path.write_text(json.dumps(document))
    else:
        path.write_text(path.read_text()[:300])
    watched(fake)
    theirs = state in ("half", "old")  # perhaps not of ours: never replaced unasked
    assert run([*ask, "--skip-existing"]) == (3 if theirs else 0)
    assert watched(fake) == ([] if theirs else ["clips/a.mp4"])


def test_outputs_mirror_the_inputs(fake: Fake) -> None:
    for name in ("clips/sub/a.mp4", "more/a.mp4", "clips/a.webm"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"video")
    assert run(["ground", "clips", "more", "--recursive", *ASK, "-o", "out"]) == 3
    assert results() == {
        "clips/a.mp4.tube.json", "clips/a.webm.tube.json", "clips/c.tube.json",
        "clips/sub/a.tube.json", "more/a.tube.json",
    }  # fmt: skip


def test_several_sentences_share_one_pass(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    ask = ["ground", "clips/a.mp4", "clips/c.mp4", "-q", "a dog", "-q", "?!", "-q", "a cat"]
    assert run([*ask, "--no-video", "--workers", "1", "-o", "out"]) == 3
    assert watched(fake) == ["clips/a.mp4", "clips/c.mp4"]
    assert results() == {f"{name}.{n}.tube.json" for name in "ac" for n in (1, 3)}
    assert "error: -q 2: " in capfd.readouterr().err


def test_json_lines_in_input_order(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    ask = ["ground", "clips", "-q", "a dog", "-q", "a cat", "--workers", "1", "--json"]
    assert run(ask) == 3
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    found = [(Path(one["video"]["path"]).name, one["query"]["text"]) for one in lines]
    assert found == [(name, text) for name in ("a.mp4", "c.mp4") for text in ("a dog", "a cat")]
    assert set(os.listdir()) == {"clips"}


def test_a_manifest(fake: Fake) -> None:
    Path("clips/jobs.csv").write_text(
        "video,query,id,start,end\na.mp4,a dog,x/1,0s,1s\na.mp4,a cat,,,\nbad.mp4,a man,,,\n"
        "c.mp4,?!,,,\na.mp4,a bird,b,0s,1s\n"
    )
    ask = ["ground", "--manifest", "clips/jobs.csv", "--no-video", "--workers", "1", "-o", "out"]
    assert run(ask) == 3
    assert results() == {"a.x_1.tube.json", "a.2.tube.json", "a.b.tube.json"}
    found = rows()
    assert found["a.mp4", "x/1"]["status"] == "complete"
    assert found["bad.mp4", "1"]["reason"] == "not a video: 'bad.mp4'"
    assert "no word" in found["c.mp4", "1"]["reason"] or found["c.mp4", "1"]["status"] == "failed"
    first = json.loads(Path("out/a.x_1.tube.json").read_text())
    assert first["query"]["id"] == "x/1"
    assert first["generator"]["config"]["video"]["end"] == "1s"
    assert len(watched(fake)) == 2  # one pass for each part


def test_a_list_on_stdin_and_only_there(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(b"clips/a.mp4\0clips/c.mp4\0"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert run(["ground", "clips", *ASK, "-o", "other"]) == 3
    assert stdin.buffer.tell() == 0
    assert run(["ground", "-0", "--files-from", "-", *ASK, "-o", "out"]) == 0
    assert results() == {"clips/a.tube.json", "clips/c.tube.json"}


def test_shards_write_into_one_folder(fake: Fake) -> None:
    for at in range(6):
        Path(f"clips/v{at}.mp4").write_bytes(b"video")
    for number in (1, 2, 3):
        ask = ["ground", "clips", *ASK, "-o", "out", "--shard", f"{number}/3"]
        assert run(ask) in (0, 3)
    assert len(results()) == 8
    lines = [rows(f"out/results.{n}-of-3.jsonl") for n in (1, 2, 3)]
    assert sum(map(len, lines)) == 9
    assert len(set().union(*lines)) == 9


def test_a_torn_line_of_a_killed_run_is_written_anew(fake: Fake) -> None:
    ask = ["ground", "clips/a.mp4", "clips/c.mp4", *ASK, "-o", "out"]
    assert run(ask) == 0
    text = Path("out/results.jsonl").read_text()
    Path("out/results.jsonl").write_text(text[:-20])
    Path("out/summary.json").unlink()
    assert run([*ask, "--skip-existing"]) == 0
    assert states() == {"a.mp4": "complete", "c.mp4": "complete"}
    assert summary()["counts"] == {"skipped": 2}


def test_lines_of_other_videos_stay(fake: Fake) -> None:
    assert run(["ground", "clips/a.mp4", "clips/bad.mp4", *ASK, "-o", "out"]) == 3
    Path("more").mkdir()
    Path("more/z.mp4").write_bytes(b"video")
    assert run(["ground", "more", *ASK, "-o", "out"]) == 0
    assert set(states()) == {"a.mp4", "bad.mp4", "z.mp4"}


def test_the_first_ctrl_c_finishes_the_video_in_work(fake: Fake) -> None:
    fake.while_watching = lambda: os.kill(os.getpid(), signal.SIGINT)
    assert run(["ground", "clips/a.mp4", "clips/c.mp4", *ASK, "-o", "out"]) == 130
    assert results() == {"a.tube.json"}
    assert json.loads(Path("out/a.tube.json").read_text())["status"] == "complete"
    assert summary()["interrupted"] is True


def test_fail_on_empty(fake: Fake) -> None:
    fake.tubes = {QUERY: []}
    assert run(["ground", "clips/a.mp4", "clips/c.mp4", *ASK, "--fail-on-empty"]) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clips", QUERY, "-o", "a.json"], "is one file, but there are 3 videos"),
        (["clips", "clips/a.mp4"], "is a file, not a sentence"),
        (["clips/a.mp4", "clips"], "is a folder, not a sentence"),
        (["--manifest", "m.csv", "clips", QUERY], "--manifest has the videos"),
        (["clips", QUERY, "-0"], "-0 is about --files-from"),
        (["clips", QUERY, "--json", "--skip-existing"], "--json without -o writes no files"),
        (["clips", QUERY, "--retry-failed", "--skip-existing"], "give one of them"),
        (["clips", QUERY, "--retry-failed", "-o", "new"], "of an earlier run"),
        (["clips", QUERY, "--shard", "4/3"], "expected i/n"),
        (["clips", QUERY, "--detections", "x.jsonl"], "boxes of one video, but there are 3"),
        (["clips/*.webm", QUERY], "matches nothing"),
        (["clips", QUERY, "--engine", "rey"], "unknown value 'rey'"),
    ],
)
def test_wrong_usage_is_found_before_any_work(
    fake: Fake, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    Path("m.csv").write_text("video,query\nclips/a.mp4,a dog\n")
    Path("x.jsonl").write_text("")
    assert run(["ground", *arguments]) == 2
    assert message in capfd.readouterr().err
    assert watched(fake) == []
    assert set(os.listdir()) == {"clips", "m.csv", "x.jsonl"}


def test_a_dry_run_writes_nothing(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "clips", *ASK, "-o", "out", "--dry-run"]) == 0
    err = capfd.readouterr().err
    assert "would write out/a.tube.json" in err
    assert "3 videos, 3 results" in err
    assert set(os.listdir()) == {"clips"}


def test_formats_of_each_video(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    """All sentences of a video in one file, beside its results; what is there is kept or not, as
    they are."""
    fake.tubes["a horse"] = []
    forms = ["--format", "cvat", "--format", "csv", "--format", "mot"]
    ask = ["ground", "clips", "-q", QUERY, "-q", "a horse", "--no-video", "--workers", "1", *forms]
    assert run([*ask, "-o", "out"]) == 3
    written = {path.name for path in Path("out").iterdir() if "tube" not in path.name}
    own = {f"{video}.{form}" for video in "ac" for form in ("cvat.xml", "csv", "mot")}
    assert written == own | {"results.jsonl", "summary.json"}
    assert Path("out/a.csv").read_text(encoding="utf-8").count(QUERY) == FRAMES
    before = Path("out/a.cvat.xml").stat().st_mtime_ns
    assert run([*ask, "-o", "out"]) == 2
    assert "already exist" in capfd.readouterr().err
    Path("out/c.csv").unlink()
    Path("clips/bad.mp4").write_bytes(b"mended")
    assert run([*ask, "-o", "out", "--skip-existing"]) == 0
    assert Path("out/a.cvat.xml").stat().st_mtime_ns == before
    assert Path("out/c.csv").is_file()
    assert Path("out/bad.mot/gt/gt.txt").is_file()
    capfd.readouterr()
    assert run([*ask, "-o", "out", "--retry-failed"]) == 2
    assert "cospal convert" in capfd.readouterr().err
    assert run([*ask, "--json"]) == 2
    assert run([*ask, "-o", "new", "--format", "cvatt"]) == 2
    assert "did you mean 'cvat'" in capfd.readouterr().err
    assert not Path("new").exists()


def test_a_format_that_cannot_be_written_is_a_failure(fake: Fake) -> None:
    Path("out/a.mot").mkdir(parents=True)
    Path("out/a.mot/gt").write_bytes(b"in the way")
    assert run(["ground", "clips/a.mp4", "clips/c.mp4", *ASK, "--format", "mot", "-o", "out"]) == 2
    words = ["--format", "mot", "-o", "out", "--overwrite"]
    assert run(["ground", "clips/a.mp4", "clips/c.mp4", *ASK, *words]) == 3
    assert states() == {"a.mp4": "failed", "c.mp4": "complete"}
    assert "a.mot" in rows()["a.mp4", "1"]["reason"]
