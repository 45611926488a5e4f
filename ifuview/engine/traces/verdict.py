"""The verdict on one trace: measured offsets against limits in px and against their own errors, in words."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.inspection import Verdict

MOST = 0.8  # share of the bins that must be off to say that all are


@dataclass(frozen=True, slots=True)
class VerdictLimits:
    """What makes a trace doubtful or bad.

    Parameters
    ----------
    warn_px, fail_px : float, px
        Offsets below `warn_px` never matter: at 0.1 px an optimal extraction loses 0.2 % of the light.
    sigmas : float
        An offset must differ from zero by this many of its errors.
    dead_flux : float
        A fiber with less than this share of its neighbors' median flux (by `sigmas`) has no light.
    faint : float
        Signal-to-noise ratio of a bin's flux below which there is nothing to measure.
    """

    warn_px: float = 0.05
    fail_px: float = 0.1
    sigmas: float = 5.0
    dead_flux: float = 0.05
    faint: float = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Numbers and words of a verdict."""

    verdict: Verdict
    text: str
    mean: float = float("nan")
    mean_err: float = float("nan")
    shape_chi2: float = float("nan")
    shape_dof: int = 0
    significance: float = float("nan")


def judge(
    column: Array,
    offset: Array,
    err: Array,
    flux: Array,
    flux_err: Array,
    k: int,
    crossing: str,
    limits: VerdictLimits,
    noise: str = "",
) -> Finding:
    """Return the verdict on fiber `k` of a group.

    Parameters
    ----------
    column, offset, err : ndarray, shape (nbin,), px
    flux, flux_err : ndarray, shape (nfiber, nbin)
    crossing : str
        Id of a fiber whose trace this one meets, "" if none.
    noise : str
        Where the errors come from; named in the text when they were measured from the data.
    """
    measured = np.isfinite(offset) & np.isfinite(err) & (err > 0)
    dead = _is_dead(flux, flux_err, k, limits)
    if crossing:
        note = _numbers(offset[measured], err[measured]) if measured.any() else Finding(Verdict.FAIL, "")
        return _named(note, Verdict.FAIL, f"trace lies on or crosses that of fiber {crossing}: swapped or merged")
    if dead:
        share = np.nanmedian(flux[k]) / np.nanmedian(np.delete(flux, k, axis=0))
        return Finding(
            Verdict.FAIL, f"no light on this trace ({100 * share:.1f} % of its neighbors): dead fiber or lost trace"
        )
    if not measured.any():
        signal = np.nanmedian(flux[k] / flux_err[k]) if np.isfinite(flux_err[k]).any() else float("nan")
        why = "no usable pixels" if not np.isfinite(signal) else f"too faint, S/N {max(signal, 0):.1f} per bin"
        return Finding(Verdict.NOT_MEASURED, f"not measured: {why}")
    found = _numbers(offset[measured], err[measured])
    text, verdict = _words(column, offset, err, measured, found, limits)
    lost = _lost_range(column, flux, flux_err, k, measured, limits)
    if lost:
        verdict, text = Verdict.FAIL, f"{text}; {lost}"
    if "data" in noise:
        text += " (noise measured from the data)"
    return _named(found, verdict, text)


def _named(found: Finding, verdict: Verdict, text: str) -> Finding:
    return Finding(verdict, text, found.mean, found.mean_err, found.shape_chi2, found.shape_dof, found.significance)


def _numbers(offset: Array, err: Array) -> Finding:
    """Weighted mean, chi2 about it and the significance of both."""
    weight = err**-2.0
    mean = float(np.sum(weight * offset) / np.sum(weight))
    mean_err = float(np.sum(weight) ** -0.5)
    chi2 = float(np.sum(weight * (offset - mean) ** 2))
    dof = offset.size - 1
    significance = max(abs(mean) / mean_err, chi2_deviate(chi2, dof))
    return Finding(Verdict.PASS, "", mean, mean_err, chi2, dof, significance)


