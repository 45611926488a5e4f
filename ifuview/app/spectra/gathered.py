"""One spectrum of a region of a cube, or of several fibers, with its errors: sum, mean or median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from weakref import ref

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.frames.state import RangeOf
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.rows import arms
from ifuview.app.spectra.state import Gathered
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.cubes.inside import CLOSED, inside
from ifuview.model.checks import Array
from ifuview.model.image import Image, Kind
from ifuview.model.inspection import FiberSpectrum
from ifuview.model.region import Region

EACH, MEAN, SUM, MEDIAN = "each", "mean", "sum", "median"
ARCSEC = 3600.0
NAMES = {MEAN: "Mean", SUM: "Sum", MEDIAN: "Median"}


def spectral(session: Session, slot: Slot) -> Slot:
    """The frame whose spectra a frame stands for: of an image of a range its cube."""
    made = slot.made_of
    return (session.slot(made.key) or slot) if isinstance(made, RangeOf) else slot


@dataclass(frozen=True, slots=True, eq=False)
class FiberPlaces:
    """Where fibers are: x west and y north of `center` (deg) in arcsec; without one on the focal plane."""

    x: Array
    y: Array
    center: tuple[float, float] | None = None


def fiber_places(slot: Slot) -> FiberPlaces | None:
    """The places of the fibers of a frame; None where they are not known."""
    fibers = joined.fibermap_of(slot)
    if fibers is None:
        return None
    if fibers.ra is not None and fibers.dec is not None and np.isfinite(fibers.ra + fibers.dec).sum() > 1:
        known = np.isfinite(fibers.ra + fibers.dec)
        first = float(fibers.ra[known][0])
        away = (fibers.ra - first + 180.0) % 360.0 - 180.0
        center = first + float(np.mean(away[known])), float(np.mean(fibers.dec[known]))
        return FiberPlaces(*_tangent(fibers.ra, fibers.dec, center), center)
    if fibers.focal_x is not None and fibers.focal_y is not None:
        return FiberPlaces(np.asarray(fibers.focal_x, float), np.asarray(fibers.focal_y, float))
    return None


def has_maps(slot: Slot) -> bool:
    """Whether images of a range of wavelengths can be made of a frame."""
    return slot.image.kind is Kind.CUBE or (slot.image.kind is Kind.RSS and fiber_places(slot) is not None)


def _tangent(ra: Array, dec: Array, center: tuple[float, float]) -> tuple[Array, Array]:
    """Arcsec west and north of a center on the tangential plane."""
    away, d, d0 = np.radians(ra - center[0]), np.radians(dec), np.radians(center[1])
    toward = np.sin(d0) * np.sin(d) + np.cos(d0) * np.cos(d) * np.cos(away)
    east = np.cos(d) * np.sin(away) / toward
    north = (np.cos(d0) * np.sin(d) - np.sin(d0) * np.cos(d) * np.cos(away)) / toward
    return -np.degrees(east) * ARCSEC, np.degrees(north) * ARCSEC


def spectral_now(session: Session) -> Slot | None:
    """The same for the current frame."""
    slot = session.slot()
    return None if slot is None else spectral(session, slot)


def has_spectrum(slot: Slot, region: Region) -> bool:
    """Whether a region of a frame has a spectrum."""
    return slot.image.kind is Kind.CUBE and slot.image.pixels.ndim > 2 and region.shape in CLOSED


def of_region(slot: Slot, region: Region, how: str, ctx: JobContext = SILENT) -> Gathered | None:
    """The spectrum of a region; None where it holds no spaxel."""
    return _of_region(slot, region, how, ctx)


class _Moving:
    """The sums of a region that is moved, so that only what comes and goes is read."""

    def __init__(self) -> None:
        self.voxels: ref[Array] | None = None
        self.lead: tuple[int, ...] = ()
        self.sums: object = None

    def of(self, image: Image, lead: tuple[int, ...]) -> bool:
        """Whether they are of this cube."""
        return self.voxels is not None and self.voxels() is image.pixels.raw and self.lead == lead


_moving = _Moving()  # of the worker alone


def live_spectrum(slot: Slot, region: Region, how: str, ctx: JobContext = SILENT) -> Gathered | None:
    """The same for a region in the hand: what was summed a moment ago is not read again."""
    return _of_region(slot, region, how, ctx, _moving)


def _of_region(slot: Slot, region: Region, how: str, ctx: JobContext, moving: _Moving | None = None) -> Gathered | None:
    from ifuview.engine.spectra.cubes.parts import parts_of
    from ifuview.engine.spectra.cubes.spaxels import SpaxelSums, median_of, spaxel_medians, spaxel_sums, spectrum_of

    image, spaxels = slot.image, inside(region, slot.image.shape)
    if not spaxels.any():
        return None
    parts, lead = parts_of(image, slot.plane), tuple(slot.plane[:-1])
    before = None
    if moving is not None and moving.of(image, lead) and isinstance(moving.sums, SpaxelSums):
        before = moving.sums
    sums = (spaxel_medians if how == MEDIAN else spaxel_sums)(parts, spaxels, before, ctx)
    if moving is not None:
        moving.voxels, moving.lead, moving.sums = ref(image.pixels.raw), lead, sums
    found = median_of(sums) if how == MEDIAN else spectrum_of(sums, SUM if how == SUM else MEAN)
    name = f"{NAMES.get(how, NAMES[MEAN])} of {found.total} spaxels in {region.shape} {region.text}".rstrip()
    wave = image.wave if image.wave is not None and image.wave.shape == found.flux.shape else None
    spectrum = FiberSpectrum(
        region.text or str(region.shape), np.arange(found.flux.size, dtype=np.float64), wave, found.flux, found.error,
        found.masked, how if how in NAMES else MEAN, image.unit, slot.title,
    )  # fmt: skip
    return Gathered(slot.key, (), (spectrum,), f"{name} of {slot.title}")


def of_fibers(slot: Slot, chosen: Sequence[tuple[Slot, int]], how: str, ctx: JobContext = SILENT) -> Gathered | None:
    """The spectrum of fibers of one frame or of several, one for each arm."""
    from ifuview.engine.spectra.cubes.fibers import gather

    by_arm: dict[str, list[FiberSpectrum]] = {}
    for n, (owner, row) in enumerate(chosen):
        ctx.checkpoint(n / len(chosen), f"{len(chosen)} fibers")
        for spectrum in arms(owner, row):
            by_arm.setdefault(spectrum.arm, []).append(spectrum)
    if not by_arm:
        return None
    out = []
    for spectra in by_arm.values():
        found, first = gather(spectra, how), spectra[0]
        out.append(replace(first, fiber_id=f"{how} of {len(spectra)}", flux=found.flux, error=found.error,
                           masked=found.masked, method=how))  # fmt: skip
    return Gathered(slot.key, (), tuple(out), f"{NAMES[how]} of {len(chosen)} fibers of {slot.title}")


def chosen_fibers(session: Session) -> tuple[tuple[Slot, int], ...]:
    """Frames and rows of all selected fibers of row-stacked spectra, those of the current frame first."""
    slot = session.slot()
    if slot is None or slot.image.kind is not Kind.RSS:
        return ()
    out = [(slot, f) for f in session.selection.fibers if 0 <= f < slot.image.shape[0]]
    for key, rows in session.selection.elsewhere:
        other = session.slot(key)
        if other is not None and other.image.kind is Kind.RSS and key != slot.key:
            out += [(other, f) for f in rows if 0 <= f < other.image.shape[0]]
    return tuple(out)


def subject(session: Session) -> tuple[object, ...] | None:
    """What is to be gathered and how; None where nothing is."""
    slot = session.slot()
    if slot is None:
        return None
    if session.region is not None:
        key, region = session.region
        owner = session.slot(key)
        owner = None if owner is None else spectral(session, owner)
        if owner is None or not has_spectrum(owner, region):
            return None
        return (owner.key, region, session.gather, id(owner.image), owner.plane[:-1])
    fibers = session.selection.fibers if slot.image.kind is Kind.RSS and session.gather != EACH else ()
    several = len(fibers) > 1 or (bool(fibers) and bool(session.selection.elsewhere))
    return (slot.key, fibers, session.selection.elsewhere, session.gather, id(slot.image)) if several else None
