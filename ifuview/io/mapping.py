"""Files that are mapped where they lie, and what becomes of them when another program cuts them off.

Who looks at a page of a map behind the end of its file is sent SIGBUS, which ends the process, and no check beforehand
helps a job that reads for a second. So the signal is caught, as in systemd's `sigbus.c`: what is gone reads as zeros
from then on. Faults of any other place go to who had the signal before.
"""

from __future__ import annotations

import ctypes
import mmap
import signal
import sys
import weakref

import numpy as np

GUARDED = sys.platform == "linux" and sys.maxsize > 2**32  # where layout and numbers below are those of the system
SIGINFO, FIXED_ANONYMOUS = 4, 0x32  # SA_SIGINFO; MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
ADDRESS_AT = 16  # bytes into siginfo_t


class _Action(ctypes.Structure):
    """struct sigaction of glibc and musl."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ulong * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


_maps: dict[object, tuple[int, int]] = {}  # addresses where each begins and ends
_kept: list[object] = []  # of the signal: its own function and what was there before


def map_file(descriptor: int, size: int = 0) -> mmap.mmap:
    """Map an open file from its start (`size` 0: to its end), so that nothing that happens to it ends the process.

    Raises
    ------
    OSError, ValueError
        The file is empty, or shorter than `size` by now.
    """
    out = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    if GUARDED:
        start, token = np.frombuffer(out, np.uint8).ctypes.data, object()
        _maps[token] = (start, start + -(-len(out) // mmap.PAGESIZE) * mmap.PAGESIZE)
        weakref.finalize(out, _maps.pop, token, None)
        if not _kept:
            _watch()
    return out


def let_go(data: memoryview) -> None:
    """Let the pages of a part of a map count no longer for the memory of this process; a later look reads them again.

    What is looked at once in a large file, as the members of an archive, would stay until the map goes. Bytes that are
    no part of a map are left alone.
    """
    whole = data.obj
    if not (GUARDED and isinstance(whole, mmap.mmap) and len(data)):
        return
    start = np.frombuffer(data, np.uint8).ctypes.data - np.frombuffer(whole, np.uint8).ctypes.data
    before = start % mmap.PAGESIZE
    whole.madvise(mmap.MADV_DONTNEED, start - before, len(data) + before)


def _watch() -> None:
    """Catch the signal from now on."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
    before = _Action()

    def caught(_number: int, info: int, _context: int) -> None:
        address = ctypes.c_void_p.from_address(info + ADDRESS_AT).value or 0
        page = address - address % mmap.PAGESIZE
        stop = next((stop for start, stop in tuple(_maps.values()) if start <= address < stop), 0)
        if stop and libc.mmap(page, stop - page, mmap.PROT_READ, FIXED_ANONYMOUS, -1, 0) == page:
            return
        libc.sigaction(signal.SIGBUS, ctypes.byref(before), None)
        signal.raise_signal(signal.SIGBUS)  # comes when this returns

    function = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(caught)
    action = _Action(handler=ctypes.cast(function, ctypes.c_void_p), flags=SIGINFO)
    _kept.extend((function, before))
    libc.sigaction(signal.SIGBUS, ctypes.byref(action), ctypes.byref(before))
