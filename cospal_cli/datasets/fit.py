"""Records compared with their videos: kept, fitted to the video, or left out. The one place that
decides it, for ``data check``, ``data prepare``, ``evaluate`` and training alike.

- Size. A video of another size but the same shape: boxes are scaled. Another shape: left out.
- Frames. Up to 1 % (or two frames) more or fewer: compared frame by frame. Another rate that
  explains the difference: frames are mapped by time. Fewer frames at the annotated rate: the video
  ends early, frame by frame. Anything else, more frames above all: left out, since it is unknown
  which frames were annotated.
- The annotated rate is the record's own. Without one a clip is taken to last 20 s, as HC-STVG's
  do, where its length or its rate agrees with that; else the rate is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cospal_cli.core.observation import FrameSpan
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.worker_pool import Failure
from cospal_cli.datasets.hcstvg import CLIP_S
from cospal_cli.datasets.records import Bad, Dataset, Problem, Record
from cospal_cli.datasets.states import VideoState, examine_all
from cospal_cli.evaluation.tubes import Track, Truth

CLIP_SLACK_S = 0.5  # by which one of HC-STVG's clips may miss its 20 s
COUNTS = 0.01  # relative difference of two counts of the same frames
FEW = 2  # frames that a decoder may drop or repeat
RATES = 0.02  # relative difference of two figures for one rate: 29.97 and 30, or an average
SLACK_FRAMES = 3  # a count that the header does not declare may be off by so many

Note = Callable[[str, str], None]  # kind, detail


def fitted(dataset: Dataset, workers: int = 0, progress: Progress = silent) -> Dataset:
    """``dataset`` without the records that do not fit their videos, the others fitted to them.

    Records with neither size nor frames stay as they are, and so do those whose video cannot
    be opened: whoever needs its pixels names it. ``workers``: processes that open videos.
    """
    videos = {one.video for one in dataset.records if one.size or one.frames}
    states = examine_all(videos, workers=workers, progress=progress)
    records, truths = [], dict(dataset.truths)
    problems = list(dataset.problems)
    for record in dataset.records:
        state = states.get(record.video)
        if state is None or isinstance(state, Failure):
            records.append(record)
            continue
        truth = truths.pop(record.id, None)
        kept, noted = fit(record, truth, state, dataset.split)
        problems.extend(noted)
        if kept:
            records.append(kept[0])
            if kept[1] is not None:
                truths[record.id] = kept[1]
    return replace(dataset, records=tuple(records), truths=truths, problems=tuple(problems))


def fit(
    record: Record, truth: Truth | None, state: VideoState, split: str = ""
) -> tuple[tuple[Record, Truth | None] | None, list[Problem]]:
    """The record and its truth in the video's own pixels and frames, None where they do not fit
    it, and the problems to report."""
    problems: list[Problem] = []

    def note(kind: str, detail: str) -> None:
        problems.append(Problem(kind, record.id, detail, split))

    try:
        scale = _scale(record, state, note)
        ratio = _ratio(record, state, note)
        kept = _brought(record, truth, state, scale, ratio)
        if kept[1] is not None:
            reported = bool(truth and record.frames and truth.span[1] > record.frames)
            _check_end(kept[1], state, note, reported)
    except Bad as bad:
        note(bad.kind, bad.detail)
        return None, problems
    return kept, problems


def _scale(record: Record, state: VideoState, note: Note) -> tuple[float, float]:
    """What annotated widths and heights are multiplied by. Bad for another shape."""
    if record.size is None or record.size == state.size:
        return 1.0, 1.0
    (w, h), (width, height) = record.size, state.size
    detail = f"annotated {w}x{h}, found {width}x{height}"
    if not any(_same_shape(record.size, state.size, one) for one in (1.0, state.aspect)):
        if state.rotation in (90, 270) and _same_shape((h, w), state.size, 1.0):
            detail += f" after rotation by {state.rotation} degrees"
        raise Bad("other-size", detail)
    note("other-scale", detail)
    return width / w, height / h


def _same_shape(one: tuple[int, int], other: tuple[int, int], aspect: float) -> bool:
    """Whether the two differ in size alone: each side may have been rounded by a pixel."""
    (w, h), (width, height) = one, other
    rounding = 1 / w + 1 / h + 1 / width + 1 / height
    return abs(math.log(width * aspect * h / (height * w))) <= rounding


def _ratio(record: Record, state: VideoState, note: Note) -> float:
    """The video's frames for one annotated frame. Bad where that is unknown."""
    wanted, frames = record.frames, state.frames
    if not wanted or _close(frames, wanted, state, few=0):
        _note_short(wanted, state, note)
        return 1.0
    detail = f"{wanted} frames annotated, {frames} {_how(state)}"
    rate = _rate(record, state)
    near = _close(frames, wanted, state)
    strange = not near and (rate is None or frames > wanted)
    if rate is not None and abs(state.fps / rate - 1) > RATES:
        detail += f"; annotated at {rate:.4g} fps, found {state.fps:.4g}"
        length = wanted * state.fps / rate
        if frames < length or _close(frames, length, state):
            note("other-rate", detail)
            _note_short(length, state, note)
            return frames / wanted if _close(frames, length, state) else length / wanted
        strange = not near
    if strange:
        unknown = "; at an unknown rate: add it to the record as 'fps'"
        raise Bad("other-length", detail + unknown * (rate is None))
    if frames > wanted:
        note("long-video", detail)
    _note_short(wanted, state, note)
    return 1.0


