"""Remote files on this disk: fetched once, kept while they are the same over there, within a limit.

A file is fetched from its start on; where the connection is cut it goes on from there, now or when it is opened again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.io.objects.folder import new_folder
from ifuview.io.remote.first import FOLDER, FirstLook
from ifuview.io.remote.sources import PIECE, CutOff, RemoteFile, source_of

STDIN = "-"
MOST_KEPT = 20 << 30  # bytes of all files that are kept
LEAST_FREE = 1 << 30  # bytes that stay free on the disk
TRIES, PAUSE = 4, 0.5  # of a connection; s before the next, doubled each time
ABOUT = "about.json"
MIB = 1 << 20


def is_elsewhere(path: str) -> bool:
    """Whether a path is an address, or what comes in."""
    return path == STDIN or ("://" in path and not os.path.lexists(path))


def fetched(url: str, ctx: JobContext = SILENT) -> str:
    """The path on this disk of the file at an address.

    Raises
    ------
    UsageError, MissingDataError
        It is no address; it is not there, may not be read, or nobody answers; the disk is full.
    JobCancelled
        The user had enough; what is there is kept for the next time.
    """
    if url == STDIN:
        return _from_stdin(ctx)
    if url.startswith("file://"):
        return unquote(urlsplit(url).path)
    source = _reached(url)
    place = folder() / hashlib.blake2b(url.encode(), digest_size=10).hexdigest()
    target = place / (os.path.basename(unquote(urlsplit(url).path)) or "file")
    if _is_same(place, source) and target.exists():
        shutil.rmtree(place / FOLDER, ignore_errors=True)  # of the time when there was no more
        os.utime(place)
        return str(target)
    _make_room(place, source, url)
    _fetch(url, source, place, target, ctx)
    return str(target)


def folder() -> Path:
    """Where files are kept for this user; IFUVIEW_CACHE names another folder."""
    if named := os.environ.get("IFUVIEW_CACHE"):
        return Path(named) / "remote"
    import platformdirs

    return Path(platformdirs.user_cache_dir("ifuview", appauthor=False)) / "remote"


def _reached(url: str) -> RemoteFile:
    for attempt in range(TRIES):
        try:
            return source_of(url)
        except CutOff as problem:
            if attempt == TRIES - 1:
                raise MissingDataError(f"nobody answers there ({problem})", url, "try again later") from problem
            time.sleep(PAUSE * 2**attempt)
    raise AssertionError("unreachable")


def _is_same(place: Path, source: RemoteFile) -> bool:
    """Whether what is kept, whole or in part, is what lies over there now."""
    try:
        about = json.loads((place / ABOUT).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(source.mark) and about == {"size": source.size, "mark": source.mark}


def _fetch(url: str, source: RemoteFile, place: Path, target: Path, ctx: JobContext) -> None:
    """Write all of it to a temporary name, going on where it was cut off, then give it its own."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = place / f".{target.name}.part"
    if not _is_same(place, source) or not source.ranged:
        part.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        (place / ABOUT).write_text(json.dumps({"size": source.size, "mark": source.mark}), encoding="utf-8")
    first, failed = FirstLook(part, target, source.size, ctx), 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _append(source, part, before, ctx, first)
            break
        except CutOff as problem:
            now = part.stat().st_size if part.exists() else 0
            failed = 0 if now > before and source.ranged else failed + 1
            if failed >= TRIES:
                todo = "open it again: it goes on where it was cut off"
                raise MissingDataError(f"cannot be fetched ({problem})", url, todo) from problem
            time.sleep(PAUSE * 2**failed)
        except OSError as problem:
            raise UsageError(f"cannot be kept ({problem})", str(place), "make room on the disk") from problem
    os.replace(part, target)


def _append(source: RemoteFile, part: Path, start: int, ctx: JobContext, first: FirstLook) -> None:
    """Bytes from `start` on, behind what is there."""
    start = start if source.ranged else 0
    if source.size is not None and start >= source.size:
        return
    done, of = start, "" if source.size is None else f" of {source.size / MIB:.0f}"
    with open(part, "r+b" if start else "wb") as out:
        out.seek(start)
        for piece in source.pieces(start):
            out.write(piece)
            out.flush()
            done += len(piece)
            first.look(done)
            ctx.checkpoint(0.9 * done / source.size if source.size else 0.5, f"{done / MIB:.0f}{of} MB")


def _make_room(keep: Path, source: RemoteFile, url: str) -> None:
    """Forget what was not looked at for longest; refuse what the disk cannot hold."""
    size, base = source.size or 0, folder()
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = sorted((p for p in base.iterdir() if p.is_dir() and p != keep), key=lambda p: p.stat().st_mtime)
    total = sum(_size(p) for p in kept) + size
    while kept and total > MOST_KEPT:
        total -= _size(kept[0])
        shutil.rmtree(kept.pop(0), ignore_errors=True)
    free = shutil.disk_usage(base).free
    if size + LEAST_FREE > free:
        text = f"is {size / MIB:.0f} MB and the disk has {free / MIB:.0f} MB left"
        raise UsageError(text, url, f"make room, or set IFUVIEW_CACHE to another disk than that of {base}")


def _size(place: Path) -> int:
    total = 0
    with suppress(OSError):
        total = sum(p.stat().st_size for p in place.iterdir())
    return total


def _from_stdin(ctx: JobContext) -> str:
    """All that comes in, as a file of its own."""
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("nothing comes in", STDIN, "write: program | ifuview -")
    path, done = os.path.join(new_folder(), "stdin"), 0
    with open(path, "wb") as out:
        while part := sys.stdin.buffer.read(PIECE):
            out.write(part)
            done += len(part)
            ctx.checkpoint(0.5, f"{done / MIB:.0f} MB")
    if not done:
        raise FileFormatError("nothing came in", STDIN)
    return path
