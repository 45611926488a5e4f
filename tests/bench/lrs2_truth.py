"""Truth of the shared LRS2 night, and how far a reduction lies from it: the quantities of the facts, section 6.

Nothing of ifuview is imported: plain arrays in, numbers out. Fibers run through the channel (the first amplifier of
the stack, then the second). Dead fibers and those of a third of the light never count in fluxes; those of a third do
in traces and wavelengths.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "lrs2" / "sim"
CHANNELS = ("uv", "orange", "red", "farred")
INNER = {"uv": (3700, 4600), "orange": (4700, 6860), "red": (6620, 8200), "farred": (8420, 10200)}
TELLURIC = ((6860, 6960), (7160, 7340), (7590, 7700), (8120, 8360), (8930, 9800))
NCOL, NROW, PIVOT = 2064, 1032, 0.47 * 2064
REFERENCE = {"uv": 4142.5, "orange": 4142.5, "red": 7425.0, "farred": 7425.0}
CHUNKS = 20
MEDIAN_ERROR = 1.2533  # error of a median over that of a mean
SOURCE, STANDARD, GALAXY = "source", "standard", "galaxy"  # what an exposure has


def scatter(values: Array) -> float:
    """Robust sigma of the finite values."""
    known = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(known - np.median(known)))) if known.size else float("nan")


def rms(values: Array, keep: Flags | None = None) -> float:
    """Root of the mean square of the finite values."""
    known = values[np.isfinite(values) if keep is None else keep & np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if known.size else float("nan")


@dataclass(frozen=True)
class LrsTruth:
    """Truth of one channel."""

    channel: str
    folder: Path = SHARED

    @cached_property
    def numbers(self) -> dict[str, object]:
        """What the JSON file says of the channel."""
        found: dict[str, object] = self.whole["channels"][self.channel]  # type: ignore[index]
        return found

    @cached_property
    def whole(self) -> dict[str, object]:
        """The JSON file."""
        found: dict[str, object] = json.loads((self.folder / "truth_lrs2.json").read_text())
        return found

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays, read when asked for."""
        with np.load(self.folder / "truth_lrs2.npz") as file:
            return dict(file)

    @cached_property
    def amplifiers(self) -> tuple[str, ...]:
        """From bottom to top."""
        return tuple(self.numbers["ccd_stacks"][0])  # type: ignore[index]

    def _stack(self, name: str) -> Array:
        return np.concatenate([self.arrays[f"{name}_{self.channel}_{amp}"] for amp in self.amplifiers]).astype(float)

    @cached_property
    def trace(self) -> Array:
        """Row of the channel, (280, 2064) px: as the twilight has it."""
        rows = self._polynomial("trace_coef")
        rows[140:] += NROW
        return rows

    @cached_property
    def wave(self) -> Array:
        """Wavelength of each pixel, (280, 2064) A."""
        return self._polynomial("wave_coef")

    def _polynomial(self, name: str) -> Array:
        u = (np.arange(NCOL) - PIVOT) / (NCOL / 2)
        return self._stack(name) @ np.power.outer(u, np.arange(self._stack(name).shape[1])).T

    @cached_property
    def dispersion(self) -> Array:
        """A per px, (280, 2064)."""
        return np.gradient(self.wave, axis=1)

    @cached_property
    def grid(self) -> Array:
        """The common wavelengths, (2064,) A."""
        return np.linspace(*self.numbers["grid"][:2], self.numbers["grid"][2])  # type: ignore[index]

    @cached_property
    def inner(self) -> Flags:
        """Where on the grid fluxes are compared."""
        lo, hi = INNER[self.channel]
        keep = (self.grid > lo) & (self.grid < hi)
        for start, stop in TELLURIC if self.channel in ("red", "farred") else ():
            keep &= (self.grid < start) | (self.grid > stop)
        return keep

    @cached_property
    def alive(self) -> Flags:
        """Fibers that are not dead, (280,)."""
        return self._without("dead")

    @cached_property
    def bright(self) -> Flags:
        """Fibers that count in fluxes, (280,)."""
        return self.alive & self._without("low_throughput")

    def _without(self, name: str) -> Flags:
        keep = np.ones(280, bool)
        rows: dict[str, list[int]] = self.numbers[name]  # type: ignore[assignment]
        for amp, fibers in rows.items():
            keep[np.asarray(fibers) + 140 * self.amplifiers.index(amp)] = False
        return keep

    def source(self, observation: int) -> Array:
        """Light of the source in each fiber on the grid, (280, 2064) erg/s/cm2/A."""
        key = f"{observation:02d}_{self.channel}"
        if f"src_{key}" not in self.arrays:
            return np.zeros((280, NCOL))
        return self.arrays[f"src_{key}"] * self.arrays[f"srcscale_{key}"][:, None].astype(float)

    def sky(self, observation: int) -> Array:
        """Light of the sky in each fiber on the grid, (280, 2064) erg/s/cm2/A."""
        illum = self.arrays[f"illum_{observation:02d}_{self.channel}"].astype(float)
        found: Array = illum[:, None] * self.arrays[f"sky_{self.channel}"]
        return found

    def object_of(self, observation: int) -> dict[str, object]:
        """What the JSON file says of an exposure."""
        found: dict[str, object] = self.whole["objects"][f"{observation:07d}"]  # type: ignore[index]
        return found

    def kind(self, observation: int) -> str:
        """What an exposure has, by its OBJECT: a standard star, a galaxy, or any other source or none."""
        name = str(self.object_of(observation)["object"])
        return STANDARD if name.startswith("HD") else GALAXY if name.startswith("SIMGAL") else SOURCE

    def sourced(self, observation: int, share: float = 0.15) -> Flags:
        """Fibers that the source dominates."""
        mean = self.source(observation)[:, self.inner].mean(axis=1)
        return self.bright & (mean > share * mean.max()) & (mean.max() > 0)

    def free(self, observation: int) -> Flags:
        """Fibers without light of the source."""
        mean = self.source(observation)[:, self.inner].mean(axis=1)
        sky = np.median(self.sky(observation)[:, self.inner])
        return self.bright & ((mean < 0.003 * mean.max()) | (mean < 0.01 * sky))

    def total(self, observation: int) -> Array:
        """Spectrum of the whole source below the atmosphere, on the grid, erg/s/cm2/A; not for the galaxy."""
        which = "std" if self.kind(observation) == STANDARD else "agn"
        wave = self.arrays["source_wave"].astype(float)
        flux = self.arrays[f"source_flambda_{which}"].astype(float) * self.arrays["telluric"]
        sigma = float(self.numbers["lsf_sigma_px"]) * float(self.numbers["dispersion"])  # type: ignore[arg-type]
        return smoothed(wave, flux, self.grid, sigma)

    def centroid(self, observation: int, wave: float) -> tuple[float, float]:
        """Place of the source at a wavelength, arcsec."""
        x, y = self.object_of(observation)["source_xy"]  # type: ignore[misc]
        at, dx, dy = self.arrays[f"dar_{self.channel}"].astype(float)
        return float(x + np.interp(wave, at, dx)), float(y + np.interp(wave, at, dy))

    def cosmics(self, observation: int, name: str = "cr", above: float = 200.0) -> tuple[NDArray[np.int64], ...]:
        """Row and column of the channel of each pixel hit ("cr") or saturated ("sat")."""
        rows, columns = [], []
        for n, amp in enumerate(self.amplifiers):
            key = f"{name}_sci_{observation:07d}_exp01_{self.channel}_{amp}"
            if key not in self.arrays:
                continue
            hits = self.arrays[key].astype(np.int64)
            keep = hits[:, 2] > above if hits.shape[1] > 2 else np.ones(len(hits), bool)
            rows.append(hits[keep, 0] + n * NROW)
            columns.append(hits[keep, 1])
        empty = np.zeros(0, np.int64)
        return np.concatenate(rows or [empty]), np.concatenate(columns or [empty])


