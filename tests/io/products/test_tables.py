"""Files of tables: redshifts joined to their fibers, QA, and what lies beside a coadd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview import io
from ifuview.errors import IfuviewError
from ifuview.io.products import tables as tables_fits

TARGETS = np.array([40, 10, 30, 20], dtype=np.int64) + 39_627_652_809_627_000


def table(name: str, **columns: np.ndarray) -> fits.BinTableHDU:
    return fits.BinTableHDU.from_columns(
        [fits.Column(k, {"i": "K", "f": "D", "S": "8A"}[v.dtype.kind], array=v) for k, v in columns.items()], name=name
    )


def redrock(path: Path, name: str = "REDSHIFTS", first: int = 0) -> Path:
    """Redshifts whose rows are in another order than those of the fiber table."""
    redshifts = table(name, TARGETID=TARGETS + first, Z=np.array([4.0, 1.0, 3.0, 2.0]),
                      SPECTYPE=np.array([b"QSO", b"GALAXY", b"QSO", b"STAR"]))  # fmt: skip
    order = np.argsort(TARGETS)
    fibermap = table("FIBERMAP", TARGETID=TARGETS[order] + first, FIBER=np.arange(3000, 3004))
    fits.HDUList([fits.PrimaryHDU(), redshifts, fibermap]).writeto(path)
    return path


def test_redshifts_are_joined_to_their_fibers_by_target(tmp_path):
    found = io.open_dataset(redrock(tmp_path / "redrock-6-7951-thru20211014.fits"))
    assert found.kind == "tables"
    assert found.images == ()
    columns = found.tables[0].columns
    assert columns["FIBER"].tolist() == [3003, 3000, 3002, 3001]
    assert columns["SPECTYPE"].tolist() == ["QSO", "GALAXY", "QSO", "STAR"]


def test_the_old_name_of_the_redshifts_is_known(tmp_path):
    found = tables_fits.read_tables(str(redrock(tmp_path / "zbest-6-7951.fits", "ZBEST")))
    assert found.tables[0].name == "ZBEST"
    assert "FIBER" in found.tables[0].columns


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_redshifts_beside_a_coadd_are_found_whatever_their_suffix(tmp_path, suffix):
    coadd = tmp_path / "coadd-6-7951-thru20211014.fits.gz"
    assert tables_fits.beside(str(coadd)) == ()
    path = redrock(tmp_path / f"redrock-6-7951-thru20211014{suffix}")
    redrock(tmp_path / f"redrock-0-7951-thru20211014{suffix}")
    assert tables_fits.beside(str(coadd)) == (str(path),)
    assert tables_fits.beside(str(tmp_path / "sframe-r6-00104284.fits")) == ()
    assert tables_fits.expected(str(coadd)) == "redrock-6-7951-thru20211014.fits"


def test_a_truncated_file_is_told_in_one_sentence(tmp_path):
    path = redrock(tmp_path / "redrock-6-7951.fits.gz")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(IfuviewError) as problem:
        tables_fits.read_tables(str(path))
    assert "\n" not in str(problem.value)


def test_tile_qa_of_the_night(shared_data):
    folder = shared_data / "desi/tiles/cumulative/7951/20211014"
    found = io.open_dataset(folder / "tile-qa-7951-thru20211014.fits")
    assert [t.name for t in found.tables] == ["FIBERQA", "PETALQA"]
    assert found.tables[0].columns["Z"].shape == (5000,)


def test_best_fits_are_read_beside_a_coadd_and_within_it(tmp_path):
    wave, values = 3600.0 + np.arange(8.0), np.arange(24.0, dtype="f4").reshape(3, 8)
    table = fits.BinTableHDU.from_columns([fits.Column("TARGETID", "K", array=np.arange(3))], name="FIBERMAP")
    model = [fits.ImageHDU(wave, name="B_WAVELENGTH"), fits.ImageHDU(values, name="B_MODEL"), table]
    path = tmp_path / "rrmodel-6-7-thru20260101.fits"
    fits.HDUList([fits.PrimaryHDU(), *model]).writeto(path)
    coadd = tmp_path / "coadd-6-7-thru20260101.fits.gz"
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(values - 1, name="B_FLUX"), *model]
    fits.HDUList(hdus).writeto(coadd)
    assert tables_fits.models_beside(str(coadd)) == (str(path),)
    alone = io.open_dataset(str(path))
    assert (alone.kind, alone.images[0].camera, alone.fibermap.nfiber) == ("rrmodel", "b", 3)
    within = io.open_dataset(str(coadd))
    assert [i.name for i in within.images] == ["B_FLUX"]
    assert [i.name for i in within.models] == ["B_MODEL"]
