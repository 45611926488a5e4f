"""Sources by their continuum: found in wide windows, extracted, and taken off so that lines can be looked for below.

A source is taken off by its whole spectrum where that is well known, else by a smooth one: the lines of a faint galaxy
stay. A share of what is taken off counts as error, since no profile is known better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import grey_closing

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, median_along
from ifuview.engine.spectra.detect.light import CORE, WHOLE, FieldLight, Lattice, combine_at
from ifuview.engine.spectra.flux.rectify import rectify
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.detection import FieldFibers
from ifuview.model.reduction.spectra import FiberSpectra

BRIGHT = 8.0  # median significance of a sample above which the whole spectrum is taken off
PIECE = 41  # samples of the median that a smooth spectrum goes through
FLOOR, ROUGH = 0.04, 0.3  # of the light, that no profile describes; that a smooth spectrum does not
RESIDUAL, AROUND = 0.03, 3.0  # of the light, FWHM: what is no source beside a brighter one
FAR = 1e-4  # of the light, anywhere in the head: wings and light scattered in the spectrograph
THIRDS = ((0, 12), (0, 4), (4, 8), (8, 12))  # nodes: windows that are added
STEPS = (0.3, 0.15, 0.07, 0.03)  # arcsec
MOST_MOVE = 1.5
EVEN = 0.6  # of the significance that has to stay without the brightest window
MOST_SOURCES = 60
FIELD, LEAST_FIBERS, ROUNDS, CLIP = 25.0, 30, 3, 2.5  # arcsec, of the plane below all fibers; sigma
KNOWN = 0.3  # of a spectrum's samples: of less no source is made
TINY = 1e-12  # of the equations of a plane: keeps one that nothing is known of
CLOSED = 1.0  # arcsec about a place that was looked at
DRIFTED = 1.0  # arcsec, of refraction at most
EVEN, DIP = 0.02, 25  # of the caught light, that may be lost for less than so many samples


@dataclass(frozen=True, slots=True, eq=False)
class TakenSource:
    """A source whose light was taken off: place (arcsec), significance, spectrum and error on the common grid."""

    x: float
    y: float
    snr: float
    flux: Array
    error: Array


def extract_at(light: FieldLight, x: float, y: float, grid: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All light of a point source at a place, and its error, on the common grid; error 0 where nothing is known."""
    table = light.table
    own = np.flatnonzero(np.hypot(light.field.x - x, light.field.y - y) < table.reach)
    if not own.size:
        return np.zeros(grid.size), np.zeros(grid.size)
    known = light.ivar[own] > 0
    mask = np.where(known, np.uint32(0), np.uint32(int(ReductionBit.NO_DATA)))
    variance = np.where(known, 1.0 / np.where(known, light.ivar[own], 1.0), 0.0)
    even = rectify(FiberSpectra(light.flux[own], variance, mask, light.wave[own]), grid)
    nodes = table.shares(light.field, x, y, own)
    share = np.stack([np.interp(grid, table.wave, row) for row in nodes])
    good = even.usable() & (even.variance > 0)
    weight = np.where(good, share / np.where(good, np.median(variance[known]) + 0 * even.variance, 1.0), 0.0)
    bottom = (weight * share).sum(axis=0)
    full = (share**2).sum(axis=0) / np.median(variance[known])
    good_enough = (bottom > 0.1 * full) & steady(bottom / full)
    by = np.where(good_enough, bottom, 1.0)
    flux = (weight * even.flux).sum(axis=0) / by
    error = np.sqrt((weight**2 * even.variance).sum(axis=0)) / by
    return np.where(good_enough, flux, 0.0), np.where(good_enough, error, 0.0)


def steady(caught: Array) -> NDArray[np.bool_]:
    """Where as much of a source's light is caught as beside, not less for a few samples.

    No profile is right to a percent: where a bright fiber is lost for a while, the flux that the others tell jumps, and
    that would leave a line in each of them.

    Parameters
    ----------
    caught : ndarray, shape (nwave,)
        Of the light of a source, in any unit.
    """
    return np.asarray(caught >= (1 - EVEN) * grey_closing(caught, DIP, mode="nearest"))


