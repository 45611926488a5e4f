"""True traces of a simulated fiber slit on a detector: blocks, gaps, smile, keystone and width."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ifuview.model.trace import TraceSet

PLACEMENT_ERROR = 0.08  # px, rms of the fibers on the slit
WAVE_START, WAVE_STOP = 5800.0, 7600.0  # Angstrom, at the middle of the slit
WAVE_SMILE = 12.0  # Angstrom, between the slit's middle and its ends


@dataclass(frozen=True, slots=True)
class SlitSpec:
    """Geometry of fibers on a detector, canonical axes.

    Parameters
    ----------
    shape : (int, int), px
        Cross-dispersion, dispersion.
    nfiber : int
    spacing : float, px
        Between fibers of one block.
    block : int
        Fibers per block.
    gap : float, px
        Added between blocks.
    sigma : (float, float), px
        Gaussian width in the middle and in the corners.
    disk : float, px
        Radius of a uniform disk that the Gaussian is convolved with; 0 = none.
    bend : float, px
        Amplitude of tilt, smile and keystone.
    """

    shape: tuple[int, int]
    nfiber: int
    spacing: float = 7.5
    block: int = 25
    gap: float = 7.0
    sigma: tuple[float, float] = (1.05, 1.45)
    disk: float = 0.0
    bend: float = 9.0


SPECS = MappingProxyType(
    {
        "4k": SlitSpec((4096, 4096), 500),
        "lrs2": SlitSpec((1032, 2064), 140, spacing=7.0, block=140, gap=0.0, bend=3.6),
        "small": SlitSpec((512, 1024), 60, block=20, bend=2.5),
        "tiny": SlitSpec((128, 512), 12, block=6, bend=1.5),
        "demo": SlitSpec((1840, 1100), 200, spacing=8.5, block=25, gap=9.0, bend=6.0),
    }
)


def slit(spec: SlitSpec | str) -> SlitSpec:
    """The geometry itself, or that of a name in `SPECS`."""
    return SPECS[spec] if isinstance(spec, str) else spec


def blocks(spec: SlitSpec | str) -> NDArray[np.int32]:
    """Block of each fiber, shape (nfiber,)."""
    spec = slit(spec)
    return (np.arange(spec.nfiber) // spec.block).astype(np.int32)


def true_traces(spec: SlitSpec | str, seed: int = 1) -> TraceSet:
    """Return the traces of a slit: cubic in both detector axes, with centers, widths and wavelengths."""
    spec = slit(spec)
    nrow, ncol = spec.shape
    rng = np.random.default_rng(seed)
    i = np.arange(spec.nfiber)
    start = i * spec.spacing + blocks(spec) * spec.gap
    start = start - start.mean() + (nrow - 1) / 2 + rng.normal(0, PLACEMENT_ERROR, spec.nfiber)
    u = np.linspace(-1, 1, ncol)[None]
    v = ((start - nrow / 2) / (nrow / 2))[:, None]
    path = spec.bend * (0.45 * u + u**2 * (0.35 + v) + u**3 * v**2 / 6)
    center = start[:, None] + path - path.mean(axis=1, keepdims=True) / 2
    lo, hi = spec.sigma
    sigma = lo + (hi - lo) * (u**2 + v**2) / 2
    wave = WAVE_START + (WAVE_STOP - WAVE_START) * ((u + 1) / 2 + 0.01 * u**2) + WAVE_SMILE * v**2
    return TraceSet(fiber=i, center=center, sigma=sigma, wave=wave, name="truth")
