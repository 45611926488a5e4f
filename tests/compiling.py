"""Processes that run tests side by side compile each kernel once: who needs it too waits and takes it from the disk."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def forget_old(package: Path) -> int:
    """Delete compiled kernels that are older than any source of one; return how many files went.

    Numba keeps with a kernel those that it calls, but looks at the date of its own source alone: after a change of
    one the others would go on with it as it was.
    """
    kept = [path for path in package.rglob("*.nb[ic]") if path.is_file()]
    sources = [path for path in package.rglob("*.py") if "njit" in path.read_text(encoding="utf-8")]
    if not kept or not sources:
        return 0
    if max(path.stat().st_mtime for path in sources) < min(path.stat().st_mtime for path in kept):
        return 0
    for path in kept:
        path.unlink(missing_ok=True)
    return len(kept)


def once_for_all() -> None:
    """Let numba hold a lock of a function, beside its files on the disk, while it compiles it.

    Functions call each other in no circle, so that no two processes can wait for one another.
    """
    if sys.platform == "win32":
        return
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher

    alone = Dispatcher.compile

    def compiled(self: Any, sig: Any) -> Any:
        folder = getattr(self._cache, "cache_path", None)
        if folder is None:
            return alone(self, sig)
        with global_compiler_lock, _locked(Path(folder) / f"{self.py_func.__qualname__}.lock"):
            return alone(self, sig)

    Dispatcher.compile = compiled


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
