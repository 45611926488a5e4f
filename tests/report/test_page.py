"""The report page: its size, what it says, and that it never leaves half a file."""

from __future__ import annotations

import os
import struct
from dataclasses import replace

import numpy as np
import pytest

from ifuview import report
from ifuview.app.reporting import fiber_report
from ifuview.errors import UsageError
from ifuview.model.frames.report import ImagePanel, PageAxes, Polyline, ReportInput, VerdictLine
from ifuview.model.inspection import CrossSection, FiberInspection, FiberSpectrum, ProfileComponent, TraceQuality
from ifuview.model.orientation import Orientation
from ifuview.model.verdict import Verdict, VerdictState
from ifuview.report import page, words
from tests.app.frames.views import made

RNG = np.random.default_rng(7)


def make_section() -> CrossSection:
    position = np.arange(80.0, 121.0)
    models = [900 * np.exp(-0.5 * ((position - c) / 1.1) ** 2) for c in (93.0, 100.2, 107.1)]
    model = np.sum(models, axis=0) + 20
    error = np.sqrt(model + 9)
    masked = np.zeros(position.size, bool)
    masked[5] = True
    parts = tuple(
        ProfileComponent(str(i), 93.0 + 7 * (i - 16), 0.02, 2500.0, 50.0, 1.1, m) for i, m in zip((16, 17, 18), models)
    )
    counts = RNG.normal(model, error)
    return CrossSection(position, counts, error, masked, 2048, 5, 100.1, (97.5, 102.7), model, parts, 1.03, "electron")


def make_quality() -> TraceQuality:
    column = np.arange(32.0, 4096, 64)
    n = column.size
    err = np.full(n, 0.01)
    nan = np.full(n, np.nan)
    offset = RNG.normal(0.03, err)
    offset[3] = np.nan
    text = "The trace lies 30.0 mpx too low; the offset is 24 sigma and about the same in all columns."
    return TraceQuality(
        "17", column, offset, err, RNG.normal(1.1, 0.01, n), err, np.full(n, 2500.0), np.full(n, 50.0), np.ones(n),
        nan, nan, 0.03, 0.00125, 61.0, n - 1, 24.0, 0.009, Verdict.FAIL, text,
    )  # fmt: skip


def make_spectrum() -> FiberSpectrum:
    pixel = np.arange(4096.0)
    flux = 2500 + 800 * np.exp(-0.5 * ((pixel - 1500) / 4) ** 2) + RNG.normal(0, 50, 4096)
    error = np.full(4096, 50.0)
    error[100:120] = np.inf
    masked = np.zeros(4096, bool)
    masked[100:120] = True
    return FiberSpectrum("17", pixel, 5700 + 0.5 * pixel, flux, error, masked, "optimal", "electron", "frame")


@pytest.fixture(scope="module")
def full() -> ReportInput:
    data = RNG.normal(100, 10, (380, 520)).astype(np.float32)
    data[10:20, 30:60] = np.nan
    x = np.linspace(0, 4095, 60)
    lines = tuple(Polyline(x, y + 20 * (x / 4095) ** 2, selected=y == 2000) for y in np.arange(100.0, 4000, 100))
    quality = make_quality()
    inspection = FiberInspection(1, 16, "17", 2048, make_section(), (make_spectrum(),), quality)
    verdicts = (
        VerdictLine(VerdictState.WRONG, "trace", quality.text),
        VerdictLine(VerdictState.CLEAN, "width", "The profile is 1.10 px wide, as its neighbors are."),
        VerdictLine(VerdictState.LOOK, "flux", "The fiber has 80 % of the light of its neighbors."),
        VerdictLine(VerdictState.NOT_JUDGED, "wavelength", "There are no sky lines in this range."),
    )
    return ReportInput(
        "preproc-r6-00104284, fiber 17",
        "2026-01-01 12:00 UTC",
        ImagePanel(data, (-0.5, 4095.5, -0.5, 4095.5), 80, 130, unit="electron", title="preproc-r6 [IMAGE]"),
        lines,
        inspection,
        verdicts,
        ("data/preproc-r6-00104284.fits.gz", "data/psf-r6-00104284.fits"),
        tuple((f"CARD{i}", f"value {i}") for i in range(12)),
        (("ifuview", "0.1"), ("numpy", "2.0"), ("Python", "3.11")),
        ("The read noise was taken from the header.",),
    )


