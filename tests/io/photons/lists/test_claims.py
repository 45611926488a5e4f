"""HDF5 files that claim far more rows than they hold: refused in one sentence, before anything is made or read."""

from __future__ import annotations

import time

import h5py
import numpy as np
import pytest

from ifuview.app.photons.lists import open_source
from ifuview.errors import FileFormatError
from ifuview.io.hdf5.file import check_claim, h5_open
from ifuview.io.photons.lists.write import write_photons
from ifuview.simulate.photons.lists import simulate_photons

OLD = np.dtype(
    [("ResID", "<u4"), ("Time", "<u4"), ("Wavelength", "<f4"), ("SpecWeight", "<f4"), ("NoiseWeight", "<f4")]
)


def old(path, node: str, rows: int) -> str:
    """A list of older times whose table claims `rows` rows."""
    with h5py.File(path, "w") as file:
        file["BeamMap/Map"] = np.arange(1, 13, dtype=np.uint32).reshape(4, 3)
        file["BeamMap/Flag"] = np.zeros((4, 3), np.uint32)
        table = file.create_dataset(node, (100,), OLD, maxshape=(None,), chunks=(100,))
        table[:] = np.zeros(100, OLD)
        table.resize((rows,))
    return str(path)


@pytest.mark.parametrize("rows", [1 << 22, 1 << 40])
def test_a_table_that_claims_what_was_never_written_is_refused(tmp_path, rows):
    path = tmp_path / "modern.h5"
    write_photons(path, simulate_photons((8, 6), duration=0.5, seed=1)[0])
    with h5py.File(path, "r+") as file:
        held = file["photons/photontable"].shape[0]
        file["photons/photontable"].resize((rows,))
    began = time.monotonic()
    for index in (False, True):
        with pytest.raises(FileFormatError, match=f"claims {rows} rows, and the file holds .* at most") as found:
            open_source(str(path), index=index)
        assert held <= int(str(found.value).split("holds ")[1].split()[0]) < held + 250
    assert time.monotonic() - began < 5
    assert [p.name for p in tmp_path.iterdir()] == ["modern.h5"]


@pytest.mark.parametrize("node", ["Photons/PhotonTable", "Photons/7"])
def test_so_are_those_of_older_times(tmp_path, node):
    with pytest.raises(FileFormatError, match="claims"):
        open_source(old(tmp_path / "old.h5", node, 1 << 40), index=False)
    assert open_source(old(tmp_path / "fine.h5", node, 90), index=False).info.nphoton == 90


def test_arrays_that_are_packed_well_are_no_false_claims(tmp_path):
    path = str(tmp_path / "zeros.h5")
    with h5py.File(path, "w") as file:
        file.create_dataset("packed", data=np.zeros(4_000_000), chunks=(100_000,), compression="gzip")
        file.create_dataset("empty", (4_000_000,), "f8")
    with h5_open(path) as file:
        check_claim(path, file["packed"])
        with pytest.raises(FileFormatError, match="holds 0 at most"):
            check_claim(path, file["empty"])
