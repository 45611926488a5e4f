"""What a session holds of spectra beside the frames."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.image import Image
from ifuview.model.inspection import FiberSpectrum
from ifuview.model.spectra.verdict import SpectraVerdict

# images of a range of wavelengths, by their names
HOWS = {
    "sum": "Sum", "mean": "Mean", "median": "Median", "above continuum": "Sum above the continuum",
    "moments": "Moments 0, 1, 2", "line": "Line maps (Gaussian fit)",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What was gathered last.

    Parameters
    ----------
    key : int
        The frame.
    asked : tuple
        What was asked for (`app.spectra.gathered.subject`).
    spectra : tuple of FiberSpectrum
        One for each arm.
    title : str
    """

    key: int
    asked: tuple[object, ...]
    spectra: tuple[FiberSpectrum, ...]
    title: str


@dataclass(frozen=True, slots=True, eq=False)
class JudgedSpectra:
    """The verdict on the spectra of an image."""

    image: Image
    verdict: SpectraVerdict
