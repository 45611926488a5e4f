"""The two plots of the plan, on the current figure of matplotlib: traces over the image, and one trace closely."""

from __future__ import annotations

from pathlib import Path as Folder

import numpy as np

from ifuview.app.plan.loading import diagnosis_of, image_of
from ifuview.app.plan.values import Path, Traces, named, names_of, traces_in
from ifuview.engine.numeric.smooth_fit import smooth_fit
from ifuview.engine.spectra.boxcar import boxcar
from ifuview.engine.traces.light.slots import blocks_of
from ifuview.errors import UsageError
from ifuview.model.checks import Array, is_whole
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.report.traces import plan as draw

HALF_WIDTH = 2.5  # px
SECTIONS = (0.15, 0.5, 0.85)  # of the columns


def plot_traces_on_2d_spectrum(
    raw_2d: Array, traces: Traces | TraceDiagnosis, title: str = "Traces on the image", output: Path | None = None
) -> draw.Figure:
    """Draw traces over an image (cross-dispersion, dispersion) on the current figure; ``plt.savefig`` saves it.

    Lines are colored by block of fibers and named at both ends; panels show three places in full resolution.

    Parameters
    ----------
    raw_2d : ndarray, shape (nrow, ncol)
    traces : TraceSet, dict of dicts, or TraceDiagnosis (its given traces)
    title : str
    output : str or path, optional
        Written there as PNG too.
    """
    if isinstance(traces, TraceDiagnosis):
        if traces.given is None:
            raise UsageError("this diagnosis has no given traces")
        traces = traces.given
    lines = traces_in(traces, raw_2d)
    pixels = _fitting(raw_2d, lines)
    figure = draw.current_figure()
    names = names_of(traces)
    draw.traces_on_image(figure, pixels, lines.center, names, blocks_of(lines.center), title)
    if output is not None:
        draw.written(figure, Folder(output))
    return figure


def plot_individual_trace_quality(
    raw_2d: Array | TraceDiagnosis,
    traces: Traces | str | int,
    fiber_id: str | int | None = None,
    *,
    title: str = "",
    output: Path | None = None,
) -> draw.Figure:
    """Draw one fiber on the current figure: overlay, cross-sections, light minus trace, smoothness, spectrum.

    Parameters
    ----------
    raw_2d : ndarray, shape (nrow, ncol)
    traces : TraceSet or dict of dicts
    fiber_id : str or int
        Its name, else its row.
    title : str
        Above the figure. Default: the fiber and its verdict.
    output : str or path, optional
        File to write the figure to. Default: none.
    """
    if isinstance(raw_2d, TraceDiagnosis) or isinstance(traces, (str, int)) or fiber_id is None:
        raise UsageError("one trace is drawn on its image", todo="give raw_2d, traces and fiber_id")
    found, names = traces_in(traces, raw_2d), names_of(traces)
    called = named(fiber_id, names)
    row = names.index(called) if called in names else _row(fiber_id, len(names))
    seen = diagnosis_of(raw_2d, traces)
    pixels = _fitting(raw_2d, found)
    figure = draw.current_figure()
    draw.one_trace(figure, _one(pixels, raw_2d, found, seen, row, names[row]), title)
    if output is not None:
        draw.written(figure, Folder(output))
    return figure


def _row(fiber: str | int, most: int) -> int:
    """A row by its number."""
    if not is_whole(str(fiber)) or int(fiber) >= most:
        raise UsageError(f"there is no fiber {fiber}", todo=f"give the name of a fiber or a row, 0 to {most - 1}")
    return int(fiber)


def _fitting(raw: Array, traces: TraceSet) -> Array:
    """The pixels, if the traces can lie on them."""
    pixels = np.asarray(raw, np.float32)
    if pixels.ndim != 2 or traces.ncol > pixels.shape[1]:
        text = f"traces of {traces.ncol} columns do not lie on an image of shape {pixels.shape}"
        raise UsageError(text, todo="is the image (cross-dispersion, dispersion)?")
    return pixels


def _one(pixels: Array, raw: Array, traces: TraceSet, seen: TraceDiagnosis, row: int, name: str) -> draw.OneTrace:
    """What is drawn of one fiber."""
    center = np.asarray(traces.center[row], float)
    if not np.isfinite(center).any():
        raise UsageError(f"the trace of fiber {name} is nowhere on the image")
    column = np.arange(center.size, dtype=float)
    known = np.isfinite(center)
    smooth = np.where(known, smooth_fit(column, center).fit, np.nan)
    image = image_of(raw)
    ivar = None if image.ivar is None else image.orientation.to_canonical(image.ivar.native())
    with np.errstate(divide="ignore"):
        variance = np.abs(pixels) if ivar is None else np.where(ivar > 0, 1 / ivar, np.nan)
    flux, spread = boxcar(pixels[:, : center.size], center[None], HALF_WIDTH, variance=variance[:, : center.size])
    words = "; ".join(p.text for p in seen.problems if p.fiber == row)
    words = words or f"Nothing is wrong with this fiber alone. {seen.sentence}"
    reach = np.flatnonzero(known)
    curvature = np.full(center.size, np.nan)
    curvature[1:-1] = 1e6 * np.diff(smooth, 2)
    return draw.OneTrace(
        name=name, image=pixels, center=center, smooth=smooth, curvature=curvature, column=seen.column,
        offset=seen.offset[row],
        offset_err=seen.offset_err[row], sections=tuple(int(reach[int(s * (reach.size - 1))]) for s in SECTIONS),
        wave=None if traces.wave is None else traces.wave[row], flux=flux[0],
        flux_err=np.sqrt(spread[0]) if spread is not None else np.zeros(center.size), words=words,
    )  # fmt: skip
