"""A whole observation of many fiber heads: dithered exposures of a field of stars and galaxies, and its calibrations.

field = random_field(tables, ("047", "046"), seed=3)
truth = write_field(folder, spec, tables, field, date=20190822)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from ifuview.files import put
from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.reduction.tables import FocalSlot, WaveCurve
from ifuview.simulate.het.heads import RADIUS, HeadTables, head_setup
from ifuview.simulate.het.light import SkyScene
from ifuview.simulate.het.night import Shot, write_night
from ifuview.simulate.het.setup import TrueChannel
from ifuview.simulate.het.source import SkySource, SkyTrail, SpectralLine
from ifuview.simulate.het.truth import NightTruth

DITHERS = ((0.0, 0.0), (1.215, -0.70), (1.215, 0.70))  # arcsec
REFERENCE = 4750.0  # Angstrom, where refraction is 0
TURN = 1.55  # deg, of the focal plane against the parallactic angle
SIDE = 24.0  # arcsec, half of a head
OUTSIDE = 150  # stars of the field that fall on no head
ERROR = 0.04  # arcsec, of the catalog
SCIENCE = 11  # number of the observation
LIGHT, ZERO = 2.99792458e18, 48.6  # Angstrom/s, and the zero point of magnitudes


class FieldTables(HeadTables, Protocol):
    """Tables of the heads, and of what is seen by all of them."""

    def passband(self) -> WaveCurve:
        """Transmission of the filter of the catalog."""

    def real_slot(self, slot: str, night: int) -> str:
        """The slot that headers of a night mean."""

    def focal_plane(self, night: int = 0) -> tuple[FocalSlot, ...]:
        """Where the heads lie."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldStar:
    """A star on a head: place (arcsec, in its frame), g, and power of the wavelength in its spectrum."""

    slot: str
    x: float
    y: float
    g: float
    slope: float


@dataclass(frozen=True, slots=True, eq=False)
class FieldLine:
    """A line on a head: place (arcsec), wavelength and sigma (Angstrom), flux (erg/s/cm2)."""

    slot: str
    x: float
    y: float
    wave: float
    sigma: float
    flux: float


@dataclass(frozen=True, slots=True, eq=False)
class TrueField:
    """What an observation sees.

    Parameters
    ----------
    units : tuple of (str, str, str)
        Spectrograph, slot and fiber head.
    stars, lines : tuple
    fwhm : float, arcsec
        At 4500 Angstrom.
    light : tuple of float
        Illumination of each exposure; as many exposures as there are.
    ra, dec, turn : float, deg
        Of the focal plane.
    off : (float, float, float)
        By which the header misses it: arcsec east and north, deg.
    shift, drift : float, px
        Of traces and wavelengths against the calibrations.
    seed : int
    others : tuple of (str, SkySource)
        Slots and what else is seen there, extended sources for instance.
    moon : str
        Whose sky it is: dark, grey or bright.
    dithers : tuple of (float, float), arcsec
        Of the exposures; (): the usual ones of three exposures, none of others.
    trails : tuple of (str, int, SkyTrail)
        Slots, exposures (counted from 1) and what crosses them.
    refraction : float
        Of the atmosphere, times the usual one.
    """

    units: tuple[tuple[str, str, str], ...]
    stars: tuple[FieldStar, ...]
    lines: tuple[FieldLine, ...]
    fwhm: float = 1.75
    light: tuple[float, ...] = (1.0, 0.94, 1.05)
    ra: float = 175.5
    dec: float = 51.3
    turn: float = 113.2
    off: tuple[float, float, float] = (2.1, -1.4, 0.05)
    shift: float = 0.12
    drift: float = 0.0
    seed: int = 1
    others: tuple[tuple[str, SkySource], ...] = ()
    moon: str = "dark"
    dithers: tuple[tuple[float, float], ...] = ()
    trails: tuple[tuple[str, int, SkyTrail], ...] = ()
    refraction: float = 1.0

    def dither(self, number: int) -> tuple[float, float]:
        """Of an exposure, counted from 0."""
        usual = DITHERS if len(self.light) == len(DITHERS) else ((0.0, 0.0),) * len(self.light)
        return (self.dithers or usual)[number]

    def on_sky(self, focal: tuple[float, float], x: Array, y: Array) -> tuple[Array, Array]:
        """Right ascension and declination (deg) of places on a head whose origin lies at `focal`."""
        c, s = np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))
        px, py = np.asarray(x) + focal[0], np.asarray(y) + focal[1]
        xi, eta = np.radians(-(c * px + s * py) / 3600), np.radians((-s * px + c * py) / 3600)
        dec0 = np.radians(self.dec)
        below = np.cos(dec0) - eta * np.sin(dec0)
        ra = self.ra + np.degrees(np.arctan2(xi, below))
        return ra, np.degrees(np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, below)))


