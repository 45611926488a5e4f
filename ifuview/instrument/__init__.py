"""Instruments are data: one TOML file each in `resources/instruments/` or in the user's folder."""

from __future__ import annotations

from ifuview.instrument.catalog import (
    PLAIN,
    alarms,
    chains,
    instrument,
    may_know,
    may_match,
    names,
    problems,
    recognize,
    words,
)

__all__ = [
    "PLAIN", "alarms", "chains", "instrument", "may_know", "may_match", "names", "problems", "recognize", "words",
]  # fmt: skip
