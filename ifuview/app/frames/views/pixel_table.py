"""The values around the cursor, with the masked ones told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.views.readout import DOUBLE_DIGITS, VALUE_DIGITS
from ifuview.app.frames.views.sampling import mask_plane, pixel_at, shown_plane
from ifuview.app.frames.views.text import quantity
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array

LARGEST = 13  # pixels on a side
SHORT, MOST_DIGITS = 5, 16  # significant digits of a cell


@dataclass(frozen=True, slots=True, eq=False)
class PixelTableView:
    """Values on a square about a pixel; the top row has the highest y.

    Parameters
    ----------
    x, y : int
        0-based column and row of the center.
    values : ndarray, shape (LARGEST, LARGEST)
        NaN outside the image and where blank.
    masked : ndarray of bool, same shape
    inside : ndarray of bool, same shape
    text : str
        The center in words.
    """

    x: int
    y: int
    values: Array
    masked: Array
    inside: Array
    text: str


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    place = (session.selection.x, session.selection.y)
    return (*place, None if slot is None else (slot.image, slot.plane))


def make(session: Session) -> PixelTableView | None:
    """The values about the crosshair; None without one."""
    slot = session.slot()
    return None if slot is None else _around(slot, session.selection.x, session.selection.y)


def hover(session: Session, key: int, x: float, y: float) -> PixelTableView | None:
    """The values about the cursor; None outside the image."""
    slot = session.slot(key)
    return None if slot is None else _around(slot, x, y)


def crop(view: PixelTableView, n: int) -> PixelTableView:
    """The inner `n` by `n` values."""
    cut = (LARGEST - min(n, LARGEST)) // 2
    part = slice(cut, LARGEST - cut)
    return PixelTableView(
        view.x, view.y, view.values[part, part], view.masked[part, part], view.inside[part, part], view.text
    )


def cells(values: Array) -> list[list[str]]:
    """The values as short text, all with the same number of decimals."""
    finite = np.abs(values[np.isfinite(values)])
    top = float(finite.max()) if finite.size else 0.0
    if (digits := _digits(finite)) > SHORT:
        return [[f"{v:.{digits}g}" if np.isfinite(v) else "–" for v in row] for row in values]
    if top >= 1e6 or 0 < top < 1e-3:
        return [[f"{v:.2e}" if np.isfinite(v) else "–" for v in row] for row in values]
    whole = bool(finite.size) and bool(np.all(finite == np.round(finite)))
    places = 0 if whole or top >= 1e4 else 1 if top >= 100 else 2 if top >= 1 else 4
    return [[f"{v:.{places}f}" if np.isfinite(v) else "–" for v in row] for row in values]


def _digits(values: Array) -> int:
    """Significant digits that tell values of a large common level apart; 0 where there is none."""
    spread = float(np.ptp(values)) if values.size and values.dtype == np.float64 else 0.0
    return min(int(np.ceil(np.log10(float(values.max()) / spread))) + 3, MOST_DIGITS) if spread > 0 else 0


def _around(slot: Slot, x: float | None, y: float | None) -> PixelTableView | None:
    """The square about a native position."""
    at = pixel_at(slot, x, y)
    if at is None:
        return None
    ix, iy = at
    ny, nx = slot.image.shape
    half = LARGEST // 2
    rows, columns = np.arange(iy + half, iy - half - 1, -1), np.arange(ix - half, ix + half + 1)
    inside = ((rows >= 0) & (rows < ny))[:, None] & ((columns >= 0) & (columns < nx))[None, :]
    y_in, x_in = rows.clip(0, ny - 1)[:, None], columns.clip(0, nx - 1)[None, :]
    pixels = shown_plane(slot)
    values = np.where(inside, pixels.physical(pixels.raw[y_in, x_in]), np.float32(np.nan))
    mask = mask_plane(slot)
    masked = np.zeros(inside.shape, bool) if mask is None else (mask.raw[y_in, x_in] != 0) & inside
    digits = DOUBLE_DIGITS if pixels.double else VALUE_DIGITS
    text = f"Pixel ({ix}, {iy}): {quantity(float(values[half, half]), slot.image.unit, digits)}"
    if mask is not None and masked[half, half]:
        text += f", {', '.join(slot.image.mask_bits.names(mask.integer(iy, ix)))}"
    return PixelTableView(ix, iy, values, masked, inside, text)
