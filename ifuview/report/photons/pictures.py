"""One picture of what was counted from a photon list: the image or the planes of a cube, light curves, spectra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.photons.images import BinAxis, PhotonCube, PhotonImage, unit_of, value_name
from ifuview.model.photons.light import BinnedLight
from ifuview.report.figures import BLUE, VERMILION, ramp
from ifuview.report.words import legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

DPI = 110
EXCLUDED = "#b8b8b8"
WIDE = 8.2 / 6.5  # of the room for the planes
CENTRAL = (0.5, 99.5)  # percent of the pixels between the limits
MOST_PLANES = 20
MOST_STEPS = 300  # of a light curve that is drawn; more are averaged
LABELS = {BinAxis.TIME: "Time (s)", BinAxis.WAVE: "Wavelength (nm)", BinAxis.PHASE: "Phase (degree)"}


def save_png(
    path: str, product: PhotonImage | PhotonCube, lights: Mapping[str, BinnedLight] | None = None, note: str = ""
) -> None:
    """Write a PNG of an image or a cube, with light curves and spectra below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = draw(product, lights or {}, note)
    FigureCanvasAgg(legible(figure)).figure.savefig(path, format="png")


def draw(product: PhotonImage | PhotonCube, lights: Mapping[str, BinnedLight], note: str = "") -> Figure:
    """Return the picture as a matplotlib Figure."""
    from matplotlib.figure import Figure

    rows = len(lights)
    # "compressed" keeps the bar beside a single image
    layout: Literal["constrained", "compressed"] = (
        "constrained" if rows else "compressed"
    )  # which keeps the bar beside a single image
    figure = Figure(figsize=(9, 7 + 2.4 * rows), dpi=DPI, facecolor="white", layout=layout)
    grid = figure.add_gridspec(1 + rows, 1, height_ratios=[7] + [2.4] * rows)
    image = product.image if isinstance(product, PhotonCube) else product
    _draw_planes(figure, grid[0], product, image)
    for row, light in enumerate(lights.values()):
        _draw_light(figure.add_subplot(grid[1 + row]), light)
    figure.suptitle(title(image, note), fontsize=10)
    return figure


def title(image: PhotonImage, note: str = "") -> str:
    """What is shown, in two lines."""
    name = image.info.path.replace("\\", "/").rsplit("/", 1)[-1]
    cut, unit = (
        image.cut,
        "nm" if image.info.calibrated else {"deg": "degree"}.get(image.info.phase_unit, image.info.phase_unit),
    )
    parts = [f"{image.start:g} to {image.stop:g} s"]
    if cut.low is not None or cut.high is not None:
        low = "" if cut.low is None else f"from {cut.low:g} "
        parts.append(f"{low}to {cut.high:g} {unit}" if cut.high is not None else f"{low}{unit}".strip())
    parts.append(f"{image.photons} photons{', weighted' if cut.weighted else ''}")
    parts.append(f"{image.npixel_excluded} pixels left out")
    return "\n".join(filter(None, (" ".join(filter(None, (name, image.info.target))), ", ".join(parts), note)))


def _draw_planes(figure: Figure, place: SubplotSpec, product: PhotonImage | PhotonCube, image: PhotonImage) -> None:
    """The image, or planes of the cube side by side with the same limits."""
    if isinstance(product, PhotonImage):
        planes, names = [product.counts], [""]
    else:
        step = max(1, -(-len(product.counts) // MOST_PLANES))
        shown = range(0, len(product.counts), step)
        edges, unit = product.edges, unit_of(product.image.info, product.axis)
        planes = [product.counts[i] for i in shown]
        names = [f"{edges[i]:.5g} to {edges[i + 1]:.5g} {unit}" for i in shown]
    ny, nx = planes[0].shape
    rows = max(1, round(np.sqrt(len(planes) * nx / (ny * WIDE))))
    columns = -(-len(planes) // rows)
    grid = place.subgridspec(-(-len(planes) // columns), columns)
    low, high = limits(planes, image.excluded)
    axes, drawn = [], []
    for number, (plane, name) in enumerate(zip(planes, names)):
        axes.append(figure.add_subplot(grid[number // columns, number % columns]))
        values = np.where(image.excluded, np.nan, plane)
        shades = ramp("magma", EXCLUDED)
        drawn.append(axes[-1].imshow(values, origin="lower", interpolation="nearest", cmap=shades, vmin=low, vmax=high))
        axes[-1].set_title(name, fontsize=8)
        axes[-1].tick_params(labelsize=7)
    if len(planes) == 1:
        axes[0].set_xlabel("x (pixel)")
        axes[0].set_ylabel("y (pixel)")
    bar = figure.colorbar(drawn[-1], ax=axes, extend="both", shrink=0.9)
    bar.set_label("weighted counts" if image.cut.weighted else "photons")


def limits(planes: list[Array], excluded: Array) -> tuple[float, float]:
    """Display limits of all planes together."""
    seen = np.concatenate([np.asarray(p)[~excluded] for p in planes]) if not excluded.all() else np.zeros(1)
    low, high = np.percentile(seen, CENTRAL)
    return float(low), float(max(high, low + 1))


def _draw_light(axes: Axes, light: BinnedLight) -> None:
    """A light curve or a spectrum as steps, with errors where there are few bins."""
    step = max(1, -(-len(light.rate) // MOST_STEPS))
    size = len(light.rate) // step * step
    exposure = light.exposure[:size].reshape(-1, step).sum(axis=1)
    rate = np.full(len(exposure), np.nan)
    np.divide(light.net[:size].reshape(-1, step).sum(axis=1), exposure, out=rate, where=exposure > 0)
    edges = light.edges[: size + 1 : step]
    axes.stairs(rate, edges, color=BLUE, lw=1 if size > 400 else 1.5)
    if size <= 100:
        axes.errorbar(light.center, light.rate, light.rate_error, fmt="none", ecolor=VERMILION, lw=1)
    axes.set_xlim(edges[0], edges[-1])
    height = light.axis is BinAxis.PHASE and light.info.phase_unit != BinAxis.PHASE.unit
    axes.set_xlabel(f"{value_name(light.info)} ({light.info.phase_unit})" if height else LABELS[light.axis], fontsize=8)
    axes.set_ylabel("photons/s", fontsize=8)
    axes.tick_params(labelsize=7)
    width = light.edges[step] - light.edges[0]
    averaged = f", mean of {width:g} {unit_of(light.info, light.axis)}" if step > 1 else ""
    axes.set_title(f"{light.aperture.label}{averaged}", fontsize=8)
