"""Errors are brought to the scatter of fibers without source."""

from __future__ import annotations

import numpy as np

from ifuview.engine.spectra.flux.errors import error_factor, renormalized
from ifuview.model.reduction.spectra import FiberSpectra


def test_factor_is_that_by_which_errors_are_wrong_and_sources_do_not_count() -> None:
    rng = np.random.default_rng(1)
    flux = 3.0 * rng.normal(size=(60, 200))
    flux[50:] += 100
    variance = np.full(flux.shape, 4.0)
    spectra = FiberSpectra(flux, variance, np.zeros(flux.shape, np.uint32), np.arange(200.0))
    factor, error = error_factor(spectra, np.arange(60) < 50)
    assert abs(factor - 1.5) < 4 * error < 0.06
    fixed = renormalized(spectra, np.full(60, factor))
    assert abs(error_factor(fixed, np.arange(60) < 50)[0] - 1) < 1e-6
    np.testing.assert_array_equal(renormalized(spectra, np.full(60, np.nan)).variance, spectra.variance)
    assert np.isnan(error_factor(spectra, np.arange(60) < 3)[0])
