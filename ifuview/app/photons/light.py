"""The light of what is selected in a photon list: the pixel of the crosshair, boxes and circles, side by side.

What is asked (`LightRequest`) follows from the session alone; `count` carries it out, headless or on the worker.
Photons of small selections are kept in memory, so that other time and wavelength ranges cost no reading.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ifuview.app.photons.state import Light, LightOptions, LightRequest, Lights, Picked
from ifuview.app.photons.which import photon_frame
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.region import Region, Shape

if TYPE_CHECKING:
    from ifuview.app.session import Selection, Session, Slot
    from ifuview.engine.photons.counting.held import Held
    from ifuview.model.checks import Array
    from ifuview.model.photons.light import Aperture, BinnedLight
    from ifuview.model.photons.lists import Beammap, PhotonCut, PhotonInfo, PhotonSource

PIXEL_COLOR = "#35E0FF"  # of the crosshair
MOST = 12  # selections that are measured
MOST_HELD = 3_000_000  # photons of one selection that are kept in memory (12 B each)
MOST_KEPT = 4_000_000  # photons of all selections
SMALL = 256  # resonators; a larger selection is a job that the user sees
RESOLUTION_BINS = -1  # LightOptions.bins: half a resolution element each
T = TypeVar("T")
MOST_BINS = 2_000_000  # of a light curve in the window


def options_of(session: Session) -> LightOptions:
    """How light is shown in this session."""
    return session.light or LightOptions()


def request(session: Session) -> LightRequest | None:
    """What the current frame asks for; None if it is no photon list or nothing is selected in it."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return None
    picked = all_picks(session, slot)
    if not picked:
        return None
    return LightRequest(slot.key, slot.photons.source, slot.photons.cut, picked[:MOST], options_of(session))


def all_picks(session: Session, slot: Slot) -> tuple[Picked, ...]:
    """The pixel and the regions of a frame, and those that are drawn in the difference on the canvas."""
    current, own = session.slot(), picks(slot, session.selection)
    if current is None or current.key == slot.key:
        return own
    drawn = picks(replace(slot, regions=current.regions), session.selection)
    return (*own, *(p for p in drawn if p.region is not None and p not in own))


def picks(slot: Slot, selection: Selection) -> tuple[Picked, ...]:
    """The pixel of the crosshair and every box and circle of a frame, in the order of drawing."""
    out: list[Picked] = []
    if slot.photons is not None and selection.x is not None and selection.y is not None:
        x, y = round(selection.x), round(selection.y)
        ny, nx = slot.photons.source.info.beammap.shape
        if 0 <= x < nx and 0 <= y < ny:
            out.append(Picked(f"pixel {x},{y}", PIXEL_COLOR, (x, y)))
    for region in slot.regions:
        if region.shape in (Shape.BOX, Shape.CIRCLE) and region.include:
            name = f"{region.text}: {region.shape}" if region.text else str(region.shape)
            out.append(Picked(name, region.color, region=region))
    return tuple(out)


def aperture(beammap: Beammap, picked: Picked, cut: PhotonCut, options: LightOptions) -> Aperture:
    """The resonators of a selection.

    Raises
    ------
    UsageError
        There is no usable pixel in it, or it is of a kind that is not measured.
    """
    from ifuview.engine.photons.counting import aperture as make

    if picked.pixel is not None:
        return make.pixel(beammap, *picked.pixel)
    region = picked.region
    assert region is not None
    (x, y), size = region.points[0], region.size
    if region.shape is Shape.CIRCLE:
        ring = (options.inner * size[0], options.outer * size[0]) if options.background else (None, None)
        found = make.circle(beammap, x, y, size[0], inner=ring[0], outer=ring[1], exclude=cut.exclude)
        return replace(found, label=f"{picked.label} {x:.4g},{y:.4g} r {size[0]:.3g}")
    corners = _whole(x, y, *_upright(region))
    if corners is None:
        raise UsageError("no pixel has its center in the box", todo="draw a larger one")
    return replace(make.box(beammap, *corners, exclude=cut.exclude), label=_box_name(picked.label, corners))


def _upright(region: Region) -> tuple[float, float]:
    """Width and height of a box; by right angles it may be turned."""
    width, height = (*region.size, region.size[0])[:2]
    turned = region.angle % 180
    if turned not in (0, 90):
        raise UsageError("a box at an angle is not measured", todo="draw an upright box or a circle")
    return (height, width) if turned else (width, height)


