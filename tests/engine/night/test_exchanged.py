"""Rows that were exchanged in one product, or in all: which product, and what looks like it and is something else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.recipes import desi_qa

from .made import NFIBER, camera

PAIR, CYCLE = (77, 311), (60, 160, 260)


def moved(chain, fibers, products):
    """The camera with the rows of some products in each other's place."""
    order = np.arange(NFIBER)
    order[list(fibers)] = np.roll(fibers, 1)
    return replace(chain, **{name: getattr(chain, name)[order] for name in products})


def findings(chain):
    return desi_qa.run(chain, 1, "r1").findings


@pytest.mark.parametrize("fibers", [PAIR, CYCLE])
@pytest.mark.parametrize(
    ("products", "step"),
    [(("frame", "sframe", "cframe"), "preproc"), (("frame",), "frame"), (("sframe", "cframe"), "sframe")],
)
def test_rows_that_were_exchanged_are_named_with_the_product(fibers, products, step):
    found = findings(moved(camera(3), fibers, products))
    assert {(f.kind, f.first_step) for f in found} == {("swapped-fibers", step)}  # no cosmic rays, no sky left in
    assert {fiber for f in found for fiber in f.fibers} == set(fibers)


@pytest.mark.parametrize("seed", [3, 4])
def test_a_run_that_keeps_a_part_of_its_sky_was_not_exchanged(seed):
    chain = camera(seed)
    left = 0.1 * chain.sky * ((np.arange(NFIBER) >= 200) & (np.arange(NFIBER) < 225))[:, None]
    sframe = chain.sframe + left
    found = findings(replace(chain, sframe=sframe, cframe=sframe / chain.fluxcalib))
    assert {(f.kind, f.first_step) for f in found} == {("isolated-fiber", "sky")}
    assert {fiber for f in found for fiber in f.fibers} == set(range(200, 225))


def test_a_calibration_that_is_nothing_contradicts_no_fiber():
    chain = camera(3)
    nothing = replace(chain, fluxcalib=np.zeros_like(chain.fluxcalib), fluxcalib_ivar=np.ones_like(chain.fluxcalib))
    (found,) = findings(nothing)
    assert (found.kind, found.first_step, len(found.fibers)) == ("masked-data", "fluxcalib", NFIBER)


def test_a_column_in_a_sky_fiber_that_its_model_did_not_follow_is_no_window_of_all():
    chain = camera(3)
    fiber = int(np.flatnonzero(chain.is_sky)[20])
    light = np.zeros(chain.shape, np.float32)
    light[fiber, : chain.shape[1] // 2] = 8.0
    sframe = chain.sframe + light
    changed = replace(
        chain, frame=chain.frame + light * chain.flat, sframe=sframe, cframe=sframe / chain.fluxcalib
    )  # fmt: skip
    (found,) = findings(changed)
    assert (found.kind, found.fibers) == ("ccd-column", (fiber,))


def test_a_feature_of_the_calibration_of_some_fibers_is_found_with_them():
    bump = np.ones((NFIBER, 1600))
    bump[225:250] += 0.1 * np.exp(-0.5 * ((np.arange(1600) - 500) / 40.0) ** 2)
    (found,) = findings(camera(3, calib=bump))
    assert (found.kind, found.fibers) == ("fluxcalib", tuple(range(225, 250)))
