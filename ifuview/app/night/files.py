"""The products of a night: read, or computed from others."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import Look
from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.app.frames.opening.reading import open_dataset, open_images
from ifuview.app.night.amplifiers.mosaic import open_mosaic
from ifuview.app.night.open_night import path_of, require
from ifuview.app.night.raw import open_raw
from ifuview.app.night.state import Night, Place
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.night.exposures import RAW, ExposureIndex
from ifuview.model.night.raw import AMPLIFIERS
from ifuview.model.pixels import Pixels

LEAST_FLAT = 1e-6  # a smaller fiberflat is no measurement


def open_place(night: Night, place: Place, look: Look | None, ctx: JobContext = SILENT) -> Opened:
    """Read a product, or compute it.

    Raises
    ------
    MissingDataError
        It is not there.
    """
    index = night.compared if place.other and night.compared is not None else night.index
    require(index, place.expid, place.camera, place.product)
    if place.product == RAW:
        return _raw(index, place, look, ctx)
    exposure = index.find(place.expid)
    if exposure is not None and exposure.parts and index.slots and place.product == AMPLIFIERS:
        return open_mosaic(index, exposure, index.chain.instrument, look, ctx)
    if exposure is not None and exposure.parts:
        return open_raw(exposure, place.camera, place.product, index.chain.instrument, look, ctx)
    if place.product in index.chain.computed:
        return _computed(index, place, look, ctx)
    file = index.file(place.expid, place.camera, place.product)
    assert file is not None
    opened = _with_fibers(index, place, open_images(file.path, look=look, ctx=ctx)[0], ctx)
    if opened.dataset.companions or not place.other:
        return opened
    beside = index_companions(night.index, place)  # the other production need not have the calibrations
    return replace(opened, dataset=replace(opened.dataset, companions=beside))


def _with_fibers(index: ExposureIndex, place: Place, opened: Opened, ctx: JobContext) -> Opened:
    """Spectra without a fiber table of their own (a sky model) with that of the frame they belong to."""
    image = opened.image
    path = next((p for name in index.chain.fibers if (p := index.path(place.expid, place.camera, name))), "")
    if image.kind is not Kind.RSS or not path or (image.fibermap is not None and image.fibermap.table):
        return opened
    ctx.checkpoint(0.8, "Fibers of the frame")
    try:
        fibermap = open_dataset(path, ctx).fibermap
    except (IfuviewError, OSError):
        return opened  # the spectra can be looked at without it
    if fibermap is None or fibermap.nfiber != image.shape[0]:
        return opened
    image = replace(image, fibermap=fibermap)
    note = f"the fibers are those of {os.path.basename(path)}"
    dataset = replace(opened.dataset, images=(image,), fibermap=fibermap, notes=(*opened.dataset.notes, note))
    return replace(opened, dataset=dataset, image=image)


def _raw(index: ExposureIndex, place: Place, look: Look | None, ctx: JobContext) -> Opened:
    """What the detector of a camera gave: its HDU in the file of all cameras; without a camera the first one."""
    exposure = index.find(place.expid)
    path = "" if exposure is None else exposure.raw
    spec = f"{path}[{place.camera.upper()}]" if place.camera else path
    return open_images(spec, look=look, ctx=ctx)[0]


def index_companions(index: ExposureIndex, place: Place) -> tuple[str, ...]:
    """Traces and fiberflat that the index knows for a place."""
    exposure = index.find(place.expid)
    if exposure is None:
        return ()
    kinds = dict.fromkeys(index.chain.calibrations.values())
    own = [index.file(place.expid, place.camera, kind) for kind in kinds if kind not in index.chain.products]
    paths = [f.path for f in own if f is not None]
    paths += [
        index.calibrations[key]
        for key in ((exposure.night, kind, place.camera) for kind in kinds)
        if key in index.calibrations
    ]
    return tuple(paths)


def _computed(index: ExposureIndex, place: Place, look: Look | None, ctx: JobContext) -> Opened:
    """The quotient of two products with its inverse variance."""
    above, below = index.chain.computed[place.product]
    path, level = (path_of(index, place.expid, place.camera, product) for product in (above, below))
    ctx.checkpoint(0.1, f"Reading the {above}")
    frame = open_dataset(path, ctx)
    ctx.checkpoint(0.5, f"Reading the {below}")
    flat = open_dataset(level, ctx)
    image = divided(frame.images[0], flat.images[0], place.product)
    dataset = Dataset(
        path="",
        spec=f"{path} / {level}",
        instrument=frame.instrument,
        kind=place.product,
        images=(image,),
        fibermap=frame.fibermap,
        hdus=frame.hdus,
        notes=(f"made from {os.path.basename(path)} and {os.path.basename(level)}",),
        companions=frame.companions,
        block=frame.block,
    )
    return Opened(dataset, image, first_look(image, look))


def divided(frame: Image, flat: Image, stage: str) -> Image:
    """Spectra divided by a flat: var = (var_F + (F/L)^2 var_L) / L^2; no value where the flat has none.

    Raises
    ------
    UsageError
        The two have other sizes.
    """
    if frame.shape != flat.shape:
        raise UsageError(f"the {flat.stage} has {flat.shape} pixels and the {frame.stage} {frame.shape}", frame.camera)
    flux, level = frame.pixels.native(), flat.pixels.native()
    good = level > LEAST_FLAT
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.where(good, flux / level, np.nan).astype(np.float32)
        ivar = None
        if frame.ivar is not None:
            weight = frame.ivar.native()
            var = 1 / weight + (0 if flat.ivar is None else out**2 / flat.ivar.native())
            known = np.where(good & (weight > 0), level**2 / var, 0)
            ivar = Pixels(np.where(np.isfinite(known), known, 0).astype(np.float32))
    return replace(frame, name=f"{frame.name}/{flat.name}", pixels=Pixels(out), ivar=ivar, stage=stage)
