"""The column of the detector that explains a spectrum best, and by how much better than a target could.

Where a trace crosses a column, and how fast, is known; few features of a target are as wide, and have their edges
there. The spectrum is fitted at once with what is usual (see `usual`) and a column at any place, and with a bump
or a break of any place and width instead. What the column leaves must be noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ifuview.model.checks import Array

PROFILE, WIDER = 1.1, 1.4  # px, sigma of the profile of a fiber, and of that on a column of three pixels
WIDTHS_ACROSS = (PROFILE, WIDER)
NARROWEST, WIDEST, WIDER_BY = 1.0, 1.5, np.array([-0.15, 0.0, 0.15])  # px, sigma of what a column may be
PLACES, BEYOND = 0.25, 2.0  # px between columns that are asked for, and beyond the ends of a trace
BESIDE, MOST_SUPPORT = 1.5, 20.0  # px that one fiber may misplace a column by; chi2 that others may add, by chance too
LIT = 0.1  # of its light that a column must send into a fiber somewhere
OTHER, WINGS = 4.0, 0.3  # sigma of another level; part of it that the profile may be wrong by beside
OUTLIER, ROUNDS, NEAR = 5.0, 3, 2  # sigma of a bin that neither explains: it has no part; bins beside the light
MOST_ODD, NOISE, MISFIT = 2, 1.6, 0.01  # such bins; chi2 of a bin that noise leaves; of its power that its shape may
LINE, MOST_LINES = 2, 4  # bins of an emission line that was not taken off, and how many a target may have
LEFT = 0.01  # of its power that the usual must leave
WIDTHS = (1.5, 3.0, 6.0, 12.0, 24.0)  # bins, sigma of bumps that are tried first
STEP, LEAST_STEP, SMEARED = 0.25, 10, 2.0  # bins between edges, from the ends; width of the sharpest break of a target
BREAKS, AT_EDGE = (0.5, 2.0, 8.0), 1.5  # bins over which a level changes; a column may begin at the edge
FINER, RATIO, LEAST_WIDTH = 4, 1.4, 0.4  # rounds in which place and width are refined, their first step; bins
TINY = 1e-30


@dataclass(frozen=True, slots=True)
class Explained:
    """How well something explains a spectrum.

    Parameters
    ----------
    level : float
        Counts where it has most, negative of what takes light away.
    gain, over : float
        Of chi2, and of that what no feature of a target explains, which may explain odd bins, too.
    rest : float
        Mean chi2 of a bin that is left.
    odd, bins : int
        Bins that it does not explain, and all that are known.
    """

    level: float
    gain: float
    over: float
    rest: float
    odd: int
    bins: int

    @property
    def quiet(self) -> bool:
        """Whether it leaves noise, and a small part of itself."""
        return self.odd <= MOST_ODD and self.rest < NOISE + MISFIT * self.gain / max(self.bins, 1)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A column through a spectrum.

    Parameters
    ----------
    at : float, px across
    lower : bool
        Half of the detector that it is in, along wavelength.
    width : float, px
        Sigma of its light across.
    found : Explained
    support : float
        Of chi2: what the spectra of the other fibers that it crosses add, negative of what they deny.
    """

    at: float
    lower: bool
    width: float
    found: Explained
    support: float = 0.0

    @property
    def gain(self) -> float:
        """Of chi2, in all fibers that it crosses."""
        return self.found.gain + self.support

    @property
    def over(self) -> float:
        """Of that, what no feature of a target explains."""
        return self.found.over + self.support


