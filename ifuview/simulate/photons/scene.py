"""A simulated scene for photon lists: star behind a coronagraph, speckle field, companion, satellite spots and sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.model.checks import Array

WAVE = np.linspace(700.0, 1500.0, 401)  # nm; photons are drawn from here
PSF_WIDTH = 1.1  # px, sigma
START = 1545552780.0  # unix time of the simulated exposures
DEAD_TIME = 1e-5  # s; of a pixel after a photon
STEP = 0.01  # s; the speckle field is constant in between


@dataclass(frozen=True, slots=True)
class Scene:
    """What shines on the array; rates are counts per second before the response of the pixels.

    Parameters
    ----------
    star : (float, float)
        x, y as fraction of the array.
    constant, speckle : float
        Rates Ic and Is of the halo in its middle.
    halo : float
        Radius of the halo as fraction of the smaller side.
    companion : (float, float, float)
        x, y as fractions, rate summed over its pixels.
    spots : float
        Rate of each of four satellite spots; they lie at a radius that grows with wavelength.
    spot_radius : float
        At 1000 nm, as fraction of the smaller side.
    sky : float
        Rate per pixel.
    correlation : float
        s; e-fold of the complex speckle field.
    grain : float
        px; correlation length of the field over the array, 0: pixels are independent.
    """

    star: tuple[float, float] = (0.5, 0.5)
    constant: float = 40.0
    speckle: float = 30.0
    halo: float = 0.35
    companion: tuple[float, float, float] = (0.72, 0.66, 120.0)
    spots: float = 60.0
    spot_radius: float = 0.4
    sky: float = 2.0
    correlation: float = 0.15
    grain: float = 0.0


def star_spectrum() -> Array:
    """Photons per nm of the star and of all that is made of its light."""
    return np.asarray(1 / WAVE)


def companion_spectrum() -> Array:
    """Red, with a band at 1140 nm."""
    return (WAVE / 1100) ** 2 * (1 - 0.6 * np.exp(-0.5 * ((WAVE - 1140) / 40) ** 2))


def sky_spectrum() -> Array:
    """Flat with two broad bands of emission."""
    return 1 + 0.8 * np.exp(-0.5 * ((WAVE - 1320) / 60) ** 2) + 0.4 * np.exp(-0.5 * ((WAVE - 1050) / 30) ** 2)


def halo(scene: Scene, shape: tuple[int, int]) -> Array:
    """Shape (ny, nx) of the star's halo, 1 in its middle, where the mask takes it away."""
    y, x = np.indices(shape)
    x0, y0 = place(scene.star, shape)
    radius = np.hypot(x - x0, y - y0) / (scene.halo * min(shape))
    light: Array = np.exp(-radius) * (1 - 0.9 * np.exp(-((radius / 0.15) ** 2)))
    return light


def point(x: float, y: float, shape: tuple[int, int]) -> Array:
    """Light (ny, nx) of a star of rate 1 at x, y."""
    rows, columns = np.indices(shape)
    light: Array = np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / PSF_WIDTH**2)
    return light / (2 * np.pi * PSF_WIDTH**2)


def place(where: tuple[float, ...], shape: tuple[int, int]) -> tuple[float, float]:
    """x, y in pixels of a place given in fractions of the array."""
    return where[0] * (shape[1] - 1), where[1] * (shape[0] - 1)


def spot_places(scene: Scene, shape: tuple[int, int], wave: float = 1000.0) -> list[tuple[float, float]]:
    """x, y of the four satellite spots at a wavelength in nm."""
    x0, y0 = place(scene.star, shape)
    radius = scene.spot_radius * min(shape) * wave / 1000
    angles = np.deg2rad([20, 110, 200, 290])
    return [(x0 + radius * float(np.cos(t)), y0 + radius * float(np.sin(t))) for t in angles]


def speckle_field(shape: tuple[int, int], steps: int, scene: Scene, rng: np.random.Generator) -> Array:
    """Complex field (steps, ny, nx) of unit mean intensity: Gaussian, first order in time with `scene.correlation`."""
    kept = float(np.exp(-STEP / scene.correlation))
    field = np.empty((steps, *shape), np.complex64)
    fresh = (rng.normal(size=(2, steps, *shape)) / np.sqrt(2)).astype(np.float32)
    if scene.grain > 0:
        fresh = _smoothed(fresh, scene.grain)
    now = fresh[0, 0] + 1j * fresh[1, 0]
    for k in range(steps):
        now = now if k == 0 else kept * now + np.sqrt(1 - kept**2) * (fresh[0, k] + 1j * fresh[1, k])
        field[k] = now
    return field


def _smoothed(noise: Array, grain: float) -> Array:
    """Noise smoothed over the array (as on a torus), with the variance that it had."""
    from scipy.ndimage import gaussian_filter

    sigma = (0.0,) * (noise.ndim - 2) + (grain, grain)
    delta = np.zeros(noise.shape[-2:], noise.dtype)
    delta[0, 0] = 1
    kernel = gaussian_filter(delta, grain, mode="wrap")
    smooth: Array = gaussian_filter(noise, sigma, mode="wrap") / np.sqrt((kernel**2).sum())
    return smooth
