"""Sources of the focal plane matched with a catalog, and the pointing that follows: shift and rotation.

Every pair of a source and a star within reach votes for a shift; the shift with most sources near a star wins, for the
rotation (in steps about that of the header) that has most. Then a least-squares shift and rotation of the pairs,
weighted with their errors, those far off left out. A quarter of the sources have to agree, or more than do by chance:
an extended galaxy is many sources, of which no catalog knows. Where fewer than four agree, two or three may tell the
shift if they lie near the header's pointing; the rotation is then the header's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import pdtrc

from ifuview.engine.spectra.field.positions import HOUR, sky_place
from ifuview.model.checks import Array

REACH = 25.0  # arcsec, of the header's pointing error
NEAR, CLOSE = 1.5, 0.6  # arcsec, of a source and its star: at first, and once shift and turn are known
TURN, TURN_STEP = 1.0, 0.1  # deg, of the rotation looked for
VOTERS = 120  # sources, the most significant ones
LEAST = 4  # pairs for a shift and a rotation
FEW, FEW_REACH = 2, 8.0  # pairs for a shift alone, arcsec
SHARE = 0.25  # of the sources, that have to agree, unless
CHANCE, RINGS, AROUND = 1e-6, (4.0, 7.0, 11.0), 12  # so many do not by chance: as at places around (arcsec, number)
AS_BRIGHT = 1.0  # mag, of a source against its star, their common offset taken off
CATALOG = 0.04  # arcsec, error of a star's place
ROUNDS = 4
CLIP = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class PointingFit:
    """Pointing by matched stars.

    Parameters
    ----------
    ra, dec, turn : float, deg
        Center of the focal plane, and its rotation as in `sky_place`.
    source, star : ndarray of int, shape (npair,)
        Pairs, by their place in the lists.
    used : ndarray of bool, shape (npair,)
        Not clipped.
    off : ndarray, shape (2, npair), arcsec
        Source less star on the sky, along right ascension and declination, after the fit.
    turned : bool
        The rotation was measured; else it is the header's.
    """

    ra: float
    dec: float
    turn: float
    source: NDArray[np.intp]
    star: NDArray[np.intp]
    used: NDArray[np.bool_]
    off: NDArray[np.float64]
    turned: bool = True


def to_plane(ra: Array, dec: Array, ra0: float, dec0: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tangent-plane coordinates (arcsec, east and north) of places about a center, all in deg."""
    a, d = np.radians(np.asarray(ra, np.float64) - ra0), np.radians(np.asarray(dec, np.float64))
    d0 = np.radians(dec0)
    bottom = np.sin(d0) * np.sin(d) + np.cos(d0) * np.cos(d) * np.cos(a)
    ahead = bottom > 1e-3
    by = np.where(ahead, bottom, 1.0)
    xi = np.where(ahead, np.cos(d) * np.sin(a) / by, np.inf)
    eta = np.where(ahead, (np.cos(d0) * np.sin(d) - np.sin(d0) * np.cos(d) * np.cos(a)) / by, np.inf)
    return np.degrees(xi) * 3600, np.degrees(eta) * 3600