def random_field(units: Sequence[tuple[str, str, str]], seed: int, stars: int = 7, lines: int = 5) -> TrueField:
    """A field by chance: so many stars and lines on each head, seeing, illumination, errors of the pointing."""
    rng = np.random.default_rng((seed, 77))
    found: list[FieldStar] = []
    light: list[FieldLine] = []
    for _, slot, _ in units:
        place = rng.uniform(-SIDE + 2, SIDE - 2, (stars + lines, 2))
        for n, (x, y) in enumerate(place):
            if n < stars:
                g = 17.0 + 4.0 * (n + rng.random()) / stars
                found.append(FieldStar(slot, float(x), float(y), float(g), float(rng.uniform(-2.0, 1.5))))
            else:
                flux = float(rng.uniform(1.5, 7.0)) * 1e-16
                light.append(
                    FieldLine(slot, float(x), float(y), float(rng.uniform(3700, 5400)), float(rng.uniform(1, 2)), flux)
                )
    return TrueField(
        tuple(units), tuple(found), tuple(light), float(rng.uniform(1.4, 2.2)),
        tuple(float(v) for v in (1.0, *rng.uniform(0.85, 1.1, 2))), float(rng.uniform(0, 359)),
        float(rng.uniform(-5, 65)), float(rng.uniform(0, 360)),
        (float(rng.uniform(-2, 2)), float(rng.uniform(-2, 2)), float(rng.uniform(-0.05, 0.05))),
        float(rng.uniform(-0.25, 0.25)), float(rng.uniform(-0.2, 0.2)), seed,
    )  # fmt: skip


def star_source(star: FieldStar, fwhm: float, band: WaveCurve) -> SkySource:
    """The star as a source whose magnitude in the band is its g."""
    one = SkySource(star.x, star.y, fwhm * (REFERENCE / 4500.0) ** -0.2, 1.0, star.slope, reference=REFERENCE)
    wave = np.linspace(band.wave[0], band.wave[-1], 4000)
    seen = np.interp(wave, band.wave, band.value)
    mean = (one.continuum(wave) * wave * seen).sum() / (seen / wave).sum() / LIGHT
    return replace(one, level=float(10 ** (-0.4 * (star.g + ZERO)) / mean))


def write_field(
    folder: Path | str, spec: InstrumentSpec, tables: FieldTables, field: TrueField, date: int, *,
    packing: str = "", changes: Mapping[str, object] | None = None, calibrated: bool = True, broken: bool = True,
    without: tuple[str, ...] = (),
) -> NightTruth:  # fmt: skip
    """Write calibrations and the observation SCIENCE of a field, and the catalog of its stars.

    Parameters
    ----------
    folder : path
        Of raw nights.
    spec : InstrumentSpec
    tables : FieldTables
    field : TrueField
    date : int
    packing, broken
        As in `write_night`.
    changes : mapping, optional
        Fields of the science `Shot`s that differ.
    calibrated : bool
        With zero, dark, twilight, arc and lamp frames.
    without : tuple of str
        Kinds of these that are left out.
    """
    heads = heads_of(spec, tables, field, date, broken)
    ra = field.ra - field.off[0] / 3600 / np.cos(np.radians(field.dec))
    dec, angle = field.dec - field.off[1] / 3600, 360.0 - field.turn - 90.0 - TURN - field.off[2]
    cards = {"TRAJCRA": ra / 15, "TRAJCDEC": dec, "TRAJRA": ra / 15, "TRAJDEC": dec, "PARANGLE": angle}
    flipped = cast("Mapping[str, str]", (changes or {}).get("flipped", {}))
    shots = [replace(one, flipped=flipped) for one in _calibrations() if calibrated and one.kind not in without]
    for n, light in enumerate(field.light):
        scenes = {unit[1]: _scene(field, unit[1], tables.passband(), n, light) for unit in field.units}
        one = Shot(
            SCIENCE, "sci", "SIMFIELD", 360.0, n + 1, scenes, field.shift, 0.0, field.drift, cards=cards,
        )  # fmt: skip
        shots.append(replace(one, **(changes or {})))  # type: ignore[arg-type]
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_catalog(Path(folder) / f"Panstarrs_{ra:.6f}_{dec:.5f}_0.1500.dat", tables, field, date)
    return write_night(folder, spec, heads, shots, date, packing=packing, seed=field.seed, radius=RADIUS, broken=broken)


