"""The functions of the trace-diagnostics plan, under its names, with what really measures each thing.

Arrays are in canonical axes: (cross-dispersion, dispersion), the center of a pixel is an integer. An offset is positive
when the light lies at a larger cross-dispersion pixel than the trace says. Every result keeps the keys of the plan and
adds errors (`_err`); NaN or None means not measured.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import UsageError
from ifuview.files import check_folder, put
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import TraceDiagnosis

Path = str | os.PathLike[str]
MAX_DEGREE = 8
MAD_TO_SIGMA = 1.4826
F_GAIN = 2.0  # chi2 must fall by more than this times ln n per coefficient (BIC)
OUTLIER_SIGMA = 4.0


def load_raw_2d_spectrum(filename: Path) -> Image:
    """Return the first image of a file; `Image.canonical()` gives float32 (cross-dispersion, dispersion)."""
    from ifuview.app.frames.opening import open_dataset

    dataset = open_dataset(os.fspath(filename))
    if not dataset.images:
        raise UsageError("there is no image in this file", os.fspath(filename))
    return dataset.images[0]


def load_trace_solution(filename: Path, format: str = "auto") -> dict[Any, Any]:
    """Return fiber id -> {x_pixels, y_pixels, wavelength, fiber_id}, and the TraceSet under "traces".

    Parameters
    ----------
    filename : str or path
        DESI, LVM, sampled FITS, FITS table, ECSV, CSV or JSON.
    format : str
        "auto"; the content of the file says what it is.

    Returns
    -------
    dict
        `x_pixels` (n,) pixels along dispersion, `y_pixels` (n,) pixels across, `wavelength` (n,) Angstrom or None;
        valid points only. So it is for every instrument: where dispersion runs along the y axis of the detector
        (DESI), CSV and JSON files, which hold native pixels, have x and y the other way around.
    """
    from ifuview import io

    if format not in ("auto", "fits", "ecsv", "csv", "json", "table"):
        raise UsageError(f"there is no trace format {format!r}", todo="leave it to auto")
    traces = io.read_traces(filename, None, None)
    out: dict[Any, Any] = {}
    column = np.arange(traces.ncol, dtype=float)
    for k, name in enumerate(traces.fiber_id):
        valid = np.asarray(traces.valid)[k] & np.isfinite(traces.center[k])
        wave = None if traces.wave is None else traces.wave[k][valid]
        out[name] = {
            "x_pixels": column[valid], "y_pixels": traces.center[k][valid], "wavelength": wave, "fiber_id": name,
        }  # fmt: skip
    out["traces"] = traces
    return out


def load_wavelength_solution(filename: Path) -> NDArray[np.float64]:
    """Return the wavelength of every fiber and column, shape (nfiber, ndisp), Angstrom."""
    from ifuview.app.traces.diagnosis import read_wavelengths

    wave: NDArray[np.float64] = read_wavelengths(os.fspath(filename))[0]
    return wave


def load_fiber_bundle_metadata(filename: Path) -> FiberMap:
    """Return the table of fibers of a file: ids, blocks, roles, positions."""
    from ifuview.app.frames.opening import open_dataset

    table = open_dataset(os.fspath(filename)).fibermap
    if table is None:
        raise UsageError("holds no table of fibers", os.fspath(filename), "give a file with one row per fiber")
    return table


def traces_in(traces: TraceSet | Mapping[Any, Any]) -> TraceSet:
    """The TraceSet of what `load_trace_solution` gave, or of a mapping in its form."""
    if isinstance(traces, TraceSet):
        return traces
    if isinstance(traces.get("traces"), TraceSet):
        found: TraceSet = traces["traces"]
        return found
    rows = [v for v in traces.values() if isinstance(v, Mapping) and "x_pixels" in v]
    if not rows:
        raise UsageError("these are no traces", todo="give what load_trace_solution returns")
    ncol = int(max(np.max(r["x_pixels"]) for r in rows)) + 1
    column = np.arange(ncol)
    center, wave = np.full((2, len(rows), ncol), np.nan)
    for k, row in enumerate(rows):
        x = np.asarray(row["x_pixels"], float)
        order = np.argsort(x)
        inside = (column >= x.min()) & (column <= x.max())
        center[k, inside] = np.interp(column[inside], x[order], np.asarray(row["y_pixels"], float)[order])
        if row.get("wavelength") is not None:
            wave[k, inside] = np.interp(column[inside], x[order], np.asarray(row["wavelength"], float)[order])
    names = tuple(str(r.get("fiber_id", k)) for k, r in enumerate(rows))
    return TraceSet(np.arange(len(rows)), center, wave=wave if np.isfinite(wave).any() else None, fiber_id=names)


def robust_fit(x: Array, y: Array, error: Array | None = None, degree: int | None = None) -> dict[str, Any]:
    """Weighted robust Legendre fit on [-1, 1], the degree chosen by BIC.

    Parameters
    ----------
    x, y : (n,)
    error : (n,), optional
        1 sigma of `y`; default: from the scatter.
    degree : int, optional

    Returns
    -------
    dict
        `coeff` with `coeff_err`, `degree`, `fit`, `residual` (n,), `kept` (n,) bool, `chi2_per_dof`.
    """
    known = np.isfinite(x) & np.isfinite(y)
    if error is not None:
        known &= np.isfinite(error) & (error > 0)
    n = int(known.sum())
    if n < 2:
        raise UsageError("there are fewer than two points to fit")
    low, high = float(np.min(x[known])), float(np.max(x[known]))
    u = 2 * (x - low) / max(high - low, 1e-12) - 1
    scatter = np.diff(y[known])
    noise = MAD_TO_SIGMA * float(np.median(np.abs(scatter - np.median(scatter)))) / np.sqrt(2) if n > 2 else 1.0
    sigma = np.where(known, error if error is not None else max(noise, 1e-9), 1.0)
    best: tuple[float, Any] = (np.inf, None)
    for m in range(min(MAX_DEGREE, n - 2) + 1) if degree is None else (min(degree, n - 1),):
        kept = known.copy()
        basis = np.polynomial.legendre.legvander(u, m)
        for _ in range(4):
            w = np.where(kept, 1 / sigma**2, 0)
            normal = basis.T @ (w[:, None] * np.where(kept[:, None], basis, 0))
            coeff = np.linalg.lstsq(normal, basis.T @ (w * np.where(kept, y, 0)), rcond=None)[0]
            residual = y - basis @ coeff
            spread = max(MAD_TO_SIGMA * float(np.median(np.abs(residual[kept] / sigma[kept]))), 1.0)
            new = known & (np.abs(residual) < OUTLIER_SIGMA * spread * sigma)
            if new.sum() <= m + 1 or (new == kept).all():
                break
            kept = new
        pull = np.where(known, np.minimum(np.abs(residual / sigma), OUTLIER_SIGMA), 0)
        score = float((pull**2).sum()) + F_GAIN / 2 * (m + 1) * np.log(n)
        if score < best[0]:
            dof = max(int(kept.sum()) - m - 1, 1)
            chi2 = float(((residual / sigma)[kept] ** 2).sum()) / dof
            spread_err = np.sqrt(np.maximum(np.diag(np.linalg.pinv(normal)), 0)) * np.sqrt(max(chi2, 1.0))
            best = (score, {"coeff": coeff, "coeff_err": spread_err, "degree": m, "fit": basis @ coeff,
                            "residual": residual, "kept": kept, "chi2_per_dof": chi2})  # fmt: skip
    out: dict[str, Any] = best[1]
    return out


def analyze_trace_straightness(
    x_pixels: Array, y_pixels: Array, error: Array | None = None, reference: Array | None = None
) -> dict[str, Any]:
    """Return how smooth one trace is, or how its measured centers lie about a reference.

    Parameters
    ----------
    x_pixels, y_pixels : (n,), px
        Dispersion and cross-dispersion position. Give measured centers (`TraceDiagnosis.measured`, or the offsets of
        `diagnose`): a fitted trace can only be compared with another basis.
    error : (n,), px, optional
    reference : (n,), px, optional
        The trace that `y_pixels` should follow; default: a robust Legendre fit of the degree that BIC chooses.

    Returns
    -------
    dict
        `rms_residual` px (weighted, robust) and `_err`; `max_deviation` px and `_err`; `systematic_trend` px from end
        to end, with its error and significance, of `y - reference`; `outlier_pixels` indices with `expected_outliers`;
        `chi2_per_dof`, `degree`, `residual`.
    """
    x, y = np.asarray(x_pixels, float), np.asarray(y_pixels, float)
    err = None if error is None else np.asarray(error, float)
    against = y - np.asarray(reference, float) if reference is not None else y
    fit = robust_fit(x, against, err)
    residual = against if reference is not None else fit["residual"]
    kept = fit["kept"]
    n = max(int(kept.sum()), 1)
    center = float(np.median(residual[kept]))
    rms = MAD_TO_SIGMA * float(np.median(np.abs(residual[kept] - (0 if reference is not None else center))))
    worst = int(np.nanargmax(np.where(np.isfinite(residual), np.abs(residual), -1)))
    line = robust_fit(x, against, err, degree=1)
    slope, slope_err = 2 * float(line["coeff"][1]), 2 * float(line["coeff_err"][1])
    sigma = err if err is not None else np.full(x.size, max(rms, 1e-12))
    outliers = np.flatnonzero(np.abs(fit["residual"]) > OUTLIER_SIGMA * sigma * max(np.sqrt(fit["chi2_per_dof"]), 1))
    return {
        "rms_residual": rms, "rms_residual_err": rms / np.sqrt(2 * n),
        "max_deviation": float(abs(residual[worst])), "max_deviation_err": float(sigma[worst]),
        "max_deviation_at": float(x[worst]),
        "systematic_trend": slope, "systematic_trend_err": slope_err,
        "systematic_trend_significance": abs(slope) / slope_err if slope_err > 0 else 0.0,
        "outlier_pixels": outliers, "expected_outliers": 6.3e-5 * x.size,
        "chi2_per_dof": fit["chi2_per_dof"], "degree": fit["degree"], "residual": residual,
    }  # fmt: skip


def check_trace_spacing_uniformity(
    traces: TraceSet | Mapping[Any, Any], positions: Array | None = None
) -> dict[str, Any]:
    """Compare the spacing on the detector with the comb of blocks, and of the head with a hexagon or a square.

    Parameters
    ----------
    traces : TraceSet or result of load_trace_solution
    positions : (nfiber, 2), optional
        Of the fibers in the IFU head, any unit.

    Returns
    -------
    dict
        `spacing` (nfiber - 1,) px; `mean_spacing`, `std_spacing` px within blocks with `_err`; `uniformity`
        (relative); `block` (nfiber,); `irregular` rows whose spacing departs by more than 5 robust sigma and 10 %;
        `head`: "hexagonal", "square", "irregular" or None, with `head_spacing`.
    """
    from ifuview.engine.traces.doctor.slots import blocks_of, spacing_of, typical

    found = traces_in(traces)
    place = typical(found.center)
    block = blocks_of(found.center)
    gap, same = np.diff(place), block[1:] == block[:-1]
    inner = gap[same & np.isfinite(gap)]
    usual = float(np.median(inner)) if inner.size else spacing_of(place)
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(inner - usual))) if inner.size else np.nan
    odd = same & (np.abs(gap - usual) > np.maximum(5 * scatter, 0.1 * abs(usual)))
    odd |= gap < 0.7 * usual
    out = {
        "spacing": gap, "mean_spacing": usual, "mean_spacing_err": scatter / np.sqrt(max(inner.size, 1)),
        "std_spacing": scatter, "std_spacing_err": scatter / np.sqrt(2 * max(inner.size, 1)),
        "uniformity": scatter / usual if usual else np.nan, "block": block, "irregular": np.flatnonzero(odd),
        "head": None, "head_spacing": None,
    }  # fmt: skip
    if positions is not None:
        out["head"], out["head_spacing"] = head_pattern(np.asarray(positions, float))
    return out


def head_pattern(positions: Array) -> tuple[str, float]:
    """Whether fibers lie on a hexagonal or a square grid, and their distance: from the angles to their neighbors."""
    known = positions[np.isfinite(positions).all(axis=1)]
    if known.shape[0] < 7:
        return "irregular", float("nan")
    difference = known[:, None] - known[None]
    distance = np.hypot(difference[..., 0], difference[..., 1])
    np.fill_diagonal(distance, np.inf)
    step = float(np.median(distance.min(axis=1)))
    near = distance < 1.2 * step
    angle = np.arctan2(difference[..., 1], difference[..., 0])[near]
    hexagon, square = (float(abs(np.exp(1j * n * angle).mean())) for n in (6, 4))
    if max(hexagon, square) < 0.7:
        return "irregular", step
    return ("hexagonal" if hexagon > square else "square"), step


def analyze_trace_wavelength_dependence(traces: TraceSet | Mapping[Any, Any]) -> dict[str, Any]:
    """Return the tilt and curvature of each trace along wavelength: optics of the spectrograph, not the atmosphere.

    Returns
    -------
    dict
        `slopes` px from the blue to the red end and `curvature` px (Legendre of degree 2), shape (nfiber,), with
        `_err`; `slope_scatter` px of single fibers about their neighbors; `against`: "wavelength" or "column".
    """
    found = traces_in(traces)
    step = max(1, found.ncol // 128)
    x = np.broadcast_to(np.arange(found.ncol, dtype=float), found.center.shape)[:, ::step]
    wave = None if found.wave is None else np.asarray(found.wave, float)[:, ::step]
    slopes, curvature = np.full((2, found.nfiber), np.nan), np.full((2, found.nfiber), np.nan)
    for k in range(found.nfiber):
        along = wave[k] if wave is not None and np.isfinite(wave[k]).any() else x[k]
        y = found.center[k, ::step]
        if (np.isfinite(along) & np.isfinite(y)).sum() < 4:
            continue
        fit = robust_fit(along, y, None, degree=2)
        slopes[:, k] = 2 * fit["coeff"][1], 2 * fit["coeff_err"][1]
        curvature[:, k] = fit["coeff"][2], fit["coeff_err"][2]
    inner = slopes[0] - _neighbors(slopes[0])
    inner = inner[np.isfinite(inner)]
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(inner))) if inner.size else np.nan
    return {
        "slopes": slopes[0], "slopes_err": slopes[1], "curvature": curvature[0], "curvature_err": curvature[1],
        "slope_scatter": scatter, "slope_scatter_err": scatter / np.sqrt(2 * max(inner.size, 1)),
        "against": "wavelength" if wave is not None else "column",
    }  # fmt: skip


def check_differential_atmospheric_refraction(
    traces: TraceSet | Mapping[Any, Any],
    fiber_positions: Array,
    *,
    flux: Array | None = None,
    wave: Array | None = None,
    error: Array | None = None,
    zenith: float | None = None,
    temperature: float = 10.0,
    pressure: float = 800.0,
    humidity: float = 0.3,
    header: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Compare how a source moves over the fibers with wavelength with what the atmosphere does.

    Traces cannot show it: their tilt along wavelength is the spectrograph's own and is returned apart.

    Parameters
    ----------
    traces : TraceSet or result of load_trace_solution
    fiber_positions : (nfiber, 2), arcsec
    flux, error : (nfiber, nbin), optional
        Extracted, sky-subtracted spectra of a point source in bins; without them the motion is not measured.
    wave : (nbin,), Angstrom, optional
        Of `flux`; default: of the traces.
    zenith : float, degree, optional
        Zenith distance; default: of the header (ZD, or AIRMASS), else not known.
    temperature : float, degree Celsius
    pressure : float, hPa
    humidity : float, 0 to 1
    header : mapping, optional

    Returns
    -------
    dict
        `wave`, `expected` arcsec (against the middle wavelength, towards the zenith); `measured`, `measured_err`
        (nbin,) arcsec along the direction in which the source moves, `direction` degree, `rms_residual` arcsec, or
        None; `detector_tilt` px (nfiber,), which is not the atmosphere's.
    """
    from ifuview.engine.traces.doctor.dar import centroids, refraction

    found = traces_in(traces)
    cards = dict(header or {})
    if zenith is None and cards.get("ZD") is not None:
        zenith = float(cards["ZD"])
    if zenith is None and cards.get("AIRMASS") is not None:
        zenith = float(np.degrees(np.arccos(min(1.0, 1 / float(cards["AIRMASS"])))))
    if wave is None:
        known = None if found.wave is None else np.nanmedian(found.wave, axis=0)
        wave = known if known is not None else np.linspace(3500, 10000, 50)
    wave = np.asarray(wave, float)
    if flux is not None and found.wave is not None and wave.size != flux.shape[1]:
        wave = np.interp(np.linspace(0, wave.size - 1, flux.shape[1]), np.arange(wave.size), wave)
    middle = float(np.nanmedian(wave))
    expected = None
    if zenith is not None:
        expected = refraction(
            wave, zenith, reference=middle, temperature=temperature, pressure=pressure, humidity=humidity
        )
    out: dict[str, Any] = {
        "wave": wave, "expected": expected, "zenith": zenith, "measured": None, "measured_err": None,
        "direction": None, "rms_residual": None, "detector_tilt": analyze_trace_wavelength_dependence(found)["slopes"],
    }  # fmt: skip
    if flux is None:
        return out
    center, err = centroids(np.asarray(flux, float), error, np.asarray(fiber_positions, float))
    good = np.isfinite(center).all(axis=1) & np.isfinite(err).all(axis=1)
    moved = center - np.median(center[good], axis=0)
    if expected is not None and np.ptp(expected) > 0:
        shape = expected - expected[good].mean()
        axis = (moved[good] * shape[good, None]).sum(axis=0)
    else:
        axis = np.linalg.svd(moved[good], full_matrices=False)[2][0]
    axis = axis / max(float(np.hypot(*axis)), 1e-30)
    out["measured"], out["measured_err"] = moved @ axis, np.sqrt((err * axis) ** 2 @ np.ones(2))
    out["direction"] = float(np.degrees(np.arctan2(axis[1], axis[0])))
    if expected is not None:
        difference = (out["measured"] - expected)[good]
        out["rms_residual"] = float(np.std(difference))
    return out


