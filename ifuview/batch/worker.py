"""Set-up of the worker processes on this machine, which dask runs when one starts."""

from __future__ import annotations

import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Leave Ctrl+C to the process that has the terminal: it ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
