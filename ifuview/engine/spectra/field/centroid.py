"""Where a source lies at each wavelength: its profile moved over the fibers, chunk by chunk, apart from any refraction.

Amplitude, a constant and the place are free in each chunk, width and exponent are those of the source; Gauss-Newton
steps. What the profile cannot describe counts as error in proportion to the light, as where the source was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.lenslet import SEEING_POWER, Lenslets, displacement, moffat_slopes
from ifuview.engine.spectra.field.point import FLOOR, REACH, SourceShares
from ifuview.model.reduction.source import SourceFit

ROUNDS = 6
MOST_STEP = 0.5  # arcsec
LEAST_FIBERS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Centroids:
    """Places of a source along wavelength.

    Parameters
    ----------
    wave : ndarray, shape (nchunk,), Angstrom
    x, y, x_error, y_error : ndarray, shape (nchunk,), arcsec
        NaN where the chunk does not tell it.
    """

    wave: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_error: NDArray[np.float64]
    y_error: NDArray[np.float64]


def measure_centroids(shares: SourceShares, lenslets: Lenslets, source: SourceFit) -> Centroids:
    """Measure the place of a source in each chunk of wavelength.

    Parameters
    ----------
    shares : SourceShares
        Of its light in all fibers.
    lenslets : Lenslets
    source : SourceFit
        Where to begin, with the width and exponent of its profile.
    """
    wave = np.asarray(shares.wave, np.float64)
    dx, dy = displacement(source.dar, wave)
    place = np.stack([source.x + dx, source.y + dy])
    fwhm = source.fwhm * (wave / source.wave) ** SEEING_POWER
    near = np.hypot(lenslets.x - source.x, lenslets.y - source.y) < REACH + source.fwhm
    own = Lenslets(lenslets.x[near], lenslets.y[near], lenslets.size, lenslets.face)
    light, variance = np.asarray(shares.share)[:, near], np.asarray(shares.variance)[:, near]
    error = np.full(place.shape, np.nan)
    amplitude = np.ones(wave.size)
    for _ in range(ROUNDS):
        share, by_x, by_y = moffat_slopes(own, place[0], place[1], fwhm, source.beta)[:3]
        for n in range(wave.size):
            known = np.isfinite(variance[n])
            if known.sum() < LEAST_FIBERS:
                continue
            model = amplitude[n] * share[n, known]
            sigma = np.sqrt(variance[n, known] + (FLOOR * model) ** 2)
            terms = np.stack([share[n, known], amplitude[n] * by_x[n, known], amplitude[n] * by_y[n, known],
                              np.ones(known.sum())]) / sigma  # fmt: skip
            inverse = np.linalg.pinv(terms @ terms.T)
            rest = (light[n, known] - model) / sigma
            step = inverse @ (terms @ rest)
            left = rest - step @ terms
            chi2 = float(left @ left) / max(known.sum() - 4, 1)
            amplitude[n] += step[0]
            place[:, n] += np.clip(step[1:3], -MOST_STEP, MOST_STEP)
            error[:, n] = np.sqrt(np.diag(inverse)[1:3] * max(chi2, 1.0))
    place[~np.isfinite(error)] = np.nan
    return Centroids(wave, place[0], place[1], error[0], error[1])