def _neighbors(values: Array) -> Array:
    """Running median over nine fibers."""
    from ifuview.engine.traces.doctor.fibers import running_median

    out: Array = running_median(values[:, None], 4)[:, 0]
    return out


def analyze_trace_correlations(diagnosis: TraceDiagnosis) -> dict[str, Any]:
    """Return what the residuals of the fibers share after the modes are removed.

    Returns
    -------
    dict
        `matrix` (nfiber, nfiber); `residuals` (nfiber, nbin) px; `eigenvalues` against `edge` (Marchenko-Pastur) with
        `above` of them beyond; `distance`, `r`, `r_err`; `block`, `sign`, `p_value`.
    """
    c = diagnosis.correlation
    if c is None:
        return {"matrix": None, "residuals": diagnosis.residual}
    return {
        "matrix": c.matrix, "residuals": diagnosis.residual, "eigenvalues": c.eigenvalues, "edge": c.edge,
        "above": c.above, "distance": c.distance, "r": c.r, "r_err": c.r_err, "block": c.block, "sign": c.sign,
        "p_value": c.p_value,
    }  # fmt: skip


def identify_systematic_trace_errors(diagnosis: TraceDiagnosis) -> dict[str, Any]:
    """Return the patterns that many fibers share (`modes`, the significant ones in `found`) and the problem fibers."""
    from ifuview.app.traces.doctor_metrics import mode, problem

    return {
        "modes": [mode(diagnosis, m) for m in diagnosis.modes],
        "found": [mode(diagnosis, m) for m in diagnosis.found_modes],
        "problem_fibers": [problem(diagnosis, p) for p in diagnosis.problems],
        "noise_floor": dict(diagnosis.noise_floor),
    }


