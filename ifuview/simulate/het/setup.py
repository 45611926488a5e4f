"""One detector as it truly is: where its fibers lie, at which wavelengths, how wide, how bright, and what is broken.

Everything that varies along the dispersion is a polynomial in u = (x - 0.47 ncol) / (ncol / 2), x the column from 0 of
the oriented amplifier without overscan; coefficients by increasing power.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.reduction.spectra import ArcLines
from ifuview.model.reduction.tables import FiberLayout, FiberRows, WaveCurve

PIVOT = 0.47  # of the columns: where u is 0
SIGMA = 1.55  # px, of the fiber profile
LSF = 1.8  # px, sigma of an unresolved line
LOW = 0.33  # light of a fiber that is damaged
HOT_PIXELS = 40  # an amplifier
WARM_RATE = 1 / 6  # electron/s and pixel above a charge trap
SMILE = 3.5  # px, between the middle and the ends of the slit
BEND = 3.85  # px, of the traces at the ends of the slit
JITTER = 0.05  # px, of single fibers
SMALLEST = 16  # rows above the last fiber of a cut detector


class ChannelTables(Protocol):
    """Where the numbers of an instrument come from: `ifuview.instrument.tables.Tables`."""

    def fibers(self, camera: str, ifuid: str = "") -> FiberLayout:
        """Where the fibers of a detector lie."""

    def rows(self, unit: tuple[str, str, str], amplifier: str, night: int) -> FiberRows:
        """Where the fibers of an amplifier were near a night."""

    def lines(self, camera: str) -> ArcLines:
        """Lines of lamps."""

    def response(self, camera: str) -> WaveCurve:
        """Energy for each electron."""

    def sky(self, camera: str, moon: str = "dark") -> WaveCurve:
        """Sky in one fiber."""

    def refraction(self, camera: str) -> Array:
        """Where a source is seen at each wavelength."""

    def telluric(self, percentile: str = "transmission") -> WaveCurve:
        """Transmission of the atmosphere's lines."""


@dataclass(frozen=True, slots=True)
class LowColumn:
    """Rows y0 to y1 of a column that see only the share `qe` of the light."""

    x: int
    y0: int
    y1: int
    qe: float


@dataclass(frozen=True, slots=True, eq=False)
class TrueAmplifier:
    """One amplifier.

    Parameters
    ----------
    name : str
    shape : (int, int)
        Rows and columns with light.
    x, y : ndarray, shape (nfiber,), arcsec
    trace, wave, sigma, throughput : ndarray, shape (nfiber, ncoefficient)
        Polynomials in u: row (px), wavelength (Angstrom), width of the profile (px) and relative light.
    dead, low : tuple of int
        Fibers without light, and with a third of it.
    gain, readnoise, level : float, electron/ADU, electron, ADU
    columns : tuple of LowColumn
    trap : (int, int)
        Column and row above which it is warm.
    hot : ndarray, shape (n, 3)
        Row, column, electron/s.
    """

    name: str
    shape: tuple[int, int]
    x: Array
    y: Array
    trace: Array
    wave: Array
    sigma: Array
    throughput: Array
    dead: tuple[int, ...] = ()
    low: tuple[int, ...] = ()
    gain: float = 1.0
    readnoise: float = 2.5
    level: float = 1030.0
    columns: tuple[LowColumn, ...] = ()
    trap: tuple[int, int] = (0, 0)
    hot: Array = field(default_factory=lambda: np.zeros((0, 3)))

    def at(self, coefficients: Array, shift: float = 0.0) -> Array:
        """Values in all columns, shape (nfiber, ncol); `shift` moves the light by so many columns."""
        ncol = self.shape[1]
        u = (np.arange(ncol) - shift - PIVOT * ncol) / (ncol / 2)
        return np.asarray(coefficients @ np.power.outer(u, np.arange(coefficients.shape[1])).T)

    @property
    def light(self) -> Array:
        """Relative light of each fiber in all columns, dead ones and damaged ones included."""
        factor = np.ones(len(self.x))
        factor[list(self.low)], factor[list(self.dead)] = LOW, 0.0
        return factor[:, None] * self.at(self.throughput)


