"""A disk that refuses in the middle of a file, without being root: no file of this process may grow beyond a size."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """Writing beyond `most` bytes of a file is refused by the system."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    byte_code, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # Python keeps what is cut off
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
        sys.dont_write_bytecode = byte_code
