"""A small detector of LRS2 with all that a night needs, in memory: the whole recipe in a second or two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np

from ifuview import instrument
from ifuview.instrument.tables import Tables
from ifuview.model.night.raw import RawAmplifier, RawExposure
from ifuview.model.reduction.tables import FiberLayout, FiberRows
from ifuview.recipes.graph import Given, StepResult, StepVerdict, run
from ifuview.recipes.lrs2.judge import judged
from ifuview.recipes.lrs2.recipe import CALIBRATIONS, RECIPE
from ifuview.recipes.lrs2.values import ChannelSetup
from ifuview.simulate.het.light import SkyScene
from ifuview.simulate.het.night import Shot, expose_amplifier, light_of, pixels_of
from ifuview.simulate.het.setup import PIVOT, TrueChannel, channel_setup, cut
from ifuview.simulate.het.source import SkySource, fiber_points

CAMERA, UNIT, SLOT, DATE = "red", ("502", "066", "7002"), "066", 20190501
NFIBER, COLUMNS = 40, (230, 730)  # of an amplifier; many lines of lamp and sky
WIDE = 10  # lenslets in a row of the field
PITCH = 0.59
SOURCE = SkySource(0.1, 0.2, 1.1, 4e-16, reference=7425.0)
SPEC = instrument.instrument("lrs2")
INPUTS = {"zro": "zeros", "twi": "twilights", "cmp": "lamps"}
MORE = {**INPUTS, "flt": "flats", "sky": "skies"}


@cache
def small_channel() -> TrueChannel:
    """The lowest fibers of both amplifiers in a part of the columns, put together as one small field."""
    whole = channel_setup(SPEC, Tables("lrs2"), CAMERA, UNIT, DATE, seed=7)
    channel = cut(whole, NFIBER, COLUMNS)
    rows = max(amp.shape[0] for amp in channel.amplifiers)
    number = np.arange(2 * NFIBER)
    row, column = np.divmod(number, WIDE)
    x = PITCH * (column - (WIDE - 1) / 2 + 0.5 * (row % 2) - 0.25)
    y = PITCH * (row - (2 * NFIBER / WIDE - 1) / 2)
    amps = []
    for n, amp in enumerate(channel.amplifiers):
        own = slice(n * NFIBER, (n + 1) * NFIBER)
        amps.append(replace(amp, shape=(rows, amp.shape[1]), x=x[own], y=y[own]))
    return replace(channel, amplifiers=tuple(amps))


@dataclass(frozen=True)
class Pixels:
    """An amplifier as it was read."""

    data: np.ndarray
    overscan: np.ndarray
    header: MappingProxyType
    gain: float
    readnoise: float
    notes: tuple[str, ...] = ()


class Night:
    """Shots that are read when they are asked for."""

    def __init__(self) -> None:
        self.channel, self.read = small_channel(), {}

    def exposure(self, shot: Shot) -> RawExposure:
        """Expose and keep."""
        light = light_of(self.channel, shot, *fiber_points(PITCH))
        amps = []
        for amp, lit in zip(self.channel.amplifiers, pixels_of(self.channel, light, shot), strict=True):
            tag = SLOT + amp.name
            path = f"{shot.observation}-{shot.number}-{tag}-{id(shot)}"
            if tag in shot.missing:
                continue
            rng = np.random.default_rng((shot.observation, shot.number, *map(ord, amp.name)))
            read = expose_amplifier(amp, lit, shot, rng, cosmics=0.2, tag=tag)
            header = {"RDNOISE": amp.readnoise, "GAIN": amp.gain, "OBJECT": shot.object, "EXPTIME": shot.exptime}
            blank = np.zeros_like(read.numbers), np.zeros_like(read.overscan)
            numbers, overscan = blank if tag in shot.zero else (read.numbers, read.overscan)
            self.read[path] = Pixels(numbers, overscan, MappingProxyType(header), amp.gain, amp.readnoise)
            amps.append(RawAmplifier(path, CAMERA, amp.name, SLOT, *UNIT[::2]))
        target = (CAMERA,) if SLOT in shot.object else ()
        return RawExposure(
            DATE, shot.observation, shot.number, shot.kind, shot.object, shot.exptime, "", tuple(amps), target
        )

    def __call__(self, amplifier: RawAmplifier) -> Pixels:
        return self.read[amplifier.path]

    def setup(self) -> ChannelSetup:
        """What tables say of the small detector."""
        tables, channel = Tables("lrs2"), self.channel
        names = tuple(amp.name for amp in channel.amplifiers)
        shape = channel.amplifiers[0].shape
        x, y = channel.layout
        rows = []
        for amp in channel.amplifiers:
            dead = np.zeros(len(amp.x), bool)
            dead[list(amp.dead)] = True
            rows.append(FiberRows(amp.trace[:, 0] + 0.3, dead, DATE, PIVOT, ""))
        lines = tables.lines(CAMERA)
        return ChannelSetup(
            camera=CAMERA, spec=SPEC, read=self, amplifiers=names, shape=shape,
            layout=FiberLayout(x, y, tuple(np.repeat(names, NFIBER))), rows=tuple(rows),
            lines=replace(lines, column=lines.column - COLUMNS[0]), grid=np.linspace(*channel.grid),
            response=tables.response(CAMERA), refraction=tables.refraction(CAMERA), lenslet=PITCH,
            sky=tables.counted_skies(CAMERA, tables.response(CAMERA)),
            skies=tuple(tables.sky(CAMERA, m) for m in ("dark", "grey", "bright")),
            air=tables.telluric(), correction=tables.correction(),
        )  # fmt: skip


def usual(**changes: Shot) -> dict[str, list[Shot]]:
    """The shots of a night by kind; `changes` replace those of a kind."""
    shots = {
        "zro": [Shot(1, "zro", "zero", number=n + 1) for n in range(2)],
        "twi": [Shot(2, "twi", "skyflat", 5.0)],
        "cmp": [Shot(3, "cmp", "FeAr_R", 30.0)],
        "sci": [science()],
    }
    return {**shots, **{kind: [shot] for kind, shot in changes.items()}}


def science(source: SkySource | None = SOURCE, **more: object) -> Shot:
    """The exposure of the target."""
    values = {"shift": 0.1, "drift": 0.05, **more}
    return Shot(7, "sci", "TARGET_066_E", 900.0, scenes={SLOT: SkyScene(source)}, **values)  # type: ignore[arg-type]


@cache
def clean_calibrations() -> tuple[Night, dict[str, Given], dict[str, StepResult]]:
    """Calibrations without a fault, made once."""
    night = Night()
    given = {"setup": Given(night.setup(), "small")}
    for kind, name in INPUTS.items():
        given[name] = Given(tuple(night.exposure(one) for one in usual()[kind]), name)
    return night, given, run(RECIPE, given, wanted=CALIBRATIONS)


def reduced(
    params: dict[str, object] | None = None, wanted: tuple[str, ...] = (), **changes: Shot
) -> dict[str, StepResult]:
    """The steps of a night in which some shots are others."""
    night, given, clean = clean_calibrations()
    given = dict(given)
    for kind, shot in changes.items():
        if kind in MORE:
            given[MORE[kind]] = Given((night.exposure(shot),), f"{kind} {id(shot)}")
    given["science_raw"] = Given(night.exposure(changes.get("sci", usual()["sci"][0])), "science")
    again = {step for kind in changes if kind in MORE for step in RECIPE.after(MORE[kind])}
    known = {step: one for step, one in clean.items() if step not in again}
    return run(RECIPE, given, params, wanted, known=known)


def verdicts(steps: dict[str, StepResult]) -> dict[str, StepVerdict]:
    """What is said of each step."""
    return {one.step: one for one in judged(steps, clean_calibrations()[0].setup())}
