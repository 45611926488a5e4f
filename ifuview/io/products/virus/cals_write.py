"""Write a calibration file: a row an amplifier, columns and types as the published ones have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ifuview.files import Name, whole_file
from ifuview.io.hdf5.pytables import mark_root, new_table
from ifuview.io.hdf5.writing import check_space, h5_new
from ifuview.io.products.virus.cals import IMAGES, SPECTRA, TABLE
from ifuview.model.reduction.calibration import AmplifierCalibration

if TYPE_CHECKING:
    from h5py import Dataset

TITLE = "Cal Info"
NO_SLOT = -1


def cals_dtype(nfiber: int, shape: tuple[int, int]) -> np.dtype:
    """Columns of the table, by name as PyTables orders them."""
    spectrum, image = ("<f4", (nfiber, shape[1])), ("<f4", shape)
    kinds: dict[str, object] = {
        "amp": "S2", "contid": "S8", "ifuid": "S3", "ifupos": ("<f4", (nfiber, 2)), "ifuslot": "<i4",
        "pixelmask": ("<i4", shape), "readnoise": "<f4", "specid": "S3", "trace": spectrum, "wavelength": spectrum,
        **dict.fromkeys(SPECTRA, spectrum), **dict.fromkeys(IMAGES, image),
    }  # fmt: skip
    return np.dtype(
        [(name, *kind) if isinstance(kind, tuple) else (name, kind) for name, kind in sorted(kinds.items())]
    )


def write_calibrations(
    path: Name, rows: Iterable[AmplifierCalibration], count: int, nfiber: int, shape: tuple[int, int]
) -> int:
    """Write rows as they come; the number that was written.

    Parameters
    ----------
    path : path
        Takes the place of what is there once it is whole.
    rows : iterable of AmplifierCalibration
    count : int
        Of rows at most.
    nfiber, shape : int, (int, int)
        Fibers, and rows and columns, of an amplifier.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    dtype = cals_dtype(nfiber, shape)
    check_space(path, count * dtype.itemsize)
    done = 0
    with whole_file(path, "the calibrations") as part, h5_new(part) as (file, disk):
        mark_root(file)
        table = new_table(file, TABLE, dtype, count, TITLE)
        for row in rows:
            _put(table, done, row, dtype)
            disk.check()
            done += 1
        if done < count:
            table.resize((done,))
            table.attrs["NROWS"] = np.int64(done)
    return done


def _put(table: Dataset, at: int, row: AmplifierCalibration, dtype: np.dtype) -> None:
    """One row; frames that there are not stay 0."""
    out = np.zeros((), dtype)
    for name, text in (("amp", row.amplifier), ("specid", row.specid), ("ifuid", row.ifuid), ("contid", row.contid)):
        out[name] = text.encode("ascii", "replace")
    out["ifuslot"] = int(row.slot) if row.slot.isdecimal() else NO_SLOT
    out["ifupos"], out["readnoise"] = row.positions, row.read_noise
    out["trace"], out["wavelength"], out["pixelmask"] = row.trace, row.wave, row.bad
    for name, value in (*row.images.items(), *row.spectra.items()):
        out[name] = value
    table[at] = out
