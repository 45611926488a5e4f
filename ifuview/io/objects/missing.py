"""Packages that the program does not bring with it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from ifuview.errors import MissingDataError


def needed(name: str, extra: str = "") -> ModuleType:
    """A module of a package that may not be there.

    Raises
    ------
    MissingDataError
        It is not; how it is installed.
    """
    try:
        return import_module(name)
    except ImportError as missing:
        package = name.partition(".")[0]
        what = f'"ifuview[{extra}]"' if extra else package
        raise MissingDataError(f"{package} is not installed", todo=f"python3 -m pip install {what}") from missing
