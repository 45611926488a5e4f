"""Does the level of an amplifier drift along its rows so far that it would be taken for much else?

The sky model follows the sky fibers that have it, so that the other fibers show the reverse, and the rows are curves
over wavelength: a drift looks like light of blocks, windows, and steps at the edges of amplifiers. The sky fibers have
no light of their own, and tell the level of each row: what keeps to rows in one amplifier, beside what all fibers share
at a wavelength. It is taken out, and the camera is asked without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ifuview.engine.night import others
from ifuview.engine.night.parts.large import mean_of_sky
from ifuview.engine.night.parts.means import LEAST_SKY
from ifuview.engine.night.questions.amplifiers import listed, rows
from ifuview.engine.night.questions.case import COUNTS, E_PER_A, Case
from ifuview.engine.night.questions.detector import area_of
from ifuview.engine.night.search.levels import BIN, levels
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding

KNOT = 64.0  # rows between which a level is straight
NATURAL = 0.004  # of the sky that sky fibers scatter by
CLIP, ROUNDS = 4.5, 3  # sigma of a bin that counts
LARGE = 75.0  # of chi2 that a drift explains, beyond a level that is the same in all rows; healthy cameras have 44
ROWS, EITHER = 5.0, 25.0  # of chi2 that rows must be better than wavelengths, and than those of the amplifier beside
LEFT = 0.35  # of what a drift explains that may be left: levels from row to row, or places in the field, are none
CHANCE = 3.0  # sigma of chi2
STRAY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """Level of an amplifier by its rows.

    Parameters
    ----------
    name : str
    level : ndarray, shape (nfiber, nwave)
        Counts, 0 in other amplifiers.
    rms, gain : float
        Scatter of the level over its rows; chi2 that it explains.
    drifts : bool
        Whether it is one: large, and nothing that keeps to wavelengths, to single rows or to places.
    """

    name: str
    level: Array
    rms: float
    gain: float
    drifts: bool


@dataclass(frozen=True, slots=True, eq=False)
class SkyBins:
    """Bins of the sky fibers beside what all of them share at a wavelength, shape (nsky, nbin) each."""

    value: Array
    weight: Array
    row: Array
    at: Array  # wavelengths of the bins
    sky: Array

    def beside(self, values: Array, weight: Array) -> Array:
        """Values without their mean at each wavelength, shape (nsky * nbin, ...)."""
        total = np.maximum(weight.sum(axis=0), STRAY)
        mean = np.einsum("fb,fb...->b...", weight, values) / total.reshape(-1, *([1] * (values.ndim - 2)))
        return np.asarray((values - mean).reshape(weight.size, *values.shape[2:]))


def without_drift(case: Case) -> tuple[Chain, list[Finding]]:
    """Amplifiers whose level drifts far: a chain without it, and the findings."""
    chain, told = case.chain, []
    if case.clean is None or case.level is None or not case.areas or np.count_nonzero(case.is_sky) < LEAST_SKY:
        return chain, []
    if chain.frame is None or chain.flat is None or chain.sky is None or chain.sframe is None:
        return chain, []
    for _ in chain.sections:
        found = strongest(case)
        if found is None:
            break
        before = Case(case.chain, case.expid, case.camera, case.wanted, case.given)
        rows(before)
        if any(f.amplifier == found.name and "detector_rows" in f.detail for f in before.findings):  # a band of rows
            break
        after = Case(_without(case, found), case.expid, case.camera, case.wanted, case.given)
        rows(after)
        if found.name in after.bad_amplifiers:  # its rows have levels of their own
            break
        told.append(_told(case, found))
        case = Case(after.chain, case.expid, case.camera, case.wanted, case.given)
    return case.chain, told


def strongest(case: Case) -> Drift | None:
    """The drift that explains most; None if none is large."""
    chain = case.chain
    assert chain.sframe_ivar is not None and chain.disp is not None and case.level is not None
    sky = np.flatnonzero(case.is_sky & case.measured & ~case.known)
    if sky.size < LEAST_SKY:
        return None
    ivar = np.where(case.good[sky], chain.sframe_ivar[sky], 0.0)
    of = levels(case.flux[sky] - case.expected[sky], ivar, case.sigma, case.level, chain.wave)
    middle = np.minimum(np.arange(of.wave.size) * BIN + BIN // 2, chain.shape[1] - 1)
    weight = np.where(np.isfinite(of.error), np.where(np.isfinite(of.error), of.error, 1.0) ** 2, np.inf)
    weight = 1 / (weight + (NATURAL * of.sky) ** 2)
    best: Drift | None = None
    for disp in sorted({s.disp for s in chain.sections}):
        names = [s.name for s in chain.sections if s.disp == disp]
        inside = {n: case.areas[n][sky][:, middle] for n in names}
        both = np.logical_or.reduce(list(inside.values()))
        for name in names:  # bins across an edge are of neither
            part = case.areas[name][sky]
            both &= ~(part[:, middle - BIN // 2] ^ part[:, np.minimum(middle + BIN // 2, part.shape[1] - 1)])
        bins = SkyBins(of.value, np.where(both, weight, 0.0), chain.disp[sky][:, middle].astype(float), of.wave, of.sky)
        found = sorted((_of_amplifier(case, n, bins, inside[n]) for n in names), key=lambda one: one.gain)
        if len(found) < 2 or not found[-1].drifts or found[-1].gain - found[-2].gain < EITHER:
            continue
        if best is None or found[-1].gain > best.gain:
            best = found[-1]
    return best


def _of_amplifier(case: Case, name: str, bins: SkyBins, inside: Array) -> Drift:
    """The drift of one amplifier by the sky fibers."""
    nothing = Drift(name, np.zeros(0), 0.0, 0.0, False)
    section = next(s for s in case.chain.sections if s.name == name)
    knots = np.linspace(*section.disp, max(int((section.disp[1] - section.disp[0]) / KNOT), 2) + 1)
    if inside.sum() < 2 * knots.size or min(inside.any(axis=1).sum(), (~inside).all(axis=1).sum()) < LEAST_SKY // 2:
        return nothing
    by_row = hats(bins.row, knots) * inside[..., None]
    same, by_wave = inside[..., None].astype(float), np.eye(bins.at.size)[None] * inside[..., None]
    weight = bins.weight.copy()
    if _fit(bins, same, weight)[1] - _fit(bins, by_row, weight)[1] < LARGE - EITHER:
        return nothing
    own = np.eye(inside.shape[0])[:, None, :] * bins.sky[:, None]  # fibers may keep a part of the sky, as by a gradient
    with_own = [np.concatenate([shapes, own], axis=2) for shapes in (by_row, same, by_wave)]
    for _ in range(ROUNDS):
        rest = _fit(bins, with_own[0], weight)[2]
        weight = np.where(np.abs(rest.reshape(weight.shape)) < CLIP, bins.weight, 0.0)
    misfit, none, waves = (_fit(bins, shapes, weight)[1] for shapes in with_own)
    coefficients = _fit(bins, by_row, weight)[0]  # else a level of all rows is as well a part of the sky
    gain, free = none - misfit, float(np.count_nonzero(weight))
    odd = misfit - free > LEFT * gain + CHANCE * float(np.sqrt(2 * free))
    assert case.chain.disp is not None
    area = case.areas[name]
    level = np.interp(case.chain.disp, knots, coefficients[: knots.size]) * area
    drifts = gain > LARGE and misfit < waves - ROWS and not odd
    return Drift(name, level.astype(np.float32), float(np.std(level[area])), gain, drifts)


def hats(row: Array, knots: Array) -> Array:
    """Straight lines between knots: the part of each knot at a row, shape (..., nknot)."""
    at = np.clip((row - knots[0]) / (knots[1] - knots[0]), 0, knots.size - 1)
    return np.asarray(np.maximum(1 - np.abs(at[..., None] - np.arange(knots.size)), 0.0))


def _fit(bins: SkyBins, shapes: Array, weight: Array) -> tuple[Array, float, Array]:
    """Coefficients of shapes, what they leave of chi2, and in units of the noise."""
    scale = np.sqrt(weight).ravel()
    value = bins.beside(bins.value, weight) * scale
    design = bins.beside(shapes, weight) * scale[:, None]
    coefficients = np.linalg.lstsq(design, value, rcond=1e-6)[0]
    left = value - design @ coefficients
    all_bins = np.sqrt(bins.weight).ravel() / np.where(scale > 0, scale, 1.0)
    return coefficients, float(np.sum(left**2)), np.where(scale > 0, left * all_bins, np.inf)


def _without(case: Case, found: Drift) -> Chain:
    """The chain without the level of the rows, and with the sky model that its sky fibers then have."""
    chain, level = case.chain, found.level
    assert chain.sframe is not None and chain.sky is not None and chain.frame is not None and chain.flat is not None
    sframe = chain.sframe - level
    lacks = mean_of_sky(case, sframe)
    sframe = sframe - lacks
    change: dict[str, Any] = {
        "sframe": sframe.astype(chain.sframe.dtype), "sky": (chain.sky + lacks).astype(chain.sky.dtype),
        "frame": (chain.frame - level * chain.flat).astype(chain.frame.dtype),
    }  # fmt: skip
    change["cframe"] = others.calibrated(chain, sframe - chain.sframe)
    return replace(chain, **change)


def _told(case: Case, found: Drift) -> Finding:
    """The finding."""
    known, said = listed(case, found.name)
    fibers, span = area_of(case, case.areas[found.name])
    return Finding(
        case.expid, case.camera, "ccd-row", "preproc", fibers=fibers, wave_range=span, amplifier=found.name,
        amplitude=found.rms, unit=COUNTS, known=known, significance=float(np.sqrt(found.gain)), confidence=0.8,
        detail={"drift": True},
        text=f"The level of amplifier {found.name} drifts slowly along its rows by {found.rms:.1f} {E_PER_A} (fibers "
        f"{fibers[0]}-{fibers[-1]}), by its sky fibers{said}; the preproc image would tell for sure",
    )  # fmt: skip
