"""``cospal ground`` at the command line: arguments, places, faults and signals.

The Grounder is replaced by one that knows the answer; what is tested is everything around it.
"""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.cli import run
from cospal_cli.core.query import Query
from cospal_cli.settings import DetectorConfig
from tests.fake_grounder import FRAMES, Fake

QUERY = "the man in the red shirt"


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file()} - {"clip.mp4"}


def document(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def test_default_places_and_summary(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "clip.mp4", QUERY]) == 0
    assert files() == {"clip.tube.json", "clip.tube.mp4"}
    out, err = capfd.readouterr()
    assert out == ""
    assert "warning: a few frames are gray" in err
    assert "1. person, 0.00 to 0.40 s, score 0.80, match 0.60" in err
    assert "why: class +1.25, colour -0.50\n" in err
    assert "wrote clip.tube.json" in err
    assert "wrote clip.tube.mp4" in err
    found = document("clip.tube.json")
    assert (found["status"], found["query"]["text"]) == ("complete", QUERY)
    assert found["generator"]["config"]["video"]["fps"] == 10.0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-o", "a.json"], {"a.json"}),
        (["-o", "a.mp4"], {"a.mp4", "a.json"}),
        (["-o", "a.mp4", "--no-video"], {"a.json"}),
        (["-o", "new"], {"new/clip.tube.json", "new/clip.tube.mp4"}),
        (["-o", "new/deep.er/"], {"new/deep.er/clip.tube.json", "new/deep.er/clip.tube.mp4"}),
        (["--no-video"], {"clip.tube.json"}),
        (["--json"], set()),
        (["--json", "-o", "a.json"], {"a.json"}),
        (["--dry-run", "-o", "new"], set()),
    ],
)
def test_output_is_obeyed_exactly(fake: Fake, arguments: list[str], expected: set[str]) -> None:
    assert run(["ground", "clip.mp4", QUERY, *arguments]) == 0
    assert files() == expected


def test_several_queries_share_one_pass(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    Path("q.txt").write_text("\ufeffa dog\n\n  the red car\n", encoding="utf-8")
    arguments = ["ground", "clip.mp4", "-q", QUERY, "--query-file", "q.txt", "--json", "-o", "out"]
    assert run(arguments) == 0
    assert len(fake.watched) == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["query"]["text"] for line in lines] == [QUERY, "a dog", "  the red car"]
    assert [line["query"]["id"] for line in lines] == ["1", "2", "3"]
    assert lines[1] == document("out/clip.2.tube.json")
    assert files() == {"q.txt"} | {
        f"out/clip.{n}.tube.{kind}" for n in (1, 2, 3) for kind in ("json", "mp4")
    }


FOREIGN = "der Mann mit dem Hut geht nach links"


