"""A library: what is watched once answers for ever; the catalogue only repeats what files say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli import Library
from cospal_cli.cli import run
from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.observation import Observation
from cospal_cli.core.query import Query
from cospal_cli.grounder import Grounder
from cospal_cli.library import indexing
from cospal_cli.library.catalogue import NAME
from cospal_cli.library.first_stage import evidence
from cospal_cli.library.stored import Extras
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.zero_shot import rank
from tests.media import make
from tests.observed import Someone, observation
from tests.pages import Page

CAST = {
    "red": [Someone("person", "red")],
    "blue": [Someone("person", "blue", (400, 100), (80, 100)), Someone("dog", "white")],
    "dog": [Someone("dog", "brown", (50, 200), (60, 200)), Someone("person", "green")],
    "car": [Someone("car", "white", (50, 200), (500, 200))],
}
SHOWN = np.full(1000, 0.0001, np.float32)
SHOWN[515] = 0.6  # a cowboy hat


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the videos that were watched; what is seen in each is made up."""
    names: list[str] = []

    def watch(
        grounder: Grounder, video: Path, prompt: Query | None, progress: Any, stopped: Any
    ) -> Observation:
        if video.stem == "bad":
            raise InputError(f"{video}: cannot be read", "copy it again")
        names.append(video.stem)
        seen = observation(video, CAST.get(video.stem, []), seed=len(video.stem))
        return replace(seen, interrupted=stopped())

    def classify(self: Grounder, images: Any) -> tuple[Any, Any]:
        return np.tile(SHOWN, (len(images), 1)), np.zeros((len(images), 1280))

    monkeypatch.setattr(Grounder, "_observe", watch)
    monkeypatch.setattr(Grounder, "_classify", classify)
    indexing.forget()
    return names


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in CAST:
        (folder / f"{name}.mp4").write_bytes(name.encode())
    return [folder / f"{name}.mp4" for name in CAST]


@pytest.fixture
def library(watched: list[str], videos: list[Path], tmp_path: Path) -> Library:
    made = Library(tmp_path / "lib", ground__min_match=0.0)
    made.index(videos)
    return made


def found(library: Library, sentence: str) -> list[str]:
    return [Path(hit.video).stem for hit in library.search(sentence)]


def test_each_video_is_watched_once(
    library: Library, watched: list[str], videos: list[Path]
) -> None:
    report = library.index(videos)
    assert (report.added, report.kept, report.failed) == (0, 4, {})
    for sentence in ("the man in red", "the dog", "the man in red"):
        assert library.ground(videos[0], sentence).query.text == sentence
    assert watched == list(CAST)


def test_answers_are_those_without_a_library(library: Library, videos: list[Path]) -> None:
    alone = Grounder.open(ground__min_match=0.0)
    for video in videos:
        for sentence in ("the man in red walks right", "the white dog", "a person with a hat"):
            expected = next(alone.ground(video, [sentence])).document()
            assert library.ground(video, sentence).document() == expected
            assert (
                Library(library.folder, ground__min_match=0.0).ground(video, sentence).document()
                == expected
            )


def test_what_is_not_there_is_added(
    library: Library, watched: list[str], videos: list[Path]
) -> None:
    library.remove([videos[0]])
    assert found(library, "the person in red")[:1] != ["red"]
    library.ground(videos[0], "the person in red")
    assert watched == [*CAST, "red"]
    assert found(library, "the person in red")[0] == "red"


@pytest.mark.parametrize("change", ["bytes", "time"])
def test_a_changed_video_is_watched_again(
    change: str, library: Library, watched: list[str], videos: list[Path]
) -> None:
    if change == "bytes":
        videos[1].write_bytes(b"another film")
    else:
        os.utime(videos[1], ns=(5, 5))
    assert [hit.state for hit in library.search("the dog") if "blue" in hit.video] == ["changed"]
    report = library.index(videos)
    assert (report.added, report.kept) == (1, 3)
    assert watched == [*CAST, "blue"]
    assert len(library.entries()) == 4


@pytest.mark.parametrize("settings", [{"video__fps": 5.0}, {"detector__threshold": 0.5}])
def test_other_settings_are_another_observation(
    settings: Any, library: Library, watched: list[str], videos: list[Path]
) -> None:
    Library(library.folder, **settings).ground(videos[0], "the man")
    assert watched == [*CAST, "red"]
    assert len(library.entries()) == 5
    assert found(library, "the person in red").count("red") == 1


