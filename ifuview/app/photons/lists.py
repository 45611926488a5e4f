"""Photon lists without a window: open, count, bin, find bad pixels, save. For notebooks, the command line, the worker.

    from ifuview.app import photons

    source = photons.open_source("science.h5")
    image = photons.image(source, photons.cut(source.info, wave=(800, 1100)))
    image.counts                             # (ny, nx), exact
    photons.save(image, "image.fits")
    curve = photons.pixel_light_curve(source, 52, 72, width=0.01)
    curve.center, curve.rate, curve.rate_error

What is opened is a `PhotonSource`; whoever has photons in memory makes a `PhotonList` of them and uses the rest alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.files import size_and_time
from ifuview.model.checks import Array
from ifuview.model.photons.images import BinAxis, PhotonCube, PhotonImage, unit_of, value_axis
from ifuview.model.photons.light import Aperture, BinnedLight, IntensityHistogram, IntervalHistogram
from ifuview.model.photons.lists import PROBLEM_FLAGS, PhotonCut, PhotonInfo
from ifuview.model.photons.masks import BadPixels

if TYPE_CHECKING:
    from ifuview.model.photons.lists import PhotonSource
    from ifuview.model.photons.speckle import Decay, SpeckleMaps

Range = tuple[float, float]
PACKETS = ".bin"
BEAMMAP = "beammap."  # prefix of the flags of pixels that the beammap gave up


def open_source(
    path: str, *, beammap: str | None = None, index: bool | None = None, ctx: JobContext = SILENT
) -> PhotonSource:
    """Open a photon list of any layout.

    Parameters
    ----------
    path : str
    beammap : str, optional
        Beam-map text file, for lists that have none.
    index : bool, optional
        True: make an index if there is none, so that every later pass is fast. False: read the file itself.
        Default: use an index if there is one.

    Raises
    ------
    FileFormatError, MissingDataError
        With what is wrong, where, and what to do.
    """
    if not os.path.exists(path):
        raise MissingDataError("there is no such file", path, "check the name")
    from ifuview.io.photons.index.index import open_index
    from ifuview.io.photons.opening import open_photons

    found = open_index(path) if index is not False and beammap is None else None
    if found is not None:
        return found
    source = open_photons(path, beammap, ctx)
    if not index:
        return source
    from ifuview.io.photons.index.build import build_index

    made: PhotonSource = build_index(source, ctx=ctx)
    return made


def sorted_source(path: str, *, beammap: str | None = None, ctx: JobContext = SILENT) -> PhotonSource:
    """Open a photon list whose photons come by resonator: the file or its index; one is made if neither does."""
    source = open_source(path, beammap=beammap, ctx=ctx)
    return source if source.info.sorted else open_source(path, beammap=beammap, index=True, ctx=ctx)


@contextmanager
def unchanged(path: str) -> Iterator[None]:
    """Make sure that a file did not change while it was read.

    Raises
    ------
    FileFormatError
        Its size or time is another afterwards.
    """
    before = size_and_time(path, PACKETS)
    yield
    if size_and_time(path, PACKETS) != before:
        raise FileFormatError("the file changed while it was read", path, "try again when it is complete")


def cut(
    info: PhotonInfo, *, start: float | None = None, stop: float | None = None, wave: Range | None = None,
    phase: Range | None = None, exclude: Sequence[str] | None = None, weighted: bool = False,
) -> PhotonCut:  # fmt: skip
    """Return which photons count, checked against what the file holds.

    Parameters
    ----------
    start, stop : float, s, optional
        Since the start of the file; half open.
    wave : (float, float), nm, optional
        Half open; of a calibrated list.
    phase : (float, float), degree, optional
        Half open; of a list that is not calibrated.
    exclude : sequence of str, optional
        Pixels with one of these flags are left out. Default: `PROBLEM_FLAGS`. Empty: none.

    Raises
    ------
    UsageError
        A range lies outside the file, ends before it starts, or is of a column that the file does not have; a flag
        is not one of the file's.
    """
    from ifuview.engine.photons.counting.cube import check_axis
    from ifuview.engine.photons.counting.cut import check, unknown_flags

    for axis, given in ((BinAxis.WAVE, wave), (BinAxis.PHASE, phase)):
        if given is not None:
            check_axis(info, axis)
    low, high = wave or phase or (None, None)
    flags = PROBLEM_FLAGS if exclude is None else tuple(exclude)
    if exclude and (unknown := unknown_flags(info, flags)):
        has = ", ".join(info.beammap.flag_names) or "none"
        raise UsageError(f"the file has no flag {', '.join(unknown)}", info.path, f"its flags are: {has}")
    chosen = PhotonCut(start, stop, low, high, flags, weighted)
    check(info, chosen)
    return chosen


def image(source: PhotonSource, cut: PhotonCut | None = None, ctx: JobContext = SILENT) -> PhotonImage:
    """Return the photons per pixel; see `ifuview.engine.photons.counting.image.count_image`.

    Raises
    ------
    UsageError
        Photons are asked for until after the end of the file.
    """
    from ifuview.engine.photons.counting.image import count_image

    asked = PhotonCut() if cut is None else cut
    with unchanged(source.info.path):
        made = count_image(source, asked, ctx)
    duration = source.info.duration
    if asked.stop is not None and asked.stop > duration > 0 and made.last < duration:
        span = f"the file holds 0 to {duration:g} s"
        raise UsageError(f"the time range ends at {asked.stop:g} s, outside the file", source.info.path, span)
    return made


def cube(
    source: PhotonSource, axis: BinAxis | str, cut: PhotonCut | None = None, *, bins: int | None = None,
    edges: Sequence[float] | Array | None = None, width: float | None = None, ctx: JobContext = SILENT,
) -> PhotonCube:  # fmt: skip
    """Return the photons per pixel in bins of time (s), wavelength (nm) or phase (degree).

    Parameters
    ----------
    axis : BinAxis or str
        "time", or what the third column is: "wave" or "phase".
    bins : int, optional
        Number of bins: equal times, energies or phases over the range of the cut, else of the file.
    edges : sequence of float, optional
        In their place.
    width : float, optional
        In their place: of the time bins in s (default 1), of the spectral bins in eV (default: that of the file) or
        degrees.
    """
    from ifuview.engine.photons.counting.cube import count_cube

    asked = PhotonCut() if cut is None else cut
    chosen = BinAxis(axis)
    if asked.stop is not None and asked.stop > source.info.duration:
        image(source, asked, ctx)  # refuses an end of time after the last photon
    if edges is None:
        edges = bin_edges(
            source.info, chosen, asked, bins, width, _range(source, asked) if chosen is BinAxis.TIME else None
        )
    with unchanged(source.info.path):
        return count_cube(source, chosen, edges, asked, ctx)


def _range(source: PhotonSource, cut: PhotonCut) -> Range:
    """The time range in fact."""
    from ifuview.engine.photons.counting.cut import source_range

    return source_range(source, cut)


def bin_edges(
    info: PhotonInfo, axis: BinAxis, cut: PhotonCut, bins: int | None = None, width: float | None = None,
    span: Range | None = None,
) -> Array:  # fmt: skip
    """Return the edges of equal bins over the range of a cut; see `cube`.

    `span` is the time range in fact where it is known better than the file says, s.

    Raises
    ------
    UsageError
        Not one bin is asked for, or the list has no such column.
    """
    from ifuview.engine.photons.counting import cube as edges
    from ifuview.engine.photons.counting.cut import time_range

    if bins is not None and bins < 1:
        raise UsageError(f"{bins} bins are no cube", info.path, "ask for one at least")
    if width is not None and not width > 0:
        raise UsageError(f"bins {width:g} wide are no bins", info.path, "give a width above zero")
    edges.check_axis(info, axis)
    if axis is BinAxis.TIME:
        start, stop = span or time_range(info, cut)
        return edges.time_edges(start, stop, nbin=bins, width=None if bins else min(width or 1.0, stop - start))
    usual = edges.default_edges(info)
    low = usual[0] if cut.low is None else cut.low
    high = usual[-1] if cut.high is None else cut.high
    if not low < high:
        raise UsageError(
            f"the range {low:g} to {high:g} {unit_of(info, axis)} is empty", info.path, "give another range"
        )
    if axis is BinAxis.WAVE:
        if low <= 0:
            raise UsageError(f"{low:g} nm is no wavelength", info.path, "give a range above zero")
        return edges.energy_edges(low, high, nbin=bins, width=width or info.energy_width)
    return (
        np.linspace(low, high, bins + 1) if bins else edges.phase_edges(low, high, width or float(usual[1] - usual[0]))
    )


def pixel_light_curve(
    source: PhotonSource, x: int, y: int, cut: PhotonCut | None = None, *, width: float = 0.01, ctx: JobContext = SILENT
) -> BinnedLight:
    """Return the light curve of a pixel in bins of `width` seconds; its flags do not matter."""
    from ifuview.engine.photons.counting.aperture import pixel

    return light_curve(source, pixel(source.info.beammap, x, y), cut, width=width, ctx=ctx)


def pixel_spectrum(
    source: PhotonSource, x: int, y: int, cut: PhotonCut | None = None, *, edges: Array | None = None,
    ctx: JobContext = SILENT,
) -> BinnedLight:  # fmt: skip
    """Return the spectrum of a pixel; see `spectrum`. Its flags do not matter."""
    from ifuview.engine.photons.counting.aperture import pixel

    return spectrum(source, pixel(source.info.beammap, x, y), cut, edges=edges, ctx=ctx)


def light_curve(
    source: PhotonSource, aperture: Aperture, cut: PhotonCut | None = None, *, width: float = 0.01,
    ctx: JobContext = SILENT,
) -> BinnedLight:  # fmt: skip
    """Return the light curve of an aperture (made by `ifuview.engine.photons.counting.aperture`)."""
    from ifuview.engine.photons.counting.lightcurve import light_curve as count

    return count(source, aperture, PhotonCut() if cut is None else cut, width=width, ctx=ctx)


def spectrum(
    source: PhotonSource, aperture: Aperture, cut: PhotonCut | None = None, *, edges: Array | None = None,
    ctx: JobContext = SILENT,
) -> BinnedLight:  # fmt: skip
    """Return the spectrum of an aperture, by default in bins like those of the file over the range of the cut."""
    from ifuview.engine.photons.counting.spectrum import photon_spectrum

    asked = PhotonCut() if cut is None else cut
    if edges is None:
        edges = bin_edges(source.info, value_axis(source.info), asked)
    return photon_spectrum(source, aperture, asked, edges=edges, ctx=ctx)


def intensity_histogram(curve: BinnedLight) -> IntensityHistogram:
    """Return how often a bin of a light curve held n photons, with Poisson and modified Rician laws."""
    from ifuview.engine.photons.statistics.intensity import intensity_histogram as count

    return count(curve)


def intervals(source: PhotonSource, aperture: Aperture, cut: PhotonCut | None = None) -> IntervalHistogram:
    """Return the times between photons of the resonators of an aperture."""
    from ifuview.engine.photons.statistics.interarrival import interval_histogram

    return interval_histogram(source, aperture, PhotonCut() if cut is None else cut)


def bad_pixels(
    source: PhotonSource | PhotonImage, cut: PhotonCut | None = None, *, method: str = "threshold",
    ctx: JobContext = SILENT,
) -> BadPixels:  # fmt: skip
    """Return the hot, cold and dead pixels of a list, or of an image counted before without exclusions.

    Pixels that the beammap gave up are not judged.

    Parameters
    ----------
    source : PhotonSource or PhotonImage
    cut : PhotonCut, optional
        Its time and spectral range count, its flags do not, and photons are not weighted.
    method : str
        threshold (knows the optics), median or laplacian; see `ifuview.engine.photons.calibration.badpixels`.
    """
    from ifuview.engine.photons.calibration.badpixels import find_bad_pixels

    if isinstance(source, PhotonImage):
        counted = source
    else:
        counted = image(source, replace(cut or PhotonCut(), exclude=(), weighted=False), ctx)
    beammap = counted.info.beammap
    given_up = beammap.flagged([name for name in beammap.flag_names if name.startswith(BEAMMAP)])
    usable = ~given_up & ~counted.excluded & (beammap.index >= 0)
    try:
        return find_bad_pixels(counted.counts, usable, method=method)
    except UsageError as problem:
        raise UsageError(problem.what, problem.where or counted.info.path, problem.todo) from problem


def speckle(
    source: PhotonSource, cut: PhotonCut | None = None, *, method: str = "binned", width: float | None = None,
    ip: float | str = "auto", ctx: JobContext = SILENT,
) -> SpeckleMaps:  # fmt: skip
    """Return maps of constant, speckle and incoherent light; see `engine.photons.statistics.speckle.speckle_maps`."""
    from ifuview.engine.photons.statistics.speckle import speckle_maps

    with unchanged(source.info.path):
        return speckle_maps(source, PhotonCut() if cut is None else cut, method=method, width=width, ip=ip, ctx=ctx)


def lucky(
    source: PhotonSource, x: float, y: float, cut: PhotonCut | None = None, *, ctx: JobContext = SILENT
) -> PhotonImage:
    """Return the image of the sharpest moments of a star; see `ifuview.engine.photons.statistics.lucky`."""
    from ifuview.engine.photons.statistics.lucky import lucky_image

    return lucky_image(source, x, y, PhotonCut() if cut is None else cut, ctx=ctx)


def pixel_decay(source: PhotonSource, x: int, y: int, cut: PhotonCut | None = None, *, width: float = 0.01) -> Decay:
    """Return the autocorrelation of the light of a pixel and the life of its speckles."""
    from ifuview.engine.photons.statistics.autocorrelation import decay

    return decay(np.asarray(pixel_light_curve(source, x, y, cut, width=width).counts), width)
