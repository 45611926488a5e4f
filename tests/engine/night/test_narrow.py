"""Faults of a few pixels' width in fibers that are neighbors have their step and their fibers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from ifuview.engine.night.causes import GUILTY, YES, causes
from ifuview.engine.night.others import everywhere
from ifuview.engine.night.questions.blocks import _deviation
from ifuview.engine.night.search.deviating import Deviation
from ifuview.model.night.triage import STEPS
from ifuview.recipes import desi_qa
from tests.engine.night.made import WAVE, bump, camera, in_fibers

CENTER = 6431.0  # Angstrom
RUNS = ((100, 125), (60, 72), (203, 290))


def height(fibers, width, snr=20.0):
    """Of a bump that an ideal observer has at this S/N, electron / Angstrom."""
    ivar = np.median(camera().sframe_ivar, axis=0)
    return snr / np.sqrt(fibers * np.sum(bump(CENTER, width) ** 2 * ivar))


def judged(chain):
    return desi_qa.run(chain, 1, "r1").findings


def right(found, step, width, first, last):
    (one,) = found
    assert (one.kind, one.first_step) == ("wavelength-blocks", step)
    assert [c.name for c in causes(one, {}) if c.verdict == YES]
    want, got = set(range(first, last)), set(one.fibers)
    assert len(want & got) >= 0.8 * len(want)
    assert len(got - want) <= 0.1 * len(want)
    assert one.wave_range[0] < CENTER < one.wave_range[1]
    assert one.wave_range[1] - one.wave_range[0] < 10 * width + 20


@pytest.mark.parametrize(("width", "run"), [(4.0, RUNS[0]), (6.0, RUNS[1]), (12.0, RUNS[2])])
def test_a_narrow_fault_of_the_sky_model_is_of_the_sky(width, run):
    planted = height(run[1] - run[0], width) * in_fibers(*run) * bump(CENTER, width)
    right(judged(camera(model=planted)), "sky", width, *run)


@pytest.mark.parametrize(("width", "run", "rounded"), [(4.0, RUNS[1], 1.0), (12.0, RUNS[0], 0.0)])
def test_spectra_that_are_not_what_the_products_make_are_of_the_sframe(width, run, rounded):
    chain = camera()
    planted = height(run[1] - run[0], width) * in_fibers(*run) * bump(CENTER, width)
    rounding = rounded * np.random.default_rng(4).uniform(-1, 1, chain.shape)  # of the file, counts
    right(judged(replace(chain, sframe=chain.sframe + planted + rounding)), "sframe", width, *run)
    clean = judged(replace(chain, sframe=chain.sframe + rounding))
    assert clean == ()


@pytest.mark.parametrize("part", [np.s_[:250], np.s_[100:350], np.s_[:250, : WAVE.size // 2]])
def test_what_is_masked_makes_no_fault_of_rounded_files(part):
    chain = camera()
    rounding = np.random.default_rng(5).uniform(-2.5, 2.5, chain.shape)
    ivar = {f"{name}_ivar": getattr(chain, f"{name}_ivar").copy() for name in ("frame", "sframe")}
    for one in ivar.values():
        one[part] = 0
    found = judged(replace(chain, sframe=chain.sframe + rounding, **ivar))
    assert {f.kind for f in found} == {"masked-data"}


@pytest.mark.parametrize("contradicts", [True, False])
def test_a_fiber_whose_products_contradict_each_other_is_named_once(contradicts):
    told = []
    case = SimpleNamespace(
        chain=SimpleNamespace(wave=WAVE), set_aside={60} if contradicts else set(), known=np.zeros(500, bool),
        asks=lambda kind: True, add=lambda kind, step, **values: told.append(step),
    )  # fmt: skip
    _deviation(case, Deviation("sframe", (60,), slice(0, 90), np.ones(1), np.ones(1), 9.0, slice(0, 90)))
    assert told == ([] if contradicts else ["sframe"])


@pytest.mark.parametrize(("width", "run"), [(4.0, RUNS[0]), (9.0, RUNS[1]), (24.0, RUNS[0])])
def test_light_of_neighbors_that_no_product_has_comes_before_them(width, run):
    planted = height(run[1] - run[0], width) * in_fibers(*run) * bump(CENTER, width)
    right(judged(camera(frame=planted)), "preproc", width, *run)


def test_a_line_of_one_target_is_no_run():
    planted = height(1, 6.0, 200.0) * in_fibers(250, 251) * bump(CENTER, 6.0)
    assert not [f for f in judged(camera(frame=planted)) if f.kind == "wavelength-blocks"]


def test_half_of_all_fibers_is_no_failure():
    planted = height(250, 25.0, 30.0) * in_fibers(0, 250) * bump(CENTER, 25.0)
    found = judged(camera(model=planted))
    assert {(f.kind, f.first_step) for f in found} == {("wavelength-blocks", "sky")}


def test_no_mean_has_no_window():
    assert everywhere([], np.zeros(WAVE.size, bool), WAVE, np.ones(WAVE.size)) == []


def test_every_step_has_its_causes():
    assert set(GUILTY) == set(STEPS)
