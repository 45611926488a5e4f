"""Electrons of each fiber in each column: twilight, lamps, arcs, and the sky with a source on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ifuview.model.checks import Array
from ifuview.simulate.het.setup import TrueChannel
from ifuview.simulate.het.source import Caught, SkySource, SkyTrail, catch

AREA = 51.4e4  # cm2, of the mirror
FINE = 2  # points of the grid for each point of the common one
TWILIGHT, LAMP, ARC = 5000.0, 20000.0, 7e5  # electron: median of a column, and of a line of intensity 1
SUN, FILAMENT = 5800.0, 3200.0  # K
NLINE = 400  # absorption lines of the Sun in a channel
UNLISTED, FAINT = 4, 0.004  # lines of a lamp that are in no list, and their intensity
ELEMENTS = {"hg": ("Hg",), "cd": ("Cd",), "cd-a": ("Cd", "Ar"), "fear": ("Fe", "Ar", "Ne")}


@dataclass(frozen=True, slots=True, eq=False)
class SkyScene:
    """What an exposure of the sky sees.

    Parameters
    ----------
    source : SkySource or None
        None: nothing but sky.
    sky : float
        Times the mean sky.
    gradient : (float, float)
        Relative change of the sky over an arcsec, in x and y.
    others : tuple of SkySource
        More sources.
    dither : (float, float), arcsec
        Of the fibers.
    light : float
        Times all light: illumination of the exposure.
    trails : tuple of SkyTrail
        Of satellites.
    """

    source: SkySource | None = None
    sky: float = 1.0
    gradient: tuple[float, float] = (0.002, -0.001)
    others: tuple[SkySource, ...] = ()
    dither: tuple[float, float] = (0.0, 0.0)
    light: float = 1.0
    trails: tuple[SkyTrail, ...] = ()

    @property
    def sources(self) -> tuple[SkySource, ...]:
        """All of them."""
        return self.others if self.source is None else (self.source, *self.others)


@dataclass(frozen=True, slots=True, eq=False)
class FiberLight:
    """Electrons of one exposure, and what they are made of.

    Parameters
    ----------
    electrons : ndarray, shape (nfiber, ncol)
        All fibers of the detector, sums over the profile.
    grid : ndarray, shape (nwave,), Angstrom
    source, sky : ndarray, shape (nfiber, nwave), erg/s/cm2/Angstrom
        On the common grid, after line spread and atmosphere; empty for lamps.
    illumination : ndarray, shape (nfiber,)
        Of the sky.
    moments : mapping
        Of an extended source; see `source.Caught`.
    """

    electrons: Array
    grid: Array
    source: Array = field(default_factory=lambda: np.zeros((0, 0)))
    sky: Array = field(default_factory=lambda: np.zeros((0, 0)))
    illumination: Array = field(default_factory=lambda: np.zeros(0))
    moments: dict[int, Array] = field(default_factory=dict)


def twilight(channel: TrueChannel, level: float = TWILIGHT, seed: int = 3) -> FiberLight:
    """Sunlight from the whole sky; it fades where the detector sees little."""
    wave = _fine(channel)
    rng = np.random.default_rng((seed, len(wave)))
    depth = np.ones_like(wave)
    for at, deep, wide in zip(
        rng.uniform(wave[0], wave[-1], NLINE), rng.beta(1, 6, NLINE), rng.uniform(0.2, 0.8, NLINE)
    ):
        depth -= np.minimum(deep, 0.6) * np.exp(-0.5 * ((wave - at) / wide) ** 2)
    absorbed = np.interp(wave, channel.telluric.wave, channel.telluric.value)
    return _lit(channel, wave, _body(wave, SUN) * np.maximum(depth, 0.1) * absorbed, level)


def lamp(channel: TrueChannel, level: float = LAMP) -> FiberLight:
    """A lamp without lines."""
    wave = _fine(channel)
    return _lit(channel, wave, _body(wave, FILAMENT), level)


def arc(channel: TrueChannel, name: str, level: float = ARC, shift: float = 0.0, seed: int = 5) -> FiberLight:
    """Lines of the elements that the name of the lamp (`Hg_B`, `Cd-A_B`, `FeAr_R`) speaks of, and a few more."""
    kind = name.lower().partition("_")[0]
    elements = ELEMENTS.get(kind, (kind.capitalize(),))
    lines = [
        (w, i) for w, i, e in zip(channel.lines.wave, channel.lines.intensity, channel.lines.element) if e in elements
    ]
    rng = np.random.default_rng((seed, *map(ord, kind)))
    lo, hi = channel.grid[:2]
    lines += [(w, FAINT * rng.uniform(0.3, 1)) for w in rng.uniform(lo, hi, UNLISTED)]
    out = []
    for amp in channel.amplifiers:
        wave = amp.at(amp.wave, shift)
        step = np.gradient(wave, axis=1)
        electrons = np.zeros_like(wave)
        for at, intensity in lines:
            sigma = channel.lsf * step
            electrons += (
                level * intensity * np.exp(-0.5 * ((wave - at) / sigma) ** 2) / (np.sqrt(2 * np.pi) * channel.lsf)
            )
        out.append(electrons * amp.light)
    return FiberLight(np.concatenate(out), _grid(channel))


def sky_and_source(
    channel: TrueChannel, scene: SkyScene, exptime: float, points: Array, area: float, shift: float = 0.0
) -> FiberLight:
    """Sky with its gradient, and a source behind the atmosphere, through the line spread of the detector.

    Parameters
    ----------
    exptime : float, s
    points, area
        Of `source.fiber_points`.
    shift : float, px
        Of all wavelengths against the arcs.
    """
    wave, grid = _fine(channel), _grid(channel)
    x, y = channel.layout
    gx, gy = scene.gradient
    illumination = scene.sky * (1 + gx * x + gy * y)
    sky = _curve(channel.sky.wave, channel.sky.value, wave)
    caught = Caught(np.zeros((len(x), len(wave))))
    for one in scene.sources:
        more = catch(one, x + scene.dither[0], y + scene.dither[1], channel.refraction, wave, points, area)
        caught = Caught(caught.light + more.light, {**caught.moments, **more.moments})
    for trail in scene.trails:
        more_light = trail.light(x + scene.dither[0], y + scene.dither[1], wave, points, area)
        caught = Caught(caught.light + more_light, caught.moments)
    absorbed = np.interp(wave, channel.telluric.wave, channel.telluric.value)
    source = _spread(channel, caught.light * absorbed, wave)
    light = source + illumination[:, None] * sky
    electrons, first = [], 0
    for amp in channel.amplifiers:
        own = slice(first, first := first + len(amp.x))
        counted = _counted(channel, amp.at(amp.wave, shift), wave, light[own], exptime)
        electrons.append(scene.light * counted * amp.light)
    return FiberLight(
        np.concatenate(electrons), grid, _each(wave, source, grid),
        _each(wave, illumination[:, None] * sky, grid), illumination, caught.moments,
    )  # fmt: skip


def _fine(channel: TrueChannel) -> Array:
    """Wavelengths a little beyond the grid, closer than the grid's."""
    lo, hi, n = channel.grid
    margin = 0.03 * (hi - lo)
    return np.linspace(lo - margin, hi + margin, FINE * n + 1)