def _words(
    column: Array, offset: Array, err: Array, measured: Array, found: Finding, limits: VerdictLimits
) -> tuple[str, Verdict]:
    """The verdict on the measured bins and its sentence."""
    size, pull = np.where(measured, np.abs(offset), 0), np.zeros(offset.size)
    pull[measured] = size[measured] / err[measured]
    for verdict, limit in ((Verdict.FAIL, limits.fail_px), (Verdict.WARN, limits.warn_px)):
        wrong = (size > limit) & (pull > limits.sigmas)
        everywhere = abs(found.mean) > limit and abs(found.mean) > limits.sigmas * found.mean_err
        if everywhere and (wrong.sum() > MOST * measured.sum() or not wrong.any()):
            return _off_everywhere(found, verdict), verdict
        run = _longest_run(wrong | ~measured, wrong)
        if run.sum() > 1:  # one bin alone may be a cosmic or a bad column
            return _off_between(column, offset, err, run & measured, verdict), verdict
    if found.mean_err * limits.sigmas > limits.fail_px:
        text = f"not measured: too faint for a verdict, mean offset {found.mean:+.2f} ± {found.mean_err:.2f} px"
        return text, Verdict.NOT_MEASURED
    sigmas = abs(found.mean) / found.mean_err
    text = (
        f"trace is right: mean offset {found.mean:+.3f} ± {found.mean_err:.3f} px ({sigmas:.1f} sigma), "
        f"below the limit of {limits.warn_px:g} px"
    )
    return text, Verdict.PASS


def _off_everywhere(found: Finding, verdict: Verdict) -> str:
    """Words for an offset that all columns share."""
    sigmas = abs(found.mean) / found.mean_err
    mild = "" if verdict is Verdict.FAIL else ", which is little"
    return (
        f"trace is {abs(found.mean):.2f} px off ({sigmas:.0f} sigma){mild}: the light lies at {_side(found.mean)} rows"
    )


def _off_between(column: Array, offset: Array, err: Array, run: Array, verdict: Verdict) -> str:
    """Words for a range of columns that is off."""
    worst = int(np.flatnonzero(run)[np.argmax(np.abs(offset[run]))])
    part = _numbers(offset[run], err[run])
    sigmas = abs(part.mean) / part.mean_err
    mild = "" if verdict is Verdict.FAIL else ", which is doubtful"
    return (
        f"trace is up to {abs(offset[worst]):.2f} px off ({sigmas:.0f} sigma) between columns {_span(column, run)}"
        f"{mild}: the light lies at {_side(part.mean)} rows"
    )


def _is_dead(flux: Array, flux_err: Array, k: int, limits: VerdictLimits) -> bool:
    """Whether the fiber has no light where its neighbors have."""
    if flux.shape[0] < 2:
        return False
    known = np.isfinite(flux_err).all(axis=0)
    if not known.any():
        return False
    others = np.median(np.delete(flux[:, known], k, axis=0), axis=0).sum()
    mine, error = flux[k, known].sum(), np.sqrt((flux_err[k, known] ** 2).sum())
    return bool(
        others > 0 and mine + limits.sigmas * error < 2 * limits.dead_flux * others and mine < limits.dead_flux * others
    )


def _lost_range(column: Array, flux: Array, flux_err: Array, k: int, measured: Array, limits: VerdictLimits) -> str:
    """Words about a run of columns where the light is gone though the neighbors have it; "" if none."""
    if flux.shape[0] < 2:
        return ""
    others = np.median(np.delete(flux, k, axis=0), axis=0)
    gone = (flux[k] < 2 * limits.dead_flux * others) & (others > 2 * limits.sigmas * flux_err[k])
    if gone.sum() < 2:
        return ""
    return f"no light between columns {_span(column, _longest_run(gone, gone))}"


def _longest_run(joined: Array, counted: Array) -> Array:
    """The run of `joined` that holds most of `counted`, cut to it."""
    best = np.zeros(joined.size, bool)
    start = 0
    for i in range(joined.size + 1):
        if i == joined.size or not joined[i]:
            run = np.zeros(joined.size, bool)
            run[start:i] = True
            if (run & counted).sum() > (best & counted).sum():
                best = run & counted
            start = i + 1
    if not best.any():
        return best
    at = np.flatnonzero(best)
    best[at[0] : at[-1] + 1] = True
    return best


def _span(column: Array, inside: Array) -> str:
    at = np.flatnonzero(inside)
    step = (column[1] - column[0]) / 2 if column.size > 1 else 0.5
    return f"{round(column[at[0]] - step + 0.5)} and {round(column[at[-1]] + step - 0.5)}"


def _side(offset: float) -> str:
    return "larger" if offset > 0 else "smaller"


def chi2_deviate(chi2: float, dof: int) -> float:
    """Normal deviate that is as unlikely as a chi2 this large (Wilson and Hilferty 1931), 0 without freedom."""
    if dof < 1:
        return 0.0
    scale = 2 / (9 * dof)
    return ((chi2 / dof) ** (1 / 3) - (1 - scale)) / sqrt(scale)
