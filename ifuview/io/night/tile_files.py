"""Products of tiles: coadds, spectra, redshifts and QA, by their names, in a folder or of the tiles of exposures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ifuview.engine.context import SILENT, JobContext
from ifuview.files import is_folder
from ifuview.io.night.names import Names
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.night.exposures import ProductFile, TileFile

MOST_TILES = 200  # of exposures whose folders are looked into


def tile_file(entry: os.DirEntry[str], names: Names) -> TileFile | None:
    """The product that a file is by its name; None if it is none."""
    found = next((match for pattern in names.tiles if (match := pattern.fullmatch(entry.name))), None)
    if found is None or found["family"] not in names.chain.tiles:
        return None
    words = found.groupdict()
    petal = None if words.get("petal") is None else int(words["petal"])
    family, tile, group = words["family"], int(words["tile"]), words["group"]
    try:
        status = entry.stat()
    except OSError:
        return None  # gone meanwhile
    return TileFile(tile, family, petal, group, ProductFile(entry.path, status.st_size, status.st_mtime_ns))


def files_of(root: str, tiles: Iterable[int], names: Names, ctx: JobContext = SILENT) -> Iterator[TileFile]:
    """Products of some tiles of a production: those in the tree of tiles, */TILE and one folder below."""
    if not names.chain.tile_tree:
        return
    trees = [e.path for e in _entries(os.path.join(root, names.chain.tile_tree)) if is_folder(e)]
    for tile in list(tiles)[:MOST_TILES]:
        ctx.checkpoint(1.0, f"Tile {tile}")
        for tree in trees:
            yield from _below(os.path.join(tree, str(tile)), 1, names)


def in_order(files: Iterable[TileFile], chain: ChainSpec) -> tuple[TileFile, ...]:
    """By tile, group, family and petal; one file each, the newest."""
    newest: dict[tuple[int, str, str, int], TileFile] = {}
    for f in files:
        key = (f.tile, f.group, f.family, -1 if f.petal is None else f.petal)
        if key not in newest or newest[key].file.mtime < f.file.mtime:
            newest[key] = f
    order = sorted(newest, key=lambda k: (k[0], k[1], chain.tiles.index(k[2]), k[3]))
    return tuple(newest[key] for key in order)


def _below(folder: str, depth: int, names: Names) -> Iterator[TileFile]:
    """Products in a folder and below it."""
    for entry in _entries(folder):
        found = tile_file(entry, names)
        if found is not None:
            yield found
        elif depth and not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, depth - 1, names)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
