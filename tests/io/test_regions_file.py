"""ds9 region files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifuview import io
from ifuview.errors import FileFormatError
from ifuview.model.region import Region, Shape

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
fk5; circle(10.0,20.0,5")
"""


def test_shapes_are_read_in_zero_based_pixels_and_others_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.reg"
    path.write_text(TEXT)
    found = io.read_regions(path)
    assert found[0] == Region(Shape.CIRCLE, ((99.0, 199.0),), (10.0,), 0.0, "hello there", "cyan", ("g 1", "b"))
    assert found[1] == Region(Shape.ELLIPSE, ((9.0, 19.0),), (3.0, 5.0), 30.0, color="red", include=False)
    assert [region.shape for region in found] == [
        *(Shape.CIRCLE, Shape.ELLIPSE, Shape.BOX, Shape.POLYGON, Shape.LINE, Shape.ANNULUS, Shape.POINT),
    ]
    assert any("vector" in note for note in found.notes) and any("Sky" in note for note in found.notes)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text(TEXT)
    found = io.read_regions(tmp_path / "a.reg")
    io.write_regions(tmp_path / "b.reg", found)
    assert io.read_regions(tmp_path / "b.reg") == found
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.reg").write_text("this is a letter to my mother\n")
    with pytest.raises(FileFormatError):
        io.read_regions(tmp_path / "a.reg")
    with pytest.raises(FileFormatError, match="directory"):
        io.read_regions(tmp_path)
