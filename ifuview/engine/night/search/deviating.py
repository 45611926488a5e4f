"""Where the sky model or the flat of some fibers differs from that of the others, and whether the spectra answer.

Both are smooth and nearly free of noise: what differs is known exactly, fiber by fiber. It is a fault only where the
sky-subtracted spectra differ by the same with the other sign; a model that follows the real sky leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.stats import binned, continuum, mad, middle
from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array

FLOOR = 0.008  # of the sky that a bin must differ by
PEAK = 0.01  # and somewhere
MIN_BINS = 4  # of one sign, in a row
FINE, FINE_BINS = 5, 3  # px of a bin for what is narrow, and bins in a row
NATURAL, SAMPLE = 6.0, 4  # scatter of neighbors that a fine bin must differ by; every so many fibers tell it
LINE = 0.05  # of the sky: where a line is
FEW_LINES, ALL_LINES = 0.05, 0.9  # of what is sharp in a fiber: its lines are the others'; nothing but lines differs
EDGE = 0.03  # of the largest deviation: where the range ends
MIXED = 0.2  # of the bins: products that do not belong together
KNOWN = 0.5  # of the pixels of a bin
GRAY = 0.8  # of the bins: all wavelengths
SCORE, ANSWER = 5.0, (0.4, 2.5)  # sigma of the answer, and counts in the flux per count in the product, sign turned
CLEAR = 2.0  # times that in the strongest bin: then edges are where single bins are significant
AGAINST = 5.0  # sigma by which a fiber may say that it does not answer
LIKE_HALF, HALFWAY = 0.4, 2.0  # of the fibers that are right where half are wrong; counts per count then
LEAST_EMPTY = 5  # sky fibers of a half that tell
TWICE = 1.5  # counts per count: where half of the fibers are wrong, the typical one is half wrong


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


def sframe_deviation(gaps: Array, good: Array, level: Array) -> Array | None:
    """What sframe lacks of frame / flat - sky, but for a share of the sky; None: nothing, or it is of other products.

    Parameters
    ----------
    gaps : ndarray, shape (nfiber, nwave)
        See `identity.gap`.
    good : ndarray of bool, shape (nfiber, nwave)
    level : ndarray, shape (nwave,)
        Of the sky.
    """
    count = binned(good.astype(np.float32), FINE)
    if not np.where(good, gaps, 0.0).any():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):  # files may be rounded, pixel by pixel
        share = np.where(count > KNOWN, binned(np.where(good, gaps, 0.0), FINE) / count, np.nan)
    share = share / np.maximum(binned(level, FINE), 1e-6)
    typical = np.nan_to_num(middle(share, axis=1))[:, None]
    off = np.abs(share - typical)
    if np.count_nonzero(off > FLOOR) > MIXED * np.count_nonzero(np.isfinite(off)):
        return None
    return np.asarray(np.where(good, typical * level - gaps, 0.0), np.float32)


def flat_deviation(flat: Array, light: Array, width: int = BIN) -> Array:
    """What the flat of every fiber has more than the others', its smooth part taken off, in counts of light.

    Parameters
    ----------
    flat : ndarray, shape (nfiber, nwave)
    light : ndarray, shape (nfiber, nwave)
        Sky and target together, smooth.
    width : int, px
        Of the bins.
    """
    good = np.where(flat > 0, flat, 1.0).astype(np.float32)
    relative = binned(good, width)
    relative = relative / relative.mean(axis=1, keepdims=True)
    shape = relative / np.maximum(continuum(relative, knots=flat.shape[1] // BIN), 0.1) - 1
    shape -= median(shape, 0)
    out = np.zeros(flat.shape, np.float32)
    column = (np.arange(flat.shape[1]) - (width - 1) / 2) / width
    for fiber in np.flatnonzero((np.abs(shape) > 0.5 * FLOOR).any(axis=1)):
        out[fiber] = np.interp(column, np.arange(shape.shape[1]), shape[fiber]) * light[fiber]
    return out


def deviating(step: str, product: Array, level: Array) -> list[tuple[Array, slice]]:
    """(fibers, columns) in which a product differs by more than its floor; all wavelengths are a range of their own."""
    limit = FLOOR * np.maximum(binned(level, BIN), 1e-6)
    values = _medians(product, limit, BIN, MIN_BINS)
    gray, pieces = [], []
    for fiber, own in _pieces(values, limit, MIN_BINS):
        if sum(b - a for a, b in own) > GRAY * limit.size and step in ("sky", "sframe"):
            gray.append(fiber)
        else:
            pieces += [(a, b, fiber) for a, b in own]
    out = [(np.array(gray), slice(0, GRAY_STOP))] if gray and step == "sky" else []  # else asked fiber by fiber
    return out + _ranges(values, pieces, BIN)


def deviating_narrowly(
    product: Array, lines: Array, level: Array, found: Array, known: Array | None
) -> list[tuple[Array, slice]]:
    """(fibers, columns) in which a product differs in too few pixels for `deviating`, and by more than neighbors do.

    Lines have no part: what their strengths, places and widths make is taken off, and where that is much of what a
    fiber differs by the product is taken straight across them.

    Parameters
    ----------
    product : ndarray, shape (nfiber, nwave)
    lines : ndarray, shape (nshape, nwave)
        What other strengths, places and widths of lines leave; see `templates.shapes`.
    level : ndarray, shape (nwave,)
        Of the sky.
    found : ndarray of bool, shape (nfiber, nwave)
        Where something wide was found.
    known : ndarray of bool, shape (nfiber, nwave), or None
        What of the product is known; None: all.
    """
    floor = FLOOR * np.maximum(binned(level, FINE), 1e-6)
    rows = np.flatnonzero((np.abs(binned(product, FINE)) > floor).any(axis=1))
    if not rows.size:
        return []
    steps, of_lines = np.diff(product[rows], axis=1).T, np.diff(lines, axis=1).T
    fits = np.linalg.lstsq(of_lines, steps, rcond=None)[0]
    share = np.sum((of_lines @ fits) ** 2, axis=0) / np.sum(steps**2, axis=0)
    rows, fits, plain = rows[share < ALL_LINES], fits[:, share < ALL_LINES], share[share < ALL_LINES] < FEW_LINES
    rest = np.where(found[rows], 0.0, product[rows] - fits.T @ lines)
    line = np.abs(lines[0]) >= LINE * level
    values = np.zeros((product.shape[0], floor.size), np.float32)
    pieces: list[tuple[int, int, int]] = []
    for part, across in ((plain, line & False), (~plain, line)):
        if part.any():
            kept = np.zeros(product.shape, np.float32)
            kept[rows[part]] = _straight(rest[part], across)
            limit = np.maximum(floor, _natural(product, across, known))
            own = _medians(kept, limit, FINE, FINE_BINS)
            pieces += [(a, b, fiber) for fiber, of in _pieces(own, limit, FINE_BINS) for a, b in of]
            values += own
    return _ranges(values, pieces, FINE)


def _natural(product: Array, line: Array, known: Array | None) -> Array:
    """What a product of fibers beside each other may differ by in each fine bin; infinite where nothing is known."""
    pairs = np.arange(0, product.shape[0] - 1, SAMPLE)
    apart = binned(_straight(product[pairs], line) - _straight(product[pairs + 1], line), FINE)
    if known is not None:
        apart = np.where(binned((known[pairs] & known[pairs + 1]).astype(np.float32), FINE) > KNOWN, apart, np.nan)
    return np.nan_to_num(NATURAL * MAD_TO_SIGMA / np.sqrt(2.0) * middle(np.abs(apart), axis=0), nan=np.inf)


def _straight(product: Array, line: Array) -> Array:
    """The product with straight lines over some columns, shape (nfiber, nwave)."""
    out = np.array(product, np.float32)
    at, gone = np.flatnonzero(~line), np.flatnonzero(line)
    if at.size and gone.size:
        place = np.interp(gone, at, np.arange(at.size))
        low = place.astype(int)
        high, part = np.minimum(low + 1, at.size - 1), (place - low).astype(np.float32)
        out[:, gone] = (1 - part) * out[:, at[low]] + part * out[:, at[high]]
    return out


def _pieces(values: Array, limit: Array, least: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Fibers, and the runs of at least so many bins of one sign above the limit that rise well above it."""
    size = np.abs(values) / limit
    for fiber in np.flatnonzero((size > PEAK / FLOOR).any(axis=1)):
        own = [r for sign in (1, -1) for r in runs((size[fiber] > 1) & (np.sign(values[fiber]) == sign), 1)]
        yield int(fiber), [(a, b) for a, b in own if b - a >= least and size[fiber, a:b].max() > PEAK / FLOOR]


