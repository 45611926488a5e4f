"""A published FlatCal default.cfg, as it stands: its keys are used, or a line says that they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ifuview.app.photons.calibration import solve as cal
from ifuview.cli import main
from ifuview.commands.photons.flat_config import flat_options
from ifuview.errors import UsageError
from ifuview.exit_codes import BAD_INPUT, OK
from ifuview.io.photons.lists.write import write_photons
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_flat

STAMPS = ("1507256399", "1507256500")
DEFAULT = """\
[Data]
# This section provides the location of the data (all keys of the published file, with its comments cut)
run = 'PAL2017b'
date = '20171005'
flatCalTstamp = '1507256399'
flatObsTstamps = {stamps}
wvlDate = ''
wvlCalFile = ''
flatPath = '{flat}'
calSolnPath='{out}'
intTime= 5
expTime=30

[Instrument]
deadtime=0.000001
energyBinWidth = {width}
wvlStart = 700 
wvlStop = 1500 

[Calibration]
countRateCutoff = {rate}
fractionOfChunksToTrim = 0
timeMaskFileName = ''
timeSpacingCut = 'None'
"""  # noqa: W291


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data directory with two flats of one array, each 10 s, named by their time stamps."""
    root = tmp_path_factory.mktemp("ScienceData")
    night = root / "PAL2017b" / "20171005"
    night.mkdir(parents=True)
    array = make_array((12, 10), seed=3)
    for seed, stamp in enumerate(STAMPS):
        write_photons(str(night / f"{stamp}.h5"), simulate_flat(array, seed=seed)[0])
    return root


def written(folder: Path, *, stamps=STAMPS[:1], flat="", out="", width="0.2", rate="20000") -> str:
    """A configuration with some values of its own."""
    path = folder / "default.cfg"
    path.write_text(DEFAULT.format(stamps=list(stamps), flat=flat, out=out, width=width, rate=rate))
    return str(path)


def test_the_file_is_found_by_run_date_and_time_stamp(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MKID_DATA_DIR", str(data))
    config = written(tmp_path)
    assert main(["flatcal", "--config", config]) == OK
    told = capsys.readouterr()
    out = data / "PAL2017b" / "20171005" / "1507256399_calSoln.h5"
    assert told.out.startswith(str(out)) and told.out.count("\n") == 1
    line = next(line for line in told.err.splitlines() if "not used" in line)
    assert line.count("(") == 4
    for key in ("wvlDate", "fractionOfChunksToTrim", "timeMaskFileName", "timeSpacingCut"):
        assert key in line
    for key in ("run", "date", "flatObsTstamps", "intTime", "expTime", "deadtime", "wvlStart", "countRateCutoff"):
        assert f"{key}," not in line and f"{key} (" not in line
    flat = cal.read_flatcal(str(out))
    assert flat.edges[0] == 700 and flat.edges[-1] == 1500 and len(flat.waves) == 4
    by_hand = cal.fit_flatcal(
        str(data / "PAL2017b" / "20171005" / f"{STAMPS[0]}.h5"), chunk=5.0, width=0.2, wave_range=(700, 1500),
        dead_time=1e-6,
    )  # fmt: skip
    np.testing.assert_array_equal(flat.weights, by_hand.weights)
    out.unlink()


def test_a_path_alone_names_the_file_and_the_output(data, tmp_path, capsys):
    flat = data / "PAL2017b" / "20171005" / f"{STAMPS[1]}.h5"
    config = written(tmp_path, stamps=(), flat=str(flat), out=str(tmp_path / "soln"))
    assert main(["flatcal", "--config", config]) == OK
    told = capsys.readouterr()
    assert "run, date, flatCalTstamp, flatObsTstamps (flatPath names the file)" in told.err
    assert (tmp_path / "soln.h5").exists()


def test_several_time_stamps_add_up_and_a_rate_is_a_bound(data, tmp_path):
    night = data / "PAL2017b" / "20171005"
    config = written(tmp_path, stamps=STAMPS, flat=str(night), out=str(tmp_path / "both.h5"), rate="45")
    assert main(["flatcal", "--config", config]) == OK
    both = cal.read_flatcal(str(tmp_path / "both.h5"))
    one = cal.fit_flatcal(str(night / f"{STAMPS[0]}.h5"), width=0.2, wave_range=(700, 1500))
    assert np.nansum(both.counts) > 1.5 * np.nansum(one.counts)  # some pixels are too bright
    known = np.isfinite(both.weights).any(axis=1)
    assert 0.2 < known.mean() < np.isfinite(one.weights).any(axis=1).mean()
    bright = both.counts[known].sum(axis=1)
    assert bright.max() <= 45 * 20


def test_of_a_longer_exposure_only_its_beginning_counts(data, tmp_path):
    flat = data / "PAL2017b" / "20171005" / f"{STAMPS[0]}.h5"
    assert main(["flatcal", str(flat), "--duration", "4", "-o", str(tmp_path / "short.h5")]) == OK
    short, whole = cal.read_flatcal(str(tmp_path / "short.h5")), cal.fit_flatcal(str(flat))
    assert short.counts.sum() / whole.counts.sum() == pytest.approx(0.4, abs=0.02)


def test_what_is_not_there_or_no_number_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("MKID_DATA_DIR", raising=False)
    assert main(["flatcal", "--config", written(tmp_path, out=str(tmp_path / "x.h5"))]) == BAD_INPUT
    assert f"{STAMPS[0]}.h5" in capsys.readouterr().err
    with pytest.raises(UsageError, match="wvlStart is no number"):
        flat_options({"wvlStart": "blue", "wvlStop": 3}, "a.cfg")
    options, why = flat_options({"deadtime": 1e-6, "mine": 3}, "a.cfg")
    assert options == {"dead_time": pytest.approx(1.0)} and why == {"mine": "not known here"}
