"""Simulated detector frames: flats and science exposures with noise, cosmics and defects, and their truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.quality import MaskBits
from ifuview.model.trace import TraceSet
from ifuview.simulate.detector.bounds import electrons_for_snr
from ifuview.simulate.detector.geometry import SlitSpec, slit, true_traces
from ifuview.simulate.detector.render import render

READNOISE = 3.0  # electron
COSMIC_BIT, SATURATED_BIT, BAD_BIT = 4, 3, 0
MASK_BITS = MaskBits({0: ("BAD", "bad pixel"), 3: ("SATURATED", "saturated"), 4: ("COSMIC", "cosmic ray")})
COSMIC_ENERGY = 400.0  # electron per pixel, scale of an exponential
COSMIC_LENGTH = 8.0  # px, mean length of a track
THROUGHPUT = (0.85, 1.15)  # range over fibers
LINE_SPACING = 60  # px between sky lines
LINE_SIGMA = 1.4  # px


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedFrame:
    """A detector frame with its truth, canonical axes.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol), electron
    variance : ndarray of float32
        True variance of the noise.
    mask : ndarray of int32
        Truth of cosmics, saturation and bad columns, bits as `MASK_BITS`.
    traces : TraceSet
        True centers, widths and wavelengths.
    flux : ndarray, shape (nfiber, ncol), electron
    readnoise, pedestal : float, electron
    """

    spec: SlitSpec
    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    mask: NDArray[np.int32]
    traces: TraceSet
    flux: NDArray[np.float64]
    readnoise: float
    pedestal: float

    def as_image(self, name: str = "IMAGE") -> Image:
        """The frame as an Image in canonical orientation with its mask and its true ivar (0 where masked)."""
        ivar = np.where(self.mask == 0, 1 / self.variance, 0).astype(np.float32)
        return Image(
            name, Kind.DETECTOR, Pixels(self.image), Pixels(ivar), Pixels(self.mask), MASK_BITS, "electron",
            gain=1.0, readnoise=self.readnoise, stage="preproc",
        )  # fmt: skip


def flat_flux(spec: SlitSpec | str, level: float, seed: int = 2) -> NDArray[np.float64]:
    """Return a lamp spectrum times the throughput of each fiber, shape (nfiber, ncol), about `level` per column."""
    spec = slit(spec)
    u = np.linspace(-1, 1, spec.shape[1])
    throughput = np.random.default_rng(seed).uniform(*THROUGHPUT, spec.nfiber)
    return level * throughput[:, None] * (1 + 0.25 * u - 0.3 * u**2)[None]


def science_flux(spec: SlitSpec | str, level: float, seed: int = 2) -> NDArray[np.float64]:
    """Return sky continuum and lines in every fiber, one bright star and its fainter neighbor, and a few galaxies."""
    spec = slit(spec)
    rng = np.random.default_rng(seed)
    ncol = spec.shape[1]
    u, x = np.linspace(-1, 1, ncol), np.arange(ncol)
    throughput = rng.uniform(*THROUGHPUT, spec.nfiber)
    sky = 0.6 + 0.1 * u
    nline = max(1, ncol // LINE_SPACING)
    for at, strength in zip(rng.uniform(0, ncol, nline), rng.uniform(0.3, 4.0, nline)):
        sky += strength * np.exp(-0.5 * ((x - at) / LINE_SIGMA) ** 2)
    objects = np.where(rng.random(spec.nfiber) < 0.15, rng.uniform(0.2, 2.0, spec.nfiber), 0.0)
    bright = spec.nfiber // 3
    objects[bright : bright + 2] = 20.0, 3.0
    return level * throughput[:, None] * (sky[None] + objects[:, None] * (1 + 0.2 * u)[None])


def expose(
    spec: SlitSpec | str = "small",
    kind: str = "flat",
    snr: float = 50.0,
    seed: int = 0,
    *,
    traces: TraceSet | None = None,
    flux: Array | None = None,
    throughput: Mapping[int, float] | None = None,
    readnoise: float = READNOISE,
    pedestal: float = 0.0,
    cosmics: int = 0,
    bad_columns: tuple[int, ...] = (),
    saturation: float | None = None,
) -> SimulatedFrame:
    """Simulate one exposure.

    Parameters
    ----------
    spec : SlitSpec or str
        Geometry, or a name in `geometry.SPECS`.
    kind : str
        "flat" or "science".
    snr : float
        Optimal signal-to-noise ratio of one fiber per column of a flat.
    seed : int
        Of the noise and of the cosmics; the slit's own seed is fixed.
    traces, flux : optional
        Instead of those of the geometry and the kind.
    throughput : mapping of int to float, optional
        Factor on single fibers: 0 is a dead fiber.
    readnoise, pedestal : float, electron
        The pedestal is added to all pixels, with its photon noise.
    cosmics : int
        Number of tracks.
    bad_columns : tuple of int
        Columns along dispersion whose pixels read 0.
    saturation : float, electron, optional
        Pixels are cut there.
    """
    spec = slit(spec)
    truth = true_traces(spec) if traces is None else traces
    level = electrons_for_snr(snr, readnoise)
    light = (science_flux if kind == "science" else flat_flux)(spec, level) if flux is None else np.array(flux, float)
    for fiber, factor in (throughput or {}).items():
        light[fiber] *= factor
    assert truth.sigma is not None
    expected = render(truth.center, truth.sigma, light, spec.shape[0], spec.disk) + pedestal
    rng = np.random.default_rng((seed, spec.shape[0], spec.nfiber))
    image = observe(expected, readnoise, rng)
    mask = np.zeros(spec.shape, np.int32)
    _add_cosmics(image, mask, cosmics, rng)
    for column in bad_columns:
        image[:, column], mask[:, column] = 0, 1 << BAD_BIT
    if saturation is not None:
        mask[image > saturation] |= 1 << SATURATED_BIT
        np.minimum(image, saturation, out=image)
    variance = (expected + readnoise**2).astype(np.float32)
    return SimulatedFrame(spec, image, variance, mask, truth, light, readnoise, pedestal)


def observe(expected: Array, readnoise: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return photon counts of an expectation (>= 0) plus Gaussian read noise, electron."""
    image = rng.poisson(expected).astype(np.float32)
    image += readnoise * rng.standard_normal(image.shape, np.float32)
    return image


def _add_cosmics(image: Array, mask: Array, number: int, rng: np.random.Generator) -> None:
    """Straight tracks of random direction and length."""
    nrow, ncol = image.shape
    for _ in range(number):
        length = int(rng.exponential(COSMIC_LENGTH)) + 1
        angle = rng.uniform(0, np.pi)
        t = np.arange(length)
        row = np.clip((rng.uniform(0, nrow) + t * np.sin(angle)).astype(int), 0, nrow - 1)
        col = np.clip((rng.uniform(0, ncol) + t * np.cos(angle)).astype(int), 0, ncol - 1)
        image[row, col] += rng.exponential(COSMIC_ENERGY, length)
        mask[row, col] |= 1 << COSMIC_BIT