@dataclass(frozen=True, slots=True, eq=False)
class TrueChannel:
    """One detector: its amplifiers from bottom to top, and what it sees of the sky.

    Parameters
    ----------
    camera, slot, specid, ifuid, contid : str
    amplifiers : tuple of TrueAmplifier
    response, sky, telluric : WaveCurve
    refraction : ndarray, shape (3, n)
        Wavelength, and displacement of a source in x and y (arcsec).
    lines : ArcLines
    grid : (float, float, int)
        First and last wavelength of the common grid, and its points.
    lsf : float, px
    factor : float
        Sum over the fiber profile over the mean of the two pixels around the trace.
    """

    camera: str
    slot: str
    specid: str
    ifuid: str
    contid: str
    amplifiers: tuple[TrueAmplifier, ...]
    response: WaveCurve
    sky: WaveCurve
    telluric: WaveCurve
    refraction: Array
    lines: ArcLines
    grid: tuple[float, float, int]
    lsf: float
    factor: float

    @property
    def dispersion(self) -> float:
        """Median Angstrom per px."""
        return float(np.median([np.median(np.gradient(a.at(a.wave), axis=1)) for a in self.amplifiers]))

    @property
    def layout(self) -> tuple[Array, Array]:
        """Positions of all fibers, arcsec."""
        return np.concatenate([a.x for a in self.amplifiers]), np.concatenate([a.y for a in self.amplifiers])


def channel_setup(
    spec: InstrumentSpec,
    tables: ChannelTables,
    camera: str,
    unit: tuple[str, str, str],
    night: int,
    seed: int = 1,
    *,
    contid: str = "CTL00001",
    drift: float = -0.3,
    lsf: float = LSF,
    broken: bool = True,
) -> TrueChannel:
    """Make one detector of the instrument's own tables and of chance.

    Parameters
    ----------
    spec : InstrumentSpec
        With raw data.
    tables : ChannelTables
    camera : str
    unit : (str, str, str)
        Spectrograph, slot and fiber head.
    night : int
        YYYYMMDD: which rows of the tables are near.
    seed : int
        Of everything that the tables do not say.
    drift : float, px
        Of all fibers against the tables.
    broken : bool
        With dead and damaged fibers, bad columns, hot pixels and a trap.
    """
    raw, described = spec.raw, spec.camera(camera)
    assert raw is not None and described is not None
    named = next(d for d in raw.detectors if d.camera.format(slot=unit[1]) == camera)
    detector = raw.detector(unit[1], named.amplifiers[0])
    assert detector is not None
    layout, lines = tables.fibers(camera, unit[2]), tables.lines(camera)
    shape = (raw.shape[0], raw.shape[1] - raw.overscan)
    base = _base(lines, shape[1])
    amplifiers = []
    for number, name in enumerate(detector.amplifiers):
        rng = np.random.default_rng((seed, number, *map(ord, camera)))
        own = np.array([a == name for a in layout.amplifier])
        rows = tables.rows(unit, name, night)
        amplifier = _amplifier(name, number, shape, rows, (layout.x[own], layout.y[own]), base, drift, rng)
        amplifiers.append(_broken(amplifier, rows, rng) if broken else amplifier)
    refraction = tables.refraction(camera)
    return TrueChannel(
        camera, unit[1], unit[0], unit[2], contid, tuple(amplifiers), tables.response(camera), tables.sky(camera),
        tables.telluric(), refraction, lines, (described.wave_min, described.wave_max, shape[1]), lsf,
        _factor(amplifiers),
    )  # fmt: skip


def cut(channel: TrueChannel, nfiber: int, columns: tuple[int, int]) -> TrueChannel:
    """The lowest fibers of each amplifier and some columns of a detector: small, for quick tests."""
    amplifiers = []
    for amp in channel.amplifiers:
        rows = int(amp.at(amp.trace)[nfiber - 1].max()) + SMALLEST
        start, stop = columns
        changed = {}
        for name in ("trace", "wave", "sigma", "throughput"):
            known = getattr(amp, name)
            u = (np.arange(stop - start) - PIVOT * (stop - start)) / ((stop - start) / 2)
            values = amp.at(known)[:nfiber, start:stop]
            changed[name] = np.polynomial.polynomial.polyfit(u, values.T, known.shape[1] - 1).T
        hot = amp.hot - np.array([0, start, 0])
        inside = (hot[:, 0] < rows) & (hot[:, 1] >= 0) & (hot[:, 1] < stop - start)
        low = [
            replace(c, x=c.x - start, y1=min(c.y1, rows)) for c in amp.columns if start <= c.x < stop and c.y0 < rows
        ]
        column, row = amp.trap
        amplifiers.append(
            replace(
                amp,
                shape=(rows, stop - start),
                x=amp.x[:nfiber],
                y=amp.y[:nfiber],
                hot=hot[inside],
                columns=tuple(low),
                trap=(column - start, row) if start <= column < stop else (0, rows),
                dead=tuple(f for f in amp.dead if f < nfiber),
                low=tuple(f for f in amp.low if f < nfiber),
                trace=changed["trace"],
                wave=changed["wave"],
                sigma=changed["sigma"],
                throughput=changed["throughput"],
            )
        )
    wave = amplifiers[0].at(amplifiers[0].wave)
    return replace(
        channel, amplifiers=tuple(amplifiers), grid=(float(wave.min()), float(wave.max()), columns[1] - columns[0])
    )


