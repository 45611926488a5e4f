"""What the steps of a channel hand to each other, beside the values of any detector."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.camera.setup import CameraSetup


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChannelSetup(CameraSetup):
    """What is known of a channel beforehand.

    Parameters
    ----------
    response : WaveCurve
        erg for each electron of the flat-relative amplitude.
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
    """

    observed: FiberSpectra
    subtracted: FiberSpectra
    sky: Array
