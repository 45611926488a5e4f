"""Binary tables of FITS as numpy columns, without astropy."""

from __future__ import annotations

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.fits.cards import word
from ifuview.io.fits.fast import Hdu, label
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import Table
from ifuview.model.fibers import unknown
from ifuview.model.pixels import HALF, unsigned

FORMATS = {
    "L": ("S1", 1),
    "B": ("u1", 1),
    "I": (">i2", 2),
    "J": (">i4", 4),
    "K": (">i8", 8),
    "E": (">f4", 4),
    "D": (">f8", 8),
    "C": (">c8", 8),
    "M": (">c16", 16),
}  # FITS standard 4.0, table 18
DESCRIPTOR = {"P": 8, "Q": 16}  # bytes of a variable-length column's pointer
MAX_TEXT = 1 << 16  # bytes of one text cell that is taken seriously


def read_table(hdu: Hdu, columns: tuple[str, ...] | None = None) -> Table:
    """Return the columns of a binary table in native byte order.

    Variable-length and bit columns are left out; logical columns become bool,
    texts become str without trailing blanks, TSCAL and TZERO are applied; what is TNULL is unknown (see `unknown`).

    Parameters
    ----------
    hdu : Hdu
    columns : tuple of str, optional
        Only these (upper case). Default: all.

    Raises
    ------
    FileFormatError
        The header does not describe the bytes that are there.
    """
    header = hdu.header
    where = label(hdu.info)
    if hdu.info.kind != "table" or header.get("XTENSION") != "BINTABLE":
        raise FileFormatError("is no binary table", where)
    if hdu.data is None and hdu.size:
        raise MissingDataError("the table was not read", where)
    rows, width = (_whole(header.get(key)) for key in ("NAXIS2", "NAXIS1"))
    if len(hdu.data or b"") < rows * width:
        raise FileFormatError("the table is shorter than its header says", where)
    raw = np.frombuffer(hdu.data or b"", np.uint8, rows * width).reshape(rows, width)
    out: dict[str, Array] = {}
    units: dict[str, str] = {}
    offset = 0
    for number in range(1, _count(header) + 1):
        code, repeat, size = _format(header.get(f"TFORM{number}"), where)
        name = word(header.get(f"TTYPE{number}")) or f"col{number}"
        if offset + size > width:
            raise FileFormatError(f"column {name} lies outside the row", where)
        if columns is None or name.upper() in columns:
            cells = np.ascontiguousarray(raw[:, offset : offset + size])
            column = _column(cells, code, repeat, header, number)
            if column is not None:
                out[name] = column
                units[name] = word(header.get(f"TUNIT{number}"))
        offset += size
    return Table(hdu.info.name, out, units)


def _count(header: Header) -> int:
    """TFIELDS, as far as the standard allows."""
    return min(_whole(header.get("TFIELDS")), 999)


def _whole(value: object) -> int:
    """A whole number of a header, 0 if there is none."""
    return value if type(value) is int else 0


def _format(form: object, where: str) -> tuple[str, int, int]:
    """Code, repeat count and bytes of a TFORM like `500D`."""
    text = word(form).upper()
    digits = len(text) - len(text.lstrip("0123456789"))
    repeat, code = int(text[:digits] or 1) if digits < 10 else -1, text[digits : digits + 1]
    if code in FORMATS:
        size = FORMATS[code][1] * repeat
    elif code == "A":
        size = repeat
    elif code == "X":
        size = (repeat + 7) // 8
    elif code in DESCRIPTOR and repeat <= 1:
        size = DESCRIPTOR[code] * repeat
    else:
        size = -1
    if size < 0:
        raise FileFormatError(f"a column has the unknown format {form!r}", where)
    return code, repeat, size


def _column(cells: Array, code: str, repeat: int, header: Header, number: int) -> Array | None:
    """One column of the rows' bytes, None if it is of a kind that is not read."""
    rows = cells.shape[0]
    if code == "A":
        if not 0 < repeat <= MAX_TEXT:
            return np.full(rows, "")
        texts = cells.view(f"S{repeat}").reshape(rows)
        return np.char.rstrip(np.char.decode(texts, "latin-1"))
    if code not in FORMATS or repeat == 0:
        return None
    values = cells.view(FORMATS[code][0]).reshape((rows, *_dimensions(header.get(f"TDIM{number}"), repeat)))
    if code == "L":
        return np.asarray(values == b"T")
    values = values.astype(values.dtype.newbyteorder("="))
    scaled = _scaled(values, header.get(f"TSCAL{number}"), header.get(f"TZERO{number}"))
    null = header.get(f"TNULL{number}")  # of integers, as they are stored
    return scaled if type(null) is not int or values.dtype.kind not in "iu" else unknown(scaled, values == null)


def _dimensions(tdim: object, repeat: int) -> tuple[int, ...]:
    """Shape of a cell; a TDIM that does not fit is not believed."""
    try:
        sizes = tuple(int(part) for part in word(tdim).strip("()").split(","))[::-1]
    except ValueError:
        sizes = ()
    product = 1
    for size in sizes:
        product *= size
    if sizes and all(size > 0 for size in sizes) and product == repeat:
        return sizes if sizes != (1,) else ()
    return () if repeat == 1 else (repeat,)


def _scaled(values: Array, scale: object, zero: object) -> Array:
    """TSCAL and TZERO; integers with the unsigned convention stay integers."""
    factor = float(scale) if isinstance(scale, (int, float)) and scale else 1.0
    offset = float(zero) if isinstance(zero, (int, float)) else 0.0
    if factor == 1 and offset == 0:
        return values
    if factor == 1 and values.dtype.kind in "iu" and values.dtype.itemsize < 8 and offset.is_integer():
        return values.astype(np.int64) + int(offset)
    if factor == 1 and values.dtype.kind == "i" and offset == HALF:
        whole = unsigned(values)
        return whole if np.any(whole >= HALF) else whole.astype(np.int64)
    return np.asarray(values * factor + offset)
