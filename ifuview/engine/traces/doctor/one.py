"""The doctor's answer on one fiber: measured in a band of the image with its neighbors, or taken from a diagnosis.

The band is measured and judged by the same functions and limits as a whole image. What the neighbors share counts as a
shared pattern; what only the whole slit can tell (a shifted index, a drift over the detector) needs a diagnosis of
the image, from which `fiber_quality` takes the same answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.traces.doctor.diagnose import judge
from ifuview.engine.traces.doctor.fibers import mean_offset
from ifuview.engine.traces.doctor.gather import Evidence, gather
from ifuview.engine.traces.doctor.patterns.left import chi2_deviate
from ifuview.engine.traces.light.measure import at_columns
from ifuview.engine.traces.light.slots import typical
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.inspection import TraceQuality
from ifuview.model.orientation import CANONICAL, AxisWords
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import ROW, DoctorLimits, Mode, Problem, TraceDiagnosis
from ifuview.model.traces.findings import fiber_words
from ifuview.model.verdict import Verdict

NEIGHBORS = 5  # fibers on each side that are measured along
BINS = 32  # along dispersion: half as many as of an image, for fainter light
MARGIN = 9  # rows of the band beyond the outermost trace
WORST = (Verdict.PASS, Verdict.WARN, Verdict.FAIL)
NO_PARTS = ("single fiber",)  # of a diagnosis: correlation, impact and the like are of the whole image


def neighborhood(traces: TraceSet, row: int) -> NDArray[np.intp]:
    """Rows of the fiber and its neighbors on the detector, in their order across it; none without a trace of it."""
    place = typical(traces.center)
    order = np.argsort(place, kind="stable")[: int(np.isfinite(place).sum())]
    at = np.flatnonzero(order == row)
    if not at.size:
        return np.zeros(0, np.intp)
    count = min(2 * NEIGHBORS + 1, order.size)
    first = min(max(int(at[0]) - NEIGHBORS, 0), order.size - count)
    return order[first : first + count]


def band_rows(traces: TraceSet, row: int, nrow: int) -> tuple[int, int]:
    """Return the rows r0..r1-1 of the image that the measurement of trace `row` needs."""
    fibers = neighborhood(traces, row)
    if not fibers.size:
        return 0, min(nrow, 2 * MARGIN)
    center = traces.center[fibers]
    r0 = int(np.floor(np.nanmin(center))) - MARGIN
    r1 = int(np.ceil(np.nanmax(center))) + MARGIN + 1
    r0 = min(max(r0, 0), max(nrow - 2 * MARGIN, 0))
    return r0, max(min(r1, nrow), min(r0 + 2 * MARGIN, nrow))


class Band(NamedTuple):
    """Some rows of a canonical image, and what is known of its noise.

    Parameters
    ----------
    data : ndarray of float32, shape (nrow, ncol)
        Rows row0..row0+nrow-1; `band_rows` says which are needed.
    row0 : int
    ivar, mask : ndarray, shape (nrow, ncol), or None
        Pixels with ivar <= 0 or any mask bit are not used.
    gain, readnoise : float or None
        Electrons per unit and electrons. With both the noise is modeled; else it is measured from `ivar`, else from
        the residuals of the fit.
    axes : AxisWords
        How places are called in sentences.
    """

    data: Array
    row0: int = 0
    ivar: Array | None = None
    mask: Array | None = None
    gain: float | None = None
    readnoise: float | None = None
    axes: AxisWords = CANONICAL


def look_at(band: Band, traces: TraceSet, row: int, ctx: JobContext = SILENT) -> Evidence:
    """Measure a fiber and its neighbors in a band of the image.

    Parameters
    ----------
    band : Band
    traces : TraceSet
        Of the whole image; those of the evidence are the `neighborhood`, in rows of the band.
    row : int
        Row of the fiber in `traces`.

    Raises
    ------
    FitError
        The fiber has no trace, or the band no usable pixels.
    """
    rows = neighborhood(traces, row)
    if not rows.size:
        raise FitError("the fiber has no trace")
    bad = _of_others(traces, rows, band.row0, band.data.shape)
    if band.mask is not None:
        bad |= band.mask != 0
    rows = np.sort(rows)  # the order of the file, which tells of swapped traces
    some = replace(
        traces, fiber=traces.fiber[rows], fiber_id=tuple(traces.fiber_id[k] for k in rows),
        center=traces.center[rows] - band.row0, valid=np.asarray(traces.valid)[rows],
        sigma=None if traces.sigma is None else traces.sigma[rows],
        wave=None if traces.wave is None else traces.wave[rows], error=None, status=None, coeff=None, domain=None,
        basis="sampled", argument="column",
    )  # fmt: skip
    return gather(
        band.data, some, ivar=band.ivar, mask=bad, gain=band.gain, readnoise=band.readnoise, bins=BINS,
        axes=band.axes, ctx=ctx,
    )  # fmt: skip


def _of_others(traces: TraceSet, rows: Array, row0: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels of the band that are nearer to the trace of a fiber outside of the neighborhood."""
    place = typical(traces.center)
    out = np.zeros(shape, bool)
    pixel = np.arange(row0, row0 + shape[0])[:, None]
    with np.errstate(invalid="ignore"):
        for outer, beyond in ((rows[0], place < np.nanmin(place[rows])), (rows[-1], place > np.nanmax(place[rows]))):
            if not beyond.any():
                continue
            near = int(np.flatnonzero(beyond)[np.argmin(np.abs(place[beyond] - place[outer]))])
            middle = (traces.center[outer] + traces.center[near]) / 2
            out |= pixel < middle if place[near] < place[outer] else pixel > middle
    return out


