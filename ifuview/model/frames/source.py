"""A source as it was measured on an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A two-dimensional Gaussian or Moffat profile with errors of one sigma.

    Parameters
    ----------
    x, y, x_error, y_error : float, px
        Native; the center of the first pixel is (0, 0).
    fwhm, fwhm_error : float, px
        Geometric mean of the two axes.
    ellipticity : float
        1 - minor / major axis.
    angle : float, degree
        Of the major axis, from +x towards +y, -90 to 90.
    flux, flux_error : float
        Of the whole profile, in units of the image times pixels.
    peak, background : float
        In units of the image; the peak above the background.
    beta : float
        Exponent of the Moffat profile; 0: it is a Gaussian.
    chi2 : float
        Per degree of freedom; NaN where the errors are taken from the scatter.
    """

    x: float
    y: float
    x_error: float
    y_error: float
    fwhm: float
    fwhm_error: float
    ellipticity: float
    angle: float
    flux: float
    flux_error: float
    peak: float
    background: float
    beta: float = 0.0
    chi2: float = float("nan")

    @property
    def profile(self) -> str:
        """What was fitted."""
        return f"Moffat, beta {self.beta:.1f}" if self.beta else "Gaussian"
