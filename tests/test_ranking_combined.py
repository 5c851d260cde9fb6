"""Rules and heads together: sums, spans that move, and weights that follow what informs."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from cospal_cli.core.contract import ABSENT
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.grounding import GroundingScores
from cospal_cli.core.observation import TimeSpan
from cospal_cli.model.metadata import CombinedWeights, HeadsMetadata, Sizes
from cospal_cli.ranking import combined, cospal, zero_shot
from cospal_cli.ranking.combined import EXCLUDED, inside
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import NOTHING, Ranked
from cospal_cli.ranking.prediction import HeadScores
from cospal_cli.settings import GroundConfig, ModelConfig
from cospal_cli.training.combine import _fitted
from cospal_cli.training.contrast import PhraseScores

LINE = SimpleNamespace(times_s=np.arange(10.0), end_s=10.0)


def candidate(number: int) -> Any:
    return SimpleNamespace(tubelet=SimpleNamespace(id=number, times_s=np.arange(10.0)))


def ranked(monkeypatch: pytest.MonkeyPatch, rules: Ranked, weights: CombinedWeights) -> Ranked:
    """Three candidates; the heads like 1, 2 and 3 in this order, and see the act in bins 2 to 3."""
    scores = np.array([0.5, 0.3, 0.2], np.float32)
    curves = np.full((3, 10, 1), -1.0, np.float32)
    curves[:, 2:4] = 1.0
    curves[:, 9] = ABSENT
    prediction = HeadScores(
        (1, 2, 3), GroundingScores(scores, curves=curves), acts=("waves",), weights=weights
    )
    every = [candidate(number) for number in (1, 2, 3)]
    monkeypatch.setattr(zero_shot, "rank", lambda *_: rules)
    evidence = Evidence(LINE, (), prediction=prediction)  # type: ignore[arg-type]
    assert cospal.rank(every, None, evidence, GroundConfig()).candidates  # type: ignore[arg-type]
    return combined.rank(every, None, evidence, GroundConfig())  # type: ignore[arg-type]


def said(logs: dict[int, float], span: tuple[float, float]) -> Ranked:
    rows = np.array(list(logs.values()))
    return Ranked([candidate(n) for n in logs], rows, lambda one: TimeSpan(*span), rows)


def test_log_odds_add_up_by_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ranked(monkeypatch, said({2: -1.0, 1: -3.0}, (2, 4)), CombinedWeights(2.0, 0.5, 0.0))
    heads = np.log([0.5, 0.3, 0.2])
    rules = np.array([-3.0, -1.0, -3.0 - EXCLUDED])  # the rules leave 3 out
    assert found.logs == pytest.approx(2 * rules + 0.5 * heads, abs=1e-5)
    assert [one.tubelet.id for one in found.candidates] == [1, 2, 3]
    assert found.scores.sum() == pytest.approx(1)
    assert int(found.scores.argmax()) == 1
    assert found.why["rules"] + found.why["heads"] == pytest.approx(found.logs)


@pytest.mark.parametrize(
    ("span", "weight", "expected"),
    [
        ((6, 8), 0.0, (2, 4)),  # the heads alone
        ((3, 5), 1.5, (3, 5)),
        ((6, 8), 3.0, (6, 8)),  # the rules outvote them
        ((2, 4), 1.0, (2, 4)),
    ],
)
def test_the_span_of_the_rules_moves_the_segment(
    monkeypatch: pytest.MonkeyPatch,
    span: tuple[float, float],
    weight: float,
    expected: tuple[float, float],
) -> None:
    found = ranked(monkeypatch, said({1: 0.0}, span), CombinedWeights(span=weight))
    assert tuple(found.span_of(found.candidates[0])) == pytest.approx(expected)
    assert tuple(found.span_of(found.candidates[2])) == pytest.approx((2, 4))  # not the rules'


def test_where_the_rules_find_nothing_the_heads_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ranked(monkeypatch, NOTHING, CombinedWeights())
    assert found.scores == pytest.approx([0.5, 0.3, 0.2], abs=1e-6)


def test_bins_lie_inside_by_their_middle() -> None:
    assert inside(TimeSpan(1.2, 3.0), (0.0, 5.0), 5).tolist() == [-1, 1, 1, -1, -1]
    assert inside(TimeSpan(0, 0.4), (0.0, 5.0), 5).tolist() == [-1] * 5


@pytest.mark.parametrize("knows", ["rules", "heads", "span"])
def test_what_tells_videos_apart_gets_the_weight(knows: str) -> None:
    """Twelve videos of two tubelets; the right pairs stand out in one of the three alone."""
    rng = torch.Generator().manual_seed(1)
    count, times = 12, 6

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng)

    right = torch.eye(count).unsqueeze(-1) * torch.tensor([3.0, 0.0])  # (S, S, K)
    there = torch.ones(count, 2, dtype=torch.bool)
    rules, who = noise(count, count, 2), noise(count, count, 2)
    spans = noise(count, 2 * count, times).sign()
    s = noise(count, 2 * count, times)
    if knows == "rules":
        rules = rules + right
    elif knows == "heads":
        who = who + right
    else:  # where both agree on the time, in the right pairs
        s = 3 * s
        own = torch.arange(count)
        spans[own, 2 * own] = s[own, 2 * own].sign()
    moments = PhraseScores(
        s, torch.ones(2 * count, times, dtype=torch.bool), torch.arange(count), torch.arange(count)
    )
    weights = vars(_fitted(who, there, moments, rules, spans))
    if knows == "span":
        silent = _fitted(who, there, moments, rules, torch.ones_like(spans))
        assert silent.span == pytest.approx(1, abs=0.01)  # they say nothing
        assert weights["span"] > 1.2
    else:
        assert weights[knows] > 2 * min(weights["rules"], weights["heads"])
        assert weights[knows] == max(weights["rules"], weights["heads"])


def test_weights_of_a_checkpoint_are_checked_and_default_to_one() -> None:
    told = json.loads(HeadsMetadata(Sizes(1, 1, 1, 1), ModelConfig(), {}, ()).dumps())
    del told["combined"]
    assert HeadsMetadata.loads(json.dumps(told), "here").combined == CombinedWeights()
    for bad in ({"rules": -1}, {"rules": "much"}, {"else": 1}, [1, 1, 1], {"span": 1e999}):
        with pytest.raises(WeightsError, match="not the metadata"):
            HeadsMetadata.loads(json.dumps({**told, "combined": bad}), "here")
