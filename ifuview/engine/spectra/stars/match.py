"""Sources of the focal plane matched with a catalog, and the pointing that follows: shift and rotation.

Every pair of a source and a star within reach votes for a shift; the shift with most sources near a star wins, for the
rotation (in steps about that of the header) that has most. Then a least-squares shift and rotation of the pairs,
weighted with their errors, those far off left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ifuview.engine.spectra.field.positions import HOUR, sky_place
from ifuview.model.checks import Array

REACH = 25.0  # arcsec, of the header's pointing error
NEAR, CLOSE = 1.5, 0.6  # arcsec, of a source and its star: at first, and once shift and turn are known
TURN, TURN_STEP = 1.0, 0.1  # deg, of the rotation looked for
VOTERS = 120  # sources, the most significant ones
LEAST = 4  # pairs for a pointing
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
    """

    ra: float
    dec: float
    turn: float
    source: NDArray[np.intp]
    star: NDArray[np.intp]
    used: NDArray[np.bool_]
    off: NDArray[np.float64]


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
    x: Array, y: Array, error: Array, ra: Array, dec: Array, center: tuple[float, float], turn: float
) -> PointingFit | None:
    """Find the pointing; None where fewer than LEAST sources agree on one.

    Parameters
    ----------
    x, y, error : ndarray, shape (nsource,), arcsec
        Of the sources on the focal plane, the most significant first.
    ra, dec : ndarray, shape (nstar,), deg
        Of the catalog.
    center : (float, float), deg
        Right ascension and declination of the focal plane's center, as the header has it.
    turn : float, deg
    """
    if x.size < LEAST or ra.size < LEAST:
        return None
    sx, sy = focal_of(ra, dec, center, turn)
    inside = np.isfinite(sx) & np.isfinite(sy)
    number = np.flatnonzero(inside)
    start = _vote(np.stack([x, y], 1)[:VOTERS], np.stack([sx, sy], 1)[inside])
    if start is None:
        return None
    shift, angle = start
    moved = _turned(np.stack([sx, sy], 1)[inside], angle) + shift
    pairs = _pairs(np.stack([x, y], 1), moved, NEAR)
    found: PointingFit | None = None
    for turns in range(ROUNDS):
        if len(pairs[0]) < LEAST:
            return None
        found = _solved(x, y, error, ra, dec, center, turn, pairs[0], number[pairs[1]])
        sx, sy = focal_of(ra, dec, (found.ra, found.dec), found.turn)
        near = CLOSE if turns + 2 < ROUNDS else max(CLOSE / 2, CLIP * float(np.median(np.hypot(*found.off))))
        pairs = _pairs(np.stack([x, y], 1), np.stack([sx, sy], 1)[inside], max(near, CLOSE))
    return found if found is not None and found.used.sum() >= LEAST else None


def _vote(source: Array, star: Array) -> tuple[NDArray[np.float64], float] | None:
    """Shift (arcsec) and rotation (deg) of the stars that bring most of them near sources."""
    reach = KDTree(source)
    best: tuple[float, NDArray[np.float64], float] | None = None
    for angle in np.arange(-TURN, TURN + TURN_STEP / 2, TURN_STEP):
        moved = _turned(star, float(angle))
        tree = KDTree(moved)
        near = tree.query_ball_point(source, REACH)
        pairs = np.array([(k, s) for k, some in enumerate(near) for s in some], np.intp).reshape(-1, 2)
        if len(pairs) < LEAST:
            continue
        offset = source[pairs[:, 0]] - moved[pairs[:, 1]]
        votes = KDTree(offset).query_ball_point(offset, NEAR, return_length=True)
        top = int(np.argmax(votes))
        close = np.hypot(*(offset - offset[top]).T) < NEAR
        shift = np.median(offset[close], axis=0)
        apart = reach.query(moved + shift, distance_upper_bound=NEAR)[0]
        fit = apart < NEAR
        score = float(fit.sum()) - float((apart[fit] / NEAR).sum()) / 2 - 0.01 * abs(angle)
        if fit.sum() >= LEAST and (best is None or score > best[0]):
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


def _solved(
    x: Array, y: Array, error: Array, ra: Array, dec: Array, center: tuple[float, float], turn: float, source: Array,
    star: Array,
) -> PointingFit:  # fmt: skip
    """Shift and rotation by least squares about the header's pointing."""
    px, py = focal_of(ra[star], dec[star], center, turn)
    sigma = np.hypot(error[source], CATALOG)
    used = np.ones(source.size, bool)
    move = np.zeros(3)
    for _ in range(ROUNDS):
        w = np.where(used, 1 / sigma**2, 0.0)
        dx, dy = x[source] - px, y[source] - py
        zero, one = np.zeros(source.size), np.ones(source.size)
        basis = np.concatenate([np.stack([one, zero, -py], 1), np.stack([zero, one, px], 1)])
        both, value = np.tile(w, 2), np.concatenate([dx, dy])
        move = np.linalg.lstsq(basis.T @ (both[:, None] * basis), basis.T @ (both * value), rcond=None)[0]
        left = (value - basis @ move).reshape(2, -1)
        apart = np.hypot(*left) / sigma
        new = apart < max(CLIP, CLIP * float(np.median(apart)) / 2)
        if new.sum() < LEAST or (new == used).all():
            break
        used = new
    # stars appear turned and shifted: the center is what the header has where that leads to the origin
    fits = turn + float(np.degrees(move[2]))
    back = _turned(-move[None, :2], -float(np.degrees(move[2])))
    ra0, dec0 = sky_place(back[:, 0], back[:, 1], center[0] / HOUR, center[1], turn)

    found = PointingFit(float(ra0[0]), float(dec0[0]), fits, source, star, used, np.zeros((2, source.size)))
    a, d = sky_place(x[source], y[source], found.ra / HOUR, found.dec, found.turn)
    off = np.stack([(a - ra[star]) * np.cos(np.radians(dec[star])), d - dec[star]]) * 3600
    return PointingFit(found.ra, found.dec, fits, source, star, used, off)
