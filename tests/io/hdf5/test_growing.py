"""Tables grow, and PyTables, where it is installed, opens them as its own."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from ifuview.errors import UsageError
from ifuview.io.hdf5.growing import GrowingTable, describe_root, row_type
from ifuview.io.hdf5.writing import h5_new

COLUMNS = {"spectrum": (np.float32, (7,)), "amp": ("S2", ()), "exp": (np.int32, ()), "ra": (np.float64, ())}


@pytest.fixture(params=[False, True], ids=["plain", "packed"])
def path(tmp_path, request):
    out = tmp_path / "table.h5"
    with h5_new(out) as (file, disk):
        describe_root(file, "an observation")
        table = GrowingTable(file, disk, "Rows", COLUMNS, "rows of it", packed=request.param)
        for number in range(3):
            table.add({
                "spectrum": np.full((2, 7), number), "amp": np.array(["LL", "RU"], "S2"), "exp": np.array([1, 2]),
                "ra": np.array([10.5, number]),
            })  # fmt: skip
        GrowingTable(file, disk, "Empty", COLUMNS)
    return out


def test_rows_come_back_in_their_order(path):
    with h5py.File(path) as file:
        rows = file["Rows"][()]
        assert rows.dtype.names == ("amp", "exp", "ra", "spectrum")
        assert rows["spectrum"][:, 3].tolist() == [0, 0, 1, 1, 2, 2] and rows["amp"].tolist()[:2] == [b"LL", b"RU"]
        said = {name: file["Rows"].attrs[name] for name in ("CLASS", "VERSION", "NROWS", "FIELD_3_NAME")}
        assert said == {"CLASS": b"TABLE", "VERSION": b"2.7", "NROWS": 6, "FIELD_3_NAME": b"spectrum"}
        assert file.attrs["PYTABLES_FORMAT_VERSION"] == b"2.1" and file["Empty"].shape == (0,)


def test_pytables_opens_it(path):
    tables = pytest.importorskip("tables")
    with tables.open_file(str(path)) as file:
        assert [row["exp"] for row in file.root.Rows.where("ra < 5")] == [2, 2, 2]
        assert file.root.Rows.cols.spectrum[:].shape == (6, 7) and file.root.Empty.nrows == 0
        assert file.root.Rows.title == "rows of it" and file.title == "an observation"


def test_columns_that_are_missing_or_wrong_are_named(tmp_path):
    with h5_new(tmp_path / "t.h5") as (file, disk):
        table = GrowingTable(file, disk, "Rows", {"a": (np.float32, (3,))})
        with pytest.raises(UsageError, match="no a"):
            table.add({})
        with pytest.raises(UsageError, match="shape"):
            table.add({"a": np.zeros((2, 4))})
    assert row_type(COLUMNS).itemsize == 2 + 4 + 8 + 28
