"""A stored observation: the same answers as before, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import InputError
from cospal_cli.core.observation import Observation
from cospal_cli.core.unchanged import Unchanged
from cospal_cli.grounder import Grounder
from cospal_cli.library.keys import ObservationKey
from cospal_cli.library.stored import Extras, StoredObservation, write
from cospal_cli.prepared.arrays import described, digest
from cospal_cli.settings import Config
from tests.observed import Someone, observation

KEY = ObservationKey("/videos/a.mp4", 99, 7, {"settings": {"video.fps": 10.0}}, "")
PEOPLE = [
    Someone("person", "red"),
    Someone("person", "blue", (400, 150), (100, 150), (0.3, 1.0)),
    Someone("dog", "white", (300, 200), (310, 200), (0.0, 0.6)),
]
SENTENCES = ["the man in red walks to the right", "the dog", "the woman with a hat", "a car"]


@pytest.fixture
def seen() -> Observation:
    shown = {1: np.random.default_rng(1).random(1000).astype(np.float16).astype(np.float32)}
    clips = Clips(np.ones((3, 5), np.float32), np.array([[0, 1], [1, 2], [2, 4.0]]))
    source = Unchanged(Path("a.mp4"), (KEY.bytes, KEY.changed_ns))
    seen = observation("a.mp4", PEOPLE)
    return replace(seen, appearance=shown, clips=clips, source=source)


@pytest.fixture
def stored(seen: Observation, tmp_path: Path) -> Path:
    path = tmp_path / "one.safetensors"
    write(path, seen, KEY, Config(), Extras({"name": "x"}, {"sha256": "y", "crops": 3}))
    return path


def same(one: Any, other: Any) -> None:
    """Equal, arrays and dataclasses looked into."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif hasattr(one, "__dataclass_fields__"):
        for field in fields(one):
            if field.name not in ("source", "path"):
                same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            same(*pair)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key])
    else:
        assert one == other


def test_everything_comes_back_as_it_was(seen: Observation, stored: Path) -> None:
    same(StoredObservation(stored).observation(Path("a.mp4")), seen)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_answers_are_the_same_documents(seen: Observation, stored: Path, sentence: str) -> None:
    again = StoredObservation(stored).observation(Path("a.mp4"))
    before, after = (Grounder(Config()).answer(one, sentence) for one in (seen, again))
    assert json.dumps(before.document()) == json.dumps(after.document())


@pytest.mark.parametrize("people", [[], PEOPLE[:1]])
def test_few_or_no_tubelets_come_back_too(people: list[Someone], tmp_path: Path) -> None:
    seen = observation("b.mp4", people)
    write(tmp_path / "b.safetensors", seen, KEY, Config(), Extras())
    same(StoredObservation(tmp_path / "b.safetensors").observation(Path("b.mp4")), seen)


def test_the_video_has_the_name_that_it_is_asked_for_by(stored: Path) -> None:
    file = StoredObservation(stored)
    assert file.observation().info.path == KEY.video
    assert file.observation(Path("../a.mp4")).info.path == "../a.mp4"


def test_what_was_pooled_inside_a_box_comes_back(seen: Observation, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tubelets = []
    for count, one in enumerate(seen.tubelets, 1):
        spans = np.stack([np.arange(count), np.arange(count) + 1], axis=1).astype(float)
        clips = Clips(rng.normal(size=(count, 6)).astype(np.float16), spans)
        tubelets.append(replace(one, clips=clips))
    pooled = replace(seen, tubelets=tuple(tubelets))
    path = tmp_path / "pooled.safetensors"
    write(path, pooled, KEY, Config(), Extras({"name": "x"}, {"sha256": "y", "crops": 3}))
    again = StoredObservation(path).observation(Path("a.mp4"))
    same(again, pooled)
    assert all(one.clips is None for one in again.without_clips().tubelets)


def test_an_interrupted_observation_is_not_stored(seen: Observation, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="interrupted"):
        write(tmp_path / "x", replace(seen, interrupted=True), KEY, Config(), Extras())
    assert not list(tmp_path.iterdir())


def test_every_flipped_byte_is_noticed(stored: Path) -> None:
    data = bytearray(stored.read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(0, len(data), 150).tolist():
        changed = bytearray(data)
        changed[at] ^= 1 << int(rng.integers(8))
        stored.write_bytes(changed)
        with pytest.raises(InputError) as refused:
            StoredObservation(stored).observation()
        assert "\n" not in refused.value.message


@pytest.mark.parametrize("length", [0, 5, 100, 5000])
def test_a_file_cut_short_is_refused(stored: Path, length: int) -> None:
    stored.write_bytes(stored.read_bytes()[:length])
    with pytest.raises(InputError, match=r"one\.safetensors"):
        StoredObservation(stored).observation()


def resealed(path: Path, change: Any) -> None:
    """Change arrays and description, with digests that fit: what an enemy would write."""
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["cospal.sealed"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    about.pop("digests")
    change(arrays, about)
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(whole, path, described(about, {n: digest(a) for n, a in whole.items()}))


def put(name: str, value: Any) -> Any:
    return lambda arrays, about: arrays.update({name: value(arrays[name])})


HOSTILE = {
    "boxes that are not numbers": put("scene.tubelet.boxes_xyxy", lambda a: a * np.nan),
    "times that fall": put("scene.times_s", lambda a: a[::-1]),
    "frames that fall": put("scene.tubelet.frame_indices", lambda a: a[::-1]),
    "no frame": put("scene.times_s", lambda a: a[:0]),
    "a missing array": lambda arrays, about: arrays.pop("scene.pts"),
    "crops longer than their bytes": put("crops.lengths", lambda a: a + 1),
    "crops of negative length": put("crops.lengths", lambda a: -a),
    "a bomb": lambda arrays, about: about["packed"].update({"tubelet.thumbs": [2**40, 12, 12]}),
    "another shape": lambda arrays, about: about["packed"].update({"tubelet.thumbs": [1, 12, 12]}),
    "not deflated": put("scene.tubelet.thumbs", lambda a: a[::-1]),
    "few classes": lambda arrays, about: about["scene"].update(classes=["person"]),
    "no size": lambda arrays, about: about["scene"]["info"].update(width=0),
    "a key of another kind": lambda arrays, about: about.update(key=[1]),
    "another format": lambda arrays, about: about.update(format="cospal/features@1"),
    "probabilities of other classes": put("appearance.probabilities", lambda a: a[:, :9]),
    "ids twice": lambda arrays, about: about["scene"].update(ids=[1, 1, 1]),
    "an end before the last frame": lambda arrays, about: about["scene"].update(end_s=0.0),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_an_observation_is_refused_in_one_line(name: str, stored: Path) -> None:
    resealed(stored, HOSTILE[name])
    with pytest.raises(InputError) as refused:
        StoredObservation(stored).observation()
    assert "one.safetensors" in refused.value.message
    assert "\n" not in refused.value.message
    assert "cospal index" in refused.value.hint


def test_a_minute_with_five_people_takes_at_most_a_megabyte_and_a_half(tmp_path: Path) -> None:
    """Random pixels, which cannot be made smaller, but for the crops, that are as large as real
    ones."""
    people = [Someone("person", "red", (40 * n, 100), (40 * n + 90, 120)) for n in range(5)]
    seen = observation("long.mp4", people, seconds=60)
    crops = {track: ((0.0, bytes(8_000)),) * 6 for track in seen.crops}
    size = write(tmp_path / "x", replace(seen, crops=crops), KEY, Config(), Extras())
    assert size < 1_500_000
