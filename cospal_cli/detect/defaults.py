"""A backend's own defaults for the settings that its user left open."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from cospal_cli.config import DetectorConfig


@dataclass(frozen=True)
class Limits:
    """What every backend needs to know; the settings of the same names, with a value each."""

    threshold: float
    nms_iou: float
    side: int
    batch: int

    def within(self, config: DetectorConfig) -> tuple[DetectorConfig, Limits]:
        """``config`` with these where it leaves a value open, and all values together."""
        asked = {name: getattr(config, name) for name in asdict(self)}
        asked["batch"] = asked["batch"] or None
        given = {
            name: v if asked[name] is None else asked[name] for name, v in asdict(self).items()
        }
        return replace(config, **given), Limits(**given)
