"""Every file in a folder and below it, those inside archives too; packed archives are inflated side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError
from ifuview.files import FITS_SUFFIXES, is_file, is_folder
from ifuview.io.archive.inflate import beginning
from ifuview.io.archive.paths import NESTED, leads_inside, reach, split
from ifuview.io.archive.store import SNIFFED, STORE, is_archive, mapped
from ifuview.io.archive.tar import RECORD, TarFile, first_names, is_tar
from ifuview.io.packed import is_packed

CALLED_TAR = (".tar", ".tar.gz", ".tar.xz", ".tar.bz2", ".tgz")
DEPTH = 8  # folders below the one that was opened
ANY: Callable[[str], bool] = lambda name: True  # noqa: E731 - of files of every name


class FoundFile(NamedTuple):
    """A file: its path, which may lead through archives, its size in bytes and its time of change in ns."""

    path: str
    size: int
    mtime: int


def files_below(
    path: str,
    notes: list[str],
    ctx: JobContext = SILENT,
    *,
    wanted: Callable[[str], bool] = ANY,
    enter: Callable[[str], bool] = ANY,
    depth: int = DEPTH,
) -> Iterator[FoundFile]:
    """Yield every file by name.

    Parameters
    ----------
    path : str
        A folder, an archive, a folder in an archive, or a file.
    notes : list of str
        Gets a sentence for what cannot be read and is left out.
    wanted : callable(str) -> bool
        Whether a file of that name is looked for; a packed archive that begins with others is not inflated.
    enter : callable(str) -> bool
        Whether the folder or archive of that path is looked into.
    depth : int
        Folders below the one that was opened.
    """
    walk = _Walk(notes, ctx, wanted, enter)
    if leads_inside(path):
        archive, name = reach(path, ctx)
        whole = name in archive.members or not name
        yield from walk.tar(archive, name if whole else f"{name}/", os.stat(split(path)[0]).st_mtime_ns)
    elif os.path.isdir(path):
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as walk.pool:
            yield from walk.folder(path, depth)
    else:
        yield from walk.file(path)


@dataclass(slots=True)
class _Walk:
    """What all steps of a walk share."""

    notes: list[str]
    ctx: JobContext
    wanted: Callable[[str], bool]
    enter: Callable[[str], bool]
    pool: ThreadPoolExecutor | None = None
    coming: dict[str, Future[TarFile]] = field(default_factory=dict)
    seen: set[tuple[int, int]] = field(default_factory=set)

    def folder(self, folder: str, depth: int) -> Iterator[FoundFile]:
        """A folder and what is below it, also behind links; each folder once, so that links may lead in circles."""
        try:
            status = os.stat(folder)
            if (place := (status.st_dev, status.st_ino)) in self.seen:
                return
            self.seen.add(place)
            with os.scandir(folder) as found:
                entries = sorted((e for e in found if not e.name.startswith(".")), key=lambda entry: entry.name)
        except OSError as problem:
            self.notes.append(f"{folder} is left out: it cannot be read ({problem.strerror}).")
            return
        entries = [entry for entry in entries if entry.name.endswith(FITS_SUFFIXES) or self.enter(entry.path)]
        files = [entry.path for entry in entries if is_file(entry)]
        self.ctx.checkpoint(0.0, f"Looking through {os.path.basename(folder)}")
        try:
            self._begin(files)
            for entry in entries:
                self.ctx.checkpoint(0.0, f"Looking through {os.path.basename(folder)}")
                if is_folder(entry):
                    if depth:
                        yield from self.folder(entry.path, depth - 1)
                elif is_file(entry):
                    yield from self.file(entry.path)
        finally:
            for path in files:
                if (future := self.coming.pop(path, None)) is not None:
                    future.cancel()

    def _begin(self, files: list[str]) -> None:
        """Inflate what is packed while what comes before it is looked at."""
        for path in files:
            if self.pool is not None and not path.endswith(FITS_SUFFIXES) and is_archive(path) and self._may_hold(path):
                self.coming[path] = self.pool.submit(STORE.tar, path, self.ctx)

    def file(self, path: str) -> Iterator[FoundFile]:
        """A file, or what is in it if it is an archive."""
        try:
            status = os.stat(path)
            if path.endswith(FITS_SUFFIXES) or not is_archive(path):
                if path.endswith(CALLED_TAR) and self.wanted is not ANY:
                    self.notes.append(f"{path}: it is called an archive and is none. It is left out.")
                yield FoundFile(path, status.st_size, status.st_mtime_ns)
                return
            if not self._may_hold(path):
                return
            future = self.coming.pop(path, None)
            archive = STORE.tar(path, self.ctx) if future is None else future.result()
        except (IfuviewError, OSError) as problem:
            self.notes.append(f"{problem} It is left out.")
            return
        yield from self.tar(archive, "", status.st_mtime_ns)

    def _may_hold(self, path: str) -> bool:
        """Whether an archive is plain, or begins with something that is looked for, or with another archive."""
        data = mapped(path)
        if self.wanted is ANY or not is_packed(bytes(data[:RECORD])):
            return True
        names = first_names(memoryview(beginning(data[: 2 * SNIFFED], SNIFFED, path)))
        return not names or any(inner or self.wanted(name) for name, inner in names)

    def tar(self, archive: TarFile, below: str, mtime: int, nested: int = NESTED) -> Iterator[FoundFile]:
        """The members of an archive whose names begin with `below`."""
        self.notes += [note for note in archive.notes if note not in self.notes]
        for name in sorted(archive.members):
            if not name.startswith(below):
                continue
            data = archive.bytes_of(archive.members[name])
            if nested and _may_be_tar(data, name):
                if not self.enter(name):
                    continue
                try:
                    inner = STORE.within(archive, name, self.ctx)
                except IfuviewError as problem:
                    self.notes.append(f"{problem} It is left out.")
                    continue
                yield from self.tar(inner, "", mtime, nested - 1)
            else:
                yield FoundFile(f"{archive.path}/{name}", len(data), mtime)


def _may_be_tar(data: memoryview, name: str) -> bool:
    """Whether a member is an archive itself."""
    start = bytes(data[:RECORD])
    return is_tar(beginning(data[:SNIFFED], RECORD, name)) if is_packed(start) else is_tar(start)
