"""Light that is smooth over the detector, told from that of the fibers."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ifuview.engine.ccd.scattered import scattered_light
from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
from ifuview.engine.traces.slit.profile import slit_profile
from ifuview.model.trace import TraceSet
from ifuview.simulate.detector.render import render


def test_an_amplifier_without_traces_does_not_darken_the_fibers_of_the_other():
    """The twilight lacks the upper half: its fibers' light must not pass for smooth light."""
    rng = np.random.default_rng(4)
    nrow, ncol = 240, 256
    row = np.concatenate([np.arange(9.0, 107, 7.0), np.arange(134.0, 232, 7.0)])
    center = row[:, None] + np.zeros(ncol)
    flux = rng.uniform(500, 3000, row.size)[:, None] * (1 + 0.3 * np.sin(np.arange(ncol) / 40))
    sigma = np.full(center.shape, 1.6)
    ground = 5 + 3 * np.linspace(0, 1, nrow)[:, None] * np.ones(ncol)
    image = rng.poisson(render(center, sigma, flux, nrow) + ground) + rng.normal(0, 2.5, (nrow, ncol))
    lower = row < nrow // 2
    center[~lower] = np.nan
    upper = np.arange(nrow) >= nrow // 2
    miss = {
        blind: scattered_light(
            image.astype(np.float32), center, sigma, 2.5, seams=(nrow // 2,), untraced=upper if blind else None
        ).image[: nrow // 2 - 8] - ground[: nrow // 2 - 8]
        for blind in (True, False)
    }  # fmt: skip
    assert np.abs(miss[True]).max() < 1.5  # electrons, of 5 to 8
    assert np.abs(miss[False]).max() > 5


def test_light_beyond_the_end_of_the_range_is_scattered_all_the_same():
    """The brightest fiber is saturated: its pixels tell nothing, but what it scatters is light of others' pixels."""
    rng = np.random.default_rng(6)
    nrow, ncol = 240, 256
    row = np.arange(12.0, 232, 7.0)
    center, sigma = row[:, None] + np.zeros(ncol), np.full((row.size, ncol), 1.6)
    flux = np.full(center.shape, 400.0)
    flux[row.size // 4], flux[row.size // 2 : row.size // 2 + 2, 60:180] = 2e4, 2e5
    light = render(center, sigma, flux, nrow)
    ground = 0.03 * gaussian_filter(light, 40.0, mode="constant")
    image = (rng.poisson(light + ground) + rng.normal(0, 2.5, light.shape)).astype(np.float32)
    full = light > 5000
    miss = [
        scattered_light(image, center, sigma, 2.5, usable=~full, full=known).image - ground for known in (full, None)
    ]
    assert np.abs(miss[0]).max() < 4.0 < 0.5 * np.abs(miss[1]).max()  # electrons, of up to 107


def test_a_bad_column_takes_nothing_of_the_light_that_is_scattered():
    """One unusable pixel in the brightest fiber is 16 columns of its light, where bins are left out as a whole."""
    rng = np.random.default_rng(7)
    nrow, ncol = 240, 512
    row = np.arange(12.0, 232, 7.0)
    center, sigma = row[:, None] + np.zeros(ncol), np.full((row.size, ncol), 1.6)
    flux = np.full(center.shape, 400.0)
    flux[row.size // 2] = 2e5
    light = render(center, sigma, flux, nrow)
    ground = 0.03 * gaussian_filter(light, 40.0, mode="constant")
    image = (rng.poisson(light + ground) + rng.normal(0, 2.5, light.shape)).astype(np.float32)
    usable = np.ones(image.shape, bool)
    usable[:, [231, 265]], usable[110:140, 320:352] = False, False
    whole = scattered_light(image, center, sigma, 2.5).image
    found = scattered_light(np.where(usable, image, 0), center, sigma, 2.5, usable=usable).image
    assert np.abs(whole - ground).max() < 6.0  # electrons, of up to 58
    assert np.abs(found - whole).max() < 2.0  # 12 with bins left out


@pytest.mark.parametrize(("wings", "wide"), [(0.0, 1.0), (0.05, 1.0), (0.0, 1.05)])
def test_beside_a_bright_source_the_smooth_light_is_told_from_its_fibers(wings, wide):
    """Light just beside the fibers, of scattering or of wings that no Gaussian has, does not pass for wider light."""
    nrow, ncol = 400, 256
    row = np.arange(12.0, 392, 7.3)
    center, sigma = row[:, None] + np.zeros(ncol), np.full((row.size, ncol), 1.6)
    sky, source, middle = np.full(center.shape, 25.0), np.full(center.shape, 25.0), row.size // 2
    source[middle - 2 : middle + 3] *= np.array([6, 20, 50, 20, 6])[:, None]

    def exposed(light, seed):
        image = (1 - wings) * render(center, wide * sigma, light, nrow) + wings * render(center, 3 * sigma, light, nrow)
        reaches = (0.4, 8.0), (0.35, 40.0), (0.25, 160.0)
        halo = 0.03 * sum(share * gaussian_filter(image, reach, mode="constant") for share, reach in reaches)
        rng = np.random.default_rng(seed)
        return (rng.poisson(0.97 * image + halo) + rng.normal(0, 2.5, halo.shape)).astype(np.float32), halo

    flat, halo = exposed(200 * sky, 0)
    traces = TraceSet(fiber=np.arange(row.size), center=center, sigma=sigma)
    profile = slit_profile(flat, traces, halo, 2.5)
    miss = []
    for seed in (1, 2, 3):
        image, halo = exposed(source, seed)
        miss.append((scattered_light(image, center, sigma, 2.5, profile=profile).image - halo).mean(axis=1))
    away, off = np.abs(np.arange(nrow) - row[middle]), np.abs(np.mean(miss, axis=0))
    assert off[away > 15].max() < 0.45  # electrons; half of it noise, up to 1.2 with Gaussians
    assert off[away < 8].max() < 0.7  # beside some 200 of the source; up to 6 with Gaussians


def test_a_faint_source_does_not_scatter_its_own_noise():
    """Light that is blurred with its noise agrees with that of the image: the source would lose a part of its light."""
    nrow, ncol = 400, 512
    row = np.arange(12.0, 392, 7.3)
    center, sigma = row[:, None] + np.zeros(ncol), np.full((row.size, ncol), 1.6)
    flux, middle = np.full(center.shape, 25.0), row.size // 2
    flux[middle - 2 : middle + 3] += 25 * np.array([0.12, 0.4, 1.0, 0.4, 0.12])[:, None]
    light = render(center, sigma, flux, nrow)
    ground = 0.03 * sum(
        share * gaussian_filter(light, reach, mode="constant")
        for share, reach in ((0.4, 8.0), (0.35, 40.0), (0.25, 160.0))
    )
    core = np.abs(np.arange(nrow) - row[middle]) < 8
    miss = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        image = (rng.poisson(0.97 * light + ground) + rng.normal(0, 2.5, light.shape)).astype(np.float32)
        miss.append((scattered_light(image, center, sigma, 2.5).image - ground)[core].mean())
    assert abs(np.mean(miss)) < 0.035  # electrons of 6: three times its noise; 0.056 with all of the noise blurred


def test_light_blurred_by_optics_is_told_in_gaps_between_groups_of_fibers():
    """Above it a smooth ground alone is off by a fifth of itself: 0.3 % of the light of groups of fibers."""
    rng, nrow, ncol = np.random.default_rng(3), 520, 256
    pitch = np.where(np.arange(70) % 22 == 0, 13.4, 6.8)
    center = (np.cumsum(pitch) + 1)[:, None] + np.zeros(ncol)
    sigma = np.full(center.shape, 1.57)
    lit = render(center, sigma, 5000.0 * rng.uniform(0.9, 1.1, (70, 1)) + np.zeros(ncol), nrow)
    halo = 0.03 * sum(
        s * gaussian_filter(lit, r, mode="constant") for s, r in ((0.4, 8.0), (0.35, 40.0), (0.25, 160.0))
    )
    image = (rng.poisson(0.97 * lit + halo) + rng.normal(0, 2.5, lit.shape)).astype(np.float32)
    profile = gaussian_profile(sigma, nrow)
    under = np.rint(center[:, 128]).astype(int)
    off = [
        scattered_light(image, center, sigma, 2.5, profile=shape, blurred=shape is not None).image[under] - halo[under]
        for shape in (None, profile)
    ]
    smooth, told = (float(np.sqrt(np.mean(one.mean(axis=1) ** 2))) for one in off)
    assert told < 0.25 * smooth and told < 0.05 * halo[under].mean()