def simulate_extraction_errors(
    offset: float | Array = 0.1,
    *,
    width: float = 1.2,
    spacing: float = 7.5,
    half_width: float = 2.5,
    neighbor: float = 1.0,
) -> dict[str, Array]:
    """Return what a trace error does to extracted fluxes, boxcar and joint.

    Parameters
    ----------
    offset : float or (n,), px
        Light minus trace.
    width : float, px
        Gaussian sigma of the profile.
    spacing, half_width : float, px
    neighbor : float
        Flux of each neighbor over the own.

    Returns
    -------
    dict
        `offset`, `boxcar_loss`, `joint_loss` (against the right trace), `leak` (from both neighbors), shape (n,).
    """
    from ifuview.engine.traces.doctor.impact import caught

    d = np.atleast_1d(np.asarray(offset, float))
    s = np.full_like(d, width)
    whole = caught(np.zeros_like(d), s, half_width)
    leak = neighbor * (caught(spacing + d, s, half_width) + caught(spacing - d, s, half_width))
    return {
        "offset": d, "boxcar_loss": 1 - caught(d, s, half_width) / whole,
        "joint_loss": 1 - np.exp(-(d**2) / (4 * s**2)), "leak": leak,
    }  # fmt: skip


def check_fiber_crosstalk(
    traces: TraceSet | Mapping[Any, Any], width: float | Array | None = None, half_width: float = 2.5
) -> dict[str, Array]:
    """Return the banded crosstalk matrix of an extraction on these traces.

    Returns
    -------
    dict
        `reach` (4,) fibers; `boxcar`, `joint` (nfiber, 4): share of that neighbor's flux in the extracted flux.
    """
    from ifuview.engine.traces.doctor.impact import crosstalk

    found = traces_in(traces)
    center = found.center[:, :: max(1, found.ncol // 16)]
    sigma = width if width is not None else 1.2
    if width is None and found.sigma is not None:
        sigma = found.sigma[:, :: max(1, found.ncol // 16)]
    s = np.broadcast_to(np.asarray(sigma, float), center.shape)
    talk = crosstalk(center, center, np.zeros_like(center), s, half_width)
    return {"reach": talk.reach, "boxcar": talk.boxcar, "joint": talk.joint}


def calculate_trace_quality_metrics(diagnosis: TraceDiagnosis) -> dict[str, Any]:
    """Return `global_metrics`, `per_fiber_metrics` (by fiber id) and `spatial_patterns` of a diagnosis, with errors."""
    from ifuview.app.traces.doctor_metrics import metrics_of

    return metrics_of(diagnosis)


def generate_trace_quality_report(
    metrics: TraceDiagnosis | Mapping[str, Any], output_dir: Path, image: Array | None = None
) -> list[str]:
    """Write metrics.json and, of a diagnosis, report.html, report.pdf and the figures; return the names.

    Parameters
    ----------
    metrics : TraceDiagnosis, or the dict of calculate_trace_quality_metrics
    output_dir : str or path
    image : (nrow, ncol), optional
        Canonical axes, for the figures.
    """
    from pathlib import Path as Folder

    from ifuview.app.traces.diagnosis import METRICS
    from ifuview.app.traces.doctor_metrics import as_json, metrics_of

    folder = Folder(output_dir)
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found = metrics if isinstance(metrics, TraceDiagnosis) else None
    content = metrics_of(metrics) if isinstance(metrics, TraceDiagnosis) else dict(metrics)
    put(folder / METRICS, as_json(content))
    names = [METRICS]
    if found is not None:
        from ifuview.report.traces.doctor import write_doctor
        from ifuview.report.traces.doctor_report import DoctorReport

        names += write_doctor(DoctorReport(found, image), folder)
    return names


def run_trace_diagnostics(
    raw_2d_file: Path,
    trace_file: Path,
    output_dir: Path,
    fiber_metadata_file: Path | None = None,
    wavelength_file: Path | None = None,
) -> dict[str, Any]:
    """Diagnose the traces of an image and write everything into a folder; return what metrics.json holds."""
    from ifuview.app.traces.diagnosis import Request, run

    return run(
        Request(
            os.fspath(raw_2d_file), os.fspath(output_dir), os.fspath(trace_file),
            None if wavelength_file is None else os.fspath(wavelength_file),
            None if fiber_metadata_file is None else os.fspath(fiber_metadata_file),
        )
    ).metrics  # fmt: skip
