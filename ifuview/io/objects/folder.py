"""Folders for what other programs hand over or are handed."""

from __future__ import annotations

import atexit
import shutil
import tempfile


def new_folder() -> str:
    """A new folder of this user alone, which goes with the program."""
    folder = tempfile.mkdtemp(prefix="ifuview-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
