"""Merges all sources of settings into one ``Config``, and remembers where each value came from.

Order, later wins: defaults < YAML file < ``COSPAL_*`` environment < ``--set a.b=c`` < flags.
Every source becomes a stream of ``Entry``; one place checks keys and converts values.
Environment names are ``COSPAL_SECTION_KEY``, or ``COSPAL_SECTION__KEY``, in upper case.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from cospal_cli.core.errors import UsageError
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.settings.config import Config
from cospal_cli.settings.declare import Section, SettingError, declared, subsections
from cospal_cli.settings.names import GONE, OLD_NAMES_END, keys, nearest, old_keys

LOG = logging.getLogger("cospal")
ENVIRONMENT_PREFIX = "COSPAL_"
# Where models are kept (see ``backbones.models``), and what was seen in videos (see ``library``).
NO_SETTINGS = {"COSPAL_MODELS", "COSPAL_OFFLINE", "COSPAL_LIBRARY"}


class Entry(NamedTuple):
    """One value from one source. ``value``: text to convert, or an already typed object."""

    key: str  # "detector.threshold"
    value: object
    origin: str  # "settings.yaml:3", "COSPAL_DETECTOR_THRESHOLD", "--set", "--fps"
    text: bool = True  # False: ``value`` must have the setting's type already


@dataclass(frozen=True)
class Settings:
    """The merged ``config`` and, for every key, the ``origins`` text of its source."""

    config: Config
    origins: Mapping[str, str]

    @property
    def said(self) -> frozenset[str]:
        """The keys that somebody gave a value."""
        return frozenset(key for key, origin in self.origins.items() if origin != "default")


def resolve(
    config_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    sets: Iterable[str] = (),
    flags: Iterable[Entry] = (),
) -> Settings:
    """Merge all sources; UsageError names the source, the key and the nearest known name.

    A former key is read as today's, with a warning.
    """
    values: JsonDict = {}
    origins = dict.fromkeys(keys(), "default")
    from_environ = _environ_entries(environ or {})
    for entry in chain(_file_entries(config_file), from_environ, map(_set_entry, sets), flags):
        for key in _today(entry):
            if key != entry.key and keys()[key].left_open(_null(entry)):
                continue
            try:
                values[key] = keys()[key].converted(entry.value, entry.text)
            except SettingError as error:
                raise UsageError(f"{entry.origin}: {error.message}", error.hint) from None
            origins[key] = entry.origin
    try:
        return Settings(build(Config, values), origins)
    except SettingError as error:
        raise UsageError(f"{origins[error.key]}: {error.message}", error.hint) from None


def override(config: Config | None, values: Json) -> Config:
    """``config`` (None: all defaults) with typed ``values`` by dotted key put over it."""
    merged = flatten(config or Config()) | dict(values)
    entries = [Entry(key, value, "argument", text=False) for key, value in merged.items()]
    return resolve(flags=entries).config


def changed(config: Config) -> set[str]:
    """The dotted keys of ``config`` that have another value than by default."""
    base = flatten(Config())
    return {key for key, value in flatten(config).items() if value != base[key]}


def build(section: type, values: Json, prefix: str = "") -> Any:
    """The ``section`` of the given values by dotted key, defaults elsewhere. SettingError."""
    own = declared(section) if issubclass(section, Section) else {}
    given = {name: values[one.key] for name, one in own.items() if one.key in values}
    inner = {name: build(kind, values) for name, kind in subsections(section).items()}
    return section(**given, **inner)


def as_dict(config: Any) -> JsonDict:
    """``config``, or a section, as nested plain dictionaries, for JSON."""
    return asdict(config)


def flatten(config: Config) -> JsonDict:
    """``config`` as one dictionary by dotted key, in the order of ``keys``."""
    return {key: value_of(config, key) for key in keys()}


def value_of(config: Config, key: str) -> object:
    """The value of one setting."""
    value: object = config
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _today(entry: Entry) -> tuple[str, ...]:
    """The keys that an entry fills, with a warning for an old name; UsageError for no name."""
    if entry.key in keys():
        return (entry.key,)
    if entry.key in GONE:
        LOG.warning("%s: %s has no effect; remove it", entry.origin, entry.key)
        return ()
    if entry.key not in old_keys():
        raise UsageError(f"{entry.origin}: unknown key {entry.key!r}", nearest(entry.key, keys()))
    todays = old_keys()[entry.key]
    LOG.warning(
        "%s: %s is now called %s; the old name works until version %s",
        entry.origin, entry.key, " and ".join(todays), OLD_NAMES_END,
    )  # fmt: skip
    return todays


def _null(entry: Entry) -> object:
    """The entry's value; None for a text that says so."""
    return None if entry.text and str(entry.value).lower() in ("", "null") else entry.value


def _set_entry(assignment: str) -> Entry:
    key, equals, text = assignment.partition("=")
    if not equals:
        raise UsageError(f"--set {assignment}: expected key=value", "such as --set video.fps=5")
    return Entry(key.strip(), text.strip(), "--set")


def _environ_entries(environ: Mapping[str, str]) -> Iterator[Entry]:
    """Entries of the ``COSPAL_*`` variables; an unknown one is refused."""
    given = sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX))
    if not given:
        return
    names = {variable(key): key for key in (*GONE, *old_keys(), *keys())}
    names |= {variable(key, "__"): key for key in (*GONE, *old_keys(), *keys())}
    for name in given:
        if name in NO_SETTINGS:
            continue
        if name not in names:
            known = [variable(key) for key in keys()]
            raise UsageError(f"{name}: unknown setting in the environment", nearest(name, known))
        yield Entry(names[name], environ[name], name)


def variable(key: str, point: str = "_") -> str:
    """The environment variable of a setting."""
    return ENVIRONMENT_PREFIX + key.replace(".", point).upper()


def _file_entries(path: Path | None) -> Iterator[Entry]:
    if path is not None:
        from cospal_cli.settings.yaml_file import entries

        yield from (Entry(*one) for one in entries(path))
