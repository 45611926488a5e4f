"""One exposure of one fiber head: the spectra of all its amplifiers together, with what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ifuview.model.checks import Array, Header, readonly, same_shape
from ifuview.model.reduction.ccd import ReadOut
from ifuview.model.reduction.spectra import FiberSpectra

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class IfuAmplifier:
    """One amplifier of a fiber head in one exposure.

    Parameters
    ----------
    name : str
        LL, LU, RL or RU.
    first, last : int
        Its fibers are first:last of the fiber head's.
    read : ReadOut or None
        None: it is missing or could not be read; its samples have ReductionBit.AMPLIFIER.
    trace_shift, trace_shift_error : float, px
        By which the light lies above the traces of the calibration; NaN: not measured.
    wave_shift, wave_shift_error : float, Angstrom
        By which wavelengths are redder than the calibration says, as the sky's lines show; NaN: not measured.
    scattered : float
        Share of all light that lies between the fibers.
    problem : str
        Why it is not to be used, "" if it is.
    """

    name: str
    first: int
    last: int
    read: ReadOut | None = None
    trace_shift: float = NAN
    trace_shift_error: float = NAN
    wave_shift: float = NAN
    wave_shift_error: float = NAN
    scattered: float = NAN
    problem: str = ""

    @property
    def fibers(self) -> slice:
        """Its rows in the arrays of the fiber head."""
        return slice(self.first, self.last)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class IfuExposure:
    """One exposure of one fiber head, extracted; neither normalized nor calibrated, the sky still in it.

    Parameters
    ----------
    slot, specid, ifuid, contid : str
        Slot of the focal plane, spectrograph, fiber head and controller.
    date : int
        Night as YYYYMMDD.
    observation, number : int
        Of the observation, and of the exposure within it.
    exptime : float, s
    spectra : FiberSpectra, nfiber x ncol
        All light of a fiber's profile, "electron/Angstrom", in its own pixels; wavelengths moved to this exposure.
    fiber_flat : ndarray of float32, shape (nfiber, ncol)
        Response of each fiber over that of a mean one, from the twilight; 0 where it is not known.
    x, y : ndarray of float64, shape (nfiber,), arcsec
        Of the fibers in the head; the dither of the exposure is not in them.
    amplifiers : tuple of IfuAmplifier
        In the order of the fibers.
    dead : ndarray of bool, shape (nfiber,)
        Fibers that carry no light.
    amplitude : float
        Share of the fiber's light that is in `spectra`: 1 for the whole profile, less for an aperture.
    aperture : ndarray of float32, shape (nfiber, ncol), or None
        Sum over an aperture of 5 px for comparison, electron/Angstrom.
    trace : ndarray of float64, shape (nfiber, ncol), px, or None
        Row in the oriented amplifier, moved to this exposure.
    lsf : ndarray of float32, shape (nfiber, ncol), px, or None
        Gaussian sigma of an unresolved line.
    lamps : mapping of str to ndarray of float32, shape (nfiber, ncol)
        Calibration spectra of the same fibers: "twi", "flt", "arc", "sci", those that there are.
    header : mapping
        Cards of the raw exposure.
    notes : tuple of str
        What users have to know, one sentence each.
    """

    slot: str
    specid: str
    ifuid: str
    contid: str
    date: int
    observation: int
    number: int
    exptime: float
    spectra: FiberSpectra
    fiber_flat: Array
    x: Array
    y: Array
    amplifiers: tuple[IfuAmplifier, ...]
    dead: Array
    amplitude: float = 1.0
    aperture: Array | None = None
    trace: Array | None = None
    lsf: Array | None = None
    lamps: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    header: Header = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        same_shape("fiber flat", self.fiber_flat, self.spectra.flux.shape)
        for name in ("x", "y", "dead"):
            same_shape(name, getattr(self, name), (self.spectra.nfiber,))
        object.__setattr__(self, "fiber_flat", readonly(self.fiber_flat, "fiber flat", ndim=2))

    @property
    def nfiber(self) -> int:
        """Fibers of all amplifiers."""
        return self.spectra.nfiber

    @property
    def text(self) -> str:
        """As people and files name it: date, observation, exposure and slot."""
        return f"{self.date:08d}_{self.observation:07d}_exp{self.number:02d}_{self.slot}"

    def amplifier(self, name: str) -> IfuAmplifier:
        """The amplifier of that name; KeyError where there is none."""
        for one in self.amplifiers:
            if one.name == name:
                return one
        raise KeyError(name)
