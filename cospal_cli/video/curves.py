"""When each sub-phrase of a sentence is true, as trained heads see it: rows below a time line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class PhraseCurve(NamedTuple):
    """One sub-phrase over the video."""

    text: str
    times_s: Sequence[float]  # the middles of even parts of the video
    log_odds: Sequence[float | None]  # above 0: likelier than usual; None: the subject is absent