def png_size(path) -> tuple[int, int]:
    start = path.read_bytes()[:24]
    assert start[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", start[16:24])


def said(report_input) -> str:
    figure = page.draw(report_input)
    texts = [t.get_text() for ax in figure.axes for t in ax.texts]
    titles = [ax.get_title(loc="left") + ax.get_title() for ax in figure.axes]
    labels = [ax.get_xlabel() + " " + ax.get_ylabel() for ax in figure.axes]
    return "\n".join(texts + titles + labels)


def test_the_page_is_2000_px_wide(full, tmp_path):
    path = tmp_path / "report.png"
    report.write(full, path)
    assert png_size(path) == (2000, page.HEIGHT)
    assert [p.name for p in tmp_path.iterdir()] == ["report.png"]


def test_the_page_says_all_in_words(full):
    text = said(full)
    for word in ("WRONG", "24 sigma", "CLEAN", "LOOK", "NOT JUDGED", "psf-r6-00104284.fits", "CARD11", "numpy 2.0",
                 "fiber 17", "wavelength (Å)", "center - trace (px)", "flux (e)", "read noise", "2026-01"):  # fmt: skip
        assert word in text, word


def test_the_axes_are_called_as_the_file_counts(full):
    """Rows of a detector whose fibers run upwards; wavelengths and fibers of extracted spectra."""
    text = said(replace(full, axes=PageAxes("row y 2048", "row y (px)", "fiber (row)")))
    for word in ("fiber 17, row y 2048", "row y (px)", "fiber (row)"):
        assert word in text, word
    assert "column" not in text.replace("all columns", "")
    detector, spectra = (fiber_report.report_input(made.session(current)).axes for current in (1, 2))
    assert (detector.along, detector.across) == ("column (px)", "row y (px)")
    assert (spectra.along, spectra.across) == ("wavelength pixel", "fiber (row)")
    session = made.session(1)
    slot = session.slot()
    turned = replace(slot, image=replace(slot.image, orientation=Orientation(transpose=True)))
    axes = fiber_report._axes(turned, session.inspection)
    assert axes.along == "row y (px)" and axes.place == f"row y {session.inspection.section.column}"


def test_no_text_leaves_its_box_or_hides_another(full):
    long = tuple(VerdictLine(VerdictState.WRONG, f"question {i}", "a long reason " * 12) for i in range(30))
    deep = ("/a/very/deep/folder" * 20 + "/x.fits",) * 20
    crowded = replace(full, verdicts=long, files=deep, title="long " * 60, header=(("KEY", "value " * 40),) * 40)
    with page.style():
        figure = page.draw(crowded)
        figure.canvas.draw()
    for name in ("header", "verdicts", "footer"):
        axes = next(a for a in figure.axes if a.get_label() == name)
        box = axes.get_window_extent()
        extents = [t.get_window_extent() for t in axes.texts]
        assert all(e.x1 <= box.x1 + 4 and e.y0 >= box.y0 - 4 and e.x0 >= box.x0 - 1 for e in extents), name
        for i, a in enumerate(extents):
            assert not any(a.shrunk(0.9, 0.8).overlaps(b.shrunk(0.9, 0.8)) for b in extents[i + 1 :]), name


@pytest.mark.parametrize(
    "changes",
    [
        {"inspection": None, "verdicts": ()},
        {"image": None},
        {"overlay": (), "files": (), "header": (), "versions": (), "notes": ()},
        {"title": "price $5_6^7 ✈ 中文 \n second"},
    ],
)
def test_missing_parts_leave_a_page_that_says_so(full, tmp_path, changes):
    report.write(replace(full, **changes), tmp_path / "r.png")
    assert png_size(tmp_path / "r.png")[0] == 2000


def test_parts_of_an_inspection_may_be_missing(full, tmp_path):
    bare = FiberInspection(1, 16, "17", 2048)
    assert "not measured" in said(replace(full, inspection=bare))
    section = replace(make_section(), error=None, model=None, components=(), trace=np.nan, aperture=(np.nan, np.nan))
    spectrum = replace(make_spectrum(), wave=None, error=None)
    report.write(replace(full, inspection=replace(bare, section=section, spectra=(spectrum,))), tmp_path / "r.png")


def test_other_frames_name_their_unit(full):
    other = replace(make_spectrum(), label="sky", unit="counts/s")
    same = replace(make_spectrum(), label="twin")
    figure = page.draw(replace(full, inspection=replace(full.inspection, spectra=(make_spectrum(), other, same))))
    axes = next(a for a in figure.axes if a.get_label() == "spectrum")
    names = [t.get_text() for t in axes.get_legend().get_texts()]
    assert "sky (counts/s)" in names
    assert "twin" in names


def test_nan_everywhere_is_drawn_too(full, tmp_path):
    nan = np.full(64, np.nan)
    quality = replace(make_quality(), offset=nan, offset_err=nan, sigma=nan, mean_offset=np.nan)
    spectrum = replace(make_spectrum(), flux=np.full(4096, np.nan), error=np.full(4096, np.nan))
    image = ImagePanel(np.full((10, 10), np.nan), (-0.5, 9.5, -0.5, 9.5), 0, 0)
    inspection = replace(full.inspection, quality=quality, spectra=(spectrum,))
    report.write(replace(full, inspection=inspection, image=image), tmp_path / "r.png")


@pytest.mark.parametrize("transfer", ["linear", "log", "sqrt", "squared", "pow", "asinh", "sinh", "histequ"])
def test_every_transfer_keeps_the_limits(full, transfer):
    from ifuview.report.panels import _norm

    norm = _norm(replace(full.image, transfer=transfer))
    assert np.allclose(norm([70.0, 80.0, 130.0, 200.0]), [0, 0, 1, 1])
    middle = float(norm(105.0))
    assert 0 < middle < 1
    assert np.isclose(norm.inverse(middle), 105.0)


def test_colors_of_the_canvas_are_used(full):
    from ifuview.report.panels import _color_map

    table = np.zeros((256, 3), np.uint8)
    table[255] = 255, 128, 0
    assert np.allclose(_color_map(replace(full.image, colors=table))(1.0)[:3], (1, 128 / 255, 0))


def test_unknown_suffix_missing_folder_and_folder_as_name(full, tmp_path):
    with pytest.raises(UsageError, match=r"end the name in \.png"):
        report.write(full, tmp_path / "r.docx")
    with pytest.raises(UsageError, match="does not exist"):
        report.write(full, tmp_path / "none" / "r.png")
    (tmp_path / "d.png").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        report.write(full, tmp_path / "d.png")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(full, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        report.write(full, tmp_path / "r.png")


def test_a_failure_half_way_leaves_the_old_file(full, tmp_path, monkeypatch):
    path = tmp_path / "r.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nold")

    def broken(src, dst):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page.os, "replace", broken)
    with pytest.raises(UsageError, match="No space left"):
        report.write(full, path)
    assert path.read_bytes().endswith(b"old")
    assert [p.name for p in tmp_path.iterdir()] == ["r.png"]


