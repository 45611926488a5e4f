"""What a user can ask for, one frozen class each. Widgets emit these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ifuview.app.look import Look, ViewState
from ifuview.app.session import Layout
from ifuview.model.region import Region


@dataclass(frozen=True, slots=True)
class Intent:
    """Base of all intents."""


@dataclass(frozen=True, slots=True)
class OpenFile(Intent):
    """Open a file, with ds9's extension syntax; `every` = all image extensions as frames, `cube` = as one cube."""

    spec: str
    every: bool = False
    look: Look | None = None
    cube: bool = False


@dataclass(frozen=True, slots=True)
class ChooseImage(Intent):
    """Show another image or HDU of the file of a frame, in place or as a new frame."""

    key: int
    hdu: int | str
    new: bool = False


@dataclass(frozen=True, slots=True)
class LoadTraces(Intent):
    """Read a trace file for the current frame (or all frames it fits)."""

    path: str


@dataclass(frozen=True, slots=True)
class MeasureTraces(Intent):
    """Trace the fibers of the current detector image from nothing."""


@dataclass(frozen=True, slots=True)
class LoadRegions(Intent):
    """Read a ds9 region file into the current frame."""

    path: str


@dataclass(frozen=True, slots=True)
class SaveRegions(Intent):
    """Write the regions of the current frame as a ds9 region file."""

    path: str


@dataclass(frozen=True, slots=True)
class LoadMask(Intent):
    """Use the first image of a file as the mask of the current frame."""

    path: str


@dataclass(frozen=True, slots=True)
class SetRegions(Intent):
    """Replace the regions of a frame."""

    key: int
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class CloseSlot(Intent):
    """Close a frame (None = the current one)."""

    key: int | None = None


@dataclass(frozen=True, slots=True)
class CloseAll(Intent):
    """Close all frames."""


@dataclass(frozen=True, slots=True)
class SelectSlot(Intent):
    """Make a frame current."""

    key: int


@dataclass(frozen=True, slots=True)
class StepSlot(Intent):
    """Go to the next (+1) or previous (-1) frame."""

    step: int


@dataclass(frozen=True, slots=True)
class MoveSlot(Intent):
    """Move a frame to another place in the list."""

    key: int
    position: int


@dataclass(frozen=True, slots=True)
class Reload(Intent):
    """Read the file of a frame again (None = current)."""

    key: int | None = None


@dataclass(frozen=True, slots=True)
class SetLayout(Intent):
    """Single, tile or blink."""

    layout: Layout
    blink_ms: int | None = None
    arrangement: str = ""


@dataclass(frozen=True, slots=True)
class SetView(Intent):
    """The user moved or zoomed a frame."""

    key: int
    view: ViewState


@dataclass(frozen=True, slots=True)
class SetLook(Intent):
    """The user changed limits or colors of a frame."""

    key: int
    look: Look


@dataclass(frozen=True, slots=True)
class SetPlane(Intent):
    """Show another plane of a cube."""

    key: int
    plane: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetLock(Intent):
    """Switch a lock ("view", "limits", "colors", "crosshair", "plane") on or off."""

    what: str
    on: bool


@dataclass(frozen=True, slots=True)
class Match(Intent):
    """Copy one property ("view", "limits", "colors", "plane") of the current frame to all, once."""

    what: str


@dataclass(frozen=True, slots=True)
class SetOverlay(Intent):
    """Change one field of session.Overlay."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Combine(Intent):
    """Make a new frame from two: "difference" (a - b) or "ratio" (a / b)."""

    a: int
    b: int
    how: str


@dataclass(frozen=True, slots=True)
class PickPoint(Intent):
    """A click on the image: set the crosshair, select the fiber there."""

    key: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class SelectFiber(Intent):
    """Select a fiber by its row (None = nothing); `fibers` when several."""

    fiber: int | None
    fibers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StepFiber(Intent):
    """Go to the next (+1) or previous (-1) fiber."""

    step: int


@dataclass(frozen=True, slots=True)
class SetSectionColumns(Intent):
    """Number of columns of the running median of the cross-section."""

    n: int


@dataclass(frozen=True, slots=True)
class CancelJob(Intent):
    """Cancel one job, or all of them (None)."""

    id: int | None = None


@dataclass(frozen=True, slots=True)
class ExportReport(Intent):
    """Write the PNG report of the current frames and selection."""

    path: str


@dataclass(frozen=True, slots=True)
class SaveImage(Intent):
    """Save the canvas as a picture."""

    path: str
    format: str = "png"


@dataclass(frozen=True, slots=True)
class ShowDock(Intent):
    """Show (or hide) a dock by its key."""

    key: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class SetTheme(Intent):
    """Use the "light" or "dark" theme, or "auto" to follow the desktop."""

    name: str


@dataclass(frozen=True, slots=True)
class Demo(Intent):
    """Make simulated data and open them with the guided tour."""


@dataclass(frozen=True, slots=True)
class Note(Intent):
    """Put a message into the messages dock."""

    level: str
    text: str
    detail: str = ""
