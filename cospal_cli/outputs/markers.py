"""Markers for editing programs, by OpenTimelineIO: its own JSON, and an EDL (CMX 3600).

A timeline of one clip, the video, with a marker for each tube's span. Programs place markers by
time at one rate; where frames come unevenly, a marker is where its time is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from cospal_cli.core.registry import require
from cospal_cli.outputs.stored import StoredTube, TubeDocument
from cospal_cli.outputs.subtitles import in_order, title
from cospal_cli.settings import OutputConfig

EXTRA = "otio"
_STANDARD = [Fraction(rate) for rate in (24, 25, 30, 48, 50, 60)]  # an EDL's
_STANDARD += [rate * 1000 / 1001 for rate in _STANDARD if rate % 25]
_COLOURS = ("RED", "GREEN", "CYAN", "YELLOW", "MAGENTA", "ORANGE", "PURPLE")


class Otio:
    """See ``OutputFormat``."""

    endings: tuple[str, ...] = (".otio",)
    joint = False

    def __init__(self, config: OutputConfig) -> None:
        self._otio: Any = require("opentimelineio", EXTRA)

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """Markers in order of time, each with all that is known of its tube."""
        rate = documents[0].video.fps
        timeline = self.timeline(documents, rate, rate)
        return {".otio": self._otio.adapters.write_to_string(timeline, "otio_json") + "\n"}

    def timeline(self, documents: Sequence[TubeDocument], rate: Fraction, named: Fraction) -> Any:
        """The timeline, its frames counted at ``rate`` and said to be of the rate ``named``."""
        otio, video = self._otio, documents[0].video
        frames = video.length([tube for doc in documents for tube in doc.tubes])
        whole = self._range(0.0, float(frames / video.fps), rate, named)
        media = otio.schema.ExternalReference(target_url=video.path, available_range=whole)
        clip = otio.schema.Clip(video.name, media_reference=media, source_range=whole)
        colours = {doc.query_id: _COLOURS[at % len(_COLOURS)] for at, doc in enumerate(documents)}
        for doc, tube in in_order(documents):
            clip.markers.append(
                otio.schema.Marker(
                    name=title(doc, tube),
                    marked_range=self._range(tube.start_s, tube.end_s, rate, named),
                    color=colours[doc.query_id],
                    metadata={"cospal": _known(doc, tube)},
                )
            )
        track = otio.schema.Track("V1", children=[clip], kind=otio.schema.TrackKind.Video)
        timeline = otio.schema.Timeline(video.stem)
        timeline.tracks.append(track)
        return timeline

    def _range(self, start_s: float, end_s: float, rate: Fraction, named: Fraction) -> Any:
        time = self._otio.opentime
        start, end = (round(seconds * float(rate), 2) for seconds in (start_s, end_s))
        first = time.RationalTime(start, float(named))
        return time.TimeRange(first, time.RationalTime(end - start, float(named)))


class Edl(Otio):
    """See ``OutputFormat``. An EDL knows a marker's start alone, and a few rates."""

    endings = (".edl",)

    def __init__(self, config: OutputConfig) -> None:
        super().__init__(config)
        require("otio_cmx3600_adapter", EXTRA)

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """At the standard rate that is nearest to the video's, without dropping numbers: time code
        counts frames, so that it says the same in every program.
        """
        rate = min(_STANDARD, key=lambda one: abs(one - documents[0].video.fps))
        named = Fraction(round(rate))
        write = self._otio.adapters.write_to_string
        text = write(self.timeline(documents, rate, named), "cmx_3600", rate=float(named))
        title, _, rest = text.partition("\n")
        return {".edl": f"{title}\nFCM: NON-DROP FRAME\n{rest}"}


def _known(doc: TubeDocument, tube: StoredTube) -> dict[str, object]:
    known = {"query": doc.text, "query_id": doc.query_id, "rank": tube.rank}
    return {**known, "label": tube.label, "start_time": tube.start_s, "end_time": tube.end_s}