def smoothed(wave: Array, flux: Array, grid: Array, sigma: float) -> Array:
    """A spectrum through a Gaussian line spread function, at the wavelengths of the grid."""
    step = sigma / 4
    fine = np.arange(grid[0] - 8 * sigma, grid[-1] + 8 * sigma, step)
    kernel = np.exp(-0.5 * (np.arange(-24, 25) / 4) ** 2)
    smooth = np.convolve(np.interp(fine, wave, flux), kernel / kernel.sum(), "same")
    found: Array = np.interp(grid, fine, smooth)
    return found


def trace_rms(truth: LrsTruth, center: Array) -> tuple[float, float]:
    """Rms in px at the central wavelengths and in all columns, of traces (280, 2064) of the twilight."""
    off = np.where(truth.alive[:, None], center - truth.trace, np.nan)
    lo, hi = INNER[truth.channel]
    return rms(off, (truth.wave > lo) & (truth.wave < hi)), rms(off)


def wave_rms(truth: LrsTruth, wave: Array) -> float:
    """Rms in px over fibers and columns."""
    return rms(np.where(truth.alive[:, None], (wave - truth.wave) / truth.dispersion, np.nan))


def fiber_flux(truth: LrsTruth, observation: int, skysub: Array, share: float = 0.15) -> tuple[float, float]:
    """Bias and scatter in percent of sky-subtracted fibers (280, 2064) on the grid that the source dominates."""
    keep = truth.sourced(observation, share)
    want = truth.source(observation)[np.ix_(keep, truth.inner)]
    have = skysub[np.ix_(keep, truth.inner)]
    ratio = np.nansum(np.where(np.isfinite(have), have, 0), axis=1) / np.sum(
        np.where(np.isfinite(have), want, 0), axis=1
    )
    return float(100 * (np.median(ratio) - 1)), 100 * float(np.std(ratio))


