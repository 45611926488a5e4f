"""Planted faults of photon lists are named with place, time and size; lists without a fault give no alarm."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from ifuview.engine.photons.judge.judge import judge_photons
from ifuview.model.photons.lists import PhotonColumn, PhotonList
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding, PhotonStep
from ifuview.simulate.photons import faults
from ifuview.simulate.photons.array import PhotonArray, PixelKind, make_array
from ifuview.simulate.photons.lists import simulate_flat, simulate_lasers, simulate_photons
from ifuview.simulate.photons.scene import Scene
from tests.engine.photons.lists import made

DURATION = 10.0  # s
BRIGHT = Scene(sky=20.0)
LINE = 980.0  # nm


def perfect(shape: tuple[int, int] = (30, 24), seed: int = 21) -> PhotonArray:
    """An array without bad pixels."""
    return make_array(shape, dead=0, cold=0, hot=0, unsolved=0, seed=seed)


@pytest.fixture(scope="module")
def clean() -> PhotonList:
    return simulate_photons(array=perfect(), duration=DURATION, scene=BRIGHT, seed=3)[0]


@pytest.fixture(scope="module")
def flat() -> PhotonList:
    return simulate_flat(perfect(), photons_per_pixel=400, duration=DURATION, seed=4)[0]


@pytest.fixture(scope="module")
def laser() -> PhotonList:
    """A laser exposure with the wavelengths of the true solution."""
    array = perfect((10, 8))
    photons = simulate_lasers(array, (LINE,), photons_per_pixel=400, tail=0.0)[0][LINE]
    first = np.empty(array.beammap.nresonator, int)
    first[array.beammap.index.ravel()] = np.arange(array.beammap.index.size)
    value = array.wavelength(np.unravel_index(first[photons.resonator], array.shape), photons.value)
    return replace(photons, value=value, info=replace(photons.info, column=PhotonColumn.WAVELENGTH))


def only(photons: PhotonList, fault: PhotonFault, **given) -> PhotonFinding:
    """The one finding about a list, which is of this kind."""
    found = judge_photons(photons, **given).findings
    assert [f.fault for f in found] == [fault], [f.text for f in found]
    return found[0]


def places(found: PhotonFinding) -> set[tuple[int, int]]:
    return {(int(x), int(y)) for x, y in found.pixels}


# no fault, no alarm


@pytest.mark.parametrize("seed", range(3))
def test_lists_without_a_fault_give_no_alarm(seed):
    array = perfect(seed=40 + seed)
    science = simulate_photons(array=array, duration=DURATION, seed=seed)[0]
    phases = simulate_photons(array=array, duration=3.0, seed=seed, calibrated=False)[0]
    even = simulate_flat(array, seed=seed)[0]
    for photons in (science, phases, even):
        verdict = judge_photons(photons)
        assert not verdict.findings, [f.text for f in verdict.findings]
        assert verdict.photons == len(photons.time) and verdict.pixels == 720


def test_a_verdict_says_what_it_rests_on(clean):
    verdict = judge_photons(clean)
    assert verdict.bright == verdict.pixels == 720 and 300 < verdict.timed < 720  # not where speckles pause
    assert "time-outs" in verdict.asked and "order of the photons" in verdict.asked
    assert verdict.not_asked == {"place of a line": "the light is of no laser", "flat": "the list has no weights"}


def test_pixels_with_too_little_light_are_not_called_right():
    faint = made(np.full((20, 20), 0.3), duration=10.0)
    verdict = judge_photons(faint)
    assert verdict.pixels == 400 and verdict.bright == verdict.timed == 0 and not verdict.findings


# pixels


def test_bad_pixels_are_those_that_were_made_bad():
    array = make_array(dead=6, cold=4, hot=4, unsolved=5, seed=5)
    flags = np.where(array.kind == PixelKind.DEAD, 0, array.beammap.flags)  # dead ones are not known
    array = replace(array, beammap=replace(array.beammap, flags=flags))
    photons, truth = simulate_photons(array=array, duration=DURATION, scene=BRIGHT, seed=6)
    verdict = judge_photons(photons)
    found = {f.fault: f for f in verdict.findings if not f.known}
    for fault, kind in ((PhotonFault.HOT, PixelKind.HOT), (PhotonFault.DEAD, PixelKind.DEAD)):
        assert places(found[fault]) == {(int(x), int(y)) for y, x in np.argwhere(truth.array.kind == kind)}
        assert found[fault].significance > 6 and found[fault].step is PhotonStep.IMAGE
    cold = {(int(x), int(y)) for y, x in np.argwhere(truth.array.kind == PixelKind.COLD)}
    assert places(found[PhotonFault.COLD]) <= cold and len(found[PhotonFault.COLD].pixels) >= len(cold) - 1


def test_pixels_that_flags_leave_out_are_known_and_come_last(clean):
    pixels = [(4, 4), (15, 20)]
    hot = faults.lit(clean, pixels, 400.0)
    bit = np.uint64(1 << hot.info.beammap.flag_names.index("pixcal.hot"))
    flags = hot.info.beammap.flags.copy()
    flags[4, 4] |= bit
    hot = replace(hot, info=replace(hot.info, beammap=replace(hot.info.beammap, flags=flags)))
    new, known = judge_photons(hot).findings
    assert (new.known, known.known) == (False, True) and places(new) == {(15, 20)} and places(known) == {(4, 4)}


def test_rates_beyond_the_saturation_are_named():
    y, x = np.indices((12, 12)) - 5
    rates = 6200 * np.exp(-0.5 * (x**2 + y**2) / 3.0**2)
    light = made(rates, duration=4.0)
    soon = np.diff(light.time.astype(int), prepend=-100) < 10  # of the microseconds that the detector is dead
    found = only(faults.without(light, soon & (np.diff(light.resonator, prepend=-1) == 0)), PhotonFault.SATURATED)
    assert places(found) == {(5 + i, 5 + j) for i in (-1, 0, 1) for j in (-1, 0, 1)}  # next: 4700 photons/s
    assert found.amount == pytest.approx(6200 / 1.062, abs=5 * found.error)


def test_a_resonator_at_two_places_is_exact():
    array = make_array((12, 10), dead=0, cold=0, hot=0, unsolved=0, duplicates=3)
    photons = simulate_photons(array=array)[0]
    (found,) = [f for f in judge_photons(photons).findings if f.fault is PhotonFault.SHARED]
    assert len(found.pixels) == 6 and np.isinf(found.significance)


def test_two_resonators_with_the_same_photons_are_found(clean):
    pairs = [((3, 3), (20, 25)), ((10, 4), (11, 4))]
    found = only(faults.twins(clean, pairs), PhotonFault.DOUBLE)
    assert places(found) == {place for pair in pairs for place in pair}
    assert found.amount > 0.9


# time


def test_time_outs_are_named_with_their_times(clean):
    pixels = [(5, 6), (14, 13), (20, 22)]
    found = only(faults.timed_out(clean, pixels, 4.0, 7.0), PhotonFault.TIME_OUT)
    assert places(found) == set(pixels)
    assert found.times == pytest.approx((4.0, 7.0), abs=0.2)  # 20 photons/s: the next one is that near
    assert found.significance > 6


def test_a_pixel_that_stops_for_good_is_a_time_out_too(clean):
    found = only(faults.timed_out(clean, [(8, 20)], 7.0, np.inf), PhotonFault.TIME_OUT)
    assert found.times == pytest.approx((7.0, DURATION), abs=0.3)


@pytest.mark.parametrize(("kept", "fault"), [(0.0, PhotonFault.DROP), (0.6, PhotonFault.DROP)])
def test_a_drop_of_the_whole_array_is_one_finding(clean, kept, fault):
    found = only(faults.dropped(clean, 3.0, 3.8, kept=kept), fault)
    assert found.times == pytest.approx((3.0, 3.8), abs=0.03)
    assert found.amount == pytest.approx(kept, abs=0.05)


def test_a_spike_of_the_whole_array_is_one_finding(clean):
    ny, nx = clean.info.beammap.shape
    everywhere = [(x, y) for x in range(nx) for y in range(ny)]
    found = only(faults.lit(clean, everywhere, 60.0, 5.0, 5.1), PhotonFault.SPIKE)
    assert found.times == pytest.approx((5.0, 5.1), abs=0.03) and found.amount > 1.5


@pytest.mark.parametrize("kept", [0.0, 0.15])
def test_a_feedline_without_its_light_is_named_and_not_its_pixels(clean, kept):
    fault = PhotonFault.FEEDLINE_DARK if kept else PhotonFault.FEEDLINE_DEAD
    found = only(faults.feedline_out(clean, 4, kept=kept), fault)
    assert found.feedlines == (4,)
    assert found.amount == pytest.approx(kept, abs=4 * found.error + 0.02)


def test_a_feedline_that_drops_out_is_named_and_not_its_pixels(clean):
    found = only(faults.feedline_out(clean, 2, 6.0, 7.5), PhotonFault.FEEDLINE_DROP)
    assert found.feedlines == (2,) and found.times == pytest.approx((6.0, 7.5), abs=0.11)


@pytest.mark.parametrize("by", [1.0, 0.1])
def test_a_clock_that_is_off_is_told_by_where_its_light_begins_and_ends(clean, by):
    found = only(faults.late(clean, 2, by), PhotonFault.CLOCK)
    assert found.feedlines == (2,) and found.step is PhotonStep.PACKETS
    assert found.amount == pytest.approx(by, abs=0.005)  # a feedline has a photon each half of a millisecond
    lost = only(faults.late(clean, 2, -by), PhotonFault.FEEDLINE_DROP)  # nothing is before the start
    assert "or its clock is" in lost.text and "behind" in lost.text


def test_a_clock_that_is_off_is_told_by_what_all_see(clean):
    """Times that were cut at both ends: only what the whole array sees says so, and no other feedline is accused."""
    off = faults.late(faults.dropped(clean, 5.0, 5.3, kept=0.2), 3, 0.7)
    whole = faults.without(off, (off.time < 1_000_000) | (off.time > 9_000_000))
    info = replace(whole.info, duration=8.0)
    verdict = judge_photons(replace(whole, info=info, time=whole.time - np.uint32(1_000_000)))
    found = {f.fault: f for f in verdict.findings}
    assert found[PhotonFault.CLOCK].amount == pytest.approx(0.7, abs=0.01)
    assert found[PhotonFault.CLOCK].feedlines == (3,) and PhotonFault.FEEDLINE_DROP not in found
    assert found[PhotonFault.DROP].times == pytest.approx((4.0, 4.3), abs=0.02)


def test_a_clock_that_stands_still_is_no_cosmic_ray_and_no_spike(clean):
    found = only(faults.standing(clean, 4, 3.0, 4.0), PhotonFault.CLOCK)  # nor too many photons within the dead time
    assert found.times == pytest.approx((3.0, 4.0), abs=0.02)
    both = judge_photons(faults.repeated(faults.standing(clean, 4, 3.0, 4.0), [(3, 4)], 0.3))
    short = next(f for f in both.findings if f.fault is PhotonFault.SHORT)
    assert places(short) == {(3, 4)}  # of another feedline


def test_cosmic_rays_are_counted_and_are_no_spike(clean):
    moments = [1.5, 3.2, 7.7]
    for number in (100, 600):
        found = only(faults.cosmic_rays(clean, moments, number), PhotonFault.COSMIC)
        assert found.amount == 3 and min(abs(found.times[0] - t) for t in moments) < 2e-4
    one = faults.lit(clean, [(9, 9)], 4000.0, 4.0, 4.05)  # of a single pixel: none of the array
    assert PhotonFault.COSMIC not in {f.fault for f in judge_photons(one).findings}


@pytest.mark.parametrize("what", ["pixels", "feedline", "lamp"])
def test_light_that_drifts_is_told_of_what_drifts(what):
    even = simulate_flat(perfect((20, 16)), photons_per_pixel=4000, duration=DURATION, seed=14)[0]
    assert not judge_photons(even).findings
    number, line = even.info.beammap.nresonator, even.info.beammap.ids // 10_000
    pixels = [(5, 5), (12, 15)]
    chosen = {"pixels": faults.resonators_of(even, pixels), "feedline": np.flatnonzero(line == 4),
              "lamp": np.arange(number)}[what]  # fmt: skip
    found = only(faults.drifted(even, chosen, 0.3), PhotonFault.DRIFT)
    assert found.amount == pytest.approx(-0.7 / 0.65, abs=4 * found.error)
    assert places(found) == (set(pixels) if what == "pixels" else set())
    assert found.feedlines == ((4,) if what == "feedline" else ())


def test_a_fifth_of_the_light_of_all_that_drifts_away_is_told(clean):
    found = only(faults.drifted(clean, np.arange(clean.info.beammap.nresonator), 0.8), PhotonFault.DRIFT)
    assert found.amount == pytest.approx(-0.2 / 0.9, abs=4 * found.error) and not found.feedlines
    assert found.significance > 6.5


def test_photons_out_of_order_are_counted(clean):
    found = only(faults.disordered(clean, [(6, 6), (7, 7)], 0.2), PhotonFault.ORDER)
    assert places(found) == {(6, 6), (7, 7)} and found.step is PhotonStep.PACKETS
    assert 20 < found.amount < 200


def test_photons_counted_again_within_the_dead_time_are_named(clean):
    found = only(faults.repeated(clean, [(9, 9)], 0.1), PhotonFault.SHORT)
    assert places(found) == {(9, 9)} and found.amount == pytest.approx(0.09, abs=0.04)


# wavelengths


def test_a_line_at_the_wrong_wavelength(laser):
    assert not judge_photons(laser, nominal=LINE).findings
    found = only(faults.shifted(laser, 1.05), PhotonFault.WRONG_LINE, nominal=LINE)
    assert LINE + found.amount == pytest.approx(LINE / 1.05, abs=5 * found.error)
    assert found.step is PhotonStep.WAVELENGTHS


def test_pixels_whose_line_is_elsewhere(laser):
    found = only(faults.shifted(laser, 1.08, [(2, 3), (5, 8)]), PhotonFault.OFF_LINE, nominal=LINE)
    assert places(found) == {(2, 3), (5, 8)}


@pytest.mark.parametrize("energy", [0.88, 1.12])
def test_pixels_whose_energies_are_off_by_a_factor(clean, energy):
    found = only(faults.shifted(clean, energy, [(12, 12), (4, 20)]), PhotonFault.SCALED)
    assert places(found) == {(12, 12), (4, 20)} and found.step is PhotonStep.WAVELENGTHS
    assert f"{1 / energy:.1f}" in found.text


@pytest.mark.parametrize("energy", [0.88, 1.12])
def test_a_block_of_pixels_whose_energies_are_off_is_found(clean, energy):
    """Its pixels are like their neighbors; no light of another color has that much beyond an end and adds nothing."""
    block = {(x, y) for x in range(3, 9) for y in range(20, 26)}
    found = only(faults.shifted(clean, energy, sorted(block)), PhotonFault.SCALED)
    assert places(found) <= block and len(found.pixels) >= 0.7 * len(block)


@pytest.mark.parametrize(("center", "half", "energy"), [((12, 15), 2, 1.12), ((16, 12), 1, 1.12), ((12, 15), 3, 0.88)])
def test_a_block_of_pixels_whose_energies_are_off_is_found_on_a_star(center, half, energy):
    """Light that comes in takes none away beyond the other end: what is missing there is the energies'."""
    photons, _ = simulate_photons(array=perfect(seed=25), duration=DURATION, scene=BRIGHT, seed=4)
    (x, y), around = center, range(-half, half + 1)
    block = {(x + i, y + j) for i in around for j in around}
    found = only(faults.shifted(photons, energy, sorted(block)), PhotonFault.SCALED)
    assert places(found) <= block and len(found.pixels) >= 0.8 * len(block)


