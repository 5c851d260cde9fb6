"""Settings as text: a YAML file that can be given back, and explanations for a person."""

from __future__ import annotations

import json
import re
from typing import Any

from cospal_cli.core.errors import UsageError
from cospal_cli.settings.declare import Declared, declared
from cospal_cli.settings.merge import Settings, value_of, variable
from cospal_cli.settings.names import keys, nearest, old_keys, sections

_COMMENT = 36  # column of the origins
_PLAIN = re.compile("[a-z][a-z0-9-]*")  # texts that need no quotes in YAML
_WORDS = {"null", "true", "false", "yes", "no", "on", "off"}  # but for these


def as_yaml(settings: Settings) -> str:
    """Every value, its origin as a comment; ``--config`` reads the same values from it."""
    lines = []
    for name, section in sections().items():
        depth = name.count(".")
        lines.append(f"{'  ' * depth}{name.rpartition('.')[2]}:")
        for field, one in declared(section).items():
            value = f"{'  ' * (depth + 1)}{field}: {written(value_of(settings.config, one.key))}"
            origin = escaped(settings.origins[one.key])
            lines.append(f"{value:<{_COMMENT}} # {origin}")
    return "\n".join(lines)


def explained(settings: Settings, name: str = "") -> str:
    """What a setting, a section or ("") all settings mean, allow and are.

    UsageError for a name that is neither; a former name is explained as today's.
    """
    names = [key for key in keys() if not name or key == name or key.startswith(f"{name}.")]
    names = names or list(old_keys().get(name, ()))
    if not names:
        known = [*keys(), *sections()]
        raise UsageError(f"unknown setting {name!r}", nearest(name, known))
    return "\n".join(_explained(keys()[key], settings) for key in names)


def allowed(one: Declared) -> str:
    """What values a setting takes, in a few words: "a number from 0 to 1"."""
    if one.choices:
        return f"one of {', '.join(one.choices)}"
    zero = f", or {one.setting.zero}" if one.setting.zero else ""
    return f"{one.expected} {one.limits}".strip() + zero


def shown(one: Declared, value: Any) -> str:
    """A value for a person: without quotes, lists with commas; null with what it stands for."""
    if value is None:
        return one.setting.unset or "none"
    if one.many:
        return ",".join(map(str, value))
    if one.setting.zero and value == 0:
        return one.setting.zero
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def written(value: object) -> str:
    """A value as YAML on one line of printable characters."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _WORDS:
        return value
    return escaped(json.dumps(value, ensure_ascii=False))


def escaped(text: str) -> str:
    """``text`` with what is not printable as escapes, which YAML reads within quotes."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def _explained(one: Declared, settings: Settings) -> str:
    value = shown(one, value_of(settings.config, one.key))
    flag = f", flag {one.setting.flag}" if one.setting.flag else ""
    return "\n".join(
        [
            f"{one.key} = {escaped(value)}  ({escaped(settings.origins[one.key])})",
            f"    {one.setting.meaning}",
            f"    {allowed(one)}; default {shown(one, one.default)}",
            f"    {variable(one.key)}{flag}",
        ]
    )
