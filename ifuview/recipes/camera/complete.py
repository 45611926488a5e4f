"""An amplifier that the twilight lacks, taken from other light: a lamp flat, or the sky of the night's exposures.

Traces need any light of the fibers. Their response needs light that is the same in all fibers: a lamp flat gives it
within an amplifier, and its level against the others is that of the median fiber. The sky about a target does not; the
lines of the arcs do, for each fiber as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.flat.common import common_spectrum
from ifuview.engine.spectra.flat.fibers import LOW, FiberResponse
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.night.raw import RawExposure
from ifuview.model.quality import TraceBit
from ifuview.model.reduction.ccd import UNUSABLE, CcdFrame, ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.trace import TraceSet
from ifuview.recipes.camera.read import combined
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import DetectorFrame, TracedFibers

FLATS, SKIES = "lamp flats", "exposures of the sky"
LEAST_SKY = 3.0  # electrons, of the brightest quarter of an amplifier that can be traced
LINE, BESIDE = 5, 12  # px on each side of an arc's line that have its light, and that tell what is below it
EVEN = 0.01  # share by which lamps may light fibers differently
BEYOND = np.uint32(  # a profile that is another amplifier's may not describe a line: its sum is right all the same
    UNUSABLE & ~(ReductionBit.CHI2 | ReductionBit.COSMIC | ReductionBit.FIBER | ReductionBit.COLUMN)
)
Reader = Callable[[Sequence[RawExposure]], Sequence[DetectorFrame]]


def kinds_of(
    setup: CameraSetup, flats: Sequence[RawExposure] | None, skies: Sequence[RawExposure] | None
) -> tuple[tuple[str, Sequence[RawExposure]], ...]:
    """The light that there is beside twilights, the best first; skies with a target where there are no others."""
    free = [one for one in skies or () if one.target and setup.camera not in one.target]
    return (FLATS, flats or ()), (SKIES, free), (SKIES, skies or ())


def completed(
    setup: CameraSetup, made: DetectorFrame, kinds: Sequence[tuple[str, Sequence[RawExposure]]], read: Reader
) -> DetectorFrame:
    """The frame with amplifiers that have no light of its own from the first kind of exposures that lights them."""
    ny = setup.shape[0]
    for what, exposures in kinds:
        dark = [n for n in range(len(setup.amplifiers)) if not _lit(made.frame, n, ny)]
        if not dark:
            break
        found = read(exposures) if exposures else ()
        if not found:
            continue
        other = combined(found, what, scale=True)
        light = list(made.light or [""] * len(setup.amplifiers))
        data, variance, mask = (np.array(v) for v in (made.frame.data, made.frame.variance, made.frame.mask))
        reads, notes = list(made.reads), list(made.notes)
        for n in dark:
            if not _lit(other.frame, n, ny):
                continue
            rows = slice(n * ny, (n + 1) * ny)
            data[rows], variance[rows], mask[rows] = (
                other.frame.data[rows], other.frame.variance[rows], other.frame.mask[rows],
            )  # fmt: skip
            reads[n], light[n] = other.reads[n], what
            notes.append(f"{setup.camera}: amplifier {setup.amplifiers[n]} is that of {other.what}.")
        made = replace(
            made, frame=CcdFrame(data, variance, mask), reads=tuple(reads), light=tuple(light), notes=tuple(notes)
        )
    return made


def _lit(frame: CcdFrame, number: int, ny: int) -> bool:
    """Whether an amplifier has light that can be traced."""
    rows = slice(number * ny, (number + 1) * ny)
    good = frame.usable()[rows]
    return bool(good.any()) and float(np.percentile(frame.data[rows][good], 75)) > LEAST_SKY


def traced_each(setup: CameraSetup, flat: DetectorFrame, traced: Callable[[Array], TracedFibers]) -> TracedFibers:
    """Traces of all amplifiers; those that much fainter light has are searched for alone, and have the usual width."""
    usable, faint = flat.frame.usable(), _faint(flat)
    if not faint.any():
        return traced(usable)
    ny = setup.shape[0]
    rows = np.repeat(faint, ny)[:, None]
    found = traced(usable & ~rows)
    fibers = faint[setup.block]
    try:
        other = traced(usable & rows)
    except FitError:
        return found
    bright, dim = found.traces, other.traces
    merged = {
        name: np.where(fibers if np.ndim(one) == 1 else fibers[:, None], getattr(dim, name), one)
        for name in ("center", "sigma", "valid", "error", "coeff", "rms", "status")
        if (one := getattr(bright, name)) is not None
    }
    known = ~fibers & (np.asarray(bright.status) == 0)
    if known.any():
        merged["sigma"][fibers] = np.median(np.asarray(bright.sigma)[known], axis=0)
    light = np.where(rows, other.scattered, found.scattered).astype(np.float32)
    return TracedFibers(replace(bright, **merged), light, found.share)


def without_faint(setup: CameraSetup, flat: DetectorFrame, traces: TraceSet) -> TraceSet:
    """The traces without those whose light is too faint to tell a profile: they get that of others."""
    fibers = _faint(flat)[setup.block]
    if not fibers.any():
        return traces
    status = np.array(traces.status, np.uint32)
    status[fibers] |= np.uint32(TraceBit.LOST)
    return replace(traces, status=status)


def _faint(flat: DetectorFrame) -> Array:
    """Amplifiers that only the sky lights."""
    return np.array([one == SKIES for one in flat.light or [""] * len(flat.reads)])


def alike(setup: CameraSetup, spectra: FiberSpectra, flat: DetectorFrame) -> FiberSpectra:
    """Spectra of lamp flats as those of the twilight would be: their shared spectrum for that one; none of the sky."""
    if not flat.light:
        return spectra
    own = np.array(flat.light)[setup.block]
    flux, variance, mask = np.array(spectra.flux), np.array(spectra.variance), np.array(spectra.mask)
    mask[own == SKIES] |= np.uint32(ReductionBit.NO_DATA)
    rows = own == FLATS
    if rows.any():
        wave = spectra.wave[rows]
        factor = _common(spectra, own == "", wave) / np.maximum(_common(spectra, rows, wave), 1e-3)
        flux[rows] *= factor
        variance[rows] *= factor**2
    return replace(spectra, flux=flux, variance=variance, mask=mask)


def only_twilight(setup: CameraSetup, spectra: FiberSpectra, flat: DetectorFrame) -> FiberSpectra:
    """Spectra without those of amplifiers that are not lit as the others are."""
    other = np.array(flat.light or [""] * len(flat.reads))[setup.block] != ""
    return replace(spectra, mask=spectra.mask | np.where(other[:, None], np.uint32(ReductionBit.NO_DATA), np.uint32(0)))


def _common(spectra: FiberSpectra, rows: Array, wave: Array) -> NDArray[np.float64]:
    """The spectrum that some fibers share at some wavelengths, each brought to the level of the median fiber first."""
    usable = spectra.usable()[rows] & np.isfinite(spectra.wave[rows]) & (spectra.variance[rows] > 0)
    flux, variance = spectra.flux[rows], np.where(usable, spectra.variance[rows], 1)
    level = np.array([np.median(f[u]) if u.any() else np.nan for f, u in zip(flux, usable, strict=True)])
    share = np.where(level > 0, level / np.nanmedian(level), np.nan)[:, None]
    good = usable & np.isfinite(share)
    weight = np.where(good, np.nan_to_num(share) ** 2 / variance, 0)
    return common_spectrum(spectra.wave[rows], np.where(good, flux / share, 0), weight).at(np.nan_to_num(wave))


def from_arcs(
    setup: CameraSetup, fibers: FiberResponse, flat: DetectorFrame, arcs: FiberSpectra, wave: WaveSolution
) -> FiberResponse:
    """The response with that of fibers whose light was the sky's: from the lines of arcs, one number each."""
    rows = _faint(flat)[setup.block]
    known = ~rows & np.isfinite(fibers.error).any(axis=1)
    if not rows.any() or not known.any():
        return fibers
    light = np.stack([_line(arcs, center) for center in wave.center.T], axis=1)  # NaN: not seen
    at = np.clip(np.nan_to_num(np.rint(wave.center)), 0, arcs.flux.shape[1] - 1).astype(np.intp)
    even = np.where(known[:, None], light / np.take_along_axis(fibers.flat, at, axis=1), np.nan)
    with np.errstate(all="ignore"), catch_warnings():
        simplefilter("ignore", RuntimeWarning)  # a fiber without lines has no median
        level = np.nanmedian(light / np.nanmedian(even, axis=0), axis=1)
    found = rows & np.isfinite(level) & (level > 0)
    response, error, mask = np.array(fibers.flat), np.array(fibers.error), np.array(fibers.mask)
    response[found], error[found] = level[found, None], EVEN
    mask[found] = np.where(level[found, None] < LOW, np.uint32(ReductionBit.LOW_FIBER), np.uint32(0))
    return replace(fibers, flat=response, error=error, mask=mask)


def _line(arcs: FiberSpectra, center: Array) -> NDArray[np.float64]:
    """Light of a line in each fiber above what lies beside it; NaN where it is not seen whole."""
    offset = np.arange(-BESIDE, BESIDE + 1)
    column = np.nan_to_num(np.rint(center)).astype(np.intp)[:, None] + offset
    inside = np.clip(column, 0, arcs.flux.shape[1] - 1)
    flux = np.take_along_axis(arcs.flux, inside, axis=1).astype(np.float64)
    told = ((arcs.mask & BEYOND) == 0) & (arcs.variance > 0) & np.isfinite(arcs.flux)
    fine = np.take_along_axis(told, inside, axis=1) & (column == inside)
    near = np.abs(offset) <= LINE
    below = np.median(flux[:, ~near], axis=1)
    whole = np.isfinite(center) & fine[:, near].all(axis=1)
    return np.where(whole, flux[:, near].sum(axis=1) - below * near.sum(), np.nan)
