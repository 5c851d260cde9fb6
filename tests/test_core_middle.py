"""Our own median and quantiles are NumPy's, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.middle import median, quantile


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 17, 200])
def test_as_numpy(kind: type, count: int) -> None:
    values = (np.random.default_rng(count).random((count, 3)) * 1000).astype(kind)
    for axis in (None, 0, 1):
        ours, theirs = median(values, axis=axis), np.median(values, axis=axis)
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        np.testing.assert_array_equal(ours, theirs)
    for share in (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0):
        assert quantile(values, share) == float(np.quantile(values, share))


def test_of_nothing() -> None:
    for compute in (median, lambda values: quantile(values, 0.5)):
        with pytest.raises(ValueError, match="found none"):
            compute(np.zeros(0))
