"""The report page of a photon list: its selections and their light in place of fibers."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from ifuview.app.photons.views import light_report
from ifuview.app.reporting.fiber_report import card_words, report_input
from ifuview.app.reporting.headless import write_report
from ifuview.engine.context import SILENT
from ifuview.model.photons.lists import PhotonCut
from ifuview.report import page
from tests.app.photons.views.made_light import BOX, CIRCLE, session


@pytest.fixture(scope="module")
def state():
    return light_report.with_light(session(CIRCLE, BOX), SILENT)


def test_the_page_has_the_plots_of_all_selections(state):
    report = report_input(state)
    assert [panel.title.split(",")[0] for panel in report.plots] == [
        "Light curve", "Spectrum", "Intensity histogram", "Inter-arrival times",
    ]  # fmt: skip
    assert len([c for c in report.plots[1].curves if c.stroke]) == 3
    assert len(report.overlay) == 4  # a cross, a circle, a box
    assert [text.split(" ")[0] for _, text in report.selections] == ["Photons", "pixel", "1:", "2:"]
    assert report.plots[3].curves[0].x.min() > 0
    figure = page.draw(report)
    axes = {a.get_label(): a for a in figure.axes}
    assert len(axes["plot 2"].lines) >= 3
    assert axes["plot 4"].get_xscale() == "log"
    assert "section" not in axes


def test_it_is_counted_when_the_window_had_not_done_so(tmp_path):
    path = write_report(session(CIRCLE), str(tmp_path / "light.png"))
    assert matplotlib.image.imread(path).shape[1] == page.WIDTH


def test_without_a_selection_the_page_says_so(tmp_path):
    report = report_input(session(pixel=None))
    assert "No pixel" in report.selections[-1][1]
    assert all(not panel.curves for panel in report.plots)
    page.write_png(report, tmp_path / "none.png")


def test_light_of_another_selection_is_not_printed(state):
    moved = replace(state, selection=replace(state.selection, x=1.0))
    assert all(not panel.curves for panel in report_input(moved).plots)


def test_the_cut_is_told():
    assert light_report.cut_text(PhotonCut(), "nm") == "Photons from 0 s to the end, all values"
    told = light_report.cut_text(PhotonCut(1, 2.5, 800, None, weighted=True), "nm")
    assert told == "Photons from 1 s to 2.5 s, 800 nm to any, weighted"


def test_a_turned_box_is_outlined_turned():
    x, y = light_report._curve(replace(BOX, angle=90.0))
    assert np.ptp(x) == pytest.approx(BOX.size[1])
    assert np.ptp(y) == pytest.approx(BOX.size[0])


def test_a_header_value_that_changes_in_time_is_its_span():
    assert card_words({"times": [1.0, 2.0, 3.0], "values": [1.021, 1.022, 1.024]}) == "1.021 to 1.024"
    assert card_words({"times": [1.0], "values": ["dark"]}) == "dark"
    assert card_words(" sky ") == "sky"
