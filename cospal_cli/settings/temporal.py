"""How trained heads learn when: the settings that a checkpoint takes along besides its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cospal_cli.settings.declare import Section, Setting
from cospal_cli.settings.words import TRAINING


@dataclass(frozen=True)
class TemporalConfig(Section, key="temporal", group=TRAINING):
    """What the temporal head learns by (method: TPG, temporal; CRG)."""

    objective: Annotated[
        str,
        Setting(
            "What teaches the heads when: reconstruct hidden words from a part of the video "
            "(CoSPaL, CNM, CPL), or contrast the sentence with the tubelets of other videos.",
            choices=("reconstruct", "contrast"),
        ),
    ] = "reconstruct"
    hidden: Annotated[
        str,
        Setting(
            "What the reconstruction hides: all words of a sub-phrase (CRG) together, each "
            "sub-phrase being a query of its own, or a third of the sentence's words.",
            choices=("phrases", "words"),
        ),
    ] = "phrases"
    queries: Annotated[
        str,
        Setting(
            "What asks for a moment of its own in the contrast: each sub-phrase (CRG), each word "
            "behind the subject, or all of them together.",
            choices=("phrases", "words", "sentence"),
        ),
    ] = "phrases"
    start: Annotated[
        float,
        Setting(
            "Share of the updates in which the contrast learns the subject alone.", least=0, most=1
        ),
    ] = 0.3

    @property
    def acts(self) -> str:
        """Which sub-phrases the heads are given apart: as ``queries`` says; "": none."""
        if self.objective == "contrast":
            return self.queries
        return "phrases" if self.hidden == "phrases" else ""
