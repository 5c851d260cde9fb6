"""What trained heads predict for one video and one query, and how they are run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.brief import brief
from cospal_cli.core.contract import ABSENT
from cospal_cli.core.errors import UsageError
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.head_inputs import assemble
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import HeadFeatures, TimeSpan
from cospal_cli.core.phrases import Phrase, Phrases
from cospal_cli.features.spec import FeatureSpec
from cospal_cli.language.phrases import Refined, moment_queries
from cospal_cli.model.metadata import CombinedWeights, HeadsMetadata
from cospal_cli.runtime import Runtime
from cospal_cli.settings import GroundConfig


@dataclass(frozen=True)
class HeadScores:
    """The scores of the tubelets ``ids``, in their order, and of times as shares of the video."""

    ids: tuple[int, ...]
    scores: GroundingScores  # of the whole query
    parts: tuple[GroundingScores, ...] = ()  # of its sub-phrases, where they were run
    unknown: tuple[str, ...] = ()  # words that training never met: they were not reconstructed
    refined: Refined | None = None  # the texts behind the query form
    acts: tuple[str, ...] = ()  # what each curve is of, in the sentence's order
    ordered: bool = True  # whether they happen in that order
    weights: CombinedWeights = field(default_factory=CombinedWeights)  # beside the rules' evidence

    __repr__ = brief

    def as_dict(self, span_s: TimeSpan) -> JsonDict:
        """Plain values for JSON, best first; times in seconds of a video of ``span_s``."""
        order = np.argsort(-self.scores.tubelet_scores, kind="stable").tolist()
        curves = self.scores.curves
        extra = {} if curves is None else {"curves": _curves(curves[order[0]], self.acts, span_s)}
        return {
            "tubelets": [
                {"id": self.ids[at], "score": round(float(self.scores.tubelet_scores[at]), 6)}
                for at in order
            ],
            "proposals": _proposals(self.scores, span_s),
            "parts": [_proposals(one, span_s) for one in self.parts],
            **extra,
            "unknown": list(self.unknown),
            "read": None if self.refined is None else self.refined.as_dict(),
        }


def run(
    runtime: Runtime, features: HeadFeatures, phrases: Phrases, config: GroundConfig
) -> HeadScores | None:
    """The heads' prediction for the query form of ``config``; None where there is no tubelet.

    The sub-phrases are run too where ``config.segment`` needs them. UsageError where the
    vectors' lengths are not those that the heads were built for.
    """
    if not features.ids:
        return None
    metadata = runtime.metadata
    inputs, acts = inputs_of(features, phrases, metadata, config)
    scores = runtime.run(inputs)
    if scores.curves is not None:
        ordered = metadata.temporal.queries != "words"
        return HeadScores(
            features.ids, scores, acts=acts, ordered=ordered, weights=metadata.combined
        )
    missing = unknown(metadata, chosen(phrases, config, metadata))
    if metadata.temporal.acts:  # the heads take one sub-phrase at a time
        rest = [
            runtime.run(_assembled(features, phrases.sentence, metadata, [act]))
            for act in phrases.acts[1:]
        ]
        return HeadScores(features.ids, scores, (scores, *rest), missing, acts=acts)
    parts = phrases.passes if config.segment == "hull" else ()
    others = [runtime.run(_assembled(features, phrase, metadata)) for phrase in parts]
    return HeadScores(features.ids, scores, tuple(others), missing)


def inputs_of(
    features: HeadFeatures, phrases: Phrases, metadata: HeadsMetadata, config: GroundConfig
) -> tuple[GroundingInputs, tuple[str, ...]]:
    """What heads see of one video and one query, and the text of each sub-phrase that asks for a
    moment of its own. UsageError where vectors are not as long as those of the training."""
    whole, temporal = chosen(phrases, config, metadata), metadata.temporal
    _check(metadata, features, whole)
    acts = moment_queries(phrases.acts, temporal.acts) if temporal.acts else ()
    inputs = _assembled(features, whole, metadata, acts)
    return inputs, tuple(" ".join(act.words) for act in acts)


def chosen(phrases: Phrases, config: GroundConfig, metadata: HeadsMetadata) -> Phrase:
    """What ``config.query_form`` names of a query; the sentence where sub-phrases are apart."""
    alone = metadata.temporal.acts or config.query_form == "sentence"
    return phrases.sentence if alone else phrases.refined


def unknown(metadata: HeadsMetadata, phrase: Phrase) -> tuple[str, ...]:
    """The words of ``phrase`` that are not in the vocabulary of the training, each once."""
    return tuple(dict.fromkeys(word for word in phrase.words if word not in metadata.word_ids))


def _assembled(
    features: HeadFeatures, phrase: Phrase, metadata: HeadsMetadata, acts: Sequence[Phrase] = ()
) -> GroundingInputs:
    tubelets = FeatureSpec(metadata.features).seen(features.tubelets)
    return assemble(
        tubelets, features.tubelet_mask, features.clips, phrase, metadata.word_ids, acts
    )


def _check(metadata: HeadsMetadata, features: HeadFeatures, phrase: Phrase) -> None:
    sizes = metadata.sizes
    tubelets = FeatureSpec(metadata.features).seen(features.tubelets)
    for name, wanted, length in (
        ("a tubelet's", sizes.tubelets, tubelets.shape[-1]),
        ("a clip's", sizes.clips, features.clips.shape[-1]),
        ("a word's", sizes.words, phrase.vectors.shape[-1]),
    ):
        if wanted != length:
            raise UsageError(
                f"{name} features: the heads were trained on vectors of {wanted}, found {length}",
                "use the detector and encoders of the training, or train again with these",
            )


def _curves(curves: FloatArray, acts: Sequence[str], span_s: TimeSpan) -> list[JsonDict]:
    """Each sub-phrase with its log odds over the video; null where the tubelet is absent."""
    ends = np.linspace(*span_s, len(curves) + 1)
    times = [round(float(one), 6) for one in (ends[:-1] + ends[1:]) / 2]
    rows = np.where(curves == ABSENT, np.nan, curves).T
    return [
        {
            "text": text,
            "times": times,
            "log_odds": [None if np.isnan(one) else round(float(one), 4) for one in row],
        }
        for text, row in zip(acts, rows, strict=False)
    ]


def _proposals(scores: GroundingScores, span_s: TimeSpan) -> list[Mapping[str, float]]:
    if scores.proposals is None or scores.proposal_scores is None:
        return []
    order = np.argsort(-scores.proposal_scores, kind="stable")
    low_s, high_s = span_s
    spans = low_s + np.clip(scores.proposals[order], 0, 1) * (high_s - low_s)
    return [
        {"start_time": round(low, 6), "end_time": round(high, 6), "score": round(score, 6)}
        for (low, high), score in zip(
            spans.tolist(), scores.proposal_scores[order].tolist(), strict=True
        )
    ]
