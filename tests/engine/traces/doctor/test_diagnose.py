"""What is wrong is found under its name; what is right is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.traces.doctor.diagnose import diagnose, judge
from ifuview.engine.traces.doctor.gather import gather
from ifuview.errors import FitError
from ifuview.model.traces.doctor import UNTRACED, DoctorLimits
from ifuview.model.traces.findings import findings
from ifuview.model.verdict import Verdict
from ifuview.simulate.detector import perturb
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec, blocks
from tests.engine.traces.doctor.made import BLOCKED, found, frame, kinds, modes, moved

U = np.linspace(-1, 1, BLOCKED.shape[1])[None] * np.ones((BLOCKED.nfiber, 1))


def slit_position() -> np.ndarray:
    place = np.median(frame().traces.center, axis=1)[:, None]
    return (2 * place / (BLOCKED.shape[0] - 1) - 1) * np.ones((1, BLOCKED.shape[1]))


def pattern(name: str) -> np.ndarray:
    v = slit_position()
    return {
        "shift": np.ones_like(U),
        "rotation": U,
        "scale": v,
        "keystone": U * v,
        "smile": U**2,
        "s_curve": 2.5 * U**3 - 1.5 * U,
        "block_shift": (blocks(BLOCKED) == 3)[:, None] * np.ones_like(U),
        "common_wiggle": np.sin(12 * np.pi * U),
    }[name]


@pytest.mark.parametrize(
    "name", ["shift", "rotation", "scale", "keystone", "smile", "s_curve", "block_shift", "common_wiggle"]
)
def test_a_mode_is_found_under_its_name(name):
    size = 0.03
    result = found(moved(size * pattern(name)))
    assert modes(result) == {name}
    mode = result.found_modes[0]
    amplitude = size / np.sqrt(2) if name == "common_wiggle" else size
    assert mode.amplitude_px == pytest.approx(amplitude, abs=0.1 * amplitude + 2 * mode.sigma_px)
    assert mode.significance > 10
    assert not result.problems
    truth = frame().traces.center
    assert np.sqrt(np.mean((result.corrected.center - truth) ** 2)) < 0.005


def test_the_sign_says_where_the_light_is():
    assert found(moved(0.05 * np.ones_like(U))).found_modes[0].amplitude_px > 0


@pytest.mark.parametrize("seed", range(10, 16))
def test_a_clean_frame_raises_no_alarm(seed):
    made = frame(50.0, seed)
    result = found(made.traces, made)
    assert not modes(result)
    assert not result.problems
    assert result.verdict is Verdict.PASS
    assert np.array_equal(result.corrected.center, made.traces.center)


CASES = {
    "offset": (lambda t: perturb.shifted(t, 0.4, [17]), {17}, 0.4),
    "kink": (lambda t: perturb.kinked(t, 23, 0.7, 400, 60), {23}, 0.7),
    "lost": (lambda t: perturb.lost(t, 31, 420, 0.02), {31}, None),
    "swapped": (lambda t: perturb.swapped(t, 12, 13), {12, 13}, None),
    "merged": (lambda t: perturb.merged(t, 44, 45), {44, 45}, None),
    "index_shift": (lambda t: perturb.index_shifted(t, 21, 29), set(range(21, 29)), None),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_wrong_fiber_is_found_named_and_corrected(kind):
    wrong, fibers, size = CASES[kind]
    result = found(wrong(frame().traces))
    assert {k for k, _ in kinds(result)} == {kind}
    assert {f for _, f in kinds(result)} == fibers
    assert not modes(result)
    assert result.verdict is Verdict.FAIL
    if size:
        assert result.problems[0].amplitude_px == pytest.approx(-size, abs=0.1 * size)
    truth = frame().traces.center
    off = np.sqrt(np.mean((result.corrected.center - truth) ** 2, axis=1))
    assert off.max() < 0.015
    untouched = [k for k in range(BLOCKED.nfiber) if k not in fibers]
    assert np.array_equal(result.corrected.center[untouched], wrong(frame().traces).center[untouched])


def test_traces_that_took_each_others_places_in_a_ring_are_swapped():
    truth = frame().traces
    center = truth.center.copy()
    center[[12, 30, 47]] = center[[30, 47, 12]]
    result = found(replace(truth, center=center, coeff=None))
    assert kinds(result) == {("swapped", k) for k in (12, 30, 47)}
    assert not [p for p in result.problems if "has no trace" in p.text]
    assert np.sqrt(np.mean((result.corrected.center - truth.center) ** 2)) < 0.015


def test_the_range_of_a_kink_is_told():
    result = found(perturb.kinked(frame().traces, 23, 0.7, 400, 40))
    low, high = result.problems[0].x_range
    assert 250 < low < 370
    assert 430 < high < 550
    wave = frame().traces.wave[23]
    assert result.problems[0].wave_range == pytest.approx((wave[int(low)], wave[int(high)]), abs=20)


def test_dead_and_dim_fibers_are_not_blamed_on_traces():
    made = expose(BLOCKED, snr=50, seed=5, throughput={15: 0.0, 40: 0.4})
    result = found(made.traces, made)
    assert kinds(result) == {("dead", 15), ("low_throughput", 40)}
    assert result.verdict is Verdict.WARN
    assert np.array_equal(result.corrected.center, made.traces.center)


DIM_PARTS = {"half": range(BLOCKED.nfiber // 2), "every second": range(0, BLOCKED.nfiber, 2), "a third": range(20)}


@pytest.mark.parametrize("part", DIM_PARTS)
def test_a_large_part_of_the_fibers_with_less_light_is_told_though_its_neighbors_have_no_more(part):
    made = expose(BLOCKED, snr=50, seed=5, throughput=dict.fromkeys(DIM_PARTS[part], 0.5))
    result = found(made.traces, made)
    assert kinds(result) == {("low_throughput", k) for k in DIM_PARTS[part]}
    assert result.verdict is Verdict.WARN
    assert np.array_equal(result.corrected.center, made.traces.center)


def test_light_that_falls_smoothly_along_the_slit_is_no_large_part():
    falls = {k: 1.0 - 0.6 * k / BLOCKED.nfiber for k in range(BLOCKED.nfiber)}
    made = expose(BLOCKED, snr=50, seed=5, throughput=falls)
    assert not [p for p in found(made.traces, made).problems if p.kind == "low_throughput"]


def test_trouble_of_the_image_is_named_and_not_blamed_on_traces():
    made = frame(50.0, 6, cosmics=150, bad_columns=(200,), saturation=600.0)
    result = found(made.traces, made)
    assert {"cosmics", "bad_columns", "saturated"} <= {t.kind for t in result.trouble}
    assert not result.problems
    assert not modes(result)


def test_an_amplifier_step_is_named():
    made = frame(50.0, 7)
    image = made.image.copy()
    image[:, BLOCKED.shape[1] // 2 :] += 40
    result = diagnose(image, made.traces, gain=1.0, readnoise=made.readnoise)
    assert "amplifier_step" in {t.kind for t in result.trouble}
    assert not result.problems


@pytest.mark.parametrize(
    ("rows", "columns", "counts"),
    [(1, (250, 600), 500), (2, (0, 800), 120), (2, (0, 800), 3000), (3, (100, 700), 400)],
)
def test_hot_rows_bend_no_trace(rows, columns, counts):
    made = frame(50.0, 8)
    image = made.image.copy()
    row = round(float(made.traces.center[30, 400]) + 1)
    image[row : row + rows, slice(*columns)] += counts
    result = diagnose(image, made.traces, gain=1.0, readnoise=made.readnoise)
    assert not result.problems
    found = {t.row_range[0] for t in result.trouble if t.kind == "bad_columns"}
    assert found == set(range(row, row + rows))


def test_limits_can_be_changed_without_measuring_again():
    wrong = perturb.shifted(frame().traces, 0.12, [17])
    seen = gather(frame().image, wrong, gain=1.0, readnoise=3.0)
    assert kinds(judge(seen, DoctorLimits())) == {("offset", 17)}
    assert not kinds(judge(seen, DoctorLimits(offset_px=0.2)))


def test_scatter_of_single_fibers_is_taken_out_silently():
    made = frame()
    jitter = np.random.default_rng(3).normal(0, 0.03, BLOCKED.nfiber)
    result = found(replace(made.traces, center=made.traces.center + jitter[:, None], coeff=None))
    assert not modes(result)
    assert result.global_metrics["single_fiber_scatter_px"] == pytest.approx(0.03, rel=0.4)
    assert (
        np.sqrt(np.mean((result.corrected.center - made.traces.center) ** 2)) < 0.015
    )  # what whole blocks share stays


def test_reversed_order_of_the_fibers_is_no_error():
    made = frame()
    truth = made.traces
    turned = replace(
        truth, center=truth.center[::-1], sigma=truth.sigma[::-1], wave=truth.wave[::-1], valid=truth.valid[::-1]
    )
    assert not found(turned).problems


@pytest.mark.parametrize("value", [0.0, 65535.0])
def test_a_blank_or_saturated_image_is_refused(value):
    with pytest.raises(FitError, match="blank"):
        found(frame().traces, replace(frame(), image=np.full(BLOCKED.shape, value, np.float32)))


def test_without_light_nothing_is_measured():
    noise = np.random.default_rng(1).normal(0, 3, BLOCKED.shape).astype(np.float32)
    with pytest.raises(FitError, match="no fiber shows light"):
        found(frame().traces, replace(frame(), image=noise))


def test_wide_fibers_are_named_with_their_width_and_a_little_wider_is_no_alarm():
    """One fiber out of focus by 1.3, one by 1.05: the limit is 1.15, the errors of the widths are below 0.01."""
    truth = frame().traces
    sigma = np.array(truth.sigma)
    sigma[22] *= 1.3
    sigma[41] *= 1.05
    made = expose(BLOCKED, snr=50, seed=9, traces=replace(truth, sigma=sigma))
    result = found(truth, made)  # the traces know nothing of the change
    assert kinds(result) == {("wide", 22)}
    ratio = result.width[[22, 41]] / sigma[[22, 41]][:, result.column.astype(int)]
    assert np.nanmedian(ratio, axis=1) == pytest.approx([1, 1], abs=0.02)  # a Gaussian integrated over pixels
    said = float(result.problems[0].text.split("profile is ")[1].split()[0])
    assert said == pytest.approx(1.3, abs=0.03) and result.problems[0].significance > 10
    assert not modes(result)
    assert result.verdict is Verdict.WARN
    assert np.array_equal(result.corrected.center, truth.center)


def test_light_of_something_else_on_a_fiber_is_called_contaminated_where_it_is():
    """Three of the seven brightest pixels of each column from 450 on, half a peak too high: 1050 of 7 200 pixels."""
    bent = SlitSpec((700, 800), 60, block=10, bend=90)  # else the many pixels of one row are called a bad row
    made = expose(bent, snr=50, seed=9)
    rng = np.random.default_rng(2)
    columns = np.arange(450, 800)
    middle = np.round(made.traces.center[30, columns]).astype(int)
    rows = middle + np.array([rng.choice([-3, -2, -1, 1, 2, 3], 3, replace=False) for _ in columns]).T
    image = made.image.copy()
    image[rows, columns] += 0.5 * np.median(made.image[middle, columns])
    result = diagnose(image, made.traces, gain=1.0, readnoise=made.readnoise)
    assert kinds(result) == {("contaminated", 30)}
    low, high = result.problems[0].x_range
    assert abs(low - 450) <= 13 and high == 799  # to a bin
    share = float(result.problems[0].text.split(":")[1].split("%")[0]) / 100
    assert share == pytest.approx(rows.size / (9 * 800), rel=0.15)  # nine rows of each column are fitted
    assert not modes(result) and result.verdict is Verdict.WARN
    assert np.array_equal(result.corrected.center, made.traces.center)


def some(traces, rows):
    """The traces of some fibers."""
    rows = np.asarray(rows)
    return replace(
        traces, fiber=np.arange(rows.size), center=traces.center[rows], sigma=traces.sigma[rows],
        wave=traces.wave[rows], valid=traces.valid[rows], status=None, coeff=None,
        fiber_id=tuple(traces.fiber_id[k] for k in rows),
    )  # fmt: skip


@pytest.mark.parametrize(
    "rows", [range(0, 60, 2), range(20), range(48, 60), (30,)], ids=["every second", "first", "last", "one"]
)
def test_more_lit_fibers_than_traces_are_counted_with_their_positions(rows):
    truth = frame().traces
    result = found(some(truth, list(rows)))
    light = next(t for t in result.trouble if t.kind == UNTRACED)
    other = sorted(set(range(60)) - set(rows))
    assert light.amount == len(other)
    places = np.median(truth.center[other], axis=1)
    np.testing.assert_allclose(light.rows, places, atol=0.6)  # medians over bins and over columns of bent traces
    assert result.verdict is Verdict.FAIL and f"{len(other)} lit fibers have no trace" in result.sentence
    assert "re-trace" in {a.action for a in result.advice}
    assert not result.problems and not modes(result)  # the light beside them is fitted along
    first = findings(result)[0]
    assert first.kind == UNTRACED and first.verdict is Verdict.FAIL


def test_one_fiber_without_a_trace_is_a_warning():
    result = found(some(frame().traces, np.delete(np.arange(60), 33)))
    assert result.verdict is Verdict.WARN and "1 lit fiber has no trace" in result.sentence
    assert not result.problems


@pytest.mark.parametrize("empty", [False, True], ids=["left out", "without values"])
@pytest.mark.parametrize(
    ("dead", "missing"), [((15,), (40,)), ((30,), (2,)), ((0,), (48,)), ((30, 53), (37, 42)), ((29,), (25,))]
)
def test_right_traces_beside_dead_and_missing_ones_are_not_accused(dead, missing, empty):
    made = expose(BLOCKED, snr=50, seed=5, throughput=dict.fromkeys(dead, 0.0))
    rows = [k for k in range(BLOCKED.nfiber) if k not in missing]
    if empty:
        center = made.traces.center.copy()
        center[list(missing)] = np.nan
        traces, names = replace(made.traces, center=center, coeff=None), range(BLOCKED.nfiber)
    else:
        traces, names = some(made.traces, rows), rows
    result = found(traces, made)
    assert {(kind, names[k]) for kind, k in kinds(result)} == {("dead", k) for k in dead}
    assert not modes(result) and result.verdict is Verdict.WARN
    if not empty:
        assert next(t for t in result.trouble if t.kind == UNTRACED).amount == len(missing)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("known", [{"gain": 1.0, "readnoise": 3.0}, {}], ids=["noise known", "image alone"])
def test_cosmic_rays_of_an_image_without_a_mask_are_no_fault_of_the_traces(seed, known):
    made = frame(50.0, seed, cosmics=600)  # one pixel in a hundred
    result = diagnose(made.image, made.traces, **known)
    assert not result.problems and not modes(result) and result.verdict is Verdict.PASS
    assert "cosmics" in {t.kind for t in result.trouble}


def test_a_few_bright_tracks_where_there_is_no_light_shift_nothing():
    made = expose(BLOCKED, snr=50, seed=3, flux=frame().flux * (np.arange(BLOCKED.shape[1]) > 150))
    image = made.image.copy()
    for k in (5, 22, 41):
        rows = np.round(made.traces.center[k, 20:110]).astype(int) - 2
        image[rows, np.arange(20, 110)] += 3000
    result = diagnose(image, made.traces, gain=1.0, readnoise=made.readnoise)
    assert not modes(result) and "lost" not in {kind for kind, _ in kinds(result)}


@pytest.mark.parametrize("how", ["mask", "ivar", "nan", "zeros"])
@pytest.mark.parametrize("columns", [slice(0, 400), slice(0, 800)], ids=["amplifier", "half of the fibers"])
def test_a_masked_area_is_said_in_one_line_as_not_measured(how, columns):
    made = frame(50.0, 2)
    area = np.zeros(BLOCKED.shape, bool)
    area[: BLOCKED.shape[0] // 2, columns] = True
    image = np.where(area, {"nan": np.nan, "zeros": 0}.get(how, np.float32(-500)), made.image)
    extra = {"mask": {"mask": area.astype(np.int32)}, "ivar": {"ivar": np.where(area, 0, 1 / made.variance)}}
    result = diagnose(image, made.traces, gain=1.0, readnoise=made.readnoise, **extra.get(how, {}))
    assert not result.problems and not modes(result) and result.verdict is Verdict.PASS
    assert [t.kind for t in result.trouble] == ["masked"]
    assert set(result.trouble[0].fibers) == set(range(30))
    words = f"Not measured: columns 0 to {columns.stop - 1} of fibers 0 to 29"
    assert words in result.sentence and "right where they are measured" in result.sentence


@pytest.mark.parametrize("past", [-1.5, -0.5, 0.5, 1.5])
def test_a_fiber_of_which_a_mask_leaves_a_wing_is_not_accused(past):
    made = frame(50.0, 2)
    edge = round(float(made.traces.center[30, :400].mean()) + past)
    ivar = 1 / made.variance
    ivar[:edge, :400] = 0
    result = diagnose(made.image, made.traces, gain=1.0, readnoise=made.readnoise, ivar=ivar)
    assert not result.problems and not modes(result) and "right where they are measured" in result.sentence


@pytest.mark.parametrize("upper", [False, True], ids=["below", "above"])
@pytest.mark.parametrize("edge", [204, 206, 208, 210, 213, 215])  # a mask through three fibers, and between them
def test_a_mask_through_fibers_that_overlap_accuses_none_beside_it(edge, upper):
    slit = SlitSpec((420, 500), 60, spacing=6, block=20, gap=8, sigma=(1.5, 1.8), bend=2.5)
    made = expose(slit, snr=50, seed=5)
    ivar = 1 / made.variance
    ivar[slice(edge, None) if upper else slice(None, edge)] = 0
    result = diagnose(made.image, made.traces, gain=1.0, readnoise=made.readnoise, ivar=ivar)
    assert not result.problems and not modes(result) and "right where they are measured" in result.sentence
    place = np.median(made.traces.center, axis=1)
    inside = place < edge - 9 if upper else place > edge + 9
    pull = (result.offset / result.offset_err)[inside]
    assert np.isfinite(pull).mean() > 0.95 and abs(np.nanmean(pull)) < 0.1 and np.nanstd(pull) < 1.15


@pytest.mark.parametrize("seed", [3, 8])
def test_dead_and_missing_fibers_in_most_blocks_shift_no_index(seed):
    slit = SlitSpec((950, 300), 100, spacing=8.0, block=25, gap=9.0, bend=3.0)
    pick = np.random.default_rng(seed).permutation(100)
    dead, missing = sorted(pick[:7].tolist()), pick[7:14].tolist()
    made = expose(slit, snr=20, seed=seed, throughput=dict.fromkeys(dead, 0.0))
    rows = [k for k in range(100) if k not in missing]
    result = found(some(made.traces, rows), made)
    assert {(kind, rows[k]) for kind, k in kinds(result)} == {("dead", k) for k in dead}
    assert not modes(result) and next(t for t in result.trouble if t.kind == UNTRACED).amount == 7


@pytest.mark.parametrize("size", [1.0, 2.5, -3.0, 3.6, -5.0, 7.5, 18.0])
def test_a_shift_of_any_part_of_the_spacing_is_found_as_one(size):
    result = found(perturb.shifted(frame().traces, size))
    assert modes(result) == {"shift"} and not result.problems and result.verdict is Verdict.FAIL
    assert result.found_modes[0].amplitude_px == pytest.approx(-size, abs=0.01)
    assert ("counted from 1" in result.sentence) == (size == 1.0)
    assert np.sqrt(np.mean((result.corrected.center - frame().traces.center) ** 2)) < 0.005


@pytest.mark.parametrize("kind", ["flat", "science"])
@pytest.mark.parametrize("spacings", [-2, 1])
def test_a_shift_by_whole_spacings_on_a_slit_of_one_block_is_known_by_the_places_of_the_fibers(spacings, kind):
    slit = SlitSpec((460, 500), 60, spacing=7, block=60, gap=0, bend=2.5)
    made = expose(slit, kind, snr=50, seed=6)
    result = found(perturb.shifted(made.traces, 7.0 * spacings), made)
    assert modes(result) == {"shift"} and not result.problems
    assert result.found_modes[0].amplitude_px == pytest.approx(-7.0 * spacings, abs=0.01)


@pytest.mark.parametrize("snr", [8, 50])
@pytest.mark.parametrize("nfiber", [5, 12])
def test_a_dead_fiber_at_one_end_and_a_missing_trace_at_the_other_are_no_shift(nfiber, snr):
    slit = SlitSpec((150, 500), nfiber, spacing=9, block=nfiber, gap=0, bend=1.5)
    made = expose(slit, snr=snr, seed=3, throughput={0: 0.0})
    result = found(some(made.traces, list(range(nfiber - 1))), made)
    assert not modes(result) and kinds(result) == {("dead", 0)}
    assert next(t for t in result.trouble if t.kind == UNTRACED).amount == 1


@pytest.mark.parametrize("told", [True, False], ids=["widths told", "widths not told"])
@pytest.mark.parametrize(("spacing", "sigma"), [(4.0, (0.75, 0.9)), (5.5, (0.6, 0.75))])
def test_narrow_fibers_beside_dead_and_missing_ones_are_not_accused(spacing, sigma, told):
    slit = SlitSpec((400, 500), 60, spacing=spacing, block=20, gap=3, bend=2.5, sigma=sigma)
    made = expose(slit, snr=50, seed=7, throughput={20: 0.0, 30: 0.0})
    traces = some(made.traces, [k for k in range(60) if k != 12])
    result = found(traces if told else replace(traces, sigma=None), made)
    assert not modes(result) and kinds(result) == {("dead", 19), ("dead", 29)}
    assert result.trouble[0].kind == UNTRACED and result.trouble[0].amount == 1
    assert "bad_columns" not in {t.kind for t in result.trouble}


def test_a_bright_fiber_with_a_wide_profile_moves_no_neighbor():
    slit = SlitSpec((420, 400), 30, spacing=11, block=15, gap=8, bend=2.5, sigma=(2.4, 2.8))
    made = expose(slit, "science", snr=50, seed=7)  # fiber 10 is twenty times as bright
    result = found(made.traces, made)
    assert result.verdict is Verdict.PASS and not modes(result) and not result.trouble
    pull = (result.offset / result.offset_err)[np.isfinite(result.offset_err)]
    assert abs(pull.mean()) < 0.1 and pull.std() < 1.1


PARTS = {
    "every second": np.arange(BLOCKED.nfiber) % 2 == 1, "a third": np.arange(BLOCKED.nfiber) % 3 == 0,
    "half of the slit": np.arange(BLOCKED.nfiber) >= BLOCKED.nfiber // 2 + 3,
    "any half": np.random.default_rng(6).permutation(BLOCKED.nfiber) < BLOCKED.nfiber // 2,
}  # fmt: skip


@pytest.mark.parametrize("size", [0.05, 0.3])
@pytest.mark.parametrize("part", PARTS)
def test_a_large_part_of_the_traces_that_is_off_alike_is_named_fiber_by_fiber(part, size):
    wrong = PARTS[part]
    result = found(moved(size * wrong[:, None] * np.ones_like(U)))
    assert {p.fiber for p in result.problems} == set(np.flatnonzero(wrong))
    assert {p.kind for p in result.problems} == {"offset"}
    assert all(p.amplitude_px == pytest.approx(size, abs=5 * p.amplitude_err) for p in result.problems)
    assert not result.found_modes
    assert result.verdict is (Verdict.FAIL if size > 0.1 else Verdict.WARN)
    off = result.corrected.center - frame().traces.center
    assert np.sqrt(np.mean(off**2)) < 0.01


def test_whole_blocks_that_are_off_are_blocks_and_no_fibers_of_their_own():
    result = found(moved(0.3 * (blocks(BLOCKED) == 3)[:, None] * np.ones_like(U)))
    assert modes(result) == {"block_shift"} and not result.problems
