"""What a checkpoint or an exported file says of the heads in it. No torch here.

It stands in a checkpoint's ``config.json`` and among the properties of exported graphs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property

from cospal_cli import __version__
from cospal_cli.core.contract import OUTPUTS_OF
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.fitting import as_table, filled
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json
from cospal_cli.core.reading import parse_table
from cospal_cli.settings import ModelConfig, SettingError, TemporalConfig
from cospal_cli.settings.stored import BEFORE, renamed, today

FORMAT = "cospal/heads@1"
MOST = 2**20  # numbers in a vector, or words
LICENCE = "Apache-2.0"  # of the code; the weights' is that of the data they were trained on


@dataclass(frozen=True)
class Sizes:
    """Lengths of the vectors that the heads were built for."""

    tubelets: int  # F
    clips: int  # Dv
    words: int  # Dt
    vocabulary: int  # V, with the word 0 that stands for all others
    # Where who and when are told apart, else 0:
    appearance: int = 0  # of a tubelet's F numbers the first ones: who
    motion: int = 0  # and the last ones: when
    phrases: int = 0  # J, most sub-phrases of a sentence, in the contrast
    pooled: int = 0  # the last ones of all: clips inside the box, which tell nobody who

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = int(name in ("tubelets", "clips", "words", "vocabulary"))
            if not least <= value <= MOST:
                raise ValueError(f"{name}: expected {least} to {MOST}, found {value}")
        most = self.motion or self.tubelets
        if self.pooled >= most:
            raise ValueError(f"pooled: expected less than {most}, found {self.pooled}")
        if self.appearance + self.motion > self.tubelets:
            raise ValueError(
                f"appearance and motion: expected {self.tubelets} numbers at most, found "
                f"{self.appearance} and {self.motion}"
            )


@dataclass(frozen=True)
class CombinedWeights:
    """How much each counts where rules and heads decide together: ``ranking/combined.py``."""

    rules: float = 1.0  # zero-shot's evidence
    heads: float = 1.0
    span: float = 1.0  # the rules' span, beside a curve

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name}: expected a weight of 0 or more, found {value}")


@dataclass(frozen=True)
class HeadsMetadata:
    """``features`` names what the heads' inputs were computed with: see ``features.spec``.

    ``vocabulary``: the words of the training captions, most frequent first; their ids count from 1.
    """

    sizes: Sizes
    model: ModelConfig
    features: Mapping[str, Mapping[str, str | int | float | bool | None]]
    vocabulary: tuple[str, ...]
    trained: Json = field(default_factory=dict)  # data set, settings, scores of the validation
    version: str = __version__
    licence: str = LICENCE
    temporal: TemporalConfig = field(default_factory=TemporalConfig)  # files of 0.1.0 have none
    combined: CombinedWeights = field(default_factory=CombinedWeights)

    @cached_property
    def word_ids(self) -> dict[str, int]:
        """word -> id."""
        return {word: number for number, word in enumerate(self.vocabulary, 1)}

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the heads give, by name."""
        return OUTPUTS_OF[self.temporal.objective]

    def dumps(self) -> str:
        """As JSON text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def loads(cls, text: str | bytes, where: str) -> HeadsMetadata:
        """From JSON text; WeightsError, naming ``where`` it stood, if it is none."""
        about = f"{where}: not the metadata of cospal's heads"
        hint = "give a folder that 'cospal train' wrote, or a file of 'cospal export'"
        with errors_as(WeightsError, about, hint):
            found = parse_table(text)
            if found.pop("format") != FORMAT:
                raise ValueError(f"not {FORMAT}")
            found["model"] = renamed(ModelConfig, as_table(found["model"]))
            temporal = {"hidden": BEFORE["temporal.hidden"]} | as_table(found.get("temporal", {}))
            found["temporal"] = renamed(TemporalConfig, temporal)
            found["trained"] = today(as_table(found.get("trained", {})))
            try:
                metadata = filled(cls, found)
            except SettingError as error:  # UsageError for settings of the user's own
                raise ValueError(error.message) from error
        if metadata.sizes.vocabulary != len(metadata.vocabulary) + 1:
            raise WeightsError(
                f"{where}: {len(metadata.vocabulary)} words for a vocabulary of "
                f"{metadata.sizes.vocabulary}",
                "train or export it again",
            )
        return metadata