def sky_level(truth: LrsTruth, observation: int, observed: Array) -> float:
    """Observed light over truth in source-free fibers."""
    keep = np.ix_(truth.free(observation), truth.inner)
    want = truth.sky(observation)[keep]
    have = observed[keep] - truth.source(observation)[keep]
    return float(np.nansum(have) / np.sum(np.where(np.isfinite(have), want, 0)))


def sky_residual(truth: LrsTruth, observation: int, skysub: Array) -> tuple[float, float]:
    """Median and rms over source-free fibers of what is left, in percent of the sky."""
    keep = np.ix_(truth.free(observation), truth.inner)
    have = skysub[keep] - truth.source(observation)[keep]
    want = truth.sky(observation)[keep]
    left = np.nanmean(have, axis=1) / np.mean(want, axis=1)
    return float(100 * np.median(left)), 100 * rms(left)


def sky_floor(truth: LrsTruth, observation: int, error: Array) -> float:
    """What noise alone leaves in source-free fibers, rms over them in percent of the sky."""
    keep = np.ix_(truth.free(observation), truth.inner)
    noise = np.array([summed_noise(row) for row in error[keep]])
    return 100 * rms(noise / np.sum(truth.sky(observation)[keep], axis=1))


def bright_lines(truth: LrsTruth, observation: int, skysub: Array, error: Array) -> tuple[float, float]:
    """At bright sky lines in source-free fibers: rms of samples over the rms of their errors, and in percent of sky."""
    sky = truth.arrays[f"sky_{truth.channel}"].astype(float)
    line = truth.inner & (sky > 5 * np.median(sky[truth.inner]))
    if not line.any():
        return float("nan"), float("nan")
    keep = np.ix_(truth.free(observation), line)
    have = skysub[keep] - truth.source(observation)[keep]
    noise, want = error[keep], truth.sky(observation)[keep]
    good = np.isfinite(have) & (noise > 0)
    return rms(have, good) / rms(noise, good), 100 * rms(have / want, good)


def pulls(truth: LrsTruth, observation: int, skysub: Array, error: Array) -> tuple[float, float]:
    """Width and median of residual over error in source-free fibers."""
    keep = np.ix_(truth.free(observation), truth.inner)
    have, noise = skysub[keep] - truth.source(observation)[keep], error[keep]
    good = np.isfinite(have) & (noise > 0)
    pull = have[good] / noise[good]
    return scatter(pull), float(np.median(pull))


def found_cosmics(truth: LrsTruth, observation: int, mask: Flags, apart: Flags) -> tuple[float, float]:
    """Share of hit pixels above 200 e that are flagged, and false ones as a share of the pixels on traces.

    `mask` and `apart` are (2064, 2064): flagged as cosmic, and known as hot, warm or bad.
    """
    row, column = truth.cosmics(observation)
    some, column_some = truth.cosmics(observation, above=-1.0)
    hit = np.zeros_like(mask)
    hit[some, column_some] = True
    near = hit.copy()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            near |= np.roll(hit, (dy, dx), (0, 1))
    on = np.zeros_like(mask)
    center = np.round(truth.trace).astype(int)
    for d in (-1, 0, 1, 2):
        on[np.clip(center + d, 0, mask.shape[0] - 1), np.arange(NCOL)] = True
    false = mask & ~near & ~apart & on
    return float((mask | apart)[row, column].mean()), float(false.sum() / on.sum())