def heads_of(
    spec: InstrumentSpec, tables: FieldTables, field: TrueField, date: int, broken: bool = True
) -> list[TrueChannel]:
    """Both detectors of all heads, under the slots that the headers of the night have for them."""
    out = []
    for specid, slot, ifuid in field.units:
        real = tables.real_slot(slot, date)
        for side in "LR":
            unit, camera = (specid, real, ifuid), f"{real}{side}"
            one = head_setup(spec, tables, camera, unit, date, field.seed, broken=broken, moon=field.moon)
            bent = one.refraction * np.array([[1.0], [field.refraction], [field.refraction]])
            out.append(replace(one, camera=f"{slot}{side}", slot=slot, refraction=bent))
    return out


def _calibrations() -> tuple[Shot, ...]:
    return (
        *(Shot(1, "zro", "zero", number=n + 1) for n in range(3)), Shot(2, "drk", "dark", 360.0),
        Shot(2, "drk", "dark", 360.0, number=2), Shot(3, "cmp", "hg", 60.0), Shot(4, "cmp", "cd-a", 60.0),
        Shot(5, "twi", "skyflat", 10.0), Shot(6, "twi", "skyflat", 10.0), Shot(7, "flt", "ldls", 10.0),
    )  # fmt: skip


def _scene(field: TrueField, slot: str, band: WaveCurve, number: int, light: float) -> SkyScene:
    """What a head sees in an exposure."""
    sources = [star_source(star, field.fwhm, band) for star in field.stars if star.slot == slot]
    wide = field.fwhm * (REFERENCE / 4500.0) ** -0.2
    sources += [
        SkySource(one.x, one.y, wide, 0.0, lines=(SpectralLine(one.wave, one.sigma, one.flux),), reference=REFERENCE)
        for one in field.lines if one.slot == slot
    ]  # fmt: skip
    sources += [one for slot_of, one in field.others if slot_of == slot]
    trails = tuple(one for slot_of, n, one in field.trails if (slot_of, n) == (slot, number + 1))
    return SkyScene(
        gradient=(4e-4, -3e-4), others=tuple(sources), dither=field.dither(number), light=light, trails=trails
    )


def write_catalog(path: Path, tables: FieldTables, field: TrueField, night: int = 0) -> None:
    """Stars on the heads, with errors, and others beside, in the form of the cached tables."""
    rng = np.random.default_rng((field.seed, 78))
    places = {one.slot: (one.y, one.x) for one in tables.focal_plane(night)}
    rows: list[tuple[float, float, float]] = []
    for star in field.stars:
        ra, dec = field.on_sky(places[star.slot], np.array([star.x]), np.array([star.y]))
        rows.append((float(ra[0]), float(dec[0]), star.g))
    for x, y in rng.uniform(-600, 600, (OUTSIDE, 2)):
        if any(np.hypot(x - places[u[1]][0], y - places[u[1]][1]) < 2 * SIDE for u in field.units):
            continue
        ra, dec = field.on_sky((0.0, 0.0), np.array([x]), np.array([y]))
        rows.append((float(ra[0]), float(dec[0]), float(rng.uniform(15, 22.5))))
    lines = ["objID     raMean   decMean  gApMag  rApMag  iApMag  zApMag  yApMag"]
    lines.append("----- ---------- --------- ------- ------- ------- ------- -------")
    for n, (ra1, dec1, g) in enumerate(rows):
        ra1 += rng.normal(0, ERROR) / 3600 / np.cos(np.radians(dec1))
        dec1 += rng.normal(0, ERROR) / 3600
        lines.append(f"{n + 1:5d} {ra1:10.6f} {dec1:9.6f} " + " ".join(f"{g - 0.2 * k:7.4f}" for k in range(5)))
    put(path, "\n".join(lines) + "\n")
