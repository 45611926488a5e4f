"""Reports: one page about one fiber, written by the writer that the suffix names.

To add a format, write a module here with a function `(report, path)` and its
line in WRITERS.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from ifuview.files import check_place, check_suffix
from ifuview.model.frames.report import ReportInput

# suffix -> "module:function" in this package
WRITERS: dict[str, str] = {
    ".png": "page:write_png",
}


def check(path: str | os.PathLike[str]) -> None:
    """Make sure that a report can be written to `path`, before the work is done.

    Raises
    ------
    UsageError
        Unknown suffix, no such folder, or one that cannot be written.
    """
    check_suffix(path, WRITERS, "a report")
    check_place(path, "the report")


def write(report: ReportInput, path: str | os.PathLike[str]) -> None:
    """Write a report in the format that the suffix of `path` names.

    The file appears whole or not at all.

    Raises
    ------
    UsageError
        The suffix is unknown or the place cannot be written.
    """
    check(path)
    module, function = WRITERS[Path(path).suffix.lower()].split(":")
    getattr(import_module(f"ifuview.report.{module}"), function)(report, path)
