"""Speckle maps as frames, and what is shown of the pixel at the crosshair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app import intents as want
from ifuview.app.frames.opening.opened import new_slot
from ifuview.app.frames.past import Past
from ifuview.app.frames.state import Parent
from ifuview.app.photons import lists as photons
from ifuview.app.photons import speckle_maps
from ifuview.app.photons.state import PhotonFrame
from ifuview.app.photons.views import speckle as view
from ifuview.app.photons.which import asked, crosshair, photon_frame
from ifuview.app.session import Selection, Session
from ifuview.app.tasks import as_change
from ifuview.engine.context import SILENT
from ifuview.errors import UsageError
from tests.app.photons.calibration.test_stack import session_of
from tests.app.photons.photon_files import write_files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("speckle"), 6.0)


@pytest.fixture(scope="module")
def session(files):
    raw = photons.open_source(files.photons)
    frame = PhotonFrame(raw, raw, name="science.h5")
    maps = speckle_maps.make_maps(frame, want.Speckle("binned", 0.01), SILENT)
    place = np.unravel_index(np.argmax(files.truth.is_ * (files.truth.array.kind == 0)), files.truth.is_.shape)
    return session_of(replace(frame, speckle=maps), (float(place[1]), float(place[0])))


def test_the_maps_open_as_frames_with_errors_and_flags(session):
    maps = session.slot().photons.speckle
    found = speckle_maps.map_frames(maps, snr=True)
    names = [o.image.name for o in found]
    assert names[:5] == [f"{n}: science.h5, binned 10 ms, all photons" for n in ("Ic", "Is", "Ip", "Ic S/N", "Is S/N")]
    assert len(names) == 5 + bool(np.isfinite(maps.snr("ip")).any())  # Ip was worth fitting nowhere
    speckle = found[1].image
    np.testing.assert_array_equal(speckle.pixels.raw, maps.is_.astype(np.float32))
    assert speckle.unit == "ct/s"
    known = maps.is_error > 0
    np.testing.assert_allclose(speckle.ivar.raw[known], maps.is_error[known] ** -2, rtol=1e-5)
    assert speckle.mask is not None
    slot = new_slot(session, found[1])
    assert (slot.title, slot.photons, slot.dataset.kind) == (speckle.name, None, "speckle")
    beside = session.adding(slot)
    assert photon_frame(beside) is session.slot()
    twin = replace(session.slot(), key=7)  # a second frame of the same list, under another stack
    child = replace(slot, key=8, made_of=Parent(7))
    assert photon_frame(session.adding(twin).adding(child)) is twin


def test_maps_of_a_part_say_which_in_their_names(session):
    """Whatever the sliders show later: the range belongs to the maps."""
    maps = session.slot().photons.speckle
    part = replace(maps, cut=replace(maps.cut, start=1.0, stop=4.0))
    assert speckle_maps.map_frames(part)[0].image.name == "Ic: science.h5, binned 10 ms, 1.00–4.00 s"
    assert "binned 10 ms, 1.00–4.00 s" in speckle_maps.summary(part)


def test_the_pixel_is_told_in_numbers_and_its_speckles_have_a_life(session, files):
    made = view.make(session)
    assert [name for name, _ in made.numbers] == ["Ic", "Is", "Ip", "photons"]
    assert "speckle maps (binned 10 ms, all photons)" in made.made
    found = view.job(session)(SILENT)
    field = files.truth.correlation  # speckles alone live half as long, their beat with constant light as long
    life = found.figure.rules[-1].at / 1e3  # the rule stands at 1/e, in ms
    assert 0.25 * field < life < 2 * field  # 6 s hold some 60 lives
    curve = found.figure.curves[-1].y
    assert curve[0] > curve[-1]
    assert "ms (1/e)" in found.text


def test_a_pixel_without_speckles_says_so_and_no_pixel_asks_for_nothing(session, files):
    y, x = np.argwhere(files.truth.counts == 0)[0]
    dark = replace(session, selection=Selection(x=float(x), y=float(y)))
    found = view.job(dark)(SILENT)
    assert found.figure is None
    assert "too few" in found.text
    for none in (replace(session, selection=Selection()), replace(session, selection=Selection(x=-3.0, y=2.0))):
        assert view.job(none) is None
        assert not view.make(none).has_pixel
    assert view.make(Session()) is None


def test_maps_are_saved_with_the_decay_at_the_crosshair(session, tmp_path):
    path = speckle_maps.save(session, str(tmp_path / "maps.fits"), SILENT)
    with fits.open(path) as hdus:
        assert {"IC", "IS", "IP", "DECAY"} <= {h.name for h in hdus}
    with pytest.raises(UsageError, match="FITS"):
        speckle_maps.save(session, str(tmp_path / "maps.png"), SILENT)
    slot = session.slot()
    none = session.with_slot(replace(slot, photons=replace(slot.photons, speckle=None)))
    with pytest.raises(UsageError, match="no speckle maps"):
        speckle_maps.save(none, str(tmp_path / "none.fits"), SILENT)


def test_too_few_photons_everywhere_are_said_to_be_so(session):
    slot = session.slot()
    short = replace(slot.photons, cut=replace(slot.photons.cut, stop=0.02))
    with pytest.raises(UsageError, match="no pixel has photons enough"):
        speckle_maps.make_maps(short, want.Speckle("binned", 0.01), SILENT)


def test_the_lucky_image_is_of_the_star_at_the_crosshair(session):
    slot, frame = asked(session)
    opened = speckle_maps.lucky_frame(frame, *crosshair(session), SILENT)
    assert opened.image.name.startswith("Lucky at ")
    assert np.nansum(opened.image.pixels.raw) > 0
    with pytest.raises(UsageError, match="no pixel"):
        crosshair(Session())
    with pytest.raises(UsageError, match="no photon list"):
        asked(Session())
    assert slot.title == "science.h5"


def test_undo_on_a_map_takes_back_the_calibration_of_its_list_and_shows_it(session):
    """One key for traces and calibrations, and for what was made of them."""
    slot = session.slot()
    made = new_slot(session, speckle_maps.map_frames(slot.photons.speckle)[0])
    on_map = replace(session, slots=(*session.slots, replace(made, made_of=Parent(slot.key))), current=made.key)
    assert want.carried_out(on_map, want.Undo()).messages[-1].text.startswith("nothing was changed")
    changed = replace(slot, photons=replace(slot.photons, past=(Past(1, "Flat added", ()),)))
    change = as_change(on_map, want.carried_out(on_map.with_slot(changed), want.Undo()))
    assert change.then == (want.TakeBackCalibration(slot.key),) and change.session.current == slot.key
