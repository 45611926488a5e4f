"""Are the spectra of a product right, as far as they tell by themselves?

What all fibers have in common after the sky was taken off is sky that was left, or a line of a target that fills the
field; what a run of them has is of the detector, of the sky over the field or a line of a target; a fiber below all
others lost more than the sky. All is compared with the errors of the file, and these with the scatter of pixels.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.medians import MAD_TO_SIGMA, MEDIAN_ERROR, median_along
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array
from ifuview.model.spectra.verdict import SpectraFault, SpectraFinding, SpectraVerdict

CHUNK = 32  # px over which a spectrum is smooth
LEAST_DATA = 0.1  # known share of a fiber that can be judged
LEAST_FIBERS = 20  # that tell what they have in common
FAINT = 5.0  # S/N of a pixel below which a fiber shows errors and sky
CERTAIN = 8.0  # sigma: there are many fibers and wavelengths
HUGE = 1e15  # times the noise: more is the same
DARK, DARKEST, LEAST_SPREAD = 0.1, 1e-3, 0.02  # of the others' light, the least that counts; least scatter of its logs
BRIGHT = 3.0  # S/N of a pixel with which a fiber without light is noticed
NOISIER, ERRORS_OFF = 2.0, 1.6  # times the errors: one fiber more than the others, all of them
LEFT, LEFT_WRONG = 0.5, 2.0  # noise of a pixel that all fibers have in common
RUN, LEAST_RUNS, RUN_DEVIATES = 20, 3, 2.0  # fibers, such runs, and noise of a pixel that one has in common
OF_SINGLE = "sky left in single fibers (a source may look alike)"
LOST, LOST_IN_ALL = 0.7, 0.9  # of a run of fibers, of all fibers: a column, or a wavelength that is left out
FACTS = (SpectraFault.EMPTY, SpectraFault.LOST)  # that the file says itself
BESIDE = 3  # px between places that are one


def judge_spectra(
    flux: Array, ivar: Array | None, wave: Array | None, *, about_zero: bool, ctx: JobContext = SILENT
) -> SpectraVerdict:
    """Judge the spectra of one product.

    Parameters
    ----------
    flux : ndarray, shape (nfiber, nwave)
    ivar : ndarray or None, same shape
        Inverse variance; 0 or NaN where nothing is known. None: there are no errors.
    wave : ndarray or None, shape (nwave,)
        Of what fibers have in common; None where they share no wavelengths.
    about_zero : bool
        The sky is taken off.
    """
    known = np.isfinite(flux) & (True if ivar is None else np.isfinite(ivar) & (ivar > 0))
    share = known.mean(axis=1)
    has = share > LEAST_DATA
    found = _empty(has) + _constant(flux, known, has)
    for finding in found:
        has[list(finding.fibers)] = False
    rows = np.flatnonzero(has)
    weight = None if ivar is None else ivar[rows]
    more, lacking = _of_light(flux[rows], weight, known[rows], rows, wave, about_zero, ctx)
    lost = [] if wave is None else _lost(known[rows], rows, wave)
    order = sorted((*found, *more, *lost), key=lambda one: (one.known, one.fault in FACTS, -one.significance))
    judged = float(share[rows].mean()) if rows.size else 0.0
    return SpectraVerdict(tuple(order), len(flux), int(rows.size), judged, lacking)


def _of_light(
    flux: Array, ivar: Array | None, known: Array, rows: Array, wave: Array | None, about_zero: bool, ctx: JobContext
) -> tuple[list[SpectraFinding], tuple[str, ...]]:
    """What light and errors of the fibers that have any tell, and what was not asked."""
    if ivar is None:
        return [], ("noise, levels and sky (there are no errors)",)
    if rows.size < LEAST_FIBERS:
        return [], (f"noise, levels and sky ({rows.size} fibers have data)",)
    ctx.checkpoint(0.2, "levels")
    with np.errstate(over="ignore", invalid="ignore"):
        noise = flux * np.sqrt(np.where(known, ivar, 0.0))
    z = np.where(known, np.clip(noise, -HUGE, HUGE), np.nan).astype(np.float32)
    level, rest = _levels(z)
    faint = np.abs(level) < FAINT
    enough = np.count_nonzero(faint) >= LEAST_FIBERS
    why = f"({np.count_nonzero(faint)} fibers are faint enough)"
    lacking = [] if enough else [f"noise and sky {why}" if about_zero else f"noise {why}"]
    ctx.checkpoint(0.6, "noise")
    found = _noise(rest, rows, faint) if enough else []
    if not about_zero:
        found += _dark(median_along(np.where(known, flux, np.nan)), level, rows)
        return found, (*lacking, "sky (it is in these spectra)")
    found += _below(level, known.sum(axis=1), rows)
    if wave is None:
        lacking.append("sky (each fiber has wavelengths of its own)")
    elif enough:
        ctx.checkpoint(0.8, "sky")
        found += _together(rest[faint], rows[faint], wave)
    return found, (*lacking, OF_SINGLE)


def _empty(has: NDArray[np.bool_]) -> list[SpectraFinding]:
    none = _numbers(np.flatnonzero(~has))
    return [SpectraFinding(SpectraFault.EMPTY, True, none, None, 0.0, np.inf)] if none else []


def _lost(known: NDArray[np.bool_], rows: Array, wave: Array) -> list[SpectraFinding]:
    """Wavelengths of which a run of fibers knows nothing, and others do; not at the ends, where spectra begin."""
    if len(rows) < RUN:
        return []
    lost = ~known
    sums = np.concatenate([np.zeros((1, lost.shape[1]), int), np.cumsum(lost, axis=0)])
    bad = sums[RUN:] - sums[:-RUN] >= LOST * RUN  # of the run that begins at each fiber
    some = lost.mean(axis=0) < LOST_IN_ALL
    out = []
    for first, last in runs(bad.any(axis=0) & some, BESIDE):
        if first == 0 or last == len(wave):
            continue
        begins = bad[:, first:last].any(axis=1)
        near = np.convolve(begins, np.ones(RUN, int))[: len(rows)] > 0
        fibers = _numbers(rows[near & lost[:, first:last].any(axis=1)])
        out.append(SpectraFinding(SpectraFault.LOST, True, fibers, _span(wave, first, last), 0.0, np.inf))
    return out


def _constant(flux: Array, known: Array, has: NDArray[np.bool_]) -> list[SpectraFinding]:
    """Fibers whose numbers have errors and are all the same."""
    low, high = np.where(known, flux, np.inf).min(axis=1), np.where(known, flux, -np.inf).max(axis=1)
    same = _numbers(np.flatnonzero(has & (low == high)))
    return [SpectraFinding(SpectraFault.CONSTANT, False, same, None, 0.0, np.inf)] if same else []


def _levels(z: Array) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """S/N of each fiber, and its spectrum without what is smooth, both in noise of a pixel."""
    nfiber, nwave = z.shape
    count = max(nwave // CHUNK, 1)
    width = nwave // count
    middle = median_along(z[:, : count * width].reshape(nfiber, count, width))
    level = median_along(middle)
    middle = np.where(np.isfinite(middle), middle, level[:, None])
    at, centers = np.arange(nwave), (np.arange(count) + 0.5) * width - 0.5
    smooth = np.stack([np.interp(at, centers, row) for row in middle])
    return level, (z - smooth).astype(np.float32)


def _noise(rest: Array, rows: Array, faint: NDArray[np.bool_]) -> list[SpectraFinding]:
    """Scatter from pixel to pixel against the errors: of all faint fibers, and of each against the others."""
    width = MAD_TO_SIGMA * median_along(np.abs(rest))
    usual = float(np.median(width[faint]))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(width[faint] - usual)))
    out = []
    if not 1 / ERRORS_OFF < usual < ERRORS_OFF:
        out.append(SpectraFinding(SpectraFault.ERRORS, usual < 1, (), None, usual, np.inf))
    error = max(spread, usual / np.sqrt(rest.shape[1]))
    odd = np.flatnonzero(faint & (width > NOISIER * usual) & (width - usual > CERTAIN * error))
    return out + [_of_fiber(SpectraFault.NOISY, int(rows[k]), width[k], (width[k] - usual) / error) for k in odd]


def _below(level: Array, count: Array, rows: Array) -> list[SpectraFinding]:
    """Fibers below all others; what is usual is told by the lower half, as sources are above."""
    middle = float(np.median(level))
    spread = _lower_spread(level - middle)
    sigma = (middle - level) / np.hypot(spread, MEDIAN_ERROR / np.sqrt(np.maximum(count, 1)))
    odd = np.flatnonzero((sigma > CERTAIN) & (level < 0))
    return [_of_fiber(SpectraFault.BELOW, int(rows[k]), level[k], sigma[k]) for k in odd]


def _dark(light: Array, level: Array, rows: Array) -> list[SpectraFinding]:
    """Fibers without light where all others have some: their parts of it scatter less by far."""
    middle = float(np.median(light))
    if not middle > 0 or float(np.median(level)) < BRIGHT:
        return []
    part = light / middle
    logs = np.log(np.maximum(part, DARKEST))
    sigma = -logs / max(_lower_spread(logs), LEAST_SPREAD)
    odd = np.flatnonzero((sigma > CERTAIN) & (part < DARK))
    return [_of_fiber(SpectraFault.DARK, int(rows[k]), level[k], sigma[k]) for k in odd]


def _lower_spread(off: Array) -> float:
    """Gaussian sigma of the lower half, as sources are in the upper one."""
    return MAD_TO_SIGMA * float(np.median(-off[off <= 0]))


def _of_fiber(fault: SpectraFault, row: int, amount: float, sigma: float) -> SpectraFinding:
    return SpectraFinding(fault, False, (row,), None, float(amount), float(sigma))


def _together(used: Array, rows: Array, wave: Array) -> list[SpectraFinding]:
    """Wavelengths at which faint fibers deviate together: all of them, or a run."""
    common, error = _common(used)
    out = []
    with np.errstate(invalid="ignore"):
        odd = (np.abs(common) > LEFT) & (np.abs(common) > CERTAIN * error)
    for first, last in runs(odd, BESIDE):
        at = first + int(np.nanargmax(np.abs(common[first:last])))
        amount, sigma = float(common[at]), float(abs(common[at]) / error[at])
        known = abs(amount) < LEFT_WRONG
        out.append(SpectraFinding(SpectraFault.SKY_LEFT, known, (), _span(wave, first, last), amount, sigma))
    return out + _of_runs(used - np.nan_to_num(common), rows, wave)


def _common(part: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median of each column and its error, in noise of a pixel; NaN where too little is known."""
    count = np.isfinite(part).sum(axis=0)
    middle = median_along(part.T)
    return np.where(count >= LEAST_FIBERS / 2, middle, np.nan), MEDIAN_ERROR / np.sqrt(np.maximum(count, 1))


