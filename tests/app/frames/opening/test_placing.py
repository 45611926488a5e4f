"""Regions in sky and physical coordinates lie where they should on the image, or are said to be left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from ifuview.app.frames.opening.placing import placed
from ifuview.app.frames.opening.regions import read_placed, read_regions, write_regions
from ifuview.app.frames.tasks import ReadRegions
from ifuview.engine.context import SILENT
from ifuview.model.region import Region, Shape
from tests.app.frames.views import made

TURN = np.radians(30)
SCALE = 1e-4  # degrees a pixel
CARDS = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 60.0, "CRPIX1": 50.0, "CRPIX2": 40.0,
    "CD1_1": -SCALE * np.cos(TURN), "CD1_2": SCALE * np.sin(TURN), "CD2_1": SCALE * np.sin(TURN),
    "CD2_2": SCALE * np.cos(TURN), "RADESYS": "ICRS",
}  # fmt: skip
HERE = SkyCoord(150.004, 60.002, unit="deg", frame="icrs")


def region(frame: str, shape: Shape = Shape.CIRCLE, size: tuple[float, ...] = (SCALE * 5,), angle: float = 0) -> Region:
    """A region at HERE."""
    name = {"ecliptic": "barycentricmeanecliptic"}.get(frame, frame)
    there = HERE if frame == "wcs" else HERE.transform_to(SkyCoord(0, 0, unit="deg", frame=name).frame)
    return Region(shape, ((there.spherical.lon.deg, there.spherical.lat.deg),), size, angle, frame=frame)


@pytest.mark.parametrize("sip", [{}, {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2,
                                      "A_2_0": 1e-3, "B_1_1": 1e-3}])  # fmt: skip
@pytest.mark.parametrize("frame", ["icrs", "fk5", "fk4", "galactic", "ecliptic", "wcs"])
def test_the_center_is_where_astropy_has_it(frame: str, sip: dict[str, object]) -> None:
    cards = CARDS | sip
    (found,), notes = placed([region(frame)], cards)
    right = WCS(fits.Header(cards)).all_world2pix([[HERE.ra.deg, HERE.dec.deg]], 0)[0]
    assert found.points[0] == pytest.approx(tuple(right), abs=1e-3) and found.frame == "image" and not notes
    if not sip:
        assert found.shape is Shape.CIRCLE and found.size == pytest.approx((5.0,), rel=1e-3)


@pytest.mark.parametrize("mirror", [1, -1])
def test_a_box_is_turned_with_the_sky(mirror: int) -> None:
    cards = CARDS | {"CD1_1": mirror * CARDS["CD1_1"], "CD2_1": mirror * CARDS["CD2_1"]}
    (found,), _ = placed([region("icrs", Shape.BOX, (SCALE * 20, SCALE * 6), 25.0)], cards)
    assert found.size == pytest.approx((20.0, 6.0), rel=1e-3)
    end = HERE.directional_offset_by((270 + 25) * units.deg, SCALE * 10 * units.deg)
    right = WCS(fits.Header(cards)).all_world2pix([[end.ra.deg, end.dec.deg]], 0)[0] - found.points[0]
    angle = np.degrees(np.arctan2(right[1], right[0]))
    assert (found.angle - angle + 180) % 360 - 180 == pytest.approx(0, abs=0.1)


def test_a_circle_on_unequal_pixels_is_an_ellipse() -> None:
    cards = {k: v for k, v in CARDS.items() if not k.startswith("CD")} | {"CDELT1": -2e-4, "CDELT2": 1e-4}
    (found,), _ = placed([region("icrs")], cards)
    assert found.shape is Shape.ELLIPSE and found.size == pytest.approx((2.5, 5.0), rel=1e-3)


def test_physical_coordinates_and_sizes_on_the_sky() -> None:
    cards = CARDS | {"LTV1": -1000.0, "LTV2": -500.0, "LTM1_1": 0.5, "LTM2_2": 0.5}
    regions = [
        Region(Shape.CIRCLE, ((2100.0, 1080.0),), (8.0,), frame="physical"),
        Region(Shape.CIRCLE, ((49.0, 39.0),), (SCALE * 7,), size_unit="deg"),
        Region(Shape.CIRCLE, ((49.0, 39.0),), (3.0,)),
        Region(Shape.CIRCLE, ((150.0, 60.0),), (3.0,), frame="icrs", size_unit="px"),
    ]
    found, notes = placed(regions, cards)
    for one, size in zip(found, (4.0, 7.0, 3.0, 3.0), strict=True):
        assert one.points[0] == pytest.approx((49.0, 39.0), abs=1e-6) and one.size == pytest.approx((size,), rel=1e-3)
    assert not notes and all((one.frame, one.size_unit) == ("image", "") for one in found)


def test_what_cannot_be_placed_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text(
        'fk5\ncircle(150,60,4")\npanda(1,2)\nimage\ncircle(5,5,2)\nicrs\ncircle(330,-60,4")\n'
    )
    found, notes = read_placed(str(tmp_path / "a.reg"), {})
    assert len(found) == 1 and sum("no sky coordinates" in note for note in notes) == 2
    assert any("panda" in note for note in notes)
    found, notes = read_placed(str(tmp_path / "a.reg"), CARDS)
    assert len(found) == 2 and sum("outside" in note for note in notes) == 1


def test_loading_a_file_draws_what_it_can_and_says_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text('image\ncircle(5,5,2)\nfk5\ncircle(150,60,4")\n')
    session = made.session()
    task = ReadRegions(title="", frame=1, path=str(tmp_path / "a.reg"))
    after = task.apply(session, task.run(session, SILENT))
    slot = after.slot(1)
    assert slot is not None and slot.regions[-1].points == ((4.0, 4.0),)
    assert "1 regions" in after.messages[-1].text and "no sky coordinates" in after.messages[-1].text


EVERY = """circle({at},5")
ellipse({at},5",3",7",6",40)
box({at},9",6",20)
annulus({at},1",2",5")
panda({at},10,200,3,2",9",4)
epanda({at},10,80,2,3",2",9",6",2,30)
polygon({at},{other},{third})
# vector({at},9",30) vector=1
# ruler({at},{other})
# compass({at},20") compass=fk5 {{N}} {{E}} 1 1
# text({at}) text={{a}}
"""


def _three(frame: str) -> dict[str, str]:
    places = [SkyCoord(a, d, unit="deg") for a, d in ((150.001, 60.001), (150.004, 60.002), (150.002, 60.004))]
    if frame == "physical":
        return dict(zip(("at", "other", "third"), ("2100,1080", "2104,1082", "2110,1070")))
    name = {"ecliptic": "barycentricmeanecliptic"}.get(frame, frame)
    turned = [p.transform_to(SkyCoord(0, 0, unit="deg", frame=name).frame) for p in places]
    words = [f"{p.spherical.lon.deg:.9f},{p.spherical.lat.deg:.9f}" for p in turned]
    return dict(zip(("at", "other", "third"), words))


@pytest.mark.parametrize("mirror", [1, -1])
@pytest.mark.parametrize("frame", ["fk4", "fk5", "icrs", "galactic", "ecliptic", "physical"])
def test_regions_are_written_back_in_their_frame_unmoved_and_moved(tmp_path: Path, frame: str, mirror: int) -> None:
    cards = CARDS | {"CD1_1": mirror * CARDS["CD1_1"], "CD2_1": mirror * CARDS["CD2_1"]}
    if frame == "physical":
        cards |= {"LTV1": -1000.0, "LTV2": -500.0, "LTM1_1": 0.5, "LTM2_2": 0.5}
    path, back = tmp_path / "a.reg", str(tmp_path / "b.reg")
    every = EVERY.replace('"', "") if frame == "physical" else EVERY
    path.write_text(f"{frame}\n" + every.format(**_three(frame)))
    first, notes = read_placed(str(path), cards)
    assert len(first) == 11 and notes == ()
    assert write_regions(back, first, cards) == ()
    given, written = read_regions(str(path)), read_regions(back)
    assert [r.frame for r in written] == [frame] * 11
    for one, other in zip(given, written, strict=True):
        assert one.points[0] == pytest.approx(other.points[0], abs=2e-9)
        assert (one.sectors, one.angle) == (other.sectors, other.angle)
    moved = [replace(r, points=tuple((x + 3.0, y - 2.0) for x, y in r.points)) for r in first]
    assert write_regions(back, moved, cards) == ()
    again, notes = read_placed(back, cards)
    assert notes == () and [r.home.frame for r in again] == [frame] * 11
    for one, other in zip(moved, again, strict=True):
        assert np.array(other.points) == pytest.approx(np.array(one.points), abs=0.01)
        assert other.size == pytest.approx(one.size, rel=1e-3)
        assert (other.angle - one.angle + 180) % 360 - 180 == pytest.approx(0, abs=0.05)
        assert other.sectors[1:] == pytest.approx(one.sectors[1:], abs=0.1)


@pytest.mark.parametrize("mirror", [1, -1])
def test_the_sectors_of_a_panda_turn_with_the_sky(mirror: int) -> None:
    cards = CARDS | {"CD1_1": mirror * CARDS["CD1_1"], "CD2_1": mirror * CARDS["CD2_1"]}
    panda = replace(region("icrs", Shape.PANDA, (SCALE * 5, SCALE * 20)), sectors=(25.0, 65.0, 2.0, 1.0))
    (found,), _ = placed([panda], cards)
    edges = []
    for angle in (25, 65):
        end = HERE.directional_offset_by((270 + angle) * units.deg, SCALE * 10 * units.deg)
        right = WCS(fits.Header(cards)).all_world2pix([[end.ra.deg, end.dec.deg]], 0)[0] - found.points[0]
        edges.append(float(np.degrees(np.arctan2(right[1], right[0]))))
    first, last = sorted(edges, key=lambda a: (a - edges[0] + 180) % 360) if mirror > 0 else reversed(edges)
    assert (found.sectors[0] - first + 180) % 360 - 180 == pytest.approx(0, abs=0.2)
    assert (found.sectors[1] - last + 180) % 360 - 180 == pytest.approx(0, abs=0.2)


def test_without_the_sky_it_is_said_that_pixels_are_written(tmp_path: Path) -> None:
    (found,), _ = placed([region("icrs")], CARDS)
    notes = write_regions(str(tmp_path / "a.reg"), [replace(found, points=((3.0, 4.0),))], {})
    assert "written in pixels" in notes[0]
    assert read_regions(str(tmp_path / "a.reg"))[0].points == ((3.0, 4.0),)


@pytest.mark.parametrize("mirror", [1, -1])
def test_a_compass_points_to_the_east_and_north_of_its_frame(mirror: int) -> None:
    cards = CARDS | {"CD1_1": mirror * CARDS["CD1_1"], "CD2_1": mirror * CARDS["CD2_1"]}
    (found,), _ = placed([region("galactic", Shape.COMPASS, (SCALE * 10,))], cards)
    here = HERE.galactic
    for angle, place in zip(found.sectors, (90, 0), strict=True):
        end = here.directional_offset_by(place * units.deg, SCALE * 10 * units.deg).icrs
        right = WCS(fits.Header(cards)).all_world2pix([[end.ra.deg, end.dec.deg]], 0)[0] - found.points[0]
        assert (angle - np.degrees(np.arctan2(right[1], right[0])) + 180) % 360 - 180 == pytest.approx(0, abs=0.2)
