"""Without traces, levels in the rows of an amplifier are one finding that says what would tell, not a dozen others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.model.night.chain import Chain
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera
from ifuview.simulate.defects.plant import plant
from ifuview.simulate.defects.table import DEFECTS


def untraced(chain: Chain) -> Chain:
    return replace(chain, cross=None, disp=None)


@pytest.mark.parametrize(("arm", "seed"), [("r", 81), ("b", 85), ("z", 83)])
def test_levels_of_an_amplifier_are_one_finding_with_its_fibers_and_name(arm: str, seed: int) -> None:
    chain = camera.made(arm, seed)
    sigma = float(np.median(chain.sframe_ivar[chain.sframe_ivar > 0])) ** -0.5
    planted = plant(chain, DEFECTS["row noise"], sigma, seed=seed)
    whole = desi_qa.run(planted.chain, 1, f"{arm}1").findings
    (found,) = desi_qa.run(untraced(planted.chain), 1, f"{arm}1").findings
    assert (found.kind, found.first_step) == ("ccd-row", "preproc")
    assert "the traces would tell" in found.text
    wanted, have = set(planted.truth.fibers), set(found.fibers)
    assert len(have & wanted) > 0.95 * len(wanted)
    assert len(have - wanted) < 0.05 * len(wanted)
    (traced,) = (f for f in whole if f.kind == "ccd-row")
    assert found.amplifier == traced.amplifier
    assert found.wave_range[0] == pytest.approx(traced.wave_range[0], abs=0.05 * np.ptp(chain.wave))
    assert found.wave_range[1] == pytest.approx(traced.wave_range[1], abs=0.05 * np.ptp(chain.wave))
    # what is smooth is taken off, and rows that are curved leave their pixels from one neighbor to the next
    assert 0.5 * traced.amplitude < found.amplitude < 1.1 * traced.amplitude


@pytest.mark.parametrize("name", ["sky of a run", "lamp on a region", "one line", "cosmic rays", "right half offset"])
def test_other_faults_are_no_rows(name: str) -> None:
    planted = plant(camera.made("r", 84), DEFECTS[name], 4 * DEFECTS[name].amplitude, seed=4)
    assert not [f for f in desi_qa.run(untraced(planted.chain), 1, "r1").findings if f.kind == "ccd-row"]


@pytest.mark.parametrize("number", range(5))
def test_clean_cameras_without_traces_stay_so(number: int) -> None:
    scene = ({}, {"broad": True}, {"stars": 3}, {"moon": 0.2}, {"plane": 0.2})[number]
    chain = camera.made("brz"[number % 3], 90 + number, **scene)
    assert not [f for f in desi_qa.run(untraced(chain), 1, "r1").findings if f.kind != "sky-gradient"]
