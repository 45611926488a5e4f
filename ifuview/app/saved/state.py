"""What of a session is kept in a file: plain values; frames are named by their place in the list."""

from __future__ import annotations

from dataclasses import dataclass, field

from ifuview.app.frames.look import Look, ViewState
from ifuview.app.night.state import Place
from ifuview.app.photons.state import LightOptions, Shown
from ifuview.app.session import Layout, Locks, Overlay, Selection
from ifuview.model.frames.source import ImageSource
from ifuview.model.photons.lists import PhotonCut
from ifuview.model.region import Region
from ifuview.model.traces.doctor import DoctorLimits


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file by its place and what it was like.

    Parameters
    ----------
    path : str
    size : int, bytes
        -1: not known, as of folders and of files elsewhere.
    mtime_ns : int
    digest : str
        Of its size and parts of its content; "": not known.
    """

    path: str
    size: int = -1
    mtime_ns: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class SavedMade:
    """A frame that is the difference or ratio of two others."""

    a: int
    b: int
    how: str


@dataclass(frozen=True, slots=True)
class SavedRange:
    """A frame that is an image of a range of wavelengths (Angstrom) of another one; `follows`: so do its limits."""

    frame: int
    how: str
    window: tuple[float, float]
    part: int = 0
    live: bool = True
    follows: bool = True


@dataclass(frozen=True, slots=True)
class SavedPhotons:
    """What of a photon list was shown; `beammap` of raw packets."""

    shown: Shown = Shown.FLAGS
    cut: PhotonCut = field(default_factory=PhotonCut)
    beammap: str = ""


@dataclass(frozen=True, slots=True)
class SavedContours:
    """Contours: the frame that they are of, and what their levels are chosen by."""

    frame: int = -1
    how: str = ""


@dataclass(frozen=True, slots=True)
class SavedFrame:
    """A frame.

    Parameters
    ----------
    title : str
    spec : str
        What was opened, with ds9's extension syntax.
    file : FileMark
        Of what `spec` is in.
    image : str
        Name of the image that is shown.
    number : int
        Which of the images of this name.
    cube : bool
        All extensions as one cube.
    traces : str
        File that they were read from, "" for those that come by themselves or none.
    rgb : tuple of int
        The frames that are its red, green and blue.
    sources : tuple of ImageSource
        Measured on it.
    contours : SavedContours or None
        Drawn over it.
    lost : str
        What cannot be kept, in words.
    """

    title: str = ""
    spec: str = ""
    file: FileMark = field(default_factory=lambda: FileMark(""))
    image: str = ""
    number: int = 0
    cube: bool = False
    plane: tuple[int, ...] = ()
    look: Look = field(default_factory=Look)
    view: ViewState = field(default_factory=ViewState)
    regions: tuple[Region, ...] = ()
    traces: str = ""
    made: SavedMade | None = None
    range: SavedRange | None = None
    rgb: tuple[int, ...] = ()
    sources: tuple[ImageSource, ...] = ()
    contours: SavedContours | None = None
    photons: SavedPhotons | None = None
    place: Place | None = None
    lost: str = ""

    @property
    def parents(self) -> tuple[int, ...]:
        """The frames that it is made of."""
        if self.made is not None:
            return self.made.a, self.made.b
        return self.rgb if self.range is None else (self.range.frame,)


@dataclass(frozen=True, slots=True)
class SavedNight:
    """The folder of exposures that was open; `compared`: of another production."""

    folder: str
    compared: str = ""
    place: Place | None = None
    watched: bool = False
    newest: bool = False
    results: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A session; `current`, `previous`, `blink`, `region` and `elsewhere` of the selection are places in `frames`.

    Parameters
    ----------
    tables : tuple of FileMark
        Tables that were open beside the frames.
    desk, panels : str
        Layout of the panels: its name, and Qt's own words for it (base64).
    time : float, s
        Since 1970: when it was kept.
    """

    frames: tuple[SavedFrame, ...] = ()
    current: int = -1
    previous: int = -1
    layout: Layout = Layout.SINGLE
    arrangement: str = "grid"
    blink_ms: int = 500
    blink: tuple[int, ...] = ()
    locks: Locks = field(default_factory=Locks)
    selection: Selection = field(default_factory=Selection)
    overlay: Overlay = field(default_factory=Overlay)
    section_columns: int = 1
    cut_width: int = 1
    gather: str = "each"
    region: tuple[int, Region] | None = None
    extraction: str = "optimal"
    window: tuple[float, float] | None = None
    doctor_limits: DoctorLimits | None = None
    light: LightOptions | None = None
    tables: tuple[FileMark, ...] = ()
    night: SavedNight | None = None
    trend_files: tuple[str, ...] = ()
    desk: str = ""
    panels: str = ""
    time: float = 0.0
