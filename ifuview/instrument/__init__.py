"""Instruments are data: one TOML file each in `resources/instruments/`, loaded when a header names it."""

from __future__ import annotations

from ifuview.instrument.catalog import instrument, names, recognize, words

__all__ = ["instrument", "names", "recognize", "words"]
