"""Tubelets on the heads' time axis, by hand; what made features, compared."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cospal_cli.core.colours import NAMES
from cospal_cli.core.tubelets import BoxColours, Tubelet
from cospal_cli.features.clips import fewer
from cospal_cli.features.spec import FeatureSpec
from cospal_cli.features.tubelets import (
    DIM,
    MOTION,
    MOVES,
    PARTS,
    described,
    select,
    tubelet_features,
)
from cospal_cli.settings import ClipsConfig, Config, DetectorConfig, FeaturesConfig, FileConfig

SIZE = (200, 100)
CLASSES = ("car", "person")
KNOWN = ("person", "bicycle", "car")


def tubelet(
    frames: list[int], observed: list[int] | None = None, number: int = 0, **other: object
) -> Tubelet:
    """One box a frame, ten frames a second, that moves 10 pixels a frame to the right."""
    at = np.arange(frames[0], frames[-1] + 1)
    x = 10.0 * (at - frames[0])
    boxes = np.stack([x + 20, x * 0 + 30, x + 60, x * 0 + 70], axis=1).astype(np.float32)
    seen = np.isin(at, frames if observed is None else observed)
    return Tubelet(
        number, at, at / 10, boxes, np.full(len(at), 0.9, np.float32), seen,
        np.array([0.1, 0.7], np.float32), **other,
    )  # fmt: skip


def features(
    *tubelets: Tubelet, frames: int = 4, start_s: float = 0.0, end_s: float = 0.8
) -> tuple[np.ndarray, np.ndarray]:
    config = FeaturesConfig(frames=frames)
    return tubelet_features(tubelets, SIZE, start_s, end_s, config, CLASSES, KNOWN)


def plain(*args: Tubelet, **options: float) -> tuple[np.ndarray, np.ndarray]:
    """Of a detector's own vectors of 2 numbers, those alone."""
    found, mask = features(*args, **options)  # type: ignore[arg-type]
    assert found.shape[2] == 2 + MOVES
    return found[..., :2], mask


def own(rows: list[float]) -> np.ndarray:
    """A detector's own vectors of 2 numbers."""
    return np.array([[row, -row] for row in rows], np.float16)


def test_a_bin_is_the_mean_of_its_observations_and_gaps_are_lines() -> None:
    """Frames 0, 1 in bin 0; 6 in bin 3: bins 1 and 2 lie between; then one alone in bin 2."""
    first = tubelet([0, 1, 6], features=own([1, 3, 8]))
    second = tubelet([5], features=own([4]))
    found, mask = plain(first, second)
    np.testing.assert_allclose(found[0, :, 0], [2, 4, 6, 8])
    np.testing.assert_allclose(found[0, :, 1], [-2, -4, -6, -8])
    np.testing.assert_allclose(found[1, :, 0], [0, 0, 4, 0])
    np.testing.assert_array_equal(mask, [[1, 1, 1, 1], [0, 0, 1, 0]])
    assert found.dtype == np.float32


def test_a_detectors_own_vectors_stand_before_the_same_motion() -> None:
    """Whoever finds the boxes, the last ten numbers are the same."""
    bare = tubelet([0, 1, 2, 3])
    described_ = replace(bare, features=own([7, 7, 7, 7]))
    found, mask = features(described_)
    embedded, other = features(bare)
    np.testing.assert_array_equal(mask, other)
    np.testing.assert_array_equal(found[mask][:, :2], [[7, -7]] * int(mask.sum()))
    np.testing.assert_array_equal(found[..., 2:], embedded[..., MOTION])
    assert np.abs(found[mask][:, 2:]).max() > 0.5
    assert not found[~mask].any()


def test_times_are_those_of_the_part_that_is_searched() -> None:
    late = tubelet([20, 21, 22, 23], features=own([1, 2, 3, 4]))
    found, mask = plain(late, frames=2, start_s=2.0, end_s=2.4)
    np.testing.assert_allclose(found[0, :, 0], [1.5, 3.5])
    assert mask.all()
    found, mask = plain(late, frames=2, start_s=2.0, end_s=4.0)
    np.testing.assert_array_equal(mask, [[True, False]])


def test_long_gaps_weigh_by_time() -> None:
    found, mask = plain(tubelet([0, 5, 9], features=own([0, 10, 2])), frames=10, end_s=1.0)
    np.testing.assert_allclose(found[0, :, 0], [0, 2, 4, 6, 8, 10, 8, 6, 4, 2], atol=1e-5)
    assert mask.all()


def test_the_embedded_parts() -> None:
    colours = np.zeros((3, 5, len(NAMES)), np.uint8)
    colours[:, 1, NAMES.index("red")] = 255
    colours = BoxColours(colours, np.zeros((3, 12, 12), np.uint8))
    found, mask = features(tubelet([0, 1, 2], colours=colours), frames=3, end_s=0.3)
    assert found.shape == (1, 3, DIM) == (1, 3, 190)
    assert mask.all()
    row = found[0, 1]
    upper = row[PARTS["colours"]].reshape(5, -1)[1]
    assert upper.argmax() == NAMES.index("red")
    assert np.sqrt((upper**2).mean()) == pytest.approx(1)
    assert row[PARTS["colours"]].astype(bool).sum() == 1
    assert row[PARTS["classes"]].nonzero()[0].tolist() == [0, 2]
    assert row[PARTS["classes"]][0] == pytest.approx(7 * row[PARTS["classes"]][2])
    box = found[0, :, PARTS["box"]]
    np.testing.assert_allclose(np.diff(box[:, 0]), 10 / 200 / 0.25, rtol=1e-5)
    np.testing.assert_allclose(box[:, 1], 0)
    x, y, speed, growth, inner = row[PARTS["motion"]]
    assert x > 1  # 100 pixels a second, of a size of 40
    assert speed > 1
    np.testing.assert_allclose([y, growth, inner], 0, atol=1e-5)
    assert row[PARTS["score"]] == pytest.approx(1)


