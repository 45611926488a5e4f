"""How much memory one thing may take: what the preferences allow, and never more than the computer has left."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ifuview.errors import TooLargeError

MIB = 1 << 20
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them
LARGEST, MOST_KEPT = 32 * MIB, 2**31 - 1  # bytes: of what is kept at all, and of what is kept together
SHARE = 0.8  # of what the computer has left
SMALL = 64 * MIB  # bytes below which nobody asks what is left
CGROUP = "/sys/fs/cgroup/memory.{}"  # of the second version

_most = [8192 * MIB]


def allow(mib: int) -> None:
    """Let one thing take so many MiB from now on."""
    _most[0] = mib * MIB


def limit() -> int:
    """Bytes that the preferences allow."""
    return _most[0]


def allowed() -> int:
    """Bytes that one thing may take now."""
    return min(limit(), *(max(int(SHARE * left), 0) for left in _left()))


def check(size: int, what: str, where: str = "") -> None:
    """Make sure that so many bytes may be taken, before they are.

    Raises
    ------
    TooLargeError
        They may not.
    """
    if size > SMALL and size > (most := allowed()):
        text = f"{what} would take {size // MIB} MiB of memory, more than the {most // MIB} MiB that it may"
        raise TooLargeError(text, where, "close frames, or raise the memory limit in the preferences")


def beyond(most: int, where: str) -> TooLargeError:
    """What is to be said of packed data that do not end where they should."""
    todo = "raise the memory limit in the preferences, or unpack it first"
    return TooLargeError(f"takes more than {max(most // MIB, 1)} MiB inflated", where, todo)


def keep_freed(kept: bool = True) -> None:
    """Let the C library keep freed memory for the next values, or return it again as usual.

    A reduction makes and drops arrays of some MiB by the thousand: the system clears each page again before it gives
    it back, which takes 4 % of the time of an observation. Nothing is done where the library knows no such choice.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, LARGEST)
        library.mallopt(TRIM_THRESHOLD, MOST_KEPT if kept else 2 * LARGEST)
        if not kept:
            library.malloc_trim(0)


@contextmanager
def freed_kept() -> Iterator[None]:
    """Freed memory is kept for the next values meanwhile."""
    keep_freed()
    try:
        yield
    finally:
        keep_freed(False)


def _left() -> Iterator[int]:
    """Bytes that are left: of the computer, of the group of this process, and of its own bound, where they tell."""
    yield from (int(line.split()[1]) << 10 for line in _lines("/proc/meminfo") if line.startswith("MemAvailable:"))
    bound, now = _lines(CGROUP.format("max")), _lines(CGROUP.format("current"))
    if bound and now and bound[0].isdigit():
        yield int(bound[0]) - int(now[0])
    if pages := _lines("/proc/self/statm"):
        import resource

        bound_here = resource.getrlimit(resource.RLIMIT_AS)[0]
        if bound_here != resource.RLIM_INFINITY:
            yield bound_here - int(pages[0].split()[0]) * resource.getpagesize()


def _lines(path: str) -> list[str]:
    """Lines of a file of the system, none where there is none."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read().splitlines()
    except OSError:
        return []
