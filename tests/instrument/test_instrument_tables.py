"""The tables of LRS2: complete, with unit, source and license; the user's folder first; by date and unit."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from ifuview import resources
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.instrument.ecsv import read_ecsv
from ifuview.instrument.tables import Tables

FOLDER = resources.path("instruments/lrs2")
EVERY = [*FOLDER.glob("*.ecsv"), *resources.path("instruments/virus").glob("*.ecsv")]
CAMERAS = {"uv": ("LL", "LU"), "orange": ("RU", "RL"), "red": ("LL", "LU"), "farred": ("RU", "RL")}
UNIT = {"uv": ("503", "056", "7001"), "orange": ("503", "056", "7001"), "red": ("502", "066", "7002"),
        "farred": ("502", "066", "7002")}  # fmt: skip


@pytest.mark.parametrize("path", sorted(EVERY), ids=lambda p: f"{p.parent.name} {p.stem}")
def test_a_table_is_ecsv_and_says_where_it_comes_from(path):
    from astropy.table import Table

    other, own = Table.read(path, format="ascii.ecsv"), read_ecsv(path)
    assert own.meta["source"] == other.meta["source"]
    assert own.meta["license"].startswith(("BSD", "no license"))
    assert own.meta["content"]
    for name in other.colnames:
        same = zip(own.columns[name], other[name], strict=True)
        assert all(np.array_equal(a, b, equal_nan=isinstance(b, float)) for a, b in same)
        assert own.units[name] == ("" if other[name].unit is None else own.units[name] or "no unit")


@pytest.mark.parametrize("camera", CAMERAS)
def test_every_channel_has_its_tables(camera):
    tables = Tables("lrs2")
    layout = tables.fibers(camera)
    assert layout.x.shape == layout.y.shape == (280,)
    assert layout.amplifier == tuple(a for a in CAMERAS[camera] for _ in range(140))
    assert len(set(zip(layout.x, layout.y))) == 280
    assert np.all(np.diff(tables.lines(camera).wave) > 0)
    assert np.all(tables.response(camera).value > 0) and tables.response(camera).unit == "erg / electron"
    assert np.all(np.diff(tables.sky(camera).wave) > 0)
    assert tables.refraction(camera).shape[0] == 3
    for amplifier in CAMERAS[camera]:
        rows = tables.rows(UNIT[camera], amplifier, 20181201)
        assert rows.date == 20181108 and rows.row.shape == (140,)
        assert np.all(np.diff(rows.row) > 4)


def test_fiber_positions_are_those_of_the_shared_truth(shared_data):
    with np.load(shared_data / "lrs2" / "sim" / "truth_lrs2.npz") as file:
        truth = dict(file)
    for camera, amplifiers in CAMERAS.items():
        layout = Tables("lrs2").fibers(camera)
        xy = np.concatenate([truth[f"ifupos_{camera}_{a}"] for a in amplifiers])
        np.testing.assert_allclose(np.stack([layout.x, layout.y], 1), xy, atol=1e-6)


def test_positions_and_rows_of_the_other_instrument(shared_data):
    """Fiber heads that differ from the others among them: 005 has its upper half reversed."""
    sim = shared_data / "virus" / "sim"
    tables = Tables("virus")
    with np.load(sim / "truth_virus.npz") as file:
        truth = dict(file)
    for slot, ifuid in (("047", "024"), ("046", "005")):
        for side, amplifiers in (("L", ("LL", "LU")), ("R", ("RU", "RL"))):
            layout = tables.fibers(f"{slot}{side}", ifuid)
            xy = np.concatenate([truth[f"ifupos_{slot}_{a}"] for a in amplifiers])
            np.testing.assert_allclose(np.stack([layout.x, layout.y], 1), xy, atol=1e-5)
    assert not np.array_equal(tables.fibers("047R", "005").x, tables.fibers("047R", "024").x)
    place = shared_data / "virus" / "Fiber_Locations" / "20180829" / "fiber_loc_308_047_024_LU.txt"
    want = np.loadtxt(place)
    rows = tables.rows(("308", "047", "024"), "LU", 20180901)
    assert rows.date == 20180829
    np.testing.assert_allclose(rows.row, want[:, 0])
    np.testing.assert_array_equal(rows.dead, want[:, 1] != 0)
    assert len(tables.rows(("504", "050", "018"), "RU", 20210531).row) == 112
    assert tables.real_slot("015", 20200101) == "024" and tables.real_slot("015", 20200624) == "015"
    then = {one.slot: (one.x, one.y) for one in tables.focal_plane(20200101)}
    now = {one.slot: (one.x, one.y) for one in tables.focal_plane()}
    assert then["015"] == now["024"] and then["024"] == now["015"] and then["047"] == now["047"]
    assert len(tables.lines("047L").wave) == 9 and tables.passband().value.max() > 0.5
    throughput, normalization = tables.throughput()
    assert throughput.value.max() == pytest.approx(0.161, abs=0.002) and 0.7 < normalization.value.min() < 0.72


def test_rows_are_those_of_the_nearest_date():
    tables = Tables("lrs2")
    assert tables.rows(("501", "056", "7001"), "LL", 20170101).date == 20160724
    assert tables.rows(("503", "056", "7001"), "LL", 20170301).date == 20170305
    assert tables.rows(("503", "056", "7001"), "LL", 20250101).date == 20181108
    np.testing.assert_array_equal(np.flatnonzero(tables.rows(UNIT["farred"], "RU", 20181201).dead), [6, 17])
    with pytest.raises(MissingDataError, match=r"no fiber rows are known of 999_056_7001_LL.*--config DIR"):
        tables.rows(("999", "056", "7001"), "LL", 20181201)


def test_the_users_folder_goes_first(tmp_path):
    place = tmp_path / "Fiber_Locations" / "20181130"
    place.mkdir(parents=True)
    (place / "fiber_loc_503_056_7001_LU.txt").write_text("# 0.50\n10.5 0\n17.25 1\n")
    (tmp_path / "lines_uv.dat").write_text("# comment\n4046.563 843 0.27 Hg\n#4000.0 800 1 Xx\n3650.153 35 .02 Hg\n")
    (tmp_path / "fplane.txt").write_text("# slots\n056 -50.0 -150.0 503 998 7001 1.5 1.000\n")
    tables = Tables("lrs2", str(tmp_path))
    rows = tables.rows(UNIT["uv"], "LU", 20181201)
    assert (rows.date, rows.fraction) == (20181130, 0.5)
    np.testing.assert_array_equal(rows.row, [10.5, 17.25])
    np.testing.assert_array_equal(rows.dead, [False, True])
    assert tables.rows(UNIT["uv"], "LL", 20181201).date == 20181108  # of what the user has not, the program's own
    np.testing.assert_array_equal(tables.lines("uv").wave, [3650.153, 4046.563])
    assert tables.slot("056").rotation == 1.5
    shutil.copy(FOLDER / "standards.ecsv", tmp_path)
    text = (tmp_path / "standards.ecsv").read_text()
    (tmp_path / "standards.ecsv").write_text(text + "MY_STAR\n")
    assert Tables("lrs2", str(tmp_path)).standards()[-1] == "MY_STAR"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("response.ecsv", "wave response\n1 2\n", "is no ECSV table"),
        ("response.ecsv", "\xff\xfe", "is no ECSV table"),
        ("lines_uv.dat", "abc 1 2 Hg\n", "text where a number is due"),
        ("lines_uv.dat", "# nothing\n", "no arc lines are listed"),
    ],
)
def test_a_wrong_file_of_the_user_is_one_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    tables = Tables("lrs2", str(tmp_path))
    with pytest.raises((FileFormatError, MissingDataError), match=words):
        tables.lines("uv") if name.startswith("lines") else tables.response("uv")


def test_a_missing_folder_is_said():
    with pytest.raises(MissingDataError, match="no such folder of instrument tables"):
        Tables("lrs2", "/absent")
