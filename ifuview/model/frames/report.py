"""What one report page shows, as plain values: a picture, lines over it, one fiber, verdicts and facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ifuview.model.checks import Array, readonly
from ifuview.model.figure import Figure
from ifuview.model.inspection import FiberInspection
from ifuview.model.verdict import VerdictState


@dataclass(frozen=True, slots=True, eq=False)
class ImagePanel:
    """The image of a report, already reduced to a size that a page can show.

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx), `unit`
        NaN where there is no value. Row 0 at the bottom.
    extent : (x0, x1, y0, y1), px
        Outer edges of `data` in 0-based native pixels (the first pixel spans -0.5 to 0.5).
    lo, hi : float
        Display limits.
    transfer, exponent
        As in app.look.Look.
    colors : ndarray of uint8, shape (256, 3), optional
        Color ramp from `lo` to `hi`. Default: the map named `cmap`.
    cmap : str
        Name of a color map; used without `colors`.
    xlabel, ylabel : str
        What the axes of the file mean.
    bar : bool
        Whether the colors are numbers, so that a color bar says which.
    square : bool
        Whether a pixel is as high as wide on the page.
    """

    data: Array
    extent: tuple[float, float, float, float]
    lo: float
    hi: float
    transfer: str = "linear"
    exponent: float = 1000.0
    colors: Array | None = None
    cmap: str = "grey"
    unit: str = ""
    title: str = ""
    xlabel: str = "x (px)"
    ylabel: str = "y (px)"
    bar: bool = True
    square: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", readonly(self.data, "report image", ndim=2, dtype=np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Polyline:
    """A line over the image, in 0-based native pixels."""

    x: Array
    y: Array
    color: str = "#56B4E9"
    selected: bool = False
    width: float = 0.7  # points


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One judged question: the verdict and its reason in words."""

    verdict: VerdictState
    title: str
    text: str


class PageAxes(NamedTuple):
    """How places of the image are called: where the section is, and the axes along and across the fibers."""

    place: str = ""
    along: str = "column (px)"
    across: str = "cross-dispersion (px)"


@dataclass(frozen=True, slots=True, eq=False)
class ReportInput:
    """Everything on the page.

    Parameters
    ----------
    title : str
    created : str
        Date and time with the time zone.
    image : ImagePanel or None
    overlay : tuple of Polyline
        Traces over the image.
    inspection : FiberInspection or None
        The fiber that the page is about.
    verdicts : tuple of VerdictLine
    files : tuple of str
        Every file that went in.
    header : tuple of (keyword, value)
        The few cards that identify the exposure.
    versions : tuple of (name, version)
    notes : tuple of str
        What a reader of the page has to know.
    plots : tuple of Figure
        In place of fiber and spectra, of a photon list: the light of its selections.
    selections : tuple of (color, text)
        What the plots show, below the verdicts.
    facts : tuple of str
        What was measured and is no judgement.
    evidence : Figure or None
        What shows the worst verdict.
    axes : PageAxes
    """

    title: str
    created: str
    image: ImagePanel | None = None
    overlay: tuple[Polyline, ...] = ()
    inspection: FiberInspection | None = None
    verdicts: tuple[VerdictLine, ...] = ()
    files: tuple[str, ...] = ()
    header: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())
    plots: tuple[Figure, ...] = ()
    selections: tuple[tuple[str, str], ...] = ()
    facts: tuple[str, ...] = ()
    evidence: Figure | None = None
    axes: PageAxes = field(default_factory=PageAxes)
