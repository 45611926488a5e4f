"""Nights of LRS2 that are simulated from raw amplifiers on, and reduced as a user does, against their truth.

    python -m tests.bench.lrs2_own [CASE...]

Each case varies what the shared night does not; rows and bars are those of `tests.bench reduce`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ifuview.app.night.reduction.elsewhere import NOTHING, Elsewhere
from ifuview.app.night.reduction.run import LRS2, reduce_lrs2
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.simulate.het.ccd import SCATTERED
from ifuview.simulate.het.light import SkyScene
from ifuview.simulate.het.night import AGN, GALAXY, Shot, write_night
from ifuview.simulate.het.setup import TrueChannel, channel_setup
from ifuview.simulate.het.source import SkySource, SpectralLine, displaced
from ifuview.simulate.het.truth import NightTruth
from tests.bench.lrs2_truth import Array, LrsTruth, smoothed
from tests.bench.reduce import Row, calibration_rows, exposure_rows

UNITS = {"056": ("503", "056", "7001"), "066": ("502", "066", "7002")}
SLOTS = {"uv": "056", "orange": "056", "red": "066", "farred": "066"}
REFERENCE = {"056": 4142.5, "066": 7425.0}
LAMPS = {"056": ("Hg_B", "Cd-A_B"), "066": ("Hg_R", "Cd-A_R", "FeAr_R")}
BLUE, RED = ("uv", "orange"), ("red", "farred")
CALIBRATED = 20  # first observation that is no calibration


@dataclass(frozen=True, eq=False)
class OwnNight:
    """What a night has.

    Parameters
    ----------
    cameras : tuple of str
    sources : mapping of str to tuple of SkySource
        By OBJECT without its slot: what each exposure of the sky sees; none: sky.
    lamps : tuple of str, optional
        In place of the usual ones.
    moon : str
    sky : SkyScene
        Of all exposures, beside their sources.
    change : mapping
        Fields of the exposures of the sky that differ.
    arcs : mapping
        Fields of the arcs that differ.
    amplifiers : mapping of str to sequence
        Fields of amplifiers that differ, a value for each.
    without : tuple of str
        Kinds of calibrations that are not there.
    more : mapping
        Of `write_night`.
    exptime : float, s
    lsf, drift : float, px
        Of `channel_setup`.
    elsewhere : Elsewhere
    """

    cameras: tuple[str, ...] = BLUE
    sources: Mapping[str, tuple[SkySource, ...]] = field(default_factory=dict)
    lamps: tuple[str, ...] = ()
    moon: str = "dark"
    sky: SkyScene = field(default_factory=SkyScene)
    change: Mapping[str, Any] = field(default_factory=dict)
    arcs: Mapping[str, Any] = field(default_factory=dict)
    amplifiers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    without: tuple[str, ...] = ("flt",)
    more: Mapping[str, Any] = field(default_factory=dict)
    exptime: float = 900.0
    date: int = 20190501
    seed: int = 11
    lsf: float = 1.8
    drift: float = -0.3
    elsewhere: Elsewhere = NOTHING

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(SLOTS[camera] for camera in self.cameras))

    def channels(self) -> list[TrueChannel]:
        """The detectors."""
        tables, out = Tables(LRS2), []
        for camera in self.cameras:
            one = channel_setup(
                instrument(LRS2), tables, camera, UNITS[SLOTS[camera]], self.date, self.seed, lsf=self.lsf,
                drift=self.drift,
            )  # fmt: skip
            amps = [
                replace(amp, **{name: values[n] for name, values in self.amplifiers.items()})
                for n, amp in enumerate(one.amplifiers)
            ]
            out.append(replace(one, sky=tables.sky(camera, self.moon), amplifiers=tuple(amps)))
        return out

    def shots(self) -> list[Shot]:
        """The exposures."""
        lamps = self.lamps or tuple(dict.fromkeys(name for slot in self.slots for name in LAMPS[slot]))
        shots = [Shot(1, "zro", "zero", number=n + 1) for n in range(2)]
        shots += [Shot(2, "twi", "skyflat", 5.0), Shot(3, "flt", "ldls", 10.0)]
        shots += [Shot(4 + n, "cmp", name, 30.0) for n, name in enumerate(lamps)]
        shots = [one for one in shots if one.kind not in self.without]
        shots = [replace(one, **self.arcs) if one.kind == "cmp" else one for one in shots]
        observation = CALIBRATED
        for name, sources in self.sources.items():
            for slot in self.slots:
                seen = tuple(replace(one, reference=REFERENCE[slot]) for one in sources)
                usual = {"shift": 0.12, "tilt": 0.02, "drift": 0.08} | dict(self.change)
                exptime = 48.1 if name.startswith("HD") else self.exptime
                scene = replace(self.sky, others=seen[1:], source=seen[0] if seen else None)
                shots.append(Shot(observation, "sci", f"{name}_{slot}_E", exptime, scenes={slot: scene}, **usual))
                observation += 1
        return shots


@dataclass(frozen=True, eq=False)
class OwnTruth(LrsTruth):
    """Truth of one channel of an own night; light that the detector scatters is no fiber's."""

    night: NightTruth | None = None
    shots: Sequence[Shot] = ()

    @cached_property
    def whole(self) -> dict[str, object]:
        assert self.night is not None
        return self.night.numbers()

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        assert self.night is not None
        return self.night.arrays

    @property
    def setup(self) -> TrueChannel:
        """The detector."""
        assert self.night is not None
        return self.night.channel(self.channel)

    def source(self, observation: int) -> Array:
        return (1 - SCATTERED) * super().source(observation)

    def sky(self, observation: int) -> Array:
        return (1 - SCATTERED) * super().sky(observation)

    def scene(self, observation: int) -> SkyScene:
        """What an exposure sees."""
        shot = next(one for one in self.shots if one.observation == observation)
        return shot.scenes.get(SLOTS[self.channel], SkyScene())

    def total(self, observation: int) -> Array:
        """The first source."""
        source, one = self.scene(observation).source, self.setup
        assert source is not None
        wave = np.arange(self.grid[0] - 50, self.grid[-1] + 50, 0.25)
        flux = source.spectrum(wave) * np.interp(wave, one.telluric.wave, one.telluric.value)
        return (1 - SCATTERED) * smoothed(wave, flux, self.grid, one.lsf * one.dispersion)

    def centroid(self, observation: int, wave: float) -> tuple[float, float]:
        source = self.scene(observation).source
        assert source is not None
        return displaced(source, self.setup.refraction, wave)


