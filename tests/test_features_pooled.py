"""A video encoder's maps inside tubelets' boxes, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cospal_cli.core.clips import Clips, FeatureMaps
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.features import maps as module
from cospal_cli.features.clips import open_video_encoder
from cospal_cli.features.maps import MapKeeper
from cospal_cli.features.pooled import cell_weights, with_clips
from cospal_cli.features.spec import FeatureSpec, video_settings
from cospal_cli.features.tubelets import MOVES, tubelet_features
from cospal_cli.settings import ClipsConfig, Config, FeaturesConfig

SIZE = (200, 100)


def tubelet(times: list[float], boxes: list[list[float]], number: int = 1) -> Tubelet:
    count = len(times)
    return Tubelet(
        number, np.arange(count), np.array(times, float), np.array(boxes, np.float32),
        np.ones(count, np.float32), np.ones(count, bool), np.ones(1, np.float32),
    )  # fmt: skip


def maps_of(values: list[list[list[float]]], seconds: float = 1.0) -> FeatureMaps:
    """Maps of one number a cell, one a second."""
    starts = np.arange(len(values)) * seconds
    return FeatureMaps(
        np.array(values, np.float16)[..., None], np.stack([starts, starts + seconds], axis=1)
    )


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 1, 1), [[0.25, 0.25], [0.25, 0.25]]),
        ((0, 0, 0.5, 0.5), [[1, 0], [0, 0]]),
        ((0.25, 0, 0.75, 0.5), [[0.5, 0.5], [0, 0]]),
        ((0.4, 0.4, 0.8, 0.6), [[0.125, 0.375], [0.125, 0.375]]),
        ((-1, -1, 0.25, 2), [[0.5, 0], [0.5, 0]]),  # what lies beyond the frame does not count
        ((1.2, 0.1, 1.5, 0.2), [[0, 1], [0, 0]]),  # wholly beyond: the nearest cell
        ((-2, 1.1, -1, 1.2), [[0, 0], [1, 0]]),
        ((0.1, 0.9, 0.1, 0.9), [[0, 0], [1, 0]]),  # no area
    ],
)
def test_cells_weigh_as_much_as_the_box_covers_of_them(
    box: tuple[float, ...], expected: list[list[float]]
) -> None:
    (found,) = cell_weights(np.array([box], float), (2, 2))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_grid_has_rows_and_columns() -> None:
    """Two rows, four columns; the box covers the lower half of the third column."""
    (found,) = cell_weights(np.array([[0.5, 0.5, 0.75, 1.0]]), (2, 4))
    np.testing.assert_allclose(found, [[0, 0, 0, 0], [0, 0, 1, 0]], atol=1e-6)


def test_a_tubelet_sees_the_cells_where_it_is_then() -> None:
    """It walks from the left half to the right half in four seconds: boxes at 0 s and 4 s."""
    walks = tubelet([0, 4], [[0, 0, 100, 100], [100, 0, 200, 100]])
    maps = maps_of([[[1, 2]], [[10, 20]], [[100, 200]], [[1000, 2000]]])
    (found,) = with_clips([walks], SIZE, maps)
    assert found.clips is not None
    # At .5 s an eighth of the box is in the right cell, at 1.5 s three eighths, and so on.
    right = np.array([1, 3, 5, 7]) / 8
    expected = np.array([1, 10, 100, 1000]) * (1 + right)
    np.testing.assert_allclose(found.clips.features[:, 0], expected, rtol=1e-3)
    np.testing.assert_array_equal(found.clips.spans_s, maps.spans_s)
    assert found.clips.features.dtype == np.float16
    np.testing.assert_array_equal(found.boxes_xyxy, walks.boxes_xyxy)


def test_only_steps_while_it_is_there() -> None:
    maps = maps_of([[[1]], [[2]], [[3]], [[4]]])
    box = [0, 0, 10, 10]
    short = tubelet([1.2, 2.1], [box, box])
    instant = tubelet([2.5], [box])
    late = tubelet([9.0, 9.5], [box, box])  # behind the last step: the nearest
    found = [one.clips for one in with_clips([short, instant, late], SIZE, maps)]
    assert [clips.features[:, 0].tolist() for clips in found if clips] == [[2, 3], [3], [4]]


def test_many_steps_are_those_one_by_one() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 3, 5, 4)).astype(np.float16)
    starts = np.arange(80) / 4
    maps = FeatureMaps(values, np.stack([starts, starts + 0.25], axis=1))
    one = tubelet([0, 20], [[0, 0, 60, 40], [120, 60, 200, 100]])
    (found,) = with_clips([one], SIZE, maps)
    assert found.clips is not None
    assert len(found.clips) == 80
    for at in (0, 31, 32, 79):
        part = FeatureMaps(values[at : at + 1], maps.spans_s[at : at + 1])
        (alone,) = with_clips([one], SIZE, part)
        assert alone.clips is not None
        np.testing.assert_array_equal(alone.clips.features[0], found.clips.features[at])


def test_maps_of_several_windows_are_averaged() -> None:
    keeper = MapKeeper(2)
    for first, value in ((0, 1.0), (2, 2.0), (2, 4.0), (4, 5.0), (2, 6.0), (6, 9.0)):
        keeper.add(first, np.full((1, 1, 1), value, np.float32))
    values, firsts = keeper.finish(6)  # the video has six frames: the last map is of none
    assert firsts.tolist() == [0, 2, 4]
    assert values.ravel().tolist() == [1, 4, 5]
    assert values.dtype == np.float16


def test_a_long_video_has_no_more_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps become longer, and each is still the mean over its time."""
    monkeypatch.setattr(module, "MOST_BYTES", 1)
    keeper = MapKeeper(3)
    for number in range(1000):
        keeper.add(3 * number, np.full((1, 1, 2), number, np.float32))
        assert len(keeper._found) <= module.FEWEST
    values, firsts = keeper.finish(3000)
    assert keeper.step == 48
    assert firsts.tolist() == list(range(0, 3000, 48))
    expected = [np.arange(at // 3, min(at // 3 + 16, 1000)).mean() for at in firsts.tolist()]
    np.testing.assert_allclose(values[:, 0, 0, 0], expected, rtol=2e-3)


def test_values_beyond_half_precision_are_held_at_its_limit() -> None:
    keeper = MapKeeper(1)
    keeper.add(0, np.full((1, 1, 1), 1e9, np.float32))
    assert np.isfinite(keeper.finish(1)[0]).all()


def given(clips: Clips | None = None) -> Tubelet:
    box = [0, 0, 50, 50]
    return replace(tubelet([0.0, 1.0, 2.0, 3.0], [box] * 4), clips=clips)


def features(*tubelets: Tubelet, frames: int = 4, end_s: float = 4.0) -> tuple[np.ndarray, ...]:
    config = FeaturesConfig(frames=frames)
    return tubelet_features(tubelets, SIZE, 0.0, end_s, config, ("person",), ("person",))


def test_clips_stand_behind_the_motion_and_change_nothing_before_it() -> None:
    spans = np.array([[0, 0.5], [0.5, 1], [1, 2], [2, 4]], float)
    clips = Clips(np.array([[1, -1], [3, -3], [5, -5], [9, -9]], np.float16), spans)
    bare, mask = features(given())
    found, other = features(given(clips))
    np.testing.assert_array_equal(mask, other)
    np.testing.assert_array_equal(found[..., :-2], bare)
    # Two clips in the first bin; one in the second; the last's middle lies in the fourth.
    np.testing.assert_allclose(found[0, :, -2], [2, 5, 7, 9])
    np.testing.assert_allclose(found[0, :, -1], [-2, -5, -7, -9])


def test_clips_outside_the_part_that_is_searched_do_not_count() -> None:
    spans = np.array([[-3, -1], [0, 4], [6, 8]], float)
    clips = Clips(np.array([[100], [7], [300]], np.float16), spans)
    found, _ = features(given(clips))
    np.testing.assert_allclose(found[0, :, -1], [7, 7, 7, 7])
    only = Clips(np.array([[4]], np.float16), np.array([[9.0, 10.0]]))
    found, _ = features(given(only))
    np.testing.assert_allclose(found[0, :, -1], [4, 4, 4, 4])


def test_tubelets_with_and_without_clips_do_not_mix() -> None:
    clips = Clips(np.zeros((1, 3), np.float16), np.array([[0.0, 1.0]]))
    with pytest.raises(ValueError, match=r"\[0, 3\]"):
        features(given(clips), given())


class Model:
    model_id, model_sha256, dim, map_dim = "m", "f" * 64, 5, 3


def spec(width: int | None, pooled: bool) -> FeatureSpec:
    config = replace(Config(), clips=ClipsConfig(pooled=pooled))
    return FeatureSpec.of(config, Model(), Model(), Model(), width)


@pytest.mark.parametrize("width", [None, 256])
def test_the_width_and_the_source_are_recorded(width: int | None) -> None:
    plain, pooled = spec(width, False), spec(width, True)
    assert pooled.width == plain.width == width
    assert (plain.pooled, pooled.pooled) == (0, 3)
    assert pooled.sides == (plain.sides[0], MOVES + 3)
    assert pooled.parts["tubelets"]["dim"] == plain.parts["tubelets"]["dim"] + 3
    lines = "; ".join(plain.differences(pooled))
    assert "clips.pooled: trained on nothing, found 3" in lines
    assert "tubelets.dim: " in lines
    assert pooled.apply_to(Config()).clips.pooled
    assert not plain.apply_to(Config()).clips.pooled


def test_folders_from_before_go_on() -> None:
    """Their settings do not name what was not there yet."""
    assert "clips.pooled" not in video_settings(Config())
    pooled = replace(Config(), clips=ClipsConfig(pooled=True))
    assert video_settings(pooled)["clips.pooled"] is True


def test_an_encoder_without_maps_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", logger="cospal"):
        encoder = open_video_encoder(ClipsConfig("none", pooled=True))
    assert not encoder.config.pooled
    assert "'none' has no maps" in caplog.text
