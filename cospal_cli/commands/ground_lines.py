"""What ``cospal ground`` prints to stderr: what it would do, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cospal_cli.commands import console

if TYPE_CHECKING:
    from pathlib import Path

    from cospal_cli.commands.output_paths import OutputPaths
    from cospal_cli.core.query import Query
    from cospal_cli.core.tube import Tube
    from cospal_cli.result import Result


def show_plan(video: Path, queries: Sequence[Query], outputs: Sequence[OutputPaths]) -> None:
    """What a run would read, understand and write."""
    console.say(f"video: {console.printable(str(video))}")
    for query, paths in zip(queries, outputs, strict=True):
        console.say(f"query: {console.printable(query.text)}")
        console.say(f"  subject: {query.subject}, referred to as: {query.referral}")
        for name in ("verbs", "positions", "unresolved"):
            if words := getattr(query, name):
                console.say(f"  {name}: {', '.join(words)}")
        if words := query.excluded.words():
            console.say(f"  counts against: {', '.join(words)}")
        for path in paths.files:
            console.say(f"  would write {console.printable(str(path))}")


def summarise(result: Result, paths: OutputPaths) -> None:
    """The result as lines of text."""
    console.say(f"query: {console.printable(result.query.text)}")
    if not result.tubes:
        console.say(f"  no match{_closest(result.closest)}")
    for rank, tube in enumerate(result.tubes, 1):
        start, end = tube.span_s
        scores = f"score {tube.score:.2f}, match {tube.match:.2f}"
        console.say(f"  {rank}. {tube.label}, {start:.2f} to {end:.2f} s, {scores}")
        reasons = sorted(tube.why.items(), key=lambda term: -abs(term[1]))
        why = ", ".join(f"{name} {value:+.2f}" for name, value in reasons if abs(value) >= 0.005)
        if why:
            console.say(f"     why: {why}")
    if result.unresolved:
        why = "not met in training" if result.heads else "not used, no evidence for"
        console.say(f"  {why}: {', '.join(result.unresolved)}")
    for path in paths.files:
        console.say(f"  wrote {console.printable(str(path))}")


def _closest(tube: Tube | None) -> str:
    """What came nearest, for "no match"."""
    if tube is None:
        return ": nothing like it was found"
    start, end = tube.span_s
    return f"; the closest is a {tube.detected}, {start:.2f} to {end:.2f} s, match {tube.match:.2f}"
