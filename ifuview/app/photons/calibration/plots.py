"""Plots of calibrations into a folder; single figures for notebooks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.files import make_folder, whole_file
from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.resonators import pixel_of, rows_of
from ifuview.model.photons.wavelength_solution import HistogramStatus, WavelengthSolution

EXAMPLES = 6  # pixels that are plotted if none are named


def plot_wavecal(
    solution: WavelengthSolution, folder: str, *, pixels: Sequence[tuple[int, int]] = (),
    powersweep: Sequence[str] = (), ctx: JobContext = SILENT,
) -> list[str]:  # fmt: skip
    """Write all plots of a wavelength solution; return their names.

    Parameters
    ----------
    folder : str
        Made if it is not there.
    pixels : sequence of (x, y), optional
        Default: some with good, usual and poor resolving powers, and some that failed.
    powersweep : sequence of str, optional
        Texts of resonator frequencies.

    Raises
    ------
    UsageError, MissingDataError
        The folder cannot be made; a pixel has no resonator.
    """
    from ifuview.model.photons.resonators import row_of_pixel
    from ifuview.report.photons import plots

    rows = [row_of_pixel(solution, x, y) for x, y in pixels] or examples(solution)
    pages: list[tuple[str, Callable[[], Any]]] = [
        ("summary", lambda: plots.wavecal_summary(solution)),
        ("r_histogram", lambda: plots.resolution_histogram(solution)),
        ("center_histogram", lambda: plots.center_histogram(solution)),
    ]
    if powersweep:
        found = frequencies(solution, powersweep)
        pages.append(("r_vs_frequency", lambda: plots.resolution_by_frequency(solution, found)))
    pages.append(("fit_parameters", lambda: plots.parameter_histograms(solution)))
    if solution.grid is not None:
        pages.append(("resolution_images", lambda: plots.resolution_images(solution)))
    single = [(_label(solution, row), _drawn(_wavecal_figure, solution, row)) for row in rows]
    return _write(folder, "wavecal", pages, single, ctx)


def plot_flat(
    flat: FlatSolution, folder: str, *, pixels: Sequence[tuple[int, int]] = (), ctx: JobContext = SILENT
) -> list[str]:
    """Write all plots of a flat; return their names. Otherwise as `plot_wavecal`."""
    from ifuview.model.photons.resonators import row_of_pixel
    from ifuview.report.photons import flat_plots

    rows = [row_of_pixel(flat, x, y) for x, y in pixels] or _spread(np.flatnonzero(flat.usable), EXAMPLES)
    pages: list[tuple[str, Callable[[], Any]]] = [("summary", lambda: flat_plots.flat_summary(flat))]
    if flat.grid is not None:
        pages.append(("wavelength_slices", lambda: flat_plots.flat_slices(flat)))
        pages.append(("mask_slices", lambda: flat_plots.flat_mask_slices(flat)))
    return _write(folder, "flat", pages, [(_label(flat, row), _drawn(_flat_figure, flat, row)) for row in rows], ctx)


def _wavecal_figure(solution: WavelengthSolution, row: int) -> Any:
    from ifuview.engine.photons.calibration.curves import wavecal_curves
    from ifuview.report.photons.plots import pixel_figure

    return pixel_figure(wavecal_curves(solution, row))


def _flat_figure(flat: FlatSolution, row: int) -> Any:
    from ifuview.engine.photons.calibration.curves import flat_curves
    from ifuview.report.photons.flat_plots import flat_pixel

    return flat_pixel(flat_curves(flat, row), None if flat.counts is None else flat.counts[row])


def _drawn(draw: Callable[[Any, int], Any], solution: Any, row: int) -> Callable[[], Any]:
    return lambda: draw(solution, row)


def _label(solution: WavelengthSolution | FlatSolution, row: int) -> str:
    """Part of a file name for a resonator."""
    pixel = pixel_of(solution.grid, int(solution.ids[row]))
    return f"pixel_{pixel[0]}_{pixel[1]}" if pixel else f"resonator_{int(solution.ids[row])}"


def examples(solution: WavelengthSolution) -> list[int]:
    """Rows of resonators worth a look: spread over the resolving powers, and two that failed with photons."""
    solved = np.flatnonzero(solution.solved)
    failed: Array = np.empty(0, np.int64)
    fits = solution.fits
    if fits is not None:
        known = np.isfinite(fits.resolution).any(axis=1)
        power = np.zeros(len(solution.ids))
        power[known] = np.nanmedian(fits.resolution[known], axis=1)
        solved = solved[np.argsort(-power[solved], kind="stable")]
        tried = np.isin(fits.status, (HistogramStatus.CONVERGENCE, HistogramStatus.VALIDATION)).any(axis=1)
        failed = np.flatnonzero(tried & ~solution.solved)
    return _spread(solved, EXAMPLES - min(2, len(failed))) + failed[:2].tolist()


def _spread(rows: Array, number: int) -> list[int]:
    """So many of some rows, evenly."""
    if not len(rows):
        return []
    return sorted({int(rows[int(i)]) for i in np.linspace(0, len(rows) - 1, min(number, len(rows)))})


def frequencies(solution: WavelengthSolution, paths: Sequence[str]) -> Array:
    """Frequency (Hz) of each resonator of a solution; NaN where the texts do not say.

    Raises
    ------
    MissingDataError
        The texts have none of its resonators.
    """
    from ifuview.io.photons.raw.powersweep import read_powersweeps

    ids, hertz = read_powersweeps(paths)
    rows = rows_of(ids, solution.ids)
    if not (rows >= 0).any():
        raise MissingDataError("has no resonator of this solution", paths[0], "give the power sweep of this array")
    return np.where(rows >= 0, hertz[np.maximum(rows, 0)], np.nan)


def _write(
    folder: str, stem: str, pages: Sequence[tuple[str, Callable[[], Any]]],
    single: Sequence[tuple[str, Callable[[], Any]]], ctx: JobContext,
) -> list[str]:  # fmt: skip
    """Write each figure as PNG, and all pages as one PDF."""
    from ifuview.report.photons import plots

    make_folder(folder)
    made, written = [], []
    total = len(pages) + len(single) + 1
    for number, (name, draw) in enumerate([*pages, *single]):
        ctx.checkpoint(number / total, "plots")
        figure = draw()
        path = os.path.join(folder, f"{stem}_{name}.png")
        with whole_file(path) as part:
            plots.save(figure, part)
        written.append(path)
        if number < len(pages):
            made.append(figure)
    path = os.path.join(folder, f"{stem}_summary.pdf")
    with whole_file(path) as part:
        plots.save_pages(made, part)
    ctx.checkpoint(1.0, "plots")
    return [*written, path]
