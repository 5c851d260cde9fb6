"""The checklists of ``docs/adding.md``, executed: each example is taken from the page and run."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from cospal_cli import Grounder, datasets, track
from cospal_cli.cli import run
from cospal_cli.core import backends
from cospal_cli.core.errors import UsageError
from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.detect import open_detector
from cospal_cli.features import tubelets
from cospal_cli.features.clips import open_video_encoder
from cospal_cli.features.spec import FeatureSpec, kept
from cospal_cli.language.encoders.text import open_text_encoder
from cospal_cli.language.parser.parse import parse
from cospal_cli.library.engines import open_engine
from cospal_cli.model.checkpoint import save
from cospal_cli.model.heads import build
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.outputs import open_output
from cospal_cli.ranking import open_method
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.runtime import open_runtime
from cospal_cli.settings import Config, ModelConfig, override
from cospal_cli.settings.merge import resolve
from cospal_cli.settings.names import keys
from cospal_cli.settings.show import explained
from cospal_cli.video.reader import VideoReader
from tests import contracts, media, scenes
from tests.documents import ROOT, file_of, names_of, page
from tests.test_ground import CLASSES, SIZE, TIMELINE, tubelet
from tests.test_runtime_torch import METADATA, inputs

SENTENCE = "the person walks to the left"
_LINE = re.compile(r"- line: `\"([\w-]+)\": \"([\w.]+):(\w+)\"` in `core/backends\.py:(\w+)`")
_FILE = re.compile(r"```python\n# (cospal_cli/\S+)\n(.*?)```", re.DOTALL)


class Example(NamedTuple):
    """One checklist: the line of its table, and the one file."""

    name: str
    module: str
    attribute: str
    table: str
    source: str


def sections() -> dict[str, str]:
    """The checklists by heading."""
    parts = re.split(r"^## (.+)$", page("docs/adding.md"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def example(heading: str) -> Example:
    line, file = _LINE.search(sections()[heading]), _FILE.search(sections()[heading])
    assert line
    assert file
    name, module, attribute, table = line.groups()
    assert file[1] == module.replace(".", "/") + ".py"
    return Example(name, module, attribute, table, file[2])


HEADINGS = list(sections())
Add = Callable[[str], str]


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Add:
    """Write the one file, add the one line, and give the new name."""

    def add(heading: str) -> str:
        one = example(heading)
        path = tmp_path / f"{one.module.rpartition('.')[2]}.py"
        path.write_text(one.source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(one.module, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, one.module, module)
        spec.loader.exec_module(module)
        line = f"{one.module}:{one.attribute}"
        monkeypatch.setitem(getattr(backends, one.table), one.name, line)
        return one.name

    return add


def test_every_table_has_a_checklist() -> None:
    tables = {name for name, value in vars(backends).items() if isinstance(value, dict)}
    tables -= {name for name in tables if name.startswith("__")}
    assert {example(heading).table for heading in HEADINGS} == tables - {"TRAINED"}


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_checklist_names_what_there_is(heading: str) -> None:
    text = sections()[heading]
    for kind in ("protocol", "checked by"):
        found = re.search(rf"- {kind}: `([\w/]+\.py):(\w+)`", text)
        assert found, kind
        assert found[2] in names_of(file_of(found[1]))
    key = re.search(r"- chosen by: `(\w+\.\w+)`", text)
    assert (key is None) == (heading in ("A data set format", "An output format"))
    if key:
        assert set(keys()[key[1]].setting.choices) == set(getattr(backends, example(heading).table))


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_file_is_as_the_house_writes(heading: str, tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text('"""An example."""\n\n' + example(heading).source.lstrip(), encoding="utf-8")
    for words in (["format", "--check"], ["check", "--ignore", "D,UP037"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", str(ROOT / "pyproject.toml")]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_help_choices_and_explanations_name_it() -> None:
    lines = [f"backends.{one.table}['my-{one.name}'] = 'x:y'" for one in map(example, HEADINGS)]
    asked = [["ground"], ["evaluate"], ["data", "check"], ["data", "prepare"]]
    code = "\n".join([
        "from cospal_cli.core import backends", *lines, "from cospal_cli.cli import run",
        *(f"run({[*words, '--help']!r})" for words in asked),
        "run(['config', 'show', '--explain'])",
    ])  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heading in HEADINGS:
        assert f"my-{example(heading).name}" in done.stdout, heading


def test_a_wrong_name_of_one_is_put_right(add: Add) -> None:
    add("A detector")
    with pytest.raises(UsageError) as caught:
        override(None, {"detector.name": "whle"})
    assert "'whole'" in caught.value.hint
    assert "whole" in explained(resolve(), "detector.name")


def test_a_detector(add: Add, clip: Path) -> None:
    name = add("A detector")
    (found,) = Grounder.open(detector__name=name, ground__min_match=0).ground(clip, [SENTENCE])
    assert found.observation.model["id"] == "whole"
    np.testing.assert_array_equal(found.tubes[0].boxes_xyxy[5], [0, 0, *media.SIZE])
    with VideoReader(clip, Config().video) as reader:
        batch = next(reader.batches(4))
    contracts.check_detector(open_detector(override(None, {"detector.name": name}).detector), batch)


def test_a_tracker(add: Add, clip: Path) -> None:
    settings = {"detector__name": add("A detector"), "tracker__name": add("A tracker")}
    (found,) = Grounder.open(**settings, ground__min_match=0).ground(clip, [SENTENCE])
    assert [one.id for one in found.observation.tubelets] == [1]
    assert len(found.tubes[0].frame_indices) == 20
    made = scenes.scene([scenes.Actor(lambda t: (0.5, 0.5, 0.1, 0.3))], 2, 10)
    config = override(None, {"tracker.name": settings["tracker__name"]}).tracker
    frames = zip(made.detections, made.times_s, made.colours, made.images, strict=True)
    contracts.check_tracker(track.open_tracker(config, made.size, scenes.CLASSES), list(frames))


def test_a_ranking_method(add: Add, clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = add("A ranking method")
    settings = {"detector__name": add("A detector"), "ground__method": name}
    (found,) = Grounder.open(**settings, ground__min_match=0).ground(clip, [SENTENCE])
    assert [one.score for one in found] == [1.0]
    field = candidates([tubelet(1), tubelet(2, start=2, end=7)], SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES)
    contracts.check_method(open_method(name), field, parse(SENTENCE), evidence, Config().ground)
    shown = ["ground", str(clip), SENTENCE, "--detector", "whole", "--method", name, "--json"]
    assert run(shown) == 0
    assert json.loads(capfd.readouterr().out)["generator"]["config"]["ground"]["method"] == name


def test_a_method_of_trained_heads_is_a_line_in_the_other_table() -> None:
    path = Path(backends.__file__)
    line = "TRAINED = {  # the methods that need a checkpoint\n"
    source = path.read_text(encoding="utf-8")
    assert line in source
    made: dict[str, Any] = {}
    exec(compile(source.replace(line, line + '    "longest": "x:y",\n'), path, "exec"), made)
    assert made["METHODS"]["longest"] == "x:y"
    assert {"longest", "cospal", "combined"} == set(made["TRAINED"])


@pytest.fixture
def heads(add: Add, tmp_path: Path) -> Path:
    """A checkpoint of untrained heads that were made for the two encoders of the page."""
    settings = {
        "clips.name": add("A video encoder"),
        "text.name": add("A text encoder"),
        "detector.name": add("A detector"),
        "features.frames": 4,
    }
    config = override(None, settings)
    detector, clips = open_detector(config.detector), open_video_encoder(config.clips)
    text = open_text_encoder(config.text)
    sizes = Sizes(tubelets.DIM, clips.dim, text.dim, vocabulary=3)
    model = ModelConfig(dim=16, ffn=16, heads=2, temporal_layers=1, proposals=3)
    used = replace(config, clips=clips.config)
    told = {"settings": settings}
    metadata = HeadsMetadata(
        sizes, model, FeatureSpec.of(used, detector, clips, text).parts, ("person", "walks"), told
    )
    torch.manual_seed(1)
    save(tmp_path / "heads", build(metadata), metadata)
    return tmp_path / "heads"


def test_encoders(heads: Path, clip: Path) -> None:
    grounder = Grounder.open(checkpoint=heads, ground__min_match=0)
    assert grounder.config.clips.name == "brightness"
    assert grounder.config.text.name == "lengths"
    (found,) = grounder.ground(clip, [SENTENCE])
    assert found.observation.clips is not None
    assert found.observation.clips.features.shape == (4, 1)
    assert len(found.tubes) == 1
    with VideoReader(clip, override(None, {"video.fps": 4}).video) as reader:
        batch = next(reader.batches(8))
    contracts.check_video_encoder(open_video_encoder(grounder.config.clips), batch)
    contracts.check_text_encoder(open_text_encoder(grounder.config.text))


def test_a_runtime(heads: Path, add: Add, clip: Path, tmp_path: Path) -> None:
    name = add("A runtime")
    (found,) = Grounder.open(checkpoint=heads, runtime=name, ground__min_match=0).ground(
        clip, [SENTENCE]
    )
    assert found.scores is not None
    assert found.scores.scores.tubelet_scores.tolist() == [1.0]
    assert found.tubes[0].span_s == (0.0, 2.0)
    save(tmp_path / "plain", build(METADATA), METADATA)

    def made(count: int) -> GroundingInputs:
        return inputs(count)

    contracts.check_runtime(open_runtime(name, tmp_path / "plain"), made)


def test_an_engine(add: Add) -> None:
    engine = open_engine(override(None, {"engine.name": add("An engine")}))
    contracts.check_engine(engine)
    assert [job for job, _ in engine.run(range(3), contracts.doubled)] == [2, 1, 0]


def test_a_data_set_format(add: Add, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "set"
    (root / "videos").mkdir(parents=True)
    media.make(root / "videos" / "a.mp4")
    media.make(root / "videos" / "b.mp4")
    rows = ["a.mp4,the man walks", "b.mp4,the dog runs", "../evil.mp4,the man", "c.mp4"]
    (root / "train.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(Exception, match="no annotation file"):
        datasets.read(root, "train", truth=False)
    name = add("A data set format")
    found = datasets.read(root, "train", truth=False)
    assert (found.format, [one.text for one in found.records]) == (
        name,
        ["the man walks", "the dog runs"],
    )
    form = datasets.open_format(name)
    contracts.check_format(form, root, root / "train.csv", "train", bad=2)
    assert run(["data", "check", str(root), "--format", name]) == 3
    assert "csv, 2 videos" in capfd.readouterr().out


def test_an_output_format(add: Add, clip: Path, tmp_path: Path) -> None:
    settings = {"detector": add("A detector"), "format": add("An output format")}
    contracts.check_output(open_output("spans", Config().output))
    words = [f"--{key}={value}" for key, value in settings.items()] + ["--min-match=0"]
    folder = str(tmp_path / "out")
    assert run(["ground", str(clip), SENTENCE, *words, "--no-video", "-o", folder]) == 0
    written = tmp_path / "out" / f"{clip.stem}.spans.txt"
    assert written.read_text(encoding="utf-8") == "0.0 2.0 person\n"
    tube = str(tmp_path / "out" / f"{clip.stem}.tube.json")
    assert run(["convert", tube, "--to", "spans", "-o", str(tmp_path / "again.txt")]) == 0
    assert (tmp_path / "again.txt").read_bytes() == written.read_bytes()


def test_a_checkpoint_brings_along_the_settings_of_every_stage_without_a_list_of_them() -> None:
    of_0_1_0 = {
        "video": "fps work_side",
        "detector": "name model threshold nms_iou max_per_frame",
        "detector.nanodet": "side tiles",
        "detector.grounding_dino": "side prompt referral",
        "tracker": "name high_threshold min_observations max_lost_s link_gap_s smooth_s",
        "tracker.botsort": "appearance_threshold proximity_threshold",
        "clips": "name model fps frames stride",
        "text": "name model",
        "features": "frames max_tubelets max_clips max_words",
    }
    brought = set(kept())
    assert {
        f"{part}.{name}" for part, names in of_0_1_0.items() for name in names.split()
    } <= brought
    for name in ("video.start", "video.stream", "detector.device", "clips.threads", "model.dim"):
        assert name in keys()
        assert name not in brought
