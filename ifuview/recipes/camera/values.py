"""What the steps of a detector hand to each other, beside the values of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ifuview.engine.spectra.fibers import Extraction
from ifuview.engine.spectra.flat.fibers import FiberResponse
from ifuview.engine.spectra.flat.response import PixelResponse
from ifuview.engine.traces.slit.shift import TraceShift
from ifuview.model.checks import Array, Header
from ifuview.model.reduction.ccd import CcdFrame, ReadOut
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.trace import TraceSet


@dataclass(frozen=True, slots=True, eq=False)
class Biases:
    """Bias structure and read noise of the amplifiers, by name.

    Parameters
    ----------
    frames : mapping of str to CcdFrame
    noise : mapping of str to (float, float), electrons
        Read noise and its error.
    notes : tuple of str
    level : mapping of str to float, ADU
        Of the overscan.
    """

    frames: Mapping[str, CcdFrame] = field(default_factory=dict)
    noise: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    level: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class DetectorFrame:
    """A whole detector: its amplifiers one above the other.

    Parameters
    ----------
    frame : CcdFrame
    reads : tuple of ReadOut
        By amplifier; those that are missing have no gain.
    exptime : float, s
    what : str
        Of which exposures.
    header : mapping
        Of the first amplifier that could be read.
    notes : tuple of str
    light : tuple of str
        By amplifier, which other exposures it is of; "": of those of `what`. Empty: all of them are.
    """

    frame: CcdFrame
    reads: tuple[ReadOut, ...]
    exptime: float
    what: str = ""
    header: Header = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    light: tuple[str, ...] = ()

    @property
    def noise(self) -> float:
        """Read noise of a pixel, electrons: the mean of the amplifiers that are there and can be used."""
        known = [read.noise for read in self.reads if np.isfinite(read.noise) and not read.problem]
        return float(np.mean(known)) if known else float("nan")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class TracedFibers:
    """Traces on a detector with the smooth light between the fibers.

    Parameters
    ----------
    traces : TraceSet
    scattered : ndarray of float32, shape (nrow, ncol), electrons
    share : float
        Of all light that is scattered.
    """

    traces: TraceSet
    scattered: Array
    share: float


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FiberFlat:
    """Response of the fibers and of the pixels.

    Parameters
    ----------
    fibers : FiberResponse
    pixels : PixelResponse
    amplitude : float
        Sum over the profile for each unit of the flat-relative amplitude.
    spectra : FiberSpectra
        Of the light that both were measured with.
    """

    fibers: FiberResponse
    pixels: PixelResponse
    amplitude: float
    spectra: FiberSpectra


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ExtractedExposure:
    """Spectra of an exposure with what they were taken off and how far its traces had moved.

    Parameters
    ----------
    extraction : Extraction
    traces : TraceSet
        Of the light of this exposure.
    shift : TraceShift or None
        None: too little light to measure one.
    scattered : ndarray of float32, shape (nrow, ncol), electrons
    notes : tuple of str
    """

    extraction: Extraction
    traces: TraceSet
    shift: TraceShift | None
    scattered: Array
    notes: tuple[str, ...] = ()
