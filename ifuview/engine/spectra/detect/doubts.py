"""A line that was found with its spectrum, what each exposure says of it, and what speaks against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from ifuview.engine.spectra.detect.continuum import extract_at
from ifuview.engine.spectra.detect.light import FieldLight
from ifuview.engine.spectra.detect.measure import LineFit, NearFibers, misfit, whole_light
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import LINE, Detection, Doubt

FWHM = 2.3548
TOLD = 8  # fibers that are named
LOUD = 1.25  # scatter over errors
FIBER_PULL = 3.0  # sigma of one fiber above what the others tell
CHANCE, UNEVEN, LEFT = 2e-3, 0.1, 0.5  # that exposures differ so much; of the light; of the brightest one
SURE = 12.0  # significance of what may be of one exposure or fiber only
LEAST_SHARE = 0.6  # of what the fibers would catch, unmasked
LEAST_LIGHT = 0.5  # of what they catch inside of the field
OFF, LEVEL = 3.0, 60.0  # widths, Angstrom: where the level below a line is taken
WORSE = 4.0  # sigma of the misfit
NARROW = 0.72  # of an unresolved line
REMAINS = Doubt.NEAR_STAR | Doubt.MASKED
INFLATED = 2.0  # variance over that of the fibers' own noise: of a star


def doubt(light: FieldLight, fit: LineFit, grid: Array, along: Array) -> LineFit:
    """Say what speaks against a line.

    Parameters
    ----------
    light : FieldLight
        Without all other lines.
    fit : LineFit
    grid, along : ndarray, shape (nwave,), Angstrom and 1
        Scatter of all fibers over their errors.
    """
    around = NearFibers(light, float(fit.theta[0]), float(fit.theta[1]))
    top, bottom = around.sums(fit.theta)
    exposures = _by_exposure(light, around, top, bottom)
    chi2, free = misfit(around, fit)
    doubts = _doubts(light, around, fit, top, bottom, exposures)
    if free and chi2 > 1 + WORSE * np.sqrt(2 / free):
        doubts |= Doubt.PROFILE
    if float(np.interp(fit.theta[2], grid, along)) > LOUD:
        doubts |= Doubt.SKY_LINE
    return replace(fit, doubts=doubts, exposures=exposures, chi2=chi2, light=whole_light(around, fit))


def is_hit(fit: LineFit) -> bool:
    """Whether a line is no source.

    It is what a particle left, of one exposure or one fiber and faint or doubted besides, where there is but one
    exposure one that is unlike a line; or what masks left of a star.
    """
    if fit.doubts & REMAINS == REMAINS:
        return True
    single = fit.exposures is not None and np.isfinite(fit.exposures[:, 1]).sum() < 2
    if single and fit.doubts & (Doubt.NARROW | Doubt.PROFILE) and fit.snr < SURE:
        return True
    alone = fit.doubts & (Doubt.ONE_EXPOSURE | Doubt.ONE_FIBER)
    other = fit.doubts & (Doubt.NARROW | Doubt.PROFILE | Doubt.EDGE)
    return bool(alone) and (fit.snr < SURE or bool(other) or alone == Doubt.ONE_EXPOSURE | Doubt.ONE_FIBER)


def describe(light: FieldLight, base: FieldLight, fit: LineFit, grid: Array) -> Detection:
    """A line with its spectrum.

    Parameters
    ----------
    light : FieldLight
        Without all other lines.
    base : FieldLight
        With all lines and the light below them.
    fit : LineFit
    grid : ndarray, shape (nwave,), Angstrom
    """
    around = NearFibers(light, float(fit.theta[0]), float(fit.theta[1]))
    bottom = around.sums(fit.theta)[1]
    flux, error = extract_at(base, float(fit.theta[0]), float(fit.theta[1]), grid)
    z = (grid - fit.theta[2]) / fit.sigma
    below = (np.abs(z) > OFF) & (np.abs(grid - fit.theta[2]) < LEVEL) & (error > 0)
    level = float(np.average(flux[below], weights=error[below] ** -2)) if below.any() else 0.0
    model = level + fit.flux * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * fit.sigma)
    errors = np.full(4, np.nan) if fit.error is None else fit.error
    weighty = np.argsort(-bottom)[:TOLD]
    return Detection(
        kind=LINE, x=float(fit.theta[0]), y=float(fit.theta[1]), wave=float(fit.theta[2]), flux=fit.light[0],
        sn=fit.significance, chi2=fit.chi2, fwhm=FWHM * fit.sigma, spectrum=flux.astype(np.float32),
        error=error.astype(np.float32), model=model.astype(np.float32), x_error=float(errors[0]),
        y_error=float(errors[1]), wave_error=float(errors[2]), flux_error=fit.light[1],
        fwhm_error=float(FWHM * fit.sigma * errors[3]), doubts=fit.doubts,
        exposures=np.zeros((0, 2)) if fit.exposures is None else fit.exposures,
        fibers=around.near[weighty[bottom[weighty] > 0]],
    )  # fmt: skip


def _by_exposure(light: FieldLight, around: NearFibers, top: Array, bottom: Array) -> NDArray[np.float64]:
    """Flux and error of each exposure alone; NaN and infinite where it tells nothing."""
    number = light.field.exposure[around.near]
    out = np.full((int(np.max(light.field.exposure)) + 1, 2), (np.nan, np.inf))
    for n in range(out.shape[0]):
        weight = float(bottom[number == n].sum())
        if weight > 0:
            out[n] = float(top[number == n].sum()) / weight, weight**-0.5
    return out


def _doubts(light: FieldLight, around: NearFibers, fit: LineFit, top: Array, bottom: Array, exposures: Array) -> Doubt:
    """What the fibers and exposures say against it."""
    out = Doubt(0)
    if _in_one_exposure(fit.flux, exposures):
        out |= Doubt.ONE_EXPOSURE
    if _in_one_fiber(fit.flux, top, bottom):
        out |= Doubt.ONE_FIBER
    share = around.share(fit.theta)
    near = np.abs(around.wave - fit.theta[2]) < 2 * fit.sigma
    known = (near & (around.ivar > 0)).sum(axis=1) / np.maximum(near.sum(axis=1), 1)
    if (known * share**2).sum() < LEAST_SHARE * (share**2).sum():
        out |= Doubt.MASKED
    if share.sum() < LEAST_LIGHT * usual_share(light):
        out |= Doubt.EDGE
    group = np.bincount(light.field.group[around.near], weights=bottom, minlength=light.group_scale.size)
    if light.group_scale[int(np.argmax(group))] > LOUD:
        out |= Doubt.AMPLIFIER
    if _inflated(light, around, share, near) > INFLATED:
        out |= Doubt.NEAR_STAR
    return out | (Doubt.NARROW if fit.sigma < NARROW * light.field.lsf else Doubt(0))


def _in_one_exposure(flux: float, exposures: Array) -> bool:
    """Whether the exposures do not agree, and the light is that of the brightest."""
    told = np.isfinite(exposures[:, 1])
    count = int(told.sum())
    if count < 2:
        return False
    own, error = exposures[told].T
    chance = float(chdtrc(count - 1, (((own - flux) ** 2) / (error**2 + (UNEVEN * flux) ** 2)).sum()))
    best = int(np.argmax(own / error))
    rest = np.delete(error, best) ** -2.0
    others = float((np.delete(own, best) * rest).sum() / rest.sum())
    return chance < CHANCE and others < LEFT * own[best]


def _in_one_fiber(flux: float, top: Array, bottom: Array) -> bool:
    """Whether the fiber that tells it best has more light than all others together leave it."""
    known = bottom > 0
    if known.sum() < 2:
        return True
    signal = np.where(known, top / np.sqrt(np.where(known, bottom, 1.0)), 0.0)
    best = int(np.argmax(signal))
    rest = float(bottom.sum() - bottom[best])
    own, others = float(top[best] / bottom[best]), float((top.sum() - top[best]) / rest)
    error = np.sqrt(1 / bottom[best] + 1 / rest + (UNEVEN * flux) ** 2)
    return bool(own - others > FIBER_PULL * error)


def usual_share(light: FieldLight) -> float:
    """Share of a source's light that the fibers catch in the middle of the field, all exposures together."""
    field = light.field
    width, height = np.ptp(field.x) + field.size, np.ptp(field.y) + field.size
    return float(field.x.size * np.pi * field.size**2 / 4 / (width * height))


def _inflated(light: FieldLight, around: NearFibers, share: Array, near: Array) -> float:
    """Variance below a line over that of the same fibers' noise, by weight of the fibers."""
    spectra = light.field.spectra
    own = spectra.variance[around.near] * light.group_scale[light.field.group[around.near], None] ** 2
    good = near & (around.ivar > 0) & (own > 0)
    ratio = np.where(good, 1.0 / np.where(good, around.ivar * own, 1.0), 0.0).sum(axis=1)
    ratio /= np.maximum(good.sum(axis=1), 1)
    weight = share**2 * good.any(axis=1)
    return float((weight * ratio).sum() / max(weight.sum(), 1e-300))
