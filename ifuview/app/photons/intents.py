"""What a user can ask of photon lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifuview.app.frames.intents import Intent

if TYPE_CHECKING:
    from ifuview.model.photons.lists import PhotonCut


class SetPhotonCut(Intent):
    """Count other photons in a photon frame; `final` is False while a slider is dragged."""

    key: int
    cut: PhotonCut
    final: bool = True


class ShowPhotons(Intent):
    """Show "flags", "counts" or "rate" in a photon frame (None = current)."""

    what: str
    key: int | None = None


class PlayPhotons(Intent):
    """Play through time in steps of `step` s, `fps` of them a second, or stop."""

    on: bool
    step: float | None = None
    fps: float | None = None


class ShowNextStep(Intent):
    """Show the next step of time of a photon frame that plays."""

    key: int


class IndexPhotons(Intent):
    """Make the index of the photon list of a frame (None = current), which live re-binning needs."""

    key: int | None = None


class UseBeammap(Intent):
    """Place the raw packets of a frame (None = current) by a beam-map file."""

    path: str
    key: int | None = None


class CopyPhotons(Intent):
    """Open a second frame of the photon list of the current one, to blink two cuts against each other."""


class SavePhotons(Intent):
    """Save the "image", a "cube" or a "movie" of the current photon frame."""

    what: str
    path: str
    axis: str = "time"
    bins: int = 0


class SaveLight(Intent):
    """Save the light curve or the spectrum ("curve", "spectrum") of the selection as FITS or ECSV."""

    what: str
    path: str


class SetLight(Intent):
    """Change one field of session.light, which says how light curves and spectra are binned and shown."""

    name: str
    value: bool | int | float


class CountLight(Intent):
    """Count the light of the selections of the current photon frame, if that is not known already."""


class LoadCalibration(Intent):
    """Put a wavelength or flat solution, or another step ("linearity", "cosmics", "badpixels"), on the photon list."""

    kind: str
    path: str = ""


class SwitchCalibration(Intent):
    """Switch one step of the stack of the current photon frame on or off, or take it away (`on` None)."""

    number: int
    on: bool | None


class TakeBackCalibration(Intent):
    """The calibrations of a photon frame (None = the current one) as before the last change; `again`: with it again."""

    key: int | None = None
    again: bool = False


class Speckle(Intent):
    """Make maps of Ic, Is and Ip of the current photon frame, "binned" or by "arrival"; `width` in s.

    `ip` is "auto", "free" or the incoherent light in photons per second; `snr` opens the signal to noise too.
    """

    method: str = "binned"
    width: float | None = None
    ip: str | float = "auto"
    snr: bool = False


class Lucky(Intent):
    """Open the image of the sharpest moments of the star at the crosshair."""


class SaveSpeckle(Intent):
    """Write the speckle maps made last, with the decay at the crosshair, as FITS."""

    path: str


class FindBadPixels(Intent):
    """Search hot, cold and dead pixels of the current photon frame; they become a step of its stack."""

    method: str = "threshold"


class CompareCalibration(Intent):
    """Blink the current photon frame against itself with one step of the stack (None: all) the other way."""

    number: int | None = None


class ShowSolution(Intent):
    """Open an image of a loaded solution as a frame: "resolution", "weights", "mask" (`plane`: laser or bin)."""

    what: str
    plane: int | None = None


class PlotCalibrations(Intent):
    """Write all plots of the solutions in the stack of the current photon frame into a folder."""

    folder: str


class WriteCalibrated(Intent):
    """Write the photons of the current frame with the steps that are on as a new photon list."""

    path: str
