"""Raw packet files (`<unix second>.bin`): which there are, and their photons word by word.

Words of 64 bits, big-endian. A header has 0xFF on top and the half milliseconds since new year in its last 36 bits; the
words behind it are photons: x 10 bits, y 10, microsecond in the half millisecond 9, peak height 18 signed, baseline 17
signed. The name of a file is the second in which its packets arrived.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.model.checks import Array

SUFFIX = ".bin"
WORD = 8  # bytes
CHUNK = 1 << 20  # words decoded at a time
TICKS = 2000  # header stamps a second
STAMP = (1 << 36) - 1
WRAP = 1 << 20  # s; the counter of seconds starts anew
LATE = 60  # s; a stamp that is farther from the second of its file is damaged
PROBE = 1 << 12  # words looked at to tell what a file is
LONGEST_PACKET = 101  # words


class Photons(NamedTuple):
    """Decoded photons: cell x * 1024 + y, microseconds since 1970, peak height and baseline as counted."""

    cell: Array
    time: Array
    height: Array
    baseline: Array


@dataclass(slots=True)
class Lost:
    """What could not be used."""

    timeless: int = 0  # photons before the first header, or behind one with an impossible time
    outside: int = 0  # photons of pixels that the array does not have


def is_packets(path: str | os.PathLike[str]) -> bool:
    """Whether a file (by name and first words) or a folder (by the names in it) holds raw packets."""
    text = os.fspath(path)
    if os.path.isdir(text):
        return any(second_of(name) is not None for name in os.listdir(text))
    if not text.lower().endswith(SUFFIX) or not os.path.isfile(text):
        return False
    with open(text, "rb") as file:
        data = file.read(PROBE * WORD)
    return looks_right(np.frombuffer(data[: len(data) // WORD * WORD], ">u8"))


def looks_right(words: Array) -> bool:
    """Whether words have headers as often as packets must, and no oftener than they can."""
    heads = np.flatnonzero(words >> 56 == 0xFF)
    return bool(len(heads)) and np.diff(np.append(heads, len(words))).max() <= LONGEST_PACKET + 1


def second_of(name: str) -> int | None:
    """The second that a file is named for, None if it is no packet file."""
    stem, suffix = os.path.splitext(os.path.basename(name))
    return int(stem) if suffix.lower() == SUFFIX and stem.isdecimal() and len(stem) < 12 else None


def find(path: str) -> dict[int, str]:
    """Packet files by second: the file, or all of the folder.

    Raises
    ------
    MissingDataError, FileFormatError
        Nothing there; a file that is not named for a second.
    """
    if os.path.isdir(path):
        named = {second_of(name): os.path.join(path, name) for name in sorted(os.listdir(path))}
        found = {second: file for second, file in named.items() if second is not None}
        if not found:
            raise MissingDataError("there are no packet files (<unix second>.bin)", path)
        return dict(sorted(found.items()))
    if not os.path.exists(path):
        raise MissingDataError("no such file or folder", path)
    second = second_of(path)
    if second is None:
        raise FileFormatError("is not named for the second of its packets", path, "name it as in 1545552791.bin")
    return {second: path}


def read(path: str, second: int, inside: Array, lost: Lost, ctx: JobContext = SILENT) -> Iterator[Photons]:
    """Photons of one file in their order, in pieces whose arrays are used again.

    Raises
    ------
    FileFormatError
        The file is cut off within a word, or holds something else.
    """
    from ifuview.io.photons.raw.packet_kernels import HALF_MS, decode

    size = _size(path)
    arrays = [np.empty(min(CHUNK, size // WORD), kind) for kind in (np.int32, np.int64, np.int32, np.int32)]
    cells, times, heights, baselines = arrays
    counts = np.zeros(2, np.int64)
    stamp, usable, heads, bad = np.int64(0), np.False_, 0, 0
    for start in range(0, size // WORD, CHUNK):
        ctx.checkpoint(start * WORD / size, f"Reading {os.path.basename(path)}")
        try:
            words = np.fromfile(path, ">u8", CHUNK, offset=start * WORD).astype(np.uint64)
        except OSError as problem:
            raise FileFormatError(f"cannot be read ({problem.strerror})", path) from problem
        own, fine = unix_stamps(words[words >> np.uint64(56) == np.uint64(0xFF)], second)
        heads, bad = heads + len(own), bad + int(np.count_nonzero(~fine))
        stamps = np.concatenate(([stamp], own * HALF_MS))
        fine = np.concatenate(([usable], fine))
        if len(words) > len(cells):
            raise FileFormatError("has changed while it was read", path)
        count = decode(
            words=words, stamps=stamps, usable=fine, inside=inside, cells=cells, times=times, heights=heights,
            baselines=baselines, lost=counts,
        )  # fmt: skip
        stamp, usable = stamps[-1], fine[-1]
        yield Photons(*(array[:count] for array in arrays))
    if heads * LONGEST_PACKET * 2 < size // WORD or bad * 2 > heads:
        raise FileFormatError(f"holds no packets of the second {second}", path)
    lost.timeless += int(counts[0])
    lost.outside += int(counts[1])


def unix_stamps(headers: Array, second: int) -> tuple[Array, Array]:
    """Half milliseconds since 1970 of header words, and whether each is near the second of the file.

    Stamps count from new year (which one, around new year, is told by the second), and their counter of seconds starts
    anew every 2^20 s.
    """
    stamp = (headers & np.uint64(STAMP)).astype(np.int64)
    year = datetime.fromtimestamp(second, UTC).year
    best = np.full(len(stamp), np.iinfo(np.int64).max)
    out = np.zeros(len(stamp), np.int64)
    for other in (year, year - 1, year + 1):
        origin = round(datetime(other, 1, 1, tzinfo=UTC).timestamp()) * TICKS
        turns = np.maximum(np.rint((second * TICKS - origin - stamp) / (WRAP * TICKS)), 0).astype(np.int64)
        unix = origin + stamp + turns * WRAP * TICKS
        away = np.abs(unix - second * TICKS)
        out = np.where(away < best, unix, out)
        best = np.minimum(away, best)
    return out, best < LATE * TICKS


def _size(path: str) -> int:
    """Bytes of a file of whole words; 0 for one without packets."""
    try:
        size = os.stat(path).st_size
    except OSError as problem:
        raise MissingDataError(f"cannot be read ({problem.strerror})", path) from problem
    if size % WORD:
        raise FileFormatError("is cut off within a word of 8 bytes", path)
    return size