def _base(lines: ArcLines, ncol: int) -> Array:
    """Wavelength of the middle fiber as a polynomial in u, from where the list expects its lines."""
    known = np.isfinite(lines.column)
    u = (lines.column[known] - PIVOT * ncol) / (ncol / 2)
    degree = min(3, int(known.sum()) - 1)
    return np.pad(np.polynomial.polynomial.polyfit(u, lines.wave[known], degree), (0, 3 - degree))


def _amplifier(
    name: str, number: int, shape: tuple[int, int], rows: FiberRows, layout: tuple[Array, Array], base: Array,
    drift: float, rng: np.random.Generator,
) -> TrueAmplifier:  # fmt: skip
    """An amplifier without defects."""
    ny, nx = shape
    n = len(rows.row)
    row = rows.row + drift + JITTER * rng.standard_normal(n)
    place = row / ny + number - 1  # -1 at the bottom of the detector, 1 at its top
    bend = BEND * rng.uniform(0.9, 1.1) * place
    trace = np.stack([row, 1.2 + 0.17 * place, bend, 0.1 * bend, 0.02 * bend], axis=1)
    moved = SMILE * (1 - place**2) + 0.5 * place + JITTER * rng.standard_normal(n)  # px to the blue
    u = np.linspace(-0.94, 1.06, 64)
    nodes = np.polynomial.polynomial.polyval(u[:, None] + moved / (nx / 2), base)
    wave = np.polynomial.polynomial.polyfit(u, nodes, 5).T
    sigma = np.stack([SIGMA * (1 + 0.02 * rng.standard_normal(n)), np.full(n, 0.02), np.full(n, 0.05)], axis=1)
    level = np.clip(1 + 0.07 * rng.standard_normal(n), 0.8, 1.2)
    tilt, curve = 0.01 * rng.standard_normal(n), 0.005 * rng.standard_normal(n)
    throughput = np.stack([level * (1 - 0.33 * curve), level * tilt, level * curve], axis=1)
    gain, noise = rng.uniform(1.03, 1.12), rng.uniform(2.2, 2.7)
    return TrueAmplifier(
        name, shape, *layout, trace, wave, sigma, throughput, gain=round(gain, 3), readnoise=round(noise, 2),
        level=rng.uniform(1000, 1080),
    )  # fmt: skip


def _broken(amp: TrueAmplifier, rows: FiberRows, rng: np.random.Generator) -> TrueAmplifier:
    """The amplifier with the defects that real ones have; fibers that the tables call dead are dead."""
    ny, nx = amp.shape
    n = len(amp.x)
    bad = rng.choice(np.flatnonzero(~rows.dead), 2, replace=False)
    dead = {int(f) for f in np.flatnonzero(rows.dead)} | ({int(bad[0])} if rng.random() < 0.5 else set())
    x = rng.integers(150, nx - 100, 3)
    hot = np.stack([rng.integers(0, ny, HOT_PIXELS), rng.integers(0, nx, HOT_PIXELS), rng.exponential(2.0, HOT_PIXELS)])
    columns = (
        LowColumn(int(x[0]), int(rng.integers(ny // 3, 3 * ny // 4)), ny, 0.55),
        LowColumn(int(x[1]), 0, ny, 0.82),
    )
    low: Sequence[int] = (int(bad[1]),) if n > 1 else ()
    return replace(
        amp, dead=tuple(sorted(dead)), low=tuple(low), columns=columns, hot=hot.T,
        trap=(int(x[2]), int(rng.integers(ny // 4, 3 * ny // 4))),
    )  # fmt: skip


def _factor(amplifiers: Sequence[TrueAmplifier]) -> float:
    """Sum over a fiber's profile over the mean of the pixels below and above its trace, the median of all fibers."""
    from scipy.special import erf

    ratios = []
    for amp in amplifiers:
        center, sigma = amp.at(amp.trace), amp.at(amp.sigma)
        below = np.floor(center) - center
        edges = np.stack([below - 0.5, below + 0.5, below + 1.5]) / sigma / np.sqrt(2)
        pixel = 0.5 * np.diff(erf(edges), axis=0)
        ratios.append(np.median(1 / pixel.mean(axis=0)))
    return float(np.median(ratios))
