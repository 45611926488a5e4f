"""Scan a folder of a production into an ExposureIndex: names first, headers only where the night log is silent.

A production root, a night, an exposure, a tile folder, or any folder with products in it. What a header said is kept
in the user's cache folder for as long as size and time of the file stay the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ifuview.errors import MissingDataError, UsageError
from ifuview.io.fits_head import BLOCK, complete, head_cards
from ifuview.io.night_log import LogEntry, bad_amplifiers, read_logs
from ifuview.io.source import QUIET, Progress
from ifuview.model.exposures import PRODUCTS, Exposure, ExposureIndex, FileState, ProductFile

SUFFIXES = (".fits", ".fits.gz", ".fits.fz")
PRODUCT = re.compile(r"([a-z]+)-([a-z]\d)-(\d{8})\.fits(?:\.gz|\.fz)?", re.ASCII)
NIGHT = re.compile(r"20\d{6}", re.ASCII)
NUMBER = re.compile(r"\d{8}", re.ASCII)
CALIBRATION = {"psfnight": "psf", "fiberflatnight": "fiberflat"}
SAME = {"fiberflatexp": "fiberflat"}  # another name of a product in the folder of the exposure
TREES = ("preproc", "exposures")  # NIGHT/EXPID below each
LOG_NAME = re.compile(r"(?:tsnr-)?exposures(?:-.*)?\.(?:csv|ecsv)|exposure_table_\d{8}\.(?:csv|ecsv)", re.ASCII)
FACTS = ("NIGHT", "EXPID", "TILEID", "OBSTYPE", "FLAVOR", "EXPTIME", "BADAMPS")
NIGHTS_AT_ONCE = 7  # of a production root, the newest: a night of a large survey has 30 000 files
DEPTH = 3  # folders below one that is no production
CHECK_EVERY = 512  # files between two checkpoints
GZIP_LEAST = 18  # bytes of header and trailer, RFC 1952
FRESH_S = 20.0  # a file changed later than this may still be written
VERSION = 1  # of the cache


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

    files: dict[int, dict[tuple[str, str], ProductFile]] = field(default_factory=dict)
    nights: dict[int, int] = field(default_factory=dict)
    calibrations: dict[tuple[int, str, str], str] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: int = 0


def scan(path: str, ctx: Progress = QUIET, cache: Path | None = None) -> ExposureIndex:
    """Index a production, a night, an exposure, a tile or any folder of products.

    Parameters
    ----------
    path : str
    ctx : Progress
        Checked for every few hundred files.
    cache : Path, optional
        Where header values are kept; default: the user's cache folder.

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
    for place in _places(scope, found):
        _collect(place, found, DEPTH if not scope.root else 0, ctx)
    found.logs += _logs(scope, sorted(set(found.nights.values()) | set(scope.nights)))
    logs = read_logs(dict.fromkeys(found.logs), found.notes)
    heads = Heads(scope.root or folder, cache)
    exposures = []
    for done, (expid, files) in enumerate(sorted(found.files.items())):
        ctx.checkpoint(0.3 + 0.7 * done / len(found.files), f"Exposure {expid}")
        exposures.append(_exposure(expid, found.nights.get(expid, 0), files, logs.get(expid), heads))
    if scope.tile:
        exposures = [e for e in exposures if e.tile == scope.tile]
    heads.save()
    return ExposureIndex(
        folder=folder,
        root=scope.root or folder,
        exposures=tuple(sorted(exposures, key=lambda e: (e.night, e.expid))),
        calibrations=MappingProxyType(found.calibrations),
        notes=tuple(found.notes),
        headers_read=heads.read,
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


def _places(scope: Scope, found: Found) -> Iterator[str]:
    """Folders that hold the files of a scope."""
    if not scope.root:
        yield scope.folder
        return
    nights = {int(n) for tree in TREES for n in _names(os.path.join(scope.root, tree)) if NIGHT.fullmatch(n)}
    wanted, expids = _of_tile(scope) if scope.tile else ({scope.night} - {0}, {scope.expid} - {0})
    chosen = sorted(nights & wanted if wanted else nights)
    if len(chosen) > NIGHTS_AT_ONCE and not expids:
        found.notes.append(
            f"{len(chosen) - NIGHTS_AT_ONCE} older nights are left out: open the folder of a night to see it"
        )
        chosen = chosen[-NIGHTS_AT_ONCE:]
    for night in chosen:
        yield os.path.join(scope.root, "calibnight", str(night))
        for tree in TREES:
            folder = os.path.join(scope.root, tree, str(night))
            for name in sorted(_names(folder)):
                if NUMBER.fullmatch(name) and (not expids or int(name) in expids):
                    yield os.path.join(folder, name)


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
    return out + sorted(os.path.join(root, n) for n in _names(root) if LOG_NAME.fullmatch(n))


def _collect(folder: str, found: Found, depth: int, ctx: Progress) -> None:
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
            if entry.name.endswith(SUFFIXES):
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
    files = found.files.setdefault(number, {})
    old = files.get((camera, product))
    if old is None or status.st_mtime_ns > old.mtime:
        files[camera, product] = ProductFile(entry.path, status.st_size, status.st_mtime_ns)
    if number not in found.nights:
        name = os.path.basename(os.path.dirname(os.path.dirname(entry.path)))
        if NIGHT.fullmatch(name):
            found.nights[number] = int(name)


def file_state(file: ProductFile, now: float) -> FileState:
    """Ready, damaged or still being written: only a fresh file is read to see whether it ends."""
    if now - file.mtime / 1e9 < FRESH_S:
        return FileState.READY if complete(file.path) else FileState.WRITING
    cut_off = file.size < GZIP_LEAST if file.path.endswith(".gz") else not file.size or file.size % BLOCK
    return FileState.DAMAGED if cut_off else FileState.READY


def _exposure(
    expid: int, night: int, files: dict[tuple[str, str], ProductFile], log: LogEntry | None, heads: Heads
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
    )


def _first(files: Mapping[tuple[str, str], ProductFile], camera: str) -> ProductFile:
    """The file of a camera whose header is asked: of the earliest product."""
    own = {product: file for (c, product), file in files.items() if c == camera}
    return own[min(own, key=lambda p: (p not in PRODUCTS, PRODUCTS.index(p) if p in PRODUCTS else 0, p))]


def _number(value: Any) -> float | None:
    """A number of a header."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


class Heads:
    """Header values of files, kept between runs by path, size and time of change."""

    def __init__(self, root: str, folder: Path | None = None) -> None:
        place = cache_folder() if folder is None else folder
        self._file = place / f"{hashlib.sha1(root.encode('utf-8', 'surrogateescape')).hexdigest()}.json"
        self._root = root
        self._known = self._load()
        self.read = 0

    def _load(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._file.read_text("utf-8"))
            return stored["heads"] if stored["version"] == VERSION and stored["root"] == self._root else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def facts(self, file: ProductFile) -> Mapping[str, Any]:
        """Header values of a file; one that is still being written is not asked."""
        if file.state is not FileState.READY:
            return {}
        known = self._known.get(file.path)
        if isinstance(known, list) and known[:2] == [file.size, file.mtime]:
            return dict(known[2])
        found = head_cards(file.path, FACTS)
        self.read += 1
        self._known[file.path] = [file.size, file.mtime, found]
        return found

    def save(self) -> None:
        """Write what was learned; a cache that cannot be written costs time and nothing else."""
        if not self.read:
            return
        text = json.dumps({"version": VERSION, "root": self._root, "heads": self._known})
        part = self._file.with_suffix(f".{os.getpid()}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text, "utf-8")
            os.replace(part, self._file)
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where indexes are kept for this user; IFUVIEW_CACHE names another folder."""
    if named := os.environ.get("IFUVIEW_CACHE"):
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("ifuview", appauthor=False)) / "exposures"
