"""How fibers lie against each other along wavelength, from light that is the same in all of them: a twilight.

Its spectrum is that of all fibers together, so no list of its lines is needed (at this resolution solar lines are
blends, 0.1 to 0.4 Angstrom off the wavelengths of tables). Pieces of columns of each fiber are compared with it. What
all fibers are off alike it cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import known_medians
from ifuview.engine.spectra.flat.common import common_spectrum
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra

PIECE = 96  # columns
LEAST_USABLE = 0.8  # share of them
MAX_ERROR = 0.2  # px, of a piece of one fiber: light without lines has errors of a pixel
CLIP = 5.0  # sigma, of samples


@dataclass(frozen=True, slots=True, eq=False)
class SameLight:
    """Places of the same light in each fiber.

    Parameters
    ----------
    wave : ndarray, shape (npiece,), Angstrom
        As the wavelengths given have it, whatever they are off.
    column, error : ndarray, shape (nfiber, npiece), px
        Where each fiber has it, and how well that is known; NaN where it is not.
    """

    wave: NDArray[np.float64]
    column: NDArray[np.float64]
    error: NDArray[np.float64]

    def after(self, wave: Array, column: Array, error: Array) -> tuple[Array, Array, Array]:
        """Lines, their columns and errors, and those of this light that are known behind them."""
        seen = np.isfinite(self.column).any(axis=0)
        return (
            np.concatenate([wave, self.wave[seen]]),
            np.concatenate([column, self.column[:, seen]], axis=1),
            np.concatenate([error, self.error[:, seen]], axis=1),
        )


def same_light(spectra: FiberSpectra) -> SameLight:
    """Return where each fiber has the same light.

    Every piece has a level, a slope of it, a shift and a width of its own in each fiber, by least squares against the
    spectrum that all fibers share; to be repeated with better wavelengths where shifts are not small.

    Parameters
    ----------
    spectra : FiberSpectra
        Of light that is the same in all fibers but for a smooth response, with wavelengths that are nearly right.
    """
    wave, usable = np.asarray(spectra.wave), spectra.usable() & (spectra.variance > 0) & np.isfinite(spectra.wave)
    level = known_medians(spectra.flux, usable, np.nan)
    lit = np.isfinite(level) & (level > 0)
    usable &= lit[:, None]
    share = np.where(lit, level / np.median(level[lit]) if lit.any() else 1.0, 1.0)[:, None]
    flux = np.where(usable, spectra.flux / share, 0.0)
    weight = np.where(usable, share**2 / np.where(usable, spectra.variance, 1), 0.0)
    columns = np.arange(0, wave.shape[1] - PIECE + 1, PIECE)
    pieces = len(wave), columns.size
    out = SameLight(np.full(columns.size, np.nan), np.full(pieces, np.nan), np.full(pieces, np.nan))
    try:
        shared = common_spectrum(np.nan_to_num(wave), flux, weight)
    except FitError:
        return out
    common = np.where(np.isfinite(wave), shared.at(np.nan_to_num(wave)), 0.0)
    slope = np.gradient(common, axis=1)
    curved = np.gradient(slope, axis=1)
    along = np.broadcast_to(np.linspace(-1, 1, PIECE), (len(wave), PIECE))
    for n, x in enumerate(columns):
        at = slice(x, x + PIECE)
        known = lit & (usable[:, at].mean(axis=1) > LEAST_USABLE) & np.isfinite(wave[:, at]).all(axis=1)
        if not known.any():
            continue
        middle = x + PIECE // 2
        out.wave[n] = np.median(wave[known, middle])
        terms = np.stack([common[:, at], common[:, at] * along, -slope[:, at], curved[:, at]], axis=-1)[known]
        shift, error = _shifts(terms, flux[known, at], weight[known, at])
        step = (wave[known, middle + 1] - wave[known, middle - 1]) / 2
        told = error < MAX_ERROR
        out.column[known, n] = np.where(told, middle + (out.wave[n] - wave[known, middle]) / step + shift, np.nan)
        out.error[known, n] = np.where(told, error, np.nan)
    return out


def _shifts(terms: Array, flux: Array, weight: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift of each row (px, to larger columns) and its error."""
    weight = np.array(weight)
    for _ in range(2):
        heavy = weight[..., None] * terms
        normal = np.einsum("kxi,kxj->kij", heavy, terms)
        spread = np.linalg.pinv(normal, hermitian=True)
        amount = np.einsum("kij,kxj,kx->ki", spread, heavy, flux)
        left = flux - np.einsum("kxi,ki->kx", terms, amount)
        chi2 = (weight * left**2).sum(axis=1) / np.maximum((weight > 0).sum(axis=1), 1)
        weight[weight * left**2 > CLIP**2 * np.maximum(chi2, 1)[:, None]] = 0
    size = np.where(amount[:, 0] > 0, amount[:, 0], np.nan)
    return amount[:, 2] / size, np.sqrt(spread[:, 2, 2] * np.maximum(chi2, 1)) / size
