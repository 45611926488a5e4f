"""Values of notebooks: what is opened of them, what they are told of themselves, and the way back."""

from __future__ import annotations

import html
import struct
import zlib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ifuview.app.frames.look import Look, Reduction, ViewState
from ifuview.app.frames.opening.opened import Opened, first_look, first_plane
from ifuview.app.frames.opening.reading import trace_image
from ifuview.app.frames.views import colors, raster, shading, viewport
from ifuview.app.session import Session, Slot
from ifuview.errors import MissingDataError
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.inspection import FiberSpectrum

if TYPE_CHECKING:
    from astropy.nddata import CCDData
    from astropy.table import Table
    from specutils import Spectrum

STAMP = (320, 180)  # px of a picture in a notebook
MOST_STAMPS = 12  # of a session


def as_dataset(value: Any, name: str = "", **details: Any) -> Dataset:
    """Return a value of another package (array, HDU list, CCDData, Spectrum, table, path) as a Dataset.

    Parameters
    ----------
    value : object
    name : str
        What it is called. Default: by its kind.
    **details
        As for `ifuview.show`.

    Raises
    ------
    IfuviewError
        What is wrong with it, and what to do.
    """
    from ifuview.io.objects.incoming import dataset_of, named

    return named(dataset_of(value, name, **details), name)


def needed(name: str, extra: str = "") -> ModuleType:
    """A module of a package that may not be there.

    Raises
    ------
    MissingDataError
        It is not; how it is installed.
    """
    from ifuview.io.objects.missing import needed as found

    return found(name, extra)


def opened(dataset: Dataset, look: Look | None = None) -> tuple[Opened, ...]:
    """The frame of a Dataset of the memory.

    Raises
    ------
    MissingDataError
        It holds nothing that can be shown.
    """
    if dataset.images:
        image = dataset.images[0]
    elif dataset.traces is not None:
        image = trace_image(dataset)
    else:
        raise MissingDataError("there is no image in it", dataset.spec or dataset.path, "show an array")
    return (Opened(dataset, image, first_look(image, look, dataset.spec)),)


def to_spectrum(value: Dataset | Image, fiber: int | None = None) -> Spectrum:
    """Return the spectra of a dataset's first image, or of one fiber, as a specutils Spectrum.

    Parameters
    ----------
    value : Dataset or Image
        With wavelengths.
    fiber : int, optional
        Row of the fiber, from 0. Default: all.

    Raises
    ------
    MissingDataError, UsageError
        specutils is not installed, there are no wavelengths, or no such fiber.
    """
    from ifuview.io.objects import outgoing

    return outgoing.to_spectrum(_image(value), fiber)


def to_ccddata(value: Dataset | Image, plane: tuple[int, ...] | None = None) -> CCDData:
    """Return a dataset's first image, or one plane of it, as astropy's CCDData.

    Parameters
    ----------
    value : Dataset or Image
    plane : tuple of int, optional
        Indices of the leading axes of a cube, from 0. Default: all planes.

    Raises
    ------
    MissingDataError
        There is no image.
    """
    from ifuview.io.objects import outgoing

    return outgoing.to_ccddata(_image(value), plane)


def to_table(value: Dataset) -> Table:
    """Return fibers, traces, the spectrum or the first table of a dataset as an astropy Table.

    Parameters
    ----------
    value : Dataset

    Raises
    ------
    MissingDataError
        It has none of them.
    """
    from ifuview.io.objects import outgoing

    return outgoing.to_table(value)


def _image(value: Dataset | Image) -> Image:
    if isinstance(value, Image):
        return value
    if not value.images:
        raise MissingDataError("there is no image in it", value.spec or value.path, "use to_table")
    return value.images[0]


# what a notebook shows of a value


def to_html(value: Dataset | Image | Slot | Session) -> str:
    """Return title and small picture of what can be shown, for a notebook.

    Parameters
    ----------
    value : Dataset, Image, Slot or Session
    """
    if isinstance(value, Session):
        stamps = "".join(to_html(slot) for slot in value.slots[:MOST_STAMPS])
        return f"<div>{html.escape(repr(value))}</div><div style='display:flex;flex-wrap:wrap'>{stamps}</div>"
    if isinstance(value, Slot):
        return _figure(stamp(value.image, value.look, value.view, value.plane), value.title, repr(value.image))
    image = value if isinstance(value, Image) else value.images[0] if value.images else None
    title = image.name if image is not None else ""
    if isinstance(value, Dataset):
        title = value.spec or value.path or title
    return _figure(b"" if image is None else stamp(image), title, repr(value))


def _figure(png: bytes, title: str, text: str) -> str:
    picture = f"<img alt='' src='data:image/png;base64,{b64encode(png).decode()}'>" if png else ""
    words = f"<b>{html.escape(title)}</b><br><small>{html.escape(text)}</small>"
    return f"<figure style='display:inline-block;margin:4px'>{picture}<figcaption>{words}</figcaption></figure>"


def stamp(
    image: Image, look: Look | None = None, view: ViewState | None = None, plane: tuple[int, ...] | None = None,
    size: tuple[int, int] = STAMP,
) -> bytes:  # fmt: skip
    """A whole plane of an image as PNG, as large as fits into `size` (px)."""
    plane = first_plane(image) if plane is None else plane
    pixels = image.pixels.plane(plane)
    shown = view or ViewState(aspect=0.0 if image.kind is Kind.RSS else 1.0)
    square = 1.0 if shown.aspect == 1.0 and min(image.shape) > 1 else 0.0
    shown = ViewState(aspect=square, rotation=shown.rotation, flip_x=shown.flip_x, flip_y=shown.flip_y)
    tile = raster.gather(
        pixels, None, viewport.fit_view(image.shape, size, shown), size, reduction=Reduction.MEAN
    )  # fmt: skip
    if tile is None:
        return b""
    look = replace(look or Look(), reduction=Reduction.MEAN)
    lo, hi = raster.display_limits(pixels, look)
    places = shading.index(tile.values, lo, hi, table=shading.transfer_table(look.transfer, look.exponent))
    table = colors.table(look.cmap, invert=look.invert, bias=look.bias, contrast=look.contrast)
    return png(table[places])


def png(color: Array) -> bytes:
    """Colors 0xAARRGGBB of shape (height, width) as a PNG file."""
    height, width = color.shape
    rgb = np.stack([(color >> shift & 0xFF).astype(np.uint8) for shift in (16, 8, 0)], axis=-1)
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rgb.reshape(height, -1)], axis=1)  # 0: no filter

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(lines.tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


# files that other programs are handed, by their address


def image_url(slot: Slot) -> str:
    """The plane that a frame shows as a FITS file."""
    from ifuview.io.objects.handed import image_file

    return Path(image_file(slot.image, slot.plane, slot.title)).as_uri()


def table_url(slot: Slot) -> str:
    """The fibers of a frame as a VOTable."""
    from ifuview.io.objects.handed import table_file

    return Path(table_file(slot.dataset, slot.image, slot.title)).as_uri()


def spectrum_url(spectrum: FiberSpectrum, slot: Slot) -> str:
    """A spectrum of a frame as a FITS table."""
    from ifuview.io.objects.handed import spectrum_file

    return Path(spectrum_file(spectrum, slot.title)).as_uri()
