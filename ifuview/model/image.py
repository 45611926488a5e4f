"""What the canvas can show: a detector image, row-stacked spectra, a cube or any other FITS image."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ifuview.errors import FileFormatError
from ifuview.model.checks import Array, Convertible, Header, brief, readonly, same_shape, sizes
from ifuview.model.fibers import FiberMap
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Floats, Pixels
from ifuview.model.quality import MaskBits


class Kind(StrEnum):
    """What the rows and columns of an image mean."""

    IMAGE = "image"  # no instrument knowledge
    DETECTOR = "detector"  # pixels of a detector, before extraction
    RSS = "rss"  # row-stacked spectra: one fiber a row, wavelength along x
    CUBE = "cube"  # (wave, y, x)
    SPECTRUM = "spectrum"  # one dimension


@dataclass(frozen=True, slots=True)
class Amplifier:
    """A read-out section: native pixels x0 <= x < x1, y0 <= y < y1 (0-based)."""

    name: str
    x0: int
    x1: int
    y0: int
    y1: int
    gain: float | None = None
    readnoise: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image(Convertible):
    """One image product of a file, with everything that is known about its pixels.

    Parameters
    ----------
    name : str
        Short name shown to the user ("IMAGE", "FLUX", "SKY", "[1]").
    kind : Kind
    pixels : Pixels, shape (..., ny, nx), `unit`
        Native orientation, exactly as in the file.
    ivar : Pixels or None
        Inverse variance, 1/unit^2; 0 = no information. Same shape.
    mask : Pixels or None
        Mask bits, 0 = good; the stored numbers are the bits (`Pixels.bits`). Same shape.
    mask_bits : MaskBits
    unit : str
        Plain unit string, "" unknown.
    orientation : Orientation
        From native to canonical (cross-dispersion, dispersion) axes.
    wave : ndarray, Angstrom, or None
        RSS: (nx,) or (nfiber, nx). Cube: (nwave,). Spectrum: (nx,).
    medium : str
        Of `wave`: "vacuum" or "air", "" unknown.
    lsf : ndarray or None
        FWHM in Angstrom, shape (nfiber, nx).
    fibermap : FiberMap or None
    amplifiers : tuple of Amplifier
    gain : float or None
        Electrons per `unit`; 1 for electrons.
    readnoise : float or None
        Electrons.
    camera : str
    stage : str
        Processing stage or product family of the file ("frame", "sky", ...).
    header : mapping
        Header of the HDU (keyword to value).
    planes : tuple of str
        Names of the planes of a cube, () where there are none.
    about_zero : bool
        It is zero where nothing is left, as after the sky is subtracted.
    wcs : mapping
        The WCS cards, kept apart so that a world position can be computed lazily.
    """

    name: str
    kind: Kind
    pixels: Pixels
    ivar: Pixels | None = None
    mask: Pixels | None = None
    mask_bits: MaskBits = field(default_factory=MaskBits)
    unit: str = ""
    orientation: Orientation = field(default_factory=Orientation)
    wave: Array | None = None
    medium: str = ""
    lsf: Array | None = None
    fibermap: FiberMap | None = None
    amplifiers: tuple[Amplifier, ...] = ()
    gain: float | None = None
    readnoise: float | None = None
    camera: str = ""
    stage: str = ""
    header: Header = field(default_factory=lambda: MappingProxyType({}))
    wcs: Header = field(default_factory=lambda: MappingProxyType({}))
    planes: tuple[str, ...] = ()
    about_zero: bool = False

    def __post_init__(self) -> None:
        if 0 in self.pixels.shape:
            raise FileFormatError(f"image {self.name} has no pixels (shape {self.pixels.shape})")
        same_shape(f"inverse variance of {self.name}", None if self.ivar is None else self.ivar.raw, self.pixels.shape)
        if self.mask is not None:
            object.__setattr__(self, "mask", self.mask.bits())
        same_shape(f"mask of {self.name}", None if self.mask is None else self.mask.raw, self.pixels.shape)
        if self.wave is not None:
            object.__setattr__(self, "wave", readonly(self.wave, "wavelength"))

    def __repr__(self) -> str:
        known = [name for name in ("ivar", "mask", "wave", "fibermap") if getattr(self, name) is not None]
        return brief(self, self.name, self.kind.value, sizes(self.pixels.shape), self.unit, self.camera, *known)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of one plane in native pixels."""
        return self.pixels.shape[-2], self.pixels.shape[-1]

    @property
    def nplanes(self) -> int:
        """Number of planes of the third axis from the end; 1 for a 2-D image."""
        return self.pixels.shape[-3] if self.pixels.ndim > 2 else 1

    def canonical(self, plane: tuple[int, ...] = ()) -> Floats:
        """All pixels of one plane as float32 in canonical axes (a view of one native copy)."""
        return self.orientation.to_canonical(self.pixels.plane(plane).native())
