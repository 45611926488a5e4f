"""Open files headless: a dataset, the images of a file, a folder of exposures, a mask."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview import memory
from ifuview.app.frames.look import Look
from ifuview.app.frames.opening.opened import Opened, TablesOnly, first_look
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError, UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

if TYPE_CHECKING:
    pass


def open_dataset(spec: str, ctx: JobContext = SILENT) -> Dataset:
    """Read a file named with ds9's extension syntax.

    Parameters
    ----------
    spec : str or path
        A file, file.fits[SCI], file.fits[1][10:200,5:9], an address (https://, ssh://, s3://) or "-" for stdin.
    ctx : JobContext, optional
        Progress and cancellation.

    Returns
    -------
    Dataset
        Its `images` with errors, mask, wavelengths (Angstrom) and fibers, its traces, tables and `notes` for the user.

    Raises
    ------
    FileFormatError, MissingDataError
        With what is wrong, where, and what to do.
    """
    from ifuview import io

    return io.open_dataset(spec, ctx)


def brought(spec: str, ctx: JobContext = SILENT) -> str:
    """What `spec` names on this disk: a file or folder at an address is fetched."""
    from ifuview.io.remote import folders

    return folders.brought(spec, ctx)


def open_images(
    spec: str, *, every: bool = False, cube: bool = False, look: Look | None = None, ctx: JobContext = SILENT
) -> tuple[Opened, ...]:
    """Read a file and work out the display limits of its default image, or of `every` image extension.

    `cube` stacks the image extensions of one size into one cube.

    A file that has no image but traces gives an empty tuple; ask `open_dataset` for the traces.
    """
    from ifuview import io

    if ctx.heard and "://" in spec and not (every or cube or "[" in spec):
        ctx = _first_told(spec, look, ctx)
    dataset = io.open_all(spec, ctx) if every or cube else io.open_dataset(spec, ctx)
    if cube:
        dataset = replace(dataset, images=(stacked(dataset),))
    images = dataset.images if every else dataset.images[:1]
    out = []
    for image in images:
        ctx.checkpoint(0.9, "Display limits")
        out.append(Opened(dataset, image, first_look(image, look, spec)))
    if not out and dataset.traces is not None:
        out.append(Opened(dataset, trace_image(dataset), first_look(trace_image(dataset), look)))
    if not out:
        held = f"it holds {_contents(dataset)}; open a file with an image HDU"
        words = ("there is no image in this file", spec, held)
        raise TablesOnly(dataset, *words) if dataset.tables else MissingDataError(*words)
    return tuple(out)


def _first_told(spec: str, look: Look | None, ctx: JobContext) -> JobContext:
    """A context that tells of the first image of a file that is being fetched as of one that was opened."""
    from ifuview import io
    from ifuview.io.remote.first import FirstImage

    def told(value: object) -> None:
        if not isinstance(value, FirstImage):
            ctx.tell(value)
            return
        with suppress(IfuviewError):  # the whole will say it
            dataset = io.open_dataset(value.path)
            if dataset.images:
                image = dataset.images[0]
                ctx.tell((Opened(replace(dataset, spec=spec), image, first_look(image, look, spec)),))

    return ctx.telling(told)


def stacked(dataset: Dataset) -> Image:
    """All 2-D images of a dataset that have the size of the first, as the planes of one cube."""
    images = [i for i in dataset.images if i.pixels.ndim == 2]
    alike = [i for i in images if i.shape == images[0].shape]
    if not alike:
        raise MissingDataError("there are no images to stack", dataset.path, "open a file with image extensions")
    memory.check(4 * sum(i.pixels.raw.size for i in alike), "the cube of all extensions", dataset.path)
    planes = np.stack([i.pixels.native() for i in alike])
    return replace(alike[0], name="cube", kind=Kind.CUBE, pixels=Pixels(planes), ivar=None, mask=None, wave=None)


def _contents(dataset: Dataset) -> str:
    names = [f"{h.name or h.index} ({h.kind})" for h in dataset.hdus[:6]]
    return ", ".join(names) or "nothing"


def trace_image(dataset: Dataset) -> Image:
    """Show a trace file by itself: its offset from a straight line per fiber, one row a fiber."""
    traces = dataset.traces
    assert traces is not None
    bend = traces.center - np.nanmean(traces.center, axis=1, keepdims=True)
    return Image("trace shape", Kind.IMAGE, Pixels(bend.astype(np.float32)), unit="px", stage="traces")


def with_mask_file(image: Image, spec: str, ctx: JobContext = SILENT) -> Image:
    """The image with the first image of another file as its mask."""
    dataset = open_dataset(spec, ctx)
    if not dataset.images or dataset.images[0].shape != image.shape:
        raise UsageError("the mask has not the size of the image", spec, "choose a mask of the same detector")
    found = dataset.images[0].mask or dataset.images[0].pixels
    return replace(image, mask=found, mask_bits=dataset.images[0].mask_bits)
