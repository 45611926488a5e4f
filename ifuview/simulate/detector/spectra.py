"""Simulated row-stacked spectra: frame, sframe, sky and fiberflat of one exposure, clean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.night.chain import Chain
from ifuview.model.pixels import Pixels
from ifuview.simulate.detector.exposure import MASK_BITS, THROUGHPUT
from ifuview.simulate.detector.geometry import WAVE_START, WAVE_STOP, SlitSpec, blocks, slit

UNIT = "electron/Angstrom"
SKY_LINES = 28
SKY_LINE_SIGMA = 1.4  # Angstrom
NOISE_FLOOR = 4.0  # electron / Angstrom, of read noise in an extracted sample
SKY_SHARE = 5  # every n-th fiber is a sky fiber
DEAD_BIT = 0


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

    def as_chain(self) -> Chain:
        """The products as `ifuview.simulate.defects` plants into them."""
        fibers = self.frame.fibermap
        assert fibers.role is not None
        return Chain(
            wave=self.frame.wave, frame=self.frame.flux, frame_ivar=self.frame.ivar, flat=self.fiberflat.flux,
            sky=self.sky.flux, sframe=self.sframe.flux, sframe_ivar=self.sframe.ivar,
            fluxcalib=np.ones_like(self.frame.flux), is_sky=np.array([r is FiberRole.SKY for r in fibers.role]),
            focal_x=fibers.focal_x, focal_y=fibers.focal_y,
        )  # fmt: skip

    def with_chain(self, chain: Chain, dead: tuple[int, ...] = ()) -> SimulatedExposure:
        """The exposure with the products of a chain; fibers that are `dead` are masked in all."""
        rows = list(dead)
        out = {}
        for name in ("frame", "sframe", "sky", "fiberflat"):
            own = getattr(self, name)
            mask, ivar = own.mask.copy(), own.ivar.copy()
            mask[rows] |= 1 << DEAD_BIT
            ivar[rows] = 0
            flux = np.asarray(getattr(chain, "flat" if name == "fiberflat" else name), np.float32)
            out[name] = replace(own, flux=flux, ivar=ivar, mask=mask)
        return replace(self, **out)


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


def expose_rss(spec: SlitSpec | str = "demo", nwave: int = 1100, seed: int = 5) -> SimulatedExposure:
    """Simulate the products of one exposure on a common wavelength grid.

    frame = throughput * (sky + object) + noise; sframe = frame / fiberflat - sky model.
    """
    spec = slit(spec)
    rng = np.random.default_rng(seed)
    fibers = fiber_map(spec)
    wave = np.linspace(WAVE_START + 20, WAVE_STOP - 5, nwave)
    sky = np.broadcast_to(sky_spectrum(wave), (spec.nfiber, nwave))
    flat = throughputs(spec.nfiber)[:, None] * (1 + 0.05 * np.sin((wave - WAVE_START) / 300)[None])
    light = flat * (sky + object_level(fibers)[:, None])
    variance = NOISE_FLOOR**2 + light
    counts = light + np.sqrt(variance) * rng.standard_normal(light.shape)

    def product(stage: str, flux: Array, ivar: Array, unit: str = UNIT) -> SimulatedRss:
        return SimulatedRss(
            stage=stage, flux=flux.astype(np.float32), ivar=ivar.astype(np.float32),
            mask=np.zeros(light.shape, np.int32), wave=wave, fibermap=fibers, unit=unit,
        )  # fmt: skip

    return SimulatedExposure(
        frame=product("frame", counts, 1 / variance),
        sframe=product("sframe", counts / flat - sky, flat**2 / variance),
        sky=product("sky", sky, np.full(sky.shape, SKY_SHARE * 4 / NOISE_FLOOR**2)),
        fiberflat=product("fiberflat", flat, np.full_like(flat, 1e6), ""),
        truth=MappingProxyType({"sky": sky, "light": light, "flat": flat}),
    )
