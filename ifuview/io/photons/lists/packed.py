"""Photon lists of 2011 to 2014: for every pixel one array of 64-bit words a second.

From the top of a word: 8 bits channel, 12 bits peak of a parabola through the
pulse, 12 bits sampled peak, 12 bits baseline, 20 bits time in the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.hdf5.file import dataset, reading, text
from ifuview.io.hdf5.heap import Heaps
from ifuview.io.photons.lists.head import MAX_PIXELS, PACKED, make_beammap, number, old_header
from ifuview.io.photons.lists.pixels import Piece, PieceSource
from ifuview.model.checks import Array
from ifuview.model.photons.lists import NO_RESONATOR, Beammap, PhotonColumn, PhotonInfo
from ifuview.model.photons.wording import are, counted

if TYPE_CHECKING:
    from h5py import File

NODE = re.compile(r"/r(\d{1,4})/p(\d{1,4})/(?:t(\d*))?")
NOT_ALLOCATED = (0, 250)  # board and pixel that stand for none
PER_BOARD = 10_000  # resonator id = PER_BOARD * board + pixel
TIME_BITS, HEIGHT_BITS, PEAK_AT = 20, 12, 44
SECOND = 1_000_000  # ticks
MAX_SECONDS = 4294  # that fit in 32 bits of microseconds
SECONDS_AT_ONCE = 64
WAVE_RANGE = (300.0, 1100.0)  # nm
FLAGS = ("beammap.noDacTone",)


class PackedReader:
    """Reads and unpacks the words of one pixel."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._heaps = Heaps(path)
        self._corrupt: set[tuple[str, int]] = set()

    def read(self, file: File, node: str) -> Iterator[tuple[Array, Array, Array | None]]:
        """Its photons, some seconds at once, in order of time."""
        import h5py

        words = dataset(file, node)
        kind = None if words is None else h5py.check_vlen_dtype(words.dtype)
        if words is None or kind is None or np.dtype(kind) != np.uint64 or words.ndim != 1:
            raise FileFormatError(f"{node} holds no photon words", self._path)
        if words.shape[0] > MAX_SECONDS:
            raise FileFormatError(f"{node} has {words.shape[0]} seconds, more than fit", self._path)
        with reading(self._path, f"photons of {node}"):
            stored = self._heaps.rows(words, np.uint64)
        for start in range(0, words.shape[0], SECONDS_AT_ONCE):
            part = slice(start, start + SECONDS_AT_ONCE)
            if stored is None:
                with reading(self._path, f"photons of {node}"):
                    yield self._unpacked(node, start, list(words[part]))
            else:
                yield self._unpacked(node, start, stored[part])

    def _unpacked(self, node: str, start: int, rows: list[Array]) -> tuple[Array, Array, None]:
        """Time and pulse height of the words of some seconds; seconds with an impossible time are left out."""
        times, values = [np.empty(0, np.uint32)], [np.empty(0, np.float32)]
        for second, row in enumerate(rows, start):
            time = (row & np.uint64((1 << TIME_BITS) - 1)).astype(np.int64)
            if len(time) and time.max() >= SECOND:
                self._corrupt.add((node, second))
                continue
            order = np.argsort(time, kind="stable")
            times.append((time[order] + second * SECOND).astype(np.uint32))
            values.append(_height(row)[order])
        return np.concatenate(times), np.concatenate(values), None

    def notes(self) -> tuple[str, ...]:
        """Seconds that were left out."""
        count = len(self._corrupt)
        what = are(count, "corrupt second of a single pixel", "corrupt seconds of single pixels")
        return (f"{what} left out (a time beyond the second).",) if count else ()


def _height(words: Array) -> Array:
    """Pulse height: peak of the parabola above the baseline, units of the ADC."""
    mask = np.uint64((1 << HEIGHT_BITS) - 1)
    peak = (words >> np.uint64(PEAK_AT)) & mask
    baseline = (words >> np.uint64(TIME_BITS)) & mask
    out: Array = peak.astype(np.float32) - baseline.astype(np.float32)
    return out


def open_packed(path: str, file: File, given: Beammap | None, ctx: JobContext = SILENT) -> PieceSource:
    """A photon list of packed words."""
    names = dataset(file, "beammap/beamimage")
    if names is None or names.ndim != 2 or not 0 < names.size <= MAX_PIXELS:
        raise FileFormatError("the beam map is no image of node names", path)
    with reading(path, "the beam map"):
        nodes = [text(name) for name in names[()].ravel().tolist()]
    header = old_header(path, file)
    ids = np.array([_resonator(path, node) for node in nodes]).reshape(names.shape)  # [row, column]
    flags = (ids == NO_RESONATOR).astype(np.int64)
    beammap = make_beammap(ids.T, flags.T, FLAGS)
    if given is not None and given.shape != beammap.shape:
        raise FileFormatError(f"the beam map given has shape {given.shape}, the file {beammap.shape}", path)
    found = {int(i): node.rstrip("/") for i, node in zip(ids.ravel(), nodes) if i != NO_RESONATOR}
    words = {i: dataset(file, node) for i, node in found.items()}
    seconds = {i: array.shape[0] for i, array in words.items() if array is not None and array.ndim == 1}
    if not seconds:
        raise MissingDataError("the beam map names no pixel that the file has", path)
    pieces = [Piece(int(np.searchsorted(beammap.ids, i)), found[i]) for i in sorted(seconds)]
    notes = ["The third column is the pulse height above the baseline in units of the ADC, not a phase in degrees."]
    if len(seconds) < len(found):
        notes.append(f"{counted(len(found) - len(seconds), 'pixel')} of the beam map without photons in the file.")
    info = PhotonInfo(
        path=path, era=PACKED, beammap=beammap, nphoton=-1, start=number(header, "unixtime", _start(nodes)),
        duration=number(header, "exptime", 0.0) or float(max(seconds.values())), column=PhotonColumn.PHASE,
        wave_range=WAVE_RANGE, phase_range=(-float(1 << HEIGHT_BITS), float(1 << HEIGHT_BITS)), phase_unit="adu",
        instrument=str(header.get("instrument", "")), target=str(header.get("target", "")),
        header=MappingProxyType(dict(header)), notes=tuple(notes),
    )  # fmt: skip
    return PieceSource(path, pieces, PackedReader(path), info)


def _resonator(path: str, node: str) -> int:
    """Resonator id of the node of a pixel."""
    match = NODE.fullmatch(node)
    if match is None:
        raise FileFormatError(f"the beam map names a node {node[:40]!r}, which is no pixel", path)
    board, pixel = int(match[1]), int(match[2])
    return NO_RESONATOR if (board, pixel) == NOT_ALLOCATED else PER_BOARD * board + pixel


def _start(nodes: list[str]) -> float:
    """Unix time in the names of the nodes; 0 if none has one."""
    times = (match[3] for match in map(NODE.fullmatch, nodes) if match and match[3])
    return float(next(times, 0))
