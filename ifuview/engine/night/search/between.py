"""What cameras of one exposure say of each other: a gray factor of a calibration, light that only one petal has.

The same fibers have the same flux where two cameras overlap in wavelength. The sky has about the same brightness in
all petals: where calibration is wrong its continuum and its lines are off by the same factor, where light was added
its continuum alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad, middle
from ifuview.model.checks import Array

BIN, REACH = 10.0, 120.0  # Angstrom: bins of the ends, and how far they reach
BRIGHT, ENOUGH = 8.0, 8  # sigma of a fiber in both cameras; fibers
ALIKE = 0.3  # scatter of the logarithm between fibers that are the same in both
FACTOR, ERRORS = 0.12, 6.0  # of a calibration (logarithm) beside another camera, and errors
SKY, LIGHT = 0.25, 0.3  # of the sky of other petals (logarithm): moon and airglow vary by less
SAME = 0.5  # of a change of the continuum that the lines have, too
OTHERS = 2  # petals that tell what is usual


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Calibrated flux at both ends of a camera.

    Parameters
    ----------
    at : ndarray of int, shape (nbin,)
        Wavelength over BIN.
    flux, error : ndarray, shape (nfiber, nbin)
        The error is infinite where nothing is known.
    """

    at: Array
    flux: Array
    error: Array


@dataclass(frozen=True, slots=True)
class OddSky:
    """A camera whose sky differs from that of the other petals.

    Parameters
    ----------
    kind : str
        "gray", "light", or "either" where the sky has no lines that would tell.
    factor : float
        Continuum of the calibrated sky over that of the others.
    """

    kind: str
    factor: float


def ends(flux: Array, ivar: Array, wave: Array) -> Ends:
    """Weighted means of both ends, in bins."""
    place = np.floor(wave / BIN).astype(int)
    near = (wave < wave[0] + REACH) | (wave > wave[-1] - REACH)
    at = np.unique(place[near])[1:-1]  # the outermost are cut
    out = np.zeros((2, flux.shape[0], at.size))
    for k, one in enumerate(at):
        part = place == one
        weight = np.where(np.isfinite(flux[:, part]), ivar[:, part], 0.0)
        total = weight.sum(axis=1)
        out[0, :, k] = np.sum(weight * np.nan_to_num(flux[:, part]), axis=1) / np.maximum(total, 1e-30)
        out[1, :, k] = np.where(total > 0, 1 / np.sqrt(np.maximum(total, 1e-30)), np.inf)
    return Ends(at, out[0], out[1])


def gray_ratio(one: Ends, two: Ends) -> tuple[float, float] | None:
    """(logarithm of the flux of the second over the first, its error) where they overlap; None if nothing tells."""
    common = np.intersect1d(one.at, two.at)
    if not common.size or one.flux.shape[0] != two.flux.shape[0]:
        return None
    values, errors = [], []
    for of in (one, two):
        here = np.isin(of.at, common)
        weight = of.error[:, here] ** -2.0
        total = np.maximum(weight.sum(axis=1), 1e-30)
        values.append((weight * of.flux[:, here]).sum(axis=1) / total)
        errors.append(total**-0.5)
    bright = (values[0] > BRIGHT * errors[0]) & (values[1] > BRIGHT * errors[1])
    if np.count_nonzero(bright) < ENOUGH:
        return None
    logs = np.log(values[1][bright] / values[0][bright])
    if float(mad(logs)) > ALIKE:  # not the same fibers
        return None
    return float(middle(logs)), 1.25 * max(float(mad(logs)), 0.01) / float(np.sqrt(logs.size))


def blamed(
    names: list[str], ratios: Mapping[tuple[str, str], tuple[float, float]]
) -> list[tuple[tuple[str, ...], float]]:
    """(cameras of which one has a factor, logarithm of the factor of the first) by the ratios of neighbors.

    One name where a third camera tells which of two it is.

    Parameters
    ----------
    names : list of str
        Cameras of one petal, by wavelength.
    ratios : mapping of (camera, next camera) to (logarithm, error)
    """
    off = {pair: value for pair, (value, error) in ratios.items() if abs(value) > max(FACTOR, ERRORS * error)}
    out: list[tuple[tuple[str, ...], float]] = []
    for k, name in enumerate(names):
        left, right = (names[k - 1], name) if k else None, (name, names[k + 1]) if k + 1 < len(names) else None
        before, after = off.get(left) if left else None, off.get(right) if right else None
        if before is not None and after is not None and before * after < 0:
            out.append(((name,), (before - after) / 2))
            off = {pair: value for pair, value in off.items() if name not in pair}
    for (one, two), value in off.items():
        clear = [n for n in (one, two) if any(n in pair and pair not in off for pair in ratios)]
        if len(clear) == 1:  # it agrees with its other neighbor
            out.append(((two,), value) if clear[0] == one else ((one,), -value))
        else:
            out.append(((one, two), -value))
    return out


def odd_skies(skies: Mapping[str, tuple[float, float]]) -> dict[str, OddSky]:
    """Cameras whose calibrated sky differs from that of the others.

    Parameters
    ----------
    skies : mapping of camera to (float, float)
        Logarithm of the continuum of the calibrated sky, and of its lines (NaN where it has none), one for each petal.
    """
    out: dict[str, OddSky] = {}
    for name, (level, lines) in skies.items():
        others = [v for n, v in skies.items() if n != name]
        if len(others) < OTHERS:
            continue
        base = np.array(others)
        if float(np.ptp(base[:, 0])) > SKY:  # they differ themselves
            continue
        away = level - float(np.median(base[:, 0]))
        known = base[np.isfinite(base[:, 1]), 1]
        of_lines = lines - float(np.median(known)) if known.size >= OTHERS else float("nan")
        if not np.isfinite(of_lines):
            if abs(away) > LIGHT:
                out[name] = OddSky("either" if away > 0 else "gray", float(np.exp(away)))
        elif abs(away) > SKY and of_lines / away > SAME:
            out[name] = OddSky("gray", float(np.exp(away)))
        elif away > LIGHT:
            out[name] = OddSky("light", float(np.exp(away)))
    return out


def calibrated_sky(sky: Array, fluxcalib: Array, lines: Array) -> tuple[float, float]:
    """Logarithms of the continuum and of the lines of the calibrated sky; NaN where it has no lines.

    Parameters
    ----------
    sky, fluxcalib : ndarray, shape (nwave,)
    lines : ndarray, shape (nwave,)
        The sky without what is wide; 0 where it has no lines.
    """
    good = fluxcalib > 0
    if not good.any():
        return float("nan"), float("nan")
    level = float(np.percentile(sky[good] / fluxcalib[good], 30))
    strength = float(np.sum(np.abs(lines[good]) / fluxcalib[good]))
    has = float(np.abs(lines).max(initial=0.0)) > float(np.median(sky))
    return float(np.log(level)) if level > 0 else float("nan"), float(np.log(strength)) if has else float("nan")
