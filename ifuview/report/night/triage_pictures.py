"""The evidence of a finding as one picture: the two products between which it appears, or what it is measured from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.night.triage import Finding
from ifuview.report.figures import draw_figure
from ifuview.report.night.evidence import NEAR, of_finding, spectra
from ifuview.report.night.triage_field import draw_field
from ifuview.report.page import as_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "evidence"
SIZE = (9.6, 4.2)  # inch
CLIP = (2.0, 98.0)  # percentiles of the gray scale
TITLES = {
    "seen": "frame / flat, minus its continuum", "residual": "sframe, minus its continuum", "flat": "fiberflat",
    "sky": "sky model, minus its median", "fluxcalib": "fluxcalib, minus its smooth part",
}  # fmt: skip


def picture(finding: Finding, arrays: Mapping[str, Array]) -> bytes:
    """PNG: the product before, the product in which the finding appears, and its spectrum against that of the others.

    Parameters
    ----------
    finding : Finding
    arrays : mapping
        Of its camera: "wave" (nwave,), and "sky", "seen", "residual" (nfiber, nwave) as far as they are there.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, facecolor="white", layout="constrained")
    over_field = arrays.get(str(finding.detail.get("map")))
    if over_field is not None:
        draw_field(figure, finding, arrays["focal_x"], arrays["focal_y"], over_field)
        return as_png(figure)
    grid = figure.add_gridspec(2, 2, height_ratios=(1.7, 1.0))
    shown = [name for name in _shown(finding) if name in arrays][:2]
    low, high = _window(finding, arrays["wave"])
    columns = slice(*np.searchsorted(arrays["wave"], (low, high)))
    for at, name in enumerate(shown):
        axes = figure.add_subplot(grid[0, at])
        rows = _rows(finding, arrays[name].shape[0])
        _image(axes, arrays[name][rows, columns], rows.start, arrays["wave"][columns], TITLES[name], finding)
    evidence = of_finding(finding, arrays, len(finding.blocks))
    if evidence is None and shown:
        name = shown[-1]
        evidence = spectra(finding, arrays["wave"], arrays[name], f"{TITLES[name].split(',')[0]} (e/Å)")
    if evidence is not None:  # no product of the camera could be read: the finding is of its fiber table
        draw_figure(figure.add_subplot(grid[1, :]), evidence, size=8, columns=8, place="upper right")
    return as_png(figure)


def _shown(finding: Finding) -> tuple[str, ...]:
    """Products worth showing, the earlier first."""
    if finding.first_step == "sky":
        return "sky", "residual", "seen"
    if finding.first_step == "fiberflat":
        return "flat", "residual", "seen"
    return "seen", "residual", "sky"


def _window(finding: Finding, wave: Array) -> tuple[float, float]:
    """Wavelengths that the picture spans."""
    if finding.wave_range is None:
        return float(wave[0]), float(wave[-1])
    low, high = finding.wave_range
    margin = max(0.6 * (high - low), 60.0)
    return max(low - margin, float(wave[0])), min(high + margin, float(wave[-1]))


def _rows(finding: Finding, count: int) -> slice:
    """Fibers that the picture spans: all, or the neighborhood of a few."""
    if finding.blocks or not finding.fibers or len(finding.fibers) > NEAR:
        return slice(0, count)
    return slice(max(min(finding.fibers) - NEAR, 0), min(max(finding.fibers) + NEAR + 1, count))


def _image(axes: Axes, values: Array, first_row: int, wave: Array, title: str, finding: Finding) -> None:
    """Fibers against wavelength in gray, marks at the place."""
    count = max(values.shape[1] // max(values.shape[1] // 500, 1), 1)
    step = max(values.shape[1] // count, 1)
    small = values[:, : values.shape[1] // step * step].reshape(values.shape[0], -1, step).mean(axis=2)
    if title.startswith("sky"):
        small = small - np.median(small, axis=0)
    low, high = np.nanpercentile(small, CLIP)
    axes.imshow(
        small, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect="auto", origin="lower", interpolation="none",
        extent=(float(wave[0]), float(wave[-1]), first_row - 0.5, first_row + values.shape[0] - 0.5),
    )  # fmt: skip
    axes.set_title(title, fontsize=9)
    axes.set_ylabel("fiber", fontsize=8)
    axes.tick_params(labelsize=7)
    if finding.wave_range is not None:
        for edge in finding.wave_range:
            axes.axvline(edge, color="#e07b00", linewidth=0.8)
    for first, last in _spans(finding):
        axes.plot([float(wave[0])] * 2, [first - 0.5, last + 0.5], color="#e07b00", linewidth=4, solid_capstyle="butt")


def _spans(finding: Finding) -> list[tuple[int, int]]:
    """First and last fiber of each run of fibers."""
    fibers = np.asarray(finding.fibers, int)
    if not fibers.size:
        return []
    cuts = np.flatnonzero(np.diff(fibers) > 1)
    firsts, lasts = np.concatenate([[0], cuts + 1]), np.concatenate([cuts, [fibers.size - 1]])
    return [(int(fibers[a]), int(fibers[b])) for a, b in zip(firsts, lasts, strict=True)]
