"""The page of answers: what is on it, what is not, and what hostile documents do to it."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cospal_cli.cli import run
from cospal_cli.core.errors import CospalError, InputError
from cospal_cli.report import sheets
from cospal_cli.report.answers import answer_of
from cospal_cli.report.collect import AnswersPage
from cospal_cli.report.drawing import HEIGHT, bars, curve, seconds, ticks, time_line
from cospal_cli.report.sheets import spread
from cospal_cli.video import sheet
from tests import media
from tests.hostile import changed
from tests.pages import HOSTILE, Page, document, page_of, stored, tube


def picture(uri: str) -> Image.Image:
    kind, _, data = uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(BytesIO(b64decode(data)))


def test_a_page_shows_frames_times_reasons_and_the_moment(clip: Path, tmp_path: Path) -> None:
    page = page_of(tmp_path / "page.html", document(clip))
    assert "<title>the man in red – cospal</title>" in page.source
    for text in ("0.50 s to 1.50 s", "0.60", "colour", "-0.90", "red", "subject", "fake"):
        assert text in page.text, text
    (image,) = page.all("img")
    shown = picture(image["src"])
    assert shown.size == (int(image["width"]), int(image["height"]))
    assert [one["href"] for one in page.all("a") if "#t=" in one["href"]] == [
        "./clip.mp4#t=0.500,1.500"
    ]
    assert page.all("form") == []  # one answer needs no sorting


def test_a_sheet_shows_the_frames_of_the_tube_with_their_box(
    clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The clip's pixels say which frame each picture is."""
    seen: list[tuple[int, list[list[float]], float]] = []
    real = sheet.composed

    def noted(shots: list[sheet.StillShot]) -> Image.Image:
        for shot in shots:
            boxes = [np.asarray(box).tolist() for box in shot.boxes]
            seen.append((media.number_of(np.asarray(shot.picture)), boxes, shot.time_s))
        return real(shots)

    monkeypatch.setattr(sheet, "composed", noted)
    page_of(tmp_path / "page.html", document(clip))
    expected = [5 + at for at in spread(10, 8)]
    assert seen[:8] == [(at, [[8, 6, 40, 42]], at / 10) for at in expected]


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({"path": "gone.mp4"}, "the video is not here"),
        ({"bytes": 5}, "the video has changed since"),
        ({"width": 65}, "the video has changed since"),
        ({"path": "a\0b.mp4"}, "the video is not here"),
        ({"path": "x" * 5000}, "the video is not here"),
    ],
)
def test_without_its_video_an_answer_has_no_pictures(
    clip: Path, tmp_path: Path, changes: dict[str, object], why_not: str
) -> None:
    one = document(clip)
    one["video"] |= changes
    page = page_of(tmp_path / "page.html", one)
    assert page.all("img") == []
    assert f"No pictures: {why_not}." in page.text
    assert "0.50 s to 1.50 s" in page.text


