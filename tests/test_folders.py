"""Settings, caches and logs lie where the system wants them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from ifuview.folders import user_folder


@pytest.mark.parametrize("kind", ["config", "cache", "log", "state"])
@pytest.mark.parametrize("named", [None, "", "/somewhere/else"])
def test_folders_are_those_of_the_system(monkeypatch, kind, named):
    monkeypatch.delenv("IFUVIEW_CONFIG", raising=False)
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
        if named is not None:
            monkeypatch.setenv(variable, named)
    assert user_folder(kind) == Path(getattr(platformdirs, f"user_{kind}_dir")("ifuview", appauthor=False))


def test_another_folder_of_settings_may_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    assert user_folder("config") == tmp_path
    assert user_folder("state") == tmp_path / "state"


def test_opening_an_image_loads_no_packers_and_no_hashes(tmp_path):
    """They cost 15 ms of every start; nothing of a plain FITS file needs them."""
    code = """
import sys
import numpy as np
from pathlib import Path
cards = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2",
         "NAXIS1  =                   16", "NAXIS2  =                   16", "OBJECT  = 'x       '", "END"]
pixels = np.arange(256, dtype=">f4").tobytes()
Path(sys.argv[1]).write_bytes("".join(c.ljust(80) for c in cards).ljust(2880).encode() + pixels.ljust(2880, b"\\0"))
from ifuview.app.frames.opening.reading import open_images
assert open_images(sys.argv[1])[0].image.shape == (16, 16)
print(sorted({"platformdirs", "tempfile", "gzip", "lzma", "bz2", "hashlib", "random"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.fits")], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
