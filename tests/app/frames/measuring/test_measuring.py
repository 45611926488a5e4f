"""Sources, cuts and contours of frames: intents in, marks, words, tables and figures out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames.look import Look
from ifuview.app.frames.measuring.sources import pair
from ifuview.app.frames.views import cut, overlay, regions
from ifuview.app.frames.views.fiber_marks import MarkKind
from ifuview.app.outside.scripts import HeadlessSession
from ifuview.app.readout import readout
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.views import tables
from ifuview.errors import FitError, MissingDataError, UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.region import Region, Shape

NOISE, FLUX, FWHM, PLACE = 2.0, 9000.0, 3.4, (31.3, 22.8)
PIXEL = 0.2  # arcsec


def sky(angle: float = 0.0, at: tuple[float, float] = (40.0, 30.0), scale: float = PIXEL) -> dict[str, object]:
    """Cards of a TAN projection, turned by `angle` degrees about a 0-based pixel."""
    c, s = (scale / 3600 * f(np.radians(angle)) for f in (np.cos, np.sin))
    return {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": at[0] + 1,
        "CRPIX2": at[1] + 1, "CD1_1": -c, "CD1_2": s, "CD2_1": s, "CD2_2": c,
    }  # fmt: skip


def frame(key: int, place: tuple[float, float] = PLACE, cards: dict[str, object] | None = None,
          shape: tuple[int, int] = (60, 80), known: bool = True) -> Slot:  # fmt: skip
    """A star on noise."""
    rng = np.random.default_rng(key)
    yy, xx = np.indices(shape)
    rho2 = ((xx - place[0]) ** 2 + (yy - place[1]) ** 2) / (FWHM / 2) ** 2
    star = FLUX * np.log(2) / (np.pi * FWHM**2 / 4) * np.exp(-np.log(2) * rho2)
    pixels = Pixels((star + rng.normal(0, NOISE, shape)).astype(np.float32))
    ivar = Pixels(np.full(shape, NOISE**-2, np.float32)) if known else None
    image = Image(f"im{key}", Kind.IMAGE, pixels, ivar=ivar, unit="electron", wcs=cards or {})
    return Slot(key, f"im{key}", Dataset(f"im{key}.fits", images=(image,)), image, look=Look(lo=0.0, hi=600.0))


def viewer(*slots: Slot) -> HeadlessSession:
    return HeadlessSession(Session(slots=slots, current=slots[0].key, headless=True, next_key=len(slots) + 1))


def test_a_source_is_measured_marked_told_and_listed(tmp_path: Path) -> None:
    shown = viewer(frame(1, cards=sky()))
    shown.ask(want.MeasureSource(1, 30.0, 24.0))
    slot = shown.frame
    assert slot is not None and slot.measured is not None
    (found,) = slot.measured.sources
    assert abs(found.x - PLACE[0]) < 5 * found.x_error < 0.1
    assert abs(found.y - PLACE[1]) < 5 * found.y_error < 0.1
    assert abs(found.flux - FLUX) < 5 * found.flux_error
    assert found.fwhm == pytest.approx(FWHM, abs=0.1)  # sampled at the centers of the pixels: 1 % wider
    (mark,) = [m for m in overlay.make_overlay(shown.session, slot).marks if m.kind is MarkKind.SOURCE]
    assert np.hypot(mark.x - found.x, mark.y - found.y).max() == pytest.approx(FWHM / 2, rel=0.1)
    assert "FWHM" in shown.session.messages[-1].text
    near, away = (readout(shown.session, 1, x, 22.0) for x in (32.0, 60.0))
    assert near is not None and away is not None
    line = dict(near.fields)["source 1"]
    assert "RA, Dec 150.00" in line and "px = 0.6" in line and line.endswith(" e")
    assert not any(name.startswith("source") for name, _ in away.fields)
    shown.ask(want.MeasureSource(1, 31.0, 23.0))
    assert len(shown.frame.measured.sources) == 1  # the same one: its answer is renewed
    view = tables.make(shown.session)
    assert view is not None and "Measured sources" in view.titles
    out = tmp_path / "sources.ecsv"
    shown.save("sources", str(out))
    from astropy.table import Table

    stored = Table.read(out)
    assert stored["x"][0] == pytest.approx(found.x, abs=0.02)
    assert str(stored["ra"].unit) == "deg"
    assert stored["fwhm_arcsec"][0] == pytest.approx(found.fwhm * PIXEL, rel=0.01)
    shown.ask(want.ForgetMeasured())
    assert tables.make(shown.session) is None
    with pytest.raises(MissingDataError, match="no source"):
        shown.save("sources", str(tmp_path / "none.fits"))


def test_masked_pixels_do_not_count_and_a_wide_source_is_seen_as_a_whole() -> None:
    slot = frame(1)
    pixels, mask = np.array(slot.image.pixels.raw), np.zeros((60, 80), np.uint8)
    pixels[20, 33], mask[20, 33] = 50_000.0, 1
    slot = replace(slot, image=replace(slot.image, pixels=Pixels(pixels), mask=Pixels(mask)))
    shown = viewer(slot)
    shown.ask(want.MeasureSource(1, 31.0, 23.0))
    assert shown.frame.measured.sources[0].x == pytest.approx(PLACE[0], abs=0.1)
    yy, xx = np.indices((200, 220))
    wide = 50 * np.exp(-np.log(2) * ((xx - 100.4) ** 2 + (yy - 90) ** 2) / 15**2)
    rng = np.random.default_rng(0)
    image = replace(slot.image, pixels=Pixels((wide + rng.normal(0, 2, wide.shape)).astype(np.float32)), mask=None,
                    ivar=None)  # fmt: skip
    shown = viewer(replace(slot, image=image))
    shown.ask(want.MeasureSource(1, 101.0, 90.0))
    assert shown.frame.measured.sources[0].fwhm == pytest.approx(30.0, rel=0.02)


def test_where_nothing_is_one_sentence_says_so() -> None:
    shown = viewer(frame(1))
    with pytest.raises(FitError, match="no source"):
        shown.ask(want.MeasureSource(1, 70.0, 50.0))
    with pytest.raises(UsageError, match="not on the image"):
        shown.ask(want.MeasureSource(1, 500.0, 5.0))
    with pytest.raises(UsageError, match="no other frame"):
        shown.ask(want.DrawContours())


@pytest.mark.parametrize(("value", "error", "text"), [
    (12.34567, 0.0234, "12.346 ± 0.023"), (1234567.0, 2345.0, "1.235e+06 ± 2.3e+03"), (5.0, 0.0, "5"),
])  # fmt: skip
def test_a_number_has_the_digits_that_its_error_allows(value: float, error: float, text: str) -> None:
    assert pair(value, error) == text


def contour(first: Slot, second: Slot, how: str = "noise") -> np.ndarray:
    """Center of the highest contour of the second frame over the first."""
    shown = viewer(first, second)
    shown.ask(want.DrawContours(how, second.key))
    found = shown.frame.measured.contours
    assert found is not None and found.title == second.title
    kinds = {m.kind for m in overlay.make_overlay(shown.session, shown.frame).marks}
    assert kinds == {MarkKind.CONTOUR}
    shown.ask(want.DrawContours("none"))
    assert shown.frame.measured.contours is None
    return (found.lines[0].min(axis=0) + found.lines[0].max(axis=0)) / 2


@pytest.mark.parametrize("how", ["noise", "limits"])
def test_contours_lie_on_the_same_place_of_the_sky(how: str) -> None:
    """The star of a turned, finer image lies where the WCS of both says: 0.2 px is a hundredth of its noise circle."""
    here, there = sky(), sky(37.0, (20.0, 50.0), 0.1)
    first = frame(1, cards=here)
    second = frame(2, cards=there, shape=(90, 70), place=(33.0, 41.0))
    from astropy.wcs import WCS

    truth = WCS(here).world_to_pixel(WCS(there).pixel_to_world(33.0, 41.0))
    np.testing.assert_allclose(contour(first, second, how), truth, atol=0.2)


def test_contours_without_a_sky_lie_on_the_same_pixels_or_nowhere() -> None:
    np.testing.assert_allclose(contour(frame(1), frame(2, place=(50.5, 30.0))), (50.5, 30.0), atol=0.3)
    with pytest.raises(UsageError, match="neither a sky"):
        contour(frame(1, cards=sky()), frame(2, shape=(90, 70)))


def with_line(slot: Slot, *points: tuple[float, float]) -> Session:
    return replace(viewer(replace(slot, regions=(Region(Shape.LINE, points),))).session, cut_width=3)


def test_a_cut_through_the_star_has_its_width_and_errors() -> None:
    x, y = PLACE
    view = cut.make(with_line(frame(1, cards=sky()), (x - 15, y - 12), (x + 15, y + 12)))
    assert view is not None and view.error is not None
    wings = np.r_[view.value[:12], view.value[-12:]]
    assert wings.std() == pytest.approx(np.nanmedian(view.error), rel=0.5)  # of 24
    above = view.distance[view.value > view.value.max() / 2]
    assert FWHM - 2 < np.ptp(above) < FWHM + 1  # whole steps that lie within
    assert view.distance[view.value.argmax()] == pytest.approx(np.hypot(15, 12), abs=1)
    curve = view.figure.curves[0]
    np.testing.assert_allclose(curve.high - curve.low, 2 * view.error)
    assert "38.4 px = 7.684" in view.text and "38.7°" in view.text


def test_a_line_can_be_drawn() -> None:
    shown = viewer(frame(1))
    assert shown.ask(want.DrawRegions("line")).drawing == "line"
    line = regions.drawn("line", (1.0, 2.0), (5.0, 7.0))
    assert (line.shape, line.points) == (Shape.LINE, ((1.0, 2.0), (5.0, 7.0)))


def test_a_cut_without_errors_outside_or_without_a_line_says_what_it_lacks() -> None:
    assert cut.make(viewer(frame(1)).session) is None
    assert cut.make(with_line(frame(1, known=False), (1.0, 1.0), (30.0, 5.0))).error is None
    assert "does not touch" in cut.make(with_line(frame(1), (100.0, 100.0), (130.0, 105.0))).figure.empty
    bent = cut.make(with_line(frame(1), (1.0, 1.0), (11.0, 1.0), (11.0, 6.0)))
    assert bent.distance[-1] == pytest.approx(15.0)