def test_a_video_that_cannot_be_read_costs_its_own_pictures_only(
    clip: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    page = page_of(tmp_path / "page.html", document(bad), document(clip))
    assert len(page.all("img")) == 1
    assert "the video cannot be read" in page.text


def test_a_video_is_decoded_once_for_all_its_answers(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    real = sheets._frames

    def counted(path: Path, *more: object) -> object:
        opened.append(path)
        return real(path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(sheets, "_frames", counted)
    page_of(tmp_path / "page.html", *(document(clip, f"man {at}") for at in range(5)))
    assert opened == [clip]


def test_pictures_get_smaller_where_there_are_many(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "ALL_BYTES", 60_000)
    page = page_of(tmp_path / "page.html", *(document(clip) for _ in range(20)))
    shown = [b64decode(one["src"].partition(",")[2]) for one in page.all("img")]
    assert 0 < len(shown) <= 20
    assert sum(map(len, shown)) <= 60_000
    assert len(shown) == 20 or "no room" in page.text


def test_answers_to_one_sentence_are_headed_by_their_videos(clip: Path, tmp_path: Path) -> None:
    other = media.make(tmp_path / "other.mp4")
    page = page_of(tmp_path / "page.html", document(clip), document(other))
    assert [one["aria-label"] for one in page.all("article")] == ["clip.mp4", "other.mp4"]
    assert "<title>the man in red – cospal</title>" in page.source


def test_no_match_is_said(clip: Path, tmp_path: Path) -> None:
    one = document(clip, tubes=[], status="partial")
    page = page_of(tmp_path / "page.html", one)
    assert "no match" in page.text
    assert "partial" in page.text
    assert page.all("svg") == []
    assert [link["href"] for link in page.all("a") if "mp4" in link["href"]] == ["./clip.mp4"]


def test_what_came_closest_is_said_where_there_is_no_match(clip: Path, tmp_path: Path) -> None:
    near = {"id": 1, "label": "man", "detected": "person", "match": 0.21, "why": {"colour": -2.5}}
    near |= {"start_time": 0.5, "end_time": 1.0}
    page = page_of(tmp_path / "page.html", document(clip, tubes=[], closest=near))
    words = " ".join(page.text.split())
    assert "no match Closest: man , 0.50 s to 1.00 s, match 0.21" in words.replace("man,", "man ,")
    assert "-2.50" in page.text
    assert "closest: man" in page.all("svg")[0]["aria-label"]
    assert page.all("img") == []


def test_match_is_shown_where_the_document_has_it(clip: Path, tmp_path: Path) -> None:
    one = document(clip, tubes=[tube(5, 15, 0.6, match=0.87), tube(2, 8, 0.3, match=0.12)])
    page = page_of(tmp_path / "page.html", one, document(clip, "another"))
    assert "0.87" in page.text
    assert "0.12" in page.text
    assert [row["match"] for row in page.rows] == [0.87, None]
    assert {"value": "match"} in page.all("option")


def test_curves_and_proposals_of_trained_heads_are_drawn(clip: Path, tmp_path: Path) -> None:
    heads = {
        "proposals": [{"start_time": 0.2, "end_time": 0.9, "score": 0.7}],
        "curves": [
            {"text": "picks up a package", "times": [0.5, 1.0, 1.5], "log_odds": [-1, 2.5, None]},
            {"text": "waves", "times": [0.5, 1.0], "log_odds": [None, None]},
        ],
    }
    page = page_of(tmp_path / "page.html", document(clip, heads=heads))
    assert len(page.all("polyline")) == 1
    assert "likeliest at 1.00 s, log odds +2.5" in page.text
    assert "not seen" in page.text
    assert [one["class"] for one in page.all("rect") if one.get("class") == "proposal"]


@pytest.mark.parametrize("place", ["text", "subject", "label", "warnings", "unresolved", "path"])
def test_hostile_text_is_text(clip: Path, tmp_path: Path, place: str) -> None:
    one = document(clip)
    if place == "label":
        one["tubes"][0]["label"] = HOSTILE
    elif place == "path":
        one["video"]["path"] = HOSTILE
    else:
        one["query"][place] = [HOSTILE] if place in ("warnings", "unresolved") else HOSTILE
    page = page_of(tmp_path / "page.html", one, document(clip, title := "another"))
    assert "<img src=x" not in page.source
    assert "<b>" not in page.source
    assert "{{ 7*7 }}" in page.text
    assert "\x00" not in page.source
    assert "\u202e" not in page.source
    assert title in page.text
    words = page.rows[0]["words"]
    assert place == "subject" or "onerror" in words


@pytest.mark.parametrize("named", ["videos/clip.mp4", "elsewhere/clip.mp4", "../clip.mp4"])
def test_a_video_is_found_from_where_the_run_was_or_beside_its_document(
    clip: Path, tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is made in another folder than the run, which knew the video by a relative path."""
    run_at = tmp_path / "run"
    video = run_at / named if "elsewhere" not in named else run_at / "out/clip.mp4"
    for folder in (video.parent, run_at / "out", tmp_path / "other"):
        folder.mkdir(parents=True, exist_ok=True)
    clip.rename(video.resolve())
    one = document(video)
    one["video"]["path"] = named
    place = stored(run_at / "out", "clip", one)
    monkeypatch.chdir(tmp_path / "other")
    assert run(["report", str(place), "-o", "page.html"]) == 0
    page = Page(Path("page.html"))
    assert len(page.all("img")) == 1
    (link,) = [link["href"] for link in page.all("a") if "#t=" in link["href"]]
    assert Path(link.partition("#")[0]).resolve() == video.resolve()


def test_links_lead_to_files_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    for name in ("a#1 ?.mp4", "javascript:alert(1).mp4", "50% é.mp4"):
        clip = media.make(folder / name, 6)
        place = stored(folder, name.removesuffix(".mp4"), document(clip))
        (folder / name.replace(".mp4", ".tube.mp4")).write_bytes(b"x")
        page = AnswersPage(tmp_path / "page.html")
        page.add(json.loads(place.read_text()), place)
        page.write()
        found = [
            one["href"] for one in Page(tmp_path / "page.html").all("a") if "t=" in one["href"]
        ]
        assert len(found) == 2
        assert all(one.startswith("./a%20folder/") and one.count("#") == 1 for one in found)


def test_settings_stand_on_the_page_once_and_changed_ones_are_marked(
    clip: Path, tmp_path: Path
) -> None:
    other = document(clip, "third")
    other["generator"]["config"] = {"ground": {"top_k": 1}}
    page = page_of(tmp_path / "page.html", document(clip), document(clip, "second"), other)
    assert [one["id"] for one in page.all("details") if one.get("id", "").startswith("s")] == [
        "s1", "s2",
    ]  # fmt: skip
    assert "Settings 1: 2 changed" in page.text
    assert "Settings 2: none changed" in page.text


def test_every_changed_document_is_shown_or_refused(clip: Path, tmp_path: Path) -> None:
    heads = {"curves": [{"text": "a", "times": [0.5], "log_odds": [1.0]}], "proposals": []}
    whole = document(clip, tubes=[tube(5, 7, 0.6)], heads=heads)
    with pytest.raises(InputError, match="boxes: expected at least one"):
        answer_of(document(clip, tubes=[tube(5, 5, 0.6)]), "it")
    shown = refused = 0
    for number, one in enumerate(changed(whole)):
        try:
            answer_of(one, "it")
        except InputError as error:
            refused += error.message.startswith("it ")
            continue
        shown += 1
        if number % 9 == 0:
            page_of(tmp_path / "page.html", one)
    assert shown > 50
    assert refused > 100


def test_the_command_reads_files_folders_and_lines(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one, two = document(clip, "one"), document(clip, "two")
    stored(tmp_path / "in/deep", "a", one)
    place = stored(tmp_path, "b", two)
    lines = tmp_path / "results.jsonl"
    lines.write_text("\n".join(json.dumps(document(clip, text)) for text in ("three", "four")))
    out = tmp_path / "page.html"
    arguments = ["report", str(tmp_path / "in"), str(place), str(lines), "-o", str(out)]
    assert run([*arguments, "--title", "All <of> them"]) == 0
    page = Page(out)
    assert [row["text"] for row in page.rows] == ["one", "two", "three", "four"]
    assert "All <of> them" in page.text
    assert run(arguments) == 2
    assert "--overwrite" in capfd.readouterr().err
    assert run([*arguments, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("a.tube.json", "{}", 4, "is not a cospal/tube@1 document"),
        ("a.tube.json", "{", 4, "a.tube.json"),
        ("results.jsonl", '{"schema": "cospal/evaluation@1"}\n', 4, "results.jsonl:1"),
        ("empty", None, 4, "no *.tube.json"),
        ("gone.json", None, 4, "gone.json"),
    ],
)
def test_what_is_not_a_result_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, text: str | None, code: int,
    said: str,
) -> None:  # fmt: skip
    path = tmp_path / name
    if name == "empty":
        path.mkdir()
    elif text is not None:
        path.write_text(text)
    out = tmp_path / "page.html"
    assert run(["report", str(path), "-o", str(out)]) == code
    error = capfd.readouterr().err
    assert said in error
    assert "hint: " in error
    assert not out.exists()


def test_a_damaged_document_among_others_is_left_out_and_named(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, "a", document(clip))
    (tmp_path / "b.tube.json").write_text('{"schema": "cospal/tube@1"}')
    (tmp_path / "c.tube.json").write_text("{")
    out = tmp_path / "page.html"
    assert run(["report", str(tmp_path), "-o", str(out)]) == 3
    assert capfd.readouterr().err.count("left out:") == 2
    page = Page(out)
    assert page.text.count("left out:") == 2
    assert len(page.rows) == 1


def test_the_lines_of_a_batch_lead_to_its_documents_and_name_its_failures(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their paths are seen from where the batch ran, or from the lines' own folder."""
    out = tmp_path / "out"
    for number in (1, 2, 10):
        stored(out, f"clip.{number}", document(clip, f"man {number}"))
    row = {"video": "clip.mp4", "id": "1", "status": "complete", "seconds": 1.5}
    rows = [
        row | {"query": "man 2", "json": "out/clip.2.tube.json"},
        row | {"query": "man 1", "json": "elsewhere/out/clip.1.tube.json"},
        {"video": "bad.mp4", "id": "1", "query": "x", "status": "failed", "reason": "not a video"},
        row | {"query": "man 7", "json": "out/clip.7.tube.json"},
    ]
    lines = out / "results.jsonl"
    lines.write_text("".join(json.dumps(one) + "\n" for one in rows))
    for folder in (tmp_path, out):
        monkeypatch.chdir(folder)
        page_path = folder / "page.html"
        assert run(["report", str(lines), "-o", str(page_path)]) == 3
        page = Page(page_path)
        assert [one["text"] for one in page.rows] == ["man 2", "man 1"]
        assert "bad.mp4: failed: not a video" in page.text
        assert "out/clip.7.tube.json" in page.text
    assert run(["report", str(out), "-o", str(page_path), "--overwrite"]) == 0
    assert [one["text"] for one in Page(page_path).rows] == ["man 1", "man 2", "man 10"]
    assert "bad.mp4: failed: not a video" in Page(page_path).text


def test_a_batch_makes_its_page_in_the_same_run(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    clip.rename(folder / "a.mp4")
    (folder / "b.mp4").write_bytes(b"nothing")
    out, now, later = tmp_path / "out", tmp_path / "now.html", tmp_path / "later.html"
    arguments = ["ground", str(folder), "-q", "the man", "-q", "the dog", "--workers", "1"]
    assert run([*arguments, "--no-video", "-o", str(out), "--report", str(now)]) == 3
    assert run(["report", str(out), "-o", str(later)]) == 0
    pages = [Page(now), Page(later)]
    for page in pages:
        assert [row["text"] for row in page.rows] == ["the man", "the dog"]
        assert page.text.count("b.mp4: failed: ") == 2
    assert pages[0].source == pages[1].source


def test_a_broken_line_keeps_none_of_the_others_from_the_page(clip: Path, tmp_path: Path) -> None:
    lines = [json.dumps(document(clip, "one")), "{", "[]", json.dumps(document(clip, "two"))[:-9]]
    (tmp_path / "results.jsonl").write_text("\n".join([*lines, json.dumps(document(clip, "3"))]))
    assert run(["report", str(tmp_path), "-o", str(tmp_path / "page.html")]) == 3
    page = Page(tmp_path / "page.html")
    assert [row["text"] for row in page.rows] == ["one", "3"]
    assert "results.jsonl:2" in page.text
    assert "results.jsonl:4" in page.text


def test_a_page_is_an_html_file_and_never_an_input(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = stored(tmp_path, "a", document(clip))
    assert run(["report", str(place), "-o", str(place), "--overwrite"]) == 2
    assert run(["report", str(place), "-o", str(tmp_path / "page.txt")]) == 2
    assert "ends in .html" in capfd.readouterr().err
    page = place.rename(tmp_path / "page.html")
    assert run(["report", str(page), "-o", str(page), "--overwrite"]) == 2
    assert "the input itself" in capfd.readouterr().err


def test_a_failure_leaves_no_page(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise CospalError("no")

    monkeypatch.setattr("cospal_cli.report.page.write_text", fails)
    with pytest.raises(CospalError):
        page_of(tmp_path / "page.html", document(clip))
    assert os.listdir(tmp_path) == ["clip.mp4"]


def test_times_are_read_easily() -> None:
    texts = [seconds(0), seconds(3.042), seconds(59.999), seconds(63.5), seconds(7207.25)]
    assert texts == ["0.00 s", "3.04 s", "1:00.00", "1:03.50", "2:00:07.25"]
    assert seconds(90, 5) == "1:30"


@pytest.mark.parametrize("length_s", [0.04, 1, 9.9, 10, 61, 599, 3600, 7300, 86400, 1e7])
def test_ticks_are_few_round_and_rise(length_s: float) -> None:
    found = ticks(length_s)
    places = [one.at for one in found]
    assert 2 <= len(found) <= 6
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == (0, 100)


def test_what_lies_outside_the_video_is_cut() -> None:
    line = time_line(10, [("a", -5, 5), ("b", 8, 12)])
    assert [(one.start, one.width) for one in line.spans] == [(0, 41.67), (66.67, 33.33)]
    assert [one.kind for one in line.spans] == ["best", "other"]
    assert "a, " in line.spoken


def test_bars_start_at_zero_and_the_greatest_is_half() -> None:
    found = bars([("a", 1.0, None), ("b", -2.0, 1.0)])
    assert [(one.name, one.start, one.width) for one in found] == [("b", 0, 50), ("a", 50, 25)]


def test_a_curve_is_broken_where_nothing_is_known() -> None:
    found = curve("walks", [0, 1, 2, 3], [1.0, None, -1.0, 1.0], 4)
    assert len(found.lines) == 2
    assert found.zero == HEIGHT / 2
    with pytest.raises(ValueError, match="zip"):
        curve("walks", [0, 1], [1.0], 4)
