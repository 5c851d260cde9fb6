"""Every value of every file that cospal reads, replaced by what does not belong there.

A reader takes the document or refuses it in one line of its own kind; it never fails otherwise.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cospal_cli import datasets
from cospal_cli.backbones import record
from cospal_cli.backbones.pretrained import model_type
from cospal_cli.core.errors import InputError, UsageError, WeightsError
from cospal_cli.detect.dino.pixels import Pixels
from cospal_cli.detect.from_file import FromFile
from cospal_cli.evaluation.clips import read_clips
from cospal_cli.evaluation.predictions import read_predictions
from cospal_cli.features.spec import FeatureSpec
from cospal_cli.features.video_transformers import Preparation
from cospal_cli.model.checkpoint import load_metadata
from cospal_cli.outputs import open_output
from cospal_cli.outputs.stored import read_documents
from cospal_cli.outputs.tube_json import load_tubes
from cospal_cli.prepared.arrays import digest
from cospal_cli.prepared.folder import Prepared, read_about, read_parses, write_about
from cospal_cli.prepared.videos import VideoFile
from cospal_cli.ranking.heads import completed
from cospal_cli.settings import Config, DetectorConfig, FileConfig
from cospal_cli.settings.stored import modern
from cospal_cli.training.metrics import read as read_metrics
from cospal_cli.training.state import load_standing
from tests import data_folders
from tests.hostile import changed, refused
from tests.stored_documents import NAMES

OLD = Path(__file__).parent / "fixtures" / "v0_1_0"


def each(
    path: Path, document: Any, read: Callable[[], Any], *kinds: type, lines: bool = False
) -> None:
    """``read`` for every changed ``document`` in ``path``; some are refused."""
    bad = 0
    for some in changed(document):
        text = json.dumps(some)
        path.write_text(text + "\n" if lines else text)
        bad += refused(read, *kinds)
    assert bad > 10


def test_the_metadata_of_a_checkpoint(tmp_path: Path) -> None:
    used = Config(detector=DetectorConfig(name="file", file=FileConfig("x")))
    metadata = json.loads((OLD / "checkpoint/config.json").read_text())
    metadata["vocabulary"] = metadata["vocabulary"][:1]
    metadata["sizes"]["vocabulary"] = 2
    told = {"video": {"fps": 5.0}, "text": {"name": "minilm", "model": "a/b"}}
    metadata["trained"] = {"settings": told}

    def read() -> None:
        found = load_metadata(tmp_path)
        FeatureSpec(found.features).differences(FeatureSpec(found.features))
        completed(used, {"detector.file.path"}, tmp_path)

    each(tmp_path / "config.json", metadata, read, WeightsError)


def test_the_state_of_a_training(tmp_path: Path) -> None:
    standing = json.loads((OLD / "checkpoint/trainer.json").read_text())
    path = tmp_path / "trainer.json"
    settings = modern(standing["settings"])
    each(path, standing | {"settings": {}}, lambda: load_standing(tmp_path, {}),
         WeightsError, UsageError)  # fmt: skip
    path.write_text(json.dumps(standing))
    assert load_standing(tmp_path, settings).update == standing["update"]


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A prepared folder of 0.1.0: without digests, so that nothing but its values can tell."""
    return Path(shutil.copytree(OLD / "set" / "prepared", tmp_path / "prepared"))


def use(folder: Path) -> None:
    found = Prepared.open(folder)
    _ = found.synthetic, found.sizes, found.identity
    for split in ("train", "fit", "validation"):
        for sample in found.samples(split):
            found.features(sample)
            found.phrases(sample)
            found.observation(sample)
            found.query(sample)
        found.words(split)


def test_what_a_prepared_folder_says_of_itself(prepared: Path) -> None:
    use(prepared)
    path = prepared / "prepared.json"
    about = json.loads(path.read_text())
    about["bad"] = about["bad"][:1]
    about["settings"] = {name: about["settings"][name] for name in ("features", "language")}
    about["made_with"] = {"video": about["made_with"]["video"]}
    each(path, about, lambda: read_about(prepared), InputError)


