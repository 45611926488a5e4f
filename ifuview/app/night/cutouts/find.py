"""Cuts the same fiber and wavelength out of every exposure of a tile and every product of its chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.opening.detector_place import traces_of
from ifuview.app.frames.opening.opened import new_slot
from ifuview.app.frames.selection import on_fiber, pixel_of_wavelength
from ifuview.app.night.files import open_place
from ifuview.app.night.open_night import has
from ifuview.app.night.state import Night, Place
from ifuview.app.session import Session, Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError, UsageError
from ifuview.model.checks import Array
from ifuview.model.image import Kind
from ifuview.model.night.exposures import Exposure, ExposureIndex

SIZE = 40  # px across and along
LEAST_SIZE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A part of one product around a fiber and a wavelength, in the native pixels of its file.

    Parameters
    ----------
    place : Place
        Exposure, camera and product.
    title : str
        The exposure, as people call it.
    pixels : ndarray, shape (ny, nx)
        NaN outside the image.
    left, bottom : int
        Native pixel (0-based) of pixels[0, 0].
    x, y : float
        Where the fiber has the wavelength, native px.
    unit : str
    wave : float, Angstrom
        At that pixel.
    trace : ndarray, shape (n, 2), or None
        Native x and y of the trace inside; None for spectra, where the fiber is the row y.
    """

    place: Place
    title: str
    pixels: Array
    left: int
    bottom: int
    x: float
    y: float
    unit: str
    wave: float
    trace: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CutoutPage:
    """All cutouts of a fiber and a wavelength, and what could not be read."""

    fiber: str
    wave: float
    tile: int
    size: int
    cutouts: tuple[Cutout, ...]
    left_out: tuple[str, ...] = ()


def cutouts(
    index: ExposureIndex, fiber: str, wave: float, *, tile: int | None = None, size: int = SIZE,
    expids: Iterable[int] = (), ctx: JobContext = SILENT,
) -> CutoutPage:  # fmt: skip
    """The fiber at a wavelength in every exposure and product.

    Parameters
    ----------
    index : ExposureIndex
    fiber : str
        As the instrument counts.
    wave : float, Angstrom
    tile : int, optional
        Exposures of this tile only; by default all.
    size : int, px
        Of the cutouts, across and along; spectra are cut as wide along wavelength and as many rows.
    expids : iterable of int
        These exposures only, () for all.

    Raises
    ------
    UsageError, MissingDataError
        There is no such tile, or no camera has the fiber at the wavelength.
    """
    if size < LEAST_SIZE:
        raise UsageError(f"a size of {size} px shows nothing", "--size", f"give at least {LEAST_SIZE}")
    exposures = _exposures(index, tile, tuple(expids))
    night, out, left_out, known = Night(index), [], [], _Cameras(index.cameras)
    for number, exposure in enumerate(exposures):
        part = ctx.part(number / len(exposures), (number + 1) / len(exposures))
        for place in _places(index, exposure, known):
            part.checkpoint(0.0, f"{place.product} of {place.camera} {exposure.name}")
            try:
                slot = _slot(night, place, part)
                found = _cut(slot, place, exposure.name, fiber, wave, size)
            except (IfuviewError, OSError) as problem:
                left_out.append(f"{place.product} of {place.camera} {exposure.name}: {problem}")
                continue
            known.learn(place.camera, found is not None or _row(slot, fiber) is not None)
            if found is not None:
                out.append(found)
    if not out:
        where = f"tile {tile}" if tile is not None else index.root
        todo = "give the number that the instrument gives it, and a wavelength that its cameras cover"
        raise MissingDataError(f"no product has fiber {fiber} at {wave:g} Angstrom", where, todo)
    of = tile if tile is not None else exposures[0].tile or 0
    return CutoutPage(fiber, wave, of, size, tuple(out), tuple(left_out))


class _Cameras:
    """Which cameras may have the fiber: those that were seen to have it, as soon as one was."""

    def __init__(self, cameras: tuple[str, ...]) -> None:
        self._have: dict[str, bool] = {}
        self._all = cameras

    def learn(self, camera: str, has_fiber: bool) -> None:
        """Keep what one product has shown; a product without a table of fibers does not take it back."""
        self._have[camera] = has_fiber or self._have.get(camera, False)

    def may(self, camera: str) -> bool:
        """Whether it is worth a look."""
        return self._have.get(camera, True)


