"""The report of a diagnosis: which files, what they say, that nothing from outside gets into the page unescaped."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.errors import UsageError
from ifuview.model.traces.findings import fiber_words, findings
from ifuview.model.verdict import Verdict
from ifuview.report.page import as_png
from ifuview.report.traces import image as doctor_image
from ifuview.report.traces.doctor import FIGURES, write_doctor
from ifuview.report.traces.doctor_report import DPI, SIZE, DoctorReport, style
from ifuview.report.traces.maps import draw_residual
from ifuview.report.traces.plots import _worst, comb_residual, draw_impact
from tests.report.traces import made_doctor as made


@pytest.fixture(scope="module")
def report() -> DoctorReport:
    found = made.diagnosis()
    inputs = (("image", "<i>flat</i>.fits", "0" * 64), ("traces", "psf.fits", "1" * 64))
    return DoctorReport(found, made.image(found), inputs=inputs, created="2026-11-21", version="0")


@pytest.fixture(scope="module")
def folder(report: DoctorReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    out.joinpath("written").write_text("\n".join(write_doctor(report, out)))
    return out


def test_all_files_are_written_and_nothing_else(folder: Path) -> None:
    listed = folder.joinpath("written").read_text().split("\n")
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"written"}
    assert set(listed) == there
    assert {"report.html", "report.pdf"} | {f"figures/{entry.name}.png" for entry in FIGURES} <= there
    assert {f"figures/fiber_{n}.png" for n in (503, 505, 507)} <= there
    assert folder.joinpath("report.pdf").read_bytes().startswith(b"%PDF")


def test_the_page_is_one_file_that_starts_with_the_verdict(folder: Path, report: DoctorReport) -> None:
    page = folder.joinpath("report.html").read_text()
    assert not re.search(r"(src|href)=\"(?!data:)", page) and "url(" not in page and "@import" not in page
    order = [page.index(text) for text in ("WRONG", report.diagnosis.sentence, "Most important", "Swapped fibers",
                                           "What to do", "Use the corrected traces.", "All findings")]  # fmt: skip
    assert order == sorted(order)
    assert page.count("<img") == page.count('alt="') == len(FIGURES) + 4


def test_text_from_outside_is_escaped(folder: Path) -> None:
    page = folder.joinpath("report.html").read_text()
    own = page.count("<script")  # the values of each figure, and what reads them
    assert own == page.count("</script>") == page.count("<img") + 1 and "&lt;script&gt;" in page
    assert "<i>flat" not in page and "&lt;i&gt;flat" in page


def test_a_clean_diagnosis_says_so(tmp_path: Path) -> None:
    write_doctor(DoctorReport(made.diagnosis(clean=True)), tmp_path, ["html"])
    page = tmp_path.joinpath("report.html").read_text()
    assert "CLEAN" in page and "Nothing: the traces can be used as they are." in page
    assert page.count("<img") == len(FIGURES) - 1  # no image was given


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    found = made.diagnosis(clean=True)
    nothing = np.full(found.offset.shape, np.nan)
    bare = replace(
        found, offset=nothing, offset_err=nothing, flux=nothing, width=nothing, correlation=None, impact=None,
        crosstalk=None, modes=(), trouble=(), verdict=Verdict.NOT_MEASURED, sentence="There was no light.", given=None,
    )  # fmt: skip
    assert set(write_doctor(DoctorReport(bare), tmp_path, ["pdf", "html"])) == {"report.pdf", "report.html"}
    assert "NOT JUDGED" in tmp_path.joinpath("report.html").read_text()


def test_one_fiber_without_wavelengths_is_enough(tmp_path: Path) -> None:
    found = made.diagnosis(1, clean=True)
    write_doctor(DoctorReport(replace(found, wave=None), np.zeros((20, 240), np.float32)), tmp_path)


def test_bad_places_and_formats_are_told(report: DoctorReport, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="docx"):
        write_doctor(report, tmp_path, ["docx"])
    with pytest.raises(UsageError, match="another folder"):
        write_doctor(report, tmp_path / "none", ["html"])
    assert not list(tmp_path.iterdir())


def test_findings_are_worst_first_and_neighbors_are_one() -> None:
    found = findings(made.diagnosis())
    assert [f.kind for f in found] == ["swapped", "dead", "shift", "block_shift", "kink", "cosmics"]
    assert found[0].fibers == (made.SWAPPED, made.SWAPPED + 1)
    assert found[-1].verdict is Verdict.PASS and found[-1].group == "frame"


def test_a_fiber_out_of_the_comb_stands_out_alone() -> None:
    position = 10 + 8.0 * np.arange(25) + 0.01 * np.arange(25) ** 2
    position[7] += 0.5
    rest = comb_residual(np.concatenate([position, position + 220]), np.repeat([0, 1], 25))
    np.testing.assert_allclose(rest[[7, 32]], 0.5, atol=1e-6)
    np.testing.assert_allclose(np.delete(rest, [7, 32]), 0, atol=1e-6)


def test_an_image_without_values_and_traces_beyond_it_are_drawn() -> None:
    from matplotlib.figure import Figure

    found = made.diagnosis()
    for image in (np.full((110, 240), np.nan, np.float32), np.zeros((30, 240), np.float32)):
        figure = Figure()
        assert doctor_image.draw(figure, DoctorReport(found, image))
        figure.canvas.draw()


def test_the_worst_loss_of_fibers_that_lose_most_is_drawn() -> None:
    """The error of a loss grows with the offset: those that lose most are not the uncertain ones."""
    loss, error = np.full((100, 20), 1e-4), np.full((100, 20), 5e-5)
    loss[40:60], error[40:60] = 0.015, 3e-4
    loss[5, 3], error[5, 3] = 0.01, 0.02  # a column that tells nothing
    worst, _ = _worst(loss, error)
    assert np.all(worst[40:60] == 0.015) and worst[5] == 1e-4


def test_names_that_say_fiber_are_not_said_twice() -> None:
    assert fiber_words("fiber_012") == "fiber_012" and fiber_words("12") == "fiber 12"
    assert fiber_words("3037 [row 37]", "Fiber") == "Fiber 3037 [row 37]"


@pytest.mark.parametrize("draw", [draw_residual, draw_impact])
def test_no_label_is_cut_at_the_edge_of_a_picture(report: DoctorReport, draw) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI)
    with style():
        assert draw(figure, report)
        as_png(figure)
    width, height = figure.bbox.size
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
