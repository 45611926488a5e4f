"""What a photon list in HDF5 says of itself: its array, its calibrations, and the header of the years 2016 to 2021."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.hdf5.file import array, as_plain, child, dataset, reading, text
from ifuview.io.photons import flags as photon_flags
from ifuview.io.photons.lists.table import TableColumns
from ifuview.model.checks import Array, Header
from ifuview.model.photons.lists import NO_RESONATOR, Beammap, PhotonColumn, PhotonInfo

if TYPE_CHECKING:
    from h5py import Dataset, File

MODERN, CONSOLIDATED, PER_RESONATOR, PACKED = "modern", "consolidated", "per resonator", "packed"
OLD_COLUMNS = TableColumns("ResID", "Time", "Wavelength", ("SpecWeight", "NoiseWeight"))
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


def file_beammap(path: str, file: File, group: str, names: tuple[str, ...], given: Beammap | None,
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


def check_columns(path: str, table: Dataset, columns: TableColumns) -> None:
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


def number(header: Header, key: str, default: float) -> float:
    """A finite number of the header; series count with their first value."""
    value = header.get(key, default)
    if isinstance(value, dict) and value.get("values"):
        value = value["values"][0]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        return default
    return float(value)


def word(value: object) -> str:
    """A header value as a word; the first of a series."""
    if isinstance(value, dict):
        value = next(iter(value.get("values", ())), "")
    return value if isinstance(value, str) else ""


def flag_list(found: object) -> tuple[tuple[str, ...], list[str]]:
    """Names of the flag bits, and a note if the file does not tell."""
    listed = found if isinstance(found, (tuple, list)) and len(found) <= photon_flags.MAX_FLAGS else ()
    if listed and all(isinstance(name, str) for name in listed):
        return tuple(listed), []
    why = f" ({found})" if isinstance(found, str) and found.startswith("opaque") else ""
    return (), [f"The file has no list of flag names{why}, so that flags are shown by number and none is left out."]


def old_info(path: str, file: File, given: Beammap | None) -> PhotonInfo:
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
        path=path, era=PER_RESONATOR, beammap=beammap, nphoton=-1, start=number(header, "startTime", 0.0),
        duration=number(header, "expTime", 0.0),
        column=PhotonColumn.WAVELENGTH if "wavecal" in done else PhotonColumn.PHASE,
        weighted=any(step in done for step in OLD_WEIGHING), calibrations=MappingProxyType(done),
        wave_range=(number(header, "wvlBinStart", 700.0), number(header, "wvlBinEnd", 1500.0)),
        energy_width=number(header, "energyBinWidth", 0.1), target=word(header.get("target", "")),
        header=MappingProxyType(dict(header)), notes=tuple(notes),
    )  # fmt: skip


def old_header(path: str, file: File) -> Header:
    """The one row of `/header/header` by column; empty if there is none."""
    table = dataset(file, "header/header")
    if table is None or not table.shape or not table.shape[0] or not table.dtype.names:
        return MappingProxyType({})
    if table.dtype.itemsize > MAX_HEADER_ROW:
        raise FileFormatError(f"the header row has {table.dtype.itemsize} bytes", path)
    with reading(path, "the header"):
        row = table[0]
    return MappingProxyType({name: as_plain(row[name]) for name in table.dtype.names})


def _old_flags(path: str, file: File, header: Header) -> tuple[tuple[str, ...], list[str]]:
    """Names of the flag bits of a file of 2016 to 2021."""
    listed = listed_flags(header.get("metadata", ""))
    if listed:
        return listed, []
    flags = dataset(file, "BeamMap/Flag")
    if flags is None or flags.dtype.kind == "u":
        return photon_flags.FLAGS_2018, []
    return flag_list(None)


def listed_flags(metadata: object) -> tuple[str, ...]:
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