def quality_of(seen: Evidence, name: str, limits: DoctorLimits) -> TraceQuality:
    """Judge what `look_at` measured and return the answer on the fiber of this name."""
    try:
        found = judge(seen, limits, only=NO_PARTS)
    except FitError as problem:
        return not_measured(name, seen.fit.column, problem.what)
    return fiber_quality(found, found.fiber_id.index(name), seen.fit.noise.source)


def not_measured(name: str, column: Array, why: str) -> TraceQuality:
    """The answer on a fiber of which nothing could be measured."""
    none = np.full(column.size, np.nan)
    nan = float("nan")
    return TraceQuality(
        name, column, none, none, none, none, none, none, none, none, none, nan, nan, nan, 0, nan, nan,
        Verdict.NOT_MEASURED, f"not measured: {why}",
    )  # fmt: skip


def fiber_quality(found: TraceDiagnosis, row: int, noise: str = "") -> TraceQuality:
    """Return what a diagnosis says about one fiber.

    Parameters
    ----------
    found : TraceDiagnosis
    row : int
    noise : str
        Where the errors come from; named when they were measured from the data.
    """
    offset, err = found.offset[row], found.offset_err[row]
    mean, mean_err, count = mean_offset(offset, err)
    known = np.isfinite(offset) & np.isfinite(err)
    chi2 = float(np.sum(((offset - mean) / err)[known] ** 2)) if count else float("nan")
    dof = max(count - 1, 0)
    verdict, text = _words(found, row, mean, mean_err)
    if "data" in noise and verdict is not Verdict.NOT_MEASURED:
        text += " (noise measured from the data)"
    below, above = _spacing(found, row)
    return TraceQuality(
        fiber_id=found.name(row), column=found.column, offset=offset, offset_err=err, sigma=found.width[row],
        sigma_err=found.width_err[row], flux=found.flux[row], flux_err=found.flux_err[row], chi2=found.chi2[row],
        spacing_below=below, spacing_above=above, mean_offset=mean, mean_offset_err=mean_err, shape_chi2=chi2,
        shape_dof=dof, significance=max(abs(mean) / mean_err, chi2_deviate(chi2, dof)) if count else float("nan"),
        floor=float(np.median(err[known])) if count else float("nan"), verdict=verdict, text=text,
    )  # fmt: skip


def _words(found: TraceDiagnosis, row: int, mean: float, err: float) -> tuple[Verdict, str]:
    """Verdict on one fiber and why: its own problems, then what it shares with others."""
    limits = found.limits
    own = [p for p in found.problems if p.fiber == row]
    shared = [m for m in found.found_modes if row in m.fibers]
    with np.errstate(invalid="ignore"):
        size = float(np.nanmax(np.where(np.isfinite(found.offset[row]), np.abs(found.model[row]), 0), initial=0))
    level = Verdict.FAIL if size > limits.mode_fail_px else Verdict.WARN if size > limits.mode_warn_px else Verdict.PASS
    if shared and level is not Verdict.PASS:
        worst = max((level, *(p.verdict for p in own)), key=WORST.index)
        return worst, "; ".join((_shared(shared, size, mean, err, found.axes), *(_own(p) for p in own)))
    if own:
        return max((p.verdict for p in own), key=WORST.index), "; ".join(_own(p) for p in own)
    if not np.isfinite(mean):
        with np.errstate(invalid="ignore", divide="ignore"):
            signal = found.flux[row] / found.flux_err[row]
        signal = signal[np.isfinite(signal) & (found.flux_err[row] > 0)]
        why = f"too faint, S/N {max(float(np.median(signal)), 0):.1f} per bin" if signal.size else "no usable pixels"
        return Verdict.NOT_MEASURED, f"not measured: {why}"
    filed = found.axes.offset(mean)
    if limits.fiber_sigmas * err > limits.offset_px:
        return Verdict.NOT_MEASURED, f"not measured: too faint for a verdict, mean offset {filed:+.2f} ± {err:.2f} px"
    return Verdict.PASS, f"trace is right: mean offset {filed:+.3f} ± {err:.3f} px ({abs(mean) / err:.1f} sigma)"


def _shared(modes: list[Mode], size: float, mean: float, err: float, axes: AxisWords) -> str:
    """A pattern that other fibers have too."""
    names = ", ".join(dict.fromkeys(m.name.replace("_", " ") for m in modes))
    return (
        f"trace is up to {size:.2f} px off like its neighbors' ({names}), {abs(mean):.2f} px in the mean "
        f"({abs(mean) / err:.0f} sigma): the light lies at {axes.side(mean)}"
    )


def _own(problem: Problem) -> str:
    """A problem of the fiber itself, without its name in front."""
    name = problem.fiber_id.split(ROW)[0]
    return problem.text.removeprefix(f"{fiber_words(problem.fiber_id)}: ").removeprefix(f"{fiber_words(name)}: ")


def _spacing(found: TraceDiagnosis, row: int) -> tuple[Array, Array]:
    """Measured distances to the fibers below and above in each bin, NaN at the ends."""
    none = np.full(found.column.size, np.nan)
    if found.given is None:
        return none, none
    at = at_columns(found.given.center, found.column) + found.offset
    place = typical(at)
    order = np.argsort(place, kind="stable")
    order = order[np.isfinite(place[order])]
    k = np.flatnonzero(order == row)
    if not k.size:
        return none, none
    i = int(k[0])
    below = at[row] - at[order[i - 1]] if i > 0 else none
    return below, at[order[i + 1]] - at[row] if i + 1 < order.size else none