def test_the_tables_of_a_prepared_folder(prepared: Path) -> None:
    path = prepared / "splits" / "train.jsonl"
    first = path.read_text().splitlines()[0]
    path.write_text(first + "\n")
    use(prepared)
    each(path, json.loads(first), lambda: use(prepared), InputError, UsageError, lines=True)


@pytest.mark.parametrize("part", ["splits", "texts"])
@pytest.mark.parametrize("old", [True, False])
def test_flipped_letters_of_a_table_are_noticed(prepared: Path, part: str, old: bool) -> None:
    about = read_about(prepared)
    assert about is not None
    if not old:
        table = (prepared / "splits" / "train.jsonl").read_bytes()
        write_about(prepared, about | {"tables": {"train": digest(table)}})
    use(prepared)
    path = prepared / part / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"man", b"mam", 1))
    if old and part == "splits":
        use(prepared)  # nothing said what it should be
    else:
        with pytest.raises(
            InputError, match=r"train\.jsonl: (it is damaged|these are not the parses)"
        ):
            use(prepared)


def test_other_values_of_a_prepared_folder_are_noticed(prepared: Path) -> None:
    about = read_about(prepared)
    assert about is not None
    write_about(prepared, about)
    assert read_about(prepared) == about
    path = prepared / "prepared.json"
    kept = json.loads(path.read_text())
    kept["settings"]["features"]["max_clips"] += 1
    path.write_text(json.dumps(kept))
    with pytest.raises(InputError, match=r"prepared\.json: it is damaged"):
        read_about(prepared)


def test_parses_of_others(tmp_path: Path) -> None:
    path = tmp_path / "parses.jsonl"
    row = json.loads((OLD / "set/prepared/texts/test.jsonl").read_text().splitlines()[0])
    each(path, row, lambda: read_parses(path), InputError, lines=True)


