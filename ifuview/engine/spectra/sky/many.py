"""The sky of one exposure from many fibers that hold other things, too: stars and galaxies all over the field.

Fibers at the level that most share begin (`choose_fibers`); then the sky over the field is fitted, fibers that stand
out of it and their neighbors are left out, and so on. The sky itself is the least-squares spline of Kelson (2003) at
the fibers' own wavelengths, times a plane over the field; what wavelengths and line widths of an amplifier are off by
is taken from the sky's own lines. Light of known sources may be told: fibers with more of it than `FAINT` stay out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.flux.scale import dispersion
from ifuview.engine.spectra.sky.fibers import brightness, choose_fibers, even_weight
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
    surface: bool = True, lines: bool = True,
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
    first = choose_fibers(spectra)
    chosen = first.chosen & known
    level, error = brightness(spectra)
    found = SkySurface(np.ones(x.size), np.ones(x.size), 0, 0.0)
    for turn in range(ROUNDS):
        if chosen.sum() < LEAST:
            raise FitError(f"{int(chosen.sum())} fibers see sky only: too few; take another slot or exposure for sky")
        samples = Samples(wave, found.value[:, None] * np.ones((1, *wave.shape), np.float32), extra)
        own = weight * chosen[:, None]
        common = fit_common(samples, spectra.flux, own, step)
        model = common.values(samples)
        pull = (spectra.flux - model) * np.sqrt(weight)
        weight = np.where(np.abs(pull) < CLIP, weight, 0) if turn + 1 < ROUNDS else weight
        if surface:
            factor, wrong = factors(spectra.flux, weight, model / found.value[:, None].astype(np.float32))
            found = fit_surface(x, y, factor, np.hypot(wrong, UNEVEN / 2), chosen, single=False)
        bright = brightness(replace(spectra, flux=model))[0]
        chosen = known & empty_fibers(level, error, bright, x, y)
    samples = Samples(wave, found.value[:, None] * np.ones((1, *wave.shape), np.float32), extra)
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
    return ManySky(sky, common, found, first.crowded and bool(chosen.sum() < CROWDED * known.sum()))


def moved_sky(
    found: ManySky, there: tuple[Array, Array], wave: Array, here: tuple[Array, Array]
) -> ManySky:  # fmt: skip
    """Return a sky at other fibers: its spectrum at their wavelengths times its plane at their places.

    Parameters
    ----------
    found : ManySky
    there, here : tuple of ndarray, arcsec
        x and y on the focal plane of the fibers it was made from, and of those it is wanted for.
    wave : ndarray, shape (nfiber, ncol), Angstrom
    """
    basis = np.stack([np.ones(there[0].size), *there], axis=1)
    plane = np.linalg.lstsq(basis, found.surface.value, rcond=None)[0]
    value = np.stack([np.ones(here[0].size), *here], axis=1) @ plane
    share = value.astype(np.float32)[:, None] * np.ones((1, *wave.shape), np.float32)
    own = Samples(np.ascontiguousarray(wave), share, np.zeros(wave.shape, np.float32))
    model, variance = found.common.evaluate(own)
    none = np.zeros(value.size, bool)
    sky = SkyModel(model, variance, none, value.astype(np.float32), found.sky.method, found.sky.notes)
    return ManySky(sky, found.common, replace(found.surface, value=value, fiber=np.ones(value.size)), False)


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
