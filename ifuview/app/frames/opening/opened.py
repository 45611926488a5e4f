"""An image as it is opened: its first plane, its first limits and the frame it becomes; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.look import LimitMode, Look, Reduction, ViewState
from ifuview.app.session import Session, Slot, usual_aspect
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.zscale import minmax, percentile_limits, zscale
from ifuview.errors import MissingDataError
from ifuview.files import product_stem
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

if TYPE_CHECKING:
    from ifuview.app.frames.views.raster import Pyramid


ROWS_AT_ONCE = 256
RESIDUAL = "residual"  # color map of what is zero where nothing is left
NO_LIMITS = (0.0, 1.0)  # what the engine answers where no sampled pixel has a value


class TablesOnly(MissingDataError):
    """A file without pixels whose tables can be shown; `dataset` has them."""

    def __init__(self, dataset: Dataset, *words: str) -> None:
        super().__init__(*words)
        self.dataset = dataset


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """One image of a file with its first display limits, and its reduced copies where they are made with it."""

    dataset: Dataset
    image: Image
    look: Look
    pyramid: Pyramid | None = None


def first_look(image: Image, look: Look | None = None, where: str = "") -> Look:
    """The look that suits an image, with its limits; `look` says what was asked for otherwise.

    Raises
    ------
    MissingDataError
        No pixel has a value.
    """
    look = look or Look()
    if image.kind is Kind.RSS and look.reduction is Reduction.MEAN:
        look = replace(look, reduction=Reduction.EXTREME)
    if image.about_zero and look.cmap == Look().cmap:
        look = replace(look, cmap=RESIDUAL, about_zero=True)
    if look.lo is None or look.hi is None:
        lo, hi = limits(middle_plane(image), look)
        if (lo, hi) == NO_LIMITS:
            _check_values(image, where)
        look = replace(look, lo=lo, hi=hi)
    return look


def _check_values(image: Image, where: str) -> None:
    """Raise MissingDataError if no pixel of the first plane has a value."""
    pixels = middle_plane(image)
    rows = range(0, pixels.shape[0], ROWS_AT_ONCE)
    if not any(np.isfinite(pixels.rows(row, row + ROWS_AT_ONCE)).any() for row in rows):
        raise MissingDataError(
            "no pixel has a value: all are NaN or blank", f"{where} {image.name}".strip(), "choose another extension"
        )


def middle_plane(image: Image) -> Pixels:
    """The plane that a cube opens with."""
    return image.pixels.plane(first_plane(image))


def first_plane(image: Image) -> tuple[int, ...]:
    """Index of the plane that an image opens with: the middle one of a cube."""
    lead = image.pixels.shape[:-2]
    return (*([0] * (len(lead) - 1)), lead[-1] // 2) if lead else ()


def limits(pixels: Pixels, look: Look) -> tuple[float, float]:
    """Display limits (lo, hi) of a 2-D image in image units, by the mode of `look`."""
    if look.limit_mode is LimitMode.USER and look.lo is not None and look.hi is not None:
        return look.lo, look.hi
    lo, hi = _of_mode(pixels, look)
    bound = max(abs(lo), abs(hi))
    return (-bound, bound) if look.about_zero and bound > 0 else (lo, hi)


def _of_mode(pixels: Pixels, look: Look) -> tuple[float, float]:
    if look.limit_mode is LimitMode.MINMAX:
        return minmax(pixels)
    if look.limit_mode is LimitMode.PERCENTILE:
        return percentile_limits(pixels, look.percent)
    return zscale(pixels, look.zcontrast)


def pyramid(slot: Slot, ctx: JobContext = SILENT) -> Pyramid:
    """Reduced copies of the plane that a frame shows, and of its mask, for the canvas."""
    from ifuview.app.frames.views.raster import build_pyramid

    mask = None if slot.image.mask is None else slot.image.mask.plane(slot.plane)
    return build_pyramid(slot.image.pixels.plane(slot.plane), slot.look.reduction, ctx, mask=mask)


def new_slot(session: Session, opened: Opened) -> Slot:
    """A frame for an opened image, titled so that it can be told from the others."""
    dataset = opened.dataset
    stem = product_stem(dataset.path) if dataset.path else opened.image.name  # "a / b" of a ratio is no path
    chosen = bool(dataset.path) and dataset.spec not in ("", dataset.path)
    other = len(dataset.images) > 1 and opened.image is not dataset.images[0]
    name = opened.image.name.strip("[]")
    title = f"{stem} [{name}]" if chosen or other else stem
    image = opened.image
    view = ViewState(aspect=usual_aspect(image, dataset.kind))
    return Slot(
        session.next_key, title, dataset, image, first_plane(image), opened.look, view, pyramid=opened.pyramid
    )  # fmt: skip
