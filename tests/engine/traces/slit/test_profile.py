"""A profile that is no Gaussian is told by the light, and fluxes are right with it."""

import numpy as np
import pytest
from scipy.special import erf

from ifuview.engine.spectra.fibers import extract_fibers
from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
from ifuview.engine.traces.profile.fit import fit_profile
from ifuview.engine.traces.profile.splines import STIFF
from ifuview.engine.traces.slit.profile import slit_profile
from ifuview.model.trace import TraceSet
from ifuview.simulate.detector.render import render
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


@pytest.mark.parametrize("seed", [3, 5])
def test_a_ground_that_is_known_does_not_fall_while_the_wings_rise(seed):
    """No pixel is free of the fibers' light: their wings and a ground beside them look alike."""
    rng = np.random.default_rng(seed)
    center = (5.0 + 6.8 * np.arange(50))[:, None] + np.zeros(48)
    width = np.full(center.shape, 1.57)
    clean = render(center, width, 5000.0 * rng.uniform(0.9, 1.1, (50, 1)) + np.zeros(48), 343)
    image = (rng.poisson(clean) + rng.normal(0, NOISE, clean.shape)).astype(np.float32)
    traces = TraceSet(fiber=np.arange(50), center=center, sigma=width)
    free, held = (
        fit_profile(image, NOISE**2, traces, reach=5.0 * 1.57, knots=STIFF, place=False, ground=one)
        for one in (np.inf, 1.0)
    )
    off = [float(np.sqrt(np.mean(one.background.astype(float) ** 2))) for one in (free, held)]
    assert off[1] < 1.0 < 0.5 * off[0]
