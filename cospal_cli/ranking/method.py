"""What every ranking method is: candidates and a query in, tubes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cospal_cli.config import GroundConfig
from cospal_cli.core.types import Query, Tube
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.evidence import Evidence


class Method(Protocol):
    """A way to choose; one function a method."""

    def __call__(
        self,
        field: Sequence[Candidate],
        query: Query,
        evidence: Evidence,
        config: GroundConfig,
        /,
    ) -> list[Tube]:
        """The ``config.top_k`` best tubes, best first; [] where nothing fits."""
