"""The page of an evaluation: its figures, its curves, and the samples at both ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.cli import run
from cospal_cli.core.observation import FrameSpan
from cospal_cli.datasets.records import Dataset, Record
from cospal_cli.evaluation.summary import evaluate
from cospal_cli.evaluation.tubes import Prediction, Track, Truth
from cospal_cli.report.scores import SHOWN, EvaluationPage
from tests import media
from tests.pages import HOSTILE, Page
from tests.tiny_set import make_set


def track(start: int, end: int, left: float = 8) -> Track:
    frames = np.arange(start, end)
    return Track(frames, np.tile(np.array([left, 6.0, left + 20, 40.0]), (len(frames), 1)))


def dataset(clip: Path, count: int, text: str = "the man in red") -> Dataset:
    records = [Record(f"r{at}", clip, f"{text} {at}", "s", fps=10.0) for at in range(count)]
    truth = Truth(FrameSpan(5, 15), track(5, 15), FrameSpan(0, 20), 10.0, video="clip")
    return Dataset("hcstvg", "test", tuple(records), {one.id: truth for one in records})


def predictions(count: int) -> dict[str, Prediction | None]:
    """Better and better ones, and none for the first."""
    found: dict[str, Prediction | None] = {
        f"r{at}": Prediction(track(5 + count - at, 15), FrameSpan(5 + count - at, 15))
        for at in range(count)
    }
    return found | {"r0": None}


def page_of(path: Path, data: Dataset, found: dict[str, Prediction | None]) -> Page:
    page = EvaluationPage(path, "Evaluation of <a set>", data)
    page.add("mine", evaluate(found, data.truths, resamples=10), found)
    page.add("none", evaluate({}, data.truths, resamples=0), {})
    page.write()
    return Page(path)


def test_a_page_shows_figures_curves_and_the_samples_at_both_ends(
    clip: Path, tmp_path: Path
) -> None:
    page = page_of(tmp_path / "page.html", dataset(clip, 4), predictions(4))
    for text in ("Evaluation of <a set>", "m_vIoU", "oracle time", "none", "0.9 to 1.0", "worst"):
        assert text in page.text, text
    cards = [one["aria-label"] for one in page.all("article")]
    assert cards == [
        *(f"mine, worst {n}: the man in red {at}" for n, at in ((1, 0), (2, 1))),
        *(f"mine, best {n}: the man in red {at}" for n, at in ((1, 3), (2, 2))),
        *(f"none, worst {n}: the man in red {at}" for n, at in ((1, 0), (2, 1))),
        *(f"none, best {n}: the man in red {at}" for n, at in ((1, 3), (2, 2))),
    ]
    assert len(page.all("img")) == 8
    lines = [one["aria-label"] for one in page.all("svg") if one.get("class") == "line"]
    assert lines[1] == (
        "Time line: prediction, 0.80 s to 1.50 s; truth, 0.50 s to 1.50 s; the video lasts 2.00 s"
    )
    assert lines[0] == "Time line: truth, 0.50 s to 1.50 s; the video lasts 2.00 s"
    charts = [one["aria-label"] for one in page.all("svg") if one.get("class") == "chart"]
    assert len(charts) == 3
    assert "none: 0% above 0.3" in charts[0]
    assert "none: 4 of 4 predictions are missing" in page.text


def test_of_many_samples_few_are_shown_and_none_twice(clip: Path, tmp_path: Path) -> None:
    data = dataset(clip, 3 * SHOWN)
    found: dict[str, Prediction | None] = {
        one.id: Prediction(track(5, 6 + at // 2), FrameSpan(5, 6 + at // 2))
        for at, one in enumerate(data.records)
    }
    page = EvaluationPage(tmp_path / "page.html", "many", data)
    page.add("mine", evaluate(found, data.truths, resamples=0), found)
    shown = [one.id for one in (*page.worst["mine"], *page.best["mine"])]
    assert len(shown) == len(set(shown)) == 2 * SHOWN
    values = [one.values["m_vIoU"] for one in page.worst["mine"]]
    assert values == sorted(values)
    assert values[-1] < page.best["mine"][-1].values["m_vIoU"]


def test_pictures_are_of_the_prediction_and_of_the_truth_not_of_the_time_between(
    clip: Path, tmp_path: Path
) -> None:
    data = dataset(clip, 2)
    found: dict[str, Prediction | None] = {"r1": Prediction(track(0, 2), FrameSpan(0, 2))}
    page = EvaluationPage(tmp_path / "page.html", "apart", data)
    page.add("mine", evaluate(found, data.truths, resamples=0), found)
    shots = {one.id: one.order.shots for one in (*page.worst["mine"], *page.best["mine"])}
    frames = [one.frame for one in shots["r1"]]
    assert {0, 14} <= set(frames) <= {0, 1, *range(5, 15)}
    assert len(frames) == 8
    assert [one.boxes[0] is None for one in shots["r1"]] == [at > 1 for at in frames]
    assert [one.boxes[1] is None for one in shots["r1"]] == [at < 2 for at in frames]


def test_one_sample_and_no_video_are_enough(tmp_path: Path) -> None:
    data = dataset(tmp_path / "gone.mp4", 1, HOSTILE)
    page = page_of(tmp_path / "page.html", data, {"r0": None})
    assert page.all("img") == []
    assert "No pictures: the video cannot be read" in page.text
    assert "<img src=x" not in page.source


def test_the_truth_and_the_prediction_are_drawn_in_two_colours(tmp_path: Path) -> None:
    from tests.test_report import picture

    gray = np.full((48, 64, 3), 90, np.uint8)
    clip = media.make(tmp_path / "gray.mp4", picture=lambda number, size: gray)
    found: dict[str, Prediction | None] = {
        "r0": Prediction(track(5, 15, left=30), FrameSpan(5, 15)),
        "r1": None,
    }
    page = page_of(tmp_path / "page.html", dataset(clip, 2), found)
    for image, amber in zip(page.all("img")[:2], (False, True), strict=True):
        shown = np.asarray(picture(image["src"]).convert("RGB")).astype(int)
        blue = (shown[..., 2] - shown[..., 0] > 100).sum()
        assert blue > 50
        assert ((shown[..., 0] - shown[..., 2] > 100).sum() > 50) == amber


def test_evaluate_writes_the_page(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = make_set(tmp_path / "set")
    out = tmp_path / "page.html"
    arguments = ["evaluate", "--data", str(data), "--method", "zero-shot", "--method", "random"]
    arguments += ["--resamples", "0", "--json", "--report", str(out)]
    assert run(arguments) == 0
    document = json.loads(capfd.readouterr().out)
    page = Page(out)
    mean = document["methods"]["zero-shot"]["rows"]["predicted"]["m_vIoU"]["mean"]
    assert f"{100 * mean:.1f}" in page.text
    assert "SYNTHETIC" in page.text
    assert len(page.all("img")) == 4
    assert all(one["href"].startswith("./set/videos/") for one in page.all("a")[1:])
    assert run(arguments) == 2
    assert "--overwrite" in capfd.readouterr().err
    assert run([*arguments[:-1], str(tmp_path / "page.txt")]) == 2
