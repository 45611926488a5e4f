"""A level that drifts along the rows of an amplifier is one finding, however far it drifts."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.parts.drift import hats
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera
from ifuview.simulate.defects.detector import inside
from ifuview.simulate.defects.plant import PlantedChange, changed

WAVE_OF_ROWS = 3.0  # turns over the rows of the detector


def drifting(arm: str, name: str, size: float):
    """A camera one amplifier of which has a level of this rms, three waves along its rows."""
    chain = camera.made(arm, 7801)
    section = next(s for s in chain.sections if s.name == name)
    rows = np.sqrt(2) * np.sin(2 * np.pi * WAVE_OF_ROWS * (chain.disp - section.disp[0]) / np.ptp(section.disp))
    return changed(chain, PlantedChange(light=size * rows * inside(chain, section)))


@pytest.mark.parametrize(("arm", "name", "size"), [("b", "A", 2.0), ("z", "D", 4.0), ("r", "B", 12.0)])
def test_a_far_drift_is_one_finding_with_its_size(arm, name, size):
    (one,) = desi_qa.run(drifting(arm, name, size), 1, f"{arm}1").findings
    assert (one.kind, one.first_step, one.amplifier) == ("ccd-row", "preproc", name)
    assert one.amplitude == pytest.approx(size, rel=0.2)  # ends of it are a level


def test_a_drift_does_not_hide_a_fiber_that_lost_its_light():
    chain, dark = drifting("z", "A", 5.0), np.ones((500, 1))
    dark[222] = 0.1
    findings = desi_qa.run(changed(chain, PlantedChange(throughput=dark)), 1, "z1").findings
    assert {(f.kind, f.amplifier or f.fibers) for f in findings} == {("ccd-row", "A"), ("isolated-fiber", (222,))}


def test_lines_between_knots_are_whole():
    part = hats(np.linspace(-5, 105, 40), np.linspace(0, 100, 6))
    assert np.allclose(part.sum(axis=-1), 1.0)
    assert np.allclose(part @ np.linspace(0, 100, 6), np.clip(np.linspace(-5, 105, 40), 0, 100))
