"""What is under the cursor, in words: position, value, error, mask, fiber, wavelength, sky position; below 1 ms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.rgb import COLORS, channels
from ifuview.app.frames.sky import words
from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.views.overlay import names
from ifuview.app.session import Layout, Session, Slot
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.frames.units import unit_words
from ifuview.model.image import Image, Kind

VALUE_DIGITS, ERROR_DIGITS = 6, 3  # significant digits
DOUBLE_DIGITS = 13  # of values that single precision cannot tell apart
NEAR_TRACE = 0.75  # of the local spacing of the traces: farther away the cursor is on no fiber
ROUGH = 0.01  # px; an error of a position above it is said
NO_VALUE = "no value"
SPECTRAL = ("WAVE", "AWAV", "LAMBDA", "WAVELENGTH")  # CTYPE of a wavelength axis
TO_ANGSTROM = {"m": 1e10, "um": 1e4, "micron": 1e4, "nm": 10.0, "angstrom": 1.0, "": 1.0}

Field = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReadoutView:
    """The strip above the image.

    Parameters
    ----------
    fields : tuple of (label, text)
        In order of importance; the label may be "".
    fiber : int or None
        Row of the fiber under the cursor.
    wave : float or None
        Angstrom.
    value : float
        NaN where there is none.
    """

    fields: tuple[Field, ...]
    fiber: int | None = None
    wave: float | None = None
    value: float = math.nan


NUMBER = (int, float)


def readout(session: Session, key: int, x: float, y: float) -> ReadoutView | None:
    """Return what is known about native position (x, y) of a frame; None outside its image."""
    slot = session.slot(key)
    if slot is None:
        return None
    at = pixel(slot, x, y)
    if at is None:
        return None
    image, (i, j) = slot.image, at
    counts = value(slot, i, j)
    fiber, offset = fiber_at(slot, x, y)
    wave = wavelength_at(slot, fiber, x, y)
    blinks = session.layout is Layout.BLINK and len(session.slots) > 1
    fields = [
        *([("", slot.title)] if blinks else []),
        *_source(session, slot, x, y),
        ("x", f"{i} y {j} (FITS {i + 1}, {j + 1})"),
        *_values(session, slot, i, j),
        *_quality(slot, j, i),
        *_fiber(slot, fiber, offset),
        *([("λ", f"{wave:.2f} Å")] if wave is not None else []),
        *_amplifier(image, i, j),
        *_sky(slot, fiber, x, y, session.overlay.sexagesimal),
    ]
    return ReadoutView(tuple(fields), fiber, wave, counts)


def _source(session: Session, slot: Slot, x: float, y: float) -> list[Field]:
    """The measured source under the cursor, in one line."""
    if slot.measured is None:
        return []
    from ifuview.app.frames.measuring.sources import under, words

    found = under(slot, x, y)
    return [] if found is None else [(f"source {found[0]}", words(slot, found[1], session.overlay.sexagesimal))]


def _values(session: Session, slot: Slot, i: int, j: int) -> list[Field]:
    """The value of a pixel, or those of its three colors."""
    colors = channels(session, slot)
    if colors:
        return [(name, number(value(one, i, j))) for name, one in zip(COLORS, colors)]
    counts, digits = value(slot, i, j), DOUBLE_DIGITS if slot.image.pixels.double else VALUE_DIGITS
    words = (
        f"{number(counts, digits)} {unit_words(slot.image.unit)}".rstrip()
        if math.isfinite(counts)
        else _not_finite(counts)
    )
    return [("value", words)]


def pixel(slot: Slot, x: float, y: float) -> tuple[int, int] | None:
    """Return column and row of the pixel at a native position; None outside the image."""
    ny, nx = slot.image.shape
    i, j = math.floor(x + 0.5), math.floor(y + 0.5)
    return (i, j) if 0 <= i < nx and 0 <= j < ny else None


def value(slot: Slot, i: int, j: int) -> float:
    """Return the value of a pixel of the plane that is shown."""
    return slot.image.pixels.plane(slot.plane).value(j, i)


def number(value: float, digits: int = VALUE_DIGITS) -> str:
    """Return a number with `digits` significant digits and no needless zeros."""
    return f"{value:.{digits}g}" if math.isfinite(value) else _not_finite(value)


def _not_finite(value: float) -> str:
    """Say what a number is that is none."""
    return NO_VALUE if math.isnan(value) else ("infinite" if value > 0 else "-infinite")


def _quality(slot: Slot, j: int, i: int) -> list[Field]:
    """One-sigma error and mask bits."""
    out: list[Field] = []
    image = slot.image
    if image.ivar is not None:
        ivar = image.ivar.plane(slot.plane).value(j, i)
        out.append(("σ", number(ivar**-0.5, ERROR_DIGITS) if ivar > 0 else "unknown (ivar 0)"))
    if image.mask is not None:
        names = image.mask_bits.names(image.mask.plane(slot.plane).integer(j, i))
        out.append(("mask", " ".join(names) if names else "none"))
    return out


def fiber_at(slot: Slot, x: float, y: float) -> tuple[int | None, float | None]:
    """Return the row of the fiber at a native position and, from traces, the distance to it (px)."""
    image = slot.image
    cross, disp = (float(v) for v in image.orientation.from_native(x, y, image.shape))
    if image.kind is Kind.RSS:
        return math.floor(cross + 0.5), None
    if slot.traces is None:
        return None, None
    row, distance = slot.traces.nearest(cross, disp)
    if row < 0:
        return None, None
    column = min(max(round(disp), 0), slot.traces.ncol - 1)
    near = slot.traces.center[max(row - 1, 0) : row + 2, column]
    gaps = np.abs(np.diff(near))
    gaps = gaps[np.isfinite(gaps)]
    if gaps.size and distance > NEAR_TRACE * float(gaps.min()):
        return None, None
    return row, cross - float(slot.traces.center[row, column])


def _fibermap(slot: Slot) -> FiberMap | None:
    return slot.image.fibermap or slot.dataset.fibermap


def _fiber(slot: Slot, fiber: int | None, offset: float | None) -> list[Field]:
    """Fiber id, row, block, role and target."""
    if fiber is None:
        return []
    fibers = _fibermap(slot)
    known = fibers is not None and fiber < fibers.nfiber
    if slot.traces is not None and fiber < slot.traces.nfiber and slot.image.kind is not Kind.RSS:
        name = names(slot, slot.traces)[fiber]
    else:
        name = fibers.fiber_id[fiber] if fibers is not None and known else str(fiber)
    shift = "" if offset is None else f" {offset:+.1f} px"
    out: list[Field] = [("fiber", f"{name} (row {fiber}){shift}")]
    if fibers is not None and known:
        if fibers.block is not None:
            out.append((slot.dataset.block, str(int(fibers.block[fiber]))))
        target = fibers.target[fiber]
        if fibers.table or target or fibers.role[fiber] is not FiberRole.SCIENCE:  # else nobody said what it is
            out.append(("", f"{fibers.role[fiber].value} {target}".rstrip()))
        if fibers.status is not None and fibers.status[fiber]:
            out.append(("status", " ".join(fibers.status_bits.names(int(fibers.status[fiber])))))
    return out


def wavelength_at(slot: Slot, fiber: int | None, x: float, y: float) -> float | None:
    """Return the wavelength (Angstrom) at a native position: from traces, a wavelength array or the WCS."""
    image = slot.image
    wave = image.wave
    cross, disp = (float(v) for v in image.orientation.from_native(x, y, image.shape))
    if wave is not None and image.kind is Kind.CUBE:
        plane = slot.plane[-1] if slot.plane else 0
        return _finite(wave[plane]) if plane < len(wave) else None
    if wave is not None:
        row = wave if wave.ndim == 1 else wave[min(max(math.floor(cross + 0.5), 0), len(wave) - 1)]
        return _interpolate(row, disp)
    if slot.traces is not None and slot.traces.wave is not None and fiber is not None:
        return _interpolate(slot.traces.wave[fiber], disp)
    return _wcs_wavelength(image, slot.plane, x, y)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _interpolate(row: np.ndarray, position: float) -> float | None:
    """Linear interpolation in a run of samples at 0, 1, 2..."""
    at = min(max(position, 0.0), len(row) - 1.0)
    k = min(int(at), max(len(row) - 2, 0))
    after = row[min(k + 1, len(row) - 1)]
    return _finite(row[k] + (at - k) * (after - row[k]))


def _wcs_wavelength(image: Image, plane: tuple[int, ...], x: float, y: float) -> float | None:
    """Wavelength from a linear spectral axis of the WCS."""
    cards = image.wcs
    if not cards:
        return None
    pixel = (x + 1, y + 1, *(p + 1.0 for p in reversed(plane)))
    for axis, at in enumerate(pixel, 1):
        if str(cards.get(f"CTYPE{axis}", "")).strip().upper() in SPECTRAL:
            if f"PC{axis}_{axis}" in cards:
                return None
            step = cards.get(f"CD{axis}_{axis}", cards.get(f"CDELT{axis}"))
            value, pixel0 = cards.get(f"CRVAL{axis}"), cards.get(f"CRPIX{axis}", 1.0)
            if not (isinstance(step, NUMBER) and isinstance(value, NUMBER) and isinstance(pixel0, NUMBER)):
                return None
            wave = value + (at - pixel0) * step
            factor = TO_ANGSTROM.get(str(cards.get(f"CUNIT{axis}", "")).strip().lower())
            return None if factor is None else wave * factor
    return None


def _amplifier(image: Image, i: int, j: int) -> list[Field]:
    """Name of the amplifier that read the pixel."""
    return next(([("amplifier", a.name)] for a in image.amplifiers if a.x0 <= i < a.x1 and a.y0 <= j < a.y1), [])


def _sky(slot: Slot, fiber: int | None, x: float, y: float, sexagesimal: bool) -> list[Field]:
    """RA and Dec of the fiber, or of the pixel from a celestial WCS, with what they lack."""
    fibers = _fibermap(slot)
    if fiber is not None and fibers is not None and fibers.ra is not None and fibers.dec is not None:
        if fiber < fibers.nfiber and math.isfinite(fibers.ra[fiber]) and math.isfinite(fibers.dec[fiber]):
            ra, dec = float(fibers.ra[fiber]), float(fibers.dec[fiber])
            return [("RA, Dec", words.position(ra, dec, sexagesimal=sexagesimal))]
        return []
    sky = sky_of(slot)
    place = None if sky is None else sky.read(x, y)
    if sky is None or place is None:
        return []
    said = [words.position(*place, sky.scale, sexagesimal=sexagesimal)]
    said += [sky.system] if sky.system else []
    said += [f"within {sky.error:.2g} px"] if sky.error > ROUGH and not sky.equatorial else []
    said += [f"({sky.note})"] if sky.note else []
    return [("RA, Dec", " ".join(said))]
