"""The report page of a photon list: its selections and their light in place of fibers."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from ifuview.app.photons.views import light_report
from ifuview.app.reporting.fiber_report import card_words, report_input
from ifuview.app.reporting.headless import make_session, prepared, write_report
from ifuview.engine.context import SILENT
from ifuview.io.photons.lists.write import write_photons
from ifuview.model.photons.lists import PhotonCut
from ifuview.model.verdict import VerdictState
from ifuview.report import page
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.faults import lit
from ifuview.simulate.photons.lists import simulate_photons
from ifuview.simulate.photons.scene import Scene
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
    assert not report.plots  # a page has no empty boxes
    page.write_png(report, tmp_path / "none.png")


def test_light_of_another_selection_is_not_printed(state):
    moved = replace(state, selection=replace(state.selection, x=1.0))
    assert not report_input(moved).plots


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


def test_the_page_of_a_list_begins_with_the_worst_that_was_found_in_it(tmp_path):
    """Judged for the page; the planted pixels are named, framed in the image and shown in the evidence."""
    array = make_array((20, 16), dead=0, cold=0, hot=0, unsolved=0, seed=2)
    photons = simulate_photons(array=array, duration=6.0, scene=Scene(constant=2.0, speckle=0.5, sky=80.0), seed=1)[0]
    hot = [(3, 5), (12, 9)]
    write_photons(tmp_path / "hot.h5", lit(photons, hot, 3000.0))
    session = make_session([str(tmp_path / "hot.h5")])
    assert not session.headless and session.slot().photons.judged is None
    report = report_input(prepared(session))
    first = report.verdicts[0]
    assert first.verdict is VerdictState.WRONG and "hot pixel" in first.title
    assert all(f"{x},{y}" in first.text for x, y in hot)
    assert report.evidence is not None and not report.plots
    (marks,) = report.overlay
    boxes = np.column_stack([marks.x, marks.y]).reshape(-1, 6, 2)
    middles = {tuple(np.nanmean(box[:4], axis=0).round().astype(int)) for box in boxes}
    assert set(hot) <= middles
    levels = [tuple(VerdictState).index(line.verdict) for line in report.verdicts]
    assert levels == sorted(levels)
