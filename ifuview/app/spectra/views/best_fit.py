"""The model of a spectrum that a file of best fits has, joined by the target."""

from __future__ import annotations

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image
from ifuview.model.inspection import FiberSpectrum

LABEL = "best fit"


def best_fits(session: Session, slot: Slot, fiber: int) -> tuple[FiberSpectrum, ...]:
    """The model of a fiber in every arm that has one; () if no open file has it."""
    own = joined.identifiers(slot).get(joined.TARGET)
    inside = slot.dataset.models
    if inside and fiber < inside[0].shape[0]:
        return tuple(_spectrum(image, fiber, slot) for image in inside)
    if own is None or not 0 <= fiber < own.size:
        return ()
    for dataset in session.models:
        row = row_of(dataset, int(own[fiber]))
        if row is not None:
            return tuple(_spectrum(image, row, slot) for image in dataset.images)
    return ()


def row_of(dataset: Dataset, target: int) -> int | None:
    """Row of a target in a file of models."""
    fibermap = dataset.fibermap
    column = None if fibermap is None else fibermap.table.get(joined.TARGET)
    found = np.flatnonzero(np.asarray(column) == target) if column is not None else np.empty(0, int)
    return int(found[0]) if found.size else None


def _spectrum(image: Image, row: int, slot: Slot) -> FiberSpectrum:
    """One row of a model."""
    flux = np.asarray(image.pixels.physical(image.pixels.raw[row]), dtype=np.float64)
    wave: Array | None = image.wave if image.wave is None or image.wave.ndim == 1 else image.wave[row]
    pixel = np.arange(flux.size, dtype=np.float64)
    name = slot.title
    return FiberSpectrum(name, pixel, wave, flux, None, ~np.isfinite(flux), LABEL, image.unit or slot.image.unit, LABEL,
                         arm=image.camera)  # fmt: skip
