"""Reports over many samples: means, thresholds, oracles, top-1, groups, what lacks, intervals."""

import json

import numpy as np
import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.evaluation import summary
from cospal_cli.evaluation.bootstrap import intervals
from cospal_cli.evaluation.summary import by_count, evaluate
from cospal_cli.evaluation.tubes import Prediction, Track, Truth


def still(start: int, end: int, x: float = 0.0, width: float = 10.0) -> Track:
    """One box at rest."""
    return Track(np.arange(start, end), np.tile([x, 0, x + width, 10], (end - start, 1)))


def truth(start: int = 10, end: int = 20, **more: str) -> Truth:
    return Truth((start, end), still(start, end), (0, 40), 5.0, **more)


def mean(report: summary.EvaluationReport, metric: str, row: str = summary.PREDICTED) -> float:
    return report.rows[row][metric].mean


def test_means_and_strict_thresholds() -> None:
    predictions = {
        "right": Prediction(still(10, 20), (10, 20)),
        "half": Prediction(still(10, 20, width=5.0), (10, 20)),  # vIoU is 0.5: not above it
        "late": Prediction(still(0, 40), (15, 25)),
        "off": Prediction(still(10, 20, x=50), (10, 20)),
    }
    report = evaluate(predictions, dict.fromkeys(predictions, truth()))
    assert mean(report, "m_tIoU") == pytest.approx((1 + 1 + 1 / 3 + 1) / 4)
    assert mean(report, "m_vIoU") == pytest.approx((1 + 0.5 + 1 / 3 + 0) / 4)
    assert mean(report, "vIoU@0.3") == 0.75
    assert mean(report, "vIoU@0.5") == 0.25
    assert mean(report, "m_sIoU") == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert report.values["late"]["m_vIoU"] == pytest.approx(1 / 3)
    assert report.remarks() == []


def test_what_lacks_counts_0_and_is_told() -> None:
    truths = {name: truth() for name in "abcd"}
    predictions = {
        "a": Prediction(still(10, 20), (10, 20)),
        "b": None,
        "c": Prediction(still(0, 5), (10, 20)),  # no box in its span
        "z": Prediction(still(10, 20), (10, 20)),
    }
    report = evaluate(predictions, truths)
    assert mean(report, "m_vIoU") == 0.25
    assert (report.missing, report.empty, report.unknown) == (("d",), ("b", "c"), ("z",))
    assert report.remarks() == [
        "1 of 4 predictions are missing and count 0 (d)",
        "2 of 4 predictions hold no box and count 0 (b, c)",
        "1 predictions belong to no ground truth and are left out (z)",
    ]
    assert report.as_dict()["missing"] == {"count": 1, "ids": ["d"]}


def test_nothing_predicted_at_all() -> None:
    report = evaluate({}, {"a": truth(), "b": truth()})
    assert all(mean(report, metric) == 0 for metric in summary.METRICS)
    assert report.missing == ("a", "b")


def test_no_truth_at_all_is_not_a_number() -> None:
    report = evaluate({}, {})
    assert report.samples == 0
    assert np.isnan(mean(report, "m_tIoU"))
    text = json.dumps(report.as_dict(), allow_nan=False)
    assert '"mean": null' in text


def test_oracles() -> None:
    good, bad = still(12, 40), still(0, 40, x=8)
    predictions = {"a": Prediction(bad, (10, 15), (bad, good))}
    report = evaluate(predictions, {"a": truth()})
    assert mean(report, "m_tIoU") == 0.5
    assert mean(report, "m_vIoU") == pytest.approx(0.5 * 2 / 18)
    assert mean(report, "m_vIoU", summary.TRUE_TIME) == pytest.approx(2 / 18)
    assert mean(report, "m_tIoU", summary.TRUE_TIME) == 1
    assert mean(report, "m_tIoU", summary.WHOLE) == pytest.approx(10 / 40)
    assert mean(report, "m_vIoU", summary.WHOLE) == pytest.approx(10 * 2 / 18 / 40)
    assert mean(report, "m_vIoU", summary.BEST_TUBELET) == pytest.approx(0.3)  # 12 to 15 of 10
    assert mean(report, "m_vIoU", summary.BOTH) == pytest.approx(0.8)
    assert mean(report, "m_sIoU", summary.BOTH) == pytest.approx(0.8)


def test_an_answer_beyond_the_tubelet_is_scored_as_it_is() -> None:
    life = still(30, 40)
    found = Prediction(life, (10, 20), (life,), beyond=still(10, 20))
    report = evaluate({"a": found}, {"a": truth()})
    assert mean(report, "m_vIoU") == mean(report, "m_tIoU") == 1
    assert mean(report, "m_sIoU") == mean(report, "m_tIoU", summary.WHOLE) == 0
    assert mean(report, summary.TOP1) == 0


