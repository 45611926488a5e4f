"""Pictures of a whole observation: its field, how its stars lie, how bright they are against the catalog."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ifuview.files import put
from ifuview.model.checks import Array
from ifuview.model.figure import DASHED, DOT, ColorMap, Curve, Figure, Rule, Scale
from ifuview.model.reduction.solution import CatalogSpectrum, MatchedStar, ShotSolution, StarCatalog
from ifuview.report.figures import draw_figure
from ifuview.report.page import as_png, style

SHOWN = 1.5  # arcsec
MAGNITUDE, OFFSET = "g of the catalog (mag)", "g of the spectrum - catalog (mag)"
MARGIN, LEAST = 0.06, 0.02  # of the range of points, and mag, that is shown around them
CUTS = (2.0, 99.5)  # percent of the picture within its limits
SIZE = (7.0, 6.0)  # inches
AXES = (0.125, 0.105, 0.84, 0.83)  # parts of it
DPI = 120


def save_picture(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG."""
    from matplotlib.figure import Figure as Page

    with style():
        page = Page(figsize=SIZE, facecolor="white")
        axes = page.add_axes(AXES)  # matplotlib's own layout takes as long as all the rest
        draw_figure(axes, figure)
        if figure.map is not None:
            axes.set_aspect("equal")
        put(path, as_png(page, DPI, figure.title))


def field_figure(title: str, image: Array, extent: tuple[float, float, float, float]) -> Figure:
    """The field in g on the focal plane."""
    known = image[np.isfinite(image)]
    low, high = (float(v) for v in np.percentile(known, CUTS)) if known.size else (0.0, 1.0)
    shown = ColorMap(image, extent, (low, high), "gray", "1e-17 erg/s/cm2/A in a spaxel")
    return Figure(title, Scale("focal plane x (arcsec)"), Scale("focal plane y (arcsec)"), map=shown)


def astrometry_figure(title: str, stars: tuple[MatchedStar, ...], catalog: StarCatalog | None) -> Figure:
    """Where stars lie against the catalog."""
    range_ = (-SHOWN, SHOWN)
    axis_x, axis_y = Scale("RA - catalog (arcsec)", range_), Scale("Dec - catalog (arcsec)", range_)
    if catalog is None or not stars:
        return Figure(title, axis_x, axis_y, empty="no star is matched")
    index = np.array([star.index for star in stars])
    dec = np.array([star.dec for star in stars])
    east = (np.array([star.ra for star in stars]) - catalog.ra[index] + 180.0) % 360.0 - 180.0
    x, y = east * np.cos(np.radians(dec)) * 3600, (dec - catalog.dec[index]) * 3600
    used = np.array([star.used for star in stars])
    curves = [
        Curve(x[pick], y[pick], color, label, stroke="", symbol=DOT)
        for pick, color, label in ((used, 0, f"{used.sum()} used"), (~used, "faint", f"{(~used).sum()} not used"))
        if pick.any()
    ]
    rules = (Rule(0.0, True, "faint", DASHED), Rule(0.0, False, "faint", DASHED))
    words = f"median {np.median(x[used]):+.3f}, {np.median(y[used]):+.3f} arcsec" if used.any() else ""
    return Figure(title, axis_x, axis_y, curves=tuple(curves), rules=rules, notes=(("text", words),) if words else ())


def magnitude_figure(title: str, stars: tuple[CatalogSpectrum, ...], solution: ShotSolution) -> Figure:
    """Magnitudes in g of the spectra against the catalog."""
    own = [star for star in stars if star.matched and np.isfinite(star.synthetic - star.magnitude[0])]
    if not own:
        return Figure(title, Scale(MAGNITUDE), Scale(OFFSET), empty="no star is matched")
    g = np.array([star.magnitude[0] for star in own])
    off = np.array([star.synthetic for star in own]) - g
    zero = "" if not solution.surveys else f"zero point {-2.5 * np.log10(solution.surveys[0].zero_point):+.3f} mag"
    middle = float(np.median(off))
    axis_x, axis_y = Scale(MAGNITUDE, _around(g)), Scale(OFFSET, _around(off))
    return Figure(
        title, axis_x, axis_y, curves=(Curve(g, off, 0, f"{g.size} stars", stroke="", symbol=DOT),),
        rules=(Rule(middle, False, 1, DASHED, f"median {middle:+.3f}"),), notes=(("text", zero),) if zero else (),
    )  # fmt: skip


def _around(values: Array) -> tuple[float, float]:
    """A range that shows all points whole."""
    low, high = float(values.min()), float(values.max())
    margin = max(MARGIN * (high - low), LEAST)
    return low - margin, high + margin
