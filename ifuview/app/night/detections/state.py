"""What the session knows of the detections of an observation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ifuview.model.night.detections import DetectionSpectrum, DetectionTable, Judgment, PlaceFibers

if TYPE_CHECKING:
    from ifuview.app.frames.past import Past

Said = tuple[int, Judgment | None]  # a detection, and what was said of it before


class DetectionSource(Protocol):
    """Where spectra and fibers of detections come from."""

    def spectrum(self, row: int) -> DetectionSpectrum:
        """The spectrum of one detection."""

    def fibers(self, row: int, reach: float) -> PlaceFibers:
        """The fibers within `reach` (arcsec) of it, the nearest first."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectionState:
    """Detections of a file, and what was said of them.

    Parameters
    ----------
    path : str
        Of the file; of a reduction in memory its title.
    title : str
    table : DetectionTable
    source : DetectionSource
    row : int
        The one that is looked at, -1 for none.
    said : mapping of int to Judgment
        By row.
    past : tuple of Past
        Each judgment that was given, with its detection and what stood there before; the last can be taken back.
    undone : tuple of Past
        Those that were taken back, with what stood there until then.
    saved : str
        File that holds all that was said, "" if something is in none.
    """

    path: str
    title: str
    table: DetectionTable
    source: DetectionSource
    row: int = -1
    said: Mapping[int, Judgment] = field(default_factory=dict)
    past: tuple[Past[Said], ...] = ()
    undone: tuple[Past[Said], ...] = ()
    saved: str = ""