def test_the_description_of_prepared_features(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    source = next((OLD / "set/prepared/videos").iterdir())
    arrays = load_file(source)
    with safe_open(source, "numpy") as file:
        about = json.loads(file.metadata()["cospal"])
    path = tmp_path / "v.safetensors"

    def read() -> None:
        reader = VideoFile(path)
        for prompt, segment in list(reader._views):
            reader.tubelets(prompt, segment)
            reader.vision(prompt, segment)
            reader.scene(prompt)
        assert reader.width is None
        assert isinstance(reader.key, dict)

    bad = 0
    for some in changed(about, (None, True, -1, 1.5, "x", [], {})):
        save_file(arrays, path, {"cospal": json.dumps(some)})
        bad += refused(read, InputError)
    assert bad > 100


def test_a_line_of_detections(tmp_path: Path) -> None:
    path = tmp_path / "boxes.jsonl"
    row = {"frame": 0, "boxes": [[1, 2, 30, 40]], "scores": [0.5], "labels": ["car"]}
    row["features"] = [[0.5, 1.0]]
    config = DetectorConfig(name="file", file=FileConfig(str(path)))
    each(path, row, lambda: FromFile(config), InputError, lines=True)


@pytest.mark.parametrize("truth", [False, True])
@pytest.mark.parametrize("row", [data_folders.v1(), data_folders.v2(fps=5.0)], ids=["v1", "v2"])
def test_a_record_of_hcstvg(tmp_path: Path, row: dict[str, Any], truth: bool) -> None:
    root = data_folders.hcstvg(tmp_path)
    path = root / "train.json"
    for some in changed({data_folders.NAMES[0]: row}):
        path.write_text(json.dumps(some))
        refused(lambda: datasets.read(root, "train", truth=truth), InputError)


@pytest.mark.parametrize("truth", [False, True])
def test_an_item_of_vidstg(tmp_path: Path, truth: bool) -> None:
    root = data_folders.vidstg(tmp_path)
    path = next(root.rglob("*_annotations.json"))
    split = path.name.split("_")[0]
    item = json.loads(path.read_text())[0]
    for some in changed([item]):
        path.write_text(json.dumps(some))
        refused(lambda: datasets.read(root, split, truth=truth), InputError)


def test_the_boxes_of_vidor(tmp_path: Path) -> None:
    root = data_folders.vidstg(tmp_path)
    split = next(root.rglob("*_annotations.json")).name.split("_")[0]
    path = next(path for path in root.rglob("*.json") if "annotations" not in path.name)
    value = json.loads(path.read_text())
    value["trajectories"] = value["trajectories"][6:7] * len(value["trajectories"])
    for some in changed(value):
        path.write_text(json.dumps(some))
        refused(lambda: datasets.read(root, split, truth=True), InputError)


def test_predictions_in_hcstvgs_form(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    row = {"st_frame": 5, "ed_frame": 6, "bbox": {"5": [1, 2, 3, 4], "6": [1, 2, 3, 4]}}
    sample: Any = SimpleNamespace(id="a", video=Path("v.mp4"), text="x", size=None, segment=None)
    each(path, {"a": row}, lambda: read_predictions(path, [sample]), InputError, UsageError)


def test_a_tube_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tube.json"
    document = json.loads((OLD / "ground.json").read_text())
    document["tubes"] = document["tubes"][:1]
    document["tubes"][0]["boxes"] = document["tubes"][0]["boxes"][:1]
    slim = {name: document[name] for name in ("schema", "video", "query", "tubes")}
    sample: Any = SimpleNamespace(id="a", video=Path("v.mp4"), text="x", size=None, segment=None)
    each(path, slim, lambda: load_tubes(path), InputError)
    each(path, slim, lambda: read_predictions(path, [sample]), InputError, UsageError)


def test_a_tube_file_that_is_written_in_other_forms(tmp_path: Path) -> None:
    """What is taken can be written: by every form, as text that can be stored."""
    path = tmp_path / "a.tube.json"
    document = json.loads((OLD / "ground.json").read_text())
    document["tubes"] = document["tubes"][:1]
    document["tubes"][0]["boxes"] = document["tubes"][0]["boxes"][:2]
    document["generator"] = {"config": {"video": {"start": None, "end": None, "duration": None}}}
    document["query"] = {name: document["query"][name] for name in ("id", "text", "subject")}
    document.pop("heads", None)
    forms = [open_output(name, Config().output) for name in NAMES]

    def write() -> None:
        given = read_documents([path])
        for form in forms:
            for text in form.files(given.documents).values():
                text.encode("utf-8", "replace")

    each(path, document, write, InputError)


def test_truth_of_real_clips(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    query = {"id": "a", "video": "v", "query": "x", "target_class": "car", "start": 0, "end": 1.5}
    query["boxes"] = [{"t": 0.5, "box": [1, 2, 3, 4]}]
    each(path, {"queries": [query]}, lambda: read_clips(path), InputError)


def test_the_record_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    record.write(tmp_path, "own/er", "main", "mit")
    path = tmp_path / record.NAME
    each(path, json.loads(path.read_text()), lambda: record.check(tmp_path), WeightsError)


def test_the_description_of_a_model(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    each(path, {"model_type": "bert"}, lambda: model_type(tmp_path), WeightsError)


def test_how_a_model_wants_its_images(tmp_path: Path) -> None:
    path = tmp_path / "preprocessor_config.json"
    said: dict[str, Any] = {"size": {"shortest_edge": 224, "longest_edge": 300}, "crop_size": 224}
    said |= {"do_center_crop": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1]}
    each(path, said, lambda: Pixels.of(tmp_path), WeightsError)
    each(path, said, lambda: Preparation.read(tmp_path), WeightsError)


def test_lines_of_metrics_that_make_no_sense_are_no_lines(tmp_path: Path) -> None:
    good = {"kind": "train", "update": 3, "epoch": 1, "loss": 0.5}
    path = tmp_path / "metrics.jsonl"
    for some in changed(good):
        path.write_text(json.dumps(some) + "\n" + "[" * 50_000 + "\n" + json.dumps(good) + "\n")
        assert read_metrics(tmp_path)[-1] == good
