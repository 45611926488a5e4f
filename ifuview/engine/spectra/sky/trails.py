"""Trails of satellites and airplanes: light along a straight line through a whole head, in one exposure alone.

All lines are tried by the fibers beside them, without those that show light in another exposure, too, each counted as
little as a star may count for (a Hough transform of capped significance, after Duda & Hart 1972). The best are then
asked for what only a trail has: light in the median of its fibers against those to both sides, and in each part of its
length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ifuview.engine.numeric.medians import MEDIAN_ERROR, robust_sigma
from ifuview.model.checks import Array

ANGLES, STEP = 60, 0.6  # directions, and arcsec between lines that are tried
NEAR, BESIDE = 1.2, (4.5, 9.0)  # arcsec from a line: fibers that see it, and those that it is compared with
CAP = 4.0  # sigma, that a fiber counts at most
LOOKED, MOST = 8, 4  # lines that are looked at, and trails in an exposure
LEAST = 8  # fibers that see it
SURE, PART, PARTS = 7.0, 0.35, 4  # sigma of all of it; of its light, that each of some parts has
ALONE = 15.0, 0.6  # the same where there is no other exposure
SOURCE, SHARED, AROUND = 4.0, 0.05, 1.6  # sigma, of a fiber's light, arcsec: light in another exposure is of a source
ELSEWHERE = 0.4  # of its light, in another exposure: it is no trail
FINE = (1.0, 0.25)  # deg, arcsec: steps of the second look
WIDTH, POWER = 2.2, 3.0  # arcsec, and power of a Moffat profile seen from the side
LEAST_LIGHT = 0.03  # of the sky, of a trail: what the first sky is uneven by is no trail
MARGIN = 0.75  # arcsec, by which a line that was found may miss the true one at its ends
FAINT = 0.002  # of the sky: light of a trail in a fiber that is kept


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """A line of light.

    Parameters
    ----------
    exposure : int
        Counted from 0.
    angle : float, deg
        Of its direction against x.
    offset : float, arcsec
        Of the line from the origin, along its normal.
    light : float
        In a fiber on it, over the sky.
    significance : float
    fibers : ndarray of bool, shape (nfiber,)
        With more of its light than FAINT.
    """

    exposure: int
    angle: float
    offset: float
    light: float
    significance: float
    fibers: NDArray[np.bool_]


def find_trails(light: Array, variance: Array, sky: Array, x: Array, y: Array) -> tuple[Trail, ...]:
    """Find trails.

    Parameters
    ----------
    light, variance, sky : ndarray, shape (nexp, nfiber)
        Of each fiber without sky, variance infinite where nothing is known; and the sky that was taken off.
    x, y : ndarray, shape (nexp, nfiber), arcsec
        Dithers included.
    """
    known = np.isfinite(variance) & (variance > 0)
    error = np.sqrt(np.where(known, variance, np.inf))
    ratio = np.where(known, light, 0.0) / np.maximum(sky, 1e-30)
    seen = [_Exposure(x[n], y[n], ratio[n], error[n] / np.maximum(sky[n], 1e-30)) for n in range(len(light))]
    out: list[Trail] = []
    for n, whole in enumerate(seen):
        others = [other for k, other in enumerate(seen) if k != n]
        one = whole.without(np.any([whole.shared(other) for other in others], axis=0)) if others else whole
        for _ in range(MOST):
            found = one.trail(n, others)
            if found is None:
                break
            out.append(found)
            one = one.without(found.fibers)
    return tuple(out)


@dataclass(frozen=True, slots=True, eq=False)
class _Exposure:
    """Places, light over the sky and its error of all fibers; error infinite where nothing is known."""

    x: Array
    y: Array
    light: Array
    error: Array

    def without(self, fibers: Array) -> _Exposure:
        """The same with some fibers not known."""
        return _Exposure(self.x, self.y, self.light, np.where(fibers, np.inf, self.error))

    def shared(self, other: _Exposure) -> NDArray[np.bool_]:
        """Fibers beside which another exposure shows light, too."""
        lit = np.flatnonzero(other.light > SOURCE * other.error)
        if not lit.size:
            return np.zeros(self.x.size, bool)
        tree = KDTree(np.stack([other.x[lit], other.y[lit]], 1))
        near = tree.query_ball_point(np.stack([self.x, self.y], 1), AROUND)
        most = np.array([other.light[lit[own]].max(initial=0.0) for own in near])
        return np.asarray(most > SHARED * np.maximum(self.light, 0.0)) & (most > 0)

    def away(self, angle: float, offset: float) -> NDArray[np.float64]:
        """Distance of the fibers from a line, arcsec."""
        return np.asarray(-self.x * np.sin(angle) + self.y * np.cos(angle) - offset)

    def trail(self, number: int, others: list[_Exposure]) -> Trail | None:
        """The most significant trail, if there is one."""
        sure, part = (SURE, PART) if others else ALONE
        for angle, offset in self._best_lines():
            level, sigma = self._level(angle, offset)
            if not level > sure / 2 * sigma:
                continue
            angle, offset = self._settled(angle, offset)
            level, sigma = self._level(angle, offset)
            if not level > max(sure * sigma, LEAST_LIGHT) or not self._all_along(angle, offset, part * level):
                continue
            if any(other._level(angle, offset)[0] > ELSEWHERE * level for other in others):
                continue
            core = WIDTH / 2 / np.sqrt(2 ** (1 / POWER) - 1)
            reach = core * np.sqrt(max((level / FAINT) ** (1 / POWER) - 1, 0.0))
            fibers = np.abs(self.away(angle, offset)) < max(reach, NEAR) + MARGIN
            return Trail(number, float(np.degrees(angle)), offset, level, level / sigma, fibers)
        return None

    def _best_lines(self) -> list[tuple[float, float]]:
        """Lines with most light, none beside a better one of the same direction."""
        pull = np.clip(np.where(np.isfinite(self.error), self.light / self.error, 0.0), -CAP, CAP)
        weight = np.isfinite(self.error).astype(float)
        found = []
        for angle in np.arange(ANGLES) * np.pi / ANGLES:
            away = self.away(angle, 0.0)
            low = float(away.min()) - STEP
            number = ((away - low) / STEP).astype(np.intp)
            wide = np.ones(max(int(2 * NEAR / STEP + 0.5), 1))
            top, count = (np.convolve(np.bincount(number, weights=w), wide, "same") for w in (pull * weight, weight))
            score = np.where(count >= LEAST, top / np.sqrt(np.maximum(count, 1)), -np.inf)
            k = int(np.argmax(score))
            found.append((float(score[k]), float(angle), low + (k + 0.5) * STEP))
        return [(angle, offset) for score, angle, offset in sorted(found, reverse=True)[:LOOKED] if score > SURE / 2]

    def _settled(self, angle: float, offset: float) -> tuple[float, float]:
        """The line near one whose fibers have most light in the median."""
        turn = np.radians(FINE[0]) * np.arange(-3, 4)
        tried = [(angle + a, offset + FINE[1] * k) for a in turn for k in range(-4, 5)]
        return max(tried, key=lambda line: self._level(*line)[0])

    def _level(self, angle: float, offset: float) -> tuple[float, float]:
        """Median light of the fibers on a line over that beside it, and the error; none where too few see it."""
        on, off = self._on_and_beside(angle, offset)
        if on.sum() < LEAST or off.sum() < LEAST:
            return 0.0, np.inf
        level = float(np.median(self.light[on]) - np.median(self.light[off]))
        scatter = robust_sigma(self.light[off])
        square = [max(float((self.error[own] ** 2).mean()), scatter**2) / int(own.sum()) for own in (on, off)]
        return level, MEDIAN_ERROR * float(np.sqrt(sum(square)))

    def _on_and_beside(self, angle: float, offset: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Known fibers that see a line, and those that they are compared with."""
        away, known = np.abs(self.away(angle, offset)), np.isfinite(self.error)
        return known & (away < NEAR), known & (away > BESIDE[0]) & (away < BESIDE[1])

    def _all_along(self, angle: float, offset: float, least: float) -> bool:
        """Whether each part of a line has so much light."""
        on, beside = map(np.flatnonzero, self._on_and_beside(angle, offset))
        base = float(np.median(self.light[beside]))
        along = self.x[on] * np.cos(angle) + self.y[on] * np.sin(angle)
        parts = np.array_split(on[np.argsort(along)], PARTS)
        return all(float(np.median(self.light[part])) - base > least for part in parts)