def test_a_few_photons_beyond_the_end_are_no_factor(flat):
    """A faint flat: three of 50 photons of a pixel below the end, where those around it have none."""
    rng = np.random.default_rng(5)
    faint = faults.without(flat, rng.random(len(flat.time)) > 0.12)
    inside = np.clip(faint.value, 701.0, 1499.0)
    own = np.flatnonzero(faint.resonator == faults.resonators_of(faint, [(8, 8)])[0])[:3]
    inside[own] = 690.0
    assert not judge_photons(replace(faint, value=inside)).findings


def test_pixels_with_impossible_wavelengths(clean):
    found = only(faults.shifted(clean, 2.0, [(12, 12)]), PhotonFault.OUT_OF_RANGE)
    assert places(found) == {(12, 12)} and found.amount > 0.5


def test_pixels_without_wavelengths_that_no_flag_names(clean):
    found = only(faults.unsolved(clean, [(3, 4), (5, 6)]), PhotonFault.UNSOLVED)
    assert places(found) == {(3, 4), (5, 6)} and not found.known
    assert found.amount == pytest.approx(2 / 720)


# weights


def weighted(photons: PhotonList, factor: np.ndarray) -> PhotonList:
    """The list with a weight for each pixel (ny, nx)."""
    by_resonator = np.ones(photons.info.beammap.nresonator, np.float32)
    by_resonator[photons.info.beammap.index] = factor
    info = replace(photons.info, weighted=True, calibrations=MappingProxyType({"flatcal": "made"}))
    return replace(photons, info=info, weight=by_resonator[photons.resonator])


@pytest.mark.parametrize("noise", [0.0, 0.08])
def test_right_weights_are_right(flat, noise):
    rng = np.random.default_rng(1)
    right = 1 / perfect().q0 * (1 + noise * rng.normal(size=perfect().shape))
    verdict = judge_photons(weighted(flat, right), flat=True)
    assert not verdict.findings and "flat" in verdict.asked


@pytest.mark.parametrize("how", ["inverse", "of other pixels", "none"])
def test_wrong_weights_are_wrong(flat, how):
    q0 = perfect().q0
    factor = {"inverse": q0, "of other pixels": 1 / q0[::-1, ::-1], "none": np.ones(q0.shape)}[how]
    found = only(weighted(flat, factor), PhotonFault.WRONG_FLAT, flat=True)
    assert found.step is PhotonStep.FLAT


def test_weights_that_are_no_numbers(flat):
    factor = 1 / perfect().q0
    factor[3, 5] = np.nan
    found = only(weighted(flat, factor), PhotonFault.BAD_WEIGHTS, flat=True)
    assert places(found) == {(5, 3)}