def test_a_foreign_sentence_is_named_by_its_line_and_the_others_are_done(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("q.txt").write_text(f"a dog\n\n{FOREIGN}\nthe red car\n?!\n", encoding="utf-8")
    assert run(["ground", "clip.mp4", "--query-file", "q.txt", "--json", "-o", "out"]) == 3
    out, err = capfd.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert [(one["query"]["id"], one["query"]["text"]) for one in found] == [
        ("1", "a dog"),
        ("3", "the red car"),
    ]
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert [line.split(": ")[1] for line in errors] == ["q.txt:3", "q.txt:5"]
    assert "seems to be German" in errors[0]
    assert files() == {"q.txt"} | {
        f"out/clip.{n}.tube.{kind}" for n in (1, 3) for kind in ("json", "mp4")
    }


def test_one_of_two_sentences_left_keeps_its_number_and_its_line(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["ground", "clip.mp4", "-q", FOREIGN, "-q", "a dog", "--quiet"]
    assert run([*arguments, "--json", "-o", "out", "--no-video"]) == 3
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1
    assert err.startswith("error: -q 1: ")
    assert files() == {"out/clip.2.tube.json"}
    assert run([*arguments, "--dry-run"]) == 3
    assert "would write clip.2.tube.json" in capfd.readouterr().err
    fake.tubes["a dog"] = []
    assert run([*arguments, "--json", "--fail-on-empty"]) == 3


def test_no_sentence_that_can_be_used_ends_with_2(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("q.txt").write_text(f"{FOREIGN}\n?!\n", encoding="utf-8")
    assert run(["ground", "clip.mp4", "--query-file", "q.txt"]) == 2
    err = capfd.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in err] == ["error", "error", "error", "hint"]
    assert err[2] == "error: none of 2 sentences can be used"
    assert fake.watched == []
    assert files() == {"q.txt"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pairs.csv", "video,query\nclip.mp4,a dog\n"),
        ("pairs.CSV", "query\na dog\n"),
        ("pairs.tsv", "a dog\n"),
        ("pairs.txt", 'clip.mp4,"a dog, brown"\nother.MKV,a cat\n'),
        ("pairs.txt", "video;query\nsub/clip.mov;a dog\n"),
        ("jobs.jsonl", '{"video": "clip.mp4", "query": "a dog"}\n'),
    ],
)
def test_a_table_is_no_file_of_sentences(
    fake: Fake, capfd: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    Path(name).write_text(text)
    assert run(["ground", "clip.mp4", "--query-file", name]) == 2
    error, hint = capfd.readouterr().err.splitlines()
    assert error.startswith(f"error: --query-file '{name}': expected one sentence per line, found")
    assert error.endswith("found a table of videos and sentences")
    assert hint.startswith("hint: give it with --manifest")
    assert fake.watched == []


def test_a_sentence_may_name_a_video_and_have_commas(fake: Fake) -> None:
    Path("q.txt").write_text(
        "the man, in red, walks\na dog like that in clip.mp4, running\na cat\n"
    )
    assert run(["ground", "clip.mp4", "--query-file", "q.txt", "--no-video"]) == 0
    assert files() == {"q.txt"} | {f"clip.{n}.tube.json" for n in (1, 2, 3)}


def test_json_is_all_there_is_on_stdout(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "clip.mp4", QUERY, "--json", "-v"]) == 0
    assert json.loads(capfd.readouterr().out)["tubes"][0]["label"] == "person"


def test_flags_reach_the_settings(fake: Fake) -> None:
    Path("boxes.jsonl").write_text("")
    arguments = "--fps 5 --start 1s --end 9s --max-pixels 1000000 --strict --top-k 2 --tiles 2"
    more = "--threads 1 --batch 8 --detections boxes.jsonl --no-video --overwrite --device cpu"
    assert run(["ground", "clip.mp4", QUERY, *arguments.split(), *more.split()]) == 0
    config = fake.watched[0]
    assert (config.video.fps, config.video.start, config.video.end) == (5.0, "1s", "9s")
    assert (config.video.max_pixels, config.video.strict, config.ground.top_k) == (1000000, True, 2)
    detector = config.detector
    assert (detector.name, detector.file.path) == ("file", "boxes.jsonl")
    assert (detector.nanodet.tiles, detector.threads, detector.batch) == (2, 1, 8)
    assert (config.output.video, config.output.overwrite) == (False, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a video and a sentence"),
        (["clip.mp4"], "expected a video and a sentence"),
        (["a.mp4", "clip.mp4"], "is a file, not a sentence"),
        (["clip.mp4", "-q", "a dog", QUERY], "is not a file, nor is it given with -q"),
        (["clip.mp4", "--query-file", "absent.txt"], "No such file"),
        (["clip.mp4", "--query-file", "empty.txt"], "no sentence in it"),
        (["clip.mp4", QUERY, "-o", "a.avi"], "unknown kind of output '.avi'"),
        (["clip.mp4", "-q", "a dog", "-q", "a cat", "-o", "a.json"], "there are 2 queries"),
        (["clip.mp4", QUERY, "--fps", "0"], "--fps: video.fps: must be from"),
        (["clip.mp4", QUERY, "--fps", "x"], "video.fps: expected a number, found 'x'"),
        (["clip.mp4", QUERY, "--nonsense"], "No such option"),
        (["clip.mp4", QUERY, "--device", "tpu"], "unknown device 'tpu'"),
        (["clip.mp4", QUERY, "--detector", "file"], "detector.file.path: is needed"),
        (
            ["clip.mp4", QUERY, "--end", "1s", "--duration", "1s"],
            "cannot be combined with video.end",
        ),
    ],
)
def test_wrong_usage_ends_with_2_before_any_work(
    fake: Fake, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    Path("empty.txt").write_text("\n \n")
    assert run(["ground", *arguments]) == 2
    first, *rest = capfd.readouterr().err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert len(rest) <= 1
    assert all(line.startswith("hint: ") for line in rest)
    assert fake.watched == []
    assert files() == {"empty.txt"}


@pytest.mark.parametrize("query", ["", "   ", "\n", "the of and", "?!"])
def test_a_query_that_says_nothing_ends_with_2(fake: Fake, query: str) -> None:
    assert run(["ground", "clip.mp4", "-q", query]) == 2
    assert fake.watched == []


STRANGE = ["the man 🚴 in red", "הרוכב the man", "the man\nin red", "the <script>x</script> man"]
STRANGE += ["the man \x1b[31m in red", "the man \u202e red", "the man \x00 in red"]


@pytest.mark.parametrize("query", STRANGE)
def test_strange_queries_come_back_verbatim_and_stay_off_the_terminal(
    fake: Fake, capfd: pytest.CaptureFixture[str], query: str
) -> None:
    assert run(["ground", "clip.mp4", "-q", query]) == 0
    assert document("clip.tube.json")["query"]["text"] == query
    lines = capfd.readouterr().err.splitlines()
    assert all(line.isprintable() for line in lines)


def test_leading_dashes_and_10000_characters(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "--no-video", "clip.mp4", "--", "--the man in red"]) == 0
    assert document("clip.tube.json")["query"]["text"] == "--the man in red"
    long = "the man in red " * 667
    assert run(["ground", "clip.mp4", long, "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["query"]["text"] == long
    assert "warning: " in err.replace("warning: a few frames are gray", "")


def test_no_match_is_an_answer(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    fake.tubes[QUERY] = []
    assert run(["ground", "clip.mp4", QUERY]) == 0
    assert document("clip.tube.json")["tubes"] == []
    assert "no match" in capfd.readouterr().err
    assert run(["ground", "clip.mp4", QUERY, "--fail-on-empty", "--overwrite"]) == 7
    assert files() == {"clip.tube.json", "clip.tube.mp4"}


@pytest.mark.parametrize("failing", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_leaves_what_was_there(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], failing: int
) -> None:
    Path("clip.tube.json").write_text("old")

    def full(path: Path) -> None:
        raise OSError(failing, os.strerror(failing))

    monkeypatch.setattr("cospal_cli.core.files._sync", full)
    assert run(["ground", "clip.mp4", QUERY, "--overwrite"]) == 6
    assert files() == {"clip.tube.json"}
    assert Path("clip.tube.json").read_text() == "old"
    lines = [line for line in capfd.readouterr().err.splitlines() if "warning" not in line]
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]


def test_outputs_that_cannot_be_are_refused_before_work(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("plain").write_text("x")
    Path("folder.json").mkdir()
    (Path("linked.mp4")).symlink_to("clip.mp4")
    cases = ["plain", "plain/a.json", "absent/a.json", "clip.mp4", "linked.mp4", "plain/"]
    for case in cases:
        assert run(["ground", "clip.mp4", QUERY, "--overwrite", "-o", case]) == 2, case
        assert case.split("/")[0] in capfd.readouterr().err
    assert fake.watched == []
    assert Path("clip.mp4").read_bytes() == b"video"


def test_a_read_only_folder_is_refused_before_work(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("locked").mkdir(mode=0o500)
    if os.geteuid() == 0:  # to whom nothing is read-only
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert run(["ground", "clip.mp4", QUERY, "-o", "locked"]) == 2
    assert fake.watched == []


def test_existing_outputs_need_overwrite(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    Path("clip.tube.mp4").write_text("old")
    assert run(["ground", "clip.mp4", QUERY]) == 2
    assert "--overwrite" in capfd.readouterr().err
    assert fake.watched == []
    assert Path("clip.tube.mp4").read_text() == "old"
    assert run(["ground", "clip.mp4", QUERY, "--overwrite"]) == 0
    assert Path("clip.tube.mp4").read_bytes() == b"frames"


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_one_interrupt_while_watching_finishes_what_was_seen(fake: Fake) -> None:
    fake.while_watching = interrupt
    assert run(["ground", "clip.mp4", QUERY]) == 130
    assert document("clip.tube.json")["status"] == "interrupted"
    target, video = fake.drawn[0]
    assert (str(target), video.end, video.duration) == ("clip.tube.mp4", str(FRAMES), None)


def test_one_interrupt_while_drawing_skips_the_videos_to_come(fake: Fake) -> None:
    fake.while_drawing = interrupt
    assert run(["ground", "clip.mp4", "-q", QUERY, "-q", "a dog"]) == 130
    assert files() == {"clip.1.tube.json", "clip.1.tube.mp4", "clip.2.tube.json"}
    assert document("clip.2.tube.json")["status"] == "interrupted"


def test_two_interrupts_stop_at_once(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    def twice() -> None:
        interrupt()
        interrupt()

    fake.while_drawing = twice
    before = signal.getsignal(signal.SIGINT)
    assert run(["ground", "clip.mp4", QUERY]) == 130
    assert files() == {"clip.tube.json"}  # was safe before the first frame was drawn
    assert "Traceback" not in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_termination_removes_the_unfinished(fake: Fake) -> None:
    fake.while_drawing = lambda: os.kill(os.getpid(), signal.SIGTERM)
    assert run(["ground", "clip.mp4", QUERY]) == 143
    assert files() == {"clip.tube.json"}


def test_a_bug_keeps_its_traceback(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise RuntimeError("a bug")

    fake.while_watching = broken
    assert run(["ground", "clip.mp4", QUERY]) == 1
    err = capfd.readouterr().err
    assert "RuntimeError: a bug" in err
    assert err.splitlines()[-1].startswith("error: this is a bug in cospal")


def test_running_out_of_memory_ends_with_6(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    def exhausted() -> None:
        raise MemoryError

    fake.while_watching = exhausted
    assert run(["ground", "clip.mp4", QUERY]) == 6
    error, hint = capfd.readouterr().err.splitlines()
    assert error == "error: not enough memory"
    assert "--batch" in hint


def test_cuda_is_checked_on_a_real_session(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "clip.mp4", QUERY, "--device", "cuda:0"]) == 6
    out, err = capfd.readouterr()
    assert "device 'cuda:0'" in err
    assert "onnxruntime" in err or "CUDA works here" in err
    assert out == ""
    assert fake.watched == []


def test_debug_shows_where_an_error_came_from(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["ground", "--debug", "clip.mp4", QUERY, "--fps", "0"]) == 2
    assert "Traceback" in capfd.readouterr().err
    assert run(["ground", "clip.mp4", QUERY, "--fps", "0"]) == 2
    assert "Traceback" not in capfd.readouterr().err


def test_quiet_and_log_file(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "clip.mp4", QUERY, "--quiet", "--log-file", "log.txt"]) == 0
    assert capfd.readouterr() == ("", "")
    assert "a few frames are gray" in Path("log.txt").read_text()
    assert run(["ground", "clip.mp4", QUERY, "--log-file", "absent/log.txt"]) == 2


@pytest.mark.parametrize(
    "name", ["-clip.mp4", "two\nlines.mp4", "esc\x1b[31m.mp4", "caf\udce9.mp4", "é" * 125 + ".mp4"]
)
def test_odd_file_names_work_and_are_escaped(
    fake: Fake, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    Path(name).write_bytes(b"video")
    assert run(["ground", "--", name, QUERY]) == 0
    err = capfd.readouterr().err
    assert all(line.isprintable() for line in err.splitlines())
    written = {path for path in files() if ".tube." in path}
    assert len(written) == 2
    assert run(["ground", "--json", "--", name, QUERY]) == 0
    path = json.loads(capfd.readouterr().out)["video"]["path"]
    assert path == name


def test_dry_run_shows_the_plan(fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "clip.mp4", QUERY, "--dry-run"]) == 0
    err = capfd.readouterr().err
    assert "subject: man" in err
    assert "would write clip.tube.mp4" in err
    assert fake.watched == []


def test_a_checkpoint_names_its_detector(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    opened: list[DetectorConfig] = []

    class Plain:
        prompted = False
        config = DetectorConfig()

        def prompt(self, query: object) -> Plain:
            return self

    def open_detector(config: DetectorConfig) -> Plain:
        opened.append(config)
        return Plain()

    monkeypatch.setattr("cospal_cli.detect.open_detector", open_detector)
    assert run(["ground", "clip.mp4", QUERY, "--checkpoint", "swint.pth", "--batch", "auto"]) == 0
    assert (opened[0].name, opened[0].model, opened[0].batch) == (
        "grounding-dino",
        "swint.pth",
        0,
    )
    assert run(["ground", "clip.mp4", QUERY, "--checkpoint", "swint.onnx"]) == 2
    assert "neither a folder nor a .pth file" in capfd.readouterr().err
    both = ["--checkpoint", "swint.pth", "--detector-model", "grounding-dino-tiny"]
    assert run(["ground", "clip.mp4", QUERY, *both]) == 2
    assert "both name weights" in capfd.readouterr().err


def test_a_prompted_detector_watches_once_for_each_sentence(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Prompted:
        prompted = True
        config = DetectorConfig()

        def __init__(self, asked: str = "") -> None:
            self.asked = asked

        def prompt(self, query: Query) -> Prompted:
            return Prompted(query.text)

    monkeypatch.setattr("cospal_cli.detect.open_detector", lambda config: Prompted())
    assert run(["ground", "clip.mp4", "-q", "a dog", "-q", "a cat", "-o", "out"]) == 0
    assert [detector.asked for detector in fake.detectors] == ["a dog", "a cat"]
    assert sorted(path.name for path in Path("out").glob("*.json")) == [
        "clip.1.tube.json",
        "clip.2.tube.json",
    ]


def test_auto_says_on_one_line_what_it_takes(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cospal_cli.backbones.models.available", lambda name: False)
    assert run(["ground", "clip.mp4", QUERY, "--detector", "auto", "--no-video"]) == 0
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("detector:")]
    assert said == ["detector: nanodet, embedded (no weights of grounding-dino-tiny)"]
    assert fake.watched[0].detector.name == "nanodet"
