"""Declared settings: each has a meaning and is read; old names live; the reference is current."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from cospal_cli.core import backends
from cospal_cli.core.errors import UsageError
from cospal_cli.settings import (
    Config,
    CurriculumConfig,
    DetectorConfig,
    ModelConfig,
    Section,
    Setting,
    SettingError,
    TrackerConfig,
    argument,
    changed,
    current,
    flatten,
    keys,
    override,
    recipes,
    resolve,
    stored,
)
from cospal_cli.settings.declare import declared
from cospal_cli.settings.merge import variable
from cospal_cli.settings.names import GONE, old_keys, sections
from cospal_cli.settings.reference import markdown

ROOT = Path(__file__).parent.parent
# The settings of 0.1.0, by section; every one must still be read.
OLD = {
    "video": "fps work_side start end duration max_pixels strict",
    "detector": "name device path side threshold nms_iou max_per_frame tiles batch threads model "
    "model_config prompt referral text_threshold precision compile",
    "tracker": "name high min_observations max_lost_s link_gap_s smooth_s look_gate place_gate",
    "language": "similarity",
    "text": "name model device precision threads",
    "clips": "name model fps frames stride batch device precision threads",
    "appearance": "enabled crops threads",
    "ground": "method top_k class_weight colour_weight position_weight action_weight "
    "company_weight looks_weight prior_weight min_score reads segment temporal_first seed",
    "features": "frames max_tubelets max_clips max_words",
    "model": "dim heads ffn dropout noise spatial_layers temporal_layers proposals width_divisor "
    "word_score sees",
    "loss": "spatial temporal smoothing contrast contrast_whole contrast_side push diversity "
    "overlap harder",
    "curriculum": "name limits epochs equal_updates",
    "train": "seed batch lr spatial_lr warmup clip weight_decay ema crg device precision threads "
    "bad save_every select",
    "output": "overwrite video crf",
}
OLD_KEYS = [f"{section}.{name}" for section, names in OLD.items() for name in names.split()]


@pytest.mark.parametrize("key", keys())
def test_a_setting_says_in_a_sentence_what_its_value_does(key: str) -> None:
    one = keys()[key]
    assert len(one.setting.meaning.split()) >= 3
    assert one.setting.meaning.endswith(".")
    assert one.setting.meaning[0].isupper()
    assert one.group
    assert not one.optional or one.setting.unset, "what null stands for"
    assert one.default is None or one.match(one.default) == one.default


def test_every_setting_is_read_somewhere() -> None:
    package = ROOT / "cospal_cli"
    files = [p for p in package.rglob("*.py") if package / "settings" not in p.parents]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    unread = {
        key
        for key in keys()
        if not re.search(rf"\.{key.rpartition('.')[2]}\b|\"{key.rpartition('.')[2]}\"", code)
    }
    assert not unread - {"curriculum.limits", "curriculum.epochs"}  # read by ``stages``


def test_choices_are_the_tables_of_back_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "detector.name": backends.DETECTORS,
        "tracker.name": backends.TRACKERS,
        "text.name": backends.TEXT_ENCODERS,
        "clips.name": backends.VIDEO_ENCODERS,
        "ground.method": backends.METHODS,
        "runtime.name": backends.RUNTIMES,
        "engine.name": backends.ENGINES,
    }
    for key, table in chosen.items():
        assert set(keys()[key].choices) - {"auto"} == set(table)
        monkeypatch.setitem(table, "dummy", "nowhere:Dummy")
        assert override(None, {key: "dummy"})
        with pytest.raises(UsageError, match="unknown value 'dumy'") as caught:
            override(None, {key: "dumy"})
        assert "did you mean 'dummy'?" in caught.value.hint


@dataclass(frozen=True)
class Sample(Section, key="sample"):
    """Every kind of setting."""

    share: Annotated[float, Setting("A share of it all.", above=0, below=1)] = 0.5
    many: Annotated[tuple[int, ...], Setting("Numbers of some things.", least=0)] = (1, 2)
    count: Annotated[int, Setting("A number of things.", least=0, zero="auto")] = 0
    word: Annotated[str | None, Setting("A word to say.", choices=("a", "b"), unset="c")] = None
    old: Annotated[bool, Setting("Whether it is old.", formerly=("sample.ancient",))] = False


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("share", ".25", 0.25),
        ("many", "3, 4,5", (3, 4, 5)),
        ("many", ["3", "4"], (3, 4)),
        ("many", "", ()),
        ("count", "auto", 0),
        ("count", "7", 7),
        ("word", "null", None),
        ("old", "on", True),
    ],
)
def test_texts_are_read_by_the_declaration(name: str, text: object, value: object) -> None:
    assert declared(Sample)[name].parse(text) == value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"share": 0}, "sample.share: must be above 0 and below 1, found 0"),
        ({"share": 1.0}, "sample.share: must be above 0 and below 1, found 1"),
        ({"share": "x"}, "sample.share: expected a number, found 'x'"),
        ({"share": True}, "sample.share: expected a number, found True"),
        ({"share": float("nan")}, "sample.share: expected a number, found nan"),
        ({"share": None}, "sample.share: expected a number, found nothing"),
        ({"many": (1, -1)}, "sample.many: must be at least 0, found -1"),
        ({"many": 3}, "sample.many: expected whole numbers, such as 1,2,3, found 3"),
        ({"many": [1.5]}, "sample.many: expected whole numbers, such as 1,2,3, found [1.5]"),
        ({"count": 1.5}, "sample.count: expected a whole number, found 1.5"),
        ({"word": "d"}, "sample.word: unknown value 'd'"),
        ({"old": 1}, "sample.old: expected true or false, found 1"),
    ],
)
def test_values_are_checked_where_a_section_is_made(given: dict, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        Sample(**given)
    assert caught.value.message.startswith(message)
    assert caught.value.key == f"sample.{next(iter(given))}"


def test_lists_are_lists(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    for text in ("[2, 5]", "2,5", "\n    - 2\n    - 5", '"2,5"'):
        file.write_text(f"curriculum:\n  limits: {text}\n")
        assert resolve(file).config.curriculum.limits == (2, 5)
    environ = {"COSPAL_CURRICULUM_EPOCHS": "1,1,2"}
    assert resolve(environ=environ).config.curriculum.epochs == (1, 1, 2)
    assert CurriculumConfig(limits=(), epochs=(3,)).stages == ((None, 3),)
    file.write_text("curriculum:\n  limits: [2, five]\n")
    with pytest.raises(UsageError, match=r":2: curriculum.limits: expected whole numbers"):
        resolve(file)
    file.write_text("curriculum:\n  limits: [2, [5]]\n")
    with pytest.raises(UsageError, match=r":2: curriculum.limits: expected a list of plain"):
        resolve(file)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("detector:\n  nanodet:\n    tils: 2\n", 3, "unknown key 'detector.nanodet.tils'"),
        ("detector:\n  nanodet: 5\n", 2, "detector.nanodet must be a mapping"),
        ("detector:\n  nanodet:\n    tiles: 9\n", 3, "detector.nanodet.tiles: must be from 1 to"),
        ("nanodet:\n  tiles: 2\n", 1, "unknown section 'nanodet'"),
        ("detector:\n  nanodet:\n    tiles: {a: 1}\n", 3, "expected one value, found a mapping"),
    ],
)
def test_sections_within_sections_are_checked_too(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        resolve(file)
    assert caught.value.message.startswith(f"{file}:{line}: ")
    assert message in caught.value.message


def test_variables_of_the_environment_are_told_apart() -> None:
    names = [variable(key, point) for key in keys() for point in ("_", "__")]
    assert len({*names}) == len(names)


@pytest.mark.parametrize("key", OLD_KEYS)
def test_every_setting_of_0_1_0_is_still_known(key: str) -> None:
    assert key in keys() or key in old_keys() or key in GONE


@pytest.mark.parametrize("old", [*old_keys(), *GONE])
def test_an_old_name_is_read_from_every_source_with_a_warning(
    old: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert old in OLD_KEYS
    names = old_keys().get(old, ())
    one = keys()[names[0]] if names else keys()["detector.threshold"]
    value = _other(one)
    expected = {name: one.parse(value) for name in names}
    section, _, leaf = old.partition(".")
    file = tmp_path / "s.yaml"
    file.write_text(f"{section}:\n  {leaf}: {value}\n")
    sources = [
        {"config_file": file},
        {"environ": {variable(old): value}},
        {"environ": {variable(old, "__"): value}},
        {"sets": [f"{old}={value}"]},
    ]
    for source in sources:
        caplog.clear()
        with caplog.at_level(logging.WARNING, "cospal"):
            config = resolve(**source).config  # type: ignore[arg-type]
        assert changed(config) == set(expected)
        assert {name: flatten(config)[name] for name in names} == expected
        assert len(caplog.messages) == 1
        assert old in caplog.messages[0]
        assert all(name in caplog.messages[0] for name in names)


def _other(one) -> str:
    """A text for another value than the default."""
    if one.choices:
        return next(word for word in one.choices if word != one.default)
    if one.kind is bool:
        return str(not one.default).lower()
    return {str: "x", int: "64" if one.key.endswith("side") else "3", float: "0.375"}[one.kind]


def test_old_arguments_of_python_count_as_said() -> None:
    assert argument("tracker__high") == "tracker.high"
    assert current(["tracker.high", "detector.side", "video.fps"]) == {
        "tracker.high_threshold",
        "detector.nanodet.side",
        "detector.grounding_dino.side",
        "video.fps",
    }


def test_a_new_name_beats_the_old_one_of_an_earlier_source() -> None:
    environ = {"COSPAL_LOSS_HARDER": "2"}
    assert (
        resolve(environ=environ, sets=["loss.negative_growth=3"]).config.loss.negative_growth == 3
    )


def test_kept_settings_get_todays_names_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    kept = {
        "detector": {"name": "nanodet", "side": 320, "tiles": 2, "path": None, "threshold": 0.2,
                     "text_threshold": 0.4, "prompt": "both", "model_config": None},
        "tracker": {"name": "bytetrack", "high": 0.4, "look_gate": 0.25},
        "loss": {"harder": 0.25, "push": False},
        "curriculum": {"limits": "4,7", "epochs": "1,1,2"},
        "elsewhere": {"a": 1},
    }  # fmt: skip
    with caplog.at_level(logging.DEBUG):
        found = stored.modern(kept)
    assert caplog.messages == []
    assert found == {
        "detector.name": "nanodet",
        "detector.nanodet.side": 320,
        "detector.nanodet.tiles": 2,
        "detector.threshold": 0.2,
        "tracker.name": "bytetrack",
        "tracker.high_threshold": 0.4,
        "loss.negative_growth": 0.25,
        "loss.push_negatives": False,
        "curriculum.limits": (4, 7),
        "curriculum.epochs": (1, 1, 2),
        "elsewhere": {"a": 1},
    }
    assert stored.modern(json.loads(json.dumps(found))) == found
    config = stored.config_of(kept)
    assert (config.detector.nanodet.side, config.loss.negative_growth) == (320, 0.25)


def test_an_old_null_leaves_open_what_has_a_value_today() -> None:
    kept = {"detector": {"name": "nanodet", "side": None, "threshold": None}}
    assert stored.config_of(kept) == Config()
    assert resolve(sets=["detector.side=null"]).config == Config()
    with pytest.raises(UsageError, match=r"detector\.nanodet\.side: expected a whole number"):
        resolve(sets=["detector.nanodet.side=null"])


def test_one_kept_section_is_read_by_its_old_names() -> None:
    old = {"dim": 64, "noise": 0.3, "sees": "subject", "nonsense": 1}
    new = {"dim": 64, "input_noise": 0.3, "temporal_input": "subject", "nonsense": 1}
    assert stored.renamed(ModelConfig, old) == new


def test_what_other_back_ends_read_is_left_out() -> None:
    tracker = TrackerConfig(name="bytetrack")
    config = Config(detector=DetectorConfig(name="grounding-dino"), tracker=tracker)
    found = stored.in_use(flatten(config))
    assert "detector.grounding_dino.prompt" in found
    assert not {key for key in found if key.startswith(("detector.nanodet.", "tracker.botsort."))}
    assert set(stored.READS) == {name for name in sections() if "." in name}
    tables = {*backends.DETECTORS, *backends.TRACKERS, *backends.ENGINES, "auto"}
    assert {name for names in stored.READS.values() for name in names} <= tables


@pytest.mark.parametrize("name", recipes.names())
def test_recipes_use_todays_names(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "cospal"):
        resolve(recipes.find(name))
    assert caplog.messages == []


def test_the_reference_is_current() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == markdown(), "python -m cospal_cli.settings.reference docs/settings.md"
    assert all(f"`{key.rpartition('.')[2]}`" in page for key in keys())
