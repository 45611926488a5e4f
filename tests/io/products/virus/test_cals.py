"""Calibration files: what is written is read, files of other years too, and what is none says so."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.products.virus import cals
from ifuview.io.products.virus.cals import read_calibrations, row_keys
from ifuview.io.products.virus.cals_write import write_calibrations
from ifuview.model.reduction.calibration import AmplifierCalibration

NFIBER, SHAPE = 5, (20, 30)
ROOT = Path(__file__).resolve().parents[4]
SIM = ROOT.parent / "shared" / "data" / "virus" / "sim" / "general_calibration_sim.h5"


def row(slot="047", amplifier="LL", seed=0, **changes) -> AmplifierCalibration:
    rng = np.random.default_rng(seed)
    known = {
        "amplifier": amplifier, "slot": slot, "specid": "308", "ifuid": "024", "contid": "VCTL0308",
        "trace": rng.uniform(0, 20, (NFIBER, SHAPE[1])).astype(np.float32),
        "wave": rng.uniform(3500, 5500, (NFIBER, SHAPE[1])).astype(np.float32),
        "positions": rng.normal(size=(NFIBER, 2)),
        "read_noise": 2.5, "bad": rng.random(SHAPE) < 0.1,
        "images": {"mastertwi": rng.normal(size=SHAPE).astype(np.float32)},
        "spectra": {"lampspec": rng.normal(size=(NFIBER, SHAPE[1])).astype(np.float32)},
    }  # fmt: skip
    return AmplifierCalibration(**(known | changes))


def write(path, rows):
    write_calibrations(path, rows, len(rows), NFIBER, SHAPE)
    return str(path)


def changed(path, out, change, **options):
    """The same table with other columns or packed otherwise."""
    with h5py.File(path) as file:
        data = change(file["Cals"][()])
    with h5py.File(out, "w") as file:
        file.create_dataset("Cals", data=data, chunks=(1,), **options)
    return str(out)


def without(*names):
    def drop(data):
        kept = [name for name in data.dtype.names if name not in names]
        out = np.zeros(data.shape, [(name, data.dtype[name]) for name in kept])
        for name in kept:
            out[name] = data[name]
        return out

    return drop


def test_what_is_written_is_read(tmp_path):
    rows = [row("047", "LL", 1), row("047", "LU", 2), row("013", "RU", 3)]
    found = read_calibrations(write(tmp_path / "c.h5", rows))
    assert [one.text for one in found] == [one.text for one in rows]
    for one, want in zip(found, rows, strict=True):
        np.testing.assert_array_equal(one.trace, want.trace)
        np.testing.assert_array_equal(one.wave, want.wave)
        np.testing.assert_allclose(one.positions, want.positions, rtol=1e-6)
        np.testing.assert_array_equal(one.bad, want.bad)
        np.testing.assert_array_equal(one.images["mastertwi"], want.images["mastertwi"])
        np.testing.assert_array_equal(one.spectra["lampspec"], want.spectra["lampspec"])
        assert (one.contid, one.read_noise) == ("VCTL0308", 2.5)


def test_only_the_rows_of_a_slot_are_read(tmp_path, monkeypatch):
    path = write(tmp_path / "c.h5", [row("047", "LL", 1), row("013", "RU", 3)])
    seen = []
    monkeypatch.setattr(cals, "_calibration", lambda path, one, images: seen.append(one["ifuslot"]))
    read_calibrations(path, ("013",))
    assert seen == [13]


@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True}])
def test_packed_files_are_as_good_as_plain_ones(tmp_path, options):
    path = write(tmp_path / "c.h5", [row("047", "LL", 1), row("013", "RU", 3)])
    packed = changed(path, tmp_path / "p.h5", lambda data: data, **options)
    with h5py.File(packed) as file:
        assert row_keys(packed, file["Cals"]) == [("047", "LL"), ("013", "RU")]
    np.testing.assert_array_equal(read_calibrations(packed, ("013",))[0].trace, row("013", "RU", 3).trace)


def test_columns_that_old_files_lack_are_optional(tmp_path):
    path = write(tmp_path / "c.h5", [row()])
    old = changed(
        path, tmp_path / "o.h5", without("contid", "masterflt", "maskspec", "readnoise", "ifupos", "pixelmask")
    )
    (found,) = read_calibrations(old)
    assert found.contid == "" and np.isnan(found.read_noise) and np.isnan(found.positions).all()
    assert not found.bad.any() and "masterflt" not in found.images and "maskspec" not in found.spectra


def test_unknown_columns_are_passed_by(tmp_path):
    def more(data):
        out = np.zeros(data.shape, [*((n, data.dtype[n]) for n in data.dtype.names), ("something", "<f8", (3,))])
        for name in data.dtype.names:
            out[name] = data[name]
        return out

    path = write(tmp_path / "c.h5", [row()])
    assert read_calibrations(changed(path, tmp_path / "m.h5", more))[0].text == row().text


def test_what_is_no_calibration_file_says_so(tmp_path):
    path = write(tmp_path / "c.h5", [row()])
    with pytest.raises(FileFormatError, match="without trace"):
        read_calibrations(changed(path, tmp_path / "t.h5", without("trace")))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["Data"] = np.zeros(3)
    with pytest.raises(FileFormatError, match="/Cals"):
        read_calibrations(str(tmp_path / "other.h5"))
    with pytest.raises(MissingDataError, match="no row of 099"):
        read_calibrations(path, ("099",))
    whole = (tmp_path / "c.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFormatError):
        read_calibrations(str(tmp_path / "cut.h5"))


def test_nothing_to_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "c.h5"
    write(path, [row()])
    with pytest.raises(MissingDataError):
        write(path, [])
    assert len(read_calibrations(str(path))) == 1


def test_pytables_reads_what_is_written(tmp_path):
    tables = pytest.importorskip("tables")
    path = write(tmp_path / "c.h5", [row("047", "LL", 1), row("013", "RU", 3)])
    with tables.open_file(path) as file:
        table = file.root.Cals
        assert list(table.cols.ifuslot[:]) == [47, 13] and table.colnames == sorted(table.colnames)
        np.testing.assert_array_equal(table[1]["trace"], row("013", "RU", 3).trace)


@pytest.mark.skipif(not SIM.is_file(), reason="shared data are not there")
def test_a_published_file_is_read():
    (found,) = [one for one in read_calibrations(str(SIM), ("046",), ("mastertwi",)) if one.amplifier == "RL"]
    assert found.unit == ("309", "046", "005") and found.contid == "VCTL0309"
    assert found.trace.shape == (112, 1032) and set(found.images) == {"mastertwi"}
    assert np.all(np.diff(found.wave, axis=1) > 0)
