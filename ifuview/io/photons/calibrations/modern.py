"""Wavelength solutions and flats of the modern pipeline: `.npz` of coefficients, weights or pickled fits.

Nothing is unpickled: object arrays go through the restricted decoder of `io.safe`, and the coefficients inside come
out of the JSON text of the fit by json alone.
"""

from __future__ import annotations

import json
from typing import TypeGuard

import numpy as np

from ifuview.engine.context import JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.photons.calibrations.common import (
    FLATCAL,
    WAVECAL,
    pixel_grid,
    solution_name,
    unique_rows,
    wave_bits,
)
from ifuview.io.safe.npz import npz_names, read_npz
from ifuview.io.safe.objects import Inert
from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FLAT_BIT, FlatSolution
from ifuview.model.photons.lists import HC
from ifuview.model.photons.wavelength_solution import WAVE_BIT, HistogramStatus, LaserFits, WavelengthSolution

MODEL_FLAGS = {  # flag of the energy model in modern files, to names
    11: "wavecal.not_enough_histogram_fits",
    12: "wavecal.not_monotonic",
    13: "wavecal.failed_convergence",
    14: "wavecal.failed_validation",
}
GOOD_MODEL = 10
MAX_JSON = 1 << 20  # characters of one fit
OTHER_FORM = "give the solution in another form"


def modern_wavecal(path: str, ctx: JobContext) -> WavelengthSolution:
    """`.npz` of coefficients, or of pickled fits."""
    names = npz_names(path)
    if {"calibrations", "res_ids"} <= set(names):
        return _coefficients(path)
    if "fit_array" not in names:
        what = "a flat" if "flat_weights" in names else "some other npz file"
        raise FileFormatError(f"is {what}, no {WAVECAL}", path)
    if "beam_map" not in names:
        raise MissingDataError("the wavelength solution has no beam map", path)
    found = read_npz(path, ("fit_array", "beam_map"), ctx)
    fits, ids = found["fit_array"], found["beam_map"]
    if fits.ndim != 2 or ids.shape != fits.shape or fits.dtype != object:
        raise FileFormatError(f"has fits of {fits.shape} pixels and a beam map of {ids.shape}", path)
    kinds = {f"{i.module}.{i.name}" if isinstance(i, Inert) else "" for i in fits.reshape(-1).tolist()}
    if kinds and "" not in kinds:
        raise FileFormatError(f"its fits are objects of the class {min(kinds)}, which are not read", path, OTHER_FORM)
    known, place = unique_rows(ids, path)
    models = [_modern_pixel(item) for item in fits.reshape(-1)[place].tolist()]
    lasers = np.unique(np.round([wave for m in models for wave in m.waves], 3))
    return WavelengthSolution(
        solution_name(path), known, np.array([m.coefficients for m in models]).reshape(-1, 3),
        np.array([m.flags for m in models], np.uint32), lasers,
        phases=np.array([m.phases for m in models]).reshape(-1, 2), fits=_modern_fits(models, lasers),
        grid=pixel_grid(ids), form="modern solution",
    )  # fmt: skip


class _Model:
    """The fits of one pixel of a modern solution."""

    def __init__(self) -> None:
        self.coefficients = (np.nan, np.nan, np.nan)
        self.flags = wave_bits(("wavecal.bad", "wavecal.not_attempted"))
        self.phases = (np.nan, np.nan)
        self.waves: tuple[float, ...] = ()
        self.center: tuple[float, ...] = ()
        self.error: tuple[float, ...] = ()


def _is_column(value: object) -> TypeGuard[Array]:
    """Whether a value is a column of numbers."""
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f"


def _modern_pixel(item: object) -> _Model:
    """What one element of `fit_array` says."""
    out = _Model()
    model = item.get("calibration") if isinstance(item, dict) else None
    if not isinstance(model, (dict, Inert)):
        return out
    flag = model.get("flag")
    result = model.get("best_fit_result")
    text = result[2] if isinstance(result, tuple) and len(result) > 2 else None
    points = [v for name in ("x", "y", "variance") if _is_column(v := model.get(name))]
    if len(points) == 3:
        x, energy, variance = points
        usable = np.isfinite(energy) & (energy > 0) & np.isfinite(x)
        out.waves = tuple((HC / energy[usable]).tolist())
        out.center, out.error = tuple(x[usable].tolist()), tuple(np.sqrt(np.abs(variance[usable])).tolist())
        if usable.any():
            out.phases = float(x[usable].min()), float(x[usable].max())
    if flag == GOOD_MODEL and isinstance(text, str):
        out.coefficients = plain_coefficients(text)
        linear = isinstance(model, Inert) and "Linear" in model.name
        out.flags = WAVE_BIT["wavecal.linear" if linear else "wavecal.quadratic"]
        if not np.isfinite(out.coefficients).all():
            out.flags = wave_bits(("wavecal.bad", "wavecal.failed_validation"))
    else:
        name = MODEL_FLAGS.get(flag) if isinstance(flag, int) else None
        out.flags = wave_bits(("wavecal.bad", name or "wavecal.failed_validation"))
    return out


