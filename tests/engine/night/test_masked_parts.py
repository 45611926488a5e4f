"""What is left of a camera of which a part is masked accuses nothing: no sky, no blocks, no rows, no charge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.questions.case import Case
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera
from ifuview.simulate.defects.detector import inside


def masked(chain, where):
    """The camera with nothing known there."""
    ivars = {name: np.where(where, 0, getattr(chain, name)) for name in ("frame_ivar", "sframe_ivar")}
    return replace(chain, **ivars)


@pytest.mark.parametrize(
    ("arm", "seed", "scene", "part"),
    [
        ("b", 9002, {"moon": 0.2}, "half"),  # the sky fibers that are left lie in the brighter half of the field
        ("b", 9010, {"moon": 0.2}, "some"),
        ("z", 9005, {"broad": True}, "B"),  # two fibers of a bundle are left there
        ("z", 9007, {"plane": 0.2}, "D"),  # lines that vary over the field, with no other amplifier to tell that
        ("b", 501, {}, "D"),  # the sky model had more sky fibers than are left
        ("z", 9002, {"moon": 0.2}, "C"),  # half spectra have other continua
    ],
)
def test_what_is_left_of_a_masked_camera_accuses_nothing(arm, seed, scene, part):
    chain = camera.made(arm, seed, **scene)
    fiber = np.arange(chain.shape[0])[:, None]
    where = {"half": fiber < 250, "some": (fiber > 100) & (fiber < 300)}.get(part)
    if where is None:
        where = inside(chain, next(s for s in chain.sections if s.name == part))
    found = desi_qa.run(masked(chain, where), 1, "r1").findings
    assert {f.kind for f in found} - {"sky-gradient"} == {"masked-data"}


def test_a_pattern_of_masked_fibers_raises_no_warning():
    chain = camera.made("b", 77)
    found = desi_qa.run(masked(chain, (np.arange(chain.shape[0]) % 2 == 0)[:, None]), 1, "r1").findings
    assert [f.kind for f in found] == ["masked-data"]


def test_values_of_a_rounded_file_may_be_nothing():
    """Where fibers are masked in the sframe alone, what it holds of them is judged: zeros of rounding are values."""
    chain = camera.made("r", 31)
    step = 0.125 * float(np.median(chain.sframe_ivar)) ** -0.5
    half = (np.arange(chain.shape[0]) < 250)[:, None]
    rounded = (np.round(chain.sframe / step) * step).astype(np.float32)
    assert np.mean(rounded == 0) > 0.01
    case = Case(replace(chain, sframe=rounded, sframe_ivar=np.where(half, 0, chain.sframe_ivar)), 1, "r1", ())
    np.testing.assert_array_equal(case.good[:250], chain.frame_ivar[:250] > 0)
    nothing = replace(chain, sframe=np.where(half, 0, rounded), sframe_ivar=np.where(half, 0, chain.sframe_ivar))
    assert not Case(nothing, 1, "r1", ()).good[:250].any()
