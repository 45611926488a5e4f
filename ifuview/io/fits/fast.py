"""Walk any FITS file with numpy alone: every header, and pixels as they lie in the file.

This is on the road to the first painted pixel: no astropy, no regular
expressions, no copy. Sizes are taken from the FITS standard 4.0, sections 3
to 7. A file that is cut off, damaged or no FITS raises FileFormatError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.fits.cards import CARD_SIZE, as_header, image_cards, parse_cards, real, word
from ifuview.io.source import InflatedSource, MappedSource, open_source
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import Card, HduInfo
from ifuview.model.pixels import Pixels

BLOCK = 2880  # bytes, FITS standard 3.1
MAX_HEADER = 16 << 20  # bytes; the longest real headers are below 1 MiB
MOST_HDUS = 20_000  # the largest files of many exposures have some thousands
MAX_NAXIS = 999  # FITS standard 4.4.1.1
END = b"END     "
DTYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
NAMES = {8: "uint8", 16: "int16", 32: "int32", 64: "int64", -32: "float32", -64: "float64"}
UNSIGNED = {"int16": 2.0**15, "int32": 2.0**31, "int64": 2.0**63}  # BZERO of the unsigned convention, 5.2.5


@dataclass(frozen=True, slots=True, eq=False)
class Hdu:
    """One HDU and where its bytes are.

    Parameters
    ----------
    info : HduInfo
    header : mapping
        Keyword to value.
    data : memoryview or None
        The stored bytes, without padding; None if there are none or they were passed over.
    size : int
        Bytes of the data unit, without padding.
    raw_header : bytes
        The header blocks as stored.
    """

    info: HduInfo
    header: Header
    data: memoryview | None
    size: int
    raw_header: bytes = b""

    @property
    def has_image(self) -> bool:
        """Whether there are pixels to show, tile-compressed or not."""
        return self.info.kind in ("image", "compressed image") and bool(self.info.shape) and 0 not in self.info.shape


@dataclass(frozen=True, slots=True, eq=False)
class FitsFile:
    """All HDUs of one file.

    Parameters
    ----------
    path : str
    hdus : tuple of Hdu
    notes : tuple of str
        Oddities that do not hinder reading.
    """

    path: str
    hdus: tuple[Hdu, ...]
    notes: tuple[str, ...] = ()

    @property
    def primary(self) -> Header:
        """Header of the first HDU."""
        return self.hdus[0].header

    @property
    def names(self) -> tuple[str, ...]:
        """EXTNAMEs in upper case, "" where there is none."""
        return tuple(hdu.info.name.upper() for hdu in self.hdus)

    def find(self, name: str, version: int | None = None) -> Hdu | None:
        """First HDU of that EXTNAME, in any case of letters; "PRIMARY" is the first HDU."""
        wanted = name.strip().upper()
        for hdu in self.hdus:
            if hdu.info.name.upper() == wanted and version in (None, hdu.info.version):
                return hdu
        return self.hdus[0] if wanted == "PRIMARY" and version in (None, 1) else None

    def select(self, which: int | str, version: int | None = None) -> Hdu:
        """The HDU of that number or EXTNAME.

        Raises
        ------
        MissingDataError
            There is none; the message lists those there are.
        """
        if isinstance(which, int):
            if 0 <= which < len(self.hdus):
                return self.hdus[which]
            raise MissingDataError(f"there is no HDU {which}; the file has 0 to {len(self.hdus) - 1}", self.path)
        hdu = self.find(which, version)
        if hdu is None:
            label = which if version is None else f"{which},{version}"
            known = ", ".join(dict.fromkeys(name for name in self.names if name)) or "none has a name"
            raise MissingDataError(f"there is no HDU named {label} (there are: {known})", self.path)
        return hdu


def read_fits(path: str, ctx: JobContext = SILENT, keep: Callable[[str], bool] | None = None) -> FitsFile:
    """Walk through all HDUs of a FITS file.

    Parameters
    ----------
    path : str
        Plain, gzip or bzip2 file, or one inside an archive.
    ctx : JobContext, optional
        Checked while inflating.
    keep : callable(str) -> bool, optional
        Whether the data of the HDU of that EXTNAME (upper case) of a *compressed* file are
        held in memory. Plain files are mapped and cost nothing. Default: all.

    Raises
    ------
    FileFormatError
        No FITS, cut off or damaged; says which HDU and how many bytes are missing.
    """
    if os.path.lexists(path):
        source, mapped = open_source(path, ctx)
    else:
        from ifuview.io.archive.paths import member_source

        source, mapped = member_source(path, ctx), True
    notes: list[str] = []
    try:
        hdus = tuple(_walk(source, path, None if mapped else keep, notes, ctx))
    finally:
        source.close()
    return FitsFile(path, hdus, tuple(notes))


def fits_of(data: bytes, path: str) -> FitsFile:
    """The HDUs of a FITS file that lies in memory; `path` is what it is called in messages."""
    notes: list[str] = []
    hdus = tuple(_walk(MappedSource(data), path, None, notes))
    return FitsFile(path, hdus, tuple(notes))


def stored(hdu: Hdu) -> Array:
    """The stored numbers of an image HDU as they lie in the file (a view, big-endian)."""
    if hdu.data is None or hdu.info.kind != "image":
        raise MissingDataError(f"the pixels of {label(hdu.info)} were not read")
    dtype = np.dtype(DTYPES[_integer(hdu.header, "BITPIX", hdu.info.name)])
    count = 1
    for axis in hdu.info.shape:
        count *= axis
    if count * dtype.itemsize > len(hdu.data):
        raise FileFormatError(f"the header of {label(hdu.info)} contradicts itself (PCOUNT or GCOUNT is wrong)")
    return np.frombuffer(hdu.data, dtype=dtype, count=count).reshape(hdu.info.shape)


def pixels(hdu: Hdu) -> Pixels:
    """The pixels of an uncompressed image HDU with their scaling."""
    scale, zero, blank = scaling(hdu.header)
    return Pixels(stored(hdu), scale, zero, blank)


def scaling(header: Header) -> tuple[float, float, int | None]:
    """BSCALE, BZERO and BLANK (for integers only) of a header; nonsense counts as absent."""
    blank = header.get("BLANK")
    bits = header.get("BITPIX")
    integer = isinstance(bits, int) and bits > 0
    return (
        real(header.get("BSCALE")) or 1.0,
        real(header.get("BZERO")) or 0.0,
        blank if integer and isinstance(blank, int) and not isinstance(blank, bool) else None,
    )


def label(info: HduInfo) -> str:
    """How an HDU is named in messages: `HDU 1 (SCI)`."""
    return f"HDU {info.index} ({info.name})" if info.name else f"HDU {info.index}"


def _walk(
    source: MappedSource | InflatedSource, path: str, keep: Callable[[str], bool] | None, notes: list[str],
    ctx: JobContext = SILENT,
) -> Iterator[Hdu]:  # fmt: skip
    """Yield the HDUs one after the other until the file ends."""
    for index in range(MOST_HDUS):
        ctx.check()
        raw = _header(source, path, index, notes)
        if raw is None:
            return
        hdu = _hdu(source, path, index, raw, keep)
        yield hdu
        padding = -hdu.size % BLOCK
        if padding and source.take(padding, False)[1] < padding:
            notes.append(f"the padding behind {label(hdu.info)} is cut off; its data are complete")
    notes.append(f"what follows HDU {MOST_HDUS - 1} is left out")


def _header(source: MappedSource | InflatedSource, path: str, index: int, notes: list[str]) -> bytes | None:
    """Header blocks of the next HDU, None if there is no further HDU."""
    block = source.read(BLOCK)
    start = b"SIMPLE  =" if index == 0 else b"XTENSION="
    if not block and index:
        return None
    if not block.startswith(start):
        if index and not start.startswith(block):
            source.check_rest()
            notes.append(f"the bytes behind HDU {index - 1} are no FITS extension and are left out")
            return None
        if not start.startswith(block[: len(start)]):
            from ifuview.io.fits.foreign import no_fits

            raise no_fits(block, path)
    blocks = [block]
    while True:
        if len(block) < BLOCK:
            missing = BLOCK - len(block)
            raise FileFormatError(f"the header of HDU {index} is cut off ({missing} bytes or more are missing)", path)
        if _find_end(block) >= 0:
            return b"".join(blocks)
        if len(blocks) * BLOCK > MAX_HEADER or b"\0" in block:
            raise FileFormatError(f"the header of HDU {index} is damaged (it has no END card)", path)
        block = source.read(BLOCK)
        blocks.append(block)


def _find_end(block: bytes) -> int:
    """Offset of the END card in a header block, -1 without one."""
    at = block.find(END)
    while at >= 0 and at % CARD_SIZE:
        at = block.find(END, at + 1)
    return at


def _hdu(
    source: MappedSource | InflatedSource, path: str, index: int, raw: bytes, keep: Callable[[str], bool] | None
) -> Hdu:
    """Pass over the data of one HDU and describe it."""
    cards = parse_cards(raw[: _find_end(raw)].decode("latin-1"))
    header = as_header(cards)
    where = f"{path}[{index}]"
    axes = _axes(header, "", where)
    bitpix = _integer(header, "BITPIX", where)
    if bitpix not in DTYPES:
        raise FileFormatError(f"BITPIX is {bitpix}, which FITS does not know", where)
    size = abs(bitpix) // 8 * _elements(header, axes, where)
    name = word(header.get("EXTNAME"))
    held = keep is None or keep(name.upper())
    data, there = source.take(size, held and size > 0)
    if there < size:
        text = f"the data of HDU {index}{f' ({name})' if name else ''} are cut off: {size - there} of {size} bytes"
        raise FileFormatError(f"{text} are missing", path, "copy or download it again")
    return Hdu(_info(index, name, header, axes, cards, where), header, data if size else None, size, raw)


def _info(index: int, name: str, header: Header, axes: list[int], cards: tuple[Card, ...], where: str) -> HduInfo:
    """Describe one HDU for the extension chooser."""
    version = header.get("EXTVER")
    xtension = "IMAGE" if index == 0 else word(header.get("XTENSION")).upper()
    shape = tuple(reversed(axes))
    kind, dtype = "image", NAMES[_integer(header, "BITPIX", where)]
    if xtension == "BINTABLE" and header.get("ZIMAGE") is True:
        kind, shape = "compressed image", tuple(reversed(_axes(header, "Z", where)))
        bits = header.get("ZBITPIX")
        dtype = NAMES.get(bits, "") if isinstance(bits, int) else ""
        cards = image_cards(cards)
    elif xtension in ("BINTABLE", "TABLE"):
        kind, shape, dtype = "table", (axes[1] if len(axes) > 1 else 0,), f"{header.get('TFIELDS', 0)} columns"
    elif xtension != "IMAGE" or not axes or (header.get("GROUPS") is True and not axes[0]):
        kind, shape, dtype = "empty", (), ""
    if kind != "table" and header.get("BZERO") == UNSIGNED.get(dtype, 0.5):
        dtype = "u" + dtype
    unit = word(header.get("BUNIT"))
    return HduInfo(
        index=index, name=name, version=version if type(version) is int else 1, kind=kind, shape=shape, dtype=dtype,
        unit=unit, cards=cards,
    )  # fmt: skip


def _elements(header: Header, axes: list[int], where: str) -> int:
    """Number of stored elements: GCOUNT (PCOUNT + product of the axes), FITS standard 4.4.1.2."""
    if not axes:
        return 0
    if len(axes) > 1 and axes[0] == 0 and header.get("GROUPS") is True:
        axes = axes[1:]
    count = 1
    for axis in axes:
        count *= axis
    parameters = _integer(header, "PCOUNT", where, 0)
    groups = _integer(header, "GCOUNT", where, 1)
    if parameters < 0 or groups < 0:
        raise FileFormatError(f"PCOUNT {parameters} or GCOUNT {groups} is negative", where)
    return groups * (parameters + count)


def _axes(header: Header, prefix: str, where: str) -> list[int]:
    """Values of NAXIS1.. (or ZNAXIS1..)."""
    number = _integer(header, f"{prefix}NAXIS", where)
    if not 0 <= number <= MAX_NAXIS:
        raise FileFormatError(f"{prefix}NAXIS is {number}, which FITS does not allow", where)
    axes = [_integer(header, f"{prefix}NAXIS{i + 1}", where) for i in range(number)]
    if any(axis < 0 for axis in axes):
        raise FileFormatError(f"an axis has negative length ({axes})", where)
    return axes


def _integer(header: Header, key: str, where: str, default: int | None = None) -> int:
    """An integer card that must be one."""
    value = header.get(key, default)
    if type(value) is not int:
        text = "is missing" if key not in header else f"is {value!r}, not an integer"
        raise FileFormatError(f"the header is damaged: {key} {text}", where)
    return value
