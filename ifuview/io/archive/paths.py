"""Paths that lead through archives: NIGHT/obs.tar/folder/file.fits is read as if the tar were a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.files import FITS_SUFFIXES
from ifuview.io.archive.inflate import MAGIC_BYTES, beginning, inflated, is_packed
from ifuview.io.archive.store import SNIFFED, STORE, is_archive, mapped
from ifuview.io.archive.tar import RECORD, TarFile, is_tar
from ifuview.io.source import MappedSource, regular_file

DEPTH = 8  # folders below the one that was opened
NESTED = 3  # archives inside archives


class FoundFile(NamedTuple):
    """A file: its path, which may lead through archives, its size in bytes and its bytes' time of change in ns."""

    path: str
    size: int
    mtime: int


def split(path: str) -> tuple[str, str]:
    """The file of the file system that a path leads to or through, and the rest inside it ("" for itself)."""
    head, rest = path, ""
    while head and not os.path.lexists(head):
        above, name = os.path.split(head)
        if above == head or not name:
            return path, ""
        head, rest = above, f"{name}/{rest}" if rest else name
    return (head, rest) if rest and os.path.isfile(head) else (path, "")


def leads_inside(path: str) -> bool:
    """Whether a path leads into an archive."""
    return bool(split(path)[1])


def member_bytes(path: str, ctx: JobContext = SILENT) -> memoryview:
    """The bytes of a file inside archives; a packed one is inflated.

    Raises
    ------
    MissingDataError
        The archive has no such file.
    FileFormatError
        It is no archive, or damaged.
    """
    archive, name = _reach(path, ctx)
    member = archive.members.get(name)
    if member is None:
        raise MissingDataError("there is no such file in the archive", path)
    data = archive.bytes_of(member)
    return inflated(data, STORE.most, path, ctx) if is_packed(bytes(data[:MAGIC_BYTES])) else data


def member_source(path: str, ctx: JobContext = SILENT) -> MappedSource:
    """A file inside archives, to be read from its start to its end."""
    if not leads_inside(path):
        regular_file(path)  # which says what is wrong
    return MappedSource(member_bytes(path, ctx))


def first_bytes(path: str, size: int, ctx: JobContext = SILENT) -> bytes:
    """The first bytes of a file, inside archives or not; nothing of one that cannot be read."""
    try:
        if leads_inside(path):
            archive, name = _reach(path, ctx)
            member = archive.members.get(name)
            data = memoryview(b"") if member is None else archive.bytes_of(member)
        else:
            data = mapped(path)
    except IfuviewError:
        return b""
    start = bytes(data[:size])
    return beginning(data[: max(SNIFFED, size)], size, path) if is_packed(start) else start


def is_folder(path: str, ctx: JobContext = SILENT) -> bool:
    """Whether a path is a folder, an archive, or a folder inside one."""
    if os.path.isdir(path):
        return True
    if not leads_inside(path):
        return is_archive(path)
    try:
        archive, name = _reach(path, ctx)
    except IfuviewError:
        return False
    return name not in archive.members and any(known.startswith(f"{name}/") for known in archive.members)


def files_below(path: str, notes: list[str], ctx: JobContext = SILENT, depth: int = DEPTH) -> Iterator[FoundFile]:
    """Every file in a folder or archive and below it, those inside archives too, by name.

    What cannot be read is said in `notes` and left out.
    """
    if leads_inside(path):
        status = os.stat(split(path)[0])
        archive, name = _reach(path, ctx)
        whole = name in archive.members or not name
        yield from _of_tar(archive, name if whole else f"{name}/", status.st_mtime_ns, notes, ctx)
    elif os.path.isdir(path):
        yield from _of_folder(path, notes, ctx, depth)
    else:
        yield from _of_file(path, notes, ctx)


def _of_folder(folder: str, notes: list[str], ctx: JobContext, depth: int) -> Iterator[FoundFile]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as problem:
        notes.append(f"{folder} is left out: it cannot be read ({problem.strerror}).")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        ctx.checkpoint(0.0, f"Looking through {os.path.basename(folder)}")
        if entry.is_dir(follow_symlinks=False):
            if depth:
                yield from _of_folder(entry.path, notes, ctx, depth - 1)
        elif entry.is_file():
            yield from _of_file(entry.path, notes, ctx)


def _of_file(path: str, notes: list[str], ctx: JobContext) -> Iterator[FoundFile]:
    """The file itself, or what is in it if it is an archive."""
    try:
        status = os.stat(path)
        if path.endswith(FITS_SUFFIXES) or not is_archive(path):
            yield FoundFile(path, status.st_size, status.st_mtime_ns)
            return
        archive = STORE.tar(path, ctx)
    except (IfuviewError, OSError) as problem:
        notes.append(f"{problem} It is left out.")
        return
    yield from _of_tar(archive, "", status.st_mtime_ns, notes, ctx)


def _of_tar(
    archive: TarFile, below: str, mtime: int, notes: list[str], ctx: JobContext, nested: int = NESTED
) -> Iterator[FoundFile]:
    notes += [note for note in archive.notes if note not in notes]
    for name in sorted(archive.members):
        if not name.startswith(below):
            continue
        data = archive.bytes_of(archive.members[name])
        if nested and _may_be_tar(data, name):
            try:
                inner = STORE.within(archive, name, ctx)
            except IfuviewError as problem:
                notes.append(f"{problem} It is left out.")
                continue
            yield from _of_tar(inner, "", mtime, notes, ctx, nested - 1)
        else:
            yield FoundFile(f"{archive.path}/{name}", len(data), mtime)


def _may_be_tar(data: memoryview, name: str) -> bool:
    """Whether a member is an archive itself."""
    start = bytes(data[:RECORD])
    return is_tar(beginning(data[:SNIFFED], RECORD, name)) if is_packed(start) else is_tar(start)


def _reach(path: str, ctx: JobContext) -> tuple[TarFile, str]:
    """The innermost archive that a path leads through, and the rest of the path inside it."""
    outside, rest = split(path)
    archive = STORE.tar(outside, ctx)
    for _ in range(NESTED):
        inner = _leading(archive, rest)
        if not inner:
            break
        archive, rest = STORE.within(archive, inner, ctx), rest[len(inner) + 1 :]
    return archive, rest


def _leading(archive: TarFile, path: str) -> str:
    """The member that a path leads through, "" if it leads to one or to a folder."""
    parts = path.split("/")
    leads = ("/".join(parts[:n]) for n in range(1, len(parts)))
    return next((name for name in leads if name in archive.members), "")
