"""The functions of the trace-diagnostics plan: their names, their keys, and that they measure."""

from __future__ import annotations

import numpy as np
import pytest

import ifuview
from ifuview.simulate.detector import perturb
from ifuview.simulate.detector.exposure import expose

MADE = expose("tiny", snr=50, seed=2)


@pytest.fixture(scope="module")
def diagnosis():
    return ifuview.diagnose_image(MADE.as_image(), MADE.traces)


def test_all_names_can_be_imported():
    for names in ifuview.TRACE_PLAN.values():
        for name in names:
            assert callable(getattr(ifuview, name))
            assert getattr(ifuview, name).__doc__


def test_straightness_sees_a_trend_against_the_trace():
    x = np.arange(64.0) * 16
    rng = np.random.default_rng(1)
    reference = 30 + 1e-3 * x + 1e-6 * x**2
    measured = reference + 0.02 * (x / x.max() - 0.5) + rng.normal(0, 0.002, x.size)
    measured[20] += 0.1
    out = ifuview.analyze_trace_straightness(x, measured, np.full(x.size, 0.002), reference)
    assert out["systematic_trend"] == pytest.approx(0.02, abs=4 * out["systematic_trend_err"])
    assert out["systematic_trend_significance"] > 10
    assert out["outlier_pixels"].tolist() == [20]
    alone = ifuview.analyze_trace_straightness(x, measured, np.full(x.size, 0.002))
    assert alone["rms_residual"] == pytest.approx(0.002, rel=0.4)


def test_spacing_knows_blocks_and_grids():
    out = ifuview.check_trace_spacing_uniformity(MADE.traces)
    assert out["mean_spacing"] == pytest.approx(7.5, abs=0.15)
    assert not out["irregular"].size
    i, j = np.meshgrid(np.arange(6), np.arange(6))
    square = np.stack([i.ravel(), j.ravel()], axis=1) * 1.5
    hexagon = np.stack([i.ravel() + 0.5 * (j.ravel() % 2), j.ravel() * np.sqrt(0.75)], axis=1)
    assert ifuview.check_trace_spacing_uniformity(MADE.traces, square)["head"] == "square"
    assert ifuview.check_trace_spacing_uniformity(MADE.traces, hexagon)["head"] == "hexagonal"


def test_wavelength_dependence_has_errors():
    out = ifuview.analyze_trace_wavelength_dependence({"traces": MADE.traces})
    assert out["slopes"].shape == out["slopes_err"].shape == (MADE.traces.nfiber,)
    assert np.isfinite(out["curvature"]).all()


def test_refraction_is_measured_on_the_source_and_not_on_the_traces():
    rng = np.random.default_rng(3)
    positions = rng.uniform(-4, 4, (MADE.traces.nfiber * 20, 2))
    wave = np.linspace(3600, 9800, 30)
    from ifuview.engine.traces.doctor.dar import refraction

    moved = refraction(wave, 40.0, reference=float(np.median(wave)))
    distance = np.hypot(positions[:, :1] - 0, positions[:, 1:] - moved[None])
    flux = 1e4 * np.exp(-0.5 * (distance / 0.9) ** 2)
    out = ifuview.check_differential_atmospheric_refraction(MADE.traces, positions, flux=flux, wave=wave, zenith=40.0)
    assert out["direction"] == pytest.approx(90, abs=10)
    assert out["rms_residual"] < 0.15
    without = ifuview.check_differential_atmospheric_refraction(MADE.traces, positions)
    assert without["measured"] is None
    assert without["expected"] is None


def test_metrics_keep_the_keys_of_the_plan(diagnosis):
    out = ifuview.calculate_trace_quality_metrics(diagnosis)
    for name in ("mean_trace_rms", "max_trace_deviation", "trace_spacing_uniformity", "wavelength_shift_consistency"):
        assert {name, f"{name}_err"} <= set(out["global_metrics"])
    first = out["per_fiber_metrics"]["0"]
    for name in ("trace_rms", "max_deviation", "spacing_to_neighbors", "extraction_efficiency"):
        assert {name, f"{name}_err"} <= set(first)
    assert "modes" in out["spatial_patterns"]
    assert {"matrix", "residuals"} <= set(ifuview.analyze_trace_correlations(diagnosis))
    assert ifuview.identify_systematic_trace_errors(diagnosis)["found"] == []


def test_extraction_errors_follow_theory():
    out = ifuview.simulate_extraction_errors([0.1, 0.5], width=1.2)
    assert out["joint_loss"] == pytest.approx([0.0017, 0.042], abs=5e-4)
    talk = ifuview.check_fiber_crosstalk(MADE.traces)
    assert talk["boxcar"].shape == (MADE.traces.nfiber, 4)


def test_reports_and_plots_are_written(diagnosis, tmp_path):
    ifuview.plot_traces_on_2d_spectrum(MADE.image, MADE.traces, tmp_path / "traces.png")
    ifuview.plot_individual_trace_quality(diagnosis, "3", tmp_path / "fiber.png")
    assert (tmp_path / "traces.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "fiber.png").read_bytes().startswith(b"\x89PNG")
    names = ifuview.generate_trace_quality_report(ifuview.calculate_trace_quality_metrics(diagnosis), tmp_path / "r")
    assert names == ["metrics.json"]


def test_traces_of_a_file_come_as_the_plan_wants_them(tmp_path):
    from ifuview.io.traces.write import write_traces

    write_traces(str(tmp_path / "t.csv"), MADE.traces)
    out = ifuview.load_trace_solution(tmp_path / "t.csv")
    assert set(out["3"]) == {"x_pixels", "y_pixels", "wavelength", "fiber_id"}
    del out["traces"]
    again = ifuview.check_trace_spacing_uniformity(out)
    assert again["mean_spacing"] == pytest.approx(7.5, abs=0.15)


def test_systematic_errors_list_patterns_and_fibers():
    wrong = perturb.shifted(perturb.shifted(MADE.traces, 0.1), 0.5, [5])
    found = ifuview.identify_systematic_trace_errors(ifuview.diagnose_image(MADE.as_image(), wrong))
    assert [m["name"] for m in found["found"]] == ["shift"]
    assert [(p["kind"], p["fiber_id"]) for p in found["problem_fibers"]] == [("offset", MADE.traces.fiber_id[5])]
