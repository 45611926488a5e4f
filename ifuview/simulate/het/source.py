"""What is on the sky: a point, an inclined disk that turns, or a trail, as light in each fiber at each wavelength."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ifuview.model.checks import Array

LIGHT = 299792.458  # km/s
BETA = 3.5  # exponent of the Moffat profile
SEEING_POWER = -0.2  # of the wavelength
STEP = 0.05  # arcsec, of the points within a fiber
MAP_STEP, MAP_HALF = 0.1, 10.0  # arcsec, of the picture of an extended source
NODES = 24  # wavelengths at which the light within a fiber is integrated


@dataclass(frozen=True, slots=True, eq=False)
class SpectralLine:
    """An emission line: wavelength (Angstrom, in air), sigma (Angstrom), flux (erg/s/cm2)."""

    wave: float
    sigma: float
    flux: float


@dataclass(frozen=True, slots=True, eq=False)
class SkySource:
    """Something on the sky.

    Parameters
    ----------
    x, y : float, arcsec
        In the frame of the fiber head, at `reference`.
    fwhm : float, arcsec
        Of the seeing at `reference`.
    level : float, erg/s/cm2/Angstrom
        Of the continuum at 5500 Angstrom.
    slope : float
        Power of the wavelength.
    temperature : float, K
        0: a power law, else a black body.
    lines : tuple of SpectralLine
    reference : float, Angstrom
    scale : float, arcsec
        0: a point; else the scale length of an exponential disk.
    ratio, angle, speed : float, 1, degrees, km/s
        Axis ratio of the disk, angle of its major axis against x, and rotation.
    dispersion : float, km/s
    """

    x: float = 0.0
    y: float = 0.0
    fwhm: float = 1.4
    level: float = 2e-15
    slope: float = -0.5
    temperature: float = 0.0
    lines: tuple[SpectralLine, ...] = ()
    reference: float = 4142.5
    scale: float = 0.0
    ratio: float = 0.6
    angle: float = 35.0
    speed: float = 150.0
    dispersion: float = 60.0

    def continuum(self, wave: Array) -> Array:
        """Continuum of the whole source above the atmosphere, erg/s/cm2/Angstrom."""
        if not self.temperature:
            return np.asarray(self.level * (wave / 5500.0) ** self.slope)
        return self.level * _planck(wave, self.temperature) / _planck(np.array(5500.0), self.temperature)

    def spectrum(self, wave: Array) -> Array:
        """The whole source above the atmosphere, erg/s/cm2/Angstrom."""
        out = self.continuum(wave)
        for line in self.lines:
            out = out + line.flux * _gauss(wave, line.wave, line.sigma)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class SkyTrail:
    """What a satellite or an airplane leaves: a straight line from edge to edge, sunlight by its slope.

    Parameters
    ----------
    x, y : float, arcsec
        A place on it, in the frame of the fiber head.
    angle : float, deg
        Of the line against x.
    level : float, erg/s/cm2/Angstrom/arcsec
        Of an arcsec of its length at 5500 Angstrom, over the whole exposure.
    fwhm : float, arcsec
        Of the seeing.
    slope : float
        Power of the wavelength.
    """

    x: float
    y: float
    angle: float
    level: float
    fwhm: float = 1.7
    slope: float = -0.5

    def light(self, x: Array, y: Array, wave: Array, points: Array, area: float) -> Array:
        """Light in fibers at x, y, shape (nfiber, nwave) erg/s/cm2/Angstrom: a Moffat profile seen from the side.

        Parameters
        ----------
        points, area
            Of `fiber_points`.
        """
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        away = (y[:, None] + points[:, 1] - self.y) * c - (x[:, None] + points[:, 0] - self.x) * s
        core = self.fwhm / 2 / math.sqrt(2 ** (1 / BETA) - 1)
        peak = math.gamma(BETA - 0.5) / (math.gamma(BETA - 1) * math.sqrt(math.pi) * core)
        across = peak * (1 + (away / core) ** 2) ** (0.5 - BETA)
        return np.asarray(area * across.mean(axis=1)[:, None] * self.level * (wave / 5500.0) ** self.slope)


@dataclass(frozen=True, slots=True, eq=False)
class Caught:
    """Light of a source in each fiber, and what its lines do there.

    Parameters
    ----------
    light : ndarray, shape (nfiber, nwave), erg/s/cm2/Angstrom
    moments : mapping of int to ndarray, shape (3, nfiber)
        Number of a line to its share in the fiber, mean speed and dispersion (km/s) there.
    """

    light: Array
    moments: dict[int, Array] = field(default_factory=dict)


def fiber_points(pitch: float, radius: float = 0.0) -> tuple[Array, float]:
    """Return points that fill a fiber, shape (n, 2) arcsec, and its area: a lenslet of a staggered grid, or a disk."""
    half = max(pitch, radius) * 1.2
    axis = np.arange(-half, half, STEP) + STEP / 2
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    if radius:
        inside = np.hypot(*points.T) < radius
        return points[inside], float(np.pi * radius**2)
    around = np.array([(1, 0), (-1, 0), (0.5, 1), (0.5, -1), (-0.5, 1), (-0.5, -1)]) * pitch
    own = np.hypot(*points.T)
    inside = np.all([own <= np.hypot(*(points - one).T) for one in around], axis=0)
    return points[inside], float(pitch**2)


def catch(source: SkySource, x: Array, y: Array, refraction: Array, wave: Array, points: Array, area: float) -> Caught:
    """Return the light of a source above the atmosphere in fibers at x, y.

    Parameters
    ----------
    refraction : ndarray, shape (3, n)
        Wavelength, and where a source is seen in x and y; only differences to `source.reference` count.
    points, area
        Of `fiber_points`.
    """
    if source.scale:
        return _disk(source, x, y, refraction, wave, points, area)
    nodes = np.linspace(wave[0], wave[-1], NODES)
    share = np.stack([_point_share(source, x, y, refraction, one, points, area) for one in nodes], axis=1)
    return Caught(_spread(nodes, share, wave) * source.spectrum(wave))


def displaced(source: SkySource, refraction: Array, wave: float) -> tuple[float, float]:
    """Where a source is seen at a wavelength, arcsec."""
    at, dx, dy = refraction
    return (
        source.x + float(np.interp(wave, at, dx) - np.interp(source.reference, at, dx)),
        source.y + float(np.interp(wave, at, dy) - np.interp(source.reference, at, dy)),
    )


def _point_share(
    source: SkySource, x: Array, y: Array, refraction: Array, wave: float, points: Array, area: float
) -> Array:
    """Share of a point's light that each fiber catches."""
    x0, y0 = displaced(source, refraction, wave)
    dx = x[:, None] + points[:, 0] - x0
    dy = y[:, None] + points[:, 1] - y0
    return np.asarray(area * _moffat(np.hypot(dx, dy), _seeing(source, wave)).mean(axis=1))


