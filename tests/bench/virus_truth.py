"""Truth of the shared VIRUS night, and how far the products of an observation lie from it: the facts, section 6.

Only arrays and files come in, numbers go out. Dead fibers and those of a third of the light never count in fluxes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tests.bench.lrs2_truth import rms

Array = NDArray[np.float64]

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "virus" / "sim"
SLOTS, AMPS = ("047", "046"), ("LL", "LU", "RL", "RU")
GRID = np.linspace(3470.0, 5540.0, 1036)
INNER = (GRID > 3700) & (GRID < 5400)
NCOL, NFIBER, NEXP = 1032, 112, 3
U = (np.arange(NCOL) - 0.47 * NCOL) / (NCOL / 2)
EMPTY = 0.01  # of the sky: fibers without a source
SHIFT = 0.12  # px, of the science frames
CHUNKS = 15
SURE = 7.0  # significance of lines that have to be found
CORRELATED = 1.27  # the ideal significance of the truth file over that of the true noise (1.14 to 1.41)
MATCH, MATCH_WAVE = 2.0, 6.0  # arcsec, Angstrom


@dataclass(frozen=True)
class VirusTruth:
    """Truth of the night."""

    folder: Path = SHARED

    @cached_property
    def whole(self) -> dict[str, Any]:
        """The JSON file."""
        found: dict[str, Any] = json.loads((self.folder / "truth_virus.json").read_text())
        return found

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """The arrays."""
        with np.load(self.folder / "truth_virus.npz") as file:
            return dict(file)

    def curve(self, name: str, slot: str, amp: str) -> Array:
        """A polynomial of each fiber at all columns, (112, 1032)."""
        coef = np.asarray(self.arrays[f"{name}_coef_{slot}_{amp}"], float)
        return coef @ np.power.outer(U, np.arange(coef.shape[1])).T

    def alive(self, slot: str) -> NDArray[np.bool_]:
        """Fibers that count, (448,)."""
        own = self.whole["ifus"][slot]
        lost = [set(own["dead"].get(amp, [])) | set(own["low_throughput"].get(amp, [])) for amp in AMPS]
        return np.array([fiber not in bad for bad in lost for fiber in range(NFIBER)])

    def broken(self, slot: str) -> NDArray[np.bool_]:
        """Fibers of the broken amplifier."""
        bad = self.whole["bad_amp"]
        return np.repeat([bad["ifuslot"] == slot and bad["amp"] == amp for amp in AMPS], NFIBER)

    def light(self, slot: str, number: int) -> tuple[Array, Array]:
        """Sources and sky in each fiber on the grid, 1e-17 erg/s/cm2/A, (448, 1036) twice."""
        keys = [f"exp{number:02d}_{slot}_{amp}" for amp in AMPS]
        source = [self.arrays[f"src_{k}"] * np.asarray(self.arrays[f"srcscale_{k}"], float)[:, None] for k in keys]
        factor = np.concatenate([self.arrays[f"illum_{k}"] for k in keys])
        return 1e17 * np.concatenate(source), 1e17 * factor[:, None] * self.arrays["sky_rect_per_fiber"]

    def places(self, slot: str, number: int) -> tuple[Array, Array]:
        """Right ascension and declination of the fibers, deg."""
        center = self.whole["ifu_center"][slot]
        place = np.concatenate([self.arrays[f"ifupos_{slot}_{amp}"] for amp in AMPS]) + self.whole["dither"][number - 1]
        return self.on_sky(place[:, 0] + center[0], place[:, 1] + center[1])

    def on_sky(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Right ascension and declination of places on the focal plane (arcsec), deg."""
        true = self.whole["true_pointing"]
        c, s = np.cos(np.radians(true["rot"])), np.sin(np.radians(true["rot"]))
        xi, eta = np.radians(-(c * x + s * y) / 3600), np.radians((-s * x + c * y) / 3600)
        dec0 = np.radians(true["dec"])
        below = np.cos(dec0) - eta * np.sin(dec0)
        ra = true["ra"] + np.degrees(np.arctan2(xi, below))
        return ra, np.degrees(np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, below)))

    def star(self, slot: str, index: int) -> Array:
        """Spectrum of a star on the grid, 1e-17 erg/s/cm2/A."""
        return 1e17 * np.interp(GRID, self.arrays["wave"], self.arrays[f"star_flambda_{slot}"][index])


