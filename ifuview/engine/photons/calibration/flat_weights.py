"""Weights of photons by a flat: interpolated between the middles of its bins, or a polynomial."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.lists import Beammap
from ifuview.model.photons.resonators import rows_of

INTERPOLATED, POLYNOMIAL = 0, 1


class FlatTable:
    """A flat in the order of a beammap: what `flat_factors` needs.

    Parameters
    ----------
    kind : int
        INTERPOLATED or POLYNOMIAL.
    waves : ndarray (m,), nm
    values : ndarray (nresonator + 1, k)
        Weights, or coefficients with the highest power first; NaN for resonators without a flat.
    """

    def __init__(self, kind: int, waves: Array, values: Array) -> None:
        self.kind, self.waves, self.values = kind, waves, values


def flat_table(solution: FlatSolution, beammap: Beammap) -> FlatTable:
    """Return a flat in the order of a beammap; weights of bins without one are interpolated from their neighbors."""
    rows = rows_of(solution.ids, beammap.ids)
    good = (rows >= 0) & solution.usable[np.maximum(rows, 0)]
    if solution.method == "polynomial":
        assert solution.polynomial is not None
        kind, own = POLYNOMIAL, np.asarray(solution.polynomial, np.float64)
    else:
        kind, own = INTERPOLATED, filled(solution.waves, solution.weights)
    out = np.full((beammap.nresonator + 1, own.shape[1]), np.nan)
    out[:-1][good] = own[rows[good]]
    return FlatTable(kind, np.asarray(solution.waves, np.float64), out)


def filled(waves: Array, weights: Array) -> Array:
    """Weights (n, m) with NaN interpolated from the neighbors in wavelength, held at the ends."""
    out = np.array(weights, np.float64)
    valid = np.isfinite(out)
    for row in np.flatnonzero(valid.any(axis=1) & ~valid.all(axis=1)):
        keep = valid[row]
        out[row] = np.interp(waves, waves[keep], out[row, keep])
    return out


def flat_factors(resonator: Array, wave: Array, table: FlatTable) -> Array:
    """Weights, float32, of photons: linear between the middles of the bins and constant beyond, or a polynomial.

    Never negative; 1 for resonators without a flat and for photons without a wavelength.
    """
    out = np.empty(len(wave), np.float32)
    _factors(table.kind, resonator, wave, table.waves, table.values, out)
    return out


@njit(cache=True, nogil=True)
def _factors(kind: int, resonator: Array, wave: Array, waves: Array, values: Array, out: Array) -> None:
    """Photon by photon."""
    number = values.shape[1]
    for i in range(len(wave)):
        r = resonator[i]
        w = np.float64(wave[i])
        if values[r, 0] != values[r, 0] or not (w > 0.0 and w < np.inf):
            out[i] = 1.0
            continue
        if kind == POLYNOMIAL:
            total = 0.0
            for k in range(number):
                total = total * w + values[r, k]
        else:
            k = 0
            while k < number and waves[k] <= w:
                k += 1
            if k == 0:
                total = values[r, 0]
            elif k == number:
                total = values[r, number - 1]
            else:
                part = (w - waves[k - 1]) / (waves[k] - waves[k - 1])
                total = values[r, k - 1] + part * (values[r, k] - values[r, k - 1])
        out[i] = max(total, 0.0)


def flat_curve(solution: FlatSolution, row: int, wave: Array) -> Array:
    """The weights of a resonator as they are used, at wavelengths in nm; NaN where it has none."""
    if not solution.usable[row]:
        return np.full(len(wave), np.nan)
    if solution.method == "polynomial":
        assert solution.polynomial is not None
        return np.maximum(np.polyval(solution.polynomial[row], wave), 0)
    own = filled(solution.waves, solution.weights[row : row + 1])[0]
    return np.interp(wave, solution.waves, own)
