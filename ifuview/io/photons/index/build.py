"""Make the index of a photon list in bounded memory: sorted lists are copied, others are sorted outside memory."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from hashlib import blake2b
from typing import IO

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.files import put
from ifuview.io.photons.index.columns import ColumnFiles
from ifuview.io.photons.index.head import encode_info, fingerprint
from ifuview.io.photons.index.index import FORMAT, HEAD, SMALL, VERSION, PhotonIndex, open_index, places
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PhotonBlock, PhotonSource

SORT_ROWS = 1 << 21  # rows sorted in memory at a time: about 100 MB with their keys and order
PILES = 64  # that rows are dealt to when they come in no order
SLOW = "not sorted"  # a note of the file that does not hold for its index
ROW = np.dtype([("key", "<u8"), ("value", "<f4"), ("weight", "<f4")])  # key: resonator << 32 | time
ROW_BYTES = 8  # of the columns time and value
Written = tuple[Array, int, dict[str, dict[str, str]]]  # first rows, latest time, columns


ANYBODY_WRITES = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class _NotSorted(Exception):
    """Photons came in another order than (resonator, time)."""


def build_index(source: PhotonSource, folder: str | None = None, ctx: JobContext = SILENT) -> PhotonIndex:
    """Make the index of a photon list and open it.

    Parameters
    ----------
    source : PhotonSource
        Of a file or folder of files, `source.info.path`.
    folder : str, optional
        Where to keep it. Default: beside the file, or in the cache folder where that cannot be written.
    ctx : JobContext, optional
        Checked once a block; a cancelled job leaves nothing.

    Raises
    ------
    FileFormatError
        The file changed while it was read.
    IfuviewError
        No place can be written.
    """
    path = source.info.path
    if not os.path.exists(path):
        raise MissingDataError("there is no such file to make an index of", path)
    problem: OSError | None = None
    for place in places(path, folder):
        if _protected(os.path.dirname(place)):
            continue
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            _check_space(source, os.path.dirname(place))
            _build(source, place, ctx)
        except OSError as found:
            problem = found
            continue
        index = open_index(path, folder)
        if index is not None:
            return index
        raise FileFormatError("the file changed while it was read", path, "open it again")
    todo = "free some space; the file can be used without an index"
    raise IfuviewError(f"the index cannot be written ({problem})", path, todo) from problem


def _check_space(source: PhotonSource, folder: str) -> None:
    """Raise OSError if a disk has no room for the columns of all photons, and for the piles they are sorted in."""
    need = source.info.nphoton * (ROW_BYTES if source.info.sorted else ROW_BYTES + ROW.itemsize)
    if shutil.disk_usage(folder).free < need:
        raise OSError(errno.ENOSPC, f"{need / 1e6:.0f} MB are needed", folder)


def _protected(folder: str) -> bool:
    """Whether nobody may write into a folder; the system would let the superuser."""
    return os.path.isdir(folder) and not os.stat(folder).st_mode & ANYBODY_WRITES


def _build(source: PhotonSource, place: str, ctx: JobContext) -> None:
    """Write the index to a temporary folder and move it to its place."""
    before = fingerprint(source.info.path)
    work = tempfile.mkdtemp(prefix=os.path.basename(place) + "-", dir=os.path.dirname(place))
    try:
        try:
            first, latest, columns = _copy(source, work, ctx) if source.info.sorted else _sort(source, work, ctx)
        except _NotSorted:
            first, latest, columns = _sort(source, work, ctx)
        notes = tuple(note for note in source.info.notes if SLOW not in note)
        info = replace(source.info, nphoton=int(first[-1]), weighted="weight" in columns, sorted=True, notes=notes)
        plain, arrays = encode_info(info)
        digests = {name: _save(work, name, array) for name, array in {"first": first, **arrays}.items()}
        assert set(digests) == set(SMALL)
        head = {"format": FORMAT, "version": VERSION, "source": before, "arrays": digests, "columns": columns}
        if fingerprint(source.info.path) != before:
            raise FileFormatError("the file changed while it was read", source.info.path, "open it again")
        put(os.path.join(work, HEAD), json.dumps({**head, "latest": latest, "info": plain}))
        os.chmod(work, 0o755)
        _move(work, place)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move(work: str, place: str) -> None:
    """Put a finished folder in the place of whatever is there."""
    old = f"{work}-old"
    with suppress(FileNotFoundError):
        os.rename(place, old)
    os.rename(work, place)
    shutil.rmtree(old, ignore_errors=True)


def _save(folder: str, name: str, array: Array) -> str:
    """Write a small array; its digest."""
    path = os.path.join(folder, f"{name}.npy")
    np.save(path, np.asarray(array))
    with open(path, "rb") as file:
        return blake2b(file.read(), digest_size=16).hexdigest()


def _copy(source: PhotonSource, work: str, ctx: JobContext) -> Written:
    """Write the columns of a list that says it is sorted."""
    from ifuview.io.photons.index.kernels import take_sorted

    counts = np.zeros(source.info.beammap.nresonator + 1, np.int64)
    last = -1
    with ColumnFiles(work, ("time", "value")) as columns:
        for block in source.blocks(value=True, weight=True, ctx=ctx):
            last = int(take_sorted(block.resonator, block.time, last, counts))
            if last < 0 and len(block.time):
                raise _NotSorted
            assert block.value is not None
            columns.add(block.time, block.value, block.weight)
        return np.r_[0, np.cumsum(counts)], columns.latest, columns.close()


def _sort(source: PhotonSource, work: str, ctx: JobContext) -> Written:
    """Write the columns of a list in any order; photons of one resonator and time stay in the order of the file."""
    nresonator = source.info.beammap.nresonator
    counts = np.zeros(nresonator + 1, np.int64)
    piles = os.path.join(work, "piles")
    with ColumnFiles(work, ("time", "value")) as columns:
        rows = _rows(source.blocks(value=True, weight=True, ctx=ctx.part(0.0, 0.5)))
        for sorted_rows in _ordered(rows, 0, (nresonator + 1) << 32, piles, ctx.part(0.5, 1.0)):
            key = sorted_rows["key"]
            counts += np.bincount((key >> np.uint64(32)).astype(np.int64), minlength=nresonator + 1)
            columns.add(key.astype(np.uint32), sorted_rows["value"], sorted_rows["weight"])
        return np.r_[0, np.cumsum(counts)], columns.latest, columns.close()


def _rows(blocks: Iterator[PhotonBlock]) -> Iterator[Array]:
    """Photons as rows that know their place."""
    for block in blocks:
        rows = np.empty(len(block.time), ROW)
        rows["key"] = (block.resonator.astype(np.uint64) << np.uint64(32)) | block.time
        rows["value"] = block.value
        rows["weight"] = 1 if block.weight is None else block.weight
        yield rows


def _ordered(rows: Iterator[Array], low: int, high: int, folder: str, ctx: JobContext) -> Iterator[Array]:
    """Rows with low <= key < high, in order; dealt to piles in a folder, each sorted by itself."""
    os.makedirs(folder)
    width = max(-(-(high - low) // PILES), 1)
    sizes = _deal(rows, low, width, folder)
    for pile, size in enumerate(sizes):
        ctx.checkpoint(pile / PILES, "sorting photons")
        path = os.path.join(folder, str(pile))
        start = low + pile * width
        if size <= SORT_ROWS:
            held = np.fromfile(path, ROW) if size else np.empty(0, ROW)
            yield held[np.argsort(held["key"], kind="stable")]
        elif width == 1:
            yield from _stored(path, ctx.part(pile / PILES, pile / PILES))
        else:
            yield from _ordered(
                _stored(path, ctx.part(pile / PILES, pile / PILES)), start, start + width, f"{path}-piles",
                ctx.part(pile / PILES, (pile + 1) / PILES),
            )  # fmt: skip
        if size:
            os.remove(path)
    os.rmdir(folder)


def _deal(rows: Iterator[Array], low: int, width: int, folder: str) -> list[int]:
    """Deal rows to piles by their key, in the order they come; rows of each pile."""
    sizes = np.zeros(PILES, np.int64)
    with ExitStack() as stack:
        files: dict[int, IO[bytes]] = {}
        for block in rows:
            pile = ((block["key"] - np.uint64(low)) // np.uint64(width)).astype(np.uint8)
            block = block[np.argsort(pile, kind="stable")]
            count = np.bincount(pile, minlength=PILES)
            place = np.r_[0, np.cumsum(count)]
            for p in np.flatnonzero(count).tolist():
                if p not in files:
                    files[p] = stack.enter_context(open(os.path.join(folder, str(p)), "wb"))
                files[p].write(block[place[p] : place[p + 1]].tobytes())
            sizes += count
    return [int(size) for size in sizes]


def _stored(path: str, ctx: JobContext) -> Iterator[Array]:
    """Rows of a pile, block by block."""
    with open(path, "rb") as file:
        while len(block := np.fromfile(file, ROW, SORT_ROWS)):
            ctx.checkpoint(0.0, "sorting photons")
            yield block
