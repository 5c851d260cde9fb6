"""``cospal ground --checkpoint DIR``: the whole way with heads, and what is refused before it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import cospal_cli
from cospal_cli import grounder as stages
from cospal_cli.cli import run
from cospal_cli.core.tube import Tube
from cospal_cli.grounder import Grounder
from cospal_cli.model.checkpoint import load, load_metadata, save
from cospal_cli.outputs import tube_json
from cospal_cli.predict import predictions
from cospal_cli.prepared.folder import Prepared
from cospal_cli.ranking.heads import head_features, spec_of
from cospal_cli.result import observed_range
from cospal_cli.runtime import open_runtime
from cospal_cli.settings import Config, FileConfig


@pytest.fixture(scope="module")
def video(data: Path) -> Path:
    return sorted((data / "videos").glob("*.mp4"))[0]


@pytest.fixture
def boxes(data: Path, video: Path) -> str:
    return str(data / "detections" / f"{video.stem}.jsonl")


def asked(
    arguments: list[str], capfd: pytest.CaptureFixture[str], code: int = 0
) -> list[dict[str, Any]]:
    assert run(["ground", "--json", *arguments]) == code
    out = capfd.readouterr().out
    found = [json.loads(out)] if out.startswith("{\n") else list(map(json.loads, out.splitlines()))
    validator = jsonschema.Draft202012Validator(tube_json.schema())
    for one in found:
        validator.validate(one)
    return found


def test_a_checkpoint_is_all_that_needs_to_be_said(
    video: Path, boxes: str, heads: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "the man in the red zibbers walks to the left and jumps"
    (found,) = asked([str(video), text, "--detections", boxes, "--checkpoint", str(heads)], capfd)
    config = found["generator"]["config"]
    assert config["ground"]["method"] == "cospal"
    assert (config["clips"]["fps"], config["clips"]["frames"]) == (2, 1)
    assert (config["features"]["frames"], config["features"]["max_tubelets"]) == (8, 5)
    told = found["heads"]
    assert told["features"] == load_metadata(heads).features
    assert told["read"]["local"][1].endswith("jumps")
    assert sum(one["score"] for one in told["tubelets"]) == pytest.approx(1, abs=1e-4)
    assert len(told["proposals"]) == 3
    assert "zibbers" in told["unknown"]
    assert found["query"]["unresolved"] == told["unknown"]
    (tube,) = found["tubes"]
    assert tube["id"] == told["tubelets"][0]["id"]
    assert set(tube["why"]) == {"tubelet", "segment"}
    segment = told["proposals"][0]
    assert tube["start_time"] >= segment["start_time"] - 0.2
    assert tube["end_time"] <= segment["end_time"] + 0.2


def test_the_answer_is_that_of_the_prepared_features(
    data: Path, heads: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Features are stored in half precision; nothing else may differ."""
    prepared = Prepared.open(data / "prepared")
    runtime = open_runtime("torch", heads, "cpu")
    samples = prepared.samples("test")
    expected = dict(predictions(prepared, samples, "cospal", Config(), runtime))
    for sample in samples:
        path = Path(prepared.observation(sample).info.path)
        boxes = str(data / "detections" / f"{path.stem}.jsonl")
        arguments = [str(path), sample.text, "--detections", boxes, "--checkpoint", str(heads)]
        (found,) = asked(arguments, capfd)
        (tube,) = tube_json.load_tubes(found)
        wanted = expected[sample.id]
        assert wanted is not None
        start, end = int(tube.frame_indices[0]), int(tube.frame_indices[-1]) + 1
        assert abs(start - wanted.span[0]) <= 1
        assert abs(end - wanted.span[1]) <= 1
        at = slice(max(start, wanted.span[0]), min(end, wanted.span[1]))
        own = tube.boxes_xyxy[at.start - start : at.stop - start]
        np.testing.assert_allclose(own, wanted.track.cut((at.start, at.stop)).boxes_xyxy, atol=0.01)


