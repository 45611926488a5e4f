"""Errors that many fibers share: two or three at once do not hide each other, and one of no known shape is said."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from ifuview.engine.traces.doctor.diagnose import judge
from ifuview.engine.traces.doctor.gather import Evidence
from ifuview.engine.traces.doctor.patterns.fit import fit_modes
from ifuview.engine.traces.doctor.patterns.shapes import clusters_of, patterns, surface
from ifuview.model.traces.doctor import UNKNOWN, DoctorLimits, TraceDiagnosis
from ifuview.model.verdict import Verdict
from ifuview.simulate.detector import perturb
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec
from tests.engine.traces.doctor.made import BLOCKED, evidence, found, frame, kinds, modes

LARGEST_LEFT = 0.005  # px rms, of corrected traces: the noise of a fiber's trace is 0.001
U = np.linspace(-1, 1, BLOCKED.shape[1])[None] * np.ones((BLOCKED.nfiber, 1))
SMOOTH = {
    "shift": lambda u, v: np.ones_like(u),
    "rotation": lambda u, v: u,
    "scale": lambda u, v: v,
    "keystone": lambda u, v: u * v,
    "smile": lambda u, v: u**2,
    "s_curve": lambda u, v: 2.5 * u**3 - 1.5 * u,
    "drift": lambda u, v: wavelength() ** 2,
}
ODD = {
    "cubic over the fibers": (0.1, lambda u, v: v**3),
    "u2v2": (0.2, lambda u, v: u**2 * v**2),
    "wave over the fibers": (0.1, lambda u, v: np.sin(2 * np.pi * v)),
    "both": (0.1, lambda u, v: np.sin(4 * v + 3 * u)),
}


@cache
def seen() -> Evidence:
    return evidence(frame())


def place() -> np.ndarray:
    middle = np.median(frame().traces.center, axis=1)[:, None]
    return (2 * middle / (BLOCKED.shape[0] - 1) - 1) * np.ones_like(U)


def wavelength() -> np.ndarray:
    """From 0 at the blue end to 1 at the red one."""
    wave = frame().traces.wave
    return (wave - wave.min()) / (wave.max() - wave.min())


def judged(offset: np.ndarray) -> TraceDiagnosis:
    """The judgement of what was measured, for traces that lie `offset` px below the light."""
    right = seen()
    wrong = replace(right.traces, center=right.traces.center - offset, coeff=None)
    at = np.array([np.interp(right.fit.column, np.arange(BLOCKED.shape[1]), row) for row in offset])
    return judge(replace(right, traces=wrong, given=right.given - at), DoctorLimits(), only=("none",))


def left(result: TraceDiagnosis) -> float:
    return float(np.sqrt(np.mean((result.corrected.center - frame().traces.center) ** 2)))


@pytest.mark.parametrize("names", list(combinations(SMOOTH, 2)), ids="+".join)
@pytest.mark.parametrize("signs", [(1, 1), (1, -1)])
def test_two_errors_at_once_are_both_found(names, signs):
    result = judged(sum(0.2 * s * SMOOTH[n](U, place()) for n, s in zip(names, signs)))
    assert result.verdict is Verdict.FAIL and modes(result) == set(names)
    assert left(result) < LARGEST_LEFT


@pytest.mark.parametrize("names", list(combinations(SMOOTH, 3)), ids="+".join)
def test_three_errors_at_once_are_never_right_and_all_taken_out(names):
    sizes = np.random.default_rng(len("".join(names))).uniform(0.1, 0.3, 3) * (1, -1, 1)
    result = judged(sum(a * SMOOTH[n](U, place()) for n, a in zip(names, sizes)))
    assert result.verdict is Verdict.FAIL and left(result) < LARGEST_LEFT
    family = {"shift", "rotation", "smile", "drift"}  # a drift is a sum of the other three: three of them are any three
    if len(set(names) & family) < 3:
        assert modes(result) == set(names)


@pytest.mark.parametrize("name", SMOOTH)
def test_a_block_beside_a_smooth_error_is_found(name):
    block = 0.2 * (np.arange(BLOCKED.nfiber) // BLOCKED.block == 3)[:, None] * np.ones_like(U)
    result = judged(block + 0.2 * SMOOTH[name](U, place()))
    assert modes(result) == {name, "block_shift"}
    assert left(result) < LARGEST_LEFT


@pytest.mark.parametrize(("up", "down", "name"), [(0, 3, "s_curve"), (2, 3, "shift"), (1, 5, "rotation")])
def test_two_blocks_that_hide_each_other_beside_a_smooth_error_are_found(up, down, name):
    of = np.arange(BLOCKED.nfiber) // BLOCKED.block
    blocks = 0.2 * ((of == up) * 1.0 - (of == down))[:, None] * np.ones_like(U)
    result = judged(blocks + 0.2 * SMOOTH[name](U, place()))
    assert modes(result) == {name, "block_shift"}
    assert {m.fibers[0] // BLOCKED.block for m in result.modes if m.found and m.name == "block_shift"} == {up, down}
    assert left(result) < LARGEST_LEFT


@pytest.mark.parametrize(("nblock", "size"), [(8, 19), (12, 10), (1, 60)])
def test_a_slit_of_few_blocks_shows_a_cubic_over_its_fibers(nblock, size):
    of = np.repeat(np.arange(nblock), size)
    groups = clusters_of(of)
    assert groups.max() + 1 >= 12 and all(len(np.unique(of[groups == c])) == 1 for c in np.unique(groups))
    across = surface(np.linspace(-1, 1, 40), np.linspace(-1, 1, of.size), of)
    assert {"0,3", "0,4"} <= {term.kind for term in across}


@pytest.mark.parametrize("beside", [None, "rotation"])
@pytest.mark.parametrize("size", [0.03, 0.15])
def test_blocks_that_are_each_off_by_themselves_are_called_so(size, beside):
    of = np.arange(BLOCKED.nfiber) // BLOCKED.block
    shifts = np.random.default_rng(3).normal(0, size, of.max() + 1)
    result = judged(shifts[of][:, None] + (0.1 * SMOOTH[beside](U, place()) if beside else 0 * U))
    assert modes(result) == {"block_shift", beside} - {None} and left(result) < LARGEST_LEFT
    told = {m.fibers[0] // BLOCKED.block: m for m in result.modes if m.found and m.name == "block_shift"}
    clear = np.flatnonzero(np.abs(shifts) > size / 2)  # far above the error of each
    assert set(clear) <= set(told)
    for k, mode in told.items():
        assert abs(mode.amplitude_px - shifts[k]) < max(5 * mode.sigma_px, 0.002)


@pytest.mark.parametrize("nblock", [2, 3])
def test_one_of_few_blocks_is_told_from_a_scale(nblock):
    made = expose(SlitSpec((200, 400), 10 * nblock, block=10, bend=1.5), snr=50, seed=4)
    wrong = perturb.shifted(made.traces, -0.15, slice(0, 10))
    result = found(wrong, made)
    assert modes(result) == {"block_shift"} and abs(result.found_modes[0].amplitude_px - 0.15) < 0.005


def test_a_wiggle_that_all_share_is_called_so():
    result = judged(0.05 * np.sin(13 * U + 1))
    assert modes(result) == {"common_wiggle"} and left(result) < LARGEST_LEFT


@pytest.mark.parametrize("seed", [1, 2])
def test_traces_that_are_each_off_by_themselves_are_wrong_from_where_it_harms(seed):
    scatter = np.random.default_rng(seed).normal(0, 1, (BLOCKED.nfiber, 1)) * np.ones_like(U)
    large = judged(0.3 * scatter)
    off = {k for k in range(BLOCKED.nfiber) if abs(0.3 * scatter[k, 0]) > 0.15}
    assert large.verdict is Verdict.FAIL and off <= {p.fiber for p in large.problems if p.kind == "offset"}
    assert UNKNOWN not in modes(large) and left(large) < 2 * LARGEST_LEFT
    small = judged(0.03 * scatter.clip(-2, 2))
    assert small.verdict is Verdict.PASS and "scatter of single traces of 0.0" in small.sentence
    assert left(small) < LARGEST_LEFT


@pytest.mark.parametrize("seed", range(4))
def test_in_small_blocks_too(seed):
    made = expose(SlitSpec((240, 400), 20, spacing=9, block=5, gap=11, bend=2), snr=50, seed=7)
    scatter = np.random.default_rng(seed).normal(0, 0.3, (20, 1))
    result = found(replace(made.traces, center=made.traces.center - scatter, coeff=None), made)
    off = {("offset", k) for k in range(20) if abs(scatter[k, 0]) > 0.2}
    assert result.verdict is Verdict.FAIL and off <= kinds(result)
    assert np.sqrt(np.mean((result.corrected.center - made.traces.center) ** 2)) < 2 * LARGEST_LEFT


@pytest.mark.parametrize("nfiber", [5, 12])
@pytest.mark.parametrize("seed", range(20, 24))
def test_noise_of_few_fibers_is_no_scatter(nfiber, seed):
    made = expose(SlitSpec((150, 400), nfiber, spacing=9, block=nfiber, gap=0, bend=1.5), snr=10, seed=seed)
    result = found(made.traces, made)
    assert result.verdict is Verdict.PASS and "scatter" not in result.sentence


@pytest.mark.parametrize("names", [("rotation", "smile"), ("shift", "s_curve"), ("scale", "keystone")], ids="+".join)
def test_five_fibers_tell_two_errors_by_their_names(names):
    made = expose(SlitSpec((90, 400), 5, spacing=12, block=5, gap=0, bend=1.5), snr=50, seed=1)
    u = np.linspace(-1, 1, 400)[None] * np.ones((5, 1))
    v = 2 * np.median(made.traces.center, axis=1)[:, None] / 89 - 1
    offset = sum(0.2 * s * SMOOTH[n](u, v) for n, s in zip(names, (1, -1)))
    result = found(replace(made.traces, center=made.traces.center - offset, coeff=None), made)
    assert modes(result) - {"common_wiggle"} == set(names) and result.verdict is Verdict.FAIL
    assert np.sqrt(np.mean((result.corrected.center - made.traces.center) ** 2)) < LARGEST_LEFT


@pytest.mark.parametrize("nfiber", [5, 12])
def test_one_fiber_of_few_is_no_pattern(nfiber):
    made = expose(SlitSpec((150, 400), nfiber, spacing=9, block=nfiber, gap=0, bend=1.5), snr=50, seed=4)
    result = found(perturb.shifted(made.traces, -0.3, [1]), made)
    assert kinds(result) == {("offset", 1)} and not modes(result) - {"common_wiggle"}  # of 5 fibers, 0.005 px


@pytest.mark.parametrize("name", ODD)
def test_an_error_of_no_known_shape_is_said_mapped_and_taken_out(name):
    size, shape = ODD[name]
    offset = size * shape(U, place())
    result = judged(offset)
    assert result.verdict is Verdict.FAIL and "no known shape" in result.sentence
    mode = next(m for m in result.modes if m.name == UNKNOWN)
    assert 0.02 < mode.amplitude_px < 1.1 * size
    assert left(result) < 2 * LARGEST_LEFT  # the map is that of groups of fibers
    at = np.array([np.interp(result.column, np.arange(BLOCKED.shape[1]), row) for row in offset])
    assert np.sqrt(np.nanmean((result.model - at) ** 2)) < 2 * LARGEST_LEFT


@cache
def faint() -> Evidence:
    return evidence(frame(8))


@pytest.mark.parametrize("name", ["u2v2", "uv2"])
def test_the_map_of_a_smooth_error_of_faint_light_is_no_noise(name):
    u, v = U, place()
    right, offset = faint(), 0.1 * (u**2 * v**2 if name == "u2v2" else u * v**2)
    wrong = replace(right.traces, center=right.traces.center - offset, coeff=None)
    at = np.array([np.interp(right.fit.column, np.arange(BLOCKED.shape[1]), row) for row in offset])
    result = judge(replace(right, traces=wrong, given=right.given - at), DoctorLimits(), only=("none",))
    assert modes(result) == {UNKNOWN} and result.verdict is Verdict.FAIL
    assert left(result) < 0.004  # six terms, each with an error of 0.001; one for each block and degree is 0.012


@pytest.mark.parametrize("power", [2, 3])
@pytest.mark.parametrize("seed", range(2))
def test_a_smooth_error_is_told_from_the_misfit_of_profiles(seed, power):
    knots = np.random.default_rng(seed).normal(0, 0.008, (BLOCKED.nfiber // 3, 12)).repeat(3, axis=0)
    misfit = np.array([np.interp(np.linspace(0, 11, BLOCKED.shape[1]), np.arange(12), row) for row in knots])
    assert not modes(judged(misfit)) and modes(judged(misfit + 0.1 * U)) == {"rotation"}
    result = judged(misfit + 0.1 * U * place() ** power)
    assert UNKNOWN in modes(result) and result.verdict is Verdict.FAIL
    assert np.sqrt(np.mean((result.corrected.center + misfit - frame().traces.center) ** 2)) < 0.01  # of 0.015 to 0.020


WAVES = {"one": lambda v: np.sin(2 * np.pi * v), "five": lambda v: np.sin(10 * np.pi * v + 1)}


@cache
def many_blocks(snr: float) -> Evidence:
    """Twenty blocks: each is a group whose means are compared."""
    return evidence(expose(SlitSpec((1500, 300), 160, spacing=8, block=8, gap=9, bend=3), snr=snr, seed=2))


def judged_blocks(offset: np.ndarray, snr: float) -> tuple[TraceDiagnosis, float]:
    """The judgement for traces that lie `offset` px, (nfiber, 1), too low, and what the corrected ones leave."""
    right = many_blocks(snr)
    wrong = replace(right.traces, center=right.traces.center - offset, coeff=None)
    result = judge(replace(right, traces=wrong, given=right.given - offset), DoctorLimits(), only=("none",))
    return result, float(np.sqrt(np.mean((result.corrected.center - right.traces.center) ** 2)))


@pytest.mark.parametrize("snr", [15, 50])
@pytest.mark.parametrize("size", [0.1, 0.2])
@pytest.mark.parametrize("name", WAVES)
def test_a_wave_over_the_fibers_of_many_blocks_is_no_shift_of_each(name, size, snr):
    place = np.median(many_blocks(snr).traces.center, axis=1)[:, None]
    result, rest = judged_blocks(size * WAVES[name](2 * place / 1499 - 1), snr)
    assert modes(result) == {UNKNOWN} and result.verdict is Verdict.FAIL and not result.problems
    assert rest < 0.3 / snr  # a fiber's trace has an error of 0.08 px over S/N, with nine terms in the map


def test_shifts_of_many_blocks_are_still_called_so():
    shifts = np.random.default_rng(4).normal(0, 0.1, 20)
    result, rest = judged_blocks(np.repeat(shifts, 8)[:, None], 50)
    assert modes(result) == {"block_shift"} and rest < 0.002


@pytest.mark.parametrize("size", [0.1, 0.2])
def test_few_fibers_that_are_each_bent_are_wrong_and_taken_out(size):
    made = expose(SlitSpec((90, 400), 5, spacing=12, block=5, gap=0, bend=1.5), snr=50, seed=1)
    u = np.linspace(-1, 1, 400)[None]
    v = 2 * np.median(made.traces.center, axis=1)[:, None] / 89 - 1
    wrong = replace(made.traces, center=made.traces.center - size * np.sin(4 * v + 3 * u), coeff=None)
    result = found(wrong, made)
    assert modes(result) == {UNKNOWN} and result.verdict is Verdict.FAIL
    assert np.sqrt(np.mean((result.corrected.center - made.traces.center) ** 2)) < LARGEST_LEFT


def test_a_scatter_of_which_no_fiber_is_a_problem_alone_is_not_right_where_it_is_large():
    made = expose(SlitSpec((170, 500), 12, spacing=9, block=12, gap=0, bend=1.5), snr=50, seed=1)
    off = np.random.default_rng(8).uniform(-0.095, 0.095, (12, 1))
    result = found(replace(made.traces, center=made.traces.center + off, coeff=None), made)
    assert result.verdict is Verdict.WARN and "scatter of single traces of 0.0" in result.sentence
    assert "harmless" not in " ".join(a.text for a in result.advice)
    assert np.sqrt(np.mean((result.corrected.center - made.traces.center) ** 2)) < LARGEST_LEFT


def test_right_traces_leave_nothing():
    result = judged(np.zeros_like(U))
    assert result.verdict is Verdict.PASS and not modes(result)
    assert np.array_equal(result.corrected.center, frame().traces.center)


@pytest.mark.parametrize("nfiber", [2, 3, 5])
def test_faint_light_of_few_fibers_tells_errors_that_hide_each_other(nfiber):
    """No scatter of two groups of fibers is taken for noise while it holds the errors themselves."""
    made = expose(SlitSpec((60, 600), nfiber, spacing=8, block=nfiber, gap=0.0, bend=1.0), snr=8, seed=5)
    u = np.linspace(-1, 1, 600)
    off = -0.17 * u**2 - 0.12 * (2.5 * u**3 - 1.5 * u)
    result = found(replace(made.traces, center=made.traces.center - off, coeff=None), made)
    assert result.verdict is Verdict.FAIL
    left_px = np.sqrt(np.mean((result.corrected.center - made.traces.center) ** 2))
    assert left_px < 0.02  # four terms of one fiber are known to 0.015
    right = found(made.traces, made)
    assert right.verdict is Verdict.PASS and not modes(right)


def test_wide_faint_fibers_show_a_small_rotation():
    """Fibers that seem to scatter by chance, and wrong widths of some, are no reason to doubt what all tell."""
    spec = SlitSpec((1032, 512), 112, spacing=8.8, block=112, gap=0.0, sigma=(1.9, 2.2), bend=4.0)
    made = expose(spec, snr=12, seed=8)
    off = 0.06 * np.linspace(-1, 1, 512)[None]
    result = found(replace(made.traces, center=made.traces.center - off, coeff=None), made)
    assert result.verdict is not Verdict.PASS and modes(result) == {"rotation"}
    assert np.sqrt(np.mean((result.corrected.center - made.traces.center) ** 2)) < 0.01


def test_a_chance_misfit_hides_no_smooth_error():
    """Of 8 mpx in the corners of one block of 140 fibers: what is left beside any smooth surface is noise."""
    nfiber, nbin, error = 140, 64, 0.0117
    u, v = np.linspace(-1, 1, nbin), np.linspace(-1, 1, nfiber)
    block, wave = np.zeros(nfiber, int), np.repeat((u[None] + 1) / 2, nfiber, axis=0)
    shapes, smooth = patterns(u, v, wave, block), surface(u, v, block)
    wrong = 0.008 * u[None] ** 2 * v[:, None] ** 2
    told = []
    for seed in range(12):
        noise = error * np.random.default_rng(seed).normal(size=wrong.shape)
        errors, use = np.full(wrong.shape, error), np.ones(wrong.shape, bool)
        for offset in (noise + wrong, noise):
            fit = fit_modes(offset, errors, use, shapes, block, DoctorLimits().mode_sigmas, smooth)
            told.append(any(t.fitted for t in fit.tests) or bool(np.any(fit.unknown)))
    assert all(told[::2]) and not any(told[1::2])
