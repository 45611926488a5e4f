"""What of a reduced channel is looked at over the field: light of the lenslets, spectra within a circle anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.aperture import FieldAperture, extract_aperture
from ifuview.engine.spectra.field.separation import Separation
from ifuview.model.checks import Array
from ifuview.model.figure import Curve, Figure, Range, Scale, padded, robust
from ifuview.model.frames.units import unit_words
from ifuview.model.reduction.source import SourceFit, SourceSpectrum
from ifuview.recipes.lrs2.made import MadeSteps
from ifuview.recipes.lrs2.sky_figures import WAVE, centroid_figure
from ifuview.recipes.lrs2.values import ChannelSetup, FieldSpectra

POWERS = (-3, 4)  # of ten, between which numbers are written as they are


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ChannelField:
    """A channel of an exposure with the sky taken off.

    Parameters
    ----------
    camera : str
    setup : ChannelSetup
    field : FieldSpectra
    sky : Separation
    spectrum : SourceSpectrum or None
        Of its source.
    """

    camera: str
    setup: ChannelSetup
    field: FieldSpectra
    sky: Separation
    spectrum: SourceSpectrum | None

    @property
    def source(self) -> SourceFit | None:
        """The most significant source."""
        return self.sky.sources[0] if self.sky.sources else None

    @property
    def middle(self) -> float:
        """Wavelength at which places hold, Angstrom."""
        return float(self.setup.grid[self.setup.grid.size // 2])

    @property
    def range(self) -> tuple[float, float]:
        """First and last wavelength."""
        return float(self.setup.grid[0]), float(self.setup.grid[-1])


def channel_field(made: MadeSteps) -> ChannelField | None:
    """The field of a reduction; None before there is one."""
    field, sky, spectrum = (made.value(step) for step in ("field", "sky", "spectrum"))
    if made.setup is None or not isinstance(field, FieldSpectra) or not isinstance(sky, Separation):
        return None
    own = spectrum if isinstance(spectrum, SourceSpectrum) else None
    return ChannelField(made.setup.camera, made.setup, field, sky, own)


def light(channel: ChannelField, low: float, high: float) -> NDArray[np.float64]:
    """Mean flux density without sky of each lenslet within a range of wavelengths, (nfiber,); NaN: not known."""
    own = channel.field.subtracted
    inside = np.flatnonzero((own.wave >= low) & (own.wave <= high))
    if inside.size == 0:
        return np.full(own.nfiber, np.nan)
    part = slice(inside[0], inside[-1] + 1)
    good = (own.mask[:, part] == 0) | (own.usable()[:, part] & (own.variance[:, part] > 0))
    count = good.sum(axis=1)
    total = np.where(good, own.flux[:, part], 0).sum(axis=1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def nearest(channel: ChannelField, x: float, y: float) -> int:
    """The lenslet at a place."""
    return int(np.argmin(np.hypot(channel.setup.layout.x - x, channel.setup.layout.y - y)))


def spectrum_at(channel: ChannelField, x: float, y: float, radius: float, inner: float, outer: float) -> SourceSpectrum:
    """Spectrum within a circle at a place; of the lenslet there where the radius is 0.

    Raises
    ------
    UsageError
        No lenslet lies inside.
    """
    own = channel.field.subtracted
    if radius <= 0:
        k = nearest(channel, x, y)
        good = own.usable()[k] & (own.variance[k] > 0)
        flux, variance = (np.where(good, v[k], 0).astype(float) for v in (own.flux, own.variance))
        sky = np.asarray(channel.field.sky[k], float)
        nothing = np.full(own.wave.size, np.nan)
        return SourceSpectrum(
            np.asarray(own.wave), flux, variance, sky, variance, np.asarray(own.mask[k]), nothing, own.unit, own.medium,
            f"lenslet {k + 1}",
        )  # fmt: skip
    dar = channel.setup.refraction if channel.source is None else channel.source.dar
    circle = FieldAperture(x, y, radius, channel.middle, inner, outer)
    return extract_aperture(own, channel.field.sky, circle, channel.setup.lenslets, dar)


def spectra_figure(found: Sequence[tuple[str, SourceSpectrum]]) -> Figure:
    """Spectra of several channels with their errors, one beside the other."""
    shown = [np.where((s.variance > 0) & np.isfinite(s.flux), s.flux, np.nan) for _, s in found]
    if not any(np.isfinite(values).any() for values in shown):
        return Figure("Spectrum", WAVE, empty="no sample is known here")
    level = float(np.nanmedian(np.abs(np.concatenate(shown))))
    power = int(np.floor(np.log10(level))) if level > 0 else 0
    scale, words = (1.0, "") if POWERS[0] < power < POWERS[1] else (10.0**-power, f"1e{power} ")
    curves = []
    for number, ((camera, one), values) in enumerate(zip(found, shown, strict=True)):
        error = np.sqrt(np.where(one.variance > 0, one.variance, np.nan))
        low, high = scale * (values - error), scale * (values + error)
        curves.append(Curve(one.wave, scale * values, number, camera, low=low, high=high))
    names = tuple((curve.color, curve.label) for curve in curves)
    title = f"{found[0][1].method}, without sky"
    return Figure(
        title, WAVE, Scale(f"{words}{unit_words(found[0][1].unit)}", _span(curves)), tuple(curves), notes=names
    )


def _span(curves: Sequence[Curve]) -> Range | None:
    """Up to the brightest sample of each channel's inner part, down to what nearly all are above."""
    low = robust(curves, 0.1)
    tops = [float(np.nanmax(c.y[20:-20])) for c in curves if np.isfinite(c.y[20:-20]).any()]
    return None if low is None else padded(low[0], max([*tops, low[1]]), 0.03)


def places_figure(channels: Sequence[ChannelField]) -> Figure:
    """Where the source lies along wavelength in all channels that have it, off its place in the middle of each."""
    curves: list[Curve] = []
    for channel in channels:
        if channel.source is not None and channel.spectrum is not None:
            found = centroid_figure(channel.field, channel.spectrum, channel.source, channel.setup.lenslets)
            curves += found[0].curves
    if not curves:
        return Figure("Place of the source along wavelength", WAVE, empty="no channel has a source")
    words: tuple[tuple[str | int, str], ...] = ((0, "x"), (1, "y"), ("faint", "dashed: refraction used"))
    span = robust(curves, 0.15)
    return Figure("Place of the source along wavelength", WAVE, Scale("arcsec", span), tuple(curves), notes=words)


def cell(x: Array, y: Array, size: float) -> NDArray[np.float64]:
    """Corners of the hexagon that tiles the field when put at every lenslet, (6, 2), arcsec.

    Lenslets lie in rows a pitch wide, each shifted by half of it; where the rows are as far apart as for regular
    hexagons these are regular.
    """
    rows = np.unique(np.round(y, 2))
    step = float(np.median(np.diff(rows))) if rows.size > 1 else size
    side, tip = step / 3, 2 * step / 3
    half = size / 2
    return np.array([(0, tip), (half, side), (half, -side), (0, -tip), (-half, -side), (-half, side)])