def test_the_camera_is_no_motion() -> None:
    panned = tubelet([0, 1, 2, 3])
    path = np.stack([10.0 * np.arange(4), np.zeros(4)], 1).astype(np.float32)
    found, _ = features(replace(panned, camera_xy=path), frames=1)
    np.testing.assert_allclose(found[0, 0, PARTS["motion"]], 0, atol=1e-5)
    assert features(panned, frames=1)[0][0, 0, PARTS["motion"]][0] > 1


def test_nothing_and_mixtures() -> None:
    found, mask = features()
    assert (found.shape, mask.shape) == ((0, 4, DIM), (0, 4))
    mixed = [tubelet([0, 1], features=own([1, 2])), tubelet([0, 1])]
    assert not described(mixed)
    assert described(mixed[:1])
    assert features(*mixed)[0].shape == (2, 4, DIM)


def test_wild_numbers_are_held() -> None:
    boxes = np.array([[0, 0, 1, 1], [199, 99, 200, 100]], np.float32)
    found, _ = features(replace(tubelet([0, 1]), boxes_xyxy=boxes))
    assert np.isfinite(found).all()
    assert np.abs(found[..., PARTS["motion"]]).max() <= 5


def test_the_longest_and_surest_are_taken_in_their_order() -> None:
    many = [
        tubelet([0, 1, 2], number=0),
        tubelet(list(range(9)), [0, 8], number=1),
        tubelet([0, 1, 2, 3], number=2),
        replace(tubelet([0, 1, 2, 3], number=3), scores=np.full(4, 0.1, np.float32)),
    ]
    assert [one.id for one in select(many, 2)] == [0, 2]
    assert select(many, 9) == many
    assert select([], 3) == []


def test_fewer_clips_are_means_of_neighbours() -> None:
    clips = np.arange(10, dtype=np.float32).reshape(5, 2)
    np.testing.assert_allclose(fewer(clips, 2), [[2, 3], [7, 8]])
    assert fewer(clips, 5) is clips


def made(width: int | None = None, **clips: object) -> FeatureSpec:
    config = Config(clips=ClipsConfig(fps=8, frames=4, stride=4, **clips))  # type: ignore[arg-type]
    model = SimpleNamespace(model_id="m", model_sha256="1" * 64, dim=7)
    return FeatureSpec.of(config, model, model, model, width)


def test_what_differs_is_said_with_both_sides() -> None:
    trained, found = made(), made()
    assert trained.differences(found) == []
    found.parts["clips"].update({"fps": 4.0, "sha256": "2" * 64})
    assert trained.differences(found) == [
        "clips.sha256: trained on " + "1" * 64 + ", found " + "2" * 64,
        "clips.fps: trained on 8, found 4",
    ]
    own, other = made(256), made()
    assert own.differences(other) == [
        "tubelets.name: trained on detector@2, found embedded@1",
        f"tubelets.dim: trained on 266, found {DIM}",
    ]
    assert trained.differences(FeatureSpec({})) != []


@pytest.mark.parametrize(
    ("width", "sides"), [(None, (100, 10)), (256, (256, 10)), (1, (1, 10))], ids=str
)
def test_who_is_apart_from_when(width: int | None, sides: tuple[int, int]) -> None:
    assert made(width).sides == sides
    assert made(width).width == width


def test_heads_of_0_1_see_what_they_were_trained_on() -> None:
    """Their detector's vectors had no motion behind them."""
    former, now = made(256), made(256)
    former.parts["tubelets"].update({"name": "detector", "dim": 256})
    assert (former.width, former.sides) == (256, (256, 0))
    assert former.differences(now) == former.differences(former) == []
    assert now.differences(former) == [
        "tubelets.name: trained on detector@2, found detector",
        "tubelets.dim: trained on 266, found 256",
    ]
    assert former.differences(made(32)) == ["tubelets.dim: trained on 256, found 32"]
    vectors = np.arange(2 * 266).reshape(2, 266)
    np.testing.assert_array_equal(former.seen(vectors), vectors[:, :256])
    assert now.seen(vectors) is vectors
    assert former.seen(vectors[:, :256]).shape == (2, 256)
    assert former.seen(vectors[:, :190]).shape == (2, 190)  # others' are refused by their length


def test_a_model_is_known_by_its_weights_not_its_name() -> None:
    trained, found = made(), made()
    found.parts["clips"]["model"] = "/somewhere/else"
    assert trained.differences(found) == []


def test_detections_from_files_have_no_hash() -> None:
    config = Config(detector=DetectorConfig(name="file", file=FileConfig("x.jsonl")))
    one, other = (
        SimpleNamespace(model_id=f"file:{name}", model_sha256=name, dim=1) for name in "ab"
    )
    specs = [FeatureSpec.of(config, model, one, one) for model in (one, other)]
    assert specs[0].differences(specs[1]) == []
