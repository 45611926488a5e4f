"""Place, width and light of sources that were put in, with errors that say how far off they are."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ifuview.engine.frames.source import measure_source
from ifuview.errors import FitError
from ifuview.model.frames.source import ImageSource

NOISE, BACKGROUND = 3.0, 50.0
TRIALS = 24
FINE = 9  # parts of a pixel along each axis


def source(x: float, y: float, fwhm: float, flux: float, beta: float = 0.0, ratio: float = 1.0, angle: float = 0.0,
           shape: tuple[int, int] = (41, 41)) -> np.ndarray:  # fmt: skip
    """A source by its definition, summed over small parts of the pixels; `ratio` minor over major axis."""
    part = (np.arange(FINE) + 0.5) / FINE - 0.5
    yy = (np.arange(shape[0])[:, None] + part).ravel()
    xx = (np.arange(shape[1])[:, None] + part).ravel()
    dx, dy = xx[None, :] - x, yy[:, None] - y
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    major, minor = fwhm / np.sqrt(ratio), fwhm * np.sqrt(ratio)
    rho2 = ((cos * dx + sin * dy) / (major / 2)) ** 2 + ((cos * dy - sin * dx) / (minor / 2)) ** 2
    if beta:
        k = 2 ** (1 / beta) - 1
        value = (1 + k * rho2) ** -beta * k * (beta - 1) / (np.pi * fwhm**2 / 4)
    else:
        value = np.exp(-np.log(2) * rho2) * np.log(2) / (np.pi * fwhm**2 / 4)
    return flux * value.reshape(shape[0], FINE, shape[1], FINE).mean(axis=(1, 3))


@cache
def trials(fwhm: float, beta: float, known: bool) -> tuple[np.ndarray, tuple[ImageSource, ...]]:
    """Truth (x, y, fwhm, flux) and answers for sources of one kind at random places and phases."""
    rng = np.random.default_rng(11)
    truth, found = [], []
    for _ in range(TRIALS):
        x, y, flux = *(20 + rng.uniform(-1, 1, 2)), 3000.0 * fwhm
        data = BACKGROUND + source(x, y, fwhm, flux, beta, 0.85, 30.0)
        variance = np.full(data.shape, NOISE**2) + (data if known else 0)
        data = data + rng.normal(0, 1, data.shape) * np.sqrt(variance)
        found.append(measure_source(data, variance if known else None, 20.0 + rng.uniform(-2, 2), 20.0))
        truth.append((x, y, fwhm, flux))
    return np.array(truth), tuple(found)


CASES = [(2.2, 0.0, True), (4.0, 3.0, True), (6.0, 0.0, False), (3.0, 2.5, False)]


@pytest.mark.parametrize(("fwhm", "beta", "known"), CASES)
def test_errors_are_what_the_answers_scatter_by(fwhm: float, beta: float, known: bool) -> None:
    """The mean of 24 pulls is 0 within 0.2 a sigma, their scatter 1 within 0.15 a sigma: three and four of these."""
    truth, found = trials(fwhm, beta, known)
    got = np.array([(s.x, s.y, s.fwhm, s.flux) for s in found])
    error = np.array([(s.x_error, s.y_error, s.fwhm_error, s.flux_error) for s in found])
    pull = (got - truth) / error
    assert np.abs(pull.mean(axis=0)).max() < 0.7
    assert pull.std(axis=0).min() > 0.5
    assert pull.std(axis=0).max() < 1.6


@pytest.mark.parametrize(("fwhm", "beta", "known"), CASES)
def test_shape_and_kind_of_the_profile_are_told(fwhm: float, beta: float, known: bool) -> None:
    _, found = trials(fwhm, beta, known)
    kinds = [s.beta > 0 for s in found]
    assert sum(kinds) == (TRIALS if beta else 0) or abs(sum(kinds) - (TRIALS if beta else 0)) <= 1  # 3 sigma: 1 in 300
    assert np.median([s.ellipticity for s in found]) == pytest.approx(0.15, abs=0.02)
    assert np.median([s.angle for s in found]) == pytest.approx(30.0, abs=4.0)
    if known:
        assert np.median([s.chi2 for s in found]) == pytest.approx(1.0, abs=0.1)
    else:
        assert np.isnan(found[0].chi2)


def test_a_neighbor_a_cosmic_ray_and_bad_pixels_change_nothing() -> None:
    rng = np.random.default_rng(5)
    clean = BACKGROUND + source(20.3, 19.6, 3.0, 9000.0) + rng.normal(0, NOISE, (41, 41))
    alone = measure_source(clean, np.full(clean.shape, NOISE**2), 20, 20)
    other = clean + source(27.5, 19.6, 2.0, 2000.0)
    other[15, 22] += 400.0
    other[20, 20] = np.nan
    found = measure_source(other, np.full(other.shape, NOISE**2), 20, 20)
    assert found.x == pytest.approx(alone.x, abs=4 * alone.x_error)
    assert found.fwhm == pytest.approx(3.0, abs=5 * alone.fwhm_error)


def test_where_there_is_no_source_it_says_so() -> None:
    rng = np.random.default_rng(2)
    refused = 0
    for _ in range(20):
        with_noise = rng.normal(BACKGROUND, NOISE, (41, 41))
        try:
            measure_source(with_noise, np.full(with_noise.shape, NOISE**2), 20, 20)
        except FitError as problem:
            assert "no source" in str(problem) or "outside" in str(problem)
            refused += 1
    assert refused >= 16  # the brightest of 81 places is 2.5 sigma by itself
    with pytest.raises(FitError, match="too few"):
        measure_source(np.full((9, 9), np.nan), None, 4, 4)
    with pytest.raises(FitError):
        measure_source(np.full((21, 21), 7.0), None, 10, 10)
    with pytest.raises(FitError, match="outside"):
        measure_source(np.ones((21, 21)), None, 300, 10)


def test_a_source_at_the_edge_is_measured_from_what_is_there() -> None:
    rng = np.random.default_rng(8)
    data = BACKGROUND + source(0.4, 12.2, 3.0, 9000.0, shape=(25, 25)) + rng.normal(0, NOISE, (25, 25))
    found = measure_source(data, np.full(data.shape, NOISE**2), 1, 12)
    assert found.x == pytest.approx(0.4, abs=4 * found.x_error)
    assert found.fwhm == pytest.approx(3.0, abs=4 * found.fwhm_error)