def saturated(truth: LrsTruth, observation: int, masked: Flags) -> float:
    """Share of the samples (fiber, column) within two pixels of a saturated one that `masked` (280, 2064) has."""
    row, column = truth.cosmics(observation, "sat")
    if not row.size:
        return float("nan")
    touched = np.abs(truth.trace[:, column] - row) <= 2.0
    fibers, which = np.nonzero(touched & truth.alive[:, None])
    return float(masked[fibers, column[which]].mean())


def spectrum(truth: LrsTruth, observation: int, flux: Array) -> tuple[float, float]:
    """Bias and shape rms in percent of an extracted spectrum (2064,) on the grid against the whole source."""
    want = truth.total(observation)
    keep = truth.inner & np.isfinite(flux)
    parts = np.array_split(np.flatnonzero(keep), CHUNKS)
    ratio = np.array([flux[part].sum() / want[part].sum() for part in parts if part.size])
    middle = np.median(ratio)
    return float(100 * (middle - 1)), 100 * rms(ratio / middle - 1)


def spectrum_noise(truth: LrsTruth, observation: int, flux: Array, error: Array) -> tuple[float, float]:
    """What noise alone does to both numbers of `spectrum`, percent."""
    want, keep = truth.total(observation), np.flatnonzero(truth.inner & np.isfinite(flux))
    parts = [part for part in np.array_split(keep, CHUNKS) if part.size]
    noise = [summed_noise(error[part]) / want[part].sum() for part in parts]
    return 100 * summed_noise(error[keep]) / float(want[keep].sum()), 100 * rms(np.array(noise))


def fiber_noise(truth: LrsTruth, observation: int, error: Array) -> float:
    """What noise alone does to the scatter of `fiber_flux`, percent."""
    keep = truth.sourced(observation)
    want = truth.source(observation)[np.ix_(keep, truth.inner)]
    noise = [summed_noise(row) for row in error[np.ix_(keep, truth.inner)]]
    return 100 * rms(np.array(noise) / want.sum(axis=1))


def fiber_chance(truth: LrsTruth, observation: int, error: Array, share: float = 0.15) -> float:
    """What noise alone does to the bias of `fiber_flux`, percent: the error of a median."""
    keep = truth.sourced(observation, share)
    want = truth.source(observation)[np.ix_(keep, truth.inner)]
    noise = np.array([summed_noise(row) for row in error[np.ix_(keep, truth.inner)]]) / want.sum(axis=1)
    return 100 * MEDIAN_ERROR * float(np.median(noise)) / float(np.sqrt(max(noise.size, 1)))


def summed_noise(error: Array) -> float:
    """Error of a sum of samples of the grid: of linear interpolation variances sum to 3/2 of what samples have each."""
    known = error[np.isfinite(error) & (error > 0)]
    return float(np.sqrt(1.5 * np.sum(known**2)))


def border(truth: LrsTruth, observation: int, flux: Array, span: tuple[float, float]) -> float:
    """Median ratio to truth within a range of wavelengths: the border step is the ratio of two channels' values."""
    keep = (truth.grid > span[0]) & (truth.grid < span[1]) & np.isfinite(flux)
    return float(np.median(flux[keep] / truth.total(observation)[keep]))


def velocities(cube: Array, wave: Array, rest: float) -> tuple[Array, Array]:
    """Flux and mean velocity (km/s) of a line in the spaxels of a cube (nwave, ny, nx): first moment within +-7 A.

    The level below it is the median of 9 to 21 A on both sides.
    """
    off = np.abs(wave - rest)
    level = np.nanmedian(np.where(np.isfinite(cube), cube, 0)[(off > 9) & (off <= 21)], axis=0)
    near = off <= 7
    line = np.where(np.isfinite(cube), cube, np.nan)[near] - level
    flux = line.sum(axis=0)
    center = (line * wave[near][:, None, None]).sum(axis=0) / np.where(flux != 0, flux, np.nan)
    return flux, (center / rest - 1) * 299792.458


def velocity_error(cube: Array, true: Array, wave: Array, rest: float) -> tuple[float, float]:
    """Rms (km/s) against truth through the same cube and moment where it has a quarter of the brightest flux; slope."""
    flux, want = velocities(true, wave, rest)
    have = velocities(cube, wave, rest)[1]
    keep = (flux > 0.25 * np.nanmax(flux)) & np.isfinite(have) & np.isfinite(want)
    return rms(have[keep] - want[keep]), float(np.polyfit(want[keep], have[keep], 1)[0])
