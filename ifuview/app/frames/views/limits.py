"""The values of the current image as a histogram, and everything that decides its colors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.frames.views.sampling import sample, shown_plane
from ifuview.app.frames.views.text import axis
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array
from ifuview.model.figure import Curve, Figure, Range, Scale, stairs
from ifuview.model.image import Image

SAMPLE = 40_000  # values that the histogram is made of
BINS = 400
BELOW, ABOVE = 0.6, 1.4  # of the distance between the limits: what is shown beyond them at first
TAILS = (0.1, 99.9)  # percentiles that the histogram shows at least
KEPT = 4  # samples of images that are kept
PERCENTS = (99.9, 99.5, 99.0, 98.0, 95.0, 90.0)


@dataclass(frozen=True, slots=True, eq=False)
class LimitsView:
    """Histogram and look of the current frame.

    Parameters
    ----------
    key : int
    title : str
    look : Look
    figure : Figure
        Histogram of the sampled values; the handles of the limits are the dock's.
    bits : tuple of (bit number, name, meaning)
        Mask bits that can be painted; empty without a mask.
    step : float
        What one step of the boxes changes.
    """

    key: int
    title: str
    look: Look
    figure: Figure
    bits: tuple[tuple[int, str, str], ...]
    step: float

    @property
    def decimals(self) -> int:
        """Decimals of the boxes: two digits finer than a step."""
        return int(max(0, 2 - np.floor(np.log10(self.step))))


_samples: list[tuple[Image, tuple[int, ...], Array]] = []


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    return () if slot is None else (slot.key, slot.title, slot.image, slot.plane, slot.look)


def make(session: Session) -> LimitsView | None:
    """Histogram and look of the current frame; None when nothing is open."""
    open_images = [s.image for s in session.slots]
    _samples[:] = [kept for kept in _samples if any(kept[0] is image for image in open_images)]
    slot = session.slot()
    if slot is None:
        return None
    edges, counts = histogram(_values(slot), slot.look.lo, slot.look.hi)
    return LimitsView(
        slot.key,
        slot.title,
        slot.look,
        Figure("", Scale(axis("Value", slot.image.unit), _span(edges, slot.look)), Scale(), (_steps(edges, counts),)),
        mask_bits(slot.image),
        _step(edges),
    )


def histogram(values: Array, lo: float | None, hi: float | None) -> tuple[Array, Array]:
    """Edges and log10(1 + counts) over the bulk of the values and the limits."""
    if values.size == 0:
        return np.linspace(0.0, 1.0, BINS + 1), np.zeros(BINS)
    low, high = (float(v) for v in np.percentile(values, TAILS))
    known = [v for v in (lo, hi) if v is not None and np.isfinite(v)]
    low, high = min([low, *known]), max([high, *known])
    margin = 0.05 * (high - low) or max(abs(low), 1.0) * 0.05
    counts, edges = np.histogram(values, BINS, (low - margin, high + margin))
    return edges, np.log10(1.0 + counts)


def _steps(edges: Array, counts: Array) -> Curve:
    """The histogram, filled."""
    x, y = stairs(edges, counts)
    return Curve(x, y, "faint", low=np.zeros(x.size), high=y)


def _span(edges: Array, look: Look) -> Range:
    """Part of the histogram that is shown at first: the limits and their surroundings."""
    lo, hi = float(edges[0]), float(edges[-1])
    if look.lo is None or look.hi is None or not look.hi > look.lo:
        return lo, hi
    width = look.hi - look.lo
    return max(lo, look.lo - BELOW * width), min(hi, look.hi + ABOVE * width)


def with_mode(look: Look, mode: LimitMode, percent: float | None = None) -> Look:
    """The look with limits that are to be computed anew; user limits keep their numbers."""
    if mode is LimitMode.USER:
        return replace(look, limit_mode=mode)
    percent = look.percent if percent is None else percent
    return replace(look, limit_mode=mode, percent=percent, lo=None, hi=None)


def with_limits(look: Look, lo: float, hi: float) -> Look:
    """The look with limits that the user chose, in rising order."""
    return replace(look, limit_mode=LimitMode.USER, lo=min(lo, hi), hi=max(lo, hi))


def _values(slot: Slot) -> Array:
    """A sample of the shown plane, kept for the last few."""
    for image, plane, values in _samples:
        if image is slot.image and plane == slot.plane:
            return values
    values = sample(shown_plane(slot), SAMPLE)
    _samples.append((slot.image, slot.plane, values))
    del _samples[:-KEPT]
    return values


def mask_bits(image: Image) -> tuple[tuple[int, str, str], ...]:
    """Names of the mask bits; "masked" for a mask without names."""
    if image.mask is None:
        return ()
    named = tuple((bit, name, meaning) for bit, (name, meaning) in sorted(image.mask_bits.bits.items()))
    return named or ((0, "bit 0", "any mask value with its lowest bit set"),)


def _step(edges: Array) -> float:
    """A round step of about a hundredth of the histogram's range."""
    return float(10.0 ** np.floor(np.log10(max(edges[-1] - edges[0], 1e-30) / 50)))
