"""What the steps of a fiber head hand to each other, beside those of any detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ifuview.engine.ccd.dark import DarkCurrent
from ifuview.model.checks import Array
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.ccd import CcdFrame
from ifuview.model.reduction.params import param
from ifuview.recipes.camera.values import Biases

APERTURE = 2.5  # px, half of what is summed for comparison
USUAL_NOISE = 3.0  # electrons, of the read-out, where nothing says it
Rows = Sequence[AmplifierCalibration | None]  # of a detector, from bottom to top


@dataclass(frozen=True, slots=True)
class StoredParams:
    """How far a file of calibrations is believed."""

    check: bool = param(True, "Check against its master frames", hint="and replace fibers that do not fit")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class DetectorGround:
    """What a detector shows without light.

    Parameters
    ----------
    biases : Biases
    dark : DarkCurrent or None
        None: there is no dark frame.
    mask : ndarray of uint32, shape (nrow, ncol), ReductionBit
        Pixels that are never to be used.
    notes : tuple of str
    """

    biases: Biases
    dark: DarkCurrent | None
    mask: Array
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FiberLamps:
    """Spectra of calibrations in the fibers' own pixels, electrons each; for comparison, not for use.

    Parameters
    ----------
    spectra : mapping of str to ndarray of float32, shape (nfiber, ncol)
        "twi", "flt", "arc", "sci".
    """

    spectra: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))


def without(frame: CcdFrame, mask: Array) -> CcdFrame:
    """A frame with further bits in its mask."""
    return CcdFrame(frame.data, frame.variance, frame.mask | mask)
