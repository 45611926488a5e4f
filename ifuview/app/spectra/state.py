"""What a session holds of spectra beside the frames."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.inspection import FiberSpectrum


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
