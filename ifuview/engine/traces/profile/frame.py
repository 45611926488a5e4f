"""What a fit of the profile has before it: the image, the fibers, the columns that are looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.light.measure import groups
from ifuview.engine.traces.profile.arrays import pixels, rising, transposed
from ifuview.engine.traces.profile.column import bandwidth
from ifuview.engine.traces.profile.fiber_profile import legendre
from ifuview.engine.traces.profile.splines import Basis, Knots, basis
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

COLUMNS, LAST_COLUMNS, PARTS = 128, 512, 16  # that the first rounds look at, and the others, in so many parts
START_WIDTH = 1.2  # px, where the traces have none
MOST_WIDER = 1.3  # times a width may grow during a fit
GROUND_ROWS = 128  # px, between the nodes of the background across dispersion
GROUND_DEGREE = 2  # along dispersion
CENTER_DEGREE, WIDTH_DEGREE = 4, 2  # of what is added to the centers and widths of a fiber along dispersion


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What stays the same from round to round, columns first, fibers rising."""

    data: NDArray[np.float32]
    floor: NDArray[np.float32]
    per_count: float
    center: Array
    width: Array
    group: NDArray[np.intp]
    pieces: Basis
    rows: int
    nband: int
    node: Array
    parts: list[NDArray[np.intp]]
    legendre: Array
    ground_legendre: Array
    fiber_legendre: Array
    ground_error: float

    def middles(self) -> NDArray[np.intp]:
        """Middle column of each part."""
        return np.array([part[part.size // 2] for part in self.parts])

    def with_few_columns(self) -> Frame:
        """The same with few columns, and all fibers in one group."""
        return replace(self, group=np.zeros_like(self.group), parts=_parts(self.center.shape[0], COLUMNS))

    def background(self, level: Array) -> NDArray[np.float32]:
        """The background of all pixels, (nrow, ncol), from its Legendre coefficients at the nodes."""
        along = self.ground_legendre @ level
        row = np.arange(self.data.shape[1])
        low = np.clip(np.searchsorted(self.node, row, side="right") - 1, 0, self.node.size - 2)
        part = (row - self.node[low]) / (self.node[low + 1] - self.node[low])
        out = along[:, low] * (1 - part) + along[:, low + 1] * part
        return np.ascontiguousarray(out.T, np.float32)


def prepare(
    image: Array,
    variance: float | Array,
    traces: TraceSet,
    *,
    gain: float,
    mask: Array | None,
    block: Array | None,
    reach: float,
    degree: int,
    knots: Knots,
    ground: float,
) -> Frame:
    """Return the arrays that the kernels take; arguments as in `fit_profile`."""
    order = rising(traces.center)
    known = np.array(START_WIDTH) if traces.sigma is None else traces.sigma
    known = np.broadcast_to(known, traces.center.shape)
    width = np.where(np.isfinite(known) & (known > 0), known, START_WIDTH)[order]
    assert traces.valid is not None  # made by the constructor
    center = np.where(traces.valid, traces.center, np.nan)[order]
    pieces = basis(reach / float(np.median(width)), knots)
    rows = 2 * math.ceil(pieces.reach * float(width.max()) * MOST_WIDER**0.5 + 0.5) + 1
    data, floor = pixels(image, variance, mask)
    return Frame(
        data=data,
        floor=floor,
        per_count=1 / gain,
        center=transposed(center, np.float64),
        width=transposed(width, np.float64),
        group=groups(order.size, None if block is None else np.asarray(block)[order]),
        pieces=pieces,
        rows=rows,
        nband=bandwidth(center, rows),
        node=np.linspace(0, image.shape[0] - 1, max(2, round(image.shape[0] / GROUND_ROWS) + 1)),
        parts=_parts(traces.ncol, LAST_COLUMNS),
        legendre=legendre(traces.ncol, degree + 1),
        ground_legendre=legendre(traces.ncol, GROUND_DEGREE + 1),
        fiber_legendre=legendre(traces.ncol, max(CENTER_DEGREE, WIDTH_DEGREE) + 1),
        ground_error=ground,
    )


def _parts(ncol: int, most: int) -> list[NDArray[np.intp]]:
    """At most so many columns, in parts of neighbors."""
    chosen = np.unique(np.round(np.linspace(0, ncol, min(most, ncol), endpoint=False)).astype(np.intp))
    return [part.astype(np.intp) for part in np.array_split(chosen, min(PARTS, chosen.size))]
