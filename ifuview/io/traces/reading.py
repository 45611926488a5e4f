"""Fiber traces of any known form, found out from the content of the file.

FITS: Legendre coefficients (XTRACE, YTRACE, or rows of a PSF table), sampled
arrays (one row a fiber), tables. Text: ECSV, CSV and JSON of the trace plan
(`fiber_id, x_pixels, y_pixels, wavelength`).
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.inputs import regular_file
from ifuview.io.fits.fast import FitsFile, read_fits
from ifuview.io.fits.spec import parse_spec
from ifuview.io.packed import is_packed
from ifuview.io.products.traces import product_traces
from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

Path = str | os.PathLike[str]
COEFFICIENTS = ("XTRACE", "YTRACE")  # Legendre coefficients of x and y, a row for each fiber
FAR = 0.5  # a trace set whose fibers lie outside the detector by more than this fraction is of another detector


def read_traces(
    path: Path,
    shape: tuple[int, int] | None = None,
    orientation: Orientation | None = None,
    ctx: JobContext = SILENT,
) -> TraceSet:
    """Read traces and bring them to canonical axes.

    Parameters
    ----------
    path : str or path
        Of a file with several detectors with the EXTNAME of one, as file.fits[CHAN03].
    shape : (int, int), optional
        Canonical (ncross, ndisp) of the detector image they are for. Default: what the file says.
    orientation : Orientation, optional
        Of that image. Default: what the file says or, for tables, what the traces look like.
    ctx : JobContext, optional

    Raises
    ------
    FileFormatError
        No traces, another detector size, no or duplicate fibers, not-a-number, a missing or wrong column.
    """
    given = parse_spec(path)
    path, part = given.path, given.hdu if isinstance(given.hdu, str) else ""
    regular_file(path)
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith(b"SIMPLE") or is_packed(start):
        return traces_of(read_fits(path, ctx), shape, orientation, part)
    from ifuview.io.traces.table import read_text_traces

    return _checked(read_text_traces(path, shape, orientation), path, shape)


def traces_of(
    fits: FitsFile, shape: tuple[int, int] | None = None, orientation: Orientation | None = None, part: str = ""
) -> TraceSet:
    """Traces of an open FITS file, of its HDU `part` where it has several; see `read_traces`."""
    names = set(fits.names)
    if set(COEFFICIENTS) <= names or ("PSF" in names and _has_psf_rows(fits)):
        from ifuview.io.traces.legendre import legendre_traces

        return _checked(legendre_traces(fits, shape, orientation), fits.path, shape)
    from ifuview.io.traces.sampled import is_sampled, sampled_traces

    if is_sampled(fits):
        return _checked(sampled_traces(fits, shape, orientation), fits.path, shape)
    found = product_traces(fits, shape, orientation, part)
    if found is not None:
        return _checked(found, fits.path, shape)
    if any(hdu.info.kind == "table" for hdu in fits.hdus):
        from ifuview.io.traces.table import fits_table_traces

        return _checked(fits_table_traces(fits, shape, orientation), fits.path, shape)
    what = ", ".join(name for name in fits.names if name) or "one image without a name"
    raise MissingDataError(f"holds no fiber traces (it has: {what})", fits.path)


def positions(path: Path, wave: Array, ctx: JobContext = SILENT) -> tuple[Array, Array]:
    """Positions across and along dispersion at some wavelengths, of traces that are polynomials of wavelength.

    Raises
    ------
    FileFormatError, MissingDataError
        The file cannot be read, or has no such traces.
    """
    from ifuview.io.traces.legendre import positions as at

    fits = read_fits(os.fspath(path), ctx, lambda name: name in COEFFICIENTS)
    return at(fits if set(COEFFICIENTS) <= set(fits.names) else read_fits(os.fspath(path), ctx), wave)


def has_trace_table(fits: FitsFile) -> bool:
    """Whether a file without images holds traces in a table."""
    for hdu in fits.hdus:
        names = {str(value).strip().lower() for key, value in hdu.header.items() if key.startswith("TTYPE")}
        if hdu.info.kind == "table" and {"x_pixels", "y_pixels"} <= names:
            return True
    return _has_psf_rows(fits)


def _has_psf_rows(fits: FitsFile) -> bool:
    """Whether the PSF table is one row per parameter."""
    hdu = fits.find("PSF")
    return hdu is not None and "PARAM" in {hdu.header.get(f"TTYPE{n}") for n in range(1, 10)}


def _checked(traces: TraceSet, path: str, shape: tuple[int, int] | None) -> TraceSet:
    """Check what all forms have in common and note where the traces came from.

    Raises
    ------
    FileFormatError
        Unfit for the detector or for any use.
    """
    if traces.nfiber == 0 or traces.ncol == 0:
        raise FileFormatError("the trace file has no fibers", path)
    unique, counts = np.unique(np.array(traces.fiber_id), return_counts=True)
    if len(unique) < traces.nfiber:
        twice = ", ".join(unique[counts > 1][:5])
        raise FileFormatError(f"the trace file has fibers more than once: {twice}", path)
    if not np.isfinite(traces.center).any():
        raise FileFormatError("the trace positions are all not-a-number", path)
    if shape is not None:
        if traces.ncol != shape[1]:
            text = f"the traces have {traces.ncol} pixels along dispersion, the image has {shape[1]}"
            raise FileFormatError(text, path, "open the traces of this detector")
        outside = np.nanmean((traces.center < -1) | (traces.center > shape[0]))
        if outside > FAR:
            low, high = np.nanmin(traces.center), np.nanmax(traces.center)
            text = f"the traces run from {low:.0f} to {high:.0f} across dispersion, the image has {shape[0]} pixels"
            raise FileFormatError(text, path, "open the traces of this detector")
    name = os.path.basename(path)
    provenance = replace(traces.provenance, inputs=(path,), step=traces.provenance.step or "read")
    return replace(traces, name=name, provenance=provenance)
