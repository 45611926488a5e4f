"""What is gross is said once, by its own name: it is not taken for something else, and adds nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera
from ifuview.simulate.defects.detector import inside
from ifuview.simulate.defects.fibers import gaussian, sky_of
from ifuview.simulate.defects.plant import PlantedChange, changed
from ifuview.simulate.defects.runs import strong_line


def run(first: int, last: int, count: int = 500) -> Array:
    """1 in fibers first to last - 1, shape (nfiber, 1)."""
    fiber = np.arange(count)[:, None]
    return ((fiber >= first) & (fiber < last)).astype(float)


def found(chain: Chain) -> list[Finding]:
    return list(desi_qa.run(chain, 1, "r1").findings)


def only(chain: Chain, change: PlantedChange) -> Finding:
    """The one finding on a camera with a change."""
    (one,) = found(changed(chain, change))
    return one


@pytest.mark.parametrize(
    ("arm", "level", "number"),
    [
        ("b", 20.0, 0),
        ("r", -8.0, 3),
        ("z", 20.0, 3),
        ("r", 60.0, 3),
        ("z", -60.0, 0),
    ],
)
def test_the_level_of_an_amplifier_is_one_jump(arm: str, level: float, number: int) -> None:
    """The sky model follows it, or leaves it out by the noise of each pixel, and the edge is curved over wavelength."""
    chain = camera.made(arm, 700)
    section = chain.sections[number]
    one = only(chain, PlantedChange(light=level * inside(chain, section)))
    assert (one.kind, one.first_step) == ("amplifier-step", "preproc")
    assert section.name in one.amplifier.split("/")
    assert abs(one.amplitude) == pytest.approx(abs(level), rel=0.4)


def test_a_level_that_is_taken_off_brings_no_noise_of_the_sky_fibers_to_all() -> None:
    """The sky model of this camera is a mean without weights."""
    chain = camera.made("b", 59)
    one = only(chain, PlantedChange(light=20.0 * inside(chain, chain.sections[3])))
    assert one.kind == "amplifier-step" and "D" in one.amplifier


@pytest.mark.parametrize(("seed", "number"), [(57, 0), (55, 3)])
def test_a_level_that_the_sky_model_leaves_out_from_some_wavelength_on_is_one_jump(seed: int, number: int) -> None:
    """Where half of the sky fibers have it the mean of the others changes from those without to those with it."""
    chain = camera.made("b", seed)
    one = only(chain, PlantedChange(light=60.0 * inside(chain, chain.sections[number])))
    assert (one.kind, one.first_step) == ("amplifier-step", "preproc")
    assert chain.sections[number].name in one.amplifier.split("/")
    assert abs(one.amplitude) == pytest.approx(60.0, rel=0.1)


@pytest.mark.parametrize("first", [52, 380])
def test_lines_of_a_run_that_are_displaced_are_no_charge_that_trails(first: int) -> None:
    chain = camera.made("b", 701)
    slope = np.gradient(sky_of(chain), chain.wave)
    one = only(chain, PlantedChange(light=0.5 * run(first, first + 40) * slope))
    assert (one.kind, one.first_step) == ("sky-line residual", "trace")
    assert set(one.fibers) == set(range(first, first + 40))


@pytest.mark.parametrize("count", [3, 7])
def test_a_line_of_a_few_neighbors_is_found(count: int) -> None:
    chain = camera.made("r", 702)
    wave, line = strong_line(chain, np.random.default_rng(3))
    one = only(chain, PlantedChange(model=-run(120, 120 + count) * line))
    assert one.kind in ("sky-line residual", "wavelength-blocks", "isolated-fiber")
    assert (one.first_step, set(one.fibers)) == ("sky", set(range(120, 120 + count)))
    assert one.wave_range is not None
    assert one.wave_range[0] <= wave <= one.wave_range[1]


def test_sky_that_was_taken_off_twice_in_a_run_adds_nothing_elsewhere() -> None:
    chain = camera.made("r", 713)
    one = only(chain, PlantedChange(left=-run(149, 189) * sky_of(chain)))
    assert (one.first_step, set(one.fibers)) == ("sky", set(range(149, 189)))


def test_fibers_below_zero_are_no_loss_of_their_block() -> None:
    chain = camera.made("b", 704)
    level = float(np.median(sky_of(chain)))
    findings = found(changed(chain, PlantedChange(light=-1.5 * level * run(217, 225))))
    assert not [f for f in findings if f.kind == "block-throughput"]
    assert {fiber for f in findings for fiber in f.fibers} <= set(range(217, 225))
    assert len({fiber for f in findings for fiber in f.fibers}) >= 6  # bright targets stay above


def test_what_is_narrow_in_the_sky_model_of_a_run_is_its_step() -> None:
    chain = camera.made("z", 705)  # hardly anything is between lines there
    shape = 0.2 * float(np.median(sky_of(chain))) * gaussian(chain, 8172.0, 8.0)
    one = only(chain, PlantedChange(model=run(57, 72) * shape))
    assert (one.kind, one.first_step, set(one.fibers)) == ("wavelength-blocks", "sky", set(range(57, 72)))


def test_many_lines_of_a_run_whose_flat_is_tilted_are_one_finding() -> None:
    chain = camera.made("z", 70011)
    tilt = 1 + 0.3 * run(100, 125) * np.linspace(-1, 1, chain.wave.size)
    (one,) = (f for f in found(changed(chain, PlantedChange(flat=tilt))) if f.kind == "sky-line residual")
    assert (one.first_step, set(one.fibers)) == ("fiberflat", set(range(100, 125)))
    assert one.text.startswith("30 sky lines")


def test_the_shape_of_lost_light_is_no_finding_beside_the_loss() -> None:
    chain = camera.made("z", 707)
    findings = found(changed(chain, PlantedChange(throughput=1 - 0.5 * run(67, 79))))
    assert not [f for f in findings if f.kind == "wavelength-blocks"]
    assert {fiber for f in findings if f.kind == "block-throughput" for fiber in f.fibers} == set(range(67, 79))


def test_a_sky_model_that_is_no_light_is_said_and_nothing_that_is_made_with_it_is_judged() -> None:
    chain = camera.made("r", 708)
    (one,) = found(changed(chain, PlantedChange(model=-2 * sky_of(chain))))
    assert (one.kind, one.first_step) == ("wavelength-all", "sky")
    assert "no sky is so" in one.text


@pytest.mark.parametrize(("factor", "step"), [(100.0, "sframe"), (0.01, "preproc"), (1.7, "preproc")])
def test_an_inverse_variance_that_is_wrong_as_a_whole_is_one_finding(factor: float, step: str) -> None:
    chain = camera.made("b", 709)
    frame = chain.frame_ivar * (1.0 if step == "sframe" else factor)
    (one,) = found(replace(chain, sframe_ivar=chain.sframe_ivar * factor, frame_ivar=frame))
    assert (one.kind, one.first_step) == ("amplifier-noise", step)
    assert one.amplitude == pytest.approx(factor**0.5, rel=0.05)


def test_a_tilted_calibration_of_a_bundle_is_found() -> None:
    chain = camera.made("r", 710)
    tilt = 1 + 0.2 * run(200, 225) * np.linspace(-1, 1, chain.wave.size)
    one = only(chain, PlantedChange(calibration=tilt))
    assert (one.kind, set(one.fibers)) == ("fluxcalib", set(range(200, 225)))
