"""An exposure of a small field with known sky and sources, each fiber on its own wavelengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra

SIZE = 0.59  # arcsec
GRID = np.linspace(5000.0, 5400.0, 401)
DAR = np.array([[4990.0, 5200.0, 5410.0], [0.02, 0.0, -0.01], [0.15, 0.0, -0.12]])
LSF = 1.8  # px


@dataclass(frozen=True)
class Scene:
    spectra: FiberSpectra
    lenslets: Lenslets
    sky: np.ndarray  # of each fiber at its own wavelengths
    light: np.ndarray  # of all sources there
    on_grid: np.ndarray  # the same on GRID
    total: np.ndarray  # spectrum of one source of unit strength on GRID
    surface: np.ndarray


def places() -> Lenslets:
    """Rows of cells shifted by half a cell, as bricks of a wall."""
    rows = [(np.arange(14 - r % 2) - (13 - r % 2) / 2, np.full(14 - r % 2, r - 4.0)) for r in range(9)]
    x, y = (np.concatenate(v) * SIZE for v in zip(*rows))
    return Lenslets(x, y, SIZE)


def sky_spectrum(wave: np.ndarray, sigma: np.ndarray | float = LSF) -> np.ndarray:
    out = 1 + 0.1 * np.sin(wave / 40)
    for center, peak in ((5050.3, 8.0), (5111.9, 3.0), (5200.4, 20.0), (5204.9, 9.0), (5333.1, 5.0)):
        out = out + peak * LSF / sigma * np.exp(-0.5 * ((wave - center) / sigma) ** 2)
    return out


def source_spectrum(wave: np.ndarray) -> np.ndarray:
    return 1 + 0.3 * (wave - 5200) / 200 + 6 * np.exp(-0.5 * ((wave - 5150.7) / 2.5) ** 2)


def caught(lenslets: Lenslets, x: float, y: float, fwhm: float, beta: float = 3.5, fine: int = 30) -> np.ndarray:
    """Share of a Moffat profile in each cell by plain summation."""
    a = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
    line = ((np.arange(fine) + 0.5) / fine - 0.5) * SIZE
    ox, oy = (v.ravel() for v in np.meshgrid(line, line))
    square = (lenslets.x[:, None] + ox - x) ** 2 + (lenslets.y[:, None] + oy - y) ** 2
    return ((beta - 1) / np.pi / a**2 * (1 + square / a**2) ** -beta).mean(axis=1) * SIZE**2


def make_scene(
    sources=(), *, strength=(), fwhm=1.4, noise=0.2, gradient=(0.0, 0.0), extra=None, widths=None, shift=None, seed=1
) -> Scene:  # fmt: skip
    """Sources at (x, y) at 5200 A with the light `strength`, in units of the sky in one fiber."""
    rng = np.random.default_rng(seed)
    lenslets = places()
    n = lenslets.x.size
    bend = np.linspace(-1, 1, n)[:, None]
    column = np.arange(430.0)
    wave = 4986 + column + 4 * bend**2 + rng.uniform(-0.5, 0.5, (n, 1)) + 0.002 * (column - 215) * bend
    seen = wave if shift is None else wave + shift
    surface = 1 + gradient[0] * lenslets.x + gradient[1] * lenslets.y
    sky = surface[:, None] * sky_spectrum(seen, LSF if widths is None else widths[:, None])
    light, on_grid = np.zeros_like(sky), np.zeros((n, GRID.size))
    node = np.linspace(4980, 5420, 9)
    for (x, y), total in zip(sources, strength):
        moved = [
            caught(lenslets, x + np.interp(w, *DAR[:2]), y + np.interp(w, DAR[0], DAR[2]), fwhm * (w / 5200) ** -0.2)
            for w in node
        ]
        share = np.array(moved).T
        for k in range(n):
            light[k] += total * source_spectrum(seen[k]) * np.interp(wave[k], node, share[k])
            on_grid[k] += total * source_spectrum(GRID) * np.interp(GRID, node, share[k])
    if extra is not None:
        light += extra[:, None] * source_spectrum(seen)
        on_grid += extra[:, None] * source_spectrum(GRID)
    variance = noise**2 * (0.3 + 0.7 * (sky + light))
    flux = sky + light + rng.normal(0, 1, sky.shape) * np.sqrt(variance)
    mask = np.zeros(sky.shape, np.uint32)
    hit = rng.random(sky.shape) < 0.003
    flux[hit] += 50
    mask[hit] = int(ReductionBit.COSMIC)
    dead = n // 3
    flux[dead], mask[dead] = 0, int(ReductionBit.DEAD_FIBER)
    spectra = FiberSpectra(flux, variance, mask, wave, unit="electron/Angstrom")
    return Scene(spectra, lenslets, sky, light, on_grid, source_spectrum(GRID), surface)
