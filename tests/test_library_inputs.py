"""Which videos are meant: files, folders, globs, pictures, lists, manifests; and shards of them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.library.inputs import find, is_several, natural, read_list
from cospal_cli.library.jobs import BatchJob, jobs_of_inputs, jobs_of_manifest
from cospal_cli.library.manifest import read_manifest
from cospal_cli.library.shards import read_shard, shard, shard_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Videos, pictures and what is neither."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "clips/a.mp4", "clips/b10.mp4", "clips/b2.MKV", "clips/.hidden.mp4", "clips/notes.txt",
        "clips/a.tube.mp4", "clips/a.tube.json", "clips/sub/a.mp4", "clips/sub/.cache/x.mp4",
        "clips/walk/img_001.jpg", "clips/walk/img_002.jpg", "other/a.mp4", "empty/readme.txt",
    ):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")
    return tmp_path


def names(*arguments: str, recursive: bool = False) -> list[str]:
    return [video.name for video in find(arguments, recursive)[0]]


def test_a_folder_is_its_videos_by_number() -> None:
    assert names("clips") == ["a.mp4", "b2.MKV", "b10.mp4"]
    assert names("clips", recursive=True) == ["a.mp4", "b2.MKV", "b10.mp4", "sub/a.mp4", "walk"]


def test_pictures_are_one_video() -> None:
    assert names("clips/walk") == ["walk"]
    assert names("clips/walk/img_%03d.jpg") == ["img_%03d.jpg"]
    assert not is_several("clips/walk")
    assert not is_several("clips/walk/img_%03d.jpg")
    assert is_several("clips")


def test_globs_are_expanded_and_skip_what_is_no_video() -> None:
    assert names("clips/*") == ["a.mp4", "b2.MKV", "b10.mp4", "walk"]
    assert names("clips/**/*.mp4") == ["a.mp4", "b10.mp4", "sub/a.mp4"]
    assert is_several("clips/*.mp4")
    Path("odd[1].mp4").touch()
    assert not is_several("odd[1].mp4")
    assert names("odd[1].mp4") == ["odd[1].mp4"]
    with pytest.raises(UsageError, match="matches nothing"):
        find(["clips/*.webm"])
    with pytest.raises(UsageError, match="none a video"):
        find(["clips/*.txt"])


def test_two_of_one_name_from_two_folders_do_not_collide() -> None:
    assert names("clips/a.mp4", "other/a.mp4") == ["clips/a.mp4", "other/a.mp4"]
    assert names("clips", "other") == [
        "clips/a.mp4", "clips/b2.MKV", "clips/b10.mp4", "other/a.mp4",
    ]  # fmt: skip
    assert names("clips/a.mp4", "clips/b2.MKV") == ["a.mp4", "b2.MKV"]


def test_each_once_and_missing_ones_stay_for_their_own_failure() -> None:
    assert names("clips/a.mp4", "./clips/a.mp4", "clips/absent.mp4") == ["a.mp4", "absent.mp4"]


def test_outputs_of_cospal_are_no_inputs_unless_named_alone() -> None:
    videos, left_out = find(["clips/a.mp4", "clips/a.tube.mp4"])
    assert ([one.name for one in videos], left_out) == (["a.mp4"], 1)
    assert names("clips/a.tube.mp4") == ["a.tube.mp4"]
    Path("clips/mine.mp4").touch()
    Path("clips/mine.json").write_text('{\n  "schema": "cospal/tube@1",\n')
    assert "mine.mp4" not in names("clips")


def test_a_folder_without_a_video_says_what_to_do() -> None:
    with pytest.raises(InputError, match="holds no video"):
        find(["empty"])
    Path("empty/deep").mkdir()
    with pytest.raises(InputError) as caught:
        find(["empty"])
    assert "--recursive" in caught.value.hint


def test_links_in_a_circle_end() -> None:
    Path("clips/sub/up").symlink_to(Path("clips").resolve())
    assert names("clips", recursive=True).count("a.mp4") == 1


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("list.txt").write_bytes(b"\xef\xbb\xbfclips/a.mp4\r\n\nother/a.mp4\n")
    assert read_list("list.txt") == [Path("clips/a.mp4"), Path("other/a.mp4")]
    data = b"clips/a.mp4\0clips/with\nline.mp4\0clips/b\xff.mp4\0"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    listed = read_list("-", nul=True)
    assert listed[1:] == [Path("clips/with\nline.mp4"), Path("clips/b\udcff.mp4")]
    assert find([], listed=listed)[0][0].name == "clips/a.mp4"
    Path("nul.txt").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_list("nul.txt")
    assert caught.value.hint == "give -0 too"
    Path("none.txt").write_text("\n \n")
    with pytest.raises(UsageError, match="no path in it"):
        read_list("none.txt")


def test_what_lies_elsewhere_keeps_its_whole_path(folder: Path) -> None:
    (one,), _ = find([], listed=[folder.parent / "x.mp4"])
    assert one.name == (folder.parent / "x.mp4").relative_to(folder.anchor).as_posix()


def test_natural_order() -> None:
    assert sorted(["img10", "img2", "Img1"], key=natural) == ["Img1", "img2", "img10"]


MANIFESTS = {
    "jobs.csv": 'video,query,id,start,end\nclips/a.mp4,"the man, left",q1,1s,2s\n'
    "clips/a.mp4,a dog,,,\n\nother/a.mp4,a cat,,5,\n",
    "jobs.tsv": "query\tvideo\tid\tstart\tend\nthe man, left\tclips/a.mp4\tq1\t1s\t2s\n"
    "a dog\tclips/a.mp4\na cat\tother/a.mp4\t\t5\n",
    "jobs.jsonl": '{"video": "clips/a.mp4", "query": "the man, left", "id": "q1", "start": "1s", '
    '"end": "2s"}\n{"video": "clips/a.mp4", "query": "a dog"}\n\n'
    '{"video": "other/a.mp4", "query": "a cat", "start": 5}\n',
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_grouped_by_video(name: str, folder: Path) -> None:
    Path(name).write_text("\ufeff" + MANIFESTS[name])
    first, second = jobs_of_manifest(read_manifest(folder / name), folder)
    assert (first.name, second.name) == ("clips/a.mp4", "other/a.mp4")
    assert first.video == folder / "clips/a.mp4"
    one, two = first.queries
    assert (one.text, one.id, one.ending, one.start, one.end) == (
        "the man, left",
        "q1",
        ".q1",
        "1s",
        "2s",
    )
    assert (two.text, two.id, two.ending, two.start) == ("a dog", "2", ".2", None)
    assert (second.queries[0].ending, second.queries[0].start) == ("", "5")
    assert [query.at for job in (first, second) for query in job.queries] == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a header with video and query"),
        ("video,query\n", "no row in it"),
        ("file,text\na,b\n", "expected a header with video and query, found 'file, text'"),
        ("video,query\na.mp4,\n", "m:2: 'query' is missing"),
        ("video,query\n,a dog\n", "m:2: 'video' is missing"),
        ("video,query\na.mp4,a man, left\n", "m:2: 3 cells, but 2 columns"),
        (
            '{"video": "a.mp4", "query": "x"}\n{"video": 3, "query": "x"}',
            "m:2: video: expected text",
        ),
        ('{"video": "a.mp4", "query": "x"}\n[1]', "m:2"),
    ],
)
def test_a_bad_manifest_names_its_line(text: str, message: str) -> None:
    Path("m").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_manifest(Path("m"))
    assert message in caught.value.message


def test_an_id_twice_about_one_video_is_refused(folder: Path) -> None:
    Path("m").write_text("video,query,id\na.mp4,x,1/2\na.mp4,y,1:2\n")
    with pytest.raises(UsageError, match=r"m:3: the id '1:2' is already that of .*m:2"):
        jobs_of_manifest(read_manifest(Path("m")), folder)


def test_names_of_outputs_of_videos_that_differ_in_their_suffix() -> None:
    Path("clips/a.webm").touch()
    jobs = jobs_of_inputs(find(["clips"])[0], {1: "a dog"}, 1)
    assert [job.stem for job in jobs] == ["a.mp4", "a.webm", "b2", "b10"]


def jobs(names: list[str]) -> list[BatchJob]:
    return [BatchJob(Path(name), name, ()) for name in names]


SETS = {
    "numbered": [f"videos/{at:05d}.mp4" for at in range(1, 201)],
    "tens": [f"v{at}0.mp4" for at in range(200)],
    "named": [f"{a}{b}/clip.mp4" for a in "abcdefghijklmn" for b in "opqrstuvwxyz"],
}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("count", range(1, 8))
def test_shards_are_disjoint_complete_and_stable(kind: str, count: int) -> None:
    every = jobs(SETS[kind])
    shards = [shard(every, number, count) for number in range(1, count + 1)]
    assert sorted(job.name for own in shards for job in own) == sorted(SETS[kind])
    more = jobs(["0.mp4", *SETS[kind], "new.mp4", "videos/00000.mp4"])
    for number, own in enumerate(shards, 1):
        assert set(own) <= set(shard(more, number, count))
    even = len(every) / count
    spread = 0.4 if kind == "named" else 0.15
    assert all(abs(len(own) - even) <= spread * even + 2 for own in shards)


def test_a_shard_depends_on_nothing_but_the_name() -> None:
    assert shard_of("videos/00017.mp4", 4) == shard_of("videos/00017.mp4", 4)
    assert {shard_of(f"x{at}.mp4", 1) for at in range(9)} == {1}


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", "1/2/3"])
def test_a_wrong_shard_is_refused(text: str) -> None:
    assert read_shard(" 3/16 ") == (3, 16)
    with pytest.raises(UsageError, match="expected i/n"):
        read_shard(text)