def compact(level: float = 2e-15, x: float = 0.83, y: float = -0.47, fwhm: float = 1.35, **more: Any) -> SkySource:
    """A point with lines."""
    lines = tuple(SpectralLine(wave, 2.4, flux * min(level / 2e-15, 1.0)) for wave, flux in AGN)
    return SkySource(x, y, fwhm, level, lines=lines, **more)


def star(level: float = 2.2e-12, x: float = -0.41, y: float = 0.28, fwhm: float = 1.5) -> SkySource:
    """A star without lines."""
    return SkySource(x, y, fwhm, level, temperature=6000.0)


def disk(level: float = 1.2e-15, scale: float = 1.5, **more: Any) -> SkySource:
    """A galaxy that turns."""
    lines = tuple(SpectralLine(wave, 1e-3, flux * level / 1.2e-15) for wave, flux in GALAXY)
    return SkySource(0.3, -0.22, 1.45, level, lines=lines, scale=scale, **more)


SRC = "SIMSRC"
CASES: dict[str, Callable[[], OwnNight]] = {
    "usual": lambda: OwnNight(BLUE, {SRC: (compact(),), "HD_1": (star(),), "SIMGAL": (disk(),)}),
    "usual red": lambda: OwnNight(RED, {SRC: (compact(),), "HD_1": (star(),)}),
    "moon": lambda: OwnNight(BLUE, {SRC: (compact(),), "SIMGAL": (disk(),)}, moon="bright", seed=12),
    "moon red": lambda: OwnNight(RED, {SRC: (compact(),)}, moon="bright", seed=12),
    "full": lambda: OwnNight(BLUE, {"SIMGAL": (disk(6e-15, 5.0),)}, seed=13),
    "full sky": lambda: OwnNight(
        BLUE, {"BLANK": (), "SIMGAL": (disk(6e-15, 5.0),)}, seed=13, elsewhere=Elsewhere(sky=(20190501, CALIBRATED))
    ),
    "full red": lambda: OwnNight(RED, {"SIMGAL": (disk(6e-15, 4.0),)}, seed=14),
    "bright star": lambda: OwnNight(BLUE, {"HD_93521": (star(1.2e-11, fwhm=1.3),)}, seed=15),
    "bright star red": lambda: OwnNight(RED, {"HD_93521": (star(1.2e-11, fwhm=1.3),)}, seed=15),
    "faint": lambda: OwnNight(BLUE, {SRC: (compact(3e-17),)}, seed=16),
    "faint red": lambda: OwnNight(RED, {SRC: (compact(3e-17),)}, seed=16),
    "faint moon": lambda: OwnNight(BLUE, {SRC: (compact(1e-16),)}, moon="bright", seed=17),
    "faint moon red": lambda: OwnNight(RED, {SRC: (compact(1e-16),)}, moon="bright", seed=17),
    "flexure": lambda: OwnNight(
        BLUE, {SRC: (compact(),)}, change={"shift": -0.7, "tilt": 0.06, "drift": -0.35}, drift=1.4, seed=18,
        arcs={"shift": 0.25, "tilt": -0.03},
    ),
    "flexure red": lambda: OwnNight(
        RED, {SRC: (compact(),)}, change={"shift": 0.8, "tilt": -0.05, "drift": 0.4}, drift=-1.6, seed=18,
        arcs={"shift": -0.3, "tilt": 0.03},
    ),
    "gains": lambda: OwnNight(
        BLUE, {SRC: (compact(),)}, seed=19,
        amplifiers={"gain": (0.62, 1.71), "readnoise": (4.4, 3.2), "level": (1450.0, 620.0)},
    ),
    "gains red": lambda: OwnNight(
        RED, {SRC: (compact(),)}, seed=19,
        amplifiers={"gain": (1.9, 0.5), "readnoise": (2.0, 5.0), "level": (300.0, 2000.0)},
    ),
    "cosmics": lambda: OwnNight(BLUE, {SRC: (compact(),)}, seed=20, more={"cosmics": 4.0}),
    "cosmics red": lambda: OwnNight(RED, {SRC: (compact(),)}, seed=20, more={"cosmics": 4.0}),
    "flats": lambda: OwnNight(BLUE, {SRC: (compact(),)}, seed=21, without=("twi",)),
    "flats red": lambda: OwnNight(RED, {SRC: (compact(),)}, seed=21, without=("twi",)),
    "no lamp light": lambda: OwnNight(BLUE, {SRC: (compact(),)}, seed=21, without=("twi", "flt")),
    "hg": lambda: OwnNight(BLUE, {SRC: (compact(),)}, lamps=("Hg_B",), seed=22),
    "cd": lambda: OwnNight(BLUE, {SRC: (compact(),)}, lamps=("Cd-A_B",), seed=22),
    "fear": lambda: OwnNight(BLUE, {SRC: (compact(),)}, lamps=("FeAr_R",), seed=22),
    "hg fear": lambda: OwnNight(BLUE, {SRC: (compact(),)}, lamps=("Hg_B", "FeAr_R"), seed=22),
    "fear red": lambda: OwnNight(RED, {SRC: (compact(),)}, lamps=("FeAr_R",), seed=22),
    "hg red": lambda: OwnNight(RED, {SRC: (compact(),)}, lamps=("Hg_R",), seed=22),
    "older": lambda: OwnNight(
        ("orange", "red"), {SRC: (compact(),)}, date=20170712, seed=23, more={"packing": "", "biases": None},
        change={"cards": {"CONTID": None, "TRAJCRA": None, "TRAJCDEC": None, "REXPTIME": None, "QPROG": None,
                          "IFUSLOT": None, "IMAGETYP": None, "AMPNAME": ""}},
    ),
    "newer": lambda: OwnNight(
        ("farred", "uv"), {SRC: (compact(),)}, date=20240801, seed=24,
        change={"flipped": {"056LL": "LR", "056LU": "UL", "066RU": "LR", "066RL": "UL"}},
    ),
    "wide lines": lambda: OwnNight(BLUE, {SRC: (compact(),)}, lsf=2.4, seed=25),
    "sharp": lambda: OwnNight(("orange", "red"), {SRC: (compact(fwhm=0.8),)}, lsf=1.4, seed=26),
    "edge": lambda: OwnNight(("orange", "red"), {SRC: (compact(x=-5.2, y=2.4, fwhm=2.2),)}, seed=27),
    "pair": lambda: OwnNight(("orange", "red"), {SRC: (compact(), compact(6e-16, -2.0, 1.0))}, seed=28),
    "cloud": lambda: OwnNight(
        ("uv", "red"), {SRC: (compact(),)}, sky=SkyScene(sky=2.5, gradient=(0.012, -0.008)), seed=29
    ),
}  # fmt: skip


