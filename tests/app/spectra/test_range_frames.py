"""Images of the wavelength window of a cube: frames that follow it, with errors, the spectra of the cube below."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.views.readout import readout
from ifuview.app.jobs import JobKind
from ifuview.app.session import Layout
from ifuview.app.spectra import range_images, ranges
from ifuview.app.spectra.range_images import kept
from ifuview.app.spectra.views import spectrum as pure
from ifuview.engine.context import SILENT
from ifuview.model.region import Region, Shape
from tests.app.runner import Runner
from tests.app.spectra.test_gathered import NW, cube  # noqa: F401 (fixture)

WAVE = 5000.0 + 2 * np.arange(NW)


@pytest.fixture
def runner(cube):  # noqa: F811
    out = Runner()
    out.ask(want.OpenFile(cube[0]))
    return out


def test_without_a_window_it_is_said_what_to_do(runner):
    with pytest.raises(Exception, match=r"no range of wavelengths.*switch on Window"):
        runner.ask(want.MapRange("sum"))


def test_a_frame_follows_the_window_and_shows_the_spectra_of_its_cube(runner, cube):  # noqa: F811
    _, data, sigma, _ = cube
    parent = runner.session.current
    runner.ask(want.SetWindow((5000.0, 5004.5)))
    session = runner.ask(want.MapRange("sum"))
    slot = session.slot()
    assert slot.key != parent and slot.image.shape == data.shape[1:]
    assert slot.title == "Sum 5000.0-5004.5 Å of cube"
    assert slot.image.pixels.native() == pytest.approx(data[:3].sum(axis=0), rel=1e-5)
    fields = dict(readout(session, slot.key, 3.0, 4.0).fields)
    assert float(fields["σ"]) == pytest.approx(np.sqrt((sigma[:3, 4, 3] ** 2).sum()), rel=5e-3)
    session = runner.ask(want.SetWindow((5010.0, 5012.5)))
    now = session.slot()
    assert now.key == slot.key and now.title.startswith("Sum 5010.0-5012.5")
    assert now.image.pixels.native() == pytest.approx(data[5:7].sum(axis=0), rel=1e-5)
    session = runner.ask(want.PickPoint(now.key, 7.0, 6.0))
    assert pure.make(session).spectra[0].flux == pytest.approx(data[:, 6, 7])
    assert pure.make(session).lead == ()
    session = runner.ask(want.SetRegions(now.key, (Region(Shape.BOX, ((7.0, 6.0),), (2.0, 2.0)),)))
    assert pure.make(session).spectra[0].flux[0] == pytest.approx(data[0, 5:8, 6:9].mean(), rel=1e-5)


def test_a_frame_that_nobody_sees_follows_when_it_is_shown(runner):
    """A median takes long: a sum on the canvas does not wait for it while the window is dragged."""
    parent = runner.session.current
    runner.ask(want.SetWindow((5000.0, 5010.0)), want.MapRange("median"))
    median = runner.session.current
    runner.ask(want.SelectSlot(parent), want.MapRange("sum"))
    runner.done.clear()
    session = runner.ask(want.SetWindow((5020.0, 5030.0)))
    assert session.slot().title.startswith("Sum 5020.0") and session.slot(median).title.startswith("Median 5000.0")
    assert len([task for task in runner.done if task.kind is JobKind.FOLLOW_RANGE]) == 1
    session = runner.ask(want.SelectSlot(median))
    assert session.slot().title.startswith("Median 5020.0")
    session = runner.ask(want.SetLayout(Layout.TILE), want.SetWindow((5030.0, 5040.0)))
    assert sum("5030.0" in slot.title for slot in session.slots) == 2


def test_a_median_of_many_voxels_is_of_some_planes_until_the_window_rests(runner, cube, monkeypatch):  # noqa: F811
    _, data, _, _ = cube
    monkeypatch.setattr(range_images, "QUICK", 4 * data[0].size)
    monkeypatch.setattr(range_images, "LEAST_PLANES", 4)
    runner.ask(want.SetWindow((5000.0, 5010.0)), want.MapRange("median"))
    parent = runner.session.slot().made_of.key
    runner.done.clear()
    session = runner.ask(want.SetWindow((5002.0, 5024.5)))  # planes 1 to 12
    assert [task.whole for task in runner.done if task.kind is JobKind.FOLLOW_RANGE] == [False, True]
    assert session.slot().title == "Median 5002.0-5024.5 Å of cube"
    close = np.isclose(session.slot().image.pixels.native(), np.median(data[1:13], axis=0), rtol=1e-6)
    assert close.sum() >= close.size - 1  # one voxel of the cube is masked
    task = ranges.FollowRange(title="", frame=parent, how="median", window=(5004.0, 5026.5))
    moving = task.apply(session, task.run(session, SILENT))  # the window is elsewhere by now
    rough = moving.session.slot()
    assert not moving.then and rough.title == "Median of one plane in 3, 5004.0-5026.5 Å of cube"
    close = np.isclose(rough.image.pixels.native(), np.median(data[2:14:3], axis=0), rtol=1e-6)
    assert close.sum() >= close.size - 1


def test_limits_that_the_user_chose_stay(runner):
    runner.ask(want.SetWindow((5000.0, 5010.0)))
    session = runner.ask(want.MapRange("mean"))
    slot = session.slot()
    from dataclasses import replace

    runner.ask(want.SetLook(slot.key, replace(slot.look, lo=1.0, hi=9.0)))
    session = runner.ask(want.SetWindow((5020.0, 5030.0)))
    assert (session.slot().look.lo, session.slot().look.hi) == (1.0, 9.0)


def test_moments_and_line_maps_are_several_frames_with_units(runner):
    runner.ask(want.SetWindow((5010.0, 5040.0)))
    session = runner.ask(want.MapRange("moments"))
    names = [s.image.stage for s in session.slots if s.dataset.kind == "range"]
    assert names == ["moment 0", "moment 1", "moment 2"]
    assert [s.image.unit for s in session.slots][-3:] == ["Å", "Å", "Å"]
    session = runner.ask(want.MapRange("line"))
    assert [s.image.stage for s in session.slots][-4:] != names
    assert sum(s.image.stage.startswith("line") for s in session.slots) == 3


def test_running_sums_give_the_same_image_and_say_what_they_take(runner, monkeypatch):
    monkeypatch.setattr(ranges, "WORTH", 10)
    monkeypatch.setattr("ifuview.engine.spectra.cubes.ranges.STEP", 8)
    runner.ask(want.SetWindow((5004.0, 5050.0)))
    before = runner.ask(want.MapRange("mean")).slot()
    assert any("Running sums of cube take 1 MiB" in text for text in runner.said())
    parent = runner.session.slot(before.made_of.key)
    assert kept.running(parent) is not None
    kept.forget()
    assert kept.running(parent) is None
    runner.ask(want.SetWindow((5004.0, 5050.1)))
    after = runner.session.slot()
    assert after.image is not before.image
    assert after.image.pixels.native() == pytest.approx(before.image.pixels.native(), rel=1e-5)


def test_a_cut_along_a_line_has_position_and_wavelength(runner, cube):  # noqa: F811
    _, data, sigma, _ = cube
    with pytest.raises(Exception, match=r"no line to cut along"):
        runner.ask(want.CutCube())
    key = runner.session.current
    runner.ask(want.SetRegions(key, (Region(Shape.LINE, ((2.0, 3.0), (12.0, 3.0))),)))
    session = runner.ask(want.CutCube())
    slot = session.slot()
    assert slot.image.pixels.native() == pytest.approx(data[:, 3, 2:13].T, rel=1e-6)
    fields = dict(readout(session, slot.key, 7.0, 4.0).fields)
    assert fields["λ"] == "5014.00 Å" and float(fields["σ"]) == pytest.approx(sigma[7, 3, 6], rel=5e-3)


def test_fibers_are_painted_at_their_places_with_their_sky(tmp_path):
    from astropy.io import fits as pyfits

    from tests.gui.spectra.test_spectra_window import NFIBER, table

    rng, n = np.random.default_rng(1), np.arange(NFIBER)
    wave = 5760.0 + np.arange(200)
    flux = (10 + n[:, None] + rng.normal(0, 1e-3, (NFIBER, 200))).astype("f4")
    ra, dec = 150.0 + (n % 6) * 2e-3, 2.0 + (n // 6) * 2e-3
    fibermap = table(
        "FIBERMAP", TARGETID=n, FIBER=3000 + n, TARGET_RA=ra, TARGET_DEC=dec, FIBER_X=1.0 * n, FIBER_Y=0.0 * n
    )
    hdus = [pyfits.PrimaryHDU(), pyfits.ImageHDU(flux, name="FLUX"), pyfits.ImageHDU(flux * 0 + 4, name="IVAR"),
            pyfits.ImageHDU(wave, name="WAVELENGTH"), fibermap]  # fmt: skip
    path = tmp_path / "sframe-r6-00000001.fits"
    pyfits.HDUList(hdus).writeto(path)
    runner = Runner()
    runner.ask(want.OpenFile(str(path)))
    parent = runner.session.slot()
    runner.ask(want.SelectFiber(3), want.SetWindow((5800.0, 5809.5)))
    assert pure.make(runner.session).maps
    session = runner.ask(want.MapRange("mean"))
    slot = session.slot()
    assert slot.image.stage == "mean"
    for row in (0, 17, 29):
        x, y = sky_of(slot).pixel(ra[row], dec[row])
        found = readout(session, slot.key, x, y)
        assert found.value == pytest.approx(10 + row, abs=0.01)
        assert float(dict(found.fields)["σ"]) == pytest.approx(0.5 / np.sqrt(10), rel=5e-3)
        session = runner.ask(want.PickPoint(slot.key, x, y))
        assert session.selection.fiber == row
        assert pure.make(session).spectra[0].flux == pytest.approx(flux[row], rel=1e-6)
    session = runner.ask(want.SetWindow((5820.0, 5830.0)))
    assert session.slot().key == slot.key and session.slot().title.startswith("Mean 5820.0")
    assert parent.key != slot.key


def test_only_the_latest_image_of_a_kind_follows_the_window(runner):
    runner.ask(want.SetWindow((5000.0, 5006.0)))
    first = runner.ask(want.MapRange("sum")).slot()
    runner.ask(want.SetWindow((5010.0, 5016.0)))
    assert runner.session.slot(first.key).made_of.window == (5010.0, 5016.0)
    second = runner.ask(want.MapRange("sum")).slot()
    session = runner.ask(want.SetWindow((5030.0, 5036.0)))
    assert session.slot(first.key).title.startswith("Sum 5010.0") and not session.slot(first.key).made_of.live
    assert session.slot(second.key).title.startswith("Sum 5030.0")


def test_three_ranges_become_colors_and_a_range_without_light_is_empty(runner):
    runner.ask(want.SetWindow((5000.0, 5006.0)), want.MapRange("sum"))
    for window in ((5020.0, 5026.0), (5040.0, 5046.0)):
        runner.ask(want.MapRange("sum"), want.SetWindow(window))  # one more, so that the one before stays
    made = runner.ask(want.MakeRgb()).slot()
    red, green, blue = (runner.session.slot(key) for key in made.made_of.keys)
    assert [s.made_of.window[0] for s in (red, green, blue)] == [5040.0, 5020.0, 5000.0]
    runner.ask(want.SelectSlot(red.key), want.SetWindow((5002.0, 5002.5)))
    before = len(runner.said())
    session = runner.ask(want.MapRange("moments"))  # noise alone has no place
    assert [s.image.stage for s in session.slots if s.dataset.kind == "range"].count("moment 1") == 1
    assert len(runner.said()) == before