def take_off(light: FieldLight, x: float, y: float, grid: Array, flux: Array, error: Array) -> NDArray[np.intp]:
    """Take a source of this spectrum off all fibers; a share of its light becomes error.

    Returns
    -------
    ndarray of int
        Fibers that it was in.
    """
    known = error > 0
    if not known.any():
        return np.zeros(0, np.intp)
    whole = np.interp(grid, grid[known], flux[known])
    faint = np.median(flux[known] / error[known]) < BRIGHT
    floor = ROUGH if faint else FLOOR
    if faint:
        whole = smooth(whole)
    else:
        light.taken = (*light.taken, (x, y))
    nodes = light.table.shares(light.field, x, y)
    lit = np.flatnonzero(nodes.max(axis=1) > 0)
    for k in lit:
        wave = light.wave[k]
        own = np.interp(wave, light.table.wave, nodes[k]) * np.interp(wave, grid, whole)
        light.flux[k] -= own
        good = light.ivar[k] > 0
        light.ivar[k, good] = 1.0 / (1.0 / light.ivar[k, good] + (floor * own[good]) ** 2)
    return lit


def smooth(spectrum: Array) -> NDArray[np.float64]:
    """Through medians of pieces, straight between them."""
    count = max(spectrum.size // PIECE, 2)
    edge = np.linspace(0, spectrum.size, count + 1).astype(int)
    middle = 0.5 * (edge[1:] + edge[:-1] - 1)
    value = [float(np.median(spectrum[a:b])) for a, b in pairwise(edge)]
    out: NDArray[np.float64] = np.interp(np.arange(spectrum.size), middle, value)
    return out


def window_sums(light: FieldLight, own: Array | slice = WHOLE) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Light and inverse variance of each fiber, or of its `own` ones, in windows about the nodes."""
    node = light.table.wave
    border = np.concatenate([[-np.inf], 0.5 * (node[1:] + node[:-1]), [np.inf]])
    flux, ivar, waves = light.flux[own], light.ivar[own], light.wave[own]
    top, bottom = (np.zeros((flux.shape[0], node.size)) for _ in range(2))
    for m in range(node.size):
        columns = np.flatnonzero(((waves >= border[m]) & (waves < border[m + 1])).any(axis=0))
        if columns.size:
            part = slice(columns[0], columns[-1] + 1)
            wave = waves[:, part]
            weight = np.where((wave >= border[m]) & (wave < border[m + 1]), ivar[:, part], 0.0)
            top[:, m], bottom[:, m] = (weight * flux[:, part]).sum(axis=1), weight.sum(axis=1)
    return top, bottom


def _above_field(
    field: FieldFibers, sums: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sums above what all fibers of an exposure have in common, a plane, with their scatter for noise."""
    top, bottom = (one.copy() for one in sums)
    level = np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)
    for number in np.unique(field.exposure):
        own = field.exposure == number
        off = _common(level[own], bottom[own], field.x[own], field.y[own])
        top[own] -= off * bottom[own]
        scale = _scatter((level[own] - off) * np.sqrt(bottom[own]))
        top[own] /= scale**2
        bottom[own] /= scale**2
    return top, bottom


def _common(level: Array, weight: Array, x: Array, y: Array) -> NDArray[np.float64]:
    """What all fibers of an exposure have in each window: a plane over the field, sources left out."""
    terms = np.stack([np.ones(x.size), (x - x.mean()) / FIELD, (y - y.mean()) / FIELD], axis=1)
    pairs = (terms[:, :, None] * terms[:, None]).reshape(x.size, -1)
    known = np.isfinite(level)
    value, root = np.where(known, level, 0.0), np.sqrt(weight)
    off = np.broadcast_to(np.nan_to_num(median_along(level.T)), level.shape)
    for _ in range(ROUNDS):
        pull = np.where(known, (level - off) * root, np.nan)
        with np.errstate(invalid="ignore"):
            used = np.where(np.abs(pull) < CLIP * _scatter(pull), weight, 0.0)
        normal = (used.T @ pairs).reshape(-1, 3, 3)
        normal += TINY * np.maximum(np.trace(normal, axis1=1, axis2=2), 1e-300)[:, None, None] * np.eye(3)
        off = terms @ np.linalg.solve(normal, ((used * value).T @ terms)[..., None])[..., 0].T
    return np.where(known.sum(axis=0) < LEAST_FIBERS, 0.0, off)


def _scatter(pull: Array) -> NDArray[np.float64]:
    """Of each window, at least what noise does."""
    found = MAD_TO_SIGMA * median_along(np.abs(pull.T))
    return np.where(np.isfinite(found), np.maximum(found, 1.0), 1.0)


