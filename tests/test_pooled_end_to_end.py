"""Clips pooled inside tubelets' boxes, the whole way: prepared, trained on, asked, stored.

The encoders are of the real classes, tiny and random."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cospal_exporters.onnx import ExportPlan, export

from cospal_cli import grounder as stages
from cospal_cli.cli import run
from cospal_cli.core.clips import Clips
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.write import write_set
from cospal_cli.features import i3d
from cospal_cli.features.embedded_clips import CHANNELS
from cospal_cli.features.tubelets import COLOURS, DIM, MOVES
from cospal_cli.grounder import Grounder
from cospal_cli.model.checkpoint import load, load_metadata
from cospal_cli.predict import predictions
from cospal_cli.prepared.folder import Prepared
from cospal_cli.ranking.heads import head_features
from cospal_cli.runtime import open_runtime
from cospal_cli.settings import Config
from tests import test_features_i3d, test_features_video_transformers

PREPARING = ("--jobs=1", "--set=features.frames=8", "--set=clips.threads=1")
ENCODERS = {
    "embedded": ("--set=clips.fps=2", "--set=clips.frames=1", "--set=clips.stride=1"),
    "i3d": ("--set=clips.fps=4", "--set=clips.frames=8", "--set=clips.device=cpu"),
    "videomae": ("--set=clips.fps=4", "--set=clips.device=cpu"),
}
WIDTHS = {"embedded": CHANNELS, "i3d": 1024, "videomae": test_features_video_transformers.DIM}
TRAINING = (
    "--recipe=none", "--set=temporal.objective=contrast", "--set=model.dim=16",
    "--set=curriculum.name=none", "--set=curriculum.limits=", "--epochs=2", "--batch=2",
    "--set=train.schedule=one-cycle", "--set=temporal.start=0",
)  # fmt: skip
TEXT = "the man who waves and jumps"


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """One thread, and I3D on images of 64 pixels."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(i3d, "SIDE", 64)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "set"
    recipe = Recipe(seed=5, size=(160, 96), fps=6, seconds=(4, 5), actors=(2, 3), test=0.2)
    assert write_set(recipe, root, 6) is not None
    return root


def weights(name: str, folder: Path) -> Path | None:
    """Random ones of the real class; None: the embedded."""
    folder.mkdir()
    if name == "embedded":
        return None
    if name == "i3d":
        state = test_features_i3d.sensible(test_features_i3d.I3D())
        torch.save(state, folder / "rgb_imagenet.pt")
        return folder / "rgb_imagenet.pt"
    module = test_features_video_transformers
    module.build(name).save_pretrained(folder)
    said = json.dumps(module.HOW | {"size": {"shortest_edge": module.SIDE}})
    (folder / "preprocessor_config.json").write_text(said, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=ENCODERS)