def _exposures(index: ExposureIndex, tile: int | None, expids: tuple[int, ...]) -> tuple[Exposure, ...]:
    found = tuple(e for e in index.exposures if (tile is None or e.tile == tile) and (not expids or e.expid in expids))
    if not found:
        tiles = sorted({e.tile for e in index.exposures if e.tile is not None})
        known = f"there are tiles {', '.join(map(str, tiles[:8]))}" if tiles else "no exposure names its tile"
        raise UsageError(f"there is no exposure of tile {tile}", index.root, f"choose another; {known}")
    return found


def _places(index: ExposureIndex, exposure: Exposure, known: _Cameras) -> Iterator[Place]:
    """Products that are there, spectra first: they know their fibers."""
    order = sorted(index.chain.shown, key=lambda p: p not in index.chain.fibers)
    for camera in index.cameras:
        for product in order:
            if known.may(camera) and has(index, exposure.expid, camera, product):
                yield Place(exposure.expid, camera, product)


def _slot(night: Night, place: Place, ctx: JobContext) -> Slot:
    opened = open_place(night, place, None, ctx)
    slot = new_slot(Session(), opened)
    traces = traces_of(opened.dataset, opened.image, ctx)
    return slot if traces is None else replace(slot, traces=traces)


def _row(slot: Slot, fiber: str) -> int | None:
    """Row of a fiber by the instrument's number; None where the image does not have it."""
    fibers = slot.image.fibermap or slot.dataset.fibermap
    for ids in () if fibers is None else (fibers.fiber_id,):
        return ids.index(fiber) if fiber in ids else None
    if slot.traces is not None and fiber in slot.traces.fiber_id:
        return slot.traces.fiber_id.index(fiber)
    return None


def _cut(slot: Slot, place: Place, title: str, fiber: str, wave: float, size: int) -> Cutout | None:
    """The part of one product; None where it has not the fiber or not the wavelength."""
    row = _row(slot, fiber)
    disp = None if row is None else pixel_of_wavelength(slot, row, wave)
    if row is None or disp is None:
        return None
    shape = slot.image.shape
    if slot.image.kind is Kind.RSS:
        x, y = float(disp), float(row)
    else:
        near = slot.image.orientation.to_native(0.0, float(disp), shape)
        at = on_fiber(slot, row, float(near[0]), float(near[1]))
        if at[0] is None or at[1] is None:
            return None
        x, y = at[0], at[1]
    left, bottom = round(x) - size // 2, round(y) - size // 2
    return Cutout(
        place, title, _part(slot, left, bottom, size), left, bottom, x, y, slot.image.unit, _wave_at(slot, row, disp),
        None if slot.image.kind is Kind.RSS else _trace(slot, row, left, bottom, size),
    )  # fmt: skip


def _part(slot: Slot, left: int, bottom: int, size: int) -> Array:
    """Pixels of a square, NaN outside the image."""
    out = np.full((size, size), np.nan, np.float32)
    ny, nx = slot.image.shape
    x0, x1, y0, y1 = max(left, 0), min(left + size, nx), max(bottom, 0), min(bottom + size, ny)
    if x0 < x1 and y0 < y1:
        plane = slot.image.pixels.plane(slot.plane)
        out[y0 - bottom : y1 - bottom, x0 - left : x1 - left] = plane.physical(plane.raw[y0:y1, x0:x1])
    return out


def _wave_at(slot: Slot, row: int, disp: int) -> float:
    known = slot.image.wave if slot.image.kind is Kind.RSS else slot.traces.wave if slot.traces is not None else None
    if known is None:
        return float("nan")
    return float(known[row, disp] if known.ndim == 2 else known[disp])


def _trace(slot: Slot, row: int, left: int, bottom: int, size: int) -> Array | None:
    """Native points of the trace inside a square."""
    if slot.traces is None:
        return None
    columns = np.arange(slot.traces.ncol)
    x, y = slot.image.orientation.to_native(slot.traces.center[row], columns, slot.image.shape)
    points = np.stack([np.asarray(x, np.float64), np.asarray(y, np.float64)], axis=1)
    inside = np.isfinite(points).all(axis=1)
    for axis, low in ((0, left), (1, bottom)):
        inside &= (points[:, axis] >= low - 1) & (points[:, axis] <= low + size)
    return points[inside]
