"""The folder that an AppImage is packed from: this Python, the wheel with what it needs, and the start.

    python3 packaging/appimage/appdir.py dist/ifuview-N-py3-none-any.whl ifuview.AppDir
    appimagetool ifuview.AppDir ifuview-x86_64.AppImage      # where appimagetool is installed

For an image that runs everywhere use the oldest system and a Python that is built with --enable-shared=no.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "site-packages")
RUN = """\
#!/bin/sh
here="$(dirname "$(readlink -f "$0")")"
export PYTHONHOME="$here/usr" PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1
export LD_LIBRARY_PATH="$here/usr/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/usr/bin/python3" -m ifuview "$@"
"""


def main(wheel: Path, folder: Path) -> None:
    """Make the folder."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    usr = folder / "usr"
    stdlib = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(stdlib, usr / "lib" / version, ignore=LEFT_OUT, symlinks=False)
    (usr / "bin").mkdir()
    shutil.copy2(Path(sys.executable).resolve(), usr / "bin" / "python3")
    shared = Path(sysconfig.get_config_var("LIBDIR") or "") / (sysconfig.get_config_var("INSTSONAME") or "none")
    if shared.suffix != ".a" and shared.exists():
        shutil.copy2(shared, usr / "lib" / shared.name)
    packages = usr / "lib" / version / "site-packages"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", packages]
    subprocess.run([str(c) for c in (*command, wheel)], check=True)
    start = folder / "AppRun"
    start.write_text(RUN, encoding="utf-8")
    start.chmod(0o755)
    desktop = ROOT / "resources" / "desktop"
    shutil.copy2(desktop / "ifuview.desktop", folder)
    shutil.copy2(ROOT / "resources" / "icons" / "ifuview.svg", folder)
    (usr / "share" / "metainfo").mkdir(parents=True)
    shutil.copy2(desktop / "org.example.ifuview.metainfo.xml", usr / "share" / "metainfo")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
