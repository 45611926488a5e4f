"""Wavelength solutions and flats of 2018: HDF5 tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.io.hdf5.file import array, dataset, reading
from ifuview.io.hdf5.heap import Heaps
from ifuview.io.photons.calibrations.common import (
    FLATCAL,
    UNKNOWN,
    WAVECAL,
    as_text,
    pixel_grid,
    solution_name,
    unique_rows,
    wave_bits,
)
from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FlatSolution, flat_flags
from ifuview.model.photons.wavelength_solution import HistogramStatus, LaserFits, WavelengthSolution

if TYPE_CHECKING:
    from h5py import File

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
FWHM = 2.3548200450309493  # sigma


def old_wavecal(path: str, file: File) -> WavelengthSolution:
    """`/wavecal/calsoln` of 2018."""
    table = dataset(file, "wavecal/calsoln")
    names = () if table is None else table.dtype.names or ()
    if table is None or not {"resid", "wave_flag", "polyfit"} <= set(names):
        raise FileFormatError(UNKNOWN.format(WAVECAL), path)
    with reading(path, "the wavelength solution"):
        rows = table[:]
    lasers = _first_row(path, file, "header/wavelengths")
    ids, place = unique_rows(rows["resid"], path)
    rows = rows[place]
    known = np.isin(rows["wave_flag"], OLD_SOLVED)
    table_of = np.array([wave_bits(OLD_FLAGS.get(i, ("wavecal.bad",))) for i in range(12)], np.uint32)
    flags = table_of[np.minimum(rows["wave_flag"], 11)]
    coefficients = np.where(known[:, None], np.asarray(rows["polyfit"], np.float64).reshape(len(ids), -1), np.nan)
    if coefficients.shape[1] != 3:
        raise FileFormatError(f"has {coefficients.shape[1]} coefficients for each resonator, not 3", path)
    grid = dataset(file, "header/beamMap")
    files = _first_row(path, file, "header/obsFiles")
    waves = np.empty(0) if lasers is None else np.sort(lasers.astype(np.float64))
    return WavelengthSolution(
        name=solution_name(path), ids=ids, coefficients=coefficients, flags=flags, lasers=waves,
        fits=_old_fits(rows, lasers),
        grid=None if grid is None else pixel_grid(array(path, file, "header/beamMap", ndim=2)),
        sources=() if files is None else tuple(as_text(f) for f in files.tolist()), form="solution of 2018",
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


def old_flat(path: str, file: File) -> FlatSolution:
    """`/flatcal/calsoln` of 2018."""
    table, edges = dataset(file, "flatcal/calsoln"), dataset(file, "flatcal/wavelengthBins")
    names = () if table is None else table.dtype.names or ()
    if table is None or edges is None or not {"resid", "weights", "weightUncertainties"} <= set(names):
        raise FileFormatError(UNKNOWN.format(FLATCAL), path)
    edges = array(path, file, "flatcal/wavelengthBins", ndim=1).astype(np.float64)
    with reading(path, "the flat"):
        rows = table[:]
    ids, place = unique_rows(rows["resid"], path)
    rows = rows[place]
    weights = np.asarray(rows["weights"], np.float64)
    errors = np.asarray(rows["weightUncertainties"], np.float64)
    good = np.isfinite(weights) & (weights > 0)
    if "weightFlags" in names:
        good &= rows["weightFlags"] == 0
    whole = rows["flag"] == 0 if "flag" in names else np.ones(len(ids), bool)
    grid = dataset(file, "header/beamMap")
    return FlatSolution(
        name=solution_name(path), ids=ids, waves=(edges[:-1] + edges[1:]) / 2, weights=np.where(good, weights, np.nan),
        errors=np.where(good, errors, np.nan), flags=flat_flags(good & whole[:, None]), edges=edges,
        counts=np.asarray(rows["spectrum"], np.float64) if "spectrum" in names else None,
        grid=None if grid is None else pixel_grid(array(path, file, "header/beamMap", ndim=2)), form="flat of 2018",
    )  # fmt: skip
