"""A profile that is no Gaussian is told by the light, and fluxes are right with it."""

import numpy as np
import pytest
from scipy.special import erf

from ifuview.engine.spectra.fibers import extract_fibers
from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
from ifuview.engine.traces.slit.profile import slit_profile
from ifuview.model.trace import TraceSet
from tests.engine.slit import NFIBER, NOISE, NROW, Slit

BROAD, SHARE = 1.6, 0.25  # a quarter of the light is wider


def image_of(slit, flux, ground):
    rows = np.arange(NROW)[:, None]
    out = np.full((NROW, slit.center.shape[1]), ground)
    for k in range(NFIBER):
        for wide, share in ((1.0, 1 - SHARE), (BROAD, SHARE)):
            scale = slit.sigma[k][None] * np.sqrt(2) * wide
            far = rows - slit.center[k][None]
            out += share * flux[k] * 0.5 * (erf((far + 0.5) / scale) - erf((far - 0.5) / scale))
    return (slit.rng.poisson(out) + slit.rng.normal(0, NOISE, out.shape)).astype(np.float32)


def test_fluxes_are_right_with_the_profile_of_the_light():
    slit = Slit(21)
    width = slit.sigma * np.sqrt(1 - SHARE + SHARE * BROAD**2)  # what a trace finds, roughly
    dead = np.isin(np.arange(NFIBER), slit.dead).astype(np.uint32)
    traces = TraceSet(fiber=np.arange(NFIBER), center=slit.center, sigma=width, status=dead)
    ground = np.full((NROW, slit.center.shape[1]), 12.0, np.float32)
    profile = slit_profile(image_of(slit, slit.twilight(), 12.0), traces, ground, NOISE, block=slit.block)
    flux = 600 * slit.throughput
    science = slit.frame(image_of(slit, flux, 12.0))
    live = slit.throughput[:, 0] > 0
    ratio, chi2 = [], []
    for shape in (profile, gaussian_profile(width, NROW, 5.0)):
        found = extract_fibers(science, traces, shape, background=ground, cosmics=False)
        ratio.append(float((found.spectra.flux[live] / flux[live]).mean()))
        chi2.append(float(np.median(found.spectra.chi2[live])))
    assert chi2[0] < chi2[1] - 0.02 and 0.8 < chi2[0] < 1.0  # seven pixels, of which a flux is taken
    assert ratio[0] == pytest.approx(1, abs=0.01)
    assert profile.width.shape == traces.center.shape and not profile.background.any()
