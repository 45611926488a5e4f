"""The law of counts of a speckle pattern: against other ways to compute it, its parameters out of simulated counts."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.photons.statistics import rician


def laguerre(nmax: int, ic: float, is_: float) -> np.ndarray:
    """P(n) from Laguerre polynomials, for small n."""
    from scipy.special import eval_laguerre

    n = np.arange(nmax + 1)
    a = 1 + is_
    return np.exp(-ic / a) / a * (is_ / a) ** n * eval_laguerre(n, -ic / (is_ * a))


@pytest.mark.parametrize("ic, is_", [(1.0, 0.5), (0.2, 3.0), (4.0, 0.05)])
def test_the_recurrence_equals_the_laguerre_form(ic, is_):
    np.testing.assert_allclose(rician.pmf(25, ic, is_), laguerre(25, ic, is_), rtol=1e-11)


def test_without_speckles_the_law_is_poisson():
    from scipy.stats import poisson

    n = np.arange(60)
    np.testing.assert_allclose(rician.log_pmf(59, 3.0, 0.0, 2.0), poisson.logpmf(n, 5.0), rtol=1e-11)


@pytest.mark.parametrize("ic, is_, ip", [(3.0, 0.4, 2.0), (0.1, 2.0, 6.0), (20.0, 5.0, 15.0)])
def test_incoherent_light_is_a_convolution_with_poisson(ic, is_, ip):
    from scipy.stats import poisson

    n = np.arange(150)
    expected = np.convolve(rician.pmf(149, ic, is_), poisson.pmf(n, ip))[:150]
    np.testing.assert_allclose(rician.pmf(149, ic, is_, ip), expected, rtol=1e-9, atol=1e-14)


def test_bright_bins_do_not_overflow_and_sum_to_one():
    chance = rician.pmf(9000, 900.0, 150.0, 300.0)
    assert np.all(np.isfinite(chance))
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    n = np.arange(9001)
    assert chance @ n == pytest.approx(1350, rel=1e-9)
    assert chance @ (n - 1350.0) ** 2 == pytest.approx(150**2 + 2 * 900 * 150 + 1350, rel=1e-7)


def test_the_gradient_and_hessian_are_those_of_the_likelihood():
    rng = np.random.default_rng(4)
    hist = np.bincount(counts(rng, 3.0, 1.5, 1.0, 2000)).astype(float)
    at = np.array([2.5, 1.2, 1.3])
    work, grad, hess = np.empty((6, len(hist))), np.empty(3), np.empty((3, 3))
    rician.derivatives(hist, *at, work, grad, hess)
    step = 1e-5
    for i in range(3):
        up, down = at.copy(), at.copy()
        up[i] += step
        down[i] -= step
        slope = (rician.log_likelihood(hist, *up) - rician.log_likelihood(hist, *down)) / (2 * step)
        assert grad[i] == pytest.approx(slope, rel=1e-4, abs=1e-3)
        g_up, g_down, none = np.empty(3), np.empty(3), np.empty((3, 3))
        rician.derivatives(hist, *up, work, g_up, none)
        rician.derivatives(hist, *down, work, g_down, none)
        np.testing.assert_allclose(hess[i], (g_up - g_down) / (2 * step), rtol=1e-4, atol=1e-2)


def counts(rng: np.random.Generator, ic: float, is_: float, ip: float, size: int) -> np.ndarray:
    """Counts of bins with independent speckle fields."""
    field = np.sqrt(ic) + np.sqrt(is_ / 2) * (rng.normal(size=size) + 1j * rng.normal(size=size))
    return rng.poisson(np.abs(field) ** 2 + ip)


@pytest.mark.parametrize("method", ["moments", "fit"])
def test_intensities_are_recovered_with_honest_errors(method):
    rng = np.random.default_rng(11)
    pulls = []
    for _ in range(300):
        hist = np.bincount(counts(rng, 1.2, 0.8, 0.0, 3000))
        found = getattr(rician, method)(hist)
        pulls.append(((found.ic - 1.2) / found.ic_error, (found.is_ - 0.8) / found.is_error))
    pulls = np.array(pulls)
    assert np.all(np.abs(pulls.mean(axis=0)) < 0.25)  # 4 sigma of the mean of 300
    assert np.all(np.abs(pulls.std(axis=0) - 1) < 0.17)  # 4 sigma of the width


def test_the_fit_is_at_least_as_likely_as_moments_and_truth():
    rng = np.random.default_rng(3)
    for ic, is_ in [(0.05, 0.3), (3.0, 0.2), (0.0, 2.0), (10.0, 10.0), (0.3, 0.0)]:
        hist = np.bincount(counts(rng, ic, is_, 0.0, 3000))
        found = rician.fit(hist)
        assert found.converged
        assert found.loglike >= rician.moments(hist).loglike - 1e-6
        assert found.loglike >= rician.log_likelihood(hist, ic, is_) - 1e-6


def test_incoherent_light_can_be_fitted_too():
    rng = np.random.default_rng(8)
    hist = np.bincount(counts(rng, 30.0, 10.0, 20.0, 200_000))
    found = rician.fit(hist, ip=None)
    assert found.converged
    assert abs(found.ic - 30) < 5 * found.ic_error
    assert abs(found.is_ - 10) < 5 * found.is_error
    assert abs(found.ip - 20) < 5 * found.ip_error
    assert found.ip_error < 4


def test_no_photons_are_no_fit():
    found = rician.fit(np.array([100]))
    assert not found.converged
    assert (found.ic, found.is_) == (0, 0)