def find_continua(
    light: FieldLight, lattice: Lattice, threshold: float, *, before: Sequence[TakenSource] = (), even: bool = False,
    most: int = MOST_SOURCES,
) -> list[TakenSource]:  # fmt: skip
    """Find sources by their continuum, the brightest first, and take each off.

    Parameters
    ----------
    light : FieldLight
        Without what is found, afterwards.
    lattice : Lattice
    threshold : float
        Of the significance.
    before : sequence of TakenSource
        Taken off already: what profiles leave of them is no source.
    even : bool
        Only sources whose light is not that of a single window.
    most : int
        Sources at most.
    """
    nodes, every = light.table.wave.size, np.arange(lattice.x.size)
    coarse = Lattice(lattice.x, lattice.y, light.table.wave, np.append(np.arange(nodes - 1), nodes))
    snr, weight = (np.zeros((lattice.x.size, nodes), np.float32) for _ in range(2))
    total, closed = np.zeros(lattice.x.size), np.zeros(lattice.x.size, bool)
    raw, todo = window_sums(light), every
    out: list[TakenSource] = []
    while len(out) < most:
        sums = _above_field(light.field, raw)
        combine_at(light, sums, coarse, todo, 0, nodes, snr, weight)
        total[todo] = _added(snr[todo], weight[todo], even)
        total[closed] = 0.0
        place = int(np.argmax(total))
        if total[place] < threshold:
            if todo is every:
                break
            todo = every  # far places, too: the level of the field has moved a little
            continue
        x, y, best = _settle(light, sums, float(lattice.x[place]), float(lattice.y[place]))
        flux, error = extract_at(light, x, y, lattice.grid)
        for px, py in ((x, y), (lattice.x[place], lattice.y[place])):
            closed |= np.hypot(lattice.x - px, lattice.y - py) < CLOSED
        todo = np.flatnonzero(closed)
        if (error > 0).mean() < KNOWN or _left_over(light, x, y, flux, (*before, *out)):
            continue
        lit = take_off(light, x, y, lattice.grid, flux, error)
        raw[0][lit], raw[1][lit] = window_sums(light, lit)
        far = float(np.hypot(light.field.x[lit] - x, light.field.y[lit] - y).max(initial=0.0)) + light.table.reach
        todo = np.flatnonzero(np.hypot(lattice.x - x, lattice.y - y) < far + DRIFTED)
        out.append(TakenSource(x, y, max(best, float(total[place])), flux, error))
    return out


def _left_over(light: FieldLight, x: float, y: float, flux: Array, sources: Sequence[TakenSource]) -> bool:
    """Whether light at a place is no more than what the profile leaves of a brighter source beside."""
    reach, own = AROUND / CORE * light.table.reach, float(np.mean(flux))
    return any(
        own < (RESIDUAL if np.hypot(x - one.x, y - one.y) < reach else FAR) * float(np.mean(one.flux))
        for one in sources
    )


def _added(snr: Array, weight: Array, even: bool) -> NDArray[np.float64]:
    """Best significance of the sums over windows at each place."""
    top = snr.astype(np.float64) * np.sqrt(weight)
    found = np.zeros(snr.shape[0])
    for first, last in THIRDS:
        by = np.sqrt(np.maximum(weight[:, first:last].sum(axis=1, dtype=np.float64), 1e-300))
        value = top[:, first:last].sum(axis=1) / by
        if even:
            rest = (top[:, first:last].sum(axis=1) - top[:, first:last].max(axis=1)) / by
            value = np.where(rest > EVEN * value, value, 0.0)
        found = np.maximum(found, value)
    return found


def _settle(light: FieldLight, sums: tuple[Array, Array], x: float, y: float) -> tuple[float, float, float]:
    """The best place near one, and the significance of the light in all windows there."""

    near = light.table.near(light.field, x, y)

    def score(at: tuple[float, float]) -> float:
        share = light.table.shares(light.field, *at, near)
        top, bottom = (sums[0][near] * share).sum(axis=0), (sums[1][near] * share**2).sum(axis=0)
        return float((np.maximum(top, 0) ** 2 / np.maximum(bottom, 1e-300)).sum())

    at, best = (x, y), score((x, y))
    for step in STEPS:
        moved = True
        while moved:
            moved = False
            for dx, dy in ((step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step)):
                other = (at[0] + dx, at[1] + dy)
                if np.hypot(other[0] - x, other[1] - y) < MOST_MOVE and (value := score(other)) > best:
                    at, best, moved = other, value, True
    return at[0], at[1], float(np.sqrt(best))
