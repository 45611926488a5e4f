"""Many fibers of one frame in one plot: all sky fibers, all standards, or any others, rebinned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.state import OpenTable
from ifuview.app.frames.views.sampling import fiber_name
from ifuview.app.frames.views.text import axis
from ifuview.app.session import Session, Slot
from ifuview.app.spectra import choice as spectra_choice
from ifuview.app.spectra.views.fiber_table import fiber_map
from ifuview.errors import IfuviewError
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberRole
from ifuview.model.figure import DASHED, Along, Curve, Figure, Scale
from ifuview.model.image import Kind

SKY, STANDARD, SELECTED, ALL, TYPED = "sky", "standard", "selected", "all", "typed"
CHOICES = (
    (SKY, "Sky fibers"),
    (STANDARD, "Standard stars"),
    (SELECTED, "Selected fibers"),
    (ALL, "All fibers"),
    (TYPED, "Typed below"),
)
GROUPS = 10  # colors along the slit
ROBUST = (0.05, 99.95)  # percentiles that the vertical range covers
MARGIN = 0.1  # of the range
ABOUT = 0.3  # of the range of two medians
BOLD = 2.0  # px; of the median and the selected fiber
MOST_POINTS = 400_000  # drawn at most; more are rebinned further


@dataclass(frozen=True, slots=True, eq=False)
class SkyView:
    """A frame of row-stacked spectra whose fibers can be drawn together.

    Parameters
    ----------
    slot : Slot
    tables : tuple
        Joined tables of the session, for choosing fibers.
    fibers : tuple of int
        Selected rows.
    window : (float, float) or None
        Wavelength window of the focal plane, Angstrom.
    """

    slot: Slot
    tables: tuple[OpenTable, ...] = ()
    fibers: tuple[int, ...] = ()
    window: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Spectra that are drawn together.

    Parameters
    ----------
    rows : ndarray of int, shape (nspec,)
    x, flux : ndarray, shape (nspec, n)
        Wavelength (or dispersion pixel) and mean of the good samples; NaN where there are none.
    group : ndarray of int, shape (nspec,)
        Color of each, 0 to GROUPS - 1 along the slit.
    median : ndarray, shape (n,)
    rebin : int
        Samples averaged into one.
    title, xlabel, ylabel, note : str
    others : ndarray or None, shape (n,)
        Median of all other fibers, where these were chosen among them.
    """

    rows: Array
    x: Array
    flux: Array
    group: Array
    median: Array
    rebin: int
    title: str
    xlabel: str
    ylabel: str
    note: str = ""
    others: Array | None = None


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    image = None if slot is None else slot.image
    return (session.current, image, session.selection.fibers, session.selection.fiber, session.tables, session.window)


def make(session: Session) -> SkyView | None:
    """The current frame, if it holds one spectrum a row."""
    slot = session.slot()
    if slot is None or slot.image.kind is not Kind.RSS:
        return None
    chosen = session.selection
    fibers = chosen.fibers or (() if chosen.fiber is None else (chosen.fiber,))
    return SkyView(slot, session.tables, fibers, session.window)


def rows_of(view: SkyView, which: str, text: str = "") -> tuple[Array, str]:
    """Rows of a choice, and what is to be said about it."""
    count = view.slot.image.shape[0]
    if which == ALL:
        return np.arange(count), ""
    if which == SELECTED:
        rows = np.array([f for f in view.fibers if 0 <= f < count], dtype=np.intp)
        return rows, "" if rows.size else "Select fibers first."
    if which == TYPED:
        try:
            found = spectra_choice.choose(text, view.slot, view.tables)
        except IfuviewError as problem:
            return np.empty(0, np.intp), str(problem)
        return found.rows, found.note
    fibermap = fiber_map(view.slot)
    if fibermap is None or fibermap.nfiber != count:
        return np.arange(count), "The file does not say which fibers are sky; all are shown."
    role = FiberRole.SKY if which == SKY else FiberRole.STANDARD
    rows = np.flatnonzero([r is role for r in fibermap.role])
    return rows, "" if rows.size else f"The file names no {role.value} fibers."


