"""Geometry of what a page draws in SVG: time lines, bars, curves. Places are percentages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, log10

_TICKS = 5  # at most; more would touch on a telephone
_ROWS = 8  # of other candidates on a time line
HEIGHT = 40.0  # of a curve, in its own units


@dataclass(frozen=True)
class DrawnSpan:
    """A bar on a time line."""

    name: str
    kind: str  # "best", "other", "proposal" or "truth": its colour
    start: float  # per cent
    width: float

    @property
    def outside(self) -> bool:
        """Whether its name fits to the right of it."""
        return self.start + self.width < 70


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    at: float  # per cent
    text: str
    anchor: str  # start, middle or end


@dataclass(frozen=True)
class TimeLine:
    """When things happen in a video."""

    spans: tuple[DrawnSpan, ...]
    ticks: tuple[Tick, ...]
    spoken: str  # for a reader of screens


@dataclass(frozen=True)
class Bar:
    """A term of ``why``: its value, and that of the next candidate, from -50 to 50 per cent."""

    name: str
    value: float
    other: float | None
    start: float  # per cent of the whole width; zero is at 50
    width: float


@dataclass(frozen=True)
class DrawnCurve:
    """A sub-phrase's log odds over time, as polylines in 100 x ``HEIGHT``."""

    text: str
    lines: tuple[str, ...]
    zero: float
    spoken: str


def time_line(
    length_s: float,
    spans: Sequence[tuple[str, float, float]],
    proposals: Sequence[tuple[str, float, float]] = (),
    kinds: Sequence[str] = ("best",),
) -> TimeLine:
    """A line of ``length_s`` seconds. ``spans``: (name, start, end in seconds), best first.

    ``kinds``: of the first spans; the others are "other". What lies outside is cut.
    """
    length_s = max([length_s, 1e-3, *(end for _, _, end in spans)])
    kinds = [*kinds, *["other"] * len(spans)]
    drawn = [_span(length_s, *row, kind) for row, kind in zip(spans[:_ROWS], kinds, strict=False)]
    drawn += [_span(length_s, *row, "proposal") for row in proposals]
    told = "; ".join(f"{name}, {seconds(start)} to {seconds(end)}" for name, start, end in spans)
    return TimeLine(
        tuple(drawn), ticks(length_s), f"{told or 'no match'}; the video lasts {seconds(length_s)}"
    )


def _span(length_s: float, name: str, start_s: float, end_s: float, kind: str) -> DrawnSpan:
    start = percent(start_s, length_s)
    return DrawnSpan(name, kind, start, max(0.4, round(percent(end_s, length_s) - start, 2)))


def ticks(length_s: float) -> tuple[Tick, ...]:
    """Round times from 0 to ``length_s``, at most ``_TICKS`` of them, and the end."""
    step = _step(length_s / (_TICKS - 1))
    marks = [number * step for number in range(_TICKS) if number * step < length_s * 0.88]
    found = [
        Tick(percent(at, length_s), seconds(at, step), "middle" if at else "start") for at in marks
    ]
    return (*found, Tick(100, seconds(length_s), "end"))


def percent(value: float, whole: float) -> float:
    """``value`` as a percentage of ``whole``, from 0 to 100."""
    return round(100 * min(1.0, max(0.0, value / whole)), 2)


def seconds(value: float, step: float = 0.01) -> str:
    """A time for people: "3.04 s", "1:03.5", "2:00:07"; to the last digit that ``step`` needs."""
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    hours, rest = divmod(round(value, digits), 3600)
    minutes, rest = divmod(rest, 60)
    if not hours and not minutes:
        return f"{rest:.{digits}f} s"
    width = digits + 3 if digits else 2
    text = f"{int(minutes):02d}" if hours else f"{int(minutes)}"
    return (f"{int(hours)}:" if hours else "") + f"{text}:{rest:0{width}.{digits}f}"


def bars(rows: Iterable[Sequence[object]]) -> tuple[Bar, ...]:
    """Terms (name, value, the next candidate's value if there is one), weightiest first."""
    read = [(str(name), _value(value), other[0] if other else None) for name, value, *other in rows]
    most = max((abs(value) for _, value, _ in read), default=0) or 1
    return tuple(
        Bar(
            name,
            value,
            None if other is None else _value(other),
            round(50 + min(0.0, 50 * value / most), 2),
            round(50 * abs(value) / most, 2),
        )
        for name, value, other in sorted(read, key=lambda row: -abs(row[1]))
    )


def curve(
    text: str, times: Sequence[float], values: Sequence[float | None], length_s: float
) -> DrawnCurve:
    """A curve broken where there is no value; ValueError where the two lengths differ."""
    points = list(zip(times, values, strict=True))
    known = [(time, value) for time, value in points if value is not None]
    if not known:
        return DrawnCurve(text, (), HEIGHT / 2, "not seen")
    low = min(0.0, *(value for _, value in known))
    high = max(0.0, *(value for _, value in known))
    high = high if high > low else low + 1

    def height(value: float) -> float:
        return round(1 + (HEIGHT - 2) * (high - value) / (high - low), 2)

    parts = [
        " ".join(
            f"{percent(time, max(length_s, 1e-3))},{height(value or 0)}" for time, value in run
        )
        for there, run in groupby(points, lambda point: point[1] is not None)
        if there
    ]
    peak, value = max(known, key=lambda point: point[1])
    lines = tuple(f"{part} {part}" if " " not in part else part for part in parts)
    return DrawnCurve(
        text, lines, height(0), f"likeliest at {seconds(peak)}, log odds {value:+.1f}"
    )


def _step(least: float) -> float:
    """The first round number from ``least`` on: 1, 2 or 5 times a power of ten, or of minutes."""
    if least > 30:
        sizes = (60, 120, 300, 600, 1200, 1800, 3600, 7200)
        return float(next((size for size in sizes if size >= least), 3600 * ceil(least / 3600)))
    power = 10.0 ** int(log10(max(least, 1e-6)) // 1)
    return next(power * times for times in (1, 2, 5, 10) if power * times >= least * (1 - 1e-9))


def _value(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
