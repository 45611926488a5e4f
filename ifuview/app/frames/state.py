"""What a session holds beside an image: what a frame was made from, its place on the detector, open tables, bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ifuview.model.checks import Array
from ifuview.model.dataset import Table
from ifuview.model.image import Amplifier
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet


@dataclass(frozen=True, slots=True)
class Made:
    """Which two frames a frame is the difference or ratio of, and the limits that it was last given."""

    a: int
    b: int
    how: str
    limits: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Parent:
    """The photon frame that an image was made from (`Slot.made_of`)."""

    key: int


@dataclass(frozen=True, slots=True)
class RangeOf:
    """The cube whose wavelength window a frame shows, how, which of several images, the limits it was last given.

    Of a set of fibers `fibers` has the row of each pixel, -1 for none. The latest of a kind is `live`: it follows the
    window; `window` (Angstrom) is that of the image.
    """

    key: int
    how: str
    part: int = 0
    limits: tuple[float | None, float | None] = (None, None)
    fibers: Array | None = field(default=None, compare=False)
    live: bool = True
    window: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class RgbOf:
    """The frames that are the red, green and blue of one; they are shown within their own limits."""

    keys: tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class DetectorPlace:
    """Traces with wavelengths, and the detector they are on (`shape` native)."""

    traces: TraceSet
    shape: tuple[int, int]
    orientation: Orientation
    amplifiers: tuple[Amplifier, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """Where the problem that is shown lies, marked on the frames that show it.

    Parameters
    ----------
    frames : frozenset of int
        Their keys.
    fibers : tuple of int
        Rows of the traces or of the spectra; () for all.
    wave : (float, float), Angstrom, or None
        None: all wavelengths.
    amplifier : str
        The part of the detector that has it, "" for none.
    box : (x0, y0, x1, y1) or None
        On a detector image: the pixels, native, in place of fibers and wavelengths.
    """

    frames: frozenset[int]
    fibers: tuple[int, ...] = ()
    wave: tuple[float, float] | None = None
    amplifier: str = ""
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OpenTable:
    """One table of a file.

    Parameters
    ----------
    path : str
    title : str
        File and table.
    table : Table
    """

    path: str
    title: str
    table: Table

    @property
    def nrow(self) -> int:
        """Number of rows."""
        return len(next(iter(self.table.columns.values()), ()))


@dataclass(frozen=True, slots=True)
class MemoryBounds:
    """How much may be open.

    Parameters
    ----------
    warn, most : int, MiB
        A message appears above `warn`; above `most` nothing is kept that can be made again, and nothing is opened.
    told : int
        How many of the bounds were exceeded last.
    """

    warn: int
    most: int
    told: int = 0