def test_plain_text_has_no_line_breaks_and_no_unknown_glyphs():
    assert words.plain("a\n b\tÅ 中") == "a b Å ?"


def test_an_image_of_which_no_fiber_was_asked_has_the_page_and_its_shape():
    panel = ImagePanel(np.zeros((40, 60), np.float32), (-0.5, 59.5, -0.5, 39.5), 0, 1, square=True)
    found = FiberInspection(1, -1, "", 0)
    figure = page.draw(ReportInput("cube", "2026-11-28", image=panel, inspection=found))
    names = {axes.get_label() for axes in figure.axes}
    assert "image wide" in names and "section" not in names and "spectrum" not in names
    image = next(axes for axes in figure.axes if axes.get_label() == "image wide")
    image.apply_aspect()
    box = image.get_position()
    assert box.width * page.WIDTH / (box.height * page.HEIGHT) == pytest.approx(60 / 40, rel=0.01)
    assert not [text for text in image.texts if text.get_text().startswith("fiber")]


@pytest.mark.parametrize(("ny", "kind"), [(30, "wide"), (60, "alone"), (200, "alone")])
def test_a_wide_image_that_stands_alone_takes_the_page_and_its_bar_is_as_high(ny, kind):
    panel = ImagePanel(np.zeros((ny, 60), np.float32), (-0.5, 59.5, -0.5, ny - 0.5), 0, 1, square=True)
    figure = page.draw(ReportInput("amplifier", "2026-12-01", image=panel))
    place = {axes.get_label(): axes.get_position() for axes in figure.axes}
    image, bar = place[f"image {kind}"], place[f"colorbar {kind}"]
    assert (bar.y0, bar.height) == pytest.approx((image.y0, image.height), abs=0.002)
    text = place[f"verdicts {kind}"]
    assert text.y1 < image.y0 if kind == "wide" else text.x0 > bar.x1
