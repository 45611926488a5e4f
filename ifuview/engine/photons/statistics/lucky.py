"""Lucky imaging: the moments in which most of the light of a star fell into its core."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.aperture import circle
from ifuview.engine.photons.counting.image import count_image
from ifuview.engine.photons.counting.lightcurve import light_curve
from ifuview.engine.photons.counting.timemask import Masked, time_mask
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import PhotonCut, PhotonSource
from ifuview.model.photons.masks import TimeMask

WIDTH = 0.1  # s; of the moments that are compared
FRACTION = 0.3  # of the moments that are kept
CORE, RING = 2.5, 6.0  # px; radius of the core, outer radius of the ring around it


def lucky_moments(
    source: PhotonSource, x: float, y: float, cut: PhotonCut = PhotonCut(), *,  # noqa: B008
    width: float = WIDTH, fraction: float = FRACTION, core: float = CORE, ring: float = RING,
    ctx: JobContext = SILENT,
) -> tuple[TimeMask, Array]:  # fmt: skip
    """Return the mask of all moments but the sharpest ones, and the sharpness of each moment.

    Parameters
    ----------
    source : PhotonSource
    x, y : float, px
        Of the star.
    cut : PhotonCut
    width : float, s
    fraction : float
        Of the moments to keep, 0 to 1.
    core, ring : float, px
        Sharpness is the light in the core over that in core and ring; NaN without light.

    Raises
    ------
    UsageError
        The fraction makes no sense, or there is no moment with light.
    """
    if not 0 < fraction <= 1:
        raise UsageError(f"a fraction of {fraction:g} of the moments cannot be kept", todo="choose 0 to 1")
    aperture = circle(source.info.beammap, x, y, core, exclude=cut.exclude)
    around = circle(source.info.beammap, x, y, ring, exclude=cut.exclude)
    inner = light_curve(source, aperture, cut, width=width, ctx=ctx.part(0.0, 0.5))
    total = light_curve(source, around, cut, width=width, ctx=ctx.part(0.5, 1.0)).counts.astype(float)
    sharp = np.divide(inner.counts, total, out=np.full(len(total), np.nan), where=total > 0)
    known = np.isfinite(sharp)
    if not known.any():
        raise UsageError(f"no light falls within {ring:g} px of {x:g},{y:g}", source.info.path, "choose a star")
    keep = max(round(fraction * int(known.sum())), 1)
    least = np.sort(sharp[known])[-keep]
    dull = ~(sharp >= least)
    edges = inner.edges
    return time_mask([(edges[i], edges[i + 1]) for i in np.flatnonzero(dull)], "not lucky"), sharp


def lucky_image(
    source: PhotonSource, x: float, y: float, cut: PhotonCut = PhotonCut(), *,  # noqa: B008
    width: float = WIDTH, fraction: float = FRACTION, ctx: JobContext = SILENT,
) -> PhotonImage:  # fmt: skip
    """Return the photons of the sharpest moments; see `lucky_moments`."""
    mask, _ = lucky_moments(source, x, y, cut, width=width, fraction=fraction, ctx=ctx.part(0.0, 0.4))
    return count_image(Masked(source, mask), cut, ctx.part(0.4, 1.0))
