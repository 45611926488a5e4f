"""A source of a frame: measured near a place, in words, as a table, and the one under the cursor."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ifuview.app.frames.sky import words as sky_words
from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.state import OpenTable
from ifuview.app.frames.views.sampling import mask_plane, shown_plane
from ifuview.app.session import Session, Slot
from ifuview.engine.frames.source import measure_source
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.dataset import Table
from ifuview.model.frames.source import ImageSource
from ifuview.model.frames.units import unit_words

HALF, MOST_HALF = 20, 200  # px, half the side of what is looked at; wider sources need more
WIDTHS = 3.0  # of a source that must lie within
ARCSEC = 3600.0
TITLE = "Measured sources"


def measure(slot: Slot, x: float, y: float) -> ImageSource:
    """Measure the source of a frame nearest to a native position.

    Raises
    ------
    FitError
        There is none.
    UsageError
        The place is outside the image.
    """
    ny, nx = slot.image.shape
    if not (-0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5):
        raise UsageError("the cursor is not on the image", slot.title, "point at a source")
    half = HALF
    while True:
        i0, j0 = max(round(x) - half, 0), max(round(y) - half, 0)
        data, variance = cutout(slot, i0, j0, min(round(x) + half + 1, nx), min(round(y) + half + 1, ny))
        found = measure_source(data, variance, x - i0, y - j0)
        whole = replace(found, x=found.x + i0, y=found.y + j0)
        if WIDTHS * found.fwhm <= half or half >= MOST_HALF:
            return whole
        half = min(math.ceil(WIDTHS * found.fwhm) + HALF, MOST_HALF)


def cutout(slot: Slot, x0: int, y0: int, x1: int, y1: int) -> tuple[Array, Array | None]:
    """Values of some pixels, NaN where masked, and their variances, infinite where nothing is known."""
    iy, ix = np.arange(y0, y1), np.arange(x0, x1)
    data = np.asarray(shown_plane(slot).take(iy, ix), np.float64)
    mask = mask_plane(slot)
    if mask is not None:
        data[mask.raw[y0:y1, x0:x1] != 0] = np.nan
    if slot.image.ivar is None:
        return data, None
    ivar = np.asarray(slot.image.ivar.plane(slot.plane).take(iy, ix), np.float64)
    with np.errstate(divide="ignore"):
        return data, np.where(ivar > 0, 1 / ivar, np.inf)


def words(slot: Slot, source: ImageSource, sexagesimal: bool = False) -> str:
    """A source in one line."""
    place = f"x {pair(source.x, source.x_error)} y {pair(source.y, source.y_error)}"
    width = f"FWHM {pair(source.fwhm, source.fwhm_error)} px"
    sky = sky_of(slot)
    if sky is not None and sky.scale > 0:
        width += f" = {source.fwhm * sky.scale * ARCSEC:.3g}\N{DOUBLE PRIME}"
    flux = f"flux {pair(source.flux, source.flux_error)} {unit_words(slot.image.unit)}".rstrip()
    parts = [place, f"{width} ({source.profile}, ellipticity {source.ellipticity:.2f})", flux]
    at = None if sky is None else sky.read(source.x, source.y)
    if sky is not None and at is not None:
        parts.insert(1, f"RA, Dec {sky_words.position(*at, sky.scale, sexagesimal=sexagesimal)}")
    return ", ".join(parts)


def pair(value: float, error: float) -> str:
    """A number with its error, as many digits as that has sense for."""
    if not (math.isfinite(error) and error > 0):
        return f"{value:.6g}"
    digits = 1 - math.floor(math.log10(error))  # two digits of the error
    if digits < 0 or digits > 8:
        return f"{value:.4g} \N{PLUS-MINUS SIGN} {error:.2g}"
    return f"{value:.{digits}f} \N{PLUS-MINUS SIGN} {error:.{digits}f}"


def under(slot: Slot, x: float, y: float) -> tuple[int, ImageSource] | None:
    """The measured source whose half-maximum ellipse, or nearly, has a native position; with its number from 1."""
    found = () if slot.measured is None else slot.measured.sources
    near = [(math.hypot(s.x - x, s.y - y) / s.fwhm, n) for n, s in enumerate(found)]
    best = min(near, default=(math.inf, -1))
    return (best[1] + 1, found[best[1]]) if best[0] <= 1 else None


COLUMNS = (
    ("x", "px"), ("x_error", "px"), ("y", "px"), ("y_error", "px"), ("fwhm", "px"), ("fwhm_error", "px"),
    ("ellipticity", ""), ("angle", "deg"), ("flux", ""), ("flux_error", ""), ("peak", ""), ("background", ""),
    ("beta", ""), ("chi2", ""),
)  # fmt: skip


def table(session: Session) -> OpenTable | None:
    """All measured sources of all frames, one row each; None if there is none."""
    rows = [(slot, s) for slot in session.slots if slot.measured is not None for s in slot.measured.sources]
    if not rows:
        return None
    columns: dict[str, Array] = {"frame": np.array([slot.title for slot, _ in rows])}
    columns |= {name: np.array([getattr(source, name) for _, source in rows]) for name, _ in COLUMNS}
    places = [_sky(slot, source) for slot, source in rows]
    for name, values in zip(("ra", "dec", "fwhm_arcsec"), zip(*places, strict=True), strict=True):
        columns[name] = np.array(values)
    units = {name: unit for name, unit in COLUMNS if unit} | {"ra": "deg", "dec": "deg", "fwhm_arcsec": "arcsec"}
    return OpenTable("", TITLE, Table("SOURCES", columns, units))


def _sky(slot: Slot, source: ImageSource) -> tuple[float, float, float]:
    """Right ascension and declination (deg) and FWHM (arcsec); NaN where they are not known."""
    sky = sky_of(slot)
    at = None if sky is None else sky.read(source.x, source.y)
    width = math.nan if sky is None or sky.scale <= 0 else source.fwhm * sky.scale * ARCSEC
    return (*((math.nan, math.nan) if at is None else at), width)
