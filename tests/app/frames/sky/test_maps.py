"""Pixels to the sky and back against astropy, for all that headers ask for beyond TAN."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from ifuview.app import intents as want
from ifuview.app.frames.look import ViewState
from ifuview.app.frames.sky import lock, maps, words
from ifuview.app.frames.views.readout import readout
from ifuview.app.frames.views.viewport import resolve, to_image
from ifuview.app.session import Locks
from ifuview.io.fits.world import wcs_cards
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from tests.app.runner import Runner

NY, NX = 90, 120
SCALE = 2e-4  # deg
POINTS = ((0.0, 0.0), (60.3, 44.8), (119.0, 89.0))
PART = 0.01  # px


def cards(kind: str = "TAN", angle: float = 20.0, **more) -> dict:
    a, axes = np.deg2rad(angle), ("RA--", "DEC-")
    axes = more.pop("axes", axes)
    return {
        "CTYPE1": f"{axes[0]}-{kind}", "CTYPE2": f"{axes[1]}-{kind}", "CRVAL1": 150.0, "CRVAL2": 31.0,
        "CRPIX1": 50.5, "CRPIX2": 40.0, "CD1_1": -SCALE * np.cos(a), "CD1_2": SCALE * np.sin(a),
        "CD2_1": SCALE * np.sin(a), "CD2_2": SCALE * np.cos(a), **more,
    }  # fmt: skip


SIP = {"A_ORDER": 3, "B_ORDER": 3, "A_2_0": 2e-4, "A_1_1": -1e-4, "B_0_2": 3e-4, "A_0_3": 4e-7, "B_2_1": -3e-7}
KINDS = {
    "sip": cards("TAN-SIP", **SIP), "zea": cards("ZEA"), "pole": cards(LONPOLE=170.0),
    "galactic": cards(axes=("GLON", "GLAT")), "ecliptic": cards(axes=("ELON", "ELAT")),
    "fk4": cards(RADESYS="FK4", EQUINOX=1950.0),
}  # fmt: skip


def image(header: dict, shape: tuple[int, int] = (NY, NX)) -> Image:
    return Image("one", Kind.IMAGE, Pixels(np.zeros(shape, np.float32)), header=header, wcs=wcs_cards(header))


def written(path, header: dict, more: tuple = ()) -> str:
    primary = fits.PrimaryHDU(np.zeros((NY, NX), np.float32))
    primary.header.update(header)
    fits.HDUList([primary, *more]).writeto(path)
    return str(path)


def lookup() -> tuple[fits.HDUList, dict]:
    """A header whose coordinates are listed in tables, not linear, and the table."""
    x, y = np.meshgrid(np.arange(1.0, NX + 1), np.arange(1.0, NY + 1))
    coords = np.stack([200 - SCALE * x - 1e-7 * x * y, 10 + SCALE * y + 2e-7 * x * x], axis=-1)[None]
    table = fits.BinTableHDU.from_columns([
        fits.Column("coords", f"{coords.size}D", dim=f"(2,{NX},{NY})", array=coords.reshape(1, -1)),
    ], name="WCS-TAB")  # fmt: skip
    header = {"CRPIX1": 1.0, "CRPIX2": 1.0, "CRVAL1": 1.0, "CRVAL2": 1.0, "CDELT1": 1.0, "CDELT2": 1.0}
    for axis, name in ((1, "RA---TAB"), (2, "DEC--TAB")):
        header |= {f"CTYPE{axis}": name, f"CUNIT{axis}": "deg", f"PS{axis}_0": "WCS-TAB", f"PS{axis}_1": "coords"}
        header |= {f"PV{axis}_1": 1, f"PV{axis}_2": 1, f"PV{axis}_3": axis}
    return table, header


def off(sky: maps.SkyMap, x: float, y: float, lon: float, lat: float) -> float:
    """How far a position (own axes) is from a pixel, px of about `SCALE`."""
    found = sky.own(x, y)
    assert found is not None
    east, north = (found[0] - lon) * np.cos(np.deg2rad(lat)), found[1] - lat
    return float(np.hypot(east, north)) / SCALE


@pytest.mark.parametrize("name", KINDS)
def test_positions_are_those_of_astropy_both_ways(name):
    sky = maps.make(image(KINDS[name]), "")
    plane = WCS(fits.Header(KINDS[name]), naxis=2)
    for x, y in POINTS:
        lon, lat = plane.all_pix2world([[x, y]], 0)[0]
        assert off(sky, x, y, lon, lat) < PART
        frame = maps.own_frame(plane)
        there = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
        place = sky.icrs(x, y)
        assert there.separation(SkyCoord(*place, unit="deg")).deg / SCALE < max(PART, 2 * sky.error)
        assert sky.error < PART
        assert np.hypot(*np.subtract(sky.pixel(*place), (x, y))) < PART


def test_tables_of_positions_are_read_from_the_file(tmp_path):
    table, header = lookup()
    path = written(tmp_path / "tab.fits", header, (table,))
    with fits.open(path) as file:
        plane = WCS(file[0].header, file)
        expected = plane.all_pix2world(np.array(POINTS), 0)
    sky = maps.make(image(header), path)
    for (x, y), (lon, lat) in zip(POINTS, expected):
        assert off(sky, x, y, lon, lat) < PART
        assert abs(lon - 200) > 1e-5


def test_the_read_out_of_an_opened_file_knows_the_table_and_takes_no_time(tmp_path):
    table, header = lookup()
    path = written(tmp_path / "tab.fits", header, (table,))
    runner = Runner()
    session = runner.ask(want.OpenFile(path))
    key = session.current
    view = dict(readout(session, key, 60.0, 40.0).fields)
    ra, dec = (float(v) for v in view["RA, Dec"].split())
    x, y = 61.0, 41.0
    assert (ra, dec) == pytest.approx((200 - SCALE * x - 1e-7 * x * y, 10 + SCALE * y + 2e-7 * x * x), abs=PART * SCALE)
    begun = time.process_time()
    for k in range(100):
        readout(session, key, 10.0 + k / 3, 20.0)
    assert (time.process_time() - begun) / 100 < 2e-3  # bar: 1 ms on a quiet machine


def test_what_cannot_be_read_is_said(tmp_path):
    _, header = lookup()
    path = written(tmp_path / "without.fits", header)
    runner = Runner()
    session = runner.ask(want.OpenFile(path))
    assert any("sky coordinates are not understood" in text for text in runner.said())
    assert "RA, Dec" not in dict(readout(session, session.current, 5.0, 5.0).fields)


def test_words_of_positions():
    assert words.position(187.5, -0.5) == "187.50000 -0.50000"
    assert words.position(187.5, -0.5, sexagesimal=True) == "12:30:00.000 -00:30:00.00"
    assert words.position(359.9999999, 89.99999999, sexagesimal=True) == "00:00:00.000 +90:00:00.00"
    assert words.position(10.0, 20.0, 1e-5) == "10.0000000 +20.0000000"


def _on(view: ViewState, sky: maps.SkyMap, at: tuple[float, float]):
    """The sky at a place of a canvas of 800 x 600 px."""
    return SkyCoord(*sky.icrs(*to_image(view, (800, 600), *at)), unit="deg")


@pytest.mark.parametrize("angle", [0.0, 90.0, 200.0, -75.0])
def test_a_view_that_follows_has_the_same_sky_at_the_center_and_near_it(angle):
    source = maps.quick(image(cards(angle=5.0)))
    target = maps.make(image(cards("TAN-SIP", angle=angle, **{**SIP, "CRVAL1": 150.003})), "")
    view = ViewState(x=70.0, y=30.0, zoom=6.0, fit=False, rotation=90, flip_y=True)
    found = lock.followed(view, source, (NY, NX), target)
    assert _on(view, source, (400, 300)).separation(_on(found, target, (400, 300))).deg / SCALE < PART
    for at in ((450, 300), (400, 360)):  # in the same direction on the screen, whatever the angle between both
        away = _on(view, source, at).separation(_on(found, target, at)).deg
        assert away < (60 / 6.0) * SCALE * 0.03


def test_frames_are_tied_by_their_sky_and_not_by_pixels():
    runner = Runner()
    first, second = (replace(_slot(runner, header), key=key) for key, header in ((1, cards()), (2, cards("ZEA"))))
    none = replace(first, key=3, image=image({}), title="plain")
    runner.session = replace(runner.session, slots=(first, second, none), current=1)
    session = runner.ask(want.SetLock("sky", True))
    assert session.locks == Locks(view=False, sky=True)
    assert any("stays where it is: plain" in text for text in runner.said())
    session = runner.ask(want.SetView(1, ViewState(x=20.0, y=60.0, zoom=4.0, fit=False)))
    a, b, c = session.slots
    assert (c.view.x, c.view.y) == (0.0, 0.0)
    assert (b.view.x, b.view.y) != (a.view.x, a.view.y)
    there = _on(b.view, lock.sky_of(b), (400, 300))
    assert _on(a.view, lock.sky_of(a), (400, 300)).separation(there).deg < PART * SCALE


def _slot(runner: Runner, header: dict):
    from ifuview.app.session import Slot
    from ifuview.model.dataset import Dataset

    return Slot(1, "a", Dataset("a.fits"), image({**header, "CRPIX1": 50.5 + (header["CTYPE1"] != "RA---TAN")}))


@pytest.mark.parametrize(("rotation", "angle"), [(0, 33.0), (25, 0.0), (90, 120.0), (200, -41.0)])
def test_a_fitted_view_is_followed_at_the_same_scale_at_any_angle(rotation, angle):
    source, target = (maps.quick(image(cards(angle=a))) for a in (0.0, angle))
    view = ViewState(rotation=rotation)
    found = lock.followed(view, source, (NY, NX), target)
    first, second = (resolve(one, (NY, NX), (800, 600)) for one in (view, found))
    for at in ((400, 300), (700, 300), (400, 20), (100, 550)):
        assert _on(first, source, at).separation(_on(second, target, at)).deg / SCALE < 0.1


def test_a_fitted_view_is_followed_by_the_box_of_the_same_sky():
    source, target = (maps.quick(image(cards(angle=0.0, **more))) for more in ({}, {"CRPIX1": 70.5}))
    found = lock.followed(ViewState(), source, (NY, NX), target)
    assert found.fit and found.part == pytest.approx((19.5, -0.5, 139.5, 89.5), abs=1e-6)
