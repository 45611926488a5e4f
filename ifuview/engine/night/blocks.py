"""Defects that keep to a wavelength in some blocks of fibers, and the first product that has them.

Every product is reduced to the median of each block in bins of wavelength, minus the median of the blocks. What the
sky model or the flat deviates by must come back in the sky-subtracted flux with the other sign: that regression finds
weak blocks and names the step. What remains in the flux alone came earlier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import binned, blocks_of, continuum, mad, middle
from ifuview.engine.numeric.medians import MEDIAN_ERROR
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array

BIN = 20  # pixels of one bin; clean exposures stay below z = 4 in all bins
Z_LIMIT = 6.0  # of a bin; the smallest planted defects have 14
SKY_FRACTION = 0.04  # of the sky level that a bin must reach
MIN_BINS = 3  # of one sign
ECHO = 0.25  # of the strongest block: less may be the reference's echo where nothing but the flux shows it
KNOWN = 0.5  # of the fibers of a block
HALVES = 0.4  # the weaker half of a block over the stronger: below, blocks are half as large


@dataclass(frozen=True, slots=True, eq=False)
class BlockRegion:
    """Blocks that deviate together.

    Parameters
    ----------
    step : str
        "sky", "fiberflat" or "frame": the first product that has it.
    size : int
        Fibers of a block.
    blocks : tuple of int
    amplitude : tuple of float
        Largest deviation of each block in the sky-subtracted flux, counts with sign.
    significance : float
        Of the strongest block, sigma.
    wave_range : (float, float), Angstrom
    answer : tuple of float
        Of each block: counts in the flux per count in the product, sign turned; empty for "frame".
    """

    step: str
    size: int
    blocks: tuple[int, ...]
    amplitude: tuple[float, ...]
    significance: float
    wave_range: tuple[float, float]
    answer: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Bins in which blocks are compared.

    Parameters
    ----------
    wave, sky, sigma : ndarray, shape (nbin,)
        Center, level of the sky, noise of one fiber.
    """

    wave: Array
    sky: Array
    sigma: Array

    @property
    def half(self) -> float:
        """Half of a bin, Angstrom."""
        return float(np.median(np.diff(self.wave))) / 2


def grid(wave: Array, sky: Array, sigma: Array) -> Grid:
    """Bins from arrays per wavelength."""
    return Grid(binned(wave, BIN), np.maximum(binned(sky, BIN), 1e-6), binned(sigma, BIN) / np.sqrt(BIN))


def deviation(values: Array, size: int) -> Array:
    """Median of every block in every bin, minus the median of the blocks, shape (nblock, nbin); 0 where unknown."""
    coarse = binned(values, BIN)
    groups = blocks_of(coarse, size)
    if np.isnan(coarse).any():  # a few fibers are no block
        count = coarse.shape[0] // size
        known = np.isfinite(coarse[: count * size]).reshape(count, size, -1).mean(axis=1) > KNOWN
        groups = np.where(known, groups, np.nan)
        return np.asarray(np.nan_to_num(groups - middle(groups, axis=0)))
    return np.asarray(groups - middle(groups, axis=0))


def regions(flux: Array, bins: Grid, size: int) -> tuple[BlockRegion, ...]:
    """Blocks of `size` fibers, or of half of that, that deviate.

    Parameters
    ----------
    flux : ndarray, shape (nfiber, nwave)
        Sky-subtracted, without continuum, bad rows and what sky model and flat explain.
    """
    whole, half = deviation(flux, size), deviation(flux, size // 2)
    return tuple(_chosen(_alone(whole, bins, size), _alone(half, bins, size // 2)))


def _chosen(whole: list[BlockRegion], half: list[BlockRegion]) -> list[BlockRegion]:
    """Half blocks where one half of a block carries it all, else whole blocks."""
    if not half:
        return whole
    if not whole:
        return half
    out = []
    for region in whole:
        twins = [h for h in half if _overlap(h.wave_range, region.wave_range)]
        strength = {b: abs(a) for h in twins for b, a in zip(h.blocks, h.amplitude, strict=True)}
        pairs = [(strength.get(2 * b, 0.0), strength.get(2 * b + 1, 0.0)) for b in region.blocks]
        if pairs and all(min(p) < HALVES * max(p) for p in pairs) and max(map(max, pairs)) > 0:
            out += twins
        else:
            out.append(region)
    return out


def _overlap(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _noise(bins: Grid, size: int) -> Array:
    return np.asarray(MEDIAN_ERROR * bins.sigma / np.sqrt(size))


def _region(
    step: str, size: int, kept: list[tuple[int, float, float, float]], wave_range: tuple[float, float]
) -> BlockRegion:
    blocks, peaks, scores, answers = zip(*kept, strict=True)
    return BlockRegion(
        step, size, blocks, peaks, float(max(np.abs(scores))), (float(wave_range[0]), float(wave_range[1])), answers
    )


def _alone(flux: Array, bins: Grid, size: int) -> list[BlockRegion]:
    """Blocks that deviate in the flux although no product does."""
    noise = _noise(bins, size)
    z = flux / noise
    z /= np.maximum(1.0, mad(z, axis=1))[:, None]
    hit = (np.abs(z) > Z_LIMIT) & (np.abs(flux) > SKY_FRACTION * bins.sky)
    spans: list[tuple[int, int, int]] = []
    for block in range(flux.shape[0]):
        for sign in (1, -1):
            for first, last in runs(hit[block] & (np.sign(flux[block]) == sign), 1):
                if np.count_nonzero(hit[block, first:last]) >= MIN_BINS:
                    spans.append((first, last, block))
    out = []
    while spans:
        first, last = spans[0][:2]
        group = [s for s in spans if s[0] < last and first < s[1]]
        spans = [s for s in spans if s not in group]
        first, last = min(s[0] for s in group), max(s[1] for s in group)
        kept = []
        for block in sorted({s[2] for s in group}):
            part = flux[block, first:last]
            at = int(np.argmax(np.abs(part)))
            kept.append((block, float(part[at]), float(np.abs(z[block, first:last]).max()), 0.0))
        strongest = max(abs(k[1]) for k in kept)
        kept = [k for k in kept if abs(k[1]) >= ECHO * strongest]
        found = _region("frame", size, kept, (bins.wave[first] - bins.half, bins.wave[last - 1] + bins.half))
        out.append(
            BlockRegion(
                *(getattr(found, n) for n in ("step", "size", "blocks", "amplitude", "significance", "wave_range"))
            )
        )
    return out


def share(region: BlockRegion, seen: Array, flux: Array, bins: Grid) -> float:
    """How much of a region's deviation the flat-fielded frame has already, 0 to 1.

    Continua are taken off, so that targets drop out.
    """
    inside = (bins.wave > region.wave_range[0]) & (bins.wave < region.wave_range[1])
    frame = deviation(seen - continuum(seen), region.size)[list(region.blocks)][:, inside]
    wanted = deviation(flux, region.size)[list(region.blocks)][:, inside]
    norm = float(np.sum(wanted**2))
    return float(np.sum(frame * wanted)) / norm if norm > 0 else 0.0