def bundle(view: SkyView, which: str, rebin: int = 1, text: str = "") -> Bundle | None:
    """The chosen spectra, `rebin` samples averaged into one; None if there are none."""
    rows, note = rows_of(view, which, text)
    if rows.size == 0:
        return None
    image = view.slot.image
    width = image.shape[1]
    rebin = max(1, min(rebin, width), -(-rows.size * width // MOST_POINTS))
    flux = good_flux(view.slot, rows)
    by_wave = image.wave is not None
    along = image.wave if image.wave is not None else np.arange(width, dtype=np.float64)
    along = along[rows] if along.ndim == 2 else along
    x = np.broadcast_to(means(np.atleast_2d(along), rebin), (rows.size, width // rebin))
    flux = means(flux, rebin)
    what = dict(CHOICES)[which].lower() if which in (SKY, STANDARD, SELECTED) else "fibers"
    binned = f", mean of {rebin} px" if rebin > 1 else ""
    names = "" if rows.size > 1 else f" {fiber_name(view.slot, int(rows[0]))}"
    rest = np.setdiff1d(np.arange(image.shape[0]), rows) if which in (SELECTED, TYPED) else rows[:0]
    told = along.ndim == 1 and rest.size > 2 and rows.size > 2
    others = median_of_good(means(good_flux(view.slot, rest), rebin).T) if told else None
    binned += f"; dashed: median of the {rest.size} others" if told else ""
    return Bundle(
        rows,
        x,
        flux,
        np.minimum(rows * GROUPS // max(image.shape[0], 1), GROUPS - 1),
        median_of_good(flux.T),
        rebin,
        f"{view.slot.title}: {rows.size} {what}{names}{binned}"
        if rows.size > 1
        else f"{view.slot.title}: fiber{names}{binned}",
        axis("Wavelength", "Å") if by_wave else axis("Dispersion pixel", "px"),
        axis("Flux", image.unit),
        note,
        others,
    )


def good_flux(slot: Slot, rows: Array | slice) -> Array:
    """Values of some rows of row-stacked spectra; NaN where masked or without information, shape (nrow, nwave)."""
    image = slot.image
    flux = np.array(image.pixels.physical(image.pixels.raw[rows]), dtype=np.float32)
    if image.ivar is not None:
        flux[np.asarray(image.ivar.raw[rows]) == 0] = np.nan
    elif image.mask is not None:
        flux[np.asarray(image.mask.raw[rows]) != 0] = np.nan
    return flux


def means(values: Array, n: int) -> Array:
    """Mean of the finite values of each `n` neighbors along the last axis; the last short group is left out."""
    if n <= 1:
        return values
    size = values.shape[-1] // n * n
    parts = values[:, :size].reshape(values.shape[0], -1, n)
    good = np.isfinite(parts)
    count = good.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(good, parts, 0).sum(axis=-1) / count)


def median_of_good(values: Array) -> Array:
    """Median of the finite values along the last axis, NaN where there are none; fast also with many NaN."""
    ordered = np.sort(values, axis=-1)  # NaN come last
    count = np.isfinite(ordered).sum(axis=-1)
    low, high = np.maximum((count - 1) // 2, 0)[..., None], np.maximum(count // 2, 0)[..., None]
    high = np.minimum(high, values.shape[-1] - 1)
    pair = np.take_along_axis(ordered, low, -1)[..., 0] + np.take_along_axis(ordered, high, -1)[..., 0]
    return np.where(count > 0, 0.5 * pair, np.nan)


def figure(found: Bundle, *, median: bool) -> Figure:
    """The spectra in the colors of their places along the slit, with the median of more than two of them."""
    groups = np.unique(found.group).tolist()
    curves = [Curve(*joined(found, group), Along(group / (GROUPS - 1))) for group in groups]
    if median and found.rows.size > 2:
        curves.append(Curve(found.x[0], found.median, "text", width=BOLD))
    if median and found.others is not None:
        curves.append(Curve(found.x[0], found.others, "bad", stroke=DASHED, width=BOLD))
    x = Scale(found.xlabel, (float(np.nanmin(found.x)), float(np.nanmax(found.x))))
    return Figure("", x, Scale(found.ylabel, vertical_range(found)), tuple(curves))


def marked(drawn: Figure, found: Bundle, view: SkyView) -> Figure:
    """The same with the selected fiber standing out."""
    mine = np.flatnonzero(np.isin(found.rows, view.fibers)) if len(view.fibers) == 1 else np.empty(0, int)
    if not mine.size:
        return drawn
    chosen = Curve(found.x[mine[0]], found.flux[mine[0]], "bad", width=BOLD)
    return replace(drawn, curves=(*drawn.curves, chosen))


def vertical_range(found: Bundle) -> tuple[float, float] | None:
    """Range that shows all but the most extreme samples; of chosen fibers and the others, where medians differ."""
    values = found.flux if found.others is None else np.concatenate([found.median, found.others])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return None
    lo, hi = (float(v) for v in np.percentile(values, ROBUST))
    if found.others is not None:  # with some of the single spectra about them
        lo, hi = lo - ABOUT * (hi - lo), hi + ABOUT * (hi - lo)
    if hi <= lo:
        lo, hi = lo - 1.0, hi + 1.0
    return lo - MARGIN * (hi - lo), hi + MARGIN * (hi - lo)


def joined(found: Bundle, group: int) -> tuple[Array, Array]:
    """All spectra of one color as one line with gaps."""
    mine = found.group == group
    gap = np.full((int(mine.sum()), 1), np.nan)
    x = np.concatenate([found.x[mine], gap], axis=1).ravel()
    return x, np.concatenate([found.flux[mine], gap], axis=1).ravel()


def nearest(found: Bundle, x: float, y: float) -> int | None:
    """Number (in `found`) of the spectrum that is nearest to a point of the plot."""
    sample = int(np.argmin(np.abs(found.x[0] - x)))
    away = np.abs(found.flux[:, sample] - y)
    return None if not np.isfinite(away).any() else int(np.nanargmin(away))


def describe(found: Bundle, view: SkyView, number: int, x: float) -> str:
    """One sample in words."""
    sample = int(np.argmin(np.abs(found.x[number] - x)))
    name = fiber_name(view.slot, int(found.rows[number]))
    value = float(found.flux[number, sample])
    typical = float(found.median[sample])
    return f"Fiber {name} at {found.x[number, sample]:.1f}: {value:.4g} (median {typical:.4g})"
