"""Which peak is which line, without a seed: the pattern of the lamp's list is looked for among the peaks.

Every pair of listed lines laid on every pair of peaks is a hypothesis of shift and stretch of the expected columns
(as astrometry does with stars; Valdes et al. 1995, "triangles"), every line on every peak one of shift alone. It is
scored by the lines that then fall on peaks, more for bright ones on bright ones, less for bright lines without a peak
and bright peaks without a line; the best ones are bent by low-order polynomials and scored again within a tighter
tolerance. Lines that are absent (a lamp that was off) and peaks of no known line only lower the score, as does what
the instrument usually does not do: where few lines are seen many patterns fit, and the one near to what is expected is
right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.spectra.wave.lines import Peaks
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import ArcLines

MAX_SHIFT, MAX_STRETCH = 250.0, 0.06  # px, and share, that the instrument may differ from what is expected
USUAL_SHIFT, USUAL_STRETCH = 60.0, 0.02
COARSE = 8.0  # px, within which a peak counts for a line at first
STEPS = (6.0, 4.0, 2.5, 1.5, 1.5)  # px, from the first polynomial to the last
BEND = (1e9, 1e9, 12.0, 4.0)  # px, how far coefficients of each degree usually go
LEAST_SPAN = 0.1  # of the columns between the two lines of a pair
LEAST_MATCHES = 3
BRIGHT, MISMATCH, MISSING = 2.0, 0.3, 0.15  # extra weight of the brightest; cost of unlike and of missing brightness
CANDIDATES, BEST = 4096, 12  # hypotheses kept, and bent
MOST_PEAKS = 48  # the brightest are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """Listed lines found in one spectrum.

    Parameters
    ----------
    column : ndarray, shape (nline,), px
        Of the peak; NaN where the line is not seen.
    expected : ndarray, shape (nline,), px
        Where the fitted pattern puts each line, seen or not.
    score, rival : float
        Of this and of the best other answer.
    """

    column: NDArray[np.float64]
    expected: NDArray[np.float64]
    score: float
    rival: float

    @property
    def count(self) -> int:
        """Lines found."""
        return int(np.isfinite(self.column).sum())


def expected_columns(lines: ArcLines, grid: tuple[float, float], ncol: int) -> NDArray[np.float64]:
    """Where each line of a list should fall, roughly: as the list says, or from the range of the detector.

    Parameters
    ----------
    lines : ArcLines
    grid : (float, float), Angstrom
        Wavelength of the first and the last column, roughly.
    ncol : int
    """
    straight = (lines.wave - grid[0]) / (grid[1] - grid[0]) * (ncol - 1)
    known = np.isfinite(lines.column)
    if known.all():
        return np.asarray(lines.column, np.float64)
    degree = min(int(known.sum()) - 1, 2)
    if degree < 0:
        return np.asarray(straight, np.float64)
    bend = np.polynomial.Polynomial.fit(straight[known], (lines.column - straight)[known], degree)
    return np.where(known, lines.column, straight + bend(straight))


def identify(peaks: Peaks, lines: ArcLines, expected: Array, ncol: int, *, about: float = MAX_SHIFT) -> Identified:
    """Return the lines among the peaks of one spectrum.

    Parameters
    ----------
    peaks : Peaks
    lines : ArcLines
    expected : ndarray, shape (nline,), px
        Rough columns, to a shift and a stretch.
    ncol : int
    about : float, px
        Largest shift of the pattern.

    Raises
    ------
    FitError
        No pattern of at least `LEAST_MATCHES` lines is found.
    """
    brightest = np.sort(np.argsort(-peaks.height)[:MOST_PEAKS])
    at, height = peaks.column[brightest], peaks.height[brightest]
    if at.size < LEAST_MATCHES:
        raise FitError(f"only {at.size} lines are seen", todo="look at the lamp's frame: was the lamp on?")
    line_weight, peak_weight = _brightness(lines.intensity), _brightness(height)
    usual = min(USUAL_SHIFT, about)
    found = np.zeros((CANDIDATES, 3))
    count = _pairs(expected, line_weight, at, peak_weight, ncol, about, usual, found)
    if count == 0:
        raise FitError("no line of the list is recognized", todo="look at the list of lines and the lamp's frame")
    tried = [
        _bent(h, expected, line_weight, at, peak_weight, ncol, usual)
        for h in _distinct(found[: min(count, CANDIDATES)], ncol)
    ]
    tried.sort(key=lambda t: -t[0])
    score, match, where = tried[0]
    if (match >= 0).sum() < LEAST_MATCHES:
        raise FitError("too few lines of the list are recognized", todo="look at the list and the lamp's frame")
    inside = (where > 0) & (where < ncol)
    rival = max((s for s, _, w in tried[1:] if np.median(np.abs(w - where)[inside]) > STEPS[0]), default=0.0)
    return Identified(np.where(match >= 0, at[np.maximum(match, 0)], np.nan), where, score, rival)


def _brightness(value: Array) -> NDArray[np.float64]:
    """Weight from 1 to 1 + BRIGHT by the logarithm of the brightness, the middle where it is not known."""
    known = np.isfinite(value) & (np.asarray(value) > 0)
    if known.sum() < 2 or np.ptp(np.asarray(value)[known]) == 0:
        return np.full(np.shape(value), 1 + BRIGHT / 2)
    log = np.log(np.where(known, value, 1.0))
    low, high = log[known].min(), log[known].max()
    return np.where(known, 1 + BRIGHT * (log - low) / (high - low), 1 + BRIGHT / 2)


def _distinct(found: Array, ncol: int) -> NDArray[np.float64]:
    """The best hypotheses (score, shift, stretch), one of each kind."""
    ordered = found[np.argsort(-found[:, 0])]
    kept: list[Array] = []
    for one in ordered:
        if all(abs(one[1] - k[1]) > COARSE / 2 or abs(one[2] - k[2]) * ncol / 2 > COARSE / 2 for k in kept):
            kept.append(one)
        if len(kept) == BEST:
            break
    return np.array(kept)


def _bent(
    hypothesis: Array, expected: Array, line_weight: Array, at: Array, peak_weight: Array, ncol: int, usual: float
) -> tuple[float, NDArray[np.intp], NDArray[np.float64]]:
    """A hypothesis followed with polynomials of rising degree: score, peak of each line (-1: none), columns."""
    half = ncol / 2
    t = (expected - half) / half
    basis = np.polynomial.legendre.legvander(t, len(BEND) - 1)
    where = expected + hypothesis[1] + hypothesis[2] * half * t
    match = np.full(t.size, -1)
    for step, reach in enumerate(STEPS):
        match, _ = _matched(where, line_weight, at, peak_weight, ncol, reach)
        seen = match >= 0
        if seen.sum() < 2:
            return 0.0, match, where
        degree = min(step + 1, 1 if seen.sum() < 4 else 2 if seen.sum() < 6 else 3)
        m = degree + 1
        used, offset = basis[seen, :m], (at[match] - expected)[seen]
        prior = np.diag([1 / b**2 for b in BEND[:m]])
        coeff = np.linalg.solve(used.T @ used + prior, used.T @ offset)
        where = expected + basis[:, :m] @ coeff
    match, score = _matched(where, line_weight, at, peak_weight, ncol, STEPS[-1])
    return score - _unusual(float(coeff[0]), float(coeff[1]) / half, usual), match, where


def _matched(
    where: Array, line_weight: Array, at: Array, peak_weight: Array, ncol: int, reach: float
) -> tuple[NDArray[np.intp], float]:
    """Peak of each line (-1: none), each used once, and the score."""
    match = np.full(where.size, -1)
    score = _score(where, line_weight, at, peak_weight, ncol, reach, match)
    _nearest_only(where, at, match)
    return match, score


@njit(cache=True, nogil=True)
def _nearest_only(where: Array, at: Array, match: Array) -> None:
    """Leave a peak to the line that is nearest to it."""
    for i in range(where.size):
        for k in range(i):
            if match[i] < 0 or match[k] != match[i]:
                continue
            nearer = abs(where[i] - at[match[i]]) < abs(where[k] - at[match[k]])
            match[k if nearer else i] = -1


@njit(cache=True, nogil=True)
def _unusual(shift: float, stretch: float, usual: float) -> float:
    """What a hypothesis costs that is far from what is expected."""
    return 0.25 * (shift / usual) ** 2 + 0.25 * (stretch / USUAL_STRETCH) ** 2


@njit(cache=True, nogil=True)
def _score(
    where: Array, line_weight: Array, at: Array, peak_weight: Array, ncol: int, reach: float, match: Array
) -> float:
    """Score of expected columns; `match` takes the peak of each line."""
    total = 0.0
    taken = np.zeros(at.size, np.bool_)
    low, high = np.inf, -np.inf
    for i in range(where.size):
        match[i] = -1
        if not 0 <= where[i] <= ncol - 1:
            continue
        low, high = min(low, where[i]), max(high, where[i])
        gain, best = 0.0, -1
        for a in range(at.size):
            d = (at[a] - where[i]) / reach
            if abs(d) < 1:
                worth = min(line_weight[i], peak_weight[a]) - MISMATCH * abs(line_weight[i] - peak_weight[a])
                worth *= 1 - d * d
                if worth > gain:
                    gain, best = worth, a
        match[i] = best
        if best >= 0 and not taken[best]:
            total += gain
            taken[best] = True
        elif best < 0:
            total -= MISSING * line_weight[i]
    for a in range(at.size):
        if not taken[a] and low <= at[a] <= high:
            total -= MISSING * (peak_weight[a] - 1)
    return total


@njit(cache=True, nogil=True)
def _pairs(
    expected: Array, line_weight: Array, at: Array, peak_weight: Array, ncol: int, about: float, usual: float,
    found: Array,
) -> int:  # fmt: skip
    """Score all pairs of lines on all pairs of peaks, and single ones; `found` keeps (score, shift, stretch) of the
    better ones."""
    half = ncol / 2
    where = np.empty(expected.size)
    match = np.empty(expected.size, np.int64)
    count, worst = 0, 0
    for i in range(expected.size):
        for j in range(i, expected.size):
            span = expected[j] - expected[i]
            if i != j and span < LEAST_SPAN * ncol:
                continue
            for a in range(at.size):
                for b in range(a + (i != j), at.size if i != j else a + 1):
                    stretch = (at[b] - at[a]) / span - 1 if i != j else 0.0
                    if abs(stretch) > MAX_STRETCH:
                        continue
                    shift = at[a] - expected[i] - stretch * (expected[i] - half)
                    if abs(shift) > about:
                        continue
                    for n in range(expected.size):
                        where[n] = expected[n] + shift + stretch * (expected[n] - half)
                    score = _score(where, line_weight, at, peak_weight, ncol, COARSE, match)
                    score -= _unusual(shift, stretch, usual)
                    if score <= 0:
                        continue
                    if count < found.shape[0]:
                        slot = count
                        count += 1
                    else:
                        slot = worst
                        if score <= found[slot, 0]:
                            continue
                    found[slot, 0], found[slot, 1], found[slot, 2] = score, shift, stretch
                    if count == found.shape[0]:
                        worst = int(np.argmin(found[:, 0]))
    return count
