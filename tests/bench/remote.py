"""A file of a server at 20 MB/s: the first picture against the time that what it shows takes to come."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.io.remote.test_first import Slow, product

Row = tuple[str, float, float, str, bool]
RATE = 20e6  # bytes/s
MOST = 1.5  # times
SIZES = {"an image of 68 MB": (4120, 4128, 0), "68 MB, the image a third of it": (2360, 2400, 2)}


def rows(quick: bool) -> Iterator[Row]:
    """All bars."""
    for name, (ny, nx, more) in SIZES.items():
        body, data = product(ny, nx, more)
        needed = data.nbytes / RATE
        found = min(_first_picture(body) for _ in range(1 if quick else 3))
        yield f"{name}: first picture, times its {needed:.2f} s", found / needed, MOST, "x", found <= MOST * needed


def _first_picture(body: bytes) -> float:
    """Seconds from the command to the first picture, the start of the program among them."""
    server = Slow(body, RATE)
    with tempfile.TemporaryDirectory() as place:
        seen = Path(place) / "seen"
        known = os.environ | {
            "IFUVIEW_CACHE": place,
            "IFUVIEW_EXIT_AFTER_PAINT": str(seen),
            "QT_QPA_PLATFORM": "offscreen",
        }
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "ifuview", "--fresh", server.url], env=os.environ | known, check=True)
        took = time.monotonic() - began
        assert seen.exists()
    server.shutdown()
    server.server_close()
    return took
