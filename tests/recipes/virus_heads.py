"""Exposures of fiber heads with known sky, stars, response and illumination, as the detector half hands them over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share
from ifuview.engine.spectra.field.positions import sky_place
from ifuview.model.reduction.ccd import ReadOut, ReductionBit
from ifuview.model.reduction.ifu import IfuAmplifier, IfuExposure
from ifuview.model.reduction.solution import StarCatalog
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.reduction.tables import FocalSlot, WaveCurve
from ifuview.recipes.virus.shot_values import DITHERS, TURN, ShotSetup, shot_setup

FWHM, BETA = 1.7, 3.5
NCOL, ROWS, ACROSS = 220, 16, 14
AREA, EXPTIME, NOISE = 51.4e4, 360.0, 3.0
ILLUMINATION = np.array([1.0, 0.93, 1.06])
RA, DEC, PA = 150.0, 2.0, 40.0  # deg
OFF = (1.7, -2.1, 0.05)  # arcsec and deg that the header is off by
STARS = {  # slot: x, y (arcsec) and g
    "047": ((-8.2, 7.1, 17.0), (9.7, -6.0, 17.8), (1.1, 11.4, 18.3), (-10.3, -11.1, 18.6), (11.0, 9.0, 20.3)),
    "046": ((3.2, 2.0, 17.4), (-9.0, -9.3, 18.0), (10.2, -10.6, 18.4)),
}
FOCAL = (FocalSlot("047", -150.0, -250.0, "308", "024"), FocalSlot("046", -150.0, -150.0, "309", "005"))
BROKEN = ("046", "LU")  # noisy in all exposures


@dataclass(frozen=True)
class Night:
    setup: ShotSetup
    heads: dict[str, tuple[IfuExposure, ...]]
    header: dict[str, object]
    catalog: StarCatalog
    sky: np.ndarray  # on the grid, of a mean fiber, 1e-17 erg/s/cm2/A
    stars: dict[str, np.ndarray]  # slot: spectra on the grid
    surface: dict[tuple[str, int], np.ndarray]  # slot and exposure: sky in each fiber over the mean
    usable: dict[str, np.ndarray]  # slot: fibers that are neither dead nor low


def sky_spectrum(wave: np.ndarray) -> np.ndarray:
    out = 4.0 + 0.4 * np.sin(wave / 90)
    for center, peak in ((3950.0, 1.0), (4358.3, 4.0), (4600.0, 0.8), (5200.0, 2.5), (5461.0, 3.0)):
        out = out + peak * np.exp(-0.5 * ((wave - center) / 9.0) ** 2)
    return out


def star_spectrum(wave: np.ndarray, g: float, slope: float) -> np.ndarray:
    return 10 ** (-0.4 * (g + 48.6)) * 2.998e18 / 4800**2 * 1e17 * (wave / 4800) ** slope


def magnitude(g: float, slope: float) -> float:
    """AB magnitude of a star in the band, which is a box: photons over photons of a source with 3631 Jy."""
    wave = np.linspace(3940, 5530, 3000)
    mean = (star_spectrum(wave, g, slope) * wave).sum() / (1 / wave).sum() / 2.998e18 * 1e-17
    return float(-2.5 * np.log10(mean) - 48.6)


def setup() -> ShotSetup:
    wave = np.linspace(3470, 5540, 208)
    throughput = WaveCurve(wave, 0.03 + 0.12 * np.exp(-0.5 * ((wave - 4700) / 600) ** 2))
    band = WaveCurve(np.linspace(3940, 5530, 160), np.ones(160))
    dar = np.stack([wave, 0.6 * (wave - 4740) / 1000 - 0.2 * ((wave - 4740) / 1000) ** 2, 0 * wave])
    made = shot_setup(throughput, band, dar, FOCAL)
    return ShotSetup(np.linspace(3490, 5520, NCOL), made.response, band, dar, FOCAL)


def places() -> tuple[np.ndarray, np.ndarray]:
    row, column = (v.ravel() for v in np.mgrid[:ROWS, :ACROSS])
    x = (column - (ACROSS - 1) / 2 + 0.25 * (-1.0) ** row) * 2.54
    return x, (row - (ROWS - 1) / 2) * 2.2


Places = tuple[tuple[float, float, float], ...]


def make_night(seed: int = 5, flat_error: float = 0.003, fields: Mapping[str, Places] = STARS) -> Night:
    rng = np.random.default_rng(seed)
    made, (x, y) = setup(), places()
    nfiber, quarter = x.size, x.size // 4
    heads, surface, spectra, usable, ra, dec, mags = {}, {}, {}, {}, [], [], []
    turn = 360 - (90 + PA + TURN)
    for slot, stars in fields.items():
        focal = made.focal(slot)
        response = (
            1 + 0.08 * rng.normal(size=(nfiber, 1)) + 0.01 * rng.normal(size=(nfiber, 1)) * np.linspace(-1, 1, NCOL)
        )
        response[17], response[50] = 0.33, 0.01
        usable[slot] = ~np.isin(np.arange(nfiber), (17, 50))
        flat = response * (1 + flat_error * rng.normal(size=(nfiber, 1)))
        start = np.linspace(3472, 3484, nfiber)[rng.permutation(nfiber)]
        wave = start[:, None] + np.linspace(0, 2050, NCOL)
        spectra[slot] = np.stack([star_spectrum(made.grid, g, -1.5 + 0.5 * n) for n, (_, _, g) in enumerate(stars)])
        for k, (sx, sy, g) in enumerate(stars):
            a, d = sky_place(np.array([sx + focal[0]]), np.array([sy + focal[1]]), RA / 15, DEC, turn)
            ra.append(a[0] + rng.normal(0, 0.03 / 3600))
            dec.append(d[0] + rng.normal(0, 0.03 / 3600))
            mags.append(magnitude(g, -1.5 + 0.5 * k))
        exposures = []
        for n, (dx, dy) in enumerate(DITHERS):
            own = Lenslets(x + dx, y + dy, 1.5, Face.CIRCLE)
            plane = 1 + 4e-4 * (own.x + focal[0] + 200) + 3e-4 * (own.y + focal[1] + 150)
            light = plane[:, None] * sky_spectrum(wave)
            for k, (sx, sy, g) in enumerate(stars):
                node = np.linspace(3470, 5540, 41)
                shift = np.interp(node, made.refraction[0], made.refraction[1])
                share = moffat_share(own, sx + shift, np.full(41, sy), FWHM * (node / 4500) ** -0.2, BETA)
                at = np.stack([np.interp(w, node, s) for w, s in zip(wave, share.T, strict=True)])
                light += at * star_spectrum(wave, g, -1.5 + 0.5 * k)
            per = np.interp(wave, made.response.wave, made.response.value) / (EXPTIME * AREA * 1e-17)
            step = np.gradient(wave, axis=1)
            electrons = light / per * step * response * ILLUMINATION[n]
            noise = np.full(nfiber, NOISE)
            amplifiers = []
            for a, name in enumerate(("LL", "LU", "RL", "RU")):
                broken = (slot, name) == BROKEN
                noise[a * quarter : (a + 1) * quarter] *= 8 if broken else 1
                read = ReadOut(name, 1000.0, 0.1, NOISE * (8 if broken else 1), 0.02, 1.0)
                amplifiers.append(IfuAmplifier(name, a * quarter, (a + 1) * quarter, read))
            variance = electrons + 5 * noise[:, None] ** 2
            seen = electrons + rng.normal(size=electrons.shape) * np.sqrt(variance)
            mask = np.where(rng.random(seen.shape) < 0.002, int(ReductionBit.COSMIC), 0).astype(np.uint32)
            seen[mask > 0] += 500
            dead = np.arange(nfiber) == 50
            surface[slot, n + 1] = plane
            exposures.append(
                IfuExposure(
                    slot, "308", "024", "C1", 20190822, 11, n + 1, EXPTIME,
                    FiberSpectra(seen / step, variance / step**2, mask, wave, "electron/Angstrom"),
                    flat.astype(np.float32), x, y, tuple(amplifiers), dead,
                )
            )  # fmt: skip
        heads[slot] = tuple(exposures)
    header = {
        "TRAJCRA": (RA - OFF[0] / 3600 / np.cos(np.radians(DEC))) / 15, "TRAJCDEC": DEC - OFF[1] / 3600,
        "PARANGLE": PA + OFF[2],
    }  # fmt: skip
    field = rng.uniform(-600, 600, (2, 150))
    ra += list(RA + field[0] / 3600 / np.cos(np.radians(DEC)))
    dec += list(DEC + field[1] / 3600)
    mags += list(rng.uniform(15, 22, 150))
    own = np.stack([np.array(mags)] * 5, axis=1)
    catalog = StarCatalog(np.array(ra), np.array(dec), own, "made up")
    return Night(made, heads, header, catalog, sky_spectrum(made.grid), spectra, surface, usable)
