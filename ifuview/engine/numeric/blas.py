"""One thread for linear algebra: our matrices are small, and threads that wait for the next one spin.

Measured with two cores: a camera of the triage takes 1.5 s of CPU with two threads and 0.85 s with one, in the same
time. Programs of ours start numpy with one (`cli.one_blas_thread`); this is for who calls from a program of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

from threadpoolctl import ThreadpoolController

_lock = Lock()
_held = ExitStack()
_users = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS to one thread inside; the number is of the process, the last to leave gives back what was there."""
    global _users
    with _lock:
        if not _users:
            _held.enter_context(ThreadpoolController().limit(limits=1, user_api="blas"))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _held.close()
