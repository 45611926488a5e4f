"""What a frame of a photon list shows: which photons of which source, counted how."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ifuview.model.photons.lists import PhotonCut

if TYPE_CHECKING:
    from ifuview.model.photons.images import PhotonImage
    from ifuview.model.photons.lists import PhotonSource
    from ifuview.model.photons.speckle import SpeckleMaps


class Shown(StrEnum):
    """What the image of a photon frame is."""

    FLAGS = "flags"  # the beam flags; nothing is counted
    COUNTS = "counts"
    RATE = "rate"  # photons per second


@dataclass(frozen=True, slots=True, eq=False)
class PhotonFrame:
    """The photon half of a frame (`Slot.photons`).

    Parameters
    ----------
    raw : PhotonSource
        The file as it was written, or its index.
    stack : tuple
        Calibration steps on top of it, lowest first; each can be off (`app.photon_calibration`).
    source : PhotonSource
        `raw` under the stack; `raw` itself while no step is on. What all counting reads.
    live : Any
        `engine.photons.live.LiveImage` or `CoarseImage` of `source`; None until the index is there.
    cut : PhotonCut
        Which photons count.
    shown : Shown
    image : PhotonImage or None
        What was counted last, for saving.
    step : float
        s; of playing through time.
    playing : bool
    speckle : SpeckleMaps or None
        Maps made last.
    looks : tuple of (Shown, Look)
        How what is not shown now looked last.
    name : str
        Of the file, with a number for a second frame of it.
    state : Any
        Size and time of the file when it was opened.
    fps : float
        Steps a second while playing.
    preview : bool
        The image is an estimate, shown while a slider is dragged.
    beammap : str
        Beam-map file that says which resonators raw packets are of; "" for lists with one of their own.
    """

    raw: PhotonSource
    source: PhotonSource
    cut: PhotonCut = field(default_factory=PhotonCut)
    shown: Shown = Shown.FLAGS
    stack: tuple[Any, ...] = ()
    live: Any = None
    image: PhotonImage | None = None
    step: float = 0.1
    playing: bool = False
    speckle: SpeckleMaps | None = None
    looks: tuple[tuple[Shown, Any], ...] = ()
    name: str = ""
    state: Any = None
    fps: float = 10.0
    preview: bool = False
    beammap: str = ""

    def with_cut(self, **changes: Any) -> PhotonFrame:
        """The frame with some bounds of its cut changed."""
        return replace(self, cut=replace(self.cut, **changes))


@dataclass(frozen=True, slots=True)
class LightOptions:
    """How the light of a selection is binned and shown.

    Parameters
    ----------
    width : float
        s; of the bins of light curves and intensity histograms.
    bins : int
        Spectral bins; 0: those of the file.
    background : bool
        Subtract what the annulus around a circle predicts.
    inner, outer : float
        Radii of that annulus in units of the radius of the circle.
    rate : bool
        Per second instead of counts.
    """

    width: float = 0.01
    bins: int = 0
    background: bool = True
    inner: float = 1.5
    outer: float = 2.5
    rate: bool = True
