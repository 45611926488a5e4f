"""The light of selections: counted right, drawn right, said right."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table

from ifuview.app.frames.state import Made
from ifuview.app.photons import light
from ifuview.app.photons.state import LightOptions
from ifuview.app.photons.views import light as pure
from ifuview.app.photons.views import light_figure, light_lines, light_text
from ifuview.app.photons.views.light import How, LightPart
from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled, UsageError
from ifuview.model.figure import DASHED, DOTTED, SOLID, Curve, logarithmic
from ifuview.model.photons.lists import PhotonColumn, PhotonCut
from ifuview.model.region import Region, Shape
from tests.app.photons.views.made_light import (
    BOX,
    CIRCLE,
    DURATION,
    NX,
    NY,
    SKY,
    STAR,
    STAR_AT,
    counted,
    photon_list,
    session,
)


@pytest.fixture(scope="module")
def source():
    return photon_list()


def test_pixel_circle_and_box_are_counted_side_by_side(source):
    state = counted(session(CIRCLE, BOX, source=source))
    pixel, circle, box = state.lights.found
    rows = source.resonator == STAR_AT[1] * NX + STAR_AT[0]
    assert pixel.curve.counts.sum() == rows.sum()
    assert pixel.histogram.mean == pytest.approx(rows.sum() / 1000)
    assert box.aperture.area == 8
    y, x = np.divmod(source.resonator, NX)
    assert box.curve.counts.sum() == np.isin(x, (1, 2, 3, 4)).astype(int) @ np.isin(y, (2, 3))
    rate = circle.curve.net.sum() / DURATION
    assert rate == pytest.approx(STAR, abs=4 * np.sqrt((STAR + 2 * SKY * CIRCLE.size[0] ** 2 * np.pi) / DURATION))
    assert circle.spectrum.net.sum() == pytest.approx(circle.curve.net.sum())
    assert circle.notes == ()


def test_background_is_subtracted_only_when_asked(source):
    asked = light.request(session(CIRCLE, pixel=None, source=source, background=False))
    (one,) = light.count(asked).found
    assert one.curve.background.sum() == 0
    frame = session(CIRCLE).slots[0].photons
    assert frame.rings(LightOptions(background=False)) is None
    assert frame.rings(None) == (1.5, 2.5)


def test_the_cut_is_obeyed_and_photons_are_read_once(source):
    reads = []

    class Counting:
        info = source.info

        def photons_of(self, resonators, *, weight=False):
            reads.append(len(resonators))
            return source.photons_of(resonators, weight=weight)

    spy, kept = Counting(), light.Kept()
    for start in (0.0, 2.0, 4.0):
        state = session(source=spy, cut=PhotonCut(start=start, stop=start + 2, low=900, high=1000))
        (one,) = light.count(light.request(state), kept).found
        rows = source.resonator == STAR_AT[1] * NX + STAR_AT[0]
        rows &= (source.time >= start * 1e6) & (source.time < (start + 2) * 1e6)
        rows &= (source.value >= 900) & (source.value < 1000)
        assert one.curve.counts.sum() == rows.sum()
        assert one.curve.exposure.sum() == pytest.approx(2)
    assert reads == [1]


def test_too_many_photons_are_not_kept_and_their_intervals_are_said_to_be_missing(source, monkeypatch):
    monkeypatch.setattr(light, "MOST_HELD", 100)
    (one,) = light.count(light.request(session(source=source))).found
    assert one.curve.counts.sum() > 100
    assert one.intervals is None
    assert "inter-arrival" in one.notes[0]


def test_kept_photons_are_bounded_and_belong_to_one_source(source, monkeypatch):
    monkeypatch.setattr(light, "MOST_KEPT", 5000)
    kept = light.Kept()
    light.count(light.request(session(CIRCLE, BOX, source=source)), kept)
    assert sum(len(h) for h in kept._held.values()) <= 5000
    light.count(light.request(session(source=photon_list())), kept)
    assert len(kept._held) == 1


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (Region(Shape.BOX, ((2.0, 2.0),), (4.0, 4.0), angle=30), "angle"),
        (Region(Shape.BOX, ((2.5, 2.5),), (0.4, 0.4)), "center"),
        (Region(Shape.CIRCLE, ((-50.0, 2.0),), (2.0,)), "no usable pixel"),
    ],
)
def test_what_cannot_be_measured_says_why(region, words):
    state = counted(session(region, pixel=None))
    (one,) = state.lights.found
    assert one.curve is None
    assert words in one.notes[0]
    view = pure.make(state)
    assert words in light_text.notes(view)
    assert all(light_lines.lines(view, part) == () for part in LightPart)


def test_a_flagged_pixel_is_measured_when_pointed_at_and_left_out_of_regions():
    flags = np.zeros((NY, NX), np.uint64)
    flags[STAR_AT[1], STAR_AT[0]] = 1  # hot
    pixel, circle = counted(session(CIRCLE, source=photon_list(flags=flags))).lights.found
    assert pixel.photons > 3000
    assert circle.photons < 3000
    assert circle.aperture.dropped == pytest.approx(1)
    assert "left out" in light_text.summary(circle)


def test_only_boxes_and_circles_are_measured_and_not_endlessly_many():
    line = Region(Shape.LINE, ((0.0, 0.0), (3.0, 3.0)))
    assert light.request(session(line, pixel=None)) is None
    state = counted(session(*[BOX] * (light.MOST + 2)))
    assert len(state.lights.found) == light.MOST
    assert "3 more regions" in light_text.notes(pure.make(state))


def test_a_crosshair_beside_the_array_is_no_selection():
    assert light.request(session(pixel=(NX, 3))) is None


def test_the_view_is_stale_exactly_when_something_else_is_selected(source):
    state = counted(session(CIRCLE, source=source))
    assert not pure.make(state).stale
    frame = state.slots[0].photons
    changes = (
        replace(state, selection=replace(state.selection, x=1.0)),
        replace(state, light=LightOptions(width=1.0)),
        state.with_slot(replace(state.slots[0], regions=())),
        state.with_slot(replace(state.slots[0], photons=frame.with_cut(stop=3.0))),
        state.with_slot(replace(state.slots[0], photons=replace(frame, source=photon_list()))),
    )
    for changed in changes:
        assert pure.make(changed).stale
        assert pure.make(changed).found == state.lights.found
        assert pure.inputs(changed) != pure.inputs(state)
    assert not pure.make(state.with_slot(replace(state.slots[0], photons=replace(frame, image=None)))).stale


def test_hints_say_how_to_fill_the_dock(source):
    assert pure.make(replace(session(source=source), slots=(), current=None)).hint == pure.OPEN_HINT
    assert pure.make(session(pixel=None, source=source)).hint == pure.PICK_HINT
    view = pure.make(session(source=source))
    assert (view.hint, view.stale) == (pure.COUNTING, True)


def test_light_curves_are_steps_or_means_by_what_is_in_view(source):
    view = pure.make(counted(session(source=source, width=0.01)))  # 1000 bins
    fine, steps = light_lines.lines(view, LightPart.CURVE)
    assert fine.pale and not steps.pale and steps.stroke == SOLID
    group = light_lines.in_view(view.found[0].curve, None)[1]
    assert 1000 / group <= light_lines.MEANS
    assert f"means of {group} bins" in light_lines.means_text(view)
    assert np.nanmean(steps.y) == pytest.approx(STAR + SKY, rel=0.05)
    assert np.all(steps.high - steps.y == pytest.approx(np.sqrt(steps.y / (0.01 * group)), rel=1e-6))
    (zoomed,) = light_lines.lines(view, LightPart.CURVE, span=(4.0, 5.0))
    assert zoomed.x[0] <= 4.0
    assert zoomed.x[-1] >= 5.0
    assert np.diff(zoomed.x).max() == pytest.approx(0.01)
    assert light_lines.means_text(view, (4.0, 5.0)) == ""
    counts = replace(view, options=LightOptions(width=0.01, rate=False))
    assert np.nanmean(light_lines.lines(counts, LightPart.CURVE)[1].y) == pytest.approx(0.01 * (STAR + SKY), rel=0.05)


def test_spectra_are_counts_rates_or_densities(source):
    view = pure.make(counted(session(source=source)))
    (counts, _), (rate, _), (density, bars) = (
        light_lines.lines(view, LightPart.SPECTRUM, how) for how in (How.COUNTS, How.RATE, How.DENSITY)
    )
    edges = view.found[0].spectrum.edges
    np.testing.assert_allclose(counts.y[::2], 10 * rate.y[::2])
    np.testing.assert_allclose(density.y[::2] * np.diff(edges), rate.y[::2])
    assert density.y == pytest.approx((STAR + SKY) / 800, rel=0.35)
    np.testing.assert_array_equal(bars.y, density.y[::2])
    assert not bars.stroke and np.all(bars.error > 0)
    assert light_lines.axis_labels(view, LightPart.SPECTRUM, How.DENSITY) == ("Wavelength (nm)", "Photons/s/nm")
    twenty = pure.make(counted(session(source=source, bins=20)))
    assert len(twenty.found[0].spectrum.counts) == 20


def test_phases_have_their_own_axis():
    view = pure.make(counted(session(source=photon_list(column=PhotonColumn.PHASE))))
    assert light_lines.axis_labels(view, LightPart.SPECTRUM)[0] == "Phase (°)"
    assert light_lines.lines(view, LightPart.SPECTRUM)


def test_resolution_bins_need_a_resolving_power(source):
    none = counted(session(source=source, bins=light.RESOLUTION_BINS)).lights.found[0]
    assert none.spectrum is None
    assert "resolving power" in none.notes[0]
    known = photon_list(header={"energy_resolution": 8.0})
    one = counted(session(source=known, bins=light.RESOLUTION_BINS)).lights.found[0]
    edges = one.spectrum.edges
    assert edges[1] / edges[0] - 1 == pytest.approx(1 / 16)
    text = "[(8.8, 0.7,  808.) (8.3, 0.6 ,  920.)\n (6.9, 0.5, 1.31e+03)]"  # as an index keeps it
    wave, power = light.resolving_power(photon_list(header={"wavecal.resolution": text}).info)
    assert wave.tolist() == [808, 920, 1310]
    assert power.tolist() == [8.8, 8.3, 6.9]


def test_the_histogram_has_its_laws_and_their_numbers(source):
    view = pure.make(counted(session(source=source, width=0.1)))
    steps, *laws = light_lines.lines(view, LightPart.HISTOGRAM)
    assert [law.stroke for law in laws] == [DOTTED, DASHED]
    assert steps.y[::2].sum() == 100
    assert laws[0].y.sum() == pytest.approx(100, rel=0.05)
    one = view.found[0]
    assert abs(one.histogram.curves[-1].ic - (STAR + SKY)) < 5 * one.histogram.curves[-1].ic_error
    assert light_text.law_text(one).startswith("Ic ")
    steady = replace(one.histogram.curves[-1], is_=0.0, is_error=np.nan)
    none = replace(one, histogram=replace(one.histogram, curves=(steady,)))
    assert light_text.law_text(none).endswith("Is not seen (/s)")
    dark = replace(one.histogram.curves[-1], ic=1e-19, ic_error=np.nan)
    none = replace(one, histogram=replace(one.histogram, curves=(dark,)))
    assert light_text.law_text(none).startswith("Ic not seen, Is ")
    top, group = light_lines.histogram_range(replace_histogram(one.histogram, 5000))
    assert -(-top // group) <= light_lines.MOST_BARS


def replace_histogram(found, top):
    wide = np.zeros(top + 1, np.int64)
    wide[top] = 3
    return replace(found, histogram=wide, curves=())


def test_intervals_are_drawn_over_their_logarithm(source):
    view = pure.make(counted(session(source=source)))
    drawn = light_figure.figure(view, LightPart.INTERVALS)
    assert drawn.x.log and drawn.y.log and drawn.x.range[0] > 0
    assert [rule.at for rule in drawn.rules] == [source.info.dead_time]
    steps, law = light_lines.lines(view, LightPart.INTERVALS)
    assert steps.y.max() == view.found[0].intervals.counts.max()
    assert np.diff(steps.x).min() >= 0
    assert np.nanmax(law.y) == pytest.approx(steps.y.max(), rel=0.2)
    assert light_lines.dead_times(view) == (source.info.dead_time,)
    assert "/s per pixel" in light_text.interval_text(view.found[0])


def test_a_logarithmic_axis_keeps_empty_bins_on_its_floor():
    line = Curve(np.arange(4.0), np.array([0.0, 1.0, 100.0, np.nan]), "red", low=np.array([-1.0, 0.5, 90, np.nan]))
    out = logarithmic(line, y=True)
    assert out.y[:3] == pytest.approx([np.log10(0.5), 0, 2])
    assert np.isnan(out.y[3])
    assert out.low[0] == out.y[0]


def test_the_readout_and_the_table_give_the_numbers(source):
    view = pure.make(counted(session(BOX, source=source)))
    assert light_text.readout(view, LightPart.CURVE, 5.0).startswith("5 s  pixel 8,6: ")
    assert "2: " in light_text.readout(view, LightPart.SPECTRUM, 1000.0)
    assert "nm" in light_text.readout(view, LightPart.SPECTRUM, 1000.0)
    assert light_text.readout(view, LightPart.SPECTRUM, 5000.0) == ""
    assert "bins" in light_text.readout(view, LightPart.HISTOGRAM, 4.2)
    assert "steady" in light_text.readout(view, LightPart.INTERVALS, 0.01)
    for part in LightPart:
        blocks = light_text.table(view, part).split("\n\n")
        assert len(blocks) == 2
        rows = [line.split("\t") for line in blocks[0].splitlines()[1:]]
        assert len({len(row) for row in rows}) == 1
    first = light_text.table(view, LightPart.CURVE).splitlines()[2].split("\t")
    assert float(first[2]) == view.found[0].curve.rate[0]


def test_large_selections_are_jobs_that_the_user_sees(source, monkeypatch):
    assert not light.is_large(light.request(session(CIRCLE, source=source)))
    whole = Region(Shape.BOX, ((7.5, 5.5),), (16.0, 12.0))
    asked = light.request(session(whole, whole, source=source))
    assert light.is_large(asked) is (2 * NX * NY > light.SMALL and NX * NY > light.SMALL)
    before = counted(session(CIRCLE, source=source))
    monkeypatch.setattr(light, "SMALL", 10)
    assert light.is_large(asked)
    view = pure.make(before.with_slot(replace(before.slots[0], regions=(whole,))))
    assert "not counted yet" in light_text.notes(view)
    assert "not counted" not in light_text.notes(pure.make(before))
    context = JobContext()
    context.cancel()
    with pytest.raises(JobCancelled):
        light.count(asked, None, context)


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_light_is_saved_one_file_a_selection(source, tmp_path, suffix):
    found = counted(session(CIRCLE, source=source)).lights
    paths = light.save(found, "curve", str(tmp_path / f"light{suffix}"))
    assert [p.split("/")[-1] for p in paths] == [f"light-x8y6{suffix}", f"light-1_circle{suffix}"]
    table = Table.read(paths[0])
    assert table["counts"].sum() == found.found[0].curve.counts.sum()
    (single,) = light.save(counted(session(source=source)).lights, "spectrum", str(tmp_path / f"one{suffix}"))
    assert single.endswith(f"one{suffix}")


def test_nothing_to_save_says_why(tmp_path):
    bad = Region(Shape.CIRCLE, ((-50.0, 2.0),), (2.0,))
    found = counted(session(bad, pixel=None)).lights
    with pytest.raises(UsageError, match="no usable pixel"):
        light.save(found, "curve", str(tmp_path / "a.fits"))
    assert not list(tmp_path.iterdir())


def made_from(state, *regions):
    """The session with a frame on the canvas that is a difference of its first."""
    (first,) = state.slots
    made = replace(first, key=2, title="difference", photons=None, regions=regions, made_of=Made(1, 1, "difference"))
    return replace(state, slots=(first, made), current=2)


def test_a_difference_shows_the_light_of_what_it_is_made_from(source):
    state = counted(made_from(session(BOX, source=source), CIRCLE, BOX))
    assert [p.label for p in state.lights.request.picked] == ["pixel 8,6", "2: box", "1: circle"]
    view = pure.make(state)
    assert (view.hint, view.key, view.source) == ("", 1, "made.h5")
    assert "Light of made.h5" in light_text.notes(view)
    assert pure.inputs(state) != pure.inputs(made_from(session(BOX, source=source), BOX))
    assert light_text.notes(pure.make(counted(session(source=source)))) == ""


def test_what_is_net_and_what_is_not_is_said(source):
    pixel, circle = counted(session(CIRCLE, source=source)).lights.found
    assert "net" not in light_text.summary(pixel) + light_text.law_text(pixel)
    assert "/s net" in light_text.summary(circle)
    assert light_text.law_text(circle).endswith("(/s, background included)")


def test_a_time_range_shorter_than_a_bin_is_the_bin(source):
    short = counted(session(source=source, cut=PhotonCut(start=1.0, stop=1.001)))
    assert light_lines.axis_labels(pure.make(short), LightPart.HISTOGRAM)[0] == "Photons in 1 ms"
    whole = counted(session(source=source))
    assert light_lines.axis_labels(pure.make(whole), LightPart.HISTOGRAM)[0] == "Photons in 10 ms"
