"""Choosing spectra: by FIBER, TARGETID, types and redshift; and what is not possible, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames import joined
from ifuview.app.frames.state import OpenTable
from ifuview.app.session import Slot
from ifuview.app.spectra import choice as spectra_choice
from ifuview.errors import IfuviewError, MissingDataError, UsageError
from ifuview.model.dataset import Dataset, Table
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

FIRST, COUNT = 3000, 20
TARGETS = 39_627_652_809_627_000 + np.arange(COUNT)


def coadd(**columns: np.ndarray) -> Slot:
    n = np.arange(COUNT)
    table = columns or {"FIBER": FIRST + n, "TARGETID": TARGETS, "PETAL_LOC": np.full(COUNT, 6),
                        "OBJTYPE": np.where(n % 5 == 0, "SKY", "TGT")}  # fmt: skip
    names = table.get("FIBER", n)
    roles = tuple(FiberRole.SKY if i % 5 == 0 else FiberRole.SCIENCE for i in n)
    fibermap = FiberMap(fiber=n, fiber_id=tuple(str(i) for i in names), role=roles, table=table)
    image = Image("B_FLUX", Kind.RSS, Pixels(np.zeros((COUNT, 30), np.float32)), fibermap=fibermap)
    return Slot(1, "coadd-6", Dataset("tiles/coadd-6-7951.fits", images=(image,), fibermap=fibermap), image)


def redshifts(petal: int = 6, order: int = -1) -> OpenTable:
    n = np.arange(COUNT)[::order]
    columns = {"TARGETID": TARGETS[n] + 1000 * (petal - 6), "Z": 0.25 * n,
               "SPECTYPE": np.where(n % 4 == 0, "QSO", "GALAXY"), "PETAL_LOC": np.full(COUNT, petal)}  # fmt: skip
    return OpenTable(f"redrock-{petal}.fits", f"redrock-{petal} REDSHIFTS", Table("REDSHIFTS", columns))


def chosen(text: str, slot: Slot | None = None, tables: tuple[OpenTable, ...] = ()) -> list[int]:
    return spectra_choice.choose(text, slot or coadd(), tables).rows.tolist()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("3004", [4]),
        ("3005:3008,3011", [5, 6, 7, 11]),
        ("3005-3008", [5, 6, 7, 8]),
        ("3005..3006", [5, 6]),
        ("FIBER=3002,3004 and OBJTYPE=TGT", [2, 4]),
        ("FIBER>=3018", [18, 19]),
        (str(TARGETS[7]), [7]),
        (f"TARGETID={TARGETS[7]},{TARGETS[2]}", [2, 7]),
        ("OBJTYPE=SKY", [0, 5, 10, 15]),
        ("sky", [0, 5, 10, 15]),
        ("objtype~k, FIBER!=3000", [5, 10, 15]),
    ],
)
def test_fibers_targets_and_types(text, rows):
    assert chosen(text) == rows


def test_small_numbers_are_rows_of_the_camera_and_that_is_said():
    found = spectra_choice.choose("5:8,4", coadd())
    assert found.rows.tolist() == [4, 5, 6, 7]
    assert "3000" in found.note


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SPECTYPE=QSO", [0, 4, 8, 12, 16]),
        ("qso, Z>3", [16]),
        ("Z=1:1.5", [4, 5]),
        ("Z>=4.5", [18, 19]),
        ("SPECTYPE=QSO & OBJTYPE=TGT; Z<2.5", [4, 8]),
    ],
)
def test_redshifts_are_joined_by_target_whatever_their_order(text, rows):
    assert chosen(text, tables=(redshifts(),)) == rows
    assert chosen(text, tables=(redshifts(order=1),)) == rows


def test_redshifts_that_are_not_there_are_named():
    with pytest.raises(MissingDataError, match=r"redrock-6-7951.fits is not in tiles") as problem:
        chosen("SPECTYPE=QSO")
    assert "\n" not in str(problem.value)
    with pytest.raises(MissingDataError, match="not known"):
        chosen("QSO")


def test_redshifts_of_another_petal_are_refused_in_words():
    with pytest.raises(MissingDataError, match=r"it is of petal 0, the spectra are of petal 6"):
        chosen("Z>4", tables=(redshifts(0),))
    assert joined.why_not(redshifts(6), coadd()) == ""
    assert chosen("Z>4.6", tables=(redshifts(0), redshifts(6))) == [19]


def test_spectra_without_fibers_say_so():
    healpix = coadd(TARGETID=TARGETS)
    with pytest.raises(UsageError, match="cannot be chosen by FIBER"):
        chosen("3004", healpix)
    assert chosen("Z>4.6", healpix, (redshifts(),)) == [19]
    assert chosen(str(TARGETS[3]), healpix) == [3]


@pytest.mark.parametrize("text", ["", "  ,", "4000", "NOSUCH=3", "FIBER>x", "Z>high", "OBJTYPE=BAD", "hello"])
def test_what_makes_no_sense_is_told_in_one_sentence(text):
    with pytest.raises(IfuviewError) as problem:
        chosen(text, tables=(redshifts(),))
    assert str(problem.value).endswith(".")
    assert "\n" not in str(problem.value)


def test_a_file_without_a_fiber_table_is_counted_by_rows():
    slot = coadd()
    slot = replace(slot, image=replace(slot.image, fibermap=None), dataset=replace(slot.dataset, fibermap=None))
    assert chosen("3:5", slot) == [3, 4]


def test_the_help_wanted_items_on_real_files(shared_data):
    from ifuview.app.reporting.headless import make_session
    from ifuview.app.spectra.companions import read_tables, tables_beside

    folder = shared_data / "desi/tiles/cumulative/7951/20211014"
    session = make_session([str(folder / "coadd-6-7951-thru20211014.fits.gz")])
    slot = session.slot()
    assert chosen("3050:3055,3004", slot) == [4, 50, 51, 52, 53, 54]
    beside, quality = tables_beside(slot.dataset.path)
    assert "tile-qa" in quality
    tables = joined.open_tables(read_tables(beside))
    rows = chosen("SPECTYPE=QSO, Z>4", slot, tables)
    assert 50 < len(rows) < 150
    other = joined.open_tables(read_tables(str(folder / "redrock-0-7951-thru20211014.fits")))
    with pytest.raises(MissingDataError, match="petal 0"):
        chosen("SPECTYPE=QSO", slot, other)
