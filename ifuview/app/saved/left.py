"""Sessions that programs keep while they run, and those of programs that ended without closing.

One file a process in a folder that only its user may enter. The name says which computer and process; a file whose
process is gone was left behind by a crash. A program that is closed removes its own.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ifuview.errors import IfuviewError
from ifuview.files import alive, home
from ifuview.folders import user_folder

if TYPE_CHECKING:
    from ifuview.app.saved.state import Saved

FOLDER = "sessions"
MODE = 0o700
MOST_TIME = 2.0**33  # s since 1970
MOST_LEFT = 10  # files of crashes that are kept, the newest
NAME = re.compile(r"([0-9a-f]{8})-(\d{1,10})-(\d*)\.json")


def folder() -> Path:
    """Where they lie."""
    return user_folder("state") / FOLDER


def own() -> Path:
    """The file of this process."""
    return folder() / f"{home()}-{os.getpid()}-{_began('self')}.json"


def keep(saved: Saved) -> None:
    """Write the session of this process.

    Raises
    ------
    OSError, UsageError
        It cannot be written.
    """
    from ifuview.app.saved.keep import write

    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=MODE)
    if place.stat().st_mode & 0o777 != MODE:
        place.chmod(MODE)
    write(str(own()), saved)


def left() -> tuple[str, ...]:
    """Files of processes of this computer that are gone, the newest first; of too many the oldest are removed."""
    found = []
    with suppress(OSError):
        for entry in os.scandir(folder()):
            name = NAME.fullmatch(entry.name)
            if name is not None and name[1] == home() and not _runs(int(name[2]), name[3]):
                found.append((entry.stat().st_mtime_ns, entry.path))
    found.sort(reverse=True)
    for _, path in found[MOST_LEFT:]:
        forget(path)
    return tuple(path for _, path in found[:MOST_LEFT])


@dataclass(frozen=True, slots=True)
class Offered:
    """A session that was left behind, and what is said of it."""

    path: str
    words: str


def offered() -> Offered | None:
    """The newest that can be restored; those that cannot be read are removed."""
    from ifuview.app.saved.keep import read

    for path in left():
        try:
            saved, _ = read(path)
        except IfuviewError:
            forget(path)
            continue
        count = "1 frame was" if len(saved.frames) == 1 else f"{len(saved.frames)} frames were"
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(min(max(saved.time, 0.0), MOST_TIME)))
        return Offered(path, f"ifuview ended without being closed ({when}); {count} open.")
    return None


def forget(path: str | Path) -> None:
    """Remove a session that was kept."""
    with suppress(OSError):
        os.unlink(path)


def _runs(process: int, began: str) -> bool:
    """Whether a process is there and began when the one of this number did: numbers are used again."""
    return alive(process) and _began(str(process)) == began


def _began(process: str) -> str:
    """When a process began, in the system's ticks; "" where that is not known."""
    try:
        text = Path(f"/proc/{process}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]
