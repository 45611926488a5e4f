"""Values of other packages as a Dataset: arrays, HDU lists, CCDData, spectra, tables; each known by its shape.

None of these packages is imported: whoever holds such a value has done so. What already is a format of files (an HDU
list, a table) is written to a file of its own and read as any other, so that instruments, errors and masks are known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ifuview.errors import UsageError
from ifuview.io import open_dataset
from ifuview.io.objects.folder import new_folder
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

TRACE_COLUMNS = {"x_pixels", "y_pixels"}
POWERS = {"ivar": 1, "var": -1, "std": -2}  # of what an uncertainty is called by NDData, to the inverse variance
KINDS = {1: Kind.SPECTRUM, 2: Kind.RSS, 3: Kind.CUBE}  # of spectra, by their axes
KNOWN = "an array, an HDU list, CCDData, a Spectrum, a table, a Dataset or the path of a file"
MOST_AXES = 5


def dataset_of(value: Any, name: str = "", **details: Any) -> Dataset:
    """What a value of another package is to the program.

    Parameters
    ----------
    value : array_like, HDUList, HDU, NDData, CCDData, Spectrum, DataFrame, Table, Dataset, Image, str or path
        An array may be masked or a Quantity; it is copied unless it is a memory map.
    name : str
        What it is called; by default by its kind.
    **details
        Of arrays: `kind` ("image", "detector", "rss", "cube", "spectrum"), `unit`, `wave` (Angstrom; (nx,), (ny, nx) or
        (nwave,) of a cube), `ivar` or `error` and `mask` of the array's shape, `header` (a mapping).

    Raises
    ------
    UsageError
        It is nothing that can be shown, or the parts do not fit together.
    FileFormatError, MissingDataError
        What is wrong with the content.
    """
    own = _own(value, name)
    if own is not None:
        _no_details(details, value)
        return own
    if hasattr(value, "spectral_axis") and hasattr(value, "flux"):
        return _of_spectrum(value, name, details)
    if hasattr(value, "uncertainty") and hasattr(value, "data"):
        return _of_nddata(value, name, details)
    if hasattr(value, "columns") and hasattr(value, "__getitem__") and not isinstance(value, np.ndarray):
        _no_details(details, value)
        return _of_table(value, name)
    return _of_array(value, name or "array", details)


def _own(value: Any, name: str) -> Dataset | None:
    """The Dataset of what is a file, in the memory or on disk, or one of the program's own values."""
    if isinstance(value, Dataset):
        return value
    if isinstance(value, Image):
        return Dataset("", name or value.name, images=(value,), fibermap=value.fibermap)
    if isinstance(value, (str, os.PathLike)):
        return open_dataset(os.fspath(value))
    if hasattr(value, "writeto") and hasattr(value, "verify"):
        return _of_hdus(value, name)
    return None


def _no_details(details: Mapping[str, Any], value: Any) -> None:
    if details:
        words = ", ".join(details)
        raise UsageError(f"{words} can be given with an array only", type(value).__name__, "leave it out")


def _of_hdus(hdus: Any, name: str) -> Dataset:
    """An HDU list, or one HDU, as the file that it would be."""
    file = getattr(hdus, "filename", None)
    stem = os.path.splitext(os.path.basename((file() if callable(file) else "") or ""))[0]
    path = os.path.join(new_folder(), f"{_file_name(name or stem or 'hdus')}.fits")
    hdus.writeto(path, overwrite=True, output_verify="silentfix")
    return open_dataset(path)


def _of_table(table: Any, name: str) -> Dataset:
    """A DataFrame or an astropy table: traces by their columns, else spectra."""
    columns = [str(c) for c in getattr(table, "colnames", table.columns)]
    traces = set(columns) >= TRACE_COLUMNS
    base = os.path.join(new_folder(), _file_name(name or ("traces" if traces else "table")))
    if hasattr(table, "to_csv"):
        table.to_csv(f"{base}.csv", index=table.index.name is not None)
        return open_dataset(f"{base}.csv")
    table.write(f"{base}.ecsv", format="ascii.ecsv", overwrite=True)
    return open_dataset(f"{base}.ecsv")


def _of_nddata(value: Any, name: str, details: Mapping[str, Any]) -> Dataset:
    """NDData and CCDData: values, uncertainty, mask, unit, header and WCS."""
    header = dict(getattr(value, "meta", None) or {})
    if value.wcs is not None and hasattr(value.wcs, "to_header"):
        header |= dict(value.wcs.to_header(relax=True))
    given = {"unit": _unit(value.unit), "mask": value.mask, "header": header, **_errors(value.uncertainty)}
    return _of_array(np.asarray(value.data), name or type(value).__name__, {**given, **details})


