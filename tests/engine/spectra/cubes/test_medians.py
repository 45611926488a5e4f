"""The median of the kernels is that of numpy, whatever the values are."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.cubes.kernels import BINS, middle

COUNTS = np.empty(BINS, np.int64)


def draws(rng, n):
    yield rng.normal(0, 1, n)
    yield rng.integers(0, 3, n)
    yield np.full(n, 7.0)
    yield np.append(rng.normal(0, 1e-3, n - 1), 3e38)
    yield np.concatenate([np.zeros(n // 2), np.ones(n - n // 2)])
    yield np.append(np.full(n - 1, -2.5), 1e30)
    yield np.exp(rng.normal(0, 20, n))


@pytest.mark.parametrize("n", [1, 2, 3, 24, 25, 26, 101, 1000, 2001])
def test_it_is_the_median(n):
    rng = np.random.default_rng(n)
    for values in draws(rng, n):
        values = np.asarray(values, np.float32)
        expected = float(np.median(values.astype(np.float64)))
        assert middle(values.copy(), n, COUNTS) == pytest.approx(expected, rel=1e-6, abs=0)