def _disk(source: SkySource, x: Array, y: Array, refraction: Array, wave: Array, points: Array, area: float) -> Caught:
    """The same of an inclined disk: its continuum, and each line with the speed that it has in a fiber."""
    axis = np.arange(-MAP_HALF, MAP_HALF + MAP_STEP / 2, MAP_STEP)
    px, py = np.meshgrid(axis, axis)
    angle = np.radians(source.angle)
    along = px * np.cos(angle) + py * np.sin(angle)
    across = (py * np.cos(angle) - px * np.sin(angle)) / source.ratio
    radius = np.hypot(along, across)
    bright = np.exp(-radius / source.scale)
    bright /= bright.sum() * MAP_STEP**2
    speed = source.speed * np.tanh(radius / source.scale) * along / np.maximum(radius, 1e-9)
    squared = speed**2 + source.dispersion**2

    def seen(maps: tuple[Array, ...], at: float) -> Array:
        return _in_fibers(maps, source, x, y, refraction, at, points, area)

    nodes = np.linspace(wave[0], wave[-1], NODES // 3)
    share = np.stack([seen((bright,), one)[0] for one in nodes], axis=1)
    light = _spread(nodes, share, wave) * source.continuum(wave)
    moments = {}
    for number, line in enumerate(source.lines):
        if not wave[0] < line.wave < wave[-1]:
            continue
        part, first, second = seen((bright, bright * speed, bright * squared), line.wave)
        mean = first / part
        width = np.sqrt(second / part - mean**2)
        moments[number] = np.stack([part, mean, width])
        sigma = np.hypot(line.sigma, line.wave * width / LIGHT)
        light += (line.flux * part)[:, None] * _gauss(wave, (line.wave * (1 + mean / LIGHT))[:, None], sigma[:, None])
    return Caught(light, moments)


def _in_fibers(
    maps: tuple[Array, ...],
    source: SkySource,
    x: Array,
    y: Array,
    refraction: Array,
    wave: float,
    points: Array,
    area: float,
) -> Array:
    """Light of pictures (each an area density) in each fiber through the seeing, shape (nmap, nfiber)."""
    from scipy.ndimage import map_coordinates
    from scipy.signal import fftconvolve

    n = maps[0].shape[0]
    axis = (np.arange(n) - n // 2) * MAP_STEP
    kernel = _moffat(np.hypot(*np.meshgrid(axis, axis)), _seeing(source, wave))
    x0, y0 = displaced(source, refraction, wave)
    column = (x[:, None] + points[:, 0] - x0) / MAP_STEP + n // 2
    row = (y[:, None] + points[:, 1] - y0) / MAP_STEP + n // 2
    blurred = [fftconvolve(one, kernel / kernel.sum(), mode="same") for one in maps]
    return np.stack([area * map_coordinates(one, [row, column], order=1).mean(axis=1) for one in blurred])


def _spread(nodes: Array, values: Array, wave: Array) -> Array:
    """Values at some wavelengths as a smooth curve at all."""
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(nodes, values, axis=1)(wave))


def _seeing(source: SkySource, wave: float) -> float:
    return source.fwhm * float((wave / source.reference) ** SEEING_POWER)


def _moffat(radius: Array, fwhm: float) -> Array:
    """Moffat profile whose integral over the plane is 1."""
    core = fwhm / 2 / np.sqrt(2 ** (1 / BETA) - 1)
    return np.asarray((BETA - 1) / (np.pi * core**2) * (1 + (radius / core) ** 2) ** -BETA)


def _gauss(wave: Array, center: Array | float, sigma: Array | float) -> Array:
    return np.asarray(np.exp(-0.5 * ((wave - center) / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma))


def _planck(wave: Array, temperature: float) -> Array:
    """Black body for each wavelength, of no unit."""
    return np.asarray((wave / 5500.0) ** -5 / np.expm1(1.4388e8 / (wave * temperature)))
