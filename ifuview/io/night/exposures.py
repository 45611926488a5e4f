"""Scan a folder of a production into an ExposureIndex: names first, headers only where the night log is silent.

A production root, a night, an exposure, a tile folder, or any folder with products in it. What a header said is kept
in the user's cache folder for as long as size and time of the file stay the same.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ifuview import instrument as instruments
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError, UsageError
from ifuview.inputs import regular_file
from ifuview.io.archive.paths import is_folder, leads_inside
from ifuview.io.fits.head import BLOCK, complete
from ifuview.io.fits.head_cache import Heads
from ifuview.io.night.log import LogEntry, bad_amplifiers, read_logs
from ifuview.io.night.names import Names
from ifuview.io.night.raw_exposures import raw_exposures
from ifuview.io.night.renamed import MOST, renamed
from ifuview.io.night.tile_files import files_of, in_order
from ifuview.io.night.walk import NIGHTS_AT_ONCE, FoundFiles, Scope, collect, log_files, places, scope_of
from ifuview.io.packed import MAGIC_BYTES, is_packed
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.night.exposures import Exposure, ExposureIndex, FileState, ProductFile

DEPTH = 6  # folders below one that is no production
GZIP_LEAST = 18  # bytes of header and trailer, RFC 1952
FRESH_S = 20.0  # a file changed later than this may still be written


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
    if not os.path.exists(folder) and not leads_inside(folder):
        raise MissingDataError("no such folder", path)
    production = any(scope_of(folder, chain).root for chain in instruments.chains())
    if not production and (night := raw_exposures(folder, ctx)) is not None:
        return night
    if is_folder(folder, ctx) and not os.path.isdir(folder):
        todo = "open the archive of an observation or of a night"
        raise MissingDataError("no raw amplifiers are in this archive", path, todo)
    if not os.path.isdir(folder) or not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError("is no folder that can be read", path, "choose a production, a night, an exposure or a tile")
    ctx.checkpoint(0.0, f"Looking through {os.path.basename(folder)}")
    scope, found = _walked(folder, NIGHTS_AT_ONCE if nights is None else nights, depth, ctx)
    chain = found.names.chain
    found.logs += log_files(scope, sorted(set(found.nights.values()) | set(scope.nights)), found.names)
    logs = read_logs(dict.fromkeys(found.logs), found.notes)
    heads = Heads(scope.root or folder, cache)
    _add_renamed(found, heads)
    exposures = []
    for done, (expid, folders) in enumerate(sorted(found.files.items())):
        ctx.checkpoint(0.3 + 0.7 * done / len(found.files), f"Exposure {expid}")
        files = _of_one_production(expid, folders, found.notes)
        raw = found.raw.get(expid)
        exposures.append(_exposure(expid, found.nights.get(expid, 0), files, logs.get(expid), heads, chain, raw))
    if scope.tile:
        exposures = [e for e in exposures if e.tile == scope.tile]
    if scope.root:
        tiles = {scope.tile} if scope.tile else {e.tile for e in exposures if e.tile is not None and e.tile > 0}
        found.tiles += files_of(scope.root, sorted(tiles), found.names, ctx)
    heads.save()
    return ExposureIndex(
        folder=folder,
        root=scope.root or folder,
        exposures=tuple(sorted(exposures, key=lambda e: (e.night, e.expid))),
        calibrations=MappingProxyType(found.calibrations),
        notes=tuple(found.notes),
        headers_read=heads.read,
        tiles=in_order((f for f in found.tiles if f.file.path.startswith(folder) or not scope.tile), chain),
        chain=chain,
    )


def _walked(folder: str, nights: int, depth: int, ctx: JobContext) -> tuple[Scope, FoundFiles]:
    """What a folder is and what lies in it: of the chain that it is a production of, else of that with most files."""
    chains = instruments.chains()
    for chain in chains:
        scope, found = scope_of(folder, chain), FoundFiles(Names(chain))
        if scope.root:
            for place in places(scope, found, nights):
                collect(place, [found], 0, ctx)
            return scope, found
    every = [FoundFiles(Names(chain)) for chain in chains]
    collect(folder, every, depth, ctx)
    best = max(every, key=lambda found: (found.count, bool(found.names.chain.contents)))
    best.unnamed = every[0].unnamed
    left = sum(len(found.files) for found in every if found is not best)
    if left:
        best.notes.append(f"{left} exposures of other instruments are left out: open their folder to see them")
    return Scope(folder), best


def _is_packed(path: str) -> bool:
    """Whether a file is packed whatever its name says."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return is_packed(file.read(MAGIC_BYTES))
    return False


def _add_renamed(found: FoundFiles, heads: Heads) -> None:
    """Put files whose names say nothing to their exposures, if they are few; what has a right name comes first."""
    chain = found.names.chain
    for path in sorted(found.unnamed) if chain.contents and len(found.unnamed) <= MOST else ():
        with contextlib.suppress(IfuviewError):  # gone meanwhile, or a pipe on which one would wait
            status = regular_file(path)
            file = ProductFile(path, status.st_size, status.st_mtime_ns)
            if (own := renamed(path, heads.facts(file), chain)) is None:
                continue
            if own.product in chain.calibrations.values():
                found.calibrations.setdefault((own.night, own.product, own.camera), path)
                continue
            files = found.files.setdefault(own.expid, {})
            if not any((own.camera, own.product) in others for others in files.values()):
                files.setdefault(os.path.dirname(path), {})[own.camera, own.product] = file
                found.notes.append(f"{os.path.basename(path)} is taken for {own.product}-{own.camera}-{own.expid:08d}")


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


def file_state(file: ProductFile, now: float) -> FileState:
    """Ready, damaged or still being written: only a fresh file is read to see whether it ends."""
    if now - file.mtime / 1e9 < FRESH_S:
        return FileState.READY if complete(file.path) else FileState.WRITING
    packed = file.path.endswith(".gz") or (file.size % BLOCK and _is_packed(file.path))  # or renamed
    cut_off = file.size < GZIP_LEAST if packed else not file.size or file.size % BLOCK
    return FileState.DAMAGED if cut_off else FileState.READY


def _exposure(
    expid: int,
    night: int,
    files: dict[tuple[str, str], ProductFile],
    log: LogEntry | None,
    heads: Heads,
    chain: ChainSpec,
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
            head = heads.facts(_first(files, camera, chain))
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


def _first(files: Mapping[tuple[str, str], ProductFile], camera: str, chain: ChainSpec) -> ProductFile:
    """The file of a camera whose header is asked: of the earliest product."""
    own = {product: file for (c, product), file in files.items() if c == camera}
    return own[min(own, key=chain.place)]


def _number(value: Any) -> float | None:
    """A number of a header."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
