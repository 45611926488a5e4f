"""Files of the plan: image, traces, wavelengths, fibers of the head; and the diagnosis of one image, made once."""

from __future__ import annotations

import os
import weakref
import zlib

import numpy as np
from numpy.typing import NDArray

from ifuview import io
from ifuview.app.plan.values import Path, RawSpectrum, Traces, TraceSolution, traces_in
from ifuview.app.traces.diagnosis import diagnose_image
from ifuview.app.traces.diagnosis_files import read_wavelengths
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.traces.doctor import TraceDiagnosis

FORMATS = ("auto", "fits", "ecsv", "csv", "json", "table")
_last: dict[tuple[int, ...], TraceDiagnosis] = {}  # of the pixels and traces asked last


def load_raw_2d_spectrum(filename: Path) -> RawSpectrum:
    """Return the first image of a file as an array (cross-dispersion, dispersion) with its `header`.

    ``data, header = raw.pair()`` gives both; `raw.image` has errors and mask too.

    Parameters
    ----------
    filename : str or path

    Raises
    ------
    UsageError
        There is no image in the file.
    """
    dataset = io.open_dataset(os.fspath(filename))
    if not dataset.images:
        raise UsageError("there is no image in this file", os.fspath(filename))
    image = dataset.images[0]
    return RawSpectrum(image.canonical(), image.header, image)


def load_trace_solution(filename: Path, format: str = "auto") -> TraceSolution:
    """Return fiber id -> {x_pixels, y_pixels, wavelength, fiber_id}; the TraceSet is the attribute `traces`.

    Parameters
    ----------
    filename : str or path
        DESI, LVM, sampled FITS, FITS table, ECSV, CSV or JSON.
    format : str
        "auto"; the content of the file says what it is.

    Returns
    -------
    TraceSolution
        `x_pixels` (n,) pixels along dispersion, `y_pixels` (n,) pixels across, `wavelength` (n,) Angstrom or None;
        valid points only. So it is for every instrument: where dispersion runs along the y axis of the detector
        (DESI), CSV and JSON files, which hold native pixels, have x and y the other way around.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no trace format {format!r}", todo="leave it to auto")
    traces = io.read_traces(filename, None, None)
    out = TraceSolution()
    column = np.arange(traces.ncol, dtype=float)
    for k, name in enumerate(traces.fiber_id):
        good = np.asarray(traces.valid)[k] & np.isfinite(traces.center[k])
        wave = None if traces.wave is None else traces.wave[k][good]
        out[name] = {"x_pixels": column[good], "y_pixels": traces.center[k][good], "wavelength": wave, "fiber_id": name}
    out.traces = traces
    return out


def load_wavelength_solution(filename: Path) -> NDArray[np.float64]:
    """Return the wavelength of every fiber and column, shape (nfiber, ndisp), Angstrom.

    Parameters
    ----------
    filename : str or path
        Of spectra or traces with wavelengths.
    """
    wave: NDArray[np.float64] = read_wavelengths(os.fspath(filename))[0]
    return wave


def load_fiber_bundle_metadata(filename: Path) -> FiberMap:
    """Return the table of fibers of a file (ids, blocks, roles, positions), to be given as `fiber_positions`.

    Parameters
    ----------
    filename : str or path

    Raises
    ------
    UsageError
        There is no table with a row per fiber in it.
    """
    table = io.open_dataset(os.fspath(filename)).fibermap
    if table is None:
        raise UsageError("holds no table of fibers", os.fspath(filename), "give a file with one row per fiber")
    return table


def image_of(raw: Array) -> Image:
    """The Image that an array came from while it holds the same pixels, else the array as an image without errors."""
    pixels = np.asarray(raw, np.float32)
    if isinstance(raw, RawSpectrum) and raw.image is not None and raw.ndim == 2:
        given = raw.image.canonical()
        if given.shape == pixels.shape and np.array_equal(given, pixels, equal_nan=True):
            return raw.image
    if pixels.ndim != 2 or not pixels.size:
        raise UsageError(f"an array of shape {pixels.shape} is no detector image", todo="give (rows, columns)")
    return Image("image", Kind.DETECTOR, Pixels(pixels))


def diagnosis_of(raw: Array, traces: Traces) -> TraceDiagnosis:
    """The diagnosis of traces on an image; that of the last pixels and traces is kept as long as the image is."""
    found = traces_in(traces, raw)
    sums = (zlib.crc32(np.ascontiguousarray(a).tobytes()) for a in (raw, found.center))
    key = (*sums, hash(found.fiber_id), *raw.shape)
    if key not in _last:
        made = diagnose_image(image_of(raw), found)
        _last.clear()
        _last[key] = made
        weakref.finalize(raw, _last.pop, key, None)
        return made
    return _last[key]