@dataclass(frozen=True, slots=True, eq=False)
class BinnedSpectrum:
    """A spectrum in bins, shape (nbin,), and what it may be.

    Parameters
    ----------
    value, weight : ndarray, shape (nbin,)
    shapes : ndarray, shape (nterm, nbin)
    usual : ndarray, shape (nterm, nterm)
        Inverse covariance of their coefficients before the spectrum is asked.
    """

    value: Array
    weight: Array
    shapes: Array
    usual: Array

    def gains(self, templates: Array) -> tuple[Array, Array]:
        """(level of each template, chi2 that it takes off), shape (ntemplate,) each."""
        right, power = self.sums(templates)
        level = right / np.maximum(power, TINY)
        return level, level * right

    def sums(self, templates: Array) -> tuple[Array, Array]:
        """(level over its variance, inverse of that) of each template, shape (ntemplate,); 0 if the usual has it."""
        normal = (self.shapes * self.weight) @ self.shapes.T + self.usual
        weighted = templates * self.weight
        own = weighted @ self.shapes.T
        whole = np.sum(weighted * templates, axis=1)
        power = whole - np.sum(own * np.linalg.solve(normal, own.T).T, axis=1)
        coeff = np.linalg.solve(normal, self.shapes @ (self.weight * self.value))
        right = weighted @ (self.value - coeff @ self.shapes)
        kept = power > np.maximum(LEFT * whole, TINY)
        return np.where(kept, right, 0.0), np.where(kept, power, 0.0)

    def left(self, template: Array) -> Array:
        """What the usual and a template leave, in units of the noise."""
        terms = np.concatenate([self.shapes, template[None]])
        normal = (terms * self.weight) @ terms.T + TINY * np.eye(len(terms))
        normal[:-1, :-1] += self.usual
        rest = self.value - np.linalg.solve(normal, terms @ (self.weight * self.value)) @ terms
        return np.asarray(rest * np.sqrt(self.weight))


def crossing(of: BinnedSpectrum, cross: Array, lower: Array, others: Array | None = None) -> Crossing | None:
    """The column that explains a spectrum best; None if none crosses it.

    Parameters
    ----------
    of : BinnedSpectrum
    cross : ndarray, shape (nbin,), px
    lower : ndarray of bool, shape (nbin,)
    others : ndarray, shape (n, nbin), optional
        What else it may be; default: a bump or a break of a target.
    """
    at = np.arange(cross.min() - BEYOND, cross.max() + BEYOND, PLACES)
    light = np.concatenate([part * inside for inside in (lower, ~lower) for part in _columns(cross, at)])
    lit = light.max(axis=1) > LIT
    if not lit.any():
        return None
    best, _, known = _best_of(light[lit], of)
    of_half, of_width, k = np.unravel_index(np.flatnonzero(lit)[best], (2, len(WIDTHS_ACROSS), at.size))
    inside = lower if of_half == 0 else ~lower
    place, width = _placed(known, cross, inside, float(at[k]), WIDTHS_ACROSS[of_width])
    _, found, of = _best_of(_column(cross, place, width)[None] * inside, of)
    if not found.quiet:  # it is none, whatever else explains the spectrum
        other = np.inf
    elif others is None:
        other = _feature(of, float(np.count_nonzero(lower)))
    else:
        other = float(of.gains(others)[1].max())
    found = replace(found, over=found.over + found.gain - other)
    return Crossing(place, bool(of_half == 0), width, found)


def _placed(of: BinnedSpectrum, cross: Array, inside: Array, at: float, width: float) -> tuple[float, float]:
    """Place and width of the column near one at `at` that explains a spectrum best."""
    move, wide = PLACES / 2, (WIDER - PROFILE) / 2
    most = 0.0
    for _ in range(FINER):
        places = np.repeat(at + move * np.array([-1.0, 0.0, 1.0]), 3)
        widths = np.clip(np.tile(width + wide * np.array([-1.0, 0.0, 1.0]), 3), NARROWEST, WIDEST)
        gain = of.gains(_column(cross, places[:, None], widths[:, None]) * inside)[1]
        k = int(np.argmax(gain))
        if gain[k] > most:
            most, at, width = float(gain[k]), float(places[k]), float(widths[k])
        move, wide = move / 2, wide / 2
    return at, width


def _column(cross: Array, at: Array | float, width: Array | float) -> Array:
    """Light of a column in a trace, 1 where that lies on it."""
    return np.asarray(np.exp(-0.5 * ((cross - at) / width) ** 2))


