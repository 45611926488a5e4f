"""ds9 region files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ifuview import io
from ifuview.errors import FileFormatError
from ifuview.model.region import Region, Shape

COS4, SIN4 = math.cos(math.radians(4)), math.sin(math.radians(4))
WIDTH = (("width", "1"),)
TEXT = """# Region file format: DS9 version 4.1
global color=red width=1
image
circle(100,200,10) # text={hello there} color=cyan tag={g 1} tag={b}
-ellipse(10,20,3,5,30)
box(1,1,4,6,45)
polygon(1,1,10,1,10,10)
line(1,2,3,4)
annulus(5,5,2,4)
point(7,8) # point=cross
vector(1,2,3,4)
nonsense(1,2,3)
circle(1,2)
fk5; circle(10.0,20.0,5")
"""


def test_shapes_are_read_in_zero_based_pixels_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.reg"
    path.write_text(TEXT)
    found = io.read_regions(path)
    assert found[0] == Region(
        Shape.CIRCLE, ((99.0, 199.0),), (10.0,), 0.0, "hello there", "cyan", ("g 1", "b"), more=WIDTH
    )
    assert found[1] == Region(Shape.ELLIPSE, ((9.0, 19.0),), (3.0, 5.0), 30.0, color="red", include=False, more=WIDTH)
    assert [region.shape for region in found] == [
        *(Shape.CIRCLE, Shape.ELLIPSE, Shape.BOX, Shape.POLYGON, Shape.LINE, Shape.ANNULUS, Shape.POINT),
        *(Shape.VECTOR, Shape.CIRCLE),
    ]
    assert found[7].points == (pytest.approx((0.0, 1.0)), pytest.approx((3 * COS4, 1 + 3 * SIN4)))
    assert sum("is left out" in note for note in found.notes) == 2
    assert found[8] == Region(Shape.CIRCLE, ((10.0, 20.0),), (5 / 3600,), color="red", frame="fk5", more=WIDTH)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text(TEXT.replace("vector(1,2,3,4)", "# segment(1,2,3,4,7,5) text={a;b}"))
    found = io.read_regions(tmp_path / "a.reg")
    assert len(found) == 9 and (len(found[7].points), found[7].text) == (3, "a;b")
    io.write_regions(tmp_path / "b.reg", found)
    assert io.read_regions(tmp_path / "b.reg") == found
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text("this is a letter to my mother\n")
    with pytest.raises(FileFormatError):
        io.read_regions(tmp_path / "a.reg")
    with pytest.raises(FileFormatError, match="directory"):
        io.read_regions(tmp_path)


@pytest.mark.parametrize(("text", "shape", "numbers"), [
    ("icrs\ncircle(10:00:00.0,+02:30:00.0,4\")", Shape.CIRCLE, (150.0, 2.5, 4 / 3600)),
    ("fk5; circle(10h00m00s,-2d30m00s,0.1')", Shape.CIRCLE, (150.0, -2.5, 0.1 / 60)),
    ("galactic\ncircle(120:30:00,-0:30:00,4)", Shape.CIRCLE, (120.5, -0.5, 4.0)),
    ('J2000; circle 150.0 2.0 4" # color=red', Shape.CIRCLE, (150.0, 2.0, 4 / 3600)),
    ("circle(1050,1040,5)", Shape.CIRCLE, (1050.0, 1040.0, 5.0)),
    ("image; circle(1050p,1040p,5)", Shape.CIRCLE, (1050.0, 1040.0, 5.0)),
    ("image\n&circle(50,40,5)", Shape.CIRCLE, (49.0, 39.0, 5.0)),
    ("image;panda(50,40,0,360,4,3,9,1)", Shape.PANDA, (49.0, 39.0, 3.0, 9.0)),
    ("image;epanda(50,40,0,360,4,3,2,9,6,1,30)", Shape.EPANDA, (49.0, 39.0, 3.0, 2.0, 9.0, 6.0)),
    ("image;bpanda(50,40,0,360,4,3,2,9,6,1,30)", Shape.BPANDA, (49.0, 39.0, 3.0, 2.0, 9.0, 6.0)),
    ("image;ellipse(50,40,1,2,3,4,5,6,30)", Shape.ELLIPSE, (49.0, 39.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)),
    ("image;annulus(50,40,1,2,3)", Shape.ANNULUS, (49.0, 39.0, 1.0, 2.0, 3.0)),
    ("image\n# compass(50,40,9) compass=fk5 {N} {E} 1 1", Shape.COMPASS, (49.0, 39.0, 9.0)),
    ("image\n# text(50,40) text={R & D; here}", Shape.TEXT, (49.0, 39.0)),
    ("image\n# ruler(1,2,3,4) ruler=pixels", Shape.RULER, (0.0, 1.0, 2.0, 3.0)),
    ("image\n# projection(1,2,3,4,5)", Shape.PROJECTION, (0.0, 1.0, 2.0, 3.0, 5.0)),
    ("image;boxcircle point 50 40", Shape.POINT, (49.0, 39.0)),
    ("image;point(50,40) # point=x 11", Shape.POINT, (49.0, 39.0)),
])  # fmt: skip
def test_every_shape_and_frame_of_ds9(tmp_path: Path, text: str, shape: Shape, numbers: tuple[float, ...]) -> None:
    (tmp_path / "a.reg").write_text(text)
    (found,) = io.read_regions(tmp_path / "a.reg")
    flat = (*(v for point in found.points for v in point), *found.size)
    assert found.shape is shape and flat == pytest.approx(numbers, rel=1e-12)
    assert found.include and (found.text == "R & D; here" or "text=" not in text)


def test_shapes_that_follow_each_other_on_a_line_are_all_read(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text(
        "physical\ncircle(10,20,9)-circle(10,20,3)\ncircle(1,2,3) || # color=red\nfield()\n"
    )
    found = io.read_regions(tmp_path / "a.reg")
    assert [(r.size[0], r.include, r.color) for r in found] == [
        (9, True, "green"),
        (3, False, "green"),
        (3, True, "red"),
    ]
    assert len(found.notes) == 1 and "field" in found.notes[0]


def test_the_regions_package_reads_the_same(tmp_path: Path) -> None:
    """An independent parser, where it reads a line at all."""
    from regions import Regions

    text = 'fk5\nellipse(150.1,2.2,5",3",40)\nicrs\nbox(10:00:01,2:00:30,9",6",20)\nimage\ncircle(4,5,6)\n'
    (tmp_path / "a.reg").write_text(text)
    own, theirs = io.read_regions(tmp_path / "a.reg"), Regions.parse(text, format="ds9")
    for mine, other in zip(own[:2], theirs, strict=False):
        assert mine.points[0] == pytest.approx((other.center.ra.deg, other.center.dec.deg), abs=1e-10)
        assert mine.angle == pytest.approx(other.angle.to_value("deg"))
    assert own[0].size == pytest.approx((theirs[0].width.to_value("deg") / 2, theirs[0].height.to_value("deg") / 2))
    assert own[1].size == pytest.approx((theirs[1].width.to_value("deg"), theirs[1].height.to_value("deg")))
    assert own[2].points[0] == pytest.approx((theirs[2].center.x, theirs[2].center.y))


KEPT = r"(?:point|compass|line|ruler)=[^\n]*"
EVERY = """# Region file format: DS9 version 4.1
fk5
circle(150.100000000,2.200000000,5.000000")
ellipse(150.1,2.2,5",3",7",6",40)
box(150.1,2.2,9",6",20) # width=3 dash=1
annulus(150.1,2.2,1",2",5")
panda(150.1,2.2,10,200,3,2",9",4)
epanda(150.1,2.2,0,360,4,3",2",9",6",2,30)
bpanda(150.1,2.2,0,90,1,3",2",9",6",1,30)
polygon(150.1,2.2,150.2,2.2,150.2,2.3)
line(150.1,2.2,150.2,2.3) # line=1 0
# vector(150.1,2.2,9",30) vector=1
# ruler(150.1,2.2,150.2,2.3) ruler=arcsec
# projection(150.1,2.2,150.2,2.3,4")
# compass(150.1,2.2,20") compass=fk5 {N} {E} 1 1
# text(150.1,2.2) font="times 12 normal roman" text={a; b}
point(150.1,2.2) # point=diamond 11
"""


def test_every_shape_is_written_with_all_its_numbers_and_properties(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text(EVERY)
    found = io.read_regions(tmp_path / "a.reg")
    assert len(found) == 15 and found.notes == ()
    assert {region.shape for region in found} == set(Shape)
    io.write_regions(tmp_path / "b.reg", found)
    text = (tmp_path / "b.reg").read_text()
    for words in (
        "point=diamond 11",
        "compass=fk5 {N} {E} 1 1",
        "line=1 0",
        "ruler=arcsec",
        'font="times 12 normal roman"',
    ):
        assert words in text
    again = io.read_regions(tmp_path / "b.reg")
    assert again.notes == ()
    for one, other in zip(found, again, strict=True):
        assert (one.shape, one.more, one.text, one.sectors) == (other.shape, other.more, other.text, other.sectors)
        assert one.size == pytest.approx(other.size, abs=1e-9)
        for mine, theirs in zip(one.points, other.points, strict=True):
            assert mine == pytest.approx(theirs, abs=2e-9)
