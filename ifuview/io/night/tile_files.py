"""Products of tiles: coadds, spectra, redshifts and QA, by their names, in a folder or of the tiles of exposures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from ifuview.engine.context import SILENT, JobContext
from ifuview.model.night.exposures import ProductFile, TileFile

OF_PETAL = re.compile(r"([a-z]+(?:_[a-z]+)?)-(\d)-(\d+)-((?:thru|exp)?\d{8})\.fits(?:\.gz|\.fz)?", re.ASCII)
OF_TILE = re.compile(r"(tile-qa)-(\d+)-((?:thru|exp)?\d{8})\.fits(?:\.gz|\.fz)?", re.ASCII)
TREE = "tiles"
MOST_TILES = 200  # of exposures whose folders are looked into
FAMILIES = (
    "coadd", "spectra", "redrock", "zbest", "rrmodel", "zmtl", "emline", "qso_mgii", "qso_qn", "tile-qa",
)  # in the order in which they are listed; others are no products of tiles  # fmt: skip


def tile_file(entry: os.DirEntry[str]) -> TileFile | None:
    """The product that a file is by its name; None if it is none."""
    name = entry.name
    if (found := OF_PETAL.fullmatch(name)) is not None:
        family, petal, tile, group = found[1], int(found[2]), int(found[3]), found[4]
    elif (found := OF_TILE.fullmatch(name)) is not None:
        family, petal, tile, group = found[1], None, int(found[2]), found[3]
    else:
        return None
    if family not in FAMILIES:
        return None
    try:
        status = entry.stat()
    except OSError:
        return None  # gone meanwhile
    return TileFile(tile, family, petal, group, ProductFile(entry.path, status.st_size, status.st_mtime_ns))


def files_of(root: str, tiles: Iterable[int], ctx: JobContext = SILENT) -> Iterator[TileFile]:
    """Products of some tiles of a production: those in TREE/*/TILE and one folder below."""
    trees = [e.path for e in _entries(os.path.join(root, TREE)) if e.is_dir()]
    for tile in list(tiles)[:MOST_TILES]:
        ctx.checkpoint(1.0, f"Tile {tile}")
        for tree in trees:
            yield from _below(os.path.join(tree, str(tile)), 1)


def in_order(files: Iterable[TileFile]) -> tuple[TileFile, ...]:
    """By tile, group, family and petal; one file each, the newest."""
    newest: dict[tuple[int, str, str, int], TileFile] = {}
    for f in files:
        key = (f.tile, f.group, f.family, -1 if f.petal is None else f.petal)
        if key not in newest or newest[key].file.mtime < f.file.mtime:
            newest[key] = f
    order = sorted(newest, key=lambda k: (k[0], k[1], FAMILIES.index(k[2]), k[3]))
    return tuple(newest[key] for key in order)


def _below(folder: str, depth: int) -> Iterator[TileFile]:
    """Products in a folder and below it."""
    for entry in _entries(folder):
        found = tile_file(entry)
        if found is not None:
            yield found
        elif depth and not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, depth - 1)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
