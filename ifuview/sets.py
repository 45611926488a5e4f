"""Sets of files that appear as a whole: made in a folder aside, which then takes the place of the one that is there."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ifuview.files import Name, move, part_name, synced
from ifuview.overwriting import check_kind, check_target, note_output

MOST_KEPT = 2000  # files of others that are carried over; where there are more, files move one by one
HERE, EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of Linux


@contextmanager
def filled(folder: Name, *, alone: bool = False) -> Iterator[Path]:
    """A temporary folder whose files are those of `folder` when all went well; until then it stays as it was.

    Files of `folder` that the new set does not have stay, unless the folder is that of the set `alone`. The folder is
    exchanged in one moment. Only where that cannot be (it is the working folder or the root of a disk, or holds very
    much) files take their places one by one.

    Raises
    ------
    OSError
        It cannot be written, or is no folder.
    """
    place = Path(os.path.realpath(folder))
    if os.path.exists(place) and not os.path.isdir(place):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = os.access(place.parent, os.W_OK) and not os.path.ismount(place)
    if not aside:
        place.mkdir(exist_ok=True)
    part = Path(part_name(place if aside else place / "set"))
    part.mkdir()
    try:
        yield part
        with _alone(place.parent if aside else place):
            _show(part, place, aside, alone)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def together(*paths: Name) -> Iterator[tuple[str, ...]]:
    """Temporary names for files of any folders that get their names together: all of them, or none.

    Raises
    ------
    UsageError
        One of them may not be written over.
    OSError
        The system refuses one; those that were there before are there again.
    """
    for path in paths:
        check_target(path)
    parts = tuple(map(part_name, paths))
    former = tuple(map(part_name, paths))  # names of what was there, until all have theirs
    done: list[int] = []
    try:
        yield parts
        for part, path in zip(parts, paths, strict=True):
            check_kind(part, path)
        for n, (part, path) in enumerate(zip(parts, paths, strict=True)):
            if os.path.lexists(path):
                _kept(path, former[n])
            done.append(n)
            move(part, path)
    except BaseException:
        for n in reversed(done):
            _put_back(former[n], paths[n], parts[n])
        raise
    finally:
        for name in (*parts, *former):
            with suppress(OSError):
                os.unlink(name)


def _kept(path: Name, former: str) -> None:
    """Give a file a second name; where the disk has no such, a copy."""
    try:
        os.link(path, former, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, former, follow_symlinks=False)


def _put_back(former: str, path: Name, part: str) -> None:
    """What was there before, or nothing, in place of a file that was moved there."""
    with suppress(OSError):
        if os.path.lexists(former):
            os.replace(former, path)
        elif not os.path.lexists(part):
            os.unlink(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process puts a set into the folder meanwhile, where the system can see to it."""
    descriptor = None
    with suppress(ImportError, OSError):
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _show(part: Path, place: Path, aside: bool, alone: bool) -> None:
    """Let a set of files take its place."""
    names = [file.relative_to(part) for file in part.rglob("*") if file.is_file()]
    for name in names:
        check_kind(part / name, place / name)
    there = place.is_dir()
    for name in names if there else ():
        synced(part / name)
    if aside and not there:
        with suppress(OSError):  # another made it meanwhile
            os.rename(part, place)
    if part.exists() and not (aside and (alone or _carried_over(place, part)) and _exchanged(part, place)):
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(part / name, place / name)
    for name in names:
        note_output(place / name)


def _carried_over(place: Path, part: Path) -> bool:
    """Give the new folder what is in the old one and not in the set, as links; False where that cannot be."""
    here = os.path.realpath(os.curdir)
    if here == str(place) or here.startswith(f"{place}{os.sep}"):
        return False
    count = 0
    try:
        for folder, _, files in os.walk(place):
            inside = part / os.path.relpath(folder, place)
            inside.mkdir(exist_ok=True)
            for file in files:
                count += 1
                if count > MOST_KEPT:
                    return False
                if not os.path.lexists(inside / file):
                    os.link(os.path.join(folder, file), inside / file, follow_symlinks=False)
        shutil.copymode(place, part)
    except OSError:
        return False
    return True


def _exchanged(part: Path, place: Path) -> bool:
    """Exchange two folders, in one moment where the system can; False where it cannot at all."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            rename = ctypes.CDLL(None).renameat2
            if rename(HERE, os.fsencode(part), HERE, os.fsencode(place), EXCHANGE) == 0:
                return True
    old = part_name(place)
    try:
        os.rename(place, old)
    except OSError:
        return False
    try:
        os.rename(part, place)
    except OSError:
        os.rename(old, place)
        return False
    os.rename(old, part)
    return True
