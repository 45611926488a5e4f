"""A line that was found with its spectrum, what each exposure says of it, and what speaks against it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.detect.continuum import extract_at
from ifuview.engine.spectra.detect.light import FieldLight
from ifuview.engine.spectra.detect.measure import FLOOR, LineFit, NearFibers, misfit
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import LINE, Detection, Doubt

FWHM = 2.3548
TOLD = 8  # fibers that are named
LOUD = 1.25  # scatter over errors
FIBER_PULL = 4.5  # sigma of one fiber from what the others tell
MISSED, LEFT = 3.0, 0.35  # sigma below what is expected without the best exposure; of that
LEAST_SHARE = 0.6  # of what the fibers would catch, unmasked
LEAST_LIGHT = 0.5  # of what they catch inside of the field
OFF, LEVEL = 3.0, 60.0  # widths, Angstrom: where the level below a line is taken
WORSE = 4.0  # sigma of the misfit
NARROW = 0.72  # of an unresolved line
INFLATED = 2.0  # variance over that of the fibers' own noise: of a star


def describe(light: FieldLight, base: FieldLight, fit: LineFit, grid: Array, along: Array) -> Detection:
    """Describe a line.

    Parameters
    ----------
    light : FieldLight
        Without all other lines.
    base : FieldLight
        With all lines and the light below them.
    fit : LineFit
    grid : ndarray, shape (nwave,), Angstrom
    along : ndarray, shape (nwave,)
        Scatter of all fibers over their errors.
    """
    around = NearFibers(light, float(fit.theta[0]), float(fit.theta[1]))
    top, bottom = around.sums(fit.theta)
    exposures = _by_exposure(light, around, top, bottom)
    chi2, free = misfit(around, fit)
    flux, error = extract_at(base, float(fit.theta[0]), float(fit.theta[1]), grid)
    z = (grid - fit.theta[2]) / fit.sigma
    below = (np.abs(z) > OFF) & (np.abs(grid - fit.theta[2]) < LEVEL) & (error > 0)
    level = float(np.average(flux[below], weights=error[below] ** -2)) if below.any() else 0.0
    model = level + fit.flux * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * fit.sigma)
    errors = np.full(4, np.nan) if fit.error is None else fit.error
    weighty = np.argsort(-bottom)[:TOLD]
    doubts = _doubts(light, around, fit, top, bottom, exposures)
    if free and chi2 > 1 + WORSE * np.sqrt(2 / free):
        doubts |= Doubt.PROFILE
    if float(np.interp(fit.theta[2], grid, along)) > LOUD:
        doubts |= Doubt.SKY_LINE
    return Detection(
        kind=LINE, x=float(fit.theta[0]), y=float(fit.theta[1]), wave=float(fit.theta[2]), flux=fit.flux,
        sn=fit.significance, chi2=chi2, fwhm=FWHM * fit.sigma, spectrum=flux.astype(np.float32),
        error=error.astype(np.float32), model=model.astype(np.float32), x_error=float(errors[0]),
        y_error=float(errors[1]), wave_error=float(errors[2]), flux_error=fit.flux / max(fit.snr, 1e-9),
        fwhm_error=float(FWHM * fit.sigma * errors[3]), doubts=doubts, exposures=exposures,
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
    told = np.isfinite(exposures[:, 1])
    if told.sum() > 1:
        signal = np.where(told, exposures[:, 0] / exposures[:, 1] ** 2, 0.0)
        weight = np.where(told, exposures[:, 1] ** -2.0, 0.0)
        best = int(np.argmax(np.where(told, exposures[:, 0] / exposures[:, 1], -np.inf)))
        rest_weight = weight.sum() - weight[best]
        rest = (signal.sum() - signal[best]) / np.sqrt(rest_weight)
        expected = float(exposures[best, 0]) * np.sqrt(rest_weight)
        if rest < expected - MISSED * np.hypot(1, np.sqrt(rest_weight / weight[best])) and rest < LEFT * expected:
            out |= Doubt.ONE_EXPOSURE
    error = np.sqrt(bottom + (FLOOR * fit.flux * bottom) ** 2)
    pull = np.where(bottom > 0, (top - fit.flux * bottom) / np.where(error > 0, error, 1.0), 0.0)
    if pull.max() > FIBER_PULL:
        out |= Doubt.ONE_FIBER
    share = around.share(fit.theta)
    near = np.abs(around.wave - fit.theta[2]) < 2 * fit.sigma
    known = (near & (around.ivar > 0)).sum(axis=1) / np.maximum(near.sum(axis=1), 1)
    if (known * share**2).sum() < LEAST_SHARE * (share**2).sum():
        out |= Doubt.MASKED
    if share.sum() < LEAST_LIGHT * _usual_share(light):
        out |= Doubt.EDGE
    group = np.bincount(light.field.group[around.near], weights=bottom, minlength=light.group_scale.size)
    if light.group_scale[int(np.argmax(group))] > LOUD:
        out |= Doubt.AMPLIFIER
    if _inflated(light, around, share, near) > INFLATED:
        out |= Doubt.NEAR_STAR
    return out | (Doubt.NARROW if fit.sigma < NARROW * light.field.lsf else Doubt(0))


def _usual_share(light: FieldLight) -> float:
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
