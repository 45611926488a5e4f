"""Parts that the readers of instrument products share: layers, amplifiers, fibers, files that belong together."""

from __future__ import annotations

import os

import numpy as np

from ifuview import instrument as instruments
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError
from ifuview.files import FITS_SUFFIXES
from ifuview.io.fits.fast import FitsFile, stored
from ifuview.io.fits.plain import hdu_pixels
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.table import read_table
from ifuview.io.products.fiber_table import fiber_map
from ifuview.model.checks import Array, Header
from ifuview.model.fibers import FiberMap
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.pixels import Pixels

ANCESTORS = 5  # folders above a product that a production may begin in
FIBER_TABLES = ("FIBERMAP", "SLITMAP")
NIGHT_DIGITS, EXPOSURE_DIGITS = 8, 8


def instrument_of(probe: FileProbe) -> InstrumentSpec:
    """The instrument that the file speaks of."""
    return instruments.instrument(instruments.recognize(probe.header, probe.names))


def layer(
    fits: FitsFile, name: str, shape: tuple[int, ...], notes: list[str], ctx: JobContext = SILENT
) -> Pixels | None:
    """Pixels of the HDU `name` if it is there, readable and of `shape`; else None, with a note if it ought to fit."""
    hdu = fits.find(name)
    if hdu is None or not hdu.has_image:
        return None
    try:
        found = hdu_pixels(hdu, ctx)
    except IfuviewError as problem:
        notes.append(f"{name} is left out: {problem}")
        return None
    if found.shape != shape:
        notes.append(f"{name} is left out: its shape {found.shape} is not {shape}")
        return None
    return found


def wavelengths(fits: FitsFile, names: tuple[str, ...], nspec: int, nwave: int, notes: list[str]) -> Array | None:
    """Wavelength array (nwave,) or (nspec, nwave) in Angstrom from the first HDU of `names` that fits."""
    for name in names:
        hdu = fits.find(name)
        if hdu is None or hdu.info.kind != "image" or hdu.data is None:
            continue
        if hdu.info.shape in ((nwave,), (nspec, nwave)):
            values = stored(hdu).astype(np.float64)
            return values * 1e10 if np.nanmax(np.abs(values)) < 1e-4 else values
        notes.append(f"{name} is left out: its shape {hdu.info.shape} does not fit {nspec} x {nwave} spectra")
    return None


def fibers(fits: FitsFile, spec: InstrumentSpec, count: int, notes: list[str]) -> FiberMap | None:
    """The fiber table of a file if it has one row for each of `count` spectra (any number if 0)."""
    for name in FIBER_TABLES:
        hdu = fits.find(name)
        if hdu is None or hdu.info.kind != "table":
            continue
        try:
            table = read_table(hdu)
        except IfuviewError as problem:
            notes.append(f"{name} is left out: {problem}")
            return None
        rows = hdu.info.shape[0]
        if table.columns and count in (0, rows):
            return fiber_map(table, spec)
        notes.append(f"{name} is left out: it has {rows} rows for {count} spectra")
    return None


def numbered_fibers(header: Header, spec: InstrumentSpec, count: int) -> FiberMap | None:
    """Fibers of a file without a table, numbered as the instrument numbers them; None unless all are there."""
    if not spec.nfiber or count != spec.nfiber:
        return None
    camera = str(spec.keyword("camera", header) or "")
    digits = "".join(letter for letter in camera if letter.isdecimal())
    first = int(digits) * count if spec.numbered and 0 < len(digits) <= 2 else 0
    fiber = np.arange(count)
    block = fiber // spec.block_size if spec.block_size else None
    return FiberMap(fiber=fiber, fiber_id=tuple(str(first + row) for row in range(count)), block=block)


def family(path: str, known: tuple[str, ...]) -> str:
    """Product family from the beginning of the file name, "" if it is none of `known`."""
    name = os.path.basename(path).lower()
    fitting = [word for word in known if name.startswith(word)]
    return max(fitting, key=len, default="")


def companions(path: str, header: Header, spec: InstrumentSpec) -> tuple[str, ...]:
    """Files that belong to a product: the first that exists of each kind the instrument names."""
    words = _words(path, header, spec)
    if words is None:
        return ()
    here = os.path.dirname(os.path.abspath(path))
    out = []
    for patterns in spec.companions.values():
        found = next((file for pattern in patterns for file in _above(here, pattern.format(**words))), None)
        if found is not None and os.path.abspath(found) != os.path.abspath(path):
            out.append(found)
    return tuple(out)


def _words(path: str, header: Header, spec: InstrumentSpec) -> dict[str, str] | None:
    """Camera, night and exposure as file names spell them; None without a camera."""
    camera, night, expid = (spec.keyword(key, header) for key in ("camera", "night", "expid"))
    if camera is None:
        return None
    folders = os.path.dirname(os.path.abspath(path)).split(os.sep)
    if night is None:
        night = next((part for part in reversed(folders) if len(part) == NIGHT_DIGITS and part.startswith("20")), "")
    number = f"{expid:0{EXPOSURE_DIGITS}d}" if isinstance(expid, int) else str(expid or "")
    words = {"camera": str(camera).strip().lower(), "night": str(night).strip(), "expid": number}
    return {key: word.replace(os.sep, "_") for key, word in words.items()}


def _above(folder: str, pattern: str) -> list[str]:
    """Existing files of that name, with any suffix, in the folder or one above it, nearest first."""
    out = []
    for _ in range(ANCESTORS):
        out += [base for suffix in FITS_SUFFIXES if os.path.isfile(base := os.path.join(folder, pattern + suffix))]
        folder = os.path.dirname(folder)
    return out


def mask_layer(
    fits: FitsFile, name: str, shape: tuple[int, ...], notes: list[str], ctx: JobContext = SILENT
) -> Pixels | None:
    """A mask; BLANK has no meaning in it."""
    found = layer(fits, name, shape, notes, ctx)
    return found if found is None or found.blank is None else Pixels(found.raw, found.scale, found.zero)
