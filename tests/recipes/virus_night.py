"""A small raw night of one side of a fiber head, and what its recipes are given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ifuview.app.night.virus.setup import camera_setup
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_read import read_frame
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.tables import FiberLayout
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.graph import Given
from ifuview.simulate.het.heads import RADIUS, head_setup
from ifuview.simulate.het.night import Shot, write_night
from ifuview.simulate.het.setup import TrueChannel, cut

SPEC, TABLES = instrument("virus"), Tables("virus")
UNIT, DATE, NFIBER = ("308", "047", "024"), 20240801, 24
SHIFT, DRIFT = -0.23, 0.15
FLIPPED = {"047LL": "LR", "047LU": "UL"}  # a newer controller
NIGHT = (
    *(Shot(1, "zro", "zero", number=n + 1, flipped=FLIPPED) for n in range(2)),
    Shot(2, "drk", "dark", 360.0, flipped=FLIPPED), Shot(2, "drk", "dark", 360.0, number=2, flipped=FLIPPED),
    Shot(3, "cmp", "Hg", 30.0, flipped=FLIPPED), Shot(4, "cmp", "Cd-A", 30.0, flipped=FLIPPED),
    Shot(5, "twi", "skyflat", 10.0, flipped=FLIPPED), Shot(6, "twi", "skyflat", 10.0, shift=0.09, flipped=FLIPPED),
    Shot(11, "sci", "FIELD_047", 360.0, shift=SHIFT, drift=DRIFT, flipped=FLIPPED),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SmallNight:
    """What was simulated, and how its recipes see it."""

    side: TrueChannel
    setup: CameraSetup
    exposures: tuple[RawExposure, ...]

    def of(self, kind: str) -> tuple[RawExposure, ...]:
        """Exposures of a kind."""
        return tuple(one for one in self.exposures if one.kind == kind)

    def given(self) -> dict[str, Given]:
        """The inputs of the recipe of calibrations."""
        kinds = {"zeros": "zro", "darks": "drk", "twilights": "twi", "lamps": "cmp", "skies": "sci"}
        return {"setup": Given(self.setup, "s")} | {name: Given(self.of(kind), kind) for name, kind in kinds.items()}

    def lit(self, number: int) -> np.ndarray:
        """Whole fibers of an amplifier."""
        amp = self.side.amplifiers[number]
        out = np.ones(len(amp.x), bool)
        out[[*amp.dead, *amp.low]] = False
        return out


def small_night(folder: Path) -> SmallNight:
    """The lowest fibers of both amplifiers of a side, one night with all kinds of frames."""
    side = cut(head_setup(SPEC, TABLES, "047L", UNIT, DATE, seed=7), NFIBER, (0, 1032))
    rows = max(amp.shape[0] for amp in side.amplifiers)
    side = replace(side, amplifiers=tuple(replace(amp, shape=(rows, 1032)) for amp in side.amplifiers))
    write_night(folder, SPEC, [side], NIGHT, DATE, packing="", seed=3, radius=RADIUS)
    found = index_night(str(folder), "virus")
    exposures = tuple(
        replace(e, amplifiers=tuple(replace(a, problem="") for a in e.amplifiers)) for e in found.exposures
    )
    whole = camera_setup(TABLES, exposures[0], "047L")
    raw = SPEC.raw
    assert raw is not None
    spec = SPEC._replace(raw=raw._replace(shape=(rows, raw.shape[1])))
    layout = FiberLayout(
        np.concatenate([amp.x for amp in side.amplifiers]), np.concatenate([amp.y for amp in side.amplifiers]),
        tuple(amp.name for amp in side.amplifiers for _ in amp.x),
    )  # fmt: skip
    own = tuple(replace(one, row=one.row[:NFIBER], dead=one.dead[:NFIBER]) for one in whole.rows)
    setup = replace(whole, spec=spec, read=partial(read_frame, spec=spec), shape=(rows, 1032), layout=layout, rows=own)
    return SmallNight(side, setup, exposures)