def _of_spectrum(value: Any, name: str, details: Mapping[str, Any]) -> Dataset:
    """A spectrum, row-stacked spectra or a cube of specutils, in Angstrom."""
    axis = value.spectral_axis
    wave = np.asarray(axis.to_value("Angstrom", equivalencies=_spectral()) if hasattr(axis, "to_value") else axis)
    flux = np.asarray(value.flux.value)
    place = int(getattr(value, "spectral_axis_index", None) or 0) if flux.ndim > 2 else flux.ndim - 1
    if flux.ndim not in KINDS:
        raise UsageError(f"a spectrum of {flux.ndim} axes cannot be shown", name, "give one with 1 to 3 axes")
    backwards = wave.size > 1 and wave[0] > wave[-1]

    def turned(array: Any) -> Array:
        """Wavelength first in a cube and last elsewhere, rising."""
        out = np.moveaxis(np.asarray(array), place, 0) if flux.ndim == 3 else np.asarray(array)
        if not backwards:
            return out
        return out[::-1] if flux.ndim == 3 else out[..., ::-1]

    mask = None if value.mask is None else turned(value.mask)
    given = {"kind": KINDS[flux.ndim], "wave": wave[::-1] if backwards else wave, "unit": _unit(value.unit),
             "mask": mask, **_errors(value.uncertainty, turned)}  # fmt: skip
    return _of_array(turned(flux), name or "spectrum", {**given, **details})


def _spectral() -> Any:
    from astropy import units

    return units.spectral()


def _errors(uncertainty: Any, turned: Callable[[Any], Array] = np.asarray) -> dict[str, Any]:
    """The keywords of an array for an uncertainty of NDData."""
    if uncertainty is None or uncertainty.uncertainty_type not in POWERS:
        return {}
    return {"ivar": Pixels(turned(uncertainty.array), power=POWERS[uncertainty.uncertainty_type])}


def _unit(unit: Any) -> str:
    return "" if unit is None else str(unit)


def _of_array(value: Any, name: str, details: Mapping[str, Any]) -> Dataset:
    """Numbers, with what was said of them."""
    unknown = set(details) - {"kind", "unit", "wave", "ivar", "error", "mask", "header"}
    if unknown:
        raise UsageError(f"does not know {', '.join(sorted(unknown))}", "show", "see help(ifuview.show)")
    data = _numbers(value)
    mask = details.get("mask")
    if mask is None and np.ma.is_masked(value):
        mask = np.ma.getmaskarray(value)
    wave = details.get("wave")
    wave = None if wave is None else np.asarray(wave, np.float64)
    header = {str(k): v for k, v in dict(details.get("header") or {}).items()}
    image = Image(
        name, _kind(details.get("kind"), data, wave), Pixels(data), ivar=_ivar(details), unit=details.get("unit") or
        _unit(getattr(value, "unit", None)), mask=None if mask is None else Pixels(np.asarray(mask).astype(np.uint32)),
        wave=wave, header=header, wcs=header,
    )  # fmt: skip
    _check_wave(image)
    return Dataset("", name, images=(image,))


def _numbers(value: Any) -> Array:
    """The numbers of an array, which nobody can change any more."""
    if hasattr(value, "compute"):  # a lazy array
        value = value.compute()
    raw = np.asarray(getattr(value, "value", value) if hasattr(value, "unit") else value)
    if isinstance(value, np.ma.MaskedArray):
        raw = np.ma.getdata(value)
    if raw.dtype.kind == "b":
        raw = raw.astype(np.uint8)
    if raw.dtype.kind not in "iuf" or not 1 <= raw.ndim <= MOST_AXES:
        what = f"{type(value).__name__} of {raw.dtype}, {raw.ndim} axes"
        raise UsageError(f"cannot be shown: it is a {what}", "show", f"give {KNOWN}")
    mapped = isinstance(value, np.memmap) or isinstance(getattr(value, "base", None), np.memmap)
    return raw if mapped else raw.copy()


def _kind(word: Any, data: Array, wave: Array | None) -> Kind:
    """What the axes mean: as said, else by their number and the wavelengths."""
    if word is not None:
        try:
            return Kind(str(word))
        except ValueError:
            raise UsageError(f"there is no kind {word}", "show", f"choose {', '.join(Kind)}") from None
    if data.ndim == 1:
        return Kind.SPECTRUM
    if data.ndim == 2:
        return Kind.IMAGE if wave is None else Kind.RSS
    return Kind.CUBE


def _ivar(details: Mapping[str, Any]) -> Pixels | None:
    """Inverse variance, as it is or by its 1 sigma errors."""
    given, error = details.get("ivar"), details.get("error")
    if given is not None:
        return given if isinstance(given, Pixels) else Pixels(np.array(given, np.float64))
    return None if error is None else Pixels(np.array(error, np.float64), power=-2)


def _check_wave(image: Image) -> None:
    if image.wave is None:
        return
    along = image.nplanes if image.kind is Kind.CUBE else image.shape[1]
    fits = image.wave.shape == (along,) or (image.kind is Kind.RSS and image.wave.shape == image.shape)
    if not fits:
        text = f"wave has shape {image.wave.shape} where ({along},) is needed"
        raise UsageError(text, image.name, "give one wavelength (Angstrom) for each pixel along dispersion")


def _file_name(name: str) -> str:
    """A name that can be one of a file."""
    return "".join(c if c.isalnum() or c in "-_.+" else "_" for c in name).lstrip(".") or "data"


def named(dataset: Dataset, name: str) -> Dataset:
    """A Dataset of the memory by another name."""
    if not name or dataset.path:
        return dataset
    images = (replace(dataset.images[0], name=name), *dataset.images[1:]) if dataset.images else ()
    return replace(dataset, spec=name, images=images)
