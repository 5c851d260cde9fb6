"""A few small pictures of every track, kept as JPEG so that hours of video fit in memory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.observation import Crops

if TYPE_CHECKING:
    from cospal_cli.track.moved import Moved

KEPT = 6  # pictures a track at the most
SIDE = 224  # longer side, pixels
_FIRST_GAP_S = 0.4


class CropKeeper:
    """Spreads at most ``KEPT`` pictures over a track of unknown length: when full, every second
    one goes and the gap between pictures doubles."""

    def __init__(self) -> None:
        self._crops: dict[int, list[tuple[float, bytes]]] = {}
        self._gaps: dict[int, float] = {}
        self._due: dict[int, float] = {}

    def update(
        self,
        image: NDArray[np.uint8],
        boxes_xyxy: FloatArray,
        size: tuple[int, int],
        track_ids: IntArray,
        time_s: float,
    ) -> None:
        """Keep a picture of each track that is due one. Boxes in displayed pixels of ``size``."""
        for row, track in enumerate(track_ids.tolist()):
            if track < 0:
                continue
            if track not in self._due:  # most one-frame tracks are noise: wait for a second look
                self._due[track] = time_s
                self._gaps[track] = _FIRST_GAP_S
            elif time_s >= self._due[track]:
                scale = np.tile(np.array(image.shape[1::-1]) / size, 2)
                self._keep(track, time_s, _encode(image, boxes_xyxy[row] * scale))

    def finish(self, moved: Sequence[Moved] = ()) -> Crops:
        """The pictures of every track, those of ``moved`` parts under the tracks they became."""
        crops = {track: tuple(kept) for track, kept in self._crops.items()}
        for part in moved:
            kept = crops.get(part.track, ())
            gone = tuple(one for one in kept if part.start_s <= one[0] <= part.end_s)
            if gone:
                crops[part.track] = tuple(one for one in kept if one not in gone)
                crops[part.became] = gone
        return crops

    def _keep(self, track: int, time_s: float, picture: bytes) -> None:
        kept = self._crops.setdefault(track, [])
        kept.append((time_s, picture))
        if len(kept) > KEPT:
            del kept[1::2]
            self._gaps[track] *= 2
        self._due[track] = time_s + self._gaps[track]


def pictures(crops: Crops, track_ids: Iterable[int], count: int) -> list[NDArray[np.uint8]]:
    """At most ``count`` of the ``crops`` (h, w, 3), spread evenly over the tracks' time."""
    from PIL import Image

    kept = sorted(crop for track in track_ids for crop in crops.get(track, ()))
    at = np.unique(np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int))
    return [np.asarray(Image.open(io.BytesIO(kept[i][1]))) for i in at]


def _encode(image: NDArray[np.uint8], box: FloatArray) -> bytes:
    from PIL import Image

    height, width = image.shape[:2]
    x1, y1 = int(np.clip(box[0], 0, width - 1)), int(np.clip(box[1], 0, height - 1))
    x2, y2 = max(int(np.ceil(box[2])), x1 + 1), max(int(np.ceil(box[3])), y1 + 1)
    picture = Image.fromarray(image[y1:y2, x1:x2])
    picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()
