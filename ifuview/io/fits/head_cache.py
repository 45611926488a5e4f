"""Header values of files, kept in the user's cache folder for as long as size and time of the file stay the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from ifuview.files import put
from ifuview.folders import user_folder
from ifuview.io.fits.head import head_cards
from ifuview.model.checks import Header
from ifuview.model.night.exposures import FileState, ProductFile

FACTS = ("NIGHT", "EXPID", "TILEID", "OBSTYPE", "FLAVOR", "EXPTIME", "BADAMPS", "CAMERA", "EXTNAME", "BUNIT")
VERSION = 2  # of the cache


class Heads:
    """Header values of files, kept between runs by path, size and time of change."""

    def __init__(self, root: str, folder: Path | None = None) -> None:
        place = cache_folder() if folder is None else folder
        self._file = place / f"{hashlib.sha1(root.encode('utf-8', 'surrogateescape')).hexdigest()}.json"
        self._root = root
        self._known = self._load()
        self.read = 0

    def _load(self) -> dict[str, object]:
        try:
            stored = json.loads(self._file.read_text("utf-8"))
            return stored["heads"] if stored["version"] == VERSION and stored["root"] == self._root else {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    def facts(self, file: ProductFile) -> Header:
        """Header values of a file; one that is still being written is not asked."""
        if file.state is not FileState.READY:
            return {}
        known = self._known.get(file.path)
        if isinstance(known, list) and known[:2] == [file.size, file.mtime]:
            return dict(known[2])
        found = head_cards(file.path, FACTS)
        self.read += 1
        self._known[file.path] = [file.size, file.mtime, found]
        return found

    def save(self) -> None:
        """Write what was learned; a cache that cannot be written costs time and nothing else."""
        if not self.read:
            return
        text = json.dumps({"version": VERSION, "root": self._root, "heads": self._known})
        with contextlib.suppress(OSError, ValueError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            put(self._file, text)


def cache_folder() -> Path:
    """Where indexes are kept for this user; IFUVIEW_CACHE names another folder."""
    if named := os.environ.get("IFUVIEW_CACHE"):
        return Path(named)
    return user_folder("cache") / "exposures"