def _ranges(values: Array, pieces: list[tuple[int, int, int]], width: int) -> list[tuple[Array, slice]]:
    """Fibers and columns of pieces that belong together, with the wings."""
    out: list[tuple[Array, slice]] = []
    for first, last, fibers in _joined(pieces):
        power = np.abs(values[fibers]).sum(axis=0)
        wide = power > EDGE * power[first:last].max()
        while first > 0 and wide[first - 1]:
            first -= 1
        while last < wide.size and wide[last]:
            last += 1
        out.append((np.array(fibers), slice(first * width, last * width)))
    return out


def _medians(product: Array, limit: Array, width: int, least: int) -> Array:
    """Medians of bins, so that lines have no part, of the fibers that differ at all; the others 0."""
    count = limit.size
    out = np.zeros((product.shape[0], count), np.float32)
    rows = np.flatnonzero((np.abs(binned(product, width)) > limit).sum(axis=1) >= least)
    if rows.size:
        out[rows] = median(product[rows, : count * width].reshape(rows.size, count, width), 2)
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


def answered(
    step: str, product: Array, flux: Array, sigma: Array, where: tuple[Array, slice], width: int = BIN,
    empty: Array | None = None,
) -> Deviation | None:  # fmt: skip
    """The deviation if the flux answers it; None if not.

    Parameters
    ----------
    product, flux : ndarray, shape (nfiber, nwave)
        The deviation of the product; the sky-subtracted flux without its continuum, NaN in gaps.
    sigma : ndarray, shape (nwave,)
        Noise of a pixel.
    where : (fibers, columns)
    width : int, px
        Of the bins in which they are compared.
    empty : ndarray of bool, shape (nfiber,), optional
        Fibers without a continuum that may hide it: they tell which of two halves is wrong.
    """
    fibers, columns = where
    shape = binned(product[fibers][:, columns], width).astype(np.float64)
    seen = binned(flux[fibers][:, columns], width).astype(np.float64)
    noise = binned(sigma[columns], width) / np.sqrt(width)
    known = np.isfinite(seen)
    weight = np.where(known, noise**-2.0, 0.0)
    seen = np.where(known, seen, 0.0)
    norm = np.sum(weight * shape**2, axis=1)
    each = -np.sum(weight * shape * seen, axis=1) / np.maximum(norm, 1e-12)
    rest = (seen + each[:, None] * shape) / noise
    extra = np.maximum(1.0, mad(np.where(known, rest, np.nan), axis=1))
    extra = np.where(np.isfinite(extra), extra, 1.0)
    power = norm / extra**2
    silent = _silent(shape, each, power, None if empty is None else empty[fibers])
    if silent.mean() > LIKE_HALF:  # the typical one lies halfway
        each = np.where(silent, each, np.maximum(each, HALFWAY))
    power[silent] = 0.0
    if not power.sum() > 0:
        return None
    answer = float(np.sum(each * power) / power.sum())
    if fibers.size > 2:
        answer = float(middle(each[power > 0]))
    score = answer * float(np.sqrt(power.sum()))
    if score < SCORE or not ANSWER[0] < answer < ANSWER[1]:
        return None
    seen_in = _seen(answer * np.sqrt(np.sum((shape / extra[:, None]) ** 2, axis=0)) / noise)
    ends = (columns.start + place * width for place in seen_in)
    keep = (power > 0) & ((each > ANSWER[0]) | ((ANSWER[0] - each) * np.sqrt(power) < AGAINST))
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


