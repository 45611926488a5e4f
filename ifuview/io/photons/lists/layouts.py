"""Photon lists in HDF5 by their layout: told apart by what is in the file, and what each says about its array.

Layouts: "modern" (`/photons/photontable`, since 2021), "consolidated"
(`/Photons/PhotonTable`, 2018 to 2021), "per resonator" (a table each in
`/Photons`, 2016 to 2018) and "packed" (words in a variable-length array for
each pixel, 2011 to 2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.hdf5.file import array, as_plain, attributes, child, dataset, h5_open, reading, text
from ifuview.io.photons import flags as photon_flags
from ifuview.io.photons.lists.table import Columns, TableSource, looks_sorted
from ifuview.model.checks import Array
from ifuview.model.photons.lists import NO_RESONATOR, Beammap, Column, PhotonInfo

MODERN, CONSOLIDATED, PER_RESONATOR, PACKED = "modern", "consolidated", "per resonator", "packed"
MODERN_TABLE, CONSOLIDATED_TABLE = "photons/photontable", "Photons/PhotonTable"
MODERN_COLUMNS = Columns("resID", "time", "wavelength", ("weight",))
OLD_COLUMNS = Columns("ResID", "Time", "Wavelength", ("SpecWeight", "NoiseWeight"))
STEPS = ("wavecal", "flatcal", "speccal", "pixcal", "lincal", "cosmiccal")
WEIGHING = ("flatcal", "speccal", "lincal")
OLD_STEPS = {  # column of the old header -> calibration, column with its file
    "isWvlCalibrated": ("wavecal", "wvlCalFile"),
    "isFlatCalibrated": ("flatcal", "fltCalFile"),
    "isSpecCalibrated": ("speccal", ""),
    "isFluxCalibrated": ("fluxcal", ""),
    "isLinearityCorrected": ("lincal", ""),
    "isPhaseNoiseCorrected": ("phasenoise", ""),
    "isPhotonTailCorrected": ("photontail", ""),
}
OLD_WEIGHING = ("flatcal", "speccal", "fluxcal", "lincal")
MAX_PIXELS = 1 << 24
MAX_HEADER_ROW = 32 << 20  # bytes; a column with YAML takes 4 MiB


def layout(file: Any) -> str:
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


def open_h5(path: str, beammap: Beammap | None = None, ctx: JobContext = SILENT) -> Any:
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
            from ifuview.io.photons.lists.pixels import open_pixels

            return open_pixels(path, file, beammap, ctx)
        if kind == PACKED:
            from ifuview.io.photons.lists.packed import open_packed

            return open_packed(path, file, beammap, ctx)
        from ifuview.io.hdf5.family import family

        raise family(path, file)


def make_beammap(ids: Array, flags: Array, names: tuple[str, ...], notes: Mapping[str, str] | None = None) -> Beammap:
    """A Beammap from the [x, y] arrays of a file.

    Raises
    ------
    FileFormatError
        The two differ in shape or are too large.
    """
    if ids.shape != flags.shape:
        raise FileFormatError(f"the beam map has {ids.shape} pixels and its flags {flags.shape}")
    if not 0 < ids.size <= MAX_PIXELS:
        raise FileFormatError(f"the beam map has {ids.size} pixels")
    ids = ids.T.astype(np.int64)
    there = (ids >= 0) & (ids != NO_RESONATOR)
    known, place = np.unique(ids[there], return_inverse=True)
    index = np.full(ids.shape, -1, np.int32)
    index[there] = place.reshape(-1)
    bits = flags.T.astype(np.int64).astype(np.uint64)
    names = photon_flags.complete(names, bits)
    return Beammap(known, index, bits, names, MappingProxyType(dict(notes or {})))


def file_beammap(path: str, file: Any, group: str, names: tuple[str, ...], given: Beammap | None,
                 notes: Mapping[str, str] | None = None) -> Beammap:  # fmt: skip
    """The beam map of the file, or the one given if that fits it."""
    tables = {name.lower(): name for name in child(file, group) or ()} if child(file, group) is not None else {}
    if "map" not in tables:
        if given is not None:
            return given
        raise MissingDataError("the file has photons but no beam map", path, "give one with --beammap")
    ids = array(path, file, f"{group}/{tables['map']}", ndim=2)
    if given is not None:
        if given.shape != ids.shape[::-1]:
            sizes = f"{given.shape[1]} x {given.shape[0]} pixels, the file {ids.shape[0]} x {ids.shape[1]}"
            raise FileFormatError(f"the beam map given has {sizes}", path, "give the one of this array")
        return given
    flags = array(path, file, f"{group}/{tables['flag']}", ndim=2) if "flag" in tables else np.zeros(ids.shape, int)
    try:
        return make_beammap(ids, flags, names, notes)
    except FileFormatError as problem:
        raise FileFormatError(problem.what, path) from problem


def check_columns(path: str, table: Any, columns: Columns) -> None:
    """Raise FileFormatError unless the table has the columns, one word each."""
    names = table.dtype.names or ()
    wanted = (columns.resonator, columns.time, columns.value, *columns.weights)
    missing = [name for name in wanted if name not in names]
    if missing or table.ndim != 1:
        raise FileFormatError(f"the photon table has no column {', '.join(missing)}", path)
    odd = [name for name in wanted if table.dtype[name].kind not in ("u" if name in columns[:2] else "f")]
    odd = odd or [name for name in wanted if table.dtype[name].itemsize != 4]
    if odd:
        raise FileFormatError(f"the column {odd[0]} is of type {table.dtype[odd[0]]}", path)


def _table(path: str, file: Any, name: str, columns: Columns) -> Any:
    table = dataset(file, name)
    if table is None:
        raise FileFormatError(f"{name} is no table of this file", path)
    check_columns(path, table, columns)
    return table


def number(header: Mapping[str, Any], key: str, default: float) -> float:
    """A finite number of the header; series count with their first value."""
    value = header.get(key, default)
    if isinstance(value, dict) and value.get("values"):
        value = value["values"][0]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        return default
    return float(value)


def _modern(path: str, file: Any, given: Beammap | None) -> TableSource:
    """A modern photon table."""
    table = _table(path, file, MODERN_TABLE, MODERN_COLUMNS)
    header = attributes(table)
    names, notes = _flag_list(header.get("flags"))
    beammap = file_beammap(path, file, "beammap", names, given)
    done = {step: _step(header, step) for step in STEPS if header.get(step)}
    start = number(header, "UNIXSTR", 0.0)
    duration = number(header, "EXPTIME", number(header, "UNIXEND", start) - start)
    if "UNIXSTR" not in header:
        notes.append("The file does not say when it starts, so that times count from 0.")
    info = PhotonInfo(
        path=path,
        era=MODERN,
        beammap=beammap,
        nphoton=table.shape[0],
        start=start,
        duration=duration,
        column=Column.WAVELENGTH if "wavecal" in done else Column.PHASE,
        weighted=any(step in done for step in WEIGHING),
        calibrations=MappingProxyType(done),
        wave_range=(number(header, "min_wavelength", 700.0), number(header, "max_wavelength", 1500.0)),
        energy_width=number(header, "energy_resolution", 0.1),
        dead_time=number(header, "dead_time", 10.0) / 1e6,
        instrument=_word(header.get("INSTRUME", "")),
        target=_word(header.get("OBJECT", "")),
        header=MappingProxyType({key: value for key, value in header.items() if key != "flags"}),
        notes=tuple(notes),
        sorted=looks_sorted(table, path, MODERN_COLUMNS),
    )
    return TableSource(path, MODERN_TABLE, MODERN_COLUMNS, info)


def _word(value: Any) -> str:
    """A header value as a word; the first of a series."""
    if isinstance(value, dict):
        value = next(iter(value.get("values", ())), "")
    return value if isinstance(value, str) else ""


def _step(header: Mapping[str, Any], step: str) -> str:
    """Name of a calibration that is applied, or its method."""
    value = header[step]
    return value if isinstance(value, str) else str(header.get(f"{step}.method", "applied"))


def _flag_list(found: Any) -> tuple[tuple[str, ...], list[str]]:
    """Names of the flag bits, and a note if the file does not tell."""
    listed = found if isinstance(found, (tuple, list)) and len(found) <= photon_flags.MAX_FLAGS else ()
    if listed and all(isinstance(name, str) for name in listed):
        return tuple(listed), []
    why = f" ({found})" if isinstance(found, str) and found.startswith("opaque") else ""
    return (), [f"The file has no list of flag names{why}, so that flags are shown by number and none is left out."]


def _consolidated(path: str, file: Any, given: Beammap | None) -> TableSource:
    """One table of the years 2018 to 2021."""
    table = _table(path, file, CONSOLIDATED_TABLE, OLD_COLUMNS)
    info = replace(
        old_info(path, file, given),
        era=CONSOLIDATED,
        nphoton=table.shape[0],
        sorted=looks_sorted(table, path, OLD_COLUMNS),
    )
    return TableSource(path, CONSOLIDATED_TABLE, OLD_COLUMNS, info)


def old_info(path: str, file: Any, given: Beammap | None) -> PhotonInfo:
    """What the files of 2016 to 2021 say of themselves; photons are not counted."""
    header = old_header(path, file)
    done = {}
    for key, (step, source) in OLD_STEPS.items():
        if header.get(key):
            done[step] = str(header.get(source) or "applied")
    names, notes = _old_flags(path, file, header)
    second = (
        {"beammap.failed": photon_flags.NOTE_2018} if names == photon_flags.FLAGS_2018 and "wavecal" in done else {}
    )
    if second:
        notes.append(
            "Pixels flagged beammap.failed may only lack a wavelength solution: files of 2018 have one bit for both."
        )
    beammap = file_beammap(path, file, "BeamMap", names, given, second)
    if not header:
        notes.append("The file has no header, so that its photons are taken for phases in degrees.")
    return PhotonInfo(
        path=path,
        era=PER_RESONATOR,
        beammap=beammap,
        nphoton=-1,
        start=number(header, "startTime", 0.0),
        duration=number(header, "expTime", 0.0),
        column=Column.WAVELENGTH if "wavecal" in done else Column.PHASE,
        weighted=any(step in done for step in OLD_WEIGHING),
        calibrations=MappingProxyType(done),
        wave_range=(number(header, "wvlBinStart", 700.0), number(header, "wvlBinEnd", 1500.0)),
        energy_width=number(header, "energyBinWidth", 0.1),
        target=_word(header.get("target", "")),
        header=MappingProxyType(dict(header)),
        notes=tuple(notes),
    )


def old_header(path: str, file: Any) -> Mapping[str, Any]:
    """The one row of `/header/header` by column; empty if there is none."""
    table = dataset(file, "header/header")
    if table is None or not table.shape or not table.shape[0] or not table.dtype.names:
        return MappingProxyType({})
    if table.dtype.itemsize > MAX_HEADER_ROW:
        raise FileFormatError(f"the header row has {table.dtype.itemsize} bytes", path)
    with reading(path, "the header"):
        row = table[0]
    return MappingProxyType({name: as_plain(row[name]) for name in table.dtype.names})


def _old_flags(path: str, file: Any, header: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """Names of the flag bits of a file of 2016 to 2021."""
    listed = listed_flags(header.get("metadata", ""))
    if listed:
        return listed, []
    flags = dataset(file, "BeamMap/Flag")
    if flags is None or flags.dtype.kind == "u":
        return photon_flags.FLAGS_2018, []
    return _flag_list(None)


def listed_flags(metadata: Any) -> tuple[str, ...]:
    """The list `flags` of a YAML text, in block or in flow style; empty if there is none."""
    lines = text(metadata).splitlines() if isinstance(metadata, (str, bytes)) else []
    for number_, line in enumerate(lines):
        if line.startswith("flags:"):
            rest = line.removeprefix("flags:").strip()
            if rest.startswith("["):
                joined = " ".join([rest, *lines[number_ + 1 :]]).split("]", 1)[0]
                return tuple(filter(None, (_unquoted(part) for part in joined[1:].split(","))))
            return _block_list(lines[number_ + 1 :])
    return ()


def _block_list(lines: list[str]) -> tuple[str, ...]:
    """Items of a YAML list, one a line."""
    out: list[str] = []
    for line in lines:
        if not line.lstrip().startswith("- "):
            break
        out.append(_unquoted(line.lstrip()[2:]))
    return tuple(out)


def _unquoted(word: str) -> str:
    return word.strip().strip("'\"")
