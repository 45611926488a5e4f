"""The options of the command line: ds9's habits and ifuview's own, one entry each.

A handler takes its words from `Words` and writes steps to `Writer`. To add an
option, write its handler in the fitting module and its line in that module's
OPTIONS.
"""

from __future__ import annotations

from ifuview.app.script import frames, look, photons, view, window
from ifuview.app.script.common import Handler
from ifuview.app.script.ignored import IGNORED, swallow

OPTIONS: dict[str, Handler] = {
    **look.OPTIONS,
    **view.OPTIONS,
    **photons.OPTIONS,
    **frames.OPTIONS,
    **window.OPTIONS,
}

__all__ = ["IGNORED", "OPTIONS", "swallow"]
