"""Traces of the fibers on the detector, where an instrument file says how a product holds them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.polynomial import polynomial

from ifuview import instrument as instruments
from ifuview.errors import FileFormatError, UsageError
from ifuview.io.fits.fast import FitsFile
from ifuview.io.fits.table import read_table
from ifuview.io.products.layers import Hdus
from ifuview.io.products.trace_files import coefficient_tables, may_be_traces, there
from ifuview.io.spectral.axis import angstrom_per
from ifuview.io.traces.legendre import flipped
from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.orientation import Orientation
from ifuview.model.product import TraceSpec
from ifuview.model.trace import TraceSet

FORMS = ("index", "knot", "value")  # columns of a table of splines
LEAST_KNOTS = 4
ON_THE_SKY = -1.0  # px; positions on the detector are not below that, positions on the sky about a center are


def product_traces(
    fits: FitsFile, shape: tuple[int, int] | None, orientation: Orientation | None, part: str = ""
) -> TraceSet | None:
    """Traces of a file that the instrument it speaks of describes; None if it describes none.

    Parameters
    ----------
    fits : FitsFile
    shape : (int, int) or None
        Canonical (ncross, ndisp) of the detector image they are for.
    orientation : Orientation or None
        Of that image.
    part : str, optional
        EXTNAME of the table, where a file has several detectors.

    Raises
    ------
    FileFormatError, UsageError
        They cannot be read, or it is not said which of several are meant.
    """
    cards = {key: value for hdu in reversed(fits.hdus) for key, value in hdu.header.items()}
    names = frozenset(name for name in fits.names if name)
    instrument = instruments.instrument(instruments.recognize(cards, names, fits.path))
    for product in instrument.products:
        if product.traces is not None and may_be_traces(product, fits):
            found = _read(product.traces, fits, shape, part)
            if found is not None:
                return _placed(found, instrument, shape, orientation)
    return None


def _read(spec: TraceSpec, fits: FitsFile, shape: tuple[int, int] | None, part: str) -> TraceSet | None:
    """Native traces: positions at every pixel along dispersion."""
    if not there(spec, fits, part):
        return None
    if spec.hdu:
        return _of_image(spec, fits)
    size = shape[1] if shape is not None else spec.length
    return _of_polynomials(spec, fits, size, part) if spec.table else _of_splines(spec, fits, size)


def _of_image(spec: TraceSpec, fits: FitsFile) -> TraceSet | None:
    """An image of positions, one row a fiber."""
    source = Hdus(fits)
    layer = source.find(spec.hdu)
    if layer is None or len(layer.shape) != 2:
        return None
    center = layer.values()
    along = source.find(spec.along) if spec.along else None
    if np.nanmin(center) < ON_THE_SKY:
        text = f"{spec.hdu} are positions on the sky, not on the detector"
        raise FileFormatError(text, fits.path, "open a file from before the spectra were combined")
    if along is not None and along.shape == layer.shape:
        center = _at_pixels(along.values(), center)
    return TraceSet(fiber=np.arange(len(center)), center=center)


def _at_pixels(along: Array, center: Array) -> Array:
    """Positions at whole pixels of what is sampled at the pixels `along`; NaN outside."""
    from scipy.interpolate import CubicSpline

    size = int(np.nanmax(along)) + 1
    pixel = np.arange(size, dtype=np.float64)
    out = np.full((len(center), size), np.nan)
    for row, (x, y) in enumerate(zip(along, center)):
        good = np.isfinite(x) & np.isfinite(y)
        where, first = np.unique(x[good], return_index=True)
        if len(where) >= LEAST_KNOTS:
            inside = (pixel >= where[0]) & (pixel <= where[-1])
            out[row, inside] = CubicSpline(where, y[good][first])(pixel[inside])
    return out


def _of_polynomials(spec: TraceSpec, fits: FitsFile, size: int, part: str) -> TraceSet | None:
    """A table of one polynomial a row, of which the pixels are counted from `first`."""
    tables = coefficient_tables(spec, fits, part)
    if len(tables) > 1:
        known = ", ".join(hdu.info.name for hdu in tables[:4])
        text = f"holds the traces of {len(tables)} detectors ({known}, ...)"
        raise UsageError(text, fits.path, f"name one, as {os.path.basename(fits.path)}[{tables[0].info.name}]")
    columns = read_table(tables[0]).columns
    own = sorted(name for name in columns if name.lower().startswith(spec.coefficients.lower()))
    coefficients = np.stack([columns[name].astype(np.float64) for name in own])
    pixel = np.arange(size, dtype=np.float64) + spec.first
    center = polynomial.polyval(pixel, coefficients) - spec.first
    return TraceSet(np.arange(len(center)), center, coeff=coefficients.T, basis="poly",
                    fiber_id=_identities(columns.get(spec.fiber_id)))  # fmt: skip


def _of_splines(spec: TraceSpec, fits: FitsFile, size: int) -> TraceSet:
    """Splines through the knots of each fiber."""
    layer = Hdus(fits).find(spec.offsets) if spec.offsets else None
    across, along = np.zeros((2, 0)) if layer is None or len(layer.shape) != 2 else layer.values()[:2]
    centers = _splines(spec.splines, fits, size, along)
    centers = {i: center + (across[i] if i < across.size else 0.0) for i, center in centers.items()}
    waves = _splines(spec.waves, fits, size, along) if spec.waves and Hdus(fits).hdu(spec.waves) is not None else {}
    index = sorted(centers)
    wave = None
    if index and all(i in waves for i in index):
        wave = np.stack([waves[i] for i in index]) * (angstrom_per(spec.unit) or 1.0)
    ids = Hdus(fits).find(spec.fiber_id) if spec.fiber_id else None
    names = None if ids is None else ids.values().astype(np.int64)
    own = names[index] if names is not None and index and names.size > index[-1] else None
    return TraceSet(np.array(index), np.stack([centers[i] for i in index]), wave=wave, fiber_id=_identities(own))


def _splines(name: str, fits: FitsFile, size: int, along: Array) -> dict[int, Array]:
    """Index of the fiber to the value of its spline at every pixel; the knots of fiber i lie at `along[i]` more.

    Raises
    ------
    FileFormatError
        It is no table of knots.
    """
    from scipy.interpolate import CubicSpline

    hdu = Hdus(fits).hdu(name)
    columns: Mapping[str, Array] = {} if hdu is None or hdu.info.kind != "table" else read_table(hdu).columns
    if not all(form in columns for form in FORMS):
        raise FileFormatError(f"{name} is no table of knots ({', '.join(FORMS)})", fits.path)
    index, knot, value = (np.asarray(columns[form]) for form in FORMS)
    pixel = np.arange(size, dtype=np.float64)
    out = {}
    for fiber in np.unique(index).tolist():
        own = index == fiber
        where, first = np.unique(knot[own].astype(np.float64), return_index=True)
        if len(where) >= LEAST_KNOTS:
            step = along[fiber] if fiber < along.size else 0.0
            out[int(fiber)] = np.asarray(CubicSpline(where + step, value[own][first].astype(np.float64))(pixel))
    if not out:
        raise FileFormatError(f"no fiber of {name} has {LEAST_KNOTS} knots", fits.path)
    return out


def _identities(numbers: Array | None) -> tuple[str, ...]:
    """Numbers of the fibers as text, if each has its own."""
    if numbers is None or len(set(numbers.tolist())) != len(numbers):
        return ()
    return tuple(str(number).strip() for number in numbers.tolist())


def _placed(
    traces: TraceSet, instrument: InstrumentSpec, shape: tuple[int, int] | None, orientation: Orientation | None
) -> TraceSet:
    """In canonical axes."""
    if shape is not None and traces.ncol != shape[1]:
        text = f"the traces have {traces.ncol} pixels along dispersion, the image has {shape[1]}"
        raise FileFormatError(text, todo="open the traces of this detector")
    lies = orientation or instrument.orientation
    good = np.isfinite(traces.center)
    wave = traces.center if traces.wave is None else traces.wave
    ncross = shape[0] if shape is not None else 0
    center, given, valid, _ = flipped(lies, ncross, traces.center, wave, good, None)
    return replace(traces, center=center, wave=None if traces.wave is None else given, valid=valid)
