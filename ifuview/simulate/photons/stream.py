"""Photon lists of any length, made block by block: as many photons and pixels as an exposure on the sky has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.model.photons.lists import HC, TICK, PhotonBlock, PhotonColumn, PhotonInfo
from ifuview.simulate.photons.array import FWHM, REFERENCE_WAVE, PhotonArray, make_array
from ifuview.simulate.photons.scene import DEAD_TIME, START, WAVE, Scene, halo, star_spectrum

SHAPE = (125, 80)  # ny, nx
NPHOTON = 50_000_000
DURATION = 300.0  # s
BLOCK = 1_000_000  # photons
STEPS = 3000  # in which the speckles stand still
COLORS = 4096  # equally likely wavelengths


class PhotonStream:
    """A source of photons by (resonator, time) that makes them when they are asked for, always the same ones.

    Parameters
    ----------
    nphoton : int
        Exactly so many.
    array : PhotonArray, optional
        Default: 80 x 125 pixels with some bad ones.
    duration : float
        s
    calibrated : bool
        Wavelengths of the true solution, else phases.
    seed : int
    """

    def __init__(
        self, nphoton: int = NPHOTON, array: PhotonArray | None = None, *, duration: float = DURATION,
        calibrated: bool = True, seed: int = 5,
    ) -> None:  # fmt: skip
        self.array = array or make_array(SHAPE, dead=600, cold=25, hot=30, unsolved=300, seed=seed)
        self._seed = seed
        beammap, scene = self.array.beammap, Scene()
        light = halo(scene, self.array.shape)
        star = (scene.constant + scene.speckle) * light
        rate = (star + scene.sky + 20) * self.array.response(1000.0) + self.array.hot_rate
        pixel = np.empty(beammap.nresonator, np.int64)
        pixel[beammap.index.ravel()] = np.arange(beammap.index.size)
        chance = rate.ravel()[pixel]
        rng = np.random.default_rng(seed)
        self.counts = rng.multinomial(nphoton, chance / chance.sum()).astype(np.int64)
        self._speckle = (scene.speckle * light / rate.clip(1e-9)).clip(0, 1).ravel()[pixel]
        self._kept = float(np.exp(-duration / STEPS / scene.correlation))
        self._coefficients = self.array.coefficients.reshape(-1, 3)[pixel]
        self._sigma = np.sqrt(HC / REFERENCE_WAVE) / (FWHM * self.array.resolution.ravel()[pixel].astype(float))
        self._solved = self.array.solved.ravel()[pixel] & calibrated
        spectrum = np.cumsum(star_spectrum())
        self._waves = np.interp((np.arange(COLORS) + 0.5) / COLORS, spectrum / spectrum[-1], WAVE)
        self._groups = _grouped(self.counts)
        self.info = PhotonInfo(
            path="", era="modern", beammap=beammap, nphoton=nphoton, start=START, duration=duration,
            column=PhotonColumn.WAVELENGTH if calibrated else PhotonColumn.PHASE,
            calibrations=MappingProxyType({"wavecal": "simulated"} if calibrated else {}), dead_time=DEAD_TIME,
            instrument="simulated", target="simulated",
        )  # fmt: skip

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons, some resonators at a time."""
        for k, (first, stop) in enumerate(self._groups):
            ctx.checkpoint(k / len(self._groups), "Simulating photons")
            yield self._block(first, stop)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators."""
        wanted = np.unique(np.asarray(resonators, np.int64))
        parts = []
        for first, stop in self._groups:
            own = wanted[(wanted >= first) & (wanted < stop)]
            if len(own):
                block = self._block(first, stop)
                rows = np.isin(block.resonator, own)
                parts.append(block.rows(rows))
        return PhotonBlock.join(parts)

    def _block(self, first: int, stop: int) -> PhotonBlock:
        """Photons of the resonators first to stop."""
        from ifuview.simulate.photons.kernels import throw

        own = slice(first, stop)
        count = int(self.counts[own].sum())
        resonator, time = np.empty(count, np.int32), np.empty(count, np.uint32)
        value = np.empty(count)
        throw(
            rng=np.random.default_rng((self._seed, first)), first=first, counts=self.counts[own],
            speckle=self._speckle[own], kept=self._kept, steps=STEPS, ticks=round(self.info.duration / TICK),
            waves=self._waves, coefficients=self._coefficients[own], sigma=self._sigma[own], solved=self._solved[own],
            hc=HC, resonator=resonator, time=time, value=value,
        )  # fmt: skip
        return PhotonBlock(resonator, time, value.astype(np.float32))


def write_big(
    path: str | Path,
    nphoton: int = NPHOTON,
    *,
    array: PhotonArray | None = None,
    duration: float = DURATION,
    calibrated: bool = True,
    seed: int = 5,
    ctx: JobContext = SILENT,
) -> PhotonStream:
    """Write a long photon list in the modern layout, in bounded memory; return what it was made from."""
    from ifuview.io.photons.lists.write import write_photons

    stream = PhotonStream(nphoton, array, duration=duration, calibrated=calibrated, seed=seed)
    write_photons(path, stream, ctx=ctx)
    return stream


def _grouped(counts: np.ndarray) -> list[tuple[int, int]]:
    """Runs of resonators with about BLOCK photons each."""
    total = np.cumsum(counts)
    ends = np.searchsorted(total, np.arange(BLOCK, int(total[-1]) + BLOCK, BLOCK))
    bounds = np.unique(np.concatenate(([0], np.minimum(ends + 1, len(counts)), [len(counts)])))
    return [(int(a), int(b)) for a, b in pairwise(bounds)]