@dataclass(frozen=True)
class ShotRows:
    """The tables of an observation, by slot and exposure."""

    path: Path

    @cached_property
    def tables(self) -> dict[str, Any]:
        """All of them."""
        with h5py.File(self.path) as file:
            return {name: file[name][()] for name in ("Info", "Fibers", "Survey", "CatSpectra", "Detections", "Images")}

    def of(self, slot: str, number: int) -> NDArray[np.intp]:
        """Rows of a head and exposure, amplifiers in the order LL LU RL RU."""
        info = self.tables["Info"]
        return np.flatnonzero((info["ifuslot"] == slot.encode()) & (info["exp"] == number))


class SkyOf(NamedTuple):
    """One head and exposure: its rows of Fibers, light of sources and of the sky, fibers that live, of broken ones."""

    fibers: Array
    source: Array
    light: Array
    alive: Array
    broken: Array


def sky(truth: VirusTruth, shot: ShotRows) -> dict[str, float]:
    """Residual of the sky (median and rms over fibers, %), its level over truth, pulls, shares masked."""
    found = sky_numbers(
        SkyOf(shot.tables["Fibers"][shot.of(slot, number)], *truth.light(slot, number), truth.alive(slot),
              truth.broken(slot))
        for slot in SLOTS for number in range(1, NEXP + 1)
    )  # fmt: skip
    return {
        "sky residual, median": found["median"], "sky residual, rms": found["rms"],
        "sky over truth - 1": found["level"] - 1, "pull width - 1": found["pull width - 1"],
        "pull median": found["pull median"], "share masked in good amplifiers": found["masked"],
        "share not masked in the broken one": found["broken not masked"],
    }  # fmt: skip


def sky_numbers(parts: Iterable[SkyOf], faint: bool = False) -> dict[str, float]:
    """What heads and exposures have left of the sky; `faint`: masked fibers are counted where the sky is brighter."""
    left, level, pulls, good, bad = [], [], [], [], []
    for one in parts:
        flux, error = one.fibers["spectrum"][:, INNER], one.fibers["error"][:, INNER]
        known = np.isfinite(flux) & (error > 0)
        usable, light = one.alive & ~one.broken, one.light[:, INNER]
        of_source, of_sky = one.source[:, INNER].mean(1), light.mean(1)
        empty = usable & (of_source < EMPTY * of_sky) & (known.sum(axis=1) > 100)
        model = one.fibers["skyspectrum"][:, INNER]
        ratio = np.where(known, flux / np.where(model > 0, model, 1.0), np.nan)
        left += list(100 * np.nanmean(ratio[empty], axis=1))
        level += list(np.nanmean(np.where(known, model / light, np.nan)[empty], axis=1))
        pulls.append((flux / error)[empty][known[empty]])
        good.append(1 - known[usable & (of_source < of_sky) if faint else usable].mean())
        bad += [known[one.broken].mean()] if one.broken.any() else []
    low, middle, high = np.percentile(np.concatenate(pulls), (15.87, 50, 84.13))
    return {
        "fibers": float(len(left)), "median": float(np.median(left)), "rms": float(np.std(left)),
        "level": float(np.median(level)), "pull width - 1": (high - low) / 2 - 1, "pull median": middle,
        "masked": 100 * float(np.mean(good)), "broken not masked": 100 * float(np.mean(bad)) if bad else 0.0,
    }  # fmt: skip


