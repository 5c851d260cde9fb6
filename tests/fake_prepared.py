"""A prepared data set that exists in memory only: random features, sentences of few words.

Videos and sentences share attributes, so that there is something to learn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.observation import HeadFeatures
from cospal_cli.core.phrases import Phrase, Phrases
from cospal_cli.core.query import Query

F, DV, DT = 6, 5, 4  # sizes of features
TIMES, CLIPS = 3, 4
WORDS = "the man woman red blue hat walks jumps sits".split()
CONTENT = set(WORDS[1:])
REFERRAL = set(WORDS[1:6])


@dataclass(frozen=True)
class Sample:
    id: str
    video: str
    source: str
    text: str
    form: str
    tubelets: int
    actions: int
    passes: int


@dataclass(frozen=True)
class FakeSpec:
    """Two numbers of a tubelet tell who, three when."""

    sides: tuple[int, int] = (2, 3)
    has_clips: bool = True
    pooled: int = 0


@dataclass(frozen=True)
class FakeParse:
    verbs: int


@dataclass
class FakePrepared:
    """``bad``: ids of samples that cannot be read."""

    count: int = 12
    validation: int = 4
    bad: frozenset[str] = frozenset()
    identity: Mapping[str, Any] = field(
        default_factory=lambda: {"tubelets": {"name": "fake", "dim": F}}
    )
    sizes: tuple[int, int, int] = (F, DV, DT)
    folder: Path = Path("fake")

    @property
    def spec(self) -> FakeSpec:
        return FakeSpec()

    def samples(self, split: str) -> tuple[Sample, ...]:
        chosen = (
            range(self.count)
            if split in ("fit", "train")
            else range(self.count, self.count + self.validation)
        )
        return tuple(self._sample(number) for number in chosen)

    def words(self, split: str) -> Counter[str]:
        return Counter(word for one in self.samples(split) for word in one.text.split())

    def features(self, sample: Sample) -> HeadFeatures:
        if sample.id in self.bad:
            raise InputError(f"{sample.id}.safetensors: damaged")
        rng = np.random.default_rng(abs(hash_of(sample.video)))
        tubelets = rng.normal(size=(sample.tubelets, TIMES, F)).astype(np.float32)
        mask = np.ones((sample.tubelets, TIMES), bool)
        clips = rng.normal(size=(CLIPS + sample.tubelets % 2, DV)).astype(np.float32)
        return HeadFeatures(tuple(range(len(tubelets))), tubelets, mask, clips)

    def phrases(self, sample: Sample) -> Phrases:
        sentence = phrase(sample.text)
        passes = tuple(phrase(f"{sample.text} {verb}") for verb in WORDS[6 : 6 + sample.passes])
        acts = tuple(phrase(verb) for verb in WORDS[6 : 6 + sample.passes])
        return Phrases(sentence, phrase(sample.text), passes, acts)

    def query(self, sample: Sample) -> Query:
        """Not one that the rules understand: they are weighed elsewhere."""
        raise UsageError(f"{sample.id}: not a sentence")

    def refined(self, sample: Sample) -> FakeParse:
        return FakeParse(sample.actions)

    def _sample(self, number: int) -> Sample:
        rng = np.random.default_rng(number)
        text = f"the {rng.choice(WORDS[1:3])} {rng.choice(WORDS[3:5])} {rng.choice(WORDS[6:])}"
        tubelets, actions = 2 + number % 7, 1 + number % 3
        video = f"v{number // 2}"  # two sentences a video
        name = f"s{number}"
        return Sample(name, video, video, text, "declarative", tubelets, actions, actions)


def phrase(text: str) -> Phrase:
    words = tuple(text.split())
    rows = [np.random.default_rng(WORDS.index(word)).normal(size=DT) for word in words]
    return Phrase(
        words,
        np.array(rows, np.float32),
        np.array([word in REFERRAL for word in words]),
        np.array([word in CONTENT for word in words]),
    )


def hash_of(text: str) -> int:
    return sum(ord(char) * 31**at for at, char in enumerate(text))
