"""What is wrong with a photon list: findings by cause, each with its numbers, and how much was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from ifuview.model.checks import Array

Span = tuple[float, float]
NO_PIXELS = np.empty((0, 2), np.int64)


class PhotonStep(StrEnum):
    """Steps from the detector to an image of photons, in their order."""

    PACKETS = "packets"
    LIST = "list"
    WAVELENGTHS = "wavelengths"
    FLAT = "flat"
    IMAGE = "image"


class PhotonFault(StrEnum):
    """Causes that are looked for."""

    FEEDLINE_DEAD = "feedline dead"
    FEEDLINE_DARK = "feedline dark"
    FEEDLINE_DROP = "feedline drops out"
    DROP = "drop"
    SPIKE = "spike"
    CLOCK = "clock off"
    TIME_OUT = "time-out"
    DRIFT = "drift"
    COSMIC = "cosmic rays"
    HOT = "hot"
    COLD = "cold"
    DEAD = "dead"
    SATURATED = "saturated"
    DOUBLE = "double"
    SHARED = "shared resonator"
    ORDER = "order"
    SHORT = "short intervals"
    UNSOLVED = "unsolved"
    WRONG_LINE = "wrong line"
    OFF_LINE = "off line"
    OUT_OF_RANGE = "out of range"
    SCALED = "scaled"
    BAD_WEIGHTS = "bad weights"
    WRONG_FLAT = "wrong flat"


STEP_OF = {
    PhotonFault.ORDER: PhotonStep.PACKETS,
    PhotonFault.SHORT: PhotonStep.PACKETS,
    PhotonFault.CLOCK: PhotonStep.PACKETS,
    PhotonFault.UNSOLVED: PhotonStep.WAVELENGTHS,
    PhotonFault.WRONG_LINE: PhotonStep.WAVELENGTHS,
    PhotonFault.OFF_LINE: PhotonStep.WAVELENGTHS,
    PhotonFault.OUT_OF_RANGE: PhotonStep.WAVELENGTHS,
    PhotonFault.SCALED: PhotonStep.WAVELENGTHS,
    PhotonFault.BAD_WEIGHTS: PhotonStep.FLAT,
    PhotonFault.WRONG_FLAT: PhotonStep.FLAT,
    PhotonFault.HOT: PhotonStep.IMAGE,
    PhotonFault.COLD: PhotonStep.IMAGE,
    PhotonFault.DEAD: PhotonStep.IMAGE,
}


@dataclass(frozen=True, slots=True, eq=False)
class PhotonFinding:
    """One fault of a photon list: all that has one cause.

    Parameters
    ----------
    fault : PhotonFault
    known : bool
        The flags of the file leave it out of images already.
    pixels : ndarray of int, shape (n, 2)
        x, y of the pixels, the clearest first; empty: it is of no pixels.
    amount, error : float
        How large it is, with 1 sigma; NaN where there is no such number.
    unit : str
        Of both.
    significance : float
        Sigma, trials counted; inf: exact, without noise.
    times : (start, stop) or None
        s; when.
    feedlines : tuple of int
    area : (x0, y0, x1, y1) or None
        First and last pixels of the feedlines.
    text : str
        All of it in a sentence or two, with numbers.
    arrays : mapping of str to ndarray
        What the numbers rest on, by name; see `ifuview.report.photons.evidence`.
    """

    fault: PhotonFault
    known: bool = False
    pixels: Array = field(default_factory=lambda: NO_PIXELS)
    amount: float = np.nan
    error: float = np.nan
    unit: str = ""
    significance: float = np.inf
    times: Span | None = None
    feedlines: tuple[int, ...] = ()
    area: tuple[int, int, int, int] | None = None
    text: str = ""
    arrays: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def step(self) -> PhotonStep:
        """Where it is seen first."""
        return STEP_OF.get(self.fault, PhotonStep.LIST)


@dataclass(frozen=True, slots=True, eq=False)
class PhotonVerdict:
    """The answer on a photon list.

    Parameters
    ----------
    findings : tuple of PhotonFinding
        New ones first, then those that are known; of each the clearest first.
    photons : int
        That were looked at.
    duration : float
        s
    pixels, bright, timed : int
        Pixels that a photon can be in, those with light enough that one without would have been noticed, and those with
        photons enough that a pause of a fifth of the time would have been.
    asked : tuple of str
        Questions that were answered.
    not_asked : mapping of str to str
        The others, with the reason.
    """

    findings: tuple[PhotonFinding, ...] = ()
    photons: int = 0
    duration: float = 0.0
    pixels: int = 0
    bright: int = 0
    timed: int = 0
    asked: tuple[str, ...] = ()
    not_asked: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