def focal_of(
    ra: Array, dec: Array, center: tuple[float, float], turn: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Focal-plane coordinates (arcsec) of places on the sky; the inverse of `sky_place`, center in deg."""
    xi, eta = to_plane(ra, dec, *center)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return -c * xi - s * eta, -s * xi + c * eta


def match_catalog(
    x: Array, y: Array, error: Array, ra: Array, dec: Array, center: tuple[float, float], turn: float,
    magnitudes: tuple[Array, Array] | None = None,
) -> PointingFit | None:  # fmt: skip
    """Find the pointing; None where too few sources agree on one.

    Parameters
    ----------
    x, y, error : ndarray, shape (nsource,), arcsec
        Of the sources on the focal plane, the most significant first.
    ra, dec : ndarray, shape (nstar,), deg
        Of the catalog.
    center : (float, float), deg
        Right ascension and declination of the focal plane's center, as the header has it.
    turn : float, deg
    magnitudes : two ndarrays, optional
        Of the sources, on a scale of their own, and of the stars.
    """
    work = _Search(x, y, error, ra, dec, center, turn, magnitudes)
    return work.find(LEAST, REACH, np.arange(-TURN, TURN + TURN_STEP / 2, TURN_STEP)) or work.find(
        FEW, FEW_REACH, np.zeros(1)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Sources (x, y, error), the catalog and the header's pointing."""

    x: Array
    y: Array
    error: Array
    ra: Array
    dec: Array
    center: tuple[float, float]
    turn: float
    magnitudes: tuple[Array, Array] | None

    def find(self, least: int, reach: float, angles: Array) -> PointingFit | None:
        """Pointing that at least so many sources agree on, within a reach (arcsec) and some rotations (deg)."""
        if min(self.x.size, self.ra.size) < least:
            return None
        place = np.stack(focal_of(self.ra, self.dec, self.center, self.turn), 1)
        number = np.flatnonzero(np.isfinite(place).all(axis=1))
        source = np.stack([self.x, self.y], 1)
        start = _vote(source[:VOTERS], place[number], least, reach, angles)
        if start is None:
            return None
        pairs = _pairs(source, _turned(place[number], start[1]) + start[0], NEAR)
        found: PointingFit | None = None
        for _ in range(ROUNDS):
            if len(pairs[0]) < least:
                return None
            found = _solved(self, pairs[0], number[pairs[1]], angles.size > 1, least)
            own = np.stack(focal_of(self.ra, self.dec, (found.ra, found.dec), found.turn), 1)
            pairs = _pairs(source, own[number], CLOSE)
        if found is None or found.used.sum() < least:
            return None
        if found.used.sum() >= SHARE * min(self.x.size, VOTERS):
            return found
        return found if least == LEAST and self._beyond_chance(found, own[number], number) else None

    def _beyond_chance(self, found: PointingFit, star: Array, number: Array) -> bool:
        """Whether more sources agree with stars (x, y) than at other shifts."""
        source = np.stack([self.x, self.y], 1)
        offset = self._offsets(found.source, found.star)
        common = float(np.median(offset))

        def agree(pairs: tuple[Array, Array]) -> int:
            return int((np.abs(self._offsets(pairs[0], number[pairs[1]]) - common) < AS_BRIGHT).sum())

        angles = np.arange(AROUND) * 2 * np.pi / AROUND
        moves = [radius * np.array([np.cos(a), np.sin(a)]) for radius in RINGS for a in angles]
        usual = float(np.mean([agree(_pairs(source, star + move, CLOSE)) for move in moves]))
        number_of = int((found.used & (np.abs(offset - common) < AS_BRIGHT)).sum())
        return number_of >= LEAST and float(pdtrc(number_of - 1, max(usual, 1 / len(moves)))) < CHANCE

    def _offsets(self, source: Array, star: Array) -> NDArray[np.float64]:
        """Magnitudes of sources less those of their stars; zeros where none are known."""
        if self.magnitudes is None:
            return np.zeros(len(source))
        return np.asarray(self.magnitudes[0][source] - self.magnitudes[1][star], np.float64)


def _vote(
    source: Array, star: Array, least: int, reach: float, angles: Array
) -> tuple[NDArray[np.float64], float] | None:
    """Shift (arcsec) and rotation (deg) of the stars that bring most of them near sources."""
    tree = KDTree(source)
    best: tuple[float, NDArray[np.float64], float] | None = None
    for angle in angles:
        moved = _turned(star, float(angle))
        near = KDTree(moved).query_ball_point(source, reach)
        pairs = np.array([(k, s) for k, some in enumerate(near) for s in some], np.intp).reshape(-1, 2)
        if len(pairs) < least:
            continue
        offset = source[pairs[:, 0]] - moved[pairs[:, 1]]
        votes = KDTree(offset).query_ball_point(offset, NEAR, return_length=True)
        top = int(np.argmax(votes))
        close = np.hypot(*(offset - offset[top]).T) < NEAR
        shift = np.median(offset[close], axis=0)
        apart = tree.query(moved + shift, distance_upper_bound=NEAR)[0]
        fit = apart < NEAR
        score = float(fit.sum()) - float((apart[fit] / NEAR).sum()) / 2 - 0.01 * abs(angle)
        if fit.sum() >= least and (best is None or score > best[0]):
            best = score, shift, float(angle)
    return None if best is None else (best[1], best[2])


def _turned(place: Array, angle: float) -> NDArray[np.float64]:
    """Places turned about the center by an angle in deg."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.stack([c * place[:, 0] - s * place[:, 1], s * place[:, 0] + c * place[:, 1]], axis=1)


def _pairs(source: Array, star: Array, near: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sources and stars that are each other's nearest within `near`."""
    apart, mate = KDTree(star).query(source, distance_upper_bound=near)
    known = np.flatnonzero(np.isfinite(apart))
    back = KDTree(source).query(star[mate[known]])[1]
    kept = known[back == known]
    return kept, mate[kept]


def _solved(work: _Search, source: Array, star: Array, turned: bool, least: int) -> PointingFit:
    """Shift, and rotation where wanted, by least squares about the header's pointing."""
    x, y, ra, dec = work.x[source], work.y[source], work.ra[star], work.dec[star]
    px, py = focal_of(ra, dec, work.center, work.turn)
    sigma = np.hypot(work.error[source], CATALOG)
    used = np.ones(source.size, bool)
    zero, one = np.zeros(source.size), np.ones(source.size)
    basis = np.concatenate([np.stack([one, zero, -py * turned], 1), np.stack([zero, one, px * turned], 1)])
    value = np.concatenate([x - px, y - py])
    move = np.zeros(3)
    for _ in range(ROUNDS):
        both = np.tile(np.where(used, 1 / sigma**2, 0.0), 2)
        move = np.linalg.lstsq(basis.T @ (both[:, None] * basis), basis.T @ (both * value), rcond=None)[0]
        apart = np.hypot(*(value - basis @ move).reshape(2, -1)) / sigma
        new = apart < max(CLIP, CLIP * float(np.median(apart)) / 2)
        if new.sum() < least or (new == used).all():
            break
        used = new
    # stars appear turned and shifted: the center is what the header has where that leads to the origin
    angle = float(np.degrees(move[2]))
    back = _turned(-move[None, :2], -angle)
    ra0, dec0 = sky_place(back[:, 0], back[:, 1], work.center[0] / HOUR, work.center[1], work.turn)
    found = float(ra0[0]), float(dec0[0]), work.turn + angle
    a, d = sky_place(x, y, found[0] / HOUR, *found[1:])
    off = np.stack([(a - ra) * np.cos(np.radians(dec)), d - dec]) * 3600
    return PointingFit(*found, source, star, used, off, turned)
