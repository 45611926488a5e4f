"""Photon lists in HDF5 by their layout: told apart by what is in the file, and what each says about its array.

Layouts: "modern" (`/photons/photontable`, since 2021), "consolidated"
(`/Photons/PhotonTable`, 2018 to 2021), "per resonator" (a table each in
`/Photons`, 2016 to 2018) and "packed" (words in a variable-length array for
each pixel, 2011 to 2014).
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.hdf5.family import family
from ifuview.io.hdf5.file import attributes, check_claim, child, dataset, h5_open
from ifuview.io.photons.lists.head import (
    CONSOLIDATED,
    MODERN,
    OLD_COLUMNS,
    PACKED,
    PER_RESONATOR,
    check_columns,
    file_beammap,
    flag_list,
    number,
    old_info,
    word,
)
from ifuview.io.photons.lists.packed import open_packed
from ifuview.io.photons.lists.pixels import open_pixels
from ifuview.io.photons.lists.table import TableColumns, TableSource, looks_sorted
from ifuview.model.checks import Header
from ifuview.model.photons.lists import Beammap, PhotonColumn, PhotonInfo, PhotonSource

if TYPE_CHECKING:
    from h5py import Dataset, File

MODERN_TABLE, CONSOLIDATED_TABLE = "photons/photontable", "Photons/PhotonTable"
MODERN_COLUMNS = TableColumns("resID", "time", "wavelength", ("weight",))
STEPS = ("wavecal", "flatcal", "speccal", "pixcal", "lincal", "cosmiccal")
WEIGHING = ("flatcal", "speccal", "lincal")


def layout(file: File) -> str:
    """Layout of an open file; "" if it is no photon list."""
    if child(file, MODERN_TABLE) is not None:
        return MODERN
    if child(file, CONSOLIDATED_TABLE) is not None:
        return CONSOLIDATED
    if child(file, "beammap/beamimage") is not None:
        return PACKED
    photons = child(file, "Photons")
    if photons is not None and child(file, "BeamMap") is not None and hasattr(photons, "keys"):
        return PER_RESONATOR
    return ""


def open_h5(path: str, beammap: Beammap | None = None, ctx: JobContext = SILENT) -> PhotonSource:
    """The photon list of an HDF5 file.

    Parameters
    ----------
    path : str
    beammap : Beammap, optional
        Takes the place of the one in the file.
    ctx : JobContext, optional

    Raises
    ------
    FileFormatError, MissingDataError
        One sentence about what the file is instead, or what it lacks.
    """
    with h5_open(path) as file:
        kind = layout(file)
        if kind == MODERN:
            return _modern(path, file, beammap)
        if kind == CONSOLIDATED:
            return _consolidated(path, file, beammap)
        if kind == PER_RESONATOR:
            return open_pixels(path, file, beammap, ctx)
        if kind == PACKED:
            return open_packed(path, file, beammap, ctx)
        raise family(path, file)


def _table(path: str, file: File, name: str, columns: TableColumns) -> Dataset:
    table = dataset(file, name)
    if table is None:
        raise FileFormatError(f"{name} is no table of this file", path)
    check_columns(path, table, columns)
    check_claim(path, table)
    return table


def _modern(path: str, file: File, given: Beammap | None) -> TableSource:
    """A modern photon table."""
    table = _table(path, file, MODERN_TABLE, MODERN_COLUMNS)
    header = attributes(table)
    names, notes = flag_list(header.get("flags"))
    beammap = file_beammap(path, file, "beammap", names, given)
    done = {step: _step(header, step) for step in STEPS if header.get(step)}
    start = number(header, "UNIXSTR", 0.0)
    duration = number(header, "EXPTIME", number(header, "UNIXEND", start) - start)
    if "UNIXSTR" not in header:
        notes.append("The file does not say when it starts, so that times count from 0.")
    info = PhotonInfo(
        path=path, era=MODERN, beammap=beammap, nphoton=table.shape[0], start=start, duration=duration,
        column=PhotonColumn.WAVELENGTH if "wavecal" in done else PhotonColumn.PHASE,
        weighted=any(step in done for step in WEIGHING), calibrations=MappingProxyType(done),
        wave_range=(number(header, "min_wavelength", 700.0), number(header, "max_wavelength", 1500.0)),
        energy_width=number(header, "energy_resolution", 0.1), dead_time=number(header, "dead_time", 10.0) / 1e6,
        instrument=word(header.get("INSTRUME", "")), target=word(header.get("OBJECT", "")),
        header=MappingProxyType({key: value for key, value in header.items() if key != "flags"}), notes=tuple(notes),
        sorted=looks_sorted(table, path, MODERN_COLUMNS),
    )  # fmt: skip
    return TableSource(path, MODERN_TABLE, MODERN_COLUMNS, info)


def _consolidated(path: str, file: File, given: Beammap | None) -> TableSource:
    """One table of the years 2018 to 2021."""
    table = _table(path, file, CONSOLIDATED_TABLE, OLD_COLUMNS)
    info = replace(
        old_info(path, file, given),
        era=CONSOLIDATED,
        nphoton=table.shape[0],
        sorted=looks_sorted(table, path, OLD_COLUMNS),
    )
    return TableSource(path, CONSOLIDATED_TABLE, OLD_COLUMNS, info)


def _step(header: Header, step: str) -> str:
    """Name of a calibration that is applied, or its method."""
    value = header[step]
    return value if isinstance(value, str) else str(header.get(f"{step}.method", "applied"))
