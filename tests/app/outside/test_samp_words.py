"""Messages of SAMP as intents and back, without a hub."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.open_tasks import frames_opened
from ifuview.app.outside import samp_words as words
from ifuview.app.outside.objects import as_dataset, opened
from ifuview.app.session import Selection, Session
from ifuview.model.fibers import FiberMap

RA, DEC = 150.0 + np.arange(5) * 0.01, np.full(5, 2.0)
SKY = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 20.0, "CRPIX1": 4.0, "CRPIX2": 5.0,
       "CDELT1": -0.01, "CDELT2": 0.01}  # fmt: skip


def session_of(**details) -> Session:
    return frames_opened(Session(), opened(as_dataset(np.ones((5, 9)), "frame", **details)))


@pytest.fixture
def fibers() -> Session:
    session = session_of(kind="rss")
    slot = session.slots[0]
    return session.with_slot(replace(slot, image=replace(slot.image, fibermap=FiberMap(np.arange(5), ra=RA, dec=DEC))))


def test_a_row_of_our_own_table_is_a_fiber(fibers):
    name = words.table_id(fibers.slots[0])
    assert words.asked(fibers, "table.highlight.row", {"table-id": name, "row": "3"}) == (want.SelectFiber(3),)
    rows = {"table-id": name, "row-list": ["1", "4", "99", "x"]}
    assert words.asked(fibers, "table.select.rowList", rows) == (want.SelectFiber(1, (1, 4)),)
    assert words.asked(fibers, "table.highlight.row", {"table-id": "of others", "row": "3"}) == ()
    (note,) = words.asked(fibers, "table.highlight.row", {"table-id": name, "row": "77"})
    assert "no row 77" in note.text


@pytest.mark.parametrize(("ra", "dec", "fiber"), [(150.021, 2.0, 2), (150.04, 2.004, 4), (510.0, 2.0, 0)])
def test_a_place_is_the_nearest_fiber(fibers, ra, dec, fiber):
    if ra > 360:
        assert words.asked(fibers, "coord.pointAt.sky", {"ra": str(ra), "dec": str(dec)}) == (want.SelectFiber(0),)
    assert words.asked(fibers, "coord.pointAt.sky", {"ra": str(ra), "dec": str(dec)}) == (want.SelectFiber(fiber),)


@pytest.mark.parametrize("params", [{"ra": "10", "dec": "-70"}, {"ra": "x", "dec": "2"}, {}])
def test_a_place_far_from_all_or_none_at_all_asks_for_nothing(fibers, params):
    assert words.asked(fibers, "coord.pointAt.sky", params) == ()


def test_a_place_on_an_image_of_the_sky_is_a_pixel_and_back():
    session = session_of(header=SKY)
    (pick,) = words.asked(session, "coord.pointAt.sky", {"ra": "10", "dec": "20"})
    assert (pick.x, pick.y) == pytest.approx((3, 4), abs=1e-6)
    clicked = replace(session, selection=Selection(None, 3.0, 4.0))
    ((kind, params),) = words.told(session, clicked)
    assert kind == "coord.pointAt.sky"
    assert (float(params["ra"]), float(params["dec"])) == pytest.approx((10, 20))


def test_a_selection_is_told_as_a_place_and_as_a_row_of_what_was_sent(fibers):
    chosen = replace(fibers, selection=Selection(2, 1.0, 2.0, (2, 3)))
    assert [kind for kind, _ in words.told(fibers, chosen)] == ["coord.pointAt.sky"]
    sent = {words.table_id(fibers.slots[0])}
    kinds = [kind for kind, _ in words.told(fibers, chosen, sent)]
    assert kinds == ["coord.pointAt.sky", "table.select.rowList", "table.highlight.row"]
    assert words.told(chosen, chosen, sent) == ()


def test_a_file_is_opened():
    assert words.asked(Session(), "image.load.fits", {}, "/a.fits") == (want.OpenFile("/a.fits"),)
