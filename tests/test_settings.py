"""Settings from five sources: their order, their origins, and how bad ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.settings import (
    Config,
    DetectorConfig,
    Entry,
    VideoConfig,
    as_dict,
    changed,
    flatten,
    keys,
    override,
    resolve,
)


def flag(key: str, value: object, name: str = "--flag") -> Entry:
    return Entry(key, value, name, text=False)


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "settings.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_nothing_given_is_all_defaults() -> None:
    settings = resolve()
    assert settings.config == Config()
    assert set(settings.origins.values()) == {"default"}
    assert list(settings.origins) == list(keys()) == list(flatten(Config()))


def test_what_differs_from_the_defaults() -> None:
    assert changed(Config()) == set()
    assert changed(resolve(sets=["video.fps=3", "ground.top_k=1"]).config) == {"video.fps"}


def test_each_source_beats_the_one_before(write) -> None:
    file = write("video: {fps: 1}\n")
    environ = {"COSPAL_VIDEO_FPS": "2"}
    sources = {
        "default": (resolve(), 10.0),
        f"{file}:1": (resolve(file), 1.0),
        "COSPAL_VIDEO_FPS": (resolve(file, environ), 2.0),
        "--set": (resolve(file, environ, ["video.fps=3"]), 3.0),
        "--fps": (resolve(file, environ, ["video.fps=3"], [flag("video.fps", 4, "--fps")]), 4.0),
    }
    for origin, (settings, fps) in sources.items():
        assert settings.config.video.fps == fps
        assert settings.origins["video.fps"] == origin


@pytest.mark.parametrize("name", ["COSPAL_DETECTOR_NMS_IOU", "COSPAL_DETECTOR__NMS_IOU"])
def test_environment_names_take_one_or_two_underscores(name: str) -> None:
    assert resolve(environ={name: ".5", "PATH": "x"}).config.detector.nms_iou == 0.5


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("video.fps=2.5", "video.fps", 2.5),
        ("video.fps=1e1", "video.fps", 10.0),
        ("video.max_pixels=1_000", "video.max_pixels", 1000),
        ("video.strict=Yes", "video.strict", True),
        ("output.video=off", "output.video", False),
        ("video.start=00:01:02.5", "video.start", "00:01:02.5"),
        ("video.start=120", "video.start", "120"),
        ("video.start=", "video.start", None),
        ("video.start=null", "video.start", None),
        ("detector.file.path=a=b", "detector.file.path", "a=b"),
    ],
)
def test_text_becomes_the_type_of_the_setting(assignment: str, key: str, value: object) -> None:
    found = flatten(resolve(sets=[assignment]).config)[key]
    assert found == value
    assert type(found) is type(value)


def test_yaml_keeps_times_as_written(write) -> None:
    # YAML 1.1 would read the first as a number in base 60.
    config = resolve(write("video:\n  start: 1:30\n  end: 00:02:00.5\n  fps: 5\n")).config
    assert (config.video.start, config.video.end, config.video.fps) == ("1:30", "00:02:00.5", 5.0)


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing\n", "video:\n", "---\n", b"\xef\xbb\xbfvideo:\n  strict: no\n"]
)
def test_empty_files_sections_and_a_byte_order_mark_are_fine(write, text) -> None:
    assert resolve(write(text)).config == Config()


ALIAS_BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
BAD_YAML = [  # text, line, part of the message, part of the hint
    ("video: !!python/object/apply:os.system [ls]\n", 1, "tags are not allowed", "remove"),
    ("video:\n  fps: !!float 5\n", 2, "tags are not allowed", "remove"),
    (ALIAS_BOMB, 2, "aliases are not allowed", "write the value out"),
    ("video:\n  fps: 5\n  fps: 6\n", 3, "duplicate key 'fps'", "line 2"),
    ("video:\n  fps: 5\nvideo:\n  strict: no\n", 3, "duplicate key 'video'", "line 1"),
    ("? [a, b]\n: c\n", 1, "a name must be text", "video:"),
    ("video:\n  fps: fast\n", 2, "video.fps: expected a number, found 'fast'", ""),
    ('video:\n  fps: "5"\n', 2, "video.fps: expected a number, found '5'", ""),
    ("video:\n  fps: 0,5\n", 2, "expected a number", "with a point"),
    ("video:\n  fps: .nan\n", 2, "expected a number", ""),
    ("video:\n  fps: [5]\n", 2, "video.fps: expected one value, found a list", ""),
    ("video:\n  fps: {a: 5}\n", 2, "video.fps: expected one value, found a mapping", ""),
    ("video:\n  fps:\n", 2, "expected a number, found nothing", ""),
    ("video:\n  strict: 2\n", 2, "expected true or false, found '2'", ""),
    ("detector:\n  side: 416.5\n", 2, "expected a whole number, found '416.5'", ""),
    ("detector:\n  treshold: .2\n", 2, "'detector.treshold'", "'detector.threshold'"),
    ("detectr:\n  threshold: .2\n", 1, "unknown section 'detectr'", "'detector'"),
    ("detector: 5\n", 1, "detector must be a mapping", "indented"),
    ("- video\n", 1, "the file must be a mapping", "indented"),
    ("video:\n\tfps: 5\n", 2, "a tab cannot indent", "spaces"),
    ("video: {fps: 5\n", 2, "not valid YAML", "line above"),
    ("video:\n---\nvideo:\n", 2, "not valid YAML", ""),
    ("[" * 5000, 1, "levels deep", ""),
    (b"video:\n  start: \xff\n", 2, "not UTF-8", "UTF-8"),
    ("video:\n  fps: -1\n", 2, "video.fps: must be from 0.01 to 1000, found -1", ""),
    ("detector:\n  side: 100\n", 2, "multiple of 32", ""),
]


@pytest.mark.parametrize(("text", "line", "message", "hint"), BAD_YAML)
def test_bad_yaml_is_refused_with_its_line(write, text, line, message, hint) -> None:
    path = write(text)
    with pytest.raises(UsageError) as caught:
        resolve(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_control_character_and_a_huge_or_missing_file_are_refused(write, tmp_path) -> None:
    with pytest.raises(UsageError, match="special characters"):
        resolve(write("video: \x07\n"))
    with pytest.raises(UsageError, match="too large"):
        resolve(write("# " + "x" * 1_000_001))
    with pytest.raises(UsageError, match="No such file"):
        resolve(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"environ": {"COSPAL_VIDEO_FSP": "5"}}, "COSPAL_VIDEO_FSP: unknown", "COSPAL_VIDEO_FPS"),
        ({"environ": {"COSPAL_VIDEO_FPS": "x"}}, "COSPAL_VIDEO_FPS: video.fps", ""),
        ({"sets": ["video.fps"]}, "expected key=value", "--set"),
        ({"sets": ["video.fp=3"]}, "--set: unknown key 'video.fp'", "'video.fps'"),
        ({"sets": ["whatever=3"]}, "unknown key 'whatever'", "config show"),
        ({"flags": [flag("video.fps", "5")]}, "--flag: video.fps: expected a number", ""),
        ({"flags": [flag("video.fps", True)]}, "expected a number, found True", ""),
        ({"flags": [flag("video.strict", 1)]}, "expected true or false, found 1", ""),
        ({"flags": [flag("detector.name", 5)]}, "expected text, found 5", ""),
        (
            {"sets": ["video.end=5", "video.duration=5"]},
            "cannot be combined with video.end",
            "only one of the two",
        ),
        ({"sets": ["detector.name=file"]}, "detector.file.path: is needed", "--detections"),
        ({"sets": ["output.crf=52"]}, "--set: output.crf: must be from 0 to 51, found 52", ""),
    ],
)
def test_other_sources_are_refused_by_name(given, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(**given)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_contradictions_fail_where_a_config_is_made() -> None:
    with pytest.raises(UsageError, match=r"video\.duration"):
        VideoConfig(end="5", duration="5")
    with pytest.raises(UsageError, match=r"detector\.threshold"):
        DetectorConfig(threshold=1.5)


def test_override_changes_only_what_is_named() -> None:
    base = override(None, {"video.fps": 5})
    changed = override(base, {"detector.file.path": Path("boxes.jsonl"), "detector.name": "file"})
    assert (changed.video.fps, changed.detector.file.path) == (5.0, "boxes.jsonl")
    assert changed.ground == Config().ground
    with pytest.raises(UsageError, match="unknown key"):
        override(base, {"video.fsp": 5})


def test_as_dict_is_plain() -> None:
    nested = as_dict(Config())
    assert nested["detector"]["threshold"] == Config().detector.threshold
    assert {type(section) for section in nested.values()} == {dict}
