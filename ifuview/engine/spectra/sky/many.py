"""The sky of one exposure from many fibers that hold other things, too: stars and galaxies all over the field.

Fibers at the level that most share begin (`choose_fibers`); then the sky over the field is fitted, fibers that stand
out of it and their neighbors are left out, and so on. The sky itself is the least-squares spline of Kelson (2003) at
the fibers' own wavelengths, times a plane over the field (of each head, where there are several); what wavelengths and
line widths of an amplifier are off by is taken from the sky's own lines. Light of known sources may be told: fibers
with more of it than `FAINT` stay out. Fibers that all see sources wear the sky of others, as bright as its lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MEDIAN_ERROR, robust_sigma
from ifuview.engine.spectra.flux.scale import dispersion
from ifuview.engine.spectra.sky.fibers import brightness, choose_fibers, column_weight, even_weight, weighted_mean
from ifuview.engine.spectra.sky.lines import fit_line_errors
from ifuview.engine.spectra.sky.spline import CommonSpectra, Samples, fit_common
from ifuview.engine.spectra.sky.surface import SkySurface, factors, fit_surface
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SkyModel
from ifuview.model.reduction.spectra import FiberSpectra

KNOTS = 0.8  # px, between knots
FAINT = 0.002  # of the sky: light of sources in a fiber that tells of the sky
OUT, BRIGHT = 3.0, 0.1  # sigma by which a fiber stands out; of the sky: a star, whose neighbors are left out, too
NEAR = 3.6  # arcsec, of neighbors
UNEVEN = 0.006  # of the sky, what fibers differ by without a source
ROUNDS = 3
CLIP = 5.0  # sigma of a sample
LEAST = 20  # fibers
SURE = 0.02  # error of a brightness that lines tell
CROWDED = 0.3  # of the fibers: fewer see sky only


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ManySky:
    """Sky of one exposure.

    Parameters
    ----------
    sky : SkyModel
    common : CommonSpectra
        Of a fiber where the surface is one.
    surface : SkySurface
    crowded : bool
        Light of sources reaches most fibers: the sky rests on the darkest.
    """

    sky: SkyModel
    common: CommonSpectra
    surface: SkySurface
    crowded: bool = False


def fit_sky(
    spectra: FiberSpectra, x: Array, y: Array, block: Array, *, light: Array | None = None, lsf: Array | None = None,
    head: Array | None = None, surface: bool = True, lines: bool = True,
) -> ManySky:  # fmt: skip
    """Find the sky.

    Parameters
    ----------
    spectra : FiberSpectra
        A density, response of the fibers removed, at native wavelengths.
    x, y : ndarray, shape (nfiber,), arcsec
        On the focal plane.
    block : ndarray of int, shape (nfiber,)
        Amplifier of each fiber.
    light : ndarray, shape (nfiber,), optional
        Of known sources over the sky.
    lsf : ndarray, shape (nfiber, ncol), px, optional
        Gaussian sigma of an unresolved line.
    head : ndarray of int, shape (nfiber,), optional
        Fibers that lie together, with a plane of their own. Default: all do.
    surface : bool
        Follow a gradient over the field.
    lines : bool
        Correct wavelength and line width from the sky's lines.

    Raises
    ------
    FitError
        Fewer than LEAST fibers see sky only.
    """
    usable = spectra.usable() & (spectra.variance > 0)
    weight = even_weight(spectra.variance, usable)
    wave = np.ascontiguousarray(np.broadcast_to(spectra.wave, spectra.flux.shape))
    step = KNOTS * float(np.median(dispersion(wave)))
    extra = _extra(wave, lsf)
    known = usable.any(axis=1) & (np.ones(len(x), bool) if light is None else light < FAINT)
    head = np.zeros(x.size, np.intp) if head is None else np.asarray(head)
    columns = column_weight(spectra)
    chosen, crowded = _first_choice(spectra, head, columns)
    chosen &= known
    level, error = brightness(spectra, columns)
    found = SkySurface(np.ones(x.size), np.ones(x.size), 0, 0.0)
    for turn in range(ROUNDS):
        if chosen.sum() < LEAST:
            raise FitError(f"{int(chosen.sum())} fibers see sky only: too few; take another slot or exposure for sky")
        samples = _samples(wave, found.value, extra)
        own = weight * chosen[:, None]
        common = fit_common(samples, spectra.flux, own, step)
        model = common.values(samples)
        pull = (spectra.flux - model) * np.sqrt(weight)
        weight = np.where(np.abs(pull) < CLIP, weight, 0) if turn + 1 < ROUNDS else weight
        if surface:
            factor, wrong = factors(spectra.flux, weight, model / found.value[:, None].astype(np.float32))
            found = _planes(x, y, factor, wrong, chosen, head)
        chosen = known & empty_fibers(level, error, weighted_mean(model, columns), x, y)
    samples = _samples(wave, found.value, extra)
    common = fit_common(samples, spectra.flux, weight * chosen[:, None], step)
    model, variance = common.evaluate(samples)
    notes = []
    if lines:
        errors = fit_line_errors(spectra.flux - model, weight * chosen[:, None], model, block)
        if errors is not None:
            model = model + errors.correction
            notes.append(f"wavelengths corrected by {float(np.abs(errors.shift).mean()):.3f} px from the sky's lines")
    method = f"B-spline, knots {step:.2f} A, {int(chosen.sum())} fibers, surface of degree {found.degree}"
    sky = SkyModel(model, variance, chosen, found.value.astype(np.float32), method, tuple(notes))
    return ManySky(sky, common, found, crowded and bool(chosen.sum() < CROWDED * known.sum()))


def worn_sky(found: ManySky, spectra: FiberSpectra, x: Array, y: Array, *, surely: bool = False) -> ManySky:
    """Return the sky of other fibers as these see it: brightness and plane by the sky's lines, which sources lack.

    Parameters
    ----------
    found : ManySky
        Of the others.
    spectra : FiberSpectra
        As for `fit_sky`.
    x, y : ndarray, shape (nfiber,), arcsec
    surely : bool
        Where the lines do not tell the brightness it is an error; else it is that of the others.

    Returns
    -------
    ManySky
        Its fibers: those that turn out to see nothing else.

    Raises
    ------
    FitError
    """
    wave = np.ascontiguousarray(np.broadcast_to(spectra.wave, spectra.flux.shape))
    ones, nothing = np.ones((1, *wave.shape), np.float32), np.zeros(wave.shape, np.float32)
    flat = found.common.values(Samples(wave, ones, nothing))
    weight = even_weight(spectra.variance, spectra.usable() & (spectra.variance > 0))
    factor, wrong = factors(spectra.flux, weight, flat, lines_only=True)
    known = np.isfinite(factor) & (wrong > 0)
    level, error = 1.0, np.inf
    if known.any():
        level = float(np.median(factor[known]))
        spread = max(robust_sigma(factor[known], level), float(np.median(wrong[known])))
        error = MEDIAN_ERROR * spread / float(np.sqrt(known.sum()))
    plane = SkySurface(np.ones(x.size), np.ones(x.size), 0, 0.0)
    if level > 0 and error < SURE * level:
        plane = _planes(x, y, factor, wrong, known, np.zeros(x.size, np.intp))
        note = f"{level:.3f} +- {error:.3f} times as bright by its lines"
    elif surely:
        raise FitError(f"the brightness of the sky is not known: factor {level:.2f} +- {error:.2f} by its lines")
    else:
        note = "as bright as there, as its lines do not tell"
    model, variance = found.common.evaluate(Samples(wave, plane.value[:, None].astype(np.float32) * ones, nothing))
    columns = column_weight(spectra)
    level_here, level_error = brightness(spectra, columns)
    empty = empty_fibers(level_here, level_error, weighted_mean(model, columns), x, y)
    notes = (*found.sky.notes, note)
    sky = SkyModel(model, variance, empty, plane.value.astype(np.float32), found.sky.method, notes)
    return ManySky(sky, found.common, plane, False)


def _samples(wave: Array, value: Array, extra: Array) -> Samples:
    """What a sky of this brightness in each fiber is fitted to."""
    share = np.empty((1, *wave.shape), np.float32)
    share[0] = value[:, None]
    return Samples(wave, share, extra)


def _first_choice(spectra: FiberSpectra, head: Array, weight: Array) -> tuple[NDArray[np.bool_], bool]:
    """Fibers at the level that most share, head by head; whether light of sources reaches most of the first."""
    chosen, crowded = np.zeros(head.size, bool), []
    for one in np.unique(head):
        own = head == one
        try:
            found = choose_fibers(spectra, weight) if own.all() else choose_fibers(spectra.some(own))
        except FitError:
            continue
        chosen[own] = found.chosen
        crowded.append(found.crowded)
    return chosen, bool(crowded and crowded[0])


def _planes(x: Array, y: Array, factor: Array, error: Array, use: Array, head: Array) -> SkySurface:
    """A plane for each head, its level in it; all ones for a head with fewer than LEAST fibers in `use`."""
    value, degree, sure = np.ones(x.size), 0, 0.0
    for one in np.unique(head):
        own = head == one
        if (use & own).sum() < LEAST:
            continue
        px, py = x[own] - x[own].mean(), y[own] - y[own].mean()
        found = fit_surface(px, py, factor[own], np.hypot(error[own], UNEVEN / 2), use[own], single=False)
        ratio = (factor[own] / found.value)[use[own]]
        weight = 1 / (error[own][use[own]] ** 2 + (UNEVEN / 2) ** 2)
        middle = float(np.median(ratio))
        close = np.abs(ratio - middle) < CLIP * max(robust_sigma(ratio, middle), 1e-9)
        value[own] = found.value * float((weight * ratio)[close].sum() / weight[close].sum())
        degree, sure = max(degree, found.degree), max(sure, found.significance)
    return SkySurface(value, np.ones(x.size), degree, sure)


def empty_fibers(level: Array, error: Array, sky: Array, x: Array, y: Array) -> NDArray[np.bool_]:
    """Fibers that do not stand out of the sky and lie beside none that does by far.

    Parameters
    ----------
    level, error, sky : ndarray, shape (nfiber,)
        Brightness, its error, and that of the sky there; NaN unknown.
    x, y : ndarray, shape (nfiber,), arcsec
    """
    with np.errstate(invalid="ignore"):
        off = level - sky
        empty = np.abs(off) < OUT * np.hypot(error, UNEVEN * sky)
        star = off > BRIGHT * sky
    for n in np.flatnonzero(star):
        empty &= np.hypot(x - x[n], y - y[n]) > NEAR
    return np.asarray(empty)


def _extra(wave: Array, lsf: Array | None) -> NDArray[np.float32]:
    """Half of what the square of the line spread is above its mean, Angstrom2."""
    if lsf is None:
        return np.zeros(wave.shape, np.float32)
    square = (np.where(np.isfinite(lsf), lsf, np.nanmedian(lsf)) * dispersion(wave)) ** 2
    return ((square - square.mean(axis=0)) / 2).astype(np.float32)
