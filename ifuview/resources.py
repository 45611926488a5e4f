"""Where the files of `resources/` lie: beside the package in the source tree, inside it in an installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@cache
def root() -> Path:
    """The folder that holds the resources.

    Raises
    ------
    FileNotFoundError
        The installation is incomplete.
    """
    for folder in (PACKAGE / "_resources", PACKAGE.parent / "resources"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the resources of ifuview are missing; install ifuview again")


def path(relative: str) -> Path:
    """Path of one resource, as `path("icons/open.svg")`; it need not exist."""
    return root() / relative
