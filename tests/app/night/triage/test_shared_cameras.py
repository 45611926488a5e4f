"""Cameras of rounded files with masked data or sky that is left in fibers: these are named, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.night.triage.chain import read_chain
from ifuview.app.night.triage.files import find_cameras
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import table
from ifuview.simulate.defects.camera import renewed
from ifuview.simulate.defects.plant import plant_at

OWN = {
    "r6": {("isolated-fiber", (78,)), ("isolated-fiber", (37,))},
    "r7": {("isolated-fiber", (222,)), ("isolated-fiber", (311,))},
}
MASKED = {
    "one half": np.s_[250:], "the other half": np.s_[:250], "the middle": np.s_[100:350], "a fifth": np.s_[400:],
    "an amplifier": np.s_[:250, :1163],
}  # fmt: skip
SLOW = pytest.mark.slow


@pytest.fixture(scope="module", params=["r6", pytest.param("r7", marks=SLOW)])
def camera(request, shared_data):
    """A camera of a clean exposure with two dead fibers, and its name."""
    (files,) = find_cameras([str(shared_data / "desi")], (request.param,), (104286,))
    return read_chain(files)[0], request.param


def judged(chain, name):
    return {(f.kind, f.fibers) for f in desi_qa.run(chain, 104286, name).findings}


@pytest.mark.parametrize(
    "part", [pytest.param(n, marks=() if n in ("one half", "an amplifier") else SLOW) for n in MASKED]
)
def test_masked_data_are_named_and_accuse_nobody(camera, part):
    chain, name = camera
    ivar = {f"{product}_ivar": np.array(getattr(chain, f"{product}_ivar")) for product in ("frame", "sframe", "cframe")}
    for one in ivar.values():
        one[MASKED[part]] = 0
    gone = (ivar["sframe_ivar"] > 0).mean(axis=1) < 0.5
    found = judged(replace(chain, **ivar), name)
    (lost,) = [fibers for kind, fibers in found if kind == "masked-data"]
    assert {int(f) for f in np.flatnonzero(gone)} - {f for _, (f,) in OWN[name]} <= set(lost)
    seen = {(kind, (fiber,)) for kind, (fiber,) in OWN[name] if not gone[fiber]}
    assert seen <= found - {("masked-data", lost)} <= OWN[name]


@pytest.mark.parametrize("left", [1.0, pytest.param(0.3, marks=SLOW)])
def test_sky_that_is_left_in_sky_fibers_is_named_fiber_by_fiber(camera, left):
    chain, name = camera
    fibers = np.flatnonzero(chain.is_sky)[[5, 15, 25]]
    sframe, cframe = np.array(chain.sframe), np.array(chain.cframe)
    sframe[fibers] += left * chain.sky[fibers]
    cframe[fibers] += left * chain.sky[fibers] / np.maximum(chain.fluxcalib[fibers], 1e-3)
    found = judged(replace(chain, sframe=sframe, cframe=cframe), name)
    assert found == OWN[name] | {("isolated-fiber", (int(f),)) for f in fibers}


AT_THE_BAR = {  # class and the seeds of noise and place for each camera
    "all lines": ("sky-line residual", {"r6": 8300008, "r7": 7200005}),
    "sky window": ("wavelength-all", {"r6": 6400002, "r7": 8300005}),
    "hot column": ("ccd-column", {"r6": 8300008, "r7": 8300011}),
}


@pytest.mark.parametrize("name", AT_THE_BAR)
def test_weak_defects_are_found_at_the_bar_beside_real_targets(camera, name):
    """An ideal observer has 12 sigma; the targets have features of their own, the same clean camera is silent."""
    kind, seeds = AT_THE_BAR[name]
    seed, own = seeds[camera[1]], {fibers for _, fibers in OWN[camera[1]]}
    chain = renewed(camera[0], seed + 1000)
    planted = plant_at(chain, table.DEFECTS[name], 12.0, seed=seed)
    told = {
        what: {f.kind for f in desi_qa.run(c, 104286, camera[1]).findings if f.fibers not in own}
        for what, c in (("clean", chain), ("planted", planted.chain))
    }
    assert told == {"clean": set(), "planted": {kind}}