def test_bare_tubes_have_no_tubelet_rows() -> None:
    report = evaluate({"a": Prediction(still(10, 20), (10, 20))}, {"a": truth()})
    assert list(report.rows) == [summary.PREDICTED, summary.TRUE_TIME]
    assert summary.TOP1 not in report.rows[summary.PREDICTED]
    assert report.groups == ()


def test_top_1() -> None:
    right, wrong, far = still(0, 40), still(0, 40, x=5), still(0, 40, x=90)
    tubelets = (right, wrong, far)
    predictions = {
        "right": Prediction(right, (0, 40), tubelets),
        "wrong": Prediction(wrong, (0, 40), tubelets),
        "tie": Prediction(right, (0, 40), (right, right, wrong, far)),
        "hopeless": Prediction(far, (0, 40), (far, far)),
        "missing": None,
    }
    report = evaluate(predictions, dict.fromkeys(predictions, truth()))
    assert mean(report, summary.TOP1) == pytest.approx(2 / 5)
    assert mean(report, summary.CHANCE) == pytest.approx((1 / 3 + 1 / 3 + 2 / 4) / 5)
    assert summary.TOP1 not in report.rows[summary.BOTH]


def test_groups() -> None:
    truths = {"a": truth(), "b": truth(form="interrogative"), "c": truth(form="interrogative")}
    one = still(10, 20)
    predictions = {
        "a": Prediction(one, (10, 20), (one,) * 4),
        "b": Prediction(one, (10, 20), (one,) * 8),
    }
    actions = by_count({"a": 1, "b": 7}, summary.ACTION_EDGES)
    report = evaluate(predictions, truths, groups={"actions": actions})
    found = {(g.kind, g.label): (g.samples, g.means["m_vIoU"].mean) for g in report.groups}
    assert found == {
        ("form", "declarative"): (1, 1.0),
        ("form", "interrogative"): (2, 0.5),
        ("tubelets", "1-4"): (1, 1.0),
        ("tubelets", "8+"): (1, 1.0),
        ("actions", "1"): (1, 1.0),
        ("actions", "5+"): (1, 1.0),
    }
    assert report.as_dict()["groups"][1]["m_vIoU"]["mean"] == 0.5


def test_bins() -> None:
    counts = {str(count): count for count in (0, 1, 4, 5, 7, 8, 99)}
    assert list(by_count(counts, (1, 5, 8)).values()) == [
        "<1", "1-4", "1-4", "5-7", "5-7", "8+", "8+",
    ]  # fmt: skip


def test_unknown_protocol() -> None:
    with pytest.raises(UsageError, match="unknown protocol 'exact'"):
        evaluate({}, {"a": truth()}, "exact")


def test_the_protocol_is_that_asked_for() -> None:
    predictions = {"a": Prediction(still(10, 20), (10, 20))}
    report = evaluate(predictions, {"a": truth()}, "stcat")
    assert report.protocol == "stcat"
    assert mean(report, "m_vIoU") == pytest.approx(0.9)


def test_intervals_are_deterministic_and_hold_the_mean() -> None:
    values = np.random.default_rng(1).random(300)
    names = [str(at) for at in range(300)]
    found = intervals({"x": values}, names)["x"]
    assert found == intervals({"x": values}, names)["x"]
    assert found != intervals({"x": values}, names, seed=1)["x"]
    assert found.mean == pytest.approx(values.mean())
    error = values.std() / np.sqrt(300)  # the interval of a mean: 1.96 standard errors
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.mean == pytest.approx(1.96 * error, rel=0.15)
    assert found.mean - found.low == pytest.approx(1.96 * error, rel=0.15)


def test_sentences_about_one_video_go_together() -> None:
    values = np.repeat(np.random.default_rng(1).random(50), 10)
    apart = intervals({"x": values}, [str(at) for at in range(500)])["x"]
    together = intervals({"x": values}, [str(at // 10) for at in range(500)])["x"]
    widths = [one.high - one.low for one in (apart, together) if one.high and one.low]
    assert widths[1] == pytest.approx(widths[0] * np.sqrt(10), rel=0.15)


def test_no_intervals_asked() -> None:
    found = intervals({"x": np.ones(3)}, list("abc"), resamples=0)["x"]
    assert found == (1.0, None, None)


def test_the_whole_of_hcstvg_takes_seconds() -> None:
    truths = {str(at): truth() for at in range(1160)}
    tubelets = tuple(still(0, 40, x=at) for at in range(5))
    predictions = {one: Prediction(tubelets[1], (5, 20), tubelets) for one in truths}
    report = evaluate(predictions, truths, "tubedetr")
    assert report.samples == 1160
    assert mean(report, summary.TOP1) == 0
