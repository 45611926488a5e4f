"""The light of each fiber in a wavelength window, fast enough to follow a drag over ten cameras."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ifuview.app.session import Slot
from ifuview.app.spectra.views.sky import good_flux, means, median_of_good
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array
from ifuview.model.image import Image, Kind

STEP = 4  # samples averaged from one level to the next
MOST = 40  # samples a median is taken over: the finest level that has no more in the window
EMPTY_SHARE = 0.5  # part of the window that a camera must cover

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


def light_of(group: tuple[Slot, ...], window: tuple[float, float]) -> Array:
    """The light of the fibers that several frames share, from the arm that has most of the window."""
    return light(max(group, key=lambda slot: max(_covered(image, window) for image in arms(slot))), window)


def light(slot: Slot, window: tuple[float, float]) -> Array:
    """Median of the flux of each fiber in a window, NaN where the camera does not cover half of it, shape (nfiber,)."""
    lo, hi = window
    best = max(arms(slot), key=lambda image: _covered(image, window))
    if _covered(best, window) < EMPTY_SHARE * (hi - lo):
        return np.full(slot.image.shape[0], np.nan)
    made = levels(slot if best is slot.image else replace(slot, image=best))
    fine = next((level for level in made if _count(level[0], window) <= MOST), made[-1])
    first = min(int(np.searchsorted(fine[0], lo)), fine[0].size - 1)
    last = first + max(1, _count(fine[0], window))
    return np.asarray(median_of_good(fine[1][:, first:last]), dtype=np.float64)


def arms(slot: Slot) -> tuple[Image, ...]:
    """The image of a frame, then the other arms of its file."""
    others = (i for i in slot.dataset.images if i.kind is Kind.RSS and i.shape[0] == slot.image.shape[0])
    return (slot.image, *(i for i in others if i is not slot.image))


def _covered(image: Image, window: tuple[float, float]) -> float:
    """Angstrom of a window that a camera covers; negative outside."""
    wave = image.wave
    if wave is None or wave.size == 0:
        return -np.inf
    return min(window[1], float(np.nanmax(wave))) - max(window[0], float(np.nanmin(wave)))


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
