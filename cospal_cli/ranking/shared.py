"""What the queries about one observation share, each part computed on first use."""

from __future__ import annotations

from functools import cached_property

from cospal_cli.core.observation import HeadFeatures, Observation
from cospal_cli.features.appearance import Appearance, Classify
from cospal_cli.features.texture import Textures
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.patterns import PatternsOf
from cospal_cli.ranking.terms import AppearanceOf
from cospal_cli.settings import Config


class Shared:
    """See the module."""

    def __init__(self, observation: Observation, config: Config, classify: Classify) -> None:
        """``classify``: see ``Appearance``."""
        self.observation = observation
        self._config, self._classify = config, classify

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
    def features(self) -> HeadFeatures:
        """The inputs of trained heads. ValueError without clips."""
        from cospal_cli.ranking.heads import head_features

        return head_features(self.observation, self._config.features)
