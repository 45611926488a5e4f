"""The degree follows the curve, outliers do not."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.numeric.smooth_fit import smooth_fit
from ifuview.errors import FitError

X = np.arange(2000.0)


@pytest.mark.parametrize("degree", [0, 1, 3, 5])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_polynomial_is_found_with_and_without_noise(degree, noise):
    rng = np.random.default_rng(degree)
    truth = np.polynomial.legendre.legval(np.linspace(-1, 1, X.size), np.r_[np.zeros(degree), 3.0])
    found = smooth_fit(X, truth + rng.normal(0, noise, X.size) if noise else truth)
    assert found.degree == degree if noise else found.degree >= degree
    # the error of a fit of n points with k coefficients
    assert np.std(found.fit - truth) < 3 * noise * np.sqrt((degree + 1) / X.size) + 1e-9


def test_outliers_are_named_and_left_out():
    rng = np.random.default_rng(1)
    y = 1e-6 * (X - 900) ** 2 + rng.normal(0, 0.003, X.size)
    y[[10, 700, 701]] += 0.2
    found = smooth_fit(X, y)
    assert {10, 700, 701} <= set(found.outliers)
    assert found.outliers.size <= 5
    assert found.chi2_per_dof == pytest.approx(1, abs=0.15)


def test_errors_that_are_too_small_do_not_flatten_the_curve():
    y = 1e-6 * (X - 900) ** 2 + np.random.default_rng(2).normal(0, 0.01, X.size)
    assert smooth_fit(X, y, np.full(X.size, 1e-5)).degree == 2


def test_one_point_is_no_curve():
    with pytest.raises(FitError):
        smooth_fit(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
