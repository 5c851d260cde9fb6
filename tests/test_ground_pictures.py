"""``ground --clip --crop --sheet --thumbnail``: names, what replaces them, what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from cospal_cli.cli import run
from cospal_cli.core.errors import InputError, NothingFound
from cospal_cli.core.frames import Timeline
from cospal_cli.core.observation import Observation
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.library.inputs import is_ours
from cospal_cli.result import Result, curves_of, moments
from cospal_cli.settings import Config
from cospal_cli.video.moment import Moment, along, pictures
from cospal_cli.video.reader import VideoReader
from cospal_cli.video.sheet import clearest, contact_sheet, grid, thumbnail
from tests import media

KINDS = ("clip.mp4", "crop.mp4", "sheet.png", "thumbnail.png")


@pytest.fixture
def boxes(tmp_path: Path) -> list[str]:
    """Arguments: a video of a moving thing, and its detections from a file."""
    media.make_with_boxes(tmp_path)
    return [str(tmp_path / "v.mp4"), "--detections", str(tmp_path / "boxes.jsonl")]


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_everything_beside_the_json(
    tmp_path: Path, boxes: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = ["--clip", "--crop", "--sheet", "--thumbnail", "-o", str(out)]
    assert run(["ground", *boxes, "the person", *given]) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted(["v.tube.json", "v.tube.mp4", *(f"v.{kind}" for kind in KINDS)])
    error = capfd.readouterr().err
    for kind in KINDS:
        assert f"wrote {out / f'v.{kind}'}" in error
    (tube,) = json.loads((out / "v.tube.json").read_text("utf-8"))["tubes"]
    count = tube["end_frame"] - tube["start_frame"]
    assert frames_of(out / "v.clip.mp4") == frames_of(out / "v.crop.mp4") == count
    with av.open(str(out / "v.crop.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.width < 160
        assert stream.width % 2 == stream.height % 2 == 0
    assert Image.open(out / "v.sheet.png").width > 320
    assert Image.open(out / "v.thumbnail.png").size == (160, 120)
    assert all(is_ours(path) for path in out.glob("*.mp4"))


def test_names_of_several_sentences_and_of_a_given_file(tmp_path: Path, boxes: list[str]) -> None:
    out = tmp_path / "out"
    queries = ["-q", "the person", "-q", "a person on the left"]
    assert run(["ground", *boxes, *queries, "--sheet", "--no-video", "-o", str(out)]) == 0
    assert sorted(path.name for path in out.glob("*.png")) == ["v.1.sheet.png", "v.2.sheet.png"]
    target = out / "mine.json"
    assert run(["ground", *boxes, "the person", "--thumbnail", "-o", str(target)]) == 0
    assert (out / "mine.thumbnail.png").is_file()
    assert not (out / "mine.mp4").exists()


def test_a_copied_clip_says_where_it_begins(
    tmp_path: Path, boxes: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["--start", "12", "--no-video", "--clip-copy", "-o", f"{tmp_path}/out/"]
    assert run(["ground", *boxes, "the person", *given]) == 0
    error = capfd.readouterr().err
    assert "'v.clip.mp4' begins with the key frame at 0.80 s, 0.40 s before the moment" in error
    assert frames_of(tmp_path / "out" / "v.clip.mp4") == 22


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--clip", "--clip-copy"], "--clip encodes the moment anew"),
        (["--pad", "1s"], "--pad is about what is cut out"),
        (["--clip", "--pad", "soon"], "--pad 'soon' is not a time"),
        (["--sheet", "--json"], "--sheet writes a file, but --json without -o writes none"),
        (["--clip-copy", "--json"], "--clip-copy writes a file, but --json without -o writes none"),
    ],
)
def test_what_contradicts_is_refused_before_any_work(
    tmp_path: Path,
    boxes: list[str],
    given: list[str],
    message: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert run(["ground", *boxes, "the person", *given]) == 2
    assert message in capfd.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_there_is_kept_or_replaced_as_one(
    tmp_path: Path, boxes: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    old = out / "v.sheet.png"
    old.write_bytes(b"old")
    given = ["--sheet", "--no-video", "-o", str(out)]
    assert run(["ground", *boxes, "the person", *given]) == 2
    assert "'v.sheet.png' already exists" in capfd.readouterr().err.replace(f"{out}/", "")
    assert [path.name for path in out.iterdir()] == ["v.sheet.png"]
    assert run(["ground", *boxes, "the person", *given, "--overwrite"]) == 0
    assert Image.open(old).width > 320


def test_no_match_leaves_no_picture_of_an_earlier_run(
    tmp_path: Path, boxes: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = [*boxes, "-o", str(out), "--overwrite", "--clip", "--sheet", "--no-video"]
    assert run(["ground", given[0], "the person", *given[1:]]) == 0
    assert (out / "v.clip.mp4").is_file()
    (tmp_path / "boxes.jsonl").write_text("", "utf-8")
    assert run(["ground", given[0], "the person", *given[1:]]) == 0
    assert json.loads((out / "v.tube.json").read_text("utf-8"))["tubes"] == []
    assert [path.name for path in out.iterdir()] == ["v.tube.json"]


def test_a_batch_makes_them_for_every_video_and_goes_on(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a", "b"):
        media.make(folder / f"{name}.mp4", 12)
    given = ["ground", str(folder), "a person", "--sheet", "--clip", "--no-video", "-o", str(out)]
    assert run(given) == 0
    documents = [json.loads((out / f"{n}.tube.json").read_text("utf-8")) for n in ("a", "b")]
    for name, document in zip("ab", documents, strict=True):
        assert (out / f"{name}.clip.mp4").exists() == bool(document["tubes"])
    assert run([*given, "--skip-existing"]) == 0


def result(source: Path, tubes: tuple[Tube, ...]) -> Result:
    with VideoReader(source, Config().video) as reader:
        for _ in reader.frames():
            pass
        info, line = reader.info, reader.timeline
    query = Query(text="a red thing", referral="a red thing", subject="thing", classes={})
    return Result(query, tubes, Observation(info, line, (), ("person",)), Config())


def tube(line: Timeline, first: int, stop: int, box: tuple[float, ...]) -> Tube:
    return Tube(
        id=1,
        frame_indices=line.indices[first:stop],
        pts=line.pts[first:stop],
        times_s=line.times_s[first:stop],
        boxes_xyxy=np.array([box] * (stop - first), np.float32),
        box_scores=np.linspace(0.5, 0.9, stop - first).astype(np.float32),
        interpolated=np.zeros(stop - first, np.bool_),
        span_s=(float(line.times_s[first]), float(line.times_s[stop])),
        score=0.7,
    )


@pytest.fixture
def found(tmp_path: Path) -> Result:
    source = media.make(tmp_path / "v.mp4", 40, size=(320, 240), options={"g": "9", "bf": "2"})
    bare = result(source, ())
    return replace(bare, tubes=(tube(bare.observation.timeline, 10, 31, (40, 150, 120, 230)),))


def test_from_python_now_and_from_the_document_later(tmp_path: Path, found: Result) -> None:
    found.save_sheet(tmp_path / "now.png")
    found.save_thumbnail(tmp_path / "one.png")
    assert found.save_clip(tmp_path / "now.mp4", "5").span_s == pytest.approx((0.5, 3.6))
    assert found.save_clip(tmp_path / "copy.mp4", copy=True).span_s[0] == pytest.approx(0.9)
    assert found.save_crop(tmp_path / "crop.mp4").span_s == pytest.approx((1.0, 3.1))
    (stored,) = moments(json.loads(json.dumps(found.document())))
    assert stored.straight
    later = contact_sheet(stored, title=found.query.text)
    assert later.tobytes() == Image.open(tmp_path / "now.png").tobytes()


def test_nothing_found_and_another_video_are_said(tmp_path: Path, found: Result) -> None:
    with pytest.raises(NothingFound, match="nothing found for 'a red thing'"):
        replace(found, tubes=()).save_clip(tmp_path / "clip.mp4")
    document = found.document()
    media.make(tmp_path / "v.mp4", 12)
    with pytest.raises(InputError, match="has changed since"):
        moments(document)
    other = media.make(tmp_path / "other.mp4", 12)
    document["video"]["bytes"] = other.stat().st_size
    with pytest.raises(InputError, match="has no frame"):
        contact_sheet(moments(document, other)[0])
    assert not (tmp_path / "clip.mp4").exists()


def test_curves_come_from_the_document() -> None:
    one = {"text": "man walks", "times": [0.5], "log_odds": [None]}
    assert curves_of({"heads": {"curves": [one]}})[0].text == "man walks"
    assert curves_of({"heads": {}}) == curves_of({}) == []


@pytest.mark.parametrize("straight", [True, False])
def test_a_sheet_shows_the_tubes_frames_from_first_to_last(
    found: Result, straight: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = replace(found.moment(), straight=straight)
    rows = along(moment.tube, 8)
    assert (rows[0], rows[-1], len(rows)) == (0, 20, 8)
    assert max(np.diff(rows)) - min(np.diff(rows)) <= 1
    numbers = [media.number_of(image) for image in pictures(moment, rows, 320).images]
    assert numbers == [10 + row for row in rows]
    sheet = np.asarray(contact_sheet(moment))
    amber = (np.abs(sheet.astype(int) - (255, 193, 7)) < 40).all(axis=-1)
    assert 8 * 4 * 70 < amber.sum() < 8 * 4 * 90 * 4  # eight outlines of about 80 x 80


def test_the_clearest_frame(found: Result) -> None:
    moment = found.moment()
    assert clearest(moment) == 20  # scores rise to the last
    filled = replace(moment.tube, interpolated=np.arange(21) > 15)
    assert clearest(replace(moment, tube=filled)) == 15
    assert media.number_of(np.asarray(thumbnail(moment, colour=None))) == 30
    assert thumbnail(moment, side=100).size == (100, 75)


@pytest.mark.parametrize(
    ("count", "aspect", "columns"),
    [(8, 16 / 9, 4), (8, 9 / 16, 8), (8, 2.35, 4), (1, 1.5, 1), (3, 16 / 9, 3), (8, 1, 4)],
)
def test_cells_fill_whole_rows(count: int, aspect: float, columns: int) -> None:
    assert grid(count, aspect) == columns


def test_pixels_that_are_not_square_are_shown_square(tmp_path: Path) -> None:
    from fractions import Fraction

    source = media.make(tmp_path / "v.mp4", 12, size=(160, 120), aspect=Fraction(2))
    bare = result(source, ())
    moment = Moment(source, tube(bare.observation.timeline, 2, 9, (40, 60, 80, 110)))
    picture = thumbnail(moment)
    assert picture.size == (320, 120)
    amber = (np.abs(np.asarray(picture).astype(int) - (255, 193, 7)) < 40).all(axis=-1)
    where = np.flatnonzero(amber.any(axis=0))
    assert abs(int(where[0]) - 80) <= 6
    assert abs(int(where[-1]) - 160) <= 6


def test_short_and_single_frame_tubes(found: Result) -> None:
    moment = found.moment()
    line = found.observation.timeline
    for count in (1, 2, 3):
        short = replace(moment, tube=tube(line, 10, 10 + count, (5, 5, 60, 60)))
        assert along(short.tube, 8) == list(range(count))
        assert contact_sheet(short).width > 100
