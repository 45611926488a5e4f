"""The trace-diagnostics plan as people run it: its calls as written, its keys, its pictures, and that they measure."""

from __future__ import annotations

import inspect
import json

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import ifuview
from ifuview import (
    analyze_trace_correlations,
    analyze_trace_straightness,
    analyze_trace_wavelength_dependence,
    calculate_trace_quality_metrics,
    check_differential_atmospheric_refraction,
    check_fiber_crosstalk,
    check_trace_spacing_uniformity,
    generate_trace_quality_report,
    identify_systematic_trace_errors,
    load_fiber_bundle_metadata,
    load_raw_2d_spectrum,
    load_trace_solution,
    load_wavelength_solution,
    plot_individual_trace_quality,
    plot_traces_on_2d_spectrum,
    run_trace_diagnostics,
    simulate_extraction_errors,
)
from ifuview.engine.traces.doctor.dar import refraction
from ifuview.errors import UsageError
from ifuview.io.traces.write import write_traces
from ifuview.model.trace import TraceSet
from ifuview.model.verdict import Verdict
from ifuview.simulate.detector import perturb
from ifuview.simulate.detector.demo_files import demo
from ifuview.simulate.detector.exposure import expose

MADE = expose("tiny", snr=50, seed=2)


@pytest.fixture(scope="module", autouse=True)
def _no_window():
    mpl.use("agg")


@pytest.fixture(scope="module")
def diagnosis():
    return ifuview.diagnose_image(MADE.as_image(), MADE.traces)


