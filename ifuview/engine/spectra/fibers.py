"""Spectra of all fibers of a detector from one exposure: joint extraction with cosmic rays, saturation and masks told.

First the joint extraction leaves out what lies off the profile, then tracks are followed to their ends and samples
that are sharper than light are found, then all is extracted again without them. A sample that has lost a part of its
light to masked pixels is still good, as the profile tells the rest; one that has lost most of it, or has a saturated
pixel in its core, is masked. Fibers beside a saturated one are less sure: its charge spills, its
wings are not measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from ifuview.engine.ccd.cosmics import cosmic_rays, spikes, warm_columns
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.boxcar import boxcar
from ifuview.engine.spectra.joint import JointSpectra, expected_light, extract_joint
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.engine.traces.slit.settle import lit_centers
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.reduction.ccd import UNUSABLE, CcdFrame, ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.trace import TraceSet

CLIP = 5.0  # sigma
CORE = 2.0  # px on each side of a trace within which a saturated pixel spoils the sample
LEAST_KNOWN = 0.5  # share of the profile's core that must be usable
MAX_CHI2 = 6.0  # of a sample, above which the profile does not describe the light
SPILT = 0.01, 0.005, 0.0025  # share of a saturated fiber's light that the next fibers, and those behind, may have
BRIGHT_CHI2 = 0.03  # share of the peak squared over the noise that chi2 may grow by: errors of the profile


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """Spectra and what they were made with.

    Parameters
    ----------
    spectra : FiberSpectra
        Electrons in a pixel of the dispersion, all light of a fiber.
    covariance : ndarray of float32, shape (nfiber, ncol)
        With the next fiber.
    model : ndarray of float32, shape (nrow, ncol), electrons
        Light of the fibers and the background.
    frame : CcdFrame
        The exposure, with COSMIC, and TRAP for warm columns, in its mask.
    """

    spectra: FiberSpectra
    covariance: NDArray[np.float32]
    model: NDArray[np.float32]
    frame: CcdFrame


def extract_fibers(
    frame: CcdFrame,
    traces: TraceSet,
    profile: FiberProfile,
    wave: Array | None = None,
    *,
    background: Array | None = None,
    cosmics: bool = True,
    threshold: float = CLIP,
    half_width: float = 0.0,
    medium: str = "air",
    ctx: JobContext = SILENT,
) -> Extraction:
    """Return the spectra of all fibers.

    Parameters
    ----------
    frame : CcdFrame
    traces : TraceSet
        Of the light of this exposure. Fibers without light stay as masked rows.
    profile : FiberProfile
        Of these fibers.
    wave : ndarray, shape (nfiber, ncol), Angstrom, optional
        Default: 0, not known yet.
    background : ndarray, shape (nrow, ncol), electrons, optional
        Scattered light.
    cosmics : bool
        Look for cosmic rays; else only pixels that lie off the profile are left out.
    threshold : float, sigma
        Above which a pixel is one.
    half_width : float, px
        Sum the pixels so far on both sides of a trace in place of the optimal weights; 0: do not. What the profile
        says of the light beside them, of neighbors and of masked pixels is set right.
    """
    center = lit_centers(traces)
    floor = floor_of(frame)
    usable = frame.usable()
    clip = threshold if cosmics else 0.0
    part = ctx.part(0, 0.5 if cosmics else 1)
    found = extract_joint(
        frame.data, floor, center, profile, mask=~usable, background=background, clip=clip, final=not cosmics, ctx=part
    )
    if cosmics:
        hit = cosmic_rays(frame.data, found.model, floor, usable, usable & ~found.used, threshold)
        hit |= _spiked(found, center, frame.data, usable)
        mask = np.array(frame.mask)
        warm = warm_columns(hit)
        mask[hit & ~warm] |= np.uint32(ReductionBit.COSMIC)
        mask[warm] |= np.uint32(ReductionBit.TRAP)
        light = expected_light(found, _touched(hit, center))
        frame, left_out = CcdFrame(frame.data, frame.variance, mask), usable & ~found.used
        del hit, warm, mask, found
        found = extract_joint(
            frame.data, floor, center, profile, mask=~frame.usable() | left_out, background=background, light=light,
            ctx=ctx.part(0.5, 1),
        )  # fmt: skip
    if half_width > 0:
        found = _summed(found, frame, center, half_width, np.asarray(traces.sigma))
    nothing = np.zeros(found.flux.shape) if wave is None else wave
    known = np.isfinite(found.flux) & np.isfinite(found.variance)
    samples = _sample_mask(found, frame, traces, known)
    variance = np.where(known, found.variance + _spilt(samples, frame.data, center) ** 2, 0)
    spectra = FiberSpectra(
        flux=np.where(known, found.flux, 0), variance=variance, mask=samples, wave=nothing, medium=medium,
        chi2=found.chi2,
    )  # fmt: skip
    return Extraction(spectra, found.covariance, found.model, frame)


def _summed(found: JointSpectra, frame: CcdFrame, center: Array, half_width: float, sigma: Array) -> JointSpectra:
    """The joint spectra with what a sum over pixels has beyond their model, for all light, and the errors of that."""
    usable = frame.usable()
    rest = np.where(usable, frame.data - found.model, 0).astype(np.float32)
    more, variance = boxcar(rest, center, half_width, variance=np.where(usable, frame.variance, 0).astype(np.float32))
    assert variance is not None
    share = np.nan_to_num(erf(half_width / (np.sqrt(2.0) * sigma)), nan=1.0).astype(np.float32)  # inside, of a fiber's
    known = np.where(variance > 0, variance / share**2, np.float32(np.inf))
    return replace(found, flux=found.flux + more / share, variance=known)


def _spilt(mask: Array, data: Array, center: Array) -> NDArray[np.float32]:
    """What fibers near saturated ones may have of their light, (nfiber, ncol) electrons."""
    full = (mask & np.uint32(ReductionBit.SATURATED)) > 0
    out = np.zeros(mask.shape, np.float32)
    if not full.any():
        return out
    row = np.clip(np.floor(np.nan_to_num(center)).astype(np.intp), 0, data.shape[0] - 2)
    column = np.arange(mask.shape[1])[None]
    light = np.where(full, 2 * (data[row, column] + data[row + 1, column]), 0).astype(np.float32)
    for away, share in enumerate(SPILT, 1):
        for here, there in ((out[away:], light[:-away]), (out[:-away], light[away:])):
            np.maximum(here, np.float32(share) * there, out=here)
    return out


def floor_of(frame: CcdFrame) -> NDArray[np.float32]:
    """Variance of the pixels of a frame without the noise of their light."""
    floor = np.maximum(frame.data, 0)
    np.subtract(frame.variance, floor, out=floor)
    return np.maximum(floor, np.float32(1e-6), out=floor)


def _touched(hit: Array, center: Array) -> NDArray[np.bool_]:
    """Samples that have a hit pixel within the core of their fiber, (nfiber, ncol)."""
    row = np.floor(np.nan_to_num(center, nan=-9.0)).astype(np.intp)
    column = np.arange(hit.shape[1])[None]
    out = np.zeros(center.shape, np.bool_)
    for step in range(-1, 3):
        at = row + step
        inside = (at >= 0) & (at < hit.shape[0])
        out |= inside & hit[np.where(inside, at, 0), column]
    return out


def _spiked(found: JointSpectra, center: Array, data: Array, usable: Array) -> NDArray[np.bool_]:
    """Pixels of the samples that are sharper than light, where they lie above what stands beside them."""
    out = np.zeros(data.shape, np.bool_)
    known = np.isfinite(found.flux) & np.isfinite(found.variance)
    fiber, column = np.nonzero(spikes(np.where(known, found.flux, 0), found.variance, known))
    for k, x in zip(fiber, column, strict=True):
        low = max(0, int(np.floor(center[k, x] - CORE)))
        rows = np.arange(low, min(data.shape[0], int(np.ceil(center[k, x] + CORE)) + 1))
        beside = np.maximum(data[rows, x - 2], data[rows, min(x + 2, data.shape[1] - 1)])
        out[rows, x] |= usable[rows, x] & (data[rows, x] > beside)
    return out


def _sample_mask(found: JointSpectra, frame: CcdFrame, traces: TraceSet, known: Array) -> NDArray[np.uint32]:
    """Bits of the samples, from those of the pixels in the core of each fiber and from the fit."""
    nrow, ncol = frame.shape
    mask = np.zeros(found.flux.shape, np.uint32)
    column = np.broadcast_to(np.arange(ncol), mask.shape)
    unusable = ~frame.usable()
    lost = np.zeros(mask.shape, np.float32)
    bits = np.zeros(mask.shape, np.uint32)
    first = np.floor(np.nan_to_num(traces.center, nan=-9.0)).astype(np.intp)
    for step in range(-1, 3):  # the four pixels that hold most of the light
        row = first + step
        inside = (row >= 0) & (row < nrow)
        at = np.where(inside, row, 0)
        share = np.float32(1 / 3 if step in (0, 1) else 1 / 6)
        bad = np.where(inside, unusable[at, column], True)
        lost += share * bad
        pixel = np.where(inside, frame.mask[at, column], np.uint32(ReductionBit.EDGE))
        bits |= np.where(bad, pixel & np.uint32(UNUSABLE), 0).astype(np.uint32)
        mask |= (pixel & np.uint32(ReductionBit.SATURATED | ReductionBit.AMPLIFIER)).astype(np.uint32)
        mask |= (pixel & np.uint32(ReductionBit.LOW_QE)).astype(np.uint32)
    mask |= np.where(lost > LEAST_KNOWN, bits, 0).astype(np.uint32)
    peak = np.maximum(np.where(known, found.flux, 0), 0) / 4
    allowed = MAX_CHI2 + BRIGHT_CHI2**2 * peak**2 / np.maximum(np.where(known, found.variance, 1), 1)
    with np.errstate(invalid="ignore"):
        mask[known & (found.chi2 > allowed)] |= np.uint32(ReductionBit.CHI2)
    mask[~known] |= np.uint32(ReductionBit.NO_DATA)
    status = np.zeros(traces.nfiber, np.uint32) if traces.status is None else np.asarray(traces.status)
    dark = (status & np.uint32(TraceBit.DEAD | TraceBit.LOST)) > 0
    mask[dark] |= np.uint32(ReductionBit.DEAD_FIBER)
    return mask
