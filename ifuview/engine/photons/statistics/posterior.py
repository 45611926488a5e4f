"""Ic, Is and Ip of one pixel, from outcomes of known chance: photons in time bins, or gaps between photons.

The mean rate is taken as it is. What is left is the part f of the star's light that is speckle: Is = f (rate - Ip),
between 0 and 1.

The data know the contrast C = f (2 - f), the variance of that light over its square, nearly as well as all that could
be known of f; as f bends upwards with C, whatever scatters evenly in C comes out too large in f. Before the data speak
f is therefore as likely as sqrt(1 - f), half way between every f and every C alike, by which the median of f is right
to some percent up to 0.7 where there are a hundred lives; nearer to 1 nobody can tell.

The likelihood of the outcomes is that of the published methods, as if they were independent; yet the outcomes within
the life of one speckle share its light. How much less they tell is measured: the record is cut into blocks, each
longer than a life, and the scatter of the derivative of ln L from block to block, over what independent outcomes would
give, is the factor by which ln L is divided (composite likelihood; Pauli et al. 2011, Varin et al. 2011). The result
is the median of f over that likelihood. Its errors hold at the bounds too, where the highest likelihood piles up at Ic
= 0; the errors of Is and of Ic + Ip are those of f and of the mean rate, with what they share, from the same blocks.

How many lives a record has, as if the light changed at once from one to the next, is what the mean rate scatters by:
few are a long-tailed sample, from which their own scatter is not well known, and the errors grow by that. Where
neighboring blocks are still alike, speckles live longer than a block, and what blocks say is widened by it.

Ic and Ip differ in the third moment alone. Where both are open, Ip takes any part of the light that is no speckle.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.engine.photons.statistics.arrival import fill_log_gaps, left_in_gaps, steady_part
from ifuview.engine.photons.statistics.lives import left_in_bin
from ifuview.engine.photons.statistics.rician import fill_log_pmf
from ifuview.model.checks import Array

BLOCKS = 25  # of time; each should be longer than a speckle lives
IC, IS, IP, IC_ERROR, IS_ERROR, IP_ERROR, STEADY_ERROR, LIVES, LOGLIKE = range(9)  # what `fit_outcomes` fills in
RATE, COMMON, BY_RATE, BY_PART, SHARED, FACTOR, LOW, HIGH = range(8)  # what else it tells of a pixel
Law = tuple[float, float, float, Array, float]
Chance = tuple[float, float, float, Array, Array]  # the same for a pixel: the last is the contrast left in its outcomes
AUTO, FREE = -2.0, -1.0  # what a fit does about incoherent light
CERTAIN = 4.0  # sigma of the third moment by which incoherent light is asked for
COARSE, FINE = 25, 41  # steps of f over 0 to 1, and over what is likely
SHARES = 11  # steps of the incoherent part of what is no speckle
FAINTEST_STAR = 0.02  # of the light; incoherent light leaves at least so much
TILT = 0.5  # of what is held for likely of one pixel alone: (1 - f)^TILT
NOTHING = 0.24  # 1 sigma of f; of a part that may be anything it is 0.29
STEP = 1e-3  # of numerical derivatives, relative
INNER = 0.05  # derivatives are taken at least so far from the bounds of f
TAIL = 16.0  # lives; errors grow as sqrt(1 + TAIL / lives), by which pulls are as wide as they should be
ALIKE = 0.4  # correlation of neighboring blocks beyond that of chance (0.2)
UNLIKELY = 12.0  # below the highest ln L; nothing is there


@njit(cache=True, nogil=True)
def fit_outcomes(seen: Array, arrived: Array, live: float, law: Law, ip: float, wish: float, out: Array,
                 own: Array, likely: Array) -> bool:  # fmt: skip
    """Fill in the intensities of a pixel; return whether the data tell anything about them.

    Parameters
    ----------
    seen : ndarray, float64, shape (BLOCKS, noutcome)
        Outcomes in each block of time.
    arrived : ndarray, float64, shape (BLOCKS,)
        Photons in each.
    live : float, s
        Of the whole record; the blocks have equal parts of it.
    law : (float, float, float, ndarray, float)
        Width of a time bin in s (0: gaps), dead time and longest gap in s, their `arrival.gap_middles`, and one over
        the life of speckles, per second (`statistics.lives`).
    ip : float, photons per second
        Incoherent light that is there at least.
    wish : float
        AUTO: more of it where the third moment asks for it; FREE: as much as fits best; else `ip` it is.
    out : ndarray, float64, shape (9,)
        Photons per second, and lives; columns IC to LOGLIKE.
    own : ndarray, float64, shape (8,)
        Mean rate, incoherent light, variances of rate and f and what they share, the factor by which ln L is to be
        divided, first and last f of `likely`; NaN where more incoherent light was asked for.
    likely : ndarray, float64, shape (FINE,)
        ln L of evenly spaced steps of f.
    """
    out[:], own[:] = np.nan, np.nan
    total = seen.sum(axis=0)
    rate = arrived.sum() / live
    ip = min(ip, (1 - FAINTEST_STAR) * rate)
    parts = np.arange(COARSE) / (COARSE - 1)
    chance = _of_pixel(law, rate)
    value = _profile(total, chance, rate, parts, ip, 0.0)
    at = min(max(_median(parts, _weights(value, 1.0)), INNER), 1 - INNER)
    spread, factor, sure = _told(seen, arrived, live, chance, rate, at, ip)
    short = (spread[0] - rate / live) / (at * (2 - at) * (rate - ip) ** 2)
    short = max(short, (law[0] if law[0] > 0 else law[2]) / live)  # no more lives than outcomes are told apart
    out[LIVES] = 1 / short
    if wish == FREE or (wish == AUTO and sure > CERTAIN):
        return _fit_open(total, chance, rate, spread, factor, out)
    near = np.flatnonzero(value > value.max() - UNLIKELY * factor)
    low, high = parts[max(near[0] - 1, 0)], parts[min(near[-1] + 2, COARSE - 1)]  # `short` makes f larger
    parts = low + (high - low) * np.arange(FINE) / (FINE - 1)
    likely[:] = _profile(total, chance, rate, parts, ip, short)
    out[LOGLIKE] = likely.max()
    own[RATE], own[COMMON], own[FACTOR], own[LOW], own[HIGH] = rate, ip, factor, low, high
    own[BY_RATE], own[BY_PART], own[SHARED] = spread
    return bool(write_parts(own, likely, factor, TILT, out) < NOTHING)


@njit(cache=True, nogil=True)
def prior_of(parts: Array, tilt: float) -> Array:
    """How likely each f is before the data speak: as (1 - f)^tilt, over the width of its step."""
    half = 0.5 * (parts[1] - parts[0])
    above = np.maximum(1 - np.maximum(parts - half, parts[0]), 0.0) ** (tilt + 1)
    return above - np.maximum(1 - np.minimum(parts + half, parts[-1]), 0.0) ** (tilt + 1)


@njit(cache=True, nogil=True)
def write_parts(own: Array, likely: Array, factor: float, tilt: float, out: Array) -> float:
    """Fill in the intensities of a pixel under a prior, and return 1 sigma of f; see `fit_outcomes`."""
    rate, ip = own[RATE], own[COMMON]
    parts = own[LOW] + (own[HIGH] - own[LOW]) * np.arange(FINE) / (FINE - 1)
    weight = np.exp((likely - likely.max()) / factor) * prior_of(parts, tilt)
    weight /= weight.sum()
    middle = _median(parts, weight)
    sigma = np.sqrt(np.dot(weight, (parts - middle) ** 2))
    star = (rate - ip) / rate
    _write(rate, middle * star, sigma * star, (own[BY_RATE], own[BY_PART], own[SHARED]), out)
    out[IP] = ip
    out[IC], out[IC_ERROR] = out[IC] - ip, out[STEADY_ERROR]
    return float(sigma)


@njit(cache=True, nogil=True)
def _fit_open(
    total: Array, chance: Chance, rate: float, spread: tuple[float, float, float],
    factor: float, out: Array,
) -> bool:  # fmt: skip
    """Fill in the intensities where incoherent light may be any part of what is no speckle."""
    parts, shares = np.arange(COARSE) / (COARSE - 1), np.arange(SHARES) / (SHARES - 1)
    value, table = np.empty((COARSE, SHARES)), np.empty(len(total))
    for i in range(COARSE):
        for j in range(SHARES):
            ip = min(shares[j] * (1 - parts[i]), 1 - FAINTEST_STAR) * rate
            fill_log_chance(chance, rate, parts[i] * rate / (rate - ip), ip, table)
            value[i, j] = np.dot(total, table)
    weight = _weights(value.ravel(), factor).reshape(COARSE, SHARES)
    weight[:, 0] *= 0.5
    weight[:, -1] *= 0.5
    weight /= weight.sum()
    own = weight.sum(axis=1)
    middle = _median(parts, own)
    sigma = np.sqrt(np.dot(own, (parts - middle) ** 2))
    _write(rate, middle, sigma, spread, out)
    steady = rate * np.outer(1 - parts, np.ones(SHARES))
    dark, bright = steady * shares, steady * (1 - shares)
    ip, ic = (weight * dark).sum(), (weight * bright).sum()
    out[IP_ERROR] = np.sqrt((weight * (dark - ip) ** 2).sum())
    out[IC_ERROR] = np.sqrt((weight * (bright - ic) ** 2).sum())
    out[IP] = out[IC] * ip / max(ip + ic, 1e-300)
    out[IC] -= out[IP]
    out[LOGLIKE] = value.max()
    return bool(sigma < NOTHING)


@njit(cache=True, nogil=True)
def _of_pixel(law: Law, rate: float) -> Chance:
    """The law of outcomes of a pixel of a mean rate."""
    width, dead, longest, gaps, change = law
    left = np.array([left_in_bin(width * change)]) if width > 0 else left_in_gaps(gaps, longest, rate, change)
    return width, dead, longest, gaps, left


@njit(cache=True, nogil=True)
def fill_log_chance(chance: Chance, rate: float, part: float, ip: float, out: Array) -> None:
    """Write ln of the chance of each outcome, for a pixel of a mean rate of which `part` of rate - ip is speckle."""
    width, dead, longest, gaps, left = chance
    star = rate - ip
    ic = max((1 - part) * star, 0.0)
    if width > 0:
        ic = steady_part(ic, star, left[0])
        fill_log_pmf(ic * width, (star - ic) * width, ip * width, out)
    else:
        fill_log_gaps(gaps, left, dead, longest, ic, star - ic, ip, out)


@njit(cache=True, nogil=True)
def _profile(total: Array, chance: Chance, rate: float, parts: Array, ip: float, short: float) -> Array:
    """ln L at each part of speckle light.

    A record of few lives varies about its own mean, by the part `short` less than about the true one.
    """
    table = np.empty(len(total))
    value = np.empty(len(parts))
    for i in range(len(parts)):
        contrast = parts[i] * (2 - parts[i])  # variance of the star's light over its square
        shown = 1 - np.sqrt(1 - max(contrast * (1 - short * (1 + contrast)), 0.0))
        fill_log_chance(chance, rate, shown, ip, table)
        value[i] = np.dot(total, table)
    return value


@njit(cache=True, nogil=True)
def _weights(value: Array, factor: float) -> Array:
    """Relative chance of each step of a grid, of ln L divided by `factor`."""
    weight = np.exp((value - value.max()) / factor)
    return weight / weight.sum()


@njit(cache=True, nogil=True)
def _median(parts: Array, weight: Array) -> float:
    """Median of f on an even grid; each step's chance is spread evenly over its width, half of it at the ends."""
    half = 0.5 * (parts[1] - parts[0])
    passed = 0.0
    for i in range(len(parts)):
        if passed + weight[i] >= 0.5:
            low, high = max(parts[i] - half, parts[0]), min(parts[i] + half, parts[-1])
            return float(low + (high - low) * (0.5 - passed) / weight[i])
        passed += weight[i]
    return float(parts[-1])


