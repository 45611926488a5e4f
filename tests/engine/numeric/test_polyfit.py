import numpy as np

from ifuview.engine.numeric.polyfit import covariance, evaluate, fit_rows, legendre_basis, variance_series


def test_fit_is_that_of_numpy_and_outliers_are_clipped():
    rng = np.random.default_rng(1)
    column = np.arange(0, 1000, 10)
    basis = legendre_basis(column, 1000, 4)
    true = rng.normal(0, 1, (5, 5))
    values = true @ basis.T + 0.01 * rng.standard_normal((5, 100))
    weight = np.full_like(values, 1e4)
    want = np.polynomial.legendre.legfit(2 * column / 999 - 1, values.T, 4).T
    coeff, _, kept = fit_rows(basis, values, weight, rounds=0)
    assert np.allclose(coeff, want) and kept.all()
    values[2, 40] += 5
    values[3, 10] = np.nan
    coeff, _, kept = fit_rows(basis, values, weight)
    assert not kept[2, 40] and not kept[3, 10] and np.abs(coeff - true).max() < 0.02


def test_too_few_values_give_nan():
    basis = legendre_basis(np.arange(10), 10, 4)
    values = np.full((1, 10), np.nan)
    values[0, :4] = 1
    assert np.isnan(fit_rows(basis, values, np.ones((1, 10)))[0]).all()


def test_variance_series_is_the_quadratic_form():
    basis = legendre_basis(np.arange(50), 50, 3)
    spread = covariance(basis, np.ones((2, 50)), np.ones((2, 50), bool))
    want = np.einsum("ij,kjl,il->ki", basis, spread, basis)
    assert np.allclose(evaluate(variance_series(spread), legendre_basis(np.arange(50), 50, 6)), want)
