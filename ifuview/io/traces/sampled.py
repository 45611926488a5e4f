"""Traces as arrays: one row a fiber, one column a dispersion pixel, by EXTNAME."""

from __future__ import annotations

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.instrument import instrument, recognize
from ifuview.io.fits.fast import FitsFile, Hdu, pixels, stored
from ifuview.io.fits.table import read_table
from ifuview.io.traces.legendre import flipped
from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.model.quality import TraceBit
from ifuview.model.trace import TraceSet

CENTERS = ("TRACE", "CENTER", "CENT_TRACE", "XPOS", "PRIMARY", "")
WIDTHS = ("SIGMA", "WIDTH_SIGMA")
FWHMS = ("FWHM", "WIDTH_TRACE", "WIDTH")
WAVES = ("WAVE", "WAVELENGTH", "WAVE_TRACE")
BASES = {"legendre": "legendre", "chebyshev": "chebyshev", "poly": "poly", "polynomial": "poly"}
FWHM_PER_SIGMA = 2.3548200450309493  # sqrt(8 ln 2)
MIN_COLUMNS = 16  # fewer are coefficients, not samples


def is_sampled(fits: FitsFile) -> bool:
    """Whether the file is one of sampled traces: a center image with something that only traces have beside it."""
    hdu = centers_hdu(fits)
    if hdu is None:
        return False
    return bool({"COEFFS", "SAMPLES"} & set(fits.names)) or hdu.info.name.upper() in ("TRACE", "CENTER", "CENT_TRACE")


def sampled_traces(fits: FitsFile, shape: tuple[int, int] | None, orientation: Orientation | None) -> TraceSet:
    """Return the traces of an image of centers with its errors, widths, bad pixels and fiber table.

    Raises
    ------
    FileFormatError
        The arrays do not fit each other or the detector.
    """
    hdu = centers_hdu(fits)
    if hdu is None:
        raise MissingDataError("has no image of trace centers", fits.path)
    center = _values(hdu)
    nfiber, ncol = center.shape
    if shape is not None and ncol != shape[1]:
        text = f"the traces have {ncol} pixels along dispersion, the image has {shape[1]}"
        raise FileFormatError(text, fits.path, "open the traces of this detector")
    good = np.isfinite(center)
    bad = fits.find("BADPIX")
    if bad is not None and bad.info.kind == "image" and bad.info.shape == center.shape:
        good &= stored(bad) == 0
    center = np.where(np.isfinite(center), center, np.nan)
    status = np.zeros(nfiber, np.uint32)
    status[~good.any(axis=1)] = TraceBit.NOT_FITTED
    width = _layer(fits, WIDTHS, center.shape)
    fwhm = _layer(fits, FWHMS, center.shape)
    if width is None and fwhm is not None:
        width = fwhm / FWHM_PER_SIGMA
    lies = orientation or instrument(recognize(fits.primary, fits.names)).orientation
    error = _layer(fits, ("ERROR",), center.shape)
    wave = _layer(fits, WAVES, center.shape)
    ncross = shape[0] if shape is not None else 0
    if lies.flip_disp and error is not None:
        error = error[:, ::-1]
    center, given, good, width = flipped(lies, ncross, center, center if wave is None else wave, good, width)
    coefficients = fits.find("COEFFS")
    known = coefficients is not None and coefficients.info.kind == "image" and len(coefficients.info.shape) == 2
    basis = str(coefficients.header.get("SMOOKIND", "")).strip().lower() if coefficients is not None and known else ""
    return TraceSet(
        fiber=np.arange(nfiber), center=center, sigma=width, wave=None if wave is None else given, valid=good,
        error=error, coeff=_values(coefficients) if coefficients is not None and known else None,
        basis=BASES.get(basis, "sampled"), status=status, fiber_id=_identities(fits, nfiber),
    )  # fmt: skip


def centers_hdu(fits: FitsFile) -> Hdu | None:
    """The image of centers: by name, else the primary."""
    for name in CENTERS:
        hdu = fits.find(name) if name else fits.hdus[0]
        if hdu is not None and hdu.info.kind == "image" and len(hdu.info.shape) == 2 and 0 not in hdu.info.shape:
            return hdu if hdu.info.shape[1] >= MIN_COLUMNS else None
    return None


def _values(hdu: Hdu) -> Array:
    """Scaled values in double precision."""
    found = pixels(hdu)
    values = found.raw.astype(np.float64) * found.scale + found.zero
    return values if found.blank is None else np.where(found.raw == found.blank, np.nan, values)


def _layer(fits: FitsFile, names: tuple[str, ...], shape: tuple[int, ...]) -> Array | None:
    """The first image of `names` that has `shape`."""
    for name in names:
        hdu = fits.find(name)
        if hdu is not None and hdu.info.kind == "image" and hdu.info.shape == shape:
            return _values(hdu)
    return None


def _identities(fits: FitsFile, nfiber: int) -> tuple[str, ...]:
    """Fiber numbers of the fiber table, if it has a row for each trace and no number twice."""
    spec = instrument(recognize(fits.primary, fits.names))
    for name in ("SLITMAP", "FIBERMAP"):
        hdu = fits.find(name)
        if hdu is None or hdu.info.kind != "table" or hdu.info.shape != (nfiber,):
            continue
        columns = read_table(hdu).columns
        key = next((key for key in spec.columns.get("fiber_id", ()) if key in columns), None)
        if key is not None and len(set(columns[key].tolist())) == nfiber:
            return tuple(str(value) for value in columns[key].tolist())
    return ()
