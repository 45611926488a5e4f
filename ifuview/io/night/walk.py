"""Walk through a folder of a production: which part of it a folder is, which files of it belong to which exposure."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ifuview.engine.context import JobContext
from ifuview.files import FITS_SUFFIXES
from ifuview.io.night.log import read_logs
from ifuview.io.night.names import NIGHT, NUMBER, Names
from ifuview.io.night.tile_files import tile_file
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.night.exposures import ProductFile, TileFile

NIGHTS_AT_ONCE = 7  # of a production root, the newest: a night of a large survey has 30 000 files
CHECK_EVERY = 512  # files between two checkpoints


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of which production a folder stands for; 0 and "" mean all."""

    folder: str
    root: str = ""
    night: int = 0
    expid: int = 0
    tile: int = 0
    nights: tuple[int, ...] = ()


@dataclass(slots=True)
class FoundFiles:
    """What the walk has come across of one chain of products."""

    names: Names
    files: dict[int, dict[str, dict[tuple[str, str], ProductFile]]] = field(default_factory=dict)  # by folder
    nights: dict[int, int] = field(default_factory=dict)
    calibrations: dict[tuple[int, str, str], str] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: dict[int, ProductFile] = field(default_factory=dict)
    tiles: list[TileFile] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)  # files whose names say nothing to any chain
    seen: int = 0

    @property
    def count(self) -> int:
        """Number of files."""
        products = sum(len(own) for folders in self.files.values() for own in folders.values())
        return products + len(self.raw) + len(self.tiles) + len(self.calibrations)


def scope_of(folder: str, chain: ChainSpec) -> Scope:
    """What a folder is, from its name, its parents and what lies in it; no production: a scope without root."""
    parts = Path(folder).parts
    for depth, name in enumerate(parts):
        if name in chain.trees and depth + 1 < len(parts) and NIGHT.fullmatch(parts[depth + 1]):
            expid = parts[depth + 2] if depth + 2 < len(parts) else ""
            night = int(parts[depth + 1])
            return Scope(folder, str(Path(*parts[:depth])), night, int(expid) if NUMBER.fullmatch(expid) else 0,
                         nights=(night,))  # fmt: skip
        if name == chain.tile_tree and depth + 2 < len(parts) and parts[depth + 2].isdecimal():
            return Scope(folder, str(Path(*parts[:depth])), tile=int(parts[depth + 2]), nights=_tile_nights(folder))
    if parts[-1] in chain.trees:
        return Scope(folder, str(Path(folder).parent))
    if any(os.path.isdir(os.path.join(folder, tree)) for tree in chain.trees):
        return Scope(folder, folder)
    return Scope(folder)


def _tile_nights(folder: str) -> tuple[int, ...]:
    """Nights that a tile folder is named after, or holds."""
    names = [os.path.basename(folder), *_names(folder)]
    return tuple(sorted({int(n) for n in names if NIGHT.fullmatch(n)}))


