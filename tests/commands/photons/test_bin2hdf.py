"""`ifuview bin2hdf` writes every photon, and what cannot be converted is one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.cli import main
from ifuview.errors import JobCancelled
from tests.io.photons.published import published_reader
from tests.io.photons.raw.test_packets import SECOND, header, photon, put

h5py = pytest.importorskip("h5py")
pytest.importorskip("hdf5plugin")


@pytest.fixture
def night(tmp_path):
    """Two seconds of packets of a 2 x 3 array whose beam map has a flagged pixel."""
    folder = tmp_path / "bin"
    folder.mkdir()
    put(
        folder,
        SECOND,
        [header(SECOND), photon(0, 0, 5, -9, 1), photon(1, 2, 3, -8, 1), header(SECOND + 0.9), photon(0, 0, 1, -7, 1)],
    )
    put(
        folder,
        SECOND + 1,
        [header(SECOND + 0.99), photon(1, 0, 2, -6, 1), header(SECOND + 1.5), photon(0, 0, 4, -5, 1)],
    )
    lines = [f"{100 + 10 * x + y} {int((x, y) == (1, 2))} {x} {y}" for x in range(2) for y in range(3)]
    beammap = tmp_path / "b.txt"
    beammap.write_text("\n".join(lines) + "\n")
    return folder, beammap, tmp_path / "o.h5"


def convert(night, *more):
    folder, beammap, output = night
    return main(["bin2hdf", str(folder), "--beammap", str(beammap), "-o", str(output), *more])


def test_all_photons_of_all_files(night, capsys):
    assert convert(night) == 0
    said = capsys.readouterr()
    assert f"5 photons, 2 s from {SECOND}" in said.out
    with h5py.File(night[2]) as file:
        rows, table = file["photons/photontable"][:], file["photons/photontable"]
        assert rows["resID"].tolist() == [100, 100, 100, 110, 112]
        assert rows["time"].tolist() == [5, 900001, 1500004, 990002, 3]
        assert (rows["weight"] == 1).all()
        assert (table.attrs["UNIXSTR"], table.attrs["EXPTIME"]) == (SECOND, 2)
        assert table.attrs["E_BMAP"] == b"b.txt"
        assert file["beammap/map"].shape == (2, 3)
        assert file["beammap/flag"][1, 2] == 1
        assert file["beammap/flag"][:].sum() == 1


def test_a_window_takes_photons_by_their_own_time(night, capsys):
    assert convert(night, "--start", str(SECOND), "--duration", "1") == 0
    assert f"No {SECOND - 1}.bin" in capsys.readouterr().err
    with h5py.File(night[2]) as file:
        assert file["photons/photontable"]["time"].tolist() == [5, 900001, 990002, 3]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--duration", "0"], "has no photons"),
        (["--start", "nan"], "no unix time"),
        (["--start", str(SECOND + 100), "--duration", "5"], "no packet file of the seconds"),
        (["-o", "x.bin"], "end the name in .h5"),
        (["--beammap", "/no/such"], "no such file"),
    ],
)
def test_bad_wishes_give_one_sentence_and_no_file(night, capsys, more, text):
    assert convert(night, *more) == 2
    said = capsys.readouterr().err
    assert text in said
    assert said.count("\n") == 1
    assert not night[2].exists()
    assert not list(night[2].parent.glob(".*"))


def test_damaged_packets_leave_nothing(night, capsys):
    (night[0] / f"{SECOND + 2}.bin").write_bytes(b"1234567")
    assert convert(night) == 2
    assert "cut off" in capsys.readouterr().err
    assert not night[2].exists()


def test_it_can_be_cancelled(night):
    from ifuview.commands.photons.bin2hdf import convert as run
    from ifuview.engine.context import JobContext

    ctx = JobContext(lambda fraction, text: ctx.cancel() if fraction >= 0.3 else None)
    with pytest.raises(JobCancelled):
        run(*map(str, night), ctx=ctx)
    assert sorted(p.name for p in night[2].parent.iterdir()) == ["b.txt", "bin"]


def test_the_reference_seconds_are_written_exactly(shared_data, tmp_path):
    folder = shared_data / "mkid"
    if not (folder / "truth_bin.npz").exists():
        pytest.skip("no reference packets")
    truth = np.load(folder / "truth_bin.npz")
    night = folder / "bin", folder / "beammap.txt", tmp_path / "o.h5"
    assert convert(night, "--start", str(SECOND), "--duration", "3") == 0
    with h5py.File(tmp_path / "o.h5") as file, h5py.File(folder / "phase_3s.h5") as published:
        rows, ids = file["photons/photontable"][:], file["beammap/map"][:]
        order = np.argsort(ids.ravel())
        counts = np.zeros(ids.size, np.int64)
        counts[order] = np.bincount(np.searchsorted(ids.ravel()[order], rows["resID"]), minlength=ids.size)
        assert np.array_equal(counts.reshape(ids.shape), truth["counts"])
        assert rows["time"].sum(dtype=np.int64) == truth["time_sum"]
        key = rows["resID"].astype(np.int64) << 32 | rows["time"]
        assert (np.diff(key) > 0).all()
        theirs = published["photons/photontable"][:]
        same = np.isin(key, theirs["resID"].astype(np.int64) << 32 | theirs["time"])
        assert (same.sum(), len(theirs), len(rows)) == (205204, 205204, 205206)
        assert np.allclose(rows["wavelength"][same], theirs["wavelength"], rtol=1e-6, atol=1e-5)
        assert np.array_equal(file["beammap/flag"][:], published["beammap/flag"][:])
        assert bytes(file["photons/photontable"].attrs["flags"]).count(b"V") == 22


def test_the_published_reader_opens_the_result(night):
    assert convert(night) == 0
    code = """
        from mkidpipeline.photontable import Photontable
        import mkidpipeline.pipeline
        t = Photontable(sys.argv[1])
        out.update(rows=len(t.query()), late=len(t.query(start=0.95)), pixel=len(t.query(pixel=(0, 0))),
                   exposure=int(t.duration), wave=bool(t.wavelength_calibrated), bad=int(t.bad_pixel_mask.sum()))
    """
    assert published_reader(code, night[2]) == {
        "rows": 5, "late": 2, "pixel": 3, "exposure": 2, "wave": False, "bad": 1,
    }  # fmt: skip
