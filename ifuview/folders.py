"""Where this user's settings, caches and logs lie.

On Linux the rule of the XDG base directories stands here in a line, since `platformdirs` brings `tempfile`, `hashlib`
and `random` along: 10 ms of every start (2026-11-29). Other systems are left to it; a test compares the answers.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

NAME = "ifuview"
OWN = {"config": "", "state": "state"}
XDG = {  # kind: variable, usual folder, what stands below the name of the program
    "config": ("XDG_CONFIG_HOME", "~/.config", ""),
    "cache": ("XDG_CACHE_HOME", "~/.cache", ""),
    "log": ("XDG_STATE_HOME", "~/.local/state", "log"),
    "state": ("XDG_STATE_HOME", "~/.local/state", ""),
}


def user_folder(kind: str) -> Path:
    """The folder of the program for this user.

    Parameters
    ----------
    kind : str
        "config", "cache", "log" or "state". IFUVIEW_CONFIG names another folder of the first; the last is in it then.
    """
    if kind in OWN and (own := os.environ.get("IFUVIEW_CONFIG")):
        return Path(own) / OWN[kind]
    if not sys.platform.startswith("linux"):
        import platformdirs

        return Path(getattr(platformdirs, f"user_{kind}_dir")(NAME, appauthor=False))
    variable, usual, below = XDG[kind]
    named = os.environ.get(variable, "")
    return Path(os.path.expanduser(named if named.strip() else usual)) / NAME / below