def _grid(channel: TrueChannel) -> Array:
    lo, hi, n = channel.grid
    return np.linspace(lo, hi, n)


def _counted(channel: TrueChannel, wave: Array, fine: Array, light: Array, exptime: float) -> Array:
    """Electrons that light (nfiber, nfine) leaves in the columns at `wave` (nfiber, ncol)."""
    response = np.interp(wave, channel.response.wave, channel.response.value)
    step = np.gradient(wave, axis=1)
    own = np.stack([_curve(fine, row, at) for row, at in zip(light, wave)])
    return np.asarray(np.maximum(own, 0) * step * (channel.factor * exptime * AREA) / response)


def _lit(channel: TrueChannel, wave: Array, shape: Array, level: float) -> FiberLight:
    """The same light in all fibers, scaled to the median of its electrons."""
    shape = _spread(channel, shape[None], wave)[0]
    out = []
    for amp in channel.amplifiers:
        at = amp.at(amp.wave)
        response = np.interp(at, channel.response.wave, channel.response.value)
        out.append(np.interp(at, wave, shape) / response * np.gradient(at, axis=1) * amp.light)
    electrons = np.concatenate(out)
    return FiberLight(electrons * level / np.median(electrons[electrons > 0]), _grid(channel))


def _spread(channel: TrueChannel, light: Array, wave: Array) -> Array:
    """Spectra (n, nwave) through the line spread."""
    from scipy.ndimage import gaussian_filter1d

    sigma = channel.lsf * channel.dispersion / (wave[1] - wave[0])
    return np.asarray(gaussian_filter1d(light, sigma, axis=1, mode="nearest"))


def _curve(wave: Array, value: Array, at: Array) -> Array:
    """A smooth curve through values; beyond them the outermost one."""
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(wave, value)(np.clip(at, wave[0], wave[-1])))


def _each(wave: Array, light: Array, grid: Array) -> Array:
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(wave, light, axis=1)(grid))


def _body(wave: Array, temperature: float) -> Array:
    """A black body, of no unit."""
    return np.asarray((wave / 5500.0) ** -5 / np.expm1(1.4388e8 / (wave * temperature)))
