"""Everything that one opened file gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ifuview.model.checks import Array, Convertible, brief, sizes
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from ifuview.model.photons.lists import PhotonInfo

MOST_NAMES = 6  # images that a repr names
CardValue = str | bool | int | float | complex | None
Card = tuple[str, CardValue, str]  # keyword, value, comment


@dataclass(frozen=True, slots=True)
class HduInfo:
    """One HDU (or HDF5 node) as the extension chooser and the header dock list it.

    Parameters
    ----------
    index : int
    name : str
        EXTNAME, "" if none.
    version : int
        EXTVER.
    kind : str
        "image", "compressed image", "table" or "empty".
    shape : tuple of int
        numpy order; (nrow,) for a table.
    dtype : str
        Stored type ("float32", "int16", ...), columns for a table.
    unit : str
    cards : tuple of (keyword, value, comment)
        The whole header in file order, comments and history included.
    """

    index: int
    name: str
    version: int = 1
    kind: str = "image"
    shape: tuple[int, ...] = ()
    dtype: str = ""
    unit: str = ""
    cards: tuple[Card, ...] = ()

    def __repr__(self) -> str:
        return brief(self, f"[{self.index}] {self.name}".rstrip(), self.kind, sizes(self.shape), self.unit)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table of a file: column name to array, all of one length."""

    name: str
    columns: Mapping[str, Array]
    units: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        rows = len(next(iter(self.columns.values()), ()))
        return brief(self, self.name, f"{rows} rows", f"{len(self.columns)} columns")


@dataclass(frozen=True, slots=True, eq=False)
class Dataset(Convertible):
    """What a reader made of one file.

    Parameters
    ----------
    path : str
    spec : str
        What the user typed, with the extension syntax.
    instrument : str
        Name of the instrument file used ("plain" if none fits).
    kind : str
        Product family: "frame", "sky", "psf", "cube", "image", "traces", ...
    images : tuple of Image
        Images that can be shown, the default one first.
    traces : TraceSet or None
    fibermap : FiberMap or None
    tables : tuple of Table
    hdus : tuple of HduInfo
    notes : tuple of str
        What the reader wants the user to know.
    companions : tuple of str
        Paths of files that belong to this one (its psf beside it), to be offered or loaded.
    arms : tuple of str
        Paths of the same product of the other arms of its fibers, that lay beside it when it was read.
    models : tuple of Image
        Fits of the spectra that lie in the file with them, one image an arm.
    skies : tuple of Image
        The sky that was taken off them, likewise.
    block : str
        What the instrument calls a group of fibers on the slit ("bundle", "block", "slitlet").
    photons : PhotonInfo or None
        What is known of a photon list (`kind` "photons"); its photons are read from `path`.
    """

    path: str
    spec: str = ""
    instrument: str = "plain"
    kind: str = "image"
    images: tuple[Image, ...] = ()
    traces: TraceSet | None = None
    fibermap: FiberMap | None = None
    tables: tuple[Table, ...] = ()
    hdus: tuple[HduInfo, ...] = ()
    notes: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    block: str = "block"
    models: tuple[Image, ...] = ()
    skies: tuple[Image, ...] = ()
    photons: PhotonInfo | None = None

    def __repr__(self) -> str:
        images = ", ".join(image.name for image in self.images[:MOST_NAMES])
        more = len(self.images) - MOST_NAMES
        traces = f"{self.traces.nfiber} traces" if self.traces is not None else ""
        fibers = f"{self.fibermap.nfiber} fibers" if self.fibermap is not None else ""
        shown = f"images: {images}" + (f" and {more} more" if more > 0 else "") if images else ""
        return brief(self, self.spec or self.path, self.instrument, self.kind, shown, traces, fibers)

    def to_table(self) -> object:
        """A Table of astropy; see `ifuview.to_table`."""
        import ifuview

        found: object = ifuview.to_table(self)
        return found
