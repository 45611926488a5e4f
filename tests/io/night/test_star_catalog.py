"""Catalogs of stars are read in every form, and the cached one around a position is found."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from ifuview.errors import IfuviewError
from ifuview.io.night.star_catalog import find_catalog, read_catalog

RA, DEC, G = np.array([175.4, 175.5, 175.6]), np.array([51.1, 51.2, 51.3]), np.array([17.5, 18.5, -999.0])


def table(ra: str, dec: str, mag: str) -> Table:
    return Table({"objID": [1, 2, 3], ra: RA, dec: DEC, mag.format("g"): G, mag.format("r"): G - 0.5})


@pytest.mark.parametrize(
    ("name", "form", "columns"),
    [
        ("Panstarrs_175.499067_51.30039_0.1500.dat", "ascii.fixed_width_two_line", ("raMean", "decMean", "{}ApMag")),
        ("stars.ecsv", "ascii.ecsv", ("ra", "dec", "{}")),
        ("stars.csv", "ascii.csv", ("RA", "DEC", "{}mag")),
        ("stars.vot", "votable", ("RAJ2000", "DEJ2000", "{}mag")),
        ("stars.fits", "fits", ("RA", "DEC", "{}MeanPSFMag")),
    ],
)
def test_positions_and_magnitudes_are_read(tmp_path, name, form, columns):
    path = tmp_path / name
    table(*columns).write(path, format=form)
    found = read_catalog(str(path))
    assert found.ra.tolist() == RA.tolist() and found.dec.tolist() == DEC.tolist()
    assert found.g[:2].tolist() == [17.5, 18.5] and np.isnan(found.g[2])
    assert found.magnitude[0, 1] == 17.0 and np.isnan(found.magnitude[:, 2:]).all()


def test_masked_values_are_not_known(tmp_path):
    own = table("ra", "dec", "{}")
    own["g"] = MaskedColumn(own["g"], mask=[True, False, False])
    own.write(tmp_path / "stars.ecsv")
    assert np.isnan(read_catalog(str(tmp_path / "stars.ecsv")).g[0])


def test_what_is_no_catalog_is_said(tmp_path):
    (tmp_path / "a.dat").write_text("nothing here\n")
    with pytest.raises(IfuviewError):
        read_catalog(str(tmp_path / "a.dat"))
    Table({"ra": RA, "flux": G}).write(tmp_path / "b.ecsv")
    with pytest.raises(IfuviewError, match="no column of declination"):
        read_catalog(str(tmp_path / "b.ecsv"))


def test_the_cached_catalog_around_a_position_is_found(tmp_path):
    near, far = tmp_path / "Panstarrs_175.499067_51.30039_0.1500.dat", tmp_path / "Panstarrs_180.0_51.3_0.1500.dat"
    for path in (near, far):
        path.touch()
    folders = ("", str(tmp_path / "none"), str(tmp_path))
    assert find_catalog(175.55, 51.31, folders) == str(near)
    assert find_catalog(175.0, 51.3, folders) is None
    exact = tmp_path / "Panstarrs_175.550000_51.31000_0.1500.dat"
    exact.touch()
    assert find_catalog(175.55, 51.31, folders) == str(exact)
