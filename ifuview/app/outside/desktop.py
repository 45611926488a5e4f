"""The program among those of the desktop: its entry, icon, file types and description."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ifuview import resources
from ifuview.errors import UsageError
from ifuview.files import put, told

# file of resources -> its place below the folder of shared data
FILES = {
    "desktop/ifuview.desktop": "applications/ifuview.desktop",
    "desktop/ifuview.xml": "mime/packages/ifuview.xml",
    "desktop/org.example.ifuview.metainfo.xml": "metainfo/org.example.ifuview.metainfo.xml",
    "icons/ifuview.svg": "icons/hicolor/scalable/apps/ifuview.svg",
}
SYSTEM = "/usr/local/share"
# programs that make the desktop look again, and what below that folder they are given
LOOK_AGAIN = (("update-desktop-database", "applications"), ("update-mime-database", "mime"),
              ("gtk-update-icon-cache", "icons/hicolor"))  # fmt: skip
SECONDS = 60


def install(*, user: bool) -> list[str]:
    """Write the files for this user, or for all; return their paths.

    Raises
    ------
    UsageError
        They cannot be written, or this is no desktop of the freedesktop kind.
    """
    if sys.platform in ("win32", "darwin"):
        raise UsageError("desktop entries are for Linux", todo="make a shortcut to the program ifuview")
    share = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") if user else Path(SYSTEM)
    out = []
    with told(share, "the desktop entry", "give --user to install it for yourself"):
        for source, place in FILES.items():
            target = share / place
            target.parent.mkdir(parents=True, exist_ok=True)
            text = resources.path(source).read_text("utf-8")
            put(target, _started(text) if target.suffix == ".desktop" else text)
            out.append(str(target))
    for program, folder in LOOK_AGAIN:
        if (found := shutil.which(program)) is not None:
            subprocess.run([found, str(share / folder)], capture_output=True, timeout=SECONDS, check=False)
    return out


def _started(entry: str) -> str:
    """The entry with the whole path of the program where a shell would not find it."""
    if shutil.which("ifuview") is not None:
        return entry
    beside = Path(sys.executable).parent / "ifuview"
    start = str(beside) if beside.exists() else f"{sys.executable} -m ifuview"
    return entry.replace("Exec=ifuview", f"Exec={start}").replace("Terminal=", f"TryExec={start.split()[0]}\nTerminal=")
