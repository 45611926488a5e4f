"""What the steps of a channel hand to each other, beside the values of any detector."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.engine.spectra.field.separation import SourceSearch
from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.reduction.source import SourceFit
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.camera.setup import CameraSetup


def aimed(spec: InstrumentSpec, camera: str, name: str) -> bool | None:
    """Whether an object by its name is on the fiber head of a channel; None where the name does not say it."""
    match = re.search(spec.raw.target, name.strip()) if spec.raw is not None and spec.raw.target else None
    return None if match is None else head_of(spec, camera) == match["slot"]


def head_of(spec: InstrumentSpec, camera: str) -> str:
    """Slot of the fiber head of a channel."""
    detectors = () if spec.raw is None else spec.raw.detectors
    return next((one.slot for one in detectors if one.camera == camera), "")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChannelSetup(CameraSetup):
    """What is known of a channel beforehand.

    Parameters
    ----------
    response : WaveCurve
        erg for each electron of the flat-relative amplitude, of the tables.
    correction : WaveCurve or None
        Factor on it that was found later.
    refraction : ndarray, shape (3, n)
        Wavelength, x and y (arcsec).
    lenslet : float, arcsec
        Pitch of the lenslets.
    skies : tuple of WaveCurve
        Mean skies of nights with and without the moon.
    air : WaveCurve or None
        Transmission of the atmosphere's lines.
    """

    response: WaveCurve
    refraction: Array
    lenslet: float
    skies: tuple[WaveCurve, ...] = ()
    air: WaveCurve | None = None
    correction: WaveCurve | None = None

    def aimed(self, name: str) -> bool | None:
        """Whether an object by its name is on the fiber head of this channel; None where the name does not say it."""
        return aimed(self.spec, self.camera, name)

    @property
    def lenslets(self) -> Lenslets:
        """Where the lenslets lie."""
        return Lenslets(self.layout.x, self.layout.y, self.lenslet)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FieldSpectra:
    """Fibers on the common grid, with the sky and without it.

    Parameters
    ----------
    observed, subtracted : FiberSpectra
    sky : ndarray of float32, shape (nfiber, nwave)
    native : FiberSpectra
        Without the sky, in the fibers' own pixels.
    """

    observed: FiberSpectra
    subtracted: FiberSpectra
    sky: Array
    native: FiberSpectra


@dataclass(frozen=True, slots=True, eq=False)
class StartSources:
    """What sky and sources are told apart from.

    Parameters
    ----------
    given : tuple of SourceFit or None
        Put there by hand.
    most : int
        Sources that are looked for at most.
    search : SourceSearch or None
        What was found; None: nothing was looked for yet.
    """

    given: tuple[SourceFit, ...] | None
    most: int
    search: SourceSearch | None = None
