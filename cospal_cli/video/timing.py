"""Which time a frame, or a packet of sound, gets: the one place that decides, for both.

Stamps are used as they stand wherever they can be. Where they cannot, a rule decides; the output
(``video.timeline``) and the warnings say which, how often, and where first.

    what the stamps do                            rule       the time that is used
    -----------------------------------------------------------------------------------------------
    rise, at any pace (variable rate included)    -          their own
    begin late, or before zero                    -          their own; seconds count from the first
    are permuted within 16 frames: the order of   permuted   the next of them in order
      decoding where that of showing belongs
    start again from an earlier value and go on   joined     carried on, one step behind the frame
      from there: joined recordings                          before
    overflow (33 bits in MPEG-TS and MPEG-PS)     wrapped    counted on
    jump ahead by more than 10 s and 10 steps,    gap        their own: the gap is kept
      and go on from there
    lie beyond 2**53, all of them                 huge       counted from the first, which is 0
    are missing, or one lies beyond 2**53         missing    estimated
    repeat the one before                         duplicate  estimated
    fall back once                                backward   estimated
    jump ahead once, and the next is back         ahead      estimated

An estimated frame stands one step at the nominal rate behind the one before it, or halfway to the
next usable stamp where that is nearer. Times rise strictly.

Sound goes by the same table with two differences: a joined recording's sound is moved by as much
as its pictures are, and a packet that would be estimated, but for a missing stamp, is left out.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeVar

from cospal_cli.core.frames import TimeRule

ESTIMATES = ("missing", "duplicate", "backward", "ahead")
REACH = 16  # frames that a codec may decode before one that is shown earlier
_GAP_S, _GAP_STEPS = 10, 10
_HUGE = 2**53  # beyond, not every reader of JSON has the number exactly
_WRAP = 2**33

Item = TypeVar("Item")


class Tally:
    """How often each rule was applied, and where first."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, float]] = {}

    def add(self, rule: str, time_s: float) -> None:
        """Count ``rule`` at ``time_s``, seconds from the first frame."""
        count, first_s = self._found.get(rule, (0, time_s))
        self._found[rule] = (count + 1, first_s)

    def count(self, *rules: str) -> int:
        """How often any of ``rules`` was applied."""
        return sum(self._found[rule][0] for rule in rules if rule in self._found)

    @property
    def rules(self) -> tuple[TimeRule, ...]:
        """All that were applied, in the order of their first use."""
        return tuple(TimeRule(rule, *counted) for rule, counted in self._found.items())


class Choice(NamedTuple):
    """What the table decides for one stamp."""

    time: int  # ticks
    rule: str = ""  # "": the stamp is used as it stands
    own: int | None = None  # the stamp, overflows undone; None where it cannot be used
    turns: int = 0  # overflows so far
    recording: int = 0  # number of the joined recording that it is of


