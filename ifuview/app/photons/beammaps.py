"""Beam maps for raw packets, which say where their resonators lie but not which they are or how good."""

from __future__ import annotations

import os
from dataclasses import replace
from fnmatch import fnmatch

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.photons.lists import Beammap, PhotonInfo, PhotonSource

PATTERNS = ("*.bmap", "beammap*.txt")
PACKETS = "packets"  # the era of raw packets


def beside(path: str) -> str:
    """The one beam map that lies in or beside a folder of packets, or beside a file of them; "" for none or several."""
    path = os.path.abspath(path)
    for folder in (path, os.path.dirname(path)):
        if not os.path.isdir(folder):
            continue
        names = sorted(n for n in os.listdir(folder) if any(fnmatch(n.lower(), p) for p in PATTERNS))
        if names:
            return os.path.join(folder, names[0]) if len(names) == 1 else ""
    return ""


def opened(path: str, beammap: str, *, index: bool = False, ctx: JobContext = SILENT) -> PhotonSource:
    """Packets with a beam map; their index if it was made with the same map, or is to be made (`index`).

    Raises
    ------
    UsageError
        The photon list has a beam map of its own.
    FileFormatError
        The file is no beam map.
    """
    from ifuview.io.hdf5.file import is_h5
    from ifuview.io.photons.index.index import open_index
    from ifuview.io.photons.opening import open_photons
    from ifuview.io.photons.raw.beammap_text import read_beammap
    from ifuview.io.photons.raw.packets import PacketSource

    given = read_beammap(beammap)
    known = open_index(path)
    if known is not None and known.info.era == PACKETS and _same(known.info.beammap, given):
        return known
    if os.path.isfile(path) and is_h5(path):
        raise UsageError("the photon list has a beam map of its own", path, "use one for raw packets")
    source = open_photons(path, given, ctx)
    assert isinstance(source, PacketSource)
    source.info = replace(source.info, notes=(*source.info.notes, f"Pixels are placed by {os.path.basename(beammap)}."))
    if not index:
        return source
    from ifuview.io.photons.index.build import build_index

    return build_index(source, ctx=ctx)


def _same(one: Beammap, other: Beammap) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("ids", "index", "flags"))


def mapped(dataset: Dataset, info: PhotonInfo) -> Dataset:
    """The dataset with the flags and the size of another beam map."""
    from ifuview.io.photons.opening import flag_image

    return replace(dataset, images=(flag_image(info),), photons=info, notes=info.notes)
