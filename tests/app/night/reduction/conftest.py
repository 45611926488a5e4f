"""One simulated raw night, reduced once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifuview import instrument
from ifuview.app.night.reduction import run as door
from ifuview.app.night.reduction.channel import ReducedChannel
from ifuview.app.night.reduction.run import reduce_lrs2
from ifuview.app.night.reduction.state import LRS2
from ifuview.instrument.tables import Tables
from ifuview.recipes.cache import ValueCache
from ifuview.simulate.het.light import SkyScene
from ifuview.simulate.het.night import Shot, write_night
from ifuview.simulate.het.setup import channel_setup
from ifuview.simulate.het.source import SkySource
from ifuview.simulate.het.truth import NightTruth

DATE, OBSERVATION = 20240801, 7
UNIT = ("503", "056", "7001")
X, Y, FWHM = -1.2, 0.9, 1.7
FLIPPED = {"056LL": "LR", "056LU": "UL"}  # a newer controller


def write_one_night(root: Path) -> NightTruth:
    """One channel with all defects, a new controller, traces and wavelengths moved."""
    spec = instrument.instrument(LRS2)
    channel = channel_setup(spec, Tables(LRS2), "orange", UNIT, DATE, seed=4)
    source = SkySource(X, Y, FWHM, 1e-15, temperature=7000.0, reference=4142.5)
    shots = [
        Shot(1, "zro", "zero"),
        Shot(2, "twi", "skyflat", 5.0),
        Shot(3, "cmp", "Hg_B", 30.0),
        Shot(4, "cmp", "Cd-A_B", 30.0),
        Shot(OBSERVATION, "sci", "TARGET_056_E", 900.0, scenes={"056": SkyScene(source)}, shift=-0.17, drift=0.1),
    ]
    return write_night(root, spec, [channel], shots, DATE, packing="tar", seed=3)


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NightTruth]:
    """A night and its truth."""
    root = tmp_path_factory.mktemp("raw")
    return root, write_one_night(root)


@pytest.fixture(scope="session")
def cached() -> list[ValueCache]:
    """The values of the reduction of the night, once it is made."""
    return []


@pytest.fixture(scope="session")
def reduced(night, cached, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReducedChannel]:
    """The night reduced by the command's function, and where its products are."""
    out = tmp_path_factory.mktemp("out")

    def kept() -> ValueCache:
        cached.append(ValueCache())
        return cached[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "ValueCache", kept)
        (done,) = reduce_lrs2(DATE, ("orange",), baseraw=str(night[0]), output=str(out))
    return out, done
