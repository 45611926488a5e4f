"""ExposureIndex: which files belong to which exposure, camera and product, and what the night log says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from ifuview.model.chain_spec import ChainSpec
from ifuview.model.night.raw import RawAmplifier, RawExposure, RawNight
from ifuview.model.reduction.tables import FocalSlot

NO_CHAIN = ChainSpec()
RAW = "raw"  # what the detectors gave: one file of all cameras


class FileState(StrEnum):
    """What can be told of a file without reading it."""

    READY = "ready"
    WRITING = "being written"
    DAMAGED = "damaged"


class Dot(StrEnum):
    """What the status dot of one camera and product says."""

    PRESENT = "there"
    BAD_AMPLIFIER = "there, with a bad amplifier"
    BAD_CAMERA = "there, but the log calls the camera bad"
    WRITING = "being written"
    DAMAGED = "damaged"
    MISSING = "missing"
    OFF = "camera not used"


@dataclass(frozen=True, slots=True)
class ProductFile:
    """A file of one camera: size in bytes, time of the last change in ns."""

    path: str
    size: int = 0
    mtime: int = 0
    state: FileState = FileState.READY


@dataclass(frozen=True, slots=True)
class TileFile:
    """A product of a tile.

    Parameters
    ----------
    tile : int
    family : str
        "coadd", "spectra", "redrock", "tile-qa", ...
    petal : int or None
        None: of the whole tile.
    group : str
        What was put together: "thru20211014", "20211014" or "exp00104284".
    file : ProductFile
    """

    tile: int
    family: str
    petal: int | None
    group: str
    file: ProductFile


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """One exposure.

    Parameters
    ----------
    night, expid : int
        `night` as YYYYMMDD, 0 unknown.
    tile : int or None
    obstype : str
        Lower case ("science", "flat", "arc", ...), "" unknown.
    exptime : float or None, s
    files : mapping of (camera, product) to ProductFile
    cameras : tuple of str
        Cameras that the log says were used; empty when no log was found.
    off : tuple of str
        Cameras that the log says were not used or are bad as a whole.
    bad_amplifiers : mapping of camera to letters
        Amplifiers that the log or a header calls bad: the camera is there all the same.
    table : mapping of str to str
        All columns of the exposure tables that were joined.
    raw : str
        Path of what the detectors gave, all cameras in one file; "" if it is not there.
    label : str
        What people call it, where that is not its number.
    object : str
        Name of what was looked at, "" unknown.
    target : tuple of str
        Cameras that hold the target; empty where all do, or nobody knows.
    parts : tuple of RawAmplifier
        What its pictures are put together of, where each amplifier is a file of its own.
    notes : tuple of str
        What is odd about it, one sentence each.
    """

    night: int
    expid: int
    tile: int | None = None
    obstype: str = ""
    exptime: float | None = None
    files: Mapping[tuple[str, str], ProductFile] = field(default_factory=lambda: MappingProxyType({}))
    cameras: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    bad_amplifiers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    table: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    raw: str = ""
    label: str = ""
    object: str = ""
    target: tuple[str, ...] = ()
    parts: tuple[RawAmplifier, ...] = ()
    notes: tuple[str, ...] = ()

    def dot(self, camera: str, product: str) -> Dot:
        """What there is of one product of one camera; a missing camera is not a bad amplifier."""
        file = self.files.get((camera, product))
        if file is None:
            return Dot.OFF if camera in self.off else Dot.MISSING
        if file.state is not FileState.READY:
            return Dot.WRITING if file.state is FileState.WRITING else Dot.DAMAGED
        if camera in self.off:
            return Dot.BAD_CAMERA
        return Dot.BAD_AMPLIFIER if camera in self.bad_amplifiers else Dot.PRESENT

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or str(self.expid)

    @property
    def missing(self) -> tuple[str, ...]:
        """Cameras that were used, as the log says, and have not one file."""
        have = {camera for camera, _ in self.files}
        return tuple(c for c in self.cameras if c not in have and c not in self.off)


@dataclass(frozen=True, eq=False)
class ExposureIndex:
    """The exposures below a folder, oldest first.

    Parameters
    ----------
    folder : str
        What was opened.
    root : str
        The production that it belongs to; `folder` when it belongs to none.
    exposures : tuple of Exposure
        By night and number.
    calibrations : mapping of (night, product, camera) to path
    notes : tuple of str
        What was left out, one sentence each.
    headers_read : int
        Files that had to be opened.
    tiles : tuple of TileFile
        Coadds, redshifts and QA of the tiles of these exposures, or of the tile that was opened.
    chain : ChainSpec
        How the products follow each other.
    order : tuple of str
        Cameras in the order in which they are listed; others follow by spectrograph, then arm.
    raw_night : RawNight or None
        What the exposures are put together of, one each in the same order, where each amplifier is a file of its own.
    slots : tuple of FocalSlot
        Of a focal plane that many fiber heads share; none where there is no such.
    defaults : mapping of (product, camera) to path
        Calibrations that stand for those that these nights do not have; none of them is judged.
    """

    folder: str
    root: str = ""
    exposures: tuple[Exposure, ...] = ()
    calibrations: Mapping[tuple[int, str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    headers_read: int = 0
    tiles: tuple[TileFile, ...] = ()
    chain: ChainSpec = NO_CHAIN
    order: tuple[str, ...] = ()
    raw_night: RawNight | None = None
    slots: tuple[FocalSlot, ...] = ()
    defaults: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def cameras(self) -> tuple[str, ...]:
        """Every camera that has a file or ought to have one."""
        found = {c for e in self.exposures for c in (*e.cameras, *(camera for camera, _ in e.files))}
        place = {camera: n for n, camera in enumerate(self.order)}
        return tuple(sorted(found, key=lambda c: (place.get(c, len(place)), c[1:], c[:1])))

    @cached_property
    def products(self) -> tuple[str, ...]:
        """Every product that some camera has, in the order in which they are made."""
        found = {product for e in self.exposures for _, product in e.files}
        return tuple(sorted(found, key=self.chain.place))

    @cached_property
    def _places(self) -> dict[int, int]:
        return {e.expid: i for i, e in enumerate(self.exposures)}

    def find(self, expid: int | None) -> Exposure | None:
        """The exposure of that number."""
        place = None if expid is None else self._places.get(expid)
        return None if place is None else self.exposures[place]

    def name(self, expid: int) -> str:
        """What people call an exposure."""
        exposure = self.find(expid)
        return str(expid) if exposure is None else exposure.name

    def raw_exposure(self, expid: int | None) -> RawExposure | None:
        """What an exposure of a raw night is put together of."""
        place = None if expid is None else self._places.get(expid)
        return None if place is None or self.raw_night is None else self.raw_night.exposures[place]

    def file(self, expid: int | None, camera: str, product: str) -> ProductFile | None:
        """The file of one product of one camera of one exposure."""
        exposure = self.find(expid)
        return None if exposure is None else exposure.files.get((camera, product))

    def path(self, expid: int | None, camera: str, product: str) -> str:
        """Its path, "" without one."""
        file = self.file(expid, camera, product)
        return "" if file is None else file.path

    def neighbor(self, expid: int, step: int, camera: str = "", product: str = "") -> Exposure | None:
        """The next (step 1) or previous (-1) exposure; with a camera and product, the next one that has them."""
        place = self._places.get(expid)
        while place is not None:
            place += step
            if not 0 <= place < len(self.exposures):
                return None
            exposure = self.exposures[place]
            if not camera or any(c == camera and product in ("", p) for c, p in exposure.files):
                return exposure
        return None

    def same_tile(self, expid: int) -> tuple[Exposure, ...]:
        """All exposures of the tile of that exposure, itself included; none where the tile is not known."""
        here = self.find(expid)
        if here is None or here.tile is None or here.tile < 0:
            return ()
        return tuple(e for e in self.exposures if e.tile == here.tile)
