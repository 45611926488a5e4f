"""What a user can ask of spectra and tables."""

from __future__ import annotations

from ifuview.app.frames.intents import Intent


class SetGather(Intent):
    """Make one spectrum of a region or of several fibers: "sum", "mean", "median"; "each": fibers stay apart."""

    how: str


class ShowRegion(Intent):
    """Show the spectrum of a region of a frame, by its number."""

    key: int
    number: int


class CloseTables(Intent):
    """Close the tables of a file; those of spectra that are open go with the spectra."""

    path: str


class SetWindow(Intent):
    """Color the focal plane by the light in a wavelength window (lo, hi), Angstrom; None = no window."""

    window: tuple[float, float] | None


class MapRange(Intent):
    """Make images of the wavelength window of a cube: "sum", "mean", "median", "above continuum", "moments", "line"."""

    how: str


class CutCube(Intent):
    """Cut a cube along the line that was drawn last: position against wavelength, as a frame."""


class ShowArm(Intent):
    """Show another arm: of a frame (its title) the image of a camera; the crosshair goes to a wavelength."""

    title: str
    camera: str
    wave: float


class SetSectionColumns(Intent):
    """Number of columns of the running median of the cross-section."""

    n: int


class SetExtraction(Intent):
    """Extract live spectra by "optimal" (all fibers of a band together) or by "boxcar"."""

    method: str
