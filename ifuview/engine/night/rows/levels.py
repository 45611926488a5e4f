"""Defects that keep to a detector row inside one amplifier: tested against those that keep to a wavelength.

The residual in units of its noise is averaged along detector rows after its mean at each wavelength is taken off, and
the other way round; noise alone gives 1 in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ifuview.engine.night.search.noise import bounds
from ifuview.engine.night.stats import mad
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

CLIP = 6.0  # sigma that one pixel can count
MIN_PIXELS = 40  # of a row or wavelength that takes part
LIMIT = 5.0  # mean chi2 of the row means; healthy amplifiers show 1.0 to 2.7
OVER_WAVE = 2.0  # rows must beat wavelengths by this factor
BANDS = (1, 2, 4, 8, 16, 32, 64)  # rows of a band that is compared with as many rows on both sides
FLANKS, FLANK = 3, 24  # rows on each side: times the width, at least
VARIES = 1.1  # times the usual scatter of fibers, at a wavelength that has no part in bands
BOTH = 0.5  # of its level that a band must have over the rows on either side
OF_MOST = 0.4  # of the mean level of a band that the median of its pixels must have: all fibers have it
BESIDE = 40  # rows beside a band that its level is measured against
BAND_LIMIT = 7.0  # sigma of a band; of some 1500 healthy amplifiers one each has 6.7 and 6.4, the others stay below 6.2
BAND_OVER_WAVE = 1.3  # a band of rows must beat that of wavelengths by this factor
MIN_MEDIAN = 20  # pixels of a row whose median is taken off


@dataclass(frozen=True, slots=True, eq=False)
class RowTest:
    """What the rows of one amplifier show.

    Parameters
    ----------
    section : Section
    rows, waves : float
        Mean chi2 of the row means and of the wavelength means; noise gives 1.
    level : ndarray, shape (nrow,)
        Median residual of each detector row, counts; empty unless the amplifier is flagged.
    fibers : tuple of int
        First and last fiber that this amplifier reads.
    wave_range : (float, float), Angstrom
    band : tuple of int
        First and last row of a band that deviates where the others do not; empty if there is none.
    band_score, band_level : float
        Its significance, and its level in counts.
    """

    section: Section
    rows: float
    waves: float
    level: Array
    fibers: tuple[int, int]
    wave_range: tuple[float, float]
    band: tuple[int, ...] = ()
    band_score: float = 0.0
    band_level: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether the whole amplifier has a defect that keeps to rows."""
        return self.rows > LIMIT and self.rows > OVER_WAVE * self.waves

    @property
    def amplitude(self) -> float:
        """Scatter of the row levels as a Gaussian sigma, counts."""
        return robust_sigma(self.level) if np.isfinite(self.level).any() else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Number and sum of the pixels of each row, or wavelength."""

    count: Array
    total: Array


def row_tests(
    residual: Array,
    sigma: Array,
    good: Array,
    wave: Array,
    disp: Array,
    sections: tuple[Section, ...],
    areas: Mapping[str, Array],
) -> tuple[tuple[RowTest, ...], Array]:
    """Test every amplifier; return the tests and the residual without the rows of the bad ones.

    Parameters
    ----------
    residual : ndarray, shape (nfiber, nwave)
        Sky-subtracted flux without its continuum.
    sigma : ndarray, shape (nwave,)
    good : ndarray of bool, shape (nfiber, nwave)
    wave : ndarray, shape (nwave,), Angstrom
    disp : ndarray, shape (nfiber, nwave), px
    sections : tuple of Section
    areas : mapping of str to ndarray of bool, shape (nfiber, nwave)
        Pixels that each of them reads.
    """
    z = np.clip(residual / sigma, -CLIP, CLIP)
    good = good & np.isfinite(z)
    squares = np.where(good, z * z, np.float32(0.0))
    total, count = squares.sum(axis=0), good.sum(axis=0)
    row = np.rint(disp).astype(np.int16)
    column = np.broadcast_to(np.arange(wave.size, dtype=np.int16), z.shape)
    out, clean = [], residual
    for section in sections:
        inside = areas[section.name]
        box = bounds(inside)
        use = inside[box] & good[box]
        if np.count_nonzero(use) < MIN_PIXELS * MIN_PIXELS:
            continue
        picked = z[box][use].astype(np.float64), row[box][use].astype(np.intp), column[box][use].astype(np.intp)
        same = _steady(squares[box], use, total[box[1]], count[box[1]])[picked[2] - box[1].start]
        found = _apart(*picked)
        band = _band(found if same.all() else _apart(*(values[same] for values in picked)))
        if band is not None:  # a band must not condemn the amplifier
            rest = (picked[1] < band[0]) | (picked[1] > band[1])
            found = _apart(*(values[rest] for values in picked))
        rows, waves = (_excess(one) for one in found)
        share = inside.mean(axis=1)
        fibers = np.flatnonzero(share > share.max() / 2)  # traces bend: the border fibers touch a corner only
        columns = np.flatnonzero(inside.any(axis=0))
        test = RowTest(
            section, rows, waves, np.zeros(0), (int(fibers[0]), int(fibers[-1])),
            (float(wave[columns[0]]), float(wave[columns[-1]])),
        )  # fmt: skip
        if test.bad:
            level = _levels(residual[box][use], row[box][use])
            if clean is residual:
                clean = residual.copy()
            clean[inside] -= np.nan_to_num(level)[np.clip(row[inside], 0, level.size - 1)]
            test = replace(test, level=level)
        elif band is not None:
            first, last, score = band
            within = inside & (row >= first) & (row <= last)
            beside = inside & ~within & (row >= first - BESIDE) & (row <= last + BESIDE)
            height = float(np.median(residual[within & good]) - np.median(residual[beside & good]))
            mean = float(z[within & good].mean() - z[beside & good].mean()) * float(np.median(sigma))
            if height * np.sign(mean) < OF_MOST * abs(mean):
                out.append(test)  # features of a few targets
                continue
            if clean is residual:
                clean = residual.copy()
            clean[within] -= height
            columns = np.flatnonzero(within.any(axis=0))
            span = float(wave[columns[0]]), float(wave[columns[-1]])
            test = replace(test, band=(first, last), band_score=score, band_level=height, wave_range=span)
        out.append(test)
    return tuple(out), clean


def _steady(squares: Array, own: Array, total: Array, count: Array) -> Array:
    """Wavelengths of an amplifier at which the fibers of others scatter as elsewhere, shape (nwave,).

    Lines that vary over the field look like rows. Where no other amplifier is known its own fibers tell, of which only
    few are in a band.
    """
    inside, of_own = own.sum(axis=0), np.einsum("fk,fk->k", squares, own)
    others = count - inside
    alone = others < MIN_PIXELS
    scatter = np.sqrt(np.where(alone, of_own / np.maximum(inside, 1), (total - of_own) / np.maximum(others, 1)))
    known = inside >= MIN_PIXELS
    if not known.any():
        return np.ones(total.size, bool)
    return np.asarray(~known | (scatter < VARIES * np.median(scatter[known])))


def _apart(z: Array, row: Array, column: Array) -> tuple[_Sums, _Sums]:
    """By row of values without wavelength means, and by wavelength of values without row means."""
    rows, columns = np.bincount(row), np.bincount(column)
    without_columns, without_rows = (
        z - _means(np.bincount(at, z), count)[at] for at, count in ((column, columns), (row, rows))
    )
    return _Sums(rows, np.bincount(row, without_columns)), _Sums(columns, np.bincount(column, without_rows))


def _band(found: tuple[_Sums, _Sums]) -> tuple[int, int, float] | None:
    """First and last row and significance of the band that stands out most; None unless rows explain it best."""
    rows, waves = (_contrast(one) for one in found)
    return rows if rows[2] > max(BAND_LIMIT, BAND_OVER_WAVE * waves[2]) else None


def _contrast(of: _Sums) -> tuple[int, int, float]:
    """First, last and score of the run whose mean differs most from that of the rows on both sides of it.

    The scatter of all runs of a width is in the score: what a healthy amplifier has everywhere is no band.
    """
    count = np.concatenate([[0], np.cumsum(of.count)])
    total = np.concatenate([[0.0], np.cumsum(of.total)])
    best, scale = (0, 0, 0.0), 1.0
    for width in BANDS:
        side = max(FLANKS * width, FLANK)
        start = np.arange(side, count.size - 1 - width - side + 1)
        if not start.size:
            continue
        edges = (start - side, start, start + width, start + width + side)
        counts = [np.maximum(count[b] - count[a], 1) for a, b in pairwise(edges)]
        left, own, right = ((total[b] - total[a]) / n for (a, b), n in zip(pairwise(edges), counts, strict=True))
        enough = (counts[1] >= width * MIN_PIXELS) & (np.minimum(counts[0], counts[2]) >= side * MIN_PIXELS)
        if not enough.any():
            continue
        around = (counts[0] * left + counts[2] * right) / (counts[0] + counts[2])
        score = np.where(enough, (own - around) / np.sqrt(1 / counts[1] + 1 / (counts[0] + counts[2])), 0.0)
        both = np.minimum(np.abs(own - left), np.abs(own - right)) > BOTH * np.abs(own - around)
        both &= (own - left) * (own - right) > 0
        k = int(np.argmax(np.where(both, np.abs(score), 0.0)))
        others = score[enough & (np.abs(start - start[k]) > width + side)]  # that the band has no part in
        scale = max(1.0, float(mad(others))) if others.size > side else scale
        score = np.where(both, np.abs(score), 0.0) / scale
        if score[k] > best[2]:
            best = int(start[k]), int(start[k]) + width - 1, float(score[k])
    return best


def _means(total: Array, count: Array) -> Array:
    return np.where(count >= MIN_PIXELS, total / np.maximum(count, 1), 0.0)


def _excess(of: _Sums) -> float:
    """Mean chi2 of the means of what is left, by rows or by wavelengths."""
    enough = of.count >= MIN_PIXELS
    if not enough.any():
        return 1.0
    return float(np.mean(of.total[enough] ** 2 / of.count[enough]))


def _levels(residual: Array, row: Array) -> Array:
    """Median residual of each row, NaN where too few pixels."""
    order = np.argsort(residual)
    order = order[np.argsort(row[order], kind="stable")]  # by row, inside a row by value
    value, row = residual[order], row[order]
    cuts = np.searchsorted(row, np.arange(int(row[-1]) + 2))
    first, count = cuts[:-1], np.diff(cuts)
    last = value.size - 1
    low = value[np.clip(first + (count - 1) // 2, 0, last)]
    high = value[np.clip(first + count // 2, 0, last)]
    return np.where(count >= MIN_MEDIAN, 0.5 * (low + high), np.nan)