def stars(truth: VirusTruth, shot: ShotRows, folder: Path, stem: str) -> dict[str, float]:
    """Fluxes of stars g < 20: bias, scatter, shape (%), how many are missing; flux in the cube over truth."""
    rows = shot.tables["CatSpectra"]
    bias, shape, cube, missing = [], [], [], 0
    for one in truth.whole["stars"]:
        if one["gmag_ps1"] > 20:
            continue
        apart = np.hypot((rows["ra"] - one["ra"]) * np.cos(np.radians(one["dec"])), rows["dec"] - one["dec"]) * 3600
        n = int(np.argmin(apart)) if rows.size else -1
        if n < 0 or apart[n] > 1:
            missing += 1
            continue
        weight = rows["weight"][n]
        true = truth.star(one["ifuslot"], one["index"])
        ratio = np.where(np.isfinite(rows["spectrum"][n]) & INNER, rows["spectrum"][n] / true, np.nan)
        if np.isfinite(ratio).sum() < 100 or np.nanmedian(weight) < 0.3:
            continue  # in the broken amplifier, and said so
        bias.append(float(np.nanmedian(ratio)))
        parts = np.array([np.nanmean(part) for part in np.array_split(ratio[INNER], CHUNKS)])
        shape.append(float(np.nanstd(parts / np.nanmedian(parts))))
        cube.append(_in_cube(folder / f"{stem}_{one['ifuslot']}_cube.fits", one, true))
    bias = [b for b in bias if b > 0.7]
    return {
        "stars, bias": 100 * (float(np.median(bias)) - 1), "stars, scatter": 100 * float(np.std(bias)),
        "stars, shape": 100 * float(np.median(shape)), "stars missing": float(missing),
        "cube flux over truth - 1": float(np.median([c for c in cube if c > 0.7])) - 1,
    }  # fmt: skip


def _in_cube(path: Path, star: dict[str, Any], true: Array) -> float:
    """Light of a star within 5 arcsec of a cube over the truth."""
    with fits.open(path) as file:
        head, data = file[0].header, file[0].data
        x = head["CRVAL1"] + head["CDELT1"] * np.arange(data.shape[2])
        y = head["CRVAL2"] + head["CDELT2"] * np.arange(data.shape[1])
        near = np.hypot(*np.meshgrid(x - star["x"], y - star["y"])) < 5
        return float(np.median((data[:, near].sum(axis=1) / true)[INNER]))


def field(truth: VirusTruth, shot: ShotRows) -> dict[str, float]:
    """Astrometry (worst median of an amplifier and exposure, arcsec), seeing, illumination."""
    worst = []
    for slot in SLOTS:
        for number in range(1, NEXP + 1):
            info = shot.tables["Info"][shot.of(slot, number)]
            ra, dec = truth.places(slot, number)
            apart = np.hypot((info["ra"] - ra) * np.cos(np.radians(dec)), info["dec"] - dec) * 3600
            worst.append(float(np.median(apart)))
    survey = shot.tables["Survey"]
    true = np.array(truth.whole["illum"])
    found = survey["throughput"] / survey["throughput"].mean() / (true / true.mean())
    return {
        "astrometry": max(worst), "seeing - truth": float(survey["fwhm"][0]) - truth.whole["fwhm_arcsec"],
        "illumination, worst": 100 * float(np.abs(found - 1).max()),
    }  # fmt: skip


def lines(truth: VirusTruth, shot: ShotRows) -> dict[str, float]:
    """Emission lines: share found of the sure ones (%), false ones a head, flux (%) and wavelength (A) of those."""
    rows = shot.tables["Detections"]
    rows = rows[rows["kind"] == b"line"]
    used = np.zeros(rows.size, bool)
    sure, flux, wave = [], [], []
    for one in truth.whole["emission_sources"]:
        near = (rows["ifuslot"] == one["ifuslot"].encode()) & (np.abs(rows["wave"] - one["wave"]) < MATCH_WAVE)
        near &= np.hypot(rows["ifux"] - one["x"], rows["ifuy"] - one["y"]) < MATCH
        used |= near
        if one["snr_ideal"] > SURE * CORRELATED:
            sure.append(bool(near.any()))
        if near.any():
            n = int(np.flatnonzero(near)[0])
            flux.append(rows["flux"][n] / (1e17 * one["flux"]))
            wave.append(rows["wave"][n] - one["wave"])
    return {
        "lines found": 100 * float(np.mean(sure)), "false lines a head": float((~used).sum() / len(SLOTS)),
        "lines, flux": 100 * (float(np.mean(flux)) - 1), "lines, wavelength": rms(np.array(wave)),
    }  # fmt: skip
