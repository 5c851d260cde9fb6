"""WebVTT and SubRip: a cue for each tube's span, with the sentence.

Starts are rounded down and ends up, to milliseconds, so that a cue never misses a frame of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cospal_cli.outputs.stored import StoredTube, TubeDocument
from cospal_cli.settings import OutputConfig


class Vtt:
    """See ``OutputFormat``."""

    endings = (".vtt",)
    joint = False

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """The cues in order of time; without one the file holds the heading alone."""
        cues = [
            f"{number}\n{times(tube, '.')}\n{_escaped(title(doc, tube))}\n"
            for number, (doc, tube) in enumerate(in_order(documents), 1)
        ]
        return {".vtt": "\n".join(["WEBVTT\n", *cues])}


class Srt:
    """See ``OutputFormat``."""

    endings = (".srt",)
    joint = False

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """The cues in order of time; without one the file is empty."""
        cues = [
            f"{number}\n{times(tube, ',')}\n{_unmarked(title(doc, tube))}\n"
            for number, (doc, tube) in enumerate(in_order(documents), 1)
        ]
        return {".srt": "\n".join(cues)}


def in_order(documents: Sequence[TubeDocument]) -> list[tuple[TubeDocument, StoredTube]]:
    """All tubes, by their start."""
    every = [(doc, tube) for doc in documents for tube in doc.tubes]
    return sorted(every, key=lambda one: (one[1].start_s, one[1].end_s))


def title(doc: TubeDocument, tube: StoredTube) -> str:
    """The sentence on one line, with the rank where there are several tubes."""
    rank = f" ({tube.rank})" if len(doc.tubes) > 1 else ""
    return " ".join(doc.text.replace("\0", "\ufffd").split()) + rank


def times(tube: StoredTube, point: str) -> str:
    """The line of a cue's times."""
    start, end = round(tube.start_s * 10**6), round(tube.end_s * 10**6)  # as JSON has them
    return f"{_clock(start // 1000, point)} --> {_clock(-(-end // 1000), point)}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{point}{rest:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unmarked(text: str) -> str:
    """SubRip has no escapes: what players take for a tag or an arrow becomes what looks like it."""
    return (
        text.replace("-->", "→")
        .replace("<", "‹")
        .replace(">", "›")
        .replace("{", "(")
        .replace("}", ")")
    )
