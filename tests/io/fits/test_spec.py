"""ds9's extension syntax."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifuview.errors import UsageError
from ifuview.io.fits.spec import FileSpec, parse_spec

ALL = ((None, None), (None, None))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("f.fits", FileSpec("f.fits")),
        ("f.fits[2]", FileSpec("f.fits", 2)),
        ("f.fits[SCI]", FileSpec("f.fits", "SCI")),
        ("f.fits[SCI,2]", FileSpec("f.fits", "SCI", 2)),
        ("f.fits[ SCI , 2 ]", FileSpec("f.fits", "SCI", 2)),
        ("f.fits[1][10:200,5:9]", FileSpec("f.fits", 1, section=((10, 200), (5, 9)))),
        ("f.fits[10:200,5:9]", FileSpec("f.fits", section=((10, 200), (5, 9)))),
        ("f.fits[*,5:9,4]", FileSpec("f.fits", section=((None, None), (5, 9)), block=4)),
        ("f.fits[10:,:9]", FileSpec("f.fits", section=((10, None), (None, 9)))),
        ("f.fits+2", FileSpec("f.fits", 2)),
        ("a+b.fits", FileSpec("a+b.fits")),
        ("dir[1]/f.fits[3]", FileSpec("dir[1]/f.fits", 3)),
    ],
)
def test_forms_are_understood(text: str, spec: FileSpec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize("text", ["f.fits[2]", "f.fits[SCI,2]", "f.fits[1][10:200,5:9]", "f.fits[*,5:9,4]"])
def test_text_gives_back_what_was_typed(text: str) -> None:
    assert parse_spec(text).text == text


@pytest.mark.parametrize(
    "text",
    ["", "f[]", "f[1][2][3]", "f[1][x]", "f[9:2,1:2]", "f[1:2]", "f[1:2,3:4,0]", "f[a:b,1:2]", "[1]", "a\0b", "f[1,2]"],
)
def test_nonsense_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as problem:
        parse_spec(text)
    assert str(problem.value).count("\n") == 0


def test_a_file_of_that_very_name_wins(tmp_path: Path) -> None:
    path = tmp_path / "odd[2]"
    path.write_bytes(b"x")
    assert parse_spec(path) == FileSpec(str(path))
    assert parse_spec(f"{path}[1]") == FileSpec(str(path), 1)
