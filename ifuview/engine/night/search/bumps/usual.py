"""What the smooth spectrum of a target may be, learned from the others of its camera.

A polynomial, and the few shapes that residuals of targets have most of: principal components of spectra over their
brightness, beyond what noise makes (Marchenko and Pastur 1967). How far a spectrum may depart grows with its light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

FIT_CLIP = 3.0  # sigma that a bin can count
TERMS = 4  # of the polynomial of a spectrum
USUAL = 2.0  # times the usual departure of a polynomial from a constant that is allowed
MEASURED = 10.0  # errors of the level of a fiber that tells what is usual
EMPTY, EMPTY_SLOPE, LEAST_SLOPE = 0.01, 0.002, 0.004  # of the sky: level and slopes of sky fibers, least of targets
SHAPES, ENOUGH = 8, 100  # principal components at most, and targets that tell them
FAINT = 0.03  # of the sky: targets count as that bright at least
BRIGHT = 3.0  # noise of a bin that a target which tells must have
ODD = 3.0  # times the usual departure that one target can count
TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """Shapes, how far each fiber may follow them, and its normal matrix with that.

    Parameters
    ----------
    shapes : ndarray, shape (nterm, nbin)
    normal : ndarray, shape (nfiber, nterm, nterm)
        Inverse covariances of the coefficients, of the data and of what is usual.
    """

    shapes: Array
    normal: Array

    def fitted(self, value: Array, weight: Array) -> Array:
        """Coefficients, shape (nfiber, nterm), of spectra of shape (nfiber, nbin)."""
        right = (weight * value) @ self.shapes.T
        return np.asarray(np.linalg.solve(self.normal, right[..., None])[..., 0])


def usual(value: Array, weight: Array, empty: Array, sky: float) -> Usual:
    """Learn from spectra in bins.

    Parameters
    ----------
    value, weight : ndarray, shape (nfiber, nbin)
        Light after the sky; its inverse variance.
    empty : ndarray of bool, shape (nfiber,)
        Sky fibers: they have a level and little else.
    sky : float
        Level of the sky.
    """
    poly = _polynomials(value.shape[1])
    spread = _of_polynomial(value, weight, empty, sky, poly)
    first = _with(poly, spread, weight)
    coeff = first.fitted(value, weight)
    level = np.hypot(np.maximum(coeff[:, 0], 0.0), FAINT * sky)
    shapes, variance = _shapes((value - coeff @ poly) / level[:, None], weight * level[:, None] ** 2, ~empty)
    if not variance.size:
        return first
    own = level[:, None] * np.sqrt(variance)
    own[empty] = EMPTY_SLOPE * sky
    return _with(np.concatenate([poly, shapes]), np.concatenate([spread, own], axis=1), weight)


def _with(shapes: Array, spread: Array, weight: Array) -> Usual:
    """With the spread of each coefficient in each fiber, shape (nfiber, nterm)."""
    return Usual(shapes, _normal(weight, shapes) + (spread**-2.0)[:, :, None] * np.eye(len(shapes)))


def _shapes(rest: Array, weight: Array, targets: Array) -> tuple[Array, Array]:
    """What residuals over the brightness have most of, shapes (n, nbin) and (n,): shapes and variances along them."""
    known = (weight > 0).all(axis=1)
    variance = 1 / np.maximum(weight, TINY)
    tells = np.flatnonzero(targets & known & (np.median(variance, axis=1) < BRIGHT**-2.0))
    if tells.size < ENOUGH:
        return np.zeros((0, rest.shape[1])), np.zeros(0)
    rest, variance = rest[tells], variance[tells]
    extra = np.sqrt(np.maximum(np.mean(rest**2 - variance, axis=1), 0.0))
    typical = max(float(np.median(extra)), TINY)
    part = np.minimum(1.0, ODD * typical / np.maximum(extra, TINY))[:, None]
    trust = 1 / (np.mean(variance, axis=1) + typical**2)
    trust = (trust / trust.sum())[:, None]
    noise = np.sum(trust * part**2 * variance, axis=0)
    along, shapes = np.linalg.eigh((trust * part * rest).T @ (part * rest) - np.diag(noise))
    edge = np.mean(noise) * ((1 + np.sqrt(rest.shape[1] * np.sum(trust**2))) ** 2 - 1)  # of noise alone
    keep = np.flatnonzero(along > edge)[-SHAPES:]
    return shapes[:, keep].T, along[keep]


def _polynomials(count: int) -> Array:
    """Those of a spectrum, shape (TERMS, nbin)."""
    return np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, count), TERMS - 1).T


def _normal(weight: Array, shapes: Array) -> Array:
    """Normal matrices of some shapes, shape (nfiber, nterm, nterm)."""
    count = len(shapes)
    pairs = (shapes[:, None] * shapes[None]).reshape(-1, shapes.shape[1])
    return np.asarray((weight @ pairs.T).reshape(-1, count, count), np.float64) + 1e-9 * np.eye(count)


def _of_polynomial(value: Array, weight: Array, empty: Array, sky: float, shapes: Array) -> Array:
    """How far coefficients of the polynomial may be from 0, by those of the brighter targets, shape (nfiber, TERMS)."""
    less = weight
    for _ in range(2):
        normal = _normal(less, shapes)
        coeff = np.linalg.solve(normal, ((less * value) @ shapes.T)[..., None])[..., 0]
        away = np.abs(value - coeff @ shapes) * np.sqrt(weight)
        less = weight / np.maximum(1.0, away / FIT_CLIP) ** 2
    level = np.maximum(coeff[:, 0], 0.0)
    tells = ~empty & (level > MEASURED / np.sqrt(np.maximum(weight.sum(axis=1), TINY)))
    scatter = np.zeros(TERMS)
    if np.count_nonzero(tells) > TERMS:
        scatter = USUAL * MAD_TO_SIGMA * np.median(np.abs(coeff[tells] / level[tells, None]), axis=0)
    spread = np.maximum(level[:, None] * scatter, LEAST_SLOPE * sky)
    spread[empty] = EMPTY_SLOPE * sky
    spread[:, 0] = np.where(empty, EMPTY * sky, np.inf)
    return np.asarray(spread)
