"""Steps of a photon frame: what its picture, its limits and its title are; pure and quick."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.frames.opening.opened import Opened
from ifuview.app.frames.state import Made
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.photons.units import COUNTED, SUMMED, cut_words
from ifuview.app.photons.views.flags import flag_image, flag_look, masked
from ifuview.app.photons.which import KIND, frame_of
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import PhotonCut, PhotonInfo
from ifuview.model.pixels import Pixels

COUNT_LOOK = Look(limit_mode=LimitMode.PERCENTILE, percent=98.0)  # a star beside hot pixels; zscale saturates it
NEARLY_ALL = 99.0  # percent of the pixels; hot ones are beyond


def opened_flags(opened: Opened) -> Opened:
    """A photon list as it is opened: its beam flags, in colors."""
    info = opened.dataset.photons
    if opened.dataset.kind != KIND or info is None:
        return opened
    return replace(opened, image=flag_image(opened.dataset.images[0], info.beammap), look=flag_look())


def picture(dataset: Dataset, counted: PhotonImage, shown: Shown) -> Image:
    """What was counted as an image: photons or photons/s, NaN where a pixel is left out or shows no resonator."""
    base = dataset.images[0]
    info = counted.info
    values = counted.counts.astype(np.float64)
    variance = counted.variance
    unit = SUMMED if counted.cut.weighted and values.size and counted.counts.dtype.kind == "f" else COUNTED
    if shown is Shown.RATE:
        exposure = counted.exposure if counted.exposure > 0 else np.nan
        values, variance = values / exposure, variance / exposure**2
        unit = f"{unit}/s"
    blank = counted.excluded | (info.beammap.index < 0)
    values[blank] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ivar = 1.0 / variance
    ivar[blank | ~np.isfinite(ivar)] = 0.0
    base = masked(base, info.beammap)
    return replace(base, name=shown.value, pixels=Pixels(values), ivar=Pixels(ivar), unit=unit)


def title(dataset_title: str, info: PhotonInfo, cut: PhotonCut, shown: Shown) -> str:
    """Name of a frame: the file and what of it is counted."""
    if shown is Shown.FLAGS:
        return f"{dataset_title}: flags"
    words = cut_words(info, cut)
    return f"{dataset_title}: {words}" if words else dataset_title


def base_title(slot: Slot) -> str:
    """Name of the file of a frame, with the number of its copy."""
    return slot.photons.name if slot.photons is not None and slot.photons.name else slot.title


def with_look(slot: Slot, shown: Shown, fields: Look | None = None) -> Slot:
    """The slot with the look that belongs to what is shown now; the one it had is kept for when that is shown again."""
    frame = frame_of(slot)
    if frame is None or frame.shown is shown:
        return slot
    looks = {**dict(frame.looks), frame.shown: slot.look}
    look = flag_look() if shown is Shown.FLAGS else looks.get(shown, fields or COUNT_LOOK)
    if shown is not Shown.FLAGS and shown not in looks:
        other = looks.get(Shown.COUNTS if shown is Shown.RATE else Shown.RATE)
        if other is not None:  # the same colors; the limits are in other units
            look = replace(other, lo=None, hi=None, limit_mode=_auto(other))
    changed = replace(frame, shown=shown, looks=tuple(looks.items()))
    return replace(slot, look=look, photons=changed)


def _auto(look: Look) -> LimitMode:
    """The mode that finds limits again."""
    return LimitMode.ZSCALE if look.limit_mode is LimitMode.USER else look.limit_mode


def showing_flags(slot: Slot) -> Slot:
    """The slot with its beam flags."""
    frame, info = frame_of(slot), slot.dataset.photons
    if frame is None or info is None:
        return slot
    slot = with_look(slot, Shown.FLAGS)
    info = frame.source.info
    image = flag_image(slot.dataset.images[0], info.beammap)
    return replace(slot, image=image, pyramid=None, title=title(base_title(slot), info, frame.cut, Shown.FLAGS))


def limits_of(image: Image, look: Look) -> tuple[float, float]:
    """Limits by the mode of a look; never equal, so that few photons are seen on nothing."""
    from ifuview.app.frames.opening.opened import limits

    lo, hi = limits(image.pixels, look)
    if lo < hi:
        return lo, hi
    values = image.pixels.raw
    most = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    return min(lo, 0.0), max(most, lo + 1.0)


def dependents(session: Session, key: int) -> tuple[Slot, ...]:
    """Frames that are a difference or ratio of a frame."""
    return tuple(s for s in session.slots if isinstance(s.made_of, Made) and key in (s.made_of.a, s.made_of.b))


def copied(session: Session, slot: Slot) -> Session:
    """One more frame of the same photon list, with a cut of its own."""
    frame = frame_of(slot)
    if frame is None:
        return session
    names = {base_title(s) for s in session.slots}
    plain = frame.name.rsplit(" (", 1)[0] if frame.name.endswith(")") else frame.name
    number = next(n for n in range(2, len(names) + 3) if f"{plain} ({n})" not in names)
    name = f"{plain} ({number})"
    twin = replace(frame, name=name, playing=False, past=(), undone=())
    text = title(name, frame.source.info, frame.cut, frame.shown)
    return session.adding(replace(slot, key=session.next_key, title=text, photons=twin))


def moved(frame: PhotonFrame, steps: int) -> PhotonCut:
    """The cut with its time range moved by whole steps of playing, within the file."""
    start, stop = frame.cut.start, frame.cut.stop
    width = frame.step if start is None or stop is None else stop - start
    first = 0.0 if start is None else start + steps * width
    end = max(frame.source.info.duration, width)
    first = min(max(first, 0.0), max(end - width, 0.0))
    return replace(frame.cut, start=round(first, 6), stop=round(first + width, 6))


def shared_limits(images: Iterable[Array]) -> tuple[float, float]:
    """Limits for pictures that follow each other: from zero to what nearly all values are below."""
    known = [image[np.isfinite(image)] for image in images]
    top = max((float(np.percentile(values, NEARLY_ALL)) for values in known if values.size), default=0.0)
    return 0.0, top or max((float(values.max()) for values in known if values.size), default=1.0) or 1.0


def span_of(frame: PhotonFrame) -> float:
    """End of the time slider, s."""
    latest = -1 if frame.live is None else frame.live.latest
    return max(frame.source.info.duration, (latest + 1) * 1e-6, 1e-3)
