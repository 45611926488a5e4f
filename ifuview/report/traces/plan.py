"""Single figures for notebooks: traces over an image, and one fiber of a diagnosis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.report.page import as_png
from ifuview.report.traces.doctor_report import DPI, SIZE, DoctorReport, style
from ifuview.report.traces.fiber import draw_fiber
from ifuview.report.traces.image import reduced

MOST_PIXELS = 1200  # of the reduced image along each axis
LINE = "#E69F00"  # orange that the color-blind tell from gray


def traces_on_image(image: Array, center: Array, output: str | None = None) -> Any:
    """Traces (nfiber, ncol) over an image (nrow, ncol)."""
    from matplotlib.figure import Figure

    step = (max(1, image.shape[0] // MOST_PIXELS), max(1, image.shape[1] // MOST_PIXELS))
    small = reduced(np.asarray(image, np.float32), step)
    with style():
        figure = Figure(SIZE, DPI, layout="constrained")
        axes = figure.add_subplot()
        known = small[np.isfinite(small)]
        low, high = np.percentile(known, [1, 99.5]) if known.size else (0.0, 1.0)
        axes.imshow(
            small, origin="lower", aspect="auto", cmap="gray", vmin=low, vmax=high,
            extent=(-0.5, image.shape[1] - 0.5, -0.5, image.shape[0] - 0.5),
        )  # fmt: skip
        column = np.arange(center.shape[1])[:: max(1, center.shape[1] // 512)]
        axes.plot(column, center[:, column].T, color=LINE, lw=0.5, alpha=0.8)
        axes.set(xlabel="column along dispersion (px)", ylabel="row across fibers (px)", title="Traces on the image")
        return _written(figure, output)


def one_fiber(found: TraceDiagnosis, row: int, output: str | None = None) -> Any:
    """Offsets, flux and width of one fiber."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(SIZE, DPI, layout="constrained")
        draw_fiber(figure, DoctorReport(found), row)
        return _written(figure, output)


def _written(figure: Any, output: str | None) -> Any:
    """The figure, written if a name is given."""
    if output is not None:
        with open(output, "wb") as file:
            file.write(as_png(figure))
    return figure
