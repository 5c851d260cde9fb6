"""What is wrong with a video: counted while it is read, reported in a few sentences at the end."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from cospal_cli.core.errors import InputError
from cospal_cli.core.frames import TimeRule, VideoInfo
from cospal_cli.video.timing import StreamClock


class Health:
    """What one pass over a video should report, each kind of remark once.

    Notes are worth reporting. Doubts (about times) and damage are an InputError when ``strict``;
    after damage the video is not ``whole``.
    """

    def __init__(self, path: Path, strict: bool) -> None:
        self._path = path
        self._strict = strict
        self._notes: dict[str, tuple[str, int]] = {}  # kind -> first text, how often
        self._bad = 0
        self._bad_span_s = (0.0, 0.0)
        self._reasons: dict[str, None] = {}
        self._losses: list[str] = []
        self._doubts: list[str] = []

    def note(self, text: str, kind: str = "") -> None:
        """Keep a remark. Of several of one ``kind`` (else: of the same text) the first is reported;
        "{count}" in it becomes their number.
        """
        first, count = self._notes.get(kind or text, (text, 0))
        self._notes[kind or text] = (first, count + 1)

    def damaged(self, time_s: float, reason: str = "") -> None:
        """Count a packet or frame near ``time_s`` that the decoder complained about."""
        self._bad_span_s = (self._bad_span_s[0] if self._bad else time_s, time_s)
        self._bad += 1
        if reason:
            self._reasons[reason] = None
        if self._strict:
            self._refuse(self._damage_text())

    def lost(self, text: str) -> None:
        """Report missing frames."""
        self._losses.append(text)
        if self._strict:
            self._refuse(text)

    def doubt(self, text: str) -> None:
        """Report times that may be wrong, though every frame is there."""
        self._doubts.append(text)
        if self._strict:
            self._refuse(text)

    @property
    def warnings(self) -> list[str]:
        """Every remark so far, damage first."""
        notes = [text.replace("{count}", str(count)) for text, count in self._notes.values()]
        return [self._damage_text()] * bool(self._bad) + self._losses + self._doubts + notes

    @property
    def whole(self) -> bool:
        """Whether no frame was damaged or lost so far."""
        return not (self._bad or self._losses)

    def _damage_text(self) -> str:
        first, last = self._bad_span_s
        why = f" ({'; '.join(list(self._reasons)[:3])})" if self._reasons else ""
        return f"{self._bad} damaged packets or frames from {first:.2f} s to {last:.2f} s{why}"

    def _refuse(self, text: str) -> None:
        raise InputError(
            f"{str(self._path)!r} is damaged: {text}",
            "without --strict it is read as far as possible",
        )


def shortfall(
    info: VideoInfo,
    decoded: int,
    skipped: int,
    end_s: float,
    *,
    duration_is_videos: bool,
    counts_repeats: bool,
) -> str:
    """What is missing at the end against the header, "" when nothing is.

    ``skipped`` frames are those that the container itself marks as not to be shown. A duration
    that may be that of a longer sound track only counts when it is far off. A container that
    counts repeated frames, which hold no picture, is judged by its duration.
    """
    frames, length_s = info.frames_declared, info.duration_s
    if frames and counts_repeats:
        length_s, frames = float(frames / info.avg_fps), None
        duration_is_videos = True
    if frames and decoded + skipped < frames:
        reached = f" ({end_s:.2f} of {length_s:.2f} s)" if length_s else ""
        return f"decoded {decoded} of {frames - skipped} declared frames{reached}"
    if frames or length_s is None:
        return ""
    slack_s = 3 * end_s / max(decoded, 1) if duration_is_videos else max(2.0, 0.2 * length_s)
    if end_s >= length_s - slack_s:
        return ""
    about = round(length_s * decoded / max(end_s, 1e-6))
    return (
        f"decoded {decoded} frames, {end_s:.2f} s, of {length_s:.2f} s declared "
        f"(about {about} frames)"
    )


def misfit(length_s: float | None, end_s: float) -> str:
    """A remark where a time line differs from the header's duration by over half, else ""."""
    if length_s is None or abs(end_s - length_s) <= max(0.5 * length_s, 0.5):
        return ""
    return f"the time stamps run to {end_s:.2f} s, the header says {length_s:.2f} s"


def time_remarks(clock: StreamClock, rate: Fraction, frames: int) -> tuple[list[str], list[str]]:
    """(doubts, notes) about the time stamps of ``frames`` frames."""
    first = {rule.rule: rule for rule in clock.tally.rules}
    doubts, notes = [], []
    if clock.estimated and clock.tally.count("missing") >= frames:
        doubts.append(
            f"there are no time stamps; times follow the frame rate, {float(rate):g} frames/s"
        )
    elif clock.estimated:
        frames_had = "1 frame had" if clock.estimated == 1 else f"{clock.estimated} frames had"
        doubts.append(f"{frames_had} no usable time stamp; such times are estimated")
    if rule := first.get("joined"):
        notes.append(
            f"the time stamps start again {_times(rule)} (joined recordings); times continue "
            "from there"
        )
    if rule := first.get("gap"):
        notes.append(
            f"the time stamps jump ahead {_times(rule)}, by up to {clock.longest_gap_s:.2f} s"
        )
    if "huge" in first:
        notes.append("the time stamps are beyond 2**53; they are counted from the first")
    return doubts, notes


def _times(rule: TimeRule) -> str:
    if rule.count == 1:
        return f"at {rule.first_s:.2f} s"
    return f"{rule.count} times, first at {rule.first_s:.2f} s"
