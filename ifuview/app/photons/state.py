"""What a frame of a photon list shows: which photons of which source, counted how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.photons.units import cut_words
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PhotonCut
from ifuview.model.region import Region

if TYPE_CHECKING:
    from ifuview.app.frames.look import Look
    from ifuview.app.frames.past import Past
    from ifuview.engine.photons.counting.coarse import CoarseImage
    from ifuview.engine.photons.counting.live import LiveImage
    from ifuview.model.image import Image
    from ifuview.model.photons.calibration_stack import Step
    from ifuview.model.photons.images import PhotonImage
    from ifuview.model.photons.light import Aperture, BinnedLight, IntensityHistogram, IntervalHistogram
    from ifuview.model.photons.lists import PhotonSource
    from ifuview.model.photons.speckle import SpeckleMaps
    from ifuview.model.photons.verdict import PhotonFinding, PhotonVerdict

CHUNK = 40  # steps of playing that are counted at a time


class Shown(StrEnum):
    """What the image of a photon frame is."""

    FLAGS = "flags"  # the beam flags; nothing is counted
    COUNTS = "counts"
    RATE = "rate"  # photons per second


@dataclass(frozen=True, slots=True, eq=False)
class PlayStep:
    """One step of playing."""

    cut: PhotonCut
    counted: PhotonImage
    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class Reel:
    """What a frame that plays shows next.

    Parameters
    ----------
    made_for : tuple
        What its pictures depend on besides the time; others are of no use.
    time : float
        s; where the steps that are counted next begin.
    steps : tuple of PlayStep
        Counted and not shown yet.
    limits : tuple of float, or None
        For all of them; None until some are counted.
    """

    made_for: tuple[object, ...]
    time: float
    steps: tuple[PlayStep, ...] = ()
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PhotonJudged:
    """What is known of the verdict on a photon list.

    Parameters
    ----------
    stack : tuple
        Calibration steps that it is about.
    found : PhotonVerdict or None
        None: it is being judged, or cannot be.
    why : str
        Why it is not judged; "" while it is being judged, and afterwards.
    problem : int
        Which finding the verdict bar speaks of; -1: of all.
    """

    stack: Steps = ()
    found: PhotonVerdict | None = None
    why: str = ""
    problem: int = -1

    def about(self, stack: Steps) -> bool:
        """Whether it is about just these steps: the same values, which are not compared."""
        return len(stack) == len(self.stack) and all(one is other for one, other in zip(stack, self.stack))

    @property
    def marked(self) -> tuple[PhotonFinding, ...]:
        """The findings that are marked on the canvas: the chosen one, else all that are new."""
        findings = () if self.found is None else self.found.findings
        if 0 <= self.problem < len(findings):
            return (findings[self.problem],)
        return tuple(finding for finding in findings if not finding.known)

    @property
    def marked_pixels(self) -> Array:
        """x, y of their pixels, (n, 2)."""
        return np.concatenate([np.empty((0, 2)), *(finding.pixels for finding in self.marked)])

    @property
    def marked_areas(self) -> tuple[tuple[str, int, int, int, int], ...]:
        """Name, first and last pixel x0, y0, x1, y1 of their feedlines."""
        return tuple(
            (f"feedline {', '.join(map(str, finding.feedlines))}", *finding.area)
            for finding in self.marked
            if finding.area is not None
        )


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
    live : LiveImage, CoarseImage or None
        Of `source`, what the sliders count with; None until the index is there.
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
    state : tuple of int, or None
        Size and time (ns) of the file when it was opened.
    fps : float
        Steps a second while playing.
    preview : bool
        The image is an estimate, shown while a slider is dragged.
    beammap : str
        Beam-map file that says which resonators raw packets are of; "" for lists with one of their own.
    reel : Reel or None
        What is shown next while playing.
    judged : PhotonJudged or None
        None: nobody has asked.
    past : tuple of Past
        Stacks before the last changes, the last one last.
    undone : tuple of Past
        Stacks that were taken back, the last one last.
    """

    raw: PhotonSource
    source: PhotonSource
    cut: PhotonCut = field(default_factory=PhotonCut)
    shown: Shown = Shown.FLAGS
    stack: Steps = ()
    live: Live | None = None
    image: PhotonImage | None = None
    step: float = 0.1
    playing: bool = False
    speckle: SpeckleMaps | None = None
    looks: tuple[tuple[Shown, Look], ...] = ()
    name: str = ""
    state: tuple[int, int] | None = None
    fps: float = 10.0
    preview: bool = False
    beammap: str = ""
    reel: Reel | None = None
    judged: PhotonJudged | None = None
    past: tuple[Past[Steps], ...] = ()
    undone: tuple[Past[Steps], ...] = ()

    def with_cut(self, **changes: float | bool | tuple[str, ...] | None) -> PhotonFrame:
        """The frame with some bounds of its cut changed."""
        return replace(self, cut=replace(self.cut, **changes))  # type: ignore[arg-type]

    def words(self) -> str:
        """What of the list is shown, in a few words."""
        if self.shown is Shown.FLAGS:
            return "flags"
        return cut_words(self.source.info, self.cut) or "all photons"

    def rings(self, options: LightOptions | None) -> tuple[float, float] | None:
        """Radii of the background annulus of circles, in radii of the circle; None if there is none."""
        usual = options or LightOptions()
        return (usual.inner, usual.outer) if usual.background else None


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


@dataclass(frozen=True, slots=True)
class FoundStep:
    """Hot, cold and dead pixels that were searched here; flags of their own beside those of the file."""

    flags: Mapping[str, Array]  # of FOUND: boolean image (ny, nx)
    method: str
    on: bool = True
    key: str = "found"


if TYPE_CHECKING:
    PhotonStep = Step | FoundStep  # of the calibration stack of a frame
    Steps = tuple[PhotonStep, ...]
    Live = LiveImage | CoarseImage


@dataclass(frozen=True, slots=True)
class Picked:
    """One selection: the pixel of the crosshair (`region` None) or a region."""

    label: str
    color: str
    pixel: tuple[int, int] | None = None
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class LightRequest:
    """What is to be counted for one frame."""

    key: int
    source: PhotonSource
    cut: PhotonCut
    picked: tuple[Picked, ...]
    options: LightOptions


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """What one selection gave.

    Parameters
    ----------
    picked : Picked
    aperture : Aperture or None
    curve, spectrum : BinnedLight or None
    histogram : IntensityHistogram or None
    intervals : IntervalHistogram or None
    photons : float
        In the selection, background not subtracted.
    notes : tuple of str
        What could not be measured and why.
    """

    picked: Picked
    aperture: Aperture | None = None
    curve: BinnedLight | None = None
    spectrum: BinnedLight | None = None
    histogram: IntensityHistogram | None = None
    intervals: IntervalHistogram | None = None
    photons: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Lights:
    """What was counted last (`Session.lights`)."""

    request: LightRequest
    found: tuple[Light, ...]
