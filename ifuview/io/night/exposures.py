"""Scan a folder of a production into an ExposureIndex: names first, headers only where the night log is silent.

A production root, a night, an exposure, a tile folder, or any folder with products in it. What a header said is kept
in the user's cache folder for as long as size and time of the file stay the same.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.files import FITS_SUFFIXES
from ifuview.io.fits.head import BLOCK, complete
from ifuview.io.fits.head_cache import Heads
from ifuview.io.night.log import LogEntry, bad_amplifiers, read_logs
from ifuview.io.night.tile_files import files_of, in_order, tile_file
from ifuview.model.night.exposures import PRODUCTS, Exposure, ExposureIndex, FileState, ProductFile, TileFile

PRODUCT = re.compile(r"([a-z]+)-([a-z]\d)-(\d{8})\.fits(?:\.gz|\.fz)?", re.ASCII)
NIGHT = re.compile(r"20\d{6}", re.ASCII)
NUMBER = re.compile(r"\d{8}", re.ASCII)
CALIBRATION = {"psfnight": "psf", "fiberflatnight": "fiberflat"}
SAME = {"fiberflatexp": "fiberflat"}  # another name of a product in the folder of the exposure
LOGS_BESIDE = ("exposures", "tsnr-exposures")  # beside a production, with its name
TREES = ("preproc", "exposures")  # NIGHT/EXPID below each
RAW = re.compile(r"desi-(\d{8})\.fits(?:\.fz|\.gz)?", re.ASCII)
RAW_TREES = ("raw", "../raw", "../data")  # NIGHT/EXPID below each, from the root of a production
LOG_NAME = re.compile(r"(?:tsnr-)?exposures(?:-.*)?\.(?:csv|ecsv|fits)|exposure_table_\d{8}\.(?:csv|ecsv)", re.ASCII)
NIGHTS_AT_ONCE = 7  # of a production root, the newest: a night of a large survey has 30 000 files
DEPTH = 3  # folders below one that is no production
CHECK_EVERY = 512  # files between two checkpoints
GZIP_LEAST = 18  # bytes of header and trailer, RFC 1952
FRESH_S = 20.0  # a file changed later than this may still be written


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
class Found:
    """What the walk has come across."""

    files: dict[int, dict[str, dict[tuple[str, str], ProductFile]]] = field(default_factory=dict)  # by folder
    nights: dict[int, int] = field(default_factory=dict)
    calibrations: dict[tuple[int, str, str], str] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: dict[int, ProductFile] = field(default_factory=dict)
    tiles: list[TileFile] = field(default_factory=list)
    seen: int = 0


def scan(
    path: str, ctx: JobContext = SILENT, cache: Path | None = None, *, depth: int = DEPTH, nights: int | None = None
) -> ExposureIndex:
    """Index a production, a night, an exposure, a tile or any folder of products.

    Parameters
    ----------
    path : str
    ctx : JobContext
        Checked for every few hundred files.
    cache : Path, optional
        Where header values are kept; default: the user's cache folder.
    depth : int
        Folders below one that is no production.
    nights : int, optional
        Nights of a production root that are looked at, the newest; default: `NIGHTS_AT_ONCE`.

    Raises
    ------
    MissingDataError
        There is no such folder.
    UsageError
        It is no folder, or may not be read.
    """
    folder = os.path.abspath(path)
    if not os.path.exists(folder):
        raise MissingDataError("no such folder", path)
    if not os.path.isdir(folder) or not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError("is no folder that can be read", path, "choose a production, a night, an exposure or a tile")
    scope = scope_of(folder)
    found = Found()
    ctx.checkpoint(0.0, f"Looking through {os.path.basename(folder)}")
    for place in _places(scope, found, NIGHTS_AT_ONCE if nights is None else nights):
        _collect(place, found, depth if not scope.root else 0, ctx)
    found.logs += _logs(scope, sorted(set(found.nights.values()) | set(scope.nights)))
    logs = read_logs(dict.fromkeys(found.logs), found.notes)
    heads = Heads(scope.root or folder, cache)
    exposures = []
    for done, (expid, folders) in enumerate(sorted(found.files.items())):
        ctx.checkpoint(0.3 + 0.7 * done / len(found.files), f"Exposure {expid}")
        files = _of_one_production(expid, folders, found.notes)
        raw = found.raw.get(expid)
        exposures.append(_exposure(expid, found.nights.get(expid, 0), files, logs.get(expid), heads, raw))
    if scope.tile:
        exposures = [e for e in exposures if e.tile == scope.tile]
    if scope.root:
        tiles = {scope.tile} if scope.tile else {e.tile for e in exposures if e.tile is not None and e.tile > 0}
        found.tiles += files_of(scope.root, sorted(tiles), ctx)
    heads.save()
    return ExposureIndex(
        folder=folder,
        root=scope.root or folder,
        exposures=tuple(sorted(exposures, key=lambda e: (e.night, e.expid))),
        calibrations=MappingProxyType(found.calibrations),
        notes=tuple(found.notes),
        headers_read=heads.read,
        tiles=in_order(f for f in found.tiles if f.file.path.startswith(folder) or not scope.tile),
    )


def scope_of(folder: str) -> Scope:
    """What a folder is, from its name, its parents and what lies in it; no production: a scope without root."""
    parts = Path(folder).parts
    for depth, name in enumerate(parts):
        if name in TREES and depth + 1 < len(parts) and NIGHT.fullmatch(parts[depth + 1]):
            expid = parts[depth + 2] if depth + 2 < len(parts) else ""
            night = int(parts[depth + 1])
            return Scope(folder, str(Path(*parts[:depth])), night, int(expid) if NUMBER.fullmatch(expid) else 0,
                         nights=(night,))  # fmt: skip
        if name == "tiles" and depth + 2 < len(parts) and parts[depth + 2].isdecimal():
            return Scope(folder, str(Path(*parts[:depth])), tile=int(parts[depth + 2]), nights=_tile_nights(folder))
    if parts[-1] in TREES:
        return Scope(folder, str(Path(folder).parent))
    if any(os.path.isdir(os.path.join(folder, tree)) for tree in TREES):
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


def _places(scope: Scope, found: Found, most: int = NIGHTS_AT_ONCE) -> Iterator[str]:
    """Folders that hold the files of a scope."""
    if not scope.root:
        yield scope.folder
        return
    nights = {int(n) for tree in TREES for n in _names(os.path.join(scope.root, tree)) if NIGHT.fullmatch(n)}
    wanted, expids = _of_tile(scope) if scope.tile else ({scope.night} - {0}, {scope.expid} - {0})
    chosen = sorted(nights & wanted if wanted else nights)
    if len(chosen) > most and not expids:
        found.notes.append(f"{len(chosen) - most} older nights are left out: open the folder of a night to see it")
        chosen = chosen[-most:]
    for night in chosen:
        yield os.path.join(scope.root, "calibnight", str(night))
        for tree in RAW_TREES:
            folder = os.path.normpath(os.path.join(scope.root, tree, str(night)))
            yield from (os.path.join(folder, n) for n in _names(folder) if _wanted(n, expids))
        for tree in TREES:
            folder = os.path.join(scope.root, tree, str(night))
            for name in sorted(_names(folder)):
                if _wanted(name, expids):
                    yield os.path.join(folder, name)


def _wanted(name: str, expids: set[int]) -> bool:
    """Whether a folder is that of an exposure that is looked for; all are where none is named."""
    return NUMBER.fullmatch(name) is not None and (not expids or int(name) in expids)


def _of_tile(scope: Scope) -> tuple[set[int], set[int]]:
    """Nights and numbers of the exposures of a tile, as the tables say; what they do not say is to be looked for."""
    logs = read_logs(_logs(scope, list(scope.nights)), [])
    own = {expid: entry for expid, entry in logs.items() if entry.number("TILEID") == scope.tile}
    nights = {int(entry.number("NIGHT") or 0) for entry in own.values()} - {0}
    known = scope.nights and set(scope.nights) <= nights
    return nights | set(scope.nights), set(own) if known else set()


def _logs(scope: Scope, nights: list[int]) -> list[str]:
    """Tables of a production: those of the nights first, as they say more."""
    root = scope.root
    if not root:
        return []
    out = []
    for night in nights:
        folder = os.path.join(root, "exposure_tables", str(night)[:6])
        names = (f"exposure_table_{night}.csv", f"exposure_table_{night}.ecsv")
        out += [os.path.join(folder, n) for n in names if os.path.isfile(os.path.join(folder, n))]
    out += sorted(os.path.join(root, n) for n in _names(root) if LOG_NAME.fullmatch(n))
    above, name = os.path.split(root)
    beside = (os.path.join(above, f"{kind}-{name}.{suffix}") for kind in LOGS_BESIDE for suffix in ("csv", "fits"))
    return out + [path for path in beside if os.path.isfile(path)]


def _collect(folder: str, found: Found, depth: int, ctx: JobContext) -> None:
    """Note the products in a folder, and below it to some depth."""
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
                _note(entry, found)
            elif depth and not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            elif LOG_NAME.fullmatch(entry.name):
                found.logs.append(entry.path)
    for path in sorted(below):
        _collect(path, found, depth - 1, ctx)


def _note(entry: os.DirEntry[str], found: Found) -> None:
    """Put a file to its exposure if its name is that of a product."""
    match = PRODUCT.fullmatch(entry.name)
    if match is None:
        _note_other(entry, found)
        return
    product, camera, number = match[1], match[2], int(match[3])
    if product in CALIBRATION:
        found.calibrations[number, CALIBRATION[product], camera] = entry.path
        return
    try:
        status = entry.stat()
    except OSError:
        return  # gone meanwhile
    product = SAME.get(product, product)
    files = found.files.setdefault(number, {}).setdefault(os.path.dirname(entry.path), {})
    old = files.get((camera, product))
    if old is None or status.st_mtime_ns > old.mtime:
        files[camera, product] = ProductFile(entry.path, status.st_size, status.st_mtime_ns)
    if number not in found.nights:
        name = os.path.basename(os.path.dirname(os.path.dirname(entry.path)))
        if NIGHT.fullmatch(name):
            found.nights[number] = int(name)


def _of_one_production(
    expid: int, folders: Mapping[str, dict[tuple[str, str], ProductFile]], notes: list[str]
) -> dict[tuple[str, str], ProductFile]:
    """Files of an exposure; a folder that has some of them a second time is another production and is left out."""
    out: dict[tuple[str, str], ProductFile] = {}
    for folder, files in sorted(folders.items(), key=lambda item: (-len(item[1]), item[0])):
        if out.keys() & files.keys():
            note = f"{os.path.dirname(folder)}: what another folder has, too, is left out (exposure {expid} and others)"
            if not any(n.startswith(note[: note.index(" (")]) for n in notes):
                notes.append(note)
        else:
            out.update(files)
    return out


def _note_other(entry: os.DirEntry[str], found: Found) -> None:
    """Note a file that is no product of a camera: of a tile, of all cameras before any step, or a log of exposures."""
    if (match := RAW.fullmatch(entry.name)) is not None:
        with contextlib.suppress(OSError):  # gone meanwhile
            status = entry.stat()
            found.raw[int(match[1])] = ProductFile(entry.path, status.st_size, status.st_mtime_ns)
            found.files.setdefault(int(match[1]), {})
            night = os.path.basename(os.path.dirname(os.path.dirname(entry.path)))
            if NIGHT.fullmatch(night):
                found.nights.setdefault(int(match[1]), int(night))
    elif LOG_NAME.fullmatch(entry.name):
        found.logs.append(entry.path)
    elif (product := tile_file(entry)) is not None:
        found.tiles.append(product)


def file_state(file: ProductFile, now: float) -> FileState:
    """Ready, damaged or still being written: only a fresh file is read to see whether it ends."""
    if now - file.mtime / 1e9 < FRESH_S:
        return FileState.READY if complete(file.path) else FileState.WRITING
    cut_off = file.size < GZIP_LEAST if file.path.endswith(".gz") else not file.size or file.size % BLOCK
    return FileState.DAMAGED if cut_off else FileState.READY


def _exposure(
    expid: int,
    night: int,
    files: dict[tuple[str, str], ProductFile],
    log: LogEntry | None,
    heads: Heads,
    raw: ProductFile | None = None,
) -> Exposure:
    """Join names, log and headers of one exposure."""
    now = time.time()
    states = {key: file_state(file, now) for key, file in files.items()}
    files = {k: f if states[k] is FileState.READY else replace(f, state=states[k]) for k, f in files.items()}
    entry = log or LogEntry()
    amplifiers = entry.bad_amplifiers
    facts: Mapping[str, Any] = {}
    if "CAMWORD" not in entry.columns:  # no log of the night: the cameras must speak for themselves
        for camera in sorted({camera for camera, _ in files}):
            head = heads.facts(_first(files, camera))
            facts = facts or head
            if letters := str(head.get("BADAMPS", "")).replace(",", "").strip():
                amplifiers |= bad_amplifiers(camera + letters) or {}
    if not files and raw is not None and not log:
        facts = heads.facts(raw)
    tile, exptime = entry.number("TILEID"), entry.number("EXPTIME")
    tile = _number(facts.get("TILEID")) if tile is None else tile
    return Exposure(
        night=night or int(entry.number("NIGHT") or _number(facts.get("NIGHT")) or 0),
        expid=expid,
        tile=None if tile is None else int(tile),
        obstype=str(entry.columns.get("OBSTYPE") or facts.get("OBSTYPE") or facts.get("FLAVOR") or "").strip().lower(),
        exptime=_number(facts.get("EXPTIME")) if exptime is None else exptime,
        files=MappingProxyType(files),
        cameras=entry.cameras,
        off=entry.off,
        bad_amplifiers=MappingProxyType(amplifiers),
        table=MappingProxyType(entry.columns),
        raw="" if raw is None else raw.path,
    )


def _first(files: Mapping[tuple[str, str], ProductFile], camera: str) -> ProductFile:
    """The file of a camera whose header is asked: of the earliest product."""
    own = {product: file for (c, product), file in files.items() if c == camera}
    return own[min(own, key=lambda p: (p not in PRODUCTS, PRODUCTS.index(p) if p in PRODUCTS else 0, p))]


def _number(value: Any) -> float | None:
    """A number of a header."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
