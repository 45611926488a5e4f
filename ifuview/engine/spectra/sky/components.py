"""What the sky model leaves, as a few spectra common to all fibers: principal components of sky fibers.

Components come from the residuals of fibers without source (of this exposure or of another one with empty sky), each
sample weighted with its inverse variance (Bailey 2012: expectation and maximization by turns); a fiber then gets the
sum of them that fits it best, by default only where the sky has structure, so that the source's continuum is not
taken off with them. For arms without strong lines the components of another exposure are the better ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import FitError
from ifuview.model.checks import Array

ROUNDS = 25
LEAST_FIBERS = 4  # for each component
SEED = 1


@dataclass(frozen=True, slots=True, eq=False)
class SkyComponents:
    """Principal components on one grid of wavelengths.

    Parameters
    ----------
    spectra : ndarray of float64, shape (ncomponent, nwave)
        Orthonormal, the strongest first.
    explained : ndarray of float64, shape (ncomponent,)
        Share of the weighted variance of the residuals that each takes, noise included.
    """

    spectra: NDArray[np.float64]
    explained: NDArray[np.float64]


def find_components(residual: Array, weight: Array, count: int) -> SkyComponents:
    """Find the components of sky fibers.

    Parameters
    ----------
    residual, weight : ndarray, shape (nfiber, nwave)
        Sky-subtracted spectra on one grid, 1 / variance (0: left out).
    count : int

    Raises
    ------
    FitError
        Too few fibers for that many components.
    """
    known = (weight > 0).any(axis=1)
    value, w = np.where(weight > 0, residual, 0.0)[known].astype(np.float64), weight[known].astype(np.float64)
    if known.sum() < LEAST_FIBERS * count:
        raise FitError(f"{int(known.sum())} fibers are too few for {count} components of the sky")
    vectors = np.linalg.qr(np.random.default_rng(SEED).normal(size=(value.shape[1], count)))[0].T
    for _ in range(ROUNDS):
        amplitude = _amplitudes(value, w, vectors)
        normal = np.einsum("kw,ki,kj->wij", w, amplitude, amplitude, optimize=True)
        right = np.einsum("kw,kw,ki->wi", w, value, amplitude, optimize=True)
        vectors = np.einsum("wij,wj->iw", np.linalg.pinv(normal, rcond=1e-9, hermitian=True), right)
        vectors = np.linalg.qr(vectors.T)[0].T
    amplitude = _amplitudes(value, w, vectors)
    turn = np.linalg.svd(amplitude, full_matrices=False)[2]
    vectors = turn @ vectors
    amplitude = _amplitudes(value, w, vectors)
    whole = float((w * value**2).sum())
    taken = [float((w * (2 * value * m - m**2)).sum()) for m in (np.outer(a, v) for a, v in zip(amplitude.T, vectors))]
    return SkyComponents(vectors, np.array(taken) / max(whole, 1e-300))


def fit_components(residual: Array, weight: Array, components: SkyComponents) -> NDArray[np.float32]:
    """What the components explain of each fiber, (nfiber, nwave), to be added to the sky model.

    Parameters
    ----------
    residual, weight : ndarray, shape (nfiber, nwave)
        Zero weight where the source would be taken for sky.
    components : SkyComponents
    """
    value, w = np.where(weight > 0, residual, 0.0).astype(np.float64), weight.astype(np.float64)
    return (_amplitudes(value, w, components.spectra) @ components.spectra).astype(np.float32)


def _amplitudes(value: Array, weight: Array, vectors: Array) -> NDArray[np.float64]:
    """Weighted least squares of each fiber, (nfiber, ncomponent)."""
    normal = np.einsum("kw,iw,jw->kij", weight, vectors, vectors, optimize=True)
    right = np.einsum("kw,kw,iw->ki", weight, value, vectors, optimize=True)
    found: NDArray[np.float64] = np.einsum("kij,kj->ki", np.linalg.pinv(normal, rcond=1e-9, hermitian=True), right)
    return found
