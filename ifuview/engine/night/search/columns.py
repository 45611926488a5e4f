"""A column of the detector through the traces: light that fibers have where their trace crosses it, and nowhere else.

A trace bends, so a column enters and leaves it; where, and in which fibers, its position says. Every position in both
halves of the columns is asked for with a matched filter. What a spectrum may be is learned from the others of the
camera, see `bumps.usual`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.search.bumps.crossing import PROFILE, BinnedSpectrum
from ifuview.engine.night.search.bumps.usual import Usual, usual
from ifuview.engine.night.stats import binned
from ifuview.model.checks import Array

STEP = 1.5  # px at most between the columns that are asked for
REFINED, FINER = 2.5, (-1.0, -0.5, 0.0, 0.5, 1.0)  # sigma from which others beside it are asked for, px
CLIP = 2.5  # sigma that a bin can count
ON = 0.5  # of its light that a column must send into a fiber somewhere
LEFT = 0.03  # of the power of a column that the spectrum must leave
JUMP = 4  # bins on either side of an edge
TOUCHED = 0.3  # of the light of the fiber that has most


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """Spectra in bins of BIN pixels.

    Parameters
    ----------
    value, weight : ndarray, shape (nfiber, nbin)
        Light after the sky, without narrow lines; its inverse variance.
    empty : ndarray of bool, shape (nfiber,)
        Sky fibers.
    sky : float
        Level of the sky.
    """

    value: Array
    weight: Array
    empty: Array
    sky: float


@dataclass(frozen=True, slots=True, eq=False)
class BestColumns:
    """The best column through each fiber.

    Parameters
    ----------
    score : ndarray, shape (nfiber,), sigma
    at : ndarray, shape (nfiber,), px across
    lower : ndarray of bool, shape (nfiber,)
        Half of the detector that it is in, along wavelength.
    level : ndarray, shape (nfiber,)
        Counts where the trace lies on it.
    cold : ndarray, shape (nfiber,), sigma
        Score of the best one that takes light away.
    continuum : ndarray, shape (nfiber,)
        Level of the spectrum without it.
    usual : Usual
        What a smooth spectrum may be.
    """

    score: Array
    at: Array
    lower: Array
    level: Array
    cold: Array
    continuum: Array
    usual: Usual


def spectra(flux: Array, ivar: Array, empty: Array, sky: float) -> Spectra:
    """Bin the pixels whose inverse variance is not 0: that of each fiber, for bright targets are noisier.

    Shapes (nfiber, nwave).
    """
    total = BIN * binned(ivar, BIN)
    value = BIN * binned(np.where(ivar > 0, flux, np.float32(0.0)) * ivar, BIN) / np.maximum(total, np.float32(1e-12))
    return Spectra(value, total, empty, sky)


def columns(of: Spectra, cross: Array, lower: Array) -> BestColumns:
    """Ask every fiber for columns through it.

    Parameters
    ----------
    cross : ndarray, shape (nfiber, nbin), px
    lower : ndarray of bool, shape (nfiber, nbin)
        Bins in the lower half of the detector, along wavelength.
    """
    own = usual(of.value, of.weight, of.empty, of.sky)
    shapes, normal, coeff = own.shapes, own.normal, own.fitted(of.value, of.weight)
    sigma = np.sqrt(np.maximum(of.weight, 1e-12))
    away = np.clip((of.value - coeff @ shapes) * sigma, -CLIP, CLIP)
    rest = (away * np.sqrt(of.weight)).astype(np.float32)
    linear = np.linspace(0.0, 1.0, 1 + int(np.ceil(np.ptp(cross, axis=1).max() / STEP)))
    at = cross.min(axis=1, keepdims=True) + np.ptp(cross, axis=1)[:, None] * linear
    asked = _Asked(rest, of.weight, normal, shapes.astype(np.float32), cross, lower)
    found = _best(asked, at.astype(np.float32))
    again = np.flatnonzero(found[0] > REFINED)
    part = _Asked(rest[again], of.weight[again], normal[again], asked.shapes, cross[again], lower[again])
    finer = _best(part, found[1][again, None] + np.array(FINER, np.float32))
    for values, better in zip(found[:-1], finer[:-1], strict=True):
        values[again] = better
    return BestColumns(*found, coeff[:, 0], own)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Residuals over their variances, and what else a filter needs."""

    rest: Array
    weight: Array
    normal: Array
    shapes: Array
    cross: Array
    lower: Array


