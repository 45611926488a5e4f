"""Where fibers lie and at which wavelengths, quickly: traces of an evenly lit frame, boxcar over arcs, their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.boxcar import boxcar
from ifuview.engine.spectra.wave.solve import solve_wavelengths
from ifuview.engine.traces.slit.trace import trace_slit
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import ArcLines, FiberSpectra
from ifuview.model.reduction.tables import FiberRows
from ifuview.model.trace import TraceSet

APERTURE = 2.5  # px, half of what is summed


@dataclass(frozen=True, slots=True, eq=False)
class ElectronImage:
    """Electrons of a detector and their variance, NaN where a pixel is of no use; shape (ny, nx)."""

    data: Array
    variance: Array


def fiber_places(
    flat: ElectronImage,
    noise: float,
    rows: Sequence[FiberRows],
    arcs: Sequence[ElectronImage],
    lines: ArcLines,
    grid: tuple[float, float],
    ctx: JobContext = SILENT,
) -> tuple[TraceSet, tuple[str, ...]]:
    """Return the traces with their wavelengths, and what is worth knowing of them.

    Parameters
    ----------
    flat : ElectronImage
        All fibers lit: a twilight.
    noise : float, electrons
        Of the read-out.
    rows : sequence of FiberRows
        Of the amplifiers from bottom to top, which have equal heights.
    arcs : sequence of ElectronImage
        Lamps; without any there are no wavelengths.
    lines : ArcLines
    grid : (float, float), Angstrom
        Of the first and last column, roughly.

    Raises
    ------
    FitError
        The light does not fit the rows.
    """
    height = flat.data.shape[0] // len(rows)
    block = np.repeat(np.arange(len(rows)), [len(r.row) for r in rows])
    reference = np.concatenate([r.row + n * height for n, r in enumerate(rows)])
    dead = np.concatenate([r.dead for r in rows])
    column = rows[0].fraction * flat.data.shape[1]
    traces = trace_slit(
        flat.data.astype(np.float32), noise, reference, column=column, dead=dead, block=block, ctx=ctx.part(0.0, 0.5)
    )
    if not arcs:
        return traces, ("there are no arcs, so that there are no wavelengths",)
    live = (np.asarray(traces.status) & np.uint32(TraceBit.DEAD | TraceBit.LOST)) == 0
    try:
        found = solve_wavelengths(
            _summed(arcs, traces.center), lines, grid, block=block, live=live, ctx=ctx.part(0.5, 1.0)
        )
    except FitError as problem:
        return traces, (f"the arcs give no wavelengths: {problem}",)
    return replace(traces, wave=found.wave), ()


def _summed(arcs: Sequence[ElectronImage], center: Array) -> FiberSpectra:
    """Boxcar spectra of the lamps together."""
    flux, variance = np.zeros(center.shape, np.float32), np.zeros(center.shape, np.float32)
    for arc in arcs:
        one, var = boxcar(arc.data, center, APERTURE, variance=arc.variance)
        assert var is not None
        flux, variance = flux + one, variance + var
    known = np.isfinite(flux) & np.isfinite(variance)
    mask = np.where(known, np.uint32(0), np.uint32(ReductionBit.NO_DATA))
    return FiberSpectra(np.where(known, flux, 0), np.where(known, variance, 1), mask, np.zeros(center.shape))
