"""The picture of a report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cospal_cli.core.errors import UsageError
from cospal_cli.evaluation.plots import above, distributions
from cospal_cli.evaluation.summary import EvaluationReport, by_count, evaluate
from cospal_cli.evaluation.tubes import Prediction
from tests.test_evaluation_summary import still, truth


def report(resamples: int = 50) -> EvaluationReport:
    truths = {str(at): truth(form=("declarative", "interrogative")[at % 2]) for at in range(8)}
    tubelets = (still(0, 40), still(0, 40, x=5))
    found = {
        one: Prediction(tubelets[at % 2], (8, 15 + at), tubelets) for at, one in enumerate(truths)
    }
    actions = by_count({one: int(one) % 3 + 1 for one in truths}, (1, 2, 3))
    return evaluate(found, truths, groups={"actions": actions}, resamples=resamples)


@pytest.mark.parametrize("resamples", [50, 0])
def test_a_picture_of_several_methods(tmp_path: Path, resamples: int) -> None:
    file = tmp_path / "distributions.png"
    distributions(file, {"cospal": report(resamples), "random": report(resamples)}, "SYNTHETIC")
    with Image.open(file) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
        assert len(picture.convert("RGB").getcolors(2**20) or ()) > 20  # something is drawn
    assert list(tmp_path.iterdir()) == [file]


def test_bare_tubes_and_nothing_at_all(tmp_path: Path) -> None:
    bare = evaluate({"a": Prediction(still(10, 20), (10, 20))}, {"a": truth()})
    for name, one in (("bare", bare), ("missing", evaluate({}, {"a": truth()}))):
        distributions(tmp_path / f"{name}.png", {"x": one}, name)
        assert (tmp_path / f"{name}.png").stat().st_size > 1000


def test_shares_above_are_strict() -> None:
    values = np.array([0.0, 0.3, 0.5, 0.5, 1.0])
    np.testing.assert_allclose(above(values, np.array([0, 0.3, 0.5, 1])), [0.8, 0.6, 0.2, 0])


def test_without_matplotlib_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError("no such module", name=name.split(".")[0])

    one = report(0)
    monkeypatch.setattr("cospal_cli.core.registry.importlib.import_module", absent)
    with pytest.raises(UsageError, match="matplotlib") as caught:
        distributions(tmp_path / "x.png", {"x": one}, "x")
    assert "[train]" in caught.value.hint
