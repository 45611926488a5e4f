"""The door for photon lists: any layout, told by its content, as a source of photons and as a Dataset."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, UsageError
from ifuview.io.hdf5.file import is_h5
from ifuview.io.photons import flags as photon_flags
from ifuview.model.dataset import Card, CardValue, Dataset, HduInfo
from ifuview.model.image import Image, Kind
from ifuview.model.photons.lists import Beammap, PhotonInfo, PhotonSource
from ifuview.model.pixels import Pixels

if TYPE_CHECKING:
    from ifuview.io.fits.spec import FileSpec

Path = str | os.PathLike[str]
PACKET_SUFFIX = ".bin"  # packets have no magic number
KIND = "photons"


def is_photons(path: Path) -> bool:
    """Whether a file is for `open_photons`: HDF5 by its magic number, raw packets (or a folder of them) by name."""
    text = os.fspath(path)
    return _is_packets(text) if os.path.isdir(text) else is_h5(text) or _is_packets(text)


def open_photons(path: Path, beammap: Beammap | Path | None = None, ctx: JobContext = SILENT) -> PhotonSource:
    """Open a photon list; photons are read when asked for.

    Parameters
    ----------
    path : str or path
        HDF5 of any layout, a file of raw packets, or a folder of them.
    beammap : Beammap or path of a beam-map text file, optional
        For files without one; for others it takes the place of theirs and must have their size.
    ctx : JobContext, optional

    Returns
    -------
    PhotonSource
        With `info`, `blocks` and `photons_of` as `model.photons.lists.PhotonSource` asks.

    Raises
    ------
    FileFormatError, MissingDataError
        One sentence about what is wrong, or what the file is instead.
    """
    text = os.fspath(path)
    given = _given(beammap)
    if os.path.isdir(text):
        from ifuview.io.photons.raw.packets import open_packets

        return open_packets(text, given, ctx)
    if is_h5(text):
        from ifuview.io.photons.lists.layouts import open_h5

        return open_h5(text, given, ctx)
    if _is_packets(text):
        from ifuview.io.photons.raw.packets import open_packets

        return open_packets(text, given, ctx)
    raise FileFormatError("is no photon list (neither HDF5 nor raw packets)", text)


def _given(beammap: Beammap | Path | None) -> Beammap | None:
    """The beam map asked for, read if it is a file."""
    if beammap is None or isinstance(beammap, Beammap):
        return beammap
    from ifuview.io.photons.raw.beammap_text import read_beammap

    return read_beammap(os.fspath(beammap))


def _is_packets(path: str) -> bool:
    """Whether a file is one of raw packets, as far as its name and first word tell, or a folder of such files."""
    if not os.path.isdir(path) and not path.lower().endswith(PACKET_SUFFIX):
        return False
    from ifuview.io.photons.raw.packets import is_packets

    return bool(is_packets(path))


def photon_dataset(spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
    """The Dataset of a photon list: its flags as an image, and what it says of itself."""
    if spec.hdu is not None:
        raise UsageError("a photon list has no extensions", spec.path, "give its name alone")
    info = open_photons(spec.path, ctx=ctx).info
    return Dataset(
        spec.path, spec.text, kind=KIND, images=(flag_image(info),), hdus=(_node(info),), notes=info.notes,
        photons=info,
    )  # fmt: skip


def flag_image(info: PhotonInfo) -> Image:
    """The beam flags as an image [y, x] whose mask bits carry their names."""
    beammap = info.beammap
    kind = np.uint32 if len(beammap.flag_names) <= 32 else np.uint64
    pixels = Pixels(beammap.flags.astype(kind))
    return Image(
        "beam flags", Kind.IMAGE, pixels, mask=pixels,
        mask_bits=photon_flags.mask_bits(beammap.flag_names, beammap.flag_notes), stage=KIND, header=info.header,
    )  # fmt: skip


def _node(info: PhotonInfo) -> HduInfo:
    """The photon list as the header dock lists it."""
    cards: list[Card] = [
        ("ERA", info.era, "layout of the file"),
        ("NPHOTON", info.nphoton, "rows; -1: only reading tells"),
        ("START", info.start, "unix time of time 0, s"),
        ("DURATION", info.duration, "s"),
        ("COLUMN", str(info.column), "of the third column"),
    ]
    cards += [(step.upper(), name, "calibration applied in the file") for step, name in info.calibrations.items()]
    cards += [(key, _shown(value), "") for key, value in info.header.items()]
    names = info.beammap.flag_names
    cards += [(f"FLAG{i}", name, photon_flags.MEANINGS.get(name, "")) for i, name in enumerate(names)]
    return HduInfo(0, KIND, kind="table", shape=(max(info.nphoton, 0),), dtype=info.era, cards=tuple(cards))


def _shown(value: object) -> CardValue:
    """A header value in one line."""
    if isinstance(value, dict) and set(value) == {"times", "values"}:
        return f"{value['values']} at {value['times']}"
    return value if isinstance(value, (str, int, float, bool)) else " ".join(str(value).split())