def test_the_function_asks_heads_too(
    video: Path, boxes: str, heads: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "the woman waves"
    found: Any = cospal_cli.ground(video, text, checkpoint=heads, detector__name="file",
                                   detector__file__path=boxes)  # fmt: skip
    arguments = [str(video), text, "--detections", boxes, "--checkpoint", str(heads)]
    (document,) = asked(arguments, capfd)
    (tube,) = tube_json.load_tubes(document)
    one: Tube = found[0]
    assert (one.id, one.span_s) == (tube.id, pytest.approx(tube.span_s, abs=1e-5))


def test_the_video_is_watched_and_encoded_once(
    video: Path, boxes: str, heads: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    passes: list[str] = []
    for owner, name in ((Grounder, "observe"), (stages, "clips_of")):
        original = getattr(owner, name)

        def counted(*args: Any, name: str = name, original: Any = original) -> Any:
            passes.append(name)
            return original(*args)

        monkeypatch.setattr(owner, name, counted)
    queries = [word for n in range(5) for word in ("-q", f"the {n} men walk")]
    arguments = [str(video), *queries, "--detections", boxes, "--checkpoint", str(heads)]
    assert len(asked([*arguments, "--quiet"], capfd)) == 5
    assert passes == ["observe", "clips_of"]


def test_options_of_the_method_change_the_answer(
    video: Path, boxes: str, heads: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "the man walks to the left, waves and jumps"
    arguments = [str(video), text, "--detections", boxes, "--checkpoint", str(heads)]
    (hull,) = asked([*arguments, "--set", "ground.segment=hull"], capfd)
    assert len(hull["heads"]["parts"]) == 3
    best = [part[0] for part in hull["heads"]["parts"]]
    (tube,) = hull["tubes"]
    assert tube["end_time"] <= max(one["end_time"] for one in best) + 0.2
    (plain,) = asked([*arguments, "--set", "ground.query_form=sentence"], capfd)
    assert plain["heads"]["proposals"] != hull["heads"]["proposals"]


def test_a_dry_run_tells_what_the_heads_do_not_know(
    video: Path, boxes: str, heads: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(video), "the zibber walks", "--detections", boxes, "--dry-run"]
    assert run(["ground", *arguments, "--checkpoint", str(heads)]) == 0
    assert "unresolved: zibber" in capfd.readouterr().err


def test_the_summary_names_words_that_training_did_not_meet(
    video: Path, boxes: str, heads: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(video), "the zibber", "--detections", boxes, "--checkpoint", str(heads)]
    assert run(["ground", *arguments, "-o", str(tmp_path), "--no-video"]) == 0
    err = capfd.readouterr().err
    assert "  not met in training: zibber" in err
    assert "why: " in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fps", "5"], "tubelets.fps: trained on 10, found 5"),
        (["--set", "clips.fps=4"], "clips.fps: trained on 2, found 4"),
        (["--set", "features.frames=16"], "tubelets.frames: trained on 8, found 16"),
        (["--detector", "nanodet"], "tubelets.detector: trained on file, found nanodet"),
        (["--method", "zero-shot"], "unused by method 'zero-shot'"),
    ],
)
def test_other_features_are_refused_with_both_sides(
    video: Path, boxes: str, heads: Path, capfd: pytest.CaptureFixture[str],
    arguments: list[str], message: str,
) -> None:  # fmt: skip
    given = [str(video), "the man walks", *arguments]
    if "--detector" not in arguments:
        given += ["--detections", boxes]
    assert run(["ground", *given, "--checkpoint", str(heads)]) == 2
    assert message in capfd.readouterr().err


def test_what_is_missing_is_named(
    video: Path, heads: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    start = ["ground", str(video), "the man walks"]
    for arguments, message in (
        (["--checkpoint", str(heads)], "give those of the video: --detections FILE"),
        (["--checkpoint", str(tmp_path)], "is not a checkpoint of the heads"),
        (["--checkpoint", "nowhere"], "neither a folder nor a .pth file"),
        (["--method", "cospal"], "method 'cospal' needs trained heads"),
    ):
        assert run([*start, *arguments]) == 2
        assert message in capfd.readouterr().err


def test_a_damaged_checkpoint_ends_with_5_before_the_video_is_opened(
    boxes: str, heads: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model, metadata = load(heads)
    save(tmp_path, model, metadata)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    arguments = ["absent.mp4", "the man walks", "--detections", boxes]
    assert run(["ground", *arguments, "--checkpoint", str(tmp_path)]) == 5
    assert "model.safetensors" in capfd.readouterr().err


def test_a_video_without_a_tubelet_has_no_answer(
    video: Path, heads: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    none = tmp_path / "none.jsonl"
    none.write_text("")
    arguments = [str(video), "the man walks", "--detections", str(none), "--checkpoint", str(heads)]
    (found,) = asked([*arguments, "--fail-on-empty"], capfd, code=7)
    assert found["tubes"] == []
    assert "heads" not in found


def test_an_interrupted_pass_has_clips_of_what_was_watched(
    video: Path, boxes: str, heads: Path
) -> None:
    base = Config()
    config = replace(base, detector=replace(base.detector, name="file", file=FileConfig(boxes)))
    opened = Grounder.open(config, checkpoint=heads)
    (result,) = opened.ground(video, ["the man walks"], stopped=lambda: True)
    seen = result.observation
    assert (seen.interrupted, result.status) == (True, "interrupted")
    assert seen.clips is not None
    assert seen.clips.spans_s[-1, 1] <= seen.timeline.end_s + 0.5
    assert observed_range(opened.config.video, seen).end == str(len(seen.timeline.indices))
    ids = head_features(seen, opened.config.features).ids
    assert result.scores is None or result.scores.ids == ids


def test_settings_of_other_backbones() -> None:
    def found(detector: str, clips: str = "i3d-rgb", text: str = "bert-base-uncased") -> Any:
        features = {
            "tubelets": {"detector": detector, "fps": 5.0, "frames": 32},
            "clips": {"name": "i3d", "model": clips, "fps": 25, "frames": 64, "stride": 8},
            "text": {"name": "bert", "model": text},
        }
        metadata: Any = type("HeadsMetadata", (), {"features": features, "trained": {}})
        return spec_of(metadata).keys()

    settings = found("grounding-dino-tiny")
    assert settings["detector.name"] == "grounding-dino"
    assert settings["detector.model"] == "grounding-dino-tiny"
    assert (settings["clips.model"], settings["text.model"]) == ("i3d-rgb", "bert-base-uncased")
    assert settings["clips.stride"] == 8
    assert found("groundingdino-swint-ogc")["detector.name"] == "grounding-dino"
    elsewhere = found("my_weights.pth", clips="my_i3d.pt")
    assert elsewhere["detector.name"] == "grounding-dino"
    assert "detector.model" not in elsewhere
    assert "clips.model" not in elsewhere
    assert found("nanodet_g_coco")["detector.name"] == "nanodet"


def test_the_settings_of_the_training_come_first(heads: Path) -> None:
    metadata = load_metadata(heads)
    settings = {
        "video": {"fps": 10.0, "start": "3s"},
        "detector": {"name": "grounding-dino", "threshold": 0.3, "path": "/etc/passwd"},
        "tracker": {"name": "botsort"},
        "clips": "damaged",
    }
    found = spec_of(replace(metadata, trained={"settings": settings})).keys()
    assert found["detector.name"] == "grounding-dino"
    assert found["detector.threshold"] == 0.3
    assert found["tracker.name"] == "botsort"
    assert found["clips.fps"] == 2
    assert not {"detector.file.path", "video.start"} & found.keys()
    assert spec_of(replace(metadata, trained={"settings": None})).keys()["detector.name"] == "file"