@pytest.mark.parametrize("settings", [{"ground__top_k": 3}, {"detector__threads": 1}])
def test_settings_that_change_nothing_seen_share_it(
    settings: Any, library: Library, watched: list[str], videos: list[Path]
) -> None:
    Library(library.folder, **settings).ground(videos[0], "the man")
    assert watched == list(CAST)


def test_clips_for_heads_stay_when_others_add_to_the_file(
    library: Library, videos: list[Path]
) -> None:
    key = library.grounder.key(videos[0])
    seen = replace(
        library.grounder.observe(videos[0]), appearance={},
        clips=Clips(np.ones((1, 4), np.float32), np.array([[0.0, 1.0]])),
    )  # fmt: skip
    library.store.write(key, seen, library.grounder.config, Extras({"name": "heads"}))
    Library(library.folder).ground(videos[0], "the man with a hat")
    file = library.store.read(key)
    assert file is not None
    assert file.extras.clips == {"name": "heads"}
    assert file.observation().clips is not None
    assert len(file.observation().appearance) == 1


def test_an_interrupted_pass_is_not_kept(
    library: Library, watched: list[str], tmp_path: Path
) -> None:
    (tmp_path / "new.mp4").write_bytes(b"new")
    seen = library.grounder.observe(tmp_path / "new.mp4", stopped=lambda: True)
    assert seen.interrupted
    assert len(library.entries()) == 4


def test_a_bad_video_is_named_and_the_others_are_done(
    watched: list[str], videos: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"")
    report = Library(tmp_path / "lib").index([tmp_path / "bad.mp4", *videos, tmp_path / "no.mp4"])
    assert report.added == 4
    assert [Path(name).name for name in report.failed] == ["bad.mp4", "no.mp4"]


def test_search_names_the_right_video_first(library: Library) -> None:
    assert found(library, "the person in red")[0] == "red"
    assert found(library, "the man in blue walks to the left")[0] == "blue"
    assert found(library, "the brown dog") == ["dog", "blue"]
    assert found(library, "the car") == ["car"]
    assert found(library, "the elephant") == []


def test_search_has_the_tubes_of_ground(library: Library, videos: list[Path]) -> None:
    for hit in library.search("the dog"):
        tube = library.ground(hit.video, "the dog").tubes[0]
        assert (hit.tube.id, hit.tube.span_s, hit.tube.why) == (tube.id, tube.span_s, tube.why)


SAID = [
    "the man in red", "the person on the left", "the large man walks slowly to the right",
    "the man who is not in red", "the dog sits", "the man jumps, then runs away", "the smallest",
    "the man with a hat", "the person in the middle comes closer", "the man in white trousers",
]  # fmt: skip


@pytest.mark.parametrize("sentence", SAID)
def test_the_first_stage_has_the_evidence_of_the_second(library: Library, sentence: str) -> None:
    """Half precision aside, for what the catalogue's numbers can tell."""
    library.search(sentence)
    query, config = library.grounder.parse(sentence), library.config.ground
    entries = library._searcher._entries
    for table in library._searcher._tables:
        rows, logs = evidence(table, query, config)
        for at, number in enumerate(table.entries):
            own = logs[table.video[rows] == at]
            seen = library.grounder.observe(entries[number].path)
            ranked = rank(
                candidates(seen.tubelets, seen.size, seen.timeline),
                query,
                Evidence(seen.timeline, seen.classes, lambda _: SHOWN),
                config,
            )
            expected = [] if ranked.logs is None else ranked.logs
            np.testing.assert_allclose(own, expected, atol=0.06)


def test_several_observations_of_a_video_are_one_result(
    library: Library, videos: list[Path]
) -> None:
    Library(library.folder, video__fps=5.0).index(videos)
    assert len(library.entries()) == 8
    assert found(library, "the brown dog") == ["dog", "blue"]


def test_a_search_sees_what_other_processes_add(library: Library, videos: list[Path]) -> None:
    other = Library(library.folder)
    assert len(found(other, "the dog")) == 2
    library.remove(videos[2:3])
    assert found(other, "the dog") == ["blue"]