def plain_coefficients(text: str) -> tuple[float, float, float]:
    """c2, c1, c0 of the JSON text in which a fit keeps its parameters; NaN if they are not there.

    The text also carries pickles as base64, which the library that wrote it would run; here they stay text.
    """
    nothing = (np.nan, np.nan, np.nan)
    if len(text) > MAX_JSON:
        return nothing
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return nothing
    values: dict[str, float] = {}
    parameters = found.get("params", []) if isinstance(found, dict) else []
    for entry in parameters if isinstance(parameters, list) else []:
        if isinstance(entry, list) and len(entry) > 1 and isinstance(entry[0], str):
            values[entry[0]] = entry[1]
    symbols = found.get("unique_symbols") if isinstance(found, dict) else None
    for name in ("c0", "c1", "c2"):
        if name not in values and isinstance(symbols, dict) and name in symbols:
            values[name] = symbols[name]
    c2, c1, c0 = (values.get(name, default) for name, default in (("c2", 0.0), ("c1", np.nan), ("c0", 0.0)))
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (c2, c1, c0)):
        return nothing
    return float(c2), float(c1), float(c0)


def _modern_fits(models: list[_Model], lasers: Array) -> LaserFits | None:
    """Centers that a modern solution keeps with its energy models."""
    if not len(lasers):
        return None
    shape = (len(models), len(lasers))
    center, error = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, model in enumerate(models):
        place = np.searchsorted(lasers, np.round(model.waves, 3))
        center[row, place], error[row, place] = model.center, model.error
    nothing = np.full(shape, np.nan)
    return LaserFits(
        status=np.where(np.isfinite(center), HistogramStatus.GOOD, HistogramStatus.NO_DATA),
        photons=np.zeros(shape, np.int64), center=center, center_error=error, sigma=nothing, sigma_error=nothing,
        parameters=np.full((*shape, 7), np.nan), chi2=nothing, resolution=nothing, resolution_error=nothing,
        width=np.ones(shape, np.int16),
    )  # fmt: skip


def _coefficients(path: str) -> WavelengthSolution:
    """A table of coefficients."""
    found = read_npz(path, ("calibrations", "res_ids"))
    table, ids = found["calibrations"], found["res_ids"]
    if table.ndim != 2 or table.shape[1] != 3 or ids.shape != table.shape[:1] or table.dtype.kind != "f":
        raise FileFormatError(f"has coefficients {table.shape} for {ids.shape} resonators", path)
    known, place = unique_rows(ids, path)
    own = table[place].astype(np.float64)
    good = np.isfinite(own).all(axis=1) & (np.abs(own).max(axis=1) > 0)
    kind = np.where(own[:, 0] == 0, WAVE_BIT["wavecal.linear"], WAVE_BIT["wavecal.quadratic"])
    flags = np.where(good, kind, wave_bits(("wavecal.bad", "wavecal.failed_validation"))).astype(np.uint32)
    name = solution_name(path).removesuffix("_cal_coeffs")
    return WavelengthSolution(
        name, known, np.where(good[:, None], own, np.nan), flags, np.empty(0), form="table of coefficients"
    )


def modern_flat(path: str, ctx: JobContext) -> FlatSolution:
    """`.npz` of weights and polynomials."""
    names = npz_names(path)
    wanted = ("flat_weights", "flat_weight_err", "wavelengths", "flat_flags", "beammap")
    if not set(wanted) <= set(names):
        what = f"a {WAVECAL}" if {"fit_array", "calibrations"} & set(names) else "some other npz file"
        raise FileFormatError(f"is {what}, no {FLATCAL}", path)
    found = read_npz(path, (*wanted, "coeff_array"), ctx)
    weights, errors, waves, flags, ids = (found[name] for name in wanted)
    shape = ids.shape
    if weights.shape != (*shape, len(waves)) or errors.shape != weights.shape or flags.shape != shape or ids.ndim != 2:
        raise FileFormatError(f"has weights {weights.shape} for {shape} pixels and {len(waves)} wavelengths", path)
    known, place = unique_rows(ids, path)
    weights, errors = (v.reshape(-1, len(waves))[place].astype(np.float64) for v in (weights, errors))
    bits = flags.reshape(-1)[place].astype(np.uint32) & np.uint32(3)
    polynomial = found.get("coeff_array")
    if polynomial is not None:
        if polynomial.shape[:2] != shape or polynomial.ndim != 3:
            raise FileFormatError(f"has polynomials {polynomial.shape} for {shape} pixels", path)
        polynomial = polynomial.reshape(-1, polynomial.shape[2])[place].astype(np.float64)
    good = np.isfinite(weights) & (bits[:, None] & FLAT_BIT["flatcal.bad"] == 0)
    return FlatSolution(
        name=solution_name(path), ids=known, waves=waves.astype(np.float64), weights=np.where(good, weights, np.nan),
        errors=np.where(good, errors, np.nan), flags=bits, polynomial=polynomial,
        method="interpolation" if polynomial is None else "polynomial", grid=pixel_grid(ids), form="modern flat",
    )  # fmt: skip
