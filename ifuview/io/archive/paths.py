"""Paths that lead through archives: NIGHT/obs.tar/folder/file.fits is read as if the tar were a folder."""

from __future__ import annotations

import os

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.inputs import regular_file
from ifuview.io.archive.inflate import beginning, inflated
from ifuview.io.archive.store import SNIFFED, STORE, is_archive, mapped
from ifuview.io.archive.tar import TarFile
from ifuview.io.mapping import let_go
from ifuview.io.packed import MAGIC_BYTES, is_packed
from ifuview.io.source import MappedSource

NESTED = 3  # archives inside archives


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
    archive, name = reach(path, ctx)
    member = archive.members.get(name)
    if member is None:
        raise MissingDataError("there is no such file in the archive", path)
    data = archive.bytes_of(member)
    return inflated(data, STORE.room(), path, ctx) if is_packed(bytes(data[:MAGIC_BYTES])) else data


def member_source(path: str, ctx: JobContext = SILENT) -> MappedSource:
    """A file inside archives, to be read from its start to its end."""
    if not leads_inside(path):
        regular_file(path)  # which says what is wrong
    return MappedSource(member_bytes(path, ctx))


def first_bytes(path: str, size: int, ctx: JobContext = SILENT) -> bytes:
    """The first bytes of a file, inside archives or not; nothing of one that cannot be read."""
    try:
        if leads_inside(path):
            archive, name = reach(path, ctx)
            member = archive.members.get(name)
            data = memoryview(b"") if member is None else archive.bytes_of(member)
        else:
            data = mapped(path)
    except IfuviewError:
        return b""
    start = bytes(data[:size])
    start = beginning(data[: max(SNIFFED, size)], size, path) if is_packed(start) else start
    let_go(data)  # of a thousand members the system would map far more than their first bytes
    return start


def is_folder(path: str, ctx: JobContext = SILENT) -> bool:
    """Whether a path is a folder, an archive, or a folder inside one."""
    if os.path.isdir(path):
        return True
    if not leads_inside(path):
        return is_archive(path)
    try:
        archive, name = reach(path, ctx)
    except IfuviewError:
        return False
    return name not in archive.members and any(known.startswith(f"{name}/") for known in archive.members)


def reach(path: str, ctx: JobContext = SILENT) -> tuple[TarFile, str]:
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
