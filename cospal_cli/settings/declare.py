"""What one setting is: its meaning, its limits and its names, declared beside its default.

A section is a frozen dataclass whose fields are annotated with a ``Setting``:

    fps: Annotated[float, Setting("Frames analysed per second of video.", above=0)] = 10.0

Checks, flags, ``cospal config show`` and ``docs/settings.md`` all read this one declaration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from math import inf, isfinite
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

from cospal_cli.core.errors import UsageError
from cospal_cli.core.foreign import short
from cospal_cli.core.json_types import Json

_TRUTHS = {"true": True, "yes": True, "on": True, "1": True}
_TRUTHS |= {"false": False, "no": False, "off": False, "0": False}
_KINDS = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}


class SettingError(UsageError):
    """A value that cannot be used; ``key`` is the setting's dotted name."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(f"{key}: {message}", hint)
        self.key = key


@dataclass(frozen=True)
class Setting:
    """The declaration of one setting."""

    meaning: str  # a sentence that says what the value does, with its unit
    least: float = -inf  # closed limits
    most: float = inf
    above: float = -inf  # open limits
    below: float = inf
    choices: Collection[str] = ()  # words, or a table of back ends by name
    also: tuple[str, ...] = ()  # words besides those of a table
    zero: str = ""  # a word that may be written for 0
    unset: str = ""  # what null stands for, where the value may be left open
    flag: str = ""  # the flag that fills it: "--fps"; "--no-..." makes it false
    former_flags: tuple[str, ...] = ()  # names that the flag had
    formerly: tuple[str, ...] = ()  # dotted keys that the setting had
    group: str = ""  # the group of its flag in --help, where it is not its section's


@dataclass(frozen=True)
class Declared:
    """A ``Setting`` where it stands: with its key, type and default."""

    key: str  # "detector.nanodet.tiles"
    kind: type  # float, int, bool or str
    many: bool  # a list of ``kind``
    optional: bool  # may be null
    default: object
    setting: Setting
    group: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that the value may be; () where any will do."""
        return (*self.setting.also, *self.setting.choices)

    @property
    def expected(self) -> str:
        """The type in words: "a whole number"."""
        if self.many:
            return _KINDS[self.kind].removeprefix("a ") + "s, such as 1,2,3"
        return _KINDS[self.kind]

    @property
    def limits(self) -> str:
        """The numbers allowed, in words: "from 0 to 1"; "" where any will do."""
        one = self.setting
        if isfinite(one.least) and isfinite(one.most):
            return f"from {_short(one.least)} to {_short(one.most)}"
        low = f"at least {_short(one.least)}" if isfinite(one.least) else ""
        low = low or (f"above {_short(one.above)}" if isfinite(one.above) else "")
        high = f"at most {_short(one.most)}" if isfinite(one.most) else ""
        high = high or (f"below {_short(one.below)}" if isfinite(one.below) else "")
        return " and ".join(word for word in (low, high) if word)

    def parse(self, text: Any) -> object:
        """``text``, or a list of texts, as the setting's value; ValueError if it does not fit."""
        if self.optional and isinstance(text, str) and text.lower() in ("", "null"):
            return None
        if self.many:
            words = text.split(",") if isinstance(text, str) else text
            return tuple(_parse(word.strip(), self.kind) for word in words if word.strip())
        if self.setting.zero and text == self.setting.zero:
            return 0
        return _parse(text, self.kind)

    def match(self, value: Any) -> object:
        """A typed ``value`` as the setting's: whole numbers serve as numbers, paths as text.

        ValueError or TypeError where it is of another type.
        """
        if value is None and self.optional:
            return None
        if self.many:
            if isinstance(value, str):  # how lists were kept before they were lists
                return self.parse(value)
            return tuple(_match(one, self.kind) for one in value)
        if self.setting.zero and value == self.setting.zero:
            return 0
        return _match(value, self.kind)

    def left_open(self, value: object) -> bool:
        """Whether ``value`` is a null of a time when the setting could be left open."""
        return value is None and not self.optional and bool(self.setting.formerly)

    def converted(self, value: object, text: bool) -> object:
        """``value`` by ``parse`` or ``match``; SettingError says what was expected and found."""
        try:
            return self.parse(value) if text else self.match(value)
        except (ValueError, TypeError, AttributeError, OverflowError):
            given = "nothing" if value is None else short(value)
            hint = "write decimals with a point" if self.kind is float and "," in given else ""
            raise SettingError(self.key, f"expected {self.expected}, found {given}", hint) from None

    def check(self, value: Any) -> None:
        """SettingError unless ``value``, of the right type, is within the declared limits."""
        for one in value if self.many else (value,):
            if one is None:
                continue
            if self.choices and one not in self.choices:
                known = f"known: {', '.join(self.choices)}"
                near = get_close_matches(one, self.choices, 1)
                hint = f"did you mean {near[0]!r}? {known}" if near else known
                raise SettingError(self.key, f"unknown value {one!r}", hint)
            if self.kind in (int, float) and not self._within(one):
                hint = f"'cospal config show --explain {self.key}' says what it does"
                raise SettingError(self.key, f"must be {self.limits}, found {one}", hint)

    def _within(self, value: float) -> bool:
        one = self.setting
        return one.least <= value <= one.most and one.above < value < one.below


