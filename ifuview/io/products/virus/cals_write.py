"""Write a calibration file: a row an amplifier, columns and types as the published ones have them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ifuview.errors import MissingDataError
from ifuview.files import Name, whole_file
from ifuview.io.hdf5.growing import Column, GrowingTable, describe_root
from ifuview.io.hdf5.writing import check_space, h5_new
from ifuview.io.products.virus.cals import IMAGES, SPECTRA, TABLE
from ifuview.model.checks import Array
from ifuview.model.reduction.calibration import AmplifierCalibration

TITLE = "Cal Info"
NO_SLOT = -1


def cals_columns(nfiber: int, shape: tuple[int, int]) -> dict[str, Column]:
    """Columns of the table, of amplifiers of so many fibers, rows and columns."""
    spectrum: Column = (np.float32, (nfiber, shape[1]))
    return {
        "amp": ("S2", ()), "contid": ("S8", ()), "ifuid": ("S3", ()), "ifupos": (np.float32, (nfiber, 2)),
        "ifuslot": (np.int32, ()), "pixelmask": (np.int32, shape), "readnoise": (np.float32, ()), "specid": ("S3", ()),
        "trace": spectrum, "wavelength": spectrum, **dict.fromkeys(SPECTRA, spectrum),
        **dict.fromkeys(IMAGES, (np.float32, shape)),
    }  # fmt: skip


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
        Of rows, about: the disk has to have room for them.
    nfiber, shape : int, (int, int)
        Fibers, and rows and columns, of an amplifier.

    Raises
    ------
    UsageError
        It cannot be written.
    MissingDataError
        There is no row; what was at the path is still there.
    """
    with whole_file(path, "the calibrations") as part, h5_new(part) as (file, disk):
        describe_root(file, "")
        table = GrowingTable(file, disk, TABLE, cals_columns(nfiber, shape), TITLE)
        check_space(path, count * table.dtype.itemsize)
        for row in rows:
            table.add_rows(_row(row, table.dtype)[None])
        if not table.nrow:
            raise MissingDataError("no calibrations could be made", str(path), "see what was said of the frames")
        return table.nrow


def _row(row: AmplifierCalibration, dtype: np.dtype) -> Array:
    """One amplifier as a row; frames that there are not stay 0."""
    out = np.zeros((), dtype)
    for name, text in (("amp", row.amplifier), ("specid", row.specid), ("ifuid", row.ifuid), ("contid", row.contid)):
        out[name] = text.encode("ascii", "replace")
    out["ifuslot"] = int(row.slot) if row.slot.isdecimal() else NO_SLOT
    out["ifupos"], out["readnoise"] = row.positions, row.read_noise
    out["trace"], out["wavelength"], out["pixelmask"] = row.trace, row.wave, row.bad
    for name, value in (*row.images.items(), *row.spectra.items()):
        out[name] = value
    return out
