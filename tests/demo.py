"""The files of the demo, made once in a process for all tests that only read them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from ifuview import simulate


@cache
def folder() -> Path:
    """Where they lie together; they are not to be changed."""
    out = Path(tempfile.mkdtemp(prefix="ifuview-demo-"))
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    simulate.demo(out)
    return out


def file(name: str) -> Path:
    """The one of them whose name begins so, of the exposure that is opened first."""
    return next(p for p in sorted(folder().iterdir()) if p.name.startswith(f"{name}-"))
