"""Damaged files of every family: refused in one sentence or opened, and nothing else happens."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app.frames.views.colors import known
from ifuview.app.outside.samp_words import asked
from ifuview.app.session import Session
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.io import read_traces
from ifuview.io.photons.raw.beammap_text import read_beammap
from ifuview.io.photons.raw.powersweep import read_powersweeps
from ifuview.io.traces.points import _between
from tests.robust.seeds import opened

COUNT = 520
WORDS = 48


def test_numbers_that_are_no_wavelengths_are_none(tmp_path: Path) -> None:
    path = tmp_path / "traces.csv"
    waves = ["4000", "1e308", "-1e308", "4020", "nan", "inf", "4040", "4050"]
    path.write_text("fiber_id,x,y,wavelength\n" + "".join(f"7,{50 * n},{3 + n},{w}\n" for n, w in enumerate(waves)))
    wave = read_traces(path).wave
    assert wave is not None
    known = wave[np.isfinite(wave)]
    assert known.min() > 3900 and known.max() < 4100


@pytest.mark.parametrize("odd", ["-1e300", "1e-320"])
def test_positions_that_are_none_are_refused_or_pass(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "traces.csv"
    path.write_text(f"fiber_id,x,y\n7,0,{odd}\n7,{'1e-200' if odd > '0' else 50},3\n7,100,3\n")
    with contextlib.suppress(FileFormatError):
        assert np.isfinite(read_traces(path).center).any()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="inputs are tried in processes that are forked")
def test_damaged_files_are_refused_or_opened(tmp_path: Path) -> None:
    known = os.environ | {"QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(tmp_path)}
    command = [sys.executable, "-m", "tests.robust.fuzz", "20261129", str(COUNT)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, env=known, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout[done.stdout.index('{\n "seed"') :])
    assert found["wrong"] == [], json.dumps(found["wrong"][:3], indent=1)
    outcomes = found["outcomes"]
    assert outcomes["refusal"] + outcomes["opened"] == COUNT
    assert outcomes["opened"] > COUNT // 10 and outcomes["refusal"] > COUNT // 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="an input that takes too long is stopped by an alarm")
def test_odd_words_messages_and_sessions_are_done_or_refused(tmp_path: Path) -> None:
    known = os.environ | {"QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(tmp_path)}
    command = [sys.executable, "-m", "tests.robust.window", "20261130", str(WORDS)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, env=known | {"PYTHONPATH": str(root)}, capture_output=True, text=True,
                          timeout=600)  # fmt: skip
    assert done.stdout, done.stderr
    assert json.loads(done.stdout) == [], done.stdout[:3000]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "../viridis"])
def test_a_color_map_is_none_of_these(name: str) -> None:
    with pytest.raises(MissingDataError, match="no color map"):
        known(name)


@pytest.mark.parametrize("row", ["\u00b2", "\u0663", "9" * 5000, "-1", "1.0", ""])
def test_rows_of_messages_that_are_no_numbers_are_none(row: str) -> None:
    for kind, params in (("table.highlight.row", {"row": row}), ("table.select.rowList", {"row-list": [row, [], {}]})):
        assert asked(Session(), kind, params) == ()
    assert asked(Session(), "coord.pointAt.sky", [row]) == ()  # type: ignore[arg-type]


def test_numbers_of_resonators_fit_into_64_bits(tmp_path: Path) -> None:
    path = tmp_path / "sweep.txt"
    for odd in ("99999999999999999999", "-1", "1e400", "nan"):
        path.write_text(f"{odd} 4e9 50\n")
        with pytest.raises(FileFormatError, match="is no power sweep"):
            read_powersweeps([str(path)])


@pytest.mark.parametrize("line", ["10001 0 1e300 2", "1e300 0 1 2", "10001 nan 1 2", "10001 1e30 1 2"])
def test_beam_maps_with_numbers_that_are_none_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "beammap.txt"
    path.write_text(f"10000 0 0 0\n{line}\n")
    with pytest.raises(FileFormatError):
        read_beammap(path)


def test_curves_through_numbers_that_have_no_slope_are_straight() -> None:
    at = 50.0 * np.arange(6)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(_between(at, np.array([1.0, 2.0, 1e308, -1e308, 3.0, 4.0]), at[:2]), [1.0, 2.0])


@pytest.mark.parametrize("number", ["2147483648", "-1", "1E18", "T"])
@pytest.mark.parametrize("card", ["TFIELDS", "ZNAXIS"])
def test_counts_of_tiles_that_make_no_sense_are_refused(tmp_path: Path, card: str, number: str) -> None:
    """Astropy counts up to them."""
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(np.ones((40, 50), np.int16))]).writeto(tmp_path / "a.fits")
    data = (tmp_path / "a.fits").read_bytes()
    at = data.index(f"{card.ljust(8)}=".encode()) + 10
    (tmp_path / "a.fits").write_bytes(data[:at] + number.rjust(20).encode() + data[at + 20 :])
    began = time.process_time()
    with pytest.raises(IfuviewError):
        opened(str(tmp_path / "a.fits"))
    assert time.process_time() - began < 5
