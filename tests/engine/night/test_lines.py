"""Sky lines that are too strong, too weak or displaced are planted, in all fibers, in some, in one line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.causes import NO, YES, causes
from ifuview.recipes import desi_qa
from tests.engine.night.made import NFIBER, WAVE, bump, camera

FIBER = np.arange(NFIBER)
SKY = np.median(camera().sky, axis=0)
LINES = SKY - (100 + 8 * np.sin(WAVE / 300))  # as the camera is made
SLOPE = np.gradient(LINES, WAVE)


def found(**given):
    return desi_qa.run(camera(**given), 1, "r1").findings


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 4))])
def test_clean_lines_are_clean(seed):
    assert desi_qa.run(camera(seed, lines=15 + 5 * seed), 1, "r1").findings == ()


def test_lines_that_are_too_weak_in_the_model_are_one_finding():
    (one,) = found(model=-0.08 * LINES)
    assert (one.kind, one.first_step, one.detail["change"]) == ("sky-line residual", "sky", "factor")
    assert one.amplitude == pytest.approx(0.08 / 0.92, abs=0.01)
    assert len(one.fibers) == NFIBER
    assert len(one.detail["lines"]) > 10
    assert one.wave_range[0] < min(one.detail["lines"]) < max(one.detail["lines"]) < one.wave_range[1]


def test_one_line_that_stays_is_named_with_its_wavelength():
    center = float(WAVE[np.argmax(LINES)])
    got = found(model=-0.1 * LINES * (np.abs(WAVE - center) < 4))
    (one,) = got
    assert (one.kind, one.first_step, one.unit) == ("sky-line residual", "sky", "of the line")
    assert one.wave_range[0] < center < one.wave_range[1]
    assert one.wave_range[1] - one.wave_range[0] < 10


@pytest.mark.parametrize(("profile", "change", "size"), [(LINES, "factor", 0.1), (-SLOPE, "shift", 0.2)])
def test_fibers_whose_model_lines_are_wrong_are_found_each(profile, change, size):
    signs = np.where(FIBER % 2, 1.0, -1.0)
    bad = (FIBER % 8 == 3) | (FIBER % 8 == 4)
    (one,) = found(model=(size * signs * bad)[:, None] * profile)
    assert (one.kind, one.first_step, one.detail["change"]) == ("sky-line residual", "sky", change)
    assert len(set(one.fibers) - set(np.flatnonzero(bad))) <= 1  # five sigma of 500
    assert len(set(np.flatnonzero(bad)) - set(one.fibers)) <= 0.02 * bad.sum()
    assert one.amplitude == pytest.approx(size, rel=0.2)


def test_a_shift_that_every_fiber_has_by_itself():
    shift = 0.15 * np.random.default_rng(9).normal(size=NFIBER)
    (one,) = found(model=-shift[:, None] * SLOPE)
    assert (one.kind, one.first_step, one.detail["change"]) == ("sky-line residual", "sky", "shift")
    assert set(np.flatnonzero(np.abs(shift) > 0.2)) <= set(one.fibers)


def test_lines_of_the_frame_that_moved_are_the_traces():
    moved = 0.25 * ((FIBER >= 120) & (FIBER < 145))[:, None]
    (one,) = found(frame=-moved * SLOPE)
    assert (one.kind, one.first_step, one.detail["change"]) == ("sky-line residual", "trace", "shift")
    assert set(one.fibers) <= set(range(118, 147))
    assert len(one.fibers) >= 24
    verdicts = {c.name: c.verdict for c in causes(one, {"rows": {"A": 1.1}})}
    assert verdicts["traces and PSF"] == YES
    assert verdicts["sky model"] == NO


def test_a_shift_of_all_lines_has_its_sign():
    (one,) = found(model=0.1 * SLOPE)  # the model lies 0.1 A to the blue
    assert one.detail["change"] == "shift"
    assert one.amplitude == pytest.approx(0.1, abs=0.02)


def test_all_lines_that_vary_over_the_field_are_the_sky():
    made = camera()
    swing = 0.2 * (made.focal_x - made.focal_x[made.is_sky].mean()) / 400  # the model is made from sky fibers
    (one,) = found(frame=swing[:, None] * LINES * made.flat)
    assert (one.kind, one.first_step) == ("sky-gradient", "light")
    assert one.amplitude == pytest.approx(np.ptp(swing), rel=0.15)
    assert min(one.detail["direction_deg"], 360 - one.detail["direction_deg"]) < 10


def test_few_lines_are_not_fitted_together():
    chain = camera(lines=2)
    assert desi_qa.run(chain, 1, "r1").findings == ()
    off = replace(chain, sky=chain.sky + np.float32(60) * bump(6000, 0.9).astype(np.float32))
    assert {f.kind for f in desi_qa.run(off, 1, "r1").findings} <= {"sky-line residual", "mixed-production"}


def test_one_strong_line_alone_is_not_all_lines():
    sky = np.median(camera().sky, axis=0)
    at = int(np.argmax(np.where((WAVE > 5900) & (WAVE < 6900), sky, 0.0)))
    made = camera()
    tilt = 0.3 * (made.focal_x - made.focal_x.mean()) / np.ptp(made.focal_x)
    line = np.where(np.abs(WAVE - WAVE[at]) < 4, sky - np.median(sky), 0.0)
    frame = 4 * tilt[:, None] * line * made.flat
    out = desi_qa.run(camera(frame=frame), 1, "r1", desi_qa.Params(("sky-gradient", "sky-line residual")))
    assert all(f.wave_range[1] - f.wave_range[0] < 20 for f in out.findings)
    assert out.findings[0].kind == "sky-gradient"
