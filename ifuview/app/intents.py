"""What a user can ask for, one frozen class each. Widgets emit these and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar, dataclass_transform

from ifuview.app.frames.look import Look, ViewState
from ifuview.app.session import Layout
from ifuview.model.region import Region


@dataclass_transform(frozen_default=True, eq_default=True)
class Intent:
    """Base of all intents: frozen values with the annotated fields.

    2026-11: not `dataclasses`, which writes and compiles three methods a class; forty of those took 5 % of the start.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(vars(cls).get("__annotations__", ()))

    def __init__(self, *values: Any, **named: Any) -> None:
        given = dict(zip(self._fields, values), **named)
        for name in self._fields:
            if name not in given and not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} needs {name}")
        unknown = set(given) - set(self._fields)
        if unknown or len(values) > len(self._fields):
            raise TypeError(f"{type(self).__name__} does not take {sorted(unknown) or values}")
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, f) == getattr(other, f) for f in self._fields)

    def __hash__(self) -> int:
        return hash((type(self).__name__, *(repr(getattr(self, f)) for f in self._fields)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{f}={getattr(self, f)!r}' for f in self._fields)})"


class OpenFile(Intent):
    """Open a file, with ds9's extension syntax; `every` = all image extensions as frames, `cube` = as one cube."""

    spec: str
    every: bool = False
    look: Look | None = None
    cube: bool = False


class ChooseImage(Intent):
    """Show another image or HDU of the file of a frame, in place or as a new frame."""

    key: int
    hdu: int | str
    new: bool = False


class LoadTraces(Intent):
    """Read a trace file for the current frame (or all frames it fits)."""

    path: str


class MeasureTraces(Intent):
    """Trace the fibers of the current detector image from nothing."""


class Diagnose(Intent):
    """Find out which traces of the current frame are wrong."""


class SetThresholds(Intent):
    """From where on a finding counts (DoctorLimits); the diagnosis of the current frame is judged again."""

    limits: Any


class ApplyCorrection(Intent):
    """Use the corrected traces of the diagnosis in the current frame."""


class UndoTraces(Intent):
    """Go back to the traces before the last correction."""


class SaveTraces(Intent):
    """Write the corrected traces of the current frame in the form of the file they came from."""

    path: str


class ExportDiagnosis(Intent):
    """Write the report of the diagnosis of the current frame into a folder."""

    folder: str


class LoadRegions(Intent):
    """Read a ds9 region file into the current frame."""

    path: str


class SaveRegions(Intent):
    """Write the regions of the current frame as a ds9 region file."""

    path: str


class LoadMask(Intent):
    """Use the first image of a file as the mask of the current frame."""

    path: str


class SetRegions(Intent):
    """Replace the regions of a frame."""

    key: int
    regions: tuple[Region, ...]


class CloseSlot(Intent):
    """Close a frame (None = the current one)."""

    key: int | None = None


class CloseAll(Intent):
    """Close all frames."""


class SelectSlot(Intent):
    """Make a frame current."""

    key: int


class StepSlot(Intent):
    """Go to the next (+1) or previous (-1) frame."""

    step: int


class MoveSlot(Intent):
    """Move a frame to another place in the list."""

    key: int
    position: int


class Reload(Intent):
    """Read the file of a frame again (None = current)."""

    key: int | None = None


class SetLayout(Intent):
    """Single, tile or blink; `keys` are the frames that blink, () all."""

    layout: Layout
    blink_ms: int | None = None
    arrangement: str = ""
    keys: tuple[int, ...] = ()


class SetView(Intent):
    """The user moved or zoomed a frame."""

    key: int
    view: ViewState


class SetLook(Intent):
    """The user changed limits or colors of a frame."""

    key: int
    look: Look


class SetPlane(Intent):
    """Show another plane of a cube."""

    key: int
    plane: tuple[int, ...]


class SetLock(Intent):
    """Switch a lock ("view", "limits", "colors", "crosshair", "plane") on or off."""

    what: str
    on: bool


class Match(Intent):
    """Copy one property ("view", "limits", "colors", "plane") of the current frame to all, once."""

    what: str


class SetOverlay(Intent):
    """Change one field of session.Overlay."""

    name: str
    value: Any


class Combine(Intent):
    """Make a new frame from two: "difference" (a - b) or "ratio" (a / b)."""

    a: int
    b: int
    how: str


class PickPoint(Intent):
    """A click on the image: set the crosshair, select the fiber there."""

    key: int
    x: float
    y: float


class SelectFiber(Intent):
    """Select a fiber by its row (None = nothing); `fibers` when several, `elsewhere` (key, rows) in other frames."""

    fiber: int | None
    fibers: tuple[int, ...] = ()
    elsewhere: tuple[tuple[int, tuple[int, ...]], ...] = ()


class ChooseSpectra(Intent):
    """Select the fibers that a text names: numbers and ranges, or terms like SPECTYPE=QSO, Z>4."""

    text: str


class CloseTables(Intent):
    """Close the tables of a file; those of spectra that are open go with the spectra."""

    path: str


class SetWindow(Intent):
    """Color the focal plane by the light in a wavelength window (lo, hi), Angstrom; None = no window."""

    window: tuple[float, float] | None


class FindFiber(Intent):
    """Select the fiber that the instrument, or else the order of the rows, calls so."""

    name: str


class StepFiber(Intent):
    """Go to the next (+1) or previous (-1) fiber."""

    step: int


class SetSectionColumns(Intent):
    """Number of columns of the running median of the cross-section."""

    n: int


class SetExtraction(Intent):
    """Extract live spectra by "optimal" (all fibers of a band together) or by "boxcar"."""

    method: str


class CancelJob(Intent):
    """Cancel one job, or all of them (None)."""

    id: int | None = None


class ExportReport(Intent):
    """Write the PNG report of the current frames and selection."""

    path: str


class SaveImage(Intent):
    """Save the canvas as a picture."""

    path: str
    format: str = "png"
    dock: str = ""  # picture of this dock instead


class ShowDock(Intent):
    """Show (or hide) a dock by its key."""

    key: str
    on: bool = True


class SetTheme(Intent):
    """Use the "light" or "dark" theme, or "auto" to follow the desktop."""

    name: str


class SetPreferences(Intent):
    """Use other Settings, now and at the next start."""

    settings: Any


class EditPreferences(Intent):
    """Show the preferences."""


class Demo(Intent):
    """Make simulated data and open them with the guided tour."""


class Note(Intent):
    """Put a message into the messages dock."""

    level: str
    text: str
    detail: str = ""


class OpenFolder(Intent):
    """Index a production, a night, an exposure or a tile and list its exposures."""

    path: str


class WatchFolder(Intent):
    """Look for new files in a folder from now on ("": in the open one; `on` False: no more); `newest`: show them.

    `results` is the folder that the triage of each new camera is written to, "" for none.
    """

    path: str = ""
    newest: bool = False
    on: bool = True
    results: str = ""


class ShowProduct(Intent):
    """Show one product of one camera of one exposure; what is not named stays as it is."""

    expid: int | None = None
    camera: str = ""
    product: str = ""


class ShowTileFile(Intent):
    """Open a product of a tile with what belongs to it, or bring it to the front."""

    path: str


class ShowAllCameras(Intent):
    """Open the same product of the same exposure of all cameras of the arm that has the wavelength window."""


class ShowArm(Intent):
    """Show another arm: of a frame (its title) the image of a camera; the crosshair goes to a wavelength."""

    title: str
    camera: str
    wave: float


class StepExposure(Intent):
    """The same product in the exposure after (1) or before (-1)."""

    step: int


class StepCamera(Intent):
    """The same product in the next (1) or previous (-1) camera."""

    step: int


class SameTile(Intent):
    """The same product in the next exposure of the same tile."""


class CompareProduction(Intent):
    """Open another production to compare with."""

    path: str


class OtherProduction(Intent):
    """The same product in the other production, or back."""


class BlinkAlong(Intent):
    """Blink along the "chain", the "exposures" before and after, the "cameras" of an arm, or the "production"s."""

    along: str


class Triage(Intent):
    """Name the first bad product of each camera of the "camera", the "exposure" or the "night" that is open."""

    scope: str = "exposure"


class ShowFinding(Intent):
    """Go to a finding of the triage and blink the two products between which it appears."""

    number: int


class ExportTriage(Intent):
    """Write the triage into a folder."""

    folder: str


class SetPhotonCut(Intent):
    """Count other photons in a photon frame; `final` is False while a slider is dragged."""

    key: int
    cut: Any
    final: bool = True


class ShowPhotons(Intent):
    """Show "flags", "counts" or "rate" in a photon frame (None = current)."""

    what: str
    key: int | None = None


class PlayPhotons(Intent):
    """Play through time in steps of `step` s, `fps` of them a second, or stop."""

    on: bool
    step: float | None = None
    fps: float | None = None


class IndexPhotons(Intent):
    """Make the index of the photon list of a frame (None = current), which live re-binning needs."""

    key: int | None = None


class UseBeammap(Intent):
    """Place the raw packets of a frame (None = current) by a beam-map file."""

    path: str
    key: int | None = None


class CopyPhotons(Intent):
    """Open a second frame of the photon list of the current one, to blink two cuts against each other."""


class SavePhotons(Intent):
    """Save the "image", a "cube" or a "movie" of the current photon frame."""

    what: str
    path: str
    axis: str = "time"
    bins: int = 0


class SaveLight(Intent):
    """Save the light curve or the spectrum ("curve", "spectrum") of the selection as FITS or ECSV."""

    what: str
    path: str


class SetLight(Intent):
    """Change one field of session.light, which says how light curves and spectra are binned and shown."""

    name: str
    value: Any


class CountLight(Intent):
    """Count the light of the selections of the current photon frame, if that is not known already."""


class DrawRegions(Intent):
    """From now on a drag on the canvas draws a "box" or a "circle"; "" as before."""

    shape: str


class LoadCalibration(Intent):
    """Put a wavelength or flat solution, or another step ("linearity", "cosmics", "badpixels"), on the photon list."""

    kind: str
    path: str = ""


class SwitchCalibration(Intent):
    """Switch one step of the stack of the current photon frame on or off, or take it away (`on` None)."""

    number: int
    on: bool | None


class Speckle(Intent):
    """Make maps of Ic, Is and Ip of the current photon frame, "binned" or by "arrival"; `width` in s.

    `ip` is "auto", "free" or the incoherent light in photons per second; `snr` opens the signal to noise too.
    """

    method: str = "binned"
    width: float | None = None
    ip: Any = "auto"
    snr: bool = False


class Lucky(Intent):
    """Open the image of the sharpest moments of the star at the crosshair."""


class SaveSpeckle(Intent):
    """Write the speckle maps made last, with the decay at the crosshair, as FITS."""

    path: str


class FindBadPixels(Intent):
    """Search hot, cold and dead pixels of the current photon frame; they become a step of its stack."""

    method: str = "threshold"


class CompareCalibration(Intent):
    """Blink the current photon frame against itself with one step of the stack (None: all) the other way."""

    number: int | None = None


class ShowSolution(Intent):
    """Open an image of a loaded solution as a frame: "resolution", "weights", "mask" (`plane`: laser or bin)."""

    what: str
    plane: int | None = None


class PlotCalibrations(Intent):
    """Write all plots of the solutions in the stack of the current photon frame into a folder."""

    folder: str


class WriteCalibrated(Intent):
    """Write the photons of the current frame with the steps that are on as a new photon list."""

    path: str
