"""Calibration files: one PyTables table `/Cals`, a row an amplifier.

Files of all years are read: columns that are missing are optional but for trace, wavelength, slot and amplifier, those
that are unknown are passed by, and packed files are as good as plain ones. A row has 32 MB; which amplifier it is of
stands in the first bytes, so that the rows that nobody asked for are not read.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.hdf5.file import Watch, check_claim, dataset, h5_open, is_h5, reading
from ifuview.model.checks import Array
from ifuview.model.reduction.calibration import AmplifierCalibration

if TYPE_CHECKING:
    from h5py import Dataset, File

TABLE = "Cals"
IMAGES = ("masterdark", "masterflt", "mastertwi", "mastercmp", "mastersci", "masterbias")
SPECTRA = ("lampspec", "scispec", "maskspec")
NEEDED = ("amp", "ifuslot", "trace", "wavelength")
KEYS = ("amp", "ifuslot")
HEAD = 1 << 16  # bytes of a row that are looked at for its amplifier
SLOT_DIGITS = 3
DEFLATE = 1  # number of the filter, as the library has it


def read_calibrations(
    path: str, slots: Collection[str] = (), images: Collection[str] = IMAGES, amplifiers: Collection[str] = (),
    ctx: JobContext = SILENT,
) -> tuple[AmplifierCalibration, ...]:  # fmt: skip
    """Read the calibrations of some slots.

    Parameters
    ----------
    path : str
    slots : collection of str
        Of three characters; none: all.
    images : collection of str
        Master frames that are wanted.
    amplifiers : collection of str
        LL ...; none: all.
    ctx : JobContext

    Raises
    ------
    FileFormatError
        It is no such file, or it is damaged.
    MissingDataError
        It has no row of any of these slots.
    """
    watch = Watch(path)
    with h5_open(path) as file:
        table = _table(path, file)
        keys = row_keys(path, table)
        rows = [n for n, (slot, _) in enumerate(keys) if not slots or slot in slots]
        if not rows:
            of = ", ".join(sorted(slots)[:4]) or "any slot"
            raise MissingDataError(f"the calibration file has no row of {of}", path, "give one that has")
        rows = [n for n in rows if not amplifiers or keys[n][1] in amplifiers]
        out = []
        for number, n in enumerate(rows):
            ctx.checkpoint(number / len(rows), "calibrations")
            with reading(path, f"row {n} of /Cals"):
                row = table[n]
            out.append(_calibration(path, row, images))
    watch.check()
    return tuple(out)


def check_calibration_file(path: str) -> None:
    """Raise FileFormatError unless a file has a table of calibrations."""
    with h5_open(path) as file:
        _table(path, file)


def _table(path: str, file: File) -> Dataset:
    """The table of calibrations of a file."""
    table = dataset(file, TABLE)
    if table is None:
        raise FileFormatError("is no calibration file: it has no table /Cals", path)
    check_table(path, table)
    return table


def check_table(path: str, table: Dataset) -> None:
    """Raise FileFormatError unless a dataset is a table of calibrations."""
    names = table.dtype.names or ()
    missing = [name for name in NEEDED if name not in names]
    if missing or table.ndim != 1:
        lacks = f" without {', '.join(missing)}" if missing else ""
        raise FileFormatError(f"is no calibration file: /Cals is a table{lacks}", path)
    check_claim(path, table)


def calibration_slots(path: str) -> frozenset[str]:
    """Slots that a file has calibrations of; none where it is another file.

    Raises
    ------
    FileFormatError
        It is damaged.
    """
    if not is_h5(path):
        return frozenset()
    with h5_open(path) as file:
        node = dataset(file, TABLE)
        if node is None or node.ndim != 1 or not set(KEYS) <= set(node.dtype.names or ()):
            return frozenset()
        return frozenset(slot for slot, _ in row_keys(path, node))


def row_keys(path: str, table: Dataset) -> list[tuple[str, str]]:
    """Slot and amplifier of each row, from its first bytes where that is possible."""
    stop = max(table.dtype.fields[name][1] + table.dtype[name].itemsize for name in KEYS)
    out = []
    with open(path, "rb") as file:
        for n in range(table.shape[0]):
            with reading(path, f"row {n} of /Cals"):
                head = _head(file.fileno(), table, n, stop) if stop <= HEAD else None
                found = _fields(table.dtype, head) if head is not None else table[n]
            out.append((_slot(found["ifuslot"]), _text(found["amp"])))
    return out


def _head(file: int, table: Dataset, row: int, size: int) -> bytes | None:
    """The first bytes of a row where it lies plain or deflated as a chunk of its own; None else."""
    start = table.id.get_offset() if table.chunks is None else None
    if start is not None:
        return os.pread(file, size, start + row * table.dtype.itemsize)
    if table.chunks is None:
        return None
    plan = table.id.get_create_plist()
    filters = [plan.get_filter(n)[0] for n in range(plan.get_nfilters())]
    if filters not in ([], [DEFLATE]) or (filters and table.chunks[0] != 1):
        return None
    chunk, inside = divmod(row, table.chunks[0])
    info = table.id.get_chunk_info_by_coord((chunk * table.chunks[0],))
    if info.byte_offset is None or info.filter_mask:
        return None
    if not filters:
        return os.pread(file, size, info.byte_offset + inside * table.dtype.itemsize)
    return zlib.decompressobj().decompress(os.pread(file, HEAD, info.byte_offset), size)


def _fields(dtype: np.dtype, head: bytes) -> Mapping[str, object]:
    """The fields that tell the amplifier, of the first bytes of a row."""
    fields = dtype.fields
    assert fields is not None  # `check_table` has seen them
    out: dict[str, object] = {}
    for name in KEYS:
        kind, offset = fields[name][:2]
        out[name] = np.frombuffer(head[offset : offset + kind.itemsize], kind)[0]
    return out


def _calibration(path: str, row: np.void, images: Collection[str]) -> AmplifierCalibration:
    """One row as a value."""
    names = row.dtype.names or ()
    trace, wave = np.asarray(row["trace"]), np.asarray(row["wavelength"])
    if trace.ndim != 2 or trace.dtype.kind not in "fiu" or wave.dtype.kind not in "fiu":
        raise FileFormatError(f"/Cals has traces of shape {trace.shape} and type {trace.dtype}", path)
    found = {name: _plane(path, row, name) for name in IMAGES if name in names and name in images}
    bad = _plane(path, row, "pixelmask") > 0 if "pixelmask" in names else None
    if bad is None:
        bad = np.zeros(next(iter(found.values())).shape if found else trace.shape[1:] * 2, bool)
    positions = np.asarray(row["ifupos"]) if "ifupos" in names else np.full((trace.shape[0], 2), np.nan)
    return AmplifierCalibration(
        amplifier=_text(row["amp"]), slot=_slot(row["ifuslot"]),
        specid=_number(row["specid"]) if "specid" in names else "",
        ifuid=_number(row["ifuid"]) if "ifuid" in names else "",
        contid=_text(row["contid"]) if "contid" in names else "",
        trace=trace, wave=wave, positions=positions,
        read_noise=float(row["readnoise"]) if "readnoise" in names else float("nan"), bad=bad, images=found,
        spectra={name: np.array(row[name], np.float32) for name in SPECTRA if name in names}, source=path,
    )  # fmt: skip


def _plane(path: str, row: np.void, name: str) -> Array:
    """A frame of a row; numbers that are none become 0."""
    found = np.asarray(row[name])
    if found.ndim != 2 or found.dtype.kind not in "fiub":
        raise FileFormatError(f"{name} of /Cals has shape {found.shape} and type {found.dtype}", path)
    return np.nan_to_num(found.astype(np.float32, copy=True), copy=False)


def _text(value: object) -> str:
    """Text of a row."""
    return value.decode("ascii", "replace").strip() if isinstance(value, bytes) else str(value).strip()


def _number(value: object) -> str:
    """A number of a unit, as text of three digits at least."""
    text = _text(value)
    return text.zfill(SLOT_DIGITS) if text.isdecimal() else text


def _slot(value: object) -> str:
    """A slot, stored as a number or as text."""
    return _number(str(int(value)) if isinstance(value, (int, np.integer)) else value)
