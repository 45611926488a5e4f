"""All extensions of a file as images, each read by the reader that knows the file best."""

from __future__ import annotations

from dataclasses import replace

from ifuview.engine.context import JobContext
from ifuview.errors import FileFormatError, IfuviewError
from ifuview.io.fits.fast import label
from ifuview.io.fits.plain import choose_hdu
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.reader import Reader
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image


def read_every(reader: Reader, probe: FileProbe, spec: FileSpec, ctx: JobContext) -> Dataset:
    """Return one Dataset with every HDU that has pixels as an image; what cannot be read becomes a note.

    Raises
    ------
    FileFormatError
        No HDU has pixels.
    """
    wanted = [hdu for hdu in probe.fits.hdus if hdu.has_image]
    if not wanted:
        choose_hdu(probe.fits, spec.with_hdu(None))
    images: list[Image] = []
    notes: list[str] = []
    first: Dataset | None = None
    for number, hdu in enumerate(wanted):
        ctx.checkpoint(number / len(wanted), f"reading {label(hdu.info)}")
        try:
            found = reader.read(probe, spec.with_hdu(hdu.info.index), ctx)
        except IfuviewError as problem:
            notes.append(str(problem))
            continue
        first = first or found
        images.extend(found.images[:1])
        notes.extend(found.notes)
    if first is None:
        raise FileFormatError(f"no extension can be read ({notes[0].rstrip('.')})", spec.path)
    return replace(first, spec=spec.text, images=tuple(images), notes=tuple(dict.fromkeys(notes)))
