"""What is known of a detector before anything of it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ifuview.model.checks import Array, Header
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.raw import RawAmplifier
from ifuview.model.reduction.spectra import ArcLines
from ifuview.model.reduction.tables import FiberLayout, FiberRows, WaveCurve


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
    def notes(self) -> tuple[str, ...]:
        """What was taken from a default."""

    @property
    def gain(self) -> float:
        """Electrons per ADU."""

    @property
    def readnoise(self) -> float:
        """Electrons, as the header has it."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CameraSetup:
    """What is known of a detector beforehand.

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
    sky : tuple of WaveCurve
        Night skies by the moon, electrons for each Angstrom: their structure tells a drift of the wavelengths.
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
    sky: tuple[WaveCurve, ...] = ()
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
