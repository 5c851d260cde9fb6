"""A YAML file of settings: sections of plain values and lists, nothing else that YAML can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cospal_cli.core.errors import UsageError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.reading import read_text
from cospal_cli.settings.names import keys, nearest, sections

MAX_FILE_BYTES = 1_000_000
MAX_DEPTH = 20
ONE_VALUE = "write one value behind the colon"
Parsed = tuple[str, object, str, bool]  # the fields of ``merge.Entry``


def entries(path: Path) -> Iterator[Parsed]:
    """(key, value, "file:line", is text to convert) of every value in the file, in its order.

    UsageError names the line at fault; the key may still be unknown.
    """
    hint = "--config takes a YAML file of settings, in UTF-8"
    text = read_text(path, UsageError, hint, MAX_FILE_BYTES)
    with errors_as(UsageError, str(path), hint):
        try:
            _refuse_tricks(path, text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _yaml_error(path, error) from None
    outer = [name for name in sections() if "." not in name]
    for name, node, where in _pairs(root, path, "the file"):
        if name not in sections():
            raise UsageError(f"{where}: unknown section {name!r}", nearest(name, outer))
        yield from _section(node, path, name)


def _section(node: object, path: Path, name: str) -> Iterator[Parsed]:
    """The values of one section and those within it."""
    for leaf, value, where in _pairs(node, path, name):
        key = f"{name}.{leaf}"
        if key in sections():
            yield from _section(value, path, key)
        elif isinstance(value, yaml.MappingNode):
            raise UsageError(f"{where}: {key}: expected one value, found a mapping", ONE_VALUE)
        elif isinstance(value, yaml.SequenceNode):
            yield key, _listed(value, key, where), where, True
        else:
            yield key, *_scalar(value, where)


def _listed(node: Any, key: str, where: str) -> list[str]:
    """The texts of a list of plain values."""
    if key in keys() and not keys()[key].many:
        raise UsageError(f"{where}: {key}: expected one value, found a list", ONE_VALUE)
    for one in node.value:
        if not isinstance(one, yaml.ScalarNode):
            raise UsageError(f"{where}: {key}: expected a list of plain values", "such as [4, 7]")
    return [one.value for one in node.value]


def _scalar(node: Any, where: str) -> tuple[object, str, bool]:
    """(value, origin, is text to convert) of a YAML scalar; quotes make it text for good."""
    if node.style in ("'", '"', "|", ">"):
        return node.value, where, False
    return (None, where, False) if node.tag.endswith(":null") else (node.value, where, True)


def _pairs(node: Any, path: Path, what: str) -> Iterator[tuple[str, object, str]]:
    """(key, value node, "file:line") of a mapping node; duplicates and other nodes are refused."""
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        return
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(
            f"{path}:{_line(node.start_mark)}: {what} must be a mapping of settings",
            "write for instance 'video:' and, indented below it, 'fps: 5'",
        )
    seen: dict[str, int] = {}
    for key_node, value in node.value:
        line = _line(key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            raise UsageError(f"{path}:{line}: a name must be text", "such as 'video:'")
        key = str(key_node.value)
        if key in seen:
            raise UsageError(
                f"{path}:{line}: duplicate key {key!r}",
                f"it is already set on line {seen[key]}; keep one of the two",
            )
        seen[key] = line
        yield key, value, f"{path}:{line}"


def _refuse_tricks(path: Path, text: str) -> None:
    """UsageError on tags, aliases and deep nesting, before anything is built from them."""
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
            raise UsageError(
                f"{where}: nested more than {MAX_DEPTH} levels deep",
                "write sections of settings only",
            )


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