@pytest.fixture(scope="module")
def as_dicts():
    """The traces as a dict of dicts, at 33 columns."""
    x = np.unique(np.linspace(0, MADE.traces.ncol - 1, 33).round())
    return {
        f"fiber_{k:03d}": {"x_pixels": x, "y_pixels": y[x.astype(int)], "wavelength": 3600 + x, "fiber_id": k}
        for k, y in enumerate(MADE.traces.center)
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    demo(folder)
    return folder


def colors(path) -> int:
    """Number of colors of a picture, and that it is no blank page."""
    pixels = plt.imread(path)
    assert min(pixels.shape[:2]) > 400
    return len(np.unique((pixels[..., :3] * 15).round().astype(int).reshape(-1, 3), axis=0))


def words(figure) -> str:
    """All texts of a figure."""
    from matplotlib.text import Text

    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_the_pipeline_of_the_plan_runs_as_written(files, tmp_path):
    """Every step of the plan on files, in its order, with its calls."""
    raw_2d_file, trace_file = next(files.glob("preproc-*.fits*")), next(files.glob("psf-*.fits*"))
    raw_2d = load_raw_2d_spectrum(raw_2d_file)
    assert isinstance(raw_2d, np.ndarray)
    assert raw_2d.ndim == 2
    data, header = raw_2d.pair()
    assert type(data) is np.ndarray
    assert header == raw_2d.header
    assert len(header) > 5
    traces = load_trace_solution(trace_file)
    for name, entry in traces.items():
        assert set(entry) == {"x_pixels", "y_pixels", "wavelength", "fiber_id"}
        assert entry["fiber_id"] == name
    assert tuple(traces) == traces.traces.fiber_id
    plt.figure(figsize=(12, 8))
    plot_traces_on_2d_spectrum(raw_2d, traces, title="Traces of the night")
    assert "Traces of the night" in words(plt.gcf())
    assert next(iter(traces)) in words(plt.gcf()).split()
    plt.savefig(tmp_path / "traces_on_2d.png")
    plt.close()
    assert colors(tmp_path / "traces_on_2d.png") > 30
    fiber_id = list(traces)[3]
    plot_individual_trace_quality(raw_2d, traces, fiber_id)
    shown = words(plt.gcf())
    assert all(word in shown for word in (fiber_id, "section at", "curvature", "extracted spectrum", "overlay"))
    plt.savefig(tmp_path / "fiber.png")
    plt.close()
    assert colors(tmp_path / "fiber.png") > 30
    straightness = analyze_trace_straightness(traces)
    assert set(straightness) == set(traces)
    assert {"rms_residual", "max_deviation", "systematic_trend", "outlier_pixels"} <= set(straightness[fiber_id])
    assert check_trace_spacing_uniformity(traces)["mean_spacing"] > 2
    slopes, curvature = analyze_trace_wavelength_dependence(traces)
    assert len(slopes) == len(curvature) == len(traces)
    fiber_positions = load_fiber_bundle_metadata(next(files.glob("frame-*.fits*")))
    assert check_differential_atmospheric_refraction(traces, fiber_positions)["measured"] is None
    matrix, residuals = analyze_trace_correlations(traces)
    assert matrix.shape == (len(traces), len(traces))
    assert residuals.shape[0] == len(traces)
    assert {"modes", "found", "problem_fibers"} <= set(identify_systematic_trace_errors(matrix, fiber_positions))
    errors = simulate_extraction_errors(raw_2d, traces, {fiber_id: 0.5})
    row = list(traces).index(fiber_id)
    assert np.nanargmax(errors["joint_loss"]) == row
    assert check_fiber_crosstalk(raw_2d, traces)["boxcar"].shape == (len(traces), 4)
    metrics = calculate_trace_quality_metrics(traces, raw_2d)
    assert {"global_metrics", "per_fiber_metrics", "spatial_patterns"} <= set(metrics)
    assert set(metrics["per_fiber_metrics"]) == set(traces)
    names = generate_trace_quality_report(metrics, tmp_path / "report")
    assert {"metrics.json", "report.html"} <= set(names)
    assert load_wavelength_solution(trace_file).shape[0] == len(traces)
    done = run_trace_diagnostics(
        raw_2d_file, trace_file, tmp_path / "run", fiber_metadata_file=None, wavelength_file=None
    )
    assert done["global_metrics"] == json.loads((tmp_path / "run" / "metrics.json").read_text())["global_metrics"]


def test_points_need_not_reach_the_last_column_of_the_image(as_dicts):
    short = {name: {**row, "x_pixels": row["x_pixels"][:-1], "y_pixels": row["y_pixels"][:-1],
                    "wavelength": row["wavelength"][:-1]} for name, row in as_dicts.items()}  # fmt: skip
    plot_traces_on_2d_spectrum(MADE.image, short)
    whole = plt.gcf().axes[0]
    assert whole.get_xlim() == (-0.5, MADE.image.shape[1] - 0.5)
    plt.close()
    plot_individual_trace_quality(MADE.image, short, "fiber_003")
    assert "Nothing is wrong with this fiber alone" in words(plt.gcf())
    plt.close()
    found = calculate_trace_quality_metrics(short, MADE.image)
    assert found["global_metrics"]["mean_trace_rms"] < 0.05


@pytest.mark.filterwarnings("error")
def test_right_traces_are_not_judged_beyond_their_points(tmp_path):
    x = np.arange(0, 461, 46.0)  # of 512 columns
    points = {
        f"S{k:02d}": {"x_pixels": x, "y_pixels": y[x.astype(int)], "wavelength": 3600 + x, "fiber_id": f"S{k:02d}"}
        for k, y in enumerate(MADE.traces.center)
    }
    found = calculate_trace_quality_metrics(points, MADE.image)
    assert found.diagnosis.verdict is Verdict.PASS
    beyond = found.diagnosis.column > x[-1]
    assert np.isnan(found.diagnosis.offset[:, beyond]).all() and np.isfinite(found.diagnosis.offset[:, ~beyond]).all()
    generate_trace_quality_report(found, tmp_path)
    assert (tmp_path / "report.html").is_file()


def test_the_calls_have_the_names_of_the_plan():
    wanted = {
        run_trace_diagnostics: ["raw_2d_file", "trace_file", "output_dir", "fiber_metadata_file", "wavelength_file"],
        simulate_extraction_errors: ["raw_2d", "traces", "trace_errors"],
        check_fiber_crosstalk: ["raw_2d", "traces"],
        calculate_trace_quality_metrics: ["traces", "raw_2d"],
        generate_trace_quality_report: ["metrics", "output_dir"],
        plot_traces_on_2d_spectrum: ["raw_2d", "traces", "title"],
        plot_individual_trace_quality: ["raw_2d", "traces", "fiber_id"],
        identify_systematic_trace_errors: ["matrix", "fiber_positions"],
        check_differential_atmospheric_refraction: ["traces", "fiber_positions"],
    }
    for function, names in wanted.items():
        assert list(inspect.signature(function).parameters)[: len(names)] == names
    for names in ifuview.TRACE_PLAN.values():
        for name in names:
            assert getattr(ifuview, name).__doc__


def test_dicts_of_dicts_are_traces_everywhere(as_dicts, diagnosis):
    out = analyze_trace_straightness(as_dicts)
    assert list(out) == list(as_dicts)
    assert out["fiber_003"]["rms_residual"] < 1e-3
    assert check_trace_spacing_uniformity(as_dicts)["mean_spacing"] == pytest.approx(7.5, abs=0.15)
    slopes, _ = analyze_trace_wavelength_dependence(as_dicts)
    wave = np.broadcast_to(3600.0 + np.arange(MADE.traces.ncol), MADE.traces.center.shape)
    whole = perturb.replace(MADE.traces, wave=wave)
    assert slopes == pytest.approx(analyze_trace_wavelength_dependence(whole)["slopes"], abs=0.05)
    metrics = calculate_trace_quality_metrics(as_dicts, MADE.image)
    assert set(metrics["per_fiber_metrics"]) == set(as_dicts)
    seen = metrics["per_fiber_metrics"]["fiber_005"]["trace_rms"]
    assert seen == pytest.approx(float(diagnosis.per_fiber["trace_rms"][5]), rel=0.5)
    with pytest.raises(UsageError):
        analyze_trace_straightness({"a": {"y": 3}})


def test_a_changed_solution_is_taken_as_it_is(tmp_path):
    write_traces(str(tmp_path / "t.csv"), MADE.traces)
    traces = load_trace_solution(tmp_path / "t.csv")
    traces["3"]["y_pixels"] = traces["3"]["y_pixels"] + 0.3
    metrics = calculate_trace_quality_metrics(traces, MADE.image)
    assert [p["fiber_id"] for p in metrics["problem_fibers"]] == ["3"]
    del traces["4"]
    assert len(analyze_trace_straightness(traces)) == MADE.traces.nfiber - 1


def test_straightness_sees_a_trend_against_the_trace():
    x = np.arange(64.0) * 16
    rng = np.random.default_rng(1)
    reference = 30 + 1e-3 * x + 1e-6 * x**2
    measured = reference + 0.02 * (x / x.max() - 0.5) + rng.normal(0, 0.002, x.size)
    measured[20] += 0.1
    out = analyze_trace_straightness(x, measured, np.full(x.size, 0.002), reference)
    assert out["systematic_trend"] == pytest.approx(0.02, abs=4 * out["systematic_trend_err"])
    assert out["systematic_trend_significance"] > 10
    assert out["outlier_pixels"].tolist() == [320]
    alone = analyze_trace_straightness(x, measured, np.full(x.size, 0.002))
    assert alone["rms_residual"] == pytest.approx(0.002, rel=0.4)


def test_straightness_sees_a_glitch_of_one_pixel_and_a_shift_of_the_light():
    center = np.array(MADE.traces.center)
    center[7, 100] += 0.05
    out = analyze_trace_straightness(perturb.replace(MADE.traces, center=center))
    assert out["7"]["outlier_pixels"].tolist() == [100]
    assert not out["6"]["outlier_pixels"].size
    seen = analyze_trace_straightness(perturb.shifted(MADE.traces, 0.1), raw_2d=MADE.image)["5"]
    assert seen["against"] == "light"
    assert np.nanmedian(seen["residual"]) == pytest.approx(-0.1, abs=0.01)


def test_spacing_knows_blocks_and_grids():
    out = check_trace_spacing_uniformity(MADE.traces)
    assert out["mean_spacing"] == pytest.approx(7.5, abs=0.15)
    assert not out["irregular"].size
    i, j = np.meshgrid(np.arange(6), np.arange(6))
    square = np.stack([i.ravel(), j.ravel()], axis=1) * 1.5
    hexagon = np.stack([i.ravel() + 0.5 * (j.ravel() % 2), j.ravel() * np.sqrt(0.75)], axis=1)
    assert check_trace_spacing_uniformity(MADE.traces, square)["head"] == "square"
    assert check_trace_spacing_uniformity(MADE.traces, hexagon)["head"] == "hexagonal"


def test_wavelength_dependence_has_errors():
    out = analyze_trace_wavelength_dependence(MADE.traces)
    assert out["slopes"].shape == out["slopes_err"].shape == (MADE.traces.nfiber,)
    assert np.isfinite(out["curvature"]).all()
    assert "against" in out


def test_refraction_is_measured_on_the_source_and_not_on_the_traces():
    rng = np.random.default_rng(3)
    positions = rng.uniform(-4, 4, (MADE.traces.nfiber * 20, 2))
    wave = np.linspace(3600, 9800, 30)
    moved = refraction(wave, 40.0, reference=float(np.median(wave)))
    distance = np.hypot(positions[:, :1] - 0, positions[:, 1:] - moved[None])
    flux = 1e4 * np.exp(-0.5 * (distance / 0.9) ** 2)
    out = check_differential_atmospheric_refraction(MADE.traces, positions, flux=flux, wave=wave, zenith=40.0)
    assert out["direction"] == pytest.approx(90, abs=10)
    assert out["rms_residual"] < 0.15
    by_name = {name: {"x": x, "y": y} for name, (x, y) in zip(MADE.traces.fiber_id, positions)}
    without = check_differential_atmospheric_refraction(MADE.traces, by_name)
    assert without["measured"] is None
    assert without["expected"] is None


def test_metrics_keep_the_keys_of_the_plan(diagnosis):
    out = calculate_trace_quality_metrics(diagnosis)
    for name in ("mean_trace_rms", "max_trace_deviation", "trace_spacing_uniformity", "wavelength_shift_consistency"):
        assert {name, f"{name}_err"} <= set(out["global_metrics"])
    first = out["per_fiber_metrics"]["0"]
    for name in ("trace_rms", "max_deviation", "spacing_to_neighbors", "extraction_efficiency"):
        assert {name, f"{name}_err"} <= set(first)
    assert "modes" in out["spatial_patterns"]
    matrix, residuals = analyze_trace_correlations(diagnosis)
    assert matrix.shape[0] == residuals.shape[0] == MADE.traces.nfiber
    assert identify_systematic_trace_errors(diagnosis)["found"] == []
    assert identify_systematic_trace_errors(matrix)["found"] == []


def test_traces_that_are_smooth_curves_share_no_pattern(as_dicts):
    """What such curves leave is rounding, and what lies between their points."""
    for traces in (MADE.traces, as_dicts):
        matrix, residuals = analyze_trace_correlations(traces)
        assert np.nanmax(np.abs(residuals)) < 0.01  # px
        assert identify_systematic_trace_errors(matrix)["found"] == []
    wave = 0.02 * np.sin(np.linspace(0, 40, MADE.traces.ncol))
    matrix, _ = analyze_trace_correlations(perturb.replace(MADE.traces, center=MADE.traces.center + wave))
    (one,) = identify_systematic_trace_errors(matrix)["found"]
    assert len(one["fibers"]) == MADE.traces.nfiber


def test_a_shared_pattern_of_residuals_is_found_and_noise_is_not():
    rng = np.random.default_rng(5)
    n, m = 60, 128
    place = np.column_stack([np.arange(n) % 10, np.arange(n) // 10]).astype(float)
    noise = rng.normal(size=(n, m))
    wave = np.sin(np.linspace(0, 6, m))
    for residual, found in ((noise, 0), (noise + np.where(np.arange(n) < 30, 1, 0)[:, None] * wave, 1)):
        out = identify_systematic_trace_errors(np.corrcoef(residual), place)
        assert len(out["found"]) == found
        assert (np.abs(out["r"]) < 5 * out["r_err"]).all() == (found == 0)
    assert set(out["found"][0]["fibers"]) == {str(k) for k in range(30)}


def test_extraction_errors_follow_theory():
    out = simulate_extraction_errors([0.1, 0.5], width=1.2)
    assert out["joint_loss"] == pytest.approx([0.0017, 0.042], abs=5e-4)
    tried = simulate_extraction_errors(MADE.image, MADE.traces, [0.1, 0.5])
    assert tried["joint_loss"] == pytest.approx(
        simulate_extraction_errors([0.1, 0.5], width=1.2)["joint_loss"], rel=0.25
    )
    assert tried["by_fiber"]["leak"].shape == (2, MADE.traces.nfiber)
    talk = check_fiber_crosstalk(MADE.traces)
    seen = check_fiber_crosstalk(MADE.image, MADE.traces)
    assert talk["boxcar"].shape == seen["boxcar"].shape == (MADE.traces.nfiber, 4)


def test_plots_go_to_the_current_figure_and_to_files(tmp_path):
    figure = plt.figure()
    assert plot_traces_on_2d_spectrum(MADE.image, MADE.traces, output=tmp_path / "traces.png") is figure
    again = plot_individual_trace_quality(MADE.image, MADE.traces, "3", output=tmp_path / "fiber.png")
    assert again is plt.gcf() is not figure
    assert (tmp_path / "traces.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "fiber.png").read_bytes().startswith(b"\x89PNG")
    plt.close("all")
    with pytest.raises(UsageError, match="there is no fiber 999"):
        plot_individual_trace_quality(MADE.image, MADE.traces, 999)


def test_a_fiber_of_a_file_is_called_by_the_number_or_by_the_name_that_the_plan_gives_it():
    names = MADE.traces.fiber_id
    for fiber in (names[3], f"fiber_{int(names[3]):03d}"):
        assert plot_individual_trace_quality(MADE.image, MADE.traces, fiber) is plt.gcf()
        loss = simulate_extraction_errors(MADE.image, MADE.traces, {fiber: 1.0})
        assert np.flatnonzero(np.asarray(loss["offset"]) > 0.5).tolist() == [3]
        plt.close("all")
    with pytest.raises(UsageError, match="there is no fiber fiber_999"):
        plot_individual_trace_quality(MADE.image, MADE.traces, "fiber_999")


def test_numbers_alone_make_the_numbers_of_a_report(diagnosis, tmp_path):
    numbers = dict(calculate_trace_quality_metrics(diagnosis))
    assert generate_trace_quality_report(numbers, tmp_path / "r") == ["metrics.json"]


def test_systematic_errors_list_patterns_and_fibers():
    wrong = perturb.shifted(perturb.shifted(MADE.traces, 0.1), 0.5, [5])
    found = identify_systematic_trace_errors(ifuview.diagnose_image(MADE.as_image(), wrong))
    assert [m["name"] for m in found["found"]] == ["shift"]
    assert [(p["kind"], p["fiber_id"]) for p in found["problem_fibers"]] == [("offset", MADE.traces.fiber_id[5])]


def test_a_diagnosis_is_made_once_and_goes_with_its_image():
    from ifuview.app.plan import loading

    raw = MADE.image + np.float32(1)  # pixels that no other test asks about
    found = loading.diagnosis_of(raw, MADE.traces)
    again = loading.diagnosis_of(raw, MADE.traces)
    assert again is found
    del raw
    assert not loading._last


def test_a_file_whose_points_end_before_the_image_is_drawn_as_far_as_they_go(tmp_path):
    made = MADE
    x = np.arange(20, 460, 20)
    rows = [f"{k},{a},{y[a]},{3600 + a}" for k, y in enumerate(made.traces.center) for a in x]
    (tmp_path / "traces.csv").write_text("fiber_id,x,y,wavelength\n" + "\n".join(rows))
    traces = load_trace_solution(tmp_path / "traces.csv")
    assert traces.traces.ncol < made.image.shape[1]
    plot_traces_on_2d_spectrum(made.image, traces)
    assert "1: columns" in words(plt.gcf())
    plt.close()
    plot_individual_trace_quality(made.image, traces, "3")
    bend = next(axes.lines[0] for axes in plt.gcf().axes if "curvature" in axes.get_ylabel()).get_ydata()
    known = np.isfinite(bend)
    plt.close()
    end = np.flatnonzero(known)[-1]
    assert end < made.image.shape[1] - 20  # none is made up beyond the last point ...
    assert np.abs(bend[known]).max() < 10 * np.median(np.abs(bend[known]))  # ... nor a step there


@pytest.mark.parametrize(
    ("nfiber", "said"), [(12, "12 fibers in 2 blocks, a color each"), (6, "6 fibers"), (1, "1 fiber")]
)
def test_the_title_counts_fibers_and_blocks_in_plain_words(nfiber, said):
    traces = TraceSet(fiber=np.arange(nfiber), center=MADE.traces.center[:nfiber])
    plot_traces_on_2d_spectrum(MADE.image, traces)
    assert said in [axes.get_title(loc="left") for axes in plt.gcf().axes]
    plt.close()
