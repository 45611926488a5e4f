"""Photon lists without a window: open, count, bin, find bad pixels, save. For notebooks, the command line, the worker.

The functions of the modules in `DOOR` can be taken from here; they are imported when they are first asked for.
"""

from __future__ import annotations

DOOR = ("lists", "products")


def __getattr__(name: str) -> object:
    """A public function or class of the modules in `DOOR`."""
    from importlib import import_module

    for module in () if name.startswith("_") else DOOR:
        found = vars(import_module(f"ifuview.app.photons.{module}"))
        if name in found:
            return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
