"""The log: one logger, one format for the file and for the console.

`logging` costs start-up time, so nothing here is called before the first paint
unless the user asked for a level.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from ifuview.folders import user_folder

NAME = "ifuview"
FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
LEVELS = ("debug", "info", "warning", "error", "critical")
MAX_BYTES = 1_000_000
BACKUPS = 2


def folder() -> Path:
    """Where the log file lies."""
    return user_folder("log")


def logger(part: str = "") -> logging.Logger:
    """Return the logger of one part of the program ("gui", "io", ...)."""
    return logging.getLogger(f"{NAME}.{part}" if part else NAME)


def set_up(level: str = "warning", *, file: Path | None = None, console: bool = True) -> Path | None:
    """Send the log to the console from `level` on, and everything from "info" on to a file.

    Parameters
    ----------
    level : str
        One of LEVELS.
    file : Path, optional
        Default: ``ifuview.log`` in `folder`. A folder that cannot be written means no file.
    console : bool
        Whether to write to stderr.

    Returns
    -------
    Path or None
        The log file, None if there is none.
    """
    root = logging.getLogger(NAME)
    close()
    threshold = getattr(logging, level.upper())
    root.setLevel(min(threshold, logging.INFO))
    root.propagate = False
    if console:
        _attach(root, logging.StreamHandler(sys.stderr), threshold)
    path = file or folder() / f"{NAME}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", errors="backslashreplace", delay=True
        )
    except OSError as problem:
        root.warning("no log file: %s", problem)
        return None
    _attach(root, handler, min(threshold, logging.INFO))
    return path


def close() -> None:
    """Detach and close all handlers (tests, and a second `set_up`)."""
    root = logging.getLogger(NAME)
    for handler in tuple(root.handlers):
        root.removeHandler(handler)
        handler.close()


def _attach(root: logging.Logger, handler: logging.Handler, level: int) -> None:
    """Add one handler in the common format."""
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.setLevel(level)
    root.addHandler(handler)
