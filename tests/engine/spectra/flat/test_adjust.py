"""The sky corrects the response of fibers, takes no source for it, and shows odd columns."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.spectra.flat.adjust import adjust_response, response_change
from ifuview.engine.spectra.flat.columns import odd_columns
from ifuview.model.reduction.ccd import ReductionBit

NFIBER, NCOL, SKY, NOISE = 120, 330, 50.0, 2.5


def _scene(response: np.ndarray, source: np.ndarray, seed: int = 2):
    rng = np.random.default_rng(seed)
    sky = tuple(np.full((NFIBER, NCOL), SKY) for _ in range(3))
    flux = tuple(s * response + source[n] + NOISE * rng.normal(size=s.shape) for n, s in enumerate(sky))
    return flux, sky, tuple(np.full(s.shape, NOISE**-2) for s in sky)


BLOCK = np.arange(NFIBER) // 60


def test_response_is_corrected_as_far_as_it_is_known_and_sources_are_not_taken_for_it() -> None:
    rng = np.random.default_rng(4)
    truth = 1 + 0.01 * rng.normal(size=(NFIBER, 1)) + 0.004 * rng.normal(size=(NFIBER, 1)) * np.linspace(-1, 1, NCOL)
    truth[30] = 1.08  # far off, in all exposures alike
    truth[31] = 1.25  # beyond what is a response
    source = np.zeros((3, NFIBER, 1))
    source[:, 60] = np.array([8.0, 2.0, 0.5])[:, None]  # a star, which moves with the dither
    found = adjust_response(*_scene(truth, source), BLOCK)
    usual = np.setdiff1d(np.arange(NFIBER), [30, 31, 60])
    left = (truth / found.factor)[usual]
    assert left.mean(axis=1).std() < 0.0025 < truth[usual].mean(axis=1).std()
    assert abs((truth / found.factor)[30].mean() - 1) < 0.01
    assert np.flatnonzero(found.beyond).tolist() == [31]
    np.testing.assert_array_equal(found.factor[31], 1)
    assert abs(found.factor[60] - 1).max() < 0.01
    assert 0.007 < found.scatter < 0.013


def test_what_fibers_side_by_side_share_is_given_to_one_with_a_star() -> None:
    truth = np.where(BLOCK == 1, 1.008, 0.996)[:, None] * np.ones(NCOL)
    source = np.zeros((3, NFIBER, 1))
    source[:, 80] = np.array([30.0, 9.0, 3.0])[:, None]
    flux, sky, weight = _scene(truth, source)
    lit = np.arange(NFIBER) == 80
    found = adjust_response(flux, sky, tuple(np.where(lit[:, None], 0, w) for w in weight), BLOCK)
    np.testing.assert_allclose(found.factor.mean(axis=1)[80], 1.008, atol=0.001)
    assert (truth / found.factor).mean(axis=1).std() < 0.0015


def test_line_of_a_galaxy_is_not_taken_for_response() -> None:
    source = np.zeros((3, NFIBER, NCOL))
    source[:, 33, 150:154] = np.array([60.0, 20.0, 5.0])[:, None]
    flux, sky, weight = _scene(np.ones((NFIBER, 1)), source)
    found = adjust_response(flux, sky, weight, BLOCK)
    assert abs(found.factor[33] - 1).max() < 0.002  # the line adds 0.008 to its bin


def test_noise_alone_is_no_response() -> None:
    found = adjust_response(*_scene(np.ones((NFIBER, 1)), np.zeros((3, 1, 1))), BLOCK)
    noise = NOISE / SKY / np.sqrt(3 * NCOL)
    assert (found.factor.mean(axis=1) - 1).std() < 0.5 * noise


def test_low_columns_and_traps_are_found_where_they_begin_and_nothing_else() -> None:
    response, source = np.ones((NFIBER, NCOL)), np.zeros((3, NFIBER, NCOL))
    response[40:, 100] = 0.55
    response[:, 200] = 0.82
    source[:, 70:, 260] = 25.0
    flux, sky, weight = _scene(response, source)
    lit = np.ones(NFIBER)
    lit[85:88] = 0  # fibers with a star tell nothing, but share the defect
    found = odd_columns(flux, sky, tuple(w * lit[:, None] for w in weight))
    low, trap = ((found & int(bit)) != 0 for bit in (ReductionBit.LOW_QE, ReductionBit.TRAP))
    assert low[40:, 100].all() and low[:, 200].mean() > 0.97 and trap[70:, 260].all()
    assert not low[:34, 100].any() and not trap[:64, 260].any()
    assert (found[:, np.setdiff1d(np.arange(NCOL), [100, 200, 260])] != 0).mean() < 1e-3


@pytest.mark.parametrize("change", [0.0, 0.08])
def test_a_response_that_has_changed_is_told_from_light_of_sources(change):
    rng = np.random.default_rng(4)
    block, error = np.repeat(np.arange(4), 112), np.full((3, 448), 0.003)
    level = np.array([[5.0], [4.7], [5.3]]) * (1 + change * rng.normal(size=448)) * (1 + 0.003 * rng.normal(size=448))
    level *= 1 + 0.04 * (block == 2)  # of an amplifier as a whole
    level *= 1 + rng.exponential(0.1, (3, 448)) * (rng.random((3, 448)) < 0.3)  # stars, elsewhere in each exposure
    level[:, :40] = np.nan
    found = response_change(level, error * level, block)
    assert abs(found - max(change, 0.004)) < 0.15 * change + 0.003  # of some 150 fibers
    assert np.isnan(response_change(level[:1], error[:1] * level[:1], block))
    assert np.isnan(response_change(np.full((3, 448), np.nan), error, block))
