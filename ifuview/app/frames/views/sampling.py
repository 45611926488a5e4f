"""Single values and cuts of the plane that a slot shows, read straight from the stored pixels."""

from __future__ import annotations

import numpy as np

from ifuview.app.session import Slot
from ifuview.model.checks import Array
from ifuview.model.image import Kind
from ifuview.model.pixels import Floats, Pixels


def shown_plane(slot: Slot) -> Pixels:
    """The 2-D pixels on the canvas."""
    return slot.image.pixels.plane(slot.plane)


def mask_plane(slot: Slot) -> Pixels | None:
    """The mask of the plane on the canvas, None without a mask."""
    return None if slot.image.mask is None else slot.image.mask.plane(slot.plane)


def pixel_at(slot: Slot, x: float | None, y: float | None) -> tuple[int, int] | None:
    """Column and row of the pixel that contains a native position, None outside the image."""
    if x is None or y is None or not (np.isfinite(x) and np.isfinite(y)):
        return None
    ix, iy = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    ny, nx = slot.image.shape
    return (ix, iy) if 0 <= ix < nx and 0 <= iy < ny else None


def canonical_at(slot: Slot, x: float | None, y: float | None) -> tuple[int, int] | None:
    """Canonical (cross, disp) pixel of a native position, None outside the image."""
    pixel = pixel_at(slot, x, y)
    if pixel is None:
        return None
    cross, disp = slot.image.orientation.from_native(*pixel, slot.image.shape)
    return int(cross), int(disp)


def fiber_at(slot: Slot, cross: float, disp: float) -> int | None:
    """Row of the fiber at a canonical position: the row of spectra, or the nearest trace."""
    if slot.image.kind is Kind.RSS:
        return round(cross)
    if slot.traces is None or slot.traces.nfiber == 0:
        return None
    row, distance = slot.traces.nearest(cross, disp)
    return row if np.isfinite(distance) else None


def fiber_name(slot: Slot, row: int | None) -> str:
    """The instrument's own number of a fiber, "" if there is no fiber."""
    if row is None:
        return ""
    for source in (slot.image.fibermap, slot.traces, slot.dataset.fibermap):
        if source is not None and 0 <= row < len(source.fiber_id):
            return source.fiber_id[row]
    return str(row)


def wavelength_at(slot: Slot, row: int | None, disp: int) -> float | None:
    """Wavelength in Angstrom at a dispersion pixel of a fiber, None where unknown."""
    wave = slot.image.wave
    if wave is None and slot.traces is not None:
        wave = slot.traces.wave
    if wave is None or slot.image.kind is Kind.CUBE:
        return None
    if wave.ndim == 2:
        if row is None or not 0 <= row < wave.shape[0]:
            return None
        wave = wave[row]
    return float(wave[disp]) if 0 <= disp < wave.shape[0] else None


def gather(slot: Slot, cross: Array | int, disp: Array | int) -> Floats:
    """Values at canonical positions (broadcast against each other)."""
    x, y = slot.image.orientation.to_native(np.asarray(cross), np.asarray(disp), slot.image.shape)
    pixels = shown_plane(slot)
    return pixels.physical(pixels.raw[y, x])


def across(slot: Slot, disp: int, lo: int, hi: int, ncolumns: int = 1) -> Floats:
    """Counts at cross-dispersion pixels lo..hi-1 of one column, or the median of `ncolumns` around it."""
    ncross, ndisp = slot.image.orientation.shape(slot.image.shape)
    cross = np.arange(max(lo, 0), min(hi, ncross))
    if ncolumns <= 1:
        return gather(slot, cross, disp)
    start = min(max(disp - ncolumns // 2, 0), max(ndisp - ncolumns, 0))
    block = gather(slot, cross[:, None], np.arange(start, min(start + ncolumns, ndisp))[None, :])
    if np.isnan(block).any():
        block = np.where(np.isnan(block).all(axis=1, keepdims=True), np.float32(0), block)
        return np.nanmedian(block, axis=1).astype(block.dtype)
    return np.median(block, axis=1).astype(block.dtype)


def along(slot: Slot, cross: int) -> Floats:
    """All values of one canonical row (along dispersion)."""
    return gather(slot, cross, np.arange(slot.image.orientation.shape(slot.image.shape)[1]))


def sample(pixels: Pixels, count: int) -> Floats:
    """About `count` finite values of a 2-D image from a grid whose rows are shifted against each other."""
    ny, nx = pixels.shape
    step = max(1, int(np.ceil(np.sqrt(ny * nx / count))))
    nrow = min(ny, max(1, round(np.sqrt(count * min(1.0, ny / nx)))) if ny < step else -(-ny // step))
    rows = np.unique(np.linspace(0, ny - 1, nrow).astype(np.intp))
    ncol = min(nx, max(1, count // rows.size))
    columns = np.linspace(0, nx - 1, ncol)
    shift = (np.arange(rows.size) * 0.618034) % 1.0 * (nx / ncol)
    ix = np.minimum((columns[None, :] + shift[:, None]) % nx, nx - 1).astype(np.intp)
    values = pixels.physical(pixels.raw[rows[:, None], ix])
    return values[np.isfinite(values)]
