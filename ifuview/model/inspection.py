"""What one click on a fiber gives: cross-section, spectrum and trace quality, each with its errors."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.checks import Array, brief
from ifuview.model.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class ProfileComponent:
    """The fitted light of one fiber in a cross-section.

    Parameters
    ----------
    fiber_id : str
    center, center_err : float, px
        Measured on the image.
    flux, flux_err : float
    sigma : float, px
    model : ndarray, shape (npix,)
        Counts of this fiber in each pixel of the cross-section.
    """

    fiber_id: str
    center: float
    center_err: float
    flux: float
    flux_err: float
    sigma: float
    model: Array

    def __repr__(self) -> str:
        return brief(self, f"fiber {self.fiber_id}", f"center {self.center:.2f}", f"flux {self.flux:.4g}")


@dataclass(frozen=True, slots=True, eq=False)
class CrossSection:
    """Counts across the fibers at one column, or the running median of a few.

    Parameters
    ----------
    position : ndarray, shape (npix,), px
        Cross-dispersion pixel, canonical axes.
    counts : ndarray, shape (npix,), `unit`
    error : ndarray or None
    masked : ndarray of bool, shape (npix,)
    column : int
        Dispersion pixel.
    ncolumns : int
        Columns that the median was taken over.
    trace : float, px
        Where the trace says the fiber is; NaN without a trace.
    aperture : (float, float), px
        Lower and upper edge of the extraction aperture.
    model : ndarray or None
        Sum of all components, of what reaches in from beside them, and the background.
    background : ndarray or None
        Fitted level below the fibers.
    components : tuple of ProfileComponent
        The fiber and its neighbors.
    chi2 : float
        Reduced chi2 of the model, NaN without one.
    """

    position: Array
    counts: Array
    error: Array | None
    masked: Array
    column: int
    ncolumns: int = 1
    trace: float = float("nan")
    aperture: tuple[float, float] = (float("nan"), float("nan"))
    model: Array | None = None
    components: tuple[ProfileComponent, ...] = ()
    chi2: float = float("nan")
    unit: str = ""
    background: Array | None = None

    def __repr__(self) -> str:
        return brief(
            self, f"column {self.column}", f"{len(self.position)} px", f"{len(self.components)} fibers", self.unit
        )


@dataclass(frozen=True, slots=True, eq=False)
class FiberSpectrum:
    """One extracted spectrum.

    Parameters
    ----------
    fiber_id : str
    pixel : ndarray, shape (n,)
        Dispersion pixel.
    wave : ndarray, Angstrom, or None
    flux : ndarray, shape (n,), `unit`
    error : ndarray or None
        1 sigma; inf or NaN where nothing is known.
    masked : ndarray of bool, shape (n,)
    method : str
        "row" (already extracted), "boxcar" or "optimal".
    label : str
        Which frame it comes from.
    arm : str
        Which of several arms of the frame, "" if there is only one.
    """

    fiber_id: str
    pixel: Array
    wave: Array | None
    flux: Array
    error: Array | None
    masked: Array
    method: str = "row"
    unit: str = ""
    label: str = ""
    arm: str = ""

    def __repr__(self) -> str:
        return brief(
            self, f"fiber {self.fiber_id}", f"{len(self.flux)} px", self.method, self.unit, self.label, self.arm
        )


@dataclass(frozen=True, slots=True, eq=False)
class TraceQuality:
    """Measured centroid minus trace along one fiber, judged against the noise.

    Parameters
    ----------
    fiber_id : str
    column : ndarray, shape (m,), px
        Centers of the column bins.
    offset, offset_err : ndarray, shape (m,), px
        Centroid measured on the image minus the trace, NaN where not measured.
    sigma, sigma_err : ndarray, shape (m,), px
        Profile width.
    flux, flux_err : ndarray, shape (m,)
        Per column.
    chi2 : ndarray, shape (m,)
        Reduced chi2 of the profile fit.
    spacing_below, spacing_above : ndarray, shape (m,), px
        Measured distance to the neighbors, NaN at the ends.
    mean_offset, mean_offset_err : float, px
        Weighted mean of `offset`.
    shape_chi2, shape_dof : float, int
        chi2 of `offset` after the mean is removed, about its own errors.
    significance : float
        The larger of |mean_offset| / err and the normal deviate of shape_chi2.
    floor : float, px
        Cramer-Rao bound of one bin, median.
    verdict : Verdict
    text : str
        The verdict in words, with numbers.
    """

    fiber_id: str
    column: Array
    offset: Array
    offset_err: Array
    sigma: Array
    sigma_err: Array
    flux: Array
    flux_err: Array
    chi2: Array
    spacing_below: Array
    spacing_above: Array
    mean_offset: float
    mean_offset_err: float
    shape_chi2: float
    shape_dof: int
    significance: float
    floor: float
    verdict: Verdict
    text: str

    def __repr__(self) -> str:
        return brief(self, f"fiber {self.fiber_id}", self.verdict.value, self.text)


@dataclass(frozen=True, slots=True, eq=False)
class FiberInspection:
    """All that the docks show for the selected fiber of one image."""

    slot: int
    fiber: int
    fiber_id: str
    column: int
    section: CrossSection | None = None
    spectra: tuple[FiberSpectrum, ...] = ()
    quality: TraceQuality | None = None
    note: str = ""