_DECLARED: dict[type, Mapping[str, Declared]] = {}
_HINTS: dict[type, Json] = {}


class Section:
    """Base of all sections: every declared setting is checked where a section is made."""

    KEY: ClassVar[str] = ""  # dotted name
    GROUP: ClassVar[str] = ""  # of its flags in --help

    def __init_subclass__(cls, key: str = "", group: str = "") -> None:
        cls.KEY, cls.GROUP = key, group

    def __post_init__(self) -> None:
        for name, one in declared(type(self)).items():
            value = one.converted(getattr(self, name), text=False)
            object.__setattr__(self, name, value)
            one.check(value)
        self.check()

    def check(self) -> None:
        """Raise SettingError where settings contradict each other."""


def declared(section: type[Section]) -> Mapping[str, Declared]:
    """The section's own settings by field name."""
    if section not in _DECLARED:
        _DECLARED[section] = dict(_declared(section))
    return _DECLARED[section]


def _declared(section: type[Section]) -> Iterator[tuple[str, Declared]]:
    hints = _hints(section)
    for one in fields(section):  # type: ignore[arg-type]
        if get_origin(hints[one.name]) is Annotated:
            kind, setting = get_args(hints[one.name])
            parts = get_args(kind) if get_origin(kind) is UnionType else (kind,)
            many = get_origin(parts[0]) is tuple
            kind = get_args(parts[0])[0] if many else parts[0]
            default = None if one.default is MISSING else one.default
            key, group = f"{section.KEY}.{one.name}", setting.group or section.GROUP
            optional = NoneType in parts
            yield one.name, Declared(key, kind, many, optional, default, setting, group)


def subsections(section: type) -> Mapping[str, type[Section]]:
    """The sections within ``section`` by field name."""
    hints = _hints(section)
    return {one.name: hints[one.name] for one in fields(section) if _is_section(hints[one.name])}


def walk(section: type) -> Iterator[tuple[type[Section], Mapping[str, Declared]]]:
    """Every section below ``section``, outer ones first, with its own settings."""
    for inner in subsections(section).values():
        yield inner, declared(inner)
        yield from walk(inner)


def _hints(section: type) -> Json:
    if section not in _HINTS:
        _HINTS[section] = get_type_hints(section, include_extras=True)
    return _HINTS[section]


def _is_section(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Section)


def _parse(text: str, kind: type) -> object:
    """``text`` read as ``kind``; ValueError where it does not fit."""
    if kind is bool:
        if text.lower() not in _TRUTHS:
            raise ValueError(text)
        return _TRUTHS[text.lower()]
    value = kind(text)
    if kind is float and not isfinite(value):
        raise ValueError(text)
    return value


def _match(value: object, kind: type) -> object:
    if kind is str and isinstance(value, str | Path):
        return str(value)
    if kind is bool and isinstance(value, bool):
        return value
    if isinstance(value, bool):
        raise TypeError(value)
    if kind is float and isinstance(value, Real) and isfinite(value):
        return float(value)
    if kind is int and isinstance(value, Integral):
        return int(value)
    raise TypeError(value)


def _short(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
