"""From electrons of fibers to the numbers of the converter: light on pixels, defects, particles, noise, overscan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.simulate.detector.render import render
from ifuview.simulate.het.setup import WARM_RATE, TrueAmplifier

SCATTERED = 0.03  # of all light
HALO = ((0.4, 8.0), (0.35, 40.0), (0.25, 160.0))  # share and sigma (px) of the light that is scattered
COARSE = 4  # px, of the grid that it is computed on
FULL = 65535  # ADU
COSMIC_RATE = 300.0  # tracks in an amplifier and 900 s
COSMIC_LENGTH, COSMIC_ENERGY = 2.2, 700.0  # px and electron/px, scales of exponentials
LEFT_BEHIND = (0.004, 0.001)  # share of the last column's light that shows in the first columns of the overscan


@dataclass(frozen=True, slots=True, eq=False)
class ReadPixels:
    """One amplifier as it was read out, oriented, and the truth of single pixels.

    Parameters
    ----------
    numbers : ndarray of uint16, shape (ny, nx)
    overscan : ndarray of uint16, shape (ny, noverscan)
    cosmics : ndarray of uint32, shape (n, 3)
        Row, column, electrons.
    saturated : ndarray of uint16, shape (n, 2)
        Row, column.
    expected : ndarray of float32, shape (ny, nx), electron
        Light and dark current before noise, particles and the end of the range.
    """

    numbers: NDArray[np.uint16]
    overscan: NDArray[np.uint16]
    cosmics: Array
    saturated: Array
    expected: NDArray[np.float32]


def light_on(
    amplifiers: Sequence[TrueAmplifier], electrons: Array, shift: float = 0.0, tilt: float = 0.0
) -> list[NDArray[np.float64]]:
    """Light of the fibers of a detector on the pixels of each amplifier; scattered light knows of no seam.

    Parameters
    ----------
    amplifiers : sequence of TrueAmplifier
        From bottom to top.
    electrons : ndarray, shape (nfiber, ncol)
        Of all their fibers.
    shift, tilt : float, px
        Of all traces, and what it is more at the top than at the bottom of an amplifier.
    """
    parts, first = [], 0
    for amp in amplifiers:
        center = amp.at(amp.trace)
        center = center + shift + tilt * (center / amp.shape[0] - 0.5)
        own = electrons[first : (first := first + len(amp.x))]
        parts.append(render(center, amp.at(amp.sigma), own, amp.shape[0]))
    image = np.concatenate(parts)
    image = (1 - SCATTERED) * image + SCATTERED * _halo(image)
    return np.split(image, np.cumsum([amp.shape[0] for amp in amplifiers])[:-1])


def read_out(
    amp: TrueAmplifier,
    light: Array,
    exptime: float,
    rng: np.random.Generator,
    *,
    overscan: int = 64,
    cosmics: float = 1.0,
    broken: bool = True,
) -> ReadPixels:
    """Read an amplifier out.

    Parameters
    ----------
    light : ndarray, shape (ny, nx), electron
        Of `light_on`; zeros for a bias or dark.
    exptime : float, s
    cosmics : float
        Times the usual rate.
    broken : bool
        With bad columns, hot pixels and the trap.
    """
    expected = np.array(light, np.float64)
    if broken:
        for low in amp.columns:
            expected[low.y0 : low.y1, low.x] *= low.qe
        column, row = amp.trap
        expected[row:, column] += WARM_RATE * exptime
        if len(amp.hot):
            place = amp.hot[:, :2].astype(int)
            np.add.at(expected, (place[:, 0], place[:, 1]), amp.hot[:, 2] * exptime)
    image = rng.poisson(expected).astype(np.float64)
    hits = _hits(amp.shape, int(rng.poisson(COSMIC_RATE * cosmics * exptime / 900.0)), rng)
    np.add.at(image, (hits[:, 0], hits[:, 1]), hits[:, 2])
    full = (FULL - amp.level) * amp.gain
    _bleed(image, full)
    saturated = np.argwhere(image >= full)
    numbers = _convert(image, amp, rng)
    left = np.zeros((amp.shape[0], overscan))
    for n, share in enumerate(LEFT_BEHIND[:overscan]):
        left[:, n] = share * image[:, -1]
    return ReadPixels(
        numbers, _convert(left, amp, rng), _summed(hits), saturated.astype(np.uint16), expected.astype(np.float32)
    )


def as_stored(read: ReadPixels, orientation: Orientation) -> NDArray[np.uint16]:
    """The numbers as the file has them: data section and overscan, mirrored back."""
    data = read.numbers[:: -1 if orientation.flip_cross else 1, :: -1 if orientation.flip_disp else 1]
    return np.concatenate([data, read.overscan[:: -1 if orientation.flip_cross else 1]], axis=1)


def _convert(electrons: Array, amp: TrueAmplifier, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Noise of the read-out, level and gain; whole numbers within the range."""
    noisy = electrons + amp.readnoise * rng.standard_normal(electrons.shape)
    return np.clip(np.rint(noisy / amp.gain + amp.level), 0, FULL).astype(np.uint16)


def _halo(image: Array) -> Array:
    """Light far from where it belongs, as much as all light."""
    from scipy.ndimage import gaussian_filter, zoom

    ny, nx = image.shape
    rows, columns = -(-ny // COARSE), -(-nx // COARSE)
    padded = np.pad(image, ((0, rows * COARSE - ny), (0, columns * COARSE - nx)))
    coarse = padded.reshape(rows, COARSE, columns, COARSE).mean(axis=(1, 3))
    wide = sum(share * gaussian_filter(coarse, sigma / COARSE, mode="constant") for share, sigma in HALO)
    return np.asarray(zoom(wide, COARSE, order=1, grid_mode=True, mode="nearest")[:ny, :nx])


def _hits(shape: tuple[int, int], number: int, rng: np.random.Generator) -> Array:
    """Row, column and electrons of the pixels that particles hit, in straight tracks."""
    out = [np.zeros((0, 3), np.int64)]
    for _ in range(number):
        steps = np.arange(int(rng.exponential(COSMIC_LENGTH)) + 1)
        angle = rng.uniform(0, np.pi)
        row = (rng.uniform(0, shape[0]) + steps * np.sin(angle)).astype(int)
        column = (rng.uniform(0, shape[1]) + steps * np.cos(angle)).astype(int)
        inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
        electrons = np.rint(rng.exponential(COSMIC_ENERGY) * rng.uniform(0.3, 1.0, len(steps))) + 20
        out.append(np.stack([row, column, electrons.astype(int)], axis=1)[inside])
    return np.concatenate(out)


def _summed(hits: Array) -> Array:
    """Hits with one row a pixel."""
    if not len(hits):
        return hits.astype(np.uint32)
    place, which = np.unique(hits[:, :2], axis=0, return_inverse=True)
    electrons = np.bincount(which.ravel(), hits[:, 2])
    return np.column_stack([place, electrons]).astype(np.uint32)


def _bleed(image: Array, full: float) -> None:
    """Charge beyond what a pixel holds goes up and down its column, half each, to the next that has room."""
    for column in np.flatnonzero((image > full).any(axis=0)):
        line = image[:, column]
        for row in np.flatnonzero(line > full):
            excess = line[row] - full
            line[row] = full
            for step in (1, -1):
                left, at = excess / 2, row + step
                while left > 0 and 0 <= at < len(line):
                    room = max(full - line[at], 0.0) if line[at] < full else 0.0
                    moved = min(room, left)
                    line[at] += moved
                    left -= moved
                    at += step
