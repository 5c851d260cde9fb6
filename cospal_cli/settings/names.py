"""Which settings there are, what they were called before, and which one a wrong name means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from cospal_cli.core.errors import UsageError
from cospal_cli.settings.config import Config
from cospal_cli.settings.declare import Declared, Section, walk

OLD_NAMES_END = "0.3"  # the version that no longer reads old names
GONE = {"detector.text_threshold"}  # settings that never had an effect; ignored until then


@cache
def keys() -> Mapping[str, Declared]:
    """Every setting by its dotted key, in the order of ``Config``."""
    return MappingProxyType({one.key: one for _, own in walk(Config) for one in own.values()})


@cache
def sections() -> Mapping[str, type[Section]]:
    """Every section by its dotted key, each before those within it."""
    return MappingProxyType({section.KEY: section for section, _ in walk(Config)})


@cache
def old_keys() -> Mapping[str, tuple[str, ...]]:
    """Every former key with the settings that took its place."""
    former: dict[str, tuple[str, ...]] = {}
    for key, one in keys().items():
        for old in one.setting.formerly:
            former[old] = (*former.get(old, ()), key)
    return MappingProxyType(former)


def current(names: Iterable[str]) -> set[str]:
    """The keys that these keys, today's or former, have today."""
    return {key for name in names for key in old_keys().get(name, (name,))}


def argument(name: str) -> str:
    """The dotted key that a Python argument such as ``video__fps`` stands for; UsageError with the
    argument that was probably meant."""
    key = name.replace("__", ".")
    if key in keys() or key in old_keys() or key in GONE:
        return key
    same = [one.replace(".", "__") for one in keys() if one.rpartition(".")[2] == name]
    spelled = [one.replace(".", "__") for one in keys()]
    raise UsageError(
        f"unknown argument {name!r}",
        f"did you mean {' or '.join(same)}?" if same else nearest(name, spelled),
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name most like ``name``, or all of them."""
    from difflib import get_close_matches

    names = list(known)
    last = name.rpartition(".")[2]  # "fps", or "detector.fps", for "video.fps"
    same = [one for one in names if one.rpartition(".")[2] == last][:3]
    if near := same or get_close_matches(name, names, 1):
        return "did you mean " + " or ".join(map(repr, near)) + "?"
    return (
        f"known: {', '.join(names)}" if len(names) < 12 else "'cospal config show' lists them all"
    )