def _whole(x: float, y: float, width: float, height: float) -> tuple[int, int, int, int] | None:
    """First and last pixels whose centers lie in a box."""
    x0, x1 = int(np.ceil(x - width / 2)), int(np.ceil(x + width / 2)) - 1
    y0, y1 = int(np.ceil(y - height / 2)), int(np.ceil(y + height / 2)) - 1
    return (x0, y0, x1, y1) if x0 <= x1 and y0 <= y1 else None


def _box_name(label: str, corners: tuple[int, int, int, int]) -> str:
    x0, y0, x1, y1 = corners
    return f"{label} {x0},{y0} to {x1},{y1}"


def is_large(asked: LightRequest) -> bool:
    """Whether counting may take so long that the user should see it and be able to stop it."""
    return extent(asked) > SMALL


def is_quick(asked: LightRequest) -> bool:
    """Whether counting takes less than a picture: what else the user wants can wait for it."""
    return extent(asked) == 0


def extent(asked: LightRequest) -> float:
    """Pixels of the regions of a request, backgrounds included."""
    beammap = asked.source.info.beammap
    total = 0.0
    for picked in asked.picked:
        if picked.region is not None:
            width, height = (*picked.region.size, picked.region.size[0])[:2]
            ring = asked.options.outer if asked.options.background else 1.0
            circle = picked.region.shape is Shape.CIRCLE
            total += np.pi * (ring * width) ** 2 if circle else abs(width * height)
    return float(min(total, beammap.index.size))


class Kept:
    """Photons of selections that were read; belongs to one thread."""

    def __init__(self) -> None:
        self._held: dict[tuple[bytes, bool], Held] = {}
        self._source: PhotonSource | None = None

    def source(
        self, source: PhotonSource, aperture: Aperture, weighted: bool, ctx: JobContext
    ) -> tuple[PhotonSource, bool]:
        """The photons of an aperture in memory; the source itself if they are too many. Second: whether held."""
        from ifuview.engine.photons.counting.held import hold

        if source is not self._source:
            self._held, self._source = {}, source
        resonators = np.union1d(aperture.resonators, aperture.background).astype(np.int32)
        key = (resonators.tobytes(), weighted)
        found = self._held.pop(key, None) or hold(source, resonators, weight=weighted, most=MOST_HELD, ctx=ctx)
        if found is None:
            return source, False
        self._held[key] = found  # the latest last
        while sum(len(h) for h in self._held.values()) > MOST_KEPT and len(self._held) > 1:
            self._held.pop(next(iter(self._held)))
        return found, True


_OF_THREAD = threading.local()


def kept() -> Kept:
    """The photons that this thread holds in memory."""
    if not hasattr(_OF_THREAD, "kept"):
        _OF_THREAD.kept = Kept()
    found: Kept = _OF_THREAD.kept
    return found


def count(asked: LightRequest, kept: Kept | None = None, ctx: JobContext = SILENT) -> Lights:
    """Count the light of all selections of a frame; what cannot be measured is said in the notes of its selection."""
    kept = kept or Kept()
    share = 1 / len(asked.picked)
    found = []
    for number, picked in enumerate(asked.picked):
        part = ctx.part(number * share, (number + 1) * share)
        found.append(_light(asked, picked, kept, part))
    return Lights(asked, tuple(found))