def _names(folder: str) -> list[str]:
    """Names in a folder; none if it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def places(scope: Scope, found: FoundFiles, most: int = NIGHTS_AT_ONCE) -> Iterator[str]:
    """Folders that hold the files of a scope."""
    chain = found.names.chain
    if not scope.root:
        yield scope.folder
        return
    nights = {int(n) for tree in chain.trees for n in _names(os.path.join(scope.root, tree)) if NIGHT.fullmatch(n)}
    wanted, expids = _of_tile(scope, found.names) if scope.tile else ({scope.night} - {0}, {scope.expid} - {0})
    chosen = sorted(nights & wanted if wanted else nights)
    if len(chosen) > most and not expids:
        found.notes.append(f"{len(chosen) - most} older nights are left out: open the folder of a night to see it")
        chosen = chosen[-most:]
    for night in chosen:
        if chain.calibration_tree:
            yield os.path.join(scope.root, chain.calibration_tree, str(night))
        for tree in chain.raw_trees:
            folder = os.path.normpath(os.path.join(scope.root, tree, str(night)))
            yield from (os.path.join(folder, n) for n in _names(folder) if _wanted(n, expids))
        for tree in chain.trees:
            folder = os.path.join(scope.root, tree, str(night))
            for name in sorted(_names(folder)):
                if _wanted(name, expids):
                    yield os.path.join(folder, name)


def _wanted(name: str, expids: set[int]) -> bool:
    """Whether a folder is that of an exposure that is looked for; all are where none is named."""
    return NUMBER.fullmatch(name) is not None and (not expids or int(name) in expids)


def _of_tile(scope: Scope, names: Names) -> tuple[set[int], set[int]]:
    """Nights and numbers of the exposures of a tile, as the tables say; what they do not say is to be looked for."""
    logs = read_logs(log_files(scope, list(scope.nights), names), [])
    own = {expid: entry for expid, entry in logs.items() if entry.number("TILEID") == scope.tile}
    nights = {int(entry.number("NIGHT") or 0) for entry in own.values()} - {0}
    known = scope.nights and set(scope.nights) <= nights
    return nights | set(scope.nights), set(own) if known else set()


def log_files(scope: Scope, nights: list[int], names: Names) -> list[str]:
    """Tables of a production: those of the nights first, as they say more."""
    root, chain = scope.root, names.chain
    if not root:
        return []
    words = [{"night": str(night), "month": str(night)[:6]} for night in nights]
    out = [os.path.join(root, pattern.format(**word)) for word in words for pattern in chain.night_logs]
    own = [os.path.join(root, name) for name in sorted(_names(root)) if names.log.fullmatch(name)]
    above, name = os.path.split(root)
    beside = [os.path.join(above, pattern.format(name=name)) for pattern in chain.logs_beside]
    return [path for path in out if os.path.isfile(path)] + own + [path for path in beside if os.path.isfile(path)]


def collect(folder: str, chains: list[FoundFiles], depth: int, ctx: JobContext) -> None:
    """Note the products in a folder, and below it to some depth, each for the first of the chains that knows it."""
    found = chains[0]
    below: list[str] = []
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    except OSError as problem:
        found.notes.append(f"{os.path.basename(folder)} is left out: it cannot be read ({problem.strerror})")
        return
    with entries:
        for entry in entries:
            found.seen += 1
            if found.seen % CHECK_EVERY == 0:
                ctx.checkpoint(0.1, f"{found.seen} files")
            if entry.name.endswith(FITS_SUFFIXES):
                if not any(_note(entry, one) for one in chains):
                    found.unnamed.append(entry.path)
            elif depth and not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            else:
                any(_is_log(entry, one) for one in chains)
    for path in sorted(below):
        collect(path, chains, depth - 1, ctx)


def _is_log(entry: os.DirEntry[str], found: FoundFiles) -> bool:
    """Note a table of exposures."""
    if found.names.log.fullmatch(entry.name) is None:
        return False
    found.logs.append(entry.path)
    return True


def _note(entry: os.DirEntry[str], found: FoundFiles) -> bool:
    """Put a file to its exposure if its name is that of a product; whether it is."""
    match, chain = found.names.product.fullmatch(entry.name), found.names.chain
    if match is None:
        return _note_other(entry, found)
    product, camera, number = match["product"], match["camera"], int(match["expid"])
    if product in chain.calibrations:
        found.calibrations[number, chain.calibrations[product], camera] = entry.path
        return True
    try:
        status = entry.stat()
    except OSError:
        return True  # gone meanwhile
    product = chain.same.get(product, product)
    files = found.files.setdefault(number, {}).setdefault(os.path.dirname(entry.path), {})
    old = files.get((camera, product))
    if old is None or status.st_mtime_ns > old.mtime:
        files[camera, product] = ProductFile(entry.path, status.st_size, status.st_mtime_ns)
    if number not in found.nights:
        name = os.path.basename(os.path.dirname(os.path.dirname(entry.path)))
        if NIGHT.fullmatch(name):
            found.nights[number] = int(name)
    return True


def _note_other(entry: os.DirEntry[str], found: FoundFiles) -> bool:
    """Note a file that is no product of a camera: of a tile, of all cameras before any step, or a log of exposures."""
    if (match := found.names.raw.fullmatch(entry.name)) is not None:
        number = int(match["expid"])
        with contextlib.suppress(OSError):  # gone meanwhile
            status = entry.stat()
            found.raw[number] = ProductFile(entry.path, status.st_size, status.st_mtime_ns)
            found.files.setdefault(number, {})
            night = os.path.basename(os.path.dirname(os.path.dirname(entry.path)))
            if NIGHT.fullmatch(night):
                found.nights.setdefault(number, int(night))
        return True
    if _is_log(entry, found):
        return True
    product = tile_file(entry, found.names)
    if product is not None:
        found.tiles.append(product)
    return product is not None
