"""What the program knows of an image, as values of specutils and astropy; both are imported when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifuview.errors import MissingDataError, UsageError
from ifuview.instrument.catalog import instrument
from ifuview.io.objects.missing import needed
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.inspection import FiberSpectrum

if TYPE_CHECKING:
    from astropy.nddata import CCDData
    from astropy.table import Table
    from specutils import Spectrum

SPECTRA = (Kind.SPECTRUM, Kind.RSS, Kind.CUBE)
STRUCTURE = ("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "BSCALE", "BZERO", "BLANK")


def to_spectrum(image: Image, fiber: int | None = None) -> Spectrum:
    """The spectra of an image as a specutils Spectrum.

    Parameters
    ----------
    image : Image
        One spectrum, row-stacked spectra or a cube, with wavelengths.
    fiber : int or None
        Row of row-stacked spectra; None: all of them, which need wavelengths in common.

    Returns
    -------
    Spectrum
        Flux (n,), (nfiber, n) or (ny, nx, n) in the unit of the file, spectral axis in Angstrom, uncertainty
        InverseVariance, mask True where any bit is set.

    Raises
    ------
    UsageError
        The image has no spectra, or each fiber has wavelengths of its own.
    MissingDataError
        specutils is not there.
    """
    specutils = needed("specutils")
    from astropy import units
    from astropy.nddata import InverseVariance

    if image.kind not in SPECTRA or image.wave is None:
        raise UsageError("has no spectra with wavelengths", image.name, "extract them first, or use to_ccddata")
    wave, parts = image.wave, arrays(image)
    if image.kind is Kind.CUBE:
        parts = {name: None if a is None else np.moveaxis(a, 0, -1) for name, a in parts.items()}
    elif image.kind is Kind.SPECTRUM:
        parts = {name: None if a is None else a[0] for name, a in parts.items()}
        wave = wave.reshape(-1)
    elif fiber is not None:
        if not 0 <= fiber < image.shape[0]:
            raise UsageError(f"there is no fiber {fiber}", image.name, f"choose 0 to {image.shape[0] - 1}")
        parts = {name: None if a is None else a[fiber] for name, a in parts.items()}
        wave = wave[fiber] if wave.ndim == 2 else wave
    elif wave.ndim == 2:
        raise UsageError("each fiber has wavelengths of its own", image.name, "name one: to_spectrum(fiber=0)")
    ivar = parts["ivar"]
    return specutils.Spectrum(
        flux=parts["data"] * unit_of(image),
        spectral_axis=wave * units.AA,
        uncertainty=None if ivar is None else InverseVariance(ivar),
        mask=parts["mask"],
        meta={"name": image.name, "medium": image.medium, **cards(image)},
    )


def to_ccddata(image: Image, plane: tuple[int, ...] | None = None) -> CCDData:
    """An image as CCDData with uncertainty (InverseVariance), mask (True = bad), header and WCS.

    Parameters
    ----------
    image : Image
    plane : tuple of int, optional
        One plane of a cube; by default all of it, without WCS.

    Raises
    ------
    MissingDataError
        astropy is not there.
    """
    from astropy.nddata import CCDData, InverseVariance

    parts = arrays(image, plane)
    ivar = parts["ivar"]
    return CCDData(
        parts["data"],
        unit=unit_of(image),
        uncertainty=None if ivar is None else InverseVariance(ivar),
        mask=parts["mask"],
        header=cards(image),
        wcs=_wcs(image, 2 if plane is not None else image.pixels.ndim),
    )


def to_table(dataset: Dataset, image: Image | None = None) -> Table:
    """What a file has to tabulate: its fibers, its traces, its spectrum, or its first table.

    Raises
    ------
    MissingDataError
        There is nothing of the kind.
    """
    from astropy.table import Table

    image = image or (dataset.images[0] if dataset.images else None)
    fibers = dataset.fibermap if image is None or image.fibermap is None else image.fibermap
    if fibers is not None and fibers.table:
        return Table({name: np.asarray(column) for name, column in fibers.table.items()}, meta={"name": "fibers"})
    if fibers is not None:
        columns = {"fiber": fibers.fiber, "fiber_id": fibers.fiber_id, "role": [str(r) for r in fibers.role],
                   "block": fibers.block, "ra": fibers.ra, "dec": fibers.dec}  # fmt: skip
        return Table({name: column for name, column in columns.items() if column is not None})
    if dataset.traces is not None:
        return _traces(dataset, image)
    if image is not None and image.kind is Kind.SPECTRUM:
        return _spectrum(image)
    for table in dataset.tables:
        out = Table({name: np.asarray(column) for name, column in table.columns.items()}, meta={"name": table.name})
        for name, unit in table.units.items():
            out[name].unit = _unit(unit)
        return out
    raise MissingDataError("has no fibers, traces or tables", dataset.spec or dataset.path, "open a file with them")


def _traces(dataset: Dataset, image: Image | None) -> Table:
    """Traces in the long form that `show` and `-traces` read: native pixels, one row a point.

    Where it is not known how the detector lies in its file, the columns are called column and center instead.
    """
    from astropy.table import Table

    traces = dataset.traces
    assert traces is not None and traces.valid is not None
    row, column = np.nonzero(traces.valid & np.isfinite(traces.center))
    center = traces.center[row, column]
    out = {"fiber_id": np.array(traces.fiber_id)[row]}
    detector = image if image is not None and image.kind is Kind.DETECTOR else None
    lies = detector.orientation if detector is not None else instrument(dataset.instrument).orientation
    if detector is not None or not (lies.flip_cross or lies.flip_disp):
        shape = (0, 0) if detector is None else detector.shape
        out["x_pixels"], out["y_pixels"] = lies.to_native(center, column, shape)
    else:
        out |= {"column": column, "center": center}
    if traces.wave is not None:
        out["wavelength"] = traces.wave[row, column]
    return Table(out, meta={"name": traces.name})


def _spectrum(image: Image) -> Table:
    """One spectrum: wavelength, flux, ivar, mask."""
    from astropy import units
    from astropy.table import QTable, Table

    parts = {name: None if a is None else a[0] for name, a in arrays(image).items()}
    assert parts["data"] is not None
    out = QTable({"flux": parts["data"] * unit_of(image)}, meta={"name": image.name})
    if image.wave is not None:
        out.add_column(image.wave.reshape(-1) * units.AA, name="wavelength", index=0)
    for name in ("ivar", "mask"):
        if parts[name] is not None:
            out[name] = parts[name]
    return Table(out)


def spectrum_table(spectrum: FiberSpectrum) -> Table:
    """A spectrum of one fiber: wavelength (Angstrom), or pixel where that is not known, flux, error, mask (1 = bad)."""
    from astropy import units
    from astropy.table import Table

    out = Table(meta={"FIBER": spectrum.fiber_id, "METHOD": spectrum.method, "FRAME": spectrum.label})
    if spectrum.wave is not None:
        out["wavelength"] = np.asarray(spectrum.wave, np.float64) * units.AA
    else:
        out["pixel"] = spectrum.pixel
    out["flux"] = np.asarray(spectrum.flux, np.float64)
    if spectrum.error is not None:
        out["error"] = np.asarray(spectrum.error, np.float64)
    for name in ("flux", "error"):
        if name in out.colnames and spectrum.unit:
            out[name].unit = _unit(spectrum.unit)
    out["mask"] = np.asarray(spectrum.masked).astype(np.uint8)
    return out


def arrays(image: Image, plane: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Values, inverse variance and mask (True = bad) in the shape of the file; None where unknown."""

    def of(pixels: Any) -> Array | None:
        return None if pixels is None else (pixels if plane is None else pixels.plane(plane)).native()

    mask = of(image.mask)
    return {"data": of(image.pixels), "ivar": of(image.ivar), "mask": None if mask is None else mask != 0}


