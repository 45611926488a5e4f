"""Response of fibers and of bad columns is recovered from a twilight with lines; the amplitude follows the profile."""

import numpy as np
import pytest
from scipy.special import erf

from ifuview.engine.spectra.flat.amplitude import profile_amplitude
from ifuview.engine.spectra.flat.common import common_spectrum
from ifuview.engine.spectra.flat.fibers import fiber_flat
from ifuview.engine.spectra.flat.response import corrected, measure_response
from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
from ifuview.errors import FitError
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra
from tests.engine.slit import NCOL, NOISE, NROW, Slit


def twilight(slit, efficiency=1.0):
    flux = slit.twilight() * efficiency
    variance = flux + 5 * NOISE**2
    mask = np.zeros(flux.shape, np.uint32)
    mask[list(slit.dead)] |= np.uint32(ReductionBit.DEAD_FIBER)
    return FiberSpectra(flux + slit.rng.normal(0, 1, flux.shape) * np.sqrt(variance), variance, mask, slit.wave)


def relative(slit, flat):
    live = np.setdiff1d(np.arange(slit.reference.size), slit.dead)
    ratio = flat.flat[live] / slit.throughput[live]
    return ratio / np.median(ratio, axis=0)


def test_response_of_fibers_follows_their_throughput():
    slit = Slit(1)
    flat = fiber_flat(twilight(slit))
    assert relative(slit, flat).std() < 0.003  # 4000 e a sample, some 100 samples a coefficient
    assert (flat.mask[11] & int(ReductionBit.DEAD_FIBER)).all() and np.isinf(flat.error[11]).all()


def test_columns_of_low_efficiency_are_found_and_measured():
    slit = Slit(2)
    efficiency = np.ones(slit.center.shape)
    efficiency[:20, 200] = 0.8
    efficiency[28:, 500] = 0.55
    flat, pixels = measure_response(twilight(slit, efficiency), slit.center, NROW, block=slit.block)
    found = {run[0]: run for run in pixels.runs}
    assert set(found) == {200, 500}
    for column, truth in ((200, 0.8), (500, 0.55)):
        assert found[column][3] == pytest.approx(truth, abs=max(5 * found[column][4], 0.01))
    assert abs(found[500][1] - (slit.center[27, 500] + slit.center[28, 500]) / 2) < 8
    assert relative(slit, flat).std() < 0.003
    image = np.full((NROW, NCOL), 100, np.float32) * pixels.response
    mended = corrected(slit.frame(image), pixels)
    assert np.allclose(mended.data, 100, rtol=1e-5) and (mended.mask[300, 500] & int(ReductionBit.LOW_QE))


def test_the_shared_spectrum_is_finer_than_pixels():
    slit = Slit(3)
    common = common_spectrum(slit.wave, slit.solar(slit.wave), np.ones(slit.wave.shape))
    inside = np.linspace(5010, 5750, 5000)
    assert np.abs(common.at(inside) - slit.solar(inside)).max() < 0.003
    with pytest.raises(FitError):
        common_spectrum(slit.wave, slit.wave, np.zeros(slit.wave.shape))


def test_amplitude_is_the_light_over_the_two_pixels_at_the_trace():
    slit = Slit(4)
    found = profile_amplitude(gaussian_profile(slit.sigma, NROW, 6.0), slit.center)
    part, scale = slit.center % 1, slit.sigma * np.sqrt(2)
    pair = 0.25 * (erf((1.5 - part) / scale) - erf((-0.5 - part) / scale))
    assert found == pytest.approx((1 / pair).mean(axis=1), rel=2e-3)
