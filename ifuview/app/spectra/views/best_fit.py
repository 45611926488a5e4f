"""What lies beside a spectrum: its best fit, of its own file or one joined by the target, and the sky taken off it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.rows import error_of, row_spectrum
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image
from ifuview.model.inspection import FiberSpectrum

LABEL, SKY = "best fit", "sky"


def best_fits(session: Session, slot: Slot, fiber: int) -> tuple[FiberSpectrum, ...]:
    """The model of a fiber in every arm that has one; () if no open file has it."""
    own = joined.identifiers(slot).get(joined.TARGET)
    inside = _own(slot.dataset.models, fiber, slot, LABEL)
    if inside:
        return inside
    if own is None or not 0 <= fiber < own.size:
        return ()
    for dataset in session.models:
        row = row_of(dataset, int(own[fiber]))
        if row is not None:
            return tuple(_spectrum(image, row, slot, LABEL) for image in dataset.images)
    return ()


def row_of(dataset: Dataset, target: int) -> int | None:
    """Row of a target in a file of models."""
    fibermap = dataset.fibermap
    column = None if fibermap is None else fibermap.table.get(joined.TARGET)
    found = np.flatnonzero(np.asarray(column) == target) if column is not None else np.empty(0, int)
    return int(found[0]) if found.size else None


def alone(slot: Slot) -> tuple[FiberSpectrum, ...]:
    """The one spectrum of a frame, then the best fit and the sky that its file has."""
    file = slot.dataset
    beside = (*_own(file.models, 0, slot, LABEL), *_own(file.skies, 0, slot, SKY))
    return (row_spectrum(slot, 0), *(replace(one, arm="") for one in beside))


def _own(images: tuple[Image, ...], row: int, slot: Slot, label: str) -> tuple[FiberSpectrum, ...]:
    """A row of images that lie in the file of a frame, those of `Dataset.models` or `Dataset.skies`."""
    return tuple(_spectrum(image, row, slot, label) for image in images if row < image.shape[0])


def _spectrum(image: Image, row: int, slot: Slot, label: str) -> FiberSpectrum:
    """One row of an image beside the spectra."""
    flux = np.asarray(image.pixels.physical(image.pixels.raw[row]), dtype=np.float64)
    wave: Array | None = image.wave if image.wave is None or image.wave.ndim == 1 else image.wave[row]
    error = None if image.ivar is None else error_of(image.ivar.physical(image.ivar.raw[row]))
    return FiberSpectrum(
        slot.title, np.arange(flux.size, dtype=np.float64), wave, flux, error, ~np.isfinite(flux), label,
        image.unit or slot.image.unit, label, arm=image.camera,
    )  # fmt: skip