def run(name: str, folder: Path) -> Iterator[Row]:
    """Simulate, reduce and compare one case; what is said of it is printed."""
    own = CASES[name]()
    began = time.process_time()
    more = {key: value for key, value in own.more.items() if value is not None}
    shots = own.shots()
    if "flipped" in own.change:
        shots = [replace(one, flipped=own.change["flipped"]) for one in shots]
    truth = write_night(folder / "raw", instrument(LRS2), own.channels(), shots, own.date, seed=own.seed, **more)
    made = time.process_time() - began
    for camera in own.cameras:
        seen = OwnTruth(camera, night=truth, shots=shots)
        done = reduce_lrs2(
            own.date, (camera,), baseraw=str(folder / "raw"), output=str(folder / "out"), elsewhere=own.elsewhere
        )
        for number, one in enumerate(done):
            print("   ", one.line)
            for text in dict.fromkeys((*one.wrong, *one.notes)):
                print("      ", text)
            if not number:
                yield from calibration_rows(seen, one)
            if one.complete:
                yield from exposure_rows(seen, one.exposure.observation, one)
        del done
    print(f"    simulated in {made:.0f} s, reduced after {time.process_time() - began:.0f} s CPU")


def told(name: str, rows: Iterator[Row]) -> None:
    """Print the rows of a case, those beyond their bar marked."""
    for what, value, bar, unit, good in rows:
        print(f"{' ' if good else '*'} {name}: {what} {value:.4f} {unit} (bar {bar:g})", flush=True)


if __name__ == "__main__":
    for case in sys.argv[1:] or list(CASES):
        with TemporaryDirectory() as place:
            told(case, run(case, Path(place)))
