"""Where the sky model or the flat of some fibers differs from that of the others, and whether the spectra answer.

Both are smooth and nearly free of noise: what differs is known exactly, fiber by fiber. It is a fault only where the
sky-subtracted spectra differ by the same with the other sign; a model that follows the real sky leaves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.stats import binned, continuum, mad, middle, runs
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array

FLOOR = 0.008  # of the sky that a bin must differ by
PEAK = 0.01  # and somewhere
MIN_BINS = 4  # of one sign, in a row
EDGE = 0.03  # of the largest deviation: where the range ends
GRAY = 0.8  # of the bins: all wavelengths
SCORE, ANSWER = 5.0, (0.4, 2.5)  # sigma of the answer, and counts in the flux per count in the product, sign turned
CLEAR = 2.0  # times that in the strongest bin: then edges are where single bins are significant
AGAINST = 5.0  # sigma by which a fiber may say that it does not answer


@dataclass(frozen=True, slots=True, eq=False)
class Deviation:
    """Fibers in which a product differs at the same wavelengths.

    Parameters
    ----------
    step : str
        "sky" or "fiberflat".
    fibers : tuple of int
    columns : slice
        Pixels along wavelength in which it is taken off.
    seen : slice
        Those in which the flux shows it by itself: every bin by `SCORE` sigma; all where none does by much more.
    peak, answer : ndarray, shape (nfiber of it,)
        Largest deviation that it leaves in the flux, counts with sign; counts in the flux per count in the product.
    score : float, sigma
        Of the answer of all.
    """

    step: str
    fibers: tuple[int, ...]
    columns: slice
    peak: Array
    answer: Array
    score: float
    seen: slice


GRAY_STOP = 1 << 30


def sky_deviation(sky: Array, level: Array) -> Array:
    """Sky model of every fiber minus the typical one, counts, shape (nfiber, nwave)."""
    return np.asarray(sky - level.astype(np.float32))


def flat_deviation(flat: Array, light: Array) -> Array:
    """What the flat of every fiber has more than the others', its smooth part taken off, in counts of light.

    Parameters
    ----------
    flat : ndarray, shape (nfiber, nwave)
    light : ndarray, shape (nfiber, nwave)
        Sky and target together, smooth.
    """
    good = np.where(flat > 0, flat, 1.0).astype(np.float32)
    relative = binned(good, BIN)
    relative = relative / relative.mean(axis=1, keepdims=True)
    shape = relative / np.maximum(continuum(relative, knots=relative.shape[1]), 0.1) - 1
    shape -= median(shape, 0)
    out = np.zeros(flat.shape, np.float32)
    column = (np.arange(flat.shape[1]) - (BIN - 1) / 2) / BIN
    for fiber in np.flatnonzero((np.abs(shape) > 0.5 * FLOOR).any(axis=1)):
        out[fiber] = np.interp(column, np.arange(shape.shape[1]), shape[fiber]) * light[fiber]
    return out


def deviating(step: str, product: Array, level: Array) -> list[tuple[Array, slice]]:
    """(fibers, columns) in which a product differs by more than its floor; all wavelengths are a range of their own."""
    coarse = _coarse(product, binned(level, BIN))
    limit = FLOOR * np.maximum(binned(level, BIN), 1e-6)
    over = np.abs(coarse) > limit
    strong = np.flatnonzero((np.abs(coarse) > PEAK / FLOOR * limit).any(axis=1))
    pieces: list[tuple[int, int, int]] = []
    gray = []
    for fiber in strong:
        own = [(a, b) for sign in (1, -1) for a, b in runs(over[fiber] & (np.sign(coarse[fiber]) == sign), 1)]
        own = [
            (a, b) for a, b in own if b - a >= MIN_BINS and np.abs(coarse[fiber, a:b] / limit[a:b]).max() > PEAK / FLOOR
        ]
        if sum(b - a for a, b in own) > GRAY * limit.size and step == "sky":
            gray.append(int(fiber))
        else:
            pieces += [(a, b, int(fiber)) for a, b in own]
    out = [(np.array(gray), slice(0, GRAY_STOP))] if gray else []
    for first, last, fibers in _joined(pieces):
        power = np.abs(coarse[fibers]).sum(axis=0)
        wide = power > EDGE * power[first:last].max()
        while first > 0 and wide[first - 1]:
            first -= 1
        while last < limit.size and wide[last]:
            last += 1
        out.append((np.array(fibers), slice(first * BIN, last * BIN)))
    return out


def _coarse(product: Array, level: Array) -> Array:
    """Medians of bins, so that lines have no part, of the fibers that differ at all; the others 0."""
    count = level.size
    out = np.zeros((product.shape[0], count), np.float32)
    rows = np.flatnonzero((np.abs(binned(product, BIN)) > FLOOR * level).sum(axis=1) >= MIN_BINS)
    if rows.size:
        out[rows] = median(product[rows, : count * BIN].reshape(rows.size, count, BIN), 2)
    return out


def _joined(pieces: list[tuple[int, int, int]]) -> list[tuple[int, int, list[int]]]:
    """First bin, last bin and fibers of pieces whose ranges overlap."""
    out: list[tuple[int, int, set[int]]] = []
    for first, last, fiber in sorted(pieces):
        if out and first < out[-1][1]:
            low, high, fibers = out[-1]
            out[-1] = low, max(high, last), fibers | {fiber}
        else:
            out.append((first, last, {fiber}))
    return [(a, b, sorted(fibers)) for a, b, fibers in out]


def answered(step: str, product: Array, flux: Array, sigma: Array, where: tuple[Array, slice]) -> Deviation | None:
    """The deviation if the flux answers it; None if not.

    Parameters
    ----------
    product, flux : ndarray, shape (nfiber, nwave)
        The deviation of the product; the sky-subtracted flux without its continuum, NaN in gaps.
    sigma : ndarray, shape (nwave,)
        Noise of a pixel.
    where : (fibers, columns)
    """
    fibers, columns = where
    shape = binned(product[fibers][:, columns], BIN).astype(np.float64)
    seen = binned(flux[fibers][:, columns], BIN).astype(np.float64)
    noise = binned(sigma[columns], BIN) / np.sqrt(BIN)
    known = np.isfinite(seen)
    weight = np.where(known, noise**-2.0, 0.0)
    seen = np.where(known, seen, 0.0)
    norm = np.sum(weight * shape**2, axis=1)
    each = -np.sum(weight * shape * seen, axis=1) / np.maximum(norm, 1e-12)
    rest = (seen + each[:, None] * shape) / noise
    extra = np.maximum(1.0, mad(np.where(known, rest, np.nan), axis=1))
    extra = np.where(np.isfinite(extra), extra, 1.0)
    power = norm / extra**2
    if not power.sum() > 0:
        return None
    answer = float(np.sum(each * power) / power.sum())
    if fibers.size > 2:
        answer = float(middle(np.repeat(each[power > 0], 1)))
    score = answer * float(np.sqrt(power.sum()))
    if score < SCORE or not ANSWER[0] < answer < ANSWER[1]:
        return None
    seen_in = _seen(answer * np.sqrt(np.sum((shape / extra[:, None]) ** 2, axis=0)) / noise)
    ends = (columns.start + place * BIN for place in seen_in)
    keep = (each > ANSWER[0]) | ((ANSWER[0] - each) * np.sqrt(power) < AGAINST)
    at = np.argmax(np.abs(shape), axis=1)
    peak = -answer * shape[np.arange(fibers.size), at]
    return Deviation(step, tuple(int(f) for f in fibers[keep]), columns, peak[keep], each[keep], score, slice(*ends))


def _seen(expected: Array) -> tuple[int, int]:
    """First and last bin, half-open, around the strongest in which a deviation is significant by itself.

    Its shape is that of the product, nearly free of noise, so that the edges do not depend on the flux there; they are
    known to a bin.

    Parameters
    ----------
    expected : ndarray, shape (nbin,)
        Sigma that it has in the flux of all its fibers.
    """
    at = int(np.argmax(expected))
    if expected[at] < CLEAR * SCORE:
        return 0, expected.size
    low = np.flatnonzero(expected[:at] < SCORE)
    high = np.flatnonzero(expected[at:] < SCORE)
    return int(low[-1]) + 1 if low.size else 0, at + int(high[0]) if high.size else expected.size


def left(found: list[Deviation], products: dict[str, Array], shape: tuple[int, int]) -> Array:
    """What the deviations leave in the flux, shape (nfiber, nwave), float32."""
    out = np.zeros(shape, np.float32)
    for one in found:
        rows = np.array(one.fibers)
        out[rows, one.columns] -= products[one.step][rows][:, one.columns]
    return out
