"""Headers and units of the products."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ifuview.model.checks import Array, Header
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit
from ifuview.model.reduction.products import ReductionRecord

FLUX_UNIT = "erg/s/cm2/Angstrom"
SCALED = re.compile(r"\s*(?P<factor>[-+0-9.eE]+)\s+(?P<unit>\S.*)")
STRUCTURE = re.compile(
    r"SIMPLE|BITPIX|NAXIS\d*|EXTEND|EXTNAME|BSCALE|BZERO|CHECKSUM|DATASUM|COMMENT|HISTORY|END|PCOUNT|GCOUNT|\w*SEC|BUNIT"
    r"|C(TYPE|RVAL|RPIX|DELT|UNIT)\d|"
)
LONGEST = 8  # characters of a card's name
PART = 64  # rows, or planes of a cube, that are in double precision at a time
PRINTABLE = re.compile(r"[\x20-\x7e]*")


def raw_cards(header: Header) -> fits.Header:
    """What a raw header says of the exposure, without what it says of the raw array."""
    out = fits.Header()
    for key, value in header.items():
        name = str(key).strip().upper()
        if STRUCTURE.fullmatch(name) or len(name) > LONGEST or not re.fullmatch(r"[A-Z0-9_-]+", name):
            continue
        if isinstance(value, str):
            if PRINTABLE.fullmatch(value):
                out[name] = value.rstrip()
        elif isinstance(value, (bool, int, float)) and np.isfinite(value):
            out[name] = value
    return out


def scaled(values: Array, unit: str, power: int = 1) -> tuple[NDArray[np.float64], str]:
    """Values of a unit such as "1e-17 erg/s/cm2/Angstrom" in the plain one, and that."""
    found = SCALED.fullmatch(unit)
    if found is None:
        return np.asarray(values, np.float64), unit
    return np.asarray(values, np.float64) * float(found["factor"]) ** power, found["unit"]


def wave_cards(wave: Array, axis: int = 1) -> dict[str, object]:
    """Linear wavelengths of an axis."""
    step = float((wave[-1] - wave[0]) / (wave.size - 1))
    return {
        f"CRVAL{axis}": float(wave[0]), f"CDELT{axis}": step, f"CRPIX{axis}": 1.0, f"CTYPE{axis}": "pixel",
        f"CUNIT{axis}": "Angstrom",
    }  # fmt: skip


def single(values: Array, unit: str) -> tuple[NDArray[np.float32], str]:
    """As `scaled`, in single precision."""
    out = np.empty(values.shape, np.float32)
    for some in _parts(len(out)):
        out[some] = scaled(values[some], unit)[0]
    return out, scaled(values[:0], unit)[1]


def error_of(variance: Array, mask: Array, unit: str) -> NDArray[np.float32]:
    """Errors in the plain unit; 0 where masked."""
    out = np.empty(variance.shape, np.float32)
    for some in _parts(len(out)):
        good = (mask[some] & int(UNUSABLE) == 0) & (variance[some] > 0)
        out[some] = np.where(good, scaled(np.sqrt(np.maximum(variance[some], 0)), unit)[0], 0.0)
    return out


def _parts(count: int) -> list[slice]:
    return [slice(start, start + PART) for start in range(0, count, PART)]


def image(data: Array, name: str, cards: Mapping[str, object] | None = None, unit: str = "") -> fits.ImageHDU:
    """An image HDU."""
    hdu = fits.ImageHDU(np.ascontiguousarray(data), name=name)
    _put(hdu.header, cards or {}, unit)
    hdu.header["EXTNAME"] = name  # in the case of letters that it is known by
    return hdu


def primary(data: Array, name: str, header: fits.Header, cards: Mapping[str, object], unit: str) -> fits.PrimaryHDU:
    """The first HDU, with the cards of the raw exposure."""
    hdu = fits.PrimaryHDU(np.ascontiguousarray(data))
    hdu.header.extend(header, update=True)
    _put(hdu.header, cards, unit)
    hdu.header["EXTNAME"] = name
    return hdu


def _put(header: fits.Header, cards: Mapping[str, object], unit: str) -> None:
    for key, value in cards.items():
        if isinstance(value, float) and not np.isfinite(value):
            continue
        header[key] = value
    if unit:
        header["BUNIT"] = unit


def comments(header: fits.Header, lines: tuple[str, ...]) -> None:
    """Add sentences for people."""
    for line in lines:
        header.add_comment("".join(c if " " <= c <= "~" else "?" for c in line))


def mask_image(mask: Array, name: str = "mask") -> fits.ImageHDU:
    """A mask with the names of its bits as cards MB0, MB1 ..."""
    hdu = image(np.asarray(mask, np.uint32).view(np.int32), name)
    for bit in ReductionBit:
        hdu.header[f"MB{bit.bit_length() - 1}"] = bit.name
    return hdu


def provenance(record: ReductionRecord) -> fits.BinTableHDU:
    """A table of every parameter and of the checksum of every input."""
    rows = [("parameter", name, value) for name, value in record.parameters.items()]
    rows += [("input", name, value) for name, value in record.inputs.items()]
    rows += [("note", str(number), note) for number, note in enumerate(record.notes, 1)]
    columns = []
    for n, title in enumerate(("kind", "name", "value")):
        texts = ["".join(c if " " <= c <= "~" else "?" for c in row[n]) for row in rows]
        width = max([1, *map(len, texts)])
        columns.append(fits.Column(title, f"{width}A", array=np.array(texts, dtype=f"S{width}")))
    hdu = fits.BinTableHDU.from_columns(columns, name="provenance")
    hdu.header["VERSION"] = (f"ifuview {record.version}".strip(), "program that wrote this")
    hdu.header["EXTNAME"] = "provenance"
    return hdu
