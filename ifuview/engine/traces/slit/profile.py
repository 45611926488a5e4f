"""The fibers' own profile from a twilight whose traces, widths and scattered light are known: quick.

The shape changes slowly along columns, so every so many columns tell it; centers and widths stay those of the traces,
and the wings end at the next fiber, as farther out they cannot be told from scattered light. What is left of that is
small: were it free, wings of all fibers could rise with a ground that falls, by some percent of the light.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.engine.traces.profile.fit import fit_profile
from ifuview.engine.traces.profile.splines import STIFF
from ifuview.engine.traces.slit.settle import lit_centers
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

COLUMNS = 65  # that the shape is measured on
REACH = 5.0  # widths, where the wings end
GROUND = 0.1  # of the scattered light, that is left of it


def slit_profile(
    image: Array,
    traces: TraceSet,
    scattered: Array,
    read_noise: float,
    *,
    usable: Array | None = None,
    block: Array | None = None,
    ctx: JobContext = SILENT,
) -> FiberProfile:
    """Return the profile of all fibers.

    Parameters
    ----------
    image : ndarray, shape (nrow, ncol), electrons
        Twilight or lamp flat.
    traces : TraceSet
        Of this image, with widths; fibers without light get the shape of their neighbors.
    scattered : ndarray, shape (nrow, ncol), electrons
        Light that belongs to no fiber.
    read_noise : float, electrons
    usable : ndarray of bool, shape (nrow, ncol), optional
    block : ndarray of int, shape (nfiber,), optional
        Fibers of one amplifier: neighbors of a block share a shape.

    Raises
    ------
    FitError
        No fiber has light.
    """
    ncol = image.shape[1]
    some = np.unique(np.linspace(0, ncol - 1, min(COLUMNS, ncol)).round().astype(np.intp))
    width = np.asarray(traces.sigma, np.float64)
    few = TraceSet(fiber=traces.fiber, center=lit_centers(traces)[:, some], sigma=width[:, some])
    ground = max(GROUND * float(np.median(np.abs(scattered))), GROUND * read_noise)
    found = fit_profile(
        np.asarray(image)[:, some] - np.asarray(scattered)[:, some], read_noise**2, few,
        mask=None if usable is None else ~np.asarray(usable)[:, some], block=block,
        reach=REACH * float(np.median(width)), knots=STIFF, place=False, ground=ground,
        ctx=ctx,
    )  # fmt: skip
    nothing = np.zeros(traces.center.shape)
    return replace(found, width=width, offset=nothing, background=np.zeros(image.shape, np.float32))
