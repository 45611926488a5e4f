"""The whole state of the tool as one frozen value, with steps that make the next one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ifuview.app.frames.look import Look, ViewState
from ifuview.model.checks import Array, brief
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.region import Region
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from ifuview.app.frames.measuring.state import OnFrame
    from ifuview.app.frames.past import Past
    from ifuview.app.frames.sky.maps import SkyMap
    from ifuview.app.frames.state import DetectorPlace, Made, MemoryBounds, OpenTable, Parent, Proof, RangeOf, RgbOf
    from ifuview.app.frames.views.pyramid import Pyramid
    from ifuview.app.night.detections.state import DetectionState
    from ifuview.app.night.reduction.state import FieldPlace, ReductionState, SkyChannel
    from ifuview.app.night.state import HealthState, Night, TriageState
    from ifuview.app.photons.state import LightOptions, LightRequest, Lights, PhotonFrame
    from ifuview.app.spectra.state import Gathered, JudgedSpectra
    from ifuview.engine.ccd.health import AmplifierHealth
    from ifuview.engine.traces.doctor.gather import Evidence
    from ifuview.model.inspection import FiberInspection
    from ifuview.model.night.trends import TrendTable
    from ifuview.model.traces.doctor import DoctorLimits, TraceDiagnosis


class Layout(StrEnum):
    """How the frames share the canvas."""

    SINGLE = "single"
    TILE = "tile"
    BLINK = "blink"


class Level(StrEnum):
    """How serious a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Message:
    """Something that happened; `detail` is folded away (a trace back, a list)."""

    level: Level
    text: str
    detail: str = ""
    time: float = 0.0


TRACE_KINDS = ("traces", "psf")  # families of files of traces


