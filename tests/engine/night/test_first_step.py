"""Read-out, traces and light are told apart with a made detector image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.image.detector import Detector, noisy, off_trace
from ifuview.engine.night.image.first_step import (
    IN_BLOCK,
    UNSURE,
    told_apart,
    with_other_cameras,
    with_read_noise,
    with_shared_light,
)
from ifuview.model.night.chain import Section
from ifuview.model.night.triage import Finding
from tests.engine.night.made import camera

NFIBER, NROW, BUNDLE = 100, 1200, 25
CROSS = 10.0 + 7.3 * np.arange(NFIBER) + 10.0 * (np.arange(NFIBER) // BUNDLE)
NCROSS = int(CROSS[-1] + 12)
SECTION = Section("A", (0, NCROSS), (0, NROW))


def chain():
    disp = np.broadcast_to(np.arange(0.0, NROW, 1.5), (NFIBER, NROW * 2 // 3))
    cross = np.broadcast_to(CROSS[:, None], disp.shape)
    return replace(camera(), cross=cross, disp=disp, sections=(SECTION,))


def image(moved=(), rows=None, noise=3.0):
    random = np.random.default_rng(4)
    at = CROSS + np.where(np.isin(np.arange(NFIBER), moved), 0.4, 0.0)
    x = np.arange(NCROSS)
    profile = (50.0 * np.exp(-0.5 * ((x[:, None] - at) / 1.07) ** 2)).sum(axis=1)
    out = profile[:, None] + noise * random.normal(size=(NCROSS, NROW))
    return Detector((out + (0 if rows is None else rows)).astype(np.float32), np.zeros(out.shape, bool))


def rows_finding(**detail):
    return Finding(1, "r1", "ccd-row", "preproc", (0,), amplifier="A", amplitude=20.0, text="rows", detail=detail)


@pytest.mark.parametrize("there", [True, False])
def test_rows_of_the_read_out_are_between_the_bundles(there):
    level = np.random.default_rng(8).normal(0, 3, NROW)
    (one,), lacking = told_apart(
        [rows_finding()], chain(), {"A": 7 * level}, image(rows=level if there else None), BUNDLE
    )
    assert one.detail["in_detector_image"] == there
    assert (one.first_step, lacking) == ("preproc", [])
    assert one.confidence == (1.0 if there else 0.6)


@pytest.mark.parametrize("there", [True, False])
def test_a_band_of_rows_is_looked_for_between_the_bundles(there):
    level = 4.0 * ((np.arange(NROW) >= 500) & (np.arange(NROW) < 516))
    found = [rows_finding(detector_rows=[500, 515])]
    (one,), _ = told_apart(found, chain(), {}, image(rows=level if there else None), BUNDLE)
    assert one.detail["in_detector_image"] == there


@pytest.mark.parametrize(("moved", "step"), [(tuple(range(25, 50)), "trace"), ((), "light")])
def test_a_block_beside_its_traces_is_told_from_one_that_gets_no_light(moved, step):
    found = Finding(
        1, "r1", "block-throughput", "trace", tuple(range(25, 50)), (1,), 25, text=f"less light: {IN_BLOCK}"
    )
    (one,), _ = told_apart([found], chain(), {}, image(moved), BUNDLE)
    assert one.first_step == step
    assert "flat" not in one.text
    assert one.detail["off_trace"] == pytest.approx(0.35 if moved else 0.0, abs=0.06)


def test_what_two_cameras_of_a_petal_share_is_light():
    def lost(name, fibers, level=0.8):
        return Finding(1, name, "block-throughput", "trace", fibers, (1,), 25, amplitude=level, text=IN_BLOCK)

    found = [
        lost("b1", (25, 26)),
        lost("r1", (25, 26)),
        lost("z1", (50,)),
        lost("r2", (25, 26)),
        lost("z1", (26,), 1.2),
    ]
    told = with_shared_light(found)
    assert [f.first_step for f in told] == ["light", "light", "trace", "trace", "trace"]
    assert [f.text == IN_BLOCK for f in told] == [False, False, True, True, True]
    assert "flat" not in told[0].text


@pytest.mark.parametrize(("kind", "step", "of_light"), [
    ("isolated-fiber", "fiberflat", "light"), ("isolated-fiber", "light", "light"),
    ("block-throughput", "trace", "trace"), ("block-throughput", "fiberflat", "trace"),
])  # fmt: skip
def test_another_camera_of_the_petal_tells_a_wrong_flat_from_lost_light(kind, step, of_light):
    other = of_light if step == "fiberflat" else "fiberflat"
    fibers = (7,) if kind == "isolated-fiber" else tuple(range(25, 50))
    unit = "throughput / flat" if len(fibers) == 1 else "level / other blocks"
    open_ = Finding(
        1, "b1", kind, step, fibers, amplitude=0.8, unit=unit, text=f"lost{UNSURE}", alternatives=((kind, other),)
    )
    error = np.full(NFIBER, 0.02)
    lost = np.where(np.isin(np.arange(NFIBER), fibers), -0.2, 0.0)
    kept = {(1, "r1"): np.stack([lost, error]), (1, "r2"): np.stack([0 * lost, error])}
    (one,) = with_other_cameras([open_], kept)
    assert (one.steps, one.detail["shared_with"], UNSURE in one.text) == (("light",), ["r1"], False)
    (one,) = with_other_cameras([open_], {**kept, (1, "r1"): np.stack([0 * lost, error])})
    assert one.steps == (("fiberflat",) if of_light == "light" else open_.steps)
    assert one.detail["not_in"] == ["r1"]
    unknown = {(1, "r1"): np.stack([lost, np.full(NFIBER, np.inf)]), (2, "r1"): kept[1, "r1"]}
    assert with_other_cameras([open_], unknown) == [open_]


def test_offsets_are_those_of_the_image():
    away = off_trace(image(moved=(7,)), chain().cross, chain().disp)
    assert away[7] - np.median(away) == pytest.approx(0.37, abs=0.05)  # the window of 7 px cuts the wings


def test_what_cannot_be_asked_is_said():
    (one,), (said,) = told_apart([rows_finding()], chain(), {}, image(), BUNDLE)
    assert one == rows_finding()
    assert said.what == "first step of ccd-row"


def test_a_noisy_amplifier_is_evidence():
    noise = {"A": 9.0, "B": 3.1, "C": 3.0, "D": 3.3}
    assert noisy(noise, "A") == pytest.approx(9.0 / 3.1)
    assert noisy(noise, "D") is None
    (one,) = with_read_noise([rows_finding()], noise)
    assert "9.0 e, 2.9 times" in one.text
    assert with_read_noise([replace(rows_finding(), amplifier="B")], noise)[0].text == "rows"