@njit(cache=True, nogil=True)
def _slopes(chance: Chance, rate: float, part: float, ip: float, count: int) -> Array:
    """Derivatives (3, noutcome) of the ln chance of each outcome in f, rate and Ip."""
    slope, above, below = np.empty((3, count)), np.empty(count), np.empty(count)
    h = STEP * rate
    fill_log_chance(chance, rate, part + STEP, ip, above)
    fill_log_chance(chance, rate, part - STEP, ip, below)
    slope[0] = (above - below) / (2 * STEP)
    fill_log_chance(chance, rate + h, part, ip, above)
    fill_log_chance(chance, rate - h, part, ip, below)
    slope[1] = (above - below) / (2 * h)
    fill_log_chance(chance, rate, part, ip + h, above)
    fill_log_chance(chance, rate, part, ip, below)  # there is no room below
    slope[2] = (above - below) / h
    return slope


@njit(cache=True, nogil=True)
def _told(
    seen: Array, arrived: Array, live: float, chance: Chance, rate: float, part: float, ip: float
) -> tuple[tuple[float, float, float], float, float]:
    """What the scatter between blocks of time says.

    Returns
    -------
    tuple of 3
        Variance of the mean rate, of f, and what they share.
    float
        How much less the outcomes tell of f than independent ones would, at least 1.
    float
        Sigma by which ln L rises with Ip (score test).
    """
    total = seen.sum(axis=0)
    raw = _slopes(chance, rate, part, ip, len(total))
    slope = np.empty_like(raw)
    for k in range(len(raw)):
        slope[k] = raw[k] - np.dot(raw[k], total) / total.sum()
    told = (slope * total) @ slope.T  # of independent outcomes, (3, 3)
    own = max(told[0, 0], 1e-300)
    rates = (arrived - arrived.mean()) / live
    parts = (seen @ slope[0] - told[0, 1] * rates) / own
    few = BLOCKS / (BLOCKS - 1) * _longer(rates)
    spread = (few * np.dot(rates, rates), few * np.dot(parts, parts), few * np.dot(rates, parts))
    mixed = told[2, 0] / own
    rise = np.dot(total, raw[2]) - mixed * np.dot(total, raw[0])
    each = seen @ (slope[2] - mixed * slope[0]) - (told[2, 1] - mixed * told[0, 1]) * rates
    return spread, max(spread[1] * own, 1.0), rise / max(np.sqrt(np.dot(each, each)), 1e-300)


@njit(cache=True, nogil=True)
def _longer(rates: Array) -> float:
    """By how much the variance of a mean is larger than that of independent blocks, from what neighbors share."""
    alike = np.dot(rates[1:], rates[:-1]) / max(np.dot(rates, rates), 1e-300)
    return (1 + alike) / (1 - alike) if alike > ALIKE else 1.0


@njit(cache=True, nogil=True)
def _write(rate: float, part: float, sigma: float, spread: tuple[float, float, float], out: Array) -> None:
    """Fill in Is and Ic + Ip (as Ic) of a part of all light and its error, with the errors that the rate adds."""
    by_rate, by_part, shared = spread
    if by_part > 0:
        shared *= sigma / np.sqrt(by_part)  # as strongly tied to the rate as in the blocks
    own = (rate * sigma) ** 2
    out[IS], out[IC] = part * rate, (1 - part) * rate
    few = 1 + TAIL / out[LIVES]
    out[IS_ERROR] = np.sqrt(few * max(own + part * part * by_rate + 2 * part * rate * shared, 0.0))
    out[STEADY_ERROR] = np.sqrt(few * max(own + (1 - part) ** 2 * by_rate - 2 * (1 - part) * rate * shared, 0.0))