def usual_aspect(image: Image, family: str) -> float:
    """`ViewState.aspect` at opening: of fibers, or one, by wavelength or by coefficient of traces nothing is square."""
    return 0.0 if image.kind in (Kind.RSS, Kind.SPECTRUM) or family in TRACE_KINDS else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One frame in the sense of ds9: an image and how it is shown.

    Parameters
    ----------
    key : int
        Unique within the session; never used again.
    title : str
    dataset : Dataset
    image : Image
    plane : tuple of int
        Index of the shown plane along the leading axes of a cube.
    look : Look
    view : ViewState
    traces : TraceSet or None
        The overlay; canonical axes of `image`.
    regions : tuple of Region
    pyramid : Pyramid or None
        Reduced copies, made by a job; None = not yet.
    diagnosis : TraceDiagnosis or None
        Of `traces`, or of those that were corrected.
    evidence : Evidence or None
        What was measured for it: other limits are tried on it.
    past_traces : tuple of Past
        Traces before each change at the user's wish (None: there were none), latest last.
    undone_traces : tuple of Past
        Traces that were taken back, latest last.
    photons : PhotonFrame or None
        Of a photon list, once it is read.
    detector : DetectorPlace or None
        Of row-stacked spectra: where they lie on the CCD.
    made_of : Made, Parent, RangeOf or None
        The two frames that it is the difference of, the photon frame that it was made from, or the cube whose range of
        wavelengths it is, or the three that are its colors; it follows them.
    sky : SkyMap or None
        Where the pixels lie on the sky where arithmetic does not tell (`sky.lock.sky_of`), once a task has made it.
    measured : OnFrame or None
        Sources and contours, at the user's wish.
    health : AmplifierHealth or None
        Of a raw amplifier that was opened alone.
    judged : JudgedSpectra or None
        Of spectra that were opened without the products that they were made of.
    stale : bool
        The file is another by now.
    """

    key: int
    title: str
    dataset: Dataset
    image: Image
    plane: tuple[int, ...] = ()
    look: Look = field(default_factory=Look)
    view: ViewState = field(default_factory=ViewState)
    traces: TraceSet | None = None
    regions: tuple[Region, ...] = ()
    pyramid: Pyramid | None = None
    diagnosis: TraceDiagnosis | None = None
    evidence: Evidence | None = None
    past_traces: tuple[Past[TraceSet | None], ...] = ()
    undone_traces: tuple[Past[TraceSet | None], ...] = ()
    photons: PhotonFrame | None = None
    detector: DetectorPlace | None = None
    made_of: Made | Parent | RangeOf | RgbOf | None = None
    sky: SkyMap | None = None
    measured: OnFrame | None = None
    health: AmplifierHealth | None = None
    judged: JudgedSpectra | None = None
    stale: bool = False

    def __repr__(self) -> str:
        return brief(self, self.key, self.title, self.image)

    @property
    def whole(self) -> ViewState:
        """The whole image fitted as at opening; it stays turned as it is."""
        return replace(self.view, fit=True, part=None, aspect=usual_aspect(self.image, self.dataset.kind))

    def _repr_html_(self) -> str:
        import ifuview

        return str(ifuview.to_html(self))


@dataclass(frozen=True, slots=True)
class Locks:
    """What follows from the current frame to all others when it changes: `view` by pixels, or `sky` by WCS."""

    view: bool = True
    sky: bool = False
    limits: bool = False
    colors: bool = False
    crosshair: bool = True
    plane: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What the docks follow.

    Parameters
    ----------
    fiber : int or None
        Row of the traces, of the spectra and of the fiber table.
    x, y : float or None
        Native pixel position of the crosshair in the current frame.
    fibers : tuple of int
        All selected rows when there is more than one.
    elsewhere : tuple of (key, rows)
        Selected rows of other frames, as a lasso over several cameras gives; they take over when a frame is shown.
    """

    fiber: int | None = None
    x: float | None = None
    y: float | None = None
    fibers: tuple[int, ...] = ()
    elsewhere: tuple[tuple[int, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn above the image."""

    traces: bool = True
    labels: bool = True
    regions: bool = True
    amplifiers: bool = True
    iso_wave: bool = False
    crosshair: bool = True
    color_by: str = "block"  # or the name of a per-fiber metric
    colorbar: bool = True
    magnifier: bool = False
    panner: bool = True
    alternate: bool = False  # draw the other of given and corrected traces
    blocks: bool = False  # row-stacked spectra: borders of blocks, and of every second one
    sky_fibers: bool = False
    bad_fibers: bool = False
    grid: bool = False  # right ascension and declination
    sexagesimal: bool = False  # positions on the sky in hours, minutes and seconds, not in degrees


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Everything that is open and how it is shown."""

    slots: tuple[Slot, ...] = ()
    current: int | None = None  # key of a slot
    previous: int | None = None
    layout: Layout = Layout.SINGLE
    arrangement: str = "grid"  # of tiles: grid, row, column
    blink_ms: int = 500
    blink_keys: tuple[int, ...] = ()  # frames that blink; (): all
    locks: Locks = field(default_factory=Locks)
    selection: Selection = field(default_factory=Selection)
    overlay: Overlay = field(default_factory=Overlay)
    inspection: FiberInspection | None = None
    metrics: tuple[tuple[str, Array], ...] = ()  # per-fiber values that can color the traces
    section_columns: int = 1
    cut_width: int = 1  # px across the line of a cut
    doctor_limits: DoctorLimits | None = None  # None: the usual ones
    extraction: str = "optimal"  # of live spectra: optimal (all fibers together) or boxcar
    messages: tuple[Message, ...] = ()
    recent: tuple[str, ...] = ()
    tables: tuple[OpenTable, ...] = ()  # redshifts and QA beside the frames
    models: tuple[Dataset, ...] = ()  # best fits of spectra, beside the frames
    window: tuple[float, float] | None = None  # Angstrom; colors the focal plane
    next_key: int = 1
    headless: bool = False  # pictures are written and the program ends: nothing is read ahead, no dock is raised
    judges: bool = True  # what is opened is judged at once
    memory: MemoryBounds | None = None  # None: as much may be open as there is
    base_look: Look | None = None  # of new frames, from the preferences; None: what suits the image
    triage: TriageState | None = None  # of what was looked at last
    health: HealthState | None = None  # of the amplifiers of a raw night
    reduction: ReductionState | None = None  # of the raw exposure that was reduced last
    detections: DetectionState | None = None  # of the observation that was opened last
    trends: TrendTable | None = None  # numbers of exposures, as far as files with them were opened
    trend_files: tuple[str, ...] = ()  # those files and folders
    channels: tuple[SkyChannel, ...] = ()  # of its target, as far as they are reduced
    aperture: FieldPlace | None = None  # circle of the field that is looked at
    problem: int = 0  # of the traces or spectra on the canvas, that the verdict bar speaks of
    unjudged: frozenset[int] = frozenset()  # frames that nobody judges: that was stopped, or it failed
    proof: Proof | None = None  # where the problem that is shown lies
    light: LightOptions | None = None  # None: the usual ones
    light_asked: LightRequest | None = None  # what was counted last, or is being counted
    lights: Lights | None = None  # the light of selections that was counted last
    drawing: str = ""  # shape that a drag on the canvas draws: box, circle or none
    region: tuple[int, Region] | None = None  # frame and region whose spectrum is shown
    gather: str = "each"  # how a region (as mean then) or several fibers become one spectrum: sum, mean, median
    gathered: Gathered | None = None  # the spectrum of the region or of the fibers
    night: Night | None = None  # None: no folder of exposures is open

    def __repr__(self) -> str:
        shown = self.slot()
        fiber = f"fiber {self.selection.fiber}" if self.selection.fiber is not None else ""
        return brief(self, f"{len(self.slots)} frames", shown.title if shown is not None else "", fiber)

    def _repr_html_(self) -> str:
        import ifuview

        return str(ifuview.to_html(self))

    def slot(self, key: int | None = None) -> Slot | None:
        """The slot with `key`, by default the current one; None if there is none."""
        want = self.current if key is None else key
        return next((s for s in self.slots if s.key == want), None)

    def with_slot(self, slot: Slot) -> Session:
        """The session with the slot of the same key replaced."""
        return replace(self, slots=tuple(slot if s.key == slot.key else s for s in self.slots))

    def with_slots(self, slots: Iterable[Slot]) -> Session:
        """The session with exactly these slots; the current one stays if it is among them."""
        slots = tuple(slots)
        keys = [s.key for s in slots]
        current = self.current if self.current in keys else (keys[-1] if keys else None)
        previous = self.previous if self.previous in keys else None
        return replace(self, slots=slots, current=current, previous=previous)

    def adding(self, slot: Slot) -> Session:
        """The session with one more slot, made current."""
        return replace(
            self,
            slots=(*self.slots, slot),
            previous=self.current,
            current=slot.key,
            next_key=max(self.next_key, slot.key + 1),
        )

    def showing(self, key: int) -> Session:
        """The session with another current slot."""
        return self if key == self.current else replace(self, previous=self.current, current=key)
