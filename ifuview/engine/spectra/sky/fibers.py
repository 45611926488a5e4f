"""Which fibers see sky only: those at the level that most of the dark ones share, within what noise explains.

The level is the mode of the fibers' brightness by repeated halving (half-sample mode; Bickel & Fruehwirth 2006) of the
darker part, so that neither a bright source nor one dead corner moves it. Where the light of a source reaches all
fibers no level is shared by many: then the darkest fibers are taken and the field is called crowded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from ifuview.engine.numeric.medians import median
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra

DARK = 0.6  # share of the fibers, from the darkest, among which the level is looked for
NEAR = 3.0  # sigma from the level
UNEVEN = 0.015  # of the level, by which sky itself may differ from fiber to fiber: gradients and response
CROWDED = 0.3  # of all fibers: fewer at the level means that light of a source is everywhere
DARKEST = 0.15  # of the fibers, that are taken as sky then
LEAST = 5  # fibers
ALIKE = 0.01  # of the light in a fiber, as error of its brightness
ODD = 0.02  # of the fibers, that may be broken
TYPICAL = 100  # fibers that tell the weight of each wavelength
EVEN = (9, 5)  # fibers and samples that a variance is averaged over


@dataclass(frozen=True, slots=True, eq=False)
class SkyFibers:
    """Choice of sky fibers.

    Parameters
    ----------
    chosen : ndarray of bool, shape (nfiber,)
    level : ndarray of float64, shape (nfiber,)
        Brightness of each fiber, NaN where it has too few samples.
    crowded : bool
    note : str
    """

    chosen: NDArray[np.bool_]
    level: NDArray[np.float64]
    crowded: bool
    note: str = ""


def brightness(spectra: FiberSpectra, weight: Array | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each fiber over wavelength and its error, every wavelength with one weight for all; (nfiber,) each.

    NaN where less than half of the weight is usable.

    Parameters
    ----------
    spectra : FiberSpectra
    weight : ndarray, shape (nfiber, nwave), optional
        That of `column_weight`, where it is known.
    """
    weight = column_weight(spectra) if weight is None else weight
    mean = weighted_mean(spectra.flux, weight)
    known = np.isfinite(mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt((weight**2 * spectra.variance).sum(axis=1)) / weight.sum(axis=1)
    return mean, np.where(known, spread, np.nan)


def column_weight(spectra: FiberSpectra) -> NDArray[np.float64]:
    """Weight of each sample in the brightness of a fiber, (nfiber, nwave): that of its wavelength, zero if not usable.

    Fibers at the ends of a slit have a line of the sky in another column than those in its middle: with a weight of
    columns they would look brighter by as much as that line is. All are zero for a fiber with less than half of the
    weight.
    """
    usable = spectra.usable() & (spectra.variance > 0)
    with np.errstate(divide="ignore"):
        inverse = np.where(usable, 1 / np.where(usable, spectra.variance, 1.0), 0.0)
    lit = usable.any(axis=1)
    if not lit.any():
        return np.zeros(spectra.flux.shape)
    own = spectra.wave if spectra.wave.ndim == 2 else None
    if own is None:
        shared = np.broadcast_to(median(inverse[lit], axis=0), inverse.shape)
    else:
        known = lit & np.isfinite(own).all(axis=1)
        rows = np.flatnonzero(known if known.any() else lit)
        middle = own[rows[rows.size // 2]]
        some = rows[:: max(rows.size // TYPICAL, 1)]
        typical = median(np.array([np.interp(middle, own[k], inverse[k]).astype(np.float32) for k in some]), axis=0)
        del inverse  # as large as all of the spectra
        shared = np.empty(own.shape, np.float32)
        for k, at in enumerate(own):
            shared[k] = np.interp(at, middle, typical, left=0.0, right=0.0)
    weight = usable * np.nan_to_num(shared)
    return np.where((weight.sum(axis=1) > 0.5 * np.median(shared.sum(axis=1)))[:, None], weight, 0.0)


def weighted_mean(values: Array, weight: Array) -> NDArray[np.float64]:
    """Mean of each fiber with the weights of `column_weight`, NaN where there are none."""
    total = weight.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (weight * values).sum(axis=1) / total, np.nan)


def even_weight(variance: Array, usable: Array) -> NDArray[np.float32]:
    """Inverse of the variance averaged over neighboring samples and fibers, zero where not usable.

    A variance that knows of the noise of its own sample makes low samples count more: a sky of faint lines then comes
    out too dark (0.3 percent at 40 electrons a sample). Each fiber keeps its own level.
    """
    count = np.maximum(usable.sum(axis=1), 1)
    level = np.where(usable, variance, 0.0).sum(axis=1, dtype=np.float64) / count
    level = np.where(level > 0, level, 1.0).astype(np.float32)[:, None]
    total = uniform_filter(np.where(usable, variance / level, 0), EVEN, mode="nearest")
    share = uniform_filter(usable.astype(np.float32), EVEN, mode="nearest")
    good = usable & (total > 0)
    return np.where(good, share / np.where(good, total, 1) / level, 0).astype(np.float32)


def choose_fibers(spectra: FiberSpectra, weight: Array | None = None) -> SkyFibers:
    """Find the fibers without light of a source; `weight` as for `brightness`.

    Raises
    ------
    FitError
        Fewer than LEAST fibers have light at all.
    """
    level, error = brightness(spectra, weight)
    known = np.isfinite(level)
    if known.sum() < LEAST:
        raise FitError("fewer than five fibers have usable spectra: there is no sky to be found")
    order = np.sort(level[known])
    mode = half_sample_mode(order[: max(int(DARK * order.size), LEAST)])
    sigma = np.hypot(error, UNEVEN * abs(mode))
    chosen = known & (np.abs(level - mode) < NEAR * sigma)
    found = SkyFibers(chosen, level, False)
    return darkest(found) if chosen.sum() < CROWDED * known.sum() else found


def darkest(found: SkyFibers) -> SkyFibers:
    """Take the darkest fibers instead."""
    order = np.sort(found.level[np.isfinite(found.level)])
    count = max(int(DARKEST * order.size), LEAST)
    with np.errstate(invalid="ignore"):
        chosen = found.level <= order[count - 1]
    return SkyFibers(chosen, found.level, True, f"light of a source reaches most fibers: sky from the darkest {count}")


def half_sample_mode(ordered: Array) -> float:
    """Mode of rising numbers: the densest half of the densest half, and so on."""
    part = np.asarray(ordered, np.float64)
    while part.size > 3:
        half = (part.size + 1) // 2
        at = int(np.argmin(part[half - 1 :] - part[: part.size - half + 1]))
        part = part[at : at + half]
    return float(part.mean())


def misfit(level: Array, error: Array, model: Array) -> NDArray[np.float64]:
    """Rms of level - model in units of its error, of fibers that are known, and without the few that are farthest off.

    A fiber that has lost its light, or has that of another, tells nothing of the shape of a source: what describes the
    light better does so with them and without.
    """
    sigma = np.hypot(error, ALIKE * level)
    known = np.isfinite(level) & np.isfinite(model)
    square = np.sort(((level - model) / sigma)[known] ** 2)
    fine = square[: max(round((1 - ODD) * square.size), 1)]
    return np.sqrt(np.array([np.mean(square), np.mean(fine)]))
