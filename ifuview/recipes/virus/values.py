"""What the steps of a fiber head hand to each other, beside those of any detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ifuview.engine.ccd.dark import DarkCurrent
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import CcdFrame
from ifuview.recipes.camera.values import Biases


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
