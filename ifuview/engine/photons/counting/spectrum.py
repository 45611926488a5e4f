"""The spectrum of a pixel or an aperture: photons per bin of wavelength, or of phase before calibration."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.binned import bin_aperture
from ifuview.engine.photons.counting.cube import checked_edges, default_edges
from ifuview.engine.photons.counting.cut import live_time, source_range
from ifuview.model.checks import Array
from ifuview.model.photons.images import value_axis
from ifuview.model.photons.light import Aperture, BinnedLight
from ifuview.model.photons.lists import PhotonCut, PhotonSource


def photon_spectrum(
    source: PhotonSource, aperture: Aperture, cut: PhotonCut = PhotonCut(), *, edges: Array | None = None,  # noqa: B008
    ctx: JobContext = SILENT,
) -> BinnedLight:  # fmt: skip
    """Return photons per bin of the third column, with the background that the aperture's annulus predicts.

    Parameters
    ----------
    source : PhotonSource
    aperture : Aperture
    cut : PhotonCut, optional
        Its flags were obeyed when the aperture was made; its times, values and weights hold here.
    edges : ndarray, nm or degree, optional
        Default: equal energies over the valid range of the file, or 2 degrees. `cube.energy_edges` and
        `cube.resolution_edges` make others.
    """
    edges = default_edges(source.info) if edges is None else edges
    axis = value_axis(source.info)
    edges = checked_edges(edges, source.info, axis)
    sums = bin_aperture(source, aperture, axis, edges, cut, ctx)
    exposure = np.full(len(edges) - 1, live_time(source, *source_range(source, cut)))
    return BinnedLight(axis, edges, *sums, exposure, aperture, source.info, cut)
