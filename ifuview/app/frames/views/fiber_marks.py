"""Marks above row-stacked spectra: CCD rows, amplifier borders, blocks of fibers, sky and bad fibers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ifuview.app.frames.state import DetectorPlace
from ifuview.app.frames.views.text import round_numbers
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind

KEPT = 16  # results that are remembered
CCD_CURVES = 10  # wanted number of curves of equal CCD row


class MarkKind(StrEnum):
    """What a mark is about."""

    CCD = "ccd"
    AMPLIFIER = "amplifier"
    NAME = "name"
    BLOCK = "block"
    PAIR = "pair"  # of blocks
    SKY = "sky"
    BAD = "bad"
    PIXEL = "pixel"
    AREA = "area"
    RUN = "run"  # of fibers that a problem lies in
    SPAN = "span"  # of wavelengths
    OUTLINE = "outline"
    SOURCE = "source"
    CONTOUR = "contour"


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A curve in native px, NaN where it leaves the image; SKY and BAD: `y` lists rows, NAME is one point.

    PIXEL: `x` and `y` list pixels; AREA: the first and the last one; RUN: `y` has the first and the last row, SPAN: `x`
    the ends of a range; OUTLINE, SOURCE: a polygon; CONTOUR: a line, of which every vertex counts.
    """

    kind: MarkKind
    x: Array
    y: Array
    text: str = ""


def fiber_marks(session: Session, slot: Slot) -> tuple[Mark, ...]:
    """What the switches of the session ask for above a frame; nothing on images of a detector."""
    image, shown = slot.image, session.overlay
    if image.kind is not Kind.RSS:
        return ()
    out: list[Mark] = []
    place = slot.detector
    if place is not None and image.wave is not None:
        if shown.iso_wave:
            out += _known(ccd_curves, place, image)
        if shown.amplifiers:
            out += _known(amplifier_borders, place, image)
    fibermap = image.fibermap or slot.dataset.fibermap
    if fibermap is None or fibermap.nfiber != image.shape[0]:
        return tuple(out)
    if shown.blocks and fibermap.block is not None:
        out += block_borders(fibermap, image.shape)
    nothing = np.empty(0)
    if shown.sky_fibers:
        rows = [r for r, role in enumerate(fibermap.role) if role is FiberRole.SKY]
        out.append(Mark(MarkKind.SKY, nothing, np.array(rows, float)))
    if shown.bad_fibers:
        out.append(Mark(MarkKind.BAD, nothing, bad_rows(fibermap).astype(float)))
    return tuple(out)


_MADE: dict[tuple[str, int, int], tuple[DetectorPlace, Image, list[Mark]]] = {}  # of the frames drawn last


def _known(make: Callable[..., list[Mark]], place: DetectorPlace, image: Image) -> list[Mark]:
    """`make(place, wavelengths, shape)`, made once for each frame: 10 ms for 500 fibers."""
    key = (make.__name__, id(place), id(image))
    found = _MADE.get(key)
    if found is None or found[0] is not place or found[1] is not image:
        found = _MADE[key] = (place, image, make(place, image.wave, image.shape))
        for old in list(_MADE)[:-KEPT]:
            del _MADE[old]
    return found[2]


def bad_rows(fibermap: FiberMap) -> Array:
    """Fibers that the table calls dead, or that have a status bit."""
    dead = np.array([role is FiberRole.DEAD for role in fibermap.role])
    flagged = np.zeros(fibermap.nfiber, bool) if fibermap.status is None else fibermap.status != 0
    return np.flatnonzero(dead | flagged)


def column_of(wave: Array, known: Array) -> Array:
    """Column of the spectra at each fiber's wavelength `known` (nfiber,); NaN where the spectra do not reach."""
    column = np.arange(wave.shape[-1], dtype=float)
    if wave.ndim == 1:
        out = np.interp(known, wave, column)
        return np.where((known >= wave[0]) & (known <= wave[-1]), out, np.nan)
    each = (np.interp(k, w, column, left=np.nan, right=np.nan) for k, w in zip(known, wave))
    return np.array(list(each))


def ccd_curves(place: DetectorPlace, wave: Array, shape: tuple[int, int]) -> list[Mark]:
    """Curves that pixels of one CCD row (along the fibers' slit) make in fiber and wavelength."""
    ncol, known = place.traces.ncol, place.traces.wave
    assert known is not None
    word = "row" if place.orientation.transpose else "column"
    out = []
    for disp in round_numbers(0.0, ncol - 1.0, CCD_CURVES):
        x = column_of(wave, known[:, int(disp)])
        nx, ny = place.orientation.to_native(0.0, disp, place.shape)
        number = float(ny if place.orientation.transpose else nx)
        if np.isfinite(x).any():
            out.append(Mark(MarkKind.CCD, x, np.arange(shape[0], dtype=float), f"CCD {word} {number:.0f}"))
    return out


def amplifier_borders(place: DetectorPlace, wave: Array, shape: tuple[int, int]) -> list[Mark]:
    """Where the borders between amplifiers fall, and the names of the amplifiers."""
    if not place.amplifiers:
        return []
    traces, orientation, known = place.traces, place.orientation, place.traces.wave
    assert known is not None
    boxes = []
    for amp in place.amplifiers:
        edges = np.array([amp.x0, amp.x1]) - 0.5, np.array([amp.y0, amp.y1]) - 0.5
        cross, disp = orientation.from_native(*edges, place.shape)
        boxes.append((amp.name, float(min(cross)), float(max(cross)), float(min(disp)), float(max(disp))))
    ncross, ndisp = orientation.shape(place.shape)
    out = []
    for edge in sorted({d for _, _, _, *ends in boxes for d in ends if 0 < d < ndisp - 1}):
        low = int(np.floor(edge))
        at = (known[:, low] + known[:, low + 1]) / 2
        out.append(Mark(MarkKind.AMPLIFIER, column_of(wave, at), np.arange(shape[0], dtype=float)))
    middle = traces.center[:, traces.ncol // 2]
    for edge in sorted({c for _, *ends, _, _ in boxes for c in ends if 0 < c < ncross - 1}):
        row = float(np.sum(middle < edge)) - 0.5
        out.append(Mark(MarkKind.AMPLIFIER, np.array([-0.5, shape[1] - 0.5]), np.array([row, row])))
    for name, c0, c1, d0, d1 in boxes:
        rows = np.flatnonzero((middle >= c0) & (middle < c1))
        if rows.size:
            row = rows[rows.size // 2]
            disp = np.clip([d0, d1], 0, traces.ncol - 1).astype(int)
            x = np.nanmean(np.interp(known[row, disp], _of_row(wave, row), np.arange(shape[1])))
            out.append(Mark(MarkKind.NAME, np.array([x]), np.array([float(row)]), name))
    return out


def _of_row(wave: Array, row: int) -> Array:
    """Wavelengths of one fiber."""
    out: Array = wave if wave.ndim == 1 else wave[row]
    return out


def block_borders(fibermap: FiberMap, shape: tuple[int, int]) -> list[Mark]:
    """Lines between blocks, those of every second one apart."""
    block = fibermap.block
    assert block is not None
    ends = np.flatnonzero(np.diff(block)) + 1
    x = np.array([-0.5, shape[1] - 0.5])
    kinds = (MarkKind.BLOCK, MarkKind.PAIR)
    return [Mark(kinds[n % 2], x, np.full(2, end - 0.5)) for n, end in enumerate(ends)]