def made(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Path, list[str]]:
    """An encoder's name, the prepared folder, heads that were trained on it, and the option that
    names its weights."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    path = weights(name, folder / "model")
    named = [] if path is None else [f"--set=clips.model={path}"]
    words = ["data", "prepare", str(root), f"--out={folder / 'prepared'}", *PREPARING, *named]
    own = [f"--video-encoder={name}", "--set=clips.pooled=true", *ENCODERS[name]]
    assert run([*words, *own]) == 0
    training = ["train", f"--data={folder / 'prepared'}", f"--out={folder / 'run'}", *TRAINING]
    assert run(training) == 0
    return name, folder / "prepared", folder / "run" / "last", named


def asked(root: Path, heads: Path, *words: str) -> tuple[Path, list[str]]:
    video = sorted((root / "videos").glob("*.mp4"))[0]
    boxes = root / "detections" / f"{video.stem}.jsonl"
    arguments = ["ground", "--json", str(video), TEXT, f"--checkpoint={heads}"]
    return video, [*arguments, f"--detections={boxes}", *words]


def test_the_motion_side_alone_sees_them(made: tuple[str, Path, Path, list[str]]) -> None:
    name, folder, heads, _ = made
    prepared, width = Prepared.open(folder), WIDTHS[name]
    assert prepared.spec.pooled == width
    assert prepared.sizes.tubelets == DIM + width
    sizes = load_metadata(heads).sizes
    assert (sizes.appearance, sizes.motion, sizes.pooled) == (COLOURS, MOVES + width, width)
    sample = prepared.samples("train")[0]
    features = prepared.features(sample)
    pooled = features.tubelets[features.tubelet_mask][:, -width:]
    assert np.isfinite(pooled).all()
    assert pooled.std(axis=0).max() > 0
    assert not features.tubelets[~features.tubelet_mask].any()
    model, _ = load(heads)
    batch = torch.from_numpy(features.tubelets), torch.from_numpy(features.tubelet_mask)
    other = batch[0].clone()
    other[..., -width:] += 3 * torch.randn(width, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        spatial, temporal = model.eval().spatial, model.temporal
        assert torch.equal(spatial.keys(batch[0], batch[1]), spatial.keys(other, batch[1]))
        first, second = (temporal.encode(one, batch[1]) for one in (batch[0], other))
    assert temporal.encoder.pooled_input is not None
    assert (first - second).abs().max() > 1e-4


def test_a_video_is_answered_as_it_was_prepared(
    made: tuple[str, Path, Path, list[str]], root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name, folder, heads, named = made
    video, words = asked(root, heads, *named)
    capfd.readouterr()
    assert run(words) == 0
    told = json.loads(capfd.readouterr().out)["heads"]
    assert told["features"]["clips"]["pooled"] == WIDTHS[name]
    prepared = Prepared.open(folder)
    sample = next(
        one
        for split in prepared.splits
        for one in prepared.samples(split)
        if Path(prepared.observation(one).info.path).name == video.name
    )
    stored = prepared.features(sample)
    runtime = open_runtime("torch", heads, "cpu")
    ((_, wanted),) = predictions(prepared, [sample], "cospal", Config(), runtime)
    assert wanted is not None
    config = {key.removeprefix("--set="): value for key, _, value in map(split_option, named)}
    grounder = Grounder.open(
        checkpoint=heads,
        detector__name="file",
        detector__file__path=str(root / "detections" / f"{video.stem}.jsonl"),
        **{key.replace(".", "__"): value for key, value in config.items()},
    )
    observation = grounder.observe(video)
    assert observation.clips is not None
    assert observation.clips.maps is None  # nothing of the frame's size is kept
    live = head_features(observation, grounder.config.features)
    np.testing.assert_array_equal(live.tubelet_mask, stored.tubelet_mask)
    np.testing.assert_allclose(live.tubelets, stored.tubelets, rtol=2e-3, atol=2e-2)


def split_option(option: str) -> tuple[str, str, str]:
    return option.removeprefix("--set=").partition("=")


def test_other_features_are_refused(
    made: tuple[str, Path, Path, list[str]], root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, words = asked(root, made[2], *made[3], "--set=clips.pooled=false")
    capfd.readouterr()
    assert run(words) == 2
    assert "clips.pooled: trained on " in capfd.readouterr().err


@pytest.mark.parametrize("made", ["embedded"], indirect=True)
def test_exported_heads_agree(
    made: tuple[str, Path, Path, list[str]], root: Path, tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    _, _, heads, named = made
    export(ExportPlan(heads, tmp_path / "onnx"))
    documents = []
    for words in (
        asked(root, heads, *named)[1],
        [*asked(root, tmp_path / "onnx", *named)[1], "--runtime=onnx", "--provider=cpu"],
    ):
        capfd.readouterr()
        assert run(words) == 0
        documents.append(json.loads(capfd.readouterr().out))
    one, other = (document["heads"]["curves"][0]["log_odds"] for document in documents)
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None]
    np.testing.assert_allclose(*zip(*pairs, strict=True), atol=1e-3)


@pytest.mark.parametrize("made", ["embedded"], indirect=True)
def test_a_library_keeps_them(
    made: tuple[str, Path, Path, list[str]], root: Path, tmp_path: Path,
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _, _, heads, named = made
    _, words = asked(root, heads, *named, f"--library={tmp_path / 'library'}")
    documents = []
    for _ in range(2):
        capfd.readouterr()
        assert run(words) == 0
        documents.append(json.loads(capfd.readouterr().out))
        monkeypatch.setattr(stages, "clips_of", None)  # not read again
    assert documents[0]["heads"] == documents[1]["heads"]


def test_maps_serve_one_sentence_after_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector that is prompted sees the video again for each sentence; the encoder does not."""
    from cospal_cli.features.clips import open_video_encoder
    from cospal_cli.settings import ClipsConfig
    from tests.test_prepare import Asked

    encoder = open_video_encoder(ClipsConfig(fps=2, frames=1, stride=1, threads=1, pooled=True))
    count, real = [], stages.clips_of

    def counted(*args: object) -> Clips:
        count.append(1)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(stages, "clips_of", counted)
    grounder = Grounder(Config(), Asked(), encoder=encoder)
    video = sorted((root / "videos").glob("*.mp4"))[0]
    queries = [grounder.parse(text) for text in ("the man", "who throws the ball?")]
    seen = [one for one, _ in grounder.observations(video, queries)]
    assert len(count) == 1
    assert [len(one.tubelets) for one in seen] == [1, 2]
    pooled = [one.tubelets[0].clips for one in seen]
    assert pooled[0] is not None
    assert pooled[1] is not None
    np.testing.assert_array_equal(pooled[0].features, pooled[1].features)
    assert seen[0].clips is not None
    assert seen[0].clips.maps is None
    grounder.release()
    again = grounder.observe(video, queries[0], clips=replace(seen[0].clips))
    assert len(count) == 2  # the maps are gone: the video is encoded again
    assert again.tubelets[0].clips is not None
