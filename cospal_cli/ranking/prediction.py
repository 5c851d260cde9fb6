"""What trained heads say of one video and one query, and how they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cospal_cli.core.brief import brief
from cospal_cli.core.errors import UsageError
from cospal_cli.core.head_inputs import assemble
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import HeadFeatures, TimeSpan
from cospal_cli.core.types import GroundingScores, Phrase, Phrases
from cospal_cli.language.phrases import Refined
from cospal_cli.model.metadata import HeadsMetadata
from cospal_cli.runtime import Runtime
from cospal_cli.settings import GroundConfig


@dataclass(frozen=True)
class HeadScores:
    """The scores of the tubelets ``ids``, in their order, and of times as shares of the video."""

    ids: tuple[int, ...]
    scores: GroundingScores  # of the whole query
    parts: tuple[GroundingScores, ...] = ()  # of its sub-phrases, where they were asked for
    unknown: tuple[str, ...] = ()  # words that training never met: they were not reconstructed
    refined: Refined | None = None  # the texts behind the query form

    __repr__ = brief

    def as_dict(self, span_s: TimeSpan) -> JsonDict:
        """Plain values for JSON, best first; times in seconds of a video of ``span_s``."""
        order = np.argsort(-self.scores.tubelet_scores, kind="stable").tolist()
        return {
            "tubelets": [
                {"id": self.ids[at], "score": round(float(self.scores.tubelet_scores[at]), 6)}
                for at in order
            ],
            "proposals": _proposals(self.scores, span_s),
            "parts": [_proposals(one, span_s) for one in self.parts],
            "unknown": list(self.unknown),
            "read": None if self.refined is None else self.refined.as_dict(),
        }


def run(
    runtime: Runtime, features: HeadFeatures, phrases: Phrases, config: GroundConfig
) -> HeadScores | None:
    """The heads' answer to what ``config.query_form`` names; None where there is no tubelet at all.

    The sub-phrases are asked too where ``config.segment`` needs them. UsageError where the
    vectors' lengths are not those that the heads were built for.
    """
    if not features.ids:
        return None
    whole = chosen(phrases, config)
    _check(runtime.metadata, features, whole)
    parts = phrases.passes if config.segment == "hull" else ()
    scores, *others = [_run(runtime, features, phrase) for phrase in (whole, *parts)]
    return HeadScores(features.ids, scores, tuple(others), unknown(runtime.metadata, whole))


def chosen(phrases: Phrases, config: GroundConfig) -> Phrase:
    """What ``config.query_form`` names of a query."""
    return phrases.sentence if config.query_form == "sentence" else phrases.refined


def unknown(metadata: HeadsMetadata, phrase: Phrase) -> tuple[str, ...]:
    """The words of ``phrase`` that are not in the vocabulary of the training, each once."""
    return tuple(dict.fromkeys(word for word in phrase.words if word not in metadata.word_ids))


def _run(runtime: Runtime, features: HeadFeatures, phrase: Phrase) -> GroundingScores:
    return runtime.run(
        assemble(
            features.tubelets,
            features.tubelet_mask,
            features.clips,
            phrase,
            runtime.metadata.word_ids,
        )
    )


def _check(metadata: HeadsMetadata, features: HeadFeatures, phrase: Phrase) -> None:
    sizes = metadata.sizes
    for name, wanted, length in (
        ("a tubelet's", sizes.tubelets, features.tubelets.shape[-1]),
        ("a clip's", sizes.clips, features.clips.shape[-1]),
        ("a word's", sizes.words, phrase.vectors.shape[-1]),
    ):
        if wanted != length:
            raise UsageError(
                f"{name} features: the heads were trained on vectors of {wanted}, found {length}",
                "use the detector and encoders of the training, or train again with these",
            )


def _proposals(scores: GroundingScores, span_s: TimeSpan) -> list[Mapping[str, float]]:
    order = np.argsort(-scores.proposal_scores, kind="stable")
    low_s, high_s = span_s
    spans = low_s + np.clip(scores.proposals[order], 0, 1) * (high_s - low_s)
    return [
        {"start_time": round(low, 6), "end_time": round(high, 6), "score": round(score, 6)}
        for (low, high), score in zip(
            spans.tolist(), scores.proposal_scores[order].tolist(), strict=True
        )
    ]