def unit_of(image: Image) -> Any:
    """The astropy unit of an image; dimensionless where the file names none, unrecognized where nobody knows it."""
    return _unit(image.unit)


def _unit(text: str) -> Any:
    import warnings

    from astropy import units

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return units.Unit(text, parse_strict="silent") if text else units.dimensionless_unscaled


def cards(image: Image) -> dict[str, Any]:
    """The header without what the array says itself, and what is no value of a card."""
    return {k: v for k, v in image.header.items() if is_card(k, v)}


def is_card(keyword: str, value: object) -> bool:
    """Whether a card says something by itself: not of the structure of its file, no comment."""
    plain = isinstance(value, (str, int, float, bool))
    return plain and not keyword.startswith(STRUCTURE) and keyword not in ("", "COMMENT", "HISTORY", "CONTINUE")


def _wcs(image: Image, ndim: int) -> Any:
    """The WCS of the axes of an image, None where there is none that astropy understands."""
    import warnings

    from astropy.io.fits import Header
    from astropy.wcs import WCS

    known = {k: v for k, v in image.wcs.items() if is_card(k, v) and len(k) <= 8}
    if not any(k.startswith("CTYPE") for k in known):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = Header(known)
        try:
            found = WCS(header)
        except Exception:  # whatever wcslib raises of cards that it does not understand
            return None
    return found if found.naxis == ndim else None
