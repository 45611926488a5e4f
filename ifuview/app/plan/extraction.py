"""What trace errors do to extracted spectra, and how much of its neighbors each fiber holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ifuview.app.plan.loading import diagnosis_of
from ifuview.app.plan.values import Traces, named, names_of, traces_in
from ifuview.engine.numeric.medians import median_along
from ifuview.engine.traces.doctor.impact import caught, crosstalk, extraction_impact
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.traces.doctor import TraceDiagnosis

COLUMNS = 16  # of traces alone
WIDTH = 1.2  # px, where nothing says it
ERROR_KEYS = ("offset", "mean_offset_px", "rms_residual", "trace_rms")  # of a dict of numbers of one fiber
LOSSES = ("boxcar_loss", "joint_loss", "leak")

Amount = float | Sequence[float] | Array | Mapping[str, object]


def simulate_extraction_errors(
    raw_2d: Array | float = 0.1,
    traces: Traces | None = None,
    trace_errors: Amount | None = None,
    *,
    width: float = WIDTH,
    spacing: float = 7.5,
    half_width: float = 2.5,
    neighbor: float = 1.0,
) -> dict[str, object]:
    """Return what trace errors do to extracted fluxes, boxcar and joint, with the light of an image or of a model.

    Parameters
    ----------
    raw_2d : ndarray, shape (nrow, ncol)
        Widths and fluxes are measured on it. Without traces: the offsets, light minus trace, px, of a model of
        Gaussian fibers of `width`, `spacing` and flux `neighbor` of each neighbor over the own.
    traces : TraceSet or dict of dicts, optional
    trace_errors : float, sequence of float, or mapping of fiber to px, optional
        Light minus trace. A mapping, or as many numbers as fibers: of each fiber. Fewer: amounts that are tried on
        all fibers. Default: what the traces are off by.
    half_width : float, px

    Returns
    -------
    dict
        `offset` px, `boxcar_loss`, `joint_loss` (against the right trace), `leak` (from both neighbors), shape (n,):
        of each fiber or amount, in the median; with `fibers`, and `by_fiber` (amounts, nfiber) where amounts are tried.
    """
    if traces is None:
        return _of_model(raw_2d, width, spacing, half_width, neighbor)
    found = diagnosis_of(np.asanyarray(raw_2d), traces)
    names = names_of(traces)
    if trace_errors is None:
        return _of_fibers(found, found.offset, half_width) | {"fibers": names}
    amounts = _amounts(trace_errors, names)
    if amounts.size == len(names) and (isinstance(trace_errors, Mapping) or amounts.size > 1):
        return _of_fibers(found, amounts[:, None] + np.zeros_like(found.offset), half_width) | {"fibers": names}
    tried = [_of_fibers(found, np.full_like(found.offset, amount), half_width) for amount in amounts]
    out: dict[str, object] = {"offset": amounts, "fibers": names}
    out |= {name: np.array([np.nanmedian(one[name]) for one in tried]) for name in LOSSES}
    return out | {"by_fiber": {name: np.array([one[name] for one in tried]) for name in LOSSES}}


def _of_model(offset: Array | float, width: float, spacing: float, half: float, neighbor: float) -> dict[str, object]:
    """Of a Gaussian fiber between two others."""
    d = np.atleast_1d(np.asarray(offset, float))
    s = np.full_like(d, width)
    leak = neighbor * (caught(spacing + d, s, half) + caught(spacing - d, s, half))
    return {
        "offset": d, "boxcar_loss": 1 - caught(d, s, half) / caught(np.zeros_like(d), s, half),
        "joint_loss": 1 - np.exp(-(d**2) / (4 * s**2)), "leak": leak,
    }  # fmt: skip


def _amounts(errors: Amount, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Errors as numbers, of each fiber if they come by fiber."""
    if not isinstance(errors, Mapping):
        return np.atleast_1d(np.asarray(errors, float)).ravel()
    errors = {named(key, names): error for key, error in errors.items()}
    unknown = [key for key in errors if key not in names]
    if unknown:
        raise UsageError(f"there is no fiber {unknown[0]} in these traces", todo="give errors by their fibers")
    return np.array([_amount(errors[name]) if name in errors else 0.0 for name in names])


def _amount(entry: object) -> float:
    """One number of a fiber: itself, the median of several, or the one that a dict of numbers holds."""
    if isinstance(entry, Mapping):
        known = next((entry[key] for key in ERROR_KEYS if key in entry), None)
        if known is None:
            raise UsageError("these are no errors of traces", todo=f"give one of {', '.join(ERROR_KEYS)}")
        entry = known
    return float(np.nanmedian(np.asarray(entry, float)))


def _of_fibers(found: TraceDiagnosis, offset: Array, half: float) -> dict[str, NDArray[np.float64]]:
    """Median along each fiber where its light is `offset` from its trace, (nfiber, nbin)."""
    light = found.corrected.center[:, np.round(found.column).astype(int)]
    impact = extraction_impact(offset, np.zeros_like(offset), found.width, found.flux, light, light - offset, half)
    values = {"boxcar_loss": impact.boxcar_loss, "joint_loss": impact.joint_loss, "leak": impact.leak}
    measured = np.isfinite(found.flux) & np.isfinite(found.width)
    out = {name: median_along(np.where(measured, value, np.nan)) for name, value in values.items()}
    return {"offset": median_along(offset)} | out


def check_fiber_crosstalk(
    raw_2d: Array | Traces, traces: Traces | None = None, *, width: float | Array | None = None, half_width: float = 2.5
) -> dict[str, object]:
    """Return the banded crosstalk matrix of an extraction on these traces.

    Parameters
    ----------
    raw_2d : ndarray, shape (nrow, ncol)
        Where the light is and how wide, measured. Without: traces alone, with `width` (default: theirs, else 1.2 px).
    traces : TraceSet or dict of dicts
    half_width : float, px
        Of a boxcar on traces alone.

    Returns
    -------
    dict
        `reach` (4,) fibers; `boxcar`, `joint` (nfiber, 4) with `_err`: share of that neighbor's flux in the extracted
        flux; `fibers`; `of`: "light" or "traces".
    """
    if traces is not None:
        talk = diagnosis_of(np.asanyarray(raw_2d), traces).crosstalk
        if talk is None:
            raise UsageError("the crosstalk could not be measured", todo="is there light in two fibers?")
        names, of = names_of(traces), "light"
    else:
        if isinstance(raw_2d, np.ndarray):
            raise UsageError("an image alone has no fibers", todo="give the traces too")
        found = traces_in(raw_2d)
        step = max(1, found.ncol // COLUMNS)
        center = found.center[:, ::step]
        sigma = width if width is not None else WIDTH if found.sigma is None else found.sigma[:, ::step]
        s = np.broadcast_to(np.asarray(sigma, float), center.shape)
        talk = crosstalk(center, center, np.zeros_like(center), s, half_width)
        names, of = names_of(raw_2d), "traces"
    return {
        "reach": talk.reach, "boxcar": talk.boxcar, "boxcar_err": talk.boxcar_err, "joint": talk.joint,
        "joint_err": talk.joint_err, "fibers": names, "of": of,
    }  # fmt: skip
