"""See and diagnose fiber-fed integral-field spectrograph data.

Values flow up, intents flow down, and there is one road for each: frozen data
types at the bottom, pure functions over them, one Qt-free service that people,
scripts and the window all call, and a Qt shell that only draws views.

The functions of `ifuview.app.services` can be taken from here, for notebooks;
they are imported when they are first asked for, so that ``import ifuview`` is
free.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0.dev0"


# Functions of ifuview.app.services for notebooks and scripts.
PUBLIC = (
    "combine",
    "inspect",
    "load_traces",
    "make_session",
    "measure_traces",
    "open_dataset",
    "open_images",
    "read_regions",
    "write_regions",
    "write_report",
)


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'ifuview' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("ifuview.app.services"), name)


def __dir__() -> list[str]:
    """Names that can be taken from here."""
    return sorted({*globals(), *PUBLIC})
