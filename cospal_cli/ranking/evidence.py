"""What a method may use besides the candidates and the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cospal_cli.core.frames import Timeline
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.open_words import OddsOf
from cospal_cli.ranking.patterns import PatternsOf
from cospal_cli.ranking.terms import AppearanceOf

if TYPE_CHECKING:
    from cospal_cli.ranking.prediction import HeadScores


@dataclass(frozen=True)
class Evidence:
    """Of one video and, where trained heads are used, one query.

    ``appearance_of`` gives the mean ImageNet-1k probabilities (1000,) of a candidate; methods call
    it only for words that need it and candidates not far behind. ``patterns_of`` likewise gives the
    chances (R, P) of the patterns in each region.
    """

    timeline: Timeline
    classes: Sequence[str]  # the detector's names
    appearance_of: AppearanceOf | None = None
    patterns_of: PatternsOf | None = None
    odds_of: OddsOf | None = None  # of contrasts, where an image-text model is used
    prediction: HeadScores | None = None  # of the trained heads
    everything: Sequence[Candidate] = ()  # every tubelet of the video; (): those that are ranked
