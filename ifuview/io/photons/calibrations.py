"""Wavelength solutions and flats of photon lists, in every form that pipelines wrote them.

    read_wavecal   calsol_*.h5 of 2018; modern .npz with pickled fits; *_cal_coeffs.npz; ifuview's own HDF5
    read_flatcal   flatcalsoln*.h5 of 2018; modern .npz; ifuview's own HDF5

Nothing is unpickled: object arrays go through the restricted decoder of `safe_pickle`, and the coefficients inside
come out of the JSON text of the fit by json alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.files import whole_file
from ifuview.io.hdf5.file import array, dataset, h5_open, is_h5, reading
from ifuview.io.hdf5.heap import Heaps
from ifuview.io.safe.npz import is_npz, npz_names, read_npz
from ifuview.io.safe.objects import Inert
from ifuview.model.checks import Array
from ifuview.model.photons.calibrations import (
    FLAT_BIT,
    WAVE_BIT,
    FlatSolution,
    HistogramStatus,
    LaserFits,
    WavelengthSolution,
    array_fields,
    rows_of,
)
from ifuview.model.photons.lists import NO_RESONATOR

if TYPE_CHECKING:
    from h5py import File, Group

OWN = "ifuview calibration"  # root attribute `format`
VERSION = 1
WAVECAL, FLATCAL = "wavelength solution", "flat"
OLD_SOLVED = (4, 5)  # wave_flag: quadratic, linear; the published code applies no others
OLD_FLAGS = {  # wave_flag to modern names
    0: ("wavecal.bad", "wavecal.not_attempted"),
    1: ("wavecal.bad", "wavecal.failed_convergence"),
    2: ("wavecal.bad", "wavecal.failed_validation"),
    3: ("wavecal.bad", "wavecal.no_histograms"),
    4: ("wavecal.quadratic",),
    5: ("wavecal.linear",),
    6: ("wavecal.bad", "wavecal.not_enough_histogram_fits"),
    7: ("wavecal.bad", "wavecal.not_monotonic"),
    8: ("wavecal.bad", "wavecal.failed_convergence"),
    9: ("wavecal.bad", "wavecal.linear"),  # through zero: not applied by the published code either
    10: ("wavecal.bad", "wavecal.no_histograms"),
}
MODEL_FLAGS = {  # flag of the energy model in modern files, to names
    11: "wavecal.not_enough_histogram_fits",
    12: "wavecal.not_monotonic",
    13: "wavecal.failed_convergence",
    14: "wavecal.failed_validation",
}
GOOD_MODEL = 10
MAX_JSON = 1 << 20  # characters of one fit
MAX_RESONATORS = 1 << 20
MAX_WORD = 60_000  # bytes of an attribute
FWHM = 2.3548200450309493  # sigma
OTHER_FORM = "give the solution in another form"
UNKNOWN = "is no {0} (old or modern, or one of ifuview)"


def read_wavecal(path: str, ctx: JobContext = SILENT) -> WavelengthSolution:
    """Read a wavelength solution of any form.

    Raises
    ------
    FileFormatError, MissingDataError
        One sentence about what the file is instead, or what is wrong with it.
    """
    found: WavelengthSolution = _read(path, WAVECAL, {WAVECAL: _own_wavecal}, _old_wavecal, _modern_wavecal, ctx)
    return found


def read_flatcal(path: str, ctx: JobContext = SILENT) -> FlatSolution:
    """Read a flat of any form; see `read_wavecal`."""
    found: FlatSolution = _read(path, FLATCAL, {FLATCAL: _own_flat}, _old_flat, _modern_flat, ctx)
    return found


def _read(path: str, kind: str, own: Mapping[str, Callable[[str, Any], Any]], old: Any, modern: Any, ctx: JobContext
          ) -> Any:  # fmt: skip
    """Read a calibration by its content."""
    if not os.path.exists(path):
        raise MissingDataError("there is no such file", path, "check the name")
    try:
        if is_h5(path):
            with h5_open(path) as file:
                if _word(file, "format") == OWN:
                    return _own(path, file, kind, own)
                return old(path, file)
        if is_npz(path):
            return modern(path, ctx)
    except IfuviewError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError) as problem:
        raise FileFormatError(f"the {kind} is damaged ({str(problem)[:200]})", path, "make it again") from problem
    raise FileFormatError(UNKNOWN.format(kind), path)


def _own(path: str, file: File, kind: str, own: Mapping[str, Callable[[str, Any], Any]]) -> Any:
    """A file of ifuview."""
    found = _word(file, "kind")
    if found != kind:
        raise FileFormatError(f"is a {found or 'calibration of an unknown kind'}, not a {kind}", path)
    if _word(file, "version") != str(VERSION):
        raise FileFormatError("was written by another version of ifuview", path, "update ifuview")
    return own[kind](path, file)


def _stem(path: str) -> str:
    """The name of a solution: that of its file, without folder and suffix."""
    return os.path.splitext(os.path.basename(path))[0]


def _grid(ids: Array) -> Array:
    """Resonator ids of a file [x, y] as (ny, nx), -1 for none."""
    ids = np.asarray(ids).T.astype(np.int64)
    return np.where((ids < 0) | (ids == NO_RESONATOR), -1, ids)


def _unique_rows(ids: Array, path: str) -> tuple[Array, Array]:
    """Ids that are there once, ascending, and their rows: an id that is there twice names nothing for sure."""
    ids = np.asarray(ids).reshape(-1).astype(np.int64)
    if len(ids) > MAX_RESONATORS:
        raise FileFormatError(f"lists {len(ids)} resonators", path)
    known, first, count = np.unique(ids, return_index=True, return_counts=True)
    keep = (count == 1) & (known >= 0) & (known != NO_RESONATOR)
    return known[keep], first[keep]


def _bits(names: tuple[str, ...]) -> int:
    return sum(WAVE_BIT[name] for name in names)


def _old_wavecal(path: str, file: File) -> WavelengthSolution:
    """`/wavecal/calsoln` of 2018."""
    table = dataset(file, "wavecal/calsoln")
    names = () if table is None else table.dtype.names or ()
    if table is None or not {"resid", "wave_flag", "polyfit"} <= set(names):
        raise FileFormatError(UNKNOWN.format(WAVECAL), path)
    with reading(path, "the wavelength solution"):
        rows = table[:]
    lasers = _first_row(path, file, "header/wavelengths")
    ids, place = _unique_rows(rows["resid"], path)
    rows = rows[place]
    known = np.isin(rows["wave_flag"], OLD_SOLVED)
    table_of = np.array([_bits(OLD_FLAGS.get(i, ("wavecal.bad",))) for i in range(12)], np.uint32)
    flags = table_of[np.minimum(rows["wave_flag"], 11)]
    coefficients = np.where(known[:, None], np.asarray(rows["polyfit"], np.float64).reshape(len(ids), -1), np.nan)
    if coefficients.shape[1] != 3:
        raise FileFormatError(f"has {coefficients.shape[1]} coefficients for each resonator, not 3", path)
    grid = dataset(file, "header/beamMap")
    files = _first_row(path, file, "header/obsFiles")
    waves = np.empty(0) if lasers is None else np.sort(lasers.astype(np.float64))
    return WavelengthSolution(
        _stem(path), ids, coefficients, flags, waves,
        fits=_old_fits(rows, lasers), grid=None if grid is None else _grid(array(path, file, "header/beamMap", ndim=2)),
        sources=() if files is None else tuple(_text(f) for f in files.tolist()), form="solution of 2018",
    )  # fmt: skip


def _old_fits(rows: Array, lasers: Array | None) -> LaserFits | None:
    """Widths and resolving powers of an old solution, which gives R as energy over sigma."""
    names = rows.dtype.names or ()
    if lasers is None or not {"sigma", "R"} <= set(names) or rows["R"].ndim != 2 or rows["R"].shape[1] != len(lasers):
        return None
    order = np.argsort(lasers)
    good = rows["R"][:, order] > 0
    resolution = np.where(good, rows["R"][:, order] / FWHM, np.nan)
    nothing = np.full(good.shape, np.nan)
    return LaserFits(
        status=np.where(good, HistogramStatus.GOOD, HistogramStatus.NO_DATA), photons=np.zeros(good.shape, np.int64),
        center=nothing, center_error=nothing, sigma=nothing, sigma_error=nothing,
        parameters=np.full((*good.shape, 7), np.nan), chi2=nothing, resolution=resolution, resolution_error=nothing,
        width=np.ones(good.shape, np.int16),
    )  # fmt: skip


def _first_row(path: str, file: File, name: str) -> Array | None:
    """The only row of an array of varying length, past the library, which trusts damaged heaps."""
    import h5py

    node = dataset(file, name)
    kind = None if node is None else h5py.check_vlen_dtype(node.dtype)
    if node is None or node.shape != (1,) or not isinstance(kind, np.dtype) or kind.kind not in "fS":
        return None
    rows = Heaps(path).rows(node, kind)
    return rows[0].reshape(-1) if rows else None


def _word(file: File, name: str) -> str:
    """A root attribute of fixed length as text; "" if there is none. Others are left to the library, which may hang."""
    from h5py import h5a, h5t

    key = name.encode()
    if not h5a.exists(file.id, key):
        return ""
    stored = h5a.open(file.id, key)
    kind = stored.get_type()
    if not isinstance(kind, h5t.TypeStringID) or kind.is_variable_str() or kind.get_size() > MAX_WORD or stored.shape:
        return ""
    return _text(file.attrs[name])


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _modern_wavecal(path: str, ctx: JobContext) -> WavelengthSolution:
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
    known, place = _unique_rows(ids, path)
    models = [_modern_pixel(item) for item in fits.reshape(-1)[place].tolist()]
    lasers = np.unique(np.round([wave for m in models for wave in m.waves], 3))
    return WavelengthSolution(
        _stem(path), known, np.array([m.coefficients for m in models]).reshape(-1, 3),
        np.array([m.flags for m in models], np.uint32), lasers,
        phases=np.array([m.phases for m in models]).reshape(-1, 2), fits=_modern_fits(models, lasers),
        grid=_grid(ids), form="modern solution",
    )  # fmt: skip


class _Model:
    """The fits of one pixel of a modern solution."""

    def __init__(self) -> None:
        self.coefficients = (np.nan, np.nan, np.nan)
        self.flags = _bits(("wavecal.bad", "wavecal.not_attempted"))
        self.phases = (np.nan, np.nan)
        self.waves: tuple[float, ...] = ()
        self.center: tuple[float, ...] = ()
        self.error: tuple[float, ...] = ()


def _modern_pixel(item: Any) -> _Model:
    """What one element of `fit_array` says."""
    out = _Model()
    model = item.get("calibration") if isinstance(item, dict) else None
    if model is None or not hasattr(model, "get"):
        return out
    flag = model.get("flag")
    result = model.get("best_fit_result")
    text = result[2] if isinstance(result, tuple) and len(result) > 2 else None
    x, energy, variance = (model.get(name) for name in ("x", "y", "variance"))
    if all(isinstance(v, np.ndarray) and v.ndim == 1 and v.dtype.kind == "f" for v in (x, energy, variance)):
        from ifuview.model.photons.lists import HC

        usable = np.isfinite(energy) & (energy > 0) & np.isfinite(x)
        out.waves = tuple((HC / energy[usable]).tolist())
        out.center, out.error = tuple(x[usable].tolist()), tuple(np.sqrt(np.abs(variance[usable])).tolist())
        if usable.any():
            out.phases = float(x[usable].min()), float(x[usable].max())
    if flag == GOOD_MODEL and isinstance(text, str):
        out.coefficients = plain_coefficients(text)
        linear = "Linear" in getattr(model, "name", "")
        out.flags = WAVE_BIT["wavecal.linear" if linear else "wavecal.quadratic"]
        if not np.isfinite(out.coefficients).all():
            out.flags = _bits(("wavecal.bad", "wavecal.failed_validation"))
    else:
        name = MODEL_FLAGS.get(flag) if isinstance(flag, int) else None
        out.flags = _bits(("wavecal.bad", name or "wavecal.failed_validation"))
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
    known, place = _unique_rows(ids, path)
    own = table[place].astype(np.float64)
    good = np.isfinite(own).all(axis=1) & (np.abs(own).max(axis=1) > 0)
    kind = np.where(own[:, 0] == 0, WAVE_BIT["wavecal.linear"], WAVE_BIT["wavecal.quadratic"])
    flags = np.where(good, kind, _bits(("wavecal.bad", "wavecal.failed_validation"))).astype(np.uint32)
    name = _stem(path).removesuffix("_cal_coeffs")
    return WavelengthSolution(
        name, known, np.where(good[:, None], own, np.nan), flags, np.empty(0), form="table of coefficients"
    )


def _old_flat(path: str, file: File) -> FlatSolution:
    """`/flatcal/calsoln` of 2018."""
    table, edges = dataset(file, "flatcal/calsoln"), dataset(file, "flatcal/wavelengthBins")
    names = () if table is None else table.dtype.names or ()
    if table is None or edges is None or not {"resid", "weights", "weightUncertainties"} <= set(names):
        raise FileFormatError(UNKNOWN.format(FLATCAL), path)
    edges = array(path, file, "flatcal/wavelengthBins", ndim=1).astype(np.float64)
    with reading(path, "the flat"):
        rows = table[:]
    ids, place = _unique_rows(rows["resid"], path)
    rows = rows[place]
    weights = np.asarray(rows["weights"], np.float64)
    errors = np.asarray(rows["weightUncertainties"], np.float64)
    good = np.isfinite(weights) & (weights > 0)
    if "weightFlags" in names:
        good &= rows["weightFlags"] == 0
    whole = rows["flag"] == 0 if "flag" in names else np.ones(len(ids), bool)
    grid = dataset(file, "header/beamMap")
    return FlatSolution(
        _stem(path), ids, (edges[:-1] + edges[1:]) / 2, np.where(good, weights, np.nan),
        np.where(good, errors, np.nan), flat_flags(good & whole[:, None]), edges,
        counts=np.asarray(rows["spectrum"], np.float64) if "spectrum" in names else None,
        grid=None if grid is None else _grid(array(path, file, "header/beamMap", ndim=2)), form="flat of 2018",
    )  # fmt: skip


def flat_flags(valid: Array) -> Array:
    """Flag bits of resonators from which of their weights (n, m) are valid."""
    none, some = ~valid.any(axis=1), ~valid.all(axis=1)
    bits = np.where(some, FLAT_BIT["flatcal.not_all_weights_valid"], 0)
    return np.where(none, FLAT_BIT["flatcal.bad"] | FLAT_BIT["flatcal.not_all_weights_valid"], bits).astype(np.uint32)


def _modern_flat(path: str, ctx: JobContext) -> FlatSolution:
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
    known, place = _unique_rows(ids, path)
    weights, errors = (v.reshape(-1, len(waves))[place].astype(np.float64) for v in (weights, errors))
    bits = flags.reshape(-1)[place].astype(np.uint32) & np.uint32(3)
    polynomial = found.get("coeff_array")
    if polynomial is not None:
        if polynomial.shape[:2] != shape or polynomial.ndim != 3:
            raise FileFormatError(f"has polynomials {polynomial.shape} for {shape} pixels", path)
        polynomial = polynomial.reshape(-1, polynomial.shape[2])[place].astype(np.float64)
    good = np.isfinite(weights) & (bits[:, None] & FLAT_BIT["flatcal.bad"] == 0)
    return FlatSolution(
        _stem(path), known, waves.astype(np.float64), np.where(good, weights, np.nan), np.where(good, errors, np.nan),
        bits, polynomial=polynomial, method="interpolation" if polynomial is None else "polynomial", grid=_grid(ids),
        form="modern flat",
    )  # fmt: skip


def write_calibration(path: str, solution: WavelengthSolution | FlatSolution) -> None:
    """Write a solution in ifuview's own form: HDF5 with plain arrays, named as the fields of the solution.

    Raises
    ------
    UsageError
        It cannot be written; nothing is left behind.
    """
    with whole_file(path) as part:
        _write(part, solution)


def _write(part: str, solution: WavelengthSolution | FlatSolution) -> None:
    import h5py

    wave = isinstance(solution, WavelengthSolution)
    with h5py.File(part, "w") as file:
        words = {
            "format": OWN, "version": str(VERSION), "kind": WAVECAL if wave else FLATCAL, "name": solution.name,
            "sources": json.dumps(solution.sources), "flags": json.dumps(list(WAVE_BIT if wave else FLAT_BIT)),
        }  # fmt: skip
        if isinstance(solution, FlatSolution):
            words |= {"method": solution.method, "source": solution.source}
        for name, text in words.items():
            file.attrs[name] = np.bytes_(text.encode("utf-8")[:MAX_WORD])
        for name, values in array_fields(solution).items():
            _put(file, name, values)
        fits = solution.fits if isinstance(solution, WavelengthSolution) else None
        if fits is not None:
            group = file.create_group("fits")
            for name, values in array_fields(fits).items():
                _put(group, name, values)


def _put(group: Group, name: str, values: Array) -> None:
    packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if values.size > 1000 else {}
    group.create_dataset(name, data=values, **packed)


def _arrays(path: str, file: File, names: Mapping[str, int], group: str = "") -> dict[str, Array]:
    """Arrays of a file by name with so many dimensions; those that are not there are left out."""
    return {
        name: array(path, file, f"{group}{name}", ndim=ndim)
        for name, ndim in names.items()
        if dataset(file, f"{group}{name}") is not None
    }


def _needed(path: str, found: Mapping[str, Array], names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in found]
    if missing:
        raise MissingDataError(f"the calibration has no {', '.join(missing)}", path, "make it again")


def _sources(file: File) -> tuple[str, ...]:
    try:
        listed = json.loads(_word(file, "sources") or "[]")
    except ValueError:
        return ()
    return tuple(str(item) for item in listed) if isinstance(listed, list) else ()


def _own_wavecal(path: str, file: File) -> WavelengthSolution:
    names = {"ids": 1, "coefficients": 2, "flags": 1, "lasers": 1, "covariance": 3, "phases": 2, "grid": 2}
    found = _arrays(path, file, names)
    _needed(path, found, ("ids", "coefficients", "flags", "lasers"))
    fits = None
    if "fits" in file:
        own = _arrays(path, file, {
            "status": 2, "photons": 2, "center": 2, "center_error": 2, "sigma": 2, "sigma_error": 2, "parameters": 3,
            "chi2": 2, "resolution": 2, "resolution_error": 2, "width": 2, "histograms": 3, "edges": 1,
        }, "fits/")  # fmt: skip
        _needed(path, own, ("status", "photons", "center", "parameters", "resolution", "width"))
        fits = LaserFits(**own)
    return WavelengthSolution(
        name=_word(file, "name") or _stem(path), fits=fits, sources=_sources(file), form="ifuview", **found
    )


def _own_flat(path: str, file: File) -> FlatSolution:
    names = {"ids": 1, "waves": 1, "weights": 2, "errors": 2, "flags": 1, "edges": 1, "polynomial": 2, "counts": 2,
             "grid": 2}  # fmt: skip
    found: dict[str, Any] = dict(_arrays(path, file, names))
    _needed(path, found, ("ids", "waves", "weights", "errors", "flags"))
    text: dict[str, Any] = {name: _word(file, name) or default for name, default in
            (("name", _stem(path)), ("method", "interpolation"), ("source", "white"))}  # fmt: skip
    return FlatSolution(sources=_sources(file), form="ifuview", **text, **found)


def row_of_pixel(solution: WavelengthSolution | FlatSolution, x: int, y: int) -> int:
    """Row of a solution that belongs to a pixel.

    Raises
    ------
    MissingDataError
        The pixel has none, or the solution does not say where its resonators are.
    """
    grid = solution.grid
    if grid is None or not (0 <= y < grid.shape[0] and 0 <= x < grid.shape[1]):
        raise MissingDataError(f"the calibration has no pixel {x}, {y}", solution.name)
    row = int(rows_of(solution.ids, grid[y, x]))
    if row < 0:
        raise MissingDataError(f"the pixel {x}, {y} has no resonator in the calibration", solution.name)
    return row