def _best(of: _Asked, at: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Score, position, half and level of the best column of those at `at`, shape (nfiber, ncolumn), of each fiber.

    And the score of the best cold one.
    """
    light = np.exp(-0.5 * ((of.cross[:, None, :] - at[:, :, None]) / PROFILE) ** 2)
    rows = np.arange(at.shape[0])
    best = np.zeros(rows.size), at[:, 0].copy(), np.zeros(rows.size, bool), np.zeros(rows.size)
    cold = np.zeros(rows.size)
    for half in (True, False):
        on = (of.lower == half).any(axis=0)
        if not on.any():  # no fiber has bins in this half
            continue
        part = light[:, :, on] * (of.lower[:, on] == half)[:, None, :]
        weighted = part * of.weight[:, None, on]
        own = weighted @ of.shapes[:, on].T
        whole = np.sum(weighted * part, axis=2)
        power = whole - np.sum(own * np.linalg.solve(of.normal, own.transpose(0, 2, 1)).transpose(0, 2, 1), axis=2)
        crossed = (part.max(axis=2) > ON) & (power > LEFT * whole)
        norm = np.sqrt(np.where(crossed, power, np.inf))
        score = np.matmul(part, of.rest[:, on, None])[:, :, 0] / norm
        k = np.argmax(score, axis=1)
        new = score[rows, k], at[rows, k], np.full(rows.size, half), score[rows, k] / norm[rows, k]
        better = new[0] > best[0]
        for old, value in zip(best, new, strict=True):
            old[better] = value[better]
        cold = np.maximum(cold, -score.min(axis=1))
    return (*best, cold)


def jumps(of: Spectra) -> Array:
    """Largest difference between JUMP bins and as many after them, shape (nfiber,), sigma."""
    weight, total = (
        np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
        for values in (of.weight, of.weight * of.value)
    )
    weight, total = (values[:, JUMP:] - values[:, :-JUMP] for values in (weight, total))
    known = np.minimum(weight[:, JUMP:], weight[:, :-JUMP]) > 0
    weight = np.maximum(weight, 1e-12)
    mean, variance = total / weight, 1 / weight
    z = np.abs(mean[:, JUMP:] - mean[:, :-JUMP]) / np.sqrt(variance[:, JUMP:] + variance[:, :-JUMP])
    return np.asarray(np.where(known, z, 0.0).max(axis=1))


def spectrum(of: Spectra, found: BestColumns, fiber: int) -> BinnedSpectrum:
    """One of the spectra, and what it may be."""
    weight, shapes = of.weight[fiber].astype(np.float64), found.usual.shapes
    prior = found.usual.normal[fiber] - (shapes * weight) @ shapes.T
    return BinnedSpectrum(of.value[fiber].astype(np.float64), weight, shapes, prior)


def light_of(cross: Array, inside: Array, at: float, width: float = PROFILE) -> Array:
    """Light of a column, 1 where a trace lies on it, of the shape of `cross`."""
    return np.asarray(np.exp(-0.5 * ((cross - at) / width) ** 2) * inside)


def touched(
    cross: Array, inside: Array, at: float, width: float = PROFILE
) -> tuple[tuple[int, ...], tuple[int, int]]:  # fmt: skip
    """Fibers that a column lights in the bins in its half, and the bins of the one that has most, half-open."""
    light = light_of(cross, inside, at, width)
    whole = np.sqrt(np.sum(light**2, axis=1))
    most = light[np.argmax(whole)]
    on = np.flatnonzero(most > TOUCHED * most.max())
    return tuple(int(f) for f in np.flatnonzero(whole > TOUCHED * whole.max())), (int(on[0]), int(on[-1]) + 1)
