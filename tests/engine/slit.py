"""A small slit spectrograph with known truth: two blocks of fibers, a lamp, a twilight, and exposures of the sky."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import erf

from ifuview.model.reduction.ccd import CcdFrame
from ifuview.model.reduction.spectra import ArcLines

NFIBER, NROW, NCOL = 40, 340, 768
NOISE = 2.5  # electrons
LINES = np.array([5010.3, 5060.2, 5111.7, 5202.4, 5214.9, 5320.8, 5402.1, 5497.6, 5560.5, 5633.3, 5702.9, 5741.4])
BRIGHT = np.array([0.3, 0.05, 1.0, 0.4, 0.2, 0.08, 0.6, 0.3, 0.02, 0.7, 0.15, 0.1])


@dataclass(frozen=True)
class Slit:
    """Truth; `seed` also moves the spectrograph a little."""

    seed: int = 1
    shift: float = 0.0
    dead: tuple[int, ...] = (11,)

    @cached_property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @cached_property
    def block(self) -> np.ndarray:
        return np.arange(NFIBER) // 20

    @cached_property
    def reference(self) -> np.ndarray:
        rows = 20 + 7.0 * np.arange(NFIBER) + 20.0 * self.block
        return rows + np.random.default_rng(7).normal(0, 0.15, NFIBER)

    @cached_property
    def center(self) -> np.ndarray:
        u = np.linspace(-1, 1, NCOL)
        v = (np.arange(NFIBER) % 20) / 10 - 0.95
        return self.reference[:, None] + 0.8 + (1.5 + 0.3 * v[:, None]) * u**2 - 0.4 * u + 0.1 * v[:, None] * u**3

    @cached_property
    def sigma(self) -> np.ndarray:
        return 1.5 + 0.05 * np.linspace(-1, 1, NFIBER)[:, None] + 0.04 * np.linspace(-1, 1, NCOL) ** 2

    @cached_property
    def wave(self) -> np.ndarray:
        u = np.linspace(-1, 1, NCOL)
        v = (np.arange(NFIBER) % 20) / 10 - 0.95
        offset = 1.2 * v[:, None] + 0.6 * v[:, None] ** 2 + 0.4 * self.block[:, None]
        return 5380 + offset + (384 + 0.5 * v[:, None]) * u + 6 * u**2 - 3 * u**3

    @cached_property
    def throughput(self) -> np.ndarray:
        level = np.random.default_rng(3).normal(1, 0.1, NFIBER)
        level[list(self.dead)] = 0
        return level[:, None] * (1 + 0.05 * np.linspace(-1, 1, NCOL) * np.linspace(-1, 1, NFIBER)[:, None])

    def solar(self, wave: np.ndarray) -> np.ndarray:
        """Light of a twilight, relative."""
        dips = sum(0.4 * np.exp(-0.5 * ((wave - w) / 3.0) ** 2) for w in (5040, 5170, 5270, 5430, 5600, 5690))
        return (1 + 0.2 * np.sin(wave / 90)) * (1 - dips)

    def lamp(self, light: float = 2e5, off: tuple[int, ...] = ()) -> np.ndarray:
        """Electrons of each sample of a lamp; lines `off` are missing, some that no list has are there."""
        known = [n for n in range(LINES.size) if n not in off]
        wave = np.concatenate([LINES[known], [5150.0, 5650.8, 5455.0]])
        bright = np.concatenate([BRIGHT[known], [0.1, 0.03, 0.02]])
        out = np.zeros(self.wave.shape)
        step = np.gradient(self.wave, axis=1)
        for w, b in zip(wave, bright, strict=True):
            scale = 1.7 * step * np.sqrt(2)
            out += b * light * 0.5 * (erf((self.wave + step / 2 - w) / scale) - erf((self.wave - step / 2 - w) / scale))
        return out * self.throughput

    def image(self, flux: np.ndarray, *, ground: float = 0.0, noise: bool = True) -> np.ndarray:
        """Detector with fluxes (nfiber, ncol), scattered light and noise."""
        rows = np.arange(NROW)[:, None]
        out = np.zeros((NROW, NCOL))
        for k in range(NFIBER):
            near = slice(max(0, int(self.center[k].min()) - 12), int(self.center[k].max()) + 13)
            far = rows[near] - self.center[k][None] - self.shift
            scale = self.sigma[k][None] * np.sqrt(2)
            out[near] += flux[k] * 0.5 * (erf((far + 0.5) / scale) - erf((far - 0.5) / scale))
        v = np.linspace(-1, 1, NROW)[:, None]
        out += ground * (1 - 0.3 * v**2) * (1 + 0.2 * np.linspace(-1, 1, NCOL))
        if noise:
            out = self.rng.poisson(np.maximum(out, 0)) + self.rng.normal(0, NOISE, out.shape)
        return out.astype(np.float32)

    def twilight(self, light: float = 4000.0) -> np.ndarray:
        """Electrons of each sample of a twilight."""
        return light * self.solar(self.wave) * self.throughput

    @staticmethod
    def frame(image: np.ndarray) -> CcdFrame:
        """An image as a frame."""
        return CcdFrame(image, np.maximum(image, 0) + np.float32(NOISE**2), np.zeros(image.shape, np.uint32))

    @staticmethod
    def lines(columns: bool = True) -> ArcLines:
        """The list, with columns that are some px wrong."""
        column = (LINES - 4993) / 771 * (NCOL - 1) + 4.0 if columns else np.full(LINES.size, np.nan)
        return ArcLines(LINES, np.round(column), BRIGHT, ("Hg",) * LINES.size)