def _of_runs(used: Array, rows: Array, wave: Array) -> list[SpectraFinding]:
    """What runs of fibers have in common and the others have not; those of one place are one."""
    count = len(rows) // RUN
    if count < LEAST_RUNS:
        return []
    cuts = np.linspace(0, len(rows), count + 1).astype(int)
    both = [_common(used[a:b]) for a, b in pairwise(cuts)]
    value, error = (np.array([one[n] for one in both]) for n in (0, 1))
    with np.errstate(invalid="ignore"):
        odd = (np.abs(value) > RUN_DEVIATES) & (np.abs(value) > CERTAIN * error)
    out = []
    for first, last in runs(odd.any(axis=0), BESIDE):
        for sign in (-1, 1):
            here = np.where(odd & (sign * value > 0), sign * value, 0.0)[:, first:last]
            parts = np.flatnonzero(here.any(axis=1))
            if parts.size:
                run, at = np.unravel_index(int(np.argmax(here)), here.shape)
                amount, sigma = float(sign * here[run, at]), float(here[run, at] / error[run, first + at])
                fibers = _numbers(np.concatenate([rows[cuts[k] : cuts[k + 1]] for k in parts]))
                span = _span(wave, first, last)
                out.append(SpectraFinding(SpectraFault.RUN, True, fibers, span, amount, sigma))
    return out


def _span(wave: Array, first: int, last: int) -> tuple[float, float]:
    return float(wave[first]), float(wave[last - 1])


def _numbers(rows: Array) -> tuple[int, ...]:
    return tuple(map(int, rows))
