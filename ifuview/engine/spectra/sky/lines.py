"""Errors of wavelength and line spread, line by line, from what the sky's own lines leave behind.

Where a fiber's wavelengths are off by d, it leaves -d times the derivative of the sky; where its lines are wider, a
share of the second derivative. Both are smooth over fibers and along wavelength: a low-order polynomial of each for
each half (or block) of the detector, in one weighted fit to all residuals of fibers, in which only sky with structure
counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array

ALONG, ACROSS = 2, 3  # degrees along wavelength and over the fibers
SIGNIFICANT = 4.0  # sigma per degree of freedom's root, of all coefficients together
CLIP = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class LineErrors:
    """What was corrected.

    Parameters
    ----------
    shift : ndarray of float32, shape (nfiber, nwave), px
        What the wavelengths of a fiber are off by.
    correction : ndarray of float32, shape (nfiber, nwave)
        To be added to the sky.
    significance : float
        sqrt(chi2 explained - number of coefficients) over sqrt(2 x number).
    """

    shift: NDArray[np.float32]
    correction: NDArray[np.float32]
    significance: float


def fit_line_errors(residual: Array, weight: Array, sky: Array, block: Array | None = None) -> LineErrors | None:
    """Fit shift and widening; None where the lines do not tell them.

    Parameters
    ----------
    residual, weight, sky : ndarray, shape (nfiber, nwave)
        Sky-subtracted without sources, 1 / variance, sky.
    block : ndarray of int, shape (nfiber,), optional
        Fibers over which both are smooth. Default: the halves.
    """
    first = np.gradient(sky, axis=1)
    second = np.gradient(first, axis=1)
    nfiber, nwave = sky.shape
    along = np.polynomial.legendre.legvander(np.linspace(-1, 1, nwave), ALONG).astype(np.float32)
    across = _across(_halves(nfiber) if block is None else np.asarray(block))
    clipped = np.where(np.abs(residual) * np.sqrt(weight) < CLIP, weight, 0).astype(np.float32)
    bases = (-first.astype(np.float32), (second / 2).astype(np.float32))
    normal, right = _normal(bases, clipped, residual.astype(np.float32), along, across)
    coeff = np.linalg.lstsq(normal + 1e-9 * np.diag(np.diag(normal)), right, rcond=None)[0]
    gain = float(coeff @ right)
    significance = (gain - coeff.size) / np.sqrt(2.0 * coeff.size)
    if not significance > SIGNIFICANT:
        return None
    shift, widening = (across @ c @ along.T for c in coeff.reshape(2, across.shape[1], along.shape[1]))
    correction = bases[0] * shift + bases[1] * widening
    return LineErrors(shift.astype(np.float32), correction.astype(np.float32), significance)


def _halves(nfiber: int) -> NDArray[np.intp]:
    """Which half each fiber is in."""
    return (np.arange(nfiber) >= (nfiber + 1) // 2).astype(np.intp)


def _across(block: Array) -> NDArray[np.float32]:
    """Polynomials over the fibers of each block, (nfiber, nblock (ACROSS + 1))."""
    names = np.unique(block)
    out = np.zeros((block.size, names.size * (ACROSS + 1)), np.float32)
    for n, name in enumerate(names):
        part = np.flatnonzero(block == name)
        basis = np.polynomial.legendre.legvander(np.linspace(-1, 1, part.size), ACROSS)
        out[part, n * (ACROSS + 1) : (n + 1) * (ACROSS + 1)] = basis
    return out


def _normal(
    bases: tuple[Array, Array], weight: Array, residual: Array, along: Array, across: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Normal equations of the coefficients (term, across, along)."""
    na, nl = across.shape[1], along.shape[1]
    pair_along = (along[:, :, None] * along[:, None, :]).reshape(along.shape[0], nl * nl)
    pair_across = (across[:, :, None] * across[:, None, :]).reshape(across.shape[0], na * na)
    normal = np.zeros((2, na, nl, 2, na, nl))
    right = np.zeros((2, na, nl))
    for i, left in enumerate(bases):
        right[i] = across.T @ ((weight * left * residual) @ along)
        for j, other in enumerate(bases):
            block = pair_across.T @ ((weight * left * other) @ pair_along)
            normal[i, :, :, j] = block.reshape(na, na, nl, nl).transpose(0, 2, 1, 3)
    size = 2 * na * nl
    return normal.reshape(size, size), right.reshape(size)
