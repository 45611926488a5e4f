"""`ifuview diagnose`: files in, a folder of results out, or one sentence and nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ifuview
from ifuview.app.traces.doctor_metrics import as_json, metrics_of
from ifuview.app.traces.loading import load_traces
from ifuview.app.traces.on_light import contrast, light_runs, turned_words
from ifuview.app.traces.wavelengths import in_angstrom
from ifuview.commands.run import command
from ifuview.errors import IfuviewError
from ifuview.io import read_traces
from ifuview.io.traces.write import write_traces
from ifuview.simulate.detector import perturb
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec

KEYS = [
    "schema", "inputs", "global_metrics", "per_fiber_metrics", "spatial_patterns", "problem_fibers",
    "wavelength_ranges", "extraction_impact", "crosstalk", "verdict", "recommendations", "noise_floor",
]  # fmt: skip
MADE = expose("tiny", snr=50, seed=1)


def image_file(folder: Path, data: np.ndarray = MADE.image, name: str = "flat.fits") -> str:
    from astropy.io import fits

    fits.writeto(folder / name, np.asarray(data, np.float32), overwrite=True)
    return str(folder / name)


def trace_file(folder: Path, traces=MADE.traces, name: str = "traces.csv") -> str:
    write_traces(str(folder / name), traces)
    return str(folder / name)


def run(folder: Path, *words: str, out: str = "out") -> tuple[int, dict]:
    code = command("diagnose", [*words, "-o", str(folder / out), "--formats", "json", "--quiet"])
    return code, json.loads((folder / out / "metrics.json").read_text("utf-8"))


def test_right_traces_pass_and_all_files_are_there(tmp_path):
    code, metrics = run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path))
    assert code == 0
    assert list(metrics) == KEYS
    assert metrics["schema"] == "ifuview.metrics/1"
    assert metrics["verdict"] == "pass"
    assert metrics["problem_fibers"] == []
    assert metrics["spatial_patterns"]["modes"] == []
    assert [i["name"] for i in metrics["inputs"]] == ["flat.fits", "traces.csv"]
    assert all(len(i["sha256"]) == 64 for i in metrics["inputs"])
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"metrics.json", "per_fiber.ecsv", "traces_measured.fits", "traces_corrected.csv"}


def test_every_measured_number_has_its_error(tmp_path):
    _, metrics = run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path))
    groups = [metrics["global_metrics"], metrics["noise_floor"], *metrics["per_fiber_metrics"].values()]
    for group in groups:
        for name, value in group.items():
            if name.startswith("nfiber") or name.endswith("_err"):
                continue
            assert f"{name}_err" in group, name
            assert value is None or math.isfinite(value)


@pytest.mark.parametrize("suffix", ["csv", "ecsv", "json", "fits"])
def test_corrected_traces_come_back_in_the_form_of_the_input(tmp_path, suffix):
    wrong = perturb.kinked(MADE.traces, 2, 0.8, 250, 60)
    path = trace_file(tmp_path, wrong, f"traces.{suffix}")
    code, metrics = run(tmp_path, image_file(tmp_path), "--traces", path)
    assert code == 3
    assert {(p["kind"], p["fiber_id"]) for p in metrics["problem_fibers"]} == {("kink", "2")}
    assert metrics["problem_fibers"][0]["amplitude_px"] == pytest.approx(-0.8, abs=0.1)
    assert metrics["wavelength_ranges"][0]["fibers"] == ["2"]
    back = read_traces(tmp_path / "out" / f"traces_corrected.{suffix}", MADE.image.shape)
    truth = MADE.traces.center
    assert np.sqrt(np.nanmean((back.center[2] - truth[2]) ** 2)) < 0.015
    assert np.nanmax(np.abs(back.center[[0, 1, 3, 4]] - truth[[0, 1, 3, 4]])) < 1e-3


def test_measured_traces_are_near_the_truth(tmp_path):
    run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path))
    back = read_traces(tmp_path / "out" / "traces_measured.fits", MADE.image.shape)
    assert np.sqrt(np.nanmean((back.center - MADE.traces.center) ** 2)) < 0.02


def test_the_table_of_fibers_can_be_read(tmp_path):
    from astropy.table import Table

    run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path))
    table = Table.read(tmp_path / "out" / "per_fiber.ecsv", format="ascii.ecsv")
    assert len(table) == MADE.traces.nfiber
    assert str(table["mean_offset_px"].unit) == "pix"


def test_without_traces_the_image_is_traced(tmp_path):
    code, metrics = run(tmp_path, image_file(tmp_path))
    assert code == 0
    assert metrics["global_metrics"]["nfiber"] == MADE.traces.nfiber


def test_numbers_go_to_stdout(tmp_path, capsys):
    words = [image_file(tmp_path), "--traces", trace_file(tmp_path), "--formats", "json", "-o", str(tmp_path / "out")]
    assert command("diagnose", [*words, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"


def test_thresholds_are_read(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text("[limits]\noffset_px = 0.6\n", "utf-8")
    wrong = trace_file(tmp_path, perturb.shifted(MADE.traces, 0.5, [5]))
    assert run(tmp_path, image_file(tmp_path), "--traces", wrong)[0] == 3
    _, metrics = run(tmp_path, image_file(tmp_path), "--traces", wrong, "--thresholds", str(path))
    assert not [p for p in metrics["problem_fibers"] if p["kind"] == "offset"]


def test_a_reference_is_compared(tmp_path):
    shifted = trace_file(tmp_path, perturb.shifted(MADE.traces, 0.2), "shifted.csv")
    path = trace_file(tmp_path)
    _, metrics = run(tmp_path, image_file(tmp_path), "--traces", path, "--reference", shifted)
    assert metrics["global_metrics"]["reference_mean_px"] == pytest.approx(-0.2, abs=1e-3)


def test_parts_that_are_left_out_are_null(tmp_path):
    _, metrics = run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path), "--only", "correlation")
    assert metrics["extraction_impact"] is None
    assert metrics["crosstalk"] is None
    assert metrics["spatial_patterns"]["correlation"] is not None


def swapped_file(folder: Path) -> str:
    lines = Path(trace_file(folder)).read_text("utf-8").splitlines()
    head = lines[0].split(",")
    i, j = head.index("x_pixels"), head.index("y_pixels")
    rows = [line.split(",") for line in lines[1:]]
    for row in rows:
        row[i], row[j] = row[j], row[i]
    path = folder / "swapped.csv"
    path.write_text("\n".join([lines[0], *(",".join(r) for r in rows)]), "utf-8")
    return str(path)


def test_swapped_axes_are_said_and_can_be_exchanged(tmp_path):
    image, traces = image_file(tmp_path), swapped_file(tmp_path)
    with pytest.raises(IfuviewError, match=r"swapped.*--swap"):
        run(tmp_path, image, "--traces", traces)
    assert not (tmp_path / "out").exists()
    assert run(tmp_path, image, "--traces", traces, "--swap")[0] == 0


def bad_inputs() -> dict[str, tuple]:
    blank = np.zeros(MADE.image.shape)
    noise = np.random.default_rng(0).normal(0, 3, MADE.image.shape)
    full = np.minimum(MADE.image, 50)
    return {
        "blank": (blank, MADE.traces, "blank"),
        "noise": (noise, MADE.traces, "no fiber shows light"),
        "saturated": (full, MADE.traces, "saturated"),
        "other size": (MADE.image[:, :300], MADE.traces, "300"),
        "elsewhere": (MADE.image, perturb.shifted(MADE.traces, 300.0), "detector"),
    }


@pytest.mark.parametrize("name", bad_inputs())
def test_bad_input_is_one_sentence_and_leaves_nothing(tmp_path, name):
    data, traces, words = bad_inputs()[name]
    image, path = image_file(tmp_path, data), trace_file(tmp_path, traces)
    with pytest.raises(IfuviewError, match=words) as problem:
        run(tmp_path, image, "--traces", path)
    assert "\n" not in str(problem.value)
    assert not (tmp_path / "out").exists()


def test_traces_in_the_place_of_an_image_are_told_their_option(tmp_path):
    with pytest.raises(IfuviewError, match=r"there are traces in this file, no image.* --traces"):
        command("diagnose", [trace_file(tmp_path), "-o", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_wavelengths_of_other_fibers_are_refused(tmp_path):
    two = expose(SlitSpec((64, 512), 2, block=2), snr=50, seed=3)
    other = trace_file(tmp_path, two.traces, "other.csv")
    with pytest.raises(IfuviewError, match="2 fibers, the traces of 12"):
        run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path), "--wavelengths", other)


def test_an_output_that_cannot_be_written_is_said_first(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(IfuviewError, match="not a folder"):
        run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path), out="file/below")


@pytest.mark.parametrize("option", [("--only", "nope"), ("--formats", "doc")])
def test_unknown_words_are_refused(tmp_path, option):
    words = [image_file(tmp_path), "--traces", trace_file(tmp_path), "-o", str(tmp_path / "out")]
    with pytest.raises(IfuviewError, match="choose of"):
        command("diagnose", [*words, *option])


@pytest.mark.parametrize("nfiber", [1, 2, 3])
def test_few_fibers_are_enough(tmp_path, nfiber):
    made = expose(SlitSpec((64, 400), nfiber, block=max(nfiber, 1)), snr=50, seed=3)
    code, metrics = run(tmp_path, image_file(tmp_path, made.image), "--traces", trace_file(tmp_path, made.traces))
    assert code == 0
    assert metrics["global_metrics"]["nfiber_measured"] == nfiber


def test_traces_with_gaps_are_judged_where_they_are(tmp_path):
    center = MADE.traces.center.copy()
    center[3, 100:300] = np.nan
    path = trace_file(tmp_path, replace(MADE.traces, center=center, valid=np.isfinite(center)))
    assert run(tmp_path, image_file(tmp_path), "--traces", path)[0] == 0


def test_function_and_command_agree(tmp_path):
    wrong = perturb.shifted(MADE.traces, 0.5, [5])
    _, metrics = run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path, wrong, "traces.fits"))
    image = ifuview.load_raw_2d_spectrum(tmp_path / "flat.fits").image
    found = ifuview.diagnose_image(image, read_traces(tmp_path / "traces.fits", image.shape))
    again = json.loads(as_json(metrics_of(found)))
    for key in KEYS[2:]:
        assert again[key] == metrics[key], key


def test_traces_of_a_smaller_detector_are_refused(tmp_path):
    from dataclasses import replace

    from ifuview import io

    image = image_file(tmp_path)
    traces = io.read_traces(swapped_file(tmp_path), None, None)
    half = replace(traces, valid=np.asarray(traces.valid) & (np.arange(traces.ncol) < traces.ncol // 2))
    given = tmp_path / "half.csv"
    io.write_traces(str(given), half)
    with pytest.raises(IfuviewError, match=r"half.csv"):
        run(tmp_path, image, "--traces", str(given))
    assert not (tmp_path / "out").exists()


def test_fibers_are_named_alike_here_and_in_the_window(tmp_path):
    """The table of the image says 3005, the trace file 5: people read both, files keep what the trace file says."""
    from ifuview.app.frames.opening.reading import open_dataset
    from ifuview.app.session import Slot
    from ifuview.app.traces import doctor
    from ifuview.model.fibers import FiberMap

    n = MADE.traces.nfiber
    table = FiberMap(np.arange(n), fiber_id=tuple(str(3000 + k) for k in range(n)))
    image = replace(MADE.as_image(), fibermap=table)
    wrong = perturb.shifted(MADE.traces, 0.5, [5])
    found = ifuview.diagnose_image(image, wrong)
    assert [p.fiber_id for p in found.problems] == ["3005 [row 5]"]
    assert found.sentence.count("3005 [row 5]") == 1 and found.given is wrong
    assert [p["fiber_id"] for p in metrics_of(found)["problem_fibers"]] == [wrong.fiber_id[5]]
    assert found.corrected.fiber_id == found.measured.fiber_id == wrong.fiber_id
    dataset = replace(open_dataset(image_file(tmp_path)), images=(image,))
    slot = Slot(0, "flat", dataset, image, traces=wrong)
    there, _ = doctor.diagnose(slot)
    assert there.sentence == found.sentence
    assert metrics_of(there)["problem_fibers"] == metrics_of(found)["problem_fibers"]


def test_several_images_have_a_folder_each_and_jobs_do_not_change_them(tmp_path, capsys):
    good = image_file(tmp_path)
    (tmp_path / "more").mkdir()
    again = image_file(tmp_path / "more")
    blank = image_file(tmp_path, np.zeros(MADE.image.shape), "blank.fits")
    traces = trace_file(tmp_path, perturb.shifted(MADE.traces, 0.5, [5]))
    words = ["--traces", traces, "--formats", "json", "--json", "-"]
    said = []
    for jobs, out in (("1", "one"), ("2", "two")):
        code = command("diagnose", [good, again, blank, *words, "--jobs", jobs, "-o", str(tmp_path / out)])
        assert code == 2  # bad input before wrong traces
        output = capsys.readouterr()
        said.append(json.loads(output.out))
        assert output.err.count("\n") == 1 and "blank.fits: the image is blank" in output.err
        assert sorted(p.name for p in (tmp_path / out).iterdir()) == ["flat", "flat-2"]
    assert said[0] == said[1] and said[0][blank] is None
    assert {p["fiber_id"] for p in said[0][again]["problem_fibers"]} == {"5"}
    assert (
        command("diagnose", [good, again, "--traces", traces, "--formats", "json", "-o", str(tmp_path / "three")]) == 3
    )
    assert capsys.readouterr().out.count("fail: The traces are wrong") == 2


def test_wavelengths_without_positions_are_told_what_is_wanted(tmp_path):
    path = tmp_path / "wave.csv"
    path.write_text("fiber_id,x_pixels,wavelength\n0,0,5000\n0,511,6000\n", "utf-8")
    with pytest.raises(IfuviewError, match=r"holds no wavelengths per fiber.*one row of wavelengths per fiber"):
        run(tmp_path, image_file(tmp_path), "--traces", trace_file(tmp_path), "--wavelengths", str(path))


def test_the_order_of_the_rows_of_a_table_does_not_matter(tmp_path):
    path = Path(trace_file(tmp_path, perturb.shifted(MADE.traces, 0.3, [5])))
    lines = path.read_text("utf-8").splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("fiber_id"))
    mixed = np.array(lines[head + 1 :])[np.random.default_rng(1).permutation(len(lines) - head - 1)]
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text("\n".join([*lines[: head + 1], *mixed]) + "\n", "utf-8")
    image = image_file(tmp_path)
    first = run(tmp_path, image, "--traces", str(path), out="a")
    second = run(tmp_path, image, "--traces", str(shuffled), out="b")
    for result in (first, second):
        result[1].pop("inputs")
    assert first == second


@pytest.mark.parametrize(
    ("spec", "kind"), [("small", "flat"), ("small", "science"), ("demo", "flat"), ("lrs2", "science")]
)
def test_traces_that_lie_turned_are_called_so_and_shifted_ones_are_not(spec, kind):
    made = expose(spec, kind, snr=50)
    right = made.traces.center

    def said(center):
        return turned_words(made.image, replace(made.traces, center=np.ascontiguousarray(center), coeff=None))

    assert said(made.image.shape[0] - 1 - right) == "upside down"
    assert said(right[:, ::-1]) == "mirrored along dispersion"
    assert said(made.image.shape[0] - 1 - right[:, ::-1]) == "upside down and mirrored along dispersion"
    assert not said(right + 0.2 * np.linspace(-1, 1, right.shape[1]) ** 3)
    for offset in (0.0, 0.5, -3.0):
        assert not said(right + offset)


def test_nearly_straight_traces_that_are_mirrored_are_told_from_any_other_smooth_error():
    made = expose(SlitSpec((300, 500), 24, spacing=8.5, block=8, gap=12.0, sigma=(1.2, 1.4), bend=0.6), snr=30)
    center, u = made.traces.center, np.linspace(-1, 1, 500)

    def said(center):
        return turned_words(made.image, replace(made.traces, center=np.ascontiguousarray(center), coeff=None))

    assert said(center[:, ::-1]) == "mirrored along dispersion"
    for error in (0.3 * u, 0.4 * u**2, -0.5 * u + 0.2 * u**3):
        assert not said(center + error)


def test_fibers_along_x_of_an_unknown_instrument_can_be_told(tmp_path):
    image, traces = image_file(tmp_path, MADE.image.T, "turned.fits"), swapped_file(tmp_path)
    code, metrics = run(tmp_path, image, "--traces", traces, "--dispersion", "y")
    assert code == 0 and metrics["verdict"] == "pass" and metrics["spatial_patterns"]["modes"] == []
    code, metrics = run(tmp_path, image, "--traces", traces, out="seen")  # and are seen where it is not told
    assert code == 0 and metrics["verdict"] == "pass"


@pytest.mark.parametrize("how", ["upside down", "mirrored along dispersion", "upside down and mirrored"])
def test_traces_that_are_swapped_and_turned_are_called_one_after_the_other(tmp_path, how):
    made = expose("small", snr=50, seed=1)
    center = made.image.shape[0] - 1 - made.traces.center if "upside" in how else made.traces.center
    center = np.ascontiguousarray(center[:, ::-1]) if "mirrored" in how else center
    traces = trace_file(tmp_path, replace(made.traces, center=center, coeff=None))
    image = image_file(tmp_path, made.image.T, "turned.fits")
    with pytest.raises(IfuviewError, match=r"swapped.*--swap"):
        run(tmp_path, image, "--traces", traces)
    with pytest.raises(IfuviewError, match=how):
        run(tmp_path, image, "--traces", traces, "--swap")


@pytest.mark.parametrize(("kind", "snr"), [("flat", 30), ("science", 30), ("science", 8)])
def test_light_tells_along_which_axis_fibers_run(kind, snr):
    made = expose("small", kind, snr=snr)
    assert light_runs(made.image) == "x" and light_runs(made.image.T) == "y"
    rng = np.random.default_rng(1)
    assert light_runs(rng.normal(0, 3, (400, 300))) == ""


@pytest.mark.parametrize("spacing", [6.5, 8.8])
def test_a_lamp_of_lines_alone_does_not_tell_along_which_axis_fibers_run(spacing):
    """Its medians along the fibers are dark between lines, those across them are lines: they were taken for fibers."""
    slit = SlitSpec((520, 512), 50, spacing=spacing, block=50, gap=0.0, sigma=(1.7, 2.0), bend=2.0)
    at, x = np.random.default_rng(0).uniform(0, 512, 25), np.arange(512)
    flux = 3000 * np.exp(-0.5 * ((x - at[:, None]) / 1.5) ** 2).sum(axis=0) * np.ones((50, 1))
    made = expose(slit, flux=flux)
    assert light_runs(made.image) != "y" and light_runs(made.image.T) != "x"


def test_wavelengths_in_nm_are_noticed(tmp_path):
    traces, said = in_angstrom(replace(MADE.traces, wave=MADE.traces.wave / 10))
    assert "taken to be nm" in said and np.allclose(traces.wave, MADE.traces.wave)
    assert in_angstrom(MADE.traces) == (MADE.traces, "")
    nm = trace_file(tmp_path, replace(MADE.traces, wave=MADE.traces.wave / 10))
    loaded = load_traces(nm)
    assert np.allclose(np.nanmedian(loaded.wave), np.nanmedian(MADE.traces.wave), rtol=1e-3)
    assert "taken to be nm" in loaded.provenance.notes[-1]
    traces, said = in_angstrom(replace(MADE.traces, wave=MADE.traces.wave / 1e4))
    assert "taken to be um" in said and np.allclose(traces.wave, MADE.traces.wave)


@pytest.mark.parametrize("level", [0.0, 5.0])
def test_an_image_without_light_says_nothing_of_how_traces_lie(level):
    dark = np.random.default_rng(6).normal(level, 3.0, MADE.image.shape)
    assert contrast(dark, MADE.traces) == 0
    assert not turned_words(dark, MADE.traces)
    assert contrast(MADE.image, MADE.traces) > 1.1
