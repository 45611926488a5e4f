"""What a user can ask of any image, of the window and of its jobs; `Intent`, the base of all that can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from ifuview.app.frames.look import Look, ViewState
from ifuview.app.session import Layout
from ifuview.model.region import Region

if TYPE_CHECKING:
    from ifuview.app.frames.tour import TourPlan
    from ifuview.settings import Settings


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
    """Open a file, with ds9's extension syntax; `every` = all image extensions as frames, `cube` = as one cube.

    `once`: not while the same is being opened.
    """

    spec: str
    every: bool = False
    look: Look | None = None
    cube: bool = False
    once: bool = False


class ChooseImage(Intent):
    """Show another image or HDU of the file of a frame, in place or as a new frame."""

    key: int
    hdu: int | str
    new: bool = False


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


class DrawRegions(Intent):
    """From now on a drag on the canvas draws a "box" or a "circle"; "" as before."""

    shape: str


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


class FileChanged(Intent):
    """Another program wrote into, or over, a file that is shown."""

    path: str


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
    """Switch a lock ("view", "sky", "limits", "colors", "crosshair", "plane") on or off."""

    what: str
    on: bool


class Match(Intent):
    """Copy one property ("view", "sky", "limits", "colors", "plane") of the current frame to all, once."""

    what: str


class SetOverlay(Intent):
    """Change one field of session.Overlay."""

    name: str
    value: bool | str


class Combine(Intent):
    """Make a new frame from two: "difference" (a - b) or "ratio" (a / b)."""

    a: int
    b: int
    how: str


class MakeRgb(Intent):
    """Show the current frame and the two latest others of its size as red, green and blue."""


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


class FindFiber(Intent):
    """Select the fiber that the instrument, or else the order of the rows, calls so."""

    name: str


class StepFiber(Intent):
    """Go to the next (+1) or previous (-1) fiber."""

    step: int


class CancelJob(Intent):
    """Cancel one job, or all of them (None)."""

    id: int | None = None


class ExportReport(Intent):
    """Write the PNG report of the current frames and selection."""

    path: str


class SaveTable(Intent):
    """Save the "spectra" of the selected fibers, the "fibers" of the frame or the "findings" as a table."""

    what: str
    path: str


class SaveImage(Intent):
    """Save the canvas as a picture."""

    path: str
    format: str = "png"
    dock: str = ""  # picture of this dock instead


class CopyText(Intent):
    """Put a text on the clipboard."""

    text: str


class ShowDesk(Intent):
    """Arrange the panels for another task, by its name."""

    name: str


class ShowDock(Intent):
    """Show (or hide) a dock by its key; `front`: before those that share its place."""

    key: str
    on: bool = True
    front: bool = True


class SetTheme(Intent):
    """Use the "light" or "dark" theme, or "auto" to follow the desktop."""

    name: str


class SetPreferences(Intent):
    """Use other Settings, now and at the next start."""

    settings: Settings


class EditPreferences(Intent):
    """Show the preferences."""


class Demo(Intent):
    """Make simulated data and open them with the guided tour."""


class OpenConsole(Intent):
    """Show the Python console."""


class TalkSamp(Intent):
    """Join ("connect") or leave ("leave") the SAMP hub, or send an "image", the "table" of fibers, a "spectrum"."""

    what: str


class Note(Intent):
    """Put a message into the messages dock."""

    level: str
    text: str
    detail: str = ""


class BeginTour(Intent):
    """Lead the user through the demo when its files are open."""

    plan: TourPlan


class Judge(Intent):
    """Judge what is open in the background, or go on; `on` False: stop. What was stopped goes on only `by_user`."""

    on: bool = True
    by_user: bool = True


class ShowCell(Intent):
    """Show a step of the chain that the verdict bar speaks of."""

    key: str


class ShowProblem(Intent):
    """Go to a problem, by its number or `step` further; `blink`: between the two pictures that prove it."""

    number: int | None = None
    step: int = 0
    blink: bool = False
