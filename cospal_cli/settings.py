"""Merges all sources of settings into one ``Config``, and remembers where each value came from.

Order, later wins: defaults < YAML file < ``COSPAL_*`` environment < ``--set a.b=c`` < flags.
Every source becomes a stream of ``Entry``; one place checks keys and converts values.
Environment names are ``COSPAL_SECTION_KEY``, or ``COSPAL_SECTION__KEY``, in upper case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from itertools import chain
from math import isfinite
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from cospal_cli.config import Config, SettingError
from cospal_cli.core.errors import UsageError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.reading import read_text

ENVIRONMENT_PREFIX = "COSPAL_"
NO_SETTINGS = {"COSPAL_MODELS", "COSPAL_OFFLINE"}  # where models are kept: see ``weights.models``
MAX_FILE_BYTES = 1_000_000
MAX_DEPTH = 20
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True}
_TRUTHS |= {"false": False, "no": False, "off": False, "0": False}
_NAMES = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}


class Entry(NamedTuple):
    """One value from one source. ``value``: text to convert, or an already typed object."""

    key: str  # "detector.threshold"
    value: Any
    origin: str  # "settings.yaml:3", "COSPAL_DETECTOR_THRESHOLD", "--set", "--fps"
    text: bool = True  # False: ``value`` must have the setting's type already


@dataclass(frozen=True)
class Settings:
    """The merged ``config`` and, for every key, the ``origins`` text of its source."""

    config: Config
    origins: Mapping[str, str]


def resolve(
    config_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    sets: Iterable[str] = (),
    flags: Iterable[Entry] = (),
) -> Settings:
    """Merge all sources; UsageError names the source, the key and the nearest known name."""
    known = keys()
    values: dict[str, Any] = {}
    origins = dict.fromkeys(known, "default")
    from_file = _file_entries(config_file, known) if config_file else iter(())
    from_environ = _environ_entries(environ or {}, known)
    for entry in chain(from_file, from_environ, map(_set_entry, sets), flags):
        if entry.key not in known:
            raise UsageError(
                f"{entry.origin}: unknown key {entry.key!r}", nearest(entry.key, known)
            )
        values[entry.key] = _convert(entry, known[entry.key])
        origins[entry.key] = entry.origin
    return Settings(_build(values, origins), origins)


def override(config: Config | None, values: Mapping[str, Any]) -> Config:
    """``config`` (None: all defaults) with typed ``values`` by dotted key put over it."""
    merged = flatten(config or Config()) | dict(values)
    entries = [Entry(key, value, "argument", text=False) for key, value in merged.items()]
    return resolve(flags=entries).config


def changed(config: Config) -> set[str]:
    """The dotted keys of ``config`` that have another value than by default."""
    base = flatten(Config())
    return {key for key, value in flatten(config).items() if value != base[key]}


def keys() -> dict[str, tuple[type, ...]]:
    """Every dotted key with the types its value may have, in the order of ``Config``."""
    found: dict[str, tuple[type, ...]] = {}
    for section, kind in get_type_hints(Config).items():
        for name, hint in get_type_hints(kind).items():
            found[f"{section}.{name}"] = get_args(hint) or (hint,)
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name most like ``name``, or all of them."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return (
        f"known: {', '.join(names)}" if len(names) < 12 else "'cospal config show' lists them all"
    )


def argument(name: str) -> str:
    """The dotted key that a Python argument such as ``video__fps`` stands for; UsageError with the
    argument that was probably meant."""
    known = keys()
    key = name.replace("__", ".")
    if key in known:
        return key
    same = [one.replace(".", "__") for one in known if one.split(".")[1] == name]
    spelled = [one.replace(".", "__") for one in known]
    raise UsageError(
        f"unknown argument {name!r}",
        f"did you mean {' or '.join(same)}?" if same else nearest(name, spelled),
    )


def as_dict(config: Config) -> dict[str, Any]:
    """``config`` as nested plain dictionaries, for JSON."""
    return asdict(config)


def flatten(config: Config) -> dict[str, Any]:
    """``config`` as one dictionary by dotted key."""
    nested = as_dict(config)
    return {f"{part}.{name}": value for part in nested for name, value in nested[part].items()}


def _build(values: Mapping[str, Any], origins: Mapping[str, str]) -> Config:
    """The Config of the given dotted values; a bad one is reported with its source."""
    types = get_type_hints(Config)
    sections = {}
    for part in fields(Config):
        prefix = f"{part.name}."
        given = {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}
        try:
            sections[part.name] = types[part.name](**given)
        except SettingError as error:
            raise UsageError(f"{origins[error.key]}: {error.message}", error.hint) from None
    return Config(**sections)


def _convert(entry: Entry, kinds: tuple[type, ...]) -> Any:
    """The entry's value in the setting's type; UsageError says what was expected and found."""
    kind = kinds[0]
    found = entry.value
    try:
        if NoneType in kinds and (found is None or (entry.text and found.lower() in ("", "null"))):
            return None
        value = _parse(found, kind) if entry.text else _match(found, kind)
    except (ValueError, TypeError, AttributeError, OverflowError):
        shown = "nothing" if found is None else repr(found)
        raise UsageError(
            f"{entry.origin}: {entry.key}: expected {_NAMES[kind]}, found {shown}",
            "write decimals with a point" if kind is float and "," in str(found) else "",
        ) from None
    return value


def _parse(text: str, kind: type) -> Any:
    """``text`` read as ``kind``; ValueError where it does not fit."""
    if kind is bool:
        if text.lower() not in _TRUTHS:
            raise ValueError(text)
        return _TRUTHS[text.lower()]
    value = kind(text)
    if kind is float and not isfinite(value):
        raise ValueError(text)
    return value


def _match(value: Any, kind: type) -> Any:
    """A typed ``value`` as ``kind``: whole numbers serve as numbers, paths as text."""
    if kind is str:
        return str(value) if isinstance(value, str | Path) else _refuse(value)
    if isinstance(value, bool) != (kind is bool):
        _refuse(value)
    if kind is float and isinstance(value, int | float) and isfinite(value):
        return float(value)
    return value if isinstance(value, kind) else _refuse(value)


def _refuse(value: Any) -> Any:
    raise TypeError(value)


def _set_entry(assignment: str) -> Entry:
    key, equals, text = assignment.partition("=")
    if not equals:
        raise UsageError(f"--set {assignment}: expected key=value", "such as --set video.fps=5")
    return Entry(key.strip(), text.strip(), "--set")


def _environ_entries(environ: Mapping[str, str], known: Iterable[str]) -> Iterator[Entry]:
    """Entries of the ``COSPAL_*`` variables; an unknown one is refused."""
    names = {}
    for key in known:
        names[ENVIRONMENT_PREFIX + key.replace(".", "_").upper()] = key
        names[ENVIRONMENT_PREFIX + key.replace(".", "__").upper()] = key
    for name in sorted(environ):
        if not name.startswith(ENVIRONMENT_PREFIX) or name in NO_SETTINGS:
            continue
        if name not in names:
            single = [n for n in names if "__" not in n]
            raise UsageError(f"{name}: unknown setting in the environment", nearest(name, single))
        yield Entry(names[name], environ[name], name)


def _file_entries(path: Path, known: Iterable[str]) -> Iterator[Entry]:
    """Entries of a YAML file: sections of plain values, nothing else that YAML can do."""
    import yaml

    hint = "--config takes a YAML file of settings, in UTF-8"
    text = read_text(path, UsageError, hint, MAX_FILE_BYTES)
    with errors_as(UsageError, str(path), hint):
        try:
            _refuse_tricks(path, text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _yaml_error(path, error) from None
    sections = sorted({key.split(".")[0] for key in known})
    for name, node, where in _pairs(root, path, "the file"):
        if name not in sections:
            raise UsageError(f"{where}: unknown section {name!r}", nearest(name, sections))
        for leaf, value, spot in _pairs(node, path, name):
            if not isinstance(value, yaml.ScalarNode):
                kind = "a list" if isinstance(value, yaml.SequenceNode) else "a mapping"
                raise UsageError(f"{spot}: {name}.{leaf}: expected one value, found {kind}")
            yield Entry(f"{name}.{leaf}", *_scalar(value, spot))


def _scalar(node: Any, where: str) -> tuple[Any, str, bool]:
    """(value, origin, is text to convert) of a YAML scalar; quotes make it text for good."""
    if node.style in ("'", '"', "|", ">"):
        return node.value, where, False
    return (None, where, False) if node.tag.endswith(":null") else (node.value, where, True)


def _pairs(node: Any, path: Path, what: str) -> Iterator[tuple[str, Any, str]]:
    """(key, value node, "file:line") of a mapping node; duplicates and other nodes are refused."""
    import yaml

    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        return
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(
            f"{path}:{_line(node.start_mark)}: {what} must be a mapping of settings",
            "write for instance 'video:' and, indented below it, 'fps: 5'",
        )
    seen: dict[str, int] = {}
    for key_node, value in node.value:
        key, line = str(key_node.value), _line(key_node.start_mark)
        if key in seen:
            raise UsageError(
                f"{path}:{line}: duplicate key {key!r}",
                f"it is already set on line {seen[key]}; keep one of the two",
            )
        seen[key] = line
        yield key, value, f"{path}:{line}"


def _refuse_tricks(path: Path, text: str) -> None:
    """UsageError on tags, aliases and deep nesting, before anything is built from them."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        where = f"{path}:{_line(event.start_mark)}"
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            raise UsageError(f"{where}: YAML aliases are not allowed", "write the value out")
        if tag is not None:
            raise UsageError(f"{where}: YAML tags are not allowed, found {tag!r}", "remove it")
        if depth > MAX_DEPTH:
            raise UsageError(f"{where}: nested more than {MAX_DEPTH} levels deep")


def _yaml_error(path: Path, error: Any) -> UsageError:
    """A person's version of a YAML syntax error."""
    line = _line(error.problem_mark)
    problem = str(error.problem)
    if "\\t" in problem:
        return UsageError(f"{path}:{line}: a tab cannot indent YAML", "indent with spaces")
    return UsageError(f"{path}:{line}: not valid YAML: {problem}", "check the line above it too")


def _line(mark: Any) -> int:
    """A YAML mark's line, counted from 1."""
    return int(mark.line) + 1
