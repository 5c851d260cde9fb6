"""Settings kept in checkpoints, prepared folders and exported files, by whatever version."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.settings.config import Config
from cospal_cli.settings.declare import Section, SettingError
from cospal_cli.settings.merge import build
from cospal_cli.settings.names import GONE, keys, old_keys, sections

READS = {  # the section of a back end that no other of its stage reads
    "detector.nanodet": ("nanodet",),
    "detector.grounding_dino": ("grounding-dino", "grounding-dino-onnx", "groundingdino-py"),
    "detector.file": ("file",),
    "tracker.botsort": ("botsort",),
    "engine.ray": ("ray", "auto"),
}

BEFORE = {"temporal.hidden": "words"}  # what was done before there was such a setting

FORMER = {"held": "validation"}  # other names of 0.1.0, in files and of --split


def today(row: Json) -> JsonDict:
    """A row of a file, whatever version wrote it, by today's names."""
    return {FORMER.get(key, key): value for key, value in row.items()}


def modern(kept: Json) -> JsonDict:
    """Kept settings, nested or by dotted key, as today's by dotted key.

    Former names become today's; what is not a setting is kept as it is. Where one old setting
    became several, that of the back end in use is filled, and what only others read is left out.
    """
    flat = {key: value for key, value in _flat("", kept) if key not in GONE}
    settings: JsonDict = {}
    for old, value in flat.items():
        for key in (old,) if old in keys() else old_keys().get(old, (old,)):
            one = keys().get(key)
            if one and one.left_open(value):
                continue
            with suppress(SettingError):  # a value of another type: whoever uses it says so
                value = one.converted(value, text=False) if one else value
            if key == old or key not in flat:
                settings[key] = value
    return in_use(settings)


def in_use(settings: Json) -> JsonDict:
    """``settings`` by dotted key without those that other back ends than the chosen ones read."""
    return {key: value for key, value in settings.items() if _in_use(key, settings)}


def config_of(kept: Json) -> Config:
    """All settings as they were kept, defaults for the rest. SettingError."""
    config: Config = build(Config, modern(kept))
    return config


def renamed(section: type[Section], kept: Json) -> JsonDict:
    """One section's settings by today's field names; what was never one is kept as it is."""
    prefix = f"{section.KEY}."
    return {key.removeprefix(prefix): one for key, one in modern({section.KEY: kept}).items()}


def _in_use(key: str, settings: Json) -> bool:
    own = key.rpartition(".")[0]
    chosen = settings.get(f"{own.partition('.')[0]}.name")
    return own not in READS or chosen is None or chosen in READS[own]


def _flat(name: str, value: object) -> list[tuple[str, object]]:
    """Leaves by dotted name. Only sections are gone into: a setting's value may be a mapping."""
    if not isinstance(value, Mapping) or (name and name not in sections()):
        return [(name, value)]
    return [
        pair for key, one in value.items() for pair in _flat(f"{name}.{key}" if name else key, one)
    ]
