"""The light of each fiber in a wavelength window, fast enough to follow a drag over ten cameras."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.session import Slot
from ifuview.app.spectra.views.sky import good_flux, means, median_of_good
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array
from ifuview.model.image import Image, Kind

STEP = 4  # samples averaged from one level to the next
MOST = 40  # samples a median is taken over: the finest level that has no more in the window
EMPTY_SHARE = 0.5  # part of the window that the arms must cover
LEAST_SHARE = 1e-3  # part of it that an arm adds

Levels = tuple[tuple[Array, Array], ...]  # (wavelength, flux) from fine to coarse
_kept: dict[int, tuple[object, Levels]] = {}  # id of the image -> the image (so that the id stays its own), levels


def forget(slots: Iterable[Slot]) -> None:
    """Drop what was kept of frames that are not among `slots`."""
    alive = {id(image) for s in slots for image in arms(s)}
    for key in [k for k in _kept if k not in alive]:
        del _kept[key]


def levels(slot: Slot) -> Levels:
    """The spectra of a frame averaged over 1, STEP, STEP^2 ... samples; made once."""
    found = _kept.get(id(slot.image))
    if found is not None:
        return found[1]
    wave = slot.image.wave
    assert wave is not None
    wave = np.asarray(wave if wave.ndim == 1 else np.nanmedian(wave, axis=0), dtype=np.float64)
    out = [(wave, good_flux(slot, slice(None)))]
    while out[-1][0].size > MOST:
        along, flux = out[-1]
        out.append((means(along[None, :], STEP)[0], means(flux, STEP).astype(np.float32)))
    made = tuple(out)
    _kept[id(slot.image)] = (slot.image, made)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class WindowPart:
    """What one arm has of a window: its frame with its image, the range, Angstrom, and how much of it no other has."""

    slot: Slot
    low: float
    high: float
    weight: float


def parts_of(group: tuple[Slot, ...], window: tuple[float, float]) -> tuple[WindowPart, ...]:
    """What each arm of frames of the same fibers has of a window, the most first; () where they have less than half.

    An arm that has all of it stands alone; what two arms have is the first one's.
    """
    lo, hi = window
    each = {id(image): (slot, image) for slot in group for image in arms(slot)}
    found = sorted(each.values(), key=lambda one: -_covered(one[1], window))
    out: list[WindowPart] = []
    free = [(lo, hi)]
    for slot, image in found:
        first, last = _ends(image)
        new = sum(max(min(b, last) - max(a, first), 0.0) for a, b in free)
        point = lo == hi and not out and first <= lo <= last
        if new > LEAST_SHARE * (hi - lo) or point:
            own = slot if image is slot.image else replace(slot, image=image)
            out.append(WindowPart(own, max(lo, first), min(hi, last), new or 1.0))
        free = [cut for a, b in free for cut in ((a, min(b, first)), (max(a, last), b)) if cut[1] > cut[0]]
    return tuple(out) if sum(part.weight for part in out) >= EMPTY_SHARE * (hi - lo) else ()


def light_of(group: tuple[Slot, ...], window: tuple[float, float]) -> Array:
    """The light of the fibers that several frames share in a window, each arm its part, shape (nfiber,).

    The mean over the arms of the median of the flux, by the Angstrom that each adds; where a fiber is not known in an
    arm, that arm's median of all fibers stands for it. NaN where less than half is known.
    """
    found = parts_of(group, window)
    if not found:
        return np.full(group[0].image.shape[0], np.nan)
    value = np.stack([_median(part.slot, (part.low, part.high)) for part in found])
    if len(found) == 1:
        return value[0]
    weight = np.array([part.weight for part in found])[:, None] * np.ones(value.shape)
    known = np.isfinite(value)
    usual = np.array([np.median(row[good]) if good.any() else np.nan for row, good in zip(value, known)])[:, None]
    weight[~np.isfinite(usual[:, 0])] = 0.0  # an arm that knows no fiber tells nothing
    share = np.where(known, weight, 0.0).sum(axis=0)
    total = np.where(weight > 0, weight * np.where(known, value, usual), 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Array = total / weight.sum(axis=0)
    return np.where(share >= EMPTY_SHARE * weight.sum(axis=0), mean, np.nan)


def light(slot: Slot, window: tuple[float, float]) -> Array:
    """The same of the arms of one file."""
    return light_of((slot,), window)


def _median(slot: Slot, window: tuple[float, float]) -> Array:
    """Median of the flux of each fiber in a window that the image has."""
    made = levels(slot)
    fine = next((level for level in made if _count(level[0], window) <= MOST), made[-1])
    first = min(int(np.searchsorted(fine[0], window[0])), fine[0].size - 1)
    last = first + max(1, _count(fine[0], window))
    return np.asarray(median_of_good(fine[1][:, first:last]), dtype=np.float64)


def arms(slot: Slot) -> tuple[Image, ...]:
    """The image of a frame, then the other arms of its file."""
    others = (i for i in slot.dataset.images if i.kind is Kind.RSS and i.shape[0] == slot.image.shape[0])
    return (slot.image, *(i for i in others if i is not slot.image))


def _covered(image: Image, window: tuple[float, float]) -> float:
    """Angstrom of a window that a camera covers; negative outside."""
    first, last = _ends(image)
    return min(window[1], last) - max(window[0], first)


def _ends(image: Image) -> tuple[float, float]:
    """First and last wavelength of an image; none where it has none."""
    wave = image.wave
    if wave is None or wave.size == 0:
        return np.inf, -np.inf
    return float(np.nanmin(wave)), float(np.nanmax(wave))


def _count(along: Array, window: tuple[float, float]) -> int:
    """Samples in a window."""
    first, last = np.searchsorted(along, window)
    return int(last - first)


def residual(values: Array) -> tuple[Array, float]:
    """Values minus their median, and their robust scatter (1.48 median absolute deviation)."""
    good = values[np.isfinite(values)]
    if good.size == 0:
        return values, 0.0
    out = values - np.median(good)
    return out, robust_sigma(good)