def supported(one: Crossing, spectra: Sequence[BinnedSpectrum], cross: Array, lower: Array) -> Crossing:
    """A column where all fibers that it crosses have it best, by the same level in all of them.

    Where its light should be in another fiber, that has it by the same level, or denies it. A feature of one target is
    in no other one, and few of those beside it have one of that level at that place; what has another level there is a
    feature of its own, which tells nothing.

    Parameters
    ----------
    one : Crossing
        Of the first spectrum.
    spectra : sequence of BinnedSpectrum
        That fiber, and others beside it.
    cross : ndarray, shape (nspectrum, nbin), px
    lower : ndarray of bool, shape (nspectrum, nbin)
    """
    at = one.at + np.arange(-BESIDE, BESIDE + PLACES / 4, PLACES / 2)
    widths = np.clip(one.width + WIDER_BY, NARROWEST, WIDEST)
    asked = [
        np.concatenate(_columns(place, at, widths)) * inside
        for place, inside in zip(cross, lower == one.lower, strict=True)
    ]
    right, power = (np.zeros((len(asked), asked[0].shape[0])) for _ in range(2))
    for k, (of, light) in enumerate(zip(spectra, asked, strict=True)):
        lit = light.max(axis=1) > LIT
        if k and not lit.any():
            continue
        _, found, kept = _best_of(light[[at.size + at.size // 2]], of)  # the place and width that were told
        if not k or found.quiet:
            right[k], power[k] = (np.where(lit | (k == 0), values, 0.0) for values in kept.sums(light))
    level = right.sum(axis=0) / np.maximum(power.sum(axis=0), TINY)
    told = 2 * right * level - power * level**2
    other = np.abs(right - power * level) > OTHER * np.sqrt(power) + WINGS * power * np.abs(level)
    told[1:] = np.where(other[1:], np.minimum(told[1:], 0.0), told[1:])
    best = int(np.argmax(told.sum(axis=0)))
    of_width, of_place = np.unravel_index(best, (widths.size, at.size))
    own = float(np.max(right[0] ** 2 / np.maximum(power[0], TINY)))
    support = min(float(told[:, best].sum()) - own, MOST_SUPPORT)
    return replace(one, at=float(at[of_place]), width=float(widths[of_width]), support=support)


def _columns(cross: Array, at: Array, widths: Sequence[float] | Array = WIDTHS_ACROSS) -> list[Array]:
    """Light of columns at some places in a trace, shape (nplace, nbin), for each width."""
    return [_column(cross, at[:, None], width) for width in widths]


def step(of: BinnedSpectrum) -> tuple[float, Explained]:
    """Where a level begins or ends at once, in bins, and what that explains: no light of a target does so."""
    bins = np.arange(of.value.size)
    edges = np.arange(LEAST_STEP, of.value.size - LEAST_STEP, STEP)
    best, found, of = _best_of(np.clip(bins + 1 - edges[:, None], 0.0, 1.0), of)
    other = _feature(of, np.inf, SMEARED) if found.quiet else np.inf
    return float(edges[best]), replace(found, over=found.over + found.gain - other)


def _best_of(light: Array, of: BinnedSpectrum) -> tuple[int, Explained, BinnedSpectrum]:
    """Which of some templates explains a spectrum best, how well, and the spectrum without bins that it does not.

    What it explains more than a feature of a target is what that gains by odd bins in its light or beside it, negative.
    A few lines are none of them: a target has them anywhere, and a feature of it has them more likely than a column.
    """
    known, odd, high = of.weight > 0, np.zeros(of.value.size, bool), np.zeros(of.value.size, bool)
    for last in range(ROUNDS):
        level, gain = of.gains(light)
        best = int(np.argmax(gain))
        rest = of.left(light[best])
        more = np.abs(rest) > OUTLIER
        odd, high = odd | more, high | (rest > OUTLIER)
        if last == ROUNDS - 1 or not more.any():
            break
        of = BinnedSpectrum(of.value, np.where(more, 0.0, of.weight), of.shapes, of.usual)
    used = known & ~odd
    left = float(np.mean(rest[used] ** 2)) if used.any() else np.inf
    peak = float(level[best] * light[best].max())
    lines = _lines(high)
    odd &= ~lines
    near = known & (np.convolve(light[best] > LIT * light[best].max(), np.ones(2 * NEAR + 1), "same") > 0.5)
    count, beside = int(np.count_nonzero(known)), int(np.count_nonzero(near))
    chance = 2 * float(np.log(max(count, 1) / max(beside, 1)))  # that a line is not there
    lost = -(OUTLIER**2) * int(np.count_nonzero(odd & near)) - chance * int(np.count_nonzero(lines & near))
    return best, Explained(peak, float(gain[best]), lost, left, int(np.count_nonzero(odd)), count), of


def _lines(high: Array) -> Array:
    """Bins of emission lines among those with too much light: what is wider, or one of very many, is none."""
    from scipy.ndimage import binary_opening, label

    narrow = high & ~binary_opening(high, np.ones(LINE + 1, bool))
    return np.asarray(narrow & (label(narrow)[1] <= MOST_LINES))


def _feature(of: BinnedSpectrum, edge: float, least: float = LEAST_WIDTH) -> float:
    """Chi2 that the best bump or break of a target takes off, without breaks that are narrower, or at an edge."""
    templates, places, widths, steep = _features(of.value.size)
    gain = of.gains(templates)[1]
    return max(
        _refined(of, np.where(tried, gain, 0.0), places, widths, breaks, edge, least)
        for breaks, tried in (
            (False, ~steep), (True, steep & (np.abs(places - edge + 0.5) > AT_EDGE) & (widths >= least)),
        )
    )  # fmt: skip


def _refined(
    of: BinnedSpectrum, gain: Array, places: Array, widths: Array, breaks: bool, edge: float, least: float
) -> float:  # fmt: skip
    """Chi2 of the best of some features, with place and width between those that were tried."""
    best = int(np.argmax(gain))
    most, place, width, ratio = float(gain[best]), float(places[best]), float(widths[best]), RATIO
    move = max(width / 4, 0.5)
    for _ in range(FINER):
        near = np.repeat(place + move * np.array([-1.0, 0.0, 1.0]), 3)
        wide = np.tile(np.maximum(width * ratio ** np.array([-1.0, 0.0, 1.0]), least), 3)
        gain = of.gains(_shape(of.value.size, near, wide, breaks))[1]
        if breaks:
            gain = np.where(np.abs(near - edge + 0.5) > AT_EDGE, gain, 0.0)
        k = int(np.argmax(gain))
        if gain[k] > most:
            most, place, width = float(gain[k]), float(near[k]), float(wide[k])
        move, ratio = move / 2, ratio**0.5
    return most


def _shape(count: int, places: Array, widths: Array, steep: bool) -> Array:
    """Bumps, or breaks, over `count` bins."""
    away = (np.arange(count) - places[:, None]) / widths[:, None]
    return np.asarray(np.tanh(away) if steep else np.exp(-0.5 * away**2))


@lru_cache(maxsize=4)
def _features(count: int) -> tuple[Array, Array, Array, Array]:
    """Features that targets may have, shape (nfeature, nbin), their places and widths, and which are breaks."""
    bumps = [(c, w) for w in WIDTHS for c in np.arange(0.0, count, max(1.0, w / 2))]
    breaks = [(c, w) for w in BREAKS for c in np.arange(1.0, count - 1, max(1.0, w / 2))]
    places, widths = (np.array(values) for values in zip(*bumps, *breaks, strict=True))
    steep = np.arange(places.size) >= len(bumps)
    out = np.where(steep[:, None], _shape(count, places, widths, True), _shape(count, places, widths, False))
    return out, places, widths, steep
