"""What stands under each place of a drawn figure, as plain values that a page reads under the pointer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D

PIXELS = 120  # of an image along each axis, at most
POINTS = 300  # of a line
LINES = 40  # of one plot
DIGITS = 4  # significant

Plain = dict[str, object]


def under_pointer(figure: Figure) -> str:
    """JSON of the axes of a figure that can stand in a page: box in shares of the figure, ranges, images, lines."""
    found = [_axes(axes) for axes in figure.axes if axes.get_visible() and axes.axison]
    text = json.dumps(found, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _axes(axes: Axes) -> Plain:
    """One plot."""
    box = axes.get_position()
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 2][:LINES]  # type: ignore[arg-type]
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    return {
        "box": [round(float(v), 5) for v in (box.x0, box.y0, box.x1, box.y1)],
        "x": {"from": float(x0), "to": float(x1), "log": axes.get_xscale() == "log", "name": _name(axes, "x")},
        "y": {"from": float(y0), "to": float(y1), "log": axes.get_yscale() == "log", "name": _name(axes, "y")},
        "images": [_image(image) for image in axes.get_images()],
        "lines": [_line(line) for line in lines],
    }


def _name(axes: Axes, way: str) -> str:
    """Label of an axis, else that of one that stands in line with it and runs alike: only the outermost has words."""
    column = int(way == "y")
    for other in (axes, *axes.figure.axes):
        place, others = (one.get_position().get_points()[:, column] for one in (axes, other))
        limits, theirs = (one.get_ylim() if column else one.get_xlim() for one in (axes, other))
        label = other.get_ylabel() if column else other.get_xlabel()
        if label and np.allclose(place, others) and np.allclose(limits, theirs):
            return label
    return ""


def _image(image: AxesImage) -> Plain:
    """One image, thinned to PIXELS: the value in the middle of each part."""
    values: Array = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
    values = values if values.ndim == 2 else values[..., :3].mean(axis=-1)
    left, right, low, high = image.get_extent()
    if image.origin == "upper":
        values = values[::-1]
    rows, columns = (_middle(n) for n in values.shape)
    part = values[np.ix_(rows, columns)]
    ends = {"x0": float(left), "x1": float(right), "y0": float(min(low, high)), "y1": float(max(low, high))}
    return {**ends, "rows": rows.size, "columns": columns.size, "values": _numbers(part.ravel())}


def _middle(n: int) -> Array:
    """The middle of each of at most PIXELS equal parts of n pixels."""
    parts = min(n, PIXELS)
    return ((np.arange(parts) + 0.5) * n / parts).astype(int)


def _line(line: Line2D) -> Plain:
    """One line, thinned to POINTS."""
    x: Array = np.ma.filled(np.ma.asarray(line.get_xdata(), float), np.nan)
    y: Array = np.ma.filled(np.ma.asarray(line.get_ydata(), float), np.nan)
    step = max(1, -(-x.size // POINTS))
    label = str(line.get_label())
    return {"label": "" if label.startswith("_") else label, "x": _numbers(x[::step]), "y": _numbers(y[::step])}


def _numbers(values: Array) -> list[float | None]:
    """A few digits; None for what is no number."""
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in values.tolist()]
