"""What the steps of a channel hand to each other, beside the values of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ifuview.engine.spectra.fibers import Extraction
from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.engine.spectra.flat.fibers import FiberResponse
from ifuview.engine.spectra.flat.response import PixelResponse
from ifuview.engine.traces.slit.shift import TraceShift
from ifuview.model.checks import Array, Header
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.raw import RawAmplifier
from ifuview.model.reduction.ccd import CcdFrame, ReadOut
from ifuview.model.reduction.spectra import ArcLines, FiberSpectra
from ifuview.model.reduction.tables import FiberLayout, FiberRows, WaveCurve
from ifuview.model.trace import TraceSet


class RawPixels(Protocol):
    """One amplifier as it was read, blue on the left and fibers from bottom to top, with its overscan apart."""

    @property
    def data(self) -> Array:
        """Columns that saw light, ADU."""

    @property
    def overscan(self) -> Array:
        """Of the same rows, the column next to the data first, ADU."""

    @property
    def header(self) -> Header:
        """Its cards."""

    @property
    def gain(self) -> float:
        """Electrons per ADU."""

    @property
    def readnoise(self) -> float:
        """Electrons, as the header has it."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelSetup:
    """What is known of a channel beforehand.

    Parameters
    ----------
    camera : str
        Its name.
    spec : InstrumentSpec
    read : callable(RawAmplifier) -> RawPixels
        Reads an amplifier.
    amplifiers : tuple of str
        From bottom to top.
    shape : (int, int)
        Rows and columns with light, of one amplifier.
    layout : FiberLayout
    rows : tuple of FiberRows
        By amplifier.
    lines : ArcLines
    grid : ndarray, shape (nwave,), Angstrom
        Common wavelengths of the products.
    response : WaveCurve
        erg for each electron of the flat-relative amplitude.
    refraction : ndarray, shape (3, n)
        Wavelength, x and y (arcsec).
    lenslet : float, arcsec
        Pitch of the lenslets.
    sky : WaveCurve or None
        A night sky, whose lines tell a drift of the wavelengths.
    notes : tuple of str
    """

    camera: str
    spec: InstrumentSpec
    read: Callable[[RawAmplifier], RawPixels]
    amplifiers: tuple[str, ...]
    shape: tuple[int, int]
    layout: FiberLayout
    rows: tuple[FiberRows, ...]
    lines: ArcLines
    grid: Array
    response: WaveCurve
    refraction: Array
    lenslet: float
    sky: WaveCurve | None = None
    notes: tuple[str, ...] = ()

    @property
    def nfiber(self) -> int:
        """Fibers of all amplifiers."""
        return sum(one.row.size for one in self.rows)

    @property
    def block(self) -> Array:
        """Number of the amplifier of each fiber."""
        return np.repeat(np.arange(len(self.rows)), [one.row.size for one in self.rows])

    @property
    def reference(self) -> Array:
        """Rows of the fibers on the stacked detector, px."""
        return np.concatenate([one.row + n * self.shape[0] for n, one in enumerate(self.rows)])

    @property
    def dead(self) -> Array:
        """Fibers that the table calls dead."""
        return np.concatenate([one.dead for one in self.rows])

    @property
    def dropped(self) -> int:
        """Columns of the overscan beside the light that are left out."""
        return 0 if self.spec.raw is None else self.spec.raw.dropped

    @property
    def seams(self) -> tuple[int, ...]:
        """First rows of the amplifiers above the lowest."""
        return tuple(n * self.shape[0] for n in range(1, len(self.rows)))

    @property
    def column(self) -> float:
        """Column at which the rows hold."""
        return self.rows[0].fraction * self.shape[1]

    @property
    def lenslets(self) -> Lenslets:
        """Where the lenslets lie."""
        return Lenslets(self.layout.x, self.layout.y, self.lenslet)


@dataclass(frozen=True, slots=True, eq=False)
class Biases:
    """Bias structure and read noise of the amplifiers, by name.

    Parameters
    ----------
    frames : mapping of str to CcdFrame
    noise : mapping of str to (float, float), electrons
        Read noise and its error.
    notes : tuple of str
    """

    frames: Mapping[str, CcdFrame] = field(default_factory=dict)
    noise: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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
    """

    frame: CcdFrame
    reads: tuple[ReadOut, ...]
    exptime: float
    what: str = ""
    header: Header = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def noise(self) -> float:
        """Read noise of a pixel, electrons: the mean of the amplifiers that are there."""
        known = [read.noise for read in self.reads if np.isfinite(read.noise)]
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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FieldSpectra:
    """Fibers on the common grid, with the sky and without it.

    Parameters
    ----------
    observed, subtracted : FiberSpectra
    sky : ndarray of float32, shape (nfiber, nwave)
    """

    observed: FiberSpectra
    subtracted: FiberSpectra
    sky: Array
