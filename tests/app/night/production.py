"""A small production of simulated products: two cameras, three exposures, preproc and psf of one of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests import demo

NIGHT = 20261121
FIRST, SECOND, OTHER_TILE = 2, 3, 4
LONG_AGO = 1_700_000_000
PRODUCTS = ("frame", "sframe", "sky", "fiberflat")


def write_production(folder: Path) -> Path:
    """Write it below `folder`; return its root. The second exposure has no sky, the other camera only spectra."""
    made = demo.folder()
    root = folder / "prod"
    for expid in (FIRST, SECOND, OTHER_TILE):
        place = root / "exposures" / str(NIGHT) / f"{expid:08d}"
        place.mkdir(parents=True)
        for camera in ("r0", "r1"):
            for name in PRODUCTS:
                if (expid, name) != (SECOND, "sky"):
                    put(made / f"{name}-r0-00000002.fits", place / f"{name}-{camera}-{expid:08d}.fits")
        put(made / "psf-r0-00000002.fits", place / f"psf-r0-{expid:08d}.fits")
    detector = root / "preproc" / str(NIGHT) / f"{FIRST:08d}"
    detector.mkdir(parents=True)
    put(made / "preproc-r0-00000002.fits", detector / "preproc-r0-00000002.fits")
    table = root / "exposure_tables" / "202611"
    table.mkdir(parents=True)
    rows = [f"{e},science,{t},r012,,r1B,900.0,{NIGHT}" for e, t in ((FIRST, 70), (SECOND, 70), (OTHER_TILE, 71))]
    head = "EXPID,OBSTYPE,TILEID,CAMWORD,BADCAMWORD,BADAMPS,EXPTIME,NIGHT"
    (table / f"exposure_table_{NIGHT}.csv").write_text("\n".join((head, *rows)), "utf-8")
    return root


def put(source: Path, target: Path) -> Path:
    """Copy a file, as if it had been there for long."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    os.utime(target, (LONG_AGO, LONG_AGO))
    return target


def write_fixed(root: Path) -> Path:
    """Another production beside `root`: a sky of the first exposure made again, nothing else."""
    source = root / "exposures" / str(NIGHT) / "00000002" / "sky-r0-00000002.fits"
    put(source, root.parent / "after_fix" / "00000002" / source.name)
    return root.parent / "after_fix"


def linked(source: Path, root: Path, pattern: str) -> Path:
    """A production of links to some files of another."""
    for path in source.glob(pattern):
        (root / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
        (root / path.relative_to(source)).symlink_to(path)
    return root
