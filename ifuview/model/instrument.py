"""What an instrument file says: geometry, names of bits and header keywords, as values.

Named tuples, as in `model.product`: these stand on the way to the first image.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ifuview.model.checks import Header
from ifuview.model.fibers import FiberRole
from ifuview.model.orientation import Orientation
from ifuview.model.product import ProductSpec
from ifuview.model.quality import MaskBits

if TYPE_CHECKING:  # few instruments have them
    from ifuview.model.chain_spec import ChainSpec
    from ifuview.model.night.raw_spec import RawSpec


class CameraSpec(NamedTuple):
    """One arm of a spectrograph.

    Parameters
    ----------
    name : str
        Camera name or its beginning ("r" for r0 to r9).
    wave_min, wave_max : float, Angstrom
    shape : (int, int) or None
        Native (ny, nx) of the trimmed detector.
    dispersion : float or None, Angstrom/px
    """

    name: str
    wave_min: float
    wave_max: float
    shape: tuple[int, int] | None = None
    dispersion: float | None = None


class AmplifierSpec(NamedTuple):
    """Header keywords of one read-out section: data section, gain (electron/adu), read noise (electron)."""

    name: str
    section: str
    gain: str = ""
    readnoise: str = ""


class OrientationCase(NamedTuple):
    """Orientation of the images whose header values of `keys`, put together, are one of `values`."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    orientation: Orientation


class Alarm(NamedTuple):
    """From where on a number that is followed wants a look, and is wrong.

    Parameters
    ----------
    number : str
    side : str
        "above" or "below" a value; "change": by how much it is off the median of what was before.
    look, wrong : float
    """

    number: str
    side: str
    look: float
    wrong: float


class Least(NamedTuple):
    """From where on the triage tells of a kind of finding; what the triage itself asks for stays.

    Parameters
    ----------
    sigma : float
    amount : float
        By how much it is off, in the unit of the finding.
    """

    sigma: float = 0.0
    amount: float = 0.0


class InstrumentSpec(NamedTuple):
    """One instrument.

    Parameters
    ----------
    name, title : str
    orientation : Orientation
        Of its detector images, where no case says otherwise.
    cases : tuple of OrientationCase
    nfiber : int
        Fibers of one camera, 0 unknown.
    numbered : bool
        Fiber numbers run on from camera 0 to camera 1 and so on, by the digit in the camera's name.
    block : str
        What a group of adjacent fibers on the slit is called.
    block_size : int
        Fibers of a block, 0 for none.
    fiber_diameter : float or None, arcsec
    medium : str
        "vacuum" or "air", of its wavelengths; "" unknown.
    cameras : tuple of CameraSpec
    amplifiers : tuple of AmplifierSpec
    bits : mapping of str to MaskBits
        "pixel", "spectrum" and "fiber".
    header : mapping of str to tuple of str
        Meaning ("exptime", "camera", "object", ...) to keywords, the best first.
    columns : mapping of str to tuple of str
        Meaning ("fiber_id", "role", "focal_x", ...) to columns of the fiber table, the best first.
    roles : mapping of str to FiberRole
        By the upper-case value of the role column.
    role_columns : tuple of str
        Columns of target bits.
    role_bits : mapping of FiberRole to tuple of int
        Bits of those columns that mark a role.
    dead_bits : tuple of int
        Bits of the fiber status that mean no usable light.
    known_bits : tuple of int
        Bits of the fiber status that say why its light may be missing or wrong.
    status_codes : bool
        The status is a code, not bits; the bit of each code is 1 << code.
    good_codes : tuple of int
        Codes of a fiber that is as it should be.
    companions : mapping of str to tuple of str
        What belongs to a product ("psf", "flat") to path patterns, the best first, relative to
        the folder of the file or one above it, without suffix.
    products : tuple of ProductSpec
        Families of its files; the first that fits counts.
    chain : ChainSpec or None
        How the products of a camera and exposure follow each other, and where they lie.
    limits : mapping of str to any
        Limits of diagnostics that differ from their defaults.
    raw : RawSpec or None
        Raw data of one file an amplifier.
    step_limits : mapping of str to (float, float)
        Numbers of a reduction: from where on one wants a look, and is wrong.
    alarms : tuple of Alarm
        Of numbers that are followed over nights.
    triage : mapping of str to Least
        By kind of finding.
    """

    name: str
    title: str = ""
    orientation: Orientation = Orientation()
    cases: tuple[OrientationCase, ...] = ()
    nfiber: int = 0
    numbered: bool = False
    block: str = "block"
    block_size: int = 0
    fiber_diameter: float | None = None
    medium: str = ""
    cameras: tuple[CameraSpec, ...] = ()
    amplifiers: tuple[AmplifierSpec, ...] = ()
    bits: Mapping[str, MaskBits] = MappingProxyType({})
    header: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    columns: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    roles: Mapping[str, FiberRole] = MappingProxyType({})
    role_columns: tuple[str, ...] = ()
    role_bits: Mapping[FiberRole, tuple[int, ...]] = MappingProxyType({})
    dead_bits: tuple[int, ...] = ()
    known_bits: tuple[int, ...] = ()
    status_codes: bool = False
    good_codes: tuple[int, ...] = (0,)
    companions: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    products: tuple[ProductSpec, ...] = ()
    chain: ChainSpec | None = None
    limits: Mapping[str, float] = MappingProxyType({})
    raw: RawSpec | None = None
    step_limits: Mapping[str, tuple[float, float]] = MappingProxyType({})
    alarms: tuple[Alarm, ...] = ()
    triage: Mapping[str, Least] = MappingProxyType({})

    def keyword(self, meaning: str, header: Header) -> object:
        """Value of the first keyword of that meaning in `header`, None without one."""
        for key in self.header.get(meaning, ()):
            if header.get(key) not in (None, ""):
                return header[key]
        return None

    def orientation_of(self, header: Header) -> Orientation:
        """Orientation of the detector image with this header."""
        for case in self.cases:
            if "".join(str(header.get(key, "")).strip() for key in case.keys) in case.values:
                return case.orientation
        return self.orientation

    def camera(self, name: str) -> CameraSpec | None:
        """The camera of that name, by its longest fitting beginning."""
        fitting = [camera for camera in self.cameras if name.lower().startswith(camera.name.lower())]
        return max(fitting, key=lambda camera: len(camera.name), default=None)

    def arms(self, camera: str) -> tuple[str, ...]:
        """Names of the other cameras that see the same fibers: those of the same head, or of the same number."""
        if self.raw is not None:
            heads = {one.camera: one.slot for one in self.raw.detectors}
            return tuple(name for name, head in heads.items() if name != camera and head == heads.get(camera))
        own, number = self.camera(camera), camera[1:]
        others = self.cameras if own is not None and number.isdigit() else ()
        return tuple(one.name + number for one in others if one is not own)

    def mask_bits(self, kind: str) -> MaskBits:
        """Bits of "pixel", "spectrum" or "fiber" masks."""
        return self.bits.get(kind, MaskBits())
