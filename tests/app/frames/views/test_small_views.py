"""Focal plane, header, pixel table, graphs, jobs, messages, frames, limits and line marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.frames.views import frames, header, jobs, limits, messages, pixel_table, text
from ifuview.app.jobs import JobStatus
from ifuview.app.session import Session
from ifuview.app.spectra.views import cross_section, fiber_table, focal_plane, graphs, linemarks, spectrum
from ifuview.app.traces.views import trace_quality
from ifuview.model.fibers import FiberMap
from ifuview.model.orientation import Orientation
from tests.app.frames.views import made

VIEWS = (cross_section, fiber_table, focal_plane, frames, graphs, header, jobs, limits, messages, pixel_table, spectrum,
         trace_quality)  # fmt: skip


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.__name__.rsplit(".", 1)[-1])
@pytest.mark.parametrize("current", [1, 2, 3])
def test_views_stand_for_every_kind_and_depend_on_what_they_say(view, current):
    session = made.session(current)
    view.make(session)
    assert view.inputs(session) == view.inputs(replace(session, recent=("other",)))
    view.make(Session())
    view.inputs(Session())


# focal plane


def test_positions_and_choices_of_the_focal_plane():
    shown = focal_plane.make(made.session())
    assert shown.choices == ("role", "bundle", "throughput", "FLUX_R", "STATUS_WORD")
    assert focal_plane.nearest(shown, *shown.x[[3]], *shown.y[[3]]) == 3
    assert "503 (sky)" in focal_plane.describe(shown, 3)


def test_unknown_values_have_no_shade_and_the_range_is_robust():
    shown = focal_plane.make(made.session())
    shades = focal_plane.shades(shown, "FLUX_R")
    assert shades.index[5] == -1
    assert shades.index[0] == focal_plane.COLORS - 1
    assert focal_plane.shades(shown, "role") is None


def test_sky_positions_serve_where_the_focal_plane_is_unknown():
    slot = made.detector()
    where = FiberMap(fiber=np.arange(2), ra=np.array([10.0, 11.0]), dec=np.array([60.0, 60.0]))
    slot = replace(slot, image=replace(slot.image, fibermap=where))
    shown = focal_plane.make(Session((slot,), 1))
    assert shown.mirror
    assert shown.stretch == pytest.approx(2.0)
    slot = replace(slot, image=replace(slot.image, fibermap=FiberMap(fiber=np.arange(2))))
    assert focal_plane.make(Session((slot,), 1)) is None


# header


def test_header_lists_hdus_and_marks_the_shown_one():
    shown = header.make(made.session())
    assert [header.title(h) for h in shown.hdus] == ["[0] IMAGE", "[1] IVAR", "[2] FIBERMAP", "[3]"]
    assert [header.shape_text(h) for h in shown.hdus] == ["240 × 100", "240 × 100", "12 rows", "no data"]
    assert [header.can_show(h) for h in shown.hdus] == [True, True, False, False]
    assert shown.shown == 0


def test_header_search_takes_all_words_in_any_place():
    cards = made.dataset().hdus[0].cards
    assert [c[0] for c in header.find(cards, "exposure 900")] == ["EXPTIME"]
    assert header.find(cards, "nothing") == []
    assert header.card_text(cards[1]) == "EXPTIME = 900.0 / [s] exposure time"
    assert header.card_text(cards[0]) == "SIMPLE = T / standard"


def test_an_image_without_listed_hdus_shows_its_own_header():
    assert header.make(made.session(current=3)).hdus[0].shape == (30, 5, 7)


# pixel table


@pytest.mark.parametrize("orientation", [Orientation(), Orientation(True, False, True)])
def test_pixel_table_has_the_highest_y_on_top_and_marks_the_mask(orientation):
    slot = made.detector(orientation=orientation)
    x, y = (int(v) for v in orientation.to_native(30, 100, slot.image.shape))
    shown = pixel_table.hover(Session((slot,), 1), 1, x + 0.3, y)
    native = slot.image.pixels.raw
    half = pixel_table.LARGEST // 2
    assert (shown.x, shown.y) == (x, y)
    assert shown.values[half, half] == native[y, x]
    assert shown.values[half - 1, half + 1] == native[y + 1, x + 1]
    assert shown.masked[half, half]
    assert "COSMIC" in shown.text


def test_pixel_table_is_empty_beyond_the_edge():
    shown = pixel_table.hover(made.session(), 1, 0, 0)
    assert not shown.inside[-1].any()
    assert np.isnan(shown.values[-1]).all()
    assert pixel_table.crop(shown, 3).values.shape == (3, 3)
    assert pixel_table.hover(made.session(), 1, -3, 0) is None


@pytest.mark.parametrize(
    ("value", "word"), [(3.0, "3"), (3.25, "3.25"), (123.46, "123.5"), (1e7, "1.00e+07"), (2e-5, "2.00e-05")]
)
def test_pixel_values_are_short(value, word):
    assert pixel_table.cells(np.array([[value]]))[0][0] == word


# graphs


def test_row_and_column_pass_through_the_cursor():
    session = made.session()
    shown = graphs.hover(session, 1, 50, 20)
    image = made.canonical_image()
    (row,), (column,) = shown.row.curves, shown.column.curves
    assert np.array_equal(row.y, image[20])
    assert np.array_equal(column.y, image[:, 50])
    assert np.array_equal(column.x, np.arange(made.NCROSS))
    assert (shown.row.rules[0].at, shown.column.rules[0].at) == (50, 20)


def test_a_very_tall_column_is_thinned_but_keeps_the_cursor(monkeypatch):
    monkeypatch.setattr(graphs, "COLUMN_READS", 30)
    shown = graphs.hover(made.session(), 1, 50, 21)
    (column,) = shown.column.curves
    assert 21 in column.x
    assert column.x.size == 25
    assert np.array_equal(column.y, made.canonical_image()[column.x, 50])


# jobs and messages


def test_active_jobs_come_first_and_quiet_ones_are_left_out():
    shown = jobs.make(made.session(), made.job_book())
    assert [r.id for r in shown.rows] == [2, 5, 4, 1]
    assert shown.active == 2
    assert shown.rows[0].text == "running: quality"
    assert shown.rows[0].percent == 40
    assert shown.rows[2].status is JobStatus.FAILED


def test_messages_come_newest_first_and_copy_oldest_first():
    shown = messages.make(made.session())
    assert [r.text for r in shown.rows] == ["second", "first"]
    assert shown.rows[1].clock == ""
    words = messages.as_text(shown.rows)
    assert words.splitlines()[0] == "info: first"
    assert words.splitlines()[-1] == "    line 2"


# frames


def test_frames_name_their_kind_and_the_planes_of_a_cube():
    shown = frames.make(made.session(current=3))
    assert [r.subtitle for r in shown.rows] == [
        "detector image, 240 × 100",
        "row-stacked spectra, 240 × 12",
        "cube, 7 × 5 × 30",
    ]
    assert shown.axes[0].text == "Plane 12 of 30, 4022.00 Å"
    assert frames.make(made.session()).axes == ()
    assert frames.make(Session()).rows == ()


def test_frames_change_with_a_look_but_not_with_a_view():
    session = made.session()
    slot = session.slot(1)
    moved = session.with_slot(replace(slot, view=replace(slot.view, zoom=3.0)))
    assert frames.inputs(session) == frames.inputs(moved)
    colored = session.with_slot(replace(slot, look=replace(slot.look, cmap="heat")))
    assert frames.inputs(session) != frames.inputs(colored)


# limits


def test_histogram_spans_the_bulk_and_the_limits():
    values = np.random.default_rng(1).normal(100, 10, 20_000)
    edges, counts = limits.histogram(values, 50.0, 300.0)
    assert edges[0] < 50
    assert edges[-1] > 300
    assert abs(edges[counts.argmax()] - 100) < 10
    assert limits.histogram(np.empty(0), None, None)[1].sum() == 0
    assert np.isfinite(limits.histogram(np.full(9, 3.0), None, None)[0]).all()


def test_the_limits_and_their_surroundings_are_shown_first():
    session = made.session()
    slot = session.slot(1)
    session = session.with_slot(replace(slot, look=replace(slot.look, lo=100.0, hi=200.0)))
    assert limits.make(session).figure.x.range == (pytest.approx(40.0), pytest.approx(340.0))
    limits.make(Session())


def test_a_mode_asks_for_new_limits_and_a_drag_sets_them():
    look = Look(lo=1.0, hi=2.0)
    assert limits.with_mode(look, LimitMode.PERCENTILE, 95.0) == replace(
        look, limit_mode=LimitMode.PERCENTILE, percent=95.0, lo=None, hi=None
    )
    assert limits.with_mode(look, LimitMode.USER).lo == 1.0
    assert limits.with_limits(look, 9.0, 3.0) == replace(look, limit_mode=LimitMode.USER, lo=3.0, hi=9.0)


def test_the_sample_is_kept_while_the_image_is_open():
    session = made.session()
    limits.make(session)
    kept = limits._samples[-1][2]
    limits.make(session)
    assert limits._samples[-1][2] is kept
    limits.make(Session())
    assert limits._samples == []


def test_mask_bits_are_named_and_steps_are_round():
    shown = limits.make(made.session())
    assert [b[1] for b in shown.bits] == ["BADPIX", "COSMIC"]
    assert limits.make(made.session(current=3)).bits == ()
    assert shown.step in (1.0, 10.0, 100.0)
    limits.make(Session())


# line marks and numbers


def test_line_lists_are_read_with_commas_or_blanks():
    lines = linemarks.parse("# sky\nwave,ion,weight\n5578.89, O I, 10\n6302.05 OI 3\nnonsense\n")
    assert [(line.wave, line.label, line.weight) for line in lines] == [(5578.89, "O I", 10.0), (6302.05, "OI", 3.0)]


def test_the_strongest_lines_stay(monkeypatch):
    many = tuple(linemarks.LineMark(5000.0 + i, "X", float(i)) for i in range(100))
    monkeypatch.setattr(linemarks, "_load", lambda: many)
    shown = linemarks.sky_lines(5000, 6000, limit=3)
    assert [line.wave for line in shown] == [5097.0, 5098.0, 5099.0]
    assert linemarks.sky_lines(100, 200) == ()


def test_names_of_lines_keep_their_distance_and_the_strongest_has_one():
    lines = tuple(linemarks.LineMark(w, "X", k) for w, k in ((100.0, 1.0), (104.0, 9.0), (109.0, 2.0), (115.0, 3.0)))
    assert linemarks.spaced(lines, 10.0) == {1, 3}
    assert linemarks.spaced((), 10.0) == set()


def test_the_installed_sky_lines_hold_the_oxygen_line_in_vacuum():
    found = linemarks.sky_lines(5575.0, 5582.0)
    assert any(abs(line.wave - 5578.89) < 0.1 for line in found)


def test_lines_are_marked_in_air_where_the_spectrum_is(monkeypatch):
    # NIST: [O III] 5008.240 in vacuum is 5006.843 in air; H alpha 6564.632 (mean) is 6562.819; [O I] 5578.887, 5577.339
    for vacuum, air in ((5008.240, 5006.843), (6564.632, 6562.819), (5578.887, 5577.339)):
        assert linemarks.in_air(vacuum) == pytest.approx(air, abs=2e-3)
    assert linemarks.in_air(1215.67) == 1215.67
    monkeypatch.setattr(linemarks, "_load", lambda: (linemarks.LineMark(5578.887, "[O I]"),))
    monkeypatch.setattr(linemarks, "_list", lambda name: (linemarks.LineMark(5008.240, "[O III]"),))
    assert [line.wave for line in linemarks.sky_lines(5000, 6000)] == [5578.887]
    assert linemarks.sky_lines(5000, 6000, medium="air")[0].wave == pytest.approx(5577.339, abs=2e-3)
    z = 0.1
    (line,) = linemarks.rest_lines("galaxy", 5000, 6000, z, "air")
    assert line.wave == pytest.approx(linemarks.in_air(5008.240 * (1 + z)))
    assert linemarks.rest_lines("galaxy", 5000, 6000, z)[0].wave == pytest.approx(5008.240 * (1 + z))


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [(1.23456, 0.0123, "1.235 ± 0.012 px"), (1234.5, 67.0, "1234 ± 67 px"), (1.5, float("nan"), "1.5 px")],
)
def test_values_are_rounded_by_their_errors(value, error, words):
    assert text.with_error(value, error, "px") == words
    assert text.quantity(float("nan"), "px") == "–"