def _light(asked: LightRequest, picked: Picked, kept: Kept, ctx: JobContext) -> Light:
    """One selection."""
    source, cut, options = asked.source, asked.cut, asked.options
    try:
        found = aperture(source.info.beammap, picked, cut, options)
    except IfuviewError as problem:
        return Light(picked, notes=(str(problem),))
    near, held = kept.source(source, found, cut.weighted, ctx)
    notes: list[str] = []

    def attempt(what: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except UsageError as problem:
            notes.append(f"{what}: {problem}")
            return None

    from ifuview.app.photons import lists as photons

    curve = attempt("light curve", lambda: _curve(near, found, cut, options.width, ctx))
    edges = attempt("spectrum", lambda: spectrum_edges(source.info, cut, options.bins))
    light = None
    if edges is not None:
        light = attempt("spectrum", lambda: photons.spectrum(near, found, cut, edges=edges, ctx=ctx))
    histogram = None
    if curve is not None and cut.weighted:
        notes.append("histogram: weighted photons follow no counting law")
    elif curve is not None:
        histogram = photons.intensity_histogram(curve)
    intervals = None
    if held:
        intervals = attempt("inter-arrival times", lambda: photons.intervals(near, found, cut))
    else:
        notes.append(f"inter-arrival times: more than {MOST_HELD // 1_000_000} million photons")
    total = float(curve.counts.sum()) if curve is not None else 0.0
    return Light(picked, found, curve, light, histogram, intervals, total, tuple(dict.fromkeys(notes)))


def _curve(source: PhotonSource, found: Aperture, cut: PhotonCut, width: float, ctx: JobContext) -> BinnedLight:
    """The light curve, of a number of bins that can be drawn."""
    from ifuview.app.photons import lists as photons
    from ifuview.engine.photons.counting.cut import time_range

    start, stop = time_range(source.info, cut)
    if (stop - start) / width > MOST_BINS:
        raise UsageError(f"bins of {width:g} s are too many for {stop - start:g} s", todo="choose wider bins")
    return photons.light_curve(source, found, cut, width=min(width, max(stop - start, 1e-6)), ctx=ctx)


def spectrum_edges(info: PhotonInfo, cut: PhotonCut, bins: int) -> Array:
    """Edges of the spectral bins within the cut: those of the file (0), `bins` equal ones, or half resolution elements.

    Raises
    ------
    UsageError
        Half resolution elements are asked for and the file has no resolving power.
    """
    from ifuview.app.photons import lists as photons
    from ifuview.model.photons.images import value_axis

    axis = value_axis(info)
    if bins != RESOLUTION_BINS:
        return photons.bin_edges(info, axis, cut, bins or None)
    known = resolving_power(info)
    if known is None:
        raise UsageError("the file says nothing of its resolving power", todo="choose other bins")
    from ifuview.engine.photons.counting.cube import resolution_edges

    low = info.wave_range[0] if cut.low is None else cut.low
    high = info.wave_range[1] if cut.high is None else cut.high
    return resolution_edges(low, high, *known)


def resolving_power(info: PhotonInfo) -> tuple[Array, Array] | None:
    """Wavelengths (nm) and resolving powers that the header of a calibrated list tells; None if it does not."""
    if not info.calibrated:
        return None
    found = info.header.get("wavecal.resolution")
    if isinstance(found, np.ndarray) and {"r", "wave"} <= set(found.dtype.names or ()) and len(found):
        return np.asarray(found["wave"], float), np.asarray(found["r"], float)
    if isinstance(found, str):  # as an index keeps it: rows (resolving power, its error, wavelength)
        rows = [row.split(",") for row in re.findall(r"\(([-+.\de, ]+)\)", found)]
        if rows and all(len(row) == 3 for row in rows):
            power, _, wave = np.array(rows, float).T
            return wave, power
    for key in ("energy_resolution", "wavecal.resolution"):
        value = info.header.get(key)
        if isinstance(value, int | float) and 1 < value < 1000:  # a resolving power, not a bin width in eV
            return np.array([1000.0]), np.array([float(value)])
    return None


def save(lights: Lights, what: str, path: str) -> tuple[str, ...]:
    """Write the light curves ("curve") or spectra of all selections as FITS or ECSV; one file each.

    With several selections their numbers are put before the suffix.

    Raises
    ------
    UsageError
        Nothing was measured, or the file cannot be written.
    """
    import os

    from ifuview.app.photons import products

    found = [(light.picked, getattr(light, what)) for light in lights.found]
    good = [(picked, product) for picked, product in found if product is not None]
    if not good:
        reasons = "; ".join(note for light in lights.found for note in light.notes) or "nothing is selected"
        raise UsageError(f"there is no light to save ({reasons})", path, "select a pixel or draw a region first")
    stem, suffix = os.path.splitext(path)
    out = []
    for picked, product in good:
        name = path if len(good) == 1 else f"{stem}-{_slug(picked)}{suffix}"
        while name in out:
            name = f"{os.path.splitext(name)[0]}x{suffix}"
        products.save(product, name)
        out.append(name)
    return tuple(out)


def _slug(picked: Picked) -> str:
    """A selection as part of a file name."""
    if picked.pixel is not None:
        return f"x{picked.pixel[0]}y{picked.pixel[1]}"
    kept = "".join(c if c.isalnum() else "_" for c in picked.label)
    return "_".join(filter(None, kept.split("_")))
