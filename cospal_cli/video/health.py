"""What is wrong with a video: counted while it is read, told in a few sentences at the end."""

from __future__ import annotations

from pathlib import Path

from cospal_cli.core.errors import InputError
from cospal_cli.core.types import VideoInfo


class Health:
    """Notes (worth telling) and damage (an InputError when ``strict``) of one pass."""

    def __init__(self, path: Path, strict: bool) -> None:
        self._path = path
        self._strict = strict
        self._notes: dict[str, None] = {}  # in order, each once
        self._bad = 0
        self._bad_span_s = (0.0, 0.0)
        self._reasons: dict[str, None] = {}
        self._losses: list[str] = []

    def note(self, text: str) -> None:
        """Keep a remark; the same one is told once."""
        self._notes[text] = None

    def damaged(self, time_s: float, reason: str = "") -> None:
        """Count a packet or frame near ``time_s`` that the decoder complained about."""
        self._bad_span_s = (self._bad_span_s[0] if self._bad else time_s, time_s)
        self._bad += 1
        if reason:
            self._reasons[reason] = None
        if self._strict:
            self._refuse(self._damage_text())

    def lost(self, text: str) -> None:
        """Tell of missing frames or of times that had to be estimated."""
        self._losses.append(text)
        if self._strict:
            self._refuse(text)

    @property
    def warnings(self) -> list[str]:
        """Every remark so far, damage first."""
        return [self._damage_text()] * bool(self._bad) + self._losses + list(self._notes)

    @property
    def whole(self) -> bool:
        """Whether nothing was damaged or lost so far."""
        return not (self._bad or self._losses)

    def _damage_text(self) -> str:
        first, last = self._bad_span_s
        why = f" ({'; '.join(list(self._reasons)[:3])})" if self._reasons else ""
        return f"{self._bad} damaged packets or frames from {first:.2f} s to {last:.2f} s{why}"

    def _refuse(self, text: str) -> None:
        raise InputError(
            f"{str(self._path)!r} is damaged: {text}",
            "without --strict it is read as far as it goes",
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

    ``skipped`` frames are those that the container itself asks not to show. A duration that may
    be that of a longer sound track only counts when it is far off. A container that counts
    repeated frames, which hold no picture, is judged by its duration.
    """
    frames, length_s = info.frames_declared, info.duration_s
    if frames and counts_repeats:
        length_s, frames = float(frames / info.avg_fps), None
        duration_is_videos = True
    if frames and decoded + skipped < frames:
        told = f" ({end_s:.2f} of {length_s:.2f} s)" if length_s else ""
        return f"decoded {decoded} of {frames - skipped} declared frames{told}"
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
