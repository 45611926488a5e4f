"""`ifuview speckle` from a file to maps that open as frames."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ifuview.cli import main
from ifuview.exit_codes import BAD_INPUT, OK


@pytest.fixture(scope="module")
def photon_file(tmp_path_factory):
    """A small simulated exposure as the modern table."""
    from ifuview.io.photons.lists.write import write_photons
    from ifuview.simulate.photons.lists import simulate_photons

    path = tmp_path_factory.mktemp("speckle") / "science.h5"
    photons, _ = simulate_photons((24, 20), duration=6.0, seed=4)
    write_photons(str(path), photons)
    return str(path)


@pytest.mark.parametrize("method", ["binned", "arrival"])
def test_maps_are_written(photon_file, tmp_path, capsys, method):
    from astropy.io import fits

    out = tmp_path / "maps.fits"
    assert main(["speckle", photon_file, "--method", method, "--json", "-", "-o", str(out)]) == OK
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["pixels_measured"] > 50
    with fits.open(out) as hdus:
        names = [hdu.name for hdu in hdus]
        assert {"SCIENCE", "VARIANCE", "FLAGS", "FLAG_NAMES", "CUBE_EDGES", "IC", "IS", "IP"} <= set(names)
        np.testing.assert_array_equal(hdus["SCIENCE"].data[1], hdus["IS"].data)
        assert hdus["IS"].data.shape == (24, 20)
        assert hdus[0].header["METHOD"] == method
        known = np.isfinite(hdus["IS"].data)
        assert known.sum() == numbers["pixels_measured"]
        total = hdus["IC"].data + hdus["IS"].data + hdus["IP"].data
        rate = hdus["PHOTONS"].data / 6.0
        # the means of the fits are those of the counts
        assert np.median(total[known] / rate[known]) == pytest.approx(1, abs=0.02)


def test_a_star_and_a_pixel(photon_file, tmp_path):
    from astropy.io import fits

    out = tmp_path / "maps.fits"
    assert main(["speckle", photon_file, "--lucky", "9,12", "--start", "1", "--stop", "5", "-o", str(out)]) == OK
    with fits.open(out) as hdus:
        assert hdus["LUCKY"].header["EXPTIME"] == pytest.approx(1.2, abs=0.11)


@pytest.mark.parametrize(
    "extra, words",
    [(["--bin", "0"], "do not fit"), (["--ip", "much"], "incoherent light"), (["--lucky", "3"], "no pixel"),
     (["--start", "50"], "outside"), (["--exclude", "nonsense"], "no flag")],
)  # fmt: skip
def test_bad_questions(photon_file, tmp_path, capsys, extra, words):
    out = tmp_path / "maps.fits"
    assert main(["speckle", photon_file, *extra, "-o", str(out)]) == BAD_INPUT
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_one_line_says_what_was_found(photon_file, tmp_path, capsys):
    out = tmp_path / "maps.fits"
    assert main(["speckle", photon_file, "-o", str(out)]) == OK
    told = capsys.readouterr().out
    assert told.startswith(f"{out}: ") and "measured, binned, 0 to" in told and told.count("\n") == 1
