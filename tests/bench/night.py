"""A night of exposures: the index of 6000 files, cold and cached."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import time
from pathlib import Path

Row = tuple[str, float, float, str, bool]

NIGHT, EXPOSURES, CAMERAS = 20260101, 200, [arm + str(n) for n in range(10) for arm in "brz"]
COLD_S, CACHED_S = 5.0, 0.5  # CPU
CARDS = 150  # of a product's header


def rows(quick: bool = False) -> list[Row]:
    """Rows of the benchmark; the files exist, each with a header of real length, and there is no log of the night."""
    from ifuview.io.night.exposures import scan

    count = EXPOSURES // 10 if quick else EXPOSURES
    folder = Path(tempfile.mkdtemp(prefix="ifuview-bench-"))
    try:
        write(folder, count)
        spent = []
        for _ in range(2):
            start = time.process_time()
            index = scan(str(folder / "prod"), cache=folder / "cache")
            spent.append((time.process_time() - start) * EXPOSURES / count)
            assert len(index.exposures) == count
    finally:
        shutil.rmtree(folder)
    names = (f"night index, {EXPOSURES * len(CAMERAS)} files, cold", "the same, cached")
    return [(n, s, bar, "s", s <= bar) for n, s, bar in zip(names, spent, (COLD_S, CACHED_S))]


def write(folder: Path, count: int) -> None:
    """One frame of every camera in `count` exposures."""
    cards = ["SIMPLE  =                    T", "BITPIX  =                   16", "NAXIS   =                    0"]
    cards += ["TILEID  =                 7951", "EXPTIME =               1000.0", "OBSTYPE = 'SCIENCE '"]
    cards += [f"KEY{i:05d}= 'value {i * 7919 % 1000}'" for i in range(CARDS)]
    text = "".join(c.ljust(80) for c in (*cards, "END"))
    data = gzip.compress(text.ljust(-(-len(text) // 2880) * 2880).encode() + bytes(28800), 1)
    for expid in range(1, count + 1):
        place = folder / "prod" / "exposures" / str(NIGHT) / f"{expid:08d}"
        place.mkdir(parents=True)
        for camera in CAMERAS:
            path = place / f"frame-{camera}-{expid:08d}.fits.gz"
            path.write_bytes(data)
            os.utime(path, (1_700_000_000, 1_700_000_000))
