"""A backend's own defaults for the settings that its user left open."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from cospal_cli.settings import DetectorConfig


@dataclass(frozen=True)
class Limits:
    """What every backend needs to know; the settings of the same names, with a value each."""

    threshold: float
    nms_iou: float
    batch: int

    def within(self, config: DetectorConfig) -> tuple[DetectorConfig, Limits]:
        """``config`` with these where it leaves a value open, and all values together."""
        given = asdict(self)
        for name in given:
            configured = getattr(config, name)
            if configured is not None and not (name == "batch" and configured == 0):
                given[name] = configured
        return replace(config, **given), Limits(**given)


def dino_limits(config: DetectorConfig, side: int, batch: int) -> tuple[DetectorConfig, Limits]:
    """See ``Limits.within``; for Grounding DINO, whose images have a shorter side of ``side``."""
    own = replace(config.grounding_dino, side=config.grounding_dino.side or side)
    defaults = Limits(threshold=0.4, nms_iou=0.8, batch=batch)
    return defaults.within(replace(config, grounding_dino=own))
