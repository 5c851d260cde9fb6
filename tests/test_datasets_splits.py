"""The tenth of train for validation, and work that outlives bad items and dying processes."""

import os
import time
from pathlib import Path

import pytest

from cospal_cli import datasets
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.worker_pool import DIED, Failure, attempt_all
from cospal_cli.datasets.splits import validation_sources
from tests.data_folders import NAMES, hcstvg, v1


def test_a_tenth_by_source_whatever_the_order() -> None:
    sources = [f"film{at % 200}" for at in range(1000)]
    validation = validation_sources(sources)
    assert validation == validation_sources(sources[::-1])
    assert len(validation) == 20
    # Fixed for ever: another choice would judge old checkpoints by what they were trained on.
    assert sorted(validation)[:4] == ["film1", "film113", "film126", "film127"]


def test_uneven_sources_come_near_the_share() -> None:
    sources = [f"film{at}" for at in range(100) for _ in range(1 + at)]
    validation = validation_sources(sources)
    share = sum(source in validation for source in sources) / len(sources)
    assert 0.08 < share < 0.12


@pytest.mark.parametrize(
    ("sources", "validation"), [(["a"], 0), (["a", "b"], 1), ([], 0), (["a"] * 9, 0)]
)
def test_few_sources(sources: list[str], validation: int) -> None:
    assert len(validation_sources(sources)) == validation


def test_parts_of_train_share_no_source(tmp_path: Path) -> None:
    root = hcstvg(tmp_path)
    fit = datasets.read(root, "fit", truth=False)
    validation = datasets.read(root, "validation", truth=True)
    assert (fit.split, validation.split) == ("fit", "validation")
    assert len(validation.records) == 1
    assert not {one.source for one in fit.records} & {one.source for one in validation.records}
    assert {one.id for one in fit.records + validation.records} == set(NAMES)
    assert set(validation.truths) == {one.id for one in validation.records}


def test_the_former_name_is_read_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = hcstvg(tmp_path)
    former = datasets.read(root, "held", truth=False)
    assert caplog.messages == [
        "the split held is now called validation; the old name works until version 0.3"
    ]
    assert former.split == "validation"
    assert former.records == datasets.read(root, "validation", truth=False).records
    with pytest.raises(UsageError, match=r"unknown split 'hold'") as caught:
        datasets.read(root, "hold", truth=False)
    assert caught.value.hint == "known: train, val, test, fit, validation"


def test_a_bad_truth_moves_no_record_to_the_other_part(tmp_path: Path) -> None:
    root = hcstvg(tmp_path)
    (validation,) = datasets.read(root, "validation", truth=True).records
    rows = {name: v1(**({"bbox": []} if name == validation.id else {})) for name in NAMES}
    hcstvg(tmp_path / "again", rows)
    assert datasets.read(tmp_path / "again", "validation", truth=True).records == ()
    fit = datasets.read(tmp_path / "again", "fit", truth=False).records
    assert {one.id for one in fit} == set(NAMES) - {validation.id}


def work(item: int) -> int:
    """Doubles; 3 is bad, 5 kills the process."""
    if item == 3:
        raise InputError("three is bad")
    if item == 5:
        os._exit(9)
    return item * 2


def test_bad_items_and_dying_processes_cost_only_themselves() -> None:
    began = time.monotonic()
    results = list(attempt_all(iter(range(9)), work, workers=2))
    assert [item for item, _ in results] == list(range(9))
    expected = {3: Failure("three is bad"), 5: Failure(DIED)}
    assert [result for _, result in results] == [expected.get(at, at * 2) for at in range(9)]
    assert time.monotonic() - began < 60


def test_leaving_early_is_no_hang() -> None:
    results = attempt_all(range(1000), work, workers=1)
    assert next(results) == (0, 0)
    results.close()


def test_any_exception_is_a_failure() -> None:
    ((_, result),) = attempt_all(["x"], int)
    assert isinstance(result, Failure)
    assert "invalid literal" in result.reason
