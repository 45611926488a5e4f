"""Photon lists without a window: open, count, bin, find bad pixels, save. For notebooks, the command line, the worker.

The functions of `ifuview.app.photons.lists` can be taken from here; they are imported when they are first asked for.
"""

from __future__ import annotations


def __getattr__(name: str) -> object:
    """A public function or class of `lists`."""
    from importlib import import_module

    lists = import_module("ifuview.app.photons.lists")
    if name.startswith("_") or not hasattr(lists, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(lists, name)