def test_remove_takes_a_folder_and_refuses_what_is_not_there(
    library: Library, videos: list[Path]
) -> None:
    with pytest.raises(InputError, match=r"nothing\.mp4"):
        library.remove([videos[0], videos[0].with_name("nothing.mp4")])
    assert len(library.entries()) == 4
    assert len(library.remove([videos[0].parent])) == 4
    assert library.entries() == []
    assert not list((library.folder / "videos").glob("*.safetensors"))
    assert all(video.exists() for video in videos)


def wreck_catalogue(library: Library) -> None:
    (library.folder / NAME).write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)


def foreign_catalogue(library: Library) -> None:
    import sqlite3

    (library.folder / NAME).unlink()
    with sqlite3.connect(library.folder / NAME) as connection:
        connection.execute("CREATE TABLE mine (a)")


def lose_catalogue(library: Library) -> None:
    for path in library.folder.glob(f"{NAME}*"):
        path.unlink()


def forget_rows(library: Library) -> None:
    library.store.catalogue.drop([library.entries()[0].file])


@pytest.mark.parametrize("harm", [wreck_catalogue, foreign_catalogue, lose_catalogue, forget_rows])
def test_repair_makes_the_catalogue_anew(
    harm: Callable[[Library], None], library: Library, watched: list[str], videos: list[Path]
) -> None:
    expected = library.entries()
    harm(library)
    assert library.verify()
    assert library.repair()
    assert library.entries() == expected
    assert library.verify() == library.repair() == []
    assert library.index(videos).kept == 4
    assert watched == list(CAST)


def test_repair_removes_damaged_files_and_forgets_lost_ones(
    library: Library, watched: list[str], videos: list[Path]
) -> None:
    by_name = {Path(one.path).stem: library.store.path(one.file) for one in library.entries()}
    data = bytearray(by_name["red"].read_bytes())
    data[-100] ^= 1
    by_name["red"].write_bytes(data)
    by_name["dog"].unlink()
    (library.folder / "videos" / "foreign.safetensors").write_bytes(b"foreign")
    assert len(library.verify()) == 3
    assert found(library, "the brown dog") == ["blue"]
    assert len(library.repair()) >= 3
    assert sorted(Path(one.path).stem for one in library.entries()) == ["blue", "car"]
    assert library.index(videos).added == 2
    assert library.verify() == []


def test_a_file_without_its_entry_is_entered_and_not_watched_again(
    library: Library, watched: list[str], videos: list[Path]
) -> None:
    """As a run that was killed between the two leaves it."""
    expected = library.entries()
    forget_rows(library)
    assert library.index(videos).kept == 4
    assert library.entries() == expected
    assert watched == list(CAST)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="neither empty nor a library"):
        Library(tmp_path)
    with pytest.raises(UsageError, match="is not a library"):
        Library(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "library.json").write_text('{"format": "theirs"}')
    with pytest.raises(UsageError, match="theirs"):
        Library(other)


def cospal(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cospal_cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )


