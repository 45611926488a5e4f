"""What the read-out says, against values put in by hand."""

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames.sky import worldpos
from ifuview.app.frames.views.readout import number, readout
from ifuview.app.session import Layout, Session, Slot
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Amplifier, Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.quality import MaskBits
from ifuview.model.trace import TraceSet

NY, NX = 60, 80


def session(image, traces=None, plane=()):
    return Session(
        slots=(Slot(1, "a", Dataset("a.fits", block="bundle"), image, traces=traces, plane=plane),), current=1
    )


def detector():
    data = np.arange(NY * NX, dtype=np.float32).reshape(NY, NX)
    ivar = np.full((NY, NX), 0.25, np.float32)
    ivar[0, 0] = 0
    mask = np.zeros((NY, NX), np.int32)
    mask[20, 30] = 5
    fibers = FiberMap(
        np.arange(3), ("100", "101", "102"), (FiberRole.SKY,) * 3, block=np.array([0, 0, 1]), target=("", "STAR", ""),
        ra=np.array([1.0, 2.0, np.nan]), dec=np.array([-1.0, 3.0, 4.0]),
    )  # fmt: skip
    return Image(
        "IMAGE", Kind.DETECTOR, Pixels(data), ivar=Pixels(ivar), mask=Pixels(mask), unit="electron", fibermap=fibers,
        mask_bits=MaskBits({0: ("BAD", ""), 2: ("COSMIC", "")}), amplifiers=(Amplifier("A", 0, 40, 0, 60),),
    )  # fmt: skip


def test_everything_known_about_a_detector_pixel_is_told():
    center = np.array([[10.0], [20.2], [30.0]]) + np.zeros((3, NX))
    traces = TraceSet(np.arange(3), center, wave=np.broadcast_to(4000 + 2.0 * np.arange(NX), (3, NX)),
                      fiber_id=("100", "101", "102"))  # fmt: skip
    view = readout(session(detector(), traces), 1, 30.25, 20.0)
    assert view.fields == (
        ("x", "30 y 20 (FITS 31, 21)"),
        ("value", "1630 e"),
        ("σ", "2"),
        ("mask", "BAD COSMIC"),
        ("fiber", "101 (row 1) -0.2 px"),
        ("bundle", "0"),
        ("", "sky STAR"),
        ("λ", "4060.50 Å"),
        ("amplifier", "A"),
        ("RA, Dec", "2.00000 +3.00000"),
    )
    assert (view.fiber, view.wave) == (1, pytest.approx(4060.5))


def test_between_fibers_there_is_no_fiber():
    center = np.array([[10.0], [14.0], [30.0], [34.0]]) + np.zeros((4, NX))
    view = readout(session(replace(detector(), fibermap=None), TraceSet(np.arange(4), center)), 1, 10, 22)
    assert view.fiber is None


def test_no_weight_and_outside_the_image():
    one = session(detector())
    assert ("σ", "unknown (ivar 0)") in readout(one, 1, 0, 0).fields
    assert ("mask", "none") in readout(one, 1, 0, 0).fields
    assert readout(one, 1, -0.6, 0) is None
    assert readout(one, 1, NX - 0.5, 0) is None
    assert readout(one, 9, 0, 0) is None


@pytest.mark.parametrize("shared", [True, False])
def test_spectra_know_row_and_wavelength(shared):
    wave = 3600 + 0.8 * np.arange(NX)
    image = Image(
        "FLUX", Kind.RSS, Pixels(np.ones((NY, NX), np.float32)), wave=wave if shared else np.tile(wave, (NY, 1))
    )
    view = readout(session(image), 1, 10.5, 7.4)
    assert (view.fiber, view.wave) == (7, pytest.approx(3608.4))
    assert ("fiber", "7 (row 7)") in view.fields


def test_a_cube_knows_the_wavelength_of_its_plane():
    image = Image("CUBE", Kind.CUBE, Pixels(np.full((5, 4, 3), np.nan, np.float32)), wave=5000 + np.arange(5.0))
    view = readout(session(image, plane=(3,)), 1, 1, 1)
    assert view.wave == 5003
    assert ("value", "no value") in view.fields


def test_a_linear_wavelength_axis_is_read_from_the_wcs():
    cards = {"CTYPE1": "WAVE", "CRVAL1": 5e-7, "CDELT1": 1e-10, "CRPIX1": 1.0, "CUNIT1": "m"}
    image = Image("S", Kind.SPECTRUM, Pixels(np.ones(NX, np.float32)), wcs=cards)
    assert readout(session(image), 1, 4, 0).wave == pytest.approx(5004.0)


def test_numbers_have_few_digits():
    assert number(1.23456789012) == "1.23457"
    assert number(-0.000012345678) == "-1.23457e-05"
    assert number(float("inf")) == "infinite"


@pytest.mark.parametrize("projection", ["TAN", "SIN"])
def test_sky_positions_agree_with_astropy(projection):
    wcs = pytest.importorskip("astropy.wcs")
    cards = {
        "CTYPE1": f"RA---{projection}", "CTYPE2": f"DEC--{projection}", "CRVAL1": 359.99, "CRVAL2": 70.0, "CRPIX1": 1e2,
        "CRPIX2": 50.0, "CD1_1": -1e-3, "CD1_2": 2e-4, "CD2_1": 2e-4, "CD2_2": 1e-3,
    }  # fmt: skip
    expected = wcs.WCS(cards).wcs_pix2world([[10, 333]], 0)[0]
    assert worldpos.sky_position(cards, 10, 333) == pytest.approx(tuple(expected), abs=1e-9)


def test_no_celestial_axes_is_none():
    assert worldpos.sky_position({}, 1, 1) is None
    assert worldpos.sky_position({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": "x"}, 1, 1) is None


def test_while_blinking_the_name_of_the_frame_leads():
    one = session(detector()).slots[0]
    both = Session(slots=(one, replace(one, key=2, title="b")), current=1, layout=Layout.BLINK)
    assert readout(both, 2, 3, 4).fields[0] == ("", "b")
    assert readout(replace(both, layout=Layout.SINGLE), 2, 3, 4).fields[0][0] == "x"