def _silent(shape: Array, each: Array, power: Array, empty: Array | None) -> Array:
    """Fibers that differ to one side and do not answer, shape (nfiber,): half of all are wrong, and these are not."""
    out = np.zeros(each.size, bool)
    above = shape.sum(axis=1) > 0
    sides = [above, ~above]
    if empty is not None and all(np.count_nonzero(side & empty & (power > 0)) >= LEAST_EMPTY for side in sides):
        answers = [float(middle(each[side & empty & (power > 0)])) for side in sides]
        for side, own, other in zip(sides, answers, answers[::-1], strict=True):
            out[side] = own < 1 / TWICE and other > TWICE
    for side in sides:
        if power[side].any():
            answer = float(np.sum(each[side] * power[side]) / power[side].sum())
            out[side] |= (ANSWER[0] - answer) * float(np.sqrt(power[side].sum())) > AGAINST
    return out


def left(found: list[Deviation], products: dict[str, Array], shape: tuple[int, int]) -> Array:
    """What the deviations leave in the flux, shape (nfiber, nwave), float32."""
    out = np.zeros(shape, np.float32)
    for one in found:
        rows = np.array(one.fibers)
        part = float(middle(one.answer))
        part = part if part > TWICE else 1.0
        out[rows, one.columns] -= np.float32(part) * products[one.step][rows][:, one.columns]
    return out
