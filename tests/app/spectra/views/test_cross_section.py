from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.session import Session
from ifuview.app.spectra.views import cross_section as view
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.report.spectra.section import fitted_model, residual
from tests.app.frames.views import made


def test_nothing_open_gives_nothing():
    assert view.make(Session()) is None
    assert view.hover(Session(), 1, 3, 3) is None


def test_before_a_click_there_is_a_hint():
    made_view = view.make(made.session(inspected=False))
    assert made_view.section is None
    assert "click a fiber" in made_view.hint


def test_residual_leaves_masked_pixels_out_and_is_zero_for_an_exact_model():
    shown = view.make(made.session())
    left, model = residual(shown.section), fitted_model(shown.section)
    assert np.array_equal(shown.residual.curves[0].y, left, equal_nan=True)
    assert np.isnan(left[0])
    fitted = np.isfinite(left)
    # beyond three sigma of the outermost fitted fibers the model lacks the light of their neighbors
    assert fitted.sum() > 25
    assert np.abs(left[fitted]).max() < 0.5
    assert np.abs(left[8:-8]).max() < 1e-3
    assert np.isnan(model[-1]) == (shown.section.position[-1] > made.centers()[7, 100] + 3 * made.SIGMA)


def test_summary_names_the_clicked_fiber_and_its_offset_from_the_trace():
    shown = view.make(made.session())
    assert shown.title.startswith("Fiber 505, column 100")
    assert "-0.100 ± 0.01 px" in shown.summary
    assert "6000" in shown.summary


def test_a_masked_cosmic_ray_does_not_stretch_the_range():
    lo, hi = view.make(made.session()).figure.y.range
    peak = made.section().model.max()
    assert lo < 0 < peak < hi < 1.5 * peak


def test_an_unmasked_cosmic_ray_does_not_stretch_the_range_much():
    session = made.session()
    section = replace(session.inspection.section, masked=np.zeros(33, bool))
    session = replace(session, inspection=replace(session.inspection, section=section))
    _, hi = view.make(session).figure.y.range
    assert hi < 3 * section.model.max()


def test_hover_gives_the_column_under_the_cursor():
    session = made.session()
    cut = view.hover(session, 1, 57.2, 46.9)
    (curve,) = cut.figure.curves
    assert curve.x[0] == 47 - view.HALF_WIDTH - 0.5
    assert np.array_equal(curve.y[::2], made.canonical_image()[17:78, 57])
    assert [rule.at for rule in cut.figure.rules] == [pytest.approx(made.centers()[5, 57]), 47.0]
    assert cut.text == "Fiber 505, column 57, 6028.5 Å"


def test_hover_takes_the_running_median():
    image = made.canonical_image()
    image[47, 57] = 1e6
    session = replace(made.session(), section_columns=5)
    session = session.with_slot(made.replace_pixels(session.slot(1), image))
    assert view.hover(session, 1, 57, 47).ghost.y.max() < 1e4


def test_hover_over_spectra_runs_across_the_fibers():
    cut = view.hover(made.session(current=2), 2, 50, 3)
    assert np.allclose(cut.ghost.y[::2], 100.0 * (1 + np.arange(made.NFIBER)))
    assert cut.figure.x.label == "Fiber (row)"


def test_hover_over_a_cube_or_outside_gives_nothing():
    session = made.session()
    assert view.hover(session, 3, 2, 2) is None
    assert view.hover(session, 1, -5, 2) is None


def test_a_closed_frame_takes_its_section_away():
    session = made.session()
    session = session.with_slots(s for s in session.slots if s.key != 1)
    assert view.make(session.showing(2)).section is None


@pytest.mark.parametrize("transpose", [False, True])
def test_pixels_are_counted_as_the_file_does(transpose):
    """The cut and the fit of a flipped detector, mirrored: the counts of each native pixel stand at its number."""
    lies = Orientation(transpose=transpose, flip_cross=True, flip_disp=True)
    plain = made.session()
    slot = plain.slot()
    canonical = np.asarray(slot.image.pixels.raw)
    native = canonical[::-1, ::-1]
    pixels = Pixels(np.ascontiguousarray(native.T if transpose else native))
    image = replace(slot.image, pixels=pixels, mask=None, ivar=None, orientation=lies)
    flipped = plain.with_slot(replace(slot, image=image))
    a, b = view.make(plain), view.make(flipped)
    top = canonical.shape[0] - 1
    assert b.figure.x.range == pytest.approx((top - a.figure.x.range[1], top - a.figure.x.range[0]))
    one, other = ({c.label: c for c in shown.figure.curves} for shown in (a, b))
    known = np.isfinite(one["counts"].y)
    assert np.array_equal(other["counts"].y[::-1][known], one["counts"].y[known])
    assert other["counts"].x[::-1] == pytest.approx(top - one["counts"].x)
    assert b.residual.x.label == ("Column x (px)" if transpose else "Row y (px)")
    assert "+0.100 ± 0.01 px" in b.summary and "-0.100 ± 0.01 px" in a.summary
    x, y = (float(v) for v in lies.to_native(47.0, 57.0, image.shape))
    cut = view.hover(flipped, 1, x, y)
    (curve,) = cut.figure.curves
    place = x if transpose else y
    at = int(np.flatnonzero(curve.x[::2] == place - 0.5)[0])
    assert curve.y[::2][at] == canonical[47, 57]
    assert cut.figure.rules[-1].at == place
