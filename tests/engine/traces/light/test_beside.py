"""Where profiles overlap, neighbors pull at each other's centers: by what their paths are off, and by the shape."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ifuview.engine.traces.doctor.gather import Evidence, gather
from ifuview.engine.traces.light.light_fit import Noise
from ifuview.engine.traces.light.measure import _Fit, at_columns, groups
from ifuview.simulate.detector.exposure import SimulatedFrame, expose
from ifuview.simulate.detector.geometry import SlitSpec
from ifuview.simulate.detector.render import render

WIDE = SlitSpec((1032, 384), 112, spacing=8.8, block=112, gap=0.0, sigma=(1.9, 2.2), bend=4.0)
SEEDS = range(2)


@cache
def seen(snr: float, seed: int) -> tuple[SimulatedFrame, Evidence]:
    made = expose(WIDE, snr=snr, seed=seed)
    return made, gather(made.image, made.traces, gain=1.0, readnoise=made.readnoise)


def pulls(snr: float, seed: int) -> np.ndarray:
    made, found = seen(snr, seed)
    return (found.fit.center - at_columns(made.traces.center, found.fit.column)) / found.fit.error


def smooth_pulls(snr: float, seed: int) -> np.ndarray:
    """Amplitudes of 16 smooth errors over what independent errors of the centers leave of them, each by itself."""
    z, error = pulls(snr, seed), seen(snr, seed)[1].fit.error
    u, v = np.linspace(-1, 1, z.shape[1]), np.linspace(-1, 1, z.shape[0])
    along, across = (np.polynomial.legendre.legvander(x, 3) for x in (u, v))
    known = np.isfinite(z)
    design = (across[:, None, :, None] * along[None, :, None, :]).reshape(*z.shape, 16)[known] / error[known][:, None]
    return np.linalg.solve(np.linalg.cholesky(design.T @ design), design.T @ z[known])


def test_smooth_errors_of_right_frames_are_as_large_as_their_errors_say():
    z = np.array([smooth_pulls(12, seed) for seed in SEEDS])
    together = np.mean([seen(12, seed)[1].fit.together for seed in SEEDS])
    assert np.sqrt(np.mean(z**2) / together) < 1.3  # 32 of them: 1 with an error of 0.12


def test_the_noise_that_neighbors_share_is_told():
    z = np.array([pulls(12, seed) for seed in SEEDS])
    told = np.mean([seen(12, seed)[1].fit.with_next[:-1] for seed in SEEDS])
    assert np.nanmean(z[:, 1:] * z[:, :-1]) == pytest.approx(told, abs=0.035)  # 10 000 of them: an error of 0.01
    assert 0.05 < told < 0.2 and np.nanstd(z) == pytest.approx(1, abs=0.04)


def noiseless(off: np.ndarray, skewness: float = 0.0) -> np.ndarray:
    """What one pass over all columns is off, from paths that are `off` px, (nfiber,), and a shape that is skew."""
    made = expose(WIDE, snr=40)
    image = render(made.traces.center, made.traces.sigma, made.flux, WIDE.shape[0])
    columns = np.ascontiguousarray(image.T, np.float32)
    path, noise = made.traces.center + off[:, None], Noise(9.0, 1.0, "given")
    fit = _Fit(columns, np.ones(columns.shape, np.uint8), path, noise, made.traces.sigma, groups(WIDE.nfiber, None))
    fit.shape[..., 0] = skewness
    found = fit.finish(np.arange(WIDE.shape[1]))
    return (found.center - at_columns(made.traces.center, found.column))[3:-3]


@pytest.mark.parametrize("name", ["alternating", "random"])
def test_a_path_that_is_off_moves_no_neighbor(name):
    n = WIDE.nfiber
    off = 0.02 * ((-1.0) ** np.arange(n) if name == "alternating" else np.random.default_rng(1).normal(size=n))
    assert np.std(noiseless(off)) < 0.02 * np.std(off)  # neighbors by themselves: 0.07 to 0.14


def test_a_skewness_that_is_none_moves_no_center():
    """Chance gives a group a skewness: taken back of each fiber by itself, what its neighbors made of it stayed."""
    left = noiseless(np.zeros(WIDE.nfiber), 0.005)  # which moves centers by 0.015
    assert abs(np.mean(left)) < 0.0012 and np.std(left) < 0.0012  # of each fiber by itself: 0.0037


@pytest.mark.parametrize("seed", SEEDS)
def test_the_shape_of_faint_light_is_not_that_of_bins_that_chance_made_bright(seed):
    made, found = seen(5, seed)
    fit = found.fit
    assert abs(np.nanmean(fit.width / at_columns(made.traces.sigma, fit.column)) - 1) < 0.03  # noise: 0.005
    assert np.abs(fit.shape[..., :2]).mean() < 0.02
