"""The light of a pixel or an aperture over time."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.binned import bin_aperture
from ifuview.engine.photons.counting.cube import checked_edges, time_edges
from ifuview.engine.photons.counting.cut import live_bins, source_range
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.images import BinAxis
from ifuview.model.photons.light import Aperture, BinnedLight
from ifuview.model.photons.lists import PhotonCut, PhotonSource

WIDTH = 0.01  # s; of a bin
MOST_BINS = 5_000_000


def light_curve(
    source: PhotonSource, aperture: Aperture, cut: PhotonCut = PhotonCut(), *, width: float = WIDTH,  # noqa: B008
    edges: Array | None = None, ctx: JobContext = SILENT,
) -> BinnedLight:  # fmt: skip
    """Return photons per time bin, with the background that the aperture's annulus predicts.

    Parameters
    ----------
    source : PhotonSource
    aperture : Aperture
    cut : PhotonCut, optional
        Its flags were obeyed when the aperture was made; its times, values and weights hold here.
    width : float, s, optional
        Of the bins; as many whole bins as the time range has.
    edges : ndarray, s, optional
        In their place.

    Raises
    ------
    UsageError
        More bins than fit into memory.
    """
    start, stop = source_range(source, cut)
    if edges is None:
        if not width > 0 or (stop - start) / width > MOST_BINS:
            raise UsageError(f"bins of {width:g} s make no light curve", source.info.path, "choose wider bins")
        edges = time_edges(start, stop, width=width)
    edges = checked_edges(edges, source.info, BinAxis.TIME)
    sums = bin_aperture(source, aperture, BinAxis.TIME, edges, cut, ctx)
    inside = np.clip(edges, start, max(stop, start) if cut.stop is not None else None)
    return BinnedLight(BinAxis.TIME, edges, *sums, live_bins(source, inside), aperture, source.info, cut)
