"""Quick frames of one second: counts of every pixel as bare 16-bit numbers, the array told by the size of the file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ifuview.inputs import regular_file
from ifuview.io.fits.spec import FileSpec
from ifuview.io.photons.raw.beammap_text import SIZES
from ifuview.model.dataset import Dataset, HduInfo
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

SUFFIX = ".img"
STORED = np.dtype("<u2")
SHAPES = {nx * ny * STORED.itemsize: (nx, ny) for nx, ny in SIZES}  # bytes -> pixels
KIND = "quick frame"


def is_frame(path: str) -> bool:
    """Whether a file has the name (a unix time) and the size of a quick frame."""
    name = Path(path)
    if name.suffix.lower() != SUFFIX or not (name.stem.isascii() and name.stem.isdigit()):
        return False
    return regular_file(path).st_size in SHAPES


def frame_dataset(spec: FileSpec) -> Dataset:
    """The frame as an image [y, x]; stored with y fastest."""
    nx, ny = SHAPES[os.stat(spec.path).st_size]
    counts = np.fromfile(spec.path, STORED, nx * ny).reshape(nx, ny).T
    header = {"UNIXSTR": int(Path(spec.path).stem), "EXPTIME": 1}
    image = Image("counts", Kind.IMAGE, Pixels(counts), unit="count", stage=KIND, header=header)
    node = HduInfo(0, "counts", shape=counts.shape, dtype=str(STORED), unit="count",
                   cards=tuple((key, value, "s") for key, value in header.items()))  # fmt: skip
    return Dataset(spec.path, spec.text, kind=KIND, images=(image,), hdus=(node,))
