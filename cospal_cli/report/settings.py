"""The settings that answers were made with, each different set of them once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from cospal_cli.core.json_types import JsonDict
from cospal_cli.settings import Config
from cospal_cli.settings import flatten as flattened


@dataclass(frozen=True)
class SettingsTable:
    """All settings of some answers: (key, value, whether it differs from the default)."""

    number: int
    rows: tuple[tuple[str, str, bool], ...]

    @property
    def changed(self) -> tuple[tuple[str, str, bool], ...]:
        """Those that differ."""
        return tuple(row for row in self.rows if row[2])


def settings_tables(configs: Iterable[str]) -> tuple[list[SettingsTable], dict[str, int]]:
    """A table for each different configuration (JSON), and the table's number by configuration."""
    numbers: dict[str, int] = {}
    for config in configs:
        numbers.setdefault(config, len(numbers) + 1)
    return [_table(config, number) for config, number in numbers.items()], numbers


def _table(config: str, number: int) -> SettingsTable:
    defaults = {key: _shown(value) for key, value in flattened(Config()).items()}
    unset = _shown(None)  # the back end's own value, which is filled in
    rows = _flat(json.loads(config))
    return SettingsTable(
        number,
        tuple(
            (key, text, defaults.get(key, text) not in (text, unset))
            for key, value in rows.items()
            for text in [_shown(value)]
        ),
    )


def _flat(value: object, before: str = "") -> JsonDict:
    """Nested objects as one by dotted key."""
    if not isinstance(value, dict):
        return {before.removesuffix("."): value}
    return {
        key: one
        for name, inner in value.items()
        for key, one in _flat(inner, f"{before}{name}.").items()
    }


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
