"""What the report of a diagnosis is made from, a figure of it, and the style they share."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifuview.model.checks import Array
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.model.traces.findings import TraceFinding, findings
from ifuview.report import page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (11.0, 7.0)  # inch
DPI = 110
STYLE: dict[str, object] = {
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titley": 1.0,  # a fixed place: looking for a free one takes a tenth of the time
    "axes.labelsize": 10.0,
    "grid.linewidth": 0.7,
    "legend.fontsize": 9.0,
    "image.composite_image": False,
    "image.interpolation": "none",
    "pdf.compression": 4,
}


@dataclass(frozen=True, slots=True, eq=False)
class DoctorReport:
    """What the report of a diagnosis is made from.

    Parameters
    ----------
    diagnosis : TraceDiagnosis
    image : ndarray, shape (ncross, ndisp), optional
        In canonical axes.
    unit : str
        Of the image.
    title : str
    inputs : tuple of (role, name, sha256)
    created, version : str
    """

    diagnosis: TraceDiagnosis
    image: Array | None = None
    unit: str = "counts"
    title: str = "Trace diagnosis"
    inputs: tuple[tuple[str, str, str], ...] = ()
    created: str = ""
    version: str = ""

    @property
    def findings(self) -> tuple[TraceFinding, ...]:
        """All findings, worst first."""
        return findings(self.diagnosis)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A figure that is drawn: its file name without suffix, title, caption, matplotlib Figure and its PNG bytes."""

    name: str
    title: str
    caption: str
    figure: Figure
    png: bytes


def style() -> AbstractContextManager[None]:
    """The style of these figures, whatever the user's own matplotlibrc says."""
    return page.style(STYLE)