class StreamClock:
    """Applies the table to one stream's stamps, with the next raw stamp in view.

    ``offsets[n]``: ticks added to the stamps of the n-th joined recording. A clock of sound has a
    ``leader``, whose offsets it takes over: which one, the packets' places in the file show.
    """

    def __init__(
        self,
        step: int,
        tick_s: Fraction = Fraction(1),
        *,
        wraps: bool = False,
        leader: StreamClock | None = None,
    ) -> None:
        """``step``: ticks from frame to frame at the nominal rate; ``wraps``: 33-bit stamps;
        ``leader``: the pictures' clock."""
        self.step = max(1, step)
        self.tick_s = tick_s
        self.tally = Tally()
        self.offsets = [0]
        self.longest_gap_s = 0.0
        self._wraps = wraps
        self._leader = leader
        self._base: int | None = None  # what huge stamps are counted from
        self._first: int | None = None  # the first frame's time
        self._last: int | None = None  # and the last one's
        self._own: int | None = None  # the last usable stamp
        self._turns = 0
        self._recording = 0
        self._ends: list[int] = []  # where in the file the recordings end, all but the last
        self._reached: int | None = None  # where in the file the last frame lies

    @property
    def estimated(self) -> int:
        """Frames whose own stamp was missing or could not be used."""
        return self.tally.count(*ESTIMATES)

    def place(self, stamp: int | None, following: int | None, position: int | None = None) -> int:
        """The time in ticks for a frame, given its own and the next frame's raw stamp.

        ``position``: where in the file it lies, in bytes, where that is known.
        """
        choice = self.choose(stamp, following)
        self.accept(choice)
        if choice.rule == "joined":
            self._ends.append(-1 if self._reached is None else self._reached)
        self._reached = self._reached if position is None else position
        return choice.time

    def choose(
        self, stamp: int | None, following: int | None, position: int | None = None
    ) -> Choice:
        """What ``place`` would do."""
        if self._own is None and stamp is not None:
            self._begin(stamp, following, position)
        own = self._usable(stamp, self._own)
        after = self._usable(following, self._own if own is None else own)
        if own is None or stamp is None:
            return Choice(self._estimate(after), "missing", None, self._turns, self._recording)
        turns = (own - stamp) // _WRAP
        rule = self._rule(own, after)
        if rule in ESTIMATES:
            return Choice(self._estimate(after), rule, own, turns, self._recording)
        if rule == "joined":
            number = max(self._recording + 1, self._recording_at(position))
            return Choice(own + self._joint(own, number), rule, own, turns, number)
        if not rule and turns != self._turns and self._own is not None:
            rule = "wrapped"
        return Choice(own + self.offsets[-1], rule, own, turns, self._recording)

    def accept(self, choice: Choice) -> None:
        """Go on from ``choice``."""
        last, self._last = self._last, choice.time
        if self._first is None or last is None:
            self._first = last = choice.time
        if choice.rule:
            self.count(choice.rule, last if choice.rule == "gap" else choice.time)
        if choice.own is None or choice.rule in ESTIMATES:
            return
        if choice.rule == "joined":
            self.offsets.append(choice.time - choice.own)
        if choice.rule == "gap":
            jump_s = float((choice.time - last) * self.tick_s)
            self.longest_gap_s = max(self.longest_gap_s, jump_s)
        self._own, self._turns, self._recording = choice.own, choice.turns, choice.recording

    def count(self, rule: str, time: int) -> None:
        """Record that ``rule`` was applied at ``time``, ticks."""
        first = time if self._first is None else self._first
        self.tally.add(rule, float((time - first) * self.tick_s))

    def waits(self, choice: Choice, position: int | None) -> bool:
        """Whether ``choice`` begins a recording that the pictures have not come to yet."""
        leader = self._leader
        if leader is None or (choice.rule != "joined" and self._own is not None):
            return False
        if choice.recording >= len(leader.offsets):
            return True
        if position is None or leader._reached is None:
            return False
        return leader._reached < position

    def _begin(self, stamp: int, following: int | None, position: int | None) -> None:
        """What all stamps are counted from: 0, or the first where all are huge."""
        self._base = 0
        if self._leader is not None:
            self._recording = self._recording_at(position)
            self._base = -self._led(self._recording)
        elif abs(stamp) >= _HUGE and (following is None or abs(following) >= _HUGE):
            self._base = stamp
            self.tally.add("huge", 0.0)
        self.offsets[0] = -self._base

    def _recording_at(self, position: int | None) -> int:
        """Number of the recording at a place in the file, as far as the pictures have come."""
        if self._leader is None or position is None:
            return 0
        return sum(end < position for end in self._leader._ends)

    def _usable(self, stamp: int | None, near: int | None) -> int | None:
        """``stamp`` with the counter's overflows undone, as close as can be to ``near``."""
        if stamp is None or abs(stamp - (self._base or 0)) >= _HUGE:
            return None
        if not self._wraps or near is None:
            return stamp
        return stamp + (near - stamp + _WRAP // 2) // _WRAP * _WRAP

    def _rule(self, own: int, after: int | None) -> str:
        """The row of the table for a stamp that is there; ``after``: the next usable one."""
        if self._last is None:
            return ""
        time = own + self.offsets[-1]
        then = None if after is None else after + self.offsets[-1]
        if time > self._last:
            if then is not None and self._last < then < time:
                return "ahead"
            far = max(float(_GAP_S / self.tick_s), _GAP_STEPS * self.step)
            return "gap" if time - self._last > far else ""
        if own == self._own:
            return "duplicate"
        fell_back = self._own is not None and own < self._own
        goes_on = after is not None and then is not None and own < after and then <= self._last
        return "joined" if fell_back and goes_on else "backward"

    def _joint(self, own: int, number: int) -> int:
        """The offset of the recording of that number, which begins with ``own``."""
        if self._leader is not None and number < len(self._leader.offsets):
            return self._led(number)
        return (self._last or 0) + self.step - own

    def _led(self, number: int) -> int:
        """The leader's offset in ticks of this clock."""
        assert self._leader is not None
        return round(self._leader.offsets[number] * self._leader.tick_s / self.tick_s)

    def _estimate(self, after: int | None) -> int:
        """One step on, or halfway to the next usable stamp; strictly later than the last."""
        then = None if after is None else after + self.offsets[-1]
        if self._last is None:
            return then - self.step if then is not None else 0
        time = self._last + self.step
        if then is not None and then > self._last + 1:
            time = min(time, (self._last + then) // 2)
        return time


def ordered(
    items: Iterable[tuple[int | None, Item]],
    suspect: Callable[[], bool],
    forced: Callable[[], bool],
    step: int,
) -> Iterator[tuple[int | None, Item, bool]]:
    """(stamp, item, changed) with permuted stamps in order; the items stay as they come.

    Only where ``suspect()`` are items held back, ``REACH`` of them. Their stamps are handed out in
    order where ``forced()``, or where that keeps the pace: a single wrong stamp among good ones
    would not. Stamps far behind begin a recording of its own.
    """
    held: deque[tuple[int | None, Item]] = deque()
    pool: list[int] = []  # stamps not handed out yet, in order
    before: list[int] = []  # the one handed out last

    def hand_out() -> tuple[int | None, Item, bool]:
        own, item = held.popleft()
        if own is None:
            return None, item, False
        best = pool[0]
        keep = best != own and own in pool and not (forced() or _keeps_pace(before, pool, own))
        stamp = own if keep else best
        pool.remove(stamp)
        before[:] = [stamp]
        return stamp, item, stamp != own

    for stamp, item in items:
        if stamp is not None:
            if pool and stamp < pool[-1] - 2 * REACH * step:
                while held:
                    yield hand_out()
            insort(pool, stamp)
        held.append((stamp, item))
        while len(held) > (REACH if suspect() else 0):
            yield hand_out()
    while held:
        yield hand_out()


class Order:
    """Decides from packets, as they come, whether frames' stamps may be permuted.

    They are where a codec reorders frames and the stamps do not, or the other way about.
    """

    def __init__(self, step: int) -> None:
        """``step``: ticks between frames at the nominal rate."""
        self._reach = 2 * REACH * step
        self._top: int | None = None
        self._falls = False

    def see(self, stamp: int | None) -> None:
        """Take note of the next packet's presentation stamp."""
        if stamp is None:
            return
        if self._top is not None and self._top - self._reach < stamp < self._top:
            self._falls = True
        else:
            self._top = stamp

    def suspect(self, reorders: bool) -> bool:
        """Whether the frames' stamps may be permuted; ``reorders``: the codec may."""
        return reorders != self._falls


def _keeps_pace(before: list[int], pool: list[int], own: int) -> bool:
    """Whether the lowest of the sorted ``pool`` is one usual step behind the stamp ``before`` it,
    and near enough to ``own``, which it would stand in for."""
    line = before + pool
    steps = [after - stamp for stamp, after in pairwise(line)]
    usual = sorted(steps)[len(steps) // 2]
    return 0.6 * usual < steps[0] < 1.5 * usual and own - pool[0] <= 1.5 * REACH * usual