def test_two_processes_fill_one_library_and_nothing_is_done_twice(tmp_path: Path) -> None:
    videos = [make(tmp_path / f"{n}.mp4", 12) for n in range(6)]
    lib = str(tmp_path / "lib")
    runs = [
        cospal("index", *map(str, order), "--library", lib, "--json", "--workers", "1")
        for order in (videos, videos[::-1])
    ]
    reports = [json.loads(run.communicate(timeout=120)[0]) for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum(report["added"] for report in reports) == 6
    assert all(report["added"] + report["kept"] == 6 for report in reports)
    library = Library(lib)
    assert len(library.entries()) == 6
    assert library.verify() == []


def test_commands_from_index_to_search(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    make(tmp_path / "videos" / "a.mp4", 12)
    env = {"COSPAL_LIBRARY": str(tmp_path / "lib")}

    def ran(*arguments: str) -> tuple[int, str, str]:
        process = cospal(*arguments, env=env)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    assert ran("index", str(tmp_path / "videos"))[0] == 0
    code, out, _ = ran("search", "the man", "--json")
    assert (code, json.loads(out)["results"]) == (0, [])
    assert ran("search", "the man", "--fail-on-empty")[0] == 7
    assert ran("search", "the man")[1] == "no match\n"
    assert "a.mp4" in ran("library", "list")[1]
    assert json.loads(ran("library", "info", "--json")[1])["videos"] == 1
    assert ran("library", "verify")[:2] == (0, "all is well\n")
    lose_catalogue(Library(tmp_path / "lib"))
    assert ran("library", "verify")[0] == 4
    assert ran("library", "repair")[0] == 0
    video = str(tmp_path / "videos" / "a.mp4")
    code, out, _ = ran("ground", video, "the man", "--json")
    assert (code, json.loads(out)["tubes"]) == (0, [])
    assert ran("library", "remove", video)[0] == 0
    assert ran("library", "remove", video)[0] == 4


def test_a_search_may_write_a_page(
    library: Library, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    arguments = ["search", "the dog", "--library", str(library.folder), "--report", str(out)]
    assert run([*arguments, "--json"]) == 0
    results = json.loads(capfd.readouterr().out)["results"]
    page = Page(out)
    assert len(results) > 1
    assert "<title>the dog – cospal</title>" in page.source
    names = [Path(one["video"]).name for one in results]
    assert [one["aria-label"] for one in page.all("article")] == names
    assert [row["start"] for row in page.rows] == [one["start_time"] for one in results]
    assert run(arguments) == 2
    assert "--overwrite" in capfd.readouterr().err
    nothing = ["search", "the zebra", *arguments[2:], "--overwrite"]
    assert run(nothing) == 0
    assert "Nothing was found." in Page(out).text


def test_a_search_may_cut_its_moments_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import av

    video = Path(shutil.copy(Path("examples") / "bikes.mp4", tmp_path))
    folder, out = str(tmp_path / "lib"), tmp_path / "clips"
    assert run(["index", str(video), "--library", folder, "--fps", "5"]) == 0
    arguments = ["search", "the cyclist", "--library", folder, "--clips", str(out)]
    assert run([*arguments, "--json"]) == 0
    (found,) = json.loads(capfd.readouterr().out)["results"]
    assert [path.name for path in out.iterdir()] == ["01.bikes.clip.mp4"]
    with av.open(out / "01.bikes.clip.mp4") as clip:
        frames = sum(1 for _ in clip.decode(video=0))
    assert frames == found["end_frame"] - found["start_frame"]
    assert run(arguments) == 2
    assert "--overwrite" in capfd.readouterr().err
    video.unlink()
    assert run([*arguments, "--overwrite"]) == 3
    assert f"{video}: no clip" in capfd.readouterr().err


def test_nothing_is_written_without_a_library(tmp_path: Path) -> None:
    video = make(tmp_path / "a.mp4", 12)
    process = cospal("ground", str(video), "the man", "--json")
    process.communicate(timeout=120)
    assert os.listdir(tmp_path) == ["a.mp4"]
    process = cospal("search", "the man")
    assert "no library is named" in process.communicate(timeout=120)[1]
    assert process.returncode == 2


def test_a_batch_takes_a_library_too(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    for n in range(2):
        make(folder / f"{n}.mp4", 12)
    batch = ("ground", str(folder), "the man", "--no-video", "--workers", "1")
    batch += ("--library", str(tmp_path / "lib"), "--overwrite", "-o", str(tmp_path / "out"))
    documents = []
    for _ in range(2):
        process = cospal(*batch)
        process.communicate(timeout=120)
        assert process.returncode == 0
        documents.append(
            [path.read_bytes() for path in sorted((tmp_path / "out").rglob("*.tube.json"))]
        )
    assert documents[0] == documents[1]
    assert len(documents[0]) == 2
    assert len(Library(tmp_path / "lib").entries()) == 2


def test_a_stored_video_is_answered_without_decoder_or_models(
    library: Library, videos: list[Path]
) -> None:
    """What makes a second question quick from the shell."""
    code = (
        "import sys; from cospal_cli.cli import run; code = run(sys.argv[1:]);"
        "heavy = ('torch', 'transformers', 'av', 'onnxruntime', 'rich', 'multiprocessing');"
        "print([name for name in heavy if name in sys.modules], code, file=sys.stderr)"
    )
    lib = ("--library", str(library.folder), "--json")
    for arguments in (("ground", str(videos[0]), "the man in red"), ("search", "the dog runs")):
        command = [sys.executable, "-c", code, *arguments, *lib]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr.splitlines()[-1] == "[] 0"
        assert json.loads(done.stdout)
