"""Simulated row-stacked spectra: frame, sframe, sky and fiberflat of one exposure, with planted defects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.simulate.detector.exposure import MASK_BITS, THROUGHPUT
from ifuview.simulate.detector.geometry import WAVE_START, WAVE_STOP, SlitSpec, blocks, slit

UNIT = "electron/Angstrom"
SKY_LINES = 28
SKY_LINE_SIGMA = 1.4  # Angstrom
NOISE_FLOOR = 4.0  # electron / Angstrom, of read noise in an extracted sample
SKY_SHARE = 5  # every n-th fiber is a sky fiber
BUMP_SIGMA = 12.0  # Angstrom


@dataclass(frozen=True, slots=True)
class RssDefects:
    """What is wrong with a simulated exposure.

    Parameters
    ----------
    dead : tuple of int
        Fibers without light.
    bump_block : int or None
        Block whose sky model has a bump at `bump_wave` of `bump_height` (electron/Angstrom); it is in sky and, as a
        hole, in sframe, but not in frame.
    bad_rows : (int, int) or None
        Fibers first..last-1 whose blue half (their amplifier) has an offset of `bad_level` from column to column.
    spike : (int, int) or None
        Fiber and sample of a line one sample wide, of `spike_height`.
    """

    dead: tuple[int, ...] = ()
    bump_block: int | None = None
    bump_wave: float = 6600.0
    bump_height: float = 40.0
    bad_rows: tuple[int, int] | None = None
    bad_level: float = 15.0
    spike: tuple[int, int] | None = None
    spike_height: float = 2000.0


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedRss:
    """One product of an exposure, shape (nfiber, nwave)."""

    stage: str
    flux: NDArray[np.float32]
    ivar: NDArray[np.float32]
    mask: NDArray[np.int32]
    wave: NDArray[np.float64]
    fibermap: FiberMap
    unit: str = UNIT

    def as_image(self) -> Image:
        """The product as an Image of row-stacked spectra."""
        name = {"sky": "SKY", "fiberflat": "FIBERFLAT"}.get(self.stage, "FLUX")
        return Image(
            name=name, kind=Kind.RSS, pixels=Pixels(self.flux), ivar=Pixels(self.ivar), mask=Pixels(self.mask),
            mask_bits=MASK_BITS, unit=self.unit, wave=self.wave, fibermap=self.fibermap, stage=self.stage,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedExposure:
    """The products of one exposure and what is true of them."""

    frame: SimulatedRss
    sframe: SimulatedRss
    sky: SimulatedRss
    fiberflat: SimulatedRss
    truth: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))


def sky_spectrum(wave: Array, level: float = 60.0, seed: int = 5) -> NDArray[np.float64]:
    """Return a night sky of continuum and lines, electron/Angstrom, at any wavelengths."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(WAVE_START, WAVE_STOP, SKY_LINES))
    strength = level * rng.exponential(3.0, SKY_LINES)
    sky = level * (0.8 + 0.2 * (np.asarray(wave) - WAVE_START) / (WAVE_STOP - WAVE_START))
    for center, height in zip(at, strength):
        sky = sky + height * np.exp(-0.5 * ((wave - center) / SKY_LINE_SIGMA) ** 2)
    return sky


def fiber_map(spec: SlitSpec | str, seed: int = 5) -> FiberMap:
    """Return the fibers of a simulated slit: every fifth looks at the sky; positions in a round head."""
    spec = slit(spec)
    rng = np.random.default_rng(seed)
    i = np.arange(spec.nfiber)
    offset = rng.uniform(-1, 1, (2, spec.nfiber))
    radius, angle = 40 * np.sqrt((i + 0.5) / spec.nfiber), i * 2.39996323  # sunflower
    role = tuple(FiberRole.SKY if f % SKY_SHARE == 0 else FiberRole.SCIENCE for f in i)
    target = tuple("SKY" if r is FiberRole.SKY else "TGT" for r in role)
    return FiberMap(
        fiber=i, role=role, target=target, block=blocks(spec), focal_x=radius * np.cos(angle),
        focal_y=radius * np.sin(angle), ra=150 + offset[0], dec=2 + offset[1],
    )  # fmt: skip


def object_level(fibers: FiberMap, seed: int = 5) -> NDArray[np.float64]:
    """Return the continuum of each fiber's object, electron/Angstrom, shape (nfiber,); one is a bright star."""
    rng = np.random.default_rng(seed)
    level = rng.exponential(25.0, fibers.nfiber)
    level[[r is FiberRole.SKY for r in fibers.role]] = 0.0
    level[fibers.nfiber // 3 + 1] = 1500.0
    return level


def throughputs(nfiber: int, seed: int = 5) -> NDArray[np.float64]:
    """Relative throughput of each fiber, shape (nfiber,)."""
    return np.random.default_rng(seed + 1).uniform(*THROUGHPUT, nfiber)


def expose_rss(
    spec: SlitSpec | str = "demo", nwave: int = 1100, seed: int = 5, defects: RssDefects | None = None
) -> SimulatedExposure:
    """Simulate the products of one exposure on a common wavelength grid.

    frame = throughput * (sky + object) + noise; sframe = frame / fiberflat - sky model.
    """
    spec, defects = slit(spec), defects or RssDefects()
    rng = np.random.default_rng(seed)
    fibers = fiber_map(spec)
    wave = np.linspace(WAVE_START + 20, WAVE_STOP - 5, nwave)
    true_sky = np.broadcast_to(sky_spectrum(wave), (spec.nfiber, nwave))
    flat = throughputs(spec.nfiber)[:, None] * (1 + 0.05 * np.sin((wave - WAVE_START) / 300)[None])
    light = flat * (true_sky + object_level(fibers)[:, None])
    light[list(defects.dead)] = 0
    variance = NOISE_FLOOR**2 + light
    counts = light + np.sqrt(variance) * rng.standard_normal(light.shape)
    if defects.bad_rows is not None:
        first, last = defects.bad_rows
        counts[first:last, : nwave // 2] += defects.bad_level * rng.standard_normal(nwave // 2)
    if defects.spike is not None:
        counts[defects.spike] += defects.spike_height
    model = true_sky.copy()
    if defects.bump_block is not None:
        bump = defects.bump_height * np.exp(-0.5 * ((wave - defects.bump_wave) / BUMP_SIGMA) ** 2)
        model[fibers.block == defects.bump_block] += bump
    mask = np.zeros(light.shape, np.int32)
    mask[list(defects.dead)] = 1

    def product(stage: str, flux: Array, ivar: Array, unit: str = UNIT) -> SimulatedRss:
        ivar = np.where(mask == 0, ivar, 0).astype(np.float32)
        return SimulatedRss(
            stage=stage, flux=flux.astype(np.float32), ivar=ivar, mask=mask, wave=wave, fibermap=fibers, unit=unit
        )

    return SimulatedExposure(
        frame=product("frame", counts, 1 / variance),
        sframe=product("sframe", counts / flat - model, flat**2 / variance),
        sky=product("sky", model, np.full_like(model, SKY_SHARE * 4 / NOISE_FLOOR**2)),
        fiberflat=product("fiberflat", flat, np.full_like(flat, 1e6), ""),
        truth=MappingProxyType({"sky": true_sky, "light": light, "flat": flat}),
    )
