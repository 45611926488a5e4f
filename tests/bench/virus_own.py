"""Observations of VIRUS that are simulated from raw amplifiers on, with calibrations of their own, against their truth.

    python -m tests.bench.virus_own [CASE...]

Each case says where it misses a bar of the issue; definitions are those of the facts, section 6.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ifuview.app.night.virus.calibrate import NightRange
from ifuview.app.night.virus.calibration_file import build_calibrations
from ifuview.app.night.virus.request import ReducedShot, ShotRequest
from ifuview.app.night.virus.shot import reduce_shot
from ifuview.engine.spectra.field.positions import HOUR, sky_place
from ifuview.engine.spectra.stars.match import match_catalog
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.io.night.star_catalog import read_catalog
from ifuview.io.products.virus.cals import read_calibrations
from ifuview.simulate.het.faults import ShotFaults
from ifuview.simulate.het.field import (
    ERROR,
    SCIENCE,
    FieldLine,
    FieldStar,
    TrueField,
    random_field,
    star_source,
    write_field,
)
from ifuview.simulate.het.source import SkySource, SkyTrail
from ifuview.simulate.het.truth import NightTruth
from tests.bench.lrs2_truth import rms
from tests.bench.virus_truth import (
    AMPS,
    CHUNKS,
    GRID,
    INNER,
    MATCH,
    MATCH_WAVE,
    NFIBER,
    ShotRows,
    SkyOf,
    sky_numbers,
)

Array = NDArray[np.float64]
UNITS = (("308", "047", "024"), ("309", "046", "005"))
SIDES = {"LL": "L", "LU": "L", "RL": "R", "RU": "R"}
FLIPS = {"LL": "LR", "LU": "UL", "RL": "LR", "RU": "UL"}  # of newer controllers
UNIT = 1e17
NEAR, SURE_OF = 1.2, 2.0  # times what chance alone does, where that is more than a bar: of an rms, and of a number
LSF = 2.4  # Angstrom, sigma
CORRELATED = 2.3  # variance of a line on the grid, whose samples share noise, over that without
LEAST = 0.08  # of a star that its fibers catch
FOREIGN = 0.01  # of a star's light, that others or an error of the sky send into the spaxels around it
BESIDE = 4.0  # arcsec, of stars whose light a line has to be told from
SURE = 1.1 * 7.0  # significance of a line that has to be found, as its own error has it
FLOOR = "floor of "
BLENDED, NEARBY = 4.5, 4.0  # widths, of stars that are fitted with one; arcsec, of the fibers
SPREAD = ("stars scatter", "stars shape", "lines wave")  # that are an rms
BARS = {
    "cal trace": (0.006, "px"), "cal wave": (0.015, "A"), "wave": (0.015, "A"), "sky median": (0.2, "%"),
    "sky rms": (0.5, "%"), "sky level": (1.5, "%"), "pull width - 1": (0.03, ""), "pull median": (0.05, ""),
    "masked": (2.0, "%"), "broken not masked": (0.0, "%"), "stars bias": (1.5, "%"), "stars scatter": (2.0, "%"),
    "stars worst": (8.0, "%"), "stars shape": (1.2, "%"), "stars missing": (0.0, ""), "cube": (2.0, "%"),
    "astrometry": (0.045, "arcsec"), "seeing": (0.03, "arcsec"), "illumination": (1.0, "%"), "lines missed": (0.0, ""),
    "false lines a head": (0.5, ""), "lines flux": (9.0, "%"), "lines wave": (0.5, "A"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class OwnCase:
    """A field, its night, and what is wrong with it."""

    field: TrueField
    date: int = 20190822
    changes: Mapping[str, object] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # kinds of calibrations that are not there
    elder: tuple[int, int] | None = None  # night and seed of the calibrations, where they are of another time
    broken: tuple[str, ...] = ()  # amplifiers that cannot be used, "047LL"


def usual(seed: int, **more: Any) -> TrueField:
    """A field by chance on two heads."""
    counts = {name: more.pop(name) for name in ("stars", "lines") if name in more and isinstance(more[name], int)}
    return replace(random_field(more.pop("units", UNITS), seed, **counts), **more)


def _few() -> OwnCase:
    own = usual(13, stars=2, lines=3, light=(1.0,), drift=0.06)
    bright = FieldStar("047", 4.0, -7.0, 12.0, -0.5)
    return OwnCase(replace(own, stars=(*own.stars, bright)))


def _bright() -> OwnCase:
    own = usual(16, stars=6, lines=6)
    return OwnCase(replace(own, stars=(*own.stars, FieldStar("047", -6.0, 5.0, 12.0, 0.3))))


def _dazzling() -> OwnCase:
    own = usual(44, stars=6, lines=5)
    return OwnCase(replace(own, stars=(*own.stars, FieldStar("046", 5.0, -4.0, 11.0, 0.0))))


def _bleeding() -> OwnCase:
    own = usual(31, stars=2, lines=3, light=(1.0,), moon="grey")
    return OwnCase(replace(own, stars=(*own.stars, FieldStar("046", 3.0, 2.0, 10.3, -0.5))))


def _galaxy() -> OwnCase:
    own = usual(17, stars=4, lines=3)
    disk = SkySource(3.0, -2.0, own.fwhm, 3e-15, 0.5, reference=4750.0, scale=5.0)
    return OwnCase(replace(own, others=(("047", disk),)))


def _trail() -> OwnCase:
    own = usual(26)
    bright, faint = SkyTrail(3.0, -5.0, 35.0, 5e-17, own.fwhm), SkyTrail(-4.0, 2.0, 118.0, 6e-18, own.fwhm)
    return OwnCase(replace(own, trails=(("047", 2, bright), ("046", 1, faint))))


def _flipped() -> OwnCase:
    own = usual(21, drift=0.08)
    return OwnCase(own, 20240801, {"flipped": {u[1] + amp: flip for u in UNITS for amp, flip in FLIPS.items()}})


CASES: dict[str, Callable[[], OwnCase]] = {
    "usual": lambda: OwnCase(usual(11)),
    "grey": lambda: OwnCase(usual(12, moon="grey", drift=0.05, shift=-0.2)),
    "one": lambda: OwnCase(usual(23, light=(1.0,))),
    "few": _few,
    "two": lambda: OwnCase(usual(14, light=(1.0, 0.9), moon="bright", drift=-0.03)),
    "undithered": lambda: OwnCase(usual(15, dithers=((0.0, 0.0),) * 3, drift=0.04)),
    "bright": _bright,
    "bleeding": _bleeding,
    "galaxy": _galaxy,
    "crowded": lambda: OwnCase(usual(18, stars=60, lines=4)),
    "pointing": lambda: OwnCase(usual(19, off=(-8.0, 6.0, -0.2), stars=5)),
    "broken": lambda: OwnCase(
        usual(20), changes={"zero": ("047RL",), "missing": ("046LU",), "faults": ShotFaults(noise={"046RU": 9.0})},
        broken=("047RL", "046LU", "046RU"),
    ),
    "flipped": _flipped,
    "swapped": lambda: OwnCase(
        usual(22, units=(("317", "015", "039"), ("308", "047", "024")), moon="grey"), 20200115
    ),
    "no zero": lambda: OwnCase(usual(24, drift=-0.09), without=("zro", "flt", "drk")),
    "trail": _trail,
    "airmass": lambda: OwnCase(usual(27, refraction=1.4)),
    "elder": lambda: OwnCase(usual(28), elder=(20180301, 28)),
    "strange": lambda: OwnCase(usual(29), elder=(20180301, 99)),  # of other heads, which has to be said
    "lines": lambda: OwnCase(usual(25, stars=3, lines=25, moon="grey")),
    "wide": lambda: OwnCase(usual(41, fwhm=2.5, light=(1.0, 0.7, 1.05))),  # seeing, and a cloud in the second exposure
    "shifted": lambda: OwnCase(usual(42, stars=2, lines=5, drift=0.5)),  # by 1 A since the lamps; four stars in all
    "lacking": lambda: OwnCase(usual(43, light=(1.0, 0.95), dithers=((0.0, 0.0), (1.215, 0.7)))),  # the second dither
    "dazzling": _dazzling,
}  # fmt: skip


def run(name: str, folder: Path, quiet: bool = False) -> dict[str, float]:
    """Simulate, calibrate, reduce and compare one case."""
    case = CASES[name]()
    tables, spec = Tables("virus"), instrument("virus")
    raw, out, cals = folder / "raw", folder / "out", folder / "cals.h5"
    began = time.process_time()
    truth = write_field(
        raw, spec, tables, case.field, case.date, changes=dict(case.changes), without=case.without,
        calibrated=case.elder is None,
    )  # fmt: skip
    slots = tuple(unit[1] for unit in case.field.units)
    marks = [time.process_time() - began]
    lamps, night = raw, case.date
    if case.elder is not None:
        lamps, (night, seed) = folder / "lamps", case.elder
        write_field(lamps, spec, tables, replace(case.field, seed=seed, light=(1.0,)), night)
    build_calibrations(str(cals), str(lamps), list(slots), NightRange(night, 1))
    marks.append(time.process_time() - began)
    request = ShotRequest(
        date=case.date, observation=SCIENCE, slots=slots, calibrations=str(cals), root=str(raw), output=str(out),
        catalog=str(next(raw.glob("Panstarrs_*.dat"))),
    )  # fmt: skip
    done = reduce_shot(request)
    marks.append(time.process_time() - began)
    if not quiet:
        print(f"{name}: simulated, calibrated, reduced after {marks[0]:.0f}, {marks[1]:.0f}, {marks[2]:.0f} s")
    if not quiet:
        print("\n".join(f"    {text}" for text in (*done.lines[1:], *done.wrong)))
    if any(head.reason for head in done.heads):
        return {}
    return measure(case, truth, cals, out, done)


def measure(case: OwnCase, truth: NightTruth, cals: Path, out: Path, done: ReducedShot) -> dict[str, float]:
    """All numbers of a case."""
    own = Own(case, truth, ShotRows(out / f"{case.date}_{SCIENCE:07d}.h5"), done)
    return {**own.calibrations(cals), **own.sky(), **own.stars(out), **own.place(), **own.lines(), **own.floors(out)}


@dataclass(frozen=True, eq=False)
class Own:
    """An own observation and what came of it."""

    case: OwnCase
    truth: NightTruth
    shot: ShotRows
    done: ReducedShot

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(unit[1] for unit in self.case.field.units)

    @property
    def numbers(self) -> range:
        return range(1, len(self.case.field.light) + 1)

    def amplifier(self, slot: str, amp: str) -> Any:
        """The true one."""
        side = self.truth.channel(f"{slot}{SIDES[amp]}")
        return next(one for one in side.amplifiers if one.name == amp)

    def alive(self, slot: str, amp: str) -> NDArray[np.bool_]:
        one = self.amplifier(slot, amp)
        return ~np.isin(np.arange(NFIBER), (*one.dead, *one.low))

    def light(self, slot: str, number: int) -> tuple[Array, Array]:
        """Source and sky of each fiber on the grid, 1e-17 erg/s/cm2/A, amplifiers in the order of the products."""
        out = []
        for kind in ("source", "sky"):
            parts = {}
            for side in "LR":
                channel = self.truth.channel(f"{slot}{side}")
                whole = getattr(self.truth, kind)(SCIENCE, channel.camera, number)
                grid = np.linspace(*channel.grid[:2], whole.shape[1])
                for n, amp in enumerate(channel.amplifiers):
                    rows = whole[n * NFIBER : (n + 1) * NFIBER]
                    parts[amp.name] = np.stack([np.interp(GRID, grid, row) for row in rows])
            out.append(UNIT * np.concatenate([parts[amp] for amp in AMPS]))
        return out[0], out[1]

    def focal(self, slot: str) -> tuple[float, float]:
        one = next(s for s in Tables("virus").focal_plane(self.case.date) if s.slot == slot)
        return one.y, one.x

    def calibrations(self, cals: Path) -> dict[str, float]:
        """Traces and wavelengths of the file, wavelengths of the observation: the worst amplifier."""
        trace, wave, now = [], [], {}
        for row in read_calibrations(str(cals)):
            slot, one = f"{int(row.slot):03d}", self.amplifier(f"{int(row.slot):03d}", row.amplifier)
            good = self.alive(slot, row.amplifier)
            trace.append(rms((row.trace - one.at(one.trace))[good]))
            wave.append(rms((row.wave - one.at(one.wave))[good]))
        import h5py

        with h5py.File(self.shot.path) as file:
            waves = file["Raw"]["wave"]
        for slot in self.slots:
            for number in self.numbers:
                rows = self.shot.of(slot, number)
                for n, amp in enumerate(AMPS):
                    if slot + amp in self.case.broken:
                        continue
                    one = self.amplifier(slot, amp)
                    off = waves[rows[n * NFIBER : (n + 1) * NFIBER]] - one.at(one.wave, self.case.field.drift)
                    now[slot, number, amp] = rms(off[self.alive(slot, amp)])
        return {"cal trace": max(trace), "cal wave": max(wave), "wave": max(now.values())}

    def sky(self) -> dict[str, float]:
        found = sky_numbers((self.sky_of(slot, number) for slot in self.slots for number in self.numbers), faint=True)
        return {
            "sky fibers": found["fibers"], "sky median": found["median"], "sky rms": found["rms"],
            "sky level": 100 * (found["level"] - 1), "pull width - 1": found["pull width - 1"],
            "pull median": found["pull median"], "masked": found["masked"],
            "broken not masked": found["broken not masked"],
        }  # fmt: skip

    def sky_of(self, slot: str, number: int) -> SkyOf:
        alive = np.concatenate([self.alive(slot, amp) for amp in AMPS])
        broken = np.repeat([slot + amp in self.case.broken for amp in AMPS], NFIBER)
        fibers = self.shot.tables["Fibers"][self.shot.of(slot, number)]
        return SkyOf(fibers, *self.light(slot, number), alive, broken)

    def stars(self, out: Path) -> dict[str, float]:
        """Stars of g < 20 with their light in working amplifiers."""
        from astropy.io import fits

        rows, band = self.shot.tables["CatSpectra"], Tables("virus").passband()
        bias, shape, noise, cube, missing, told, least = [], [], [], [], 0, [], []
        for star in self.case.field.stars:
            if star.g > 20:
                continue
            ra, dec = self.case.field.on_sky(self.focal(star.slot), np.array([star.x]), np.array([star.y]))
            apart = np.hypot((rows["ra"] - ra) * np.cos(np.radians(dec)), rows["dec"] - dec) * 3600
            n = int(np.argmin(apart)) if rows.size else -1
            lost = self._lost(star)
            if n < 0 or apart[n] > 1:
                missing += lost < 0.3
                continue
            one = star_source(star, self.case.field.fwhm, band)
            true = UNIT * one.continuum(GRID)
            ratio = np.where(np.isfinite(rows["spectrum"][n]) & INNER, rows["spectrum"][n] / true, np.nan)
            if np.isfinite(ratio).sum() < 100 or lost > 0.3 or not np.nanmedian(rows["weight"][n]) > LEAST:
                continue
            bias.append(float(np.nanmedian(ratio)))
            least.append(100 * self.floor_of(star))
            told.append(f"{star.slot} g {star.g:.2f} at {star.x:.1f} {star.y:.1f}: {bias[-1]:.3f}")
            parts = np.array([np.nanmean(part) for part in np.array_split(ratio[INNER], CHUNKS)])
            shape.append(float(np.nanstd(parts / np.nanmedian(parts))))
            error = np.where(np.isfinite(ratio), rows["error"][n] / true, np.nan)[INNER]
            noise.append(rms(np.array([_of_mean(part) for part in np.array_split(error, CHUNKS)])))
            with fits.open(out / f"{self.case.date}_{SCIENCE:07d}_{star.slot}_cube.fits") as file:
                head, data = file[0].header, file[0].data
            x = head["CRVAL1"] + head["CDELT1"] * np.arange(data.shape[2])
            y = head["CRVAL2"] + head["CDELT2"] * np.arange(data.shape[1])
            near = np.hypot(*np.meshgrid(x - star.x, y - star.y)) < 5
            alone = all(
                other is star or other.slot != star.slot or np.hypot(other.x - star.x, other.y - star.y) > 8
                or other.g > star.g + 4 for other in self.case.field.stars
            )  # fmt: skip
            alone = alone and self._beside(star, one) + self._sky_beside(star, one) < FOREIGN
            if alone and not lost and max(abs(star.x), abs(star.y)) < 18:
                inside = 1 - (1 + (5 / _core(self.case.field.fwhm)) ** 2) ** -2.5
                cube.append(float(np.nanmedian((data[:, near].sum(axis=1) / true)[INNER])) / inside)
        off = np.array(bias) - 1
        if off.size and np.abs(off).max() > 0.05:
            print("   ", "; ".join(text for text, b in zip(told, off, strict=True) if abs(b) > 0.05))
        if not off.size:
            return {"stars missing": float(missing)}
        return {
            "stars": float(off.size), "stars bias": 100 * float(np.median(off)),
            "stars scatter": 100 * float(np.std(off)),
            "stars worst": 100 * float(off[np.argmax(np.abs(off))]), "stars shape": 100 * float(np.median(shape)),
            "stars missing": float(missing), "cube": 100 * (float(np.median(cube)) - 1) if cube else 0.0,
            "floor of stars shape": 100 * float(np.median(noise)), "floor of stars scatter": rms(np.array(least)),
            "floor of stars worst": least[int(np.argmax(np.abs(off)))],
        }  # fmt: skip

    def floor_of(self, star: FieldStar) -> float:
        """Error of a star's flux over it, of the best that can be done (Cramer-Rao).

        Light of all stars around it in chunks of wavelength and their places are fitted together; the profile is known,
        places are by the catalog to its error.
        """
        from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share, moffat_slopes

        fwhm, band = self.case.field.fwhm, Tables("virus").passband()
        apart = {
            one: float(np.hypot(one.x - star.x, one.y - star.y))
            for one in self.case.field.stars
            if one.slot == star.slot
        }
        stars = sorted((one for one, away in apart.items() if away < BLENDED * fwhm), key=apart.__getitem__)
        x, y, errors = [], [], []
        for number in self.numbers:
            dx, dy = self.case.field.dither(number - 1)
            x.append(np.concatenate([self.amplifier(star.slot, amp).x for amp in AMPS]) + dx)
            y.append(np.concatenate([self.amplifier(star.slot, amp).y for amp in AMPS]) + dy)
            errors.append(self.shot.tables["Fibers"][self.shot.of(star.slot, number)]["error"])
        fibers, error = Lenslets(np.concatenate(x), np.concatenate(y), 1.5, Face.CIRCLE), np.concatenate(errors)
        near = np.hypot(fibers.x - star.x, fibers.y - star.y) < NEARBY
        fibers, weight = (
            fibers.some(near),
            np.where(error[near] > 0, 1 / np.where(error[near] > 0, error[near], 1) ** 2, 0),
        )
        width, count = np.full(1, fwhm), len(stars)
        share = np.stack([moffat_share(fibers, np.full(1, s.x), np.full(1, s.y), width, 3.5)[0] for s in stars], axis=1)
        slope = [moffat_slopes(fibers, np.full(1, s.x), np.full(1, s.y), width, 3.5)[1:3, 0] for s in stars]
        normal, moved, alone = np.eye(2 * count) / ERROR**2, np.zeros(2 * count), 0.0
        for part in np.array_split(np.flatnonzero(INNER), CHUNKS):
            light = [UNIT * float(star_source(s, fwhm, band).continuum(GRID[part]).mean()) for s in stars]
            root = np.sqrt(weight[:, part].sum(axis=1) / CORRELATED)[:, None]
            base = root * share
            slopes = root * np.concatenate([f * one for f, one in zip(light, slope, strict=True)]).T
            inverse = np.linalg.pinv(base)
            by_place = inverse @ slopes
            normal += slopes.T @ (slopes - base @ by_place)
            moved += by_place[0] / light[0] / CHUNKS
            alone += float(inverse[0] @ inverse[0]) / (light[0] * CHUNKS) ** 2
        return float(np.sqrt(alone + moved @ np.linalg.solve(normal, moved)))

    def _beside(self, star: FieldStar, light: SkySource) -> float:
        """Light of disks within 5 arcsec of a star, over its own (roughly: the disks are taken for round)."""
        total = 0.0
        for slot, other in self.case.field.others:
            if slot == star.slot and other.scale:
                apart = max(float(np.hypot(other.x - star.x, other.y - star.y)) - 5.0, 0.0)
                bright = np.exp(-apart / other.scale) / (2 * np.pi * other.ratio * other.scale**2)
                total += float(np.median(other.continuum(GRID) / light.continuum(GRID))) * bright * np.pi * 5.0**2
        return total

    def _sky_beside(self, star: FieldStar, light: SkySource) -> float:
        """Light that an error of the sky within its bar puts into 5 arcsec around a star, over its own."""
        sky = float(np.median(self.light(star.slot, 1)[1])) / (np.pi * 0.75**2)  # of a square arcsec
        return BARS["sky median"][0] / 100 * sky * np.pi * 5.0**2 / (UNIT * float(np.median(light.continuum(GRID))))

    def _lost(self, star: FieldStar) -> float:
        """Share of the fibers around a star that are in broken amplifiers."""
        near, bad = 0, 0
        for amp in AMPS:
            one = self.amplifier(star.slot, amp)
            inside = int((np.hypot(one.x - star.x, one.y - star.y) < 3).sum())
            near, bad = near + inside, bad + inside * (star.slot + amp in self.case.broken)
        return bad / max(near, 1)

    def place(self) -> dict[str, float]:
        """Astrometry of the worst head and exposure, seeing, illumination."""
        worst, field = [], self.case.field
        for slot in self.slots:
            for number in self.numbers:
                info = self.shot.tables["Info"][self.shot.of(slot, number)]
                dx, dy = field.dither(number - 1)
                x = np.concatenate([self.amplifier(slot, amp).x for amp in AMPS]) + dx
                y = np.concatenate([self.amplifier(slot, amp).y for amp in AMPS]) + dy
                ra, dec = field.on_sky(self.focal(slot), x, y)
                apart = np.hypot((info["ra"] - ra) * np.cos(np.radians(dec)), info["dec"] - dec) * 3600
                worst.append(float(np.median(apart)))
        survey = self.shot.tables["Survey"]
        true = np.array(field.light)
        found = survey["throughput"] / survey["throughput"].mean() / (true / true.mean())
        return {
            "astrometry": max(worst), "seeing": float(survey["fwhm"][0]) - field.fwhm,
            "illumination": 100 * float(np.abs(found - 1).max()),
        }  # fmt: skip

    def floors(self, raw: Path) -> dict[str, float]:
        """What the catalog's own errors do to the astrometry: the pointing by the true places of the stars found."""
        stars = [one for one in self.done.solution.stars if one.used] if self.done.solution is not None else []
        catalog, field = read_catalog(str(next(raw.parent.rglob("Panstarrs_*.dat")))), self.case.field
        true = [
            min((t for t in field.stars if t.slot == one.slot), key=lambda t: np.hypot(t.x - one.x, t.y - one.y))
            for one in stars
        ]
        place = np.array([np.add(self.focal(t.slot), (t.x, t.y)) for t in true]).reshape(-1, 2)
        number = [one.index for one in stars]
        found = match_catalog(
            *place.T, np.array([one.error for one in stars]), catalog.ra[number], catalog.dec[number],
            (field.ra, field.dec), field.turn,
        )  # fmt: skip
        if found is None:
            return {}
        apart = []
        for slot in self.slots:
            middle = [np.array([v]) for v in self.focal(slot)]
            ra, dec = field.on_sky((0.0, 0.0), *middle)
            own = sky_place(*middle, found.ra / HOUR, found.dec, found.turn)
            apart.append(float(np.hypot((own[0] - ra) * np.cos(np.radians(dec)), own[1] - dec)[0]) * 3600)
        return {"floor of astrometry": max(apart)}

    def lines(self) -> dict[str, float]:
        """Lines that must be found, those that are false, flux and wavelength of those found."""
        rows = self.shot.tables["Detections"]
        rows = rows[rows["kind"] == b"line"]
        used, missed, flux, wave, sure = np.zeros(rows.size, bool), 0, [], [], []
        for one in self.case.field.lines:
            near = (rows["ifuslot"] == one.slot.encode()) & (np.abs(rows["wave"] - one.wave) < MATCH_WAVE)
            near &= np.hypot(rows["ifux"] - one.x, rows["ifuy"] - one.y) < MATCH
            used |= near
            snr = self.true_snr(one)
            if near.any() and snr > SURE:  # fainter ones are chosen by their noise
                n = int(np.flatnonzero(near)[0])
                flux.append(rows["flux"][n] / (UNIT * one.flux))
                wave.append(rows["wave"][n] - one.wave)
                sure.append((snr, np.hypot(one.sigma, LSF)))
            elif snr > SURE:
                missed += 1
                print(f"    missed: {one.slot} {one.x:.1f} {one.y:.1f} {one.wave:.0f} A, sigma {snr:.1f}")
        for row in rows[~used]:
            print(
                f"    false: {row['ifuslot'].decode()} {row['ifux']:.1f} {row['ifuy']:.1f} {row['wave']:.1f} A, "
                f"{row['sn']:.1f} sigma, doubts: {row['doubt_text'].decode()}"
            )
        own, width = np.array(sure).reshape(-1, 2).T
        return {
            "lines": float(len(flux)), "lines missed": float(missed),
            "false lines a head": float((~used).sum() / len(self.slots)),
            "lines flux": 100 * (float(np.mean(flux)) - 1) if flux else 0.0,
            "lines wave": rms(np.array(wave)) if wave else 0.0,
            "floor of lines flux": 100 * float(np.sqrt((own**-2).sum())) / max(own.size, 1),
            "floor of lines wave": float(np.sqrt(((width / own) ** 2).mean())) if own.size else 0.0,
        }  # fmt: skip

    def true_snr(self, line: FieldLine) -> float:
        """Significance of a line by a perfect filter that has to tell it from stars beside, by the products' errors."""
        from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share

        sigma = float(np.hypot(line.sigma, LSF))
        profile = np.exp(-0.5 * ((GRID - line.wave) / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma)
        sources = [line, *(s for s in self.case.field.stars if s.slot == line.slot and _apart(s, line) < BESIDE)]
        x, y = (np.array([getattr(one, axis) for one in sources]) for axis in "xy")
        share, error = [], []
        for number in self.numbers:
            dx, dy = self.case.field.dither(number - 1)
            fx = np.concatenate([self.amplifier(line.slot, amp).x for amp in AMPS]) + dx
            fy = np.concatenate([self.amplifier(line.slot, amp).y for amp in AMPS]) + dy
            lenslets = Lenslets(fx, fy, 1.5, Face.CIRCLE)
            share.append(moffat_share(lenslets, x, y, np.full(x.size, self.case.field.fwhm), 3.5))
            error.append(self.shot.tables["Fibers"][self.shot.of(line.slot, number)]["error"])
        (own, *stars), noise = np.concatenate(share, axis=1), np.concatenate(error)
        weight = np.where(noise > 0, 1 / np.where(noise > 0, noise, 1) ** 2, 0.0)
        near = np.abs(GRID - line.wave) < 4 * sigma
        root = np.sqrt(weight[:, near].mean(axis=1))
        if stars:
            own = own - np.linalg.lstsq((root * stars).T, root * own, rcond=None)[0] @ np.array(stars)
        total = ((UNIT * line.flux * own[:, None] * profile) ** 2 * weight).sum()
        return float(np.sqrt(total / CORRELATED))


def _of_mean(error: Array) -> float:
    """Error of the mean of samples on the grid."""
    known = error[np.isfinite(error)]
    return float(np.sqrt(CORRELATED * (known**2).sum()) / known.size) if known.size else np.nan


def _apart(star: FieldStar, line: FieldLine) -> float:
    return float(np.hypot(star.x - line.x, star.y - line.y))


def _core(fwhm: float) -> float:
    """Radius of a Moffat profile of exponent 3.5."""
    return fwhm / 2 / np.sqrt(2 ** (1 / 3.5) - 1)


def told(name: str, found: Mapping[str, float]) -> str:
    """The numbers of a case, those beyond a bar marked; what chance alone does stands behind them."""
    words = []
    for key, value in found.items():
        if key.startswith(FLOOR):
            continue
        floor, bar = found.get(FLOOR + key), BARS.get(key, (np.inf, ""))[0]
        least = 0.0 if floor is None else (NEAR if key in SPREAD else SURE_OF) * floor
        mark = "" if abs(value) <= max(bar, least) else "**"
        words.append(f"{mark}{key} {value:.3f}{mark}" + ("" if floor is None else f" (chance {floor:.3f})"))
    return f"{name}: " + "; ".join(words)


if __name__ == "__main__":
    for case in sys.argv[1:] or list(CASES):
        with TemporaryDirectory() as place:
            print(told(case, run(case, Path(place))), flush=True)
