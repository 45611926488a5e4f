"""A column of the detector through the traces: light that fibers have where their trace crosses it, and nowhere else.

A trace bends, so a column enters and leaves it; where, and in which fibers, its position says. Every position in both
halves of the columns is asked for with a matched filter. What a spectrum may be is learned from the others of the
camera, see `bumps.usual`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.search.bumps.usual import Usual, usual
from ifuview.engine.night.stats import binned
from ifuview.model.checks import Array

PROFILE = 1.1  # px, sigma of the profile of a fiber
STEP = 1.5  # px at most between the columns that are asked for
REFINED, FINER = 2.5, (-1.0, -0.5, 0.0, 0.5, 1.0)  # sigma from which others beside it are asked for, px
CLIP = 2.5  # sigma that a bin can count
ON = 0.5  # of its light that a column must send into a fiber somewhere
LEFT = 0.03  # of the power of a column that the spectrum must leave
TYPICAL = 0.5  # of the mean of its bins that half of them must reach
WIDTHS = (1.5, 2.0, 3.0, 4.5, 7.0, 10.0, 15.0, 22.0, 32.0)  # bins, sigma of features that a target may have
BREAKS, AT_EDGE = (0.5, 3.0, 8.0), 1.5  # bins over which its level may change; a column may begin at the edge
SHAPE_CLIP = 6.0  # sigma that a bin can count where shapes are compared
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
    continuum : ndarray, shape (nfiber,)
        Level of the spectrum without it.
    rest : ndarray, shape (nfiber, nbin), sigma
        What a smooth spectrum leaves.
    usual : Usual
        What a smooth spectrum may be.
    """

    score: Array
    at: Array
    lower: Array
    level: Array
    continuum: Array
    rest: Array
    usual: Usual


def spectra(flux: Array, use: Array, sigma: Array, empty: Array, sky: float) -> Spectra:
    """Bin the pixels in `use`; shapes (nfiber, nwave), (nwave,)."""
    weight = use * (sigma**-2.0).astype(np.float32)
    total = BIN * binned(weight, BIN)
    value = BIN * binned(np.where(use, flux, np.float32(0.0)) * weight, BIN) / np.maximum(total, np.float32(1e-12))
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
    for values, better in zip(found, finer, strict=True):
        values[again] = better
    return BestColumns(*found, coeff[:, 0], away, own)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Residuals over their variances, and what else a filter needs."""

    rest: Array
    weight: Array
    normal: Array
    shapes: Array
    cross: Array
    lower: Array


def _best(of: _Asked, at: Array) -> tuple[Array, Array, Array, Array]:
    """Score, position, half and level of the best column of those at `at`, shape (nfiber, ncolumn), of each fiber."""
    light = np.exp(-0.5 * ((of.cross[:, None, :] - at[:, :, None]) / PROFILE) ** 2)
    rows = np.arange(at.shape[0])
    best = np.zeros(rows.size), at[:, 0].copy(), np.zeros(rows.size, bool), np.zeros(rows.size)
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
    return best


def steady(of: Spectra, found: BestColumns, fiber: int, cross: Array, lower: Array) -> bool:
    """Whether a column shows in most of its bins: lines of a target are in a few."""
    light = np.exp(-0.5 * ((cross[fiber] - found.at[fiber]) / PROFILE) ** 2) * (lower[fiber] == found.lower[fiber])
    without = of.value[fiber] - found.level[fiber] * light
    right = found.usual.shapes @ (of.weight[fiber] * without)
    rest = of.value[fiber] - np.linalg.solve(found.usual.normal[fiber], right) @ found.usual.shapes
    rest = np.clip(rest * np.sqrt(of.weight[fiber]), -CLIP, CLIP)
    on = light > ON * light.max()
    inside, beside = rest[on], np.median(rest[~on]) if not on.all() else 0.0
    return bool(np.median(inside) - beside > TYPICAL * (np.mean(inside) - beside))


def own_shape(of: Spectra, found: BestColumns, fibers: Array, cross: Array, lower: Array) -> Array:
    """By how much chi2 a column fits some fibers better than any bump or break of a target, shape of `fibers`.

    Where a trace crosses a column, and how fast, is known: few features of a target are as wide, and have their edges
    there. Near 0 both fit alike.
    """
    shapes, normal = found.usual.shapes, found.usual.normal
    features, at = _features(of.value.shape[1])
    out = np.zeros(len(fibers))
    for k, f in enumerate(fibers):
        weight = of.weight[f].astype(np.float64)
        value = of.value[f] - np.linalg.solve(normal[f], shapes @ (weight * of.value[f])) @ shapes
        limit = SHAPE_CLIP / np.sqrt(np.maximum(weight, 1e-12))
        value = weight * np.clip(value, -limit, limit)
        column = np.exp(-0.5 * ((cross[f] - found.at[f]) / PROFILE) ** 2) * (lower[f] == found.lower[f])
        edge = np.count_nonzero(lower[f])
        others = features[np.isnan(at) | (np.abs(at - edge + 0.5) > AT_EDGE)]
        own, best = (_gains(t, value, weight, shapes, normal[f]).max() for t in (column[None], others))
        out[k] = own - best
    return out


def _gains(templates: Array, value: Array, weight: Array, shapes: Array, normal: Array) -> Array:
    """How much chi2 each of some templates takes off, beside a polynomial, shape (ntemplate,)."""
    weighted = templates * weight
    own, whole = weighted @ shapes.T, np.sum(weighted * templates, axis=1)
    power = whole - np.sum(own * np.linalg.solve(normal, own.T).T, axis=1)
    return np.where(power > LEFT * whole, (templates @ value) ** 2 / np.maximum(power, 1e-30), 0.0)


@lru_cache(maxsize=4)
def _features(count: int) -> tuple[Array, Array]:
    """Bumps and breaks that targets may have, shape (nfeature, nbin), and where the breaks are; NaN of bumps."""
    bins = np.arange(count, dtype=np.float64)
    centers = [(c, w) for w in WIDTHS for c in np.arange(0.0, count, max(1.0, w / 2))]
    out = [np.exp(-0.5 * ((bins - c) / w) ** 2) for c, w in centers]
    breaks = [(c, w) for w in BREAKS for c in np.arange(1.0, count - 1, max(1.0, w / 2))]
    out += [np.tanh((bins - c) / w) for c, w in breaks]
    return np.array(out), np.array([np.nan] * len(centers) + [c for c, _ in breaks])


def touched(cross: Array, inside: Array, at: float) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Fibers that a column lights in the bins in its half, and the bins of the one that has most, half-open."""
    light = np.exp(-0.5 * ((cross - at) / PROFILE) ** 2) * inside
    whole = np.sqrt(np.sum(light**2, axis=1))
    on = np.flatnonzero(light[np.argmax(whole)] > TOUCHED)
    return tuple(int(f) for f in np.flatnonzero(whole > TOUCHED * whole.max())), (int(on[0]), int(on[-1]) + 1)
