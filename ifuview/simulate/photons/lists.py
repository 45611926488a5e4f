"""Photon lists with known truth: a science exposure with speckles, lasers and a white flat of one simulated array.

    photons, truth = simulate_photons(duration=2.0, seed=3)
    lasers, array = simulate_lasers()
    flat, truth = simulate_flat(array)

`stream` makes lists larger than memory. As a program: `python -m ifuview.simulate.photons OUT.h5 --photons N`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, PhotonColumn, PhotonInfo, PhotonList
from ifuview.simulate.photons.array import RESPONSE_SPAN, RESPONSE_WAVE, PhotonArray, make_array
from ifuview.simulate.photons.scene import (
    DEAD_TIME,
    START,
    STEP,
    WAVE,
    Scene,
    companion_spectrum,
    halo,
    place,
    point,
    sky_spectrum,
    speckle_field,
    spot_places,
    star_spectrum,
)

LASERS = (808.0, 920.0, 980.0, 1120.0, 1310.0)  # nm
TAIL = (-60.0, -30.0)  # degree; triggers that are no photons
HOT_PHASE = (-160.0, -20.0)  # degree
SPOT_COLORS = 8  # wavelengths at which the moving satellite spots are drawn
WAVE_STEP = float(WAVE[1] - WAVE[0])


@dataclass(frozen=True, slots=True, eq=False)
class PhotonTruth:
    """What a simulated list was made from; images are (ny, nx), arrays per photon in the order of the list.

    Parameters
    ----------
    array : PhotonArray
    ic, is_, ip : ndarray, float64
        Constant, speckle and incoherent light that is detected, counts per second.
    counts : ndarray, int64
        Photons of the pixel's resonator in the list.
    wave : ndarray, float32, nm
        True wavelength; NaN for triggers that are no photons.
    phase : ndarray, float32, degree
        As measured.
    correlation : float
        s; e-fold of the complex speckle field. Its intensity decays twice as fast.
    companion : (float, float)
        x, y in px.
    spots : tuple of (float, float)
        x, y in px at 1000 nm.
    lost : int
        Photons that fell into the dead time.
    """

    array: PhotonArray
    ic: Array
    is_: Array
    ip: Array
    counts: Array
    wave: Array
    phase: Array
    correlation: float = 0.0
    companion: tuple[float, float] = (np.nan, np.nan)
    spots: tuple[tuple[float, float], ...] = ()
    lost: int = 0


class _Bag:
    """Photons that are being collected: flat pixel, time in s, true wavelength, measured phase."""

    def __init__(self, array: PhotonArray, rng: np.random.Generator) -> None:
        self.array, self.rng = array, rng
        self.parts: list[tuple[Array, Array, Array, Array]] = []

    def shine(self, rate: Array, spectrum: Array, duration: float, grid: Array | None = None) -> Array:
        """Add photons of a light of `rate` (ny, nx), or (steps, ny, nx) over the duration; return what is detected.

        `spectrum` is per nm on `grid` (WAVE). The result, (ny, nx), is the mean rate times the response.
        """
        grid = WAVE if grid is None else grid
        factor = self.array.response(float((grid * spectrum).sum() / spectrum.sum()))
        seen = rate * factor
        pixel, time = self._throw(seen if seen.ndim == 3 else seen[None], duration)
        wave = self._colors(pixel, spectrum, grid)
        where = np.unravel_index(pixel, self.array.shape)
        self.parts.append((pixel, time, wave, self.array.phase(where, wave, self.rng)))
        return seen if seen.ndim == 2 else seen.mean(axis=0)

    def trigger(self, rate: Array, phases: tuple[float, float], duration: float) -> None:
        """Add triggers that are no light, at phases evenly between two."""
        pixel, time = self._throw(rate[None], duration)
        phase = self.rng.uniform(*phases, len(pixel)).astype(np.float32)
        self.parts.append((pixel, time, np.full(len(pixel), np.nan), phase))

    def _throw(self, rate: Array, duration: float) -> tuple[Array, Array]:
        """Pixels and times of Poisson photons of a rate (steps, ny, nx)."""
        step = duration / len(rate)
        count = self.rng.poisson(np.maximum(rate, 0) * step).ravel()
        cell = np.repeat(np.arange(count.size), count)
        which, pixel = np.divmod(cell, rate[0].size)
        return pixel, (which + self.rng.random(len(cell))) * step

    def _colors(self, pixel: Array, spectrum: Array, grid: Array) -> Array:
        """Wavelengths from a spectrum times the response of each pixel, by throwing away."""
        if len(grid) == 1:
            return np.full(len(pixel), grid[0])
        slope = self.array.qslope.ravel()[pixel].astype(float)
        total = np.cumsum(spectrum)
        wave = np.empty(len(pixel))
        todo = np.arange(len(pixel))
        while len(todo):
            drawn = grid[np.searchsorted(total, self.rng.random(len(todo)) * total[-1])]
            drawn = drawn + self.rng.uniform(-0.5, 0.5, len(todo)) * WAVE_STEP
            own = slope[todo]
            chance = (1 + own * (drawn - RESPONSE_WAVE) / RESPONSE_SPAN) / (1 + np.abs(own))
            kept = self.rng.random(len(todo)) < chance
            wave[todo[kept]] = drawn[kept]
            todo = todo[~kept]
        return wave

    def photons(self) -> tuple[Array, Array, Array, Array, int]:
        """Resonator, time in ticks, true wavelength, phase by (resonator, time), and how many the dead time took.

        Pixels that share a resonator give their photons to it.
        """
        pixel, time, wave, phase = (np.concatenate(column) for column in zip(*self.parts))
        resonator = self.array.beammap.index.ravel()[pixel]
        ticks = np.floor(time / TICK).astype(np.int64)
        order = np.lexsort((ticks, resonator))
        kept = order[_alive(resonator[order], ticks[order])]
        columns = resonator[kept].astype(np.int32), ticks[kept].astype(np.uint32)
        return *columns, wave[kept].astype(np.float32), phase[kept], len(order) - len(kept)


def simulate_photons(
    shape: tuple[int, int] | None = None,
    duration: float = 2.0,
    *,
    array: PhotonArray | None = None,
    scene: Scene | None = None,
    calibrated: bool = True,
    seed: int = 1,
) -> tuple[PhotonList, PhotonTruth]:
    """Return a science exposure and its truth.

    Parameters
    ----------
    shape : (ny, nx), optional
        Of a new array; see `make_array`.
    duration : float
        s
    array : PhotonArray, optional
        Instead of a new one.
    scene : Scene, optional
    calibrated : bool
        The third column is the wavelength of the true solution (phase where a pixel has none); else all phases.
    seed : int
    """
    array = array or (make_array(shape) if shape else make_array())
    scene = scene or Scene()
    rng = np.random.default_rng(seed)
    bag = _Bag(array, rng)
    light = halo(scene, array.shape)
    field = speckle_field(array.shape, max(round(duration / STEP), 1), scene, rng)
    rate = np.abs(np.sqrt(scene.constant * light) + np.sqrt(scene.speckle * light) * field) ** 2
    star = star_spectrum()
    bag.shine(rate, star, duration)
    factor = array.response(float((WAVE * star).sum() / star.sum()))
    ip = bag.shine(np.full(array.shape, scene.sky), sky_spectrum(), duration)
    companion = place(scene.companion, array.shape)
    ip = ip + bag.shine(point(*companion, array.shape) * scene.companion[2], companion_spectrum(), duration)
    for grid in np.array_split(np.arange(len(WAVE)), SPOT_COLORS):
        own = star_spectrum()[grid]
        spots = spot_places(scene, array.shape, float(WAVE[grid].mean()))
        shared = sum((point(x, y, array.shape) for x, y in spots), np.zeros(array.shape))
        ip = ip + bag.shine(shared * scene.spots * own.sum() / star.sum(), own, duration, WAVE[grid])
    bag.trigger(array.hot_rate, HOT_PHASE, duration)
    photons, counts, wave, lost = _listed(bag, duration, calibrated)
    truth = PhotonTruth(
        array, scene.constant * light * factor, scene.speckle * light * factor, ip, counts, *wave,
        scene.correlation, companion, tuple(spot_places(scene, array.shape)), lost,
    )  # fmt: skip
    return photons, truth


def simulate_lasers(
    array: PhotonArray | None = None,
    waves: Sequence[float] = LASERS,
    *,
    photons_per_pixel: float = 1800,
    tail: float = 0.08,
    duration: float = 10.0,
    seed: int = 2,
) -> tuple[dict[float, PhotonList], PhotonArray]:
    """Return laser exposures (phases) by wavelength in nm, and the array that saw them.

    Parameters
    ----------
    array : PhotonArray, optional
        Default: a small one, as 9000 photons a pixel are many.
    photons_per_pixel : float
        Of each laser, at response 1.
    tail : float
        Triggers that are no photons, as a fraction of the photons; at -60 to -30 degree.
    """
    array = array or make_array((10, 8), dead=2, cold=1, hot=1, unsolved=0)
    lasers = {}
    for k, wave in enumerate(waves):
        bag = _Bag(array, np.random.default_rng((seed, k)))
        rate = np.full(array.shape, photons_per_pixel / duration)
        seen = bag.shine(rate, np.ones(1), duration, np.array([float(wave)]))
        bag.trigger(seen * tail, TAIL, duration)
        bag.trigger(array.hot_rate, HOT_PHASE, duration)
        lasers[float(wave)] = _listed(bag, duration, False)[0]
    return lasers, array


def simulate_flat(
    array: PhotonArray | None = None,
    *,
    photons_per_pixel: float = 400,
    duration: float = 10.0,
    calibrated: bool = True,
    seed: int = 3,
) -> tuple[PhotonList, PhotonTruth]:
    """Return an even white light on the array; `truth.array.flat_weights(edges)` are the weights to be found."""
    array = array or make_array()
    bag = _Bag(array, np.random.default_rng(seed))
    none = np.zeros(array.shape)
    ip = bag.shine(np.full(array.shape, photons_per_pixel / duration), np.ones(len(WAVE)), duration)
    bag.trigger(array.hot_rate, HOT_PHASE, duration)
    photons, counts, wave, lost = _listed(bag, duration, calibrated)
    return photons, PhotonTruth(array, none, none, ip, counts, *wave, lost=lost)


def _listed(bag: _Bag, duration: float, calibrated: bool) -> tuple[PhotonList, Array, tuple[Array, Array], int]:
    """The list, counts per pixel, (true wavelengths, phases) and how many the dead time took."""
    array, beammap = bag.array, bag.array.beammap
    resonator, time, wave, phase, lost = bag.photons()
    place = np.empty(beammap.nresonator, np.int64)  # a pixel of each resonator; the first one if they share
    flat = beammap.index.ravel()
    place[flat[::-1]] = np.arange(flat.size)[::-1]
    where = np.unravel_index(place[resonator], array.shape)
    value = array.wavelength(where, phase) if calibrated else phase
    info = PhotonInfo(
        path="", era="modern", beammap=beammap, nphoton=len(time), start=START, duration=duration,
        column=PhotonColumn.WAVELENGTH if calibrated else PhotonColumn.PHASE,
        calibrations=MappingProxyType({"wavecal": "simulated"} if calibrated else {}),
        dead_time=DEAD_TIME, instrument="simulated", target="simulated",
    )  # fmt: skip
    counts = beammap.image(np.bincount(resonator, minlength=beammap.nresonator))
    return PhotonList(info, resonator, time, value), counts, (wave, phase), lost


def _alive(resonator: Array, ticks: Array) -> Array:
    """Rows, by (resonator, time), that do not come within the dead time of the last one that was seen."""
    rows = np.arange(len(ticks))
    dead = round(DEAD_TIME / TICK)
    while True:
        close = (np.diff(ticks[rows]) < dead) & (np.diff(resonator[rows]) == 0)
        first = close & ~np.concatenate(([False], close[:-1]))
        if not first.any():
            return rows
        rows = np.delete(rows, np.flatnonzero(first) + 1)