def _rate(record: Record, state: VideoState) -> float | None:
    """The annotated frames per second, as far as there is evidence."""
    if record.fps is not None or not record.frames:
        return record.fps
    nominal = record.frames / CLIP_S
    lasts = abs(state.frames / state.fps - CLIP_S) <= CLIP_SLACK_S
    return nominal if lasts or abs(state.fps / nominal - 1) <= RATES else None


def _close(frames: float, wanted: float, state: VideoState, few: int = FEW) -> bool:
    """Whether two counts may be of the same frames."""
    slack = 0 if state.declared else SLACK_FRAMES
    return abs(frames - wanted) <= max(COUNTS * wanted, few) + slack


def _note_short(wanted: float | None, state: VideoState, note: Note) -> None:
    frames = state.frames if state.decoded is None else state.decoded
    if wanted and frames < wanted and not _close(frames, wanted, state, few=0):
        how = _how(state) if state.decoded is None else "decoded"
        note("short-video", f"{frames} frames {how}, {wanted:.0f} annotated")


def _how(state: VideoState) -> str:
    return "declared" if state.declared else "counted"


def _brought(
    record: Record, truth: Truth | None, state: VideoState, scale: tuple[float, float], ratio: float
) -> tuple[Record, Truth | None]:
    """Record and truth in the video's own pixels and frames."""
    if truth is not None:
        truth = replace(
            truth, track=Track(truth.track.frames, truth.track.boxes_xyxy * (scale * 2))
        )
    if record.size is not None:
        record = replace(record, size=state.size)
    if ratio == 1:
        return record, truth
    if truth is not None:
        span = _frames(truth.span, ratio)
        truth = replace(
            truth,
            span=span,
            track=_resampled(truth.track, span, ratio),
            segment=_frames(truth.segment, ratio),
            fps=truth.fps * ratio,
        )
    segment = record.segment and _frames(record.segment, ratio)
    return replace(record, frames=state.frames, fps=state.fps, segment=segment), truth


def _frames(span: FrameSpan, ratio: float) -> FrameSpan:
    """The video's frames that begin within a span of annotated frames; at least one."""
    start, end = (math.ceil(round(side * ratio, 6)) for side in span)
    if start < end:
        return FrameSpan(start, end)
    return FrameSpan(int(span.first * ratio), int(span.first * ratio) + 1)


def _resampled(track: Track, span: FrameSpan, ratio: float) -> Track:
    """A box at each frame of ``span``, linear between annotated ones; none inside their gaps."""
    every = np.arange(*span)
    positions = every / ratio  # in annotated frames
    after = np.searchsorted(track.frames, positions).clip(0, len(track) - 1)
    before = (after - 1).clip(0)
    away = np.minimum(abs(track.frames[after] - positions), abs(track.frames[before] - positions))
    known = away < max(0.5 + 1e-6, 1 / ratio - 1e-6)
    if not known.any():
        raise Bad("missing-truth", "the video shows no frame that was annotated")
    sides = [np.interp(positions[known], track.frames, side) for side in track.boxes_xyxy.T]
    return Track(every[known], np.stack(sides, axis=1))


def _check_end(truth: Truth, state: VideoState, note: Note, reported: bool) -> None:
    """Bad where the truth begins after the video's end; a note where it goes on after it, unless
    that was ``reported``."""
    slack = 0 if state.declared or state.decoded is not None else SLACK_FRAMES
    have = (state.frames if state.decoded is None else state.decoded) + slack
    if truth.span[0] >= have:
        raise Bad("truth-past-end", f"{have} frames, the truth begins at {truth.span[0]}")
    if truth.span[1] > have and not reported:
        note("late-truth", f"{have} frames, the truth ends at {truth.span[1]}")
