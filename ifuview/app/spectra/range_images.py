"""Images of a range of wavelengths of a cube or of a set of fibers, as frames can show them; on the worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import finalize, ref

import numpy as np

from ifuview.app.frames.look import LimitMode
from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.app.session import Slot
from ifuview.app.spectra.gathered import FiberPlaces, fiber_places
from ifuview.app.spectra.rows import row_spectrum
from ifuview.app.spectra.views.window_light import parts_of as parts_of_window
from ifuview.engine.context import JobContext
from ifuview.engine.spectra.cubes import ranges
from ifuview.engine.spectra.cubes.fibers import on_wavelengths
from ifuview.engine.spectra.cubes.lines import line_maps
from ifuview.engine.spectra.cubes.painted import FiberPicture, paint_fibers
from ifuview.engine.spectra.cubes.parts import CubeParts, parts_of
from ifuview.engine.spectra.cubes.ranges import LatestMedians, LatestSums, RangeImage, RunningSums, Sums
from ifuview.errors import MissingDataError
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

DIVERGING = ("moment 1", "line center")  # of which the middle is of interest
ARCSEC = 3600.0
QUICK, LEAST_PLANES = 6e6, 32  # voxels of a quick median, and planes that it rests on at least


@dataclass(frozen=True, slots=True, eq=False)
class RangeFrame:
    """An image of a range, and of fibers which of them each pixel shows (-1: none)."""

    opened: Opened
    fibers: Array | None = None
    every: int = 1  # planes of which it rests on one


class _Kept:
    """What was made of the voxels that were asked for last; of the worker alone."""

    def __init__(self) -> None:
        self.voxels: ref[Array] | None = None
        self.watch: finalize[[], Array] | None = None  # not at the end of Python, where nothing is left to call
        self.lead: tuple[int, ...] = ()
        self.sums: RunningSums | None = None
        self.latest, self.near = LatestSums(), LatestMedians()
        self.fibers: tuple[CubeParts, Array, FiberPicture] | None = None
        self.made_of: tuple[int, ...] = ()  # images of the arms that they are of

    def knows(self, slot: Slot) -> bool:
        """Whether it is of the voxels of a frame."""
        return self.voxels is not None and self.voxels() is slot.image.pixels.raw and self.lead == slot.plane[:-1]

    def begin(self, slot: Slot) -> None:
        """Forget others."""
        if not self.knows(slot):
            raw = slot.image.pixels.raw
            if self.watch is not None:
                self.watch.detach()
            self.voxels, self.lead = ref(raw), tuple(slot.plane[:-1])
            self.watch = finalize(raw, self.forget)
            self.watch.atexit = False
            self.forget()

    def forget(self) -> None:
        """Give the memory back, also when the voxels are gone."""
        self.sums = self.fibers = None
        self.latest, self.near = LatestSums(), LatestMedians()

    def running(self, slot: Slot) -> RunningSums | None:
        """Running sums of a cube, if they are there."""
        return self.sums if self.knows(slot) else None

    def any_sums(self, slot: Slot) -> Sums:
        """The running sums, or those of the ranges that were asked for last."""
        self.begin(slot)
        return self.sums or self.latest


kept = _Kept()


def frames_of(
    slot: Slot,
    how: str,
    window: tuple[float, float],
    ctx: JobContext,
    quick: bool = False,
    group: tuple[Slot, ...] = (),
) -> tuple[RangeFrame, ...]:
    """The images of a range of a cube, or of the fibers of a frame at their places.

    `quick`: a median of many voxels is that of some of its planes, and says so. `group`: other open frames of the same
    fibers; each arm gives its part of the range.

    Raises
    ------
    MissingDataError
        Nobody knows where the fibers are.
    """
    wave = slot.image.wave
    assert wave is not None
    if slot.image.kind is Kind.CUBE:
        parts = parts_of(slot.image, slot.plane)
        every = _every(parts, wave, window) if quick and how == "median" else 1
        found = _images(parts, wave, how, window, kept.any_sums(slot), ctx, kept.near, every)
        return tuple(RangeFrame(_opened(slot, one, window, slot.image.wcs, every), every=every) for one in found)
    places = fiber_places(slot)
    if places is None:
        raise MissingDataError("it is not known where these fibers are", slot.title)
    kept.begin(slot)
    arms = _arms(slot, group, window)
    made_of = tuple(id(one.image) for one in arms)
    if kept.fibers is None or kept.made_of != made_of:
        picture = paint_fibers(places.x, places.y)
        if picture is None:
            raise MissingDataError("fewer than two fibers have a place", slot.title)
        kept.fibers, kept.made_of = (*_joined(arms), picture), made_of
    parts, wave, picture = kept.fibers
    cards = _cards(places, picture)
    out = []
    for one in _images(parts, wave, how, window, None, ctx):
        ivar = None if one.ivar is None else picture.values(one.ivar[0], 0.0)
        painted = replace(one, flux=picture.values(one.flux[0], np.nan), ivar=ivar)
        out.append(RangeFrame(_opened(slot, painted, window, cards), picture.row))
    return tuple(out)


def _images(
    parts: CubeParts,
    wave: Array,
    how: str,
    window: tuple[float, float],
    running: Sums | None,
    ctx: JobContext,
    near: LatestMedians | None = None,
    every: int = 1,
) -> tuple[RangeImage, ...]:
    """What is asked for, in the grid of a cube."""
    if how == "line":
        return line_maps(parts, wave, window, ctx=ctx)
    if how == "moments":
        return ranges.moments(parts, wave, window, running=running, ctx=ctx)
    return (ranges.range_image(parts, wave, window, how, running=running, ctx=ctx, near=near, every=every),)


def _every(parts: CubeParts, wave: Array, window: tuple[float, float]) -> int:
    """Of how many planes one is looked at for a quick median of a range."""
    first, last = ranges.planes_of(wave, window)
    _, ny, nx = parts.shape
    return min(max(1, round((last - first) * ny * nx / QUICK)), max((last - first) // LEAST_PLANES, 1))


def _arms(slot: Slot, group: tuple[Slot, ...], window: tuple[float, float]) -> tuple[Slot, ...]:
    """Frames of the arms that have a part of a range, from blue to red; the frame itself where none has."""
    found = parts_of_window((slot, *(one for one in group if one is not slot)), window)
    alone = len(found) == 1 and found[0].slot.image is slot.image
    return (slot,) if alone or not found else tuple(part.slot for part in sorted(found, key=lambda part: part.low))


def _joined(arms: tuple[Slot, ...]) -> tuple[CubeParts, Array]:
    """Spectra of all fibers through several arms as a cube of one row, and its wavelengths; none counts twice."""
    flux, error, waves, done = [], [], [], -np.inf
    for slot in arms:
        wave = slot.image.wave
        assert wave is not None
        own = np.asarray(wave if wave.ndim == 1 else wave[0], dtype=np.float64)
        new, cube = own > done, _as_cube(slot)
        flux.append(cube.flux.raw[new])
        error += [] if cube.error is None else [cube.error.raw[new]]
        waves.append(own[new])
        done = float(np.nanmax(own))
    known = Pixels(np.concatenate(error)) if len(error) == len(arms) else None
    return CubeParts(Pixels(np.concatenate(flux)), known), np.concatenate(waves)


def _as_cube(slot: Slot) -> CubeParts:
    """The spectra of all fibers, on the wavelengths of the first, as a cube of one row."""
    image = slot.image
    rows = [row_spectrum(slot, row) for row in range(image.orientation.shape(image.shape)[0])]
    both = [on_wavelengths(rows[0].wave, one, image.ivar is not None) for one in rows]
    flux = np.stack([one[0] for one in both], axis=1)[:, None]
    if image.ivar is None:
        return CubeParts(Pixels(flux.astype(np.float32)))
    noise = np.stack([one[1] for one in both], axis=1)[:, None]
    known = np.isfinite(noise) & (noise > 0)
    ivar = np.where(known, 1 / np.where(known, noise, 1.0), 0.0)
    return CubeParts(Pixels(flux.astype(np.float32)), Pixels(ivar.astype(np.float32)))


def _cards(places: FiberPlaces, picture: FiberPicture) -> Header:
    """World coordinates of a picture of fibers; none where their places are not on the sky."""
    if places.center is None:
        return {}
    scale = picture.step / ARCSEC
    return {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": places.center[0], "CRVAL2": places.center[1],
        "CRPIX1": 1 - picture.x0 / picture.step, "CRPIX2": 1 - picture.y0 / picture.step, "CD1_1": -scale,
        "CD2_2": scale, "CD1_2": 0.0, "CD2_1": 0.0, "RADESYS": "ICRS",
    }  # fmt: skip


def _opened(slot: Slot, found: RangeImage, window: tuple[float, float], wcs: Header, every: int = 1) -> Opened:
    """An image of a range as a frame shows it: with its sky, its errors, and where it came from."""
    name = found.name if every == 1 else f"{found.name} of one plane in {every},"
    image, unit = slot.image, found.unit.removeprefix("=")
    unit = unit if found.unit.startswith("=") else f"{image.unit} {unit}".strip()
    title = f"{name.capitalize()} {window[0]:.1f}-{window[1]:.1f} Å of {slot.title}"
    flat = Image(
        title, Kind.IMAGE, Pixels(found.flux), None if found.ivar is None else Pixels(found.ivar), unit=unit,
        camera=image.camera, stage=found.name, header=image.header if image.kind is Kind.CUBE else {}, wcs=wcs,
    )  # fmt: skip
    said = f"{name} of {window[0]:.2f} to {window[1]:.2f} Å of {slot.dataset.spec}"
    dataset = Dataset("", spec=title, instrument=slot.dataset.instrument, kind="range", images=(flat,), notes=(said,))
    color = "coolwarm" if found.name in DIVERGING else slot.look.cmap
    look = replace(slot.look, limit_mode=LimitMode.ZSCALE, lo=None, hi=None, cmap=color, mask_shown=0)
    if not np.isfinite(found.flux).any():  # no line is clear enough anywhere, or the range lies outside
        return Opened(dataset, flat, replace(look, lo=0.0, hi=1.0))
    return Opened(dataset, flat, first_look(flat, look))
