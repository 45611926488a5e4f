"""What sky and sources of an exposure are told apart with, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.extended import ExtendedFit
from ifuview.engine.spectra.sky.fibers import SkyFibers
from ifuview.engine.spectra.sky.lines import LineErrors
from ifuview.engine.spectra.sky.spline import CommonSpectra
from ifuview.engine.spectra.sky.surface import SkySurface
from ifuview.model.reduction.source import SkyModel, SourceFit


@dataclass(frozen=True, slots=True)
class SeparateParams:
    """How sky and sources are told apart.

    Parameters
    ----------
    knots : float, px
        Between the knots of the splines.
    sources : int
        That are looked for at most.
    rounds : int
        Of sky and sources together.
    surface : bool
        Follow a gradient of the sky over the field.
    degree : int
        Of its polynomial at most.
    single : bool
        Take the response of single fibers from the sky, as far as it is known.
    lines : bool
        Correct wavelength and line spread from the sky's lines.
    refraction : bool
        Correct the refraction of the table where a source tells that it is another.
    """

    knots: float = 0.8
    sources: int = 3
    rounds: int = 2
    surface: bool = True
    degree: int = 1
    single: bool = True
    lines: bool = True
    refraction: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class SourceSearch:
    """Sources that stand out of a first sky, from which sky and sources are told apart.

    Parameters
    ----------
    sources : tuple of SourceFit
    extended : ExtendedFit or None
        In their place: it fills the field.
    surface : SkySurface
    choice : SkyFibers
        Sky fibers by their brightness.
    notes : tuple of str
    """

    sources: tuple[SourceFit, ...]
    extended: ExtendedFit | None
    surface: SkySurface
    choice: SkyFibers
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it has found a source: that is measured again with any other choice of sky fibers."""
        return bool(self.sources) or self.extended is not None


@dataclass(frozen=True, slots=True, eq=False)
class FoundSources:
    """What is held of a separation once its products are written.

    Parameters
    ----------
    sources : tuple of SourceFit
    extended : ExtendedFit or None
    """

    sources: tuple[SourceFit, ...]
    extended: ExtendedFit | None


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    """Sky and sources of one exposure.

    Parameters
    ----------
    sky : SkyModel
    sources : tuple of SourceFit
        The most significant one first.
    share : ndarray of float32, shape (nsource, nfiber, nwave)
        Of each source's light in each fiber, at its own wavelengths; one row for an extended source.
    extended : ExtendedFit or None
    common : CommonSpectra
        Terms: sky, then the sources.
    surface : SkySurface
    line_errors : LineErrors or None
    """

    sky: SkyModel
    sources: tuple[SourceFit, ...]
    share: NDArray[np.float32]
    extended: ExtendedFit | None
    common: CommonSpectra
    surface: SkySurface
    line_errors: LineErrors | None

    def light(self) -> FoundSources:
        """The sources alone, without arrays of all fibers and wavelengths."""
        return FoundSources(self.sources, self.extended)
