"""What the queries about one observation share, each part computed on first use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.observation import HeadFeatures, Observation
from cospal_cli.features.appearance import Appearance, Classify
from cospal_cli.features.texture import Textures
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.open_words import Contrast, OddsOf
from cospal_cli.ranking.patterns import PatternsOf
from cospal_cli.ranking.terms import AppearanceOf
from cospal_cli.settings import Config

if TYPE_CHECKING:
    from cospal_cli.features.image_text import Contrasts, ImageText


class Shared:
    """See the module."""

    def __init__(
        self,
        observation: Observation,
        config: Config,
        classify: Classify,
        open_image_text: Callable[[], ImageText] | None = None,
    ) -> None:
        """``classify``: see ``Appearance``; ``open_image_text`` where one is used."""
        self.observation = observation
        self._config, self._classify = config, classify
        self._open_image_text = open_image_text

    @cached_property
    def candidates(self) -> list[Candidate]:
        """The tubelets with what ranking needs."""
        observation = self.observation
        return candidates(observation.tubelets, observation.size, observation.timeline)

    @cached_property
    def appearance_of(self) -> AppearanceOf | None:
        """Mean ImageNet-1k probabilities of a candidate's crops; None where none were kept or
        there is no classifier."""
        observation = self.observation
        if not (observation.crops or observation.appearance) or not self._config.appearance.enabled:
            return None
        appearance = self.appearance
        return lambda candidate: appearance.probabilities(candidate.tubelet)

    @cached_property
    def appearance(self) -> Appearance:
        """What the tubelets' crops show, each classified when first asked about."""
        observation, count = self.observation, self._config.appearance.crops
        return Appearance(observation.crops, count, self._classify, observation.appearance)

    @cached_property
    def patterns_of(self) -> PatternsOf | None:
        """The patterns of a candidate's clothes; None where no crops were kept."""
        if not self.observation.crops:
            return None
        textures = Textures(self.observation.crops, self._config.appearance.crops)
        return lambda candidate: textures.patterns(candidate.tubelet)

    @cached_property
    def odds_of(self) -> OddsOf | None:
        """Log odds of contrasts; None without an image-text model or crops."""
        if not self.observation.crops or self._open_image_text is None:
            return None

        def odds(candidate: Candidate, words: Sequence[Contrast]) -> FloatArray:
            return self._contrasts.log_odds(candidate.tubelet, words)

        return odds

    @cached_property
    def _contrasts(self) -> Contrasts:
        """With its model: opened with the first query that needs it."""
        from cospal_cli.features.image_text import Contrasts

        assert self._open_image_text is not None
        count = self._config.appearance.crops
        return Contrasts(self.observation.crops, count, self._open_image_text())

    @cached_property
    def features(self) -> HeadFeatures:
        """The inputs of trained heads. ValueError without clips."""
        from cospal_cli.ranking.heads import head_features

        return head_features(self.observation, self._config.features, self.appearance.features)
